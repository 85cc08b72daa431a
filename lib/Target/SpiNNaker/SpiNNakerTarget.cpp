// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The SpiNNaker target: runs the mapping passes, then builds one image per
// node, fills the data of every core, and writes the container's members and
// the target's part of the manifest (docs/spinnaker.md describes both).
#include "CoreData.h"
#include "CoreEmitter.h"
#include "Link.h"
#include "neuroc/Conversion/RaiseTensors/RaiseTensors.h"

#include "neuroc/Spinn/Mapping/Routing.h"
#include "neuroc/Spinn/Passes.h"
#include "neuroc/Target/Target.h"
#include "neuroc/rt/spinn/CoreAbi.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/ErrorHandling.h"

#include <cstring>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::spinn;

namespace {

/// The probes and watches of a network in IR order, as the program lists them.
struct ProbeItem {
  Operation *op;
  std::string name;
};

class ProgramBuilder {
public:
  ProgramBuilder(ModuleOp module, const neuroc::TargetOptions &options,
                 CompiledProgram &program)
      : module(module), options(options), program(program) {}

  CompileResult build() {
    auto mappings = llvm::to_vector(module.getOps<MappingOp>());
    if (mappings.size() != 1) {
      module.emitError("expected one mapped network, found ")
          << mappings.size();
      return CompileResult::ModelError;
    }
    mapping = mappings.front();
    auto network = cast<neuro::NetworkOp>(SymbolTable::lookupNearestSymbolFrom(
        mapping->getParentOp(), mapping.getNetworkAttr()));
    FailureOr<Plan> built = Plan::build(network);
    if (failed(built))
      return CompileResult::ModelError;
    plan = std::make_unique<Plan>(std::move(*built));
    if (plan->plastics.size() > 32) {
      network.emitError("unsupported: more than 32 plastics on the SpiNNaker "
                        "target");
      return CompileResult::ModelError;
    }
    mapped = std::make_unique<MappedNetwork>(mapping, *plan);
    formats = std::make_unique<FormatTable>(mapping);
    collectProbes(network);
    collectClamps();
    return buildImages();
  }

private:
  void collectProbes(neuro::NetworkOp network) {
    for (Operation &op : network.getBody().front())
      if (isa<neuro::ProbeOp, neuro::WatchOp>(op))
        probes.push_back(
            {&op, op.getAttrOfType<StringAttr>("sym_name").getValue().str()});
  }
  void collectClamps() {
    module.walk([&](neuro::ClampOp clamp) {
      clamps[clamp.getPopulation().str()].insert(clamp.getVariable().str());
    });
    module.walk([&](neuro::StoreOp store) {
      if (store.getClamp())
        clamps[store.getTarget().str()].insert(store.getVariable()->str());
    });
  }

  std::vector<RecordItem> recordsOf(unsigned nodeIndex) {
    const Node &node = plan->nodes[nodeIndex];
    std::vector<RecordItem> records;
    for (auto [number, probe] : llvm::enumerate(probes)) {
      RecordItem item;
      item.probe = number;
      if (auto watch = dyn_cast<neuro::WatchOp>(probe.op)) {
        if (watch.getPopulation() != node.name)
          continue;
        item.isState = true;
        item.variable = watch.getVariable().str();
        item.every = watch.getEvery();
      } else {
        auto op = cast<neuro::ProbeOp>(probe.op);
        std::optional<Reading> reading = plan->read(op.getInput());
        if (!reading || plan->sources[reading->source].node != nodeIndex)
          continue;
        const Source &source = plan->sources[reading->source];
        item.isSpikes = source.isSpikes;
        item.output = source.output;
        item.every = op.getEvery();
      }
      records.push_back(item);
    }
    // The last record of a bit map clears it.
    std::set<unsigned> cleared;
    for (RecordItem &item : llvm::reverse(records))
      if (item.isSpikes)
        item.clears = cleared.insert(item.output).second;
    return records;
  }

  CompileResult buildImages() {
    unsigned level = std::min(options.optimizationLevel, 3u);
    auto machine = createTargetMachine(level);
    if (!machine)
      return report(machine.takeError());
    MachineModel model = *MachineModel::find(mapping.getMachine().str());
    SdramAllocator sdram(model.sdramBytes);
    CoreFiller filler(*mapped, sdram, parts);
    std::vector<std::unique_ptr<BuiltImage>> images(plan->nodes.size());
    for (unsigned node = 0; node < plan->nodes.size(); ++node) {
      CompileResult result = buildImage(node, **machine, level, images[node]);
      if (result != CompileResult::Success)
        return result;
    }
    for (unsigned index = 0; index < mapped->shares.size(); ++index) {
      const Share &share = mapped->shares[index];
      auto segments = filler.fill(index, *images[share.node], index);
      if (failed(segments))
        return filler.doesNotFit ? CompileResult::DoesNotFit
                                 : CompileResult::ModelError;
      addCore(share, *images[share.node], *segments);
    }
    writeManifest(model, images);
    return CompileResult::Success;
  }

