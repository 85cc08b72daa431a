// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs that are not what they say: every field of the plan that the engine
// relies on is damaged in turn, and the engine refuses with the place.

#include "Harness.h"

#include "neuroc/rt/Engines.h"
#include "neuroc/rt/cpu/Program.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <functional>
#include <gtest/gtest.h>

using namespace neuroc::test;
using namespace neuroc;
namespace json = llvm::json;

namespace {

const char *text = R"(
    neuro.model @unit {
      neuro.state @v init 0.0
      neuro.input @in
      neuro.output @s : i1
      neuro.stage @update {
        %v = neuro.get @v
        %i = neuro.get @in
        %n = arith.addf %v, %i : f64
        neuro.set @v, %n
        %u = neuro.random uniform
        %f = arith.cmpf olt, %u, %n : f64
        neuro.emit @s, %f : i1
      }
    }
    neuro.rule @r {
      neuro.trace @k on pre {
        %k = neuro.get @k
        neuro.set @k, %k
      }
      neuro.on pre {
        %w = neuro.get @w
        neuro.set @w, %w
      }
    }
    neuro.network @n dt 1.0 {
      %x = neuro.stimulus @x init(dense<[0.1, 0.2]> : tensor<2xf64>) : tensor<2xf32>
      %e = neuro.spike_array @e events(dense<[[0, 1]]> : tensor<1x2xi64>) : tensor<2xi1>
      neuro.weight @W pre [2] post [2] connect #neuro.list<dense<[[0, 1], [1, 0]]> : tensor<2x2xi64>> values 0.5
      %i = neuro.project %s through @W delay 2 : tensor<2xi1> -> tensor<2xf32>
      %s = neuro.population @P of @unit shape [2] inputs(%x, %i) ports ["in", "in"]
        : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xi1>
      neuro.plastic @L on @W rule @r pre %e post %s : tensor<2xi1>, tensor<2xi1>
      neuro.probe @o %s : tensor<2xi1>
      neuro.watch @v @P["v"]
    })";

class CpuProgram : public testing::Test {
protected:
  void SetUp() override {
    std::string error;
    program = compileCpu(text, {}, error);
    ASSERT_TRUE(program) << error;
  }

  /// Builds the container again with a changed "program" section (and members)
  /// and tries to create an engine.
  rt::Status tryDamaged(
      const std::function<void(json::Object &)> &damage,
      const std::function<void(std::string &, std::string &)> &member =
          [](std::string &, std::string &) {}) {
    auto value = json::parse(llvm::StringRef(program->manifest().data(),
                                             program->manifest().size()));
    EXPECT_TRUE(bool(value));
    json::Object &manifest = *value->getAsObject();
    manifest.erase("members");
    manifest.erase("format");
    manifest.erase("version");
    damage(*manifest.getObject("program"));
    rt::ContainerWriter writer;
    for (const auto &entry : program->members()) {
      if (entry.name == rt::kManifestName)
        continue;
      auto span = program->bytes(entry.name);
      std::string name = entry.name,
                  bytes(reinterpret_cast<const char *>(span.data()),
                        span.size());
      member(name, bytes);
      if (name.empty())
        continue;
      EXPECT_TRUE(writer.add(name, bytes).isOk());
    }
    std::string output, archive;
    llvm::raw_string_ostream(output) << *value;
    EXPECT_TRUE(writer.finish(output, archive).isOk());
    std::shared_ptr<const rt::Container> container;
    rt::Status status =
        rt::Container::read(rt::asBytes(archive), "x.nrx", container);
    if (!status)
      return status;
    std::unique_ptr<rt::Engine> engine;
    return rt::createCpuEngine(container, {}, engine);
  }

  void expectError(const std::function<void(json::Object &)> &damage,
                   const char *message) {
    rt::Status status = tryDamaged(damage);
    EXPECT_FALSE(status.isOk()) << message;
    EXPECT_NE(status.message().find(message), std::string::npos)
        << status.message();
  }
  static json::Object &entry(json::Object &program, const char *list,
                             size_t index = 0) {
    return *(*program.getArray(list))[index].getAsObject();
  }

