// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a parsed graph to tensor operations. Nodes are visited in a topological
// order; each is translated by its operator's function, and if all its inputs
// are constants the result is computed at once and the operations are erased,
// so that shape plumbing leaves no trace. Model-local functions are inlined.
#include "Importer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/MapVector.h"

#include <queue>
#include <set>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::onnx;

const std::map<std::string, Translation, std::less<>> &
neuroc::onnx::translations() {
  static const auto table = [] {
    std::map<std::string, Translation, std::less<>> map;
    addMathOperators(map);
    addShapeOperators(map);
    addWindowOperators(map);
    return map;
  }();
  return table;
}

static std::string prefixOf(Location loc) {
  auto named = dyn_cast<NameLoc>(loc);
  return named ? named.getName().str() + ": " : "";
}

InFlightDiagnostic neuroc::onnx::namedError(Location loc) {
  return std::move(emitError(loc) << prefixOf(loc));
}

InFlightDiagnostic neuroc::onnx::namedRemark(Location loc) {
  return std::move(emitRemark(loc) << prefixOf(loc));
}

std::string neuroc::onnx::symbolName(StringRef name, StringRef otherwise) {
  std::string result;
  for (char c : name)
    result += llvm::isAlnum(c) || c == '_' ? c : '_';
  while (!result.empty() && result.front() == '_')
    result.erase(result.begin());
  if (result.empty())
    return otherwise.str();
  if (llvm::isDigit(result.front()))
    result.insert(0, "n");
  return result;
}

GraphImporter::GraphImporter(const Model &model, MLIRContext &context,
                             const OnnxImportOptions &options, std::string file,
                             std::string directory)
    : model(model), context(context), options(options), file(std::move(file)),
      fileLoc(FileLineColLoc::get(&context, this->file, 0, 0)),
      reader(context, std::move(directory)) {}

Location GraphImporter::nodeLoc(const Node &node, size_t index,
                                StringRef prefix) const {
  std::string text =
      (prefix + node.op + " '" + node.name + "' (node " + Twine(index) + ")")
          .str();
  return NameLoc::get(StringAttr::get(&context, text), fileLoc);
}

const Function *GraphImporter::findFunction(const Node &node) const {
  for (const Function &function : model.functions)
    if (function.name == node.op && function.domain == node.domain)
      return &function;
  return nullptr;
}

LogicalResult GraphImporter::checkOperators() {
  llvm::MapVector<std::pair<StringRef, StringRef>,
                  std::pair<unsigned, std::pair<Location, int64_t>>>
      unknown;
  std::set<const Function *> seen;
  std::function<void(const std::vector<Node> &, const Opsets &, std::string)>
      visit = [&](const std::vector<Node> &nodes, const Opsets &opsets,
                  std::string prefix) {
        for (auto [index, node] : llvm::enumerate(nodes)) {
          if (const Function *function = findFunction(node)) {
            if (seen.insert(function).second)
              visit(function->nodes, function->opsets,
                    prefix + function->name.str() + "/");
            continue;
          }
          if (node.domain.empty() && translations().count(node.op))
            continue;
          auto found = opsets.find(node.domain);
          int64_t opset = found == opsets.end() ? 0 : found->second;
          auto [entry, inserted] =
              unknown.insert({{node.domain, node.op},
                              {0, {nodeLoc(node, index, prefix), opset}}});
          ++entry->second.first;
        }
      };
  visit(model.graph.nodes, model.opsets, "");
  for (auto &[key, value] : unknown) {
    auto &[count, first] = value;
    namedError(first.first)
        << "operator '" << key.second << "' (domain '"
        << (key.first.empty() ? StringRef("ai.onnx") : key.first) << "', opset "
        << first.second << ") is not supported; the model has " << count
        << " such node" << (count == 1 ? "" : "s") << ", the first is this one";
  }
  if (!unknown.empty())
    return failure();
  if (model.graph.sparseInitializers)
    return emitError(fileLoc) << "the graph has sparse initializers, which are "
                                 "not supported: store them dense";
  bool anyDefault = llvm::any_of(
      model.graph.nodes, [](const Node &node) { return node.domain.empty(); });
  auto opset = model.opsets.find("");
  if (opset == model.opsets.end() && anyDefault)
    return emitError(fileLoc)
           << "the model imports no operator set of the default domain (the "
              "file may be cut off)";
  if (opset != model.opsets.end() && opset->second > 25)
    emitRemark(fileLoc) << "operator set " << opset->second
                        << " is newer than the newest known (25): changed "
                           "operators would be read as of 25";
  return success();
}

