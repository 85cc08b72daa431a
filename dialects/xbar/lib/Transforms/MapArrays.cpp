// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Populations are cut into shares of consecutive units, each on one tile with
// all array columns and synaptic rows that lead to them; so forward sums need
// no traffic but the sources. A population that fits what is left of the last
// tile joins it; else it is spread evenly over as few new tiles as its arrays
// and memory ask for. Row blocks are first made short enough that no sum can
// clip the converter; if that needs more tiles than half the machine, full
// rows are used with a coarser step.
#include "neuroc/Neuro/Analysis/Connectivity.h"
#include "neuroc/Xbar/NetworkView.h"
#include "neuroc/Xbar/Passes.h"
#include "neuroc/Xbar/Quantize.h"

#include "mlir/IR/Builders.h"

#include <cmath>
#include <map>
#include <numeric>
#include <set>

using namespace mlir;

namespace neuroc::xbar {

#define GEN_PASS_DEF_MAPARRAYS
#include "neuroc/Xbar/XbarPasses.h.inc"

using namespace neuro;

namespace {

int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// What a tile of the plan holds so far.
struct TilePlan {
  struct PlannedBank {
    int64_t first, slices, used;
  };
  struct Block {
    MatrixOp matrix;
    int64_t bank, row0, row1, col0, col1, at;
  };
  struct Units {
    PopulationOp population;
    int64_t first, last;
  };
  struct SynapseRows {
    int64_t projection, first, last, synapses;
  };
  std::vector<PlannedBank> banks;
  std::vector<Block> blocks;
  std::vector<Units> shares;
  std::vector<SynapseRows> rows;
  int64_t arraysUsed = 0, memoryUsed = 0;
  std::set<std::string> signals; ///< whose copies are already counted
};

/// What leads to a population.
struct Incoming {
  struct MatrixUse {
    MatrixOp matrix;
    int64_t rowLimit;
    int64_t unitsPerCol; ///< output positions of a convolution, else 1
  };
  std::vector<MatrixUse> matrices;
  std::vector<Projection *> rows;    ///< as synaptic rows
  std::vector<Projection *> digital; ///< on the vector unit
  std::vector<Value> sources;
  int64_t granule = 1;
};

class MapArraysPass : public impl::MapArraysBase<MapArraysPass> {
public:
  using MapArraysBase::MapArraysBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    map = getMap(module);
    if (!map) {
      module.emitError() << "no 'xbar.map': run xbar-assign-formats first";
      return signalPassFailure();
    }
    machine = map.getMachineOp();
    auto created = NetworkView::create(getNetwork(module));
    if (failed(created))
      return signalPassFailure();
    view = &*created;
    if (view->populations.empty()) {
      view->network.emitError()
          << "unsupported: a network without a population gives a crossbar "
             "machine nothing to run";
      return signalPassFailure();
    }
    for (MatrixOp matrix : map.list<MatrixOp>())
      matrices[matrix.getWeight().str()] = matrix;

    bool lossless = true;
    if (failed(planAll(lossless)))
      return signalPassFailure();
    if (int64_t(tiles.size()) * 2 > machine.getNumTiles() &&
        failed(planAll(lossless = false)))
      return signalPassFailure();
    if (int64_t(tiles.size()) > machine.getNumTiles()) {
      auto diag = map.emitError()
                  << "does not fit: network '" << map.getNetwork() << "' needs "
                  << tiles.size() << " tiles, machine '" << machine.getSource()
                  << "' has " << machine.getNumTiles();
      PopulationOp largest;
      size_t most = 0;
      for (auto &[name, count] : tilesOf)
        if (count > most) {
          most = count;
          largest = view->findPopulation(name);
        }
      if (largest)
        diag.attachNote(largest.getLoc())
            << "population '" << largest.getSymName() << "' takes " << most
            << " of them; a machine with more or larger tiles, fewer weight "
               "bits or a sparser weight would help";
      return signalPassFailure();
    }
    emit();
  }

private:
  LogicalResult planAll(bool lossless) {
    tiles.clear();
    tilesOf.clear();
    for (PopulationOp population : view->populations)
      if (failed(plan(population, lossless)))
        return failure();
    return success();
  }

