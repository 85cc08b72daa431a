// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEUROC_SPINN_DIALECT_TD
#define NEUROC_SPINN_DIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def SpinnDialect : Dialect {
  let name = "spinn";
  let cppNamespace = "::neuroc::spinn";
  let summary = "a network mapped to SpiNNaker cores";
  let useDefaultAttributePrinterParser = 1;
  let description = [{
    What the mapper decided about a `neuro.network`: number formats, core shares
    and their places, who listens to whom and how, keys and routing tables. The
    network itself stays beside the mapping; code generation reads both.
    Rationale and numbered rules: `dialects/spinn/README.md`.
  }];
}

class Spinn_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::neuroc::spinn";
  let genSpecializedAttr = 0;
}

def Spinn_ListenEnum : Spinn_Enum<"ListenKind",
    "what a core does with a packet that it listens to", [
  I32EnumAttrCase<"Value", 0, "value">,
  I32EnumAttrCase<"Flag", 1, "flag">,
  I32EnumAttrCase<"Rows", 2, "rows">
]>;
def Spinn_ListenAttr : EnumAttr<SpinnDialect, Spinn_ListenEnum, "listen">;

#endif // NEUROC_SPINN_DIALECT_TD