  CompileResult buildImage(unsigned node, llvm::TargetMachine &machine,
                           unsigned level, std::unique_ptr<BuiltImage> &out) {
    const Node &entry = plan->nodes[node];
    FailureOr<ImageSpec> spec = shapeImage(*mapped, node, *formats,
                                           recordsOf(node), clamps[entry.name]);
    if (failed(spec))
      return CompileResult::ModelError;
    llvm::LLVMContext context;
    llvm::Module code(entry.name, context);
    code.setTargetTriple(machine.getTargetTriple());
    code.setDataLayout(machine.createDataLayout());
    if (failed(emitCore(*spec, code)))
      return CompileResult::ModelError;
    std::string problem;
    llvm::raw_string_ostream stream(problem);
    if (llvm::verifyModule(code, &stream)) // a fault of the emitter
      llvm::reportFatalInternalError("generated code of '" +
                                     llvm::Twine(entry.name) + "': " + problem);
    auto object = emitObject(code, machine, level);
    if (!object)
      return report(object.takeError());
    auto image = linkImage(*object);
    if (!image)
      return report(image.takeError());
    if (image->itcmExcess > 0) {
      entry.op->emitError("the code of '")
          << entry.name << "' is " << image->itcmExcess
          << " bytes too large for the instruction memory of a core ("
          << NEUROC_SPINN_ITCM_SIZE
          << " bytes); fewer operations per stage, or -O1, help";
      return CompileResult::DoesNotFit;
    }
    if (image->dtcmExcess > 0) {
      entry.op->emitError("the data of a share of '")
          << entry.name << "' with " << spec->maxUnits << " units is "
          << image->dtcmExcess << " bytes too large for the data memory of a "
          << "core (" << NEUROC_SPINN_DTCM_SIZE - NEUROC_SPINN_STACK_SIZE
          << " bytes); smaller shares help (spinn-partition units-per-core)";
      return CompileResult::DoesNotFit;
    }
    out = std::make_unique<BuiltImage>();
    out->spec = std::move(*spec);
    out->image = std::move(*image);
    program.members.push_back({imageName(entry.name), out->image.elf});
    return CompileResult::Success;
  }

  /// The name of a member for a symbol: different symbols, different names.
  std::string uniqueName(llvm::StringRef symbol, llvm::StringRef ending) {
    std::string base = "spinnaker/" + memberPart(symbol), name;
    for (unsigned number = 0;; ++number) {
      name = base + (number ? "." + std::to_string(number) : "") + ending.str();
      if (memberNames.insert(name).second)
        return name;
    }
  }
  std::string imageName(const std::string &population) {
    std::string &name = imageNames[population];
    if (name.empty())
      name = uniqueName(population, ".elf");
    return name;
  }

  CompileResult report(llvm::Error error) {
    module.emitError(llvm::toString(std::move(error)));
    return CompileResult::ModelError;
  }

  void addCore(const Share &share, const BuiltImage &built,
               const std::vector<Segment> &segments) {
    CoreOp op = share.op;
    std::string bytes;
    auto word = [&](uint32_t value) {
      for (int i = 0; i < 4; ++i)
        bytes.push_back(static_cast<char>(value >> (8 * i)));
    };
    for (const Segment &segment : segments) {
      word(segment.address);
      word(static_cast<uint32_t>(segment.words.size()));
      for (uint32_t value : segment.words)
        word(value);
    }
    std::string member = uniqueName(op.getSymName(), ".data");
    program.members.push_back({member, std::move(bytes)});
    auto found = built.image.symbols.find("spikes_made");
    cores.push_back(llvm::json::Object{
        {"name", op.getSymName().str()},
        {"population", built.spec.node->name},
        {"first", share.first},
        {"count", share.count},
        {"chip", llvm::json::Array{share.place.chip.x, share.place.chip.y}},
        {"core", share.place.core},
        {"image", imageName(built.spec.node->name)},
        {"data", member},
        {"is_population", bool(built.spec.node->population())},
        {"spikes_made", found == built.image.symbols.end()
                            ? int64_t(0)
                            : int64_t(found->second.first)},
        {"estimated_cycles", int64_t(op.getCycles())},
        {"itcm_bytes", built.image.codeBytes},
        {"dtcm_bytes", built.image.dataBytes}});
  }

