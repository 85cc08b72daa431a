// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The SpiNNaker engine on a small program written by hand, whole and damaged:
// two cores with two units each. Their code only says that it has reached the
// tick asked for; states, weights and recordings are what the loader and the
// host put into memory. Every value of the manifest is then spoilt in turn.
#include "neuroc/rt/Container.h"
#include "neuroc/rt/Engines.h"
#include "neuroc/rt/Json.h"
#include "neuroc/rt/spinn/CoreAbi.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>

using namespace neuroc::rt;
using Reals = std::vector<double>;

namespace {

std::string words(const std::vector<uint32_t> &values) {
  std::string bytes;
  for (uint32_t value : values)
    for (int k = 0; k < 4; ++k)
      bytes += char(value >> (8 * k));
  return bytes;
}

/// An executable with this code at address 0.
std::string elf(const std::vector<uint32_t> &code, uint32_t entry = 0) {
  uint32_t size = 4 * static_cast<uint32_t>(code.size());
  return words({0x464c457f, 0x00010101, 0, 0, 0x00280002, 1, entry, 52, 0, 0,
                0x00200034, 1, 0,                   // header of the file
                1, 84, 0, 0, size, size, 5, 4}) + // and of the segment
         words(code);
}

// r4: control block, r5: interrupt controller, r7: system controller, r8: the
// word that lowers this core's line there.
const std::vector<uint32_t> kStart = {
    0xe3a04501, // mov r4, #0x400000
    0xe3a0541f, // mov r5, #0x1f000000
    0xe3a06701, // mov r6, #0x40000
    0xe5856010, // str r6, [r5, #16]    enable the host's interrupt
    0xe3a074f2, // mov r7, #0xf2000000
    0xe3a09001, // mov r9, #1
    0xe3a00203, // mov r0, #0x30000000
    0xe5900014, // ldr r0, [r0, #20]
    0xe1a00c20, // lsr r0, r0, #24
    0xe200001f, // and r0, r0, #31      number of this core
    0xe1a08019, // lsl r8, r9, r0
    0xe388845e, // orr r8, r8, #0x5e000000
    0xe3888503, // orr r8, r8, #0x00c00000
};
const std::vector<uint32_t> kLoop = {
    0xe5940014, // loop: ldr r0, [r4, #20]  run_until
    0xe5840010, // str r0, [r4, #16]        tick
    0xe3a00000, // mov r0, #0
    0xe5840030, // str r0, [r4, #48]        call_mask
    0xe5849008, // str r9, [r4, #8]         status
    0xee070f90, // mcr p15, 0, r0, c7, c0, 4  sleep
    0xe587800c, // str r8, [r7, #12]
    0xeafffff7, // b loop
};
constexpr uint32_t kBreakpoint = 0xe1200070, kEndless = 0xeafffffe;

/// `loop` at address 0, behind it what comes first.
std::string image(const std::vector<uint32_t> &loop) {
  std::vector<uint32_t> code = loop;
  code.insert(code.end(), kStart.begin(), kStart.end());
  uint32_t back = 0u - (static_cast<uint32_t>(code.size()) + 2);
  code.push_back(0xea000000 | (back & 0xffffff));
  return elf(code, 4 * static_cast<uint32_t>(loop.size()));
}

constexpr uint32_t kData = 0x401000, kSdram = 0x60000000;

struct Parts {
  Json manifest;
  std::map<std::string, std::string> members;
  Json &program() { return manifest["program"]; }
};

Json piece(unsigned core, uint32_t address, unsigned first, unsigned count) {
  return {{"core", core},
          {"address", address},
          {"first", first},
          {"count", count}};
}

Json core(const std::string &name, unsigned number, unsigned first) {
  return {{"name", name},
          {"population", "p"},
          {"image", "p.elf"},
          {"data", name + ".data"},
          {"first", first},
          {"count", 2},
          {"chip", {0, 0}},
          {"core", number},
          {"is_population", true},
          {"spikes_made", kData},
          {"estimated_cycles", 100}};
}

Json record(Json piece, uint32_t base, unsigned words, uint32_t descriptor) {
  piece["base"] = base;
  piece["words"] = words;
  piece["capacity"] = 4;
  piece["descriptor"] = descriptor;
  return piece;
}

// Memory of a core from kData: 0 spikes made, 0x10 v, 0x20 x, 0x30 clamp on,
// 0x38 clamp at, 0x40 weights, 0x80 spikes, 0x100 descriptors. In SDRAM: core a
// records from 0, core b from 0x100.
Parts makeParts() {
  Parts parts;
  Json v = {{"population", "p"}, {"name", "v"}, {"frac", 4}};
  for (unsigned n = 0; n < 2; ++n) {
    Json place = piece(n, kData + 0x10, 2 * n, 2);
    place["clamp_on"] = kData + 0x30;
    place["clamp_at"] = kData + 0x38;
    v["pieces"].push_back(place);
  }
  // W is [post 2, pre 3]: each core has a row. T is held by pre. L is a list.
  Json w = {{"name", "W"}, {"pre", 3}, {"post", 2}, {"count", 6}};
  Json t = {{"name", "T"}, {"pre", 2}, {"post", 3}, {"count", 6}};
  for (unsigned n = 0; n < 2; ++n) {
    Json rows = piece(n, kData + 0x40, n, 1);
    rows.update(Json{{"kind", "matrix"},
                     {"columns", 3},
                     {"transposed", false},
                     {"frac", 8}});
    w["pieces"].push_back(rows);
    rows["address"] = kData + 0x50;
    rows["transposed"] = true;
    t["pieces"].push_back(rows);
  }
  Json l = {{"name", "L"},
            {"pre", 2},
            {"post", 2},
            {"count", 2},
            {"pieces",
             {{{"kind", "list"},
               {"core", 1},
               {"frac", 2},
               {"half", true},
               {"member", "l.bin"}}}}};
  parts.manifest = {
      {"target", "spinnaker"},
      {"program",
       {{"abi", NEUROC_SPINN_ABI_VERSION},
        {"machine",
         {{"width", 2},
          {"height", 2},
          {"wrap", true},
          {"dead_chips", Json::array({Json::array({1, 1})})}}},
        {"dt_ms", 1},
        {"slowdown", 1},
        {"levels", 1},
        {"subticks", 1},
        {"period", 200000},
        {"cores", {core("a", 1, 0), core("b", 2, 2)}},
        {"tables",
         {{{"chip", {0, 0}},
           {"entries", {{0x1000, 0xfffff000, 0x180}}}}}},
        {"states", {v}},
        {"stimuli",
         {{{"name", "x"},
           {"spikes", false},
           {"frac", 4},
           {"units", 2},
           {"pieces", {piece(1, kData + 0x10, 0, 2)}}}}},
        {"weights", {w, t, l}},
        {"plastics", {{{"name", "learn"}, {"number", 3}}}},
        {"probes",
         {{{"name", "s"},
           {"spikes", true},
           {"frac", 0},
           {"every", 1},
           {"shape", {2, 2}},
           {"pieces",
            {record(piece(0, kData + 0x80, 0, 2), kSdram, 1, kData + 0x100),
             record(piece(1, kData + 0x80, 2, 2), kSdram + 0x100, 1,
                    kData + 0x100)}}},
          {{"name", "v"},
           {"spikes", false},
           {"frac", 4},
           {"every", 2},
           {"shape", {2}},
           {"pieces",
            {record(piece(0, kData + 0x10, 0, 2), kSdram + 0x40, 2,
                    kData + 0x120)}}}}}}}};
  parts.members["p.elf"] = image(kLoop);
  // Segments of the loader: address, number of words, words.
  parts.members["a.data"] =
      words({kData, 1, 5, kData + 0x10, 2, 16, 32}) +
      words({kSdram, 3, 1, 2, 3}) + words({kSdram + 0x40, 4, 16, 8, 64, 48});
  parts.members["b.data"] = words({kSdram + 0x100, 3, 0, 1, 2});
  parts.members["l.bin"] = words({1, kData + 0x60, 0, kData + 0x64});
  return parts;
}

Status load(const Parts &parts, std::unique_ptr<Engine> &engine) {
  ContainerWriter writer;
  for (auto &[name, bytes] : parts.members)
    if (Status status = writer.add(name, bytes); !status)
      return status;
  std::string archive;
  if (Status status = writer.finish(parts.manifest.dump(), archive); !status)
    return status;
  std::shared_ptr<const Container> container;
  if (Status status = Container::read(asBytes(archive), "p.nrx", container);
      !status)
    return status;
  return createSpiNNakerEngine(container, {}, engine);
}

/// The whole message of the program that `damage` leaves.
std::string broken(const std::function<void(Parts &)> &damage) {
  Parts parts = makeParts();
  damage(parts);
  std::unique_ptr<Engine> engine;
  Status status = load(parts, engine);
  EXPECT_EQ(status.code(), Code::InputError) << status.message();
  EXPECT_EQ(engine, nullptr);
  return status.message();
}

struct Sink : RecordSink {
  std::string text;
  void spikes(unsigned probe, uint64_t tick,
              std::span<const uint32_t> units) override {
    text += std::to_string(tick) + " s";
    for (uint32_t unit : units)
      text += " " + std::to_string(unit);
    text += "\n";
  }
  void values(unsigned probe, uint64_t tick,
              std::span<const double> values) override {
    text += std::to_string(tick) + " v";
    for (double value : values)
      text += " " + std::to_string(int(value * 10));
    text += "\n";
  }
};

TEST(SpiNNakerEngine, WholeProgramRuns) {
  std::unique_ptr<Engine> engine;
  Status status = load(makeParts(), engine);
  ASSERT_TRUE(status) << status.message();
  Reals out;
  ASSERT_TRUE(engine->readState("p", "v", out));
  EXPECT_EQ(out, (Reals{1, 2, 0, 0}));
  ASSERT_TRUE(engine->setStimulus("x", Reals{-1.5, 0.25}));
  ASSERT_TRUE(engine->readState("p", "v", out));
  EXPECT_EQ(out, (Reals{1, 2, -1.5, 0.25}));
  for (const char *name : {"W", "T"}) {
    ASSERT_TRUE(engine->writeWeight(name, Reals{1, 2, 3, 4, 5, 6}));
    ASSERT_TRUE(engine->readWeight(name, out));
    EXPECT_EQ(out, (Reals{1, 2, 3, 4, 5, 6})) << name;
  }
  ASSERT_TRUE(engine->writeWeight("L", Reals{-0.75, 1e9}));
  ASSERT_TRUE(engine->readWeight("L", out));
  EXPECT_EQ(out, (Reals{-0.75, 8191.75})); // 16 bits, two of them fraction
  Sink sink;
  status = engine->step(3, &sink);
  ASSERT_TRUE(status) << status.message();
  EXPECT_EQ(sink.text, "0 s 0\n0 v 10 5\n1 s 1 2\n2 s 0 1 3\n2 v 40 30\n");
  ASSERT_TRUE(engine->readProbe(0, out));
  EXPECT_EQ(out, (Reals{1, 1, 0, 1}));
  ASSERT_TRUE(engine->clampState("p", "v", Reals{7, NAN, NAN, 8}));
  ASSERT_TRUE(engine->readState("p", "v", out));
  EXPECT_EQ(out, (Reals{7, 2, -1.5, 8}));
  status = engine->callRule("learn");
  EXPECT_TRUE(status) << status.message();
  Stats stats;
  ASSERT_TRUE(engine->stats(stats));
  EXPECT_EQ(stats["cores"], 2);
  EXPECT_EQ(stats["spikes"], 5);
}

TEST(SpiNNakerEngine, MessagesOfDamagedPrograms) {
  EXPECT_EQ(broken([](Parts &p) { p.program()["abi"] = 2; }),
            "p.nrx: manifest.program.abi: this engine runs programs of core "
            "ABI 1");
  EXPECT_EQ(broken([](Parts &p) { p.members.erase("a.data"); }),
            "p.nrx: manifest.program.cores[0]: member 'a.data' is missing");
  EXPECT_EQ(broken([](Parts &p) { p.program()["cores"][1]["core"] = 1; }),
            "p.nrx: manifest.program.cores[1]: is at the place of core 'a'");
  EXPECT_EQ(broken([](Parts &p) { p.program()["cores"] = Json::array(); }),
            "p.nrx: manifest.program.states[0].pieces[0].core: there are no "
            "cores");
  EXPECT_EQ(broken([](Parts &p) {
              p.program()["weights"][0]["pieces"][1]["first"] = 2;
            }),
            "p.nrx: manifest.program.weights[0].pieces[1]: the units are "
            "beyond the last, 2");
  EXPECT_EQ(broken([](Parts &p) {
              p.program()["stimuli"][0]["pieces"][0]["first"] = 1;
            }),
            "p.nrx: manifest.program.stimuli[0].pieces[0]: the units are "
            "beyond the last, 2");
  for (const char *wrong : {"pre", "columns"})
    EXPECT_EQ(broken([&](Parts &p) {
                Json &weight = p.program()["weights"][0];
                (*wrong == 'p' ? weight : weight["pieces"][0])[wrong] = 4;
              }),
              "p.nrx: manifest.program.weights[0].pieces[0]: a matrix of "
              "another width than its weight");
  auto list = "p.nrx: manifest.program.weights[2].pieces[0]: member 'l.bin' ";
  EXPECT_EQ(broken([](Parts &p) { p.members.erase("l.bin"); }),
            list + std::string("is missing or cut off"));
  EXPECT_EQ(broken([](Parts &p) { p.members["l.bin"].pop_back(); }),
            list + std::string("is missing or cut off"));
  for (std::vector<uint32_t> entry : std::vector<std::vector<uint32_t>>{
           {2, kData}, {0, kData + 2}, {0, 0x410000}, {0, 0x3ffffc},
           {0, 0x68000000}, {0, 0}, {0, 0xfffffffc}})
    EXPECT_EQ(broken([&](Parts &p) { p.members["l.bin"] = words(entry); }),
              list + std::string("names a value or address that does not "
                                 "exist"))
        << entry[0] << " " << entry[1];
  EXPECT_EQ(broken([](Parts &p) {
              p.program()["probes"][1]["pieces"][0]["words"] = 1;
            }),
            "p.nrx: manifest.program.probes[1].pieces[0]: a sample is shorter "
            "than its units");
  EXPECT_EQ(broken([](Parts &p) {
              p.program()["probes"][0]["pieces"][1]["words"] = 0;
            }),
            "p.nrx: manifest.program.probes[0].pieces[1]: a sample is shorter "
            "than its units");
  EXPECT_EQ(broken([](Parts &p) {
              p.program()["probes"][0]["shape"] = {1 << 20, 1 << 20};
            }),
            "p.nrx: manifest.program.probes[0].shape: too large");
}

TEST(SpiNNakerEngine, AddressesOutsideTheMemoryOfACore) {
  // Two words each; the last that fit and the first that do not.
  struct Case {
    uint32_t address;
    bool fits;
  } cases[] = {{0x400000, true},    {0x40fff8, true},    {0x40fffc, false},
               {0x410000, false},   {0x3ffffc, false},   {0x401002, false},
               {0x60000000, true},  {0x67fffff8, true},  {0x67fffffc, false},
               {0x5ffffffc, false}, {0xfffffffc, false}, {4, false}};
  for (const Case &c : cases) {
    Parts parts = makeParts();
    parts.program()["states"][0]["pieces"][0]["address"] = c.address;
    std::unique_ptr<Engine> engine;
    Status status = load(parts, engine);
    EXPECT_EQ(status.message(),
              c.fits ? ""
                     : "p.nrx: manifest.program.states[0].pieces[0].address: "
                       "no 2 words of a core's memory are there")
        << c.address;
    Reals out;
    if (engine) {
      EXPECT_TRUE(engine->readState("p", "v", out)) << c.address;
    }
  }
}

TEST(SpiNNakerEngine, WhatTheProgramDoesNotUseHasAddressZero) {
  Parts parts = makeParts();
  Json &program = parts.program();
  program["stimuli"][0]["pieces"][0]["address"] = 0;
  for (Json &piece : program["states"][0]["pieces"])
    piece["address"] = 0;
  for (Json &piece : program["weights"][0]["pieces"])
    piece["address"] = 0;
  program["probes"][1]["pieces"][0]["address"] = 0;
  std::unique_ptr<Engine> engine;
  Status status = load(parts, engine);
  ASSERT_TRUE(status) << status.message();
  // Nothing of this may overwrite the loop of the code, which is there.
  Reals out;
  EXPECT_TRUE(engine->setStimulus("x", Reals{1, 1}));
  EXPECT_TRUE(engine->writeState("p", "v", Reals(4, 1.0)));
  EXPECT_TRUE(engine->clampState("p", "v", Reals(4, 1.0)));
  EXPECT_TRUE(engine->writeWeight("W", Reals(6, 1.0)));
  EXPECT_TRUE(engine->readWeight("W", out));
  EXPECT_EQ(out, Reals(6, 0.0));
  EXPECT_TRUE(engine->readProbe(1, out));
  EXPECT_EQ(out, Reals(2, 0.0));
  status = engine->step(2, nullptr);
  EXPECT_TRUE(status) << status.message();
}

TEST(SpiNNakerEngine, CoresThatDoNotAnswer) {
  Parts parts = makeParts();
  parts.members["p.elf"] = elf({kEndless});
  std::unique_ptr<Engine> engine;
  EXPECT_EQ(load(parts, engine).message(), "the cores did not start");
  std::vector<uint32_t> once = kLoop;
  once[6] = kBreakpoint;
  parts.members["p.elf"] = image(once);
  Status status = load(parts, engine);
  ASSERT_TRUE(status) << status.message();
  EXPECT_EQ(engine->step(1, nullptr).message(),
            "core 'a' did not reach tick 1: status 1 at tick 0, fault 0");
  for (const char *cut : {"a.data", "b.data"}) {
    parts = makeParts();
    parts.members[cut].resize(parts.members[cut].size() - 4);
    EXPECT_EQ(load(parts, engine).message(),
              "member '" + std::string(cut) + "' is cut off");
    parts.members[cut] = words({kData});
    EXPECT_EQ(load(parts, engine).message(),
              "member '" + std::string(cut) + "' is cut off");
  }
}

TEST(SpiNNakerEngine, LongestTicksDoNotOverflowTime) {
  Parts parts = makeParts();
  parts.program()["period"] = UINT32_MAX;
  parts.program()["subticks"] = 4097;
  parts.program()["probes"] = Json::array();
  std::unique_ptr<Engine> engine;
  ASSERT_TRUE(load(parts, engine));
  Status status = engine->step(1 << 20, nullptr);
  EXPECT_TRUE(status) << status.message();
}

TEST(SpiNNakerEngine, NothingToRun) {
  Parts parts = makeParts();
  for (const char *list : {"cores", "tables", "states", "stimuli", "weights",
                           "plastics", "probes"})
    parts.program()[list] = Json::array();
  std::unique_ptr<Engine> engine;
  Status status = load(parts, engine);
  ASSERT_TRUE(status) << status.message();
  status = engine->step(5, nullptr);
  EXPECT_TRUE(status) << status.message();
  EXPECT_EQ(engine->tick(), 5u);
}

//===----------------------------------------------------------------------===//
// Every value in turn
//===----------------------------------------------------------------------===//

void collect(const Json &json, const Json::json_pointer &at,
             std::vector<Json::json_pointer> &found) {
  found.push_back(at);
  if (json.is_object())
    for (auto &[key, value] : json.items())
      collect(value, at / key, found);
  else if (json.is_array())
    for (size_t i = 0; i < json.size(); ++i)
      collect(json[i], at / i, found);
}

/// "/cores/0/name" as messages have it: "program.cores[0].name".
std::string pathOf(const Json::json_pointer &pointer) {
  std::string path, text = pointer.to_string();
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('/', at + 1), text.size());
    std::string key = text.substr(at + 1, end - at - 1);
    path += isdigit(key[0]) ? "[" + key + "]"
                            : (path.empty() ? "" : ".") + key;
    at = end;
  }
  return path;
}

