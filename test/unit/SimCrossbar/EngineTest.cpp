// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The crossbar engine on a small program written by hand: two tiles with four
// units each. Every tick the state v grows by the stimulus times a weight
// matrix in an array; units with v >= 8 spike and are reset; the weights learn
// when their flag is set; command 1 negates them.
#include "Harness.h"
#include "neuroc/rt/Container.h"
#include "neuroc/rt/Engines.h"
#include "neuroc/rt/Random.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace neuroc::rt;
using namespace neuroc::rt::xbar;

namespace {

// Memory of a tile: 0 plastic flag, 1 dirty flag, 2 spike count, 8 key,
// 16 x (4), 20 v (4), 24 spikes (4), 28 bits, 32 clamp mask (4), 36 clamp
// value (4), 40 digital weights (4 x 4), 60 scratch.
const char *kTile = R"(
  set r4, 4
  set r16, 16
  set r20, 20
  set r24, 24
  set r28, 28
  set r32, 32
  set r36, 36
  set r40, 40
  set r60, 60
  set r1, 8
main:
  tick
  rdsr r7, 7
  bne r7, r0, call
  lw r6, r0, 1            ; the host has changed the weights
  beq r6, r0, clean
  prog r40, r4, slices=2
  sw r0, r0, 1
clean:
  mvm r20, r16, bits=4, signed=1, acc=1, slices=2
  vsel r20, r32, r36, r20, r4
  vcge.s r24, r20, r1, r4
  vsel.s r60, r24, r60, r0, r4
  vfill r60, r0, r4
  vsel r20, r24, r60, r20, r4
  vpack1 r28, r24, r4
  vsum r8, r24, r4
  sw r8, r0, 2
  lw r6, r0, 0
  beq r6, r0, main
  set r9, 16              ; learning: all weights grow by one
  set r10, 1
  vadd.s r40, r40, r10, r9
  prog r40, r4, slices=2
  jmp main
call:
  set r9, 16
  vneg r40, r40, r9
  prog r40, r4, slices=2
  jmp main
)";

std::string littleEndian(const std::vector<int32_t> &words) {
  std::string bytes;
  for (int32_t word : words)
    for (int k = 0; k < 4; ++k)
      bytes += char(uint32_t(word) >> (8 * k));
  return bytes;
}

std::string pieces(uint32_t address, const std::string &more = "") {
  std::string text = "\"pieces\": [";
  for (int tile = 0; tile < 2; ++tile)
    text += std::string(tile ? ", " : "") +
            "{\"tile\": " + std::to_string(tile) +
            ", \"address\": " + std::to_string(address) +
            ", \"first\": " + std::to_string(4 * tile) + ", \"count\": 4}";
  return text + "]" + more;
}
std::string places(uint32_t address) {
  return "[{\"tile\": 0, \"address\": " + std::to_string(address) +
         "}, {\"tile\": 1, \"address\": " + std::to_string(address) + "}]";
}

struct Parts {
  std::string code, weights, manifest;
};

