// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line: parse, dispatch, print a failure, return its exit code.
#include "neuroc/Driver/Driver.h"

#include "Commands.h"

namespace neuroc {

using namespace driver;

static Failure dispatch(const Options &options) {
  switch (options.verb) {
  case Verb::Compile:
    return compileCommand(options);
  case Verb::Run:
    return runCommand(options);
  case Verb::Compare:
    return compareCommand(options);
  case Verb::Inspect:
    return inspectCommand(options);
  case Verb::Targets:
    return targetsCommand(options);
  case Verb::Doctor:
    return doctorCommand(options);
  case Verb::Explain:
    return explain(options.operands.empty() ? "" : options.operands[0],
                   llvm::outs());
  case Verb::Help:
    printHelp(options.helpFor, llvm::outs());
    return {};
  case Verb::Version:
    printVersion(llvm::outs());
    return {};
  }
  return {Nc::Internal, "a verb without a command"};
}

int neurocMain(int argc, char **argv) {
  std::vector<std::string> arguments(argv + (argc > 0), argv + argc);
  Options options;
  Failure failure = parseOptions(arguments, options);
  if (!failure)
    failure = dispatch(options);
  llvm::outs().flush();
  if (!failure) {
    if (!llvm::outs().has_error())
      return 0;
    failure = Failure(Nc::CannotWrite, "standard output: write error");
    llvm::outs().clear_error();
  }
  failure.print(llvm::errs());
  return failure.exitCode();
}

} // namespace neuroc
