// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The back half of the CPU target: a module of upstream dialects becomes LLVM
// dialect, an object file, a shared object, or a standalone executable.
#ifndef NEUROC_TARGET_CPU_EMIT_H
#define NEUROC_TARGET_CPU_EMIT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace neuroc::cpu {

/// The instruction set to generate for: one of the levels of the x86-64 ABI,
/// or "generic" on other architectures.
struct Machine {
  std::string triple; ///< of the host; cross compilation is not offered
  std::string cpu;    ///< "x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"
};
/// Resolves "" and "host" to the highest level that this computer has.
/// Error: an unknown name; the text lists the known ones.
llvm::Expected<Machine> resolveMachine(llvm::StringRef name);
/// Preset names with one line each.
std::vector<std::pair<std::string, std::string>> machinePresets();

/// Passes from scf/memref/arith/math/linalg/tensor to the LLVM dialect. Tensor
/// functions are bufferized; their temporaries become static buffers.
void buildLowerToLLVMPipeline(mlir::OpPassManager &pm);

/// One array that the program exports.
struct BufferSymbol {
  std::string name;
  uint64_t bytes = 0;
};

/// Everything that emitObject needs beside the module.
struct ObjectSpec {
  Machine machine;
  unsigned optimizationLevel = 2;
  uint32_t realBytes = 4;
  uint64_t programId = 0;
  std::vector<BufferSymbol> buffers;  ///< in manifest order
  std::vector<std::string> functions; ///< in manifest order
  /// Name of the exported program structure.
  std::string symbol = "neuroc_cpu_program";
};

/// Compiles a module in LLVM dialect to a relocatable ELF object. All symbols
/// but the exported structure become internal.
llvm::Expected<std::string> emitObject(mlir::ModuleOp module,
                                       const ObjectSpec &spec);

/// Links an object into a shared object with the built-in lld. The inputs and
/// the result are bytes; a private temporary folder is used and removed.
llvm::Expected<std::string> linkSharedObject(llvm::StringRef object);

/// An object file that defines `<symbol>` (the bytes) and `<symbol>_size`.
llvm::Expected<std::string> emitDataObject(const Machine &machine,
                                           llvm::StringRef symbol,
                                           llvm::StringRef bytes);

/// Writes a standalone executable: the program's object, the container's bytes
/// and the static runtime. `object` is the member "cpu/program.o" of a program
/// compiled with config keep-object=1, `container` the whole .nrx file.
/// `libraryDirs` are searched for the runtime archives, in order.
llvm::Error emitExecutable(llvm::StringRef object, llvm::StringRef container,
                           llvm::ArrayRef<std::string> libraryDirs,
                           llvm::StringRef outputPath);

} // namespace neuroc::cpu
#endif // NEUROC_TARGET_CPU_EMIT_H
