// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From IR text to a running engine, in one process and without files: the CPU
// target with its engine, and the reference interpreter beside it.
#ifndef NEUROC_TEST_UNIT_TARGETCPU_HARNESS_H
#define NEUROC_TEST_UNIT_TARGETCPU_HARNESS_H

#include "neuroc/Reference/Reference.h"
#include "neuroc/Target/Target.h"
#include "neuroc/rt/Container.h"
#include "neuroc/rt/Engine.h"

#include "mlir/IR/MLIRContext.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace neuroc::test {

mlir::MLIRContext &context();

/// Text to a module in core normal form; null after a diagnostic.
mlir::OwningOpRef<mlir::ModuleOp> toCore(const std::string &text);

struct Options {
  bool isDouble = true;
  unsigned optimizationLevel = 2;
  uint64_t seed = 0;
  std::string machine; ///< empty: the host's
};

/// Compiles for the CPU; an empty container and the diagnostics in `error`
/// when that fails.
std::shared_ptr<const rt::Container>
compileCpu(const std::string &text, const Options &options, std::string &error);
std::unique_ptr<rt::Engine> makeCpu(const std::string &text,
                                    const Options &options = {});
std::unique_ptr<rt::Engine> makeReference(const std::string &text,
                                          const Options &options = {});

/// Keeps everything: (tick, unit) of spikes and rows of values, by probe.
class Recording : public rt::RecordSink {
public:
  void spikes(unsigned probe, uint64_t tick,
              std::span<const uint32_t> units) override {
    for (uint32_t unit : units)
      events[probe].push_back({tick, unit});
  }
  void values(unsigned probe, uint64_t tick,
              std::span<const double> row) override {
    rows[probe].push_back({row.begin(), row.end()});
    rowTicks[probe].push_back(tick);
  }
  std::vector<uint64_t> ticksOf(unsigned probe, uint32_t unit) {
    std::vector<uint64_t> result;
    for (auto [tick, who] : events[probe])
      if (who == unit)
        result.push_back(tick);
    return result;
  }
  std::map<unsigned, std::vector<std::pair<uint64_t, uint32_t>>> events;
  std::map<unsigned, std::vector<std::vector<double>>> rows;
  std::map<unsigned, std::vector<uint64_t>> rowTicks;
};

/// Runs both engines in f64 and expects equal spikes and values to 1e-12, for
/// every probe, and equal weights at the end.
void expectSameAsReference(const std::string &text, uint64_t ticks,
                           std::vector<std::string> weights = {});

} // namespace neuroc::test
#endif // NEUROC_TEST_UNIT_TARGETCPU_HARNESS_H