  std::shared_ptr<const rt::Container> program;
};

TEST_F(CpuProgram, UndamagedRuns) {
  EXPECT_TRUE(tryDamaged([](json::Object &) {}).isOk());
}

TEST_F(CpuProgram, IdentityAndMachine) {
  expectError([](json::Object &p) { p["id"] = "0123"; },
              "does not belong to this manifest");
  expectError([](json::Object &p) { p["id"] = "xyz"; },
              "must be up to 16 hexadecimal digits");
  expectError([](json::Object &p) { p["architecture"] = "riscv64"; },
              "compiled for 'riscv64'");
  expectError([](json::Object &p) { p["instruction_set"] = "x86-64-v9"; },
              "which this processor lacks; compile with a lower --machine");
  expectError([](json::Object &p) { p["real"] = "f16"; }, "must be f32 or f64");
  expectError([](json::Object &p) { p.getArray("functions")->pop_back(); },
              "no function of that name");
  expectError([](json::Object &p) { p.getArray("functions")->push_back("g"); },
              "disagrees with the manifest on formats or counts");
}

TEST_F(CpuProgram, MembersMissingOrForeign) {
  rt::Status status = tryDamaged([](json::Object &) {},
                                 [](std::string &name, std::string &) {
                                   if (name == "cpu/program.so")
                                     name.clear();
                                 });
  EXPECT_NE(status.message().find("member 'cpu/program.so' is missing"),
            std::string::npos);
  status = tryDamaged([](json::Object &) {},
                      [](std::string &name, std::string &bytes) {
                        if (name == "cpu/program.so")
                          bytes = "not an object";
                      });
  EXPECT_NE(status.message().find("cannot be loaded"), std::string::npos);
  status = tryDamaged([](json::Object &) {},
                      [](std::string &name, std::string &) {
                        if (name == "cpu/data.bin")
                          name.clear();
                      });
  EXPECT_NE(status.message().find("end after the member cpu/data.bin"),
            std::string::npos)
      << status.message();
}

TEST_F(CpuProgram, BuffersAndIndices) {
  expectError([](json::Object &p) { entry(p, "buffers")["type"] = "f8"; },
              "unknown element type 'f8'");
  expectError([](json::Object &p) { entry(p, "buffers")["count"] = 1 << 30; },
              "buffer");
  expectError([](json::Object &p) { entry(p, "signals")["depth"] = 0; },
              "must be at least 1");
  expectError([](json::Object &p) { entry(p, "signals")["units"] = 1000; },
              "the buffer does not suit the signal");
  expectError([](json::Object &p) { entry(p, "signals")["buffer"] = "b"; },
              "no buffer of that name");
  expectError([](json::Object &p) { entry(p, "stimuli")["signal"] = 99; },
              "signals");
  expectError([](json::Object &p) { entry(p, "spike_arrays")["count"] = 7; },
              "are needed");
  expectError([](json::Object &p) { entry(p, "weights")["count"] = 12345; },
              "are needed");
  expectError([](json::Object &p) { entry(p, "populations")["every"] = 0; },
              "must be at least 1");
  expectError([](json::Object &p) { entry(p, "items")["function"] = "h"; },
              "no function of that name");
  expectError([](json::Object &p) { entry(p, "items")["delay"] = 9; },
              "the signal's ring is shorter than the delay");
  expectError(
      [](json::Object &p) { entry(p, "items")["delays"] = json::Array(); },
      "must not be empty");
  expectError([](json::Object &p) { entry(p, "items", 1)["population"] = "Q"; },
              "no population of that name");
  expectError([](json::Object &p) { entry(p, "plastics")["pre"] = 0; },
              "events need a signal of spikes");
  expectError([](json::Object &p) { entry(p, "recorders")["every"] = 0; },
              "must be at least 1");
  expectError([](json::Object &p) { entry(p, "recorders")["delay"] = 50; },
              "the signal's ring is shorter than the delay");
  expectError(
      [](json::Object &p) { entry(p, "random")["buffer"] = "weight.W"; },
      "another type");
}

