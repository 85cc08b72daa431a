// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Metrics by hand-computed values, and how expectations are judged.
#include "neuroc/rt/Session.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace neuroc::rt;

static Array array(std::vector<int64_t> shape, std::vector<double> values) {
  return {std::move(shape), std::move(values)};
}

static ProbeRecord spikes(std::vector<std::pair<uint64_t, uint32_t>> events,
                          int64_t units) {
  ProbeRecord record;
  record.info = {"s", true, {units}, 1};
  for (auto [tick, unit] : events) {
    record.ticks.push_back(tick);
    record.units.push_back(unit);
  }
  return record;
}

class MetricsTest : public testing::Test {
protected:
  MetricsTest() {
    results.dtMs = 0.5;
    results.ticks = 2000; // one second
    results.target = "toy";
    results.tables["t"] = array({2, 3}, {1, 5, 2, 4, 0, 3});
    results.tables["p"] = array({2, 1}, {1, 2});
    results.stats["overruns"] = 3;
    results.probes.push_back(
        spikes({{0, 0}, {10, 1}, {100, 0}, {200, 0}, {400, 0}}, 2));
    datasets["labels"] = array({2}, {1, 2});
    datasets["same"] = array({2, 3}, {1, 5, 2, 4, 0, 3});
    datasets["row"] = array({3}, {8, 0, 7});
    datasets["odd"] = array({5}, {1, 2, 3, 4, 5});
  }
  double value(Metric metric, const Results *reference = nullptr) {
    double v = NAN;
    Status s = computeMetric(metric, results, datasets, reference, v);
    EXPECT_TRUE(s.isOk()) << s.message();
    return v;
  }
  Metric onTable(MetricKind kind, const char *table = "t",
                 const char *against = "") {
    Metric m;
    m.kind = kind;
    m.table = table;
    m.against = against;
    return m;
  }
  Metric onProbe(MetricKind kind) {
    Metric m;
    m.kind = kind;
    m.probe = "s";
    return m;
  }
  Results results;
  std::map<std::string, Array> datasets;
};

TEST_F(MetricsTest, Accuracy) {
  EXPECT_EQ(value(onTable(MetricKind::Accuracy, "t", "labels")), 0.5);
  EXPECT_EQ(value(onTable(MetricKind::Accuracy, "p", "labels")), 1.0);
  EXPECT_EQ(value(onTable(MetricKind::Accuracy, "t", "same")), 1.0);
}

TEST_F(MetricsTest, Summaries) {
  EXPECT_EQ(value(onTable(MetricKind::Mean)), 2.5);
  EXPECT_EQ(value(onTable(MetricKind::Min)), 0);
  EXPECT_EQ(value(onTable(MetricKind::Max)), 5);
  EXPECT_EQ(value(onTable(MetricKind::Sum)), 15);
  EXPECT_EQ(value(onTable(MetricKind::Norm)), std::sqrt(55.0));
  EXPECT_EQ(value(onTable(MetricKind::Rms)), std::sqrt(55.0 / 6));
  EXPECT_EQ(value(onTable(MetricKind::Finite)), 1);
  EXPECT_EQ(value(onTable(MetricKind::Ratio)), 7.0 / 8);
  EXPECT_EQ(value(onTable(MetricKind::Value)), 4);
  Metric row = onTable(MetricKind::Sum);
  row.row = 0;
  EXPECT_EQ(value(row), 8);
  Metric cell = onTable(MetricKind::Value);
  cell.row = -2, cell.column = 1;
  EXPECT_EQ(value(cell), 5);
  results.tables["t"].values[2] = NAN;
  EXPECT_EQ(value(onTable(MetricKind::Finite)), 0);
}

TEST_F(MetricsTest, Comparisons) {
  EXPECT_EQ(value(onTable(MetricKind::MaxError, "t", "same")), 0);
  // One row against the table: its last row.
  EXPECT_EQ(value(onTable(MetricKind::MaxError, "t", "row")), 4);
  EXPECT_EQ(value(onTable(MetricKind::RmsError, "t", "row")),
            std::sqrt(32.0 / 3));
  EXPECT_NEAR(value(onTable(MetricKind::Cosine, "t", "same")), 1, 1e-12);
  EXPECT_NEAR(value(onTable(MetricKind::Cosine, "t", "row")),
              53 / std::sqrt(25.0 * 113), 1e-12);
  EXPECT_NEAR(value(onTable(MetricKind::Overlap, "t", "row")), 2.0 / 3, 1e-12);
  double v;
  Status s = computeMetric(onTable(MetricKind::MaxError, "t", "odd"), results,
                           datasets, nullptr, v);
  EXPECT_NE(s.message().find("cannot be compared"), std::string::npos);
  results.tables["nan"] = array({1, 3}, {NAN, 0, 7});
  EXPECT_TRUE(std::isnan(value(onTable(MetricKind::MaxError, "nan", "row"))));
}

