// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `neuroc inspect`: populations, weights, inputs and outputs of a model, or
// target, members and names of a compiled program, from the same manifest.
#include "Commands.h"

#include "neuroc/Neuro/Analysis/Connectivity.h"

#include "llvm/Support/Path.h"

namespace json = llvm::json;

namespace neuroc::driver {

static std::string shapeText(const json::Object &object, const char *key) {
  std::string text;
  if (const json::Array *shape = object.getArray(key))
    for (const json::Value &extent : *shape)
      text += (text.empty() ? "" : "x") +
              std::to_string(extent.getAsInteger().value_or(0));
  return text.empty() ? "1" : text;
}

static std::string textOf(const json::Object &object, const char *key) {
  if (auto text = object.getString(key))
    return text->str();
  if (auto number = object.getNumber(key))
    return formatNumber(*number, 12);
  return "";
}

static void printList(const json::Object &root, const char *key,
                      const char *title, std::vector<const char *> columns,
                      llvm::raw_ostream &out) {
  const json::Array *list = root.getArray(key);
  if (!list || list->empty())
    return;
  out << "\n";
  TextTable table;
  std::vector<std::string> heading = {title};
  heading.insert(heading.end(), columns.begin() + 1, columns.end());
  table.row(std::move(heading));
  for (const json::Value &value : *list) {
    const json::Object *object = value.getAsObject();
    if (!object)
      continue;
    std::vector<std::string> cells;
    for (const char *column : columns)
      cells.push_back(object->getArray(column) ? shapeText(*object, column)
                                               : textOf(*object, column));
    table.row(std::move(cells));
  }
  table.print(out);
}

static void printManifest(const json::Object &root, llvm::raw_ostream &out) {
  auto line = [&](const char *title, const char *key) {
    if (std::string text = textOf(root, key); !text.empty())
      out << llvm::left_justify(title, 12) << text << "\n";
  };
  line("network", "network");
  line("target", "target");
  line("machine", "machine");
  line("compiler", "compiler");
  line("dt", "dt_ms");
  line("seed", "seed");
  line("neurons", "neurons");
  line("synapses", "synapses");
  printList(root, "populations", "population", {"name", "shape", "model"}, out);
  printList(root, "weights", "weight",
            {"name", "layout", "pre", "post", "synapses"}, out);
  printList(root, "plastics", "plasticity", {"name", "weight"}, out);
  printList(root, "stimuli", "input", {"name", "label", "kind", "shape"}, out);
  printList(root, "probes", "probe", {"name", "label", "kind", "shape"}, out);
  printList(root, "datasets", "dataset", {"name", "shape"}, out);
  printList(root, "members", "member", {"name", "size", "sha256"}, out);
  if (const json::Object *experiment = root.getObject("experiment"))
    if (auto name = experiment->getString("name"))
      out << "\nexperiment  " << *name << "\n";
}

/// Totals that are worth knowing before compiling for a machine.
static Failure addTotals(Model &model, neuro::NetworkOp network,
                         json::Object &root) {
  int64_t neurons = 0, synapses = 0;
  for (auto population :
       network.getBody().front().getOps<neuro::PopulationOp>())
    neurons += population.getNumUnits();
  json::Array *weights = root.getArray("weights");
  size_t index = 0;
  for (auto weight : network.getBody().front().getOps<neuro::WeightOp>()) {
    auto expanded = neuro::expandWeight(weight);
    if (mlir::failed(expanded))
      return {Nc::BadStructure,
              model.path().str() + ": the network is not well-formed"};
    int64_t count = int64_t(expanded->values.size());
    synapses += count;
    if (weights && index < weights->size())
      if (json::Object *object = (*weights)[index].getAsObject())
        (*object)["synapses"] = count;
    ++index;
  }
  root["neurons"] = neurons;
  root["synapses"] = synapses;
  return {};
}

Failure inspectCommand(const Options &options) {
  const std::string &path = options.operands[0];
  FileKind kind;
  if (Failure f = classify(path, options, kind))
    return f;
  json::Object root;
  if (kind == FileKind::Program) {
    std::string bytes;
    if (Failure f = readInput(path, bytes))
      return f;
    std::shared_ptr<const rt::Container> program;
    if (rt::Status s = rt::Container::read(rt::asBytes(bytes), path, program);
        !s)
      return Failure(s);
    llvm::Expected<json::Value> parsed = json::parse(program->manifest());
    if (!parsed)
      return {Nc::BadProgram, path + ": " + llvm::toString(parsed.takeError())};
    if (json::Object *object = parsed->getAsObject())
      root = std::move(*object);
  } else {
    std::unique_ptr<Model> model;
    if (Failure f = Model::load(path, options, model))
      return f;
    mlir::OwningOpRef<mlir::ModuleOp> core;
    if (Failure f = model->toCore(nullptr, options, core))
      return f;
    Subject subject;
    if (Failure f = findSubject(*core, options.experiment, subject))
      return f;
    root = buildManifest(subject, *core);
    std::vector<ProgramMember> members;
    if (Failure f = buildDatasets(
            *core, llvm::sys::path::parent_path(path), root, members))
      return f;
    if (subject.experiment) {
      json::Object protocol;
      if (Failure f =
              buildProtocol(subject.experiment, subject.network, protocol))
        return f;
      root["experiment"] = std::move(protocol);
    }
    if (Failure f = addTotals(*model, subject.network, root))
      return f;
  }
  if (options.json)
    llvm::outs() << llvm::formatv("{0:2}\n", json::Value(std::move(root)));
  else
    printManifest(root, llvm::outs());
  return {};
}

} // namespace neuroc::driver
