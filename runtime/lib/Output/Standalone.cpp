// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `main` of an executable made by `neuroc compile --emit=exe` calls.
#include "neuroc/rt/Standalone.h"
#include "neuroc/rt/Output.h"

#include <charconv>
#include <cstdio>

namespace neuroc::rt {

static Status parse(int argc, char **argv, SessionOptions &options,
                    std::string &folder) {
  const char *usage =
      "usage: PROGRAM [--ticks N] [--input NAME=FILE]… [--out DIR]";
  for (int i = 1; i < argc; i += 2) {
    std::string_view name = argv[i];
    if (i + 1 == argc || (name != "--ticks" && name != "--input" &&
                          name != "--out"))
      return {Code::UsageError, usage};
    std::string_view value = argv[i + 1];
    if (name == "--out") {
      folder = value;
    } else if (name == "--ticks") {
      uint64_t ticks = 0;
      auto [end, error] =
          std::from_chars(value.data(), value.data() + value.size(), ticks);
      if (error != std::errc() || end != value.data() + value.size())
        return {Code::UsageError, "--ticks wants a whole number"};
      options.ticks = ticks;
    } else {
      size_t equals = value.find('=');
      if (equals == 0 || equals == std::string_view::npos)
        return {Code::UsageError, "--input wants NAME=FILE"};
      Array array;
      if (Status s =
              readArrayFile(std::string(value.substr(equals + 1)), array);
          !s)
        return s;
      options.inputs[std::string(value.substr(0, equals))] = std::move(array);
    }
  }
  return Status::ok();
}

static Status runProgram(const Container &program, Engine &engine, int argc,
                         char **argv) {
  SessionOptions options;
  std::string folder;
  if (Status s = parse(argc, argv, options, folder); !s)
    return s;
  std::unique_ptr<Session> session;
  if (Status s = Session::create(program, engine, options, session); !s)
    return s;
  Results results;
  if (Status s = session->run(results); !s)
    return s;
  std::vector<Judgement> judgements;
  if (!options.ticks)
    judgements = judge(session->manifest().experiment, results,
                       session->datasets(), nullptr);
  std::string stats = statsJson(results, session->manifest(), judgements);
  std::fwrite(stats.data(), 1, stats.size(), stdout);
  if (!folder.empty())
    if (Status s = writeRunDirectory(folder, results, session->manifest(),
                                     judgements, false);
        !s)
      return s;
  for (const Judgement &j : judgements)
    if (j.outcome == Judgement::Outcome::Failed)
      return {Code::CheckFailed, "expectation '" + j.name + "' is broken"};
  return Status::ok();
}

int runStandalone(const Container &program, Engine &engine, int argc,
                  char **argv) {
  Status status = runProgram(program, engine, argc, argv);
  if (!status)
    std::fprintf(stderr, "%s: error: %s\n", argc ? argv[0] : "program",
                 status.message().c_str());
  return int(status.code());
}

} // namespace neuroc::rt
