// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a compilation target is to the driver: a name, options, and a function
// from a module in core normal form to the members of a `.nrx` container.
#ifndef NEUROC_TARGET_TARGET_H
#define NEUROC_TARGET_TARGET_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/JSON.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace neuroc {

/// Options that every target understands, and a bag for its own.
struct TargetOptions {
  std::string machine;         ///< preset name or file; empty: the default
  unsigned optimizationLevel = 2;
  bool doublePrecision = false; ///< f64 numbers where the target has them
  std::map<std::string, std::string> config; ///< target-specific key=value
};

/// One file of the container.
struct ProgramMember {
  std::string name; ///< for example "cpu/program.so"
  std::string bytes;
};

/// What a target produces. `manifest` holds only the target's own section
/// (stored under manifest["program"]); the driver adds what all share (target
/// name, dt, seed, stimuli, probes, populations, protocol, versions, hashes).
struct CompiledProgram {
  llvm::json::Object manifest;
  std::vector<ProgramMember> members;
};

/// Whether a failed compilation is the model's fault (exit code 1) or a
/// capacity limit of the machine (exit code 3).
enum class CompileResult { Success, ModelError, DoesNotFit };

class Target {
public:
  virtual ~Target() = default;
  virtual llvm::StringRef name() const = 0;        ///< "cpu", "spinnaker", …
  virtual llvm::StringRef description() const = 0; ///< one line
  /// One line per machine preset: name and description.
  virtual std::vector<std::pair<std::string, std::string>> machines() const {
    return {};
  }
  /// Adds the passes that the target wants before the module is brought to
  /// core normal form (raising tensor operations to populations, say).
  virtual void buildPreparePipeline(mlir::OpPassManager &pm,
                                    const TargetOptions &options) const {}
  /// Adds the passes that give numbers their formats on the machine (the stage
  /// "numeric"): the beginning of buildMapPipeline, to stop after. Empty where
  /// the target's formats need no pass.
  virtual void buildNumericPipeline(mlir::OpPassManager &pm,
                                    const TargetOptions &options) const {}
  /// Adds all passes that take core normal form to the target dialect (the
  /// stages "numeric" and "map"); empty where the target has none.
  virtual void buildMapPipeline(mlir::OpPassManager &pm,
                                const TargetOptions &options) const {}
  /// Whether it computes plants as it does other populations. Otherwise the
  /// host does, beside the machine (Plant.h).
  virtual bool computesPlants() const { return false; }
  /// Compiles a module that has been through buildMapPipeline. Diagnostics go
  /// to the context's handler.
  virtual CompileResult compile(mlir::ModuleOp module,
                                const TargetOptions &options,
                                CompiledProgram &program) const = 0;
};

/// All targets that this build has, in the order cpu, spinnaker, crossbar.
const std::vector<std::unique_ptr<Target>> &allTargets();
/// Null when there is none of that name.
const Target *findTarget(llvm::StringRef name);

/// Factories, one per target library.
std::unique_ptr<Target> createCpuTarget();
std::unique_ptr<Target> createSpiNNakerTarget();
std::unique_ptr<Target> createCrossbarTarget();

} // namespace neuroc
#endif // NEUROC_TARGET_TARGET_H