Parts makeParts() {
  Parts parts;
  // r16 to r60 are names of addresses here; registers are 0 to 31.
  std::string text = kTile;
  const char *names[][2] = {{"r16", "r16"}, {"r20", "r17"}, {"r24", "r18"},
                            {"r28", "r19"}, {"r32", "r20"}, {"r36", "r21"},
                            {"r40", "r22"}, {"r60", "r23"}};
  for (auto &[from, to] : names)
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;
         at += 3)
      text.replace(at, 3, std::string("R") + (to + 1));
  for (char &c : text)
    c = c == 'R' ? 'r' : c;
  for (uint64_t word : assembled(text))
    for (int k = 0; k < 8; ++k)
      parts.code += char(word >> (8 * k));
  // Weight (row = input, col = unit) = unit + 1 on the diagonal.
  parts.weights =
      littleEndian({1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 4});
  std::string count = std::to_string(parts.code.size() / 8);
  parts.manifest = R"({"target": "crossbar", "probes": [
    {"name": "s", "kind": "spikes", "shape": [8]},
    {"name": "v", "kind": "values", "shape": [8], "every": 2}],
    "program": {"machine": {"mesh": {"x": 2, "y": 1},
                            "array": {"adc_bits": 12}},
    "programs": [{"tile": 0, "member": "t", "offset": 0, "count": )" +
                   count +
                   R"(}, {"tile": 1, "member": "t", "offset": 0, "count": )" +
                   count + "}], \"images\": [";
  for (int tile = 0; tile < 2; ++tile)
    parts.manifest += std::string(tile ? ", " : "") +
                      "{\"tile\": " + std::to_string(tile) +
                      ", \"address\": 40, \"member\": \"w\", \"offset\": 0, "
                      "\"count\": 16}";
  parts.manifest += "], \"arrays\": [";
  for (int tile = 0; tile < 2; ++tile)
    parts.manifest +=
        std::string(tile ? ", " : "") + "{\"tile\": " + std::to_string(tile) +
        ", \"array\": 0, \"slices\": 2, \"rows\": 4, \"cols\": 4, "
        "\"member\": \"w\", \"offset\": 0}";
  parts.manifest +=
      "], \"keys\": [{\"tile\": 1, \"address\": 8, \"stream\": \"E.n\"}], "
      "\"states\": [{\"population\": \"E\", \"name\": \"v\", " +
      pieces(20, ", \"frac\": 3") +
      "}], \"clamps\": [{\"population\": \"E\", \"name\": \"v\", \"mask\": {" +
      pieces(32, ", \"frac\": 0") + "}, \"value\": {" +
      pieces(36, ", \"frac\": 3") + "}}], \"stimuli\": [{\"name\": \"x\", " +
      pieces(16, ", \"frac\": 3") + "}], \"probes\": [{\"name\": \"s\", " +
      pieces(28, ", \"frac\": 0, \"format\": \"bits\"") +
      "}, {\"name\": \"v\", " + pieces(20, ", \"frac\": 3") +
      "}], \"weights\": [{\"name\": \"W\", \"count\": 32, \"dirty\": " +
      places(1) + ", \"pieces\": [";
  for (int tile = 0; tile < 2; ++tile)
    parts.manifest +=
        std::string(tile ? ", " : "") + "{\"tile\": " + std::to_string(tile) +
        ", \"address\": 40, \"rows\": 4, \"cols\": 4, \"stride\": 4, "
        "\"first\": " +
        std::to_string(16 * tile) +
        ", \"rowStep\": 1, \"colStep\": 4, \"scale\": 0.5}";
  parts.manifest +=
      ", {\"tile\": 0, \"array\": 0, \"slices\": 2, \"rows\": 4, \"cols\": 4, "
      "\"first\": 0, \"rowStep\": 1, \"colStep\": 4, \"scale\": 0.5}"
      "]}], \"plastics\": [{\"name\": \"learn\", \"flags\": " +
      places(0) +
      ", \"command\": 1}, {\"name\": \"quiet\", \"flags\": []}], "
      "\"counters\": [{\"stat\": \"spikes\", \"places\": " +
      places(2) + "}]}}";
  return parts;
}

Status makeEngine(const Parts &parts, std::unique_ptr<Engine> &engine,
                  const EngineOptions &options = {}) {
  ContainerWriter writer;
  std::string archive;
  EXPECT_TRUE(writer.add("t", parts.code));
  EXPECT_TRUE(writer.add("w", parts.weights));
  Status status = writer.finish(parts.manifest, archive);
  if (!status)
    return status;
  std::shared_ptr<const Container> container;
  status = Container::read(asBytes(archive), "p.nrx", container);
  if (!status)
    return status;
  return createCrossbarEngine(container, options, engine);
}
std::unique_ptr<Engine> goodEngine(const EngineOptions &options = {}) {
  std::unique_ptr<Engine> engine;
  Status status = makeEngine(makeParts(), engine, options);
  EXPECT_TRUE(status) << status.message();
  return engine;
}

struct Recorder final : RecordSink {
  std::vector<std::pair<uint64_t, std::vector<uint32_t>>> spikeLog;
  std::vector<std::pair<uint64_t, std::vector<double>>> valueLog;
  void spikes(unsigned probe, uint64_t tick,
              std::span<const uint32_t> units) override {
    EXPECT_EQ(probe, 0u);
    spikeLog.push_back({tick, {units.begin(), units.end()}});
  }
  void values(unsigned probe, uint64_t tick,
              std::span<const double> values) override {
    EXPECT_EQ(probe, 1u);
    valueLog.push_back({tick, {values.begin(), values.end()}});
  }
};

using Reals = std::vector<double>;

TEST(CrossbarEngine, StepsRecordsAndCounts) {
  auto engine = goodEngine();
  // 3/8 in fixed point is 3; times the weights 1 to 4 per tick.
  ASSERT_TRUE(engine->setStimulus("x", Reals(8, 0.375)));
  Recorder sink;
  Status status = engine->step(3, &sink);
  ASSERT_TRUE(status) << status.message();
  EXPECT_EQ(engine->tick(), 3u);
  // v reaches 8 words (1.0) in tick 0 for weights 3 and 4, in 1 for 2 and
  // again for 3 and 4, in 2 for 1, 3 and 4.
  using Units = std::vector<uint32_t>;
  ASSERT_EQ(sink.spikeLog.size(), 3u);
  EXPECT_EQ(sink.spikeLog[0].second, (Units{2, 3, 6, 7}));
  EXPECT_EQ(sink.spikeLog[1].second, (Units{1, 2, 3, 5, 6, 7}));
  EXPECT_EQ(sink.spikeLog[2].second, (Units{0, 2, 3, 4, 6, 7}));
  ASSERT_EQ(sink.valueLog.size(), 2u); // every second tick
  EXPECT_EQ(sink.valueLog[0].first, 0u);
  EXPECT_EQ(sink.valueLog[0].second,
            (Reals{0.375, 0.75, 0, 0, 0.375, 0.75, 0, 0}));
  EXPECT_EQ(sink.valueLog[1].first, 2u);
  Stats stats;
  ASSERT_TRUE(engine->stats(stats));
  EXPECT_EQ(stats["spikes"], 16);
  EXPECT_EQ(stats["mvms"], 6);
  EXPECT_EQ(stats["adc_clips"], 0);
  EXPECT_GT(stats["cycles"], 0);
  EXPECT_DOUBLE_EQ(stats["simulated_s"], stats["cycles"] * 1e-9);
  EXPECT_GT(stats["load_energy_j"], 0);
  EXPECT_EQ(stats["programming_pulses"], 0);
  double sum = 0;
  for (unsigned i = 0; i < kComponents; ++i)
    sum += stats["energy_j." + std::string(componentName(Component(i)))];
  EXPECT_NEAR(sum, stats["energy_j"], 1e-12 * sum);
  EXPECT_TRUE(stats.count("stalls.barrier"));
}

TEST(CrossbarEngine, StatesWeightsClamps) {
  auto engine = goodEngine();
  Reals values;
  ASSERT_TRUE(
      engine->writeState("E", "v", Reals{.1, .2, .3, .4, -.5, 0, 9e9, -9e9}));
  ASSERT_TRUE(engine->readState("E", "v", values));
  EXPECT_EQ(values[0], 0.125); // rounded to 1/8
  EXPECT_EQ(values[4], -0.5);
  EXPECT_EQ(values[6], INT32_MAX / 8.0); // saturated
  ASSERT_TRUE(engine->reset());
  ASSERT_TRUE(engine->readState("E", "v", values));
  EXPECT_EQ(values, Reals(8, 0.0));

  // Unit 1 is held at 0.5, unit 5 is free.
  Reals hold(8, NAN);
  hold[1] = 0.5;
  ASSERT_TRUE(engine->setStimulus("x", Reals(8, 0.125)));
  ASSERT_TRUE(engine->clampState("E", "v", hold));
  ASSERT_TRUE(engine->readState("E", "v", values));
  EXPECT_EQ(values[1], 0.5); // at once
  ASSERT_TRUE(engine->step(2, nullptr));
  ASSERT_TRUE(engine->readState("E", "v", values));
  EXPECT_EQ(values[1], 0.5);
  EXPECT_EQ(values[5], 0.5); // 2 * 2 / 8
  ASSERT_TRUE(engine->clampState("E", "v", {}));
  ASSERT_TRUE(engine->step(1, nullptr));
  ASSERT_TRUE(engine->readState("E", "v", values));
  EXPECT_EQ(values[1], 0.75);

  // Stored value = unit (post) * 4 + input (pre) per tile.
  ASSERT_TRUE(engine->readWeight("W", values));
  EXPECT_EQ(values.size(), 32u);
  EXPECT_EQ(values[1 * 4 + 1], 1.0);
  EXPECT_EQ(values[16 + 3 * 4 + 3], 2.0);
  Reals weights(32, 0.0);
  weights[2 * 4 + 0] = -7.4; // -14.8 words round to -15
  ASSERT_TRUE(engine->writeWeight("W", weights));
  ASSERT_TRUE(engine->writeState("E", "v", Reals(8, 0.0)));
  ASSERT_TRUE(engine->setStimulus("x", Reals{0.125, 0, 0, 0, 1, 1, 1, 1}));
  ASSERT_TRUE(engine->step(1, nullptr));
  ASSERT_TRUE(engine->readState("E", "v", values));
  EXPECT_EQ(values, (Reals{0, 0, -15 / 8.0, 0, 0, 0, 0, 0}));
  ASSERT_TRUE(engine->readWeight("W", values));
  EXPECT_EQ(values[8], -7.5);
}

TEST(CrossbarEngine, LearningAndCalls) {
  auto engine = goodEngine();
  Reals values;
  ASSERT_TRUE(engine->step(2, nullptr));
  ASSERT_TRUE(engine->readWeight("W", values));
  EXPECT_EQ(values[1], 0.0);
  ASSERT_TRUE(engine->setPlasticEnabled("learn", true));
  ASSERT_TRUE(engine->step(2, nullptr));
  ASSERT_TRUE(engine->setPlasticEnabled("learn", false));
  ASSERT_TRUE(engine->step(2, nullptr));
  ASSERT_TRUE(engine->readWeight("W", values));
  EXPECT_EQ(values[1], 1.0);
  EXPECT_EQ(values[31], 3.0);
  EXPECT_EQ(engine->tick(), 6u);
  ASSERT_TRUE(engine->callRule("learn"));
  EXPECT_EQ(engine->tick(), 6u); // a call is no tick
  ASSERT_TRUE(engine->readWeight("W", values));
  EXPECT_EQ(values[31], -3.0);
  Stats stats;
  ASSERT_TRUE(engine->stats(stats));
  EXPECT_GT(stats["programming_pulses"], 0);
  EXPECT_GT(stats["energy_j.programming"], 0);
}

TEST(CrossbarEngine, RunsAreReproducibleAndResettable) {
  auto run = [](Engine &engine) {
    EXPECT_TRUE(engine.setStimulus("x", Reals(8, 0.25)));
    EXPECT_TRUE(engine.setPlasticEnabled("learn", true));
    EXPECT_TRUE(engine.step(5, nullptr));
    Reals values;
    EXPECT_TRUE(engine.readState("E", "v", values));
    Stats stats;
    EXPECT_TRUE(engine.stats(stats));
    return std::pair(values, stats);
  };
  auto first = goodEngine(), second = goodEngine();
  auto one = run(*first);
  EXPECT_EQ(one, run(*second));
  ASSERT_TRUE(first->reset());
  EXPECT_EQ(one, run(*first));
}

TEST(CrossbarEngine, SeedRewritesKeys) {
  // The key block is at word 8 of tile 1; stimuli and states do not show it,
  // so read it through a probe placed there.
  Parts parts = makeParts();
  std::string from =
      "\"name\": \"v\", " + pieces(20, ", \"frac\": 3") + "}], \"weights\"";
  size_t at = parts.manifest.find(from);
  ASSERT_NE(at, std::string::npos);
  parts.manifest.replace(at, from.size(),
                         "\"name\": \"v\", \"pieces\": [{\"tile\": 1, "
                         "\"address\": 8, \"first\": 0, \"count\": 2}], "
                         "\"frac\": 0}], \"weights\"");
  EngineOptions options;
  options.seed = 77;
  std::unique_ptr<Engine> engine;
  ASSERT_TRUE(makeEngine(parts, engine, options));
  Reals values;
  ASSERT_TRUE(engine->readProbe(1, values));
  uint64_t key = neuroc_rt_key(77, neuroc_rt_stream("E.n"));
  EXPECT_EQ(values, (Reals{double(int32_t(uint32_t(key))),
                           double(int32_t(uint32_t(key >> 32)))}));
}

TEST(CrossbarEngine, ParametersMayChangePerRun) {
  EngineOptions options;
  options.config["timing.array"] = "50";
  options.config["keep-object"] = "1"; // somebody else's
  auto slow = goodEngine(options), fast = goodEngine();
  ASSERT_TRUE(slow->step(1, nullptr));
  ASSERT_TRUE(fast->step(1, nullptr));
  Stats a, b;
  ASSERT_TRUE(slow->stats(a));
  ASSERT_TRUE(fast->stats(b));
  // Six phases of 40 cycles more.
  EXPECT_EQ(a["cycles"] - b["cycles"], 240);
}

TEST(CrossbarEngine, TraceIsWritten) {
  std::string path = ::testing::TempDir() + "xbar-trace.csv";
  {
    EngineOptions options;
    options.traceFile = path;
    auto engine = goodEngine(options);
    ASSERT_TRUE(engine->step(1, nullptr));
  }
  std::ifstream file(path);
  std::string line, all;
  std::getline(file, line);
  EXPECT_EQ(line, "cycle,tile,instruction,text");
  while (std::getline(file, line))
    all += line + "\n";
  EXPECT_NE(all.find("0,0,0,\"set r4, 4\""), std::string::npos);
  EXPECT_NE(all.find("mvm r17, r16"), std::string::npos);
  std::filesystem::remove(path);
}

TEST(CrossbarEngine, Errors) {
  auto has = [](const Status &status, const std::string &part) {
    EXPECT_FALSE(status);
    EXPECT_NE(status.message().find(part), std::string::npos)
        << status.message();
  };
  auto engine = goodEngine();
  Reals values;
  has(engine->setStimulus("y", Reals(8)), "the program has no stimulus 'y'");
  has(engine->setStimulus("x", Reals(7)), "stimulus 'x' takes 8 values, got 7");
  has(engine->readState("E", "w", values),
      "the program has no state 'E.w'; did you mean 'E.v'?");
  has(engine->writeState("F", "v", Reals(8)), "the program has no state");
  has(engine->clampState("E", "u", Reals(8)), "cannot be held on this target");
  has(engine->clampState("E", "v", Reals(3)), "takes 8 values, got 3");
  has(engine->readWeight("V", values), "the program has no weight 'V'");
  has(engine->writeWeight("W", Reals(3)), "weight 'W' takes 32 values, got 3");
  has(engine->setPlasticEnabled("learm", true), "did you mean 'learn'?");
  has(engine->callRule("quiet"),
      "the rule of 'quiet' has no 'on_call' handler");
  has(engine->callRule("x"), "the program has no plastic 'x'");
  has(engine->readProbe(2, values), "probe 2 does not exist");

  auto broken = [&](const std::string &from, const std::string &to,
                    const std::string &message,
                    const EngineOptions &options = {}) {
    Parts parts = makeParts();
    size_t at = parts.manifest.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    parts.manifest.replace(at, from.size(), to);
    std::unique_ptr<Engine> engine;
    has(makeEngine(parts, engine, options), message);
  };
  broken("\"crossbar\"", "\"cpu\"", "is a program for 'cpu'");
  broken("\"member\": \"t\"", "\"member\": \"u\"",
         "a tile program needs the member 'u', which is missing");
  broken("\"member\": \"w\", \"offset\": 0", "\"member\": \"w\", \"offset\": 4",
         "needs 64 bytes from byte 4 of 'w', which has 64");
  broken("{\"name\": \"s\", \"pieces\"", "{\"name\": \"q\", \"pieces\"",
         "program.probes[0]: is 'q', the manifest has 's' there");
  broken("{\"name\": \"s\", \"kind\": \"spikes\", \"shape\": [8]},", "",
         "program.probes: has 2 entries, the manifest lists 1");
  EngineOptions options;
  options.config["timing.hopp"] = "3";
  broken("\"s\"", "\"s\"",
         "option.timing: unknown parameter 'hopp'; did you mean 'hop'?",
         options);
  options.config = {{"timing.hop", "fast"}};
  broken("\"s\"", "\"s\"", "option 'timing.hop' must be a number, got 'fast'",
         options);
  options.config = {{"max-cycles-per-tick", "0"}};
  broken("\"s\"", "\"s\"", "must be a whole number above 0", options);
  options.config.clear();
  options.traceFile = "/nowhere/trace.csv";
  broken("\"s\"", "\"s\"", "cannot be opened for writing", options);
}

/// One tile that only ticks; the rest of the program is given.
Parts idleParts(const std::string &sections,
                const std::vector<int32_t> &members,
                const std::string &probes = "") {
  Parts parts;
  for (uint64_t word : assembled("a: tick\njmp a"))
    for (int k = 0; k < 8; ++k)
      parts.code += char(word >> (8 * k));
  parts.weights = littleEndian(members);
  parts.manifest = R"({"target": "crossbar", "probes": [)" + probes +
                   R"(], "program": {"machine": {},
    "programs": [{"tile": 0, "member": "t", "offset": 0, "count": 2}], )" +
                   sections + "}}";
  return parts;
}

