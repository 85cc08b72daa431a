// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Key allocation, shortest-path multicast trees, table generation with default
// routes and merging, and the exhaustive check. Everything is deterministic.
#include "neuroc/Spinn/Mapping/Routing.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <deque>
#include <numeric>

using namespace neuroc::spinn;

static std::string text(const Chip &chip) {
  return "(" + std::to_string(chip.x) + ", " + std::to_string(chip.y) + ")";
}
static std::string text(const Place &place) {
  return text(place.chip) + " core " + std::to_string(place.core);
}
static std::string hex(uint32_t key) {
  char buffer[16];
  std::snprintf(buffer, sizeof buffer, "0x%08x", key);
  return buffer;
}

std::vector<std::vector<KeyBlock>>
neuroc::spinn::allocateKeys(const std::vector<KeyRequest> &requests) {
  std::vector<std::vector<KeyBlock>> blocks(requests.size());
  std::vector<size_t> order(requests.size());
  std::iota(order.begin(), order.end(), 0);
  auto spanOf = [](const KeyRequest &r) {
    return std::bit_ceil<uint64_t>(std::max<uint32_t>(r.keysPerShare, 1));
  };
  auto groupOf = [&](const KeyRequest &r) {
    return spanOf(r) * std::bit_ceil<uint64_t>(std::max(r.shares, 1u));
  };
  // Large groups first: then every group is aligned without gaps.
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return groupOf(requests[a]) > groupOf(requests[b]);
  });
  uint64_t next = 0;
  for (size_t index : order) {
    uint64_t span = spanOf(requests[index]), group = groupOf(requests[index]);
    if (next + group > (uint64_t(1) << 32))
      return {};
    for (unsigned i = 0; i < requests[index].shares; ++i)
      blocks[index].push_back(
          {static_cast<uint32_t>(next + i * span),
           static_cast<uint32_t>(~(span - 1))});
    next += group;
  }
  return blocks;
}

namespace {

/// The multicast tree of a net: for each chip on it, its outgoing links, target
/// cores, and the link by which packets arrive (kLinks at the root).
struct TreeNode {
  uint32_t route = 0;
  unsigned arrival = kLinks;
};
using Tree = std::map<Chip, TreeNode>;

/// Breadth-first tree over live links from `root`: parent link of each chip.
/// Among equally short paths the one that goes straight on is preferred.
std::map<Chip, std::pair<Chip, unsigned>> shortestPaths(const MachineModel &m,
                                                        Chip root) {
  std::map<Chip, std::pair<Chip, unsigned>> parent;
  std::map<Chip, unsigned> distance{{root, 0}};
  std::deque<Chip> queue{root};
  while (!queue.empty()) {
    Chip chip = queue.front();
    queue.pop_front();
    for (unsigned link = 0; link < kLinks; ++link) {
      std::optional<Chip> next = m.neighbour(chip, link);
      if (!next || *next == root)
        continue;
      auto [it, isNew] = distance.insert({*next, distance[chip] + 1});
      if (isNew) {
        parent[*next] = {chip, link};
        queue.push_back(*next);
      } else if (it->second == distance[chip] + 1 && chip != root &&
                 parent[chip].second == link) {
        parent[*next] = {chip, link};
      }
    }
  }
  return parent;
}

bool buildTree(const MachineModel &machine, const Net &net, Tree &tree,
               RoutingResult &result) {
  auto parent = shortestPaths(machine, net.source.chip);
  tree[net.source.chip];
  for (const Place &target : net.targets) {
    Chip chip = target.chip;
    if (chip != net.source.chip && !parent.count(chip)) {
      result.error = "no live path from " + text(net.source) + " to " +
                     text(target);
      return false;
    }
    tree[chip].route |= 1u << (6 + target.core);
    while (chip != net.source.chip) {
      auto [from, link] = parent[chip];
      tree[chip].arrival = (link + 3) % kLinks;
      TreeNode &node = tree[from];
      bool known = node.route >> link & 1;
      node.route |= 1u << link;
      if (known)
        break;
      ++result.stats.links;
      chip = from;
    }
  }
  return true;
}

/// Merges pairs with one route and mask whose keys differ in a single bit.
void mergeEntries(std::vector<TableEntry> &table, unsigned &merged) {
  for (bool changed = true; changed;) {
    changed = false;
    std::map<std::tuple<uint32_t, uint32_t, uint32_t>, size_t> index;
    for (size_t i = 0; i < table.size(); ++i)
      index[{table[i].route, table[i].mask, table[i].key}] = i;
    std::vector<bool> dead(table.size());
    for (size_t i = 0; i < table.size(); ++i) {
      if (dead[i])
        continue;
      for (unsigned bit = 0; bit < 32; ++bit) {
        uint32_t flag = 1u << bit;
        if (!(table[i].mask & flag) || (table[i].key & flag))
          continue;
        auto it = index.find({table[i].route, table[i].mask,
                              table[i].key | flag});
        if (it == index.end() || dead[it->second] || it->second == i)
          continue;
        dead[it->second] = true;
        dead[i] = true;
        table.push_back({table[i].key, table[i].mask & ~flag, table[i].route});
        dead.push_back(false);
        ++merged;
        changed = true;
        break;
      }
    }
    std::vector<TableEntry> kept;
    for (size_t i = 0; i < table.size(); ++i)
      if (!dead[i])
        kept.push_back(table[i]);
    table = std::move(kept);
  }
  std::sort(table.begin(), table.end(),
            [](const TableEntry &a, const TableEntry &b) {
              return std::tie(a.key, a.mask) < std::tie(b.key, b.mask);
            });
}

} // namespace

