// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CRC-32 (the zip polynomial, reflected 0xEDB88320) and SHA-256 (FIPS 180-4).
// The round constants of SHA-256 are computed from their definition: the first
// 32 bits of the fractional parts of the cube (square) roots of primes.
#include "neuroc/rt/Container.h"

#include <bit>
#include <cmath>

namespace neuroc::rt {

uint32_t crc32(std::span<const uint8_t> bytes) {
  static const auto table = [] {
    std::array<std::array<uint32_t, 256>, 8> t{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit)
        c = (c >> 1) ^ (c & 1 ? 0xEDB88320u : 0);
      t[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; ++i)
      for (int k = 1; k < 8; ++k)
        t[k][i] = (t[k - 1][i] >> 8) ^ t[0][t[k - 1][i] & 255];
    return t;
  }();
  uint32_t crc = ~0u;
  size_t i = 0;
  // Eight bytes at a time: one lookup per byte, none depends on the other.
  for (; i + 8 <= bytes.size(); i += 8) {
    crc ^= bytes[i] | bytes[i + 1] << 8 | bytes[i + 2] << 16 |
           uint32_t(bytes[i + 3]) << 24;
    crc = table[7][crc & 255] ^ table[6][crc >> 8 & 255] ^
          table[5][crc >> 16 & 255] ^ table[4][crc >> 24] ^
          table[3][bytes[i + 4]] ^ table[2][bytes[i + 5]] ^
          table[1][bytes[i + 6]] ^ table[0][bytes[i + 7]];
  }
  for (; i < bytes.size(); ++i)
    crc = (crc >> 8) ^ table[0][(crc ^ bytes[i]) & 255];
  return ~crc;
}

namespace {
struct Sha256Constants {
  std::array<uint32_t, 64> k;
  std::array<uint32_t, 8> h;
  Sha256Constants() {
    unsigned prime = 2;
    for (unsigned n = 0; n < 64; ++prime) {
      bool isPrime = true;
      for (unsigned d = 2; d * d <= prime; ++d)
        isPrime &= prime % d != 0;
      if (!isPrime)
        continue;
      if (n < 8)
        h[n] = fraction(sqrtl(prime));
      k[n++] = fraction(cbrtl(prime));
    }
  }
  static uint32_t fraction(long double x) {
    return uint32_t((x - floorl(x)) * 4294967296.0L);
  }
};
} // namespace

static void sha256Block(std::array<uint32_t, 8> &state, const uint8_t *block,
                        const std::array<uint32_t, 64> &k) {
  uint32_t w[64];
  for (int i = 0; i < 16; ++i)
    w[i] = uint32_t(block[4 * i]) << 24 | block[4 * i + 1] << 16 |
           block[4 * i + 2] << 8 | block[4 * i + 3];
  for (int i = 16; i < 64; ++i) {
    uint32_t a = w[i - 15], b = w[i - 2];
    uint32_t s0 = std::rotr(a, 7) ^ std::rotr(a, 18) ^ (a >> 3);
    uint32_t s1 = std::rotr(b, 17) ^ std::rotr(b, 19) ^ (b >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  std::array<uint32_t, 8> v = state;
  for (int i = 0; i < 64; ++i) {
    uint32_t e = v[4], a = v[0];
    uint32_t t1 = v[7] + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                  ((e & v[5]) ^ (~e & v[6])) + k[i] + w[i];
    uint32_t t2 = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) +
                  ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
    for (int j = 7; j > 0; --j)
      v[j] = v[j - 1];
    v[4] += t1;
    v[0] = t1 + t2;
  }
  for (int i = 0; i < 8; ++i)
    state[i] += v[i];
}

std::array<uint8_t, 32> sha256(std::span<const uint8_t> bytes) {
  static const Sha256Constants constants;
  std::array<uint32_t, 8> state = constants.h;
  size_t whole = bytes.size() / 64;
  for (size_t i = 0; i < whole; ++i)
    sha256Block(state, bytes.data() + 64 * i, constants.k);
  // Padding: 0x80, zeros, the length in bits as a big-endian 64-bit number.
  uint8_t last[128] = {};
  size_t rest = bytes.size() - 64 * whole;
  for (size_t i = 0; i < rest; ++i)
    last[i] = bytes[64 * whole + i];
  last[rest] = 0x80;
  size_t blocks = rest < 56 ? 1 : 2;
  uint64_t bits = uint64_t(bytes.size()) * 8;
  for (int i = 0; i < 8; ++i)
    last[64 * blocks - 1 - i] = uint8_t(bits >> (8 * i));
  for (size_t i = 0; i < blocks; ++i)
    sha256Block(state, last + 64 * i, constants.k);
  std::array<uint8_t, 32> digest;
  for (int i = 0; i < 32; ++i)
    digest[i] = uint8_t(state[i / 4] >> (24 - 8 * (i % 4)));
  return digest;
}

std::string sha256Hex(std::span<const uint8_t> bytes) {
  std::string text;
  for (uint8_t byte : sha256(bytes)) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

} // namespace neuroc::rt
