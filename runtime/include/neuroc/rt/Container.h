// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiled program, `.nrx`: a zip archive with stored (not compressed)
// members whose bytes start at multiples of 4096, zip64 where needed, no time
// stamps, so that equal contents are equal bytes. The first member is
// `manifest.json`; its list "members" has the size and SHA-256 of each other
// member. docs/container.md describes the manifest.
//
// The reader trusts nothing: signatures, sizes, ranges, overlaps, names,
// duplicates, checksums, hashes and versions are checked when the file is
// opened, and nothing is used before.
#ifndef NEUROC_RT_CONTAINER_H
#define NEUROC_RT_CONTAINER_H

#include "neuroc/rt/Status.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace neuroc::rt {

/// Version of the container and of its manifest. A reader accepts its own
/// major version and any minor version.
constexpr uint32_t kContainerMajor = 1;
constexpr uint32_t kContainerMinor = 0;
constexpr uint64_t kMemberAlignment = 4096;
constexpr const char *kManifestName = "manifest.json";

class Container {
public:
  struct Member {
    std::string name;
    uint64_t offset = 0; ///< of the data, from the start of the file
    uint64_t size = 0;
    uint32_t crc = 0;
  };

  /// Reads and validates a file. Errors: InputError.
  static Status open(const std::string &path,
                     std::shared_ptr<const Container> &container);
  /// The same for bytes in memory; `origin` is used in messages.
  static Status read(std::span<const uint8_t> bytes, const std::string &origin,
                     std::shared_ptr<const Container> &container);

  const std::string &origin() const { return theOrigin; }
  /// In file order; the first is the manifest.
  const std::vector<Member> &members() const { return theMembers; }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  const Member *find(std::string_view name) const;
  /// The bytes of a member, aligned to 4096 in memory when they are in the
  /// file; empty when there is none of that name. Lives as long as `this`.
  std::span<const uint8_t> bytes(std::string_view name) const;
  std::string_view text(std::string_view name) const;
  std::string_view manifest() const { return text(kManifestName); }
  /// manifest["target"].
  const std::string &target() const { return theTarget; }

private:
  struct Free {
    void operator()(uint8_t *p) const { std::free(p); }
  };
  Status allocate(uint64_t size);
  Status validate();
  Status readDirectory();
  Status checkManifest();

  std::string theOrigin, theTarget;
  std::unique_ptr<uint8_t, Free> data;
  uint64_t dataSize = 0;
  std::vector<Member> theMembers;
};

class ContainerWriter {
public:
  /// Adds a member. Names are relative paths of letters, digits and "._-+/",
  /// each once; "manifest.json" is reserved.
  Status add(std::string name, std::string bytes);
  /// Appends "format", "version" and "members" to the manifest (the text of a
  /// JSON object) and produces the archive. `forceZip64` writes the zip64
  /// records that only archives over 4 GiB need.
  Status finish(std::string_view manifest, std::string &archive,
                bool forceZip64 = false);

private:
  std::vector<std::pair<std::string, std::string>> members;
};

/// Whether `name` may name a member.
bool isMemberName(std::string_view name);

uint32_t crc32(std::span<const uint8_t> bytes);
std::array<uint8_t, 32> sha256(std::span<const uint8_t> bytes);
std::string sha256Hex(std::span<const uint8_t> bytes);
inline std::span<const uint8_t> asBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

/// The whole file. Errors: InputError (missing, unreadable, a folder).
Status readFile(const std::string &path, std::string &bytes);
/// Writes beside the file, then renames, so that no half file is ever seen.
/// Errors: OutputError.
Status writeFileAtomically(const std::string &path, std::string_view bytes);

} // namespace neuroc::rt
#endif // NEUROC_RT_CONTAINER_H
