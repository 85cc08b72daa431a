// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Assembles tile programs from text, runs them on a small machine and looks at
// registers, memory and counters.
#ifndef NEUROC_TEST_SIMCROSSBAR_HARNESS_H
#define NEUROC_TEST_SIMCROSSBAR_HARNESS_H

#include "neuroc/rt/xbar/Assembler.h"
#include "neuroc/rt/xbar/Machine.h"
#include "neuroc/rt/xbar/Timing.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace neuroc::rt::xbar {

inline MachineConfig smallMachine() {
  MachineConfig m;
  m.meshX = 4;
  m.meshY = 4;
  m.arraysPerTile = 8;
  m.memoryWords = 4096;
  m.rows = 32;
  m.cols = 32; // 16 signed columns
  return m;
}

inline std::vector<uint64_t> assembled(const std::string &text) {
  std::vector<uint64_t> code;
  Status status = assemble(text, "test", code);
  EXPECT_TRUE(status) << status.message();
  return code;
}

class Rig {
public:
  explicit Rig(const MachineConfig &config = smallMachine()) {
    Status status = Machine::create(config, machine);
    EXPECT_TRUE(status) << status.message();
  }
  Machine *operator->() { return machine.get(); }
  Machine &operator*() { return *machine; }

  void program(uint32_t tile, const std::string &text) {
    Status status = machine->loadProgram(tile, assembled(text));
    EXPECT_TRUE(status) << status.message();
  }
  void put(uint32_t tile, uint32_t address, std::vector<int32_t> words) {
    ASSERT_TRUE(machine->writeMemory(tile, address, words));
  }
  std::vector<int32_t> get(uint32_t tile, uint32_t address, size_t count) {
    std::vector<int32_t> words(count);
    EXPECT_TRUE(machine->readMemory(tile, address, words));
    return words;
  }
  /// Runs from the start; the error text, or "".
  std::string run(StopReason expected = StopReason::Halted,
                  uint64_t limit = 1000000) {
    machine->start();
    return go(expected, limit);
  }
  std::string go(StopReason expected = StopReason::Halted,
                 uint64_t limit = 1000000) {
    StopReason reason;
    Status status = machine->run(reason, limit);
    if (!status)
      return status.message();
    EXPECT_EQ(int(reason), int(expected));
    return "";
  }
  int32_t reg(unsigned number, uint32_t tile = 0) {
    return machine->readRegister(tile, number);
  }

  std::unique_ptr<Machine> machine;
};

/// Runs `text` alone on tile 0 after placing vectors; returns memory words.
inline std::vector<int32_t> runVector(const std::string &text,
                                      std::vector<int32_t> at100,
                                      std::vector<int32_t> at200, uint32_t from,
                                      size_t count,
                                      uint64_t *saturations = nullptr) {
  Rig rig;
  rig.put(0, 100, at100);
  rig.put(0, 200, at200);
  rig.program(0, text + "\nhalt\n");
  EXPECT_EQ(rig.run(), "");
  if (saturations)
    *saturations = rig->counters().saturations;
  return rig.get(0, from, count);
}

} // namespace neuroc::rt::xbar
#endif // NEUROC_TEST_SIMCROSSBAR_HARNESS_H
