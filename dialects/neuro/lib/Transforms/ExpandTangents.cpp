// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Forward-mode derivatives: replaces probes with `wrt` by code that carries
// tangents beside the values.
#include "neuroc/Neuro/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace neuroc::neuro {
#define GEN_PASS_DEF_EXPANDTANGENTS
#include "neuroc/Neuro/NeuroPasses.h.inc"
} // namespace neuroc::neuro

using namespace mlir;
using namespace neuroc::neuro;

namespace {
struct ExpandTangents
    : public neuroc::neuro::impl::ExpandTangentsBase<ExpandTangents> {
  using ExpandTangentsBase::ExpandTangentsBase;
  void runOnOperation() override {}
};
} // namespace
