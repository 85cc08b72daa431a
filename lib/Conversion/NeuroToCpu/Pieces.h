// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code of one unit or synapse, cut at its reductions: every member of a group
// runs a piece before any runs the next.
#ifndef NEUROC_LIB_CONVERSION_NEUROTOCPU_PIECES_H
#define NEUROC_LIB_CONVERSION_NEUROTOCPU_PIECES_H

#include "Kernel.h"

#include "neuroc/Neuro/Neuro.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

namespace neuroc::cpu {

/// Which piece of a block each operation belongs to. A pure operation stands in
/// the last piece that serves all its users; sets and emits in the last one.
class Pieces {
public:
  explicit Pieces(mlir::Block &block);

  unsigned count() const { return numPieces; }
  bool isWhole() const { return numPieces == 1; }
  /// Reads, draws, constants: emitted anew in every piece that uses them.
  static bool isLeaf(mlir::Operation &op);
  /// Does piece `number` compute `op` (leaves and reductions excepted)?
  bool computes(mlir::Operation &op, unsigned number) const {
    return !isLeaf(op) && pieceOf.lookup(&op) == number;
  }
  /// Does an operation of piece `number` use a result of `op`?
  bool uses(mlir::Operation &op, unsigned number) const;
  /// Does reduction `op` fold what is known after piece `number`?
  bool reducesIn(mlir::Operation &op, unsigned number) const {
    return pieceOf.lookup(&op) == number;
  }
  /// Values that one piece computes and a later one reads, in order.
  llvm::ArrayRef<mlir::Value> keptValues() const { return kept.getArrayRef(); }
  bool isKept(mlir::Value value) const { return kept.contains(value); }

private:
  unsigned numPieces = 1;
  llvm::DenseMap<mlir::Operation *, unsigned> pieceOf;
  llvm::SetVector<mlir::Value> kept;
};

/// Rewrites f64 scalar code to a kernel's real format.
class ScalarCloner {
public:
  ScalarCloner(Kernel &kernel) : kernel(kernel) {}
  /// Binds a value of the region to generated code.
  void map(mlir::Value from, mlir::Value to) { mapping.map(from, to); }
  mlir::Value lookup(mlir::Value value) { return mapping.lookup(value); }
  /// Remembers the f64 value that a random draw had before rounding.
  void mapExact(mlir::Value from, mlir::Value exact) { exacts[from] = exact; }
  /// Clones an arith or math operation.
  void clone(mlir::Operation *op);

private:
  mlir::Value exactOperand(mlir::Value value);
  Kernel &kernel;
  mlir::IRMapping mapping;
  llvm::DenseMap<mlir::Value, mlir::Value> exacts;
};

/// What the pieces of a block leave for later ones.
struct PieceBuffers {
  llvm::DenseMap<mlir::Value, Buffer> kept;
  /// Operands and results of the reductions.
  llvm::DenseMap<mlir::Operation *, std::pair<Buffer, Buffer>> reductions;
};

/// Emits one piece for one member.
struct PieceEmitter {
  Kernel &k;
  const Pieces &pieces;
  const PieceBuffers &buffers;
  double dt;          ///< of the code that runs, in ms
  double tickLength;  ///< of the network
  mlir::Value number; ///< of the unit or synapse, for neuro.index
  llvm::function_ref<mlir::Value(neuro::GetOp)> read;
  /// neuro.set and neuro.emit.
  llvm::function_ref<void(mlir::Operation *, mlir::Value)> write;
  llvm::function_ref<mlir::Value(neuro::RandomOp)> draw; ///< as f64
  llvm::function_ref<mlir::Value(neuro::ReduceOp)> resultPlace;

  /// `entry` is the member's place in the buffers between pieces.
  mlir::LogicalResult emit(mlir::Block &block, unsigned piece,
                           mlir::Value entry);
};

/// A member of a reduction's group in generated code.
struct Member {
  mlir::Value entry; ///< place of its value, in canonical order
  mlir::Value group; ///< place of its group's result
  mlir::Value a, b;  ///< what its peers are found by (the emitter's own)
};
using MemberBody = llvm::function_ref<void(const Member &)>;

/// Emits one reduction over buffers: `values` holds the operand of each member,
/// `results` takes one number per group, or for ranks and prefix sums one per
/// member.
struct ReductionEmitter {
  Kernel &k;
  neuro::ReduceOp op;
  Buffer values, results;
  int64_t groups = 1;
  /// All members, in canonical order.
  llvm::function_ref<void(MemberBody)> forMembers;
  /// The members of a member's group: body(entry, exists), where `exists` is
  /// null for "always".
  llvm::function_ref<void(const Member &,
                          llvm::function_ref<void(mlir::Value, mlir::Value)>)>
      forPeers;
  /// Further scratch of `count` elements.
  llvm::function_ref<Buffer(llvm::StringRef, mlir::Type, int64_t)> scratch;

  void emit();
  /// Does each member have a result of its own?
  static bool isByMember(neuro::ReduceOp op) {
    return op.getPrefix() || op.getKind() == neuro::GroupReduce::Rank;
  }

private:
  void fill(const Buffer &buffer, mlir::Value value);
  void fold(double init,
            llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> join,
            const Buffer &into);
  void emitLogSumExp();
  void emitKthLargest();
  void emitRank();
};

} // namespace neuroc::cpu
#endif // NEUROC_LIB_CONVERSION_NEUROTOCPU_PIECES_H
