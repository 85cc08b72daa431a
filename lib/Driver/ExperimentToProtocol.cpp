// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the steps of a `neuro.experiment` as the protocol that the host
// session reads (schema: runtime/include/neuroc/rt/Protocol.h). Each for_each
// gets a variable, "row1", "row2", … by depth; data `from` a dataset without a
// row uses that of the innermost one. What the host computes becomes steps on
// numbered registers, one for each SSA value.
#include "Model.h"

#include "neuroc/Neuro/Analysis/Values.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Path.h"

using namespace mlir;
namespace json = llvm::json;

namespace neuroc::driver {

namespace {
class Writer {
public:
  explicit Writer(neuro::NetworkOp network) : network(network) {}

  json::Array steps(Block &block);
  json::Array expectations;

private:
  std::optional<json::Object> step(Operation *op);
  json::Object forEach(neuro::ForEachOp op);
  json::Object assign(neuro::AssignOp op);
  json::Object snapshot(neuro::SnapshotOp op);
  json::Object readout(neuro::ReadoutOp op);
  void expect(neuro::ExpectOp op);
  std::optional<json::Object> hostStep(Operation *op);
  json::Object read(neuro::ReadOp op);
  json::Object stream(neuro::StreamOp op);
  json::Object loopWhile(neuro::WhileOp op);
  int64_t registerOf(Value value) {
    return registers.try_emplace(value, int64_t(registers.size()))
        .first->second;
  }

  /// Number of values of a stimulus or population, for distributions.
  int64_t sizeOf(StringRef symbol);
  /// Adds "values", or "dataset" and "row".
  void data(json::Object &out, std::optional<Attribute> values,
            std::optional<StringRef> dataset, std::optional<uint64_t> row,
            StringRef symbol, StringRef stream);

