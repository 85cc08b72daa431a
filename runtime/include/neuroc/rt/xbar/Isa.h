// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The instruction set of the crossbar tile as data: 64-bit words, one table
// row per instruction (Isa.def) from which encoder, decoder, assembler,
// disassembler, validator, simulator and documentation are all derived.
//
// Programmer's model of a tile (docs/crossbar-isa.md has the full text):
// - 32 scalar registers of 32 bits; r0 reads as zero and ignores writes.
// - Tile memory of 32-bit words, addressed by *word*. Vectors lie in it.
// - The number of an instruction in the tile program is its address; branch
//   targets are stored relative to the following instruction.
// - Instructions take effect one after the other in program order, whatever
//   the overlap of the units in time; interlocks are the hardware's business.
// - Arrays: rows x signed columns (a signed column is a differential pair of
//   cells), each holding a level in [-(2^bits - 1), 2^bits - 1].
//
// Layout: opcode [63:56], A [55:51], B [50:46], C [45:41], D [40:36], flags
// [35:32], imm [31:0]; E is imm [31:27] and F is imm [26:22] where used.
#ifndef NEUROC_RT_XBAR_ISA_H
#define NEUROC_RT_XBAR_ISA_H

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace neuroc::rt::xbar {

inline constexpr unsigned kRegisters = 32;
/// Register names of the assembler's convention: r31 takes return addresses.
inline constexpr unsigned kLinkRegister = 31;
/// Hardware loops may nest this deep.
inline constexpr unsigned kLoopDepth = 8;
inline constexpr unsigned kEvents = 32;
/// Words of the header of a `vlut` table: input of the first entry, log2 of
/// the distance of two entries, number of entries; the entries follow.
inline constexpr unsigned kLutHeader = 3;

/// Special registers of `rdsr`.
enum class SpecialRegister : uint8_t {
  TileId = 0,      ///< number of this tile, row-major in the mesh
  TickCount = 1,   ///< number of the present tick, set by the host
  CycleLow = 2,    ///< cycle counter, low word
  CycleHigh = 3,   ///< and high word
  Saturations = 4, ///< results clamped since load, low word
  AdcClips = 5,    ///< conversions clamped since load, low word
  Tiles = 6,       ///< number of tiles of the machine
  Command = 7,     ///< what the host asks of this activation (0: a tick)
};
inline constexpr unsigned kSpecialRegisters = 8;

/// The part of the tile that carries an instruction out.
enum class Unit : uint8_t { Control, Scalar, Array, Vector, Memory, Network };

enum class FieldKind : uint8_t {
  RegWrite,   ///< scalar register, written
  RegRead,    ///< scalar register, read
  RegAddress, ///< scalar register, read: a tile-memory word address
  Unsigned,
  Signed,
  Target, ///< signed distance from the next instruction
};

/// One operand: its place in the word and how the assembler writes it.
struct Field {
  std::string_view name;
  uint8_t lo = 0, width = 0;
  FieldKind kind = FieldKind::Unsigned;
  bool named = false;  ///< written as name=value, may be left out
  int64_t initial = 0; ///< value when left out

  constexpr bool isRegister() const {
    return kind == FieldKind::RegWrite || kind == FieldKind::RegRead ||
           kind == FieldKind::RegAddress;
  }
  constexpr bool isSigned() const {
    return kind == FieldKind::Signed || kind == FieldKind::Target;
  }
  constexpr int64_t lowest() const {
    return isSigned() ? -(int64_t(1) << (width - 1)) : 0;
  }
  constexpr int64_t highest() const {
    return (int64_t(1) << (isSigned() ? width - 1 : width)) - 1;
  }
  constexpr bool holds(int64_t value) const {
    return value >= lowest() && value <= highest();
  }
  constexpr uint64_t mask() const { return ((uint64_t(1) << width) - 1) << lo; }
  constexpr int64_t get(uint64_t word) const {
    uint64_t raw = (word & mask()) >> lo;
    if (isSigned() && (raw >> (width - 1)))
      raw |= ~uint64_t(0) << width;
    return int64_t(raw);
  }
  constexpr uint64_t put(int64_t value) const {
    return (uint64_t(value) << lo) & mask();
  }
};

inline constexpr unsigned kMaxFields = 12;

/// One row of the instruction table.
struct InstrInfo {
  std::string_view mnemonic;
  uint8_t opcode = 0;
  Unit unit = Unit::Control;
  std::string_view summary;
  std::array<Field, kMaxFields> fields = {};
  unsigned numFields = 0;

  /// Bits that are the same in every encoding: the opcode and unused bits.
  constexpr uint64_t mask() const {
    uint64_t used = 0;
    for (unsigned i = 0; i < numFields; ++i)
      used |= fields[i].mask();
    return ~used;
  }
  constexpr uint64_t match() const { return uint64_t(opcode) << 56; }
  constexpr std::span<const Field> operands() const {
    return {fields.data(), numFields};
  }
  /// Number of the operand called `name`, or -1.
  constexpr int find(std::string_view name) const {
    for (unsigned i = 0; i < numFields; ++i)
      if (fields[i].name == name)
        return int(i);
    return -1;
  }
};

namespace detail {
enum Position : uint8_t { A = 51, B = 46, C = 41, D = 36, E = 27, F = 22 };
constexpr Field w(Position at, std::string_view name) {
  return {name, at, 5, FieldKind::RegWrite, false, 0};
}
constexpr Field r(Position at, std::string_view name) {
  return {name, at, 5, FieldKind::RegRead, false, 0};
}
constexpr Field p(Position at, std::string_view name) {
  return {name, at, 5, FieldKind::RegAddress, false, 0};
}
constexpr Field q(Position at, std::string_view name) {
  return {name, at, 5, FieldKind::RegRead, true, 0};
}
constexpr Field u(uint8_t lo, uint8_t width, std::string_view name) {
  return {name, lo, width, FieldKind::Unsigned, false, 0};
}
constexpr Field s(uint8_t lo, uint8_t width, std::string_view name) {
  return {name, lo, width, FieldKind::Signed, false, 0};
}
constexpr Field t(uint8_t lo, uint8_t width, std::string_view name) {
  return {name, lo, width, FieldKind::Target, false, 0};
}
constexpr Field o(uint8_t lo, uint8_t width, std::string_view name,
                  int64_t initial) {
  return {name, lo, width, FieldKind::Unsigned, true, initial};
}
template <typename... Fields>
constexpr InstrInfo row(std::string_view mnemonic, uint8_t opcode, Unit unit,
                        std::string_view summary, Fields... fields) {
  static_assert(sizeof...(fields) <= kMaxFields);
  return {mnemonic, opcode, unit, summary, {fields...}, sizeof...(fields)};
}
} // namespace detail

/// The instructions, in table order.
enum class Op : uint8_t {
#define INSTR(Op, ...) Op,
#include "neuroc/rt/xbar/Isa.def"
};

/// The table, indexed by Op.
inline constexpr auto kInstructions = [] {
  using namespace detail;
  return std::array{
#define INSTR(Op, mnemonic, opcode, unit, ...)                                 \
  row(mnemonic, opcode, Unit::unit, __VA_ARGS__),
#include "neuroc/rt/xbar/Isa.def"
  };
}();
inline constexpr unsigned kNumInstructions = kInstructions.size();

constexpr const InstrInfo &info(Op op) { return kInstructions[unsigned(op)]; }

/// A decoded instruction: operand values in table order, registers as numbers,
/// targets relative to the next instruction.
struct Instr {
  Op op = Op::Nop;
  std::array<int64_t, kMaxFields> v = {};

  constexpr Instr() = default;
  /// All optional operands at their defaults.
  constexpr explicit Instr(Op op) : op(op) {
    for (unsigned i = 0; i < info(op).numFields; ++i)
      v[i] = info(op).fields[i].initial;
  }
  /// Operands in table order; those not given keep their defaults.
  constexpr Instr(Op op, std::initializer_list<int64_t> values) : Instr(op) {
    unsigned i = 0;
    for (int64_t value : values)
      v[i++] = value;
  }
  /// Sets an operand by name (must exist; see InstrInfo::find).
  constexpr Instr &with(std::string_view name, int64_t value) {
    v[unsigned(info(op).find(name))] = value;
    return *this;
  }
  constexpr bool operator==(const Instr &) const = default;
};

/// The first operand whose value does not fit its field, or -1.
constexpr int firstBadOperand(const Instr &instr) {
  const InstrInfo &row = info(instr.op);
  for (unsigned i = 0; i < row.numFields; ++i)
    if (!row.fields[i].holds(instr.v[i]))
      return int(i);
  return -1;
}

/// The 64-bit word. Values must fit their fields (see firstBadOperand).
constexpr uint64_t encode(const Instr &instr) {
  const InstrInfo &row = info(instr.op);
  uint64_t word = row.match();
  for (unsigned i = 0; i < row.numFields; ++i)
    word |= row.fields[i].put(instr.v[i]);
  return word;
}

namespace detail {
/// Opcode byte to table index; 255 where there is no instruction.
inline constexpr auto kByOpcode = [] {
  std::array<uint8_t, 256> table{};
  table.fill(255);
  for (unsigned i = 0; i < kInstructions.size(); ++i)
    table[kInstructions[i].opcode] = uint8_t(i);
  return table;
}();
} // namespace detail

/// Decodes a word; nothing when it is not a legal instruction.
constexpr std::optional<Instr> decode(uint64_t word) {
  uint8_t index = detail::kByOpcode[word >> 56];
  if (index == 255)
    return std::nullopt;
  const InstrInfo &row = kInstructions[index];
  if ((word & row.mask()) != row.match())
    return std::nullopt;
  Instr instr;
  instr.op = Op(index);
  for (unsigned i = 0; i < row.numFields; ++i)
    instr.v[i] = row.fields[i].get(word);
  return instr;
}

} // namespace neuroc::rt::xbar
#endif // NEUROC_RT_XBAR_ISA_H
