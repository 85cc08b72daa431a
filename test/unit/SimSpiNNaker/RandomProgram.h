// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random ARM and Thumb programs that end by writing their registers, flags and
// memory to standard output, as static Linux executables: what qemu-arm runs
// and the simulated core runs are the same bytes at the same addresses.
#ifndef NEUROC_TEST_SIM_RANDOMPROGRAM_H
#define NEUROC_TEST_SIM_RANDOMPROGRAM_H

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace neuroc::test {

struct RandomProgram {
  static constexpr uint32_t kCode = 0x1000;
  static constexpr uint32_t kData = 0x00400000, kDataSize = 0x10000;
  static constexpr uint32_t kScratch = 0x00406000; ///< r13 of every block
  static constexpr uint32_t kInputs = 0x00400100;  ///< 16 words a block
  static constexpr uint32_t kOutputs = 0x00409000; ///< 16 words a block
  static constexpr uint32_t kNextInput = kScratch + 0x800,
                            kNextOutput = kScratch + 0x804,
                            kSaved = kScratch + 0x808;
  static constexpr unsigned kMaxBlocks = 64;

  std::vector<uint32_t> code;  ///< from kCode
  std::vector<uint32_t> data;  ///< all of the data memory
  std::vector<uint32_t> starts; ///< address of each block's random part
  std::vector<bool> thumb;

  RandomProgram(uint64_t seed, unsigned blocks, unsigned length);
  /// A static ELF executable for Linux on ARM.
  std::string elf() const;

private:
  std::mt19937_64 random;
  uint32_t pick(uint32_t n) { return uint32_t(random() % n); }
  bool chance(unsigned percent) { return pick(100) < percent; }
  uint32_t interesting();
  uint32_t here() const { return kCode + uint32_t(code.size()) * 4; }
  void emit(uint32_t word) { code.push_back(word); }
  unsigned writable();
  void prologue();
  void epilogue();
  void finish();
  void armBlock(unsigned length);
  void thumbBlock(unsigned length);
  struct Branch {
    size_t at;
    uint32_t left; ///< instructions still to be skipped
  };
  std::vector<Branch> branches;
  void landBranches(bool all);
  void armInstruction();
  void armMemory(uint32_t condition);
  void armMultiply(uint32_t condition);
  uint16_t thumbData();
  void thumbMemory(std::vector<uint16_t> &out);
};

} // namespace neuroc::test
#endif
