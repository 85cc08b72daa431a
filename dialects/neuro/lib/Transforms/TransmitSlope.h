// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The slope of a projection's transmit region in the signal, as a product of a
// function of the weight and a function of the signal. A tangent is carried by
// a projection that transmits the former times the tangent; the latter is
// multiplied beforehand.
#ifndef NEUROC_NEURO_LIB_TRANSFORMS_TRANSMITSLOPE_H
#define NEUROC_NEURO_LIB_TRANSFORMS_TRANSMITSLOPE_H

#include "neuroc/Neuro/Neuro.h"

#include "mlir/IR/Builders.h"

#include <memory>
#include <optional>

namespace neuroc::neuro {

/// A function of the arguments (w, x) of `block`; null means: w for the
/// weight's factor of a plain projection, 1 for the signal's.
struct TransmitFactor {
  mlir::Value yield;
};

struct TransmitSlope {
  std::shared_ptr<mlir::Region> code; ///< holds the block of both factors
  TransmitFactor ofWeight, ofSignal;
  bool isZero = false;
};

/// None if the slope is no such product, or not known.
std::optional<TransmitSlope> getTransmitSlope(ProjectOp project);

/// Gives `project` a region that transmits (the weight's factor) * signal.
void buildTransmit(mlir::OpBuilder &builder, ProjectOp project,
                   const TransmitSlope &slope);

/// A model with inputs x and t and output y = (the signal's factor of x) * t.
ModelOp buildSlopeModel(mlir::OpBuilder &builder, mlir::Location loc,
                        llvm::StringRef name, const TransmitSlope &slope);

} // namespace neuroc::neuro

#endif // NEUROC_NEURO_LIB_TRANSFORMS_TRANSMITSLOPE_H
