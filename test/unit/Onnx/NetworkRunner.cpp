// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Engines as functions from inputs to outputs. For the CPU the target's own
// pipeline, code generation, container and loader are used, at -O0 to keep the
// suite quick.
#include "NetworkRunner.h"

#include "neuroc/Conversion/RaiseTensors/RaiseTensors.h"
#include "neuroc/Neuro/Neuro.h"
#include "neuroc/Neuro/Passes.h"
#include "neuroc/Reference/Reference.h"
#include "neuroc/Target/Target.h"
#include "neuroc/rt/Container.h"
#include "neuroc/rt/Engines.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace neuroc;
using namespace neuroc::test;

bool neuroc::test::prepareNetwork(ModuleOp module, bool raise) {
  PassManager pm(module.getContext());
  if (raise)
    pm.addPass(createRaiseTensors());
  neuro::buildToCorePipeline(pm);
  return succeeded(pm.run(module));
}

static bool check(rt::Status status, std::string &problem) {
  if (!status.isOk())
    problem = status.message();
  return status.isOk();
}

static std::unique_ptr<rt::Engine> createCpu(ModuleOp core,
                                             std::string &problem) {
  auto target = createCpuTarget();
  TargetOptions options;
  options.optimizationLevel = 0;
  PassManager pm(core.getContext());
  target->buildMapPipeline(pm, options);
  CompiledProgram program;
  ScopedDiagnosticHandler handler(core.getContext(), [&](Diagnostic &d) {
    if (problem.empty())
      problem = d.str();
  });
  if (failed(pm.run(core)) ||
      target->compile(core, options, program) != CompileResult::Success) {
    if (problem.empty())
      problem = "the CPU target failed without a message";
    return nullptr;
  }
  problem.clear();
  llvm::json::Object manifest{{"target", "cpu"},
                              {"program", std::move(program.manifest)}};
  rt::ContainerWriter writer;
  for (ProgramMember &member : program.members)
    if (!check(writer.add(member.name, member.bytes), problem))
      return nullptr;
  std::string json, archive;
  llvm::raw_string_ostream(json) << llvm::json::Value(std::move(manifest));
  std::shared_ptr<const rt::Container> container;
  std::unique_ptr<rt::Engine> engine;
  if (!check(writer.finish(json, archive), problem) ||
      !check(rt::Container::read(rt::asBytes(archive), "test.nrx", container),
             problem) ||
      !check(rt::createCpuEngine(container, {}, engine), problem))
    return nullptr;
  return engine;
}

std::unique_ptr<RunningNetwork>
RunningNetwork::create(OwningOpRef<ModuleOp> core, Machine machine,
                       std::string &problem) {
  auto network = std::make_unique<RunningNetwork>();
  core->walk([&](neuro::StimulusOp op) {
    network->stimuli.push_back(op.getSymName().str());
  });
  if (machine == Machine::Cpu) {
    network->engine = createCpu(*core, problem);
  } else if (!check(createReferenceEngine(std::move(core), {}, network->engine),
                    problem)) {
    return nullptr;
  }
  return network->engine ? std::move(network) : nullptr;
}

std::vector<std::vector<double>>
RunningNetwork::run(const std::vector<std::vector<double>> &inputs,
                    std::string &problem) {
  if (stimuli.size() != inputs.size()) {
    problem = "the network has " + std::to_string(stimuli.size()) + " stimuli";
    return {};
  }
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!check(engine->setStimulus(stimuli[i], inputs[i]), problem))
      return {};
  if (!check(engine->step(1, nullptr), problem))
    return {};
  std::vector<std::vector<double>> outputs(engine->probes().size());
  for (unsigned i = 0; i < outputs.size(); ++i)
    if (!check(engine->readProbe(i, outputs[i]), problem))
      return {};
  return outputs;
}
