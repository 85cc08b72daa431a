/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Fixed-point elementary functions. Each reduces its argument to a small
 * interval, evaluates a short Taylor series by Horner's rule in Q2.30 or Q1.31
 * with 64-bit products, and scales the result into the caller's format.
 */
#include "neuroc/rt/spinn/FixedMath.h"

static int32_t clip(int64_t v) {
  if (v > INT32_MAX)
    return INT32_MAX;
  if (v < INT32_MIN)
    return INT32_MIN;
  return (int32_t)v;
}

/* v * 2^shift, rounded to nearest, clipped to 32 bits. */
static int32_t scale(int64_t v, int32_t shift) {
  if (shift >= 0) {
    if (v == 0)
      return 0;
    if (shift > 31)
      return v > 0 ? INT32_MAX : INT32_MIN;
    v = clip(v);
    return clip(v * ((int64_t)1 << shift));
  }
  if (shift < -62)
    return 0;
  return clip(((v >> (-shift - 1)) + 1) >> 1);
}

/* v * 2^shift in 64 bits; right shifts round down, left shifts clip. */
static int64_t shift64(int64_t v, int32_t shift) {
  if (shift >= 0) {
    if (v == 0)
      return 0;
    if (shift > 62 || v > (INT64_MAX >> shift))
      return v > 0 ? INT64_MAX : INT64_MIN;
    if (v < (INT64_MIN >> shift))
      return INT64_MIN;
    return (int64_t)((uint64_t)v << shift);
  }
  return shift < -63 ? (v < 0 ? -1 : 0) : v >> -shift;
}

