// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vector unit. Vectors lie in tile memory; elements are 32-bit two's
// complement numbers whose binary point is the program's business. Results
// that do not fit are clamped and counted. A destination may be one of the
// sources, but may not overlap one partly (vmov may).
#include "VectorRun.h"

#include "neuroc/rt/Random.h"

#include <cassert>
#include <cmath>
#include <cstring>

namespace neuroc::rt::xbar {
namespace {

/// dst = f(a, b) over vectors, or with a scalar b.
template <typename F>
Status binary(VectorRun run, bool scalar, F f, bool readsDst = false) {
  const Decoded &d = run.d;
  int64_t n = run.value(d.d());
  if (Status status = run.m.checkLength(run.tile, n); !status)
    return status;
  run.reads(run.value(d.b()), n);
  if (!scalar)
    run.reads(run.value(d.c()), n);
  run.writes(run.value(d.a()), n);
  if (readsDst)
    run.m.counters.memoryWords += uint64_t(n);
  if (!run.begin())
    return run.status;
  int32_t *dst = run.at(run.value(d.a()));
  const int32_t *a = run.at(run.value(d.b()));
  if (scalar) {
    int32_t b = run.tile.reg[d.c()];
    for (int64_t i = 0; i < n; ++i)
      dst[i] = f(a[i], b, dst[i]);
  } else {
    const int32_t *b = run.at(run.value(d.c()));
    for (int64_t i = 0; i < n; ++i)
      dst[i] = f(a[i], b[i], dst[i]);
  }
  run.finish(n);
  return Status::ok();
}

/// dst = f(a).
template <typename F>
Status unary(VectorRun run, F f, bool overlap = false) {
  const Decoded &d = run.d;
  int64_t n = run.value(d.d());
  if (Status status = run.m.checkLength(run.tile, n); !status)
    return status;
  run.reads(run.value(d.b()), n);
  run.writes(run.value(d.a()), n);
  if (!run.begin(overlap))
    return run.status;
  int32_t *dst = run.at(run.value(d.a()));
  const int32_t *a = run.at(run.value(d.b()));
  if (overlap)
    std::memmove(dst, a, size_t(n) * sizeof(int32_t));
  else
    for (int64_t i = 0; i < n; ++i)
      dst[i] = f(a[i]);
  run.finish(n);
  return Status::ok();
}

/// A scalar result from one or two vectors.
template <typename F>
Status reduce(VectorRun run, bool two, F f) {
  const Decoded &d = run.d;
  int64_t n = run.value(d.d());
  if (Status status = run.m.checkLength(run.tile, n); !status)
    return status;
  run.reads(run.value(d.b()), n);
  if (two)
    run.reads(run.value(d.c()), n);
  if (!run.begin())
    return run.status;
  int32_t result =
      f(run.at(run.value(d.b())), two ? run.at(run.value(d.c())) : nullptr, n);
  uint64_t done = run.finish(n);
  run.m.setRegister(run.tile, d.a(), result, done);
  return Status::ok();
}

int32_t shiftBy(int32_t a, int64_t by, uint64_t &sat) {
  if (by < 0)
    return by < -32 ? 0 : int32_t(roundShift(a, unsigned(-by)));
  if (by > 31)
    return a == 0 ? 0 : saturate(a < 0 ? INT64_MIN : INT64_MAX, sat);
  return saturate(int64_t(a) * (int64_t(1) << by), sat);
}

int32_t quotient(int32_t a, int32_t b, unsigned shift, uint64_t &sat) {
  if (b == 0)
    return a == 0 ? 0 : saturate(a < 0 ? INT64_MIN : INT64_MAX, sat);
  bool negative = (a < 0) != (b < 0);
  uint64_t divisor = uint64_t(std::abs(int64_t(b)));
  uint64_t magnitude = uint64_t(std::abs(int64_t(a)));
  int64_t result;
  if (shift <= 31) {
    uint64_t q = ((magnitude << shift) + divisor / 2) / divisor;
    result = int64_t(q);
  } else {
    unsigned __int128 n = (unsigned __int128)magnitude << shift;
    unsigned __int128 q = (n + divisor / 2) / divisor;
    result = q > uint64_t(INT64_MAX) ? INT64_MAX : int64_t(q);
  }
  return saturate(negative ? -result : result, sat);
}

int32_t squareRoot(int32_t a, unsigned shift, uint64_t &sat) {
  if (a < 0) {
    ++sat;
    return 0;
  }
  uint64_t n = uint64_t(a) << shift;
  uint64_t root = uint64_t(std::sqrt(double(n)));
  while (root * root > n)
    --root;
  while ((root + 1) * (root + 1) <= n)
    ++root;
  return saturate(int64_t(root), sat);
}

Status copy2(VectorRun run) {
  const Decoded &d = run.d;
  int64_t rows = run.value(d.c()), n = run.value(d.d());
  int64_t dst = run.value(d.a()), src = run.value(d.b());
  int64_t dstStep = run.value(d.e()), srcStep = run.value(d.f());
  for (int64_t length : {rows, n})
    if (Status status = run.m.checkLength(run.tile, length); !status)
      return status;
  auto cover = [&](int64_t first, int64_t step, bool writes) {
    int64_t last = first + (rows - 1) * step;
    int64_t low = std::min(first, last), high = std::max(first, last) + n;
    if (rows == 0 || n == 0)
      high = low = 0;
    writes ? run.writes(low, high - low) : run.reads(low, high - low);
  };
  cover(src, srcStep, false);
  cover(dst, dstStep, true);
  // Interleaved rows are legal, so overlap of the covers is not checked; rows
  // are copied one after the other.
  if (!run.begin(/*overlap=*/true))
    return run.status;
  for (int64_t r = 0; r < rows; ++r)
    std::memmove(run.at(dst + r * dstStep), run.at(src + r * srcStep),
                 size_t(n) * sizeof(int32_t));
  const MachineConfig &machine = run.m.config;
  uint64_t byRows =
      uint64_t(rows) *
      vectorCycles(machine, VectorClass::Simple, uint64_t(n)).busy;
  uint64_t byElement =
      vectorCycles(machine, VectorClass::Indexed, uint64_t(rows * n)).busy;
  uint64_t busy = std::max<uint64_t>(1, std::min(byRows, byElement));
  for (unsigned i = 0; i < run.numSpans; ++i) // count words, not the cover
    run.m.counters.memoryWords +=
        uint64_t(rows * n) - uint64_t(run.spans[i].count);
  run.finish({busy, busy + uint64_t(machine.vectorStart)}, rows * n);
  return Status::ok();
}

Status lookUp(VectorRun run) {
  const Decoded &d = run.d;
  int64_t n = run.value(d.d()), table = run.value(d.c());
  if (Status status = run.m.checkLength(run.tile, n); !status)
    return status;
  if (Status status = run.m.checkRange(run.tile, "table", table, kLutHeader);
      !status)
    return status;
  const int32_t *header = run.at(table);
  int64_t low = header[0], step = header[1], entries = header[2];
  if (step < 0 || step > 30 || entries < 1)
    return run.m.fault(run.tile,
                       "the table's header is not {first input, log2 step in "
                       "[0, 30], entries >= 1}: {" +
                           std::to_string(low) + ", " + std::to_string(step) +
                           ", " + std::to_string(entries) + "}");
  run.reads(table, kLutHeader + entries);
  run.reads(run.value(d.b()), n);
  run.writes(run.value(d.a()), n);
  if (!run.begin())
    return run.status;
  const int32_t *entry = header + kLutHeader;
  const int32_t *x = run.at(run.value(d.b()));
  int32_t *dst = run.at(run.value(d.a()));
  for (int64_t i = 0; i < n; ++i) {
    int64_t offset = int64_t(x[i]) - low;
    int64_t index = offset >> step;
    if (offset < 0) {
      dst[i] = entry[0];
    } else if (index >= entries - 1) {
      dst[i] = entry[entries - 1];
    } else {
      int64_t part = offset & ((int64_t(1) << step) - 1);
      int64_t rise = int64_t(entry[index + 1]) - entry[index];
      dst[i] = int32_t(entry[index] + roundShift(rise * part, unsigned(step)));
    }
  }
  run.m.counters.memoryWords -= uint64_t(kLutHeader + entries);
  run.m.counters.memoryWords += 2 * uint64_t(n);
  run.finish(n);
  return Status::ok();
}

/// gather, scatter, scatter-add. `f(word, i)` works on the addressed word.
template <typename F>
Status indexed(VectorRun run, bool hasVector, bool vectorWritten, F f) {
  const Decoded &d = run.d;
  int64_t n = run.value(d.d());
  if (Status status = run.m.checkLength(run.tile, n); !status)
    return status;
  int64_t base = run.value(d.b()), index = run.value(d.c());
  run.reads(index, n);
  if (hasVector)
    vectorWritten ? run.writes(run.value(d.a()), n)
                  : run.reads(run.value(d.a()), n);
  run.everything(!vectorWritten);
  if (!run.begin(/*overlap=*/true))
    return run.status;
  int64_t size = int64_t(run.tile.memory.size());
  for (int64_t i = 0; i < n; ++i) {
    int64_t address = base + *run.at(index + i);
    if (address < 0 || address >= size)
      return run.m.fault(
          run.tile, "element " + std::to_string(i) + " addresses word " +
                        std::to_string(address) + ", the tile memory has " +
                        std::to_string(size) + " words");
    f(*run.at(address), i);
  }
  run.finish(n);
  return Status::ok();
}

Status scatterPacked(VectorRun run) {
  const Decoded &d = run.d;
  int64_t n = run.value(d.d()), base = run.value(d.b());
  if (Status status = run.m.checkLength(run.tile, n); !status)
    return status;
  run.reads(run.value(d.a()), n);
  run.everything(true);
  if (!run.begin(/*overlap=*/true))
    return run.status;
  unsigned shift = unsigned(operand<Op::Vscatpk, "shift">(d));
  const int32_t *src = run.at(run.value(d.a()));
  int64_t size = int64_t(run.tile.memory.size());
  for (int64_t i = 0; i < n; ++i) {
    uint32_t word = uint32_t(src[i]);
    int64_t address = base + int64_t(word & 0xffff);
    if (address < 0 || address >= size)
      return run.m.fault(
          run.tile, "element " + std::to_string(i) + " addresses word " +
                        std::to_string(address) + ", the tile memory has " +
                        std::to_string(size) + " words");
    int64_t amount = int64_t(int16_t(word >> 16)) * (int64_t(1) << shift);
    int32_t &target = *run.at(address);
    target = saturate(target + amount, run.m.counters.saturations);
    run.m.counters.synapticEvents += amount != 0;
  }
  run.finish(n);
  return Status::ok();
}

/// Random words: `f(key, entity, time, draw)`.
template <typename F>
Status random(VectorRun run, bool vectorEntities, uint32_t draw, F f) {
  const Decoded &d = run.d;
  int64_t n = run.value(d.d()), key = run.value(d.b());
  if (Status status = run.m.checkLength(run.tile, n); !status)
    return status;
  run.reads(key, 3);
  if (vectorEntities)
    run.reads(run.value(d.c()), n);
  run.writes(run.value(d.a()), n);
  if (!run.begin())
    return run.status;
  const int32_t *block = run.at(key);
  uint64_t philoxKey = uint64_t(uint32_t(block[1])) << 32 | uint32_t(block[0]);
  uint64_t high = uint64_t(uint32_t(block[2])) << 32;
  uint64_t first = high | uint32_t(run.tile.reg[d.c()]);
  uint32_t time = uint32_t(run.tile.reg[d.e()]);
  int32_t *dst = run.at(run.value(d.a()));
  const int32_t *entities = vectorEntities ? run.at(run.value(d.c())) : nullptr;
  for (int64_t i = 0; i < n; ++i) {
    uint64_t entity =
        vectorEntities ? high | uint32_t(entities[i]) : first + uint64_t(i);
    dst[i] = f(philoxKey, entity, time, draw);
  }
  run.finish(n);
  return Status::ok();
}

Status find(VectorRun run) {
  const Decoded &d = run.d;
  int64_t n = run.value(d.d());
  if (Status status = run.m.checkLength(run.tile, n); !status)
    return status;
  run.reads(run.value(d.c()), n);
  run.writes(run.value(d.b()), n);
  if (!run.begin())
    return run.status;
  const int32_t *src = run.at(run.value(d.c()));
  int32_t *dst = run.at(run.value(d.b()));
  uint32_t base = uint32_t(run.tile.reg[d.e()]);
  int32_t count = 0;
  for (int64_t i = 0; i < n; ++i)
    if (src[i])
      dst[count++] = int32_t(base + uint32_t(i));
  run.m.counters.memoryWords -= uint64_t(n - count);
  uint64_t done = run.finish(n);
  run.m.setRegister(run.tile, d.a(), count, done);
  return Status::ok();
}

/// Elements of `bits` bits in words, the first in the lowest bits.
template <unsigned bits>
void pack(const int32_t *src, int32_t *dst, int64_t n, uint64_t &sat) {
  constexpr unsigned perWord = 32 / bits;
  constexpr int64_t highest = (int64_t(1) << (bits - 1)) - 1;
  for (int64_t at = 0; at < n; at += perWord) {
    uint32_t word = 0;
    unsigned count = unsigned(std::min<int64_t>(perWord, n - at));
    for (unsigned k = 0; k < count; ++k) {
      int64_t value = src[at + k];
      if (bits == 1) {
        value = value != 0;
      } else if (value > highest || value < -highest - 1) {
        value = value > highest ? highest : -highest - 1;
        ++sat;
      }
      word |= (uint32_t(value) & ((1u << bits) - 1)) << (k * bits);
    }
    dst[at / perWord] = int32_t(word);
  }
}
template <unsigned bits>
void unpack(const int32_t *src, int32_t *dst, int64_t n) {
  constexpr unsigned perWord = 32 / bits;
  auto element = [](uint32_t word, unsigned k) {
    uint32_t value = (word >> (k * bits)) << (32 - bits);
    return bits == 1 ? int32_t(value >> 31) : int32_t(value) >> int(32 - bits);
  };
  int64_t whole = n / perWord;
  for (int64_t w = 0; w < whole; ++w) {
    uint32_t word = uint32_t(src[w]);
    for (unsigned k = 0; k < perWord; ++k)
      dst[w * perWord + k] = element(word, k);
  }
  for (int64_t i = whole * perWord; i < n; ++i)
    dst[i] = element(uint32_t(src[whole]), unsigned(i % perWord));
}

/// Packs or unpacks n elements of `bits` bits.
template <unsigned bits>
Status repack(VectorRun run, bool packs) {
  const Decoded &d = run.d;
  int64_t n = run.value(d.d());
  if (Status status = run.m.checkLength(run.tile, n); !status)
    return status;
  int64_t words = (n + 32 / bits - 1) / (32 / bits);
  run.reads(run.value(d.b()), packs ? n : words);
  run.writes(run.value(d.a()), packs ? words : n);
  if (!run.begin())
    return run.status;
  if (run.value(d.a()) == run.value(d.b()) && n > 1)
    return run.m.fault(run.tile, "destination and source must differ");
  const int32_t *src = run.at(run.value(d.b()));
  int32_t *dst = run.at(run.value(d.a()));
  if (packs)
    pack<bits>(src, dst, n, run.m.counters.saturations);
  else
    unpack<bits>(src, dst, n);
  run.finish(n);
  return Status::ok();
}

Status select(VectorRun run) {
  const Decoded &d = run.d;
  int64_t n = run.value(d.d());
  if (Status status = run.m.checkLength(run.tile, n); !status)
    return status;
  bool scalarA = d.op == Op::VselSS, scalarB = d.op != Op::Vsel;
  run.reads(run.value(d.b()), n);
  if (!scalarA)
    run.reads(run.value(d.c()), n);
  if (!scalarB)
    run.reads(run.value(d.e()), n);
  run.writes(run.value(d.a()), n);
  if (!run.begin())
    return run.status;
  const int32_t *mask = run.at(run.value(d.b()));
  int32_t valueA = run.tile.reg[d.c()], valueB = run.tile.reg[d.e()];
  const int32_t *a = scalarA ? nullptr : run.at(run.value(d.c()));
  const int32_t *b = scalarB ? nullptr : run.at(run.value(d.e()));
  int32_t *dst = run.at(run.value(d.a()));
  for (int64_t i = 0; i < n; ++i)
    dst[i] = mask[i] ? (a ? a[i] : valueA) : (b ? b[i] : valueB);
  run.finish(n);
  return Status::ok();
}

Status fill(VectorRun run, bool ramp) {
  const Decoded &d = run.d;
  int64_t n = run.value(d.d());
  if (Status status = run.m.checkLength(run.tile, n); !status)
    return status;
  run.writes(run.value(d.a()), n);
  if (!run.begin())
    return run.status;
  int32_t *dst = run.at(run.value(d.a()));
  uint32_t value = uint32_t(run.tile.reg[d.b()]);
  uint32_t step = ramp ? uint32_t(run.tile.reg[d.c()]) : 0;
  for (int64_t i = 0; i < n; ++i)
    dst[i] = int32_t(value + uint32_t(i) * step);
  run.finish(n);
  return Status::ok();
}

int32_t randomNormal(uint64_t key, uint64_t entity, uint32_t time,
                     uint32_t draw) {
  return neuroc_rt_normal_sum(key, entity, time, draw);
}
int32_t randomWord(uint64_t key, uint64_t entity, uint32_t time,
                   uint32_t draw) {
  return int32_t(neuroc_rt_word(key, entity, time, draw));
}

} // namespace

Status Machine::Impl::executeVector(Tile &tile, const Decoded &d) {
  uint64_t &sat = counters.saturations;
  VectorRun run{*this, tile, d};
  auto imm = unsigned(d.word & 63); // `shift` of products and quotients
  int64_t by = int64_t(uint64_t(d.word) << 57) >> 57; // `shift` of vshi etc.
  using I = int32_t;
// The two forms of an instruction; `a`, `b` are elements, `old` is dst.
#define BOTH(NAME, ...)                                                        \
  case Op::NAME:                                                               \
  case Op::NAME##S:                                                            \
    return binary(run, d.op == Op::NAME##S,                                    \
                  [&](I a, I b, I old) -> I { __VA_ARGS__; })
  switch (d.op) {
    BOTH(Vadd, return saturate(int64_t(a) + b, sat));
    BOTH(Vsub, return saturate(int64_t(a) - b, sat));
    BOTH(Vrsub, return saturate(int64_t(b) - a, sat));
    BOTH(Vmin, return a < b ? a : b);
    BOTH(Vmax, return a > b ? a : b);
    BOTH(Vand, return a & b);
    BOTH(Vor, return a | b);
    BOTH(Vxor, return a ^ b);
    BOTH(Vsh, return shiftBy(a, b, sat));
    BOTH(Vsrl, return I(uint32_t(a) >> (b & 31)));
    BOTH(Vceq, return a == b);
    BOTH(Vcne, return a != b);
    BOTH(Vclt, return a < b);
    BOTH(Vcle, return a <= b);
    BOTH(Vcgt, return a > b);
    BOTH(Vcge, return a >= b);
    BOTH(Vcltu, return uint32_t(a) < uint32_t(b));
    BOTH(Vrem, return b == 0 ? a : I(int64_t(a) % b));
    BOTH(Vmul, return saturate(roundShift(int64_t(a) * b, imm), sat));
    BOTH(Vdiv, return quotient(a, b, imm, sat));
  case Op::Vmac:
  case Op::VmacS:
    return binary(
        run, d.op == Op::VmacS,
        [&](I a, I b, I old) -> I {
          return saturate(old + roundShift(int64_t(a) * b, imm), sat);
        },
        /*readsDst=*/true);
  case Op::Vmov:
    return unary(run, [](I a) { return a; }, /*overlap=*/true);
  case Op::Vneg:
    return unary(run, [&](I a) { return saturate(-int64_t(a), sat); });
  case Op::Vabs:
    return unary(run, [&](I a) { return saturate(std::abs(int64_t(a)), sat); });
  case Op::Vnot:
    return unary(run, [](I a) -> I { return a == 0; });
  case Op::Vclz:
    return unary(
        run, [](I a) -> I { return a ? I(__builtin_clz(uint32_t(a))) : 32; });
  case Op::Vsqrt:
    if (imm > 32)
      return fault(tile,
                   "shift must be in [0, 32], got " + std::to_string(imm));
    return unary(run, [&](I a) { return squareRoot(a, imm, sat); });
  case Op::Vpack8:
  case Op::Vunpk8:
    return repack<8>(run, d.op == Op::Vpack8);
  case Op::Vpack16:
  case Op::Vunpk16:
    return repack<16>(run, d.op == Op::Vpack16);
  case Op::Vpack1:
  case Op::Vunpk1:
    return repack<1>(run, d.op == Op::Vpack1);
  case Op::Vshi:
    return unary(run, [&](I a) { return shiftBy(a, by, sat); });
  case Op::Vfloor:
  case Op::Vround:
  case Op::Vsrai: {
    int64_t most = d.op == Op::Vsrai ? 31 : 30;
    if (by < 0 || by > most)
      return fault(tile, "shift must be in [0, " + std::to_string(most) +
                             "], got " + std::to_string(by));
    unsigned s = unsigned(by);
    if (d.op == Op::Vsrai)
      return unary(run, [s](I a) { return a >> s; });
    if (d.op == Op::Vfloor)
      return unary(run, [s](I a) { return I(uint32_t(a >> s) << s); });
    return unary(run, [&, s](I a) -> I {
      if (!s)
        return a;
      int64_t half = int64_t(1) << (s - 1);
      int64_t odd = (int64_t(a) >> s) & 1;
      return saturate(((int64_t(a) + half - 1 + odd) >> s) * (int64_t(1) << s),
                      sat);
    });
  }
  case Op::Vfill:
    return fill(run, false);
  case Op::Viota:
    return fill(run, true);
  case Op::Vsel:
  case Op::VselS:
  case Op::VselSS:
    return select(run);
  case Op::Vlut:
    return lookUp(run);
  case Op::Vsum:
    return reduce(run, false, [&](const I *a, const I *, int64_t n) {
      int64_t total = 0;
      for (int64_t i = 0; i < n; ++i)
        total += a[i];
      return saturate(total, sat);
    });
  case Op::Vdot:
    return reduce(run, true, [&](const I *a, const I *b, int64_t n) {
      // The 64-bit accumulator clamps: two products of -2^31 would overflow.
      int64_t total = 0;
      for (int64_t i = 0; i < n; ++i)
        if (__builtin_add_overflow(total, int64_t(a[i]) * b[i], &total)) {
          total = (a[i] < 0) == (b[i] < 0) ? INT64_MAX : INT64_MIN;
          ++sat;
        }
      return saturate(roundShift(total, imm), sat);
    });
  case Op::Vmaxr:
    return reduce(run, false, [](const I *a, const I *, int64_t n) {
      I best = INT32_MIN;
      for (int64_t i = 0; i < n; ++i)
        best = std::max(best, a[i]);
      return best;
    });
  case Op::Vminr:
    return reduce(run, false, [](const I *a, const I *, int64_t n) {
      I best = INT32_MAX;
      for (int64_t i = 0; i < n; ++i)
        best = std::min(best, a[i]);
      return best;
    });
  case Op::Vargmax:
  case Op::Vargmin: {
    bool largest = d.op == Op::Vargmax;
    return reduce(run, false, [largest](const I *a, const I *, int64_t n) {
      int64_t best = n ? 0 : -1;
      for (int64_t i = 1; i < n; ++i)
        if (largest ? a[i] > a[best] : a[i] < a[best])
          best = i;
      return I(best);
    });
  }
  case Op::Vgather: {
    int32_t *dst = tile.memory.data();
    int64_t to = tile.reg[d.a()];
    return indexed(run, true, true,
                   [&](I &word, int64_t i) { dst[to + i] = word; });
  }
  case Op::Vscatter: {
    const int32_t *memory = tile.memory.data();
    int64_t from = tile.reg[d.a()];
    return indexed(run, true, false,
                   [&](I &word, int64_t i) { word = memory[from + i]; });
  }
  case Op::VscatterS: {
    I value = tile.reg[d.a()];
    return indexed(run, false, false, [&](I &word, int64_t) { word = value; });
  }
  case Op::Vscatadd: {
    const int32_t *memory = tile.memory.data();
    int64_t from = tile.reg[d.a()];
    return indexed(run, true, false, [&](I &word, int64_t i) {
      I amount = memory[from + i];
      word = saturate(int64_t(word) + amount, sat);
      counters.synapticEvents += amount != 0;
    });
  }
  case Op::VscataddS: {
    I value = tile.reg[d.a()];
    return indexed(run, false, false, [&](I &word, int64_t) {
      word = saturate(int64_t(word) + value, sat);
      counters.synapticEvents += value != 0;
    });
  }
  case Op::Vscatpk:
    return scatterPacked(run);
  case Op::Vcopy2:
    return copy2(run);
  case Op::Vfind:
    return find(run);
  case Op::Vrndw:
  case Op::VrndwX:
    return random(run, d.op == Op::VrndwX, uint32_t(d.word & 0xffff),
                  randomWord);
  case Op::Vrndn:
  case Op::VrndnX:
    return random(run, d.op == Op::VrndnX, uint32_t(d.word & 0xffff),
                  randomNormal);
  case Op::Vrndu:
  case Op::VrnduX: {
    int64_t frac = operand<Op::Vrndu, "frac">(d);
    if (frac > 31)
      return fault(tile,
                   "frac must be in [0, 31], got " + std::to_string(frac));
    return random(
        run, d.op == Op::VrnduX, uint32_t(d.word & 0xffff),
        [frac](uint64_t key, uint64_t entity, uint32_t time, uint32_t draw) {
          uint64_t word = neuroc_rt_word(key, entity, time, draw);
          return I(word >> (32 - frac));
        });
  }
  default:
    assert(false && "not a vector instruction");
    return Status::ok();
  }
#undef BOTH
}

} // namespace neuroc::rt::xbar
