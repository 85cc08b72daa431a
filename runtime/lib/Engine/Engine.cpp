// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Picks the engine that a program's manifest names. Which engines exist is
// fixed at build time (NEUROC_HAVE_…), one line per target.
#include "neuroc/rt/Engines.h"

#include "neuroc/rt/Container.h"
#include "neuroc/rt/Json.h"

namespace neuroc::rt {

namespace {
using Factory = Status (*)(std::shared_ptr<const Container>,
                           const EngineOptions &, std::unique_ptr<Engine> &);
struct Entry {
  const char *target;
  Factory create;
};
} // namespace

static const std::vector<Entry> &entries() {
  static const std::vector<Entry> table = {
#ifdef NEUROC_HAVE_CPU
      {"cpu", createCpuEngine},
#endif
#ifdef NEUROC_HAVE_SPINNAKER
      {"spinnaker", createSpiNNakerEngine},
#endif
#ifdef NEUROC_HAVE_CROSSBAR
      {"crossbar", createCrossbarEngine},
#endif
  };
  return table;
}

std::vector<std::string> engineNames() {
  std::vector<std::string> names;
  for (const Entry &entry : entries())
    names.push_back(entry.target);
  return names;
}

Status createEngine(std::shared_ptr<const Container> program,
                    const EngineOptions &options,
                    std::unique_ptr<Engine> &engine) {
  Json manifest;
  if (Status s = parseJson(program->manifest(), program->origin(), manifest);
      !s)
    return s;
  if (manifest.contains("program") && manifest["program"].contains("parts"))
    return createPlantEngine(std::move(program), options, engine);
  for (const Entry &entry : entries())
    if (program->target() == entry.target)
      return entry.create(std::move(program), options, engine);
  return {Code::InputError, program->origin() + ": compiled for '" +
                                program->target() +
                                "', which this build cannot run" +
                                suggestName(program->target(), engineNames())};
}

} // namespace neuroc::rt
