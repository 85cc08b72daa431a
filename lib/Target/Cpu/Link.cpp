// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linking: a shared object with lld as a library, in a private temporary
// folder; a standalone executable with the system's C++ compiler driver, which
// knows where the C library is. lld keeps global state, so one link at a time.

#include "neuroc/Target/Cpu/Emit.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace neuroc::cpu {

namespace {

Error makeError(const Twine &text) {
  return createStringError(inconvertibleErrorCode(), text);
}

Error writeFile(const Twine &path, StringRef bytes) {
  std::error_code code;
  raw_fd_ostream stream(path.str(), code);
  if (code)
    return makeError("cannot write '" + path + "': " + code.message());
  stream << bytes;
  stream.close();
  if (stream.has_error()) {
    std::string text = stream.error().message();
    stream.clear_error();
    return makeError("cannot write '" + path + "': " + text);
  }
  return Error::success();
}

/// A temporary folder that only this user can read, removed at the end.
class TemporaryFolder {
public:
  static Expected<TemporaryFolder> create() {
    TemporaryFolder folder;
    if (std::error_code code =
            sys::fs::createUniqueDirectory("neuroc", folder.path))
      return makeError("cannot create a temporary folder: " + code.message() +
                       " (set TMPDIR to a folder that can be written)");
    return std::move(folder);
  }
  TemporaryFolder(TemporaryFolder &&other) : path(std::move(other.path)) {
    other.path.clear();
  }
  ~TemporaryFolder() {
    if (!path.empty())
      sys::fs::remove_directories(path);
  }
  std::string file(StringRef name) const {
    SmallString<128> result(path);
    sys::path::append(result, name);
    return std::string(result);
  }

private:
  TemporaryFolder() = default;
  SmallString<128> path;
};

} // namespace

Expected<std::string> linkSharedObject(StringRef object) {
  auto folder = TemporaryFolder::create();
  if (!folder)
    return folder.takeError();
  std::string input = folder->file("program.o");
  std::string output = folder->file("program.so");
  if (Error error = writeFile(input, object))
    return std::move(error);
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  std::string text;
  raw_string_ostream stream(text);
  const char *args[] = {"ld.lld",
                        "-shared",
                        "--threads=1",
                        "--build-id=none",
                        "-znoexecstack",
                        "-zrelro",
                        "-znow",
                        "--hash-style=gnu",
                        "-soname=program.so",
                        "-o",
                        output.c_str(),
                        input.c_str()};
  lld::Result result =
      lld::lldMain(args, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return makeError("linking the program failed: " + text);
  auto buffer = MemoryBuffer::getFile(output, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return makeError("cannot read '" + output +
                     "': " + buffer.getError().message());
  return (*buffer)->getBuffer().str();
}

Error emitExecutable(StringRef object, StringRef container,
                     ArrayRef<std::string> libraryDirs, StringRef outputPath) {
  // In link order; those that do not exist are not needed by this build.
  static constexpr const char *libraries[] = {
      "NeurocRtCpuMain", "NeurocRtSession", "NeurocRtEngine",
      "NeurocRtCpu",     "NeurocRtOutput",  "NeurocRtContainer"};
  std::string driver;
  for (const char *name : {"c++", "clang++-22", "g++", "clang++"})
    if (auto found = sys::findProgramByName(name)) {
      driver = *found;
      break;
    }
  if (driver.empty())
    return makeError("--emit=exe needs a C++ compiler driver to link with; "
                     "install g++ or clang");
  auto folder = TemporaryFolder::create();
  if (!folder)
    return folder.takeError();
  auto machine = resolveMachine("host");
  if (!machine)
    return machine.takeError();
  auto data = emitDataObject(*machine, "neuroc_exe_container", container);
  if (!data)
    return data.takeError();
  std::string objectFile = folder->file("program.o");
  std::string dataFile = folder->file("data.o");
  if (Error error = writeFile(objectFile, object))
    return error;
  if (Error error = writeFile(dataFile, *data))
    return error;

  std::vector<std::string> args = {driver,     "-o",     outputPath.str(),
                                   objectFile, dataFile, "-Wl,--start-group"};
  bool foundMain = false;
  for (const char *library : libraries)
    for (const std::string &dir : libraryDirs) {
      SmallString<128> path(dir);
      sys::path::append(path, "lib" + Twine(library) + ".a");
      if (!sys::fs::exists(path))
        continue;
      foundMain |= StringRef(library) == "NeurocRtCpuMain";
      args.push_back(std::string(path));
      break;
    }
  if (!foundMain) {
    std::string list;
    for (const std::string &dir : libraryDirs)
      list += (list.empty() ? "" : ", ") + dir;
    return makeError("--emit=exe: libNeurocRtCpuMain.a not found in " + list);
  }
  for (const char *option :
       {"-Wl,--end-group", "-lhdf5_serial", "-lpthread", "-ldl", "-lm"})
    args.push_back(option);
  std::vector<StringRef> refs(args.begin(), args.end());
  std::string errorFile = folder->file("errors.txt");
  std::optional<StringRef> redirects[] = {std::nullopt, std::nullopt,
                                          StringRef(errorFile)};
  std::string text;
  int code =
      sys::ExecuteAndWait(driver, refs, std::nullopt, redirects, 0, 0, &text);
  if (code == 0)
    return Error::success();
  if (auto buffer = MemoryBuffer::getFile(errorFile))
    text += (*buffer)->getBuffer();
  return makeError("linking the executable failed: " + text);
}

} // namespace neuroc::cpu
