// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads 32-bit little-endian ARM executables: the loadable segments and the
// named global symbols. Every offset and size is checked by subtraction before
// use, and the amount of memory asked for is bounded by what a chip has.

#include "neuroc/rt/spinn/Machine.h"

namespace neuroc::rt::spinn {

namespace {
struct Reader {
  std::span<const uint8_t> file;
  bool has(uint32_t offset, uint32_t size) const {
    return offset <= file.size() && size <= file.size() - offset;
  }
  uint32_t word(uint32_t offset) const {
    return file[offset] | uint32_t(file[offset + 1]) << 8 |
           uint32_t(file[offset + 2]) << 16 | uint32_t(file[offset + 3]) << 24;
  }
  uint32_t half(uint32_t offset) const {
    return file[offset] | uint32_t(file[offset + 1]) << 8;
  }
  /// A zero-terminated name of the string table [table, table + size).
  std::string text(uint32_t table, uint32_t size, uint32_t at) const {
    std::string name;
    for (; at < size && file[table + at]; ++at)
      name.push_back(char(file[table + at]));
    return name;
  }
};

Status bad(const std::string &message) {
  return Status(Code::InputError, "ELF image: " + message);
}

Status readSegments(const Reader &reader, ElfImage &image) {
  uint32_t table = reader.word(28), size = reader.half(42),
           count = reader.half(44);
  if (count && size != 32)
    return bad("program header size is " + std::to_string(size) + ", not 32");
  if (!reader.has(table, count * 32))
    return bad("program headers end beyond the file");
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t at = table + i * 32;
    if (reader.word(at) != 1) // PT_LOAD
      continue;
    uint32_t offset = reader.word(at + 4), bytes = reader.word(at + 16);
    ElfSegment segment;
    segment.address = reader.word(at + 12); // where it is loaded
    segment.memorySize = reader.word(at + 20);
    std::string which = "segment " + std::to_string(i);
    if (segment.memorySize == 0)
      continue;
    if (bytes > segment.memorySize)
      return bad(which + " has more bytes than memory");
    if (!reader.has(offset, bytes))
      return bad(which + " ends beyond the file");
    if (segment.memorySize > kSdramSize)
      return bad(which + " is larger than any memory");
    if (segment.address + (segment.memorySize - 1) < segment.address)
      return bad(which + " wraps round the address space");
    segment.bytes.assign(reader.file.begin() + offset,
                         reader.file.begin() + offset + bytes);
    image.segments.push_back(std::move(segment));
  }
  return Status::ok();
}

Status readSymbols(const Reader &reader, ElfImage &image) {
  uint32_t table = reader.word(32), size = reader.half(46),
           count = reader.half(48);
  if (count == 0)
    return Status::ok();
  if (size != 40)
    return bad("section header size is " + std::to_string(size) + ", not 40");
  if (!reader.has(table, count * 40))
    return bad("section headers end beyond the file");
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t at = table + i * 40;
    if (reader.word(at + 4) != 2) // SHT_SYMTAB
      continue;
    uint32_t offset = reader.word(at + 16), bytes = reader.word(at + 20),
             link = reader.word(at + 24);
    if (!reader.has(offset, bytes))
      return bad("the symbol table ends beyond the file");
    if (link >= count)
      return bad("the symbol table names no string table");
    uint32_t strings = reader.word(table + link * 40 + 16),
             stringBytes = reader.word(table + link * 40 + 20);
    if (!reader.has(strings, stringBytes))
      return bad("the string table ends beyond the file");
    for (uint32_t s = 0; s + 16 <= bytes; s += 16) {
      uint32_t entry = offset + s;
      if (reader.file[entry + 12] >> 4 == 0 || reader.half(entry + 14) == 0)
        continue; // local or undefined
      std::string name =
          reader.text(strings, stringBytes, reader.word(entry));
      if (!name.empty())
        image.symbols[name] = {reader.word(entry + 4), reader.word(entry + 8)};
    }
  }
  return Status::ok();
}
} // namespace

Status parseElf(std::span<const uint8_t> file, ElfImage &image) {
  Reader reader{file};
  if (file.size() < 52)
    return bad("shorter than its header (" + std::to_string(file.size()) +
               " bytes)");
  if (reader.word(0) != 0x464c457f)
    return bad("wrong magic number");
  if (file[4] != 1 || file[5] != 1)
    return bad("not 32-bit little-endian");
  if (reader.half(16) != 2)
    return bad("not an executable (type " + std::to_string(reader.half(16)) +
               ")");
  if (reader.half(18) != 40)
    return bad("not for ARM (machine " + std::to_string(reader.half(18)) + ")");
  ElfImage parsed;
  parsed.entry = reader.word(24);
  if (Status status = readSegments(reader, parsed); !status)
    return status;
  if (Status status = readSymbols(reader, parsed); !status)
    return status;
  image = std::move(parsed);
  return Status::ok();
}

} // namespace neuroc::rt::spinn