  neuro::NetworkOp network;
  unsigned loops = 0;
  std::vector<std::string> tables;
  llvm::DenseMap<Value, int64_t> registers;
};
} // namespace

int64_t Writer::sizeOf(StringRef symbol) {
  Operation *op = SymbolTable::lookupSymbolIn(network, symbol);
  if (auto population = dyn_cast_or_null<neuro::PopulationOp>(op))
    return population.getNumUnits();
  if (auto stimulus = dyn_cast_or_null<neuro::StimulusOp>(op))
    return cast<RankedTensorType>(stimulus.getOutput().getType())
        .getNumElements();
  return 1;
}

/// Where the step stands in the source, for errors of the run.
static void place(json::Object &out, Operation *op) {
  Location where = op->getLoc();
  while (auto call = dyn_cast<CallSiteLoc>(where)) // in a procedure
    where = call.getCallee();
  if (auto loc = dyn_cast<FileLineColLoc>(where))
    out["at"] = (llvm::sys::path::filename(loc.getFilename().getValue()) +
                 ":" + Twine(loc.getLine()) + ":" + Twine(loc.getColumn()))
                    .str();
}

/// Values may be given for every lane of a batch.
static int64_t countOf(Attribute values, int64_t size) {
  auto elements = dyn_cast<ElementsAttr>(values);
  return elements ? elements.getNumElements() : size;
}

void Writer::data(json::Object &out, std::optional<Attribute> values,
                  std::optional<StringRef> dataset, std::optional<uint64_t> row,
                  StringRef symbol, StringRef stream) {
  if (values) {
    json::Array list;
    if (std::optional<double> single = neuro::getSingleValue(*values))
      list.push_back(*single);
    else
      for (double value : neuro::materialize(
               *values, countOf(*values, sizeOf(symbol)), network.getSeed(),
               stream))
        list.push_back(std::isfinite(value) ? json::Value(value)
                                            : json::Value(nullptr));
    out["values"] = std::move(list);
    return;
  }
  out["dataset"] = dataset.value_or("");
  if (row)
    out["row"] = int64_t(*row);
  else if (loops)
    out["row"] = json::Object{{"var", "row" + std::to_string(loops)}};
}

json::Object Writer::forEach(neuro::ForEachOp op) {
  json::Object out{{"op", "for_each"}, {"dataset", op.getDataset()}};
  ++loops;
  out["var"] = "row" + std::to_string(loops);
  if (auto rows = op.getRows()) {
    out["first"] = (*rows)[0];
    out["count"] = (*rows)[1] - (*rows)[0];
  }
  if (auto key = op.getShuffled())
    out["shuffled"] = int64_t(*key);
  if (auto counter = op.getCounter())
    out["counter"] = *counter;
  if (op.getBatched())
    out["batched"] = true;
  place(out, op);
  out["body"] = steps(op.getBody().front());
  --loops;
  return out;
}

json::Object Writer::assign(neuro::AssignOp op) {
  json::Object out{{"op", "assign"}};
  std::string stream = "assign." + op.getTarget().str();
  if (auto variable = op.getVariable()) {
    out["population"] = op.getTarget();
    out["state"] = *variable;
    stream += "." + variable->str();
  } else {
    out["weight"] = op.getTarget();
  }
  data(out, op.getValues(), op.getDataset(), op.getRow(), op.getTarget(),
       stream);
  return out;
}

json::Object Writer::snapshot(neuro::SnapshotOp op) {
  json::Array populations, weights, plastics;
  for (auto item : op.getItems().getAsRange<FlatSymbolRefAttr>()) {
    Operation *of = SymbolTable::lookupSymbolIn(network, item.getValue());
    (isa_and_nonnull<neuro::WeightOp>(of)    ? weights
     : isa_and_nonnull<neuro::PlasticOp>(of) ? plastics
                                             : populations)
        .push_back(item.getValue());
  }
  return json::Object{{"op", "snapshot"},
          {"as", op.getName()},
          {"populations", std::move(populations)},
          {"weights", std::move(weights)},
          {"plastics", std::move(plastics)}};
}

json::Object Writer::readout(neuro::ReadoutOp op) {
  json::Object out{{"op", "readout"}, {"into", op.getName()}};
  tables.push_back(op.getName().str());
  bool isWeight = isa_and_nonnull<neuro::WeightOp>(
      SymbolTable::lookupSymbolIn(network, op.getSource()));
  if (isWeight) {
    out["weight"] = op.getSource();
    return out;
  }
  out["probe"] = op.getSource();
  out["reduce"] = neuro::stringifyReduce(op.getReduce());
  return out;
}

void Writer::expect(neuro::ExpectOp op) {
  std::string of = op.getOf().str();
  json::Object metric{{"kind", op.getMetric()}};
  if (op.getMetric() == "stat")
    metric["stat"] = of;
  else
    metric[llvm::is_contained(tables, of) ? "table" : "probe"] = of;
  if (auto against = op.getAgainst())
    metric["against"] = *against;
  std::string name = op.getMetric().str() + " of " + of;
  json::Object out;
  if (auto min = op.getMin())
    out["min"] = min->convertToDouble();
  if (auto max = op.getMax())
    out["max"] = max->convertToDouble();
  if (auto options = op.getOptions())
    for (NamedAttribute option : *options) {
      StringRef key = option.getName();
      Attribute value = option.getValue();
      if (key == "name")
        name = cast<StringAttr>(value).str();
      else if (key == "of_reference") {
        double within = cast<FloatAttr>(value).getValueAsDouble();
        metric["difference"] = true;
        out["min"] = -within;
        out["max"] = within;
      } else if (auto number = dyn_cast<FloatAttr>(value))
        metric[key] = number.getValueAsDouble();
      else if (auto flag = dyn_cast<BoolAttr>(value))
        metric[key] = flag.getValue();
      else if (auto integer = dyn_cast<IntegerAttr>(value))
        metric[key] = integer.getInt();
      else if (auto text = dyn_cast<StringAttr>(value))
        metric[key] = text.getValue();
      else if (isa<UnitAttr>(value))
        metric[key] = true;
    }
  if (auto targets = op.getTargets()) {
    json::Array list;
    for (StringRef target : targets->getAsValueRange<StringAttr>())
      list.push_back(target);
    out["targets"] = std::move(list);
  }
  // Two expectations of one name (per target, say) stay apart in reports.
  out["name"] = name;
  out["metric"] = std::move(metric);
  expectations.push_back(std::move(out));
}

std::optional<json::Object> Writer::step(Operation *op) {
  using Result = std::optional<json::Object>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](neuro::PhaseOp phase) -> Result {
        return json::Object{{"op", "phase"},
                            {"name", phase.getName()},
                            {"body", steps(phase.getBody().front())}};
      })
      .Case([&](neuro::RepeatOp repeat) -> Result {
        json::Object out{{"op", "repeat"},
                         {"count", int64_t(repeat.getCount())},
                         {"body", steps(repeat.getBody().front())}};
        if (auto counter = repeat.getCounter())
          out["counter"] = *counter;
        return out;
      })
      .Case([&](neuro::ForEachOp loop) -> Result { return forEach(loop); })
      .Case([&](neuro::PresentOp present) -> Result {
        json::Object out{{"op", "present"},
                         {"stimulus", present.getStimulus()}};
        data(out, present.getValues(), present.getDataset(), present.getRow(),
             present.getStimulus(), "present." + present.getStimulus().str());
        return out;
      })
      .Case([&](neuro::StepOp step) -> Result {
        return json::Object{{"op", "step"}, {"ticks", int64_t(step.getTicks())}};
      })
      .Case([&](neuro::SettleOp settle) -> Result {
        return json::Object{{"op", "settle"},
                            {"probe", settle.getProbe()},
                            {"norm", "change"},
                            {"below", settle.getBelow().convertToDouble()},
                            {"max_ticks", int64_t(settle.getMax())}};
      })
      .Case([&](neuro::EnableOp enable) -> Result {
        return json::Object{
            {"op", "enable"}, {"plastic", enable.getPlastic()}, {"on", true}};
      })
      .Case([&](neuro::DisableOp disable) -> Result {
        return json::Object{
            {"op", "enable"}, {"plastic", disable.getPlastic()}, {"on", false}};
      })
      .Case([&](neuro::ClampOp clamp) -> Result {
        json::Object out{{"op", "clamp"},
                         {"population", clamp.getPopulation()},
                         {"state", clamp.getVariable()}};
        data(out, clamp.getValues(), clamp.getDataset(), clamp.getRow(),
             clamp.getPopulation(), "clamp." + clamp.getPopulation().str());
        return out;
      })
      .Case([&](neuro::ReleaseOp release) -> Result {
        return json::Object{{"op", "release"},
                            {"population", release.getPopulation()},
                            {"state", release.getVariable()}};
      })
      .Case([&](neuro::AssignOp op) -> Result { return assign(op); })
      .Case([&](neuro::CallOp call) -> Result {
        return json::Object{{"op", "call"}, {"plastic", call.getPlastic()}};
      })
      .Case([&](neuro::SnapshotOp op) -> Result { return snapshot(op); })
      .Case([&](neuro::RestoreOp restore) -> Result {
        return json::Object{{"op", "restore"}, {"from", restore.getName()}};
      })
      .Case([&](neuro::ReadoutOp op) -> Result { return readout(op); })
      .Case([&](neuro::ExpectOp op) -> Result {
        expect(op);
        return std::nullopt;
      })
      .Default([&](Operation *other) -> Result { return hostStep(other); });
}

