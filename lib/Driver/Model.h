// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model in memory, and its way to a program.
#ifndef NEUROC_LIB_DRIVER_MODEL_H
#define NEUROC_LIB_DRIVER_MODEL_H

#include "Options.h"

#include "neuroc/Neuro/Neuro.h"
#include "neuroc/Target/Target.h"
#include "neuroc/rt/Container.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/SourceMgr.h"

#include <memory>

namespace neuroc::driver {

enum class FileKind { Neuro, Onnx, Mlir, Nir, Program };

/// By `-x`, else by the extension.
Failure classify(llvm::StringRef path, const Options &options, FileKind &kind);
/// The whole file; "-" is standard input.
Failure readInput(llvm::StringRef path, std::string &bytes);

/// A model after import; diagnostics are printed with their source lines.
class Model {
public:
  static Failure load(llvm::StringRef path, const Options &options,
                      std::unique_ptr<Model> &model);
  ~Model();

  mlir::MLIRContext &context() { return *theContext; }
  /// As imported, with the command line's options applied.
  mlir::ModuleOp module() { return *theModule; }
  llvm::StringRef path() const { return thePath; }
  /// The file's name without folder and extension.
  std::string stem() const;
  const std::string &sourceHash() const { return theHash; }

  /// A copy with the sugar expanded (stage "neuro").
  Failure expandSugar(const Options &options,
                      mlir::OwningOpRef<mlir::ModuleOp> &expanded);
  /// A copy in core normal form, prepared for `target` (null: the reference).
  Failure toCore(const Target *target, const Options &options,
                 mlir::OwningOpRef<mlir::ModuleOp> &core);

private:
  Model() = default;
  Failure import(FileKind kind, const Options &options);
  Failure importText(const Options &options);
  Failure applyOptions(const Options &options);

  std::string thePath, theBytes, theHash;
  llvm::SourceMgr sources;
  std::unique_ptr<mlir::MLIRContext> theContext;
  struct Handler;
  std::unique_ptr<Handler> handler;
  mlir::OwningOpRef<mlir::ModuleOp> theModule;
  bool stepsChecked = false;
};

/// The one network of a module and the experiment on it (may be null).
struct Subject {
  neuro::NetworkOp network;
  neuro::ExperimentOp experiment;
};
Failure findSubject(mlir::ModuleOp module, llvm::StringRef experiment,
                    Subject &subject);

/// The part of the manifest that all targets share, of a core module.
llvm::json::Object buildManifest(const Subject &subject, mlir::ModuleOp core);
/// The datasets of a module as .npy members. `folder`: where their files are.
Failure buildDatasets(mlir::ModuleOp module, llvm::StringRef folder,
                      llvm::json::Object &manifest,
                      std::vector<ProgramMember> &members);
/// The protocol (runtime/include/neuroc/rt/Protocol.h) of an experiment.
Failure buildProtocol(neuro::ExperimentOp experiment,
                      neuro::NetworkOp network, llvm::json::Object &protocol);

struct CompiledModel {
  std::string bytes;  ///< of the container
  std::string object; ///< relocatable code for --emit=exe, not in `bytes`
  double seconds = 0;
  /// Reference only: the core module that the interpreter runs.
  mlir::OwningOpRef<mlir::ModuleOp> core;
};
/// Compiles for `target` ("reference": a container without code).
Failure compileModel(Model &model, const Options &options,
                     llvm::StringRef target, CompiledModel &compiled);

TargetOptions targetOptions(const Options &options);
/// Runs passes with the printing and timing that the options ask for.
Failure runPasses(mlir::PassManager &pm, mlir::ModuleOp module,
                  const Options &options, Failure otherwise);

/// Target and machine checks with did-you-mean. "reference" is a target for
/// runs, not for programs.
Failure checkTarget(llvm::StringRef name, bool forRun, const Target *&target);
/// `machine` is empty, a preset of the target, or a file.
Failure checkMachine(const Target *target, llvm::StringRef machine);

} // namespace neuroc::driver
#endif // NEUROC_LIB_DRIVER_MODEL_H
