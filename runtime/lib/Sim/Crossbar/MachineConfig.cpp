// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Machine descriptions: the table of parameters, the presets, and the reader
// and writer of machine files. The reader starts from a preset ("base") and
// replaces what the file gives; unknown sections and keys, wrong types and
// values out of range are errors that name the place.
#include "neuroc/rt/xbar/MachineConfig.h"

#include "neuroc/rt/Container.h"
#include "neuroc/rt/Json.h"

#include <cmath>

namespace neuroc::rt::xbar {
namespace {

using M = MachineConfig;

/// One parameter: where it is in the file and in the struct.
struct Row {
  MachineParameter doc;
  int64_t M::*whole = nullptr;
  double M::*real = nullptr;
};
constexpr Row row(std::string_view section, std::string_view key,
                  int64_t M::*member, double least, double most,
                  std::string_view meaning) {
  return {{section, key, meaning, least, most, true}, member, nullptr};
}
constexpr Row row(std::string_view section, std::string_view key,
                  double M::*member, double least, double most,
                  std::string_view meaning) {
  return {{section, key, meaning, least, most, false}, nullptr, member};
}

constexpr Row kRows[] = {
    row("mesh", "x", &M::meshX, 1, 64, "tiles in a row of the mesh"),
    row("mesh", "y", &M::meshY, 1, 64, "rows of the mesh"),
    row("tile", "arrays", &M::arraysPerTile, 1, 256, "arrays of a tile"),
    row("tile", "memory_words", &M::memoryWords, 256, 1 << 24,
        "32-bit words of tile memory"),
    row("tile", "program_words", &M::programWords, 16, 1 << 20,
        "64-bit instructions of program memory"),
    row("tile", "lanes", &M::lanes, 1, 1024,
        "elements per cycle of the vector unit"),
    row("array", "rows", &M::rows, 2, 1024, "rows of cells"),
    row("array", "cols", &M::cols, 2, 1024,
        "columns of cells (even); two adjacent ones make a signed column"),
    row("array", "cell_bits", &M::cellBits, 1, 8,
        "a cell has 2^cell_bits levels"),
    row("array", "adc_bits", &M::adcBits, 2, 24,
        "bits of a converter's signed code"),
    row("array", "cols_per_adc", &M::colsPerAdc, 1, 512,
        "signed columns that share a converter"),
    row("timing", "clock_mhz", &M::clockMHz, 1, 1e5, "clock, MHz"),
    row("timing", "array", &M::tArray, 1, 1e6,
        "cycles to drive and settle an array, one phase"),
    row("timing", "adc", &M::tAdc, 1, 1e6, "cycles of one conversion"),
    row("timing", "pipeline_fill", &M::pipelineFill, 0, 100,
        "phases between the first drive and the first result"),
    row("timing", "pulse", &M::tPulse, 1, 1e9,
        "cycles of one programming pulse on a row"),
    row("timing", "verify", &M::tVerify, 0, 1e9,
        "cycles to read a row while programming it"),
    row("timing", "vector_start", &M::vectorStart, 0, 1000,
        "latency of the vector pipeline, cycles"),
    row("timing", "mul", &M::mulCost, 1, 1000, "cycles per `lanes` products"),
    row("timing", "div", &M::divCost, 1, 1000,
        "cycles per `lanes` quotients, remainders or square roots"),
    row("timing", "lut", &M::lutCost, 1, 1000,
        "cycles per `lanes` table look-ups"),
    row("timing", "random", &M::randomCost, 1, 1000,
        "cycles per `lanes` random words"),
    row("timing", "indexed", &M::indexedCost, 1, 1000,
        "cycles per `lanes` elements of gather and scatter"),
    row("timing", "memory_latency", &M::memoryLatency, 1, 1000,
        "cycles from a scalar load to its use"),
    row("timing", "memory_words_per_cycle", &M::memoryWordsPerCycle, 1, 1024,
        "words per cycle between memory and drivers, or the network"),
    row("timing", "branch_penalty", &M::branchPenalty, 0, 100,
        "cycles lost by a taken branch"),
    row("timing", "flit_words", &M::flitWords, 1, 64, "words of a flit"),
    row("timing", "header_flits", &M::headerFlits, 0, 16,
        "flits before the words of a message"),
    row("timing", "hop", &M::hopCycles, 1, 1000,
        "cycles of a message's head through router and link"),
    row("timing", "barrier", &M::barrierCycles, 1, 1e6,
        "cycles from the last arrival at a barrier to its release"),
    row("timing", "host", &M::hostCycles, 1, 1e9,
        "latency of the host mailbox, cycles"),
    row("timing", "host_words_per_cycle", &M::hostWordsPerCycle, 1, 1024,
        "words per cycle to and from the host"),
    row("energy_pj", "cell", &M::eCell, 0, 1e9,
        "one unit of level, driven for one phase"),
    row("energy_pj", "driver", &M::eDriver, 0, 1e9,
        "one driven line for one phase"),
    row("energy_pj", "sample", &M::eSample, 0, 1e9,
        "sample and hold, per conversion"),
    row("energy_pj", "adc", &M::eAdc, 0, 1e9, "one conversion"),
    row("energy_pj", "shift_add", &M::eShiftAdd, 0, 1e9,
        "shift and add, per conversion"),
    row("energy_pj", "pulse", &M::ePulse, 0, 1e9,
        "one programming pulse on one cell"),
    row("energy_pj", "vector", &M::eVector, 0, 1e9,
        "one simple vector element"),
    row("energy_pj", "mul", &M::eMul, 0, 1e9, "one product"),
    row("energy_pj", "div", &M::eDiv, 0, 1e9,
        "one quotient, remainder or square root"),
    row("energy_pj", "lut", &M::eLut, 0, 1e9, "one table look-up"),
    row("energy_pj", "random", &M::eRandom, 0, 1e9, "one random word"),
    row("energy_pj", "memory", &M::eMemory, 0, 1e9,
        "one word of tile memory read or written"),
    row("energy_pj", "scalar", &M::eScalar, 0, 1e9,
        "one scalar or control instruction"),
    row("energy_pj", "fetch", &M::eFetch, 0, 1e9,
        "one instruction fetched and decoded"),
    row("energy_pj", "hop", &M::eHop, 0, 1e9,
        "one flit through one router and link"),
    row("energy_pj", "host", &M::eHost, 0, 1e9, "one word to or from the host"),
    row("energy_pj", "leak", &M::eLeak, 0, 1e9, "one tile for one cycle"),
    row("noise", "program", &M::programNoise, 0, 1e3,
        "standard deviation of a programmed cell, in levels (0: none)"),
    row("noise", "read", &M::readNoise, 0, 1e3,
        "standard deviation of a fully conducting cell's current at each "
        "phase, in levels (0: none)"),
    row("noise", "seed", &M::noiseSeed, 0, 1e15, "seed of both"),
};

const std::vector<std::pair<MachineConfig, std::string>> &presets() {
  static const auto list = [] {
    std::vector<std::pair<MachineConfig, std::string>> all;
    MachineConfig generic;
    all.push_back({generic, "64 tiles of 8 arrays 128x128, 2-bit cells, 8-bit "
                            "converters shared by 8 columns, 1 GHz"});
    MachineConfig large = generic;
    large.name = "generic-128-large";
    large.meshX = large.meshY = 16;
    large.arraysPerTile = 16;
    large.eLeak = 25.6;
    all.push_back({large, "as generic-128 with 256 tiles of 16 arrays"});
    // Array, converter and bus figures of the published PUMA model: 128x128
    // 2-bit cells, 18 stages of 100 ns for a 16-bit product, 1 ADC per array,
    // 1 word per cycle of the vector unit.
    MachineConfig puma = generic;
    puma.name = "puma-like";
    puma.meshX = puma.meshY = 12;
    puma.arraysPerTile = 128;
    puma.tArray = 100;
    puma.colsPerAdc = 64;
    puma.lanes = 8;
    puma.eAdc = 1.4;
    puma.eLeak = 25.6;
    all.push_back({puma, "144 tiles of 128 arrays, one converter per array "
                         "read in 100 ns, after PUMA (ASPLOS 2019)"});
    // Offset encoding of ISAAC is replaced by pairs; sizes and rates are kept.
    MachineConfig isaac = generic;
    isaac.name = "isaac-like";
    isaac.meshX = 14;
    isaac.meshY = 12;
    isaac.arraysPerTile = 96;
    isaac.tArray = 100;
    isaac.colsPerAdc = 64;
    isaac.lanes = 12;
    isaac.eLeak = 19.2;
    all.push_back({isaac, "168 tiles of 96 arrays, one 1.28 GS/s converter "
                          "per array, after ISAAC (ISCA 2016)"});
    return all;
  }();
  return list;
}

Status checkMachine(const MachineConfig &m, const std::string &origin) {
  if (m.cols % 2)
    return {Code::InputError,
            origin + ".array.cols: must be even (pairs of columns), got " +
                std::to_string(m.cols)};
  return Status::ok();
}

bool findPreset(std::string_view name, MachineConfig &machine) {
  for (const auto &[preset, text] : presets())
    if (preset.name == name) {
      machine = preset;
      return true;
    }
  return false;
}

std::vector<std::string> presetNames() {
  std::vector<std::string> names;
  for (const auto &[preset, text] : presets())
    names.push_back(preset.name);
  return names;
}

/// Whole numbers without a decimal point, others in full precision.
Json numberToJson(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15)
    return Json(int64_t(value));
  return Json(value);
}

} // namespace