  void writeManifest(const MachineModel &model,
                     std::vector<std::unique_ptr<BuiltImage>> &images) {
    llvm::json::Object &out = program.manifest;
    llvm::json::Array dead;
    for (Chip chip : model.deadChips)
      dead.push_back(llvm::json::Array{chip.x, chip.y});
    out["abi"] = int64_t(NEUROC_SPINN_ABI_VERSION);
    out["machine"] = llvm::json::Object{{"name", model.name},
                                        {"width", model.width},
                                        {"height", model.height},
                                        {"wrap", model.wrap},
                                        {"dead_chips", std::move(dead)}};
    out["dt_ms"] = plan->network.getDt().convertToDouble();
    out["levels"] = int64_t(mapping.getLevels());
    out["subticks"] = int64_t(mapping.getSubticks());
    out["period"] = int64_t(mapping.getPeriod());
    out["slowdown"] = mapping.getSlowdown().convertToDouble();
    out["cores"] = std::move(cores);

    llvm::json::Array tables;
    for (TableOp table : mapping.list<TableOp>()) {
      llvm::json::Array entries;
      for (auto entry : table.getBody().front().getOps<EntryOp>()) {
        int64_t route = 0;
        for (int64_t link : entry.getLinks())
          route |= int64_t(1) << link;
        for (int64_t core : entry.getCores())
          route |= int64_t(1) << (6 + core);
        entries.push_back(llvm::json::Array{int64_t(entry.getKey()),
                                            int64_t(entry.getMask()), route});
      }
      tables.push_back(llvm::json::Object{
          {"chip", llvm::json::Array{table.getChip()[0], table.getChip()[1]}},
          {"entries", std::move(entries)}});
    }
    out["tables"] = std::move(tables);

    llvm::json::Array variables;
    for (FormatOp format : mapping.list<FormatOp>())
      variables.push_back(llvm::json::Object{
          {"owner", format.getOwner().str()},
          {"name", format.getName().str()},
          {"kind", format.getKind().str()},
          {"frac", static_cast<int64_t>(format.getFrac())},
          {"range",
           llvm::json::Array{format.getRange()[0], format.getRange()[1]}},
          {"step", std::ldexp(1.0, -static_cast<int>(static_cast<int64_t>(
                                       format.getFrac())))},
          {"proved", bool(format.getProved())}});
    out["formats"] = std::move(variables);

    llvm::json::Array states, stimuli, weights, plastics, list;
    for (auto &[name, pieces] : parts.statePieces) {
      auto [population, variable] = StringRef(name).split('/');
      states.push_back(llvm::json::Object{
          {"population", population.str()},
          {"name", variable.str()},
          {"frac", formats->get(population, "state", variable).frac},
          {"pieces", std::move(pieces)}});
    }
    out["states"] = std::move(states);
    for (auto &[name, pieces] : parts.stimulusPieces) {
      const Node *node = plan->findNode(name);
      const Source &source = plan->sources[node->outputs.front()];
      stimuli.push_back(
          llvm::json::Object{{"name", name},
                             {"spikes", source.isSpikes},
                             {"frac", formats->ofSource(*plan, source).frac},
                             {"units", node->units},
                             {"pieces", std::move(pieces)}});
    }
    out["stimuli"] = std::move(stimuli);
    auto addWeight = [&](const std::string &name, neuro::WeightOp weight) {
      weights.push_back(
          llvm::json::Object{{"name", name},
                             {"pre", weight.getNumPre()},
                             {"post", weight.getNumPost()},
                             {"count", countValues(weight)},
                             {"pieces", std::move(parts.weightPieces[name])}});
    };
    for (auto weight :
         plan->network.getBody().front().getOps<neuro::WeightOp>())
      addWeight(weight.getSymName().str(), weight);
    for (neuro::PlasticOp plastic : plan->plastics)
      for (auto state : plastic.getRuleOp().list<neuro::StateOp>())
        addWeight(synapseStateKey(plastic, state.getSymName()),
                  plastic.getWeightOp());
    out["weights"] = std::move(weights);
    for (auto [number, plastic] : llvm::enumerate(plan->plastics)) {
      neuro::PlasticOp op = plastic;
      plastics.push_back(llvm::json::Object{{"name", op.getSymName().str()},
                                            {"number", int64_t(number)},
                                            {"enabled", !op.getDisabled()}});
    }
    out["plastics"] = std::move(plastics);
    for (auto [number, probe] : llvm::enumerate(probes))
      list.push_back(describeProbe(number, probe));
    out["probes"] = std::move(list);
    for (auto &[name, bytes] : parts.members)
      program.members.push_back({name, std::move(bytes)});
  }