/// Calls all there is. Values may be refused; nothing may crash or hang.
void use(Engine &engine) {
  Reals values;
  Sink sink;
  (void)engine.setStimulus("x", Reals(2, 0.5));
  (void)engine.setPlasticEnabled("learn", true);
  (void)engine.step(5, &sink);
  for (unsigned probe = 0; probe < 3; ++probe)
    (void)engine.readProbe(probe, values);
  for (const char *name : {"W", "T", "L"}) {
    Status status = engine.readWeight(name, values);
    if (status)
      (void)engine.writeWeight(name, values);
  }
  if (engine.readState("p", "v", values)) {
    (void)engine.writeState("p", "v", values);
    (void)engine.clampState("p", "v", values);
  }
  (void)engine.clampState("p", "v", {});
  (void)engine.callRule("learn");
  (void)engine.step(1, nullptr);
  Stats stats;
  (void)engine.stats(stats);
  (void)engine.reset();
}

class EveryValue : public testing::Test {
protected:
  void SetUp() override {
    good = makeParts();
    collect(good.manifest["program"], Json::json_pointer("/program"), found);
    ASSERT_GT(found.size(), 150u);
  }
  /// Loads and uses the program with another value there; whether it loads.
  bool loads(const Json::json_pointer &at, const Json &value) {
    Parts parts = good;
    parts.manifest[at] = value;
    return loads(parts);
  }
  bool loads(const Parts &parts) {
    std::unique_ptr<Engine> engine;
    Status status = load(parts, engine);
    message = status.message();
    EXPECT_EQ(status.isOk(), message.empty());
    if (status)
      use(*engine);
    return status.isOk();
  }

