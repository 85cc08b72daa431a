// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The error codes: what each means, an example, and the way out. The manual
// page docs/errors.md is the output of `neuroc explain` for every code.
#include "Failure.h"

#include "neuroc/rt/Text.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

namespace neuroc::driver {

namespace {
struct Entry {
  Nc code;
  int exitCode;
  const char *title;
  const char *text;
};
} // namespace

static const Entry kEntries[] = {
    {Nc::UnknownOption, 2, "unknown verb or option",
     "The first word is a verb (compile, run, compare, inspect, targets, "
     "doctor, explain) or\na model; options start with '-'. `neuroc --help` "
     "lists the verbs and `neuroc VERB --help`\nthe options of one.\n\n"
     "  neuroc run cuba.neuro --tiks=100      did you mean '--ticks'?\n"},
    {Nc::MissingOperand, 2, "something is missing on the command line",
     "The verb needs a model or program, or an option needs a value.\n\n"
     "  neuroc run                            which model?\n"
     "  neuroc run cuba.neuro\n"},
    {Nc::BadValue, 2, "an option has a value that it cannot have",
     "Times have a unit (`--time 200ms`, `--time 1s`), counts are whole "
     "numbers, inputs are\nNAME=FILE, settings KEY=VALUE.\n"},
    {Nc::UnknownTarget, 2, "unknown target or machine",
     "`neuroc targets` lists the targets of this build and their machines. A "
     "machine is the\nname of a preset or a file.\n"},
    {Nc::CannotRead, 66, "a file cannot be read",
     "It does not exist, is a folder, or you may not read it. Paths are "
     "relative to the\nworking folder; '-' is standard input (then say the "
     "format with -x).\n"},
    {Nc::CannotWrite, 74, "a file cannot be written",
     "The folder does not exist, is full, or you may not write there. Files "
     "are written under\na temporary name and renamed, so nothing half-written "
     "is left.\n"},
    {Nc::UnknownFormat, 2, "the format of the model is not known",
     "Models are .onnx, .neuro, .mlir or .mlirbc files, programs are .nrx "
     "files. For other\nnames say the format: -x onnx|neuro|mlir|nrx.\n\n"
     "unsupported: .nir files cannot be read yet.\n"},
    {Nc::BadModel, 1, "the model has errors",
     "The messages above name file, line and column, what was expected and "
     "what was found.\nThe language is described in docs/language.md, the ONNX "
     "operators in docs/onnx.md.\n"},
    {Nc::BadStructure, 1, "the network is not well-formed",
     "The model could be read, but breaks a rule of networks (a loop without "
     "a delay, shapes\nthat do not fit, equations that the asked method cannot "
     "solve). The messages above name\nthe place; the rules are numbered in "
     "dialects/neuro/README.md.\n"},
    {Nc::NotForTarget, 1, "the target cannot do what the model asks",
     "A construct of the model has no counterpart on this target. The message "
     "above names it.\nThe model may still run on another one: try "
     "--target=cpu.\n"},
    {Nc::NoNetwork, 1, "no network, or more than one, to compile",
     "A program is made of one network and at most one experiment on it. "
     "Remove the others.\n"},
    {Nc::DoesNotFit, 3, "the model does not fit the machine",
     "Memory, cores, tiles or keys run out; the message above says which, how "
     "much is needed\nand who needs most. Choose a larger machine (`neuroc "
     "targets`), or make the model smaller.\n"},
    {Nc::BadProgram, 66, "the program file is damaged or too new",
     "Every byte of a program is checked before it is used: sizes, checksums, "
     "hashes, versions.\nCompile the model again with this version.\n"},
    {Nc::RunFailed, 1, "the run stopped with an error",
     "The experiment asked for something that the program cannot do; the "
     "message says what.\n"},
    {Nc::BadInput, 2, "an input does not fit the model",
     "Inputs are NAME=FILE.npy (or .csv). An array has one row for each tick "
     "or presentation;\nthe row's length is the number of units of the "
     "stimulus. `neuroc inspect MODEL` lists\nthe inputs.\n"},
    {Nc::CheckFailed, 4, "a stated expectation is broken",
     "The model's `expect` lines bound results; the table above names those "
     "that are out of\nbounds. The run itself went well.\n"},
    {Nc::Internal, 70, "a bug of neuroc",
     "Please report it with the command line, the model, and the output of "
     "`neuroc --version`.\n"}};

static const Entry *findEntry(Nc code) {
  for (const Entry &entry : kEntries)
    if (entry.code == code)
      return &entry;
  return nullptr;
}

std::string codeName(Nc code) {
  std::string digits = std::to_string(int(code));
  return "NC" + std::string(4 - digits.size(), '0') + digits;
}

static Nc codeOf(rt::Code code) {
  switch (code) {
  case rt::Code::Ok:
    return Nc::None;
  case rt::Code::ModelError:
    return Nc::RunFailed;
  case rt::Code::UsageError:
    return Nc::BadInput;
  case rt::Code::DoesNotFit:
    return Nc::DoesNotFit;
  case rt::Code::CheckFailed:
    return Nc::CheckFailed;
  case rt::Code::InputError:
    return Nc::BadProgram;
  case rt::Code::OutputError:
    return Nc::CannotWrite;
  case rt::Code::Internal:
    return Nc::Internal;
  }
  return Nc::Internal;
}

Failure::Failure(const rt::Status &status, llvm::StringRef context)
    : theCode(codeOf(status.code())), theMessage(status.message()) {
  if (!context.empty())
    theMessage = context.str() + ": " + theMessage;
}

int Failure::exitCode() const {
  if (theCode == Nc::None)
    return 0;
  const Entry *entry = findEntry(theCode);
  return entry ? entry->exitCode : 70;
}

void Failure::print(llvm::raw_ostream &out) const {
  out << "neuroc: error: " << theMessage << " [" << codeName(theCode) << "]\n";
  if (!theHelp.empty())
    out << "neuroc: help: " << theHelp << "\n";
}

Failure explain(llvm::StringRef code, llvm::raw_ostream &out) {
  if (code.empty()) {
    for (const Entry &entry : kEntries)
      out << codeName(entry.code) << "  exit "
          << llvm::format("%2d", entry.exitCode) << "  " << entry.title
          << "\n";
    return {};
  }
  std::vector<std::string> known;
  for (const Entry &entry : kEntries) {
    known.push_back(codeName(entry.code));
    if (code.upper() != known.back())
      continue;
    out << known.back() << ": " << entry.title << " (exit code "
        << entry.exitCode << ")\n\n"
        << entry.text;
    return {};
  }
  return {Nc::BadValue,
          "no error code '" + code.str() + "'" +
              rt::suggestName(code.upper(), known),
          "`neuroc explain` lists all codes"};
}

} // namespace neuroc::driver
