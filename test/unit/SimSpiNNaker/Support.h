// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shared by the simulator's tests: machines, programs, assembled words.
#ifndef NEUROC_TEST_SIM_SUPPORT_H
#define NEUROC_TEST_SIM_SUPPORT_H

#include "neuroc/rt/spinn/Machine.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace neuroc::rt::spinn {

#define ASSERT_OK(expression)                                                  \
  do {                                                                         \
    ::neuroc::rt::Status status_ = (expression);                               \
    ASSERT_TRUE(status_.isOk()) << status_.message();                          \
  } while (0)
#define EXPECT_OK(expression)                                                  \
  do {                                                                         \
    ::neuroc::rt::Status status_ = (expression);                               \
    EXPECT_TRUE(status_.isOk()) << status_.message();                          \
  } while (0)

inline std::unique_ptr<Machine> makeMachine(const MachineConfig &config = {}) {
  std::unique_ptr<Machine> machine;
  Status status = Machine::create(config, machine);
  EXPECT_TRUE(status.isOk()) << status.message();
  return machine;
}

inline CoreId core(unsigned number, unsigned x = 0, unsigned y = 0) {
  return {{uint16_t(x), uint16_t(y)}, uint8_t(number)};
}

/// A program for the cores; the tests fail with the packages when the build
/// could not make it.
inline std::vector<uint8_t> armProgram(const std::string &name) {
  std::string path = std::string(NEUROC_ARM_PROGRAMS) + "/" + name + ".elf";
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path << " is missing: install the packages "
                           << "clang-22 and lld-22 and configure again";
  return {std::istreambuf_iterator<char>(file), {}};
}

inline uint32_t word(Machine &machine, CoreId id, uint32_t address) {
  uint32_t value = 0;
  Status status = machine.readWord(id, address, value);
  EXPECT_TRUE(status.isOk()) << status.message();
  return value;
}

inline CoreCounters countersOf(Machine &machine, CoreId id) {
  CoreCounters counters;
  Status status = machine.counters(id, counters);
  EXPECT_TRUE(status.isOk()) << status.message();
  return counters;
}

/// Runs ARM words on core 1 of a fresh machine from ITCM 0x1000 until the
/// breakpoint that is put after them.
struct Bare {
  std::unique_ptr<Machine> machine;
  CoreRegisters registers;
  CoreCounters counters;
  StopReason reason = StopReason::Idle;
  Status status;

  explicit Bare(const MachineConfig &config = {})
      : machine(makeMachine(config)) {
    registers.cpsr = 0xd3;
  }
  static constexpr uint32_t kCode = 0x1000;

  void load(const std::vector<uint32_t> &code) {
    std::vector<uint32_t> words = code;
    words.push_back(0xe1200070); // bkpt
    for (size_t i = 0; i < words.size(); ++i)
      EXPECT_OK(machine->writeWord(core(1), kCode + 4 * uint32_t(i), words[i]));
  }
  void loadThumb(const std::vector<uint16_t> &code) {
    std::vector<uint16_t> halves = code;
    halves.push_back(0xbe00);
    EXPECT_OK(machine->write(
        core(1), kCode,
        {reinterpret_cast<const uint8_t *>(halves.data()), halves.size() * 2}));
    registers.cpsr |= 0x20;
  }
  void run() {
    EXPECT_OK(machine->start(core(1), kCode));
    registers.r[15] = kCode;
    EXPECT_OK(machine->setRegisters(core(1), registers));
    status = machine->run({}, reason);
    EXPECT_OK(machine->registers(core(1), registers));
    counters = countersOf(*machine, core(1));
  }
};

} // namespace neuroc::rt::spinn
#endif
