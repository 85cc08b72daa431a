// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEUROC_NEURO_PASSES_TD
#define NEUROC_NEURO_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandSugar : Pass<"neuro-expand-sugar", "::mlir::ModuleOp"> {
  let summary = "Expand predictive-coding layers and memories into the core";
  let description = [{
    Needs: a verified module. Leaves: populations, projections, weights, rules
    and plastics in place of `neuro.pc_layer` and `neuro.associative_memory`.
    Refuses: nothing that the verifier accepts.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def SpecializeModels : Pass<"neuro-specialize-models", "::mlir::ModuleOp"> {
  let summary = "Give each population its own model, each plastic its own rule";
  let description = [{
    Needs: expanded sugar. Leaves: one model per population with parameters that
    are one number folded into constants, `neuro.dt` folded, random draws
    numbered; one rule per plastic likewise; unused models and rules removed.
    Refuses: nothing that the verifier accepts.
  }];
}

def ExpandTangents : Pass<"neuro-expand-tangents", "::mlir::ModuleOp"> {
  let summary = "Compute the derivatives that probes ask for, forward in time";
  let description = [{
    Needs: core normal form. Leaves: no probe with `wrt`; the models, signals and
    projections between the parameter and the probe carry tangents beside their
    values. Refuses: a dependence through a plastic weight, a product or a
    selection among signals, naming it. Spikes have derivative zero.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def SolveDynamics : Pass<"neuro-solve-dynamics", "::mlir::ModuleOp"> {
  let summary = "Turn differential equations into update code";
  let description = [{
    Needs: specialised models. Leaves: no `neuro.diff`. Linear systems with
    constant coefficients are advanced exactly by a matrix exponential, others
    by the stated method; with `auto`, equations that are linear in their own
    variable by exponential Euler, the rest by RK4. The choice is reported as a
    remark on each equation (`report`). Refuses: `exact` for a system that is not
    linear, naming the variable; `exponential_euler` for an equation that is not
    linear in its own variable.
  }];
  let options = [
    Option<"report", "report", "bool", "false",
           "Remark which method each equation got">];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def NormalizeRegions : Pass<"neuro-normalize-regions", "::mlir::ModuleOp"> {
  let summary = "Bring scalar regions into the form that targets read";
  let description = [{
    Needs: no `neuro.diff`. Leaves: in each region at most one get per name, all
    first, and at most one set per name, all last; dead code removed, constants
    folded in f64. Refuses: nothing.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

#endif // NEUROC_NEURO_PASSES_TD