std::span<const MachineParameter> machineParameters() {
  static const auto list = [] {
    std::vector<MachineParameter> all;
    for (const Row &row : kRows)
      all.push_back(row.doc);
    return all;
  }();
  return list;
}

std::vector<std::pair<std::string, std::string>> machinePresets() {
  std::vector<std::pair<std::string, std::string>> list;
  for (const auto &[preset, text] : presets())
    list.push_back({preset.name, text});
  return list;
}

Status parseMachine(std::string_view text, const std::string &origin,
                    MachineConfig &machine) {
  Json json;
  if (Status status = parseJson(text, origin, json); !status)
    return status;
  Status status;
  JsonReader top(json, origin, status);
  if (!top.isObject()) {
    top.error("expected an object");
    return status;
  }
  MachineConfig result;
  std::string base = top.string("base", result.name);
  if (status && !findPreset(base, result))
    return {Code::InputError, origin + ".base: no preset '" + base + "'" +
                                  suggestName(base, presetNames())};
  result.name = top.string("name", result.name);
  std::vector<std::string> sections = {"base", "name"};
  for (const Row &row : kRows)
    if (sections.back() != row.doc.section)
      sections.emplace_back(row.doc.section);
  for (const auto &[section, value] : json.items()) {
    if (section == "base" || section == "name")
      continue;
    std::vector<std::string> keys;
    for (const Row &row : kRows)
      if (row.doc.section == section)
        keys.emplace_back(row.doc.key);
    if (keys.empty())
      return {Code::InputError, origin + ": unknown section '" + section + "'" +
                                    suggestName(section, sections)};
    JsonReader group(value, origin + "." + section, status);
    if (!group.isObject()) {
      group.error("expected an object");
      return status;
    }
    for (const auto &[key, ignored] : value.items()) {
      const Row *found = nullptr;
      for (const Row &row : kRows)
        if (row.doc.section == section && row.doc.key == key)
          found = &row;
      if (!found)
        return {Code::InputError, group.path() + ": unknown parameter '" + key +
                                      "'" + suggestName(key, keys)};
      JsonReader item = group.at(key.c_str());
      double number =
          found->whole
              ? double(item.integer(-(int64_t(1) << 53), int64_t(1) << 53))
              : item.number();
      if (!status)
        return status;
      if (number < found->doc.least || number > found->doc.most) {
        item.error("must be in [" + numberToJson(found->doc.least).dump() +
                   ", " + numberToJson(found->doc.most).dump() + "], got " +
                   numberToJson(number).dump());
        return status;
      }
      if (found->whole)
        result.*found->whole = int64_t(number);
      else
        result.*found->real = number;
    }
  }
  if (!status)
    return status;
  if (Status bad = checkMachine(result, origin); !bad)
    return bad;
  machine = std::move(result);
  return Status::ok();
}

Status loadMachine(const std::string &nameOrPath, MachineConfig &machine) {
  if (nameOrPath.empty()) {
    machine = MachineConfig();
    return Status::ok();
  }
  if (findPreset(nameOrPath, machine))
    return Status::ok();
  bool looksLikePath = nameOrPath.find('/') != std::string::npos ||
                       nameOrPath.ends_with(".json");
  if (!looksLikePath)
    return {Code::UsageError, "no crossbar machine '" + nameOrPath + "'" +
                                  suggestName(nameOrPath, presetNames()) +
                                  " (a machine file ends in .json)"};
  std::string text;
  if (Status status = readFile(nameOrPath, text); !status)
    return status;
  return parseMachine(text, nameOrPath, machine);
}

std::string machineToJson(const MachineConfig &machine, int indent) {
  Json json = Json::object();
  json["name"] = machine.name;
  for (const Row &row : kRows)
    json[std::string(row.doc.section)][std::string(row.doc.key)] =
        row.whole ? Json(machine.*row.whole) : numberToJson(machine.*row.real);
  return dumpJson(json, indent);
}

} // namespace neuroc::rt::xbar
