// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEUROC_TARGET_CPU_REGISTER_H
#define NEUROC_TARGET_CPU_REGISTER_H

namespace neuroc::cpu {

/// Registers the pass `convert-neuro-to-cpu` and the pipeline
/// `neuroc-cpu-to-llvm` with MLIR's global registry.
void registerPasses();

} // namespace neuroc::cpu
#endif // NEUROC_TARGET_CPU_REGISTER_H