FailureOr<std::vector<GraphImporter::Input>> GraphImporter::prepare() {
  if (failed(checkOperators()))
    return failure();
  bool ok = true;
  for (const Tensor &tensor : model.graph.initializers) {
    DenseElementsAttr value = reader.read(tensor, fileLoc);
    if (!value) {
      ok = false;
      continue;
    }
    if (!scope
             .insert({tensor.name,
                      {{},
                       value,
                       tensor.kind,
                       cast<RankedTensorType>(value.getType())}})
             .second) {
      emitError(fileLoc) << "two initializers are named '" << tensor.name
                         << "'";
      ok = false;
    }
  }
  llvm::StringSet<> names;
  for (const ValueInfo &info : model.graph.inputs) {
    Location loc = NameLoc::get(
        StringAttr::get(&context, "input '" + info.name.str() + "'"), fileLoc);
    if (scope.count(info.name) && !names.count(info.name)) {
      names.insert(info.name);
      continue; // an initializer listed as an input: a parameter
    }
    auto fail = [&](const Twine &message) {
      namedError(loc) << message;
      ok = false;
    };
    if (!names.insert(info.name).second) {
      fail("the graph has two inputs of this name");
      continue;
    }
    if (!info.isTensor) {
      fail("is not a tensor: sequences, maps and optional values are not "
           "supported");
      continue;
    }
    Type element = onnxElementType(context, info.kind);
    if (!element) {
      fail("element type " + elementName(info.kind) + " is not supported");
      continue;
    }
    Shape shape;
    auto given = options.inputShapes.find(info.name.str());
    if (given != options.inputShapes.end()) {
      shape.assign(given->second.begin(), given->second.end());
    } else if (!info.hasShape) {
      fail("has no shape in the file: give one (input shape option)");
      continue;
    } else {
      for (const Dim &dim : info.dims) {
        bool known = dim.value && (*dim.value > 0 || dim.symbol.empty());
        if (known && *dim.value >= 0) {
          shape.push_back(*dim.value);
          continue;
        }
        auto bound = options.dims.find(dim.symbol.str());
        shape.push_back(bound == options.dims.end() ? options.defaultDim
                                                    : bound->second);
        if (bound == options.dims.end())
          namedRemark(loc) << "dimension '" << dim.symbol << "' is taken to be "
                           << options.defaultDim;
      }
    }
    int64_t count = 1;
    for (int64_t dim : shape) {
      if (dim < 0 || (dim && count > (int64_t(1) << 40) / dim)) {
        fail("extent " + Twine(dim) + " is not possible");
        shape.clear();
        break;
      }
      count *= dim;
    }
    auto type = RankedTensorType::get(shape, element);
    auto frozen = options.frozenInputs.find(info.name.str());
    if (frozen != options.frozenInputs.end()) {
      if (frozen->second.getElementType() != element ||
          (!info.dims.empty() && frozen->second.getType() != type)) {
        fail("the frozen value has another type than the input");
        continue;
      }
      scope[info.name] = {{},
                          frozen->second,
                          info.kind,
                          cast<RankedTensorType>(frozen->second.getType())};
      continue;
    }
    if (info.kind == Double)
      namedRemark(loc) << "double precision is computed as f32";
    inputs.push_back({info.name, info.kind, type, loc});
  }
  if (!ok || failed(checkOptions()))
    return failure();
  return inputs;
}

/// Options that name nothing in the model are mistakes.
LogicalResult GraphImporter::checkOptions() const {
  llvm::StringSet<> names, symbols;
  for (const ValueInfo &info : model.graph.inputs) {
    names.insert(info.name);
    for (const Dim &dim : info.dims)
      if (!dim.symbol.empty())
        symbols.insert(dim.symbol);
  }
  for (auto &[name, extent] : options.dims)
    if (!symbols.count(name))
      return emitError(fileLoc)
             << "the inputs have no symbolic dimension '" << name << "'";
  for (auto &[name, shape] : options.inputShapes)
    if (!names.count(name))
      return emitError(fileLoc)
             << "there is no input '" << name << "' to give a shape to";
  for (auto &[name, frozen] : options.frozenInputs)
    if (!names.count(name))
      return emitError(fileLoc)
             << "there is no input '" << name << "' to give a value to";
  return success();
}