TEST(CrossbarEngine, WeightFormats) {
  struct Case {
    const char *format;
    int stride;
    double lowest, highest;
  } cases[] = {{"words", 3, -1e12, 1e12},
               {"halves", 2, -32768, 32767},
               {"bytes", 1, -128, 127},
               {"high", 3, -32768, 32767}};
  for (const Case &c : cases) {
    std::unique_ptr<Engine> engine;
    Status status = makeEngine(
        idleParts(R"("weights": [{"name": "W", "count": 6, "pieces": [
        {"tile": 0, "address": 8, "rows": 2, "cols": 3, "format": ")" +
                      std::string(c.format) + R"(", "stride": )" +
                      std::to_string(c.stride) +
                      R"(, "first": 5, "rowStep": -3, "colStep": -1,
         "columnScales": [1, 0.5, -2]}]}])",
                  {}),
        engine);
    ASSERT_TRUE(status) << status.message();
    // Stored value 5 - 3 r - c; whole multiples of the scales survive.
    Reals in = {-4, 1.5, -7, 8, -2.5, 3}, out;
    ASSERT_TRUE(engine->writeWeight("W", in));
    ASSERT_TRUE(engine->readWeight("W", out));
    EXPECT_EQ(out, in) << c.format;
    in[5] = 1e10;  // column 0, scale 1
    in[4] = -1e10; // column 1, scale 0.5
    ASSERT_TRUE(engine->writeWeight("W", in));
    ASSERT_TRUE(engine->readWeight("W", out));
    EXPECT_EQ(out[5], std::min(c.highest, double(INT32_MAX))) << c.format;
    EXPECT_EQ(out[4], 0.5 * std::max(c.lowest, double(INT32_MIN))) << c.format;
    EXPECT_EQ(out[3], 8.0) << c.format; // neighbours are untouched
  }
}