  Parts good;
  std::vector<Json::json_pointer> found;
  std::string message;
};

TEST_F(EveryValue, OfAnotherKindIsRefusedByPath) {
  for (const Json::json_pointer &at : found) {
    const Json &old = good.manifest[at];
    std::vector<Json> others = {nullptr};
    if (!old.is_string())
      others.push_back("text");
    if (!old.is_number())
      others.push_back(1);
    if (!old.is_boolean())
      others.push_back(true);
    if (!old.is_object())
      others.push_back(Json::object());
    if (!old.is_array())
      others.push_back(Json::array());
    for (const Json &other : others) {
      EXPECT_FALSE(loads(at, other)) << at << " = " << other;
      EXPECT_NE(message.find("manifest." + pathOf(at)), std::string::npos)
          << at << " = " << other << ": " << message;
    }
  }
}

TEST_F(EveryValue, MissingIsRefusedByName) {
  for (const Json::json_pointer &at : found) {
    Parts parts = good;
    Json &parent = parts.manifest[at.parent_pointer()];
    if (parent.is_array()) { // a list may be shorter
      parent.erase(std::stoul(at.back()));
      loads(parts);
      continue;
    }
    parent.erase(at.back());
    if (at.back() == "clamp_on") { // may be left out
      EXPECT_TRUE(loads(parts)) << message;
      continue;
    }
    EXPECT_FALSE(loads(parts)) << at;
    EXPECT_NE(message.find("lacks the member '" + at.back() + "'"),
              std::string::npos)
        << message;
  }
}

