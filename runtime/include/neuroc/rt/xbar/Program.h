// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The crossbar part of a compiled program: manifest["program"]. It says what
// to load (tile programs, memory images, weights in arrays) and where each
// named thing lies, so that the engine can serve the host session. This
// comment is the schema; the reader (Program.cpp) is strict: unknown keys,
// values out of range and places outside the machine are errors.
//
// What tile programs must do: initialise, execute `tick`, and each time the
// host lets them go on, carry out the command in the special register
// `command` (0: the tick numbered by the special register `tick`; k > 0: the
// routine of the plasticity with that command) and come back to `tick`.
//
// {
//   "machine":   {…},                a machine file (MachineConfig.h)
//   "programs": [{"tile":0, "member":"xbar/tiles.bin", "offset":0,
//                 "count":120}],     count 64-bit little-endian instructions
//                                    at byte `offset`; tiles may share code
//   "images":   [{"tile":0, "address":64, "member":"xbar/memory.bin",
//                 "offset":0, "count":256}],   count 32-bit words
//   "arrays":   [{"tile":0, "array":0, "slices":4, "row0":0, "col0":0,
//                 "rows":64, "cols":32, "member":"xbar/weights.bin",
//                 "offset":0}],      rows x cols int32 weights, row-major; also
//                                    becomes the window of the bank
//   "keys":     [{"tile":0, "address":8, "stream":"E.noise"}]
//       key blocks {key low, key high} that the engine rewrites when the host
//       gives another seed: neuroc_rt_key(seed, neuroc_rt_stream(stream))
//   "states":   [{"population":"E", "name":"v", VECTOR}],
//   "clamps":   [{"population":"E", "name":"v", "mask":{VECTOR},
//                 "value":{VECTOR}}],  mask word 1: held (mask frac is 0)
//   "stimuli":  [{"name":"x", VECTOR}],         pieces may repeat units: copies
//   "probes":   [{"name":"E_spike", VECTOR}],   order of manifest["probes"]
//   "weights":  [{"name":"W", "count":4096, "pieces":[WEIGHT PIECE…],
//                 "dirty":[PLACE…]}], words set to 1 after a host write
//   "plastics": [{"name":"stdp", "flags":[PLACE…],   1: enabled, 0: not
//                 "command":1}],   activation that runs on_call; 0: none
//   "counters": [{"stat":"spikes", "places":[PLACE…]}]
//       words added to the statistic `stat` after every tick
// }
//
// PLACE   {"tile":0, "address":100}
// VECTOR  "pieces":[{"tile":0, "address":128, "first":0, "count":64,
//                    "stride":1}], "frac":16, "format":"words"|"bits",
//                    "scale":1.0
//   Unit first + i is word address + i * stride, or bit i of the words at
//   address ("bits", stride 1). value = word * 2^-frac * scale. `stride`,
//   `format`, `scale` may be left out. Host writes round to nearest and
//   saturate.
// WEIGHT PIECE, one of
//   memory  {"tile":0, "address":512, "rows":64, "cols":32, "stride":32,
//            "format":"words"|"halves"|"bytes",   packed: stride in words
//            INDEX, SCALE}
//   array   {"tile":0, "array":0, "slices":4, "row0":0, "col0":0, "rows":64,
//            "cols":32, INDEX, SCALE}
//   packed  {"tile":0, "address":512, "rows":1, "cols":100, "stride":100,
//            "format":"high", INDEX, SCALE}     upper halves (see vscatpk)
//   INDEX   stored value of (row, col) is "first" + row * "rowStep" + col *
//           "colStep" — or "indices":{"member":"xbar/index.bin","offset":0}:
//           rows x cols u32, 0xffffffff where there is none
//   SCALE   "scale":0.01 or "columnScales":[…cols numbers]; value = word *
//           scale; "lowest"/"highest": range of words on a host write
// A value may have several places (copies); reads take the first.
#ifndef NEUROC_RT_XBAR_PROGRAM_H
#define NEUROC_RT_XBAR_PROGRAM_H

#include "neuroc/rt/Status.h"
#include "neuroc/rt/xbar/MachineConfig.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace neuroc::rt::xbar {

struct Place {
  uint32_t tile = 0, address = 0;
};
struct MemberRange {
  std::string member;
  uint64_t offset = 0, count = 0;
};
struct TileCode {
  uint32_t tile = 0;
  MemberRange code; ///< count 64-bit words
};
struct Image {
  uint32_t tile = 0, address = 0;
  MemberRange words; ///< count 32-bit words
};
/// A window of a bank of arrays.
struct Bank {
  uint32_t tile = 0, array = 0, slices = 1;
  uint32_t row0 = 0, col0 = 0, rows = 0, cols = 0;
};
struct ArrayImage {
  Bank bank;
  MemberRange weights; ///< rows * cols int32
};
struct Key {
  Place place;
  std::string stream;
};
struct Piece {
  uint32_t tile = 0, address = 0, first = 0, count = 0, stride = 1;
};
/// Values of the units of a signal or state.
struct Vector {
  std::vector<Piece> pieces;
  int frac = 0;
  bool bits = false;
  double scale = 1;
};
struct NamedVector {
  std::string population, name; ///< population only for states
  Vector vector;
};
struct Clamp {
  std::string population, name;
  Vector mask, value;
};
enum class WeightFormat { Words, Halves, Bytes, High, Array };
struct WeightPiece {
  WeightFormat format = WeightFormat::Words;
  Bank bank; ///< tile, rows, cols always; the rest for Array
  uint32_t address = 0, stride = 0;
  uint64_t first = 0;
  int64_t rowStep = 0, colStep = 0;
  bool indexed = false;
  MemberRange indices;        ///< rows * cols u32 when indexed
  std::vector<double> scales; ///< one, or one per column
  int64_t lowest = INT32_MIN, highest = INT32_MAX;
};
struct Weight {
  std::string name;
  uint64_t count = 0;
  std::vector<WeightPiece> pieces;
  std::vector<Place> dirty;
};
struct Plastic {
  std::string name;
  std::vector<Place> flags;
  uint32_t command = 0;
};
struct Counter {
  std::string stat;
  std::vector<Place> places;
};

struct Program {
  MachineConfig machine;
  std::vector<TileCode> programs;
  std::vector<Image> images;
  std::vector<ArrayImage> arrays;
  std::vector<Key> keys;
  std::vector<NamedVector> states, stimuli, probes;
  std::vector<Clamp> clamps;
  std::vector<Weight> weights;
  std::vector<Plastic> plastics;
  std::vector<Counter> counters;
};

/// Reads manifest["program"] (its JSON text). Places are checked against the
/// machine; members are checked when the program is loaded.
/// Errors: InputError with the path of the element.
Status parseProgram(std::string_view text, const std::string &origin,
                    Program &program);

/// The same from the text of a whole manifest, which must be of the target
/// "crossbar".
Status parseManifest(std::string_view manifest, const std::string &origin,
                     Program &program);

} // namespace neuroc::rt::xbar
#endif // NEUROC_RT_XBAR_PROGRAM_H