TEST(CrossbarEngine, HalvesBesideHighKeepTheirNeighbour) {
  // "high" leaves the lower half (the index of vscatpk) alone.
  std::unique_ptr<Engine> engine;
  Status status = makeEngine(
      idleParts(R"("images": [{"tile": 0, "address": 8, "member": "w",
      "offset": 0, "count": 1}], "weights": [{"name": "W", "count": 1,
      "pieces": [{"tile": 0, "address": 8, "rows": 1, "cols": 1, "stride": 1,
      "format": "high", "first": 0, "rowStep": 0, "colStep": 0}]}],
      "states": [{"population": "p", "name": "word", "frac": 0,
      "pieces": [{"tile": 0, "address": 8, "first": 0, "count": 1}]}])",
                {(5 << 16) | 1234}),
      engine);
  ASSERT_TRUE(status) << status.message();
  ASSERT_TRUE(engine->writeWeight("W", Reals{-3}));
  Reals out;
  ASSERT_TRUE(engine->readState("p", "word", out));
  EXPECT_EQ(int32_t(out[0]), int32_t(0xfffd0000u | 1234));
}

TEST(CrossbarEngine, IndexedWeightsAndTheirErrors) {
  const char *weights = R"("weights": [{"name": "W", "count": 3, "pieces": [
      {"tile": 0, "address": 8, "rows": 1, "cols": 4, "stride": 4,
       "indices": {"member": "w", "offset": 0}, "lowest": -2, "highest": 2}]}])";
  std::unique_ptr<Engine> engine;
  Status status = makeEngine(idleParts(weights, {2, -1, 0, 1}), engine);
  ASSERT_TRUE(status) << status.message();
  Reals out;
  ASSERT_TRUE(engine->writeWeight("W", Reals{1, 2, 9}));
  ASSERT_TRUE(engine->readWeight("W", out));
  EXPECT_EQ(out, (Reals{1, 2, 2})); // 9 is beyond "highest"
  ASSERT_TRUE(makeEngine(idleParts(weights, {2, 1, 0, 3}), engine));
  EXPECT_EQ(engine->readWeight("W", out).message(),
            "p.nrx: 'w': index 3 is not below the 3 values of the weight");
  ASSERT_TRUE(makeEngine(idleParts(weights, {2, 1}), engine));
  EXPECT_NE(engine->readWeight("W", out).message().find(
                "an index list needs 16 bytes"),
            std::string::npos);
}

