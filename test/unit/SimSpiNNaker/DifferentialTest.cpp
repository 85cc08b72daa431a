// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The core against qemu-arm: random programs, the same bytes on both, and all
// registers, flags and memory compared. NEUROC_QEMU_PROGRAMS sets how many
// (default 24, about 60 blocks of 24 instructions each); NEUROC_QEMU_SEED the
// first seed. A failure names the seed and the block.

#include "RandomProgram.h"
#include "Support.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

using namespace neuroc::rt::spinn;
using neuroc::test::RandomProgram;

namespace {

/// What qemu-arm writes when it runs the file.
std::vector<uint8_t> runQemu(const std::string &path) {
  std::string command = "qemu-arm -cpu arm926 '" + path + "'";
  FILE *pipe = popen(command.c_str(), "r");
  std::vector<uint8_t> out(RandomProgram::kDataSize);
  size_t got = pipe ? std::fread(out.data(), 1, out.size(), pipe) : 0;
  if (pipe)
    pclose(pipe);
  out.resize(got);
  return out;
}

bool haveQemu() {
  return std::system("qemu-arm --version > /dev/null 2>&1") == 0;
}

std::vector<uint8_t> runSimulator(const RandomProgram &program) {
  auto machine = makeMachine();
  auto bytes = [](const std::vector<uint32_t> &words) {
    return std::span(reinterpret_cast<const uint8_t *>(words.data()),
                     words.size() * 4);
  };
  EXPECT_OK(machine->write(core(1), RandomProgram::kCode, bytes(program.code)));
  EXPECT_OK(machine->write(core(1), RandomProgram::kData, bytes(program.data)));
  EXPECT_OK(machine->writeWord(core(1), 8, 0xe1200070)); // stop at swi
  EXPECT_OK(machine->start(core(1), RandomProgram::kCode));
  StopReason reason;
  RunLimit limit;
  limit.maxInstructions = 1'000'000;
  EXPECT_OK(machine->run(limit, reason));
  EXPECT_EQ(machine->state(core(1)), CoreState::Halted);
  std::vector<uint8_t> out(RandomProgram::kDataSize);
  EXPECT_OK(machine->read(core(1), RandomProgram::kData, out));
  return out;
}

uint32_t wordAt(const std::vector<uint8_t> &bytes, uint32_t address) {
  uint32_t value;
  std::memcpy(&value, &bytes[address - RandomProgram::kData], 4);
  return value;
}

uint64_t setting(const char *name, uint64_t fallback) {
  const char *text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 0) : fallback;
}

TEST(SpinnDifferential, RandomProgramsMatchQemu) {
  ASSERT_TRUE(haveQemu()) << "qemu-arm does not run: install qemu-user";
  uint64_t count = setting("NEUROC_QEMU_PROGRAMS", 24);
  uint64_t seed = setting("NEUROC_QEMU_SEED", 1);
  unsigned blocks = 60;
  char path[] = "/tmp/neuroc-differential-XXXXXX";
  int file = mkstemp(path);
  ASSERT_GE(file, 0);
  fchmod(file, 0700); // the emulator runs nothing else
  close(file);
  static constexpr const char *kNames[] = {
      "r1", "r2", "r3",  "r4",  "r5",  "r6",  "r7",   "r8",
      "r9", "r10", "r11", "r12", "r14", "NZCVQ", "r0", "-"};
  uint64_t compared = 0;
  for (uint64_t n = 0; n < count && !HasFailure(); ++n) {
    RandomProgram program(seed + n, blocks, 24);
    ASSERT_LT(program.code.size() * 4 + RandomProgram::kCode, kItcmSize);
    std::string elf = program.elf();
    FILE *out = std::fopen(path, "wb");
    ASSERT_TRUE(out);
    ASSERT_EQ(std::fwrite(elf.data(), 1, elf.size(), out), elf.size());
    ASSERT_EQ(std::fclose(out), 0);
    std::vector<uint8_t> expected = runQemu(path);
    ASSERT_EQ(expected.size(), RandomProgram::kDataSize)
        << "qemu-arm stopped early, seed " << seed + n;
    std::vector<uint8_t> found = runSimulator(program);
    for (unsigned b = 0; b < program.starts.size() && !HasFailure(); ++b)
      for (unsigned i = 0; i < 15; ++i) {
        uint32_t at = RandomProgram::kOutputs + (b * 16 + i) * 4;
        ++compared;
        EXPECT_EQ(wordAt(expected, at), wordAt(found, at))
            << "seed " << seed + n << ", block " << b << " at 0x" << std::hex
            << program.starts[b] << (program.thumb[b] ? " (Thumb) " : " (ARM) ")
            << kNames[i];
      }
    EXPECT_EQ(expected, found) << "memory differs, seed " << seed + n;
  }
  std::remove(path);
  RecordProperty("values_compared", std::to_string(compared));
  std::printf("compared %llu programs, %llu values\n",
              (unsigned long long)count, (unsigned long long)compared);
}

} // namespace
