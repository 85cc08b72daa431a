// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rows of the cycle table and the reflection of the timing parameters.
// Sources: the ARM9E family manuals (ARM9EJ-S TRM table 8.2, ARM966E-S TRM);
// for the parameters see their list in TimingParameters.h.

#include "Timing.h"

#include "neuroc/rt/spinn/TimingParameters.h"

#include <cassert>
#include <string>

namespace neuroc::rt::spinn {

static constexpr TimingRow kRows[] = {
    {Timing::Data, "data processing", 1, Late::No, 2},
    {Timing::DataRegisterShift, "data processing, register shift", 2, Late::No,
     2},
    {Timing::CountZeros, "clz", 1, Late::No, 0},
    {Timing::Saturating, "qadd", 1, Late::Multiply, 0},
    {Timing::Multiply16, "smulxy", 1, Late::Multiply16, 0},
    {Timing::MultiplyLong16, "smlalxy", 2, Late::Multiply, 0},
    {Timing::Multiply, "mul", 2, Late::Multiply, 0},
    {Timing::MultiplyFlags, "muls", 4, Late::No, 0},
    {Timing::MultiplyLong, "smull", 3, Late::Multiply, 0},
    {Timing::MultiplyLongFlags, "smulls", 5, Late::No, 0},
    {Timing::Load, "ldr", 1, Late::Word, 4},
    {Timing::LoadNarrow, "ldrb", 1, Late::Narrow, 0},
    {Timing::LoadDouble, "ldrd", 2, Late::Word, 0},
    {Timing::Store, "str", 1, Late::No, 0},
    {Timing::StoreDouble, "strd", 2, Late::No, 0},
    {Timing::LoadMultiple, "ldm", 2, Late::Word, 4},
    {Timing::StoreMultiple, "stm", 2, Late::No, 0},
    {Timing::Swap, "swp", 2, Late::Word, 0},
    {Timing::SwapByte, "swpb", 2, Late::Narrow, 0},
    {Timing::Branch, "b", 3, Late::No, 0},
    {Timing::BranchPrefix, "bl (first half, Thumb)", 1, Late::No, 0},
    {Timing::Exception, "swi", 3, Late::No, 0},
    {Timing::Mrs, "mrs", 2, Late::No, 0},
    {Timing::MsrFlags, "msr (flags)", 1, Late::No, 0},
    {Timing::MsrOther, "msr (other fields)", 3, Late::No, 0},
    {Timing::Mcr, "mcr", 1, Late::No, 0},
    {Timing::Mrc, "mrc", 1, Late::Word, 0},
    {Timing::Preload, "pld", 1, Late::No, 0},
};
static_assert(sizeof(kRows) / sizeof(kRows[0]) == unsigned(Timing::Count));

const TimingRow &timingRow(Timing timing) {
  const TimingRow &row = kRows[unsigned(timing)];
  assert(row.timing == timing && "cycle table out of order");
  return row;
}

static constexpr TimingParameterInfo kParameters[] = {
#define NEUROC_SPINN_INFO(name, value, low, high, unit, basis, text)           \
  {#name, &TimingParameters::name, value, low, high, unit, basis, text},
    NEUROC_SPINN_TIMING_PARAMETERS(NEUROC_SPINN_INFO)
#undef NEUROC_SPINN_INFO
};

std::span<const TimingParameterInfo> timingParameters() { return kParameters; }

static Status unknown(std::string_view name) {
  std::string near;
  for (const TimingParameterInfo &info : kParameters) {
    std::string_view known(info.name);
    if (!name.empty() && known.substr(0, 3) == name.substr(0, 3))
      near += (near.empty() ? "; did you mean " : ", ") + std::string(known);
  }
  return Status(Code::UsageError,
                "no timing parameter '" + std::string(name) + "'" + near);
}

Status TimingParameters::set(std::string_view name, uint32_t value) {
  for (const TimingParameterInfo &info : kParameters)
    if (name == info.name) {
      this->*info.field = value;
      return Status::ok();
    }
  return unknown(name);
}

Status TimingParameters::get(std::string_view name, uint32_t &value) const {
  for (const TimingParameterInfo &info : kParameters)
    if (name == info.name) {
      value = this->*info.field;
      return Status::ok();
    }
  return unknown(name);
}

uint64_t routerWaitCycles(uint8_t code) {
  if (code == 0xff)
    return UINT64_MAX;
  uint64_t mantissa = code & 15, exponent = code >> 4;
  uint64_t sum = mantissa + 16;
  if (exponent <= 4)
    sum -= uint64_t(1) << (4 - exponent);
  return sum << exponent;
}

} // namespace neuroc::rt::spinn
