// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registration of the neuro dialect, and the materialisation of constants that
// folding of scalar code needs.
#include "neuroc/Neuro/Neuro.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Interfaces/FoldInterfaces.h"

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
  if (isa<GetOp, SetOp, EmitOp, RandomOp, TimeOp, DtOp, IndexOp, DiffOp,
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

NameKind neuroc::neuro::resolveName(Operation *op, StringRef name) {
  if (auto rule = op->getParentOfType<RuleOp>()) {
    if (name == "w")
      return NameKind::Weight;
    if (name == "pre")
      return NameKind::Pre;
    if (name == "post")
      return NameKind::Post;
    Operation *declaration = rule.lookup(name);
    if (!declaration)
      return NameKind::Unknown;
    if (isa<ParamOp>(declaration))
      return NameKind::Param;
    if (isa<StateOp>(declaration))
      return NameKind::State;
    if (isa<TraceOp>(declaration))
      return NameKind::Trace;
    if (isa<FactorOp>(declaration))
      return NameKind::Factor;
    return NameKind::Unknown;
  }
  auto model = op->getParentOfType<ModelOp>();
  Operation *declaration = model ? model.lookup(name) : nullptr;
  if (!declaration)
    return NameKind::Unknown;
  if (isa<ParamOp>(declaration))
    return NameKind::Param;
  if (isa<StateOp>(declaration))
    return NameKind::State;
  if (isa<InputOp>(declaration))
    return NameKind::Input;
  if (isa<OutputOp>(declaration))
    return NameKind::Output;
  return NameKind::Unknown;
}