RoutingResult neuroc::spinn::route(const MachineModel &machine,
                                   const std::vector<Net> &nets) {
  RoutingResult result;
  for (const Net &net : nets) {
    if (net.targets.empty())
      continue;
    Tree tree;
    if (!buildTree(machine, net, tree, result))
      return result;
    for (const auto &[chip, node] : tree) {
      ++result.stats.treeEntries;
      bool straight = node.arrival != kLinks &&
                      node.route == 1u << (node.arrival + 3) % kLinks;
      if (straight) {
        ++result.stats.defaultRouted;
        continue;
      }
      result.tables[chip].push_back({net.keys.base, net.keys.mask, node.route});
    }
  }
  for (auto &[chip, table] : result.tables) {
    mergeEntries(table, result.stats.merged);
    result.stats.largestTable = std::max(
        result.stats.largestTable, static_cast<unsigned>(table.size()));
    if (table.size() > kTableEntries) {
      result.error = "routing table of chip " + text(chip) + " needs " +
                     std::to_string(table.size()) + " entries but has " +
                     std::to_string(kTableEntries);
      return result;
    }
  }
  return result;
}

std::optional<std::string>
neuroc::spinn::verifyTables(const MachineModel &machine,
                            const std::vector<Net> &nets,
                            const Tables &tables) {
  struct Hop {
    Chip chip;
    unsigned arrival;
  };
  for (const Net &net : nets) {
    std::set<Place> wanted(net.targets.begin(), net.targets.end());
    if (wanted.empty())
      continue;
    for (uint32_t i = 0; i < net.usedKeys; ++i) {
      uint32_t key = net.keys.base + i;
      std::set<Place> reached;
      std::set<std::pair<Chip, unsigned>> seen;
      std::deque<Hop> queue{{net.source.chip, kLinks}};
      while (!queue.empty()) {
        Hop hop = queue.front();
        queue.pop_front();
        if (!seen.insert({hop.chip, hop.arrival}).second)
          return "key " + hex(key) + " runs in a loop through chip " +
                 text(hop.chip);
        uint32_t out = 0;
        bool found = false;
        if (auto it = tables.find(hop.chip); it != tables.end())
          for (const TableEntry &entry : it->second)
            if ((key & entry.mask) == entry.key) {
              out = entry.route;
              found = true;
              break;
            }
        if (!found) {
          if (hop.arrival == kLinks)
            return "key " + hex(key) + " of " + text(net.source) +
                   " has no entry on its own chip";
          out = 1u << (hop.arrival + 3) % kLinks;
        }
        for (unsigned core = 0; core < 18; ++core) {
          if (!(out >> (6 + core) & 1))
            continue;
          Place place{hop.chip, core};
          if (!wanted.count(place))
            return "key " + hex(key) + " of " + text(net.source) +
                   " reaches " + text(place) + ", which did not ask for it";
          if (!reached.insert(place).second)
            return "key " + hex(key) + " reaches " + text(place) + " twice";
        }
        for (unsigned link = 0; link < kLinks; ++link) {
          if (!(out >> link & 1))
            continue;
          std::optional<Chip> next = machine.neighbour(hop.chip, link);
          if (!next)
            return "key " + hex(key) + " leaves chip " + text(hop.chip) +
                   " by dead link " + std::to_string(link);
          queue.push_back({*next, (link + 3) % kLinks});
        }
      }
      for (const Place &place : wanted)
        if (!reached.count(place))
          return "key " + hex(key) + " of " + text(net.source) +
                 " does not reach " + text(place);
    }
  }
  return std::nullopt;
}
