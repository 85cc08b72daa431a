// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds nodes for what Raiser.cpp found: weights with their projections,
// models with their populations. Names come from the operations' locations.
#include "Raiser.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::raise;

int Raiser::addSource(Value value) {
  auto [entry, inserted] = sourceOf.insert({value, int(sources.size())});
  if (inserted) {
    auto type = cast<RankedTensorType>(value.getType());
    Source source{value, type.getNumElements(), -1, {}, neuro::Combine::Sum, {},
                  {},    value.getLoc()};
    sources.push_back(std::move(source));
  }
  return entry->second;
}

/// The text between quotes in a name location (`Gemm 'fc1' (node 3)`), or the
/// first word of it; empty without a name.
static std::string nameOf(Location loc) {
  std::string result;
  loc->walk([&](Location inner) {
    auto named = dyn_cast<NameLoc>(inner);
    if (!named)
      return WalkResult::advance();
    StringRef text = named.getName().getValue();
    StringRef quoted = text.split('\'').second.split('\'').first;
    StringRef word = quoted.empty() ? text.split(' ').first : quoted;
    for (char c : word)
      result += llvm::isAlnum(c) || c == '_' ? c : '_';
    return WalkResult::interrupt();
  });
  if (!result.empty() && llvm::isDigit(result.front()))
    result.insert(0, "n");
  return result;
}

std::string Raiser::uniqueName(Location loc, StringRef suffix) {
  std::string base = nameOf(loc);
  if (base.empty())
    base = "raised";
  base += suffix;
  std::string name = base;
  for (unsigned i = 1; !names.insert(name).second; ++i)
    name = base + "_" + std::to_string(i);
  return name;
}

/// The compact form of a list of synapses.
struct Layout {
  Attribute connect;
  DenseElementsAttr values;
  SmallVector<int64_t, 4> pre, post;
};

static Layout chooseLayout(MLIRContext *context, const Source &source,
                           int64_t units) {
  Builder b(context);
  Type f32 = b.getF32Type();
  Layout layout;
  int64_t posts = source.units, count = source.synapses.size();
  auto values = [&](ArrayRef<int64_t> shape, ArrayRef<float> data) {
    return DenseElementsAttr::get(RankedTensorType::get(shape, f32), data);
  };
  if (source.window)
    if (auto conv =
            findConvolution(source.synapses, units, posts, *source.window)) {
      auto list = [&](ArrayRef<int64_t> l) {
        return b.getDenseI64ArrayAttr(l);
      };
      layout.connect = neuro::ConvAttr::get(
          context, list(conv->kernel), list(conv->strides), list(conv->pads),
          list(conv->dilations), conv->groups);
      layout.values = values({conv->post[0], conv->pre[0] / conv->groups,
                              conv->kernel[0], conv->kernel[1]},
                             conv->values);
      layout.pre.assign(conv->pre.begin(), conv->pre.end());
      layout.post.assign(conv->post.begin(), conv->post.end());
      return layout;
    }
  layout.pre = {units};
  layout.post = {posts};
  bool oneToOne = units == posts && count == units;
  for (int64_t i = 0; oneToOne && i < count; ++i)
    oneToOne = source.synapses[i].pre == i && source.synapses[i].post == i;
  std::vector<float> data;
  if (oneToOne) {
    for (const Synapse &synapse : source.synapses)
      data.push_back(float(synapse.weight));
    layout.connect = neuro::OneToOneAttr::get(context);
    layout.values = values({posts}, data);
    return layout;
  }
  // A zero adds nothing to a sum but is a candidate of a maximum, so only sums
  // may be filled up to a dense matrix.
  bool full = count == units * posts;
  bool sum = source.combine == neuro::Combine::Sum;
  if (full || (sum && count * 2 >= units * posts)) {
    data.assign(units * posts, 0);
    for (const Synapse &synapse : source.synapses)
      data[synapse.post * units + synapse.pre] = float(synapse.weight);
    layout.connect = neuro::DenseConnectAttr::get(context);
    layout.values = values({posts, units}, data);
    return layout;
  }
  std::vector<int64_t> pairs;
  for (const Synapse &synapse : source.synapses) {
    if (sum && synapse.weight == 0)
      continue;
    pairs.push_back(synapse.pre);
    pairs.push_back(synapse.post);
    data.push_back(float(synapse.weight));
  }
  layout.connect = neuro::ListConnectAttr::get(
      context,
      cast<DenseIntElementsAttr>(DenseElementsAttr::get(
          RankedTensorType::get({int64_t(data.size()), 2}, b.getI64Type()),
          ArrayRef(pairs))));
  layout.values = values({int64_t(data.size())}, data);
  return layout;
}

