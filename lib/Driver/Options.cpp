// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The option table and its parser. One table holds names, values, verbs and
// help, so that parsing, help and did-you-mean cannot drift apart. Options are
// `--name=value` or `--name value`; flags are `--name` or `--name=false`.
#include "Options.h"

#include "neuroc/rt/Container.h"
#include "neuroc/rt/Text.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

#include <cmath>
#include <functional>

using llvm::StringRef;

namespace neuroc::driver {

namespace {
// Which verbs an option belongs to.
enum : unsigned { C = 1, R = 2, M = 4, I = 8, T = 16 };

struct Option {
  const char *name;  ///< with dashes
  const char *value; ///< null for a flag
  unsigned verbs;
  const char *help;
  std::function<Failure(Options &, StringRef)> set;
};
} // namespace

static Failure badValue(StringRef option, StringRef value, StringRef wanted) {
  return {Nc::BadValue, "option '" + option.str() + "' wants " + wanted.str() +
                            ", got '" + value.str() + "'"};
}

static Failure setNumber(StringRef option, StringRef value, uint64_t most,
                         uint64_t &number) {
  if (value.getAsInteger(10, number) || number > most)
    return badValue(option, value, "a whole number");
  return {};
}

static Failure addPair(StringRef option, StringRef value, const char *form,
                       std::vector<KeyValue> &list) {
  auto [key, rest] = value.split('=');
  if (key.empty() || rest.empty())
    return badValue(option, value, form);
  list.emplace_back(key.str(), rest.str());
  return {};
}

static Failure setFlag(StringRef option, StringRef value, bool &flag) {
  if (value != "" && value != "true" && value != "false")
    return badValue(option, value, "true or false");
  flag = value != "false";
  return {};
}

/// A string option that must be one of a few words.
static Failure setWord(StringRef option, StringRef value,
                       std::vector<std::string> words, std::string &out) {
  for (const std::string &word : words)
    if (value == word) {
      out = word;
      return {};
    }
  return {Nc::BadValue, "option '" + option.str() + "' has no value '" +
                            value.str() + "'" + rt::suggestName(value, words)};
}

static const std::vector<Option> &optionTable() {
  auto text = [](std::string Options::*member) {
    return [member](Options &o, StringRef v) {
      o.*member = v.str();
      return Failure();
    };
  };
  auto flag = [](const char *name, bool Options::*member) {
    return [=](Options &o, StringRef v) { return setFlag(name, v, o.*member); };
  };
  static const std::vector<Option> table = {
      {"-o", "FILE", C | R, "the program to write (default: MODEL.nrx)",
       text(&Options::output)},
      {"--target", "NAME", C | R,
       "cpu (default), spinnaker, crossbar, reference (run only)",
       [](Options &o, StringRef v) {
         o.target = v.str();
         o.targetGiven = true;
         return Failure();
       }},
      {"--targets", "A,B,…", M, "targets to compare (default: all; cpu-f64: cpu with f64)",
       [](Options &o, StringRef v) {
         llvm::SmallVector<StringRef> parts;
         v.split(parts, ',', -1, false);
         for (StringRef part : parts)
           o.targets.push_back(part.trim().str());
         return Failure();
       }},
      {"--machine", "NAME|FILE", C | R | M,
       "machine preset or file (neuroc targets)", text(&Options::machine)},
      {"--emit", "STAGE", C,
       "stop at import, neuro, core, numeric, map; or write emit (the "
       "program), exe, onnx-summary",
       [](Options &o, StringRef v) {
         return setWord("--emit", v,
                        {"import", "neuro", "core", "numeric", "map", "emit",
                         "exe", "onnx-summary"},
                        o.emit);
       }},
      {"-x", "FORMAT", C | R | M | I, "onnx, neuro, mlir or nrx",
       [](Options &o, StringRef v) {
         return setWord("-x", v, {"onnx", "neuro", "mlir", "nrx", "nir"},
                        o.format);
       }},
      {"-O", "0..3", C | R | M, "optimisation level (default: 2)",
       [](Options &o, StringRef v) {
         uint64_t level = 0;
         if (Failure f = setNumber("-O", v, 3, level))
           return badValue("-O", v, "0, 1, 2 or 3");
         o.optimization = unsigned(level);
         return Failure();
       }},
      {"--precision", "f32|f64", C | R | M,
       "numbers of the cpu target (default: f32)",
       [](Options &o, StringRef v) {
         return setWord("--precision", v, {"f32", "f64"}, o.precision);
       }},
      {"--set", "NAME=VALUE", C | R | M | I,
       "replace a constant of a .neuro model",
       [](Options &o, StringRef v) {
         return addPair("--set", v, "NAME=VALUE", o.set);
       }},
      {"--config", "KEY=VALUE", C | R | M, "setting of a target",
       [](Options &o, StringRef v) {
         return addPair("--config", v, "KEY=VALUE", o.config);
       }},
      {"--experiment", "NAME", C | R | M,
       "which experiment, if there are several", text(&Options::experiment)},
      {"--seed", "N", C | R | M, "seed of all randomness (default: the model's)",
       [](Options &o, StringRef v) {
         uint64_t seed = 0;
         if (Failure f = setNumber("--seed", v, INT64_MAX, seed))
           return f;
         o.seed = seed;
         return Failure();
       }},
      {"--input", "NAME=FILE", R | M, "array for a stimulus or dataset",
       [](Options &o, StringRef v) {
         return addPair("--input", v, "NAME=FILE", o.inputs);
       }},
      {"--time", "TIME", R | M, "run so long instead of the experiment (1s)",
       [](Options &o, StringRef v) {
         double ms;
         if (Failure f = parseTimeMs(v, ms))
           return f;
         o.time = v.str();
         return Failure();
       }},
      {"--ticks", "N", R | M, "the same in ticks",
       [](Options &o, StringRef v) {
         uint64_t ticks = 0;
         if (Failure f = setNumber("--ticks", v, uint64_t(1) << 40, ticks))
           return f;
         o.ticks = ticks;
         return Failure();
       }},
      {"--threads", "N", R | M, "threads (default: all); results are the same",
       [](Options &o, StringRef v) {
         uint64_t threads = 0;
         if (Failure f = setNumber("--threads", v, 1024, threads))
           return f;
         o.threads = unsigned(threads);
         return Failure();
       }},
      {"--record", "NAME[.VAR]", C | R | M,
       "record a population's outputs, or a state",
       [](Options &o, StringRef v) {
         o.records.push_back(v.str());
         return Failure();
       }},
      {"--out", "DIR", R, "write spikes.h5, arrays, tables and stats there",
       text(&Options::outputFolder)},
      {"--record-to", "DIR", R,
       "write recordings there as they come; memory does not grow",
       text(&Options::recordFolder)},
      {"--csv", nullptr, R, "also spikes.csv in --out",
       flag("--csv", &Options::csv)},
      {"--stats", "json", R, "print the statistics as one JSON object",
       [](Options &o, StringRef v) {
         std::string word;
         Failure f = setWord("--stats", v, {"json"}, word);
         o.statsJson = !f;
         return f;
       }},
      {"--trace", "FILE", R, "event trace of the machine, if it has one",
       text(&Options::traceFile)},
      {"--report", "DIR", R | M, "write index.html, report.json, summary.txt",
       text(&Options::reportFolder)},
      {"--format", "text|json", M | I | T, "form of the output",
       [](Options &o, StringRef v) {
         std::string word;
         Failure f = setWord("--format", v, {"text", "json"}, word);
         o.json = word == "json";
         return f;
       }},
      {"--print-after-all", nullptr, C, "print the IR after every pass",
       flag("--print-after-all", &Options::printAfterAll)},
      {"--time-passes", nullptr, C, "print the time of every pass",
       flag("--time-passes", &Options::timePasses)},
      {"-q", nullptr, C | R | M, "print errors only",
       flag("-q", &Options::quiet)},
      {"-v", nullptr, C | R | M, "print each phase and its time",
       flag("-v", &Options::verbose)}};
  return table;
}

namespace {
struct VerbInfo {
  Verb verb;
  const char *name;
  unsigned bit;
  const char *operands, *summary, *examples;
};
} // namespace

static const VerbInfo kVerbs[] = {
    {Verb::Compile, "compile", C, "MODEL", "write a program for a target",
     "  neuroc compile digits.onnx --target=spinnaker -o digits.nrx\n"
     "  neuroc compile cuba.neuro --emit=core\n"},
    {Verb::Run, "run", R, "MODEL|PROGRAM.nrx", "compile if needed, and run",
     "  neuroc run cuba.neuro --target=spinnaker --stats=json\n"
     "  neuroc run digits.nrx --input image=one.npy --out results\n"},
    {Verb::Compare, "compare", M, "MODEL…",
     "run on several machines and on the reference, side by side",
     "  neuroc compare memory.neuro\n"
     "  neuroc compare cuba.neuro --targets=cpu,spinnaker --report=r\n"},
    {Verb::Inspect, "inspect", I, "MODEL|PROGRAM.nrx", "what is in it",
     "  neuroc inspect cuba.neuro\n  neuroc inspect digits.nrx --format=json\n"},
    {Verb::Targets, "targets", T, "", "targets and machines of this build",
     "  neuroc targets\n  neuroc targets --format=json\n"},
    {Verb::Doctor, "doctor", 0, "", "check this installation",
     "  neuroc doctor\n"},
    {Verb::Explain, "explain", 0, "[CODE]", "what an error code means",
     "  neuroc explain NC0201\n  neuroc explain\n"}};

void printHelp(Verb verb, llvm::raw_ostream &out) {
  for (const VerbInfo &info : kVerbs) {
    if (info.verb != verb)
      continue;
    out << "usage: neuroc " << info.name << " "
        << (info.bit ? "[options] " : "") << info.operands << "\n"
        << info.summary << "\n";
    if (info.bit)
      out << "\noptions:\n";
    for (const Option &option : optionTable()) {
      if (!(option.verbs & info.bit))
        continue;
      std::string left = option.name;
      if (option.value)
        left += (StringRef(option.name) == "-O"           ? ""
                 : StringRef(option.name).starts_with("--") ? "="
                                                            : " ") +
                std::string(option.value);
      out << "  " << left;
      out.indent(left.size() < 24 ? unsigned(24 - left.size()) : 1)
          << option.help << "\n";
    }
    out << "\nexamples:\n" << info.examples;
    return;
  }
  out << "neuroc compiles networks of neurons to CPUs, SpiNNaker boards and "
         "memristor crossbars,\nruns them there, and compares.\n\n"
         "usage: neuroc VERB [options] [files]\n\n";
  for (const VerbInfo &info : kVerbs)
    out << "  " << llvm::left_justify(info.name, 9)
        << llvm::left_justify(info.operands, 19) << info.summary << "\n";
  out << "\nMODEL is .neuro, .onnx, .mlir or .mlirbc; '-' is standard input "
         "(with -x).\n`neuroc VERB --help` lists options; `neuroc --version` "
         "says which build this is.\n\nexamples:\n"
         "  neuroc run examples/balanced/cuba.neuro --target=spinnaker\n"
         "  neuroc compare examples/hebbian/memory.neuro\n";
}

Failure parseTimeMs(StringRef text, double &ms) {
  struct {
    const char *unit;
    double factor;
  } units[] = {{"ms", 1}, {"us", 1e-3}, {"s", 1e3}};
  for (const auto &unit : units) {
    StringRef number = text;
    if (!number.consume_back(unit.unit))
      continue;
    if (!number.trim().getAsDouble(ms) && ms >= 0 && ms < 1e15) {
      ms *= unit.factor;
      return {};
    }
    break;
  }
  return badValue("--time", text, "a time with its unit, as in 200ms or 1s");
}

/// Replaces each `@FILE` by the words in the file.
static Failure expandResponseFiles(llvm::ArrayRef<std::string> arguments,
                                   std::vector<std::string> &words) {
  for (const std::string &argument : arguments) {
    if (argument.size() < 2 || argument[0] != '@') {
      words.push_back(argument);
      continue;
    }
    std::string text;
    if (rt::Status status = rt::readFile(argument.substr(1), text); !status)
      return {Nc::CannotRead, status.message()};
    llvm::SmallVector<StringRef> parts;
    llvm::SplitString(text, parts, " \t\r\n");
    for (StringRef part : parts)
      words.push_back(part.str());
  }
  return {};
}

/// Fills in the verb; a first word that is no verb is a model to compile.
static Failure parseVerb(std::vector<std::string> &words, Options &options,
                         unsigned &bit) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" ||
      words[0] == "help") {
    if (words.size() > 1)
      for (const VerbInfo &info : kVerbs)
        if (words[1] == info.name)
          options.helpFor = info.verb;
    return {};
  }
  if (words[0] == "--version") {
    options.verb = Verb::Version;
    return {};
  }
  std::vector<std::string> names;
  for (const VerbInfo &info : kVerbs) {
    names.push_back(info.name);
    if (words[0] != info.name)
      continue;
    options.verb = info.verb;
    bit = info.bit;
    words.erase(words.begin());
    return {};
  }
  bool looksLikeFile = StringRef(words[0]).contains('.') || words[0][0] == '-';
  if (!looksLikeFile)
    return {Nc::UnknownOption,
            "no verb '" + words[0] + "'" + rt::suggestName(words[0], names)};
  options.verb = Verb::Compile;
  bit = C;
  return {};
}

