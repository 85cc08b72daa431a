// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar regions of models and rules as code of the vector unit: each value
// becomes a vector over a block of units in tile memory, a 32-bit word with its
// own binary point.
#ifndef NEUROC_LIB_TARGET_CROSSBAR_VECTORCODE_H
#define NEUROC_LIB_TARGET_CROSSBAR_VECTORCODE_H

#include "Lut.h"
#include "TileCode.h"

#include "neuroc/Neuro/Analysis/RangeAnalysis.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/LogicalResult.h"

#include <map>
#include <string>

namespace neuroc::xbar {

/// Where a value is. Memory operands advance with the block (`strided`, plus
/// register kOffset) or with the row of a block of weights (`byRow`, plus
/// kRowBase); temporaries do neither.
struct Operand {
  enum Kind { None, Constant, Memory } kind = None;
  double value = 0.0; ///< of a constant
  int64_t address = 0;
  bool strided = false, byRow = false;
  int slot = -1; ///< owned temporary
  int frac = 0;

  static Operand constant(double value) {
    Operand o;
    o.kind = Constant;
    o.value = value;
    return o;
  }
  static Operand memory(int64_t address, int frac, bool strided = true,
                        bool byRow = false) {
    Operand o;
    o.kind = Memory;
    o.address = address;
    o.frac = frac;
    o.strided = strided;
    o.byRow = byRow;
    return o;
  }
};

/// Notes on approximations for the report, e.g. a table and its error.
struct CodeNotes {
  std::map<std::string, double> tableErrors; ///< operation -> largest error
  int64_t operations = 0;
};

/// Temporaries of a tile, shared by all regions.
class TemporaryPool {
public:
  TemporaryPool(TileCode &tile, int64_t block) : tile(tile), block(block) {}
  int64_t getBlock() const { return block; }
  int acquire();
  void release(int slot) {
    if (slot >= 0)
      free.push_back(slot);
  }
  int64_t address(int slot) const { return slots[size_t(slot)]; }

private:
  TileCode &tile;
  int64_t block;
  std::vector<int64_t> slots;
  std::vector<int> free;
};

class VectorCode {
public:
  using Leaf = std::function<std::optional<Operand>(mlir::Operation *)>;
  using Sink = std::function<void(mlir::Operation *, Operand)>;

  VectorCode(TileCode &tile, TemporaryPool &pool,
             const neuro::RangeAnalysis &ranges, CodeNotes &notes,
             std::map<std::string, int64_t> &tables, int64_t units = 0)
      : tile(tile), pool(pool), ranges(ranges), notes(notes), tables(tables),
        units(units) {}

  /// Writes the code of one block. `leaf` gives the operands of reads (and of
  /// random numbers); `sink` is called for each set and emit, in order, after
  /// all values are computed. Error: an operation without vector code, on it.
  llvm::LogicalResult compile(mlir::Block &block, const Leaf &leaf,
                              const Sink &sink);
  /// Gives a value to a block argument; a temporary stays the caller's.
  void bind(mlir::Value value, Operand operand) {
    operand.slot = -1;
    values[value] = operand;
  }
  Operand get(mlir::Value value) { return values.lookup(value); }

  /// destination = operand at the destination's binary point.
  void store(Operand destination, Operand source);
  /// As store, in units where mask is not zero.
  void storeMasked(Operand destination, Operand mask, Operand source);
  /// A fresh temporary with that binary point.
  Operand temporary(int frac);
  void release(Operand operand) { pool.release(operand.slot); }
  /// dst = a op b (addresses computed); b may be a constant of a's frac.
  void binary(Op vector, Op scalar, Operand dst, Operand a, Operand b);
  void unary(Op op, Operand dst, Operand a);
  /// Puts the operand's address into a register.
  void address(int64_t reg, const Operand &operand);
  Operand aligned(Operand operand, int frac);

private:
  llvm::LogicalResult visit(mlir::Operation *op, const Leaf &leaf);
  Operand addLike(mlir::Operation *op, Operand a, Operand b);
  Operand multiply(Operand a, Operand b, int frac);
  Operand divide(Operand a, Operand b, int frac);
  Operand compare(mlir::Operation *op, Operand a, Operand b);
  Operand select(mlir::Operation *op, Operand mask, Operand a, Operand b);
  llvm::LogicalResult function(mlir::Operation *op, Operand &result);
  Operand table(const std::string &name, Operand a, neuro::Interval in,
                int fracOut, const std::function<double(double)> &f,
                double target);
  Operand exponential(Operand a, int frac);
  Operand logistic(mlir::Operation *quotient);
  Operand logarithm(Operand a);
  Operand squareRoot(Operand a);
  Operand materialized(Operand constant, int frac);
  // Reductions over groups of units, in Collectives.cpp.
  llvm::LogicalResult collective(neuro::ReduceOp op, Operand a,
                                 Operand &result);
  void forGroups(int64_t group, Operand from, Operand to,
                 llvm::function_ref<void()> body);
  Operand reduceBy(Op op, int64_t group, Operand x);
  Operand logSumExp(int64_t group, Operand x);
  Operand kthLargest(int64_t group, int64_t k, Operand x);
  Operand rank(int64_t group, Operand x);
  Operand prefixSum(int64_t group, Operand x);
  int fracOf(mlir::Value value) const;
  int fracLimit(mlir::Value value, const Operand &operand) const;
  void finish(mlir::Operation *op);

  TileCode &tile;
  TemporaryPool &pool;
  const neuro::RangeAnalysis &ranges;
  CodeNotes &notes;
  std::map<std::string, int64_t> &tables; ///< name -> address in this tile
  int64_t units; ///< that one block of code is for; 0: not units of a stage
  llvm::DenseMap<mlir::Value, Operand> values;
  llvm::DenseMap<mlir::Value, unsigned> remaining;
  /// Operations that are computed together with their only user.
  llvm::DenseSet<mlir::Operation *> absorbed;
};

/// The exponential y of a quotient a / (b + exp y) with positive constants, if
/// sum and exponential have no other use. In one fixed-point format the
/// exponential of a wide range has no digits left where it is small; the
/// quotient itself is bounded.
mlir::Operation *matchLogistic(mlir::Operation *quotient);

/// Fraction bits that give a constant factor 30 significant ones.
int mantissaFrac(double value);

/// value * 2^frac, rounded and saturated.
int32_t toFixed(double value, int frac);

} // namespace neuroc::xbar
#endif // NEUROC_LIB_TARGET_CROSSBAR_VECTORCODE_H
