// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `neuroc compile`: model -> core -> target's module -> members -> container.
// The shared manifest is read off the core module before the target changes
// it; the container has no time stamps, so equal inputs give equal bytes.
#include "Commands.h"

#include "neuroc/Frontend/Onnx/Onnx.h"
#include "neuroc/Target/Plant.h"
#if NEUROC_HAVE_CPU
#include "neuroc/Target/Cpu/Emit.h"
#endif

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"

#include <chrono>

using namespace mlir;
namespace json = llvm::json;

namespace neuroc::driver {

/// The member that `--config keep-object=1` adds for standalone programs.
static constexpr llvm::StringLiteral kObjectMember = "cpu/program.o";

static double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

/// The flags that change the program's bytes, for the manifest.
static json::Array flagList(const Options &options) {
  json::Array flags;
  flags.push_back("-O" + std::to_string(options.optimization));
  if (!options.precision.empty())
    flags.push_back("--precision=" + options.precision);
  for (const auto &[key, value] : options.set)
    flags.push_back("--set=" + key + "=" + value);
  for (const auto &[key, value] : options.config)
    flags.push_back("--config=" + key + "=" + value);
  for (const std::string &record : options.records)
    flags.push_back("--record=" + record);
  if (options.seed)
    flags.push_back("--seed=" + std::to_string(*options.seed));
  return flags;
}

static Failure doesNotFit(Model &model, const Target &target) {
  return {Nc::DoesNotFit,
          model.path().str() + ": does not fit '" + target.name().str() + "'",
          "choose a larger --machine (`neuroc targets`)"};
}

/// A pass cannot say why it failed but in a diagnostic: those that begin with
/// "does not fit: " are about capacity.
static Failure mapModule(Model &model, const Target &target, ModuleOp module,
                         const Options &options) {
  bool capacity = false;
  ScopedDiagnosticHandler watcher(&model.context(), [&](Diagnostic &d) {
    capacity |= d.getSeverity() == DiagnosticSeverity::Error &&
                StringRef(d.str()).contains("does not fit: ");
    return failure(); // printed by the model's own handler
  });
  PassManager pm(&model.context());
  if (options.emit == "numeric")
    target.buildNumericPipeline(pm, targetOptions(options));
  else
    target.buildMapPipeline(pm, targetOptions(options));
  Failure failed = runPasses(pm, module, options,
                             {Nc::NotForTarget,
                              model.path().str() + ": cannot be mapped to '" +
                                  target.name().str() + "'"});
  capacity |= module->hasAttr("neuroc.does_not_fit"); // set by mapping passes
  return failed && capacity ? doesNotFit(model, target) : failed;
}

/// Leaves `core` mapped.
static Failure compileForTarget(Model &model, const Target &target,
                                ModuleOp core, const Options &options,
                                CompiledProgram &program) {
  if (Failure f = mapModule(model, target, core, options))
    return f;
  switch (target.compile(core, targetOptions(options), program)) {
  case CompileResult::Success:
    return {};
  case CompileResult::ModelError:
    return {Nc::NotForTarget, model.path().str() + ": cannot be compiled for '" +
                                  target.name().str() + "'"};
  case CompileResult::DoesNotFit:
    return doesNotFit(model, target);
  }
  return {Nc::Internal, "a target gave an unknown result"};
}

/// What every manifest of this compilation says.
static void addOrigin(json::Object &manifest, Model &model,
                      const Options &options, llvm::StringRef targetName,
                      llvm::StringRef machine) {
  manifest["target"] = targetName;
  manifest["machine"] = machine;
  manifest["compiler"] = "neuroc " NEUROC_VERSION;
  manifest["flags"] = flagList(options);
  manifest["source"] =
      json::Object{{"name", llvm::sys::path::filename(model.path())},
                   {"sha256", model.sourceHash()}};
}

/// Compiles one part of a network with plants to a container of its own.
static Failure compilePart(Model &model, const Target &target, ModuleOp part,
                           const Options &options, std::string &bytes) {
  Subject subject;
  subject.network = *part.getOps<neuro::NetworkOp>().begin();
  json::Object manifest = buildManifest(subject, part);
  addOrigin(manifest, model, options, target.name(), options.machine);
  CompiledProgram program;
  if (Failure f = compileForTarget(model, target, part, options, program))
    return f;
  manifest["program"] = std::move(program.manifest);
  rt::ContainerWriter writer;
  for (ProgramMember &member : program.members)
    if (rt::Status s = writer.add(member.name, std::move(member.bytes)); !s)
      return Failure(s);
  std::string text;
  llvm::raw_string_ostream(text) << json::Value(std::move(manifest));
  if (rt::Status s = writer.finish(text, bytes); !s)
    return Failure(s);
  return {};
}

/// A machine that computes no plants, and the host's part beside it
/// (runtime/lib/Engine/Plant). Each part is a program of its own.
static Failure compileWithPlants(Model &model, const Target &target,
                                 ModuleOp core, const Options &options,
                                 CompiledProgram &program) {
  const Target *host = findTarget("cpu");
  if (!host)
    return {Nc::UnknownTarget, "this build has no cpu target"};
  PlantSplit split;
  if (failed(splitPlants(core, split)))
    return {Nc::NotForTarget, model.path().str() + ": cannot be cut for '" +
                                  target.name().str() + "' and its plants"};
  Options hostOptions = options;
  hostOptions.machine.clear();
  hostOptions.config.clear();
  hostOptions.precision = "f64";
  json::Array parts, links;
  for (bool isPlant : {false, true}) {
    std::string name = isPlant ? "plant.nrx" : "machine.nrx", bytes;
    if (Failure f = compilePart(model, isPlant ? *host : target,
                                isPlant ? *split.plant : core,
                                isPlant ? hostOptions : options, bytes))
      return f;
    parts.push_back(json::Object{{"member", "parts/" + name}});
    program.members.push_back({"parts/" + name, std::move(bytes)});
  }
  for (const PlantLink &link : split.links)
    links.push_back(
        json::Object{{"name", link.name}, {"to_plant", link.toPlant}});
  program.manifest =
      json::Object{{"parts", std::move(parts)}, {"links", std::move(links)}};
  return {};
}

Failure compileModel(Model &model, const Options &options,
                     llvm::StringRef targetName, CompiledModel &compiled) {
  auto start = std::chrono::steady_clock::now();
  const Target *target = findTarget(targetName);
  OwningOpRef<ModuleOp> core;
  if (Failure f = model.toCore(target, options, core))
    return f;
  Subject subject;
  if (Failure f = findSubject(*core, options.experiment, subject))
    return f;
  json::Object manifest = buildManifest(subject, *core);
  addOrigin(manifest, model, options, targetName, options.machine);
  if (subject.experiment) {
    json::Object protocol;
    if (Failure f = buildProtocol(subject.experiment, subject.network, protocol))
      return f;
    manifest["experiment"] = std::move(protocol);
  }
  std::vector<ProgramMember> members;
  if (Failure f = buildDatasets(*core,
                                llvm::sys::path::parent_path(model.path()),
                                manifest, members))
    return f;
  CompiledProgram program;
  if (target && !target->computesPlants() && hasPlants(*core)) {
    if (Failure f =
            compileWithPlants(model, *target, *core, options, program))
      return f;
  } else if (target) {
    if (Failure f = compileForTarget(model, *target, *core, options, program))
      return f;
  } else {
    compiled.core = std::move(core);
  }
  manifest["program"] = std::move(program.manifest);
  rt::ContainerWriter writer;
  for (ProgramMember &member : program.members) {
    if (member.name == kObjectMember) {
      compiled.object = std::move(member.bytes);
      continue;
    }
    if (rt::Status s = writer.add(member.name, std::move(member.bytes)); !s)
      return Failure(s);
  }
  for (ProgramMember &member : members)
    if (rt::Status s = writer.add(member.name, std::move(member.bytes)); !s)
      return Failure(s);
  std::string text;
  llvm::raw_string_ostream(text) << json::Value(std::move(manifest));
  if (rt::Status s = writer.finish(text, compiled.bytes); !s)
    return Failure(s);
  compiled.seconds = secondsSince(start);
  return {};
}

//===----------------------------------------------------------------------===//
// The verb
//===----------------------------------------------------------------------===//

static Failure writeOutput(const std::string &path, llvm::StringRef bytes) {
  if (path.empty() || path == "-") {
    llvm::outs() << bytes;
    return {};
  }
  if (rt::Status s = rt::writeFileAtomically(path, bytes); !s)
    return Failure(s);
  return {};
}

static std::string printModule(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream out(text);
  module->print(out);
  out << "\n";
  return text;
}

static Failure emitOnnxSummary(const Options &options) {
  const std::string &path = options.operands[0];
  FileKind kind;
  if (Failure f = classify(path, options, kind))
    return f;
  if (kind != FileKind::Onnx)
    return {Nc::BadValue, "--emit=onnx-summary needs an ONNX model, '" + path +
                              "' is none"};
  std::string bytes;
  if (Failure f = readInput(path, bytes))
    return f;
  MLIRContext context;
  std::optional<json::Object> summary =
      summarizeOnnx(llvm::MemoryBufferRef(bytes, path), context, {});
  if (!summary)
    return {Nc::BadModel, path + ": the model has errors"};
  std::string text;
  llvm::raw_string_ostream(text)
      << llvm::formatv("{0:2}\n", json::Value(std::move(*summary)));
  return writeOutput(options.output, text);
}

/// Stages that end before the program does.
static Failure emitStage(Model &model, const Options &options) {
  if (options.emit == "import")
    return writeOutput(options.output, printModule(model.module()));
  OwningOpRef<ModuleOp> module;
  if (options.emit == "neuro") {
    if (Failure f = model.expandSugar(options, module))
      return f;
    return writeOutput(options.output, printModule(*module));
  }
  const Target *target = nullptr;
  if (Failure f = checkTarget(options.target, false, target))
    return f;
  if (Failure f = model.toCore(target, options, module))
    return f;
  if (options.emit != "core" && !target->computesPlants() &&
      hasPlants(*module)) { // shown: the machine's part
    PlantSplit split;
    if (failed(splitPlants(*module, split)))
      return {Nc::NotForTarget, model.path().str() + ": cannot be cut for '" +
                                    target->name().str() + "' and its plants"};
  }
  if (options.emit != "core")
    if (Failure f = mapModule(model, *target, *module, options))
      return f;
  return writeOutput(options.output, printModule(*module));
}

static Failure emitExecutable(Model &model, const Options &options) {
#if NEUROC_HAVE_CPU
  if (options.target != "cpu")
    return {Nc::BadValue, "--emit=exe is for the cpu target, not '" +
                              options.target + "'"};
  Options withObject = options;
  withObject.config.emplace_back("keep-object", "1");
  CompiledModel compiled;
  if (Failure f = compileModel(model, withObject, "cpu", compiled))
    return f;
  std::string output = options.output.empty() ? model.stem() : options.output;
  // The runtime archives: beside this program's bin folder, or where the
  // build put them.
  llvm::SmallString<128> lib(llvm::sys::path::parent_path(
      llvm::sys::path::parent_path(llvm::sys::fs::getMainExecutable(
          nullptr, reinterpret_cast<void *>(&compileCommand)))));
  llvm::sys::path::append(lib, "lib");
  std::vector<std::string> folders = {lib.str().str(), NEUROC_LIBRARY_DIR};
  if (llvm::Error error = cpu::emitExecutable(compiled.object, compiled.bytes,
                                              folders, output))
    return {Nc::CannotWrite, llvm::toString(std::move(error))};
  return {};
#else
  return {Nc::UnknownTarget, "this build has no cpu target"};
#endif
}

Failure compileCommand(const Options &options) {
  if (options.emit == "onnx-summary")
    return emitOnnxSummary(options);
  const Target *target = nullptr;
  if (Failure f = checkTarget(options.target, false, target))
    return f;
  if (Failure f = checkMachine(target, options.machine))
    return f;
  std::unique_ptr<Model> model;
  if (Failure f = Model::load(options.operands[0], options, model))
    return f;
  if (options.emit == "exe")
    return emitExecutable(*model, options);
  if (!options.emit.empty() && options.emit != "emit")
    return emitStage(*model, options);
  CompiledModel compiled;
  if (Failure f = compileModel(*model, options, options.target, compiled))
    return f;
  std::string output =
      options.output.empty() ? model->stem() + ".nrx" : options.output;
  if (Failure f = writeOutput(output, compiled.bytes))
    return f;
  if (options.verbose)
    llvm::errs() << llvm::format("compiled for %s in %.2f s, %zu bytes: ",
                                 options.target.c_str(), compiled.seconds,
                                 compiled.bytes.size())
                 << output << "\n";
  return {};
}

} // namespace neuroc::driver
