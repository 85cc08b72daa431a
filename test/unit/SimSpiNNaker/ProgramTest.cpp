// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiled C programs on the simulated core, compared with the host.

#include "Programs/Checksum.h"
#include "Support.h"

using namespace neuroc::rt::spinn;

static void runChecksum(const std::string &name) {
  auto machine = makeMachine();
  ElfImage image;
  ASSERT_OK(machine->loadElf(core(1), armProgram(name), &image));
  ASSERT_OK(machine->start(core(1), image.entry));
  StopReason reason;
  ASSERT_OK(machine->run({}, reason));
  EXPECT_EQ(reason, StopReason::Idle);
  EXPECT_EQ(machine->state(core(1)), CoreState::Halted);
  CoreRegisters registers;
  ASSERT_OK(machine->registers(core(1), registers));
  EXPECT_EQ(registers.r[0], checksum());
}

TEST(SpinnProgram, ChecksumArm) { runChecksum("checksum-arm"); }
TEST(SpinnProgram, ChecksumThumb) { runChecksum("checksum-thumb"); }

TEST(SpinnProgram, SameOnAllCoresAndChips) {
  auto machine = makeMachine(MachineConfig::fourChips());
  std::vector<uint8_t> program = armProgram("checksum-arm");
  ElfImage image;
  for (unsigned c : {0, 5, 17})
    for (unsigned x : {0, 1}) {
      ASSERT_OK(machine->loadElf(core(c, x, 1), program, &image));
      ASSERT_OK(machine->start(core(c, x, 1), image.entry));
    }
  StopReason reason;
  ASSERT_OK(machine->run({}, reason));
  CoreRegisters registers;
  CoreCounters first = countersOf(*machine, core(0, 0, 1));
  uint32_t expected = checksum();
  for (unsigned c : {0, 5, 17})
    for (unsigned x : {0, 1}) {
      ASSERT_OK(machine->registers(core(c, x, 1), registers));
      EXPECT_EQ(registers.r[0], expected);
      EXPECT_EQ(countersOf(*machine, core(c, x, 1)).cycles, first.cycles);
    }
}
