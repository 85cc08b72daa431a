// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass: for every node that reads the result of a tensor operation, the
// value is found in terms of signals (Raiser.cpp) and built (Emission.cpp).
// Then all tensor operations of the network are dead and are erased.
#include "neuroc/Conversion/RaiseTensors/RaiseTensors.h"

#include "Raiser.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace neuroc {
#define GEN_PASS_DEF_RAISETENSORS
#include "neuroc/Conversion/RaiseTensors/RaiseTensorsPasses.h.inc"
} // namespace neuroc

using namespace mlir;
using namespace neuroc;
using namespace neuroc::raise;

static bool isNode(Operation &op) {
  return isa<neuro::NeuroDialect>(op.getDialect());
}

Raiser::Raiser(neuro::NetworkOp network, int64_t maxSynapses)
    : network(network), maxSynapses(maxSynapses) {
  for (Operation &op : network.getBody().front())
    if (auto name = op.getAttrOfType<StringAttr>("sym_name"))
      names.insert(name.getValue());
}

LogicalResult Raiser::run() {
  SmallVector<Operation *> nodes;
  for (Operation &op : network.getBody().front())
    if (isNode(op))
      nodes.push_back(&op);
  for (Operation *node : nodes)
    for (OpOperand &operand : node->getOpOperands()) {
      Operation *definition = operand.get().getDefiningOp();
      if (!definition || isNode(*definition))
        continue;
      if (cast<RankedTensorType>(operand.get().getType()).getNumElements() ==
          0) {
        refuse(definition, "a population can't be empty");
        return failure();
      }
      before = node;
      Result value = lazy(operand.get());
      Value signal = value ? materialize(*value) : Value();
      if (!signal)
        return failure();
      operand.set(signal);
    }
  SmallVector<Operation *> dead;
  for (Operation &op : network.getBody().front())
    if (!isNode(op))
      dead.push_back(&op);
  for (Operation *op : dead)
    op->dropAllUses();
  for (Operation *op : dead)
    op->erase();
  return success();
}

namespace {
struct RaiseTensors : neuroc::impl::RaiseTensorsBase<RaiseTensors> {
  using RaiseTensorsBase::RaiseTensorsBase;

  void runOnOperation() override {
    for (auto network : getOperation().getOps<neuro::NetworkOp>())
      if (failed(Raiser(network, maxSynapses).run()))
        return signalPassFailure();
  }
};
} // namespace
