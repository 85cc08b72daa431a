// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads `.nrx` archives from files that may be damaged or hostile. Order: end
// record, directory, local headers, overlaps, checksums, manifest, hashes.
// Ranges are tested by subtraction (`length > size - offset`), so that no sum
// can wrap. Anything we do not write ourselves (compression, encryption, data
// descriptors, comments, several disks) is refused by name.
#include "neuroc/rt/Container.h"
#include "neuroc/rt/Json.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace neuroc::rt {

namespace {
/// Little-endian reads at offsets that the caller has checked.
struct View {
  const uint8_t *data;
  uint64_t size;
  uint64_t get(uint64_t at, int n) const {
    uint64_t v = 0;
    for (int i = 0; i < n; ++i)
      v |= uint64_t(data[at + i]) << (8 * i);
    return v;
  }
  uint16_t u16(uint64_t at) const { return uint16_t(get(at, 2)); }
  uint32_t u32(uint64_t at) const { return uint32_t(get(at, 4)); }
  uint64_t u64(uint64_t at) const { return get(at, 8); }
  /// Whether [at, at + length) lies inside [0, limit).
  static bool inside(uint64_t at, uint64_t length, uint64_t limit) {
    return at <= limit && length <= limit - at;
  }
};

constexpr uint64_t kEndSize = 22, kEnd64Size = 56, kLocatorSize = 20;
constexpr uint64_t kEntrySize = 46, kHeaderSize = 30;
constexpr uint32_t kMax32 = 0xFFFFFFFFu;

struct Directory {
  uint64_t count = 0, offset = 0, size = 0;
};

/// Sizes and position of one member, before and after its zip64 field.
struct Extent {
  uint64_t stored, plain, header;
};
} // namespace

static Status bad(const std::string &origin, const std::string &why) {
  return {Code::InputError, origin + ": not a valid program: " + why};
}

Status Container::allocate(uint64_t size) {
  uint64_t rounded = (size / kMemberAlignment + 1) * kMemberAlignment;
  data.reset(static_cast<uint8_t *>(
      std::aligned_alloc(kMemberAlignment, rounded)));
  if (!data)
    return {Code::InputError, theOrigin + ": not enough memory to read it"};
  dataSize = size;
  return Status::ok();
}

Status Container::open(const std::string &path,
                       std::shared_ptr<const Container> &container) {
  std::string bytes;
  if (Status status = readFile(path, bytes); !status)
    return status;
  return read(asBytes(bytes), path, container);
}

Status Container::read(std::span<const uint8_t> bytes,
                       const std::string &origin,
                       std::shared_ptr<const Container> &container) {
  auto result = std::make_shared<Container>();
  result->theOrigin = origin;
  if (Status status = result->allocate(bytes.size()); !status)
    return status;
  if (!bytes.empty())
    std::memcpy(result->data.get(), bytes.data(), bytes.size());
  if (Status status = result->validate(); !status)
    return status;
  container = std::move(result);
  return Status::ok();
}

/// Finds the central directory from the record(s) at the end of the file.
static Status findDirectory(const View &view, const std::string &origin,
                            Directory &directory) {
  if (view.size < kEndSize)
    return bad(origin, "file has " + std::to_string(view.size) +
                           " bytes, too few for a zip archive");
  uint64_t end = view.size - kEndSize;
  if (view.u32(end) != 0x06054b50)
    return bad(origin, "no end record at byte " + std::to_string(end) +
                           " (truncated, or not a .nrx file)");
  uint64_t limit = end; // the directory must end before this
  directory = {view.u16(end + 10), view.u32(end + 16), view.u32(end + 12)};
  if (view.u16(end + 20) != 0)
    return bad(origin, "archive comments are not allowed");
  bool isZip64 = end >= kLocatorSize && directory.offset == kMax32 &&
                 view.u32(end - kLocatorSize) == 0x07064b50;
  if (isZip64) {
    uint64_t locator = end - kLocatorSize;
    uint64_t record = view.u64(locator + 8);
    if (!View::inside(record, kEnd64Size, locator) ||
        view.u32(record) != 0x06064b50)
      return bad(origin, "zip64 end record is missing at byte " +
                             std::to_string(record));
    directory = {view.u64(record + 32), view.u64(record + 48),
                 view.u64(record + 40)};
    limit = record;
  } else if (view.u16(end + 4) != 0 || view.u16(end + 6) != 0 ||
             view.u16(end + 8) != directory.count) {
    return bad(origin, "archives of several parts are not allowed");
  }
  if (!View::inside(directory.offset, directory.size, limit))
    return bad(origin, "directory at byte " +
                           std::to_string(directory.offset) + " of length " +
                           std::to_string(directory.size) +
                           " ends after byte " + std::to_string(limit));
  if (directory.count > directory.size / kEntrySize)
    return bad(origin, "directory of " + std::to_string(directory.size) +
                           " bytes cannot hold " +
                           std::to_string(directory.count) + " entries");
  return Status::ok();
}

