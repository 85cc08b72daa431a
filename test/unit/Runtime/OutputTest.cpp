// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a run writes, read back: SONATA through the HDF5 library, arrays, CSV,
// the statistics object.
#include "neuroc/rt/Json.h"
#include "neuroc/rt/Output.h"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <filesystem>

using namespace neuroc::rt;

static Results sample() {
  Results results;
  results.target = "toy";
  results.dtMs = 0.1;
  results.ticks = 100;
  results.wallSeconds = 0.02;
  results.stats["spikes"] = 3;
  results.stats["broken"] = 0.0 / 0.0;
  ProbeRecord &s = results.probes.emplace_back();
  s.info = {"E", true, {10}, 1};
  s.ticks = {1, 1, 25};
  s.units = {3, 7, 3};
  ProbeRecord &v = results.probes.emplace_back();
  v.info = {"a/v", false, {2}, 1};
  v.ticks = {0, 5};
  v.values = {1, 2, 3, 4};
  results.tables["t"] = {{1, 2}, {5, 6}};
  results.phases.push_back({"learn", 0, 50, 0.01});
  results.warnings.push_back("look");
  return results;
}

template <typename T>
static std::vector<T> readColumn(const std::string &path, const char *name,
                                 hid_t type) {
  hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  hid_t space = H5Dget_space(set);
  std::vector<T> values(size_t(H5Sget_simple_extent_npoints(space)));
  H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Sclose(space);
  H5Dclose(set);
  H5Fclose(file);
  return values;
}

class OutputTest : public testing::Test {
protected:
  void SetUp() override {
    folder = testing::TempDir() + "neuroc-output-test";
    std::filesystem::remove_all(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::string folder;
};

TEST_F(OutputTest, RunDirectory) {
  Judgement j{Judgement::Outcome::Failed, "rate", 3.0, 4.0, {}, "too low"};
  Status status =
      writeRunDirectory(folder, sample(), Manifest(), {j}, /*csv=*/true);
  ASSERT_TRUE(status.isOk()) << status.message();
  std::string path = folder + "/spikes.h5";
  EXPECT_EQ(readColumn<uint64_t>(path, "/spikes/E/node_ids", H5T_NATIVE_UINT64),
            (std::vector<uint64_t>{3, 7, 3}));
  auto times =
      readColumn<double>(path, "/spikes/E/timestamps", H5T_NATIVE_DOUBLE);
  ASSERT_EQ(times.size(), 3u);
  EXPECT_DOUBLE_EQ(times[2], 2.5);
  std::string csv;
  ASSERT_TRUE(readFile(folder + "/spikes.csv", csv).isOk());
  EXPECT_EQ(csv, "probe,time_ms,unit\nE,0.1,3\nE,0.1,7\nE,2.5,3\n");
  Array values, ticks;
  ASSERT_TRUE(readArrayFile(folder + "/a_v.npy", values).isOk());
  EXPECT_EQ(values.shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(values.values, (std::vector<double>{1, 2, 3, 4}));
  ASSERT_TRUE(readArrayFile(folder + "/a_v.ticks.npy", ticks).isOk());
  EXPECT_EQ(ticks.values, (std::vector<double>{0, 5}));
  std::string npz;
  ASSERT_TRUE(readFile(folder + "/tables.npz", npz).isOk());
  EXPECT_NE(npz.find("t.npy"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(folder + "/stats.json"));
}

TEST_F(OutputTest, StatsObject) {
  Judgement j{Judgement::Outcome::Failed, "rate", 3.0, 4.0, {}, "too low"};
  Manifest manifest;
  manifest.seed = 42;
  Json json;
  ASSERT_TRUE(
      parseJson(statsJson(sample(), manifest, {j}), "stats", json).isOk());
  EXPECT_EQ(json["schema"], "neuroc-stats");
  EXPECT_EQ(json["version"], 1);
  EXPECT_EQ(json["target"], "toy");
  EXPECT_DOUBLE_EQ(json["bio_s"], 0.01);
  EXPECT_DOUBLE_EQ(json["realtime_factor"], 0.5);
  EXPECT_EQ(json["spikes"], 3);
  EXPECT_TRUE(json["broken"].is_null());
  EXPECT_GT(json["peak_rss_bytes"], 1000000);
  EXPECT_EQ(json["seed"], 42);
  EXPECT_EQ(json["probes"][0]["spikes"], 3);
  EXPECT_EQ(json["probes"][1]["samples"], 2);
  EXPECT_EQ(json["phases"][0]["name"], "learn");
  EXPECT_EQ(json["expectations"][0]["outcome"], "failed");
  EXPECT_EQ(json["warnings"][0], "look");
}

TEST_F(OutputTest, ErrorsNameThePath) {
  EXPECT_EQ(writeRunDirectory("/proc/none/x", sample(), {}, {}, false).code(),
            Code::OutputError);
  Status status = writeSonata(sample(), "/nonexistent/spikes.h5");
  EXPECT_EQ(status.code(), Code::OutputError);
  EXPECT_NE(status.message().find("/nonexistent/spikes.h5"),
            std::string::npos);
}
