// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits host expressions. Names are looked up in this order: variables of the
// experiment, constants, tables, datasets, weights; members are states,
// snapshots and states of synapses. A signal has a value only through a
// reduction over the time since it was last shown something (`count`, `last`
// …); the same words over anything else reduce over elements.
#include "HostExpr.h"

#include "Elaborator.h"

#include "neuroc/rt/HostMath.h"

namespace neuroc::lang {

using namespace mlir;

HostDomain::HostDomain(Elaborator &el, NetworkInfo &net, const ConstEnv &env)
    : el(el), net(net), env(env), diag(el.diag), b(el.b) {}

Value HostDomain::materialize(const HostValue &v, SMLoc loc) {
  if (v.value)
    return v.value;
  auto type = RankedTensorType::get({}, b.getF64Type());
  return neuro::LiteralOp::create(b, diag.location(loc),
                                  DenseElementsAttr::get(type, *v.constant));
}

HostValue HostDomain::calc(StringRef function, ArrayRef<HostValue> operands,
                           SMLoc loc, std::optional<int64_t> axis) {
  SmallVector<Value> values;
  for (const HostValue &v : operands)
    values.push_back(materialize(v, loc));
  DenseI64ArrayAttr options;
  if (axis)
    options = b.getDenseI64ArrayAttr({*axis});
  return {neuro::CalcOp::create(b, diag.location(loc), function, values,
                                options),
          std::nullopt};
}

std::optional<HostValue> HostDomain::unary(StringRef op, HostValue a,
                                           SMLoc loc) {
  if (op == "-" && a.constant)
    return number(-*a.constant, loc);
  return calc(op == "-" ? "neg" : "not", {a}, loc);
}

std::optional<HostValue> HostDomain::binary(StringRef op, HostValue x,
                                            HostValue y, SMLoc loc) {
  static const std::map<std::string, std::string> names = {
      {"+", "add"},      {"-", "sub"},         {"*", "mul"},
      {"/", "div"},      {"mod", "mod"},       {"pow", "pow"},
      {"min", "minimum"}, {"max", "maximum"},  {"<", "less"},
      {"<=", "less_equal"}, {">", "greater"},  {">=", "greater_equal"},
      {"==", "equal"},   {"!=", "not_equal"},  {"and", "and"},
      {"or", "or"}};
  if (x.constant && y.constant && op.size() == 1) {
    double u = *x.constant, v = *y.constant;
    if (op == "+" || op == "-" || op == "*" || op == "/")
      return number(op == "+"   ? u + v
                    : op == "-" ? u - v
                    : op == "*" ? u * v
                                : u / v,
                    loc);
  }
  return calc(names.at(op.str()), {x, y}, loc);
}

std::optional<HostValue> HostDomain::select(HostValue c, HostValue x,
                                            HostValue y, SMLoc loc) {
  return calc("where", {c, x, y}, loc);
}

std::optional<HostValue> HostDomain::math(StringRef fn, HostValue a,
                                          SMLoc loc) {
  return calc(fn, {a}, loc);
}

HostResult HostDomain::literal(const ConstTyped &c, SMLoc loc) {
  if (c.p.dist) {
    diag.error(loc, "a distribution has no value here",
               "draw an array: uniform([n], key), normal([n], key) or "
               "sample(distribution, [n])");
    return std::nullopt;
  }
  HostTyped v{HostValue{}, c.dim};
  v.boolean = c.boolean;
  v.anyUnit = c.anyUnit;
  if (c.p.isNumber()) {
    v.p.constant = c.p.number();
    return v;
  }
  auto type = RankedTensorType::get(c.p.shape, b.getF64Type());
  v.p.value = neuro::LiteralOp::create(
      b, diag.location(loc),
      DenseElementsAttr::get(type, ArrayRef<double>(c.p.data)));
  return v;
}

HostResult HostDomain::literal(const Expr &e) {
  ConstResult c = el.evalConst(e, &env);
  return c ? literal(*c, e.loc) : std::nullopt;
}

HostResult HostDomain::read(neuro::HostKind of, StringRef source,
                            StringRef variable, StringRef snapshot, SMLoc loc,
                            const ExperimentState::Variable &info,
                            neuro::Reduce reduce, bool current) {
  auto text = [&](StringRef s) {
    return s.empty() ? StringAttr() : b.getStringAttr(s);
  };
  auto op = neuro::ReadOp::create(b, diag.location(loc), of, source,
                                  text(variable), reduce, text(snapshot),
                                  current);
  HostTyped v{HostValue{op, std::nullopt}, info.dim};
  v.boolean = info.boolean;
  v.anyUnit = info.anyUnit;
  return v;
}

std::optional<HostResult> HostDomain::name(const Expr &e) {
  ExperimentState &state = *el.experimentState;
  if (auto it = state.variables.find(e.name); it != state.variables.end())
    return read(neuro::HostKind::Variable, e.name, "", "", e.loc, it->second);
  if (const ConstTyped *c = env.lookup(e.name))
    return literal(*c, e.loc);
  // A weight before the table that `readout W = W` makes of its past.
  if (auto w = net.weights.find(e.name); w != net.weights.end())
    return read(neuro::HostKind::Weight, e.name, "", "", e.loc,
                {w->second.dim, false, w->second.anyUnit});
  ExperimentState::Variable any;
  any.anyUnit = true;
  if (net.datasets.count(e.name))
    return read(neuro::HostKind::Dataset, e.name, "", "", e.loc, any);
  if (el.readouts.count(e.name))
    return read(neuro::HostKind::Table, e.name, "", "", e.loc, any);
  if (auto g = global(e))
    return g;
  if (net.nodes.count(e.name) || net.probeSpikes.count(e.name)) {
    diag.error(e.loc, "a signal has no single value in an experiment: " +
                          quote(e),
               "write last(" + e.name + "), mean(" + e.name + ") or count(" +
                   e.name + ") since it was last shown something, or a state "
                   "such as " + e.name + ".v");
    return HostResult();
  }
  return std::nullopt;
}

std::optional<HostResult> HostDomain::global(const Expr &e) {
  std::optional<ConstResult> c = el.globalConstant(e.name);
  if (!c)
    return std::nullopt;
  return *c ? literal(**c, e.loc) : HostResult();
}

/// State `e.name` of population or plastic `owner`.
HostResult HostDomain::readState(const std::string &owner, const Expr &e,
                                 StringRef snapshot) {
  if (net.plastics.count(owner)) {
    auto plastic = dyn_cast_or_null<neuro::PlasticOp>(
        SymbolTable::lookupSymbolIn(net.op, owner));
    std::vector<std::string> known;
    if (neuro::RuleOp rule = plastic ? plastic.getRuleOp() : neuro::RuleOp())
      for (auto s : rule.list<neuro::StateOp>())
        known.push_back(s.getSymName().str());
    if (!llvm::is_contained(known, e.name)) {
      diag.unknown(e.loc, "state of the synapses of '" + owner + "'", e.name,
                   known);
      return std::nullopt;
    }
    ExperimentState::Variable any;
    any.anyUnit = true;
    return read(neuro::HostKind::State, owner, e.name, snapshot, e.loc, any);
  }
  auto base = std::make_unique<Expr>();
  base->kind = Expr::Name;
  base->name = owner;
  base->loc = base->begin = e.begin;
  base->end = e.end;
  Expr whole;
  whole.kind = Expr::Member;
  whole.name = e.name;
  whole.loc = e.loc;
  whole.begin = e.begin;
  whole.end = e.end;
  whole.args.push_back(std::move(base));
  Node *node = nullptr;
  const Symbol *s = el.stateOf(net, whole, node);
  if (!s)
    return std::nullopt;
  HostResult r = read(neuro::HostKind::State, owner, s->irName, snapshot,
                      e.loc, {s->dim, false, false});
  if (r && s->hertz) // Hz to 1/ms
    r->p = calc("mul", {r->p, number(1e-3, e.loc)}, e.loc);
  return r;
}

HostResult HostDomain::member(const Expr &e) {
  ExperimentState &state = *el.experimentState;
  // snapshot.W, snapshot.E.v
  const Expr *root = &e;
  while (root->kind == Expr::Member)
    root = root->args[0].get();
  if (root->kind == Expr::Name)
    if (auto snap = state.snapshots.find(root->name);
        snap != state.snapshots.end()) {
      std::string rest = refKey(e).substr(root->name.size() + 1);
      if (auto w = net.weights.find(rest);
          w != net.weights.end() && snap->second.count(rest))
        return read(neuro::HostKind::Weight, rest, "", snap->first, e.loc,
                    {w->second.dim, false, w->second.anyUnit});
      std::string owner = rest.substr(0, rest.rfind('.'));
      if (owner.size() < rest.size() && snap->second.count(owner))
        return readState(owner, e, snap->first);
      diag.unknown(e.loc, "part of snapshot '" + snap->first + "'", rest,
                   {snap->second.begin(), snap->second.end()});
      return std::nullopt;
    }
  if (e.args[0]->kind != Expr::Name) {
    diag.error(e.loc, quote(e) + " names nothing of the network");
    return std::nullopt;
  }
  const std::string &owner = e.args[0]->name;
  auto node = net.nodes.find(owner);
  if (node != net.nodes.end() && node->second.model) {
    bool isOutput = llvm::any_of(
        node->second.outputs, [&](const Signal &s) { return s.name == e.name; });
    if (isOutput) {
      diag.error(e.loc, "a signal has no single value in an experiment: " +
                            quote(e),
                 "write last(" + refKey(e) + ") for its value in the last "
                 "tick, or mean, sum, count, max or argmax of it");
      return std::nullopt;
    }
  }
  return readState(owner, e, "");
}

HostResult HostDomain::index(const Expr &e) {
  const Expr &base = *e.args[0];
  ExperimentState &state = *el.experimentState;
  // The row that the innermost loop is at can be read without the others.
  if (base.kind == Expr::Name && e.args.size() == 2 &&
      e.args[1]->kind == Expr::Name && !state.rowLoops.empty() &&
      state.rowLoops.back().second == e.args[1]->name &&
      net.datasets.count(base.name) && !state.variables.count(base.name)) {
    ExperimentState::Variable any;
    any.anyUnit = true;
    return read(neuro::HostKind::Dataset, base.name, "", "", e.loc, any,
                neuro::Reduce::Last, true);
  }
  HostResult array = evaluate(base);
  if (!array)
    return std::nullopt;
  SmallVector<HostValue> operands{array->p};
  for (size_t k = 1; k < e.args.size(); ++k) {
    HostResult i = evaluate(*e.args[k]);
    if (!i)
      return std::nullopt;
    if (!i->dim.isNone() && !i->anyUnit) {
      diag.error(e.args[k]->loc, "an index has no unit, but " +
                                     quote(*e.args[k]) + isIn(i->dim));
      return std::nullopt;
    }
    operands.push_back(i->p);
  }
  array->p = calc("index", operands, e.loc);
  return array;
}

/// A reduction over time: `word(signal)`; nothing if it is another call.
std::optional<HostResult> HostDomain::window(const Expr &e) {
  static const std::vector<std::string> words = {"last",  "mean", "sum",
                                                 "count", "max",  "argmax",
                                                 "samples"};
  if (!llvm::is_contained(words, e.name) || e.args.size() != 1 ||
      e.argNames[0])
    return std::nullopt;
  const Expr &arg = *e.args[0];
  ExperimentState &state = *el.experimentState;
  bool always = e.name == "count" || e.name == "last" || e.name == "samples";
  bool signal = false;
  if (arg.kind == Expr::Name && !state.variables.count(arg.name)) {
    signal = net.nodes.count(arg.name) || net.probeSpikes.count(arg.name);
  } else if (arg.kind == Expr::Member && arg.args[0]->kind == Expr::Name) {
    auto node = net.nodes.find(arg.args[0]->name);
    if (node != net.nodes.end())
      signal = llvm::any_of(node->second.outputs, [&](const Signal &s) {
        return s.name == arg.name;
      }) || ((e.name == "last" || e.name == "samples") && node->second.model);
  }
  if (!signal) {
    if (!always)
      return std::nullopt;
    diag.error(arg.loc, "'" + e.name + "' takes a signal, but " + quote(arg) +
                            " is none",
               e.name == "count" ? "to count elements write sum(condition)"
                                 : "write " + quote(arg) + " alone");
    return HostResult();
  }
  std::string probe = el.probeOf(net, arg);
  if (probe.empty())
    return HostResult();
  if (e.name == "count" && !net.probeSpikes[probe]) {
    diag.error(arg.loc, "'count' counts spikes, but " + quote(arg) +
                            " is a real signal",
               "write sum(" + refKey(arg) + ") or mean(" + refKey(arg) + ")");
    return HostResult();
  }
  if (e.name == "samples" && net.probeSpikes[probe]) {
    diag.error(arg.loc, "'samples' takes a real signal, but " + quote(arg) +
                            " is made of spikes",
               "write count(" + refKey(arg) + ")");
    return HostResult();
  }
  ExperimentState::Variable info;
  bool hertz = false;
  if (!net.probeSpikes[probe] && e.name != "argmax") {
    Node *node = nullptr;
    bool isState = false;
    if (arg.kind == Expr::Member && net.nodes.count(arg.args[0]->name)) {
      node = &net.nodes.find(arg.args[0]->name)->second;
      if (node->model)
        if (auto s = node->model->symbols.find(arg.name);
            s != node->model->symbols.end() &&
            s->second.kind == SymbolKind::State) {
          isState = true;
          info.dim = s->second.dim;
          hertz = s->second.hertz;
        }
    }
    if (!isState) {
      if (arg.kind == Expr::Name && !net.nodes.count(arg.name)) {
        info.anyUnit = true; // a record by its own name
      } else if (const Signal *s = el.resolveSignal(net, arg)) {
        info.dim = s->dim;
        hertz = s->hertz;
      }
    }
  }
  bool all = e.name == "samples";
  HostResult r = read(neuro::HostKind::Signal, probe, all ? e.name : "", "",
                      e.loc, info,
                      all ? neuro::Reduce::Last
                          : *neuro::symbolizeReduce(e.name));
  if (r && hertz)
    r->p = calc("mul", {r->p, number(1e-3, e.loc)}, e.loc);
  return r;
}

/// Every function of HostMath.h by its name, apart from operators.
HostResult HostDomain::call(const Expr &e, StringRef function, bool takesAxis) {
  const rt::HostFunction *entry = rt::findHostFunction(function.str());
  std::optional<int64_t> axis;
  SmallVector<HostTyped> args;
  for (size_t k = 0; k < e.args.size(); ++k) {
    bool named = bool(e.argNames[k]);
    // sum(x, 0) is sum(x, axis = 0), but the operands of concat are many.
    bool second = !named && takesAxis && k == 1 && entry->most == 1;
    if (named && (!takesAxis || e.argNames[k].name != "axis")) {
      diag.unknown(e.argNames[k].loc, "option of '" + e.name + "'",
                   e.argNames[k].name,
                   takesAxis ? std::vector<std::string>{"axis"}
                             : std::vector<std::string>{});
      return std::nullopt;
    }
    if (named || second) {
      std::optional<double> v;
      if (el.isStatic(net, env, *e.args[k])) {
        v = el.evalNumber(*e.args[k], &env, Dim(), "'axis'");
        if (!v)
          return std::nullopt;
      }
      if (!v || *v != std::floor(*v) || std::fabs(*v) > 8) {
        diag.error(e.args[k]->loc, "'axis' must be a whole number that is known "
                                      "when the program is compiled");
        return std::nullopt;
      }
      axis = static_cast<int64_t>(*v);
      continue;
    }
    HostResult a = evaluate(*e.args[k]);
    if (!a)
      return std::nullopt;
    args.push_back(*a);
  }
  int count = static_cast<int>(args.size());
  if (count < entry->least || (entry->most >= 0 && count > entry->most)) {
    diag.error(e.loc, "'" + e.name + "' is written " + entry->usage +
                          ", but has " + llvm::Twine(count) + " arguments");
    return std::nullopt;
  }
  // Units: of the first argument, but for …
  HostTyped r{HostValue{}, args[0].dim};
  r.anyUnit = args[0].anyUnit;
  auto plain = [&](size_t k) {
    if (args[k].dim.isNone() || args[k].anyUnit)
      return true;
    diag.error(e.args[k]->loc, "'" + e.name + "' needs a pure number, but " +
                                   quote(*e.args[k]) + isIn(args[k].dim));
    return false;
  };
  static const std::set<std::string> numbers = {
      "argmax", "argmin", "size", "len", "one_hot", "permutation", "uniform",
      "normal", "softmax", "identity", "range"};
  if (function == "matmul" || function == "outer") {
    r.dim = args[0].dim * args[1].dim;
    r.anyUnit = args[0].anyUnit || args[1].anyUnit;
  } else if (function == "solve") {
    r.dim = args[1].dim / args[0].dim;
    r.anyUnit = args[0].anyUnit || args[1].anyUnit;
  } else if (function == "concat" || function == "where") {
    size_t first = function == "where" ? 1 : 0;
    for (size_t k = first; k < args.size(); ++k) {
      if (r.anyUnit || k == first) {
        r.dim = args[k].dim;
        r.anyUnit = args[k].anyUnit;
      } else if (!args[k].anyUnit && args[k].dim != r.dim) {
        diag.error(e.args[k]->loc, "arguments of '" + e.name +
                                       "' need equal units: " +
                                       quote(*e.args[k]) + isIn(args[k].dim) +
                                       ", another one" + isIn(r.dim));
        return std::nullopt;
      }
    }
  } else if (numbers.count(function.str())) {
    r.dim = Dim();
    r.anyUnit = false;
  } else if (function == "any" || function == "all" ||
             function == "is_finite") {
    r.dim = Dim();
    r.boolean = true;
  }
  if ((function == "rows" || function == "columns") && (!plain(1) || !plain(2)))
    return std::nullopt;
  if (function == "softmax" && !plain(0))
    return std::nullopt;
  SmallVector<HostValue> operands;
  for (const HostTyped &a : args)
    operands.push_back(a.p);
  r.p = calc(function, operands, e.loc, axis);
  return r;
}

std::optional<HostResult> HostDomain::special(const Expr &e) {
  if (e.kind == Expr::Member)
    return member(e);
  if (e.kind == Expr::Index)
    return index(e);
  if (e.kind == Expr::Array) {
    if (e.args.empty()) {
      diag.error(e.loc, "an empty list has no value");
      return HostResult();
    }
    SmallVector<HostValue> elements;
    HostTyped all{};
    for (size_t k = 0; k < e.args.size(); ++k) {
      HostResult a = evaluate(*e.args[k]);
      if (!a)
        return HostResult();
      if (k == 0 || all.anyUnit) {
        all = *a;
      } else if (!a->anyUnit && a->dim != all.dim) {
        diag.error(e.args[k]->loc, "elements of one list need equal units: " +
                                       quote(*e.args[k]) + isIn(a->dim) +
                                       ", another one" + isIn(all.dim));
        return HostResult();
      }
      elements.push_back(a->p);
    }
    all.p = calc("stack", elements, e.loc);
    return HostResult(all);
  }
  if (e.kind != Expr::Call)
    return std::nullopt;
  if (auto r = window(e))
    return r;
  static const std::set<std::string> constantOnly = {"file", "sample",
                                                     "eigenvector", "lognormal",
                                                     "exponential"};
  bool distribution = (e.name == "uniform" || e.name == "normal") &&
                      (e.args.empty() || e.args[0]->kind != Expr::Array);
  if (constantOnly.count(e.name) || distribution)
    return literal(e);
  // min(a, b) is an operator, min(a) a reduction.
  if ((e.name == "min" || e.name == "max") && e.args.size() > 1 &&
      llvm::none_of(e.argNames, [](const Ident &n) { return bool(n); }))
    return std::nullopt;
  static const std::set<std::string> operators = {
      "exp",  "expm1", "log",   "log1p", "sqrt", "tanh",    "sin",
      "cos",  "abs",   "floor", "ceil",  "round", "sign",   "relu",
      "sigmoid", "heaviside", "pow", "mod", "neg", "add", "sub", "mul", "div",
      "minimum", "maximum", "less", "less_equal", "greater", "greater_equal",
      "equal", "not_equal", "stack", "index", "put"};
  if (operators.count(e.name))
    return std::nullopt;
  if (const rt::HostFunction *f = rt::findHostFunction(e.name))
    return call(e, e.name, f->axis);
  return std::nullopt;
}

std::vector<std::string> HostDomain::names() {
  std::vector<std::string> list;
  for (const auto &v : el.experimentState->variables)
    if (v.first[0] != '.')
      list.push_back(v.first);
  for (const ConstEnv *scope = &env; scope; scope = scope->outer)
    for (const auto &c : *scope)
      list.push_back(c.first);
  list.insert(list.end(), el.readouts.begin(), el.readouts.end());
  for (const auto &d : net.datasets)
    list.push_back(d.first);
  for (const auto &w : net.weights)
    list.push_back(w.first);
  return list;
}

std::vector<std::string> HostDomain::calls() {
  std::vector<std::string> list = {"last", "count", "samples"};
  for (const rt::HostFunction &f : rt::kHostFunctions)
    list.push_back(f.name);
  return list;
}

} // namespace neuroc::lang
