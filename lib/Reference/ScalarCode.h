// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block of scalar code as a list of f64 instructions on slots. Truth values
// are 0 and 1. One instruction per operation, in IR order; nothing is
// optimised. Reductions over a group cut the list into pieces: every member
// runs a piece before any runs the next.
#ifndef NEUROC_LIB_REFERENCE_SCALARCODE_H
#define NEUROC_LIB_REFERENCE_SCALARCODE_H

#include "neuroc/Neuro/Neuro.h"

#include <functional>
#include <string>
#include <vector>

namespace neuroc::reference {

/// What the code asks of its surroundings.
class Environment {
public:
  virtual ~Environment() = default;
  virtual double random(neuro::RandomKind kind, uint32_t draw) const = 0;
  virtual double time() const = 0;  ///< ms
  virtual double index() const = 0; ///< number of the unit
};

/// A `neuro.reduce` between two pieces of code.
struct Reduction {
  neuro::GroupReduce kind = neuro::GroupReduce::Sum;
  neuro::ReduceOver over = neuro::ReduceOver::Units;
  uint64_t group = 0; ///< consecutive units; 0: all
  uint64_t k = 1;
  bool isPrefix = false;
  unsigned in = 0, out = 0; ///< slots
  size_t end = 0;           ///< the instructions before this one come before it

  /// Reduces the values of one group, in the order of its members; each member
  /// gets its own result.
  std::vector<double> apply(const std::vector<double> &values) const;
};

class ScalarCode {
public:
  ScalarCode() = default;
  /// Compiles a block; arguments of the block get the first slots. Fails with
  /// an error on an operation that scalar code may not have.
  static mlir::FailureOr<ScalarCode> compile(mlir::Block &block);

  /// Reads and writes in order, by name: `reads[i]` goes to slot readSlots[i]
  /// before a run; after it, writes[i] is in slot writeSlots[i].
  std::vector<std::string> reads, writes, emits;
  std::vector<unsigned> readSlots, writeSlots, emitSlots;
  int yieldSlot = -1;

  unsigned getNumSlots() const { return numSlots; }
  /// Slots that constants live in are filled by `prepare` once per slot array.
  void prepare(std::vector<double> &slots) const;
  void run(std::vector<double> &slots, const Environment &environment) const {
    runPiece(slots.data(), 0, instructions.size(), environment);
  }

  std::vector<Reduction> reductions;
  /// The groups of a reduction, each as its members in order.
  using Groups = std::vector<std::vector<size_t>>;
  /// Runs the code for `count` members in lockstep. `slots` holds
  /// getNumSlots() values for each member; `environmentOf` gives the
  /// surroundings of a member.
  void
  runTogether(std::vector<double> &slots, size_t count,
              const std::function<const Environment &(size_t)> &environmentOf,
              const std::function<Groups(const Reduction &)> &groupsOf) const;

private:
  void runPiece(double *slots, size_t begin, size_t end,
                const Environment &environment) const;
  using Apply = double (*)(double, double, double);
  struct Instruction {
    Apply apply = nullptr;
    unsigned out = 0, a = 0, b = 0, c = 0;
    enum Kind { Compute, Random, Time, Index } kind = Compute;
    neuro::RandomKind randomKind = neuro::RandomKind::Uniform;
    uint32_t draw = 0;
  };
  std::vector<Instruction> instructions;
  std::vector<std::pair<unsigned, double>> constants;
  unsigned numSlots = 0;
};

} // namespace neuroc::reference

#endif // NEUROC_LIB_REFERENCE_SCALARCODE_H
