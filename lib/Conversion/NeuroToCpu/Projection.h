// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the emitters of one projection share.
#ifndef NEUROC_LIB_CONVERSION_NEUROTOCPU_PROJECTION_H
#define NEUROC_LIB_CONVERSION_NEUROTOCPU_PROJECTION_H

#include "Lowering.h"

#include <limits>

namespace neuroc::cpu {

struct Lowering::Projection {
  neuro::ProjectOp op;
  Weight &weight;
  Kernel &kernel;
  const Signal &source;
  const Signal &target;
  int64_t delay; ///< of the signal, ticks; `delays` of the op not included
  bool transposed;
  neuro::Combine combine;
  Events events;
  RowView rows; ///< set by the emitters that walk rows

  int64_t sources() const { return transposed ? weight.post : weight.pre; }
  int64_t targets() const { return transposed ? weight.pre : weight.post; }

  double identity() const {
    switch (combine) {
    case neuro::Combine::Sum:
      return 0;
    case neuro::Combine::Max:
      return -std::numeric_limits<double>::infinity();
    case neuro::Combine::Min:
      return std::numeric_limits<double>::infinity();
    case neuro::Combine::Product:
      return 1;
    }
    llvm_unreachable("unknown combine");
  }

  mlir::Value join(mlir::Value a, mlir::Value b) {
    mlir::OpBuilder &builder = kernel.builder;
    switch (combine) {
    case neuro::Combine::Sum:
      return mlir::arith::AddFOp::create(builder, kernel.loc, a, b);
    case neuro::Combine::Max:
      return mlir::arith::MaximumFOp::create(builder, kernel.loc, a, b);
    case neuro::Combine::Min:
      return mlir::arith::MinimumFOp::create(builder, kernel.loc, a, b);
    case neuro::Combine::Product:
      return mlir::arith::MulFOp::create(builder, kernel.loc, a, b);
    }
    llvm_unreachable("unknown combine");
  }

  bool hasTransmit() { return !op.getTransmit().empty(); }

  /// transmit(w, x)
  mlir::Value transmit(mlir::Value w, mlir::Value x) {
    if (!hasTransmit())
      return mlir::arith::MulFOp::create(kernel.builder, kernel.loc, w, x);
    ScalarCloner cloner(kernel);
    mlir::Block &body = op.getTransmit().front();
    cloner.map(body.getArgument(0), w);
    cloner.map(body.getArgument(1), x);
    for (mlir::Operation &inner : body) {
      if (auto yield = llvm::dyn_cast<neuro::YieldOp>(inner))
        return cloner.lookup(yield.getValue());
      cloner.clone(&inner);
    }
    llvm_unreachable("a transmit region yields");
  }

  mlir::Value targetAt(mlir::Value place) {
    return target.depth == 1 ? place : kernel.add(kernel.slot(target), place);
  }

  /// target[unit] = join(target[unit], contribution), if the synapse exists.
  void accumulate(mlir::Value unit, mlir::Value lane, mlir::Value contribution,
                  mlir::Value slot) {
    mlir::Value at = targetAt(kernel.place(unit, lane));
    mlir::Value old = kernel.load(target.buffer, at);
    mlir::Value joined = join(old, contribution);
    kernel.store(guard(joined, old, slot), target.buffer, at);
  }

  /// Absent synapses of a matrix hold 0: a plain sum needs no look at them.
  bool needsGuard() {
    return weight.exists && (combine != neuro::Combine::Sum || hasTransmit());
  }
  mlir::Value guard(mlir::Value joined, mlir::Value old, mlir::Value slot) {
    if (!needsGuard())
      return joined;
    mlir::OpBuilder &b = kernel.builder;
    mlir::Value byte = kernel.load(weight.exists, slot);
    mlir::Value present =
        mlir::arith::TruncIOp::create(b, kernel.loc, b.getI1Type(), byte);
    return mlir::arith::SelectOp::create(b, kernel.loc, present, joined, old);
  }

  mlir::Value loadSource(mlir::Value unit, mlir::Value lane,
                         int64_t extraDelay = 0) {
    return kernel.loadReal(source, kernel.slot(source, delay + extraDelay),
                           kernel.place(unit, lane));
  }

  /// The synapse at `slot` from unit to unit, in every lane.
  void synapse(mlir::Value slot, mlir::Value from, mlir::Value to,
               int64_t extraDelay = 0) {
    kernel.forLanes([&](mlir::Value lane) {
      mlir::Value w = kernel.load(weight.values, slot);
      accumulate(to, lane, transmit(w, loadSource(from, lane, extraDelay)),
                 slot);
    });
  }

  /// The events of this tick: body(row, lane).
  void forEvents(llvm::function_ref<void(mlir::Value, mlir::Value)> body) {
    mlir::Value count = kernel.loadIndex(events.count, kernel.index(0));
    kernel.loop(kernel.index(0), count, [&](mlir::Value number) {
      mlir::Value event = kernel.loadIndex(events.units, number);
      if (kernel.lanes == 1)
        body(event, kernel.index(0));
      else
        body(kernel.div(event, kernel.lanes), kernel.mod(event, kernel.lanes));
    });
  }

  void fill() {
    mlir::Value init = kernel.number(identity());
    kernel.loop(target.units, [&](mlir::Value place) {
      kernel.store(init, target.buffer, targetAt(place));
    });
  }
};

} // namespace neuroc::cpu
#endif // NEUROC_LIB_CONVERSION_NEUROTOCPU_PROJECTION_H
