// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The experiment of a compiled program as data: what the host session does
// with the engine, step by step, and what the user expects of the results.
// It is written by the compiler as manifest["experiment"] and read by
// parseProtocol, which checks everything once so that the session need not.
//
//   { "name": "recall", "steps": [STEP…], "expect": [EXPECT…] }
//
// STEP is an object with a member "op":
//   step      ticks                                advance so many ticks
//   present   stimulus, DATA                       set a stimulus; opens a new
//                                                  readout window
//   settle    probe, below, max_ticks              advance until the norm of
//             [norm: "max"|"l2"|"change"]          the probe's value (or of its
//             [every: 1]                           change) is below a bound
//   enable    plastic, on                          learning on or off
//   clamp     population, state, DATA              hold (NaN: unit is free)
//   release   population, state
//   assign    population, state, DATA              write a state …
//   assign    weight, DATA                         … or a weight
//   call      plastic                              run `on_call` everywhere
//   snapshot  as [populations: [name…]] [weights: [name…]]
//             [plastics: [name…]]                  states of synapses; all
//                                                  missing: everything but
//                                                  those
//   restore   from                                 what the snapshot holds
//   readout   into, SOURCE                         append a row to a table
//   reset                                          engine back to tick 0
//   window                                         open a new readout window
//   phase     name, body: [STEP…]                  a named part; statistics
//                                                  are kept per phase
//   repeat    count [var] [counter], body          var counts 0, 1, …
//   for_each  dataset [var] [counter] [first] [count] [stride] [shuffled: KEY]
//             [batched], body                      var counts over row numbers;
//                                                  batched: takes as many rows
//                                                  at a time as there are lanes
//   stream    inputs: [{stimulus, dataset}…] [first] [count] [every: 1]
//                                                  one row of each per tick
// and what the host computes between them. REG is a number that stands for an
// array; it is seen from its definition to the end of the body that holds it.
//   literal   out: REG, shape, values
//   read      out: REG, of: KIND, source [state] [reduce] [snapshot] [row: INDEX]
//             a signal may be reduced by "samples": all of a real signal's
//             samples in the window, one row each
//   calc      out: REG, function, in: [REG…] [axis]     see HostMath.h
//   store     value: REG, into: KIND, target [state] [clamp]
//   if        condition: REG, body [else: [STEP…]]
//   while     condition: [STEP…], until: variable, max, body [body_first]
// KIND is "state" (of a population's units or a plastic's synapses), "weight",
// "signal" (read: a probe; store: a stimulus), "variable", "table" or "dataset".
// `counter` names a variable. Every step may have "at": "file:line:column",
// which errors then begin with.
// DATA is one of
//   "values": [number…]        one number is spread over all units
//   "dataset": name            [, "row": INDEX]  one row; without "row" all of
//                              it, flattened
//   "table": name [, "row": INDEX]     a row of a result table (-1: the last)
// INDEX is an integer or {"var": name [, "times": 1] [, "plus": 0] [, "mod": 0]}
// for (var * times + plus) mod `mod` (0: no modulus).
// SOURCE is one of
//   "probe": name [, "reduce": "last"|"mean"|"sum"|"count"|"max"|"argmax"]
//       over the window: the samples since the last present or window step,
//       or since the last readout that was followed by a tick, whichever is
//       later; "count" counts spikes per unit; "argmax" is one number: the
//       unit with the greatest sum
//   "population": name, "state": name
//   "weight": name
//
// EXPECT: { "name", "metric": METRIC, ["min"], ["max"], ["targets": [name…]] }
//   the metric must lie in [min, max]; `targets`: judged only there.
// METRIC: { "kind": …, … }; a table has rows appended by readout. `against` is
// a dataset or a table.
//   accuracy      table, against (labels): fraction of rows whose argmax (or
//                 single value) is the label
//   value         table [row: -1] [column: 0]
//   mean | min | max | sum | norm | rms     table [row] (default: all rows)
//   finite        table: 1 if every value is a number, else 0
//   ratio         table [row: -1] [over: 0]: sum of one row / sum of the other
//   max_error | rms_error      table, against: the difference
//   cosine        table, against: least |cos| over rows (one row against all
//                 rows when the table is one row; the last row if more)
//   overlap       table, against: mean over rows of the mean product of signs
//   spike_count | rate_hz | cv_isi     probe [from_ms] [to_ms]
//   stat          stat: a key of the run's statistics
//  and, needing a reference run (judged only by `neuroc compare`):
//   equal_spikes_ms   probe: time until which spikes equal the reference's
//   table_error       table: largest |difference| from the reference's table
//   agreement         table: fraction of rows with the reference's argmax
//  "difference": true  any kind above: metric minus the reference's metric
#ifndef NEUROC_RT_PROTOCOL_H
#define NEUROC_RT_PROTOCOL_H

#include "neuroc/rt/Status.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neuroc::rt {

