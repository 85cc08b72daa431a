// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar and control instructions: one cycle each, a taken branch loses
// `branchPenalty` more, a load's result comes `memoryLatency` later.
#include "MachineImpl.h"

namespace neuroc::rt::xbar {
namespace {

int32_t divide(int32_t a, int32_t b) {
  if (b == 0)
    return 0;
  return int32_t(int64_t(a) / b); // INT32_MIN / -1 wraps
}
int32_t remainder(int32_t a, int32_t b) {
  return b == 0 ? a : int32_t(int64_t(a) % b);
}
int32_t wrap(int64_t value) { return int32_t(uint32_t(uint64_t(value))); }

int32_t compute(Op op, int32_t a, int32_t b) {
  unsigned shift = unsigned(b) & 31;
  switch (op) {
  case Op::Add:
  case Op::Addi:
    return wrap(int64_t(a) + b);
  case Op::Sub:
    return wrap(int64_t(a) - b);
  case Op::Mul:
  case Op::Muli:
    return wrap(int64_t(a) * b);
  case Op::Div:
  case Op::Divi:
    return divide(a, b);
  case Op::Rem:
  case Op::Remi:
    return remainder(a, b);
  case Op::And:
  case Op::Andi:
    return a & b;
  case Op::Or:
  case Op::Ori:
    return a | b;
  case Op::Xor:
  case Op::Xori:
    return a ^ b;
  case Op::Shl:
  case Op::Shli:
    return int32_t(uint32_t(a) << shift);
  case Op::Shr:
  case Op::Shri:
    return int32_t(uint32_t(a) >> shift);
  case Op::Sra:
  case Op::Srai:
    return a >> shift;
  case Op::Slt:
  case Op::Slti:
    return a < b;
  case Op::Min:
  case Op::Mini:
    return std::min(a, b);
  default:
    return std::max(a, b);
  }
}

/// Whether the second operand is the immediate.
bool hasImmediate(Op op) { return op >= Op::Addi && op <= Op::Maxi; }

} // namespace

Status Machine::Impl::executeScalar(Tile &tile, const Decoded &d) {
  ++counters.scalars;
  switch (d.op) {
  case Op::Set:
    setRegister(tile, d.a(), d.imm(), tile.time + 1);
    return Status::ok();
  case Op::Clz: {
    uint32_t value = uint32_t(tile.reg[d.b()]);
    setRegister(tile, d.a(), value ? __builtin_clz(value) : 32, tile.time + 1);
    return Status::ok();
  }
  case Op::Rdsr: {
    uint64_t cycle = tile.time;
    int32_t value = 0;
    switch (SpecialRegister(operand<Op::Rdsr, "sr">(d))) {
    case SpecialRegister::TileId:
      value = int32_t(tile.number);
      break;
    case SpecialRegister::TickCount:
      value = tile.tick;
      break;
    case SpecialRegister::CycleLow:
      value = int32_t(uint32_t(cycle));
      break;
    case SpecialRegister::CycleHigh:
      value = int32_t(uint32_t(cycle >> 32));
      break;
    case SpecialRegister::Saturations:
      value = int32_t(tile.saturations);
      break;
    case SpecialRegister::AdcClips:
      value = int32_t(tile.adcClips);
      break;
    case SpecialRegister::Tiles:
      value = int32_t(tiles.size());
      break;
    case SpecialRegister::Command:
      value = tile.command;
      break;
    }
    setRegister(tile, d.a(), value, tile.time + 1);
    return Status::ok();
  }
  case Op::Lw:
  case Op::Sw: {
    int64_t address = int64_t(tile.reg[d.b()]) + d.imm();
    if (Status status = checkRange(tile, "address", address, 1); !status)
      return status;
    ++counters.memoryWords;
    awaitRange(tile, address, 1, d.op == Op::Sw);
    if (d.op == Op::Lw)
      setRegister(tile, d.a(), tile.memory[size_t(address)],
                  tile.time + uint64_t(config.memoryLatency));
    else
      tile.memory[size_t(address)] = tile.reg[d.a()];
    return Status::ok();
  }
  default: {
    int32_t b = hasImmediate(d.op) ? d.imm() : tile.reg[d.c()];
    setRegister(tile, d.a(), compute(d.op, tile.reg[d.b()], b), tile.time + 1);
    return Status::ok();
  }
  }
}

Status Machine::Impl::executeControl(Tile &tile, const Decoded &d,
                                     uint32_t &next, bool &blocked) {
  auto jump = [&](int64_t distance) {
    next = uint32_t(int64_t(tile.pc) + 1 + distance);
    stall(tile, Stall::Branch, tile.time + uint64_t(config.branchPenalty));
  };
  auto startLoop = [&](int64_t count, int64_t body) -> Status {
    if (body == 0)
      return Status::ok();
    if (count <= 0) {
      jump(body);
      return Status::ok();
    }
    if (tile.loops.size() == kLoopDepth)
      return fault(tile, "hardware loops are nested deeper than " +
                             std::to_string(kLoopDepth));
    tile.loops.push_back(
        {tile.pc + 1, uint32_t(tile.pc + 1 + body), uint64_t(count)});
    return Status::ok();
  };
  int32_t a = tile.reg[d.a()], b = tile.reg[d.b()];
  switch (d.op) {
  case Op::Fence:
    drain(tile, Stall::Range);
    break;
  case Op::Halt:
    drain(tile, Stall::Range);
    tile.state = TileState::Halted;
    break;
  case Op::Bar:
  case Op::Tick:
    drain(tile, Stall::Barrier);
    if (mustYield(tile)) {
      blocked = true;
      return Status::ok();
    }
    applyStores(tile, tile.time);
    tile.state = d.op == Op::Bar ? TileState::AtBarrier : TileState::AtTick;
    break;
  case Op::Jmp:
    jump(operand<Op::Jmp, "target">(d));
    break;
  case Op::Jal:
    setRegister(tile, d.a(), int32_t(tile.pc + 1), tile.time + 1);
    jump(operand<Op::Jal, "target">(d));
    break;
  case Op::Jr:
    if (a < 0 || size_t(a) >= tile.code.size())
      return fault(tile, "jump to instruction " + std::to_string(a) +
                             ", the program has " +
                             std::to_string(tile.code.size()));
    jump(int64_t(a) - int64_t(tile.pc) - 1);
    break;
  case Op::Beq:
    if (a == b)
      jump(operand<Op::Beq, "target">(d));
    break;
  case Op::Bne:
    if (a != b)
      jump(operand<Op::Bne, "target">(d));
    break;
  case Op::Blt:
    if (a < b)
      jump(operand<Op::Blt, "target">(d));
    break;
  case Op::Bge:
    if (a >= b)
      jump(operand<Op::Bge, "target">(d));
    break;
  case Op::Loop:
    if (Status status = startLoop(a, operand<Op::Loop, "end">(d)); !status)
      return status;
    break;
  case Op::Loopi:
    if (Status status = startLoop(operand<Op::Loopi, "count">(d),
                                  operand<Op::Loopi, "end">(d));
        !status)
      return status;
    break;
  default: // nop
    break;
  }
  ++counters.scalars;
  return Status::ok();
}

} // namespace neuroc::rt::xbar
