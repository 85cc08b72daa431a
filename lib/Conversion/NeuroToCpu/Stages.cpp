// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A stage of a population: one loop over its units (in a batch over the units
// of all lanes), or one for each piece between two reductions. Every value that
// the stage reads is one array; the body has no branches, so that LLVM can run
// several units in one instruction.

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

std::vector<double> Lowering::toPlaces(const std::vector<double> &values,
                                       int64_t units) {
  if (lanes == 1)
    return values;
  std::vector<double> result(units * lanes);
  for (int64_t unit = 0; unit < units; ++unit)
    for (int64_t lane = 0; lane < lanes; ++lane)
      result[unit * lanes + lane] =
          values[(lane * units + unit) % int64_t(values.size())];
  return result;
}

Buffer Lowering::stateBuffer(neuro::PopulationOp population, StringRef state) {
  std::string name = (population.getSymName() + "." + state).str();
  Buffer &buffer = states[name];
  if (!buffer)
    buffer = addReals("state." + name,
                      toPlaces(neuro::getInitialState(population, state),
                               population.getNumUnits()));
  return buffer;
}

Value Lowering::emitGet(Kernel &kernel, neuro::PopulationOp population,
                        neuro::GetOp get, Value place) {
  OpBuilder &b = kernel.builder;
  StringRef name = get.getName();
  switch (neuro::resolveName(get, name)) {
  case neuro::NameKind::State:
    return kernel.load(stateBuffer(population, name), place);
  case neuro::NameKind::Param: {
    if (auto value = neuro::getUniformParam(population, name))
      return kernel.number(*value);
    std::string key = (population.getSymName() + "." + name).str();
    Buffer &buffer = params[key];
    if (!buffer)
      buffer = addReals("param." + key,
                        toPlaces(neuro::getParamValues(population, name),
                                 population.getNumUnits()));
    return kernel.load(buffer, place);
  }
  case neuro::NameKind::Input: {
    auto port = cast<neuro::InputOp>(population.getModelOp().lookup(name));
    Value joined;
    for (unsigned operand : population.getOperandsOfPort(name)) {
      SignalUse source = use(population.getInputs()[operand]);
      Value value = kernel.loadReal(
          *source.signal, kernel.slot(*source.signal, source.delay), place);
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

/// One stage while it is emitted.
struct Lowering::Stage {
  Stage(neuro::PopulationOp population, neuro::StageOp op, Kernel &kernel,
        std::string name)
      : population(population), op(op), kernel(kernel), name(std::move(name)),
        pieces(op.getBody().front()), units(population.getNumUnits()) {}

  neuro::PopulationOp population;
  neuro::StageOp op;
  Kernel &kernel;
  std::string name;
  Pieces pieces;
  PieceBuffers buffers;
  int64_t units;
  SmallVector<int64_t> given; ///< signals that it emits

  int64_t groupSize(neuro::ReduceOp reduce) const {
    return reduce.getGroup() ? int64_t(*reduce.getGroup()) : units;
  }
};

Buffer Lowering::addScratch(const Twine &name, Type element, int64_t count) {
  return addBuffer("scratch." + Twine(scratchCount++) + "." + name, element,
                   count);
}

void Lowering::addPieceBuffers(PieceBuffers &buffers, const Pieces &pieces,
                               Block &block, StringRef name, int64_t entries,
                               function_ref<int64_t(neuro::ReduceOp)> groups) {
  for (Value value : pieces.keptValues())
    buffers.kept[value] = addScratch(
        name, value.getType().isInteger(1) ? Type(globals.getI8Type()) : real,
        entries);
  for (auto reduce : block.getOps<neuro::ReduceOp>())
    buffers.reductions[reduce.getOperation()] = {
        addScratch(name, real, entries),
        addScratch(name, real,
                   ReductionEmitter::isByMember(reduce) ? entries
                                                        : groups(reduce))};
}

/// Emits what a piece of the stage does for one unit in one lane.
LogicalResult Lowering::emitStagePiece(Stage &s, unsigned piece, Value unit,
                                       Value lane, Value place) {
  Kernel &kernel = s.kernel;
  OpBuilder &b = kernel.builder;
  auto outputs = s.population.getModelOp().list<neuro::OutputOp>();
  auto read = [&](neuro::GetOp get) {
    return emitGet(kernel, s.population, get, place);
  };
  auto write = [&](Operation *op, Value value) {
    if (auto set = dyn_cast<neuro::SetOp>(op)) {
      kernel.store(value, stateBuffer(s.population, set.getName()), place);
      return;
    }
    auto emit = cast<neuro::EmitOp>(op);
    unsigned number = 0;
    while (outputs[number].getSymName() != emit.getName())
      ++number;
    const Signal &signal = *signalOf[s.population.getResult(number)];
    if (signal.isSpikes)
      value = arith::ExtUIOp::create(b, kernel.loc, b.getI8Type(), value);
    kernel.store(value, signal.buffer,
                 signal.depth == 1 ? place
                                   : kernel.add(kernel.slot(signal), place));
    s.given.push_back(signal.number);
  };
  auto draw = [&](neuro::RandomOp random) {
    Value entity =
        lanes == 1 ? unit : kernel.add(kernel.mul(lane, s.units), unit);
    return drawRandom(kernel, random.getKind(), s.population.getSymName(),
                      entity, int32_t(random.getDraw()));
  };
  auto resultPlace = [&](neuro::ReduceOp reduce) {
    int64_t size = s.groupSize(reduce);
    if (ReductionEmitter::isByMember(reduce))
      return place;
    return size == s.units ? lane : kernel.place(kernel.div(unit, size), lane);
  };
  return PieceEmitter{
      kernel, s.pieces,   s.buffers, dt * double(s.population.getEvery()),
      dt,     unit,       read,      write,
      draw,   resultPlace}
      .emit(s.op.getBody().front(), piece, place);
}

/// Folds the groups of one reduction of a stage.
void Lowering::emitStageReduction(Stage &s, neuro::ReduceOp reduce) {
  Kernel &k = s.kernel;
  int64_t size = s.groupSize(reduce), groups = s.units / size;
  auto [values, results] = s.buffers.reductions[reduce.getOperation()];
  auto forMembers = [&](MemberBody body) {
    k.loop(groups, [&](Value group) {
      k.loop(size, [&](Value member) {
        Value unit = groups == 1 ? member : k.add(k.mul(group, size), member);
        k.forLanes([&](Value lane) {
          body({k.place(unit, lane), k.place(group, lane), group, lane});
        });
      });
    });
  };
  auto forPeers = [&](const Member &member,
                      function_ref<void(Value, Value)> body) {
    Value first = k.mul(member.a, size);
    k.loop(size, [&](Value peer) {
      body(k.place(k.add(first, peer), member.b), Value());
    });
  };
  auto scratch = [&](StringRef what, Type type, int64_t count) {
    return addScratch(s.name + "." + what, type, count);
  };
  ReductionEmitter{k,          reduce,   values, results, groups * lanes,
                   forMembers, forPeers, scratch}
      .emit();
}

LogicalResult Lowering::lowerStage(neuro::PopulationOp population,
                                   neuro::StageOp stage) {
  std::string name =
      ("stage." + population.getSymName() + "." + stage.getSymName()).str();
  Kernel kernel(module, stage.getLoc(), name, real);
  kernel.lanes = lanes;
  Stage s(population, stage, kernel, name);
  Block &block = stage.getBody().front();
  addPieceBuffers(s.buffers, s.pieces, block, name, s.units * lanes,
                  [&](neuro::ReduceOp reduce) {
                    return s.units / s.groupSize(reduce) * lanes;
                  });
  bool needsUnit =
      !s.pieces.isWhole() || llvm::any_of(block, [](Operation &op) {
        return isa<neuro::IndexOp, neuro::RandomOp>(op);
      });
  LogicalResult result = success();
  for (unsigned piece = 0; piece < s.pieces.count(); ++piece) {
    if (lanes == 1 || !needsUnit) {
      kernel.loop(s.units * lanes, [&](Value place) {
        if (failed(emitStagePiece(s, piece, place, kernel.index(0), place)))
          result = failure();
      });
    } else {
      kernel.loop(s.units, [&](Value unit) {
        kernel.loop(lanes, [&](Value lane) {
          if (failed(emitStagePiece(s, piece, unit, lane,
                                    kernel.place(unit, lane))))
            result = failure();
        });
      });
    }
    if (failed(result))
      return failure();
    for (auto reduce : block.getOps<neuro::ReduceOp>())
      if (s.pieces.reducesIn(*reduce, piece))
        emitStageReduction(s, reduce);
  }
  kernel.finish();
  addItem({field("kind", "stage"), field("function", name),
           field("population", population.getSymName()),
           field("outputs", ArrayRef<int64_t>(s.given))});
  return success();
}

} // namespace neuroc::cpu
