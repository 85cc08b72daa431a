// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The verbs of the driver, and what runs have in common.
#ifndef NEUROC_LIB_DRIVER_COMMANDS_H
#define NEUROC_LIB_DRIVER_COMMANDS_H

#include "Model.h"

#include "neuroc/rt/Session.h"

namespace neuroc::driver {

Failure compileCommand(const Options &options);
Failure runCommand(const Options &options);
Failure compareCommand(const Options &options);
Failure inspectCommand(const Options &options);
Failure targetsCommand(const Options &options);
Failure doctorCommand(const Options &options);
void printVersion(llvm::raw_ostream &out);

/// One finished run.
struct Run {
  rt::Results results;
  rt::Manifest manifest;
  std::map<std::string, rt::Array> datasets;
  double compileSeconds = 0;
};

/// Runs a compiled model or program. `core` is needed for the reference.
Failure execute(std::shared_ptr<const rt::Container> program,
                mlir::OwningOpRef<mlir::ModuleOp> core, const Options &options,
                Run &run);
/// Compiles and runs.
Failure compileAndRun(Model &model, const Options &options,
                      llvm::StringRef target, Run &run);

/// A table of text, columns padded to their widest cell.
class TextTable {
public:
  void row(std::vector<std::string> cells) { rows.push_back(std::move(cells)); }
  /// The first row is a heading; `rightFrom`: columns from there on are
  /// aligned to the right.
  void print(llvm::raw_ostream &out) const;

private:
  std::vector<std::vector<std::string>> rows;
};

/// "1.2e+05", "0.9694", "12": at most `digits` significant digits.
std::string formatNumber(double value, int digits = 4);
/// Counters above zero that mean that something went wrong, with the remedy.
std::vector<std::string> statWarnings(const rt::Stats &stats);
/// "12.3 ms", "1.2 µJ" with a prefix for the unit.
std::string formatUnit(double value, llvm::StringRef unit);

/// One target's run against the reference, in words and numbers.
struct Divergence {
  std::string summary; ///< for a table cell
  llvm::json::Object details;
};
Divergence measureDivergence(const Run &run, const Run &reference);

/// What `--report` writes: summary.txt, report.json, index.html.
struct Report {
  std::string title;
  std::string text;        ///< summary, as printed
  llvm::json::Value data = nullptr; ///< report.json
};
Failure writeReport(const std::string &folder, const Report &report);

} // namespace neuroc::driver
#endif // NEUROC_LIB_DRIVER_COMMANDS_H
