// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reference interpreter as a function from inputs to outputs.
#include "NetworkRunner.h"

#include "neuroc/Conversion/RaiseTensors/RaiseTensors.h"
#include "neuroc/Neuro/Neuro.h"
#include "neuroc/Neuro/Passes.h"
#include "neuroc/Reference/Reference.h"

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

std::vector<std::vector<double>>
neuroc::test::runReference(ModuleOp core,
                           const std::vector<std::vector<double>> &inputs,
                           std::string &problem) {
  std::vector<std::string> stimuli;
  core.walk([&](neuro::StimulusOp op) {
    stimuli.push_back(op.getSymName().str());
  });
  std::unique_ptr<rt::Engine> engine;
  auto check = [&](rt::Status status) {
    if (!status.ok())
      problem = status.message();
    return status.ok();
  };
  if (!check(createReferenceEngine(OwningOpRef<ModuleOp>(core.clone()), {},
                                   engine)))
    return {};
  if (stimuli.size() != inputs.size()) {
    problem = "the network has " + std::to_string(stimuli.size()) + " stimuli";
    return {};
  }
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!check(engine->setStimulus(stimuli[i], inputs[i])))
      return {};
  if (!check(engine->step(1, nullptr)))
    return {};
  std::vector<std::vector<double>> outputs(engine->probes().size());
  for (unsigned i = 0; i < outputs.size(); ++i)
    if (!check(engine->readProbe(i, outputs[i])))
      return {};
  return outputs;
}
