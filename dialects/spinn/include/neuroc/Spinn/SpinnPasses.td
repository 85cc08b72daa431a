// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEUROC_SPINN_PASSES_TD
#define NEUROC_SPINN_PASSES_TD

include "mlir/Pass/PassBase.td"

def MaterializeSignals
    : Pass<"spinn-materialize-signals", "::mlir::ModuleOp"> {
  let summary = "Give signals that must exist on a core a population of their own";
  let description = [{
    Needs: a network in core normal form. Leaves: every probe, and every pre,
    post and factor signal of a plastic, refers to an output of a population, a
    stimulus or a spike array (for plastics possibly through `neuro.delay`);
    where it did not, a stateless relay population computes the signal.
    Refuses: tensor operations between nodes, naming the operation.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::neuroc::neuro::NeuroDialect"];
}

def AssignFormats : Pass<"spinn-assign-formats", "::mlir::ModuleOp"> {
  let summary = "Choose the fixed-point format of every variable";
  let description = [{
    Needs: a network in core normal form. Leaves: a `spinn.mapping` with one
    `spinn.format` per state, input, output, parameter array, weight, trace and
    factor, from the range analysis. Refuses: an unknown machine.
  }];
  let options = [
    Option<"machine", "machine", "std::string", "\"\"", "Machine preset">];
  let dependentDialects = ["::neuroc::spinn::SpinnDialect"];
}

def Partition : Pass<"spinn-partition", "::mlir::ModuleOp"> {
  let summary = "Cut populations into core shares";
  let description = [{
    Needs: formats. Leaves: `spinn.core` and `spinn.listen`, levels, period and
    slowdown. Shares are as large as DTCM and the estimated cycles allow; where
    the cores do not suffice for real time, shares grow and the tick is slowed
    down. Refuses: populations that do not fit the machine, naming the largest
    and what would help.
  }];
  let options = [
    Option<"unitsPerCore", "units-per-core", "unsigned", "0",
           "Largest share; 0: as computed">,
    Option<"period", "period", "unsigned", "0",
           "CPU cycles of a sub-tick; 0: as computed">,
    Option<"reportNoFit", "report-no-fit", "bool", "true",
           "Report what does not fit as an error">];
}

def Place : Pass<"spinn-place", "::mlir::ModuleOp"> {
  let summary = "Give every core share a core";
  let description = [{
    Needs: core shares. Leaves: every `spinn.core` with its place; shares of one
    population are neighbours, chips fill from (0, 0) outwards. Refuses: more
    shares than cores, more SDRAM than a chip has.
  }];
}

def Route : Pass<"spinn-route", "::mlir::ModuleOp"> {
  let summary = "Allocate keys, build trees and tables, and check them";
  let description = [{
    Needs: placed cores. Leaves: `spinn.key` and `spinn.table`. Every key that
    can be sent is followed through the tables and must reach exactly the cores
    that listen. Refuses: tables of more than 1,023 entries, chips that no live
    path reaches.
  }];
}

#endif // NEUROC_SPINN_PASSES_TD
