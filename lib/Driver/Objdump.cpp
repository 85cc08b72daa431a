// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// neuroc-objdump: lists the members of a program, prints one of them, and
// disassembles its code: ELF files through LLVM's llvm-objdump, tile programs
// (manifest["program"]["programs"]) with the runtime's disassembler.
#include "neuroc/Driver/Objdump.h"

#include "Commands.h"

#include "neuroc/rt/Text.h"
#if NEUROC_HAVE_CROSSBAR
#include "neuroc/rt/xbar/Assembler.h"
#endif

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Program.h"

namespace json = llvm::json;

namespace neuroc {
namespace driver {

static const char *const kHelp =
    "usage: neuroc-objdump [options] PROGRAM.nrx\n"
    "shows what is in a compiled program\n\noptions:\n"
    "  -l                list the members (default)\n"
    "  -d                disassemble code members\n"
    "  --member=NAME     only this member\n"
    "  -p                print the bytes of --member\n"
    "\nexamples:\n"
    "  neuroc-objdump cuba.nrx\n"
    "  neuroc-objdump -d --member=spinnaker/E.elf cuba.nrx\n"
    "  neuroc-objdump -p --member=manifest.json cuba.nrx\n";

namespace {
struct DumpOptions {
  bool list = false, disassemble = false, print = false, help = false;
  std::string member, file;
};
} // namespace

static Failure parse(llvm::ArrayRef<std::string> arguments,
                     DumpOptions &options) {
  for (llvm::StringRef word : arguments) {
    if (word == "-l")
      options.list = true;
    else if (word == "-d")
      options.disassemble = true;
    else if (word == "-p")
      options.print = true;
    else if (word == "-h" || word == "--help")
      options.help = true;
    else if (word.consume_front("--member="))
      options.member = word.str();
    else if (word.starts_with("-") && word != "-")
      return {Nc::UnknownOption,
              "neuroc-objdump has no option '" + word.str() + "'" +
                  rt::suggestName(word, {"-l", "-d", "-p", "--member"}),
              "neuroc-objdump --help"};
    else if (!options.file.empty())
      return {Nc::UnknownOption, "neuroc-objdump takes one program; '" +
                                     word.str() + "' is too many"};
    else
      options.file = word.str();
  }
  if (options.file.empty() && !options.help)
    return {Nc::MissingOperand, "neuroc-objdump needs a program",
            "neuroc-objdump PROGRAM.nrx"};
  if (options.print && options.member.empty())
    return {Nc::MissingOperand, "-p needs --member=NAME"};
  return {};
}

static Failure disassembleElf(const rt::Container::Member &member,
                              std::string_view bytes) {
  llvm::ErrorOr<std::string> tool = std::make_error_code(std::errc());
  for (const char *name : {"llvm-objdump-22", "llvm-objdump"}) {
    tool = llvm::sys::findProgramByName(name, {NEUROC_LLVM_TOOLS_DIR});
    if (!tool)
      tool = llvm::sys::findProgramByName(name);
    if (tool)
      break;
  }
  if (!tool)
    return {Nc::CannotRead, "llvm-objdump not found", "install llvm-22"};
  llvm::SmallString<128> path;
  int fd;
  if (std::error_code error = llvm::sys::fs::createTemporaryFile(
          "neuroc-objdump", "elf", fd, path))
    return {Nc::CannotWrite, "no temporary file: " + error.message()};
  llvm::raw_fd_ostream(fd, true) << bytes;
  llvm::outs() << "\n" << member.name << ":\n";
  llvm::outs().flush();
  llvm::SmallVector<llvm::StringRef> command = {*tool, "-d", path};
  // Images without build attributes would be taken for ARMv4, and LLVM's
  // disassembler knows `mul` from ARMv6 on; it is the same word in ARMv5TE.
  if (bytes.size() > 20 && bytes[18] == 40 && bytes[19] == 0) // EM_ARM
    command.push_back("--triple=armv6-none-eabi");
  int code = llvm::sys::ExecuteAndWait(*tool, command);
  llvm::sys::fs::remove(path);
  if (code != 0)
    return {Nc::BadProgram, member.name + ": llvm-objdump cannot read it"};
  return {};
}

#if NEUROC_HAVE_CROSSBAR
/// The tile programs inside `member`.
static Failure disassembleTiles(const rt::Container &program,
                                const json::Object &manifest,
                                const std::string &member) {
  const json::Object *section = manifest.getObject("program");
  const json::Array *list = section ? section->getArray("programs") : nullptr;
  if (!list)
    return {};
  std::span<const uint8_t> bytes = program.bytes(member);
  for (const json::Value &value : *list) {
    const json::Object *entry = value.getAsObject();
    if (!entry || entry->getString("member") != llvm::StringRef(member))
      continue;
    uint64_t offset = uint64_t(entry->getInteger("offset").value_or(-1));
    uint64_t count = uint64_t(entry->getInteger("count").value_or(-1));
    if (offset > bytes.size() || count > (bytes.size() - offset) / 8)
      return {Nc::BadProgram, member + ": a tile program leaves the member"};
    std::vector<uint64_t> words(count);
    std::memcpy(words.data(), bytes.data() + offset, count * 8);
    llvm::outs() << "\n" << member << ", tile "
                 << entry->getInteger("tile").value_or(-1) << ":\n"
                 << rt::xbar::disassembleProgram(words);
  }
  return {};
}
#endif

static Failure dump(const DumpOptions &options) {
  std::string bytes;
  if (Failure f = readInput(options.file, bytes))
    return f;
  std::shared_ptr<const rt::Container> program;
  if (rt::Status s =
          rt::Container::read(rt::asBytes(bytes), options.file, program);
      !s)
    return Failure(s);
  std::vector<std::string> names;
  for (const rt::Container::Member &member : program->members())
    names.push_back(member.name);
  if (!options.member.empty() && !program->has(options.member))
    return {Nc::BadValue, options.file + ": no member '" + options.member +
                              "'" + rt::suggestName(options.member, names)};
  if (options.print) {
    llvm::outs() << program->text(options.member);
    return {};
  }
  if (options.list || !options.disassemble) {
    llvm::outs() << options.file << ": program for " << program->target()
                 << "\n\n";
    TextTable table;
    table.row({"member", "bytes", "offset", "crc32"});
    for (const rt::Container::Member &member : program->members())
      if (options.member.empty() || options.member == member.name)
        table.row({member.name, std::to_string(member.size),
                   std::to_string(member.offset),
                   llvm::utohexstr(member.crc, true, 8)});
    table.print(llvm::outs());
  }
  if (!options.disassemble)
    return {};
  llvm::Expected<json::Value> manifest = json::parse(program->manifest());
  if (!manifest)
    return {Nc::BadProgram, llvm::toString(manifest.takeError())};
  for (const rt::Container::Member &member : program->members()) {
    if (!options.member.empty() && options.member != member.name)
      continue;
    std::string_view text = program->text(member.name);
    Failure failure;
    if (text.substr(0, 4) == "\x7f"
                             "ELF")
      failure = disassembleElf(member, text);
#if NEUROC_HAVE_CROSSBAR
    else if (const json::Object *object = manifest->getAsObject())
      failure = disassembleTiles(*program, *object, member.name);
#endif
    if (failure)
      return failure;
  }
  return {};
}

} // namespace driver

int neurocObjdumpMain(int argc, char **argv) {
  using namespace driver;
  std::vector<std::string> arguments(argv + (argc > 0), argv + argc);
  DumpOptions options;
  Failure failure = parse(arguments, options);
  if (!failure && options.help)
    llvm::outs() << kHelp;
  else if (!failure)
    failure = dump(options);
  llvm::outs().flush();
  if (failure)
    failure.print(llvm::errs());
  return failure.exitCode();
}

} // namespace neuroc