static const Option *findOption(StringRef name, unsigned bit) {
  for (const Option &option : optionTable())
    if (name == option.name && (option.verbs & bit))
      return &option;
  return nullptr;
}

static Failure unknownOption(StringRef name, unsigned bit, StringRef verb) {
  std::vector<std::string> mine, others;
  for (const Option &option : optionTable())
    ((option.verbs & bit) ? mine : others).push_back(option.name);
  std::string near = rt::nearestName(name, mine);
  if (!near.empty())
    near = "; did you mean '" + near + "'?";
  else if (llvm::is_contained(others, name))
    near = "; it belongs to other verbs";
  return {Nc::UnknownOption,
          "'neuroc " + verb.str() + "' has no option '" + name.str() + "'" +
              near,
          "`neuroc " + verb.str() + " --help` lists the options"};
}

Failure parseOptions(llvm::ArrayRef<std::string> arguments, Options &options) {
  std::vector<std::string> words;
  if (Failure f = expandResponseFiles(arguments, words))
    return f;
  unsigned bit = 0;
  if (Failure f = parseVerb(words, options, bit))
    return f;
  if (options.verb == Verb::Help || options.verb == Verb::Version)
    return {};
  StringRef verb;
  for (const VerbInfo &info : kVerbs)
    if (info.verb == options.verb)
      verb = info.name;
  for (size_t i = 0; i < words.size(); ++i) {
    StringRef word = words[i];
    if (word == "--help" || word == "-h") {
      options.helpFor = options.verb;
      options.verb = Verb::Help;
      return {};
    }
    if (word == "-" || !word.starts_with("-")) {
      options.operands.push_back(word.str());
      continue;
    }
    auto [name, value] = word.split('=');
    bool hasValue = word.contains('=');
    if (word.size() == 3 && word.starts_with("-O")) { // -O2
      name = "-O";
      value = word.drop_front(2);
      hasValue = true;
    }
    const Option *option = findOption(name, bit);
    if (!option)
      return unknownOption(name, bit, verb);
    if (option->value && !hasValue) {
      if (i + 1 == words.size())
        return {Nc::MissingOperand, "option '" + name.str() +
                                        "' needs a value: " + name.str() + "=" +
                                        option->value};
      value = words[++i];
    }
    if (Failure f = option->set(options, value))
      return f;
  }
  bool wantsFile = options.verb == Verb::Compile || options.verb == Verb::Run ||
                   options.verb == Verb::Compare ||
                   options.verb == Verb::Inspect;
  if (wantsFile && options.operands.empty())
    return {Nc::MissingOperand, "'neuroc " + verb.str() + "' needs a model",
            "neuroc " + verb.str() + " MODEL; `neuroc " + verb.str() +
                " --help` has examples"};
  bool several = options.verb == Verb::Compare;
  if (!several && options.operands.size() > 1)
    return {Nc::UnknownOption, "'neuroc " + verb.str() +
                                   "' takes one operand; '" +
                                   options.operands[1] + "' is too many"};
  if (!options.time.empty() && options.ticks)
    return {Nc::BadValue, "give --time or --ticks, not both"};
  return {};
}

} // namespace neuroc::driver
