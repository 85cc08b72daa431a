// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the checks of CAbiTest.c, which is compiled as C.
#include "neuroc/rt/Container.h"

#include <gtest/gtest.h>

extern "C" {
int neuroc_test_version(void);
int neuroc_test_null_arguments(void);
int neuroc_test_load(const void *bytes, size_t size);
}

TEST(CAbi, Version) { EXPECT_EQ(neuroc_test_version(), 0); }
TEST(CAbi, NullArguments) { EXPECT_EQ(neuroc_test_null_arguments(), 0); }

TEST(CAbi, LoadAndRun) {
  neuroc::rt::ContainerWriter writer;
  std::string bytes;
  ASSERT_TRUE(
      writer.finish(R"({"target": "nowhere", "dt_ms": 1, "seed": 1})", bytes)
          .isOk());
  EXPECT_EQ(neuroc_test_load(bytes.data(), bytes.size()), 0);
}