Value Raiser::buildProjection(Source &source) {
  Value from = signalOf(source.from);
  MLIRContext *context = network.getContext();
  OpBuilder builder(context);
  Layout layout = chooseLayout(context, source, sources[source.from].units);
  std::string name = uniqueName(source.loc, "_weight");
  builder.setInsertionPoint(before);
  OperationState weight(source.loc, neuro::WeightOp::getOperationName());
  weight.addAttribute("sym_name", builder.getStringAttr(name));
  weight.addAttribute("pre", builder.getDenseI64ArrayAttr(layout.pre));
  weight.addAttribute("post", builder.getDenseI64ArrayAttr(layout.post));
  weight.addAttribute("connect", layout.connect);
  weight.addAttribute("values", layout.values);
  builder.create(weight);
  OperationState project(source.loc, neuro::ProjectOp::getOperationName());
  project.addOperands(from);
  project.addTypes(RankedTensorType::get(source.shape, builder.getF32Type()));
  project.addAttribute("weight", FlatSymbolRefAttr::get(context, name));
  project.addAttribute("combine",
                       neuro::CombineAttr::get(context, source.combine));
  project.addRegion();
  return builder.create(project)->getResult(0);
}

Value Raiser::signalOf(int index) {
  if (!sources[index].value) {
    Value value = buildProjection(sources[index]);
    sources[index].value = value;
    sourceOf[value] = index;
    sources[index].synapses.clear();
  }
  return sources[index].value;
}

/// True if the elements are units 0, 1, … of one signal of that size.
static bool isDirect(const Elements &elements,
                     const std::vector<Source> &sources) {
  if (elements.empty() || elements[0].source < 0)
    return false;
  int source = elements[0].source;
  if (sources[source].units != int64_t(elements.size()))
    return false;
  for (size_t i = 0; i < elements.size(); ++i)
    if (elements[i].source != source || elements[i].index != int64_t(i))
      return false;
  return true;
}

