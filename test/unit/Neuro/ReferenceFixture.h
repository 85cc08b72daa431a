// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tests of the reference interpreter share: a sink that keeps what is
// recorded, and a fixture that lowers a program and loads it.
#ifndef NEUROC_TEST_UNIT_NEURO_REFERENCEFIXTURE_H
#define NEUROC_TEST_UNIT_NEURO_REFERENCEFIXTURE_H

#include "neuroc/Neuro/Passes.h"
#include "neuroc/Reference/Reference.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

namespace neuroc {

struct Recording : rt::RecordSink {
  std::vector<std::pair<uint64_t, uint32_t>> spikeList;
  std::vector<std::vector<double>> rows;
  void spikes(unsigned, uint64_t tick,
              std::span<const uint32_t> units) override {
    for (uint32_t unit : units)
      spikeList.push_back({tick, unit});
  }
  void values(unsigned, uint64_t, std::span<const double> values) override {
    rows.emplace_back(values.begin(), values.end());
  }
};

class Reference : public testing::Test {
protected:
  Reference() {
    context.loadDialect<neuro::NeuroDialect, mlir::arith::ArithDialect,
                        mlir::math::MathDialect, mlir::linalg::LinalgDialect,
                        mlir::tensor::TensorDialect>();
  }

  std::unique_ptr<rt::Engine> load(const std::string &text) {
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    mlir::PassManager pm(&context);
    neuro::buildToCorePipeline(pm);
    EXPECT_TRUE(mlir::succeeded(pm.run(*module)));
    std::unique_ptr<rt::Engine> engine;
    rt::Status status = createReferenceEngine(std::move(module), {}, engine);
    EXPECT_TRUE(status.isOk()) << status.message();
    return engine;
  }

  mlir::MLIRContext context;
};

} // namespace neuroc

#endif // NEUROC_TEST_UNIT_NEURO_REFERENCEFIXTURE_H