TEST_F(MetricsTest, Spikes) {
  EXPECT_EQ(value(onProbe(MetricKind::SpikeCount)), 5);
  EXPECT_EQ(value(onProbe(MetricKind::RateHz)), 2.5);
  Metric late = onProbe(MetricKind::SpikeCount);
  late.fromMs = 50, late.toMs = 150; // ticks [100, 300)
  EXPECT_EQ(value(late), 2);
  // Unit 0: intervals 100, 100, 200; unit 1 has none.
  double mean = 400.0 / 3, sd = std::sqrt(60000.0 / 3 - mean * mean);
  EXPECT_NEAR(value(onProbe(MetricKind::CvIsi)), sd / mean, 1e-12);
}

TEST_F(MetricsTest, AgainstTheReference) {
  Results reference = results;
  reference.tables["t"].values = {1, 5, 2, 4, 0, 9};
  reference.probes[0].ticks[2] = 101;
  EXPECT_EQ(value(onProbe(MetricKind::EqualSpikesMs), &reference), 50);
  EXPECT_EQ(value(onTable(MetricKind::TableError), &reference), 6);
  EXPECT_EQ(value(onTable(MetricKind::Agreement), &reference), 0.5);
  Metric difference = onTable(MetricKind::Sum);
  difference.difference = true;
  EXPECT_EQ(value(difference, &reference), -6);
  EXPECT_EQ(value(onProbe(MetricKind::EqualSpikesMs), &results), 1000);
}

TEST_F(MetricsTest, FirstDifferentTick) {
  ProbeRecord a = spikes({{1, 0}, {2, 1}}, 2), b = spikes({{1, 0}}, 2);
  EXPECT_EQ(firstDifferentTick(a, a, 9), 9u);
  EXPECT_EQ(firstDifferentTick(a, b, 9), 2u);
  EXPECT_EQ(firstDifferentTick(b, a, 9), 2u);
}

TEST_F(MetricsTest, Judgement) {
  Protocol protocol;
  auto expect = [&](const char *name, Metric metric, std::optional<double> min,
                    std::optional<double> max,
                    std::vector<std::string> targets = {}) {
    protocol.expectations.push_back(
        {name, std::move(metric), min, max, std::move(targets)});
  };
  Metric stat, missing;
  stat.kind = missing.kind = MetricKind::Stat;
  stat.stat = "overruns";
  missing.stat = "energy_j";
  expect("good", onTable(MetricKind::Sum), 15, 15);
  expect("low", onTable(MetricKind::Sum), 16, {});
  expect("high", stat, {}, 2);
  expect("elsewhere", onTable(MetricKind::Sum), 16, {}, {"cpu"});
  expect("here", onTable(MetricKind::Sum), 16, {}, {"cpu", "toy"});
  expect("reference", onTable(MetricKind::TableError), {}, 0);
  expect("no stat", missing, {}, 1);
  expect("no table", onTable(MetricKind::Sum, "u"), {}, 1);
  auto all = judge(protocol, results, datasets, nullptr);
  using O = Judgement::Outcome;
  std::vector<O> outcomes;
  for (const Judgement &j : all)
    outcomes.push_back(j.outcome);
  EXPECT_EQ(outcomes,
            (std::vector<O>{O::Passed, O::Failed, O::Failed, O::NotJudged,
                            O::Failed, O::NotJudged, O::NotJudged, O::Failed}));
  EXPECT_NE(all[5].why.find("neuroc compare"), std::string::npos);
  EXPECT_NE(all[6].why.find("no statistic 'energy_j'"), std::string::npos);
  EXPECT_EQ(judge(protocol, results, datasets, &results)[5].outcome,
            O::Passed);
  // A value that is no number is inside no bounds.
  results.tables["t"].values[0] = NAN;
  EXPECT_EQ(judge(protocol, results, datasets, nullptr)[0].outcome, O::Failed);
}