  /// Rows per block of a matrix: all of an array's, or as many as cannot clip.
  int64_t rowLimit(MatrixOp matrix, bool lossless) {
    int64_t rows = machine.getRows();
    int64_t limit = (int64_t(1) << (machine.getAdcBits() - 1)) - 1;
    int64_t maxLevel = (int64_t(1) << machine.getCellBits()) - 1;
    int64_t worst = std::max<int64_t>(1, limit / maxLevel);
    if (!lossless || rows <= worst)
      return rows;
    if (!matrix.getLevels() || matrix->hasAttr(kWrittenAttr))
      return worst;
    // Constant levels rarely reach the worst case: halve until they fit.
    QuantizedMatrix levels;
    levels.rows = matrix.getShape()[0];
    levels.cols = matrix.getShape()[1];
    levels.levels.assign(matrix.getLevels()->getValues<int16_t>().begin(),
                         matrix.getLevels()->getValues<int16_t>().end());
    for (; rows > worst; rows = divideUp(rows, 2)) {
      unsigned range = 0;
      for (int64_t row = 0; row < levels.rows; row += rows)
        range = std::max(
            range, losslessRange(levels, row, std::min(rows, levels.rows - row),
                                 unsigned(machine.getCellBits()),
                                 unsigned(matrix.getSlices()), limit, false));
      if (range == 0)
        return rows;
    }
    return worst;
  }

  Incoming collect(PopulationOp population, bool lossless) {
    Incoming in;
    std::set<Operation *> seen;
    for (Projection &p : view->projections) {
      if (!p.op || p.target.population != population)
        continue;
      in.sources.push_back(p.source.base);
      auto found = matrices.find(p.weight.getSymName().str());
      auto conv = dyn_cast<ConvAttr>(p.weight.getConnect());
      if (conv)
        in.granule = std::max<int64_t>(in.granule, p.weight.getPost()[1] *
                                                       p.weight.getPost()[2]);
      ProjectOp op = p.op;
      if (found != matrices.end() && op.getTransmit().empty() &&
          op.getCombine() == Combine::Sum && !op.getDelays()) {
        // A matrix whose columns are the other side is read transposed.
        if (found->second.getTransposed() == op.getTransposed() &&
            seen.insert(p.weight).second)
          in.matrices.push_back({found->second,
                                 rowLimit(found->second, lossless),
                                 conv ? in.granule : 1});
        continue;
      }
      bool plain = op.getTransmit().empty() && op.getCombine() == Combine::Sum;
      // Delays of synapses need rows whatever the layout.
      bool isRegular = conv || isa<OneToOneAttr>(p.weight.getConnect());
      if (plain && p.spikes && (op.getDelays() || !isRegular))
        in.rows.push_back(&p);
      else
        in.digital.push_back(&p);
    }
    for (Direct &direct : view->directs)
      if (direct.target.population == population && direct.source.base)
        in.sources.push_back(direct.source.base);
    // A group of units that a stage reduces over stays together.
    population.getModelOp().walk([&](ReduceOp reduce) {
      in.granule =
          std::lcm(in.granule, reduce.getGroup() ? int64_t(*reduce.getGroup())
                                                 : population.getNumUnits());
    });
    return in;
  }

  /// Arrays that columns for `units` units ask for on a tile with no banks.
  int64_t arraysFor(const Incoming &in, int64_t units) {
    std::map<int64_t, int64_t> columns; // by slices
    for (auto use : in.matrices)
      columns[int64_t(use.matrix.getSlices())] +=
          divideUp(use.matrix.getShape()[0], use.rowLimit) *
          divideUp(units, use.unitsPerCol);
    int64_t arrays = 0;
    for (auto [slices, cols] : columns)
      arrays += slices * divideUp(cols, machine.getSignedCols());
    return arrays;
  }

  double synapsesPerUnit(Projection &p) {
    auto [entry, isNew] = synapseCounts.try_emplace(p.weight, 0.0);
    if (isNew) {
      auto expanded = expandWeight(p.weight);
      if (succeeded(expanded))
        entry->second = double(expanded->values.size());
    }
    return entry->second / double(p.numTarget);
  }

  int64_t longestDelay(Projection &p) {
    auto [entry, isNew] = longestDelays.try_emplace(p.op, 1);
    if (isNew)
      if (auto expanded = expandWeight(p.weight); succeeded(expanded))
        entry->second = getMaxDelay(p.op, expanded->synapses);
    return entry->second;
  }