/// (value of `var` * times + plus) mod `mod`; `var` empty: just `plus`.
struct Index {
  std::string var;
  int64_t times = 1;
  int64_t plus = 0;
  int64_t mod = 0;
};

/// Where numbers come from: literal values, or a dataset or result table.
struct DataRef {
  enum class Kind { Values, Dataset, Table } kind = Kind::Values;
  std::vector<double> values;
  std::string name;
  std::optional<Index> row; ///< none: the whole array, flattened
};

enum class StepKind {
  Step, Present, Settle, Enable, Clamp, Release, Assign, AssignWeight, Call,
  Snapshot, Restore, Readout, Reset, Window, Phase, Repeat, ForEach,
  Stream, Literal, Read, Calc, Store, If, While
};
enum class Reduce { Last, Mean, Sum, Count, Max, Argmax, Samples };
enum class SettleNorm { Max, L2, Change };
enum class ReadoutOf { Probe, State, Weight };
/// What a host step reads or writes.
enum class HostKind { State, Weight, Signal, Variable, Table, Dataset };

/// The members of host steps.
struct HostStep {
  uint32_t out = 0;               ///< register defined
  std::vector<uint32_t> operands; ///< registers used
  HostKind kind = HostKind::Variable;
  std::string snapshot;   ///< read: empty: as it is now
  std::optional<Index> row; ///< read of a dataset
  unsigned function = 0;  ///< of kHostFunctions
  std::optional<int64_t> axis;
  std::vector<int64_t> shape; ///< literal; its values are the step's `data`
  bool bodyFirst = false;     ///< while
};

/// One step; which members count depends on `kind` (see the top of the file).
struct ProtocolStep {
  StepKind kind = StepKind::Step;
  uint64_t ticks = 0;     ///< step; settle: max_ticks; repeat: count; while: max
  std::string name;       ///< stimulus, plastic, weight, probe, phase, snapshot
  std::string population; ///< clamp, release, assign, readout
  std::string state;
  std::string into; ///< readout: table
  std::string var;  ///< repeat, for_each
  std::string dataset;
  DataRef data;
  bool on = true;
  double below = 0;
  uint64_t every = 1;
  SettleNorm norm = SettleNorm::Max;
  std::vector<std::string> populations, weights, plastics; ///< snapshot
  ReadoutOf source = ReadoutOf::Probe;
  Reduce reduce = Reduce::Last;
  int64_t first = 0, count = -1, stride = 1; ///< for_each; -1: to the end
  std::string counter;             ///< repeat, for_each: a variable
  std::optional<int64_t> shuffled; ///< for_each: the key
  bool batched = false;            ///< for_each
  std::vector<std::pair<std::string, std::string>> inputs; ///< stream
  std::string at; ///< where it stands in the source
  HostStep host;
  std::vector<ProtocolStep> body;
  std::vector<ProtocolStep> other; ///< if: else; while: the condition
};

enum class MetricKind {
  Accuracy, Value, Mean, Min, Max, Sum, Norm, Rms, Finite, Ratio, MaxError,
  RmsError, Cosine, Overlap, SpikeCount, RateHz, CvIsi, EqualSpikesMs,
  TableError, Agreement, Stat
};

struct Metric {
  MetricKind kind = MetricKind::Value;
  std::string table, against, probe, stat;
  bool againstTable = false; ///< `against` is a table, not a dataset
  bool difference = false;
  std::optional<int64_t> row;
  int64_t column = 0, over = 0;
  double fromMs = 0, toMs = -1; ///< -1: to the end of the run
  bool needsReference() const {
    return difference || kind == MetricKind::EqualSpikesMs ||
           kind == MetricKind::TableError || kind == MetricKind::Agreement;
  }
};

struct Expectation {
  std::string name;
  Metric metric;
  std::optional<double> min, max;
  std::vector<std::string> targets; ///< empty: all
};

struct Protocol {
  std::string name;
  std::vector<ProtocolStep> steps;
  std::vector<Expectation> expectations;
  uint32_t registers = 0; ///< number of registers that the steps use
};

/// Names that a protocol may refer to; filled from the manifest.
struct ProtocolScope {
  std::vector<std::string> stimuli, probes, plastics, weights, datasets;
  std::map<std::string, std::vector<std::string>> states; ///< by population
  /// States of synapses, by plastic.
  std::map<std::string, std::vector<std::string>> synapseStates;
};

/// Reads and checks a protocol. Every name must exist in `scope`; every table
/// that is read must be written by an earlier readout; loops nest at most 16.
/// Errors: InputError with the path of the faulty element
/// ("experiment.steps[3].body[0].row: …") and the nearest known name.
Status parseProtocol(std::string_view json, const ProtocolScope &scope,
                     Protocol &protocol);

} // namespace neuroc::rt
#endif // NEUROC_RT_PROTOCOL_H
