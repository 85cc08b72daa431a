// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers that summarise a run, and the judgement of expectations. Metrics of
// tables work on rows; metrics of spikes on ticks [from, to). What compares
// with the reference run takes the same table or probe of both.
#include "neuroc/rt/Session.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace neuroc::rt {

//===----------------------------------------------------------------------===//
// Spikes
//===----------------------------------------------------------------------===//

double spikeCount(const ProbeRecord &record, uint64_t from, uint64_t to) {
  uint64_t count = 0;
  for (uint64_t tick : record.ticks)
    count += tick >= from && tick < to;
  return double(count);
}

double meanRateHz(const ProbeRecord &record, double dtMs, uint64_t from,
                  uint64_t to) {
  uint64_t units = record.size();
  if (units == 0 || to <= from)
    return 0;
  double seconds = double(to - from) * dtMs * 1e-3;
  return spikeCount(record, from, to) / (double(units) * seconds);
}

double meanCvIsi(const ProbeRecord &record, uint64_t from, uint64_t to) {
  struct Unit {
    uint64_t last = 0, intervals = 0;
    double sum = 0, squares = 0;
    bool seen = false;
  };
  std::vector<Unit> units(record.size());
  for (size_t i = 0; i < record.units.size(); ++i) {
    uint64_t tick = record.ticks[i];
    if (tick < from || tick >= to)
      continue;
    Unit &unit = units[record.units[i]];
    if (unit.seen) {
      double interval = double(tick - unit.last);
      unit.sum += interval;
      unit.squares += interval * interval;
      ++unit.intervals;
    }
    unit.seen = true;
    unit.last = tick;
  }
  double total = 0;
  uint64_t counted = 0;
  for (const Unit &unit : units) {
    if (unit.intervals < 2 || unit.sum == 0)
      continue;
    double n = double(unit.intervals), mean = unit.sum / n;
    double variance = std::max(0.0, unit.squares / n - mean * mean);
    total += std::sqrt(variance) / mean;
    ++counted;
  }
  return counted ? total / double(counted) : 0;
}

uint64_t firstDifferentTick(const ProbeRecord &a, const ProbeRecord &b,
                            uint64_t ticks) {
  size_t n = std::min(a.units.size(), b.units.size());
  for (size_t i = 0; i < n; ++i)
    if (a.ticks[i] != b.ticks[i] || a.units[i] != b.units[i])
      return std::min(a.ticks[i], b.ticks[i]);
  if (a.units.size() > n)
    return a.ticks[n];
  if (b.units.size() > n)
    return b.ticks[n];
  return ticks;
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

static double argmax(std::span<const double> row) {
  if (row.size() == 1)
    return row[0];
  return double(std::max_element(row.begin(), row.end()) - row.begin());
}

static double sumOf(std::span<const double> values) {
  double sum = 0;
  for (double x : values)
    sum += x;
  return sum;
}

static double cosineOf(std::span<const double> a, std::span<const double> b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return aa > 0 && bb > 0 ? std::abs(ab) / std::sqrt(aa * bb) : 0;
}

static double overlapOf(std::span<const double> a, std::span<const double> b) {
  auto sign = [](double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0; };
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i)
    sum += sign(a[i]) * sign(b[i]);
  return a.empty() ? 0 : sum / double(a.size());
}

/// Metrics that summarise the values of one table, or of one of its rows.
static double summarise(MetricKind kind, std::span<const double> values) {
  double result = 0;
  switch (kind) {
  case MetricKind::Min:
    return *std::min_element(values.begin(), values.end());
  case MetricKind::Max:
    return *std::max_element(values.begin(), values.end());
  case MetricKind::Sum:
    return sumOf(values);
  case MetricKind::Mean:
    return sumOf(values) / double(values.size());
  case MetricKind::Finite:
    return std::all_of(values.begin(), values.end(),
                       [](double x) { return std::isfinite(x); });
  default:
    break;
  }
  for (double x : values)
    result += x * x;
  if (kind == MetricKind::Rms)
    result /= double(values.size());
  return std::sqrt(result);
}

