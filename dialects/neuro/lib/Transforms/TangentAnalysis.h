// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which signals, names and values of a network in core normal form depend on
// the parameters that probes want derivatives of, and on which of those some
// wanted derivative depends in turn.
#ifndef NEUROC_NEURO_LIB_TRANSFORMS_TANGENTANALYSIS_H
#define NEUROC_NEURO_LIB_TRANSFORMS_TANGENTANALYSIS_H

#include "neuroc/Neuro/Neuro.h"

#include "llvm/ADT/SmallBitVector.h"

#include <map>
#include <string>
#include <vector>

namespace neuroc::neuro {

/// A parameter that a derivative is wanted of.
struct WantedParam {
  std::string population, param;
  std::string name() const { return population + "." + param; }
  /// A name for what belongs to its derivative, made of `base`.
  std::string tangentName(llvm::StringRef base) const;
};

/// The slope of the initial value of `state` in `param`, where the front end
/// made one from the other (attribute `neuro.init_slopes`), or null.
mlir::Attribute getInitialSlope(PopulationOp population, llvm::StringRef state,
                                llvm::StringRef param);

/// A set of wanted parameters, by number.
using ParamSet = llvm::SmallBitVector;

class TangentAnalysis {
public:
  /// The parameters that the network's probes want, in order of mention.
  static std::vector<WantedParam> getWanted(NetworkOp network);

  TangentAnalysis(NetworkOp network, const std::vector<WantedParam> &wanted);

  /// Parameters whose tangent of a signal, of a name of a population's model or
  /// of a value in its stages is not always zero and is asked for.
  ParamSet ofSignal(mlir::Value signal) const;
  ParamSet ofName(PopulationOp population, llvm::StringRef name) const;
  ParamSet ofValue(mlir::Value value) const;
  /// Parameters that a learning weight depends on where a tangent would have to
  /// pass through it.
  ParamSet ofWeight(WeightOp weight) const;
  /// Whether a signal depends on the parameter at all.
  bool depends(mlir::Value signal, unsigned param) const;
  ParamSet dependencies(mlir::Value signal) const;

private:
  /// Facts that grow: about values (of stages and signals), about names of
  /// populations, and about weights.
  struct Facts {
    llvm::DenseMap<mlir::Value, ParamSet> values;
    std::map<std::pair<mlir::Operation *, std::string>, ParamSet> names;
    llvm::DenseMap<mlir::Operation *, ParamSet> weights;
  };
  ParamSet none() const { return ParamSet(wanted.size()); }
  bool grow(ParamSet &set, const ParamSet &by);
  ParamSet lookup(const Facts &facts, mlir::Value value) const;
  void visitForward(mlir::Operation *op);
  void visitForward(PopulationOp population);
  void visitBackward(mlir::Operation *op);
  void visitBackward(PopulationOp population);

  const std::vector<WantedParam> &wanted;
  Facts active, needed;
  bool changed = false;
};

} // namespace neuroc::neuro

#endif // NEUROC_NEURO_LIB_TRANSFORMS_TANGENTANALYSIS_H
