// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Multicast keys, trees and routing tables. No MLIR here.
//
// A key block is what one output of one core share sends: 2^k consecutive keys,
// aligned. Blocks of one source are neighbours, so that their table entries
// merge. Trees are unions of shortest paths over live links; entries that the
// hardware's default route (straight on) makes needless are left out; pairs of
// entries with one route that differ in one key bit are merged. verifyTables
// then follows every key that can be sent through the finished tables.
#ifndef NEUROC_SPINN_MAPPING_ROUTING_H
#define NEUROC_SPINN_MAPPING_ROUTING_H

#include "neuroc/Spinn/Mapping/MachineModel.h"

#include <map>
#include <string>

namespace neuroc::spinn {

struct KeyBlock {
  uint32_t base = 0, mask = 0; ///< (key & mask) == base
};

/// One group per source: how many shares, and how many keys each needs.
struct KeyRequest {
  unsigned shares = 1;
  uint32_t keysPerShare = 1;
};
/// Blocks per group and share; empty if 2^32 keys do not suffice.
std::vector<std::vector<KeyBlock>>
allocateKeys(const std::vector<KeyRequest> &requests);

struct Net {
  KeyBlock keys;
  uint32_t usedKeys = 1; ///< base .. base + usedKeys - 1 are sent
  Place source;
  std::vector<Place> targets; ///< distinct
};

/// Bits 5:0 links, bits 23:6 cores.
struct TableEntry {
  uint32_t key = 0, mask = 0, route = 0;
  bool operator==(const TableEntry &) const = default;
};
using Tables = std::map<Chip, std::vector<TableEntry>>;

struct RoutingStats {
  unsigned treeEntries = 0;     ///< before anything is left out
  unsigned defaultRouted = 0;   ///< left to the default route
  unsigned merged = 0;          ///< saved by merging
  unsigned largestTable = 0;
  uint64_t links = 0;           ///< sum of the trees' links
};

struct RoutingResult {
  Tables tables;
  RoutingStats stats;
  std::string error; ///< empty: all routed and every table fits
};
RoutingResult route(const MachineModel &machine, const std::vector<Net> &nets);

/// Follows every key of every net through the tables as the router would.
/// Returns the first fault in words: a loop, a target that is missed, reached
/// twice or wrong, a key without an entry; or nothing.
std::optional<std::string> verifyTables(const MachineModel &machine,
                                        const std::vector<Net> &nets,
                                        const Tables &tables);

} // namespace neuroc::spinn
#endif // NEUROC_SPINN_MAPPING_ROUTING_H
