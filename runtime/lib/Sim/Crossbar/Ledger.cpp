// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Energy from event counts, and the names of counters. Energies are model
// values: a count times the machine file's picojoules per event.
#include "neuroc/rt/xbar/Machine.h"

namespace neuroc::rt::xbar {

std::string_view stallName(Stall stall) {
  static constexpr std::string_view names[kStalls] = {
      "register", "range",   "vector", "array",   "port",  "message",
      "event",    "counted", "host",   "barrier", "branch"};
  return names[unsigned(stall)];
}

std::string_view componentName(Component component) {
  static constexpr std::string_view names[kComponents] = {
      "cells",       "drivers", "sample_hold", "adc",    "shift_add",
      "programming", "vector",  "memory",      "scalar", "fetch",
      "network",     "host",    "leakage"};
  return names[unsigned(component)];
}

double Counters::energy(Component component, const MachineConfig &m) const {
  double pj = 0;
  switch (component) {
  case Component::Cells:
    pj = double(cellUnits) * m.eCell;
    break;
  case Component::Drivers:
    pj = double(drivenLines) * m.eDriver;
    break;
  case Component::SampleHold:
    pj = double(conversions) * m.eSample;
    break;
  case Component::Adc:
    pj = double(conversions) * m.eAdc;
    break;
  case Component::ShiftAdd:
    pj = double(conversions) * m.eShiftAdd;
    break;
  case Component::Programming:
    pj = double(pulses) * m.ePulse;
    break;
  case Component::Vector:
    pj = double(vectorSimple) * m.eVector + double(vectorMul) * m.eMul +
         double(vectorDiv) * m.eDiv + double(vectorLut) * m.eLut +
         double(vectorRandom) * m.eRandom;
    break;
  case Component::Memory:
    pj = double(memoryWords) * m.eMemory;
    break;
  case Component::Scalar:
    pj = double(scalars) * m.eScalar;
    break;
  case Component::Fetch:
    pj = double(instructions) * m.eFetch;
    break;
  case Component::Network:
    pj = double(flitHops) * m.eHop;
    break;
  case Component::Host:
    pj = double(hostWords) * m.eHost;
    break;
  case Component::Leakage:
    pj = double(tileCycles) * m.eLeak;
    break;
  }
  return pj * 1e-12;
}

double Counters::energy(const MachineConfig &machine) const {
  double total = 0;
  for (unsigned i = 0; i < kComponents; ++i)
    total += energy(Component(i), machine);
  return total;
}

} // namespace neuroc::rt::xbar
