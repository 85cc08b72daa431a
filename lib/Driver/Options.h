// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line, parsed.
#ifndef NEUROC_LIB_DRIVER_OPTIONS_H
#define NEUROC_LIB_DRIVER_OPTIONS_H

#include "Failure.h"

#include "llvm/ADT/ArrayRef.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace neuroc::driver {

enum class Verb {
  Compile, Run, Compare, Inspect, Targets, Doctor, Explain, Help, Version
};

using KeyValue = std::pair<std::string, std::string>;

struct Options {
  Verb verb = Verb::Help;
  std::vector<std::string> operands;

  // Compilation.
  std::string output;
  std::string target = "cpu";
  bool targetGiven = false;
  std::string machine;
  std::string emit;
  std::string format;    ///< -x
  std::string precision; ///< "", "f32" or "f64"
  unsigned optimization = 2;
  std::vector<KeyValue> config; ///< --config KEY=VALUE
  std::vector<KeyValue> set;    ///< --set NAME=VALUE
  std::string experiment;
  bool timePasses = false, printAfterAll = false;

  // Runs.
  std::vector<KeyValue> inputs;
  std::vector<std::string> records;
  std::string time; ///< with unit; empty: not given
  std::optional<uint64_t> ticks;
  std::optional<uint64_t> seed;
  unsigned threads = 0; ///< 0: as many as the machine has
  std::string outputFolder, traceFile, reportFolder, recordFolder;
  bool csv = false, statsJson = false;
  std::vector<std::string> targets;
  bool json = false, quiet = false, verbose = false;
  Verb helpFor = Verb::Help;
};

/// Parses arguments (without the program's name); `@FILE` is replaced by the
/// words of a file.
Failure parseOptions(llvm::ArrayRef<std::string> arguments, Options &options);

/// Help of all verbs, or of one: at most a screen.
void printHelp(Verb verb, llvm::raw_ostream &out);

/// "200ms" -> 200; units s, ms, us.
Failure parseTimeMs(llvm::StringRef text, double &ms);

} // namespace neuroc::driver
#endif // NEUROC_LIB_DRIVER_OPTIONS_H
