// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits experiments. Every name is looked up in the network, times become
// ticks, values are checked against the units and shapes of what they set.
#include "Elaborator.h"

#include "neuroc/rt/HostMath.h"

namespace neuroc::lang {

using namespace mlir;

void Elaborator::emitExperiment(const ExperimentDecl &e) {
  auto found = networkInfos.find(e.network.name);
  if (found == networkInfos.end()) {
    std::vector<std::string> names;
    for (const auto &n : networkInfos)
      names.push_back(n.first);
    diag.unknown(e.network.loc, "network", e.network.name, names);
    return;
  }
  NetworkInfo &net = *found->second;
  if (!net.op)
    return; // faulty and reported
  networkSeed = net.seed;
  readouts.clear();
  experimentState = std::make_unique<ExperimentState>();
  collectAssigned(e.items);
  b.setInsertionPointToEnd(module.getBody());
  auto op = neuro::ExperimentOp::create(b, diag.location(e.name.loc),
                                        e.name.name, e.network.name);
  ConstEnv env = net.constants;
  emitSteps(net, env, e.items, op.getBody(), 0);
}

void Elaborator::emitSteps(NetworkInfo &net, ConstEnv &env,
                           const std::vector<ItemPtr> &items, Region &region,
                           int loops) {
  Block &block = region.emplaceBlock();
  OpBuilder::InsertionGuard saved(b);
  b.setInsertionPointToStart(&block);
  for (const ItemPtr &it : items)
    emitStep(net, env, *resolveItem(net, env, *it), loops);
}

void Elaborator::emitStep(NetworkInfo &net, ConstEnv &env, const Item &it,
                          int loops) {
  Location l = diag.location(it.loc);
  const std::string &word = it.keyword;
  if (word == "let") {
    emitLet(net, env, it);
  } else if (word == "set") {
    emitSet(net, env, it);
  } else if (word == "if") {
    emitIf(net, env, it, loops);
  } else if (word == "while" || word == "until") {
    emitWhile(net, env, it, loops);
  } else if (word == "for_in") {
    emitForIn(net, env, it, loops);
  } else if (word == "stream") {
    emitStream(net, env, it);
  } else if (word == "()") {
    emitProcedure(net, env, it, loops);
  } else if (word == "dataset") {
    if (!declareName(net, it.name))
      return;
    OpBuilder::InsertionGuard saved(b);
    b.setInsertionPointToEnd(&net.op.getBody().front());
    emitDataset(net, it, env);
  } else if (word == "phase") {
    auto op = neuro::PhaseOp::create(b, l, it.name.name);
    emitSteps(net, env, it.body, op.getBody(), loops);
  } else if (word == "repeat") {
    auto n = evalInteger(*it.value, &env, "the count of 'repeat'", 0);
    StringAttr counter;
    declareCounter(env, it.clause("as"), counter);
    auto op = neuro::RepeatOp::create(b, l, n.value_or(0), counter);
    emitSteps(net, env, it.body, op.getBody(), loops);
  } else if (word == "for") {
    emitForEach(net, env, it, loops);
  } else if (word == "step") {
    auto n = it.transposed ? evalInteger(*it.value, &env, "'step'", 0)
                           : ticks(net, *it.value, &env, "'step'", true);
    if (n)
      neuro::StepOp::create(b, l, *n);
  } else if (word == "settle") {
    std::string probe = probeOf(net, *it.from);
    if (probe.empty())
      return;
    if (net.probeSpikes[probe]) {
      diag.error(it.from->loc, quote(*it.from) +
                                   " is a spike signal; 'settle' watches a "
                                   "real signal or a state");
      return;
    }
    ConstResult below = evalConst(*it.value, &env);
    if (!below)
      return;
    if (!below->p.isNumber() || !(below->p.number() > 0)) {
      diag.error(it.value->loc, "the bound of 'settle' must be above 0");
      return;
    }
    const Clause *max = it.clause("max");
    if (!max) {
      diag.error(it.loc, "'settle' needs a limit", "add 'max 500 ms'");
      return;
    }
    if (auto n = ticks(net, *max->value, &env, "'max'", true))
      neuro::SettleOp::create(b, l, probe,
                              llvm::APFloat(below->p.number()), *n);
  } else if (word == "enable" || word == "disable" || word == "call") {
    if (!net.plastics.count(it.from->name)) {
      diag.unknown(it.from->loc, "plasticity", it.from->name,
                   {net.plastics.begin(), net.plastics.end()});
      return;
    }
    if (word == "enable")
      neuro::EnableOp::create(b, l, it.from->name);
    else if (word == "disable")
      neuro::DisableOp::create(b, l, it.from->name);
    else
      neuro::CallOp::create(b, l, it.from->name);
  } else if (word == "release") {
    Node *node = nullptr;
    if (const Symbol *s = stateOf(net, *it.from, node))
      neuro::ReleaseOp::create(b, l, it.from->args[0]->name, s->irName);
  } else if (word == "present" || word == "clamp" || word == "assign") {
    emitDataStep(net, env, it, loops);
  } else if (word == "snapshot") {
    SmallVector<Attribute> items;
    std::set<std::string> &held =
        experimentState->snapshots[it.name.name];
    held.clear();
    for (const ExprPtr &e : it.shape) {
      std::string name = refKey(*e);
      auto node = net.nodes.find(name);
      bool population =
          node != net.nodes.end() && node->second.kind != "stimulus";
      if (!population && !net.weights.count(name) &&
          !net.plastics.count(name)) {
        std::vector<std::string> names = nodeNames(net);
        for (const auto &entry : net.weights)
          names.push_back(entry.first);
        names.insert(names.end(), net.plastics.begin(), net.plastics.end());
        diag.unknown(e->loc, "population, weight or plasticity", name, names);
        return;
      }
      held.insert(name);
      items.push_back(FlatSymbolRefAttr::get(b.getContext(), name));
    }
    neuro::SnapshotOp::create(b, l, it.name.name, b.getArrayAttr(items));
  } else if (word == "restore") {
    if (!experimentState->snapshots.count(it.name.name)) {
      std::vector<std::string> names;
      for (const auto &s : experimentState->snapshots)
        names.push_back(s.first);
      diag.unknown(it.name.loc, "snapshot", it.name.name, names);
      return;
    }
    neuro::RestoreOp::create(b, l, it.name.name);
  } else if (word == "readout") {
    emitReadout(net, env, it);
  } else {
    emitExpect(net, env, it);
  }
}

/// The state that `E.v` names; null after an error.
const Symbol *Elaborator::stateOf(NetworkInfo &net, const Expr &e,
                                  Node *&node) {
  static const Symbol plain{SymbolKind::State, Dim()};
  if (e.kind != Expr::Member || e.args[0]->kind != Expr::Name) {
    diag.error(e.loc, "expected a state such as 'E.v', found " + quote(e));
    return nullptr;
  }
  const Expr &base = *e.args[0];
  auto it = net.nodes.find(base.name);
  if (it == net.nodes.end()) {
    if (!net.declared.count(base.name))
      diag.unknown(base.loc, "population", base.name, nodeNames(net));
    return nullptr;
  }
  node = &it->second;
  if (!node->op)
    return nullptr;
  // Sugar nodes keep their states under names of the dialect's choice.
  if (node->kind == "pc_layer" || node->kind == "associative_memory") {
    std::string own = node->kind == "pc_layer" ? "value" : "state";
    if (e.name != own) {
      diag.unknown(e.loc, "state of '" + base.name + "'", e.name, {own});
      return nullptr;
    }
    static Symbol z = [] {
      Symbol s{SymbolKind::State, Dim()};
      s.irName = "z";
      return s;
    }();
    static Symbol s = [] {
      Symbol x{SymbolKind::State, Dim()};
      x.irName = "s";
      return x;
    }();
    return node->kind == "pc_layer" ? &z : &s;
  }
  if (!node->model) {
    diag.error(e.loc, "'" + base.name + "' is a " + node->kind +
                          " and has no states",
               "use 'present' to set a stimulus");
    return nullptr;
  }
  auto s = node->model->symbols.find(e.name);
  if (s == node->model->symbols.end() ||
      s->second.kind != SymbolKind::State) {
    diag.unknown(e.loc, "state of '" + base.name + "'", e.name,
                 node->model->names(SymbolKind::State));
    return nullptr;
  }
  return &s->second;
}

void Elaborator::emitDataStep(NetworkInfo &net, ConstEnv &env, const Item &it,
                              int loops) {
  bool ofSynapses = it.from->kind == Expr::Member &&
                    it.from->args[0]->kind == Expr::Name &&
                    net.plastics.count(it.from->args[0]->name);
  if (it.value && (ofSynapses || !isStatic(net, env, *it.value))) {
    emitStore(net, env, it);
    return;
  }
  Location l = diag.location(it.loc);
  // What is set: its name, unit and size.
  Node *node = nullptr;
  const Symbol *state = nullptr;
  Dim dim;
  bool hertz = false, anyUnit = false;
  int64_t size = 0;
  std::vector<int64_t> shape;
  std::string target;
  if (it.keyword == "present") {
    auto found = it.from->kind == Expr::Name ? net.nodes.find(it.from->name)
                                             : net.nodes.end();
    if (found == net.nodes.end() || found->second.kind != "stimulus") {
      std::vector<std::string> names;
      for (const auto &[name, n] : net.nodes)
        if (n.kind == "stimulus")
          names.push_back(name);
      diag.unknown(it.from->loc, "stimulus", it.from->name, names);
      return;
    }
    node = &found->second;
    target = found->first;
    dim = node->outputs[0].dim;
    hertz = node->outputs[0].hertz;
    size = node->units();
    shape = node->shape;
  } else if (it.keyword == "assign" && it.from->kind == Expr::Name) {
    auto w = net.weights.find(it.from->name);
    if (w == net.weights.end()) {
      std::vector<std::string> names;
      for (const auto &entry : net.weights)
        names.push_back(entry.first);
      diag.unknown(it.from->loc, "weight", it.from->name, names);
      return;
    }
    target = w->first;
    dim = w->second.dim;
    anyUnit = w->second.anyUnit;
  } else {
    state = stateOf(net, *it.from, node);
    if (!state)
      return;
    target = it.from->args[0]->name;
    dim = state->dim;
    hertz = state->hertz;
    size = node->units();
    shape = node->shape;
  }
  Attribute values;
  FlatSymbolRefAttr dataset;
  IntegerAttr row;
  if (it.value) {
    ConstResult r =
        anyUnit ? evalConst(*it.value, &env)
                : evalConst(*it.value, &env, &dim, quote(*it.from),
                            shape.empty() ? nullptr : &shape, net.seed,
                            target + ".set");
    if (!r)
      return;
    int64_t given = static_cast<int64_t>(r->p.data.size());
    bool lanes = size && net.batch > 1 && given == size * net.batch;
    if (r->p.isArray() && size && !lanes && given != size) {
      diag.error(it.value->loc, quote(*it.from) + " has " + llvm::Twine(size) +
                                    " units, but " +
                                    llvm::Twine(r->p.data.size()) +
                                    " values are given");
      return;
    }
    if (r->p.isArray() && size) {
      r->p.shape = shape;
      if (lanes)
        r->p.shape.insert(r->p.shape.begin(), net.batch);
    }
    values = valueAttr(*r, hertz);
  } else {
    auto d = net.datasets.find(it.to->name);
    if (d == net.datasets.end()) {
      std::vector<std::string> names;
      for (const auto &entry : net.datasets)
        names.push_back(entry.first);
      diag.unknown(it.to->loc, "dataset", it.to->name, names);
      return;
    }
    int64_t columns = 1;
    for (size_t k = 1; k < d->second.size(); ++k)
      columns *= d->second[k];
    bool wholeBatch = net.batch > 1 && !batchedLoop && !it.clause("row") &&
                      columns == size * net.batch;
    if (size && columns != size && !wholeBatch) {
      diag.error(it.to->loc, "rows of dataset '" + it.to->name + "' have " +
                                  llvm::Twine(columns) + " values, but " +
                                  quote(*it.from) + " has " +
                                  llvm::Twine(size) + " units");
      return;
    }
    dataset = FlatSymbolRefAttr::get(b.getContext(), it.to->name);
    if (const Clause *c = it.clause("row")) {
      auto n = evalInteger(*c->value, &env, "'row'", 0);
      if (!n)
        return;
      if (*n >= d->second[0]) {
        diag.error(c->value->loc, "dataset '" + it.to->name + "' has rows 0 "
                                      "to " + llvm::Twine(d->second[0] - 1));
        return;
      }
      row = b.getI64IntegerAttr(*n);
    } else if (loops == 0) {
      diag.error(it.loc, "which row of '" + it.to->name + "'?",
                 "add 'row 0', or put this into 'for each row of " +
                     it.to->name + " { … }'");
      return;
    }
  }
  if (it.keyword == "present")
    neuro::PresentOp::create(b, l, target, values, dataset, row);
  else if (it.keyword == "clamp")
    neuro::ClampOp::create(b, l, target, state->irName, values, dataset, row);
  else
    neuro::AssignOp::create(b, l, target,
                            state ? b.getStringAttr(state->irName)
                                  : StringAttr(),
                            values, dataset, row);
}

void Elaborator::emitReadout(NetworkInfo &net, ConstEnv &env, const Item &it) {
  static const std::vector<std::string> reductions = {"last", "mean", "sum",
                                                      "count", "argmax"};
  const Expr *source = it.value.get();
  neuro::Reduce reduce = neuro::Reduce::Last;
  // One signal or state, reduced over time; all else is computed.
  const Expr *inner = source->kind == Expr::Call && source->args.size() == 1 &&
                              !source->argNames[0] &&
                              llvm::is_contained(reductions, source->name)
                          ? source->args[0].get()
                          : source;
  const Expr *root = inner->kind == Expr::Member ? inner->args[0].get() : inner;
  bool known = root->kind == Expr::Name &&
               !experimentState->variables.count(root->name) &&
               (net.nodes.count(root->name) ||
                (inner == root && net.probeSpikes.count(root->name)) ||
                (inner == root && inner == source &&
                 net.weights.count(root->name)));
  bool other = root->kind != Expr::Name ||
               experimentState->variables.count(root->name) ||
               experimentState->snapshots.count(root->name) ||
               net.plastics.count(root->name) || readouts.count(root->name) ||
               net.datasets.count(root->name) ||
               net.weights.count(root->name) || env.lookup(root->name);
  bool misspelt = source->kind == Expr::Call && inner == source &&
                  source->args.size() == 1 && root == source &&
                  source->name != "samples" &&
                  !rt::findHostFunction(source->name) &&
                  !functions.count(source->name);
  if (!known && other && !misspelt) {
    emitTableRow(net, env, it);
    return;
  }
  if (source->kind == Expr::Call) {
    auto r = neuro::symbolizeReduce(source->name);
    if (!r) {
      diag.unknown(source->loc, "reduction", source->name, reductions);
      return;
    }
    reduce = *r;
    source = source->args[0].get();
  }
  std::string symbol;
  if (source->kind == Expr::Name && net.weights.count(source->name)) {
    symbol = source->name;
  } else {
    symbol = probeOf(net, *source);
    if (symbol.empty())
      return;
    if (reduce == neuro::Reduce::Count && !net.probeSpikes[symbol]) {
      diag.error(source->loc, "'count' counts spikes, but " + quote(*source) +
                                  " is a real signal",
                 "write sum(" + source->text() + ") or mean(" +
                     source->text() + ")");
      return;
    }
  }
  readouts.insert(it.name.name);
  neuro::ReadoutOp::create(b, diag.location(it.loc), it.name.name, symbol,
                           reduce);
}

namespace {
/// What a metric is computed from: [T]able or [P]robe, second argument, unit.
struct Metric {
  const char *name;
  bool probe;     ///< of a recorded spike signal; else of a readout's table
  bool against;   ///< needs a dataset to compare with
  bool statistic; ///< of a name in the statistics of the run
  Dim dim;
};
const std::vector<Metric> &metrics() {
  static const std::vector<Metric> table = {
      {"accuracy", false, true, false, Dim()},
      {"value", false, false, false, Dim()},
      {"mean", false, false, false, Dim()},
      {"min", false, false, false, Dim()},
      {"max", false, false, false, Dim()},
      {"sum", false, false, false, Dim()},
      {"norm", false, false, false, Dim()},
      {"rms", false, false, false, Dim()},
      {"finite", false, false, false, Dim()},
      {"ratio", false, false, false, Dim()},
      {"max_error", false, true, false, Dim()},
      {"rms_error", false, true, false, Dim()},
      {"cosine", false, true, false, Dim()},
      {"overlap", false, true, false, Dim()},
      {"spike_count", true, false, false, Dim()},
      {"rate_hz", true, false, false, Dim::rate()},
      {"cv_isi", true, false, false, Dim()},
      {"equal_spikes_ms", true, false, false, Dim::time()},
      {"table_error", false, false, false, Dim()},
      {"agreement", false, false, false, Dim()},
      {"stat", false, false, true, Dim()}};
  return table;
}
} // namespace

void Elaborator::emitExpect(NetworkInfo &net, ConstEnv &env, const Item &it) {
  const Expr &call = *it.value;
  const Metric *metric = nullptr;
  std::vector<std::string> names;
  for (const Metric &m : metrics()) {
    names.push_back(m.name);
    if (call.name == m.name)
      metric = &m;
  }
  if (!metric) {
    diag.unknown(call.loc, "metric", call.name, names);
    return;
  }
  std::vector<const Expr *> args;
  NamedAttrList extra;
  for (size_t i = 0; i < call.args.size(); ++i) {
    const Ident &name = call.argNames[i];
    if (!name) {
      args.push_back(call.args[i].get());
      continue;
    }
    static const std::vector<std::string> known = {"from", "to", "row",
                                                   "column", "over", "name"};
    if (name.name == "from" || name.name == "to") {
      if (auto v = evalNumber(*call.args[i], &env, Dim::time(),
                              "'" + name.name + "'"))
        extra.append(name.name + "_ms", b.getF64FloatAttr(*v));
    } else if (name.name == "row" || name.name == "column" ||
               name.name == "over") {
      auto v = evalNumber(*call.args[i], &env, Dim(), "'" + name.name + "'");
      if (v && *v != std::floor(*v))
        diag.error(call.args[i]->loc, "'" + name.name + "' is a whole number");
      else if (v)
        extra.append(name.name, b.getI64IntegerAttr(static_cast<int64_t>(*v)));
    } else if (name.name == "name" && call.args[i]->kind == Expr::String) {
      extra.append("name", b.getStringAttr(call.args[i]->name));
    } else {
      diag.unknown(name.loc, "option of a metric", name.name, known);
      return;
    }
  }
  size_t wanted = metric->against ? 2 : 1;
  if (args.size() != wanted) {
    diag.error(call.loc, "'" + call.name + "' takes " +
                             (wanted == 2 ? "a result and a dataset"
                              : metric->probe     ? "a spike signal"
                              : metric->statistic ? "the name of a statistic"
                                                  : "a result"));
    return;
  }
  std::string of, against;
  if (metric->probe) {
    of = probeOf(net, *args[0]);
    if (of.empty())
      return;
    if (!net.probeSpikes[of]) {
      diag.error(args[0]->loc, "'" + call.name + "' needs a spike signal, but " +
                                   quote(*args[0]) + " is real");
      return;
    }
  } else if (metric->statistic) {
    of = args[0]->text().str();
  } else {
    of = args[0]->text().str();
    if (!readouts.count(of)) {
      diag.unknown(args[0]->loc, "readout", of,
                   {readouts.begin(), readouts.end()});
      return;
    }
  }
  if (metric->against) {
    against = args[1]->text().str();
    if (!net.datasets.count(against) && !readouts.count(against)) {
      std::vector<std::string> known(readouts.begin(), readouts.end());
      for (const auto &d : net.datasets)
        known.push_back(d.first);
      diag.unknown(args[1]->loc, "dataset", against, known);
      return;
    }
  }
  // Bounds. A rate is given in Hz, a time in ms; tables hold plain numbers.
  const Clause &bound = it.clauses[0];
  FloatAttr min, max;
  auto number = [&](const Expr &e) -> FloatAttr {
    ConstResult r = evalConst(e, &env);
    if (!r)
      return {};
    bool unitless = r->dim.isNone() || r->anyUnit;
    if (!r->p.isNumber() ||
        (!metric->dim.isNone() && r->dim != metric->dim && !unitless)) {
      diag.error(e.loc, "the bound of '" + call.name + "' must be a number" +
                            (metric->dim.isNone()
                                 ? std::string()
                                 : " in " + std::string(metric->dim ==
                                                                Dim::rate()
                                                            ? "Hz"
                                                            : "ms")));
      return {};
    }
    double v = r->p.number();
    if (metric->dim == Dim::rate() && r->dim == Dim::rate())
      v *= 1000;
    return b.getF64FloatAttr(v);
  };
  if (bound.op == "in") {
    min = number(*bound.value->args[0]);
    max = number(*bound.value->args[1]);
    if (!min || !max)
      return;
    if (!(min.getValueAsDouble() <= max.getValueAsDouble())) {
      diag.error(bound.loc, "a bound [low, high] needs low <= high");
      return;
    }
  } else {
    FloatAttr v = number(*bound.value);
    if (!v)
      return;
    if (bound.op == ">=")
      min = v;
    else if (bound.op == "<=")
      max = v;
    else
      extra.append("of_reference", v);
  }
  ArrayAttr targets;
  if (!it.shape.empty()) {
    SmallVector<Attribute> list;
    for (const ExprPtr &e : it.shape) {
      static const std::vector<std::string> known = {
          "reference", "cpu", "cpu-f64", "spinnaker", "crossbar"};
      if (!llvm::is_contained(known, e->name)) {
        diag.unknown(e->loc, "target", e->name, known);
        return;
      }
      list.push_back(b.getStringAttr(e->name));
    }
    targets = b.getArrayAttr(list);
  }
  neuro::ExpectOp::create(
      b, diag.location(it.loc), b.getStringAttr(call.name), b.getStringAttr(of),
      against.empty() ? StringAttr() : b.getStringAttr(against), min, max,
      targets,
      extra.empty() ? DictionaryAttr() : extra.getDictionary(b.getContext()));
}

} // namespace neuroc::lang
