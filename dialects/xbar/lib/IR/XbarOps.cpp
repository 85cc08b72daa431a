// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of the xbar operations, in the order of XbarOps.td; each check
// carries the number of its rule.
#include "neuroc/Xbar/Xbar.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

#include <cmath>
#include <map>
#include <set>

using namespace mlir;
using namespace neuroc::xbar;

#define GET_OP_CLASSES
#include "neuroc/Xbar/XbarOps.cpp.inc"

/// Checks [first, last) with first < last, first >= 0.
static LogicalResult verifyInterval(Operation *op, ArrayRef<int64_t> interval,
                                    StringRef name) {
  if (interval.size() == 2 && interval[0] >= 0 && interval[0] < interval[1])
    return success();
  auto diag = op->emitOpError()
              << name << " must be [first, last) with 0 <= first < last, got [";
  llvm::interleaveComma(interval, diag);
  return diag << "]";
}

/// The tile called `name` of the map that holds `op`, or null.
static TileOp findTile(Operation *op, StringRef name) {
  auto map = op->getParentOfType<MapOp>();
  return map ? dyn_cast_or_null<TileOp>(SymbolTable::lookupSymbolIn(map, name))
             : TileOp();
}

/// Checks that the named tiles exist and are not the one that holds `op`.
static LogicalResult verifyOtherTiles(Operation *op, ArrayAttr tiles) {
  auto own = op->getParentOfType<TileOp>();
  for (auto name : tiles.getAsRange<FlatSymbolRefAttr>()) {
    TileOp tile = findTile(op, name.getValue());
    if (!tile)
      return op->emitOpError()
             << "there is no tile '" << name.getValue() << "' in this map";
    if (tile == own)
      return op->emitOpError() << "tile '" << name.getValue()
                               << "' is the one that this stands in";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// The machine and the numbers
//===----------------------------------------------------------------------===//

LogicalResult MachineOp::verify() {
  auto isPair = [](ArrayRef<int64_t> a) {
    return a.size() == 2 && a[0] > 0 && a[1] > 0;
  };
  if (!isPair(getMesh()) || !isPair(getShape()) || getArrays() < 1 ||
      getMemory() < 1) // machine_r1
    return emitOpError()
           << "mesh and arrays must be two positive extents, with "
              "at least one array and one word of memory";
  if (getShape()[1] % 2 != 0) // machine_r2
    return emitOpError() << "an array must have an even number of columns (two "
                            "make one signed column), got "
                         << getShape()[1];
  if (getCellBits() < 1 || getCellBits() > 6 || getAdcBits() < 2 ||
      getAdcBits() > 16) // machine_r3
    return emitOpError() << "cell_bits must be in [1, 6] and adc_bits in "
                            "[2, 16], got "
                         << getCellBits() << " and " << getAdcBits();
  return success();
}

MachineOp MapOp::getMachineOp() {
  auto module = (*this)->getParentOfType<ModuleOp>();
  return module ? module.lookupSymbol<MachineOp>(getMachine()) : MachineOp();
}

LogicalResult MapOp::verify() {
  if (!getMachineOp()) // map_r1
    return emitOpError() << "there is no machine '" << getMachine() << "'";
  std::map<std::string, std::vector<std::pair<int64_t, int64_t>>> owned;
  std::set<std::pair<int64_t, int64_t>> places;
  for (Operation &op : getBody().front()) {
    if (!isa<FormatOp, MatrixOp, TileOp>(op)) // map_r2
      return op.emitOpError() << "must not stand in 'xbar.map': formats, "
                                 "matrices and tiles only";
    auto tile = dyn_cast<TileOp>(op);
    if (!tile || tile.getBody().empty())
      continue;
    for (auto share : tile.getBody().front().getOps<ShareOp>()) {
      if (share.getUnits().size() != 2)
        continue; // share_r1 says so
      auto &list = owned[share.getPopulation().str()];
      for (auto [first, last] : list)
        if (share.getUnits()[0] < last && first < share.getUnits()[1]) // map_r3
          return share.emitOpError() << "units of '" << share.getPopulation()
                                     << "' are owned by two tiles";
      list.emplace_back(share.getUnits()[0], share.getUnits()[1]);
    }
    auto at = tile.getAt();
    if (at && at->size() == 2 &&
        !places.insert({(*at)[0], (*at)[1]}).second) // map_r4
      return tile.emitOpError() << "place [" << (*at)[0] << ", " << (*at)[1]
                                << "] is taken by another tile";
  }
  return success();
}

LogicalResult FormatOp::verify() {
  if (int64_t frac = getFrac(); frac < -31 || frac > 31) // format_r1
    return emitOpError() << "frac must be in [-31, 31], got " << frac;
  ArrayRef<double> range = getRange();
  if (range.size() != 2 || !(range[0] <= range[1])) // format_r2
    return emitOpError() << "range must be [lo, hi] with lo <= hi";
  double limit = std::ldexp(1.0, 31 - int(getFrac()));
  if (range[0] < -limit || range[1] > limit) // format_r2
    return emitOpError() << "range [" << range[0] << ", " << range[1]
                         << "] does not fit 32 bits with frac " << getFrac();
  return success();
}

LogicalResult MatrixOp::verify() {
  if (getBits() < 2 || getBits() > 16) // matrix_r1
    return emitOpError() << "bits must be in [2, 16], got " << getBits();
  if (!getLevels()) {
    if (!getPlastic()) // matrix_r4
      return emitOpError() << "a matrix that is not plastic needs levels";
    return success();
  }
  auto type = cast<ShapedType>(getLevels()->getType());
  if (type.getShape() != getShape() || !type.getElementType().isInteger(16) ||
      getShape().size() != 2 || !getScales() ||
      int64_t(getScales()->size()) != getShape()[1]) // matrix_r2
    return emitOpError() << "levels must be i16 of the given shape, with one "
                            "scale for each column";
  auto map = (*this)->getParentOfType<MapOp>();
  MachineOp machine = map ? map.getMachineOp() : MachineOp();
  if (!machine)
    return success();
  int64_t most = (int64_t(1) << (machine.getCellBits() * getSlices())) - 1;
  for (int16_t level : getLevels()->getValues<int16_t>())
    if (std::abs(int64_t(level)) > most) // matrix_r3
      return emitOpError() << "level " << level << " does not fit "
                           << getSlices() << " slices of "
                           << machine.getCellBits() << " bits (at most " << most
                           << ")";
  return success();
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

LogicalResult TileOp::verify() {
  auto map = (*this)->getParentOfType<MapOp>();
  MachineOp machine = map ? map.getMachineOp() : MachineOp();
  if (auto at = getAt(); at && machine) {
    auto mesh = machine.getMesh();
    if (at->size() != 2 || (*at)[0] < 0 || (*at)[1] < 0 ||
        (*at)[0] >= mesh[0] || (*at)[1] >= mesh[1]) // tile_r1
      return emitOpError() << "place is not on the mesh of " << mesh[0] << " x "
                           << mesh[1] << " tiles";
  }
  unsigned ticks = 0;
  std::vector<std::pair<int64_t, int64_t>> banks;
  for (Operation &op : getBody().front()) {
    if (isa<TickOp>(op) && ++ticks > 1) // tile_r2
      return op.emitOpError() << "is the tile's second tick";
    if (auto bank = dyn_cast<BankOp>(op)) {
      int64_t first = bank.getFirst();
      int64_t last = first + bank.getBank().getType().getSlices();
      for (auto [a, b] : banks)
        if (first < b && a < last) // tile_r3
          return bank.emitOpError()
                 << "arrays [" << first << ", " << last
                 << ") overlap another bank's [" << a << ", " << b << ")";
      banks.emplace_back(first, last);
    }
  }
  return success();
}

LogicalResult ShareOp::verify() {
  return verifyInterval(*this, getUnits(), "units"); // share_r1
}

LogicalResult BankOp::verify() {
  auto map = (*this)->getParentOfType<MapOp>();
  MachineOp machine = map ? map.getMachineOp() : MachineOp();
  if (!machine)
    return success();
  BankType type = getBank().getType();
  if (int64_t(getFirst()) < 0 ||
      int64_t(getFirst()) + type.getSlices() > int64_t(machine.getArrays()) ||
      type.getRows() != machine.getRows() ||
      type.getCols() != machine.getSignedCols()) // bank_r2
    return emitOpError() << "tile has " << machine.getArrays() << " arrays of "
                         << machine.getRows() << " x "
                         << machine.getSignedCols()
                         << " signed columns, bank asks for arrays ["
                         << getFirst() << ", " << getFirst() + type.getSlices()
                         << ") of " << type.getRows() << " x "
                         << type.getCols();
  return success();
}

LogicalResult ProgramOp::verify() {
  if (failed(verifyInterval(*this, getRows(), "rows")) ||
      failed(verifyInterval(*this, getCols(), "cols"))) // program_r1
    return failure();
  int64_t rows = getRows()[1] - getRows()[0];
  int64_t cols = getCols()[1] - getCols()[0];
  BankType bank = getBank().getType();
  if (rows > bank.getRows() || int64_t(getAt()) < 0 ||
      int64_t(getAt()) + cols > bank.getCols()) // program_r2
    return emitOpError() << "block of " << rows << " x " << cols
                         << " at column " << getAt()
                         << " does not fit a bank of " << bank.getRows()
                         << " x " << bank.getCols();
  if (getWeights().getType().getRows() != rows ||
      getWeights().getType().getCols() != cols) // program_r5
    return emitOpError() << "result must be " << rows << " x " << cols;
  for (Operation *user : getBank().getUsers()) {
    auto other = dyn_cast<ProgramOp>(user);
    if (!other || other == *this || other->getBlock() != (*this)->getBlock() ||
        !other->isBeforeInBlock(*this) || other.getCols().size() != 2)
      continue;
    int64_t first = other.getAt();
    int64_t last = first + other.getCols()[1] - other.getCols()[0];
    if (int64_t(getAt()) < last &&
        first < int64_t(getAt()) + cols) // program_r4
      return emitOpError() << "columns of the bank are taken by another block";
  }
  auto map = (*this)->getParentOfType<MapOp>();
  if (!map)
    return success();
  auto matrix =
      dyn_cast_or_null<MatrixOp>(SymbolTable::lookupSymbolIn(map, getMatrix()));
  if (!matrix) // program_r1
    return emitOpError() << "there is no matrix '" << getMatrix() << "'";
  if (matrix.getShape().size() == 2 &&
      (getRows()[1] > matrix.getShape()[0] ||
       getCols()[1] > matrix.getShape()[1])) // program_r1
    return emitOpError() << "block ends at row " << getRows()[1] << ", column "
                         << getCols()[1] << ", matrix is "
                         << matrix.getShape()[0] << " x "
                         << matrix.getShape()[1];
  if (bank.getSlices() != int64_t(matrix.getSlices())) // program_r3
    return emitOpError() << "bank has " << bank.getSlices()
                         << " slices, the matrix " << matrix.getSlices();
  return success();
}

LogicalResult RowsOp::verify() {
  return verifyInterval(*this, getUnits(), "units"); // rows_r1
}

//===----------------------------------------------------------------------===//
// A tick
//===----------------------------------------------------------------------===//

LogicalResult TickOp::verify() {
  for (Operation &op : getBody().front())
    if (!isa<UpdateOp, SendOp, RecvOp, MvmOp, ScatterOp, CombineOp, CollectOp,
             LearnOp>(op)) // tick_r1
      return op.emitOpError() << "must not stand in 'xbar.tick'";
  return success();
}

LogicalResult UpdateOp::verify() {
  auto tile = (*this)->getParentOfType<TileOp>();
  for (auto share : tile.getBody().front().getOps<ShareOp>())
    if (share.getPopulation() == getPopulation())
      return success();
  return emitOpError() << "the tile has no share of '" << getPopulation()
                       << "'"; // update_r1
}

LogicalResult SendOp::verify() {
  return verifyOtherTiles(*this, getTiles()); // send_r1
}

LogicalResult RecvOp::verify() {
  Builder builder(getContext());
  if (failed(verifyOtherTiles(
          *this, builder.getArrayAttr({getTileAttr()})))) // recv_r1
    return failure();
  auto own = (*this)->getParentOfType<TileOp>();
  TileOp from = findTile(*this, getTile());
  bool sent = false;
  from.walk([&](SendOp send) {
    if (send.getSignal() != getSignal())
      return;
    for (auto name : send.getTiles().getAsRange<FlatSymbolRefAttr>())
      sent |= name.getValue() == own.getSymName();
  });
  if (!sent) // recv_r2
    return emitOpError() << "tile '" << getTile() << "' does not send "
                         << getSignal() << " to this one";
  return success();
}

LogicalResult MvmOp::verify() {
  if (getWeights().empty()) // mvm_r1
    return emitOpError() << "needs at least one block of weights";
  if (int64_t(getRange()) < 0 || getRange() > 15) // mvm_r2
    return emitOpError() << "range must be in [0, 15], got " << getRange();
  return success();
}

LogicalResult ScatterOp::verify() {
  auto tile = (*this)->getParentOfType<TileOp>();
  for (auto rows : tile.getBody().front().getOps<RowsOp>())
    if (rows.getProjection() == getProjection())
      return success();
  return emitOpError() << "the tile has no rows of projection "
                       << getProjection(); // scatter_r1
}

LogicalResult CombineOp::verify() {
  return verifyInterval(*this, getUnits(), "units"); // combine_r1
}

LogicalResult CollectOp::verify() {
  return verifyOtherTiles(*this, getTiles()); // collect_r1
}

LogicalResult LearnOp::verify() {
  if (getWeights().empty()) // learn_r1
    return emitOpError() << "needs at least one block of weights";
  return success();
}