/// Replaces 32-bit place holders by the values of the zip64 extra field.
/// False when a value is asked for and not there.
static bool applyZip64(const View &view, uint64_t at, uint64_t length,
                       Extent &extent) {
  bool wantPlain = extent.plain == kMax32, wantStored = extent.stored == kMax32;
  bool wantHeader = extent.header == kMax32;
  if (!wantPlain && !wantStored && !wantHeader)
    return true;
  uint64_t end = at + length; // checked by the caller
  while (end - at >= 4) {
    uint64_t id = view.u16(at), size = view.u16(at + 2);
    at += 4;
    if (size > end - at)
      return false;
    if (id != 1) {
      at += size;
      continue;
    }
    uint64_t need = 8 * (wantPlain + wantStored + wantHeader);
    if (size < need)
      return false;
    if (wantPlain)
      extent.plain = view.u64(at), at += 8;
    if (wantStored)
      extent.stored = view.u64(at), at += 8;
    if (wantHeader)
      extent.header = view.u64(at);
    return true;
  }
  return false;
}

/// Checks the local header of a member and finds its data.
static Status readHeader(const View &view, const std::string &origin,
                         const Extent &extent, uint64_t limit,
                         Container::Member &member) {
  auto fail = [&](const std::string &why) {
    return bad(origin, "member '" + member.name + "' " + why);
  };
  uint64_t at = extent.header;
  if (!View::inside(at, kHeaderSize, limit) || view.u32(at) != 0x04034b50)
    return fail("has no header at byte " + std::to_string(at));
  uint64_t nameSize = view.u16(at + 26), extraSize = view.u16(at + 28);
  uint64_t nameAt = at + kHeaderSize;
  if (!View::inside(nameAt, nameSize + extraSize, limit))
    return fail("has a header that leaves the file");
  std::string_view name(reinterpret_cast<const char *>(view.data) + nameAt,
                        nameSize);
  Extent local{view.u32(at + 18), view.u32(at + 22), 0};
  if (!applyZip64(view, nameAt + nameSize, extraSize, local))
    return fail("lacks its zip64 sizes");
  if (name != member.name || local.plain != member.size ||
      local.stored != member.size || view.u32(at + 14) != member.crc ||
      view.u16(at + 8) != 0 || (view.u16(at + 6) & ~0x0800u))
    return fail("differs between header and directory");
  member.offset = nameAt + nameSize + extraSize;
  if (!View::inside(member.offset, member.size, limit))
    return fail("ends after byte " + std::to_string(limit) +
                " where the directory starts");
  return Status::ok();
}

Status Container::readDirectory() {
  View view{data.get(), dataSize};
  Directory directory;
  if (Status status = findDirectory(view, theOrigin, directory); !status)
    return status;
  uint64_t at = directory.offset, end = directory.offset + directory.size;
  std::set<std::string_view> names;
  theMembers.reserve(directory.count);
  for (uint64_t i = 0; i < directory.count; ++i) {
    auto fail = [&](const std::string &why) {
      return bad(theOrigin, "directory entry " + std::to_string(i) + " " + why);
    };
    if (!View::inside(at, kEntrySize, end) || view.u32(at) != 0x02014b50)
      return fail("is damaged");
    uint64_t nameSize = view.u16(at + 28), extraSize = view.u16(at + 30);
    uint64_t commentSize = view.u16(at + 32);
    if (nameSize + extraSize + commentSize > end - at - kEntrySize)
      return fail("leaves the directory");
    Member member;
    member.name.assign(reinterpret_cast<const char *>(view.data) + at +
                           kEntrySize,
                       nameSize);
    if (!isMemberName(member.name))
      return fail("has a name that is not allowed");
    if (view.u16(at + 10) != 0)
      return fail("('" + member.name + "') is compressed; members of a "
                  "program are stored");
    if (view.u16(at + 8) & ~0x0800u)
      return fail("('" + member.name + "') is encrypted or has flags that are "
                  "not allowed");
    Extent extent{view.u32(at + 20), view.u32(at + 24), view.u32(at + 42)};
    if (!applyZip64(view, at + kEntrySize + nameSize, extraSize, extent))
      return fail("('" + member.name + "') lacks its zip64 sizes");
    if (extent.plain != extent.stored)
      return fail("('" + member.name + "') has two sizes");
    member.size = extent.plain;
    member.crc = view.u32(at + 16);
    if (Status status =
            readHeader(view, theOrigin, extent, directory.offset, member);
        !status)
      return status;
    theMembers.push_back(std::move(member));
    if (!names.insert(theMembers.back().name).second)
      return fail("repeats the name '" + theMembers.back().name + "'");
    at += kEntrySize + nameSize + extraSize + commentSize;
  }
  if (at != end)
    return bad(theOrigin, "directory has bytes after its last entry");
  return Status::ok();
}