  /// Words of memory for `units` units on a tile that already has copies of
  /// `signals`. An estimate with room to spare; the emitter counts exactly.
  int64_t memoryFor(PopulationOp population, const Incoming &in, int64_t units,
                    const std::set<std::string> &signals) {
    ModelOp model = population.getModelOp();
    int64_t perUnit = 0;
    for (Operation &op : model.getBody().front())
      perUnit += isa<StageOp>(op) ? 0 : isa<InputOp>(op) ? 2 : 1;
    double words = double(perUnit * units) + 4096.0;
    std::set<std::string> counted = signals;
    for (Value source : in.sources) {
      std::string name = debugName(source);
      if (counted.insert(name).second)
        words += 2.5 * double(getSignalSize(source));
    }
    for (Projection *p : in.rows) {
      words += synapsesPerUnit(*p) * double(units) + double(p->numSource) * 2;
      if (!p->op.getDelays())
        continue;
      // A ring of sums, twice as long as the longest delay; a packed synapse
      // can address 2^16 of them.
      int64_t slots = longestDelay(*p);
      words += 2.0 * double(slots * units);
      if (slots * units > 65536)
        words += double(machine.getMemory());
    }
    for (Projection *p : in.digital)
      words += 2.0 * double(units) +
               (isa<OneToOneAttr, ConvAttr>(p->weight.getConnect())
                    ? 0.0
                    : 2.0 * double(p->numSource * units));
    for (auto use : in.matrices) {
      words += 3.0 * double(units);
      if (!use.matrix.getPlastic())
        continue;
      PlasticOp plastic;
      for (PlasticOp candidate : view->plastics)
        if (candidate.getWeight() == use.matrix.getWeight())
          plastic = candidate;
      double states = 2.0 + double(plastic.getRuleOp().list<StateOp>().size()) +
                      (isDenseLayout(plastic.getWeightOp()) ? 0.0 : 1.0);
      words += states * double(use.matrix.getShape()[0] * units);
    }
    return int64_t(words);
  }

  static std::string debugName(Value base) {
    std::string name;
    llvm::raw_string_ostream stream(name);
    NetworkView::getSignalName(base).print(stream);
    return name;
  }

