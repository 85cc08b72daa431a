// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Folding of parameters that are one number, for the passes that do it.
#ifndef NEUROC_NEURO_LIB_TRANSFORMS_SPECIALIZEMODELS_H
#define NEUROC_NEURO_LIB_TRANSFORMS_SPECIALIZEMODELS_H

#include "neuroc/Neuro/Neuro.h"

#include <map>
#include <string>

namespace neuroc::neuro {

/// Parameters of the population's model that are one number for all units.
std::map<std::string, double> getUniformParams(PopulationOp population);

/// Makes constants of them, except those named in `kept`. The population must
/// have its model for itself.
void foldUniformParams(PopulationOp population,
                       const std::map<std::string, double> &kept = {});

} // namespace neuroc::neuro

#endif // NEUROC_NEURO_LIB_TRANSFORMS_SPECIALIZEMODELS_H