//===----------------------------------------------------------------------===//
// What the host computes
//===----------------------------------------------------------------------===//

json::Object Writer::read(neuro::ReadOp op) {
  json::Object out{{"op", "read"},
                   {"out", registerOf(op.getResult())},
                   {"of", neuro::stringifyHostKind(op.getOf())},
                   {"source", op.getSource()}};
  if (op.getOf() == neuro::HostKind::Signal)
    out["reduce"] = op.getVariable().value_or(
        neuro::stringifyReduce(op.getReduce()));
  else if (auto variable = op.getVariable())
    out["state"] = *variable;
  if (auto snapshot = op.getSnapshot())
    out["snapshot"] = *snapshot;
  if (op.getCurrent())
    out["row"] = json::Object{{"var", "row" + std::to_string(loops)}};
  return out;
}

json::Object Writer::stream(neuro::StreamOp op) {
  json::Array inputs;
  for (auto [stimulus, dataset] :
       llvm::zip(op.getStimuli().getAsRange<FlatSymbolRefAttr>(),
                 op.getDatasets().getAsRange<FlatSymbolRefAttr>()))
    inputs.push_back(json::Object{{"stimulus", stimulus.getValue()},
                                  {"dataset", dataset.getValue()}});
  json::Object out{{"op", "stream"},
                   {"inputs", std::move(inputs)},
                   {"every", int64_t(op.getEvery())}};
  if (auto rows = op.getRows()) {
    out["first"] = (*rows)[0];
    out["count"] = (*rows)[1] - (*rows)[0];
  }
  return out;
}