/// The order in which nodes can be visited, the file's own where possible.
static FailureOr<std::vector<size_t>>
topologicalOrder(const std::vector<Node> &nodes, const Scope &scope,
                 llvm::function_ref<Location(size_t)> locOf) {
  llvm::StringMap<size_t> producer;
  for (auto [index, node] : llvm::enumerate(nodes))
    for (StringRef output : node.outputs) {
      if (output.empty())
        continue;
      if (!producer.insert({output, index}).second || scope.count(output)) {
        namedError(locOf(index)) << "value '" << output << "' is defined twice";
        return failure();
      }
    }
  std::vector<unsigned> waiting(nodes.size(), 0);
  std::vector<std::vector<size_t>> users(nodes.size());
  for (auto [index, node] : llvm::enumerate(nodes))
    for (StringRef input : node.inputs) {
      if (input.empty() || scope.count(input))
        continue;
      auto found = producer.find(input);
      if (found == producer.end()) {
        namedError(locOf(index))
            << "input '" << input << "' is defined nowhere in the graph";
        return failure();
      }
      ++waiting[index];
      users[found->second].push_back(index);
    }
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (size_t i = 0; i < nodes.size(); ++i)
    if (!waiting[i])
      ready.push(i);
  std::vector<size_t> order;
  while (!ready.empty()) {
    size_t index = ready.top();
    ready.pop();
    order.push_back(index);
    for (size_t user : users[index])
      if (!--waiting[user])
        ready.push(user);
  }
  if (order.size() != nodes.size()) {
    for (size_t i = 0; i < nodes.size(); ++i)
      if (waiting[i]) {
        namedError(locOf(i)) << "the node depends on its own result: an ONNX "
                                "graph has no cycles";
        break;
      }
    return failure();
  }
  return order;
}

LogicalResult GraphImporter::foldResults(const Node &node, Scope &values,
                                         Operation *mark) {
  bool all = true;
  for (StringRef input : node.inputs)
    all &= input.empty() || bool(values[input].constant);
  Block *block = builder->getInsertionBlock();
  if (all) {
    for (StringRef output : node.outputs) {
      GraphValue &value = values[output];
      if (output.empty() || value.constant)
        continue;
      // What is larger than this is left to run time.
      bool small = value.type.getNumElements() <= (int64_t(1) << 26);
      auto host = small ? eval.evaluate(value.value) : nullptr;
      if (!host) {
        all = false;
        break;
      }
      value.constant = toAttribute(*host);
    }
  }
  if (all) {
    // Everything built for this node is now superfluous.
    for (StringRef output : node.outputs)
      if (!output.empty())
        values[output].value = {};
    for (GraphValue *value : materialised)
      value->value = {};
    eval.clear();
    while (!block->empty() && &block->back() != mark) {
      block->back().dropAllUses();
      block->back().erase();
    }
  }
  materialised.clear();
  return success();
}

LogicalResult GraphImporter::buildCall(const Node &node,
                                       const Function &function, Scope &outer,
                                       Location loc, StringRef prefix,
                                       unsigned depth) {
  if (depth > 32)
    return namedError(loc) << "function '" << function.name
                           << "' calls itself, or calls nest too deeply";
  Scope inner;
  for (auto [i, name] : llvm::enumerate(function.inputs))
    if (i < node.inputs.size() && !node.inputs[i].empty())
      inner[name] = outer[node.inputs[i]];
  // Bind references to the call's attributes; a reference without a value and
  // without a default drops the attribute.
  std::vector<Node> nodes = function.nodes;
  for (Node &each : nodes) {
    std::vector<onnx::Attribute> bound;
    for (onnx::Attribute &attribute : each.attributes) {
      if (attribute.refName.empty()) {
        bound.push_back(std::move(attribute));
        continue;
      }
      auto named = [&](const onnx::Attribute &other) {
        return other.name == attribute.refName;
      };
      auto given = llvm::find_if(node.attributes, named);
      auto fallback = llvm::find_if(function.defaults, named);
      if (given == node.attributes.end() && fallback == function.defaults.end())
        continue;
      onnx::Attribute value =
          given != node.attributes.end() ? *given : *fallback;
      value.name = attribute.name;
      bound.push_back(std::move(value));
    }
    each.attributes = std::move(bound);
    // Inputs of the function that the call leaves out are absent.
    for (StringRef &input : each.inputs)
      if (llvm::is_contained(function.inputs, input) && !inner.count(input))
        input = "";
    while (!each.inputs.empty() && each.inputs.back().empty())
      each.inputs.pop_back();
  }
  const Opsets &opsets =
      function.opsets.empty() ? model.opsets : function.opsets;
  if (failed(buildNodes(nodes, opsets, inner,
                        (prefix + function.name + "/").str(), depth + 1)))
    return failure();
  for (auto [i, name] : llvm::enumerate(function.outputs)) {
    if (i >= node.outputs.size() || node.outputs[i].empty())
      continue;
    auto found = inner.find(name);
    if (found == inner.end())
      return namedError(loc) << "function '" << function.name
                             << "' does not define its output '" << name << "'";
    outer[node.outputs[i]] = found->second;
  }
  return success();
}

