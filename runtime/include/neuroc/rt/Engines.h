// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The engines of the targets, one factory each; createEngine (Engine.h) picks
// by the manifest's target among those that this build has.
#ifndef NEUROC_RT_ENGINES_H
#define NEUROC_RT_ENGINES_H

#include "neuroc/rt/Engine.h"

namespace neuroc::rt {

Status createCpuEngine(std::shared_ptr<const Container> program,
                       const EngineOptions &options,
                       std::unique_ptr<Engine> &engine);
Status createSpiNNakerEngine(std::shared_ptr<const Container> program,
                             const EngineOptions &options,
                             std::unique_ptr<Engine> &engine);
Status createCrossbarEngine(std::shared_ptr<const Container> program,
                            const EngineOptions &options,
                            std::unique_ptr<Engine> &engine);

/// Of a program in two parts: a machine, and plants that the host computes.
Status createPlantEngine(std::shared_ptr<const Container> program,
                         const EngineOptions &options,
                         std::unique_ptr<Engine> &engine);

/// Names of the targets whose programs this build can run.
std::vector<std::string> engineNames();

} // namespace neuroc::rt
#endif // NEUROC_RT_ENGINES_H
