// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Machine files and program manifests: presets, round trips, every error, and
// random bytes.
#include "Harness.h"
#include "neuroc/rt/xbar/Program.h"

using namespace neuroc::rt;
using namespace neuroc::rt::xbar;

namespace {

std::string machineError(const std::string &text) {
  MachineConfig m;
  Status status = parseMachine(text, "m.json", m);
  EXPECT_FALSE(status) << text;
  return status.message();
}

TEST(MachineFile, PresetsRoundTrip) {
  for (const auto &[name, text] : machinePresets()) {
    MachineConfig m, back;
    ASSERT_TRUE(loadMachine(name, m));
    EXPECT_EQ(m.name, name);
    ASSERT_TRUE(parseMachine(machineToJson(m), "echo", back));
    EXPECT_EQ(machineToJson(back), machineToJson(m));
    EXPECT_FALSE(text.empty());
  }
}

TEST(MachineFile, BaseAndOverrides) {
  MachineConfig m;
  Status status = parseMachine(
      R"({"base": "puma-like", "name": "mine", "array": {"adc_bits": 6},
          "energy_pj": {"adc": 0.25}})",
      "m.json", m);
  ASSERT_TRUE(status) << status.message();
  EXPECT_EQ(m.name, "mine");
  EXPECT_EQ(m.adcBits, 6);
  EXPECT_EQ(m.eAdc, 0.25);
  EXPECT_EQ(m.tArray, 100); // of the base
}

TEST(MachineFile, Errors) {
  EXPECT_EQ(machineError("[]"), "m.json: expected an object");
  EXPECT_EQ(machineError(R"({"base": "puma"})").substr(0, 31),
            "m.json.base: no preset 'puma'; ");
  EXPECT_EQ(machineError(R"({"arrays": {}})"),
            "m.json: unknown section 'arrays'; did you mean 'array'?");
  EXPECT_EQ(machineError(R"({"array": {"row": 3}})"),
            "m.json.array: unknown parameter 'row'; did you mean 'rows'?");
  EXPECT_EQ(machineError(R"({"array": {"rows": 1}})"),
            "m.json.array.rows: must be in [2, 1024], got 1");
  EXPECT_EQ(machineError(R"({"array": {"cols": 31}})"),
            "m.json.array.cols: must be even (pairs of columns), got 31");
  EXPECT_NE(machineError(R"({"array": {"rows": 3.5}})").find("rows"),
            std::string::npos);
  EXPECT_NE(machineError(R"({"array": 3})").find("expected an object"),
            std::string::npos);
  MachineConfig m;
  EXPECT_EQ(loadMachine("generic-129", m).message(),
            "no crossbar machine 'generic-129'; did you mean 'generic-128'? "
            "(a machine file ends in .json)");
  EXPECT_EQ(int(loadMachine("/nowhere/m.json", m).code()),
            int(Code::InputError));
}

TEST(MachineFile, EveryParameterIsCheckedAtBothEnds) {
  for (const MachineParameter &p : machineParameters()) {
    for (double bad : {p.least - 1, p.most * 2 + 1}) {
      std::string value =
          p.isInteger ? std::to_string(int64_t(bad)) : std::to_string(bad);
      std::string text = "{\"" + std::string(p.section) + "\": {\"" +
                         std::string(p.key) + "\": " + value + "}}";
      EXPECT_NE(machineError(text).find("must be in ["), std::string::npos)
          << text;
    }
  }
}

const char *kProgram = R"({
  "machine": {"mesh": {"x": 2, "y": 2}, "tile": {"memory_words": 1024}},
  "programs": [{"tile": 0, "member": "t", "offset": 8, "count": 3}],
  "images": [{"tile": 1, "address": 4, "member": "i", "offset": 0,
              "count": 5}],
  "arrays": [{"tile": 0, "array": 1, "slices": 4, "rows": 2, "cols": 3,
              "member": "w", "offset": 4}],
  "keys": [{"tile": 0, "address": 8, "stream": "E.noise"}],
  "states": [{"population": "E", "name": "v", "frac": 16,
              "pieces": [{"tile": 0, "address": 16, "first": 0, "count": 4}]}],
  "clamps": [{"population": "E", "name": "v",
     "mask": {"frac": 0, "pieces": [{"tile": 0, "address": 32, "first": 0,
                                     "count": 4}]},
     "value": {"frac": 16, "pieces": [{"tile": 0, "address": 40, "first": 0,
                                       "count": 4}]}}],
  "stimuli": [{"name": "x", "frac": 8, "scale": 0.5,
               "pieces": [{"tile": 0, "address": 64, "first": 0, "count": 2,
                           "stride": 3}]}],
  "probes": [{"name": "s", "frac": 0, "format": "bits",
              "pieces": [{"tile": 0, "address": 80, "first": 0,
                          "count": 33}]}],
  "weights": [{"name": "W", "count": 6, "dirty": [{"tile": 0, "address": 1}],
     "pieces": [{"tile": 0, "address": 100, "rows": 2, "cols": 3, "stride": 4,
                 "first": 0, "rowStep": 3, "colStep": 1, "scale": 0.25},
                {"tile": 0, "array": 1, "slices": 4, "rows": 2, "cols": 3,
                 "first": 0, "rowStep": 3, "colStep": 1,
                 "columnScales": [1, 2, 3]}]}],
  "plastics": [{"name": "p", "flags": [{"tile": 0, "address": 2}],
                "command": 1}],
  "counters": [{"stat": "spikes", "places": [{"tile": 0, "address": 3}]}]
})";

