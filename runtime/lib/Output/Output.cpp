// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The statistics object and the run directory.
#include "neuroc/rt/Output.h"
#include "neuroc/rt/Json.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <sys/resource.h>

namespace neuroc::rt {

uint64_t peakRssBytes() {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0)
    return 0;
  return uint64_t(usage.ru_maxrss) * 1024; // Linux counts in KiB
}

std::string spikesCsv(const Results &results) {
  std::string text = "probe,time_ms,unit\n";
  char line[64];
  for (const ProbeRecord &record : results.probes) {
    if (!record.info.isSpikes)
      continue;
    for (size_t i = 0; i < record.units.size(); ++i) {
      std::snprintf(line, sizeof line, ",%.10g,%u\n",
                    double(record.ticks[i]) * results.dtMs, record.units[i]);
      text += record.info.name + line;
    }
  }
  return text;
}

static Json judgementJson(const Judgement &j) {
  const char *words[] = {"passed", "failed", "not judged"};
  Json json = {{"name", j.name}, {"outcome", words[int(j.outcome)]}};
  if (j.value)
    json["value"] = std::isfinite(*j.value) ? Json(*j.value) : Json();
  if (j.min)
    json["min"] = *j.min;
  if (j.max)
    json["max"] = *j.max;
  if (!j.why.empty())
    json["why"] = j.why;
  return json;
}

static Json probeJson(const ProbeRecord &record, const Results &results) {
  Json json = {{"name", record.info.name}, {"shape", record.info.shape}};
  if (!record.info.isSpikes) {
    json["kind"] = "values";
    json["samples"] = record.onDisk ? record.samples : record.ticks.size();
    return json;
  }
  json["kind"] = "spikes";
  json["spikes"] = record.onDisk ? record.samples : record.units.size();
  if (record.onDisk) // intervals are in the files
    return json;
  json["rate_hz"] = meanRateHz(record, results.dtMs, 0, results.ticks);
  json["cv_isi"] = meanCvIsi(record, 0, results.ticks);
  return json;
}

std::string statsJson(const Results &results, const Manifest &manifest,
               const std::vector<Judgement> &judgements) {
  double bio = double(results.ticks) * results.dtMs * 1e-3;
  Json json = {{"schema", "neuroc-stats"},
               {"version", kStatsVersion},
               {"target", results.target},
               {"machine", manifest.machine},
               {"network", manifest.network},
               {"compiler", manifest.compiler},
               {"seed", manifest.seed},
               {"dt_ms", results.dtMs},
               {"ticks", results.ticks},
               {"wall_s", results.wallSeconds},
               {"bio_s", bio},
               {"peak_rss_bytes", peakRssBytes()}};
  json["realtime_factor"] =
      results.wallSeconds > 0 ? bio / results.wallSeconds : 0.0;
  for (const auto &[key, value] : results.stats)
    json[key] = std::isfinite(value) ? Json(value) : Json();
  Json probes = Json::array(), phases = Json::array();
  for (const ProbeRecord &record : results.probes)
    probes.push_back(probeJson(record, results));
  for (const PhaseResult &phase : results.phases)
    phases.push_back({{"name", phase.name},
                      {"first_tick", phase.firstTick},
                      {"last_tick", phase.lastTick},
                      {"wall_s", phase.wallSeconds}});
  json["probes"] = probes;
  if (!phases.empty())
    json["phases"] = phases;
  if (!judgements.empty()) {
    Json list = Json::array();
    for (const Judgement &judgement : judgements)
      list.push_back(judgementJson(judgement));
    json["expectations"] = list;
  }
  if (!results.warnings.empty())
    json["warnings"] = results.warnings;
  return dumpJson(json) + "\n";
}

static Status writeProbe(const std::string &folder, const ProbeRecord &record) {
  Array values, ticks;
  values.values = record.values;
  values.shape = record.info.shape;
  values.shape.insert(values.shape.begin(), int64_t(record.ticks.size()));
  ticks.values.assign(record.ticks.begin(), record.ticks.end());
  ticks.shape = {int64_t(record.ticks.size())};
  std::string base = folder + "/" + fileNameOf(record.info.name);
  if (Status s = writeFileAtomically(base + ".npy", writeNpy(values)); !s)
    return s;
  return writeFileAtomically(base + ".ticks.npy",
                             writeNpy(ticks, NpyType::UInt64));
}

Status writeRunDirectory(const std::string &path, const Results &results,
                         const Manifest &manifest,
                         const std::vector<Judgement> &judgements, bool csv) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error)
    return {Code::OutputError, path + ": cannot make the folder: " +
                                   error.message()};
  bool anySpikes = false;
  for (const ProbeRecord &record : results.probes) {
    if (record.onDisk)
      continue; // written as they came
    anySpikes |= record.info.isSpikes;
    if (!record.info.isSpikes)
      if (Status status = writeProbe(path, record); !status)
        return status;
  }
  if (anySpikes)
    if (Status status = writeSonata(results, path + "/spikes.h5"); !status)
      return status;
  if (csv)
    if (Status status =
            writeFileAtomically(path + "/spikes.csv", spikesCsv(results));
        !status)
      return status;
  if (!results.tables.empty())
    if (Status status = writeFileAtomically(path + "/tables.npz",
                                            writeNpz(results.tables));
        !status)
      return status;
  return writeFileAtomically(
      path + "/stats.json",
      statsJson(results, manifest, judgements));
}

} // namespace neuroc::rt
