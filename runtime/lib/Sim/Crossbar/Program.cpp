// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the crossbar part of a program's manifest (schema: Program.h). Every
// object's keys are checked against a list, every place against the machine.
#include "neuroc/rt/xbar/Program.h"

#include "neuroc/rt/Json.h"

#include <algorithm>
#include <cmath>

namespace neuroc::rt::xbar {
namespace {

/// Bounds that keep a hostile file from asking for absurd amounts of memory.
constexpr int64_t kMaxUnits = int64_t(1) << 27;
constexpr int64_t kMaxSynapses = int64_t(1) << 28;

class Reader {
public:
  Reader(Program &program, Status &status) : program(program), status(status) {}

  void read(const JsonReader &top) {
    if (!keys(top, {"machine", "programs", "images", "arrays", "keys", "states",
                    "clamps", "stimuli", "probes", "weights", "plastics",
                    "counters"}))
      return;
    JsonReader machine = top.at("machine");
    if (status)
      status = parseMachine(dumpJson(machine.json(), -1), machine.path(),
                            program.machine);
    each(top, "programs", [&](const JsonReader &e) {
      keys(e, {"tile", "member", "offset", "count"});
      TileCode code;
      code.tile = tile(e);
      code.code = range(e, 8, 0);
      program.programs.push_back(code);
    });
    each(top, "images", [&](const JsonReader &e) {
      keys(e, {"tile", "address", "member", "offset", "count"});
      Image image;
      image.tile = tile(e);
      image.words = range(e, 4, 0);
      image.address = address(e, image.words.count);
      program.images.push_back(image);
    });
    each(top, "arrays", [&](const JsonReader &e) {
      keys(e, {"tile", "array", "slices", "row0", "col0", "rows", "cols",
               "member", "offset"});
      ArrayImage image;
      image.bank = bank(e);
      image.weights = range(e, 4, uint64_t(image.bank.rows) * image.bank.cols);
      program.arrays.push_back(image);
    });
    each(top, "keys", [&](const JsonReader &e) {
      keys(e, {"tile", "address", "stream"});
      program.keys.push_back({place(e, 2), e.at("stream").string()});
    });
    each(top, "states", [&](const JsonReader &e) {
      keys(e, {"population", "name", "pieces", "frac", "format", "scale"});
      program.states.push_back(
          {e.at("population").string(), e.at("name").string(), vector(e)});
    });
    each(top, "clamps", [&](const JsonReader &e) {
      keys(e, {"population", "name", "mask", "value"});
      const char *inner[] = {"mask", "value"};
      for (const char *part : inner)
        keys(e.at(part), {"pieces", "frac", "format", "scale"});
      program.clamps.push_back({e.at("population").string(),
                                e.at("name").string(), vector(e.at("mask")),
                                vector(e.at("value"))});
    });
    named(top, "stimuli", program.stimuli);
    named(top, "probes", program.probes);
    each(top, "weights", [&](const JsonReader &e) { readWeight(e); });
    each(top, "plastics", [&](const JsonReader &e) {
      keys(e, {"name", "flags", "command"});
      Plastic plastic;
      plastic.name = e.at("name").string();
      plastic.command =
          e.has("command") ? uint32_t(e.at("command").natural(INT32_MAX)) : 0;
      each(e, "flags", [&](const JsonReader &f) {
        keys(f, {"tile", "address"});
        plastic.flags.push_back(place(f, 1));
      });
      program.plastics.push_back(std::move(plastic));
    });
    each(top, "counters", [&](const JsonReader &e) {
      keys(e, {"stat", "places"});
      Counter counter;
      counter.stat = e.at("stat").string();
      each(e, "places", [&](const JsonReader &p) {
        keys(p, {"tile", "address"});
        counter.places.push_back(place(p, 1));
      });
      program.counters.push_back(std::move(counter));
    });
  }

private:
  /// Whether `e` is an object that has only these keys.
  bool keys(const JsonReader &e, const std::vector<std::string> &known) {
    if (!status)
      return false;
    if (!e.isObject()) {
      e.error("expected an object");
      return false;
    }
    for (const auto &[key, value] : e.json().items())
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        e.error("unknown key '" + key + "'" + suggestName(key, known));
        return false;
      }
    return true;
  }
  /// For every element of an array; a missing array is empty.
  template <typename F>
  void each(const JsonReader &e, const char *key, F f) {
    if (!status || !e.has(key))
      return;
    JsonReader list = e.at(key);
    size_t count = list.size();
    for (size_t i = 0; i < count && status; ++i)
      f(list[i]);
  }
  uint32_t tile(const JsonReader &e) {
    return uint32_t(
        e.at("tile").natural(uint64_t(program.machine.tiles() - 1)));
  }
  /// An address with `count` words behind it.
  uint32_t address(const JsonReader &e, uint64_t count) {
    uint64_t size = uint64_t(program.machine.memoryWords);
    uint64_t at = e.at("address").natural(size);
    if (status && count > size - at)
      e.error("words [" + std::to_string(at) + ", " +
              std::to_string(at + count) + ") are outside the tile memory of " +
              std::to_string(size) + " words");
    return uint32_t(at);
  }
  Place place(const JsonReader &e, uint64_t count) {
    uint32_t number = tile(e);
    return {number, address(e, count)};
  }
  /// `count` elements of `bytes` bytes; 0: the element says how many.
  MemberRange range(const JsonReader &e, uint64_t bytes, uint64_t count) {
    MemberRange result;
    result.member = e.at("member").string();
    result.offset = e.at("offset").natural(uint64_t(1) << 48);
    result.count = e.has("count") || !count
                       ? e.at("count").natural(uint64_t(1) << 32)
                       : count;
    if (status && result.offset % bytes)
      e.error("offset must be a multiple of " + std::to_string(bytes));
    return result;
  }
  Bank bank(const JsonReader &e) {
    const MachineConfig &m = program.machine;
    Bank result;
    result.tile = tile(e);
    result.array =
        uint32_t(e.at("array").natural(uint64_t(m.arraysPerTile - 1)));
    auto get = [&](const char *key, uint64_t otherwise, uint64_t most) {
      return e.has(key) ? uint32_t(e.at(key).natural(most))
                        : uint32_t(otherwise);
    };
    uint64_t rows = uint64_t(m.rows), cols = uint64_t(m.signedCols());
    result.slices = get("slices", 1, 15);
    result.row0 = get("row0", 0, rows);
    result.col0 = get("col0", 0, cols);
    result.rows = uint32_t(e.at("rows").natural(rows - result.row0));
    result.cols = uint32_t(e.at("cols").natural(cols - result.col0));
    if (status && (!result.slices ||
                   result.array + result.slices > uint64_t(m.arraysPerTile)))
      e.error("a bank of " + std::to_string(result.slices) +
              " arrays from array " + std::to_string(result.array) +
              " does not fit a tile of " + std::to_string(m.arraysPerTile));
    return result;
  }
  Vector vector(const JsonReader &e) {
    Vector result;
    result.frac = int(e.at("frac").integer(-64, 64));
    std::string format = e.string("format", "words");
    if (status && format != "words" && format != "bits")
      e.error("format must be 'words' or 'bits', got '" + format + "'");
    result.bits = format == "bits";
    result.scale = e.number("scale", 1);
    if (status && result.scale == 0)
      e.error("scale must not be 0");
    if (status && !e.has("pieces"))
      e.at("pieces");
    each(e, "pieces", [&](const JsonReader &p) {
      keys(p, {"tile", "address", "first", "count", "stride"});
      Piece piece;
      piece.tile = tile(p);
      piece.first = uint32_t(p.at("first").natural(kMaxUnits));
      piece.count = uint32_t(p.at("count").natural(kMaxUnits));
      piece.stride =
          p.has("stride") ? uint32_t(p.at("stride").integer(1, kMaxUnits)) : 1;
      if (result.bits && piece.stride != 1)
        p.error("stride must be 1 for bits");
      uint64_t words = 0;
      if (piece.count)
        words = result.bits ? (uint64_t(piece.count) + 31) / 32
                            : uint64_t(piece.count - 1) * piece.stride + 1;
      piece.address = address(p, words);
      result.pieces.push_back(piece);
    });
    return result;
  }
  void named(const JsonReader &top, const char *key,
             std::vector<NamedVector> &list) {
    each(top, key, [&](const JsonReader &e) {
      keys(e, {"name", "pieces", "frac", "format", "scale"});
      list.push_back({"", e.at("name").string(), vector(e)});
    });
  }
  void readWeight(const JsonReader &e) {
    keys(e, {"name", "count", "pieces", "dirty"});
    Weight weight;
    weight.name = e.at("name").string();
    weight.count = e.at("count").natural(kMaxSynapses);
    each(e, "pieces", [&](const JsonReader &p) {
      weight.pieces.push_back(weightPiece(p, weight.count));
    });
    each(e, "dirty", [&](const JsonReader &p) {
      keys(p, {"tile", "address"});
      weight.dirty.push_back(place(p, 1));
    });
    program.weights.push_back(std::move(weight));
  }
  WeightPiece weightPiece(const JsonReader &p, uint64_t total) {
    WeightPiece piece;
    keys(p, {"tile", "address", "rows", "cols", "stride", "format", "array",
             "slices", "row0", "col0", "first", "rowStep", "colStep", "indices",
             "scale", "columnScales", "lowest", "highest"});
    if (p.has("array")) {
      piece.format = WeightFormat::Array;
      piece.bank = bank(p);
    } else {
      std::string format = p.string("format", "words");
      static const std::vector<std::string> formats = {"words", "halves",
                                                       "bytes", "high"};
      auto found = std::find(formats.begin(), formats.end(), format);
      if (status && found == formats.end())
        p.error("unknown format '" + format + "'" +
                suggestName(format, formats));
      piece.format = WeightFormat(found - formats.begin());
      piece.bank.tile = tile(p);
      piece.bank.rows = uint32_t(p.at("rows").natural(1u << 24));
      piece.bank.cols = uint32_t(p.at("cols").natural(1u << 24));
      piece.stride = uint32_t(p.at("stride").natural(1u << 24));
      uint64_t perWord = piece.format == WeightFormat::Halves  ? 2
                         : piece.format == WeightFormat::Bytes ? 4
                                                               : 1;
      uint64_t words = 0, rowWords = (piece.bank.cols + perWord - 1) / perWord;
      if (status && piece.bank.rows > 1 && piece.stride < rowWords)
        p.error("stride must be at least the " + std::to_string(rowWords) +
                " words of a row, got " + std::to_string(piece.stride));
      if (piece.bank.rows && piece.bank.cols)
        words = uint64_t(piece.bank.rows - 1) * piece.stride +
                (piece.bank.cols + perWord - 1) / perWord;
      piece.address = address(p, words);
    }
    if (p.has("indices")) {
      JsonReader list = p.at("indices");
      keys(list, {"member", "offset"});
      piece.indexed = true;
      piece.indices =
          range(list, 4, uint64_t(piece.bank.rows) * piece.bank.cols);
      piece.indices.count = uint64_t(piece.bank.rows) * piece.bank.cols;
    } else {
      piece.first = p.at("first").natural(uint64_t(1) << 40);
      piece.rowStep =
          p.at("rowStep").integer(-(int64_t(1) << 40), int64_t(1) << 40);
      piece.colStep =
          p.at("colStep").integer(-(int64_t(1) << 40), int64_t(1) << 40);
      checkSteps(p, piece, total);
    }
    if (p.has("columnScales")) {
      piece.scales = p.at("columnScales").numbers();
      if (status && piece.scales.size() != piece.bank.cols)
        p.error("columnScales has " + std::to_string(piece.scales.size()) +
                " numbers for " + std::to_string(piece.bank.cols) + " columns");
    } else {
      piece.scales = {p.number("scale", 1)};
    }
    for (double scale : piece.scales)
      if (status && (!std::isfinite(scale) || scale == 0))
        p.error("a scale must be a number other than 0");
    if (p.has("lowest"))
      piece.lowest = p.at("lowest").integer(INT32_MIN, INT32_MAX);
    if (p.has("highest"))
      piece.highest = p.at("highest").integer(piece.lowest, INT32_MAX);
    return piece;
  }
  /// All corners of the rectangle are stored values.
  void checkSteps(const JsonReader &p, const WeightPiece &piece,
                  uint64_t total) {
    if (!status || !piece.bank.rows || !piece.bank.cols)
      return;
    for (int64_t r : {int64_t(0), int64_t(piece.bank.rows) - 1})
      for (int64_t c : {int64_t(0), int64_t(piece.bank.cols) - 1}) {
        __int128 index = __int128(piece.first) + __int128(r) * piece.rowStep +
                         __int128(c) * piece.colStep;
        if (index < 0 || index >= __int128(total))
          p.error("element (" + std::to_string(r) + ", " + std::to_string(c) +
                  ") is not one of the " + std::to_string(total) +
                  " stored values");
      }
  }

  Program &program;
  Status &status;
};

} // namespace

Status parseProgram(std::string_view text, const std::string &origin,
                    Program &program) {
  Json json;
  if (Status status = parseJson(text, origin, json); !status)
    return status;
  Status status;
  Program result;
  Reader(result, status).read(JsonReader(json, origin, status));
  if (!status)
    return status;
  program = std::move(result);
  return Status::ok();
}

Status parseManifest(std::string_view manifest, const std::string &origin,
                     Program &program) {
  Json json;
  if (Status status = parseJson(manifest, origin, json); !status)
    return status;
  Status status;
  JsonReader top(json, origin, status);
  std::string target = top.string("target", "");
  JsonReader part = top.at("program");
  if (status && target != "crossbar")
    top.error("is a program for '" + target + "', not for 'crossbar'");
  if (!status)
    return status;
  return parseProgram(dumpJson(part.json(), -1), part.path(), program);
}

} // namespace neuroc::rt::xbar
