// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEUROC_NEURO_ATTRIBUTES_TD
#define NEUROC_NEURO_ATTRIBUTES_TD

include "NeuroDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

//===----------------------------------------------------------------------===//
// Enumerations
//===----------------------------------------------------------------------===//

class Neuro_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::neuroc::neuro";
  let genSpecializedAttr = 0;
}
class Neuro_EnumAttr<EnumAttrInfo info, string mnemonic>
    : EnumAttr<NeuroDialect, info, mnemonic>;

def Neuro_CombineEnum : Neuro_Enum<"Combine",
    "how the contributions to one target unit are put together", [
  I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Max", 1, "max">,
  I32EnumAttrCase<"Min", 2, "min">, I32EnumAttrCase<"Product", 3, "product">
]>;
def Neuro_CombineAttr : Neuro_EnumAttr<Neuro_CombineEnum, "combine">;

def Neuro_SignEnum : Neuro_Enum<"Sign", "the sign class of a weight", [
  I32EnumAttrCase<"Free", 0, "free">,
  I32EnumAttrCase<"Excitatory", 1, "excitatory">,
  I32EnumAttrCase<"Inhibitory", 2, "inhibitory">
]>;
def Neuro_SignAttr : Neuro_EnumAttr<Neuro_SignEnum, "sign">;

def Neuro_MethodEnum : Neuro_Enum<"Method", "how an ODE is advanced by dt", [
  I32EnumAttrCase<"Auto", 0, "auto">, I32EnumAttrCase<"Exact", 1, "exact">,
  I32EnumAttrCase<"ExponentialEuler", 2, "exponential_euler">,
  I32EnumAttrCase<"RK4", 3, "rk4">, I32EnumAttrCase<"Euler", 4, "euler">
]>;
def Neuro_MethodAttr : Neuro_EnumAttr<Neuro_MethodEnum, "method">;

def Neuro_SideEnum : Neuro_Enum<"Side",
    "which units of a synapse own a trace or a third factor", [
  I32EnumAttrCase<"Pre", 0, "pre">, I32EnumAttrCase<"Post", 1, "post">,
  I32EnumAttrCase<"Scalar", 2, "scalar">
]>;
def Neuro_SideAttr : Neuro_EnumAttr<Neuro_SideEnum, "side">;

def Neuro_EventEnum : Neuro_Enum<"Event", "when a rule's handler runs", [
  I32EnumAttrCase<"Pre", 0, "pre">, I32EnumAttrCase<"Post", 1, "post">,
  I32EnumAttrCase<"Tick", 2, "tick">, I32EnumAttrCase<"Call", 3, "call">
]>;
def Neuro_EventAttr : Neuro_EnumAttr<Neuro_EventEnum, "event">;

def Neuro_RandomEnum : Neuro_Enum<"RandomKind", "distribution of a draw", [
  I32EnumAttrCase<"Uniform", 0, "uniform">,
  I32EnumAttrCase<"Normal", 1, "normal">
]>;
def Neuro_RandomAttr : Neuro_EnumAttr<Neuro_RandomEnum, "random_kind">;

def Neuro_DistributionEnum : Neuro_Enum<"DistributionKind",
    "distribution of constants over units or synapses", [
  I32EnumAttrCase<"Uniform", 0, "uniform">,
  I32EnumAttrCase<"Normal", 1, "normal">,
  I32EnumAttrCase<"Lognormal", 2, "lognormal">,
  I32EnumAttrCase<"Exponential", 3, "exponential">
]>;

def Neuro_ReduceEnum : Neuro_Enum<"Reduce",
    "what a readout makes of the samples since the last present", [
  I32EnumAttrCase<"Last", 0, "last">, I32EnumAttrCase<"Mean", 1, "mean">,
  I32EnumAttrCase<"Sum", 2, "sum">, I32EnumAttrCase<"Count", 3, "count">,
  I32EnumAttrCase<"Argmax", 4, "argmax">
]>;
def Neuro_ReduceAttr : Neuro_EnumAttr<Neuro_ReduceEnum, "reduce">;

def Neuro_GroupReduceEnum : Neuro_Enum<"GroupReduce",
    "what a reduction makes of the values of a group", [
  I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Max", 1, "max">,
  I32EnumAttrCase<"Min", 2, "min">,
  I32EnumAttrCase<"LogSumExp", 3, "logsumexp">,
  I32EnumAttrCase<"KthLargest", 4, "kth_largest">,
  I32EnumAttrCase<"Rank", 5, "rank">
]>;
def Neuro_GroupReduceAttr : Neuro_EnumAttr<Neuro_GroupReduceEnum, "group_reduce">;

def Neuro_ReduceOverEnum : Neuro_Enum<"ReduceOver",
    "the members of a reduction's group", [
  I32EnumAttrCase<"Units", 0, "units">, I32EnumAttrCase<"Post", 1, "post">,
  I32EnumAttrCase<"Pre", 2, "pre">, I32EnumAttrCase<"All", 3, "all">
]>;
def Neuro_ReduceOverAttr : Neuro_EnumAttr<Neuro_ReduceOverEnum, "reduce_over">;

def Neuro_HostKindEnum : Neuro_Enum<"HostKind",
    "what the host reads or writes between steps", [
  I32EnumAttrCase<"State", 0, "state">, I32EnumAttrCase<"Weight", 1, "weight">,
  I32EnumAttrCase<"Signal", 2, "signal">,
  I32EnumAttrCase<"Variable", 3, "variable">,
  I32EnumAttrCase<"Table", 4, "table">, I32EnumAttrCase<"Dataset", 5, "dataset">
]>;
def Neuro_HostKindAttr : Neuro_EnumAttr<Neuro_HostKindEnum, "host_kind">;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

