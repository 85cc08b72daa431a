// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of one tick. Addresses of buffers and ring slots are computed once,
// at the head of the function, so that loop bodies see loop invariants.

#include "Kernel.h"

using namespace mlir;

namespace neuroc::cpu {

Kernel::Kernel(ModuleOp module, Location loc, StringRef name, Type real)
    : builder(module.getContext()), loc(loc), real(real) {
  builder.setInsertionPointToEnd(module.getBody());
  function = func::FuncOp::create(
      builder, loc, name, builder.getFunctionType({builder.getI64Type()}, {}));
  function.setPrivate();
  builder.setInsertionPointToStart(function.addEntryBlock());
}

void Kernel::finish() {
  builder.setInsertionPointToEnd(&function.getBody().front());
  func::ReturnOp::create(builder, loc);
}

Value Kernel::index(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value Kernel::number(double value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getFloatAttr(real, value));
}

Value Kernel::time(double dt) {
  Type f64 = builder.getF64Type();
  Value ticks = arith::UIToFPOp::create(builder, loc, f64, tick());
  Value step =
      arith::ConstantOp::create(builder, loc, builder.getF64FloatAttr(dt));
  Value ms = arith::MulFOp::create(builder, loc, ticks, step);
  return real.isF64() ? ms : arith::TruncFOp::create(builder, loc, real, ms);
}

Value Kernel::memref(const Buffer &buffer) {
  Value &value = memrefs[buffer.name];
  if (!value) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&function.getBody().front());
    value = memref::GetGlobalOp::create(builder, loc, buffer.type, buffer.name);
  }
  return value;
}

Value Kernel::load(const Buffer &buffer, Value at) {
  return memref::LoadOp::create(builder, loc, memref(buffer), at);
}

Value Kernel::loadIndex(const Buffer &buffer, Value at) {
  // Counts and unit numbers are below 2^31: zero extension is free on 64-bit.
  return arith::IndexCastUIOp::create(builder, loc, builder.getIndexType(),
                                      load(buffer, at));
}

void Kernel::store(Value value, const Buffer &buffer, Value at) {
  memref::StoreOp::create(builder, loc, value, memref(buffer), at);
}

Value Kernel::add(Value a, Value b) {
  return arith::AddIOp::create(builder, loc, a, b,
                               arith::IntegerOverflowFlags::nsw |
                                   arith::IntegerOverflowFlags::nuw);
}

Value Kernel::mul(Value a, Value b) {
  return arith::MulIOp::create(builder, loc, a, b,
                               arith::IntegerOverflowFlags::nsw |
                                   arith::IntegerOverflowFlags::nuw);
}

Value Kernel::div(Value a, int64_t b) {
  return arith::DivUIOp::create(builder, loc, a, index(b));
}

Value Kernel::mod(Value a, int64_t b) {
  return arith::RemUIOp::create(builder, loc, a, index(b));
}

Value Kernel::slot(const Signal &signal, int64_t delay) {
  if (signal.depth == 1)
    return index(0);
  assert(delay < signal.depth && "ring too short for this reader");
  Value &value = slots[{&signal, delay}];
  if (!value) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&function.getBody().front());
    Value now = arith::IndexCastUIOp::create(builder, loc,
                                             builder.getIndexType(), tick());
    Value then = add(now, index(signal.depth - delay - lag));
    value = mul(mod(then, signal.depth), signal.units);
  }
  return value;
}

Value Kernel::loadReal(const Signal &signal, Value slot, Value place) {
  Value value =
      load(signal.buffer, signal.depth == 1 ? place : add(slot, place));
  if (isa<IntegerType>(value.getType()))
    return arith::UIToFPOp::create(builder, loc, real, value);
  return value;
}

void Kernel::forLanes(function_ref<void(Value)> body) {
  if (lanes == 1)
    body(index(0));
  else
    loop(lanes, body);
}

void Kernel::loop(Value lo, Value hi, function_ref<void(Value)> body) {
  auto loopOp = scf::ForOp::create(builder, loc, lo, hi, index(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(loopOp.getBody()->getTerminator());
  body(loopOp.getInductionVar());
}

void Kernel::inBlocks(int64_t count, int64_t size,
                      function_ref<void(Value, int64_t)> body) {
  int64_t blocks = count / size;
  if (blocks > 0)
    loop(blocks, [&](Value block) { body(mul(block, size), size); });
  if (blocks * size < count)
    loop(index(blocks * size), index(count), [&](Value one) { body(one, 1); });
}

SmallVector<Value>
Kernel::reduce(Value lo, Value hi, ArrayRef<Value> init,
               function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loopOp =
      scf::ForOp::create(builder, loc, lo, hi, index(1), ValueRange(init));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(loopOp.getBody());
  SmallVector<Value> next =
      body(loopOp.getInductionVar(), loopOp.getRegionIterArgs());
  scf::YieldOp::create(builder, loc, next);
  return llvm::to_vector(llvm::map_range(
      loopOp.getResults(), [](OpResult result) -> Value { return result; }));
}

} // namespace neuroc::cpu
