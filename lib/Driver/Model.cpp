// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a file to a module in core normal form: the format is recognised, the
// front end called, the network's options from the command line applied
// (seed, records), and the pipelines run. Diagnostics are printed with their
// source lines as they come.
#include "Model.h"

#include "neuroc/Driver/RegisterAll.h"
#include "neuroc/Frontend/Lang/Lang.h"
#include "neuroc/Frontend/Onnx/Onnx.h"
#include "neuroc/Neuro/Passes.h"
#include "neuroc/rt/Text.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <unistd.h>

using namespace mlir;
using llvm::StringRef;

namespace neuroc::driver {

struct Model::Handler : SourceMgrDiagnosticHandler {
  using SourceMgrDiagnosticHandler::SourceMgrDiagnosticHandler;
};

Model::~Model() {
  // The module dies before its context, the handler before both.
  handler.reset();
  theModule = nullptr;
}

std::string Model::stem() const {
  return thePath == "-" ? "stdin" : llvm::sys::path::stem(thePath).str();
}

Failure classify(StringRef path, const Options &options, FileKind &kind) {
  StringRef name = options.format;
  if (name.empty())
    name = llvm::sys::path::extension(path).drop_front(
        llvm::sys::path::has_extension(path) ? 1 : 0);
  auto found = llvm::StringSwitch<std::optional<FileKind>>(name)
                   .Case("neuro", FileKind::Neuro)
                   .Case("onnx", FileKind::Onnx)
                   .Cases({"mlir", "mlirbc"}, FileKind::Mlir)
                   .Case("nir", FileKind::Nir)
                   .Case("nrx", FileKind::Program)
                   .Default(std::nullopt);
  if (!found)
    return {Nc::UnknownFormat,
            path.str() + ": the format cannot be told from the name",
            "say it with -x onnx, neuro, mlir or nrx"};
  if (*found == FileKind::Nir)
    return {Nc::UnknownFormat,
            path.str() + ": unsupported: NIR files cannot be read yet",
            "models are .neuro, .onnx, .mlir and .mlirbc files"};
  kind = *found;
  return {};
}

Failure readInput(StringRef path, std::string &bytes) {
  std::string file = path == "-" ? "/dev/stdin" : path.str();
  if (rt::Status status = rt::readFile(file, bytes); !status)
    return {Nc::CannotRead, status.message()};
  return {};
}

Failure Model::load(StringRef path, const Options &options,
                    std::unique_ptr<Model> &model) {
  FileKind kind;
  if (Failure f = classify(path, options, kind))
    return f;
  if (kind == FileKind::Program)
    return {Nc::UnknownFormat,
            path.str() + ": is a compiled program, a model is needed here",
            "`neuroc run` and `neuroc inspect` take programs"};
  model.reset(new Model());
  model->thePath = path.str();
  if (Failure f = readInput(path, model->theBytes))
    return f;
  model->theHash = rt::sha256Hex(rt::asBytes(model->theBytes));
  DialectRegistry registry;
  registerAllDialects(registry);
  model->theContext = std::make_unique<MLIRContext>(
      registry, MLIRContext::Threading::DISABLED);
  model->theContext->loadAllAvailableDialects();
  // Users see their own lines, not the operation as IR.
  model->theContext->printOpOnDiagnostic(false);
  model->sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBuffer(model->theBytes, path), llvm::SMLoc());
  model->handler =
      std::make_unique<Handler>(model->sources, model->theContext.get());
  if (Failure f = model->import(kind, options))
    return f;
  return model->applyOptions(options);
}

Failure Model::importText(const Options &options) {
  LangOptions lang;
  lang.overrides = options.set;
  MLIRContext *context = theContext.get();
  lang.importNetwork = [=](StringRef path, StringRef name, Location loc,
                           ModuleOp module) -> LogicalResult {
    auto buffer = llvm::MemoryBuffer::getFile(path);
    if (!buffer)
      return emitError(loc) << "cannot read '" << path
                            << "': " << buffer.getError().message();
    OnnxImportOptions onnx;
    onnx.networkName = name.str();
    OwningOpRef<ModuleOp> imported =
        importOnnx((*buffer)->getMemBufferRef(), *context, onnx);
    if (!imported)
      return failure();
    for (Operation &op :
         llvm::make_early_inc_range(imported->getBody()->getOperations()))
      op.moveBefore(module.getBody(), module.getBody()->end());
    return success();
  };
  theModule = parseNeuro(sources, *theContext, lang);
  return {};
}

