// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar regions (stages, handlers, traces, transmit expressions) to LLVM IR on
// 32-bit fixed-point numbers. Every SSA value gets its own binary point, from
// the interval that it can take given the formats of what the region reads;
// within a region nothing can overflow, except values without a finite bound,
// which saturate and are counted. Products have 64 bits and are rounded to
// nearest.
#ifndef NEUROC_LIB_TARGET_SPINNAKER_FIXEDEMITTER_H
#define NEUROC_LIB_TARGET_SPINNAKER_FIXEDEMITTER_H

#include "neuroc/Neuro/Analysis/Interval.h"
#include "neuroc/Neuro/Neuro.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/IR/Module.h"

#include <functional>
#include <optional>

namespace neuroc::spinn {

/// A fixed-point number: value * 2^-frac, within `range` (a theorem).
struct Num {
  llvm::Value *value = nullptr; ///< i32; i1 for truth values
  int frac = 0;
  neuro::Interval range;
};

/// What a name is stored as: its binary point and the range that the stored
/// values are known to keep (the whole format if nothing is proved).
struct Format {
  int frac = 0;
  neuro::Interval range;
};
/// The interval of all 32-bit numbers with `frac` fraction bits.
neuro::Interval fullRange(int frac);

class FixedEmitter {
public:
  using Builder = llvm::IRBuilder<>;
  FixedEmitter(llvm::Module &module, Builder &builder);

  /// Reads that the region's code makes: gets, random draws, time, index. Null
  /// value: not supported.
  using ReadFn = std::function<Num(mlir::Operation *)>;
  /// Sets, emits and yields; gets the operation and the value.
  using WriteFn = std::function<void(mlir::Operation *, Num)>;

  /// The format that a set or emit stores in, where it is known. A value that
  /// goes nowhere else and has no bound of its own is clipped to that format
  /// and keeps its fraction bits.
  std::function<std::optional<Format>(mlir::Operation *)> storedIn;

  /// A part of a block: only `ops` are emitted, of which `given` may know the
  /// number (else no value); `computed` sees the others. What a reduction that
  /// is not given reduces is written.
  struct Piece {
    const llvm::DenseSet<mlir::Operation *> *ops = nullptr;
    std::function<Num(mlir::Operation *)> given;
    std::function<void(mlir::Operation *, Num)> computed;
  };

  /// Emits the block at the builder's place. \p arguments are the numbers of
  /// its block arguments. Errors: an operation without fixed-point code.
  mlir::LogicalResult emitBlock(mlir::Block &block, const ReadFn &read,
                                const WriteFn &write,
                                llvm::ArrayRef<Num> arguments = {},
                                const Piece *piece = nullptr);

  Num constant(double x);
  /// The number in another format: shifted, rounded to nearest; saturated and
  /// counted unless its range proves that it fits.
  llvm::Value *toFormat(Num x, const Format &format);
  llvm::Value *toFrac(Num x, int frac);
  /// A 64-bit number with `frac` fraction bits as a 32-bit one of `format`.
  llvm::Value *narrow(llvm::Value *wide, int frac, const Format &format,
                      bool proved);
  /// v * 2^(to - from) for an i64, rounded to nearest.
  llvm::Value *shiftWide(llvm::Value *wide, int from, int to);
  llvm::Value *saturate(llvm::Value *wide);
  Num multiply(Num a, Num x, neuro::Interval range);
  /// The raw 32-bit word of a uniform draw, noted so that comparisons with it
  /// are exact; the number is word / 2^32 with 31 fraction bits.
  Num uniform(mlir::Operation *op, llvm::Value *word);

  /// The format of a result: as many fraction bits as its range leaves, at most
  /// `exact`; clips ranges that are infinite or beyond 32 bits.
  int chooseFrac(neuro::Interval &range, int exact, bool &clipped);

  llvm::IntegerType *i32() { return b.getInt32Ty(); }
  llvm::IntegerType *i64() { return b.getInt64Ty(); }

private:
  mlir::FailureOr<Num> emitOp(mlir::Operation *op, llvm::ArrayRef<Num> in,
                              neuro::Interval range);
  Num add(Num a, Num x, neuro::Interval range, bool subtract);
  Num divide(Num a, Num x, neuro::Interval range);
  llvm::Value *compare(mlir::Operation *op, Num a, Num x);
  llvm::Value *compareUniform(mlir::Operation *op, llvm::Value *word, Num x,
                              std::optional<double> bound, bool swapped);
  Num minMax(Num a, Num x, neuro::Interval range, bool isMax);
  Num library(llvm::StringRef name, Num x, neuro::Interval range);
  Num roundTo(mlir::Operation *op, Num x, neuro::Interval range);
  Num select(llvm::Value *condition, Num a, Num x, neuro::Interval range);

  neuro::Interval clipFor(mlir::Operation *op) const;

  llvm::Module &module;
  Builder &b;
  neuro::Interval clip; ///< of the operation that is being emitted
  llvm::DenseMap<mlir::Value, Num> numbers;
  llvm::DenseMap<mlir::Value, llvm::Value *> draws;
};

/// Declares (once) `int32_t neuroc_saturate(int64_t)`, which clips and counts.
llvm::Function *getSaturate(llvm::Module &module);

} // namespace neuroc::spinn
#endif // NEUROC_LIB_TARGET_SPINNAKER_FIXEDEMITTER_H
