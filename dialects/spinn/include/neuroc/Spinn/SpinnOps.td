// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operations of the spinn dialect. Rules are numbered <op>_rN; the number
// stands beside the check, in the name of its negative test and in the README.
#ifndef NEUROC_SPINN_OPS_TD
#define NEUROC_SPINN_OPS_TD

include "SpinnDialect.td"

class Spinn_Op<string mnemonic, list<Trait> traits = []>
    : Op<SpinnDialect, mnemonic, traits>;

def MappingOp : Spinn_Op<"mapping", [
    Symbol, SymbolTable, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "a network's place on a machine";
  let description = [{
    `levels` is the number of zero-delay levels of a tick; each is a sub-tick of
    the hardware. `subticks` is `levels`, or one more where the end of the tick
    has work that must see all signals (histories, learning). `period` is the
    length of a sub-tick in CPU cycles; `slowdown` is how much longer a tick
    lasts than the network's dt (1: real time).

    ```mlir
    spinn.mapping @net_map on @net machine "spin3"
        levels 1 subticks 1 period 20000 slowdown 1.0 {
      spinn.format @E state "v" frac 20 range [-8.0e+01, 0.0] proved
      spinn.core @E_0 of @E units [0, 63] dtcm 9000 sdram 4096 cycles 6300
          at [0, 0, 1]
      spinn.listen @E_0 to @E_0 output 0 as rows
      spinn.key @E_0 output 0 base 0x100 mask 0xffffff00
      spinn.table [0, 0] {
        spinn.entry 0x100 mask 0xffffff00 links [] cores [1]
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$network,
      StrAttr:$machine, I64Attr:$levels, I64Attr:$subticks, I64Attr:$period,
      F64Attr:$slowdown);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{ $sym_name `on` $network `machine` $machine
    `levels` $levels `subticks` $subticks `period` $period
    `slowdown` $slowdown attr-dict-with-keyword $body }];
  let hasVerifier = 1;
  // mapping_r1: the machine is known
  // mapping_r2: 1 <= levels <= subticks <= levels + 1
  // mapping_r3: the period is positive and fits 32 bits
  let hasRegionVerifier = 1;
  // mapping_r4: only operations of this dialect inside
  // mapping_r5: no two cores at one place
  // mapping_r6: the shares of a population follow each other without gap
  // mapping_r7: key blocks do not overlap
  // mapping_r8: every core is on the machine
  let extraClassDeclaration = [{
    template <typename OpT> ::llvm::SmallVector<OpT> list() {
      return ::llvm::to_vector(getBody().front().getOps<OpT>());
    }
  }];
}

def FormatOp : Spinn_Op<"format", [HasParent<"MappingOp">]> {
  let summary = "the fixed-point format of a variable";
  let description = [{
    A 32-bit integer m stands for m * 2^-frac. `kind` is what `name` is in
    `owner` (state, input, output, param, weight, trace, …). `range` is what the
    variable can take; `proved` says that this is a theorem. Without it the code
    saturates and counts.
  }];
  let arguments = (ins FlatSymbolRefAttr:$owner, StrAttr:$name, StrAttr:$kind,
      I64Attr:$frac, DenseF64ArrayAttr:$range, UnitAttr:$proved);
  let assemblyFormat = [{ $owner $name $kind `frac` $frac `range` $range
    (`proved` $proved^)? attr-dict }];
  let hasVerifier = 1;
  // format_r1: frac in [-31, 62]
  // format_r2: range is [lo, hi] with lo <= hi
  // format_r3: a proved range lies inside the format
}

def CoreOp : Spinn_Op<"core", [Symbol, HasParent<"MappingOp">]> {
  let summary = "a share of a population on one core";
  let description = [{
    `units` is [first, count]. `dtcm` and `sdram` are bytes, `cycles` the
    estimated work of a quiet tick. `external` blocks of weights that do not fit
    DTCM are streamed from SDRAM. `slots` is [gap, phase]: graded values go out
    every gap cycles, phase cycles after the timer. `at` is [x, y, core] once
    placed.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$population,
      DenseI64ArrayAttr:$units, I64Attr:$dtcm, I64Attr:$sdram, I64Attr:$cycles,
      UnitAttr:$external, OptionalAttr<DenseI64ArrayAttr>:$slots,
      OptionalAttr<DenseI64ArrayAttr>:$place);
  let assemblyFormat = [{ $sym_name `of` $population `units` $units
    `dtcm` $dtcm `sdram` $sdram `cycles` $cycles (`external` $external^)?
    (`slots` $slots^)? (`at` $place^)? attr-dict }];
  let hasVerifier = 1;
  // core_r1: units is [first, count], first >= 0, count >= 1
  // core_r2: at is [x, y, core]
  // core_r3: sizes are not negative and dtcm is at most 65536
  // core_r4: slots is [gap, phase], 0 <= phase < gap
}

def ListenOp : Spinn_Op<"listen", [
    HasParent<"MappingOp">, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a core needs what an output of another (or itself) sends";
  let description = [{
    `value` and `flag`: the newest value, or whether a spike came, is kept in
    an array; `rows`: a spike fetches a row of synapses.
  }];
  let arguments = (ins FlatSymbolRefAttr:$core, FlatSymbolRefAttr:$source,
      I64Attr:$output, Spinn_ListenAttr:$kind);
  let assemblyFormat = [{ $core `to` $source `output` $output `as` $kind
    attr-dict }];
  // listen_r1: both cores exist
}

def KeyOp : Spinn_Op<"key", [
    HasParent<"MappingOp">, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the keys that an output of a core sends";
  let arguments = (ins FlatSymbolRefAttr:$core, I64Attr:$output,
      I64Attr:$base, I64Attr:$mask);
  let assemblyFormat = [{ $core `output` $output `base` custom<Hex>($base)
    `mask` custom<Hex>($mask) attr-dict }];
  let hasVerifier = 1;
  // key_r1: the mask is ones followed by zeros
  // key_r2: the base has no bit outside the mask
  // key_r3: the core exists
}

def TableOp : Spinn_Op<"table", [
    HasParent<"MappingOp">, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "the multicast routing table of a chip, first match wins";
  let arguments = (ins DenseI64ArrayAttr:$chip);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$chip attr-dict-with-keyword $body";
  let hasVerifier = 1;
  // table_r1: chip is [x, y]
  // table_r2: at most 1023 entries, and nothing but entries
}

def EntryOp : Spinn_Op<"entry", [HasParent<"TableOp">]> {
  let summary = "packets with (key and mask) == key go to links and cores";
  let arguments = (ins I64Attr:$key, I64Attr:$mask,
      DenseI64ArrayAttr:$links, DenseI64ArrayAttr:$cores);
  let assemblyFormat = [{ custom<Hex>($key) `mask` custom<Hex>($mask)
    `links` $links `cores` $cores attr-dict }];
  let hasVerifier = 1;
  // entry_r1: the key has no bit outside the mask
  // entry_r2: links are 0 to 5, cores 1 to 17, and there is at least one
}

#endif // NEUROC_SPINN_OPS_TD
