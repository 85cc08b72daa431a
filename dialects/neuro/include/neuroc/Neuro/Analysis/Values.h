// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers from value attributes: a constant, an array or a distribution.
#ifndef NEUROC_NEURO_ANALYSIS_VALUES_H
#define NEUROC_NEURO_ANALYSIS_VALUES_H

#include "neuroc/Neuro/Neuro.h"
#include "neuroc/rt/Sampling.h"

#include <optional>
#include <vector>

namespace neuroc::neuro {

/// All elements as doubles, row-major; floats, integers and booleans.
std::vector<double> toDoubles(mlir::ElementsAttr elements);

/// The one number that an attribute stands for (float, splat), or none.
std::optional<double> getSingleValue(mlir::Attribute value);

/// A distribution attribute, or a constant for a number or a splat.
rt::Distribution getDistribution(mlir::Attribute value);

/// One value per entity; distributions are drawn from (seed, stream, entity).
/// An array must have `count` elements.
std::vector<double> materialize(mlir::Attribute value, int64_t count,
                                uint64_t seed, llvm::StringRef stream);

/// Initial values of a state, one per unit (stream "<population>.<state>").
std::vector<double> getInitialState(PopulationOp population,
                                    llvm::StringRef state);
/// Values of a parameter, one per unit (stream "<population>.<param>").
std::vector<double> getParamValues(PopulationOp population,
                                   llvm::StringRef param);
/// The parameter's value if it is the same number for all units.
std::optional<double> getUniformParam(PopulationOp population,
                                      llvm::StringRef param);
/// Initial values of a stimulus, one per unit; zero without an `init`.
std::vector<double> getInitialStimulus(StimulusOp stimulus);

} // namespace neuroc::neuro

#endif // NEUROC_NEURO_ANALYSIS_VALUES_H