TEST_F(EveryValue, NumbersOutOfRange) {
  unsigned refused = 0, taken = 0;
  for (const Json::json_pointer &at : found) {
    if (!good.manifest[at].is_number())
      continue;
    const std::string &key = at.back();
    bool isReal =
        key == "dt_ms" || key == "slowdown" || key == "estimated_cycles";
    for (const Json &value :
         {Json(int64_t(1) << 40), Json(INT64_MAX), Json(UINT64_MAX),
          Json(INT64_MIN), Json(1e300), Json(-1e300), Json(0.5)}) {
      bool good = loads(at, value);
      EXPECT_EQ(good, isReal) << at << " = " << value << ": " << message;
    }
    EXPECT_EQ(loads(at, -1), isReal || key == "frac") << at << ": " << message;
    // What may be right or wrong, by what else is said.
    for (int64_t value : {int64_t(0), int64_t(1), int64_t(3), int64_t(18),
                          int64_t(64), int64_t(1) << 20, int64_t(1) << 26,
                          int64_t(0x40fffc), int64_t(0x67fffffc),
                          int64_t(INT32_MAX), int64_t(UINT32_MAX)}) {
      // A signal may be as large as that; it only takes memory.
      if (value == int64_t(1) << 26 &&
          (at.parent_pointer().back() == "shape" || key == "count" ||
           key == "first" || key == "units"))
        continue;
      (loads(at, value) ? taken : refused) += 1;
    }
  }
  EXPECT_GT(refused, 200u);
  EXPECT_GT(taken, 100u);
}

TEST_F(EveryValue, ElfAndDataBytes) {
  for (const char *member : {"p.elf", "a.data", "l.bin"})
    for (size_t at = 0; at < good.members[member].size(); ++at)
      for (int flip : {0x01, 0x80, 0xff}) {
        Parts parts = good;
        parts.members[member][at] ^= char(flip);
        std::unique_ptr<Engine> engine;
        Status status = load(parts, engine);
        EXPECT_EQ(status.isOk(), status.message().empty());
      }
}

} // namespace