json::Object Writer::loopWhile(neuro::WhileOp op) {
  json::Object out{{"op", "while"},
                   {"until", op.getUntil()},
                   {"max", int64_t(op.getMax())},
                   {"body_first", op.getBodyFirst()}};
  out["condition"] = steps(op.getCondition().front());
  out["body"] = steps(op.getBody().front());
  return out;
}

std::optional<json::Object> Writer::hostStep(Operation *op) {
  json::Object out;
  if (auto literal = dyn_cast<neuro::LiteralOp>(op)) {
    auto type = cast<ShapedType>(literal.getValues().getType());
    json::Array shape, values;
    for (int64_t extent : type.getShape())
      shape.push_back(extent);
    for (double value : neuro::toDoubles(literal.getValues()))
      values.push_back(std::isfinite(value) ? json::Value(value)
                                            : json::Value(nullptr));
    out = json::Object{{"op", "literal"},
           {"out", registerOf(literal.getResult())},
           {"shape", std::move(shape)},
           {"values", std::move(values)}};
  } else if (auto step = dyn_cast<neuro::ReadOp>(op)) {
    out = read(step);
  } else if (auto step = dyn_cast<neuro::CalcOp>(op)) {
    json::Array in;
    for (Value operand : step.getOperands())
      in.push_back(registerOf(operand));
    out = json::Object{{"op", "calc"},
           {"function", step.getFunction()},
           {"in", std::move(in)},
           {"out", registerOf(step.getResult())}};
    if (auto options = step.getOptions())
      out["axis"] = (*options)[0];
  } else if (auto step = dyn_cast<neuro::StoreOp>(op)) {
    out = json::Object{{"op", "store"},
           {"value", registerOf(step.getValue())},
           {"into", neuro::stringifyHostKind(step.getInto())},
           {"target", step.getTarget()}};
    if (step.getInto() == neuro::HostKind::Table)
      tables.push_back(step.getTarget().str());
    if (auto variable = step.getVariable())
      out["state"] = *variable;
    if (step.getClamp())
      out["clamp"] = true;
  } else if (auto step = dyn_cast<neuro::IfOp>(op)) {
    out = json::Object{{"op", "if"},
           {"condition", registerOf(step.getCondition())},
           {"body", steps(step.getBody().front())}};
    if (!step.getOtherwise().empty())
      out["else"] = steps(step.getOtherwise().front());
  } else if (auto step = dyn_cast<neuro::WhileOp>(op)) {
    out = loopWhile(step);
  } else if (auto step = dyn_cast<neuro::StreamOp>(op)) {
    out = stream(step);
  } else {
    return std::nullopt;
  }
  place(out, op);
  return out;
}

json::Array Writer::steps(Block &block) {
  json::Array list;
  for (Operation &op : block)
    if (std::optional<json::Object> object = step(&op))
      list.push_back(std::move(*object));
  return list;
}

Failure buildProtocol(neuro::ExperimentOp experiment, neuro::NetworkOp network,
                      json::Object &protocol) {
  Writer writer(network);
  protocol["name"] = experiment.getSymName();
  protocol["steps"] = writer.steps(experiment.getBody().front());
  if (!writer.expectations.empty())
    protocol["expect"] = std::move(writer.expectations);
  return {};
}

} // namespace neuroc::driver
