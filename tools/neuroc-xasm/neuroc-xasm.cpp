// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Assembler, disassembler, checker and runner of crossbar tile programs. The
// work is done by the runtime's crossbar library; this is its command line.
#include "neuroc/rt/Container.h"
#include "neuroc/rt/xbar/Assembler.h"
#include "neuroc/rt/xbar/Machine.h"
#include "neuroc/rt/xbar/Program.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace neuroc::rt;
using namespace neuroc::rt::xbar;

static cl::OptionCategory category("neuroc-xasm options");
static cl::opt<std::string> input(cl::Positional, cl::desc("FILE"),
                                  cl::init("-"), cl::cat(category));
static cl::opt<std::string>
    output("o", cl::desc("Output file (default: standard output)"),
           cl::value_desc("file"), cl::init("-"), cl::cat(category));
static cl::opt<bool>
    disassembleFlag("d",
                    cl::desc("Disassemble: FILE is 64-bit little-endian "
                             "words, or a compiled program (.nrx)"),
                    cl::cat(category));
static cl::opt<unsigned> tileOption("tile",
                                    cl::desc("Tile of a compiled program whose "
                                             "code is shown (default 0)"),
                                    cl::value_desc("number"), cl::init(0),
                                    cl::cat(category));
static cl::opt<bool> check("check",
                           cl::desc("Only validate the program for --machine"),
                           cl::cat(category));
static cl::opt<bool>
    runFlag("run",
            cl::desc("Run the program alone on tile 0 until it halts; print "
                     "registers, cycles and energy"),
            cl::cat(category));
static cl::opt<std::string> machineName("machine",
                                        cl::desc("Preset or machine file "
                                                 "(default generic-128)"),
                                        cl::value_desc("name|file"),
                                        cl::cat(category));

static int fail(const Status &status) {
  WithColor::error(errs(), "neuroc-xasm") << status.message() << "\n";
  return int(status.code());
}
static int fail(Code code, const Twine &message) {
  return fail(Status(code, message.str()));
}

static std::vector<uint64_t> wordsOf(StringRef bytes) {
  std::vector<uint64_t> words;
  for (size_t at = 0; at + 8 <= bytes.size(); at += 8)
    words.push_back(support::endian::read64le(bytes.data() + at));
  return words;
}

/// The code of one tile of a compiled program.
static Status codeOfTile(StringRef bytes, std::vector<uint64_t> &code) {
  std::shared_ptr<const Container> container;
  if (Status status = Container::read(asBytes({bytes.data(), bytes.size()}),
                                      input, container);
      !status)
    return status;
  xbar::Program program;
  if (Status status = parseManifest(container->manifest(), input, program);
      !status)
    return status;
  for (const TileCode &tile : program.programs) {
    if (tile.tile != tileOption)
      continue;
    std::string_view member = container->text(tile.code.member);
    if (tile.code.offset > member.size() ||
        tile.code.count > (member.size() - tile.code.offset) / 8)
      return {Code::InputError, input + ": the code of tile " +
                                    std::to_string(tileOption) +
                                    " is outside '" + tile.code.member + "'"};
    code = wordsOf(
        StringRef(member.data() + tile.code.offset, tile.code.count * 8));
    return Status::ok();
  }
  return {Code::UsageError,
          input + ": tile " + std::to_string(tileOption) + " has no program"};
}

static int write(StringRef bytes) {
  std::error_code error;
  raw_fd_ostream file(output, error);
  if (error)
    return fail(Code::OutputError,
                Twine(output.getValue()) + ": " + error.message());
  file << bytes;
  return 0;
}

static int validate(ArrayRef<uint64_t> code, const MachineConfig &machine) {
  std::vector<ProgramError> errors =
      validateProgram({code.data(), code.size()}, machine);
  for (const ProgramError &error : errors) {
    errs() << input << ": instruction " << error.at;
    if (error.at < code.size())
      errs() << " '" << disassemble(code[error.at]) << "'";
    errs() << ": " << error.message << "\n";
  }
  return errors.empty() ? 0 : int(Code::ModelError);
}

static int run(ArrayRef<uint64_t> code, const MachineConfig &config) {
  std::unique_ptr<Machine> machine;
  if (Status status = Machine::create(config, machine); !status)
    return fail(status);
  if (Status status = machine->loadProgram(0, {code.data(), code.size()});
      !status)
    return fail(status);
  StopReason reason;
  machine->start();
  if (Status status = machine->run(reason, 1000000000); !status)
    return fail(status);
  static const char *reasons[] = {"tick", "halted", "waits for the host",
                                  "cycle limit"};
  for (unsigned i = 1; i < kRegisters; ++i)
    if (int32_t value = machine->readRegister(0, i))
      outs() << "r" << i << " = " << value << "\n";
  Counters counters = machine->counters();
  outs() << "stopped: " << reasons[unsigned(reason)] << "\n"
         << "cycles: " << counters.cycles << "\n"
         << "instructions: " << counters.instructions << "\n"
         << "energy_j: " << format("%.6g", counters.energy(config)) << "\n";
  return 0;
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(
      argc, argv,
      "assembler and disassembler of crossbar tile programs\n\n"
      "  neuroc-xasm prog.xs -o prog.bin      assemble\n"
      "  neuroc-xasm -d model.nrx --tile=3    show the code of a tile\n");
  auto buffer = MemoryBuffer::getFileOrSTDIN(input);
  if (!buffer)
    return fail(Code::InputError,
                Twine(input.getValue()) + ": " + buffer.getError().message());
  StringRef bytes = (*buffer)->getBuffer();
  MachineConfig machine;
  if (Status status = loadMachine(machineName, machine); !status)
    return fail(status);

  std::vector<uint64_t> code;
  if (disassembleFlag && bytes.starts_with("PK")) {
    if (Status status = codeOfTile(bytes, code); !status)
      return fail(status);
  } else if (disassembleFlag) {
    if (bytes.size() % 8)
      return fail(Code::InputError,
                  Twine(input.getValue()) + ": " + Twine(bytes.size()) +
                      " bytes are no whole number of 64-bit words");
    code = wordsOf(bytes);
  } else if (Status status =
                 assemble({bytes.data(), bytes.size()}, input, code);
             !status) {
    errs() << status.message() << "\n";
    return int(status.code()) == int(Code::InputError) ? 1 : 70;
  }
  if (check)
    return validate(code, machine);
  if (runFlag)
    return run(code, machine);
  if (disassembleFlag)
    return write(disassembleProgram(code));
  std::string binary(code.size() * 8, '\0');
  for (size_t i = 0; i < code.size(); ++i)
    support::endian::write64le(binary.data() + 8 * i, code[i]);
  return write(binary);
}