TEST_F(CpuProgram, ReferencesBetweenLists) {
  expectError([](json::Object &p) { entry(p, "stimuli")["signal"] = 99; },
              "there are ");
  expectError(
      [](json::Object &p) {
        entry(p, "signals")["buffer"] = "events.L.pre.units"; // i32
      },
      "a stimulus is of spikes or real numbers");
  expectError([](json::Object &p) { entry(p, "spike_arrays")["signal"] = 0; },
              "a spike array gives spikes");
  expectError(
      [](json::Object &p) {
        entry(p, "weights")["layout"] = "matrix";
        entry(p, "weights")["pre"] = 5;
      },
      "must be pre times post");
  expectError(
      [](json::Object &p) { entry(p, "items")["outputs"] = json::Array{99}; },
      "no such signal");
  expectError([](json::Object &p) { entry(p, "plastics")["weight"] = "V"; },
              "no weight of that name");
}

// The same data with other extents, and another version of the interface.
TEST_F(CpuProgram, CodeAndManifestDisagree) {
  expectError(
      [](json::Object &p) {
        for (json::Value &value : *p.getArray("buffers")) {
          json::Object &buffer = *value.getAsObject();
          if (buffer.get("fill")) {
            buffer["count"] = *buffer.getInteger("count") + 1;
            return;
          }
        }
      },
      "disagrees with the manifest on buffer '");
  rt::Status status =
      tryDamaged([](json::Object &) {},
                 [](std::string &name, std::string &bytes) {
                   if (name != "cpu/program.so")
                     return;
                   // struct_size, abi_major, abi_minor, real_bytes of the
                   // structure.
                   const uint32_t head[4] = {sizeof(neuroc_cpu_program),
                                             NEUROC_CPU_ABI_MAJOR,
                                             NEUROC_CPU_ABI_MINOR, 8};
                   size_t at = bytes.find(std::string(
                       reinterpret_cast<const char *>(head), sizeof(head)));
                   ASSERT_NE(at, std::string::npos);
                   bytes[at + 4] = char(NEUROC_CPU_ABI_MAJOR + 1);
                 });
  EXPECT_NE(status.message().find("was compiled for interface 2.0, this "
                                  "runtime has 1.0; compile it again"),
            std::string::npos)
      << status.message();
}

/// A network without spikes, whose ticks run in one call, in two lanes.
class CpuRunProgram : public CpuProgram {
protected:
  void SetUp() override {
    std::string error;
    program = compileCpu(R"(
      neuro.model @add {
        neuro.state @v init 0.0
        neuro.input @in
        neuro.output @y : f64
        neuro.stage @s {
          %v = neuro.get @v
          %in = neuro.get @in
          %n = arith.addf %v, %in : f64
          neuro.set @v, %n
          neuro.emit @y, %n : f64
        }
      }
      neuro.network @n dt 1.0 batch 2 {
        %x = neuro.stimulus @x : tensor<3xf32>
        %y = neuro.population @P of @add shape [3] inputs(%x) ports ["in"]
          : (tensor<3xf32>) -> tensor<3xf32>
        neuro.probe @y %y : tensor<3xf32>
        neuro.watch @v @P["v"]
      })",
                         {}, error);
    ASSERT_TRUE(program) << error;
  }
};

