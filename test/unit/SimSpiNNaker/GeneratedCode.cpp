// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the generated code of a compiled core both on qemu-arm and on the
// simulated core and compares all of its data memory. The image is the one of
// the container; a short driver at the end of ITCM calls neuroc_core_level and
// neuroc_core_end for some ticks in place of the kernel's main loop, and the
// kernel's packet functions return at once.
//
// Usage: neuroc-generated-code core.elf core.data levels ticks

#include "neuroc/rt/spinn/Machine.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

using namespace neuroc::rt::spinn;
using Bytes = std::vector<uint8_t>;

namespace {

constexpr uint32_t kDriver = 0x7f00;

[[noreturn]] void fail(const std::string &message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(1);
}

Bytes readFile(const char *path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    fail(std::string("cannot read ") + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Memory {
  Bytes itcm = Bytes(kItcmSize), dtcm = Bytes(kDtcmSize);
  void set(uint32_t address, uint32_t word) {
    if (address < kItcmSize)
      std::memcpy(&itcm[address], &word, 4);
    else if (address - kDtcmBase < kDtcmSize)
      std::memcpy(&dtcm[address - kDtcmBase], &word, 4);
  }
};

/// Image and data of the core, stubs and driver.
Memory prepare(const ElfImage &image, const Bytes &data, uint32_t levels,
               uint32_t ticks) {
  Memory memory;
  for (const ElfSegment &segment : image.segments) {
    bool code = segment.address < kItcmSize;
    Bytes &to = code ? memory.itcm : memory.dtcm;
    uint32_t at = segment.address - (code ? 0 : kDtcmBase);
    if (at > to.size() || segment.bytes.size() > to.size() - at)
      fail("a segment lies outside the memories of a core");
    if (code && at + segment.bytes.size() > kDriver)
      fail("no room for the driver behind the code");
    std::copy(segment.bytes.begin(), segment.bytes.end(), to.begin() + at);
  }
  auto word = [&](size_t i) {
    uint32_t value;
    std::memcpy(&value, &data[i * 4], 4);
    return value;
  };
  for (size_t i = 0; i + 2 <= data.size() / 4;) {
    uint32_t address = word(i), count = word(i + 1);
    if (count > data.size() / 4 - i - 2)
      fail("the data of the core end early");
    for (uint32_t k = 0; k < count; ++k)
      memory.set(address + 4 * k, word(i + 2 + k));
    i += 2 + count;
  }
  auto address = [&](const char *name) {
    auto it = image.symbols.find(name);
    if (it == image.symbols.end())
      fail(std::string("the image has no symbol ") + name);
    return it->second.value;
  };
  for (const char *name : {"neuroc_kernel_send_spike",
                           "neuroc_kernel_send_value", "neuroc_kernel_poll"})
    if (image.symbols.count(name))
      memory.set(address(name), 0xe12fff1e); // bx lr
  uint32_t at = kDriver;
  auto emit = [&](uint32_t code) {
    memory.set(at, code);
    at += 4;
  };
  auto branch = [&](uint32_t opcode, uint32_t target) {
    emit(opcode | ((target - at - 8) >> 2 & 0xffffff));
  };
  for (uint32_t r = 0; r < 13; ++r)
    emit(0xe3a00000 | r << 12); // mov r, #0
  emit(0xe3a0d501);             // mov sp, #0x400000
  emit(0xe28dd801);             // add sp, sp, #0x10000
  uint32_t tick = at;
  emit(0xe3a05000); // mov r5, #0
  uint32_t level = at;
  emit(0xe1a00005); // mov r0, r5
  emit(0xe1a01004); // mov r1, r4
  branch(0xeb000000, address("neuroc_core_level"));
  emit(0xe2855001);          // add r5, r5, #1
  emit(0xe3550000 | levels); // cmp r5, #levels
  branch(0x1a000000, level);
  emit(0xe1a00004); // mov r0, r4
  branch(0xeb000000, address("neuroc_core_end"));
  emit(0xe2844001);         // add r4, r4, #1
  emit(0xe3540000 | ticks); // cmp r4, #ticks
  branch(0x1a000000, tick);
  emit(0xe3a00001); // write(1, 0x400000, 0x10000)
  emit(0xe3a01501);
  emit(0xe3a02801);
  emit(0xe3a07004);
  emit(0xef000000);
  emit(0xe3a00000); // exit(0)
  emit(0xe3a07001);
  emit(0xef000000);
  return memory;
}

Bytes onSimulator(const Memory &memory) {
  std::unique_ptr<Machine> machine;
  auto check = [](const neuroc::rt::Status &status) {
    if (!status)
      fail(status.message());
  };
  check(Machine::create({}, machine));
  CoreId id{{0, 0}, 1};
  check(machine->write(id, 0, memory.itcm));
  check(machine->write(id, kDtcmBase, memory.dtcm));
  check(machine->writeWord(id, 8, 0xe1200070)); // the system call stops it
  check(machine->start(id, kDriver));
  RunLimit limit;
  limit.maxInstructions = 100'000'000;
  StopReason reason;
  check(machine->run(limit, reason));
  if (machine->state(id) != CoreState::Halted)
    fail("the generated code did not come to its end");
  Bytes out(kDtcmSize);
  check(machine->read(id, kDtcmBase, out));
  return out;
}

Bytes onQemu(const Memory &memory) {
  // A static Linux executable with the two memories as segments.
  std::vector<uint32_t> head(0x1000 / 4);
  const uint8_t ident[16] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
  std::memcpy(head.data(), ident, 16);
  const uint32_t rest[] = {2 | 40u << 16, 1, kDriver, 52, 0, 0x05000000,
                           52 | 32u << 16, 2, 0};
  std::memcpy(&head[4], rest, sizeof rest);
  const uint32_t segments[16] = {
      1, 0x1000, 0, 0, kItcmSize, kItcmSize, 5, 0x1000,
      1, 0x1000 + kItcmSize, kDtcmBase, kDtcmBase, kDtcmSize, kDtcmSize, 6,
      0x1000};
  std::memcpy(&head[13], segments, sizeof segments);
  char path[] = "/tmp/neuroc-generated-XXXXXX";
  int file = mkstemp(path);
  if (file < 0)
    fail("cannot create a file in /tmp");
  fchmod(file, 0700);
  close(file);
  FILE *out = std::fopen(path, "wb");
  std::fwrite(head.data(), 1, 0x1000, out);
  std::fwrite(memory.itcm.data(), 1, kItcmSize, out);
  std::fwrite(memory.dtcm.data(), 1, kDtcmSize, out);
  std::fclose(out);
  FILE *pipe =
      popen((std::string("qemu-arm -cpu arm926 ") + path).c_str(), "r");
  Bytes result(kDtcmSize);
  size_t got = pipe ? std::fread(result.data(), 1, result.size(), pipe) : 0;
  if (pipe)
    pclose(pipe);
  std::remove(path);
  if (got != kDtcmSize)
    fail("qemu-arm gave no result: is qemu-user installed?");
  return result;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 5)
    fail("usage: neuroc-generated-code core.elf core.data levels ticks");
  ElfImage image;
  if (neuroc::rt::Status status = parseElf(readFile(argv[1]), image); !status)
    fail(status.message());
  uint32_t levels = uint32_t(std::atoi(argv[3])),
           ticks = uint32_t(std::atoi(argv[4]));
  if (levels < 1 || levels > 255 || ticks < 1 || ticks > 255)
    fail("levels and ticks must be 1 to 255");
  Memory memory = prepare(image, readFile(argv[2]), levels, ticks);
  Bytes expected = onQemu(memory), found = onSimulator(memory);
  unsigned changed = 0, different = 0;
  for (uint32_t at = 0; at < kDtcmSize; at += 4) {
    changed += std::memcmp(&memory.dtcm[at], &found[at], 4) != 0;
    if (std::memcmp(&expected[at], &found[at], 4) != 0 && different++ < 10)
      std::fprintf(stderr, "data memory differs at 0x%08x\n", kDtcmBase + at);
  }
  std::printf("%u words changed, %u differ\n", changed, different);
  return different != 0 || changed == 0;
}