TEST(CrossbarEngine, CopiesBitsAndStrides) {
  std::unique_ptr<Engine> engine;
  Status status = makeEngine(idleParts(R"("stimuli": [
      {"name": "b", "frac": 0, "format": "bits", "pieces": [
        {"tile": 0, "address": 8, "first": 0, "count": 40}]},
      {"name": "x", "frac": 4, "scale": 2, "pieces": [
        {"tile": 0, "address": 20, "first": 0, "count": 2, "stride": 3},
        {"tile": 1, "address": 20, "first": 0, "count": 2}]}],
    "states": [
      {"population": "p", "name": "b", "frac": 0, "pieces": [
        {"tile": 0, "address": 8, "first": 0, "count": 2}]},
      {"population": "p", "name": "near", "frac": 0, "pieces": [
        {"tile": 0, "address": 20, "first": 0, "count": 4}]},
      {"population": "p", "name": "far", "frac": 0, "pieces": [
        {"tile": 1, "address": 20, "first": 0, "count": 2}]},
      {"population": "p", "name": "first", "frac": 0, "pieces": [
        {"tile": 0, "address": 23, "first": 0, "count": 1},
        {"tile": 1, "address": 20, "first": 0, "count": 1}]}])",
                                       {}),
                             engine);
  ASSERT_TRUE(status) << status.message();
  Reals bits(40, 0), out;
  bits[1] = bits[33] = 1;
  ASSERT_TRUE(engine->setStimulus("b", bits));
  ASSERT_TRUE(engine->readState("p", "b", out));
  EXPECT_EQ(out, (Reals{2, 2}));
  bits[1] = 0;
  ASSERT_TRUE(engine->setStimulus("b", bits));
  ASSERT_TRUE(engine->readState("p", "b", out));
  EXPECT_EQ(out, (Reals{0, 2}));
  ASSERT_TRUE(engine->setStimulus("x", Reals{1, -3}));
  ASSERT_TRUE(engine->readState("p", "near", out));
  EXPECT_EQ(out, (Reals{8, 0, 0, -24}));
  ASSERT_TRUE(engine->readState("p", "far", out));
  EXPECT_EQ(out, (Reals{8, -24}));
  ASSERT_TRUE(engine->readState("p", "first", out));
  EXPECT_EQ(out, (Reals{-24})); // the first of two copies
}

