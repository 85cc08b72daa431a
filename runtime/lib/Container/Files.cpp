// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole files in and out. A file is written under a temporary name in the same
// folder and then renamed, so that an interrupted run leaves no half file.
#include "neuroc/rt/Container.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace neuroc::rt {

Status readFile(const std::string &path, std::string &bytes) {
  auto fail = [&](const char *why) {
    return Status(Code::InputError, path + ": cannot read: " + why);
  };
  struct stat info;
  if (stat(path.c_str(), &info) != 0)
    return fail(std::strerror(errno));
  if (S_ISDIR(info.st_mode))
    return fail("it is a folder");
  std::FILE *file = std::fopen(path.c_str(), "rb");
  if (!file)
    return fail(std::strerror(errno));
  bytes.clear();
  // The size is a hint: pipes and /proc have none.
  if (S_ISREG(info.st_mode))
    bytes.reserve(size_t(info.st_size));
  char buffer[1 << 16];
  while (size_t n = std::fread(buffer, 1, sizeof buffer, file))
    bytes.append(buffer, n);
  bool bad = std::ferror(file);
  std::fclose(file);
  return bad ? fail("read error") : Status::ok();
}

Status writeFileAtomically(const std::string &path, std::string_view bytes) {
  auto fail = [&](const std::string &why) {
    return Status(Code::OutputError, path + ": cannot write: " + why);
  };
  struct stat info;
  // Devices and pipes (/dev/stdout) are written in place.
  bool inPlace = stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
  std::string temporary =
      inPlace ? path : path + ".tmp" + std::to_string(getpid());
  std::FILE *file = std::fopen(temporary.c_str(), "wb");
  if (!file)
    return fail(std::strerror(errno));
  bool good = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  good &= std::fclose(file) == 0;
  if (good && !inPlace)
    good = std::rename(temporary.c_str(), path.c_str()) == 0;
  if (!good) {
    std::string why = std::strerror(errno);
    if (!inPlace)
      std::remove(temporary.c_str());
    return fail(why);
  }
  return Status::ok();
}

} // namespace neuroc::rt
