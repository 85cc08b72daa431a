// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From IR text to a crossbar engine in one process, and beside it the reference
// interpreter.
#ifndef NEUROC_TEST_UNIT_TARGETCROSSBAR_HARNESS_H
#define NEUROC_TEST_UNIT_TARGETCROSSBAR_HARNESS_H

#include "neuroc/Reference/Reference.h"
#include "neuroc/Target/Target.h"
#include "neuroc/rt/Container.h"
#include "neuroc/rt/Engine.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace neuroc::test {

struct Options {
  std::string machine;                       ///< preset, file, or kSmall
  std::map<std::string, std::string> config; ///< of the target
};
/// Tiles of 8 arrays of 16 x 8 signed columns: networks of a few units are cut.
inline constexpr const char *kSmall = "small";
/// Weights and inputs fine enough that only mistakes show.
Options precise(const std::string &machine = "");

struct Compiled {
  CompileResult result = CompileResult::ModelError;
  std::shared_ptr<const rt::Container> container;
  std::string diagnostics;
  CompiledProgram program;
};
Compiled compile(const std::string &text, const Options &options = {});
/// Compiles a module as it is, without the core and map pipelines.
Compiled compileMapped(const std::string &text);
/// A machine file with that text; returns its path.
std::string machineFile(const std::string &name, const std::string &json);
std::unique_ptr<rt::Engine> makeEngine(const std::string &text,
                                       const Options &options = {});
std::unique_ptr<rt::Engine> makeReference(const std::string &text);

/// Keeps everything, by probe.
class Recording : public rt::RecordSink {
public:
  void spikes(unsigned probe, uint64_t tick,
              std::span<const uint32_t> units) override {
    for (uint32_t unit : units)
      events[probe].push_back({tick, unit});
  }
  void values(unsigned probe, uint64_t, std::span<const double> row) override {
    rows[probe].push_back({row.begin(), row.end()});
  }
  std::map<unsigned, std::vector<std::pair<uint64_t, uint32_t>>> events;
  std::map<unsigned, std::vector<std::vector<double>>> rows;
};

/// Runs both for `ticks` and expects equal spikes, and values and weights to
/// `tolerance`.
void expectNearReference(const std::string &text, uint64_t ticks,
                         double tolerance, const Options &options = precise(),
                         std::vector<std::string> weights = {});

} // namespace neuroc::test
#endif // NEUROC_TEST_UNIT_TARGETCROSSBAR_HARNESS_H