Status Container::validate() {
  if (Status status = readDirectory(); !status)
    return status;
  std::vector<const Member *> order;
  for (const Member &member : theMembers)
    order.push_back(&member);
  std::sort(order.begin(), order.end(), [](const Member *a, const Member *b) {
    return std::pair(a->offset, a->size) < std::pair(b->offset, b->size);
  });
  for (size_t i = 1; i < order.size(); ++i)
    if (order[i]->offset - order[i - 1]->offset < order[i - 1]->size)
      return bad(theOrigin, "members '" + order[i - 1]->name + "' and '" +
                                order[i]->name + "' overlap");
  for (const Member &member : theMembers)
    if (crc32({data.get() + member.offset, member.size}) != member.crc)
      return bad(theOrigin, "member '" + member.name + "' has a wrong checksum");
  if (theMembers.empty() || theMembers.front().name != kManifestName)
    return bad(theOrigin, "the first member must be 'manifest.json'");
  return checkManifest();
}

Status Container::checkManifest() {
  Json json;
  std::string where = theOrigin + ": manifest.json";
  if (Status status = parseJson(manifest(), where, json); !status)
    return status;
  Status status;
  JsonReader root(json, where, status);
  if (root.at("format").string() != "neuroc-program")
    root.at("format").error("expected \"neuroc-program\"");
  std::vector<int64_t> version = root.at("version").integers(0);
  if (version.size() != 2)
    root.at("version").error("expected [major, minor]");
  if (status.isOk() && version[0] != kContainerMajor)
    root.at("version").error(
        "format " + std::to_string(version[0]) + "." +
        std::to_string(version[1]) + " cannot be read by this version, which "
        "reads format " + std::to_string(kContainerMajor) +
        "; compile the model again");
  theTarget = root.at("target").string();
  JsonReader list = root.at("members");
  size_t count = list.size();
  if (status.isOk() && count != theMembers.size() - 1)
    list.error("lists " + std::to_string(count) + " members, the file has " +
               std::to_string(theMembers.size() - 1));
  std::set<std::string> seen;
  for (size_t i = 0; i < count && status.isOk(); ++i) {
    std::string name = list[i].at("name").string();
    uint64_t size = list[i].at("size").natural();
    std::string hash = list[i].at("sha256").string();
    const Member *member = name == kManifestName ? nullptr : find(name);
    if (!member)
      list[i].error("the file has no member '" + name + "'");
    else if (!seen.insert(name).second)
      list[i].error("lists '" + name + "' twice");
    else if (member->size != size)
      list[i].error("member '" + name + "' has " +
                    std::to_string(member->size) + " bytes, expected " +
                    std::to_string(size));
    else if (sha256Hex({data.get() + member->offset, member->size}) != hash)
      list[i].error("member '" + name + "' has a wrong SHA-256");
  }
  return status;
}

const Container::Member *Container::find(std::string_view name) const {
  for (const Member &member : theMembers)
    if (member.name == name)
      return &member;
  return nullptr;
}

std::span<const uint8_t> Container::bytes(std::string_view name) const {
  const Member *member = find(name);
  if (!member)
    return {};
  return {data.get() + member->offset, size_t(member->size)};
}

std::string_view Container::text(std::string_view name) const {
  std::span<const uint8_t> all = bytes(name);
  return {reinterpret_cast<const char *>(all.data()), all.size()};
}

} // namespace neuroc::rt