/// The oldest operator set whose form of the operator is understood.
static int64_t oldestOpset(StringRef op) {
  static const llvm::StringSet<> unchanged = {
      "AveragePool", "Constant",  "Conv",       "Flatten", "GlobalAveragePool",
      "Gather",      "Identity",  "LogSoftmax", "MaxPool", "GlobalMaxPool",
      "ReduceMean",  "Shape",     "Slice",      "Softmax", "Split",
      "Squeeze",     "Transpose", "Unsqueeze"};
  return unchanged.contains(op) ? 1 : 6;
}

LogicalResult GraphImporter::buildNodes(const std::vector<Node> &nodes,
                                        const Opsets &opsets, Scope &values,
                                        StringRef prefix, unsigned depth) {
  auto locOf = [&](size_t i) { return nodeLoc(nodes[i], i, prefix); };
  auto order = topologicalOrder(nodes, values, locOf);
  if (failed(order))
    return failure();
  auto found = opsets.find("");
  int64_t opset = found == opsets.end() ? 0 : found->second;
  for (size_t index : *order) {
    const Node &node = nodes[index];
    Location loc = locOf(index);
    if (const Function *function = findFunction(node)) {
      if (failed(buildCall(node, *function, values, loc, prefix, depth)))
        return failure();
      continue;
    }
    if (opset < oldestOpset(node.op))
      return namedError(loc) << "its form of operator set " << opset
                             << " is older than the oldest supported ("
                             << oldestOpset(node.op) << "): convert the model";
    Block *block = builder->getInsertionBlock();
    Operation *mark = block->empty() ? nullptr : &block->back();
    materialised.clear();
    NodeContext node_(*this, node, values, opset, loc);
    if (failed(translations().find(node.op)->second(node_)))
      return failure();
    for (StringRef output : node.outputs)
      if (!output.empty() && !values.count(output))
        return node_.error("output '" + output +
                           "' does not exist for this operator");
    if (failed(foldResults(node, values, mark)))
      return failure();
  }
  return success();
}

FailureOr<std::vector<GraphImporter::Output>>
GraphImporter::build(OpBuilder &given, ValueRange arguments) {
  builder = &given;
  for (auto [input, argument] : llvm::zip(inputs, arguments))
    scope[input.name] = {argument, {}, input.kind, input.type};
  if (failed(buildNodes(model.graph.nodes, model.opsets, scope, "", 0)))
    return failure();
  std::vector<Output> outputs;
  for (const ValueInfo &info : model.graph.outputs) {
    Location loc = NameLoc::get(
        StringAttr::get(&context, "output '" + info.name.str() + "'"), fileLoc);
    auto found = scope.find(info.name);
    if (found == scope.end()) {
      namedError(loc) << "is defined nowhere in the graph";
      return failure();
    }
    GraphValue &value = found->second;
    if (!value.value)
      value.value = arith::ConstantOp::create(given, loc, value.constant);
    outputs.push_back({info.name, value.kind, value.value, loc});
  }
  // What nothing uses (simplified operands, results nobody asked for) goes.
  llvm::SmallPtrSet<Operation *, 8> keep;
  for (Output &output : outputs)
    if (Operation *op = output.value.getDefiningOp())
      keep.insert(op);
  for (Operation &op :
       llvm::make_early_inc_range(llvm::reverse(*given.getInsertionBlock())))
    if (isOpTriviallyDead(&op) && !keep.contains(&op))
      op.erase();
  return outputs;
}
