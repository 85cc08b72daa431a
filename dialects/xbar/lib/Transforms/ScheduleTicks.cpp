// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks the items of a tick in the order that all tiles share and appends to
// each tile what it has to do for them. Every receive comes after the sends of
// the same item and sends do not block, so the order also rules out deadlock.
#include "neuroc/Neuro/Analysis/TickSchedule.h"
#include "neuroc/Xbar/NetworkView.h"
#include "neuroc/Xbar/Passes.h"
#include "neuroc/Xbar/Quantize.h"

#include "mlir/IR/Builders.h"

#include <map>
#include <set>

using namespace mlir;

namespace neuroc::xbar {

#define GEN_PASS_DEF_SCHEDULETICKS
#include "neuroc/Xbar/XbarPasses.h.inc"

using namespace neuro;

namespace {
class ScheduleTicksPass : public impl::ScheduleTicksBase<ScheduleTicksPass> {
public:
  using ScheduleTicksBase::ScheduleTicksBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    map = getMap(module);
    if (!map) {
      module.emitError() << "no 'xbar.map': run xbar-assign-formats first";
      return signalPassFailure();
    }
    NetworkOp network = getNetwork(module);
    auto created = NetworkView::create(network);
    auto schedule = TickSchedule::compute(network);
    if (failed(created) || failed(schedule))
      return signalPassFailure();
    view = &*created;
    for (MatrixOp matrix : map.list<MatrixOp>())
      matrices[matrix.getWeight().str()] = matrix;
    index();
    for (const TickSchedule::Item &item : schedule->getItems()) {
      if (auto population = dyn_cast<PopulationOp>(item.op))
        scheduleStage(population, item.stage);
      else if (auto project = dyn_cast<ProjectOp>(item.op))
        if (auto id = project->getAttrOfType<IntegerAttr>(kProjectionAttr))
          scheduleProjection(view->projections[size_t(id.getInt())]);
    }
    for (PlasticOp plastic : view->plastics)
      for (size_t t = 0; t < tiles.size(); ++t) {
        SmallVector<Value> blocks = blocksOf(t, plastic.getWeight());
        if (!blocks.empty())
          LearnOp::create(builders[t], plastic.getLoc(), plastic.getSymName(),
                          blocks);
      }
  }

private:
  void index() {
    for (TileOp tile : map.list<TileOp>())
      tiles.push_back(tile);
    for (auto [t, tile] : llvm::enumerate(tiles)) {
      for (ShareOp share : tile.getBody().front().getOps<ShareOp>())
        holders[share.getPopulation().str()].push_back(t);
      for (RowsOp rows : tile.getBody().front().getOps<RowsOp>())
        rowTiles[int64_t(rows.getProjection())].insert(t);
      OpBuilder builder(&getContext());
      builder.setInsertionPointToEnd(&tile.getBody().front());
      auto tick = TickOp::create(builder, tile.getLoc());
      builder.createBlock(&tick.getBody());
      builders.push_back(builder);
    }
    for (Projection &p : view->projections) {
      if (!p.op)
        continue;
      for (size_t t : tilesOfProjection(p))
        readers[p.source.base].insert(t);
    }
    for (Direct &direct : view->directs)
      if (direct.source.base)
        for (size_t t : holders[direct.target.population.getSymName().str()])
          readers[direct.source.base].insert(t);
    for (PlasticOp plastic : view->plastics)
      for (size_t t = 0; t < tiles.size(); ++t)
        if (!blocksOf(t, plastic.getWeight()).empty()) {
          for (Value signal : plastic->getOperands())
            if (Value base = NetworkView::resolve(signal).base)
              readers[base].insert(t);
        }
  }

  /// The resident blocks of a weight on a tile, in order.
  SmallVector<Value> blocksOf(size_t t, StringRef weight) {
    SmallVector<Value> blocks;
    auto matrix = matrices.find(weight.str());
    if (matrix == matrices.end())
      return blocks;
    for (ProgramOp program : tiles[t].getBody().front().getOps<ProgramOp>())
      if (program.getMatrix() == matrix->second.getSymName())
        blocks.push_back(program.getWeights());
    return blocks;
  }

  bool onArrays(Projection &p) {
    return matrices.count(p.weight.getSymName().str()) && p.isPlain() &&
           p.op.getCombine() == Combine::Sum && !p.op.getDelays();
  }

  /// Tiles that work on a projection, and so read its source.
  std::set<size_t> tilesOfProjection(Projection &p) {
    std::set<size_t> result;
    if (onArrays(p)) {
      for (size_t t = 0; t < tiles.size(); ++t)
        if (!blocksOf(t, p.weight.getSymName()).empty())
          result.insert(t);
      // A copy of the weight may stand on other populations' tiles.
      if (matrices[p.weight.getSymName().str()].getTransposed() ==
          p.isTransposed()) {
        auto &list = holders[p.target.population.getSymName().str()];
        std::set<size_t> own(list.begin(), list.end()), both;
        for (size_t t : result)
          if (own.count(t))
            both.insert(t);
        return both;
      }
      return result;
    }
    if (auto rows = rowTiles.find(p.id); rows != rowTiles.end())
      return rows->second;
    auto &list = holders[p.target.population.getSymName().str()];
    result.insert(list.begin(), list.end());
    return result;
  }

