// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How long does a compiled network take for a row of a stream? All stimuli of
// the program get random rows, one per tick; one JSON object is printed with
// the median and spread of the nanoseconds per row (CPU time of one thread),
// with nothing recorded and with every recorder delivering to a sink.
//
//   stream-bench PROGRAM.nrx [--rows N] [--repeats N] [--low X] [--high X]
//                [--whole] [--dump FOLDER]
//
// Rows are uniform in [low, high); --whole rounds them to whole numbers. --dump
// writes the rows of each stimulus, the last values of each recorder and the
// weights before the run as raw f64 (NAME.in, NAME.out, NAME.weight), so that
// another program can compute the same.

#include "neuroc/rt/Container.h"
#include "neuroc/rt/Engine.h"
#include "neuroc/rt/Engines.h"
#include "neuroc/rt/Manifest.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

using namespace neuroc::rt;

namespace {

/// Reads every value once, as any user of a recording would.
class Sum : public RecordSink {
public:
  void spikes(unsigned, uint64_t, std::span<const uint32_t> units) override {
    total += double(units.size());
  }
  void values(unsigned, uint64_t, std::span<const double> row) override {
    for (double value : row)
      total += value;
  }
  double total = 0;
};

void check(const Status &status) {
  if (status)
    return;
  std::fprintf(stderr, "%s\n", status.message().c_str());
  std::exit(1);
}

void dump(const std::string &path, const std::vector<double> &values) {
  std::ofstream stream(path, std::ios::binary);
  stream.write(reinterpret_cast<const char *>(values.data()),
               std::streamsize(values.size() * sizeof(double)));
  if (!stream) {
    std::fprintf(stderr, "cannot write %s\n", path.c_str());
    std::exit(1);
  }
}

/// CPU time of this thread in ns: other programs do not count.
double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) * 1e9 + double(time.tv_nsec);
}

} // namespace

int main(int argc, char **argv) {
  const char *file = nullptr;
  std::string folder;
  uint64_t rows = 1024;
  int repeats = 9;
  double low = 0, high = 1;
  bool isWhole = false;
  for (int i = 1; i < argc; ++i) {
    bool more = i + 1 < argc;
    if (!std::strcmp(argv[i], "--rows") && more)
      rows = std::strtoull(argv[++i], nullptr, 10);
    else if (!std::strcmp(argv[i], "--repeats") && more)
      repeats = std::atoi(argv[++i]);
    else if (!std::strcmp(argv[i], "--low") && more)
      low = std::atof(argv[++i]);
    else if (!std::strcmp(argv[i], "--high") && more)
      high = std::atof(argv[++i]);
    else if (!std::strcmp(argv[i], "--dump") && more)
      folder = std::string(argv[++i]) + "/";
    else if (!std::strcmp(argv[i], "--whole"))
      isWhole = true;
    else
      file = argv[i];
  }
  std::ifstream stream(file ? file : "", std::ios::binary);
  if (!stream || rows == 0 || repeats < 1) {
    std::fprintf(stderr,
                 "usage: %s PROGRAM.nrx [--rows N] [--repeats N] [--low X] "
                 "[--high X] [--whole] [--dump FOLDER]\n",
                 argv[0]);
    return 2;
  }
  std::string bytes((std::istreambuf_iterator<char>(stream)), {});
  std::shared_ptr<const Container> container;
  check(Container::read(asBytes(bytes), file, container));
  std::unique_ptr<Engine> engine;
  check(createCpuEngine(container, {}, engine));

  Manifest manifest;
  check(readManifest(*container, manifest));

  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> draw(low, high);
  std::vector<std::vector<double>> data;
  std::vector<StreamInput> inputs;
  for (const StimulusInfo &stimulus : manifest.stimuli) {
    auto &values = data.emplace_back(stimulus.size * rows);
    for (double &value : values)
      value = isWhole ? std::round(draw(random)) : draw(random);
    inputs.push_back({stimulus.name, values});
  }
  std::vector<double> values;
  if (!folder.empty()) {
    for (size_t i = 0; i < inputs.size(); ++i)
      dump(folder + std::string(inputs[i].stimulus) + ".in", data[i]);
    for (const WeightInfo &weight : manifest.weights) {
      check(engine->readWeight(weight.name, values));
      dump(folder + weight.name + ".weight", values);
    }
  }
  std::printf("{\"program\": \"%s\", \"rows\": %llu", file,
              (unsigned long long)rows);
  for (bool isRecorded : {false, true}) {
    std::vector<double> times;
    Sum sum;
    for (int i = 0; i <= repeats; ++i) {
      check(engine->reset());
      double start = now();
      check(engine->stream(inputs, rows, 1, isRecorded ? &sum : nullptr));
      if (i > 0) // the first run warms up
        times.push_back((now() - start) / double(rows));
    }
    std::sort(times.begin(), times.end());
    const char *name = isRecorded ? "recorded" : "silent";
    std::printf(", \"%s_ns\": {\"median\": %.3f, \"min\": %.3f, \"max\": %.3f}",
                name, times[times.size() / 2], times.front(), times.back());
    if (isRecorded)
      std::printf(", \"sum\": %.9g", sum.total);
  }
  std::printf("}\n");
  if (!folder.empty())
    for (unsigned i = 0; i < engine->probes().size(); ++i) {
      check(engine->readProbe(i, values));
      dump(folder + engine->probes()[i].name + ".out", values);
    }
  return 0;
}
