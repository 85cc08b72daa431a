// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See Harness.h. The engine is made from container bytes in memory, exactly as
// the driver does it.
#include "Harness.h"

#include "neuroc/Neuro/Neuro.h"
#include "neuroc/Neuro/Passes.h"
#include "neuroc/Xbar/Xbar.h"
#include "neuroc/rt/Engines.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <fstream>
#include <gtest/gtest.h>

using namespace mlir;

namespace neuroc::test {

static MLIRContext &context() {
  static DialectRegistry registry = [] {
    DialectRegistry result;
    registerAllDialects(result);
    registerAllExtensions(result);
    result.insert<neuro::NeuroDialect, xbar::XbarDialect>();
    return result;
  }();
  static MLIRContext instance(registry, MLIRContext::Threading::DISABLED);
  return instance;
}

std::string machineFile(const std::string &name, const std::string &json) {
  std::string file = testing::TempDir() + "neuroc-" + name + "-machine.json";
  std::ofstream(file) << json;
  return file;
}

static std::string smallMachine() {
  static std::string path =
      machineFile("small", R"({"name": "small", "mesh": {"x": 12, "y": 12},
      "tile": {"arrays": 12, "memory_words": 16384},
      "array": {"rows": 16, "cols": 16}})");
  return path;
}

Options precise(const std::string &machine) {
  return {machine, {{"weight-bits", "12"}, {"input-bits", "16"}}};
}

static OwningOpRef<ModuleOp> toCore(const std::string &text) {
  auto module = parseSourceString<ModuleOp>(text, &context());
  if (!module)
    return {};
  PassManager pm(&context());
  neuro::buildToCorePipeline(pm);
  if (failed(pm.run(*module)))
    return {};
  return module;
}

/// The part of the manifest that the driver writes and the engine reads.
static llvm::json::Array probeList(ModuleOp module) {
  llvm::json::Array list;
  auto network = *module.getOps<neuro::NetworkOp>().begin();
  for (Operation &op : network.getBody().front()) {
    if (auto probe = dyn_cast<neuro::ProbeOp>(op)) {
      auto type = cast<ShapedType>(probe.getInput().getType());
      llvm::json::Array shape;
      for (int64_t extent : type.getShape())
        shape.push_back(extent);
      list.push_back(llvm::json::Object{
          {"name", probe.getSymName()},
          {"kind", type.getElementType().isInteger(1) ? "spikes" : "values"},
          {"shape", std::move(shape)},
          {"every", int64_t(probe.getEvery())}});
    } else if (auto watch = dyn_cast<neuro::WatchOp>(op)) {
      auto population = cast<neuro::PopulationOp>(
          SymbolTable::lookupSymbolIn(network, watch.getPopulation()));
      list.push_back(llvm::json::Object{
          {"name", watch.getSymName()},
          {"kind", "values"},
          {"shape", llvm::json::Array{population.getNumUnits()}},
          {"every", int64_t(watch.getEvery())}});
    }
  }
  return list;
}

Compiled compile(const std::string &text, const Options &options) {
  Compiled compiled;
  ScopedDiagnosticHandler handler(&context(), [&](Diagnostic &diagnostic) {
    compiled.diagnostics += diagnostic.str() + "\n";
    return success();
  });
  auto module = toCore(text);
  if (!module)
    return compiled;
  auto target = createCrossbarTarget();
  TargetOptions targetOptions;
  targetOptions.machine =
      options.machine == kSmall ? smallMachine() : options.machine;
  targetOptions.config = options.config;
  PassManager pm(&context());
  target->buildMapPipeline(pm, targetOptions);
  if (failed(pm.run(*module)))
    return compiled;
  compiled.result = target->compile(*module, targetOptions, compiled.program);
  if (compiled.result != CompileResult::Success)
    return compiled;
  llvm::json::Object program = compiled.program.manifest;
  llvm::json::Object manifest{{"target", "crossbar"},
                              {"probes", probeList(*module)},
                              {"program", std::move(program)}};
  rt::ContainerWriter writer;
  for (const ProgramMember &member : compiled.program.members)
    if (rt::Status status = writer.add(member.name, member.bytes); !status)
      compiled.diagnostics += status.message();
  std::string json, archive;
  llvm::raw_string_ostream(json) << llvm::json::Value(std::move(manifest));
  if (rt::Status status = writer.finish(json, archive); !status)
    compiled.diagnostics += status.message();
  if (rt::Status status = rt::Container::read(rt::asBytes(archive), "test.nrx",
                                              compiled.container);
      !status)
    compiled.diagnostics += status.message();
  return compiled;
}

Compiled compileMapped(const std::string &text) {
  Compiled compiled;
  ScopedDiagnosticHandler handler(&context(), [&](Diagnostic &diagnostic) {
    compiled.diagnostics += diagnostic.str() + "\n";
    return success();
  });
  auto module = parseSourceString<ModuleOp>(text, &context());
  if (module)
    compiled.result =
        createCrossbarTarget()->compile(*module, {}, compiled.program);
  return compiled;
}

std::unique_ptr<rt::Engine> makeEngine(const std::string &text,
                                       const Options &options) {
  Compiled compiled = compile(text, options);
  EXPECT_EQ(compiled.result, CompileResult::Success) << compiled.diagnostics;
  EXPECT_TRUE(compiled.container) << compiled.diagnostics;
  std::unique_ptr<rt::Engine> engine;
  if (!compiled.container)
    return engine;
  rt::Status status = rt::createCrossbarEngine(compiled.container, {}, engine);
  EXPECT_TRUE(status.isOk()) << status.message();
  return engine;
}

std::unique_ptr<rt::Engine> makeReference(const std::string &text) {
  auto module = toCore(text);
  EXPECT_TRUE(module);
  std::unique_ptr<rt::Engine> engine;
  if (module) {
    rt::Status status = createReferenceEngine(std::move(module), {}, engine);
    EXPECT_TRUE(status.isOk()) << status.message();
  }
  return engine;
}

void expectNearReference(const std::string &text, uint64_t ticks,
                         double tolerance, const Options &options,
                         std::vector<std::string> weights) {
  auto engine = makeEngine(text, options);
  auto reference = makeReference(text);
  ASSERT_TRUE(engine && reference);
  Recording a, b;
  rt::Status status = engine->step(ticks, &a);
  ASSERT_TRUE(status.isOk()) << status.message();
  ASSERT_TRUE(reference->step(ticks, &b).isOk());
  ASSERT_EQ(engine->probes().size(), reference->probes().size());
  for (unsigned probe = 0; probe < engine->probes().size(); ++probe) {
    const std::string &name = engine->probes()[probe].name;
    EXPECT_EQ(a.events[probe], b.events[probe]) << name;
    ASSERT_EQ(a.rows[probe].size(), b.rows[probe].size()) << name;
    for (size_t row = 0; row < a.rows[probe].size(); ++row)
      for (size_t i = 0; i < a.rows[probe][row].size(); ++i)
        ASSERT_NEAR(a.rows[probe][row][i], b.rows[probe][row][i], tolerance)
            << name << " row " << row << " unit " << i;
  }
  for (const std::string &weight : weights) {
    std::vector<double> x, y;
    status = engine->readWeight(weight, x);
    ASSERT_TRUE(status.isOk()) << status.message();
    ASSERT_TRUE(reference->readWeight(weight, y).isOk());
    ASSERT_EQ(x.size(), y.size());
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_NEAR(x[i], y[i], tolerance) << weight << " synapse " << i;
  }
}

} // namespace neuroc::test
