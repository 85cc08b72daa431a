// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a run leaves on disk and on stdout: SONATA spikes, NumPy arrays, CSV,
// the statistics object and the run directory. docs/stats.md has the schema.
#ifndef NEUROC_RT_OUTPUT_H
#define NEUROC_RT_OUTPUT_H

#include "neuroc/rt/Session.h"

namespace neuroc::rt {

/// Version of the statistics object; raised when a key changes its meaning.
constexpr int kStatsVersion = 1;

/// All spike probes as SONATA: /spikes/<probe>/{timestamps, node_ids} in ms,
/// sorted by time. Errors: OutputError.
Status writeSonata(const Results &results, const std::string &path);

/// Lines "probe,time_ms,unit" of all spike probes.
std::string spikesCsv(const Results &results);

/// The statistics object of one run, as JSON text.
std::string statsJson(const Results &results, const Manifest &manifest,
               const std::vector<Judgement> &judgements);

/// Writes into the folder `path` (made if missing): spikes.h5, <probe>.npy and
/// <probe>.ticks.npy of value probes, tables.npz, stats.json; with `csv` also
/// spikes.csv. Errors: OutputError.
Status writeRunDirectory(const std::string &path, const Results &results,
                         const Manifest &manifest,
                         const std::vector<Judgement> &judgements, bool csv);

/// Peak resident memory of this process, bytes.
uint64_t peakRssBytes();

} // namespace neuroc::rt
#endif // NEUROC_RT_OUTPUT_H