Value Raiser::buildPopulation(Expression &expression, ArrayRef<int64_t> shape,
                              bool exclusive, Location loc) {
  MLIRContext *context = network.getContext();
  OpBuilder builder(context);
  int64_t units = neuro::countUnits(shape);
  Block &block = *expression.block;

  // Where each argument's varying part comes from.
  struct Port {
    SmallVector<Value> signals;
    bool used = false;
  };
  std::vector<Port> ports(expression.arguments.size());
  for (auto [port, elements] : llvm::zip(ports, expression.arguments)) {
    port.used = llvm::any_of(elements, [](auto &e) { return e.source >= 0; });
    if (!port.used)
      continue;
    if (isDirect(elements, sources)) {
      Source &source = sources[elements[0].source];
      bool positive =
          llvm::all_of(elements, [](auto &e) { return e.scale > 0; });
      if (!source.value && exclusive &&
          (positive || source.combine == neuro::Combine::Sum)) {
        // Nobody else reads this projection: its weights take the scale, if
        // that does not cost it the layout of a convolution.
        std::vector<Synapse> scaled = source.synapses;
        for (Synapse &synapse : scaled)
          synapse.weight *= elements[synapse.post].scale;
        int64_t pre = sources[source.from].units;
        bool wasConv =
            source.window &&
            findConvolution(source.synapses, pre, source.units, *source.window);
        if (!wasConv ||
            findConvolution(scaled, pre, source.units, *source.window)) {
          source.synapses = std::move(scaled);
          for (Element &e : elements)
            e.scale = 1;
        }
      }
      port.signals.push_back(signalOf(elements[0].source));
      continue;
    }
    std::map<int, std::vector<Synapse>> gathers;
    for (auto [unit, e] : llvm::enumerate(elements))
      if (e.source >= 0)
        gathers[e.source].push_back({e.index, int64_t(unit), e.scale});
    for (auto &[from, synapses] : gathers) {
      Source gather{
          {}, units,        from, std::move(synapses), neuro::Combine::Sum,
          {}, Shape(shape), loc};
      port.signals.push_back(buildProjection(gather));
    }
    for (Element &e : elements)
      e.scale = 1;
  }

  // The model: inputs, per-unit parameters, one stage.
  ModuleOp module = network->getParentOfType<ModuleOp>();
  std::string name = uniqueName(loc, "");
  std::string modelName = name + "_model";
  for (unsigned i = 1; module.lookupSymbol(modelName); ++i)
    modelName = name + "_model_" + std::to_string(i);
  builder.setInsertionPoint(network);
  OperationState modelState(loc, neuro::ModelOp::getOperationName());
  modelState.addAttribute("sym_name", builder.getStringAttr(modelName));
  modelState.addRegion()->push_back(new Block);
  auto model = cast<neuro::ModelOp>(builder.create(modelState));
  OpBuilder declare = atEnd(model.getBody().front(), context);
  OperationState stageState(loc, neuro::StageOp::getOperationName());
  stageState.addAttribute("sym_name", builder.getStringAttr("apply"));
  stageState.addRegion()->push_back(new Block);
  Operation *stage = Operation::create(stageState);
  OpBuilder code = atEnd(stage->getRegion(0).front(), context);
  auto get = [&](StringRef symbol) -> Value {
    OperationState state(loc, neuro::GetOp::getOperationName());
    state.addAttribute("name", FlatSymbolRefAttr::get(context, symbol));
    state.addTypes(builder.getF64Type());
    return code.create(state)->getResult(0);
  };
  SmallVector<NamedAttribute> params;
  auto perUnit = [&](const std::vector<double> &values,
                     StringRef symbol) -> Value {
    if (llvm::all_equal(values))
      return arith::ConstantOp::create(
          code, loc, builder.getF64FloatAttr(values.empty() ? 0 : values[0]));
    OperationState state(loc, neuro::ParamOp::getOperationName());
    state.addAttribute("sym_name", builder.getStringAttr(symbol));
    state.addAttribute("value", builder.getF64FloatAttr(0));
    declare.create(state);
    params.push_back(builder.getNamedAttr(
        symbol, DenseElementsAttr::get(
                    RankedTensorType::get({units}, builder.getF64Type()),
                    ArrayRef(values))));
    return get(symbol);
  };
  SmallVector<Value> operands;
  SmallVector<Attribute> portNames;
  IRMapping mapping;
  for (auto [n, elements] : llvm::enumerate(expression.arguments)) {
    std::string number = std::to_string(n);
    std::vector<double> scales, offsets;
    bool scales1 = true, offsets0 = true;
    for (const Element &e : elements) {
      scales.push_back(e.source < 0 ? 1 : e.scale);
      offsets.push_back(e.offset);
      scales1 &= scales.back() == 1;
      offsets0 &= e.offset == 0;
    }
    Value value;
    if (ports[n].used) {
      OperationState input(loc, neuro::InputOp::getOperationName());
      input.addAttribute("sym_name", builder.getStringAttr("x" + number));
      declare.create(input);
      for (Value signal : ports[n].signals) {
        operands.push_back(signal);
        portNames.push_back(builder.getStringAttr("x" + number));
      }
      value = get("x" + number);
      if (!scales1)
        value = arith::MulFOp::create(code, loc, value,
                                      perUnit(scales, "scale" + number));
    }
    if (!value)
      value = perUnit(offsets, "constant" + number);
    else if (!offsets0)
      value = arith::AddFOp::create(code, loc, value,
                                    perUnit(offsets, "offset" + number));
    mapping.map(block.getArgument(n), value);
  }
  for (Operation &op : block)
    code.clone(op, mapping);
  OperationState output(loc, neuro::OutputOp::getOperationName());
  output.addAttribute("sym_name", builder.getStringAttr("y"));
  output.addAttribute("type", TypeAttr::get(builder.getF64Type()));
  declare.create(output);
  OperationState emit(loc, neuro::EmitOp::getOperationName());
  emit.addAttribute("name", FlatSymbolRefAttr::get(context, "y"));
  emit.addOperands(mapping.lookup(expression.result));
  code.create(emit);
  declare.insert(stage);

  builder.setInsertionPoint(before);
  OperationState population(loc, neuro::PopulationOp::getOperationName());
  population.addAttribute("sym_name", builder.getStringAttr(name));
  population.addAttribute("model", FlatSymbolRefAttr::get(context, modelName));
  population.addAttribute("shape", builder.getDenseI64ArrayAttr(shape));
  population.addOperands(operands);
  if (!portNames.empty())
    population.addAttribute("ports", builder.getArrayAttr(portNames));
  if (!params.empty())
    population.addAttribute("params", builder.getDictionaryAttr(params));
  population.addTypes(RankedTensorType::get(shape, builder.getF32Type()));
  return builder.create(population)->getResult(0);
}

Value Raiser::materialize(Lazy &value) {
  if (value.expression) {
    Value signal = buildPopulation(*value.expression, value.shape,
                                   value.exclusive, value.loc);
    value.expression.reset();
    value.elements.clear();
    int source = addSource(signal);
    for (int64_t i = 0, n = neuro::countUnits(value.shape); i < n; ++i)
      value.elements.push_back({source, i, 1, 0});
    return signal;
  }
  bool plain = isDirect(value.elements, sources) &&
               llvm::all_of(value.elements, [](const Element &e) {
                 return e.scale == 1 && e.offset == 0;
               });
  if (plain) {
    Source &source = sources[value.elements[0].source];
    if (!source.value)
      source.shape = value.shape;
    Value signal = signalOf(value.elements[0].source);
    if (cast<RankedTensorType>(signal.getType()).getShape() ==
        ArrayRef<int64_t>(value.shape))
      return signal;
  }
  // A relay with the scale and the offset, or for another shape.
  auto expression = std::make_shared<Expression>();
  expression->block = std::make_unique<Block>();
  expression->arguments.push_back(value.elements);
  expression->result = expression->block->addArgument(
      Float64Type::get(network.getContext()), value.loc);
  value.expression = std::move(expression);
  return materialize(value);
}
