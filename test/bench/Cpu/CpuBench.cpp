// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How long does the CPU take for a tick, and how long the reference? One
// network (neuro dialect, first argument) is run for some ticks several times;
// one JSON object per number format is printed: compile and load time, median
// and spread of the time per tick, and the ratio to the reference interpreter.
// The first half of each run is warm-up.
//
//   cpu-bench NETWORK.mlir [--ticks N] [--repeats N] [--no-reference]

#include "Harness.h"

#include "neuroc/rt/Engines.h"

#include "llvm/Support/MemoryBuffer.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace neuroc::test;

static double now() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Seconds per tick: median, least and greatest of `repeats` runs.
struct Times {
  double median, least, greatest;
};
static Times measure(neuroc::rt::Engine &engine, uint64_t ticks, int repeats) {
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) {
    if (!engine.reset().isOk() || !engine.step(ticks / 2, nullptr).isOk())
      std::exit(70);
    double start = now();
    if (!engine.step(ticks - ticks / 2, nullptr).isOk())
      std::exit(70);
    times.push_back((now() - start) / double(ticks - ticks / 2));
  }
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times.front(), times.back()};
}

int main(int argc, char **argv) {
  const char *file = nullptr;
  uint64_t ticks = 2000;
  int repeats = 5;
  bool useReference = true;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--ticks") && i + 1 < argc)
      ticks = std::strtoull(argv[++i], nullptr, 10);
    else if (!std::strcmp(argv[i], "--repeats") && i + 1 < argc)
      repeats = std::atoi(argv[++i]);
    else if (!std::strcmp(argv[i], "--no-reference"))
      useReference = false;
    else
      file = argv[i];
  }
  auto buffer = llvm::MemoryBuffer::getFile(file ? file : "");
  if (!file || !buffer || ticks < 2 || repeats < 1) {
    std::fprintf(stderr,
                 "usage: %s NETWORK.mlir [--ticks N] [--repeats N] "
                 "[--no-reference]\n",
                 argv[0]);
    return 2;
  }
  std::string text = (*buffer)->getBuffer().str();
  double reference = 0;
  if (useReference) {
    auto engine = makeReference(text);
    if (!engine)
      return 1;
    reference = measure(*engine, std::min<uint64_t>(ticks, 200), 1).median;
  }
  for (bool isDouble : {false, true}) {
    double start = now();
    std::string error;
    Options options;
    options.isDouble = isDouble;
    auto container = compileCpu(text, options, error);
    double compiled = now();
    if (!container) {
      std::fprintf(stderr, "%s", error.c_str());
      return 1;
    }
    std::unique_ptr<neuroc::rt::Engine> engine;
    if (auto status = neuroc::rt::createCpuEngine(container, {}, engine);
        !status) {
      std::fprintf(stderr, "%s\n", status.message().c_str());
      return 1;
    }
    double loaded = now();
    Times times = measure(*engine, ticks, repeats);
    neuroc::rt::Stats stats;
    if (!engine->stats(stats).isOk())
      return 70;
    std::printf("{\"network\": \"%s\", \"real\": \"%s\", \"compile_s\": %.4f, "
                "\"load_s\": %.4f, \"ticks\": %llu, \"spikes\": %.0f, "
                "\"synaptic_events\": %.0f, \"tick_us_median\": %.3f, "
                "\"tick_us_min\": %.3f, \"tick_us_max\": %.3f, "
                "\"reference_tick_us\": %.3f, \"speedup\": %.1f}\n",
                file, isDouble ? "f64" : "f32", compiled - start,
                loaded - compiled, (unsigned long long)ticks, stats["spikes"],
                stats["synaptic_events"], times.median * 1e6, times.least * 1e6,
                times.greatest * 1e6, reference * 1e6,
                reference / times.median);
  }
  return 0;
}