TEST_F(CpuRunProgram, DamagedPlanOfTheRun) {
  EXPECT_TRUE(tryDamaged([](json::Object &) {}).isOk());
  auto run = [](json::Object &p) -> json::Object & {
    return *p.getObject("run");
  };
  expectError([](json::Object &p) { p["batch"] = 0; },
              "batch: must be at least 1");
  expectError([](json::Object &p) { p["batch"] = 4; },
              "must be a multiple of the batch, 4");
  expectError([&](json::Object &p) { run(p)["capacity"] = 0; },
              "capacity: must be at least 1");
  expectError([&](json::Object &p) { run(p)["capacity"] = 1 << 20; },
              "are needed");
  expectError([&](json::Object &p) { run(p).getArray("rows")->pop_back(); },
              "one buffer per stimulus is needed");
  expectError([&](json::Object &p) { run(p).getArray("records")->pop_back(); },
              "one buffer per recorder is needed");
  expectError([&](json::Object &p) { run(p)["control"] = "signal.x"; },
              "the buffer has 6 elements or another type; 4 are needed");
  expectError([&](json::Object &p) { run(p)["function"] = "f"; },
              "no function of that name");
}

// The loop does not list who fired.
TEST_F(CpuProgram, ARunNeedsSilence) {
  expectError(
      [](json::Object &p) {
        auto names = [&](const char *list) {
          json::Array result;
          for (size_t i = 0; i < p.getArray(list)->size(); ++i)
            result.push_back("");
          return result;
        };
        p["run"] = json::Object{{"function", (*p.getArray("functions"))[0]},
                                {"capacity", 1},
                                {"control", ""},
                                {"rows", names("stimuli")},
                                {"records", names("recorders")}};
      },
      "a network with spikes runs tick by tick");
}

/// Replaces one leaf of the plan, chosen by `number`, by `value`.
bool replaceLeaf(json::Value &at, uint64_t &number, const json::Value &value) {
  if (auto *object = at.getAsObject()) {
    std::vector<std::string> keys;
    for (auto &member : *object)
      keys.push_back(member.first.str());
    std::sort(keys.begin(), keys.end());
    for (const std::string &key : keys)
      if (replaceLeaf((*object)[key], number, value))
        return true;
    return false;
  }
  if (auto *array = at.getAsArray()) {
    for (json::Value &element : *array)
      if (replaceLeaf(element, number, value))
        return true;
    return false;
  }
  if (number-- != 0)
    return false;
  at = value;
  return true;
}

// Whatever single value is replaced: an engine or an error, never a crash.
TEST_F(CpuRunProgram, AnyOneLeafReplaced) {
  const json::Value values[] = {nullptr, -1, 0, 1, 5, 1e300, "", "n", true};
  unsigned refused = 0, accepted = 0;
  for (uint64_t leaf = 0;; ++leaf) {
    bool found = false;
    rt::Status status = tryDamaged([&](json::Object &p) {
      json::Value whole = std::move(p);
      uint64_t number = leaf;
      found = replaceLeaf(whole, number, values[leaf * 7 % std::size(values)]);
      p = std::move(*whole.getAsObject());
    });
    if (!found)
      break;
    ++(status.isOk() ? accepted : refused);
  }
  EXPECT_GT(refused, 60u);
  EXPECT_GT(accepted, 5u);
}

TEST_F(CpuProgram, AnyOneLeafReplaced) {
  const json::Value values[] = {
      nullptr, -1,           0, 1, 3, 1e300, "", "n", int64_t(1) << 62,
      true,    json::Array()};
  unsigned refused = 0, accepted = 0;
  for (uint64_t leaf = 0;; ++leaf) {
    bool found = false;
    rt::Status status = tryDamaged([&](json::Object &p) {
      json::Value whole = std::move(p);
      uint64_t number = leaf;
      found = replaceLeaf(whole, number, values[leaf * 7 % std::size(values)]);
      p = std::move(*whole.getAsObject());
    });
    if (!found)
      break;
    ++(status.isOk() ? accepted : refused);
  }
  EXPECT_GT(refused, 100u);
  EXPECT_GT(accepted, 5u); // names, and values that happen to be equal
}

} // namespace
