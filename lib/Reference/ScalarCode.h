// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block of scalar code as a list of f64 instructions on slots. Truth values
// are 0 and 1. One instruction per operation, in IR order; nothing is optimised.
#ifndef NEUROC_LIB_REFERENCE_SCALARCODE_H
#define NEUROC_LIB_REFERENCE_SCALARCODE_H

#include "neuroc/Neuro/Neuro.h"

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
  void run(std::vector<double> &slots, const Environment &environment) const;

private:
  struct Instruction;
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