/// Metrics that compare a table with labels, a dataset or another table.
static Status compareArrays(const Metric &metric, const Array &table,
                            const Array &other, double &value) {
  auto differ = [&](const std::string &why) {
    return Status(Code::ModelError, "'" + metric.table + "' cannot be compared "
                                    "with '" + metric.against + "': " + why);
  };
  int64_t rows = table.rows();
  if (metric.kind == MetricKind::Accuracy) {
    if (other.rows() < rows)
      return differ(std::to_string(rows) + " rows, but " +
                    std::to_string(other.rows()) + " labels");
    int64_t right = 0;
    for (int64_t i = 0; i < rows; ++i)
      right += argmax(table.row(i)) == argmax(other.row(i));
    value = rows ? double(right) / double(rows) : 0;
    return Status::ok();
  }
  // Rows that are compared: all with all, or the last row with one array.
  std::span<const double> a(table.values), b(other.values);
  int64_t parts = 1;
  if (a.size() == b.size())
    parts = other.shape.size() > 1 ? other.rows() : 1;
  else if (uint64_t(table.rowSize()) == b.size() && rows > 0)
    a = table.row(rows - 1);
  else if (table.rowSize() == other.rowSize() && rows < other.rows())
    b = b.subspan(0, a.size()), parts = rows;
  else
    return differ(std::to_string(rows) + " x " +
                  std::to_string(table.rowSize()) + " values against " +
                  std::to_string(other.rows()) + " x " +
                  std::to_string(other.rowSize()));
  size_t width = parts ? a.size() / size_t(parts) : 0;
  double sum = 0, largest = 0, least = std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < parts; ++i) {
    auto x = a.subspan(size_t(i) * width, width);
    auto y = b.subspan(size_t(i) * width, width);
    if (metric.kind == MetricKind::Cosine)
      least = std::min(least, cosineOf(x, y));
    else if (metric.kind == MetricKind::Overlap)
      sum += overlapOf(x, y);
  }
  for (size_t i = 0; i < a.size(); ++i) {
    double error = std::abs(a[i] - b[i]);
    largest = error > largest || std::isnan(error) ? error : largest;
    if (metric.kind == MetricKind::RmsError)
      sum += error * error;
  }
  if (metric.kind == MetricKind::Cosine)
    value = least;
  else if (metric.kind == MetricKind::Overlap)
    value = parts ? sum / double(parts) : 0;
  else if (metric.kind == MetricKind::RmsError)
    value = a.empty() ? 0 : std::sqrt(sum / double(a.size()));
  else
    value = largest;
  return Status::ok();
}

static Status compareWithReference(const Metric &metric, const Array &table,
                                   const Array &reference, double &value) {
  if (table.shape != reference.shape)
    return {Code::ModelError, "table '" + metric.table +
                                  "' differs in shape from the reference's"};
  if (metric.kind == MetricKind::TableError) {
    value = 0;
    for (size_t i = 0; i < table.values.size(); ++i) {
      double error = std::abs(table.values[i] - reference.values[i]);
      value = error > value || std::isnan(error) ? error : value;
    }
    return Status::ok();
  }
  int64_t same = 0;
  for (int64_t i = 0; i < table.rows(); ++i)
    same += argmax(table.row(i)) == argmax(reference.row(i));
  value = table.rows() ? double(same) / double(table.rows()) : 1;
  return Status::ok();
}

static Status tableMetric(const Metric &metric, const Results &results,
                          const std::map<std::string, Array> &datasets,
                          const Results *reference, double &value) {
  auto find = [](const std::map<std::string, Array> &in,
                 const std::string &name) -> const Array * {
    auto it = in.find(name);
    return it == in.end() || it->second.values.empty() ? nullptr : &it->second;
  };
  const Array *table = find(results.tables, metric.table);
  if (!table)
    return {Code::ModelError, "table '" + metric.table + "' has no row"};
  if (metric.needsReference()) {
    const Array *other = find(reference->tables, metric.table);
    if (!other)
      return {Code::ModelError,
              "the reference run has no table '" + metric.table + "'"};
    return compareWithReference(metric, *table, *other, value);
  }
  if (!metric.against.empty()) {
    const Array *other = find(metric.againstTable ? results.tables : datasets,
                              metric.against);
    if (!other)
      return {Code::ModelError, "'" + metric.against + "' has no row"};
    return compareArrays(metric, *table, *other, value);
  }
  auto rowOf = [&](int64_t row, std::span<const double> &values) {
    row += row < 0 ? table->rows() : 0;
    if (row < 0 || row >= table->rows())
      return Status(Code::ModelError, "table '" + metric.table + "' has " +
                                          std::to_string(table->rows()) +
                                          " rows, row " + std::to_string(row) +
                                          " was asked for");
    values = table->row(row);
    return Status::ok();
  };
  std::span<const double> values(table->values), over;
  bool oneRow = metric.row || metric.kind == MetricKind::Value ||
                metric.kind == MetricKind::Ratio;
  if (oneRow)
    if (Status s = rowOf(metric.row.value_or(-1), values); !s)
      return s;
  if (metric.kind == MetricKind::Ratio) {
    if (Status s = rowOf(metric.over, over); !s)
      return s;
    value = sumOf(values) / sumOf(over);
    return Status::ok();
  }
  if (metric.kind != MetricKind::Value) {
    value = summarise(metric.kind, values);
    return Status::ok();
  }
  if (metric.column < 0 || size_t(metric.column) >= values.size())
    return {Code::ModelError, "table '" + metric.table + "' has " +
                                  std::to_string(values.size()) + " columns"};
  value = values[size_t(metric.column)];
  return Status::ok();
}