  /// How many numbers the engine's readWeight gives.
  int64_t countValues(neuro::WeightOp weight) {
    if (neuro::isDenseLayout(weight))
      return weight.getNumPre() * weight.getNumPost();
    const neuro::ExpandedWeight *expanded = plan->synapses(weight);
    if (!isa<neuro::ConvAttr>(weight.getConnect()))
      return expanded ? expanded->synapses.size() : 0;
    uint64_t largest = 0;
    for (uint64_t number : expanded->synapses.source)
      largest = std::max(largest, number + 1);
    if (auto elements = dyn_cast<ElementsAttr>(weight.getValues()))
      return elements.getNumElements();
    return largest;
  }

  llvm::json::Object describeProbe(unsigned number, const ProbeItem &probe) {
    llvm::json::Object out{{"name", probe.name}};
    llvm::json::Array shape;
    if (auto watch = dyn_cast<neuro::WatchOp>(probe.op)) {
      const Node *node = plan->findNode(watch.getPopulation());
      for (int64_t extent : node->population().getShape())
        shape.push_back(extent);
      out["spikes"] = false;
      out["every"] = int64_t(watch.getEvery());
      out["frac"] = formats->get(node->name, "state", watch.getVariable()).frac;
    } else {
      auto op = cast<neuro::ProbeOp>(probe.op);
      const Source &source = plan->sources[plan->read(op.getInput())->source];
      for (int64_t extent :
           cast<ShapedType>(op.getInput().getType()).getShape())
        shape.push_back(extent);
      out["spikes"] = source.isSpikes;
      out["every"] = int64_t(op.getEvery());
      out["frac"] = formats->ofSource(*plan, source).frac;
    }
    out["shape"] = std::move(shape);
    out["pieces"] = std::move(parts.probePieces[std::to_string(number)]);
    return out;
  }

  ModuleOp module;
  const neuroc::TargetOptions &options;
  CompiledProgram &program;
  std::set<std::string> memberNames;
  std::map<std::string, std::string> imageNames; ///< by population
  MappingOp mapping;
  std::unique_ptr<Plan> plan;
  std::unique_ptr<MappedNetwork> mapped;
  std::unique_ptr<FormatTable> formats;
  std::vector<ProbeItem> probes;
  std::map<std::string, std::set<std::string>> clamps;
  ProgramParts parts;
  llvm::json::Array cores;
};

class SpiNNakerTarget : public neuroc::Target {
public:
  llvm::StringRef name() const override { return "spinnaker"; }
  llvm::StringRef description() const override {
    return "SpiNNaker boards: ARM968 cores, multicast spikes, fixed point";
  }
  std::vector<std::pair<std::string, std::string>> machines() const override {
    std::vector<std::pair<std::string, std::string>> all;
    for (const MachineModel &model : MachineModel::presets())
      all.push_back({model.name, model.description});
    return all;
  }
  void buildPreparePipeline(OpPassManager &pm,
                            const neuroc::TargetOptions &) const override {
    pm.addPass(neuroc::createRaiseTensors());
  }

  void
  buildNumericPipeline(OpPassManager &pm,
                       const neuroc::TargetOptions &options) const override {
    pm.addPass(createMaterializeSignals());
    AssignFormatsOptions formatOptions;
    formatOptions.machine = options.machine;
    pm.addPass(createAssignFormats(formatOptions));
  }
  void buildMapPipeline(OpPassManager &pm,
                        const neuroc::TargetOptions &options) const override {
    buildNumericPipeline(pm, options);
    PartitionOptions partitionOptions;
    auto number = [&](const char *key, unsigned &value) {
      auto it = options.config.find(key);
      if (it != options.config.end())
        llvm::StringRef(it->second).getAsInteger(10, value);
    };
    number("units-per-core", partitionOptions.unitsPerCore);
    number("period", partitionOptions.period);
    pm.addPass(createPartition(partitionOptions));
    pm.addPass(createPlace());
    pm.addPass(createRoute());
  }
  CompileResult compile(ModuleOp module, const neuroc::TargetOptions &options,
                        CompiledProgram &program) const override {
    return ProgramBuilder(module, options, program).build();
  }
};

} // namespace

std::unique_ptr<neuroc::Target> neuroc::createSpiNNakerTarget() {
  return std::make_unique<SpiNNakerTarget>();
}
