// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes `.nrx` archives: local headers whose extra field pads the data to the
// next multiple of 4096, then the central directory. No time stamps (every
// date is 1980-01-01), members in the order given, so that equal contents give
// equal bytes. PKWARE APPNOTE 6.3.9 sections 4.3 and 4.5.
#include "neuroc/rt/Container.h"
#include "neuroc/rt/Json.h"

#include <algorithm>

namespace neuroc::rt {

bool isMemberName(std::string_view name) {
  if (name.empty() || name.size() > 1024 || name.front() == '/' ||
      name.back() == '/')
    return false;
  for (char c : name) {
    bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' ||
                c == '+' || c == '/' || c == '[' || c == ']';
    if (!good)
      return false;
  }
  // No empty, "." or ".." part.
  for (size_t start = 0; start <= name.size();) {
    size_t end = std::min(name.find('/', start), name.size());
    std::string_view part = name.substr(start, end - start);
    if (part.empty() || part == "." || part == "..")
      return false;
    start = end + 1;
  }
  return true;
}

Status ContainerWriter::add(std::string name, std::string bytes) {
  auto fail = [&](const char *why) {
    return Status(Code::Internal, "container member '" + name + "': " + why);
  };
  if (!isMemberName(name))
    return fail("not a legal name");
  if (name == kManifestName)
    return fail("the name is reserved");
  for (const auto &member : members)
    if (member.first == name)
      return fail("added twice");
  members.emplace_back(std::move(name), std::move(bytes));
  return Status::ok();
}

namespace {
constexpr uint32_t kMax32 = 0xFFFFFFFFu;

class Bytes {
public:
  explicit Bytes(std::string &out) : out(out) {}
  Bytes &u16(uint64_t v) { return put(v, 2); }
  Bytes &u32(uint64_t v) { return put(v, 4); }
  Bytes &u64(uint64_t v) { return put(v, 8); }

private:
  Bytes &put(uint64_t v, int n) {
    for (int i = 0; i < n; ++i)
      out += char(uint8_t(v >> (8 * i)));
    return *this;
  }
  std::string &out;
};

struct Entry {
  std::string_view name;
  uint64_t size, header;
  uint32_t crc;
  bool zip64;
};
} // namespace

/// The fields that local header and directory entry share.
static void putCommon(Bytes &out, const Entry &entry) {
  out.u16(entry.zip64 ? 45 : 20).u16(0x0800).u16(0); // UTF-8 names, stored
  out.u16(0).u16(0x0021);                            // 1980-01-01 00:00
  uint64_t size = entry.zip64 ? kMax32 : entry.size;
  out.u32(entry.crc).u32(size).u32(size).u16(entry.name.size());
}

static void putMember(std::string &archive, const Entry &entry,
                      std::string_view bytes) {
  Bytes out(archive);
  out.u32(0x04034b50);
  putCommon(out, entry);
  uint64_t zip64Extra = entry.zip64 ? 20 : 0;
  uint64_t start = archive.size() + 2 + entry.name.size() + zip64Extra;
  uint64_t padding = (kMemberAlignment - start % kMemberAlignment) %
                     kMemberAlignment;
  if (padding != 0 && padding < 4) // no room for the field's own header
    padding += kMemberAlignment;
  out.u16(zip64Extra + padding);
  archive += entry.name;
  if (entry.zip64)
    out.u16(1).u16(16).u64(entry.size).u64(entry.size);
  if (padding) {
    out.u16(0xD935).u16(padding - 4); // the alignment field of zipalign
    archive.append(padding - 4, '\0');
  }
  archive += bytes;
}

static void putDirectory(std::string &archive,
                         const std::vector<Entry> &entries, bool forceZip64) {
  Bytes out(archive);
  uint64_t start = archive.size();
  for (const Entry &entry : entries) {
    bool farAway = entry.header >= kMax32 || forceZip64;
    uint64_t extra = (entry.zip64 ? 16 : 0) + (farAway ? 8 : 0);
    out.u32(0x02014b50).u16(45);
    putCommon(out, entry);
    out.u16(extra ? extra + 4 : 0).u16(0).u16(0).u16(0).u32(0);
    out.u32(farAway ? kMax32 : entry.header);
    archive += entry.name;
    if (extra)
      out.u16(1).u16(extra);
    if (entry.zip64)
      out.u64(entry.size).u64(entry.size);
    if (farAway)
      out.u64(entry.header);
  }
  uint64_t size = archive.size() - start, count = entries.size();
  if (forceZip64 || start >= kMax32 || size >= kMax32 || count >= 0xFFFF) {
    uint64_t record = archive.size();
    out.u32(0x06064b50).u64(44).u16(45).u16(45).u32(0).u32(0);
    out.u64(count).u64(count).u64(size).u64(start);
    out.u32(0x07064b50).u32(0).u64(record).u32(1);
    out.u32(0x06054b50).u16(0xFFFF).u16(0xFFFF).u16(0xFFFF).u16(0xFFFF);
    out.u32(kMax32).u32(kMax32).u16(0);
    return;
  }
  out.u32(0x06054b50).u16(0).u16(0).u16(count).u16(count);
  out.u32(size).u32(start).u16(0);
}

Status ContainerWriter::finish(std::string_view manifest, std::string &archive,
                               bool forceZip64) {
  Json json;
  if (Status status = parseJson(manifest, "manifest", json); !status)
    return Status(Code::Internal, status.message());
  if (!json.is_object() || !json.contains("target"))
    return {Code::Internal, "manifest: expected an object with a 'target'"};
  json["format"] = "neuroc-program";
  json["version"] = {kContainerMajor, kContainerMinor};
  Json list = Json::array();
  for (const auto &[name, bytes] : members)
    list.push_back({{"name", name},
                    {"size", bytes.size()},
                    {"sha256", sha256Hex(asBytes(bytes))}});
  json["members"] = list;
  std::string text = dumpJson(json) + "\n";

  archive.clear();
  std::vector<Entry> entries;
  auto put = [&](std::string_view name, std::string_view bytes) {
    Entry entry{name, bytes.size(), archive.size(), crc32(asBytes(bytes)),
                forceZip64 || bytes.size() >= kMax32};
    putMember(archive, entry, bytes);
    entries.push_back(entry);
  };
  put(kManifestName, text);
  for (const auto &[name, bytes] : members)
    put(name, bytes);
  putDirectory(archive, entries, forceZip64);
  return Status::ok();
}

} // namespace neuroc::rt