Failure Model::import(FileKind kind, const Options &options) {
  if (kind == FileKind::Neuro) {
    if (Failure f = importText(options))
      return f;
  } else if (!options.set.empty() && kind != FileKind::Onnx) {
    return {Nc::BadValue, "--set replaces constants of .neuro models; '" +
                              thePath + "' is none"};
  } else if (kind == FileKind::Onnx) {
    OnnxImportOptions onnx;
    for (const auto &[name, value] : options.set) {
      int64_t extent; // --set batch=8: the extent of a symbolic dimension
      if (StringRef(value).getAsInteger(10, extent) || extent < 0)
        return {Nc::BadValue, "--set gives symbolic dimensions of ONNX models "
                              "their extent; '" +
                                  value + "' is none"};
      onnx.dims[name] = extent;
    }
    theModule = importOnnx(llvm::MemoryBufferRef(theBytes, thePath),
                           *theContext, onnx);
  } else {
    theModule = parseSourceFile<ModuleOp>(sources, theContext.get());
  }
  if (!theModule)
    return {Nc::BadModel, thePath + ": the model has errors"};
  if (failed(verify(*theModule)))
    return {Nc::BadStructure, thePath + ": the network is not well-formed"};
  return {};
}

/// Adds probes for `--record POPULATION` and watches for `POPULATION.STATE`.
static Failure addRecord(neuro::NetworkOp network, StringRef record) {
  for (Operation &op : network.getBody().front())
    if (auto probe = dyn_cast<neuro::ProbeOp>(op))
      if (probe.getSymName() == record)
        return {};
  // Names of populations may have dots themselves (members of circuits).
  std::vector<std::string> known;
  for (auto op : network.getBody().front().getOps<neuro::PopulationOp>())
    known.push_back(op.getSymName().str());
  StringRef name = record, variable;
  if (!llvm::is_contained(known, record.str()))
    std::tie(name, variable) = record.rsplit('.');
  neuro::PopulationOp population;
  for (auto op : network.getBody().front().getOps<neuro::PopulationOp>())
    if (op.getSymName() == name)
      population = op;
  if (!population)
    return {Nc::BadValue, "--record: no population '" + name.str() + "'" +
                              rt::suggestName(name.str(), known)};
  OpBuilder builder(network.getContext());
  builder.setInsertionPointToEnd(&network.getBody().front());
  Location loc = population.getLoc();
  SymbolTable symbols(network);
  auto unique = [&](std::string symbol) {
    while (symbols.lookup(symbol))
      symbol += "_";
    return symbol;
  };
  if (!variable.empty()) {
    std::vector<std::string> states;
    for (auto state : population.getModelOp().list<neuro::StateOp>())
      states.push_back(state.getSymName().str());
    if (!llvm::is_contained(states, variable))
      return {Nc::BadValue, "--record: population '" + name.str() +
                                "' has no state '" + variable.str() + "'" +
                                rt::suggestName(variable.str(), states)};
    OperationState op(loc, neuro::WatchOp::getOperationName());
    op.addAttribute("sym_name", builder.getStringAttr(
                                    unique((name + "_" + variable).str())));
    op.addAttribute("population",
                    FlatSymbolRefAttr::get(builder.getContext(), name));
    op.addAttribute("variable", builder.getStringAttr(variable));
    op.addAttribute("every", builder.getI64IntegerAttr(1));
    builder.create(op);
    return {};
  }
  auto outputs = population.getModelOp().list<neuro::OutputOp>();
  for (auto [result, output] : llvm::zip(population.getOutputs(), outputs)) {
    OperationState op(loc, neuro::ProbeOp::getOperationName());
    op.addOperands(result);
    op.addAttribute("sym_name",
                    builder.getStringAttr(
                        unique((name + "_" + output.getSymName()).str())));
    op.addAttribute("every", builder.getI64IntegerAttr(1));
    builder.create(op);
  }
  return {};
}