static int32_t mul30(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b + (1 << 29)) >> 30);
}
/* a (any format) times b in Q1.31. */
static int32_t mul31(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* Leading zeros of a value that is not zero. */
static int leadingZeros(uint64_t v) {
  uint32_t high = (uint32_t)(v >> 32);
  return high ? __builtin_clz(high) : 32 + __builtin_clz((uint32_t)v);
}

int32_t neuroc_fx_div(int32_t a, int32_t b, int32_t shift) {
  if (a == 0)
    return 0;
  if (b == 0)
    return a > 0 ? INT32_MAX : INT32_MIN;
  int negative = (a < 0) != (b < 0);
  uint64_t n = a < 0 ? (uint64_t)0 - (uint64_t)(int64_t)a : (uint64_t)a;
  uint64_t d = b < 0 ? (uint64_t)0 - (uint64_t)(int64_t)b : (uint64_t)b;
  if (shift < 0) {
    if (shift < -62)
      return 0;
    /* Scale the divisor where that is exact, else the quotient is 0. */
    if (leadingZeros(d) <= -shift + 1)
      return 0;
    d <<= -shift;
  } else {
    int room = leadingZeros(n) - 1;
    if (shift > room) {
      /* More than 63 bits: the quotient has at least 31, or is exact later. */
      uint64_t q = (n << room) / d, r = (n << room) % d;
      for (int32_t i = room; i < shift; ++i) {
        q <<= 1;
        r <<= 1;
        if (r >= d) {
          r -= d;
          ++q;
        }
        if (q > (uint64_t)1 << 32)
          return negative ? INT32_MIN : INT32_MAX;
      }
      if (r * 2 >= d)
        ++q;
      return clip(negative ? -(int64_t)q : (int64_t)q);
    }
    n <<= shift;
  }
  uint64_t q = n / d, r = n - q * d;
  if (r >= d - r)
    ++q;
  if (q > (uint64_t)1 << 31)
    return negative ? INT32_MIN : INT32_MAX;
  return clip(negative ? -(int64_t)q : (int64_t)q);
}

int32_t neuroc_fx_rem(int32_t a, int32_t b) {
  if (b == 0 || b == -1)
    return 0;
  return a % b;
}

/* e^z for z in Q1.31, |z| <= 0.35: Taylor to degree 9, in Q2.30. `one` is the
 * constant term: 1 gives e^z, 0 gives e^z - 1. */
static int32_t expSmall(int32_t z, int32_t one) {
  /* 1/k! in Q2.30, k = 9 .. 2 */
  static const int32_t c[8] = {2959,     26631,    213044,    1491308,
                               8947849,  44739243, 178956971, 536870912};
  int32_t p = c[0];
  for (int i = 1; i < 8; ++i)
    p = mul31(p, z) + c[i];
  p = mul31(p, z) + (1 << 30);
  return mul31(p, z) + one;
}

/* e^(t ln 2) with t = whole + z / ln 2: *mantissa in Q2.30, result whole. */
static int32_t expParts(int64_t t32, int32_t *mantissa) {
  /* t in Q31.32 */
  int64_t whole = (t32 + ((int64_t)1 << 31)) >> 32;
  int64_t f = t32 - whole * ((int64_t)1 << 32); /* [-1/2, 1/2) in Q32 */
  int32_t z = (int32_t)((f * 1488522236) >> 32);  /* ln 2 in Q31 -> Q31 */
  *mantissa = expSmall(z, 1 << 30);
  return (int32_t)whole;
}

/* x * log2(e), in Q31.32, clipped to +-2^20. */
static int64_t toPowerOfTwo(int32_t x, int32_t fx) {
  /* log2 e in two parts: Q30 and the remainder in Q60. */
  int64_t high = (int64_t)x * 1549082004;      /* fx + 30 */
  int64_t low = ((int64_t)x * 1058989062) >> 30; /* fx + 30 */
  int64_t t = shift64(high + low, 2 - fx);
  int64_t limit = (int64_t)1 << 52;
  return t > limit ? limit : t < -limit ? -limit : t;
}

int32_t neuroc_fx_exp(int32_t x, int32_t fx, int32_t fr) {
  int32_t mantissa;
  int32_t whole = expParts(toPowerOfTwo(x, fx), &mantissa);
  return scale(mantissa, whole + fr - 30);
}

int32_t neuroc_fx_expm1(int32_t x, int32_t fx, int32_t fr) {
  int64_t z = shift64(x, 31 - fx); /* Q31 */
  int64_t limit = 730144440;       /* 0.34 */
  if (z < limit && z > -limit)
    return scale(expSmall((int32_t)z, 0), fr - 30);
  int32_t mantissa;
  int32_t whole = expParts(toPowerOfTwo(x, fx), &mantissa);
  if (whole > 31)
    return scale(mantissa, whole + fr - 30);
  int64_t v = shift64(mantissa, whole) - ((int64_t)1 << 30); /* Q30 */
  return scale(v, fr - 30);
}

/* ln(v 2^-f) in Q31.32, for v > 0. */
static int64_t logQ32(uint64_t v, int32_t f) {
  int zeros = leadingZeros(v);
  int32_t exponent = 63 - zeros - f;
  /* m in [1, 2) as Q31 */
  uint64_t m = zeros <= 32 ? v >> (32 - zeros) : v << (zeros - 32);
  if (m > 3037000500u) { /* above sqrt 2: halve */
    ++exponent;
    /* stays the same word, now in Q32: m in [0.707, 1) */
  } else {
    m <<= 1; /* Q32 in [1, 1.414] */
  }
  /* s = (m - 1) / (m + 1) in Q31, |s| <= 0.1716 */
  int64_t one = (int64_t)1 << 32;
  int64_t num = ((int64_t)m - one) * ((int64_t)1 << 30);
  int64_t den = ((int64_t)m + one) >> 1;
  int32_t s = (int32_t)(num / den);
  int32_t s2 = mul31(s, s);
  /* 2 (1 + s^2/3 + s^4/5 + s^6/7 + s^8/9 + s^10/11) in Q2.30 without the 1 */
  static const int32_t c[5] = {97612893, 119304647, 153391689, 214748365,
                               357913941};
  int32_t p = c[0];
  for (int i = 1; i < 5; ++i)
    p = mul31(p, s2) + c[i];
  p = mul31(p, s2); /* Q30 */
  /* 2 s (1 + p): s in Q31 is 2 s in Q30 */
  int64_t series = (int64_t)s * 4 + (((int64_t)s * p) >> 28); /* Q32 */
  return (int64_t)exponent * 2977044472 + series; /* ln 2 in Q32 */
}

int32_t neuroc_fx_log(int32_t x, int32_t fx, int32_t fr) {
  if (x <= 0)
    return INT32_MIN;
  return scale(logQ32((uint64_t)x, fx), fr - 32);
}

int32_t neuroc_fx_log1p(int32_t x, int32_t fx, int32_t fr) {
  int64_t sum = shift64(x, fx > 40 ? 40 - fx : 0);
  int32_t f = fx > 40 ? 40 : fx;
  if (f < 0) { /* x is a multiple of 2^-f: one is lost against it or exact */
    sum = shift64(x, -f);
    f = 0;
  }
  sum += (int64_t)1 << f;
  if (sum <= 0)
    return INT32_MIN;
  return scale(logQ32((uint64_t)sum, f), fr - 32);
}

int32_t neuroc_fx_sqrt(int32_t x, int32_t fx, int32_t fr) {
  if (x <= 0)
    return 0;
  /* sqrt(x 2^-fx) 2^fr = sqrt(x 2^(2 fr - fx)) */
  int32_t shift = 2 * fr - fx;
  uint64_t v = (uint64_t)x;
  int32_t after = 0;
  if (shift >= 0) {
    int room = leadingZeros(v);
    if (shift > room) {
      after = (shift - room + 1) / 2;
      shift -= 2 * after;
    }
    v = shift >= 0 ? v << shift : v >> -shift;
  } else {
    if (shift < -62)
      return 0;
    v >>= -shift;
  }
  uint64_t root = 0, bit = (uint64_t)1 << 62, rest = v;
  while (bit > rest)
    bit >>= 2;
  while (bit) {
    if (rest >= root + bit) {
      rest -= root + bit;
      root = (root >> 1) + bit;
    } else {
      root >>= 1;
    }
    bit >>= 2;
  }
  if (rest > root)
    ++root;
  if (after)
    return scale((int64_t)root, after);
  return clip((int64_t)root);
}

int32_t neuroc_fx_tanh(int32_t x, int32_t fx, int32_t fr) {
  /* tanh |x| = 1 - 2 / (e^(2|x|) + 1) */
  int32_t negative = x < 0;
  int64_t a = negative ? -(int64_t)x : x;
  int64_t q = shift64(a, 31 - fx); /* |x| in Q31 */
  int64_t y;                       /* Q30 */
  if (q < 365072220) {             /* below 0.17: e^(2x) - 1 is accurate */
    int32_t e = expSmall((int32_t)(2 * q), 0);
    y = ((int64_t)e << 30) / (e + ((int64_t)2 << 30));
  } else if (q > ((int64_t)12 << 31)) {
    y = 1 << 30;
  } else {
    int32_t mantissa;
    int32_t clipped = a > INT32_MAX ? INT32_MAX : (int32_t)a;
    int32_t whole = expParts(2 * toPowerOfTwo(clipped, fx), &mantissa);
    int64_t inverse; /* 2 / (e^(2x) + 1) in Q30 */
    if (whole <= 31)
      inverse = ((int64_t)1 << 61) /
                (((int64_t)mantissa << whole) + ((int64_t)1 << 30));
    else
      inverse = 0;
    y = ((int64_t)1 << 30) - inverse;
  }
  return scale(negative ? -y : y, fr - 30);
}

/* The fraction of a turn of x, in Q32. */
static uint32_t turn(int32_t x, int32_t fx) {
  /* 1 / (2 pi) in two parts, Q32 and the remainder in Q62 */
  int64_t high = (int64_t)x * 683565275;                  /* fx + 32 */
  int64_t low = ((int64_t)x * 618964390) >> 30;           /* fx + 32 */
  return (uint32_t)shift64(high + low, -fx);
}

/* sin(2 pi t), t in Q32, in Q30. */
static int32_t sinTurn(uint32_t t) {
  uint32_t octant = (t + 0x20000000u) >> 30; /* nearest quarter */
  int32_t f = (int32_t)(t - (octant << 30)); /* [-1/8, 1/8] turn, Q32 */
  /* f * 2 pi: 2 pi in Q28; Q32 * Q28 = Q60, wanted Q30 */
  int32_t z = (int32_t)(((int64_t)f * 1686629713) >> 30);
  int32_t z2 = mul30(z, z);
  int32_t y;
  if (octant & 1) {
    /* cosine: 1/10! .. 1/2! in Q30 with alternating signs */
    static const int32_t c[5] = {-296, 26631, -1491308, 44739243, -536870912};
    y = c[0];
    for (int i = 1; i < 5; ++i)
      y = mul30(y, z2) + c[i];
    y = mul30(y, z2) + (1 << 30);
  } else {
    static const int32_t c[5] = {-27, 2959, -213044, 8947849, -178956971};
    y = c[0];
    for (int i = 1; i < 5; ++i)
      y = mul30(y, z2) + c[i];
    y = mul30(mul30(y, z2), z) + z;
  }
  return octant & 2 ? -y : y;
}

int32_t neuroc_fx_sin(int32_t x, int32_t fx, int32_t fr) {
  return scale(sinTurn(turn(x, fx)), fr - 30);
}
int32_t neuroc_fx_cos(int32_t x, int32_t fx, int32_t fr) {
  return scale(sinTurn(turn(x, fx) + 0x40000000u), fr - 30);
}

int32_t neuroc_fx_pow(int32_t x, int32_t fx, int32_t y, int32_t fy,
                      int32_t fr) {
  if (x <= 0)
    return 0;
  /* log2 x in Q31.32, split so that the product keeps 64 bits */
  int64_t l = logQ32((uint64_t)x, fx);
  /* t = y * l * log2 e */
  int64_t lh = l >> 32, ll = l & 0xffffffffu;
  int64_t product = shift64((int64_t)y * lh, 32 - fy) +
                    shift64((int64_t)y * (ll >> 1), 1 - fy); /* Q32 */
  int64_t limit = (int64_t)1 << 40;
  if (product > limit)
    product = limit;
  if (product < -limit)
    product = -limit;
  int64_t t = (product >> 32) * 6196328019 +
              (int64_t)(((uint64_t)(product & 0xffffffffu) * 1549082005u) >> 30);
  int32_t mantissa;
  int32_t whole = expParts(t, &mantissa);
  return scale(mantissa, whole + fr - 30);
}