TEST(CrossbarEngine, RandomNumbersInTheManifestNeverCrash) {
  std::mt19937 random(41);
  Parts good = makeParts();
  std::vector<size_t> digits;
  for (size_t i = 0; i < good.manifest.size(); ++i)
    if (good.manifest[i] >= '0' && good.manifest[i] <= '9')
      digits.push_back(i);
  unsigned loaded = 0;
  for (int n = 0; n < 400; ++n) {
    Parts parts = good;
    for (int k = 0; k < 2; ++k)
      parts.manifest[digits[random() % digits.size()]] =
          char('0' + random() % 10);
    if (n % 2)
      parts.code[random() % parts.code.size()] = char(random());
    EngineOptions options;
    options.config["max-cycles-per-tick"] = "20000";
    std::unique_ptr<Engine> engine;
    if (!makeEngine(parts, engine, options))
      continue;
    ++loaded;
    Reals values;
    (void)engine->setStimulus("x", Reals(8, 0.5));
    (void)engine->setPlasticEnabled("learn", true);
    (void)engine->step(2, nullptr);
    (void)engine->readWeight("W", values);
    (void)engine->writeWeight("W", Reals(32, 1.0));
    (void)engine->step(1, nullptr);
    (void)engine->callRule("learn");
    Stats stats;
    (void)engine->stats(stats);
  }
  EXPECT_GT(loaded, 50u);
  EXPECT_LT(loaded, 400u);
}

