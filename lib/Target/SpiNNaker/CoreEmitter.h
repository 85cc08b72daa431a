// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The LLVM module of one core image: arrays for states, parameters, arriving
// values, weights and rings, and the functions that CoreAbi.h asks generated
// code to provide. One image serves all shares of a node; what differs from
// core to core (unit range, keys, tables, initial values) is data that is put
// into the image's arrays by symbol name.
#ifndef NEUROC_LIB_TARGET_SPINNAKER_COREEMITTER_H
#define NEUROC_LIB_TARGET_SPINNAKER_COREEMITTER_H

#include "FixedEmitter.h"

#include "neuroc/Spinn/Mapping/Plan.h"

#include <set>

namespace neuroc::spinn {

/// Formats by owner, kind and name, from the `spinn.format` operations.
class FormatTable {
public:
  explicit FormatTable(MappingOp mapping);
  Format get(llvm::StringRef owner, llvm::StringRef kind,
             llvm::StringRef name) const;
  /// Of what a source sends (spikes: whole numbers 0 and 1).
  Format ofSource(const Plan &plan, const Source &source) const;
  bool isProved(llvm::StringRef owner, llvm::StringRef kind,
                llvm::StringRef name) const;

private:
  struct Entry {
    Format format;
    bool proved;
  };
  std::map<std::string, Entry> entries;
};

/// A recorded item of a node, in the order of the image's record table.
struct RecordItem {
  unsigned probe = 0; ///< number in the program's list
  bool isSpikes = false;
  bool isState = false;
  unsigned output = 0;  ///< of the node, unless a state
  std::string variable; ///< if a state
  int64_t every = 1;
  bool clears = false; ///< last record of its bit map
};

/// A feed whose synapses are kept as an array on the core.
struct WeightBlock {
  const Feed *feed = nullptr;
  unsigned number = 0;
  int64_t columns = 0; ///< Dense: units of the source
  bool isMasked = false;  ///< Dense and learning: absent pairs are skipped
  bool isConvolution = false; ///< Gather: taps name entries of the kernel
  int64_t entries = 0; ///< weights held by the largest share
  int64_t taps = 0;    ///< Gather: synapses of the largest share
  std::vector<std::string> stateNames; ///< of the rule, per synapse
  std::string name(llvm::StringRef what) const {
    return (what + "_" + llvm::Twine(number)).str();
  }
};

/// Everything that shapes an image.
struct ImageSpec {
  const Plan *plan = nullptr;
  const Node *node = nullptr;
  const FormatTable *formats = nullptr;
  int64_t maxUnits = 0; ///< largest share
  bool isExternal = false;
  std::vector<Listening> listening;
  std::vector<int64_t> arraySize; ///< per listening: units of the array
  int64_t sourceEntries = 1;      ///< largest table
  int64_t indexWords = 1;         ///< largest row index
  RingShape ring;
  std::vector<int> ringFrac;     ///< per port (unused where no rows)
  std::vector<int> ringSection;  ///< per port, -1: none
  std::vector<WeightBlock> blocks;
  std::vector<RecordItem> records;
  std::set<std::string> clamped; ///< states that the experiment clamps
  std::vector<bool> isSent;      ///< per output: some share has keys for it
  uint64_t seed = 0;
  double dt = 1;

  /// Word numbers in the array "share".
  static constexpr unsigned kUnits = 0, kFirst = 1, kEvents = 2, kKeys = 3;
  /// In place of the key of an output that nobody listens to.
  static constexpr uint32_t kNoKey = 0xffffffffu;
  unsigned lowWord(unsigned listening) const {
    return kKeys + node->outputs.size() + listening;
  }
  unsigned externalWord(unsigned block) const {
    return kKeys + node->outputs.size() + this->listening.size() + block;
  }
  unsigned shareWords() const {
    return kKeys + node->outputs.size() + listening.size() + blocks.size();
  }
  /// The listening entry that keeps values (or flags) of a source.
  unsigned listeningOf(unsigned source) const;
  /// Slots of the history of a listening entry; 0: none is kept.
  int64_t historySlots(unsigned listening) const;
};

/// Builds the module. Errors are diagnostics at the operation at fault.
mlir::LogicalResult emitCore(const ImageSpec &spec, llvm::Module &module);

} // namespace neuroc::spinn
#endif // NEUROC_LIB_TARGET_SPINNAKER_COREEMITTER_H