  LogicalResult plan(PopulationOp population, bool lossless) {
    Incoming in = collect(population, lossless);
    int64_t units = population.getNumUnits();
    int64_t budget = int64_t(machine.getMemory()) * 9 / 10;
    auto fits = [&](int64_t count, const TilePlan &tile) {
      return tile.arraysUsed + arraysFor(in, count) <=
                 int64_t(machine.getArrays()) &&
             tile.memoryUsed + memoryFor(population, in, count, tile.signals) <=
                 budget;
    };
    if (!tiles.empty() && fits(units, tiles.back())) {
      assign(population, in, 0, units, tiles.back());
      tilesOf[population.getSymName().str()] = 1;
      return success();
    }
    TilePlan empty;
    int64_t granules = divideUp(units, in.granule), most = 0;
    for (int64_t low = 1, high = granules; low <= high;) {
      int64_t middle = (low + high) / 2;
      if (fits(std::min(units, middle * in.granule), empty)) {
        most = middle;
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    if (most == 0) {
      int64_t least = std::min(in.granule, units);
      return population.emitError()
             << "does not fit: " << least << " unit" << (least == 1 ? "" : "s")
             << " of population '" << population.getSymName() << "' need "
             << arraysFor(in, least) << " arrays and about "
             << memoryFor(population, in, least, {}) << " words, a tile has "
             << machine.getArrays() << " arrays and " << machine.getMemory()
             << " words; a machine with larger tiles or fewer weight bits "
                "would help";
    }
    int64_t count = divideUp(granules, most);
    tilesOf[population.getSymName().str()] = size_t(count);
    for (int64_t i = 0; i < count; ++i) {
      int64_t first = granules * i / count * in.granule;
      int64_t last = std::min(units, granules * (i + 1) / count * in.granule);
      tiles.emplace_back();
      assign(population, in, first, last, tiles.back());
    }
    return success();
  }

  void assign(PopulationOp population, const Incoming &in, int64_t first,
              int64_t last, TilePlan &tile) {
    tile.memoryUsed += memoryFor(population, in, last - first, tile.signals);
    for (Value source : in.sources)
      tile.signals.insert(debugName(source));
    tile.shares.push_back({population, first, last});
    for (Projection *p : in.rows)
      tile.rows.push_back({p->id, first, last, 0});
    for (auto use : in.matrices) {
      int64_t rows = use.matrix.getShape()[0];
      int64_t blocks = divideUp(rows, use.rowLimit);
      for (int64_t block = 0; block < blocks; ++block)
        allocate(use.matrix, rows * block / blocks, rows * (block + 1) / blocks,
                 first / use.unitsPerCol, divideUp(last, use.unitsPerCol),
                 tile);
    }
  }

  /// Puts columns [col0, col1) into banks of the matrix's depth, opening new
  /// ones where the old are full.
  void allocate(MatrixOp matrix, int64_t row0, int64_t row1, int64_t col0,
                int64_t col1, TilePlan &tile) {
    int64_t slices = int64_t(matrix.getSlices());
    while (col0 < col1) {
      size_t chosen = tile.banks.size();
      for (size_t i = 0; i < tile.banks.size() && chosen == tile.banks.size();
           ++i)
        if (tile.banks[i].slices == slices &&
            tile.banks[i].used < machine.getSignedCols())
          chosen = i;
      if (chosen == tile.banks.size()) {
        tile.banks.push_back({tile.arraysUsed, slices, 0});
        tile.arraysUsed += slices;
      }
      TilePlan::PlannedBank &bank = tile.banks[chosen];
      int64_t count =
          std::min(col1 - col0, machine.getSignedCols() - bank.used);
      tile.blocks.push_back(
          {matrix, int64_t(chosen), row0, row1, col0, col0 + count, bank.used});
      bank.used += count;
      col0 += count;
    }
  }

  void emit() {
    OpBuilder builder(&getContext());
    for (auto [index, tile] : llvm::enumerate(tiles)) {
      builder.setInsertionPointToEnd(&map.getBody().front());
      Location loc = tile.shares.front().population.getLoc();
      auto op = TileOp::create(builder, loc, "t" + std::to_string(index),
                               DenseI64ArrayAttr());
      builder.createBlock(&op.getBody());
      for (auto &share : tile.shares)
        ShareOp::create(builder, share.population.getLoc(),
                        share.population.getSymName(),
                        ArrayRef<int64_t>{share.first, share.last});
      std::vector<Value> banks;
      for (auto &bank : tile.banks)
        banks.push_back(
            BankOp::create(builder, loc,
                           BankType::get(&getContext(), machine.getRows(),
                                         machine.getSignedCols(), bank.slices),
                           bank.first));
      for (auto &block : tile.blocks)
        ProgramOp::create(builder, block.matrix.getLoc(),
                          WeightsType::get(&getContext(),
                                           block.row1 - block.row0,
                                           block.col1 - block.col0),
                          banks[size_t(block.bank)], block.matrix.getSymName(),
                          ArrayRef<int64_t>{block.row0, block.row1},
                          ArrayRef<int64_t>{block.col0, block.col1}, block.at);
      for (auto &rows : tile.rows) {
        Projection &p = view->projections[size_t(rows.projection)];
        auto expanded = expandWeight(p.weight);
        int64_t count = 0;
        if (succeeded(expanded)) {
          const rt::Synapses &synapses = expanded->synapses;
          for (int64_t pre = 0; pre < p.weight.getNumPre(); ++pre)
            for (uint64_t i = synapses.rowStart[size_t(pre)];
                 i < synapses.rowStart[size_t(pre) + 1]; ++i) {
              int64_t target = p.isTransposed() ? pre : synapses.post[i];
              count += target >= rows.first && target < rows.last;
            }
        }
        RowsOp::create(builder, p.op.getLoc(), rows.projection,
                       ArrayRef<int64_t>{rows.first, rows.last}, count);
      }
    }
  }

  MapOp map;
  MachineOp machine;
  NetworkView *view = nullptr;
  std::map<std::string, MatrixOp> matrices; ///< by weight
  std::map<Operation *, double> synapseCounts;
  std::map<Operation *, int64_t> longestDelays;
  std::vector<TilePlan> tiles;
  std::map<std::string, size_t> tilesOf;
};
} // namespace

} // namespace neuroc::xbar
