// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `neuroc doctor` and `--version`: what this build has, and a small program
// compiled and run on every target, each line with its remedy.
#include "Commands.h"

#include "neuroc/Frontend/Lang/Lang.h"
#include "neuroc/Frontend/Onnx/Onnx.h"

#include "mlir/IR/Verifier.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <unistd.h>

namespace neuroc::driver {

void printVersion(llvm::raw_ostream &out) {
  out << "neuroc " NEUROC_VERSION " (MLIR " LLVM_VERSION_STRING ")\n";
  out << "targets:";
  for (const auto &target : allTargets())
    out << " " << target->name();
  out << "\nbuild type: "
      << (*NEUROC_BUILD_TYPE ? NEUROC_BUILD_TYPE : "development") << "\n";
}

/// One unit that counts ticks in its state: small enough for any machine.
static const char *const kProbeModel = R"(
neuro.model @counter {
  neuro.state @n init 0.0 range [0.0, 8.0]
  neuro.output @out : f64 range [0.0, 8.0]
  neuro.stage @update {
    %n = neuro.get @n
    %one = arith.constant 1.0 : f64
    %next = arith.addf %n, %one : f64
    neuro.set @n, %next
    neuro.emit @out, %next : f64
  }
}
neuro.network @self_test dt 1.0 {
  %x = neuro.population @P of @counter shape [1] : () -> tensor<1xf32>
  neuro.probe @value %x output : tensor<1xf32>
}
)";

/// Compiles and runs the counter for four ticks; its value must then be 4.
static Failure selfTest(llvm::StringRef target, double &value) {
  llvm::SmallString<128> path;
  int fd;
  if (std::error_code error = llvm::sys::fs::createTemporaryFile(
          "neuroc-doctor", "mlir", fd, path))
    return {Nc::CannotWrite, "no temporary file: " + error.message()};
  llvm::raw_fd_ostream(fd, true) << kProbeModel;
  Options options;
  options.ticks = 4;
  options.quiet = true;
  std::unique_ptr<Model> model;
  Failure failure = Model::load(path, options, model);
  Run run;
  if (!failure)
    failure = compileAndRun(*model, options, target, run);
  llvm::sys::fs::remove(path);
  if (failure)
    return failure;
  const rt::ProbeRecord *probe = run.results.findProbe("value");
  value = probe && !probe->values.empty() ? probe->values.back() : 0;
  return {};
}

Failure doctorCommand(const Options &) {
  llvm::raw_ostream &out = llvm::outs();
  printVersion(out);
  bool good = true;
  auto line = [&](bool ok, const std::string &what, const std::string &fix) {
    out << (ok ? "ok     " : "BROKEN ") << what << "\n";
    if (!ok && !fix.empty())
      out << "       " << fix << "\n";
    good &= ok;
  };
  bool library = false;
  for (const std::string &folder : defaultLibraryPaths())
    library |= llvm::sys::fs::is_directory(folder);
  line(library, "library of neuron models",
       "set NEUROC_LIBRARY_PATH to the folder that holds it");
  line(!onnxOperators().empty(),
       "ONNX: " + std::to_string(onnxOperators().size()) + " operators", "");
  std::vector<std::string> targets = {"reference"};
  for (const auto &target : allTargets())
    targets.push_back(target->name().str());
  for (const std::string &target : targets) {
    double value = 0;
    Failure failure = selfTest(target, value);
    std::string fix = failure ? failure.message()
                              : "the test program gave " +
                                    formatNumber(value, 6) + ", expected 4";
    bool close = value > 3.9 && value < 4.1;
    line(!failure && close, "compile and run: " + target, fix);
  }
  if (good)
    return {};
  return {Nc::CheckFailed, "something is broken, see above"};
}

} // namespace neuroc::driver
