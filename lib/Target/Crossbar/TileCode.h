// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The program and the memory of one tile while they are written.
#ifndef NEUROC_LIB_TARGET_CROSSBAR_TILECODE_H
#define NEUROC_LIB_TARGET_CROSSBAR_TILECODE_H

#include "neuroc/rt/xbar/Builder.h"

#include <cstdint>
#include <map>
#include <vector>

namespace neuroc::xbar {

using rt::xbar::Instr;
using rt::xbar::Op;

/// Fixed uses of scalar registers. Operand registers hold nothing across two
/// calls of TileCode or VectorCode.
enum Reg : int64_t {
  kZero = 0,
  kA = 1, ///< operand addresses, scalars: kA … kF
  kB = 2,
  kC = 3,
  kD = 4,
  kE = 5,
  kF = 6,
  kOffset = 7, ///< first unit of the present block
  kLength = 8, ///< units of the present block
  kTick = 9,   ///< number of the tick
  kShift = 10, ///< shift of a quantised input vector
  kRow = 11,   ///< row of a loop over rows
  kCount = 12, ///< list lengths
  kList = 13,  ///< list pointer
  kLoop1 = 14,
  kLoop2 = 15,
  kLoop3 = 16,
  kRowBase = 17, ///< row * columns of a block of weights
  kFlag = 18,
  kTemp1 = 19,
  kTemp2 = 20,
  kTemp3 = 21,
  kChanged = 22,
  kMax = 23,
};

class TileCode {
public:
  unsigned number = 0; ///< of the tile on the mesh
  rt::xbar::ProgramBuilder code;

  /// Memory that starts as zeros.
  int64_t allocate(int64_t words) {
    int64_t at = next;
    next += words;
    return at;
  }
  int64_t allocateData(std::vector<int32_t> words) {
    int64_t at = allocate(int64_t(words.size()));
    images[at] = std::move(words);
    return at;
  }
  /// Loads an image to another place (that allocateData made).
  void moveImage(int64_t from, int64_t to) {
    auto node = images.extract(from);
    node.key() = to;
    images.insert(std::move(node));
  }
  int64_t used() const { return next; }
  const std::map<int64_t, std::vector<int32_t>> &getImages() const {
    return images;
  }

  void set(int64_t reg, int64_t value) { code.emit(Op::Set, {reg, value}); }
  void emit(Op op, std::initializer_list<int64_t> values) {
    code.emit(op, values);
  }
  void emit(const Instr &instr) { code.emit(instr); }
  void move(int64_t dst, int64_t src) { code.emit(Op::Add, {dst, src, kZero}); }

  /// dst[0..len) = value, addresses known.
  void fill(int64_t dst, int64_t value, int64_t len) {
    if (len <= 0)
      return;
    set(kA, dst);
    set(kB, value);
    set(kD, len);
    emit(Op::Vfill, {kA, kB, kD});
  }
  void copy(int64_t dst, int64_t src, int64_t len) {
    if (len <= 0 || dst == src)
      return;
    set(kA, dst);
    set(kB, src);
    set(kD, len);
    emit(Op::Vmov, {kA, kB, kD});
  }
  /// dst = src * 2^shift, saturating or rounding.
  void shifted(int64_t dst, int64_t src, int64_t len, int64_t shift) {
    if (shift == 0)
      return copy(dst, src, len);
    set(kA, dst);
    set(kB, src);
    set(kD, len);
    emit(Op::Vshi, {kA, kB, kD, shift < -63 ? -63 : shift > 63 ? 63 : shift});
  }
  /// One of the three-operand vector instructions on known addresses.
  void vector3(Op op, int64_t dst, int64_t a, int64_t b, int64_t len) {
    set(kA, dst);
    set(kB, a);
    set(kC, b);
    set(kD, len);
    emit(op, {kA, kB, kC, kD});
  }

private:
  int64_t next = 16; // the first words are left free: address 0 is a bug
  std::map<int64_t, std::vector<int32_t>> images;
};

} // namespace neuroc::xbar
#endif // NEUROC_LIB_TARGET_CROSSBAR_TILECODE_H
