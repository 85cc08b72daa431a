// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A network in core normal form, indexed for mapping: which signal each input
// port of each population reads, how late, and through which weight.
#ifndef NEUROC_XBAR_NETWORKVIEW_H
#define NEUROC_XBAR_NETWORKVIEW_H

#include "neuroc/Neuro/Neuro.h"

#include <string>
#include <vector>

namespace neuroc::xbar {

/// A signal of a population, stimulus or spike array, some ticks ago.
struct Source {
  mlir::Value base;
  int64_t delay = 0;
};

/// An input port of a population.
struct Port {
  neuro::PopulationOp population;
  neuro::InputOp input;
};

/// A projection that feeds a port.
struct Projection {
  int64_t id = 0; ///< its place among the network's projections
  neuro::ProjectOp op;
  neuro::WeightOp weight;
  neuro::PlasticOp plastic; ///< the rule of the weight, or null
  Source source;
  Port target;
  bool spikes = false; ///< the source is a spike signal
  int64_t numSource = 0, numTarget = 0;
  bool isPlain() { return op.getTransmit().empty(); }
  bool isTransposed() { return op.getTransposed(); }
};

/// A signal that feeds a port unit by unit, or constants that do.
struct Direct {
  Source source; ///< base is null for constants
  mlir::ElementsAttr constant;
  Port target;
};

class NetworkView {
public:
  /// Errors: operations between nodes that no port of a core network has, on
  /// the operation, naming it.
  static mlir::FailureOr<NetworkView> create(neuro::NetworkOp network);

  neuro::NetworkOp network;
  std::vector<neuro::PopulationOp> populations;
  std::vector<Projection> projections; ///< by id
  std::vector<Direct> directs;
  std::vector<neuro::PlasticOp> plastics;

  /// `value` as a delayed signal of a node; base null if it is none.
  static Source resolve(mlir::Value value);
  /// `@population::@output`, or the stimulus's symbol.
  static mlir::SymbolRefAttr getSignalName(mlir::Value base);
  /// The signal of that name, or null.
  mlir::Value findSignal(mlir::SymbolRefAttr name) const;
  neuro::PopulationOp findPopulation(llvm::StringRef name) const;
  /// The population and the result number that give a signal.
  static std::pair<neuro::PopulationOp, unsigned> getProducer(mlir::Value base);
  /// Projections that use a weight, in order.
  std::vector<Projection *> getUses(neuro::WeightOp weight);
};

/// True for spike signals.
inline bool isSpikeSignal(mlir::Value signal) {
  return mlir::cast<mlir::ShapedType>(signal.getType())
      .getElementType()
      .isInteger(1);
}
inline int64_t getSignalSize(mlir::Value signal) {
  return mlir::cast<mlir::ShapedType>(signal.getType()).getNumElements();
}

} // namespace neuroc::xbar
#endif // NEUROC_XBAR_NETWORKVIEW_H
