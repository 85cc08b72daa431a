// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registration of the neuro dialect, and the materialisation of constants that
// folding of scalar code needs.
#include "neuroc/Neuro/Neuro.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Interfaces/FoldInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace neuroc::neuro;

#include "neuroc/Neuro/NeuroDialect.cpp.inc"

namespace {
/// Keeps folded constants inside of the scalar region that uses them: a model or
/// rule holds declarations only.
struct NeuroFoldInterface : DialectFoldInterface {
  using DialectFoldInterface::DialectFoldInterface;
  bool shouldMaterializeInto(Region *region) const override {
    return isa<StageOp, TraceOp, HandlerOp, DiffOp, ProjectOp>(
        region->getParentOp());
  }
};
} // namespace

void NeuroDialect::initialize() {
  addInterfaces<NeuroFoldInterface>();
  addOperations<
#define GET_OP_LIST
#include "neuroc/Neuro/NeuroOps.cpp.inc"
      >();
  registerAttributes();
}

Operation *NeuroDialect::materializeConstant(OpBuilder &builder,
                                             Attribute value, Type type,
                                             Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

bool neuroc::neuro::isScalarCode(Operation *op) {
  if (isa<GetOp, SetOp, EmitOp, RandomOp, TimeOp, DtOp, IndexOp, DiffOp, ReduceOp,
          YieldOp>(op))
    return true;
  if (!isa_and_nonnull<arith::ArithDialect, math::MathDialect>(
          op->getDialect()))
    return false;
  auto isScalar = [](Type type) {
    return type.isF64() || type.isInteger(1);
  };
  return llvm::all_of(op->getOperandTypes(), isScalar) &&
         llvm::all_of(op->getResultTypes(), isScalar);
}

/// What a declaration declares.
static NameKind classify(Operation *declaration) {
  return llvm::TypeSwitch<Operation *, NameKind>(declaration)
      .Case([](ParamOp) { return NameKind::Param; })
      .Case([](StateOp) { return NameKind::State; })
      .Case([](InputOp) { return NameKind::Input; })
      .Case([](OutputOp) { return NameKind::Output; })
      .Case([](TraceOp) { return NameKind::Trace; })
      .Case([](FactorOp) { return NameKind::Factor; })
      .Default([](Operation *) { return NameKind::Unknown; });
}

NameKind neuroc::neuro::resolveName(Operation *op, StringRef name) {
  Operation *declaration = nullptr;
  if (auto rule = op->getParentOfType<RuleOp>()) {
    if (name == "w")
      return NameKind::Weight;
    if (name == "pre")
      return NameKind::Pre;
    if (name == "post")
      return NameKind::Post;
    declaration = rule.lookup(name);
  } else if (auto model = op->getParentOfType<ModelOp>()) {
    declaration = model.lookup(name);
  }
  return declaration ? classify(declaration) : NameKind::Unknown;
}