static Status spikeMetric(const Metric &metric, const Results &results,
                          const Results *reference, double &value) {
  const ProbeRecord *record = results.findProbe(metric.probe);
  if (!record)
    return {Code::ModelError, "no probe '" + metric.probe + "'"};
  if (record->onDisk)
    return {Code::ModelError, "the spikes of '" + metric.probe +
                                  "' went to files (--record-to)"};
  if (!record->info.isSpikes)
    return {Code::ModelError,
            "probe '" + metric.probe + "' records values, not spikes"};
  auto toTicks = [&](double ms) {
    return uint64_t(std::llround(std::max(0.0, ms) / results.dtMs));
  };
  uint64_t from = toTicks(metric.fromMs);
  uint64_t to = metric.toMs < 0 ? results.ticks : toTicks(metric.toMs);
  switch (metric.kind) {
  case MetricKind::SpikeCount:
    value = spikeCount(*record, from, to);
    break;
  case MetricKind::RateHz:
    value = meanRateHz(*record, results.dtMs, from, to);
    break;
  case MetricKind::CvIsi:
    value = meanCvIsi(*record, from, to);
    break;
  default: {
    const ProbeRecord *other = reference->findProbe(metric.probe);
    if (!other)
      return {Code::ModelError,
              "the reference run has no probe '" + metric.probe + "'"};
    value = double(firstDifferentTick(*record, *other, results.ticks)) *
            results.dtMs;
    break;
  }
  }
  return Status::ok();
}

Status computeMetric(const Metric &metric, const Results &results,
                     const std::map<std::string, Array> &datasets,
                     const Results *reference, double &value) {
  value = 0;
  if (metric.needsReference() && !reference)
    return {Code::UsageError, "needs a reference run (neuroc compare)"};
  if (metric.difference) {
    Metric plain = metric;
    plain.difference = false;
    double mine, theirs;
    if (Status s = computeMetric(plain, results, datasets, reference, mine); !s)
      return s;
    if (Status s = computeMetric(plain, *reference, datasets, reference, theirs);
        !s)
      return s;
    value = mine - theirs;
    return Status::ok();
  }
  if (metric.kind == MetricKind::Stat) {
    auto it = results.stats.find(metric.stat);
    if (it == results.stats.end())
      return {Code::UsageError,
              "target '" + results.target + "' has no statistic '" +
                  metric.stat + "'"};
    value = it->second;
    return Status::ok();
  }
  if (!metric.probe.empty())
    return spikeMetric(metric, results, reference, value);
  return tableMetric(metric, results, datasets, reference, value);
}

std::vector<Judgement> judge(const Protocol &protocol, const Results &results,
                             const std::map<std::string, Array> &datasets,
                             const Results *reference) {
  std::vector<Judgement> judgements;
  for (const Expectation &expected : protocol.expectations) {
    Judgement j;
    j.name = expected.name;
    j.min = expected.min;
    j.max = expected.max;
    const auto &targets = expected.targets;
    if (!targets.empty() && std::find(targets.begin(), targets.end(),
                                      results.target) == targets.end()) {
      j.why = "not stated for this target";
      judgements.push_back(std::move(j));
      continue;
    }
    double value;
    Status status = computeMetric(expected.metric, results, datasets,
                                  reference, value);
    if (!status) {
      // What cannot be judged here (no reference, no such statistic) is left
      // open; a fault of the model is a broken expectation.
      j.outcome = status.code() == Code::UsageError
                      ? Judgement::Outcome::NotJudged
                      : Judgement::Outcome::Failed;
      j.why = status.message();
    } else {
      bool good = (!j.min || value >= *j.min) && (!j.max || value <= *j.max);
      j.value = value;
      j.outcome = good ? Judgement::Outcome::Passed
                       : Judgement::Outcome::Failed;
    }
    judgements.push_back(std::move(j));
  }
  return judgements;
}

} // namespace neuroc::rt
