// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `neuroc run`: compile if a model is given, make the engine, carry out the
// experiment, print what came out, write what was asked for.
#include "Commands.h"

#include "neuroc/rt/Engines.h"
#include "neuroc/rt/Output.h"
#if NEUROC_HAVE_REFERENCE
#include "neuroc/Reference/Reference.h"
#endif

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Process.h"

#include <chrono>
#include <cmath>
#include <thread>

namespace neuroc::driver {

static Failure sessionOptions(const Options &options, double dtMs,
                              rt::SessionOptions &session) {
  // Larger files are read in blocks.
  constexpr uint64_t large = uint64_t(64) << 20;
  session.recordFolder = options.recordFolder;
  for (const auto &[name, file] : options.inputs) {
    uint64_t size = 0;
    if (llvm::StringRef(file).ends_with(".npy") &&
        !llvm::sys::fs::file_size(file, size) && size > large) {
      session.inputFiles[name] = file;
      continue;
    }
    rt::Array array;
    if (rt::Status status = rt::readArrayFile(file, array); !status)
      return {status.code() == rt::Code::UsageError ? Nc::BadInput
                                                    : Nc::CannotRead,
              status.message()};
    session.inputs[name] = std::move(array);
  }
  session.ticks = options.ticks;
  if (!options.time.empty()) {
    double ms = 0;
    if (Failure f = parseTimeMs(options.time, ms))
      return f;
    session.ticks = uint64_t(std::llround(ms / dtMs));
  }
  return {};
}

static rt::EngineOptions engineOptions(const Options &options) {
  rt::EngineOptions result;
  result.seed = options.seed.value_or(0);
  result.threads = options.threads ? options.threads
                                   : std::max(1u, std::thread::hardware_concurrency());
  result.traceFile = options.traceFile;
  for (const auto &[key, value] : options.config)
    result.config[key] = value;
  return result;
}

/// A line that is rewritten on terminals while a long run goes on.
static std::function<void(uint64_t, const std::string &)>
progressLine(const Options &options, const std::string &target) {
  if (options.quiet || !llvm::sys::Process::StandardErrIsDisplayed())
    return {};
  auto start = std::chrono::steady_clock::now();
  auto last = std::make_shared<double>(0.0);
  return [=](uint64_t tick, const std::string &phase) {
    double now = std::chrono::duration<double>(
                     std::chrono::steady_clock::now() - start)
                     .count();
    if (now < 1 || now - *last < 0.2)
      return;
    *last = now;
    llvm::errs() << "\r\033[K" << target << ": tick " << tick << " "
                 << phase << "\r";
  };
}

Failure execute(std::shared_ptr<const rt::Container> program,
                mlir::OwningOpRef<mlir::ModuleOp> core, const Options &options,
                Run &run) {
  rt::Manifest manifest;
  if (rt::Status s = rt::readManifest(*program, manifest); !s)
    return Failure(s);
  std::unique_ptr<rt::Engine> engine;
  rt::Status status;
  if (program->target() == "reference") {
#if NEUROC_HAVE_REFERENCE
    status = createReferenceEngine(std::move(core), engineOptions(options), engine);
#else
    status = {rt::Code::UsageError, "this build has no reference interpreter"};
#endif
  } else {
    status = rt::createEngine(program, engineOptions(options), engine);
  }
  if (!status)
    return Failure(status, program->target());
  rt::SessionOptions settings;
  if (Failure f = sessionOptions(options, manifest.dtMs, settings))
    return f;
  settings.progress = progressLine(options, program->target());
  std::unique_ptr<rt::Session> session;
  status = rt::Session::create(*program, *engine, settings, session);
  if (status)
    status = session->run(run.results);
  if (settings.progress)
    llvm::errs() << "\r\033[K";
  if (!status)
    return Failure(status, program->target());
  run.manifest = session->manifest();
  run.datasets = session->datasets();
  return {};
}

Failure compileAndRun(Model &model, const Options &options,
                      llvm::StringRef target, Run &run) {
  CompiledModel compiled;
  if (Failure f = compileModel(model, options, target, compiled))
    return f;
  run.compileSeconds = compiled.seconds;
  std::shared_ptr<const rt::Container> program;
  if (rt::Status s = rt::Container::read(rt::asBytes(compiled.bytes),
                                         model.path().str(), program);
      !s)
    return {Nc::Internal, s.message()};
  return execute(program, std::move(compiled.core), options, run);
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

std::string formatNumber(double value, int digits) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

std::string formatUnit(double value, llvm::StringRef unit) {
  const char *prefixes[] = {"p", "n", "µ", "m", "", "k", "M", "G", "T"};
  int index = 4;
  double x = std::abs(value);
  while (x > 0 && x < 1 && index > 0)
    x *= 1e3, --index;
  while (x >= 1000 && index < 8)
    x /= 1e3, ++index;
  return formatNumber(value < 0 ? -x : x, 3) + " " + prefixes[index] +
         unit.str();
}

static void printOutputs(const rt::Results &results, const rt::Manifest &manifest,
                         llvm::raw_ostream &out) {
  // The last value of each output of a network that has no experiment.
  for (size_t i = 0; i < results.probes.size(); ++i) {
    const rt::ProbeRecord &record = results.probes[i];
    uint64_t size = record.size();
    if (!manifest.probeIsOutput[i] || record.info.isSpikes ||
        record.values.size() < size || size == 0)
      continue;
    out << manifest.probeLabels[i] << ":";
    uint64_t shown = std::min<uint64_t>(size, 16);
    for (uint64_t k = 0; k < shown; ++k)
      out << " "
          << formatNumber(record.values[record.values.size() - size + k], 6);
    out << (shown < size ? " …\n" : "\n");
  }
}

/// The few counters that everybody wants; with -v all of them.
static void printStats(const rt::Stats &stats, bool all,
                       llvm::raw_ostream &out) {
  const char *headline[] = {"spikes", "synaptic_events", "cycles", "energy_j",
                            "chips",  "cores",           "tiles"};
  for (const auto &[key, value] : stats) {
    if (!all && !llvm::is_contained(headline, llvm::StringRef(key)))
      continue;
    out << llvm::left_justify(key, key.size() < 11 ? 11 : unsigned(key.size()))
        << " " << formatNumber(value, 6) << "\n";
  }
  // Machines that must keep up with the clock say how busy they were.
  auto find = [&](const char *key) {
    auto it = stats.find(key);
    return it == stats.end() ? -1.0 : it->second;
  };
  double cores = find("cores"), over = find("cores_over_budget");
  double peak = find("busy_peak_cycles"), budget = find("tick_budget_cycles");
  if (cores < 0 || over < 0 || peak < 0 || budget <= 0)
    return;
  std::string busiest;
  for (const auto &[key, value] : stats) {
    llvm::StringRef name = key;
    if (value == peak && name.consume_front("core.") &&
        name.consume_back(".busy_peak_cycles") && busiest.empty())
      busiest = " " + name.str();
  }
  // A stretched tick is not real time, however idle the cores are in it.
  double slowdown = find("slowdown");
  out << "real time   ";
  if (slowdown > 1)
    out << "not kept, a tick takes " << formatNumber(slowdown, 3)
        << " times its length; work would fit on ";
  else
    out << "kept by ";
  out << uint64_t(cores - over) << " of " << uint64_t(cores)
      << " cores; busiest" << busiest << ": " << uint64_t(peak) << " of "
      << uint64_t(budget) << " cycles in a tick\n";
}

std::vector<std::string> statWarnings(const rt::Stats &stats) {
  struct {
    const char *key, *meaning;
  } const known[] = {
      {"overruns", "ticks ended late: the machine did not keep real time; slow "
                   "it down (--config slowdown=2) or use more cores"},
      {"late_spikes", "spikes came after their tick and were counted in a later "
                      "one; slow the machine down (--config slowdown=2)"},
      {"dropped_packets", "packets were dropped by routers; slow the machine "
                          "down (--config slowdown=2)"},
      {"lost_packets", "packets were lost in full buffers; slow the machine "
                       "down (--config slowdown=2)"},
      {"saturations", "values left the range of their number format and were "
                      "clipped; widen the `range` of the states concerned"},
      {"adc_clips", "conversions were clipped by the converters' range"},
      {"level_clips", "weights were clipped to the largest conductance; widen "
                      "the weight's bounds"}};
  std::vector<std::string> warnings;
  for (const auto &entry : known)
    if (auto it = stats.find(entry.key); it != stats.end() && it->second > 0)
      warnings.push_back(std::string(entry.key) + " = " +
                         formatNumber(it->second, 9) + ": " + entry.meaning);
  return warnings;
}

static void printSummary(const Run &run, const Options &options,
                         const std::vector<rt::Judgement> &judgements,
                         llvm::raw_ostream &out) {
  const rt::Results &r = run.results;
  double bio = double(r.ticks) * r.dtMs * 1e-3;
  out << "target      " << r.target
      << (run.manifest.machine.empty() ? "" : ", " + run.manifest.machine)
      << "\n";
  out << "simulated   " << formatUnit(bio, "s") << " in " << r.ticks
      << " ticks\n";
  out << "wall        " << formatUnit(r.wallSeconds, "s");
  if (r.wallSeconds > 0)
    out << " (" << formatNumber(bio / r.wallSeconds, 3) << " x real time)";
  out << "\n";
  printStats(r.stats, options.verbose, out);
  for (const rt::ProbeRecord &record : r.probes)
    if (record.info.isSpikes && record.onDisk)
      out << "spikes of " << record.info.name << ": " << record.samples
          << ", in " << options.recordFolder << "\n";
    else if (record.info.isSpikes)
      out << "spikes of " << record.info.name << ": " << record.units.size()
          << ", rate "
          << formatNumber(rt::meanRateHz(record, r.dtMs, 0, r.ticks), 3)
          << " Hz, CV of intervals "
          << formatNumber(rt::meanCvIsi(record, 0, r.ticks), 3) << "\n";
  for (const auto &[name, table] : r.tables)
    out << "table " << name << ": " << table.rows() << " x "
        << table.rowSize() << "\n";
  if (!run.manifest.hasExperiment)
    printOutputs(r, run.manifest, out);
  for (const std::string &warning : r.warnings)
    out << "warning: " << warning << "\n";
  for (const std::string &warning : statWarnings(r.stats))
    out << "warning: " << warning << "\n";
  for (const rt::Judgement &j : judgements) {
    const char *words[] = {"ok", "BROKEN", "open"};
    out << llvm::left_justify(words[int(j.outcome)], 7) << j.name;
    if (j.value)
      out << " = " << formatNumber(*j.value, 6);
    if (j.min)
      out << ", at least " << formatNumber(*j.min, 6);
    if (j.max)
      out << ", at most " << formatNumber(*j.max, 6);
    if (!j.why.empty())
      out << " (" << j.why << ")";
    out << "\n";
  }
}

static Failure checkJudgements(const std::vector<rt::Judgement> &judgements) {
  std::string broken;
  for (const rt::Judgement &j : judgements)
    if (j.outcome == rt::Judgement::Outcome::Failed)
      broken += (broken.empty() ? "" : ", ") + j.name;
  if (broken.empty())
    return {};
  return {Nc::CheckFailed, "expectations are broken: " + broken};
}

Failure runCommand(const Options &options) {
  const std::string &path = options.operands[0];
  FileKind kind;
  if (Failure f = classify(path, options, kind))
    return f;
  Run run;
  if (kind == FileKind::Program) {
    if (options.targetGiven)
      return {Nc::BadValue, "--target: '" + path + "' is compiled already; "
                            "give its model to compile it for another target"};
    std::string bytes;
    if (Failure f = readInput(path, bytes))
      return f;
    std::shared_ptr<const rt::Container> program;
    if (rt::Status s = rt::Container::read(rt::asBytes(bytes), path, program);
        !s)
      return Failure(s);
    if (Failure f = execute(program, nullptr, options, run))
      return f;
  } else {
    const Target *target = nullptr;
    if (Failure f = checkTarget(options.target, true, target))
      return f;
    if (Failure f = checkMachine(target, options.machine))
      return f;
    std::unique_ptr<Model> model;
    if (Failure f = Model::load(path, options, model))
      return f;
    if (Failure f = compileAndRun(*model, options, options.target, run))
      return f;
  }
  std::vector<rt::Judgement> judgements =
      options.ticks || !options.time.empty()
          ? std::vector<rt::Judgement>()
          : rt::judge(run.manifest.experiment, run.results, run.datasets,
                      nullptr);
  std::string stats = rt::statsJson(run.results, run.manifest, judgements);
  std::string summary;
  llvm::raw_string_ostream(summary) << "";
  {
    llvm::raw_string_ostream out(summary);
    printSummary(run, options, judgements, out);
  }
  if (options.statsJson)
    llvm::outs() << stats;
  else if (!options.quiet)
    llvm::outs() << summary;
  llvm::outs().flush();
  if (!options.outputFolder.empty())
    if (rt::Status s = rt::writeRunDirectory(options.outputFolder, run.results,
                                             run.manifest, judgements,
                                             options.csv);
        !s)
      return Failure(s);
  if (!options.reportFolder.empty()) {
    Report report{path + " on " + run.results.target, summary, nullptr};
    if (auto parsed = llvm::json::parse(stats))
      report.data = std::move(*parsed);
    if (Failure f = writeReport(options.reportFolder, report))
      return f;
  }
  return checkJudgements(judgements);
}

} // namespace neuroc::driver