std::string programError(const std::string &from, const std::string &to) {
  std::string text = kProgram;
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  xbar::Program program;
  Status status = parseProgram(text, "p", program);
  EXPECT_FALSE(status) << "no error for " << to;
  return status.message();
}

TEST(ProgramManifest, ReadsEverything) {
  xbar::Program p;
  Status status = parseProgram(kProgram, "p", p);
  ASSERT_TRUE(status) << status.message();
  EXPECT_EQ(p.machine.memoryWords, 1024);
  EXPECT_EQ(p.programs[0].code.offset, 8u);
  EXPECT_EQ(p.images[0].words.count, 5u);
  EXPECT_EQ(p.arrays[0].weights.count, 6u);
  EXPECT_EQ(p.keys[0].stream, "E.noise");
  EXPECT_EQ(p.states[0].vector.frac, 16);
  EXPECT_EQ(p.stimuli[0].vector.scale, 0.5);
  EXPECT_TRUE(p.probes[0].vector.bits);
  EXPECT_EQ(p.weights[0].pieces[1].format, WeightFormat::Array);
  EXPECT_EQ(p.weights[0].pieces[1].scales.size(), 3u);
  EXPECT_EQ(p.plastics[0].command, 1u);
  EXPECT_EQ(p.counters[0].stat, "spikes");
}

TEST(ProgramManifest, Errors) {
  auto has = [](const std::string &text, const std::string &part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  has(programError("\"images\"", "\"imagse\""),
      "unknown key 'imagse'; did you mean 'images'?");
  has(programError("\"tile\": 1", "\"tile\": 4"), "p.images[0].tile");
  has(programError("\"address\": 4,", "\"address\": 1020,"),
      "words [1020, 1025) are outside the tile memory of 1024 words");
  has(programError("\"offset\": 8", "\"offset\": 9"),
      "offset must be a multiple of 8");
  has(programError("\"array\": 1, \"slices\": 4",
                   "\"array\": 6, \"slices\": 4"),
      "a bank of 4 arrays from array 6 does not fit a tile of 8");
  has(programError("\"rows\": 2", "\"rows\": 129"), "rows");
  has(programError("\"format\": \"bits\"", "\"format\": \"byts\""),
      "format must be 'words' or 'bits', got 'byts'");
  has(programError("\"scale\": 0.5", "\"scale\": 0"), "scale must not be 0");
  has(programError("\"rowStep\": 3", "\"rowStep\": 4"),
      "element (1, 2) is not one of the 6 stored values");
  has(programError("\"stride\": 3", "\"stride\": 0"), "stride");
  has(programError("\"stride\": 4", "\"stride\": 2"),
      "stride must be at least the 3 words of a row, got 2");
  has(programError("\"first\": 0", "\"first\": 999999999"), "first");
  has(programError("\"count\": 6", "\"count\": 99999999999"), "count");
  has(programError("[1, 2, 3]", "[1, 0, 3]"),
      "a scale must be a number other than 0");
  has(programError("[1, 2, 3]", "[1, null, 3]"),
      "a scale must be a number other than 0");
  has(programError("[1, 2, 3]", "[1, 2]"),
      "columnScales has 2 numbers for 3 columns");
  has(programError("\"stride\": 3", "\"stride\": 3000"),
      "words [64, 3065) are outside");
  has(programError("\"frac\": 16", "\"frc\": 16"), "unknown key 'frc'");
  has(programError("\"scale\": 0.25", "\"format\": \"nibbles\""),
      "unknown format 'nibbles'");
  has(programError("\"count\": 33", "\"count\": 33, \"stride\": 2"),
      "stride must be 1 for bits");
}

TEST(ProgramManifest, RandomEditsNeverCrash) {
  std::mt19937 random(21);
  unsigned accepted = 0;
  for (int n = 0; n < 2000; ++n) {
    std::string text = kProgram;
    for (int k = 0; k < 3; ++k) {
      size_t at = random() % text.size();
      if (random() % 2)
        text[at] = char(random());
      else
        text.erase(at, random() % 9);
    }
    xbar::Program program;
    accepted += bool(parseProgram(text, "p", program));
    MachineConfig machine;
    (void)parseMachine(text, "m", machine);
  }
  EXPECT_LT(accepted, 2000u);
}

} // namespace
