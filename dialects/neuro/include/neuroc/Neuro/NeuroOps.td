// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operations of the neuro dialect. Rules are numbered <op>_rN; the number
// stands beside the trait or verifier that checks it, in the name of its
// negative test, and in dialects/neuro/README.md.
#ifndef NEUROC_NEURO_OPS_TD
#define NEUROC_NEURO_OPS_TD

include "NeuroAttributes.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"

class Neuro_Op<string mnemonic, list<Trait> traits = []>
    : Op<NeuroDialect, mnemonic, traits>;

/// A spike signal or a real signal, of static shape.
def Neuro_Signal : TensorOf<[I1, F32]>;
def Neuro_RealSignal : TensorOf<[F32]>;
/// Numbers and truth values of scalar code.
def Neuro_Scalar : AnyTypeOf<[F64, I1]>;

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

def ModelOp : Neuro_Op<"model", [
    Symbol, SymbolTable, IsolatedFromAbove, SingleBlock, NoTerminator,
    NoRegionArguments]> {
  let summary = "the dynamics of one neuron or unit";
  let description = [{
    Declarations (`neuro.param`, `neuro.state`, `neuro.input`, `neuro.output`)
    followed by one or more `neuro.stage` regions that run in order in every
    tick. Behaviour is only what the stages say; no pass knows a model by name.

    ```mlir
    neuro.model @leaky {
      neuro.param @tau = 20.0 unit "ms"
      neuro.state @v init 0.0
      neuro.input @drive
      neuro.output @spike : i1
      neuro.stage @update {
        neuro.diff @v {
          %v = neuro.get @v
          %tau = neuro.get @tau
          %n = arith.negf %v : f64
          %d = arith.divf %n, %tau : f64
          neuro.yield %d
        }
        %v = neuro.get @v
        %i = neuro.get @drive
        %w = arith.addf %v, %i : f64
        %theta = arith.constant 1.0 : f64
        %fires = arith.cmpf oge, %w, %theta : f64
        neuro.emit @spike, %fires : i1
        %zero = arith.constant 0.0 : f64
        %next = arith.select %fires, %zero, %w : f64
        neuro.set @v, %next
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasVerifier = 1; // model_r1: declarations and stages only
                       // model_r2: at least one stage
                       // model_r3: each output is emitted by exactly one emit
  let extraClassDeclaration = [{
    /// The declaration of `name`, or null.
    ::mlir::Operation *lookup(::llvm::StringRef name);
    template <typename OpT> ::llvm::SmallVector<OpT> list() {
      return ::llvm::to_vector(getBody().front().getOps<OpT>());
    }
  }];
}

def ParamOp : Neuro_Op<"param", [Symbol, ParentOneOf<["ModelOp", "RuleOp"]>]> {
  let summary = "a parameter: a constant of each unit (or of each rule)";
  let description = [{
    The default value; a `neuro.population` or `neuro.plastic` overrides it.
    `unit` documents the unit that the value is in (one of the fixed units).
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, F64Attr:$value,
                   OptionalAttr<StrAttr>:$unit);
  let assemblyFormat = "$sym_name `=` $value (`unit` $unit^)? attr-dict";
}

def StateOp : Neuro_Op<"state", [Symbol, ParentOneOf<["ModelOp", "RuleOp"]>]> {
  let summary = "a state variable of each unit (in a rule: of each synapse)";
  let description = [{
    `range [lo, hi]` states the values that the variable takes in normal use;
    targets with fixed-point numbers choose the format from it, saturate
    outside of it and count that they did.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, F64Attr:$init,
                   OptionalAttr<DenseF64ArrayAttr>:$range,
                   OptionalAttr<StrAttr>:$unit);
  let assemblyFormat = [{ $sym_name `init` $init (`range` $range^)?
    (`unit` $unit^)? attr-dict }];
  let hasVerifier = 1; // state_r1: range is [lo, hi] with lo < hi
                       // state_r2: the initial value lies in the range
}

def InputOp : Neuro_Op<"input", [Symbol, HasParent<"ModelOp">]> {
  let summary = "an input port: what arrives at a unit in this tick";
  let description = [{
    Several signals may be connected; `combine` says how they join. A port with
    nothing connected reads as `default`.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
      DefaultValuedAttr<Neuro_CombineAttr, "Combine::Sum">:$combine,
      DefaultValuedAttr<F64Attr, "0.0">:$default_value,
      OptionalAttr<DenseF64ArrayAttr>:$range, OptionalAttr<StrAttr>:$unit);
  let assemblyFormat = [{ $sym_name (`combine` $combine^)?
    (`default` $default_value^)? (`range` $range^)? (`unit` $unit^)? attr-dict }];
  let hasVerifier = 1; // input_r1: range is [lo, hi] with lo < hi
}

def OutputOp : Neuro_Op<"output", [Symbol, HasParent<"ModelOp">]> {
  let summary = "an output port: `i1` spikes or `f64` values";
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Neuro_Scalar>:$type,
                   OptionalAttr<DenseF64ArrayAttr>:$range,
                   OptionalAttr<StrAttr>:$unit);
  let assemblyFormat = [{ $sym_name `:` $type (`range` $range^)?
    (`unit` $unit^)? attr-dict }];
}

def StageOp : Neuro_Op<"stage", [
    Symbol, HasParent<"ModelOp">, SingleBlock, NoTerminator,
    NoRegionArguments]> {
  let summary = "a step of a model's tick";
  let description = [{
    Straight-line scalar code on states, run for every unit. Stages of one model
    run in order; a stage waits for the same-tick signals that its inputs read,
    and no longer: that is what lets a predictive-coding unit emit its value
    before it reads its error.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasVerifier = 1; // stage_r1: only scalar code inside
}

def GetOp : Neuro_Op<"get", [
    MemoryEffects<[MemRead]>,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "read a parameter, state, input, trace, factor or weight";
  let description = [{
    Reads the present value: after a `neuro.set` in the same region, the value
    set. In rules the names `w`, `pre` and `post` are the weight and the values
    of the two units.
  }];
  let arguments = (ins FlatSymbolRefAttr:$name);
  let results = (outs F64:$value);
  let assemblyFormat = "$name attr-dict";
  // get_r1: the name is declared
}

def SetOp : Neuro_Op<"set", [
    MemoryEffects<[MemWrite]>,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "assign a state, trace or weight";
  let arguments = (ins FlatSymbolRefAttr:$name, F64:$value);
  let assemblyFormat = "$name `,` $value attr-dict";
  // set_r1: the name is a state (model); a synapse state, the region's own
  // trace, or `w` (rule)
}

def EmitOp : Neuro_Op<"emit", [
    MemoryEffects<[MemWrite]>, ParentOneOf<["StageOp"]>,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "give an output port its value of this tick";
  let arguments = (ins FlatSymbolRefAttr:$name, Neuro_Scalar:$value);
  let assemblyFormat = "$name `,` $value attr-dict `:` type($value)";
  // emit_r1: the name is an output of that type
}

def DiffOp : Neuro_Op<"diff", [
    ParentOneOf<["StageOp", "TraceOp", "HandlerOp"]>, SingleBlock,
    NoRegionArguments, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "an ordinary differential equation, d(state)/dt in 1/ms";
  let description = [{
    All `neuro.diff` of one region are one system; it is advanced by dt at the
    place of the first of them. `hold` freezes the variable in ticks in which
    the condition is true (refractoriness): the others then see it as a
    constant. `neuro-solve-dynamics` turns the system into update code.
  }];
  let arguments = (ins FlatSymbolRefAttr:$name, Optional<I1>:$hold,
      DefaultValuedAttr<Neuro_MethodAttr, "Method::Auto">:$method);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{ $name (`hold` $hold^)? (`method` $method^)?
    attr-dict-with-keyword $body }];
  let hasVerifier = 1; // diff_r2: the region is scalar code without set or emit
  // diff_r1: the name is a state or the region's own trace
  // diff_r3: one equation per variable and region
  // diff_r4: in a rule's handler, only `on tick` and a state of the synapse
}

def YieldOp : Neuro_Op<"yield", [
    Pure, Terminator, ParentOneOf<["DiffOp", "ProjectOp"]>]> {
  let summary = "the value of a region";
  let arguments = (ins F64:$value);
  let assemblyFormat = "$value attr-dict";
}

def RandomOp : Neuro_Op<"random", []> {
  let summary = "a random number of this unit and tick";
  let description = [{
    `uniform` lies in (0, 1); `normal` has mean 0 and variance 1. The value is
    addressed by (seed, "<population>", unit, tick, draw), as neuroc/rt/Random.h
    defines; `draw` numbers are given by `neuro-specialize-models`.
  }];
  let arguments = (ins Neuro_RandomAttr:$kind,
                   DefaultValuedAttr<I32Attr, "-1">:$draw);
  let results = (outs F64:$value);
  let assemblyFormat = "$kind (`draw` $draw^)? attr-dict";
}

def TimeOp : Neuro_Op<"time", [MemoryEffects<[MemRead]>]> {
  let summary = "simulated time at the start of this tick, ms";
  let results = (outs F64:$value);
  let assemblyFormat = "attr-dict";
}
def DtOp : Neuro_Op<"dt", [Pure]> {
  let summary = "the length of a tick, ms (times the population's divisor)";
  let results = (outs F64:$value);
  let assemblyFormat = "attr-dict";
}
def IndexOp : Neuro_Op<"index", [Pure]> {
  let summary = "the number of this unit, 0 … N-1, row-major";
  let results = (outs F64:$value);
  let assemblyFormat = "attr-dict";
}

def ReduceOp : Neuro_Op<"reduce", [Pure, ParentOneOf<["StageOp", "HandlerOp"]>]> {
  let summary = "one value from those of many units or synapses";
  let description = [{
    Evaluates its operand for every member of a group and gives all members the
    result: `sum`, `max`, `min`, `logsumexp`, `kth_largest` (the `k`-th, from 1),
    or `rank`, the number of members that come before this one in descending
    order (equal values: in ascending order of position), which differs by
    member.

    In a stage the members are units: `units` are all of the population, or with
    `group n` each n consecutive ones. In a handler they are the synapses for
    which the handler runs in this tick: those of the same `post` unit, of the
    same `pre` unit, or `all` of the weight. `prefix` (of a sum) adds only the
    members up to and with this one, in ascending order of unit, or of the unit
    at the other side. Sums are taken in ascending order: of units; for
    synapses, of pre and then post. A batch reduces each lane by itself; in a
    rule, see `neuro.plastic`.

    ```mlir
    %m = neuro.reduce max %u over units
    %n = neuro.reduce sum %w over post
    ```
  }];
  let arguments = (ins Neuro_GroupReduceAttr:$kind, F64:$value,
      Neuro_ReduceOverAttr:$over, OptionalAttr<I64Attr>:$group,
      OptionalAttr<I64Attr>:$k, UnitAttr:$prefix);
  let results = (outs F64:$result);
  let assemblyFormat = [{ $kind $value `over` $over (`group` $group^)?
    (`k` $k^)? (`prefix` $prefix^)? attr-dict }];
  let hasVerifier = 1;
  // reduce_r1: `units` in a stage; `pre`, `post` or `all` in a handler
  // reduce_r2: `group` only with `units`, at least 1
  // reduce_r3: `k` with `kth_largest` and nowhere else, at least 1
  // reduce_r4: `prefix` only with `sum`
  // reduce_r5: the group divides the population's extent (population_r8)
}

//===----------------------------------------------------------------------===//
// Plasticity rules
//===----------------------------------------------------------------------===//

def RuleOp : Neuro_Op<"rule", [
    Symbol, SymbolTable, IsolatedFromAbove, SingleBlock, NoTerminator,
    NoRegionArguments]> {
  let summary = "how a weight changes";
  let description = [{
    Parameters, per-synapse states, per-unit traces, third factors and handlers.
    The order within a tick is in the README ("Plasticity"). The names `w`,
    `pre` and `post` are predefined.

    ```mlir
    neuro.rule @oja {
      neuro.param @rate = 0.01
      neuro.on tick {
        %w = neuro.get @w
        %x = neuro.get @pre
        %y = neuro.get @post
        %rate = neuro.get @rate
        %yw = arith.mulf %y, %w : f64
        %r = arith.subf %x, %yw : f64
        %h = arith.mulf %y, %r : f64
        %d = arith.mulf %rate, %h : f64
        %n = arith.addf %w, %d : f64
        neuro.set @w, %n
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasVerifier = 1; // rule_r1: only declarations and handlers
                       // rule_r2: one handler per event
                       // rule_r3: the names w, pre and post are not redeclared
  let extraClassDeclaration = [{
    ::mlir::Operation *lookup(::llvm::StringRef name);
    template <typename OpT> ::llvm::SmallVector<OpT> list() {
      return ::llvm::to_vector(getBody().front().getOps<OpT>());
    }
  }];
}

def TraceOp : Neuro_Op<"trace", [
    Symbol, HasParent<"RuleOp">, NoTerminator, NoRegionArguments]> {
  let summary = "a derived quantity of each pre or post unit";
  let description = [{
    The first region runs for every unit in every tick, before the handlers; the
    `spike` region, if given, runs after them for the units whose signal fired.
    Either may be empty. Only the trace itself may be set; `pre` (or `post`) is
    the unit's signal.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Neuro_SideAttr:$side,
      DefaultValuedAttr<F64Attr, "0.0">:$init,
      OptionalAttr<DenseF64ArrayAttr>:$range);
  let regions = (region MaxSizedRegion<1>:$tick, MaxSizedRegion<1>:$spike);
  let assemblyFormat = [{ $sym_name `on` $side (`init` $init^)?
    (`range` $range^)? attr-dict-with-keyword $tick (`spike` $spike^)? }];
  let hasVerifier = 1; // trace_r1: on pre or post
                       // trace_r2: only scalar code inside
}

def FactorOp : Neuro_Op<"factor", [Symbol, HasParent<"RuleOp">]> {
  let summary = "a third factor: one value for all, per pre or per post unit";
  let arguments = (ins SymbolNameAttr:$sym_name, Neuro_SideAttr:$side,
                   OptionalAttr<DenseF64ArrayAttr>:$range);
  let assemblyFormat = "$sym_name `on` $side (`range` $range^)? attr-dict";
}

def HandlerOp : Neuro_Op<"on", [
    HasParent<"RuleOp">, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "what a synapse does at an event";
  let description = [{
    `pre` runs for the synapses whose pre signal arrives as a spike in this tick,
    `post` for those whose post unit fires, `tick` for every synapse in every
    tick, `call` when the experiment calls the rule.
  }];
  let arguments = (ins Neuro_EventAttr:$event);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$event attr-dict-with-keyword $body";
  let hasVerifier = 1; // on_r1: only scalar code inside
}

//===----------------------------------------------------------------------===//
// Networks
//===----------------------------------------------------------------------===//

def NetworkOp : Neuro_Op<"network", [
    Symbol, SymbolTable, IsolatedFromAbove, SingleBlock, NoTerminator,
    NoRegionArguments, DeclareOpInterfaceMethods<RegionKindInterface>]> {
  let summary = "a graph of nodes joined by signals";
  let description = [{
    A graph region: values may be used before they are defined, since a cycle
    through state is legal. `dt` is the length of a tick in ms. Tensor operations
    of upstream dialects stand between the nodes.

    `batch B` runs B independent lanes side by side: every signal and every
    state of a unit exists B times, weights and the states of synapses once.
    Seen from outside (stimuli, recordings, states, values per unit) a signal of
    shape [N] has shape [B, N]; values per unit may be given for N units, which
    all lanes then share, or for B x N. Draws of unit i in lane l are addressed as
    unit l N + i. Learning: see `neuro.plastic`.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, F64Attr:$dt,
                   DefaultValuedAttr<I64Attr, "1">:$seed,
                   DefaultValuedAttr<I64Attr, "1">:$batch);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{ $sym_name `dt` $dt (`seed` $seed^)? (`batch` $batch^)?
    attr-dict-with-keyword $body }];
  let hasVerifier = 1;       // network_r1: dt > 0
                             // network_r5: batch >= 1
  let hasRegionVerifier = 1; // network_r2: no combinational loop
                             // network_r3: a weight has at most one learning rule
                             // network_r4: operations known inside a network
}

// Nodes that give signals have a name but not MLIR's Symbol trait, which forbids
// results; symbol tables find them by their `sym_name` all the same.

def PopulationOp : Neuro_Op<"population", [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "N instances of a model";
  let description = [{
    `ports` names, for each operand, the input port that it feeds; a port may be
    fed by several signals. An operand has the population's number of units, and
    a spike counts as 1. Results are the model's outputs in order of declaration.
    `every k` updates the population in ticks that are multiples of k; in the
    others its spike outputs are silent and its real outputs keep their value.
    `plant` marks a part of the environment: it is never put on a neuromorphic
    machine; the host computes it, tick by tick, beside the machine. What it
    receives may be of the same tick, what it sends takes at least one tick.

    ```mlir
    %spike = neuro.population @E of @leaky shape [100]
        inputs(%i) ports ["drive"] params {tau = 10.0 : f64}
        init {v = #neuro.dist<uniform(0.0, 1.0)>}
        : (tensor<100xf32>) -> tensor<100xi1>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$model,
      DenseI64ArrayAttr:$shape, Variadic<Neuro_Signal>:$inputs,
      OptionalAttr<StrArrayAttr>:$ports, OptionalAttr<DictionaryAttr>:$params,
      OptionalAttr<DictionaryAttr>:$init,
      DefaultValuedAttr<I64Attr, "1">:$every, UnitAttr:$plant);
  let results = (outs Variadic<Neuro_Signal>:$outputs);
  let assemblyFormat = [{ $sym_name `of` $model `shape` $shape
    (`inputs` `(` $inputs^ `)` `ports` $ports)? (`params` $params^)?
    (`init` $init^)? (`every` $every^)? (`plant` $plant^)? attr-dict
    `:` functional-type($inputs, $outputs) }];
  let hasVerifier = 1;
  // population_r1: the model exists
  // population_r2: one port name per operand, each an input of the model
  // population_r3: results match the model's outputs in number and type
  // population_r4: operands and results have as many units as the shape
  // population_r5: params and init name declarations of the model
  // population_r6: per-unit values have one value per unit
  // population_r7: every >= 1
  // population_r8: groups of the model's reductions divide the extent
  // population_r9: what a plant sends is delayed by at least one tick
  let extraClassDeclaration = [{
    int64_t getNumUnits();
    /// The model, or null before linking.
    ModelOp getModelOp();
    /// Indices of the operands that feed input port `port`.
    ::llvm::SmallVector<unsigned> getOperandsOfPort(::llvm::StringRef port);
  }];
}

def WeightOp : Neuro_Op<"weight", [Symbol, HasParent<"NetworkOp">]> {
  let summary = "a named tensor of synaptic strengths";
  let description = [{
    Shared by any number of projections, used straight or transposed. `pre` and
    `post` are the shapes of the two sides. `values` is one number for all
    synapses, one per synapse (dense: [post, pre]; list: in its order;
    convolution: [M, C/groups, KH, KW]) or a distribution (must not be asked
    for with a convolution). `sign` and `bounds` are kept by learning; `mask`
    ([post, pre], i1) removes synapses of a dense weight.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, DenseI64ArrayAttr:$pre,
      DenseI64ArrayAttr:$post, Neuro_ConnectAttr:$connect,
      Neuro_ValueAttr:$values,
      DefaultValuedAttr<Neuro_SignAttr, "Sign::Free">:$sign,
      OptionalAttr<DenseF64ArrayAttr>:$bounds,
      OptionalAttr<ElementsAttr>:$mask);
  let assemblyFormat = [{ $sym_name `pre` $pre `post` $post `connect` $connect
    `values` $values (`sign` $sign^)? (`bounds` $bounds^)? (`mask` $mask^)?
    attr-dict }];
  let hasVerifier = 1;
  // weight_r1: extents are positive
  // weight_r2: the values' shape suits the layout
  // weight_r3: one-to-one needs equal sides
  // weight_r4: bounds are [lo, hi], lo < hi, and agree with the sign class
  // weight_r5: constant values agree with sign and bounds
  // weight_r6: the mask is [post, pre] and the layout dense
  // weight_r7: list indices are inside the sides
  // weight_r8: a convolution's shapes follow from kernel, strides, pads
  // weight_r9: a degree without multapses is at most the number of partners
  let extraClassDeclaration = [{
    int64_t getNumPre();
    int64_t getNumPost();
  }];
}

def ProjectOp : Neuro_Op<"project", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "carry a signal through a weight";
  let description = [{
    For each target unit: combine over its synapses of `transmit(w, x)`, default
    `w * x`, where x is the source's value `delay` ticks ago (0: this tick). A
    unit without synapses gets 0 (1 for `product`). `delays` gives each synapse
    its own delay in ms, rounded to ticks, at least one tick. The region takes
    (w, x).

    ```mlir
    %i = neuro.project %s through @W delay 15 : tensor<100xi1> -> tensor<50xf32>
    ```
  }];
  let arguments = (ins Neuro_Signal:$input, FlatSymbolRefAttr:$weight,
      UnitAttr:$transposed, DefaultValuedAttr<I64Attr, "0">:$delay,
      OptionalAttr<AnyAttrOf<[ElementsAttr, Neuro_DistributionAttr]>>:$delays,
      DefaultValuedAttr<Neuro_CombineAttr, "Combine::Sum">:$combine);
  let results = (outs Neuro_RealSignal:$output);
  let regions = (region MaxSizedRegion<1>:$transmit);
  let hasCanonicalizeMethod = 1;
  let assemblyFormat = [{ $input `through` $weight (`transposed` $transposed^)?
    (`delay` $delay^)? (`delays` `(` $delays^ `)`)? (`combine` $combine^)?
    attr-dict-with-keyword ($transmit^)? `:` type($input) `->` type($output) }];
  let hasVerifier = 1;
  // project_r1: the weight exists in this network
  // project_r2: input and output have the extents of the weight's sides
  // project_r3: delay >= 0
  // project_r4: delay and delays exclude each other
  // project_r5: the transmit region takes (f64, f64) and yields
  let extraClassDeclaration = [{
    WeightOp getWeightOp();
    bool hasSameTickInput() { return getDelay() == 0 && !getDelays(); }
  }];
}

def DelayOp : Neuro_Op<"delay", [
    Pure, AllTypesMatch<["input", "output"]>]> {
  let summary = "a signal some ticks ago (silent, zero, before that)";
  let arguments = (ins Neuro_Signal:$input, I64Attr:$ticks);
  let results = (outs Neuro_Signal:$output);
  let assemblyFormat = "$input `by` $ticks attr-dict `:` type($input)";
  let hasCanonicalizeMethod = 1; // two delays in a row are one
  let hasVerifier = 1; // delay_r1: at least one tick
}

def PlasticOp : Neuro_Op<"plastic", [
    Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "attach a rule to a weight";
  let description = [{
    `pre` and `post` are the signals of the weight's two sides; the pre signal
    is read `delay` ticks late (as the projection reads it). `disabled` starts
    switched off; the experiment switches it.

    In a batch the rule runs for each lane from the same weight and the same
    states of the synapse; the weight (and state) then changes by the mean of
    the lanes' changes, or with `batch_sum` by their sum. In the same way a
    weight of a convolution changes by the sum over the positions at which it
    is used; its rule has neither states nor `on pre`, `on post`.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$weight,
      FlatSymbolRefAttr:$rule, Neuro_Signal:$pre, Neuro_Signal:$post,
      Variadic<Neuro_Signal>:$factors, OptionalAttr<StrArrayAttr>:$factor_names,
      DefaultValuedAttr<I64Attr, "0">:$delay,
      OptionalAttr<DictionaryAttr>:$params, UnitAttr:$disabled,
      UnitAttr:$batch_sum);
  let assemblyFormat = [{ $sym_name `on` $weight `rule` $rule
    `pre` $pre `post` $post (`factors` `(` $factors^ `)` `as` $factor_names)?
    (`delay` $delay^)? (`params` $params^)? (`disabled` $disabled^)?
    (`batch_sum` $batch_sum^)? attr-dict
    `:` type($pre) `,` type($post) (`,` type($factors)^)? }];
  let hasVerifier = 1;
  // plastic_r1: weight and rule exist
  // plastic_r2: pre and post have the extents of the weight's sides
  // plastic_r3: factors are declared, all connected, of the extent of their side
  // plastic_r4: `on pre` (`on post`, `spike`) needs a spike signal on that side
  // plastic_r5: params name parameters of the rule, with single numbers
  // plastic_r6: delay >= 0
  // plastic_r7: a convolution's rule has no synapse states, `on pre`, `on post`
  let extraClassDeclaration = [{
    WeightOp getWeightOp();
    RuleOp getRuleOp();
  }];
}

def StimulusOp : Neuro_Op<"stimulus", [HasParent<"NetworkOp">]> {
  let summary = "a signal that the experiment sets";
  let description = [{
    A real stimulus keeps its value until it is set again; a spike stimulus fires
    in the first tick after it is set and is then silent. `range` bounds the
    values (for fixed-point targets). `label` is the name by which a user's
    input arrays are matched (default: the symbol).
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
      OptionalAttr<Neuro_ValueAttr>:$init,
      OptionalAttr<DenseF64ArrayAttr>:$range, OptionalAttr<StrAttr>:$label);
  let results = (outs Neuro_Signal:$output);
  let assemblyFormat = [{ $sym_name (`init` `(` $init^ `)`)? (`range` $range^)?
    (`label` $label^)? attr-dict `:` type($output) }];
  let hasVerifier = 1; // stimulus_r1: the initial value has the signal's extent
                       // stimulus_r2: range is [lo, hi] with lo < hi
}

def SpikeArrayOp : Neuro_Op<"spike_array", [HasParent<"NetworkOp">]> {
  let summary = "spikes at given ticks";
  let arguments = (ins SymbolNameAttr:$sym_name, ElementsAttr:$events);
  let results = (outs TensorOf<[I1]>:$output);
  let assemblyFormat = "$sym_name `events` `(` $events `)` attr-dict `:` type($output)";
  let hasVerifier = 1; // spike_array_r1: events is k x 2, i64: (tick, unit)
                       // spike_array_r2: ticks >= 0, units exist
}

def ProbeOp : Neuro_Op<"probe", [Symbol, HasParent<"NetworkOp">]> {
  let summary = "record a signal";
  let description = [{
    Sampled at the end of ticks that are multiples of `every`. `output` marks the
    results of the network, which a run returns by default; `label` is the name
    that the outside knows it by (default: the symbol).

    With `wrt "P.p"` it records the derivative of a real signal with respect to
    parameter p of population P, one number for all units of P (of the lane).
    `neuro-expand-tangents` replaces it by code that computes the derivative
    forward in time, beside the network.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Neuro_Signal:$input,
      DefaultValuedAttr<I64Attr, "1">:$every, UnitAttr:$output,
      OptionalAttr<StrAttr>:$label, OptionalAttr<StrAttr>:$wrt);
  let assemblyFormat = [{ $sym_name $input (`wrt` $wrt^)? (`every` $every^)?
    (`output` $output^)? (`label` $label^)? attr-dict `:` type($input) }];
  let hasVerifier = 1; // probe_r1: every >= 1
                       // probe_r2: wrt names a parameter; the signal is real
}

def WatchOp : Neuro_Op<"watch", [
    Symbol, HasParent<"NetworkOp">,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "record a state variable of a population";
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$population,
      StrAttr:$variable, DefaultValuedAttr<I64Attr, "1">:$every);
  let assemblyFormat = [{ $sym_name $population `[` $variable `]` (`every` $every^)?
    attr-dict }];
  let hasVerifier = 1; // watch_r1: every >= 1
  // watch_r2: the population and its state exist
}

//===----------------------------------------------------------------------===//
// Sugar: expanded by neuro-expand-sugar
//===----------------------------------------------------------------------===//

def PcLayerOp : Neuro_Op<"pc_layer", [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a linear predictive-coding layer pair";
  let description = [{
    Values z (M units) predict the signal below (N units) through a dense weight
    W [N, M]: error e = precision * (x - W z). Per tick
    z += rate * (W^T e - prior * z - e_above), where `top_down` is the error
    signal of the layer above, if any; then, unless the weight's learning is
    switched off, W += learning_rate * e z^T. Results: value, error. Conventions
    and sources: README, "Predictive coding".
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Neuro_RealSignal:$below,
      FlatSymbolRefAttr:$weight, Optional<Neuro_RealSignal>:$top_down,
      F64Attr:$rate, DefaultValuedAttr<F64Attr, "1.0">:$precision,
      DefaultValuedAttr<F64Attr, "0.0">:$prior,
      OptionalAttr<F64Attr>:$learning_rate,
      OptionalAttr<DenseF64ArrayAttr>:$range);
  let results = (outs Neuro_RealSignal:$value, Neuro_RealSignal:$error);
  let assemblyFormat = [{ $sym_name `predicts` $below `through` $weight
    (`top_down` $top_down^ `:` type($top_down))? `rate` $rate
    (`precision` $precision^)? (`prior` $prior^)?
    (`learning_rate` $learning_rate^)? (`range` $range^)? attr-dict
    `:` type($below) `->` type($value) `,` type($error) }];
  let hasVerifier = 1;
  // pc_layer_r1: the weight is dense with pre = value and post = below
  // pc_layer_r2: error has below's extent, top_down has value's
  // pc_layer_r3: rate, precision > 0, prior >= 0
}

def AssociativeMemoryOp : Neuro_Op<"associative_memory", [
    AllTypesMatch<["cue", "state"]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a recurrent memory of bipolar patterns";
  let description = [{
    N units with state s in {-1, +1}. A unit whose cue is not zero takes the
    cue's sign; any other takes s = sign(W s'), s' being the last tick's states
    (ties keep s'). W [N, N] should have no self-connections. With learning on,
    every tick adds learning_rate * s_post * s_pre (the Hebb rule). The plastic
    is named "<name>_learning" and starts switched off.
    Source: Hopfield 1982.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Neuro_RealSignal:$cue,
      FlatSymbolRefAttr:$weight, F64Attr:$learning_rate);
  let results = (outs Neuro_RealSignal:$state);
  let assemblyFormat = [{ $sym_name `cue` $cue `through` $weight
    `learning_rate` $learning_rate attr-dict `:` type($cue) }];
  // associative_memory_r1: the weight is dense or all-to-all, N to N
}

//===----------------------------------------------------------------------===//
// Experiments
//===----------------------------------------------------------------------===//

def DatasetOp : Neuro_Op<"dataset", [Symbol]> {
  let summary = "rows of data that an experiment presents or compares with";
  let description = [{
    Either `values` (rows along the first dimension) or `file`, a .npy file
    beside the program, read at compile time and stored in the container.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
      OptionalAttr<ElementsAttr>:$values, OptionalAttr<StrAttr>:$file);
  let assemblyFormat = [{ $sym_name (`values` $values^)? (`file` $file^)?
    attr-dict }];
  let hasVerifier = 1; // dataset_r1: exactly one of values and file
                       // dataset_r2: values have at least one dimension
}

def ExperimentOp : Neuro_Op<"experiment", [
    Symbol, IsolatedFromAbove, SingleBlock, NoTerminator, NoRegionArguments,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the protocol of a network: what is shown, run and measured";
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$network);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `on` $network attr-dict-with-keyword $body";
  let hasVerifier = 1; // experiment_r1: protocol steps only
  // experiment_r2: the network exists and every name that a step uses is in it
}

/// A step of an experiment.
class Neuro_Step<string mnemonic, list<Trait> traits = []>
    : Neuro_Op<mnemonic, !listconcat(traits, [
        ParentOneOf<["ExperimentOp", "PhaseOp", "RepeatOp", "ForEachOp", "IfOp",
                     "WhileOp"]>])>;

def PhaseOp : Neuro_Step<"phase", [SingleBlock, NoTerminator,
                                   NoRegionArguments]> {
  let summary = "a named part of the protocol";
  let arguments = (ins StrAttr:$name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$name attr-dict-with-keyword $body";
}
def RepeatOp : Neuro_Step<"repeat", [SingleBlock, NoTerminator,
                                     NoRegionArguments]> {
  let summary = "run the body `count` times";
  let description = [{ `counter` names a variable that counts 0, 1, … inside. }];
  let arguments = (ins I64Attr:$count, OptionalAttr<StrAttr>:$counter);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{ $count (`counter` $counter^)? attr-dict-with-keyword
    $body }];
  let hasCanonicalizeMethod = 1; // not at all and once need no loop
  let hasVerifier = 1; // repeat_r1: count >= 0
}
def ForEachOp : Neuro_Step<"for_each", [SingleBlock, NoTerminator,
                                        NoRegionArguments]> {
  let summary = "run the body for rows [first, last) of a dataset";
  let description = [{
    Inside, `neuro.present … from @d` shows the current row of any dataset. The
    innermost loop counts. `rows [first, last]`, default all rows. `shuffled key`
    takes the rows in a random order that differs each time the loop is run and
    depends only on (seed, key, number of the run). `counter` names a variable
    that holds the row. `batched` takes as many rows at a time as
    the network has lanes, one for each.
  }];
  let arguments = (ins FlatSymbolRefAttr:$dataset,
                   OptionalAttr<DenseI64ArrayAttr>:$rows,
                   OptionalAttr<I64Attr>:$shuffled,
                   OptionalAttr<StrAttr>:$counter, UnitAttr:$batched);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{ $dataset (`rows` $rows^)? (`shuffled` $shuffled^)?
    (`counter` $counter^)? (`batched` $batched^)? attr-dict-with-keyword
    $body }];
  let hasVerifier = 1; // for_each_r1: rows is [first, last], 0 <= first <= last
}
def PresentOp : Neuro_Step<"present"> {
  let summary = "set a stimulus";
  let description = [{
    To `values`, or to a row of a dataset: row `row`, or without it the row of
    the innermost `for_each`.
  }];
  let arguments = (ins FlatSymbolRefAttr:$stimulus,
      OptionalAttr<Neuro_ValueAttr>:$values,
      OptionalAttr<FlatSymbolRefAttr>:$dataset, OptionalAttr<I64Attr>:$row);
  let assemblyFormat = [{ $stimulus (`values` $values^)? (`from` $dataset^
    (`row` $row^)?)? attr-dict }];
  let hasVerifier = 1; // present_r1: values or a dataset, not both
                       // present_r2: without a row it stands inside a for_each
}
def StepOp : Neuro_Step<"step"> {
  let summary = "run some ticks";
  let arguments = (ins I64Attr:$ticks);
  let assemblyFormat = "$ticks attr-dict";
  let hasCanonicalizeMethod = 1; // two in a row are one, none is none
  let hasVerifier = 1; // step_r1: ticks >= 0
}
def SettleOp : Neuro_Step<"settle"> {
  let summary = "run until a probe's largest change per tick is below a bound";
  let description = [{
    Steps until max |x(n) - x(n-1)| of the probe is below `below`, at most `max`
    ticks.
  }];
  let arguments = (ins FlatSymbolRefAttr:$probe, F64Attr:$below, I64Attr:$max);
  let assemblyFormat = "$probe `below` $below `max` $max attr-dict";
  let hasVerifier = 1; // settle_r1: below > 0 and max > 0
}
def EnableOp : Neuro_Step<"enable"> {
  let summary = "switch a plasticity on";
  let arguments = (ins FlatSymbolRefAttr:$plastic);
  let assemblyFormat = "$plastic attr-dict";
}
def DisableOp : Neuro_Step<"disable"> {
  let summary = "switch a plasticity off";
  let arguments = (ins FlatSymbolRefAttr:$plastic);
  let assemblyFormat = "$plastic attr-dict";
}
def ClampOp : Neuro_Step<"clamp"> {
  let summary = "hold a state at values until released";
  let arguments = (ins FlatSymbolRefAttr:$population, StrAttr:$variable,
      OptionalAttr<Neuro_ValueAttr>:$values,
      OptionalAttr<FlatSymbolRefAttr>:$dataset, OptionalAttr<I64Attr>:$row);
  let assemblyFormat = [{ $population `[` $variable `]` (`to` $values^)?
    (`from` $dataset^ (`row` $row^)?)? attr-dict }];
  let hasVerifier = 1; // clamp_r1: values or a dataset, not both
}
def ReleaseOp : Neuro_Step<"release"> {
  let summary = "end a clamp";
  let arguments = (ins FlatSymbolRefAttr:$population, StrAttr:$variable);
  let assemblyFormat = "$population `[` $variable `]` attr-dict";
}
def AssignOp : Neuro_Step<"assign"> {
  let summary = "set a state of a population, or (without variable) a weight";
  let arguments = (ins FlatSymbolRefAttr:$target, OptionalAttr<StrAttr>:$variable,
      OptionalAttr<Neuro_ValueAttr>:$values,
      OptionalAttr<FlatSymbolRefAttr>:$dataset, OptionalAttr<I64Attr>:$row);
  let assemblyFormat = [{ $target (`[` $variable^ `]`)? (`to` $values^)?
    (`from` $dataset^ (`row` $row^)?)? attr-dict }];
  let hasVerifier = 1; // assign_r1: values or a dataset, not both
}
def CallOp : Neuro_Step<"call"> {
  let summary = "run the `on call` handler of a plasticity for every synapse";
  let arguments = (ins FlatSymbolRefAttr:$plastic);
  let assemblyFormat = "$plastic attr-dict";
}
def SnapshotOp : Neuro_Step<"snapshot"> {
  let summary = "keep a copy of weights and of populations' states";
  let arguments = (ins StrAttr:$name, TypedArrayAttrBase<FlatSymbolRefAttr,
                   "populations and weights">:$items);
  let assemblyFormat = "$name `of` $items attr-dict";
}
def RestoreOp : Neuro_Step<"restore"> {
  let summary = "put a snapshot back";
  let arguments = (ins StrAttr:$name);
  let assemblyFormat = "$name attr-dict";
}
def ReadoutOp : Neuro_Step<"readout"> {
  let summary = "append a row to a result table";
  let description = [{
    `from` is a probe or watch (reduced over the samples since the last present
    or readout, whichever is later) or a weight (its values). `count` counts
    spikes per unit, `argmax` gives the unit with the largest sum.
  }];
  let arguments = (ins StrAttr:$name, FlatSymbolRefAttr:$source,
      DefaultValuedAttr<Neuro_ReduceAttr, "Reduce::Last">:$reduce);
  let assemblyFormat = "$name `from` $source (`reduce` $reduce^)? attr-dict";
}

// Computation of the host between steps. Values are arrays of f64 whose shapes
// are known at run time; a loop computes them anew each time round.

def Neuro_HostValue : Type<
    CPred<"::llvm::isa<::mlir::UnrankedTensorType>($_self)">,
    "array of the host", "::mlir::UnrankedTensorType">,
    BuildableType<"::mlir::UnrankedTensorType::get($_builder.getF64Type())">;

def LiteralOp : Neuro_Step<"literal", [Pure]> {
  let summary = "a constant array";
  let arguments = (ins ElementsAttr:$values);
  let results = (outs Neuro_HostValue:$result);
  let assemblyFormat = "$values attr-dict";
}
def ReadOp : Neuro_Step<"read"> {
  let summary = "a copy of something that the run has now";
  let description = [{
    `of` says what `source` is: a `state` (variable `variable` of population
    `source`, or a state of a plastic's synapses), a `weight` (dense: [post,
    pre]), a `signal` (a probe or watch, reduced since the last present or
    readout as `neuro.readout` does, without closing the window), a `variable` of
    the experiment, a `table`, a `dataset` (the whole; with `row` or inside its
    loop by `current`, one row), or something in a `snapshot`.
  }];
  let arguments = (ins Neuro_HostKindAttr:$of, StrAttr:$source,
      OptionalAttr<StrAttr>:$variable,
      DefaultValuedAttr<Neuro_ReduceAttr, "Reduce::Last">:$reduce,
      OptionalAttr<StrAttr>:$snapshot, UnitAttr:$current);
  let results = (outs Neuro_HostValue:$result);
  let assemblyFormat = [{ $of $source (`[` $variable^ `]`)?
    (`reduce` $reduce^)? (`snapshot` $snapshot^)? (`current` $current^)?
    attr-dict }];
}
def CalcOp : Neuro_Step<"calc", [Pure]> {
  let summary = "a function of arrays";
  let description = [{
    `function` is one of those that runtime/include/neuroc/rt/HostMath.h lists:
    arithmetic and comparisons with broadcasting (as in NumPy), reductions,
    products and solutions of linear systems. `options` are numbers that belong
    to the function (an axis).
  }];
  let arguments = (ins StrAttr:$function, Variadic<Neuro_HostValue>:$operands,
                   OptionalAttr<DenseI64ArrayAttr>:$options);
  let results = (outs Neuro_HostValue:$result);
  let assemblyFormat = [{ $function `(` $operands `)` (`options` $options^)?
    attr-dict }];
  let hasVerifier = 1; // calc_r1: the function exists and takes the operands
}
def StoreOp : Neuro_Step<"store"> {
  let summary = "put a computed array somewhere";
  let description = [{
    Into a `state`, a `weight`, a `signal` (a stimulus; as `neuro.present`), a
    `variable` of the experiment (created by the first store) or a `table` (as a
    new row). `clamp` holds the state at the values until `neuro.release`. An
    array of one element is spread over all.
  }];
  let arguments = (ins Neuro_HostValue:$value, Neuro_HostKindAttr:$into,
      StrAttr:$target, OptionalAttr<StrAttr>:$variable, UnitAttr:$clamp);
  let assemblyFormat = [{ $value `into` $into $target (`[` $variable^ `]`)?
    (`clamp` $clamp^)? attr-dict }];
  let hasVerifier = 1; // store_r1: not into a dataset or a snapshot
                       // store_r2: clamp only a state
}
def IfOp : Neuro_Step<"if", [NoTerminator, NoRegionArguments]> {
  let summary = "run one of two bodies";
  let description = [{ The condition is true if every element is not 0. }];
  let arguments = (ins Neuro_HostValue:$condition);
  let regions = (region SizedRegion<1>:$body, MaxSizedRegion<1>:$otherwise);
  let assemblyFormat = [{ $condition attr-dict-with-keyword $body
    (`else` $otherwise^)? }];
}
def WhileOp : Neuro_Step<"while", [NoTerminator, NoRegionArguments]> {
  let summary = "run the body as long as a condition holds";
  let description = [{
    `condition` computes variable `until`, which ends the loop when it is true;
    it runs before each round, or with `body_first` after it. `max` bounds the
    number of rounds: reaching it is a warning.
  }];
  let arguments = (ins StrAttr:$until, I64Attr:$max, UnitAttr:$body_first);
  let regions = (region SizedRegion<1>:$condition, SizedRegion<1>:$body);
  let assemblyFormat = [{ $condition `until` $until `max` $max
    (`body_first` $body_first^)? attr-dict-with-keyword $body }];
  let hasVerifier = 1; // while_r1: max >= 1
                       // while_r2: the condition stores the variable `until`
}
def StreamOp : Neuro_Step<"stream"> {
  let summary = "run while stimuli take the rows of datasets, one per tick";
  let description = [{
    Row r of each dataset is presented in ticks r * every … (r + 1) * every - 1;
    all datasets have as many rows. Memory does not grow with their number.
  }];
  let arguments = (ins
      TypedArrayAttrBase<FlatSymbolRefAttr, "stimuli">:$stimuli,
      TypedArrayAttrBase<FlatSymbolRefAttr, "datasets">:$datasets,
      OptionalAttr<DenseI64ArrayAttr>:$rows,
      DefaultValuedAttr<I64Attr, "1">:$every);
  let assemblyFormat = [{ $stimuli `from` $datasets (`rows` $rows^)?
    (`every` $every^)? attr-dict }];
  let hasVerifier = 1; // stream_r1: one dataset per stimulus, at least one
                       // stream_r2: every >= 1; rows is [first, last]
}

def ExpectOp : Neuro_Step<"expect"> {
  let summary = "a bound that `compare` (and `run`) check";
  let description = [{
    `metric` is computed from result `of` (a readout's table or a probe) and, if
    it compares, from `against` (a dataset, or another readout): the list is in
    docs/language.md. `targets` restricts it to some targets; `options` are the
    metric's own (runtime/include/neuroc/rt/Protocol.h). The metric must lie in
    [min, max].
  }];
  let arguments = (ins StrAttr:$metric, StrAttr:$of,
      OptionalAttr<StrAttr>:$against, OptionalAttr<F64Attr>:$min,
      OptionalAttr<F64Attr>:$max, OptionalAttr<StrArrayAttr>:$targets,
      OptionalAttr<DictionaryAttr>:$options);
  let assemblyFormat = [{ $metric `of` $of (`against` $against^)?
    (`min` $min^)? (`max` $max^)? (`targets` $targets^)? (`options` $options^)?
    attr-dict }];
  let hasVerifier = 1; // expect_r1: a bound is given
                       // expect_r2: min <= max
}

#endif // NEUROC_NEURO_OPS_TD