/// Of several networks keeps the one that the chosen (or only) experiment runs
/// on, with its experiments; findSubject reports what stays unclear.
static void selectNetwork(ModuleOp module, StringRef experiment) {
  auto networks = llvm::to_vector(module.getOps<neuro::NetworkOp>());
  auto experiments = llvm::to_vector(module.getOps<neuro::ExperimentOp>());
  StringRef chosen;
  for (neuro::ExperimentOp op : experiments) {
    if (!experiment.empty() && op.getSymName() != experiment)
      continue;
    if (!chosen.empty() && op.getNetwork() != chosen)
      return;
    chosen = op.getNetwork();
  }
  if (chosen.empty() || networks.size() < 2)
    return;
  for (neuro::ExperimentOp op : experiments)
    if (op.getNetwork() != chosen)
      op.erase();
  for (neuro::NetworkOp op : networks)
    if (op.getSymName() != chosen)
      op.erase();
}

Failure Model::applyOptions(const Options &options) {
  selectNetwork(*theModule, options.experiment);
  for (auto network : theModule->getOps<neuro::NetworkOp>()) {
    if (options.seed)
      network.setSeed(int64_t(*options.seed));
    for (const std::string &record : options.records)
      if (Failure f = addRecord(network, record))
        return f;
  }
  return {};
}

TargetOptions targetOptions(const Options &options) {
  TargetOptions result;
  result.machine = options.machine;
  result.optimizationLevel = options.optimization;
  result.doublePrecision = options.precision == "f64";
  for (const auto &[key, value] : options.config)
    result.config[key] = value;
  return result;
}

Failure runPasses(PassManager &pm, ModuleOp module, const Options &options,
                  Failure otherwise) {
  if (options.printAfterAll)
    pm.enableIRPrinting([](Pass *, Operation *) { return false; },
                        [](Pass *, Operation *) { return true; }, true, false,
                        false, llvm::errs());
  if (options.timePasses)
    pm.enableTiming();
  if (succeeded(pm.run(module)))
    return {};
  return otherwise;
}

Failure Model::expandSugar(const Options &options,
                           OwningOpRef<ModuleOp> &expanded) {
  expanded = cast<ModuleOp>(theModule->getOperation()->clone());
  PassManager pm(theContext.get());
  pm.addPass(neuro::createExpandSugar());
  return runPasses(pm, *expanded, options,
                   {Nc::BadStructure,
                    thePath + ": the network is not well-formed"});
}

Failure Model::toCore(const Target *target, const Options &options,
                      OwningOpRef<ModuleOp> &core) {
  core = cast<ModuleOp>(theModule->getOperation()->clone());
  if (target) {
    PassManager prepare(theContext.get());
    target->buildPreparePipeline(prepare, targetOptions(options));
    if (Failure f = runPasses(
            prepare, *core, options,
            {Nc::NotForTarget, thePath + ": cannot be prepared for '" +
                                   target->name().str() + "'"}))
      return f;
  }
  PassManager pm(theContext.get());
  neuro::buildToCorePipeline(pm, options.verbose);
  if (!stepsChecked && !options.quiet) // once, not for every target
    pm.addPass(neuro::createCheckSteps());
  stepsChecked = true;
  return runPasses(pm, *core, options,
                   {Nc::BadStructure,
                    thePath + ": the network is not well-formed"});
}

Failure findSubject(ModuleOp module, StringRef name, Subject &subject) {
  auto networks = llvm::to_vector(module.getOps<neuro::NetworkOp>());
  if (networks.size() != 1)
    return {Nc::NoNetwork, "expected one network in the model, found " +
                               std::to_string(networks.size()),
            networks.empty() ? ""
                             : "choose one by an experiment that runs on it: "
                               "--experiment=NAME"};
  subject.network = networks[0];
  std::vector<std::string> known;
  for (auto experiment : module.getOps<neuro::ExperimentOp>()) {
    known.push_back(experiment.getSymName().str());
    if (name.empty() || experiment.getSymName() == name)
      subject.experiment = experiment;
  }
  if (name.empty() && known.size() > 1)
    return {Nc::NoNetwork, "the model has several experiments" +
                               rt::suggestName("", known),
            "choose one with --experiment=NAME"};
  if (!name.empty() && !subject.experiment)
    return {Nc::BadValue, "the model has no experiment '" + name.str() + "'" +
                              rt::suggestName(name.str(), known)};
  return {};
}

} // namespace neuroc::driver
