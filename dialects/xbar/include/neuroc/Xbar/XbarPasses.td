// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEUROC_XBAR_PASSES_TD
#define NEUROC_XBAR_PASSES_TD

include "mlir/Pass/PassBase.td"

def InsertRelays : Pass<"xbar-insert-relays", "::mlir::ModuleOp"> {
  let summary = "Let every projection end at one input port";
  let description = [{
    Needs: core normal form. Leaves: a population that passes its input on
    behind each projection whose result is not read by exactly one input port.
    Refuses: nothing.
  }];
}

def AssignFormats : Pass<"xbar-assign-formats", "::mlir::ModuleOp"> {
  let summary = "Choose a binary point for every variable";
  let description = [{
    Needs: one network in core normal form and an `xbar.machine`. Leaves: an
    `xbar.map` with an `xbar.format` for each state, port, real signal, per-unit
    parameter, plastic weight, trace and synapse state, from the interval range
    analysis. Refuses: a module without exactly one network and one machine.
  }];
  let options = [
    Option<"unknownMagnitude", "unknown-magnitude", "double", /*default=*/"4096.0",
           "Range of what has neither a proof nor a declared range">];
}

def QuantizeWeights : Pass<"xbar-quantize-weights", "::mlir::ModuleOp"> {
  let summary = "Turn weights that go to arrays into integer matrices";
  let description = [{
    Needs: an `xbar.map`. Leaves: an `xbar.matrix` for each weight whose
    projections are weighted sums worth an array, with per-column symmetric
    scales; numbers the projections. Projections with one-to-one weights, other
    combines, transmit expressions, grouped kernels or sparse spikes (density
    below `sparse-density`) stay in tile memory. Refuses: operations between
    nodes that no core network has; a transposed convolution; a plastic weight
    that no weighted sum uses.
  }];
  let options = [
    Option<"weightBits", "weight-bits", "unsigned", /*default=*/"8",
           "Bits of a weight, sign included (2 to 16)">,
    Option<"sparseDensity", "sparse-density", "double", /*default=*/"0.25",
           "Spiking weights below this density become synaptic rows">];
}

def MapArrays : Pass<"xbar-map-arrays", "::mlir::ModuleOp"> {
  let summary = "Give units to tiles and matrices to arrays";
  let description = [{
    Needs: formats and matrices. Leaves: `xbar.tile`s with shares of the
    populations, banks of arrays with the blocks of the matrices whose columns
    are those units, and synaptic rows. Rows are split so that no sum can clip
    the converter where the machine has the tiles for it. Refuses, with an error
    that starts with "does not fit": a population whose weights or memory exceed
    a tile for every share, and a network that needs more tiles than there are.
  }];
}

def PlaceTiles : Pass<"xbar-place-tiles", "::mlir::ModuleOp"> {
  let summary = "Put tiles on the mesh";
  let description = [{
    Needs: mapped tiles. Leaves: a place on each, tiles that exchange much close
    to each other (greedy, deterministic). Refuses: nothing that `xbar-map-arrays`
    leaves.
  }];
}

def ScheduleTicks : Pass<"xbar-schedule-ticks", "::mlir::ModuleOp"> {
  let summary = "Write down what each tile does in a tick";
  let description = [{
    Needs: mapped tiles. Leaves: an `xbar.tick` in each, in the one order that
    the zero-delay dependencies give to all tiles, with a send and a receive for
    each signal that another tile reads. Refuses: a combinational loop.
  }];
}

#endif // NEUROC_XBAR_PASSES_TD