  FlatSymbolRefAttr tileRef(size_t t) {
    return FlatSymbolRefAttr::get(tiles[t].getSymNameAttr());
  }

  void scheduleStage(PopulationOp population, StageOp stage) {
    auto &own = holders[population.getSymName().str()];
    for (size_t t : own)
      UpdateOp::create(builders[t], stage.getLoc(), population.getSymName(),
                       stage.getSymName());
    for (auto [result, output] :
         llvm::enumerate(population.getModelOp().list<OutputOp>())) {
      if (getEmittingStage(population, unsigned(result)) != stage)
        continue;
      Value signal = population.getResult(unsigned(result));
      SymbolRefAttr name = NetworkView::getSignalName(signal);
      auto found = readers.find(signal);
      if (found == readers.end())
        continue;
      for (size_t t : own) {
        SmallVector<Attribute> others;
        for (size_t reader : found->second)
          if (reader != t)
            others.push_back(tileRef(reader));
        if (!others.empty())
          SendOp::create(builders[t], output.getLoc(), name,
                         ArrayAttr::get(&getContext(), others));
      }
      for (size_t reader : found->second)
        for (size_t t : own)
          if (reader != t)
            RecvOp::create(builders[reader], output.getLoc(), name, tileRef(t));
    }
  }

  /// log2 of the converter's step with which no sum of the tile's blocks clips.
  unsigned converterRange(ArrayRef<Value> blocks, bool transposed) {
    MachineOp machine = map.getMachineOp();
    int64_t limit = (int64_t(1) << (machine.getAdcBits() - 1)) - 1;
    int64_t maxLevel = (int64_t(1) << machine.getCellBits()) - 1;
    unsigned range = 0;
    for (Value block : blocks) {
      auto program = block.getDefiningOp<ProgramOp>();
      auto matrix =
          cast<MatrixOp>(SymbolTable::lookupSymbolIn(map, program.getMatrix()));
      int64_t rows = program.getRows()[1] - program.getRows()[0];
      int64_t cols = program.getCols()[1] - program.getCols()[0];
      if (!matrix.getLevels() || matrix->hasAttr(kWrittenAttr)) {
        int64_t worst = (transposed ? cols : rows) * maxLevel;
        while ((worst + ((int64_t(1) << range) >> 1)) >> range > limit)
          ++range;
        continue;
      }
      auto levels = matrix.getLevels()->getValues<int16_t>();
      QuantizedMatrix part;
      part.rows = rows;
      part.cols = cols;
      for (int64_t r = program.getRows()[0]; r < program.getRows()[1]; ++r)
        for (int64_t c = program.getCols()[0]; c < program.getCols()[1]; ++c)
          part.levels.push_back(levels[size_t(r * matrix.getShape()[1] + c)]);
      range = std::max(range, losslessRange(part, 0, rows,
                                            unsigned(machine.getCellBits()),
                                            unsigned(matrix.getSlices()), limit,
                                            transposed));
    }
    return range;
  }

  void scheduleProjection(Projection &p) {
    Location loc = p.op.getLoc();
    std::set<size_t> workers = tilesOfProjection(p);
    if (rowTiles.count(p.id) && !onArrays(p)) {
      for (size_t t : workers)
        ScatterOp::create(builders[t], loc, p.id);
      return;
    }
    std::string target = p.target.population.getSymName().str();
    if (!onArrays(p)) {
      for (size_t t : workers)
        for (ShareOp share : tiles[t].getBody().front().getOps<ShareOp>())
          if (share.getPopulation() == target)
            CombineOp::create(builders[t], loc, p.id, share.getUnits());
      return;
    }
    bool transposed = matrices[p.weight.getSymName().str()].getTransposed() !=
                      p.isTransposed();
    std::map<size_t, SmallVector<Attribute>> senders; // by owner
    for (size_t t : workers) {
      SmallVector<Value> blocks = blocksOf(t, p.weight.getSymName());
      MvmOp::create(builders[t], loc, blocks, p.id, transposed,
                    converterRange(blocks, transposed));
      if (!transposed)
        continue;
      for (size_t owner : holders[target])
        if (owner != t && overlaps(blocks, owner, target))
          senders[owner].push_back(tileRef(t));
    }
    for (auto &[owner, list] : senders)
      CollectOp::create(builders[owner], loc, p.id, target,
                        ArrayAttr::get(&getContext(), list));
  }

  /// True if rows of the blocks are units that `owner` has of `population`.
  bool overlaps(ArrayRef<Value> blocks, size_t owner, StringRef population) {
    for (ShareOp share : tiles[owner].getBody().front().getOps<ShareOp>()) {
      if (share.getPopulation() != population)
        continue;
      for (Value block : blocks) {
        auto rows = block.getDefiningOp<ProgramOp>().getRows();
        if (rows[0] < share.getUnits()[1] && share.getUnits()[0] < rows[1])
          return true;
      }
    }
    return false;
  }

  MapOp map;
  NetworkView *view = nullptr;
  std::vector<TileOp> tiles;
  std::vector<OpBuilder> builders;
  std::map<std::string, MatrixOp> matrices;
  std::map<std::string, std::vector<size_t>> holders;
  std::map<int64_t, std::set<size_t>> rowTiles;
  llvm::DenseMap<Value, std::set<size_t>> readers;
};
} // namespace

} // namespace neuroc::xbar
