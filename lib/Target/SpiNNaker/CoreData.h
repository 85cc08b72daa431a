// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The data of each core: what goes into the arrays of its image and into its
// share of SDRAM, and where the engine finds states, weights and records.
#ifndef NEUROC_LIB_TARGET_SPINNAKER_COREDATA_H
#define NEUROC_LIB_TARGET_SPINNAKER_COREDATA_H

#include "CoreEmitter.h"
#include "Link.h"

#include "neuroc/Spinn/Mapping/MachineModel.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"

namespace neuroc::spinn {

/// A share as the mapping has it, with its keys.
struct Share {
  mutable CoreOp op;
  unsigned node = 0;
  int64_t first = 0, count = 0;
  Place place;
  std::vector<std::pair<uint32_t, uint32_t>> keys; ///< base, mask by output
};

/// Reads shares, keys and listeners out of a mapping.
class MappedNetwork {
public:
  MappedNetwork(MappingOp mapping, const Plan &plan);

  MappingOp mapping;
  const Plan &plan;
  std::vector<Share> shares;
  std::vector<std::vector<unsigned>> sharesOfNode;
  /// For a share and a listening entry of its node: the shares it hears.
  std::vector<unsigned> heardBy(unsigned share, const Listening &entry) const;
  unsigned shareOfUnit(unsigned node, int64_t unit) const;

private:
  std::map<std::tuple<unsigned, unsigned, int64_t, int>, bool> edges;
};

/// Words at an address of a core (DTCM) or its chip (SDRAM).
struct Segment {
  uint32_t address = 0;
  std::vector<uint32_t> words;
};

/// Hands out SDRAM of the chips.
class SdramAllocator {
public:
  explicit SdramAllocator(uint32_t bytes) : bytes(bytes) {}
  /// Nothing where the chip is full.
  std::optional<uint32_t> allocate(Chip chip, int64_t words);

private:
  uint32_t bytes;
  std::map<Chip, uint32_t> used;
};

/// A node's image and its parts of the manifest.
struct BuiltImage {
  ImageSpec spec;
  LinkedImage image;
};

/// What the manifest's lists collect while cores are filled.
struct ProgramParts {
  /// pieces of states, stimuli, weights and probes, by name
  std::map<std::string, llvm::json::Array> statePieces, stimulusPieces,
      weightPieces, probePieces;
  /// binary members: lists of (value number, address)
  std::map<std::string, std::string> members;
};

/// Shapes the image of a node from its shares. Errors: diagnostics.
mlir::FailureOr<ImageSpec> shapeImage(const MappedNetwork &network,
                                      unsigned node, const FormatTable &formats,
                                      std::vector<RecordItem> records,
                                      std::set<std::string> clamped);

/// Fills the data of one share. Errors: diagnostics, with `doesNotFit` set
/// where memory is short.
class CoreFiller {
public:
  CoreFiller(const MappedNetwork &network, SdramAllocator &sdram,
             ProgramParts &parts)
      : network(network), sdram(sdram), parts(parts) {}
  mlir::FailureOr<std::vector<Segment>>
  fill(unsigned share, const BuiltImage &built, unsigned coreNumber);
  bool doesNotFit = false;

private:
  uint32_t symbol(const BuiltImage &built, const std::string &name) const;
  void put(const BuiltImage &built, const std::string &name,
           std::vector<uint32_t> words);
  mlir::FailureOr<uint32_t> putSdram(std::vector<uint32_t> words);
  void fillUnits(const BuiltImage &built);
  mlir::LogicalResult fillBlocks(const BuiltImage &built,
                                 std::vector<uint32_t> &shareWords);
  mlir::LogicalResult fillDense(const BuiltImage &built,
                                const WeightBlock &block,
                                std::vector<uint32_t> &shareWords);
  mlir::LogicalResult fillGather(const BuiltImage &built,
                                 const WeightBlock &block);
  mlir::LogicalResult fillSources(const BuiltImage &built,
                                  std::vector<uint32_t> &control);
  mlir::LogicalResult fillRecords(const BuiltImage &built);
  mlir::LogicalResult
  makeRows(const BuiltImage &built, const Feed &feed, unsigned port,
           const Share &origin, std::vector<std::vector<uint32_t>> &rows,
           std::vector<std::pair<uint32_t, uint32_t>> &places);
  unsigned readingLevel(const Node &node, const Port &port) const;

  const MappedNetwork &network;
  SdramAllocator &sdram;
  ProgramParts &parts;
  const Share *share = nullptr;
  unsigned shareIndex = 0, coreNumber = 0;
  std::vector<Segment> segments;
};

/// Under which name a state of a plastic's synapses stands among the weights:
/// no symbol has a slash.
inline std::string synapseStateKey(neuro::PlasticOp plastic,
                                   llvm::StringRef state) {
  return (plastic.getSymName() + "/" + state).str();
}

/// A symbol as a part of a member's name: `h[0]` becomes `h_0_`.
inline std::string memberPart(llvm::StringRef symbol) {
  std::string part = symbol.str();
  for (char &c : part)
    if (!llvm::isAlnum(c) && !llvm::is_contained({'.', '_', '-', '+', '/'}, c))
      c = '_';
  return part;
}

/// Number as a fixed-point word, rounded and clipped.
uint32_t toWord(double value, int frac);

} // namespace neuroc::spinn
#endif // NEUROC_LIB_TARGET_SPINNAKER_COREDATA_H
