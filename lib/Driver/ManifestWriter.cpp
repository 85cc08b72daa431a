// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shared part of a program's manifest (docs/container.md), read off a
// module in core normal form: what exists, under which names, in which shape.
// Lists are in IR order; engines number probes by that of "probes".
#include "Model.h"

#include "neuroc/Neuro/Analysis/Values.h"
#include "neuroc/rt/Npy.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Path.h"

using namespace mlir;
namespace json = llvm::json;

namespace neuroc::driver {

static json::Array toJson(ArrayRef<int64_t> shape) {
  json::Array array;
  for (int64_t extent : shape)
    array.push_back(extent);
  return array;
}

static bool isSpikes(Value signal) {
  return cast<RankedTensorType>(signal.getType()).getElementType().isInteger(1);
}
static ArrayRef<int64_t> shapeOf(Value signal) {
  return cast<RankedTensorType>(signal.getType()).getShape();
}

/// "dense", "all_to_all", …: the name of the layout's attribute.
static std::string layoutName(neuro::WeightOp weight) {
  return llvm::TypeSwitch<Attribute, std::string>(weight.getConnect())
      .Case<neuro::DenseConnectAttr>([](auto) { return "dense"; })
      .Case<neuro::AllToAllAttr>([](auto) { return "all_to_all"; })
      .Case<neuro::OneToOneAttr>([](auto) { return "one_to_one"; })
      .Case<neuro::ListConnectAttr>([](auto) { return "list"; })
      .Case<neuro::FixedProbabilityAttr>(
          [](auto) { return "fixed_probability"; })
      .Case<neuro::FixedInDegreeAttr>([](auto) { return "fixed_indegree"; })
      .Case<neuro::FixedOutDegreeAttr>([](auto) { return "fixed_outdegree"; })
      .Case<neuro::ConvAttr>([](auto) { return "conv"; })
      .Default([](Attribute) { return "other"; });
}

/// Seen from outside, what exists in every lane has one more dimension.
static json::Array inLanes(neuro::NetworkOp network, ArrayRef<int64_t> shape) {
  json::Array list;
  if (int64_t(network.getBatch()) > 1)
    list.push_back(int64_t(network.getBatch()));
  for (int64_t extent : shape)
    list.push_back(extent);
  return list;
}

static json::Object probeObject(neuro::ProbeOp probe,
                                neuro::NetworkOp network) {
  json::Object object{
      {"name", probe.getSymName()},
      {"kind", isSpikes(probe.getInput()) ? "spikes" : "values"},
      {"shape", inLanes(network, shapeOf(probe.getInput()))},
      {"every", int64_t(probe.getEvery())}};
  if (auto label = probe.getLabel())
    object["label"] = *label;
  if (probe.getOutput())
    object["output"] = true;
  return object;
}

static json::Object watchObject(neuro::WatchOp watch,
                                neuro::NetworkOp network) {
  json::Array shape;
  if (auto population = dyn_cast_or_null<neuro::PopulationOp>(
          SymbolTable::lookupSymbolIn(network, watch.getPopulation())))
    shape = inLanes(network, population.getShape());
  return json::Object{{"name", watch.getSymName()},
          {"kind", "values"},
          {"shape", std::move(shape)},
          {"every", int64_t(watch.getEvery())}};
}

static json::Object populationObject(neuro::PopulationOp population,
                                     neuro::NetworkOp network) {
  json::Array states;
  if (neuro::ModelOp model = population.getModelOp())
    for (auto state : model.list<neuro::StateOp>())
      states.push_back(state.getSymName());
  return json::Object{{"name", population.getSymName()},
          {"model", population.getModel()},
          {"shape", inLanes(network, population.getShape())},
          {"states", std::move(states)}};
}

json::Object buildManifest(const Subject &subject, ModuleOp core) {
  neuro::NetworkOp network = subject.network;
  json::Array populations, stimuli, probes, weights, plastics;
  for (Operation &op : network.getBody().front()) {
    if (auto population = dyn_cast<neuro::PopulationOp>(op)) {
      populations.push_back(populationObject(population, network));
    } else if (auto stimulus = dyn_cast<neuro::StimulusOp>(op)) {
      json::Object object{
          {"name", stimulus.getSymName()},
          {"kind", isSpikes(stimulus.getOutput()) ? "spikes" : "values"},
          {"shape", inLanes(network, shapeOf(stimulus.getOutput()))}};
      if (auto label = stimulus.getLabel())
        object["label"] = *label;
      stimuli.push_back(std::move(object));
    } else if (auto probe = dyn_cast<neuro::ProbeOp>(op)) {
      probes.push_back(probeObject(probe, network));
    } else if (auto watch = dyn_cast<neuro::WatchOp>(op)) {
      probes.push_back(watchObject(watch, network));
    } else if (auto weight = dyn_cast<neuro::WeightOp>(op)) {
      weights.push_back(json::Object{{"name", weight.getSymName()},
                                     {"layout", layoutName(weight)},
                                     {"pre", toJson(weight.getPre())},
                                     {"post", toJson(weight.getPost())}});
    } else if (auto plastic = dyn_cast<neuro::PlasticOp>(op)) {
      json::Array states;
      if (neuro::RuleOp rule = plastic.getRuleOp())
        for (auto state : rule.list<neuro::StateOp>())
          states.push_back(state.getSymName());
      plastics.push_back(json::Object{{"name", plastic.getSymName()},
                                      {"weight", plastic.getWeight()},
                                      {"states", std::move(states)}});
    }
  }
  return json::Object{{"network", network.getSymName()},
          {"dt_ms", network.getDt().convertToDouble()},
          {"seed", int64_t(network.getSeed())},
          {"batch", int64_t(network.getBatch())},
          {"populations", std::move(populations)},
          {"stimuli", std::move(stimuli)},
          {"probes", std::move(probes)},
          {"weights", std::move(weights)},
          {"plastics", std::move(plastics)}};
}

/// The values of a dataset, from the IR or from its file.
static Failure readDataset(neuro::DatasetOp dataset, StringRef folder,
                           rt::Array &array) {
  if (auto values = dataset.getValues()) {
    auto type = cast<ShapedType>(values->getType());
    array.shape.assign(type.getShape().begin(), type.getShape().end());
    array.values = neuro::toDoubles(*values);
    return {};
  }
  llvm::SmallString<128> path(*dataset.getFile());
  if (llvm::sys::path::is_relative(path)) {
    // Beside the file that names it.
    llvm::SmallString<128> full(folder);
    if (auto loc = dyn_cast<FileLineColLoc>(dataset.getLoc()))
      full = llvm::sys::path::parent_path(loc.getFilename().getValue());
    llvm::sys::path::append(full, path);
    path = full;
  }
  if (rt::Status status = rt::readArrayFile(path.str().str(), array); !status) {
    emitError(dataset.getLoc())
        << "dataset '" << dataset.getSymName()
        << "' cannot be read: " << status.message();
    return {Nc::CannotRead, "dataset '" + dataset.getSymName().str() +
                                "' cannot be read"};
  }
  return {};
}

Failure buildDatasets(ModuleOp module, StringRef folder, json::Object &manifest,
                      std::vector<ProgramMember> &members) {
  json::Array list;
  std::vector<neuro::DatasetOp> datasets; // beside or inside the network
  module.walk([&](neuro::DatasetOp op) { datasets.push_back(op); });
  for (neuro::DatasetOp dataset : datasets) {
    rt::Array array;
    if (Failure f = readDataset(dataset, folder, array))
      return f;
    std::string member = "data/" + dataset.getSymName().str() + ".npy";
    json::Array shape = toJson(array.shape);
    members.push_back({member, rt::writeNpy(array)});
    list.push_back(json::Object{{"name", dataset.getSymName()},
                                {"shape", std::move(shape)},
                                {"member", member}});
  }
  manifest["datasets"] = std::move(list);
  return {};
}

} // namespace neuroc::driver
