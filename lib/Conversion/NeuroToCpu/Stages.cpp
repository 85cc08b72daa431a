// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A stage of a population: one loop over its units. Every value that the stage
// reads is one array; the body has no branches, so that LLVM can run several
// units in one instruction.

#include "Lowering.h"

#include "neuroc/Neuro/Analysis/Values.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace neuroc::cpu {

//===----------------------------------------------------------------------===//
// Scalar code
//===----------------------------------------------------------------------===//

/// The f64 value behind an operand of a comparison with a random draw.
Value ScalarCloner::exactOperand(Value value) {
  auto it = exacts.find(value);
  if (it != exacts.end())
    return it->second;
  OpBuilder &b = kernel.builder;
  if (auto constant = value.getDefiningOp<arith::ConstantOp>())
    return arith::ConstantOp::create(b, kernel.loc,
                                     cast<TypedAttr>(constant.getValue()));
  Value mapped = mapping.lookup(value);
  return kernel.real.isF64()
             ? mapped
             : arith::ExtFOp::create(b, kernel.loc, b.getF64Type(), mapped);
}

void ScalarCloner::clone(Operation *op) {
  OpBuilder &b = kernel.builder;
  assert((isa<arith::ArithDialect, math::MathDialect>(op->getDialect())) &&
         "rules stage_r1, trace_r2, on_r1, project_r5: scalar code only");
  auto convert = [&](Type type) { return type.isF64() ? kernel.real : type; };
  if (auto compare = dyn_cast<arith::CmpFOp>(op)) {
    // A draw is compared before rounding to f32, so that every target and
    // precision takes the same decision.
    if (exacts.count(compare.getLhs()) || exacts.count(compare.getRhs())) {
      mapping.map(compare.getResult(),
                  arith::CmpFOp::create(b, kernel.loc, compare.getPredicate(),
                                        exactOperand(compare.getLhs()),
                                        exactOperand(compare.getRhs()))
                      .getResult());
      return;
    }
  }
  OperationState state(op->getLoc(), op->getName());
  for (Value operand : op->getOperands())
    state.operands.push_back(mapping.lookup(operand));
  for (Type type : op->getResultTypes())
    state.types.push_back(convert(type));
  for (NamedAttribute attribute : op->getAttrs()) {
    Attribute value = attribute.getValue();
    if (auto number = dyn_cast<FloatAttr>(value);
        number && number.getType().isF64())
      value = b.getFloatAttr(kernel.real, number.getValueAsDouble());
    state.addAttribute(attribute.getName(), value);
  }
  Operation *clone = b.create(state);
  for (auto [from, to] : llvm::zip(op->getResults(), clone->getResults()))
    mapping.map(from, to);
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

Buffer Lowering::stateBuffer(neuro::PopulationOp population, StringRef state) {
  std::string name = (population.getSymName() + "." + state).str();
  Buffer &buffer = states[name];
  if (!buffer)
    buffer =
        addReals("state." + name, neuro::getInitialState(population, state));
  return buffer;
}

Value Lowering::emitGet(Kernel &kernel, neuro::PopulationOp population,
                        neuro::GetOp get, Value unit) {
  OpBuilder &b = kernel.builder;
  StringRef name = get.getName();
  switch (neuro::resolveName(get, name)) {
  case neuro::NameKind::State:
    return kernel.load(stateBuffer(population, name), unit);
  case neuro::NameKind::Param: {
    if (auto value = neuro::getUniformParam(population, name))
      return kernel.number(*value);
    std::string key = (population.getSymName() + "." + name).str();
    Buffer &buffer = params[key];
    if (!buffer)
      buffer =
          addReals("param." + key, neuro::getParamValues(population, name));
    return kernel.load(buffer, unit);
  }
  case neuro::NameKind::Input: {
    auto port = cast<neuro::InputOp>(population.getModelOp().lookup(name));
    Value joined;
    for (unsigned operand : population.getOperandsOfPort(name)) {
      SignalUse source = use(population.getInputs()[operand]);
      Value value = kernel.loadReal(
          *source.signal, kernel.slot(*source.signal, source.delay), unit);
      if (!joined) {
        joined = value;
        continue;
      }
      switch (port.getCombine()) {
      case neuro::Combine::Sum:
        joined = arith::AddFOp::create(b, kernel.loc, joined, value);
        break;
      case neuro::Combine::Max:
        joined = arith::MaximumFOp::create(b, kernel.loc, joined, value);
        break;
      case neuro::Combine::Min:
        joined = arith::MinimumFOp::create(b, kernel.loc, joined, value);
        break;
      case neuro::Combine::Product:
        joined = arith::MulFOp::create(b, kernel.loc, joined, value);
        break;
      }
    }
    if (!joined)
      joined = kernel.number(port.getDefaultValue().convertToDouble());
    return joined;
  }
  default:
    llvm_unreachable("the verifier knows what a stage may read");
  }
}

LogicalResult Lowering::lowerStage(neuro::PopulationOp population,
                                   neuro::StageOp stage) {
  std::string name =
      ("stage." + population.getSymName() + "." + stage.getSymName()).str();
  Kernel kernel(module, stage.getLoc(), name, real);
  auto outputs = population.getModelOp().list<neuro::OutputOp>();
  SmallVector<int64_t> given;
  LogicalResult result = success();
  kernel.loop(population.getNumUnits(), [&](Value unit) {
    OpBuilder &b = kernel.builder;
    ScalarCloner cloner(kernel);
    for (Operation &op : stage.getBody().front()) {
      if (auto get = dyn_cast<neuro::GetOp>(op)) {
        cloner.map(get.getValue(), emitGet(kernel, population, get, unit));
      } else if (auto set = dyn_cast<neuro::SetOp>(op)) {
        kernel.store(cloner.lookup(set.getValue()),
                     stateBuffer(population, set.getName()), unit);
      } else if (auto emit = dyn_cast<neuro::EmitOp>(op)) {
        unsigned number = 0;
        while (outputs[number].getSymName() != emit.getName())
          ++number;
        const Signal &signal = *signalOf[population.getResult(number)];
        Value value = cloner.lookup(emit.getValue());
        if (signal.isSpikes)
          value = arith::ExtUIOp::create(b, kernel.loc, b.getI8Type(), value);
        kernel.store(value, signal.buffer,
                     signal.depth == 1 ? unit
                                       : kernel.add(kernel.slot(signal), unit));
        given.push_back(signal.number);
      } else if (auto random = dyn_cast<neuro::RandomOp>(op)) {
        Value exact =
            drawRandom(kernel, random.getKind(), population.getSymName(), unit,
                       int32_t(random.getDraw()));
        cloner.mapExact(random.getValue(), exact);
        cloner.map(random.getValue(),
                   isDouble
                       ? exact
                       : arith::TruncFOp::create(b, kernel.loc, real, exact));
      } else if (auto time = dyn_cast<neuro::TimeOp>(op)) {
        Value ticks = arith::UIToFPOp::create(b, kernel.loc, b.getF64Type(),
                                              kernel.tick());
        Value step =
            arith::ConstantOp::create(b, kernel.loc, b.getF64FloatAttr(dt));
        Value ms = arith::MulFOp::create(b, kernel.loc, ticks, step);
        cloner.map(time.getValue(),
                   isDouble ? ms
                            : arith::TruncFOp::create(b, kernel.loc, real, ms));
      } else if (auto step = dyn_cast<neuro::DtOp>(op)) {
        cloner.map(step.getValue(),
                   kernel.number(dt * double(population.getEvery())));
      } else if (auto index = dyn_cast<neuro::IndexOp>(op)) {
        Value number =
            arith::IndexCastUIOp::create(b, kernel.loc, b.getI32Type(), unit);
        cloner.map(index.getValue(),
                   arith::UIToFPOp::create(b, kernel.loc, real, number));
      } else if (isa<neuro::DiffOp>(op)) {
        result = op.emitOpError("is not in core normal form; run "
                                "neuro-solve-dynamics first");
        return;
      } else {
        cloner.clone(&op);
      }
    }
  });
  if (failed(result))
    return failure();
  kernel.finish();
  addItem({field("kind", "stage"), field("function", name),
           field("population", population.getSymName()),
           field("outputs", ArrayRef<int64_t>(given))});
  return success();
}

} // namespace neuroc::cpu
