// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Greedy placement: tiles in the order in which they appear, each on the free
// place that costs least (words per tick times hops to the tiles placed
// before), ties to the lowest number. The first tile takes the middle of the
// mesh, so that later ones have neighbours to choose from.
#include "neuroc/Xbar/NetworkView.h"
#include "neuroc/Xbar/Passes.h"

#include "mlir/IR/Builders.h"

#include <cstdlib>
#include <map>
#include <set>

using namespace mlir;

namespace neuroc::xbar {

#define GEN_PASS_DEF_PLACETILES
#include "neuroc/Xbar/XbarPasses.h.inc"

using namespace neuro;

namespace {
class PlaceTilesPass : public impl::PlaceTilesBase<PlaceTilesPass> {
public:
  using PlaceTilesBase::PlaceTilesBase;

  void runOnOperation() override {
    MapOp map = getMap(getOperation());
    if (!map) {
      getOperation().emitError()
          << "no 'xbar.map': run xbar-assign-formats first";
      return signalPassFailure();
    }
    auto view = NetworkView::create(getNetwork(getOperation()));
    if (failed(view))
      return signalPassFailure();
    auto tiles = map.list<TileOp>();
    auto mesh = map.getMachineOp().getMesh();
    if (int64_t(tiles.size()) > mesh[0] * mesh[1]) {
      map.emitError() << "does not fit: " << tiles.size()
                      << " tiles on a mesh of " << mesh[0] << " x " << mesh[1];
      return signalPassFailure();
    }
    // Which tiles hold each population, with how many units.
    std::map<std::string, std::vector<std::pair<size_t, int64_t>>> holders;
    for (auto [index, tile] : llvm::enumerate(tiles))
      for (ShareOp share : tile.getBody().front().getOps<ShareOp>())
        holders[share.getPopulation().str()].emplace_back(
            index, share.getUnits()[1] - share.getUnits()[0]);
    std::vector<std::map<size_t, double>> traffic(tiles.size());
    for (Projection &p : view->projections) {
      if (!p.op)
        continue;
      auto [producer, result] = NetworkView::getProducer(p.source.base);
      if (!producer)
        continue;
      (void)result;
      for (auto [from, units] : holders[producer.getSymName().str()])
        for (auto [to, unused] :
             holders[p.target.population.getSymName().str()]) {
          (void)unused;
          double words = p.spikes ? double(units) / 32.0 : double(units);
          traffic[from][to] += words;
          traffic[to][from] += words;
        }
    }
    Builder builder(&getContext());
    std::set<std::pair<int64_t, int64_t>> taken;
    std::vector<std::pair<int64_t, int64_t>> places;
    for (auto [index, tile] : llvm::enumerate(tiles)) {
      std::pair<int64_t, int64_t> best{mesh[0] / 2, mesh[1] / 2};
      double bestCost = -1.0;
      for (int64_t y = 0; y < mesh[1]; ++y)
        for (int64_t x = 0; x < mesh[0]; ++x) {
          if (taken.count({x, y}))
            continue;
          double cost = index == 0 ? double(std::llabs(x - best.first) +
                                            std::llabs(y - best.second))
                                   : 0.0;
          for (auto [other, words] : traffic[index])
            if (other < index)
              cost += words * double(std::llabs(places[other].first - x) +
                                     std::llabs(places[other].second - y));
          if (bestCost < 0.0 || cost < bestCost) {
            bestCost = cost;
            if (index != 0 || cost == 0.0)
              best = {x, y};
          }
        }
      taken.insert(best);
      places.push_back(best);
      tile.setAt(ArrayRef<int64_t>{best.first, best.second});
    }
  }
};
} // namespace

} // namespace neuroc::xbar
