// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The targets of this build, fixed at build time (NEUROC_HAVE_…).
#include "Commands.h"

#include "neuroc/rt/Text.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

namespace neuroc {

const std::vector<std::unique_ptr<Target>> &allTargets() {
  static const std::vector<std::unique_ptr<Target>> targets = [] {
    std::vector<std::unique_ptr<Target>> list;
#if NEUROC_HAVE_CPU
    list.push_back(createCpuTarget());
#endif
#if NEUROC_HAVE_SPINNAKER
    list.push_back(createSpiNNakerTarget());
#endif
#if NEUROC_HAVE_CROSSBAR
    list.push_back(createCrossbarTarget());
#endif
    return list;
  }();
  return targets;
}

const Target *findTarget(llvm::StringRef name) {
  for (const auto &target : allTargets())
    if (target->name() == name)
      return target.get();
  return nullptr;
}

namespace driver {

Failure checkTarget(llvm::StringRef name, bool forRun, const Target *&target) {
  target = findTarget(name);
  if (target || (forRun && name == "reference"))
    return {};
  std::vector<std::string> known;
  for (const auto &each : allTargets())
    known.push_back(each->name().str());
  if (forRun)
    known.push_back("reference");
  if (name == "reference")
    return {Nc::UnknownTarget, "the reference interpreter has no programs",
            "`neuroc run MODEL --target=reference` runs a model on it"};
  // `compare` and `expect … on` have a name for a target with an option.
  if (llvm::StringRef base = name; base.consume_back("-f64") && findTarget(base))
    return {Nc::UnknownTarget, "no target '" + name.str() + "'",
            "write `--target=" + base.str() + " --precision=f64`"};
  return {Nc::UnknownTarget, "no target '" + name.str() + "'" +
                                 rt::suggestName(name.str(), known)};
}

Failure checkMachine(const Target *target, llvm::StringRef machine) {
  if (!target || machine.empty() || llvm::sys::fs::exists(machine))
    return {};
  std::vector<std::string> known;
  for (const auto &[name, text] : target->machines())
    known.push_back(name);
  if (llvm::is_contained(known, machine))
    return {};
  return {Nc::UnknownTarget,
          "target '" + target->name().str() + "' has no machine '" +
              machine.str() + "'" + rt::suggestName(machine, known)};
}

Failure targetsCommand(const Options &options) {
  llvm::raw_ostream &out = llvm::outs();
  if (options.json) {
    llvm::json::Array list;
    for (const auto &target : allTargets()) {
      llvm::json::Array machines;
      for (const auto &[name, text] : target->machines())
        machines.push_back(
            llvm::json::Object{{"name", name}, {"description", text}});
      list.push_back(llvm::json::Object{{"name", target->name()},
                                        {"description", target->description()},
                                        {"machines", std::move(machines)}});
    }
    out << llvm::formatv("{0:2}", llvm::json::Value(std::move(list))) << "\n";
    return {};
  }
  for (const auto &target : allTargets()) {
    out << llvm::left_justify(target->name(), 12) << target->description()
        << "\n";
    for (const auto &[name, text] : target->machines())
      out << "  --machine=" << llvm::left_justify(name, 22) << text << "\n";
  }
  out << llvm::left_justify("reference", 12)
      << "the interpreter that all others are compared with (run, compare)\n";
  return {};
}

} // namespace driver
} // namespace neuroc