class Neuro_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<NeuroDialect, name, traits> {
  let mnemonic = attrMnemonic;
}

/// A double, held as an f64 attribute, written as a plain number.
class RealParameter<string description>
    : AttrOrTypeParameter<"::mlir::FloatAttr", description> {
  let parser = "::neuroc::neuro::parseReal($_parser)";
  let printer = "::neuroc::neuro::printReal($_printer, $_self)";
}

def Neuro_DistributionAttr : Neuro_Attr<"Distribution", "dist"> {
  let summary = "a distribution of values over units or synapses";
  let description = [{
    `uniform(lo, hi)`, `normal(mean, sd)`, `lognormal(mu, sigma)` (parameters of
    the logarithm), `exponential(mean, offset)`. The optional `clip [lo, hi]`
    redraws until the value lies inside (PyNN's "clipped"). Units are those of
    the quantity. Example: `#neuro.dist<uniform(-60.0, -50.0)>`.
  }];
  let parameters = (ins
    EnumParameter<Neuro_DistributionEnum>:$kind,
    RealParameter<"first parameter">:$a, RealParameter<"second parameter">:$b,
    OptionalParameter<"::mlir::DenseF64ArrayAttr", "[lo, hi]">:$clip);
  let assemblyFormat = "`<` $kind `(` $a `,` $b `)` (`clip` $clip^)? `>`";
  let genVerifyDecl = 1; // neuro_dist_r1: sd, mean >= 0; lo <= hi
}

def Neuro_DenseConnectAttr : Neuro_Attr<"DenseConnect", "dense"> {
  let summary = "every pre unit to every post unit, stored row-major [post, pre]";
}
def Neuro_AllToAllAttr : Neuro_Attr<"AllToAll", "all_to_all"> {
  let summary = "every pair, self-connections optional";
  let parameters = (ins "bool":$self);
  let assemblyFormat = "`<` `self` `=` $self `>`";
}
def Neuro_OneToOneAttr : Neuro_Attr<"OneToOne", "one_to_one"> {
  let summary = "unit i to unit i";
}
def Neuro_ListConnectAttr : Neuro_Attr<"ListConnect", "list"> {
  let summary = "explicit synapses: a k x 2 table of (pre, post)";
  let parameters = (ins "::mlir::DenseIntElementsAttr":$pairs);
  let assemblyFormat = "`<` $pairs `>`";
  let genVerifyDecl = 1; // neuro_list_r1: i64, k x 2
}
def Neuro_FixedProbabilityAttr
    : Neuro_Attr<"FixedProbability", "fixed_probability"> {
  let summary = "each pair independently with probability p";
  let parameters = (ins RealParameter<"probability">:$p, "bool":$self);
  let assemblyFormat = "`<` $p `,` `self` `=` $self `>`";
  let genVerifyDecl = 1; // neuro_fixed_probability_r1: p in [0, 1]
}
def Neuro_FixedInDegreeAttr : Neuro_Attr<"FixedInDegree", "fixed_indegree"> {
  let summary = "each post unit draws k pre units, with replacement optional";
  let parameters = (ins "int64_t":$k, "bool":$self, "bool":$multapses);
  let assemblyFormat =
    "`<` $k `,` `self` `=` $self `,` `multapses` `=` $multapses `>`";
  let genVerifyDecl = 1; // neuro_fixed_indegree_r1: k >= 0
}
def Neuro_FixedOutDegreeAttr : Neuro_Attr<"FixedOutDegree", "fixed_outdegree"> {
  let summary = "each pre unit draws k post units, with replacement optional";
  let parameters = (ins "int64_t":$k, "bool":$self, "bool":$multapses);
  let assemblyFormat =
    "`<` $k `,` `self` `=` $self `,` `multapses` `=` $multapses `>`";
  let genVerifyDecl = 1; // neuro_fixed_outdegree_r1: k >= 0
}
def Neuro_ConvAttr : Neuro_Attr<"Conv", "conv"> {
  let summary = "a 2-d convolution: the kernel is shared by all positions";
  let description = [{
    Pre shape [C, H, W], post shape [M, OH, OW], values [M, C/groups, KH, KW]
    with the ONNX meaning of strides, dilations and pads ([top, left, bottom,
    right]). Padded positions have no synapse (they count for no combine).
  }];
  let parameters = (ins
    "::mlir::DenseI64ArrayAttr":$kernel, "::mlir::DenseI64ArrayAttr":$strides,
    "::mlir::DenseI64ArrayAttr":$pads, "::mlir::DenseI64ArrayAttr":$dilations,
    "int64_t":$groups);
  let assemblyFormat = [{ `<` `kernel` `=` $kernel `,` `strides` `=` $strides `,`
    `pads` `=` $pads `,` `dilations` `=` $dilations `,` `groups` `=` $groups `>` }];
  let genVerifyDecl = 1; // neuro_conv_r1: list lengths and positivity
}

/// A constant for all units, one value per unit, or a distribution.
def Neuro_ValueAttr : AnyAttrOf<[F64Attr, ElementsAttr, Neuro_DistributionAttr],
    "a number, an array or a distribution">;
def Neuro_ConnectAttr : AnyAttrOf<[
    Neuro_DenseConnectAttr, Neuro_AllToAllAttr, Neuro_OneToOneAttr,
    Neuro_ListConnectAttr, Neuro_FixedProbabilityAttr, Neuro_FixedInDegreeAttr,
    Neuro_FixedOutDegreeAttr, Neuro_ConvAttr], "a connection rule">;

#endif // NEUROC_NEURO_ATTRIBUTES_TD
