// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operations of the xbar dialect. Rules are numbered <op>_rN; the number
// stands beside the trait or verifier that checks it, in the name of its
// negative test, and in dialects/xbar/README.md.
#ifndef NEUROC_XBAR_OPS_TD
#define NEUROC_XBAR_OPS_TD

include "XbarTypes.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Xbar_Op<string mnemonic, list<Trait> traits = []>
    : Op<XbarDialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// The machine and the numbers
//===----------------------------------------------------------------------===//

def MachineOp : Xbar_Op<"machine", [Symbol]> {
  let summary = "the part of a machine description that mapping needs";
  let description = [{
    `mesh [x, y]` tiles, each with so many `arrays` of `[rows, columns]` cells of
    `cell_bits`, converters of `adc_bits` and a memory of 32-bit words. `source`
    is the preset or machine file that holds the rest (timing, energy).

    ```mlir
    xbar.machine @machine source "generic-128" mesh [8, 8] arrays 8 of [128, 128]
        cell_bits 2 adc_bits 8 memory 65536
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$source,
      DenseI64ArrayAttr:$mesh, I64Attr:$arrays, DenseI64ArrayAttr:$shape,
      I64Attr:$cell_bits, I64Attr:$adc_bits, I64Attr:$memory);
  let assemblyFormat = [{ $sym_name `source` $source `mesh` $mesh
    `arrays` $arrays `of` $shape `cell_bits` $cell_bits `adc_bits` $adc_bits
    `memory` $memory attr-dict }];
  let hasVerifier = 1; // machine_r1: two positive extents for mesh and arrays
                       // machine_r2: an even number of columns
                       // machine_r3: cell_bits in [1, 6], adc_bits in [2, 16]
  let extraClassDeclaration = [{
    int64_t getNumTiles() { return getMesh()[0] * getMesh()[1]; }
    int64_t getRows() { return getShape()[0]; }
    int64_t getSignedCols() { return getShape()[1] / 2; }
  }];
}

def MapOp : Xbar_Op<"map", [
    Symbol, SymbolTable, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "how a network lies on a machine";
  let description = [{
    Holds the formats and matrices of the network and the tiles of the machine
    that do something.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$network,
                   FlatSymbolRefAttr:$machine);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{ $sym_name `of` $network `on` $machine
    attr-dict-with-keyword $body }];
  let hasVerifier = 1; // map_r1: the machine exists
                       // map_r2: formats, matrices and tiles only
                       // map_r3: no unit is owned twice
                       // map_r4: two tiles do not stand on one place
  let extraClassDeclaration = [{
    MachineOp getMachineOp();
    template <typename OpT> ::llvm::SmallVector<OpT> list() {
      return ::llvm::to_vector(getBody().front().getOps<OpT>());
    }
  }];
}

def FormatOp : Xbar_Op<"format", [HasParent<"MapOp">]> {
  let summary = "the binary point of one variable";
  let description = [{
    The variable `name` of `owner` (a population, weight, plastic or stimulus)
    is a 32-bit word times 2^-frac. `range` is what it was chosen for; where it
    is not `proved`, stores saturate and the machine counts that they did.

    ```mlir
    xbar.format @E "v" frac 23 range [-80.0, -50.0] proved
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$owner, StrAttr:$name, I64Attr:$frac,
                   DenseF64ArrayAttr:$range, UnitAttr:$proved);
  let assemblyFormat = [{ $owner $name `frac` $frac `range` $range
    (`proved` $proved^)? attr-dict }];
  let hasVerifier = 1; // format_r1: frac in [-31, 31]
                       // format_r2: range is [lo, hi] and fits the format
}

def MatrixOp : Xbar_Op<"matrix", [Symbol, HasParent<"MapOp">]> {
  let summary = "a weight as integers that arrays can hold";
  let description = [{
    Row k, column n stands for `levels[k][n] * scales[n]`. `bits` counts the sign.
    A `plastic` matrix has no constant levels: the tile keeps the exact weights
    in its memory and programs the arrays from them. Rows are the weight's pre
    units (a convolution's kernel entries), or with `transposed` its post units.

    ```mlir
    xbar.matrix @W_q of @W bits 8 slices 4 shape [1, 2]
        levels dense<[[3, -7]]> : tensor<1x2xi16>
        scales [0.5, 0.25]
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$weight,
      I64Attr:$bits, I64Attr:$slices, DenseI64ArrayAttr:$shape,
      OptionalAttr<ElementsAttr>:$levels, OptionalAttr<DenseF64ArrayAttr>:$scales,
      UnitAttr:$plastic, UnitAttr:$transposed);
  let assemblyFormat = [{ $sym_name `of` $weight `bits` $bits `slices` $slices
    `shape` $shape (`transposed` $transposed^)? (`plastic` $plastic^)? (`levels` $levels^ `scales` $scales)?
    attr-dict }];
  let hasVerifier = 1; // matrix_r1: bits in [2, 16]
                       // matrix_r2: levels have the shape and one scale a column
                       // matrix_r3: every level fits the slices
                       // matrix_r4: levels, unless plastic
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

def TileOp : Xbar_Op<"tile", [
    Symbol, HasParent<"MapOp">, SingleBlock, NoTerminator,
    NoRegionArguments]> {
  let summary = "what one tile holds and does";
  let description = [{
    Shares of populations, banks of arrays with programmed weights, synaptic
    rows, and one `xbar.tick`. `at [x, y]` is given by `xbar-place`.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                   OptionalAttr<DenseI64ArrayAttr>:$at);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name (`at` $at^)? attr-dict-with-keyword $body";
  let hasVerifier = 1; // tile_r1: the place is on the mesh
                       // tile_r2: at most one tick
                       // tile_r3: banks do not overlap
}

def ShareOp : Xbar_Op<"share", [HasParent<"TileOp">]> {
  let summary = "the units of a population that live on this tile";
  let arguments = (ins FlatSymbolRefAttr:$population, DenseI64ArrayAttr:$units);
  let assemblyFormat = "$population `units` $units attr-dict";
  let hasVerifier = 1; // share_r1: units is [first, last), not empty
}

def BankOp : Xbar_Op<"bank", [
    HasParent<"TileOp">, MemoryEffects<[MemAlloc]>]> {
  let summary = "allocate consecutive arrays of the tile";
  let description = [{
    ```mlir
    %b = xbar.bank first 0 : !xbar.bank<128 x 64, slices 4>
    ```
  }];
  let arguments = (ins I64Attr:$first);
  let results = (outs Xbar_BankType:$bank);
  let assemblyFormat = "`first` $first attr-dict `:` type($bank)";
  let hasVerifier = 1; // bank_r2: the arrays exist and have that size
}

def ProgramOp : Xbar_Op<"program", [
    HasParent<"TileOp">, MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "make a block of a matrix resident in a bank";
  let description = [{
    Rows [first, last) and columns [first, last) of the matrix, placed at row 0
    and column `at` of the bank. Programmed once, read for the whole run.
  }];
  let arguments = (ins Xbar_BankType:$bank, FlatSymbolRefAttr:$matrix,
      DenseI64ArrayAttr:$rows, DenseI64ArrayAttr:$cols, I64Attr:$at);
  let results = (outs Xbar_WeightsType:$weights);
  let assemblyFormat = [{ $bank `with` $matrix `rows` $rows `cols` $cols `at` $at
    attr-dict `:` type($bank) `->` type($weights) }];
  let hasVerifier = 1; // program_r1: the block lies inside the matrix
                       // program_r2: the block fits the bank
                       // program_r3: the bank has the matrix's slices
                       // program_r4: blocks of one bank do not overlap
                       // program_r5: the result has the block's extents
}

def RowsOp : Xbar_Op<"rows", [HasParent<"TileOp">]> {
  let summary = "synaptic rows in tile memory";
  let description = [{
    The synapses of a projection onto target units [first, last), sorted by
    source unit; spikes add them one row at a time. `synapses` counts them.
  }];
  let arguments = (ins I64Attr:$projection, DenseI64ArrayAttr:$units,
                   I64Attr:$synapses);
  let assemblyFormat = [{ `projection` $projection `units` $units
    `synapses` $synapses attr-dict }];
  let hasVerifier = 1; // rows_r1: units is [first, last), not empty
}

//===----------------------------------------------------------------------===//
// A tick
//===----------------------------------------------------------------------===//

def TickOp : Xbar_Op<"tick", [
    HasParent<"TileOp">, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "what the tile does in a tick, in order";
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "attr-dict-with-keyword $body";
  let hasVerifier = 1; // tick_r1: tick operations only
}

class Xbar_TickOp<string mnemonic, list<Trait> traits = []>
    : Xbar_Op<mnemonic, !listconcat(traits, [HasParent<"TickOp">])>;

def UpdateOp : Xbar_TickOp<"update"> {
  let summary = "run a stage for the tile's units on the vector unit";
  let arguments = (ins FlatSymbolRefAttr:$population, StrAttr:$stage);
  let assemblyFormat = "$population `stage` $stage attr-dict";
  let hasVerifier = 1; // update_r1: the tile has a share of the population
}

def SendOp : Xbar_TickOp<"send"> {
  let summary = "send the tile's part of a signal to other tiles";
  let arguments = (ins SymbolRefAttr:$signal,
      TypedArrayAttrBase<FlatSymbolRefAttr, "tiles">:$tiles);
  let assemblyFormat = "$signal `to` $tiles attr-dict";
  let hasVerifier = 1; // send_r1: the tiles exist and are others
}

def RecvOp : Xbar_TickOp<"recv"> {
  let summary = "wait for another tile's part of a signal";
  let arguments = (ins SymbolRefAttr:$signal, FlatSymbolRefAttr:$tile);
  let assemblyFormat = "$signal `from` $tile attr-dict";
  let hasVerifier = 1; // recv_r1: the tile exists and is another
                       // recv_r2: that tile sends the signal to this one
}

def MvmOp : Xbar_TickOp<"mvm"> {
  let summary = "carry a projection through resident weights";
  let description = [{
    Multiplies the projection's source by each block (`transposed`: drives the
    columns and senses the rows of the same cells) and adds to the target units,
    here or, as partial sums, on the tiles that own them. `range` is log2 of the
    converter's step in levels.
  }];
  let arguments = (ins Variadic<Xbar_WeightsType>:$weights,
      I64Attr:$projection, UnitAttr:$transposed, I64Attr:$range);
  let assemblyFormat = [{ $weights `projection` $projection
    (`transposed` $transposed^)? `range` $range attr-dict `:` type($weights) }];
  let hasVerifier = 1; // mvm_r1: at least one block
                       // mvm_r2: range in [0, 15]
}

def ScatterOp : Xbar_TickOp<"scatter"> {
  let summary = "add the synaptic rows of the source units that fired";
  let arguments = (ins I64Attr:$projection);
  let assemblyFormat = "`projection` $projection attr-dict";
  let hasVerifier = 1; // scatter_r1: the tile has rows of the projection
}

def CombineOp : Xbar_TickOp<"combine"> {
  let summary = "carry a projection on the vector unit";
  let description = [{
    For what is not a weighted sum, or too sparse for arrays: one-to-one
    weights, pooling, depthwise kernels, transmit expressions. `units` are the
    targets.
  }];
  let arguments = (ins I64Attr:$projection, DenseI64ArrayAttr:$units);
  let assemblyFormat = "`projection` $projection `units` $units attr-dict";
  let hasVerifier = 1; // combine_r1: units is [first, last), not empty
}

def CollectOp : Xbar_TickOp<"collect"> {
  let summary = "add the partial sums that other tiles send";
  let arguments = (ins I64Attr:$projection, FlatSymbolRefAttr:$population,
      TypedArrayAttrBase<FlatSymbolRefAttr, "tiles">:$tiles);
  let assemblyFormat = [{ `projection` $projection `for` $population
    `from` $tiles attr-dict }];
  let hasVerifier = 1; // collect_r1: the tiles exist and are others
}

def LearnOp : Xbar_TickOp<"learn"> {
  let summary = "run a learning rule next to the arrays";
  let description = [{
    Traces and handlers run on the vector unit over the exact weights in tile
    memory; rows whose level changed are programmed again.
  }];
  let arguments = (ins FlatSymbolRefAttr:$plastic,
                   Variadic<Xbar_WeightsType>:$weights);
  let assemblyFormat = [{ $plastic `on` $weights attr-dict `:` type($weights) }];
  let hasVerifier = 1; // learn_r1: at least one block
}

#endif // NEUROC_XBAR_OPS_TD
