// RUN: not neuroc-opt %s --xbar-map-arrays 2>&1 | FileCheck %s --check-prefix=MAP
// RUN: not neuroc-opt %s --xbar-quantize-weights 2>&1 | FileCheck %s --check-prefix=MAP
// RUN: not neuroc-opt %s --xbar-schedule-ticks 2>&1 | FileCheck %s --check-prefix=MAP
// RUN: not neuroc-opt %s --xbar-place-tiles 2>&1 | FileCheck %s --check-prefix=MAP
// MAP: error: no 'xbar.map': run xbar-assign-formats first
//
// Passes of the mapping say which pass has to run before them.
module {
  neuro.network @net dt 1.0 {
  }
}
