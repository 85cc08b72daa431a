// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See Harness.h. The engine is made from container bytes in memory, exactly as
// the driver does it.

#include "Harness.h"

#include "neuroc/Neuro/Passes.h"
#include "neuroc/rt/Engines.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <gtest/gtest.h>

namespace neuroc::test {

mlir::MLIRContext &context() {
  static mlir::DialectRegistry registry = [] {
    mlir::DialectRegistry result;
    mlir::registerAllDialects(result);
    mlir::registerAllExtensions(result);
    result.insert<neuro::NeuroDialect>();
    return result;
  }();
  static mlir::MLIRContext instance(registry,
                                    mlir::MLIRContext::Threading::DISABLED);
  return instance;
}

mlir::OwningOpRef<mlir::ModuleOp> toCore(const std::string &text) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context());
  if (!module)
    return {};
  mlir::PassManager pm(&context());
  neuro::buildToCorePipeline(pm);
  if (failed(pm.run(*module)))
    return {};
  return module;
}

std::shared_ptr<const rt::Container> compileCpu(const std::string &text,
                                                const Options &options,
                                                std::string &error) {
  mlir::ScopedDiagnosticHandler handler(&context(),
                                        [&](mlir::Diagnostic &diagnostic) {
                                          error += diagnostic.str() + "\n";
                                          return mlir::success();
                                        });
  auto module = toCore(text);
  if (!module)
    return {};
  auto target = createCpuTarget();
  TargetOptions targetOptions;
  targetOptions.doublePrecision = options.isDouble;
  targetOptions.optimizationLevel = options.optimizationLevel;
  targetOptions.machine = options.machine;
  mlir::PassManager pm(&context());
  target->buildMapPipeline(pm, targetOptions);
  if (failed(pm.run(*module)))
    return {};
  CompiledProgram program;
  if (target->compile(*module, targetOptions, program) !=
      CompileResult::Success)
    return {};
  llvm::json::Object manifest{{"target", "cpu"},
                              {"program", std::move(program.manifest)}};
  rt::ContainerWriter writer;
  for (ProgramMember &member : program.members)
    if (rt::Status status = writer.add(member.name, member.bytes); !status)
      error += status.message();
  std::string json, archive;
  llvm::raw_string_ostream(json) << llvm::json::Value(std::move(manifest));
  if (rt::Status status = writer.finish(json, archive); !status)
    error += status.message();
  std::shared_ptr<const rt::Container> container;
  if (rt::Status status =
          rt::Container::read(rt::asBytes(archive), "test.nrx", container);
      !status)
    error += status.message();
  return container;
}

std::unique_ptr<rt::Engine> makeCpu(const std::string &text,
                                    const Options &options) {
  std::string error;
  auto container = compileCpu(text, options, error);
  EXPECT_TRUE(container) << error;
  if (!container)
    return {};
  std::unique_ptr<rt::Engine> engine;
  rt::EngineOptions engineOptions;
  engineOptions.seed = options.seed;
  rt::Status status = rt::createCpuEngine(container, engineOptions, engine);
  EXPECT_TRUE(status.isOk()) << status.message();
  return engine;
}

std::unique_ptr<rt::Engine> makeReference(const std::string &text,
                                          const Options &options) {
  auto module = toCore(text);
  EXPECT_TRUE(module);
  std::unique_ptr<rt::Engine> engine;
  rt::EngineOptions engineOptions;
  engineOptions.seed = options.seed;
  if (module) {
    rt::Status status =
        createReferenceEngine(std::move(module), engineOptions, engine);
    EXPECT_TRUE(status.isOk()) << status.message();
  }
  return engine;
}

void expectSameAsReference(const std::string &text, uint64_t ticks,
                           std::vector<std::string> weights) {
  auto cpu = makeCpu(text);
  auto reference = makeReference(text);
  ASSERT_TRUE(cpu && reference);
  Recording a, b;
  ASSERT_TRUE(cpu->step(ticks, &a).isOk());
  ASSERT_TRUE(reference->step(ticks, &b).isOk());
  ASSERT_EQ(cpu->probes().size(), reference->probes().size());
  auto near = [](double x, double y) {
    return x == y || (std::isnan(x) && std::isnan(y)) ||
           std::fabs(x - y) <= 1e-12 * std::max(std::fabs(x), std::fabs(y));
  };
  for (unsigned probe = 0; probe < cpu->probes().size(); ++probe) {
    EXPECT_EQ(cpu->probes()[probe].name, reference->probes()[probe].name);
    EXPECT_EQ(a.events[probe], b.events[probe]) << cpu->probes()[probe].name;
    ASSERT_EQ(a.rows[probe].size(), b.rows[probe].size());
    EXPECT_EQ(a.rowTicks[probe], b.rowTicks[probe]);
    for (size_t row = 0; row < a.rows[probe].size(); ++row)
      for (size_t i = 0; i < a.rows[probe][row].size(); ++i)
        ASSERT_PRED2(near, a.rows[probe][row][i], b.rows[probe][row][i])
            << cpu->probes()[probe].name << " tick " << a.rowTicks[probe][row]
            << " unit " << i;
  }
  for (const std::string &weight : weights) {
    std::vector<double> x, y;
    ASSERT_TRUE(cpu->readWeight(weight, x).isOk());
    ASSERT_TRUE(reference->readWeight(weight, y).isOk());
    ASSERT_EQ(x.size(), y.size());
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_PRED2(near, x[i], y[i])
          << weight << " synapse " << i << ": " << x[i] - y[i];
  }
  rt::Stats s, t;
  ASSERT_TRUE(cpu->stats(s).isOk());
  ASSERT_TRUE(reference->stats(t).isOk());
  EXPECT_EQ(s["spikes"], t["spikes"]);
  EXPECT_EQ(s["synaptic_events"], t["synaptic_events"]);
}

} // namespace neuroc::test