TEST(CrossbarEngine, EndlessAndHaltingPrograms) {
  auto with = [](const std::string &text, const EngineOptions &options) {
    Parts parts = makeParts();
    parts.code.clear();
    for (uint64_t word : assembled(text))
      for (int k = 0; k < 8; ++k)
        parts.code += char(word >> (8 * k));
    std::string count = std::to_string(parts.code.size() / 8);
    for (size_t at = 0; (at = parts.manifest.find("\"offset\": 0, \"count\": ",
                                                  at)) != std::string::npos;) {
      at += 22;
      if (parts.manifest.compare(at, 3, "16}") == 0)
        continue;
      size_t end = parts.manifest.find('}', at);
      parts.manifest.replace(at, end - at, count);
    }
    std::unique_ptr<Engine> engine;
    Status status = makeEngine(parts, engine, options);
    return status ? engine->step(1, nullptr).message() : status.message();
  };
  EngineOptions options;
  EXPECT_NE(with("tick\nhalt", options).find("all tiles have halted at tick 0"),
            std::string::npos);
  options.config["max-cycles-per-tick"] = "1000";
  EXPECT_NE(with("tick\na: jmp a", options)
                .find("tick 0 is not over after 1000 cycles"),
            std::string::npos);
  EXPECT_NE(with("hrecv r0, r0, r0\nhalt", options)
                .find("waits for host input that nobody will post"),
            std::string::npos);
}

} // namespace
