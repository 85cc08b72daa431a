// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Models and plasticity rules: verifiers of the declarations and of the scalar
// code in stages, traces and handlers. Rule numbers are those of NeuroOps.td.
#include "neuroc/Neuro/Neuro.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace neuroc::neuro;

#define GET_OP_CLASSES
#include "neuroc/Neuro/NeuroOps.cpp.inc"

Operation *ModelOp::lookup(StringRef name) {
  return mlir::SymbolTable::lookupSymbolIn(
      getOperation(), StringAttr::get(getContext(), name));
}

Operation *RuleOp::lookup(StringRef name) {
  return mlir::SymbolTable::lookupSymbolIn(
      getOperation(), StringAttr::get(getContext(), name));
}

/// Checks that a region holds only scalar code (the rN of the caller).
static LogicalResult verifyScalarRegion(Operation *owner, Region &region) {
  for (Operation &op : region.getOps())
    if (!isScalarCode(&op))
      return owner->emitOpError("may hold only scalar code on f64 and i1, got '")
                 .append(op.getName(), "'")
                 .attachNote(op.getLoc())
             << "operation is here";
  return success();
}

static LogicalResult verifyRange(Operation *op,
                                 std::optional<ArrayRef<double>> range) {
  if (range && (range->size() != 2 || !((*range)[0] < (*range)[1])))
    return op->emitOpError("range must be [lo, hi] with lo < hi");
  return success();
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

LogicalResult ModelOp::verify() {
  unsigned stages = 0;
  llvm::StringMap<unsigned> emits;
  for (Operation &op : getBody().front()) {
    if (!isa<ParamOp, StateOp, InputOp, OutputOp, StageOp>(op)) // model_r1
      return op.emitOpError("may not stand in a model; expected param, state, "
                            "input, output or stage");
    if (auto stage = dyn_cast<StageOp>(op)) {
      ++stages;
      stage.walk([&](EmitOp emit) { ++emits[emit.getName()]; });
    }
  }
  if (stages == 0) // model_r2
    return emitOpError("has no stage");
  for (OutputOp output : list<OutputOp>()) { // model_r3
    unsigned count = emits.lookup(output.getSymName());
    if (count != 1)
      return output.emitOpError("must be emitted exactly once, found ")
             << count << " emits";
  }
  return success();
}

LogicalResult StateOp::verify() {
  if (failed(verifyRange(*this, getRange()))) // state_r1
    return failure();
  double init = getInit().convertToDouble();
  if (auto range = getRange())
    if (init < (*range)[0] || init > (*range)[1]) // state_r2
      return emitOpError("initial value ")
             << init << " lies outside of the range [" << (*range)[0] << ", "
             << (*range)[1] << "]";
  return success();
}

LogicalResult InputOp::verify() { return verifyRange(*this, getRange()); }

LogicalResult StageOp::verify() {
  return verifyScalarRegion(*this, getBody());
}

//===----------------------------------------------------------------------===//
// Scalar code
//===----------------------------------------------------------------------===//

static InFlightDiagnostic emitUnknownName(Operation *op, StringRef name) {
  return op->emitOpError("names '") << name << "', which is not declared here";
}

LogicalResult GetOp::verifySymbolUses(SymbolTableCollection &) {
  NameKind kind = resolveName(*this, getName()); // get_r1
  if (kind == NameKind::Unknown)
    return emitUnknownName(*this, getName());
  if (kind == NameKind::Output)
    return emitOpError("reads output '")
           << getName() << "'; keep the value in a state to read it";
  auto trace = (*this)->getParentOfType<TraceOp>();
  if (!trace)
    return success();
  bool onPre = trace.getSide() == Side::Pre;
  bool allowed = kind == NameKind::Param ||
                 (kind == NameKind::Pre && onPre) ||
                 (kind == NameKind::Post && !onPre);
  if (kind == NameKind::Trace) {
    auto other = cast<TraceOp>(
        trace->getParentOfType<RuleOp>().lookup(getName()));
    allowed = other.getSide() == trace.getSide();
  }
  if (kind == NameKind::Factor) {
    auto factor = cast<FactorOp>(
        trace->getParentOfType<RuleOp>().lookup(getName()));
    allowed = factor.getSide() == Side::Scalar ||
              factor.getSide() == trace.getSide();
  }
  if (!allowed)
    return emitOpError("reads '")
           << getName() << "', which a trace on "
           << stringifySide(trace.getSide())
           << " does not have; it is not a quantity of that unit";
  return success();
}

LogicalResult SetOp::verifySymbolUses(SymbolTableCollection &) {
  NameKind kind = resolveName(*this, getName()); // set_r1
  if (kind == NameKind::Unknown)
    return emitUnknownName(*this, getName());
  if (auto trace = (*this)->getParentOfType<TraceOp>()) {
    if (getName() != trace.getSymName())
      return emitOpError("sets '") << getName() << "', but the region of trace '"
                                   << trace.getSymName()
                                   << "' may set that trace only";
    return success();
  }
  if (kind != NameKind::State && kind != NameKind::Weight)
    return emitOpError("sets '")
           << getName() << "', which is not a state or the weight";
  return success();
}

LogicalResult EmitOp::verifySymbolUses(SymbolTableCollection &) {
  auto model = (*this)->getParentOfType<ModelOp>();
  auto output = dyn_cast_or_null<OutputOp>(model.lookup(getName()));
  if (!output) // emit_r1
    return emitOpError("names '") << getName() << "', which is not an output";
  if (output.getType() != getValue().getType())
    return emitOpError("gives a value of type ")
           << getValue().getType() << " to output '" << getName()
           << "' of type " << output.getType();
  return success();
}

LogicalResult DiffOp::verify() {
  for (Operation &op : getBody().getOps()) // diff_r2
    if (!isScalarCode(&op) || isa<SetOp, EmitOp, DiffOp, RandomOp>(op))
      return emitOpError("may hold only scalar code without set, emit and "
                         "random, got '")
             << op.getName() << "'";
  if (getBody().front().empty() ||
      !isa<YieldOp>(getBody().front().back()))
    return emitOpError("must end with 'neuro.yield'");
  return success();
}

LogicalResult DiffOp::verifySymbolUses(SymbolTableCollection &) {
  NameKind kind = resolveName(*this, getName());
  auto handler = dyn_cast<HandlerOp>((*this)->getParentOp());
  if (handler && handler.getEvent() != Event::Tick) // diff_r4
    return emitOpError("may stand in 'on tick' only, since other handlers do "
                       "not run in every tick");
  auto trace = dyn_cast<TraceOp>((*this)->getParentOp());
  if (trace ? getName() != trace.getSymName() : kind != NameKind::State)
    return emitOpError("names '") // diff_r1
           << getName() << "', which is not a state of this model";
  for (Operation &op : *(*this)->getBlock()) { // diff_r3
    auto other = dyn_cast<DiffOp>(op);
    if (other && other != *this && other.getName() == getName() &&
        (*this)->isBeforeInBlock(other))
      return other.emitOpError("is a second equation of '")
                 .append(getName(), "' in this region")
                 .attachNote(getLoc())
             << "first equation is here";
  }
  return success();
}

LogicalResult ReduceOp::verify() {
  bool inStage = isa<StageOp>((*this)->getParentOp());
  if (inStage != (getOver() == ReduceOver::Units)) // reduce_r1
    return emitOpError(inStage
                           ? "in a stage reduces over units, got '"
                           : "in a handler reduces over post, pre or all, got '")
           << stringifyReduceOver(getOver()) << "'";
  if (getGroup() && (!inStage || int64_t(*getGroup()) < 1)) // reduce_r2
    return emitOpError("'group' is a positive number of units of a stage");
  bool isKth = getKind() == GroupReduce::KthLargest;
  if (getK().has_value() != isKth || (isKth && int64_t(*getK()) < 1)) // reduce_r3
    return emitOpError("'k', at least 1, belongs to 'kth_largest' and to no "
                       "other kind");
  if (getPrefix() && getKind() != GroupReduce::Sum) // reduce_r4
    return emitOpError("only a sum has prefixes");
  return success();
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

LogicalResult RuleOp::verify() {
  llvm::DenseMap<uint32_t, HandlerOp> handlers;
  for (Operation &op : getBody().front()) {
    if (!isa<ParamOp, StateOp, TraceOp, FactorOp, HandlerOp>(op)) // rule_r1
      return op.emitOpError("may not stand in a rule; expected param, state, "
                            "trace, factor or on");
    if (auto handler = dyn_cast<HandlerOp>(op)) {
      auto [it, fresh] =
          handlers.try_emplace(uint32_t(handler.getEvent()), handler);
      if (!fresh) // rule_r2
        return handler.emitOpError("is a second handler of '")
                   .append(stringifyEvent(handler.getEvent()), "'")
                   .attachNote(it->second.getLoc())
               << "first handler is here";
    }
    if (auto symbol = dyn_cast<SymbolOpInterface>(op)) {
      StringRef name = symbol.getName();
      if (name == "w" || name == "pre" || name == "post") // rule_r3
        return op.emitOpError("redeclares the predefined name '")
               << name << "'";
    }
  }
  return success();
}

LogicalResult TraceOp::verify() {
  if (getSide() == Side::Scalar) // trace_r1
    return emitOpError("must be on pre or post, got scalar");
  if (failed(verifyRange(*this, getRange())) ||
      failed(verifyScalarRegion(*this, getTick())) || // trace_r2
      (!getSpike().empty() && failed(verifyScalarRegion(*this, getSpike()))))
    return failure();
  return success();
}

LogicalResult HandlerOp::verify() {
  return verifyScalarRegion(*this, getBody());
}
