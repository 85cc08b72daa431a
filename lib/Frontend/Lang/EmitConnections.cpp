// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits what joins the nodes of a network: weights with their connectors,
// projections, learning, the sugar nodes, and what records.
#include "CodeEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace neuroc::lang {

using namespace mlir;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

std::optional<std::vector<int64_t>> Elaborator::sideShape(NetworkInfo &net,
                                                          const Expr &e) {
  if (e.kind == Expr::Array) {
    std::vector<int64_t> shape;
    for (const ExprPtr &arg : e.args) {
      auto n = evalInteger(*arg, &net.constants, "a number of units", 1);
      if (!n)
        return std::nullopt;
      shape.push_back(*n);
    }
    return shape;
  }
  const Expr &base = e.kind == Expr::Member ? *e.args[0] : e;
  auto it = net.nodes.find(base.name);
  if (it != net.nodes.end())
    return it->second.shape;
  if (!net.declared.count(base.name))
    diag.unknown(base.loc, "population or stimulus", base.name, nodeNames(net));
  return std::nullopt;
}

static std::vector<int64_t> pairOf(const std::vector<double> &v) {
  std::vector<int64_t> r;
  for (double x : v)
    r.push_back(static_cast<int64_t>(x));
  return r;
}

Attribute Elaborator::connectorAttr(NetworkInfo &net, const Expr &e,
                                    llvm::ArrayRef<int64_t> pre,
                                    llvm::ArrayRef<int64_t> post) {
  static const std::vector<std::string> known = {
      "dense",          "all_to_all",      "one_to_one", "list",
      "fixed_probability", "fixed_indegree", "fixed_outdegree", "convolution"};
  MLIRContext *ctx = b.getContext();
  if (e.kind != Expr::Name && e.kind != Expr::Call) {
    diag.error(e.loc, "expected a connector, found " + quote(e),
               "for example all_to_all or fixed_probability(0.1)");
    return {};
  }
  if (!llvm::is_contained(known, e.name)) {
    diag.unknown(e.loc, "connector", e.name, known);
    return {};
  }
  // Arguments: at most one by position; options by name.
  const Expr *main = nullptr;
  std::map<std::string, const Expr *> named;
  for (size_t i = 0; i < e.args.size(); ++i) {
    if (e.argNames[i])
      named[e.argNames[i].name] = e.args[i].get();
    else if (!main)
      main = e.args[i].get();
    else {
      diag.error(e.args[i]->loc, "'" + e.name + "' takes one value; options "
                                                "are named, as in self = false");
      return {};
    }
  }
  std::vector<std::string> allowed;
  if (e.name == "all_to_all" || e.name == "fixed_probability")
    allowed = {"self"};
  else if (e.name == "fixed_indegree" || e.name == "fixed_outdegree")
    allowed = {"self", "multapses"};
  else if (e.name == "convolution")
    allowed = {"kernel", "strides", "pads", "dilations", "groups"};
  for (const Ident &n : e.argNames)
    if (n && !llvm::is_contained(allowed, n.name)) {
      diag.unknown(n.loc, "option of '" + e.name + "'", n.name, allowed);
      return {};
    }
  auto flag = [&](llvm::StringRef name, bool otherwise) {
    auto it = named.find(name.str());
    if (it == named.end())
      return otherwise;
    ConstResult r = evalConst(*it->second, &net.constants);
    if (r && (!r->boolean || !r->p.isNumber()))
      diag.error(it->second->loc, "'" + name + "' is true or false");
    return r && r->boolean ? r->p.number() != 0 : otherwise;
  };
  bool needsMain = e.name == "fixed_probability" || e.name == "list" ||
                   e.name == "fixed_indegree" || e.name == "fixed_outdegree";
  if (needsMain != (main != nullptr)) {
    diag.error(e.loc, needsMain ? "'" + e.name + "' needs a value"
                                : "'" + e.name + "' takes no value",
               e.name == "fixed_probability" ? "write fixed_probability(0.1)"
                                             : "");
    return {};
  }
  if (e.name == "dense")
    return neuro::DenseConnectAttr::get(ctx);
  if (e.name == "one_to_one")
    return neuro::OneToOneAttr::get(ctx);
  if (e.name == "all_to_all")
    return neuro::AllToAllAttr::get(ctx, flag("self", true));
  if (e.name == "fixed_probability") {
    auto p = evalNumber(*main, &net.constants, Dim(), "a probability");
    if (!p)
      return {};
    if (!(*p >= 0 && *p <= 1)) {
      diag.error(main->loc, "a probability lies in [0, 1], got " +
                                formatNumber(*p));
      return {};
    }
    return neuro::FixedProbabilityAttr::get(ctx, b.getF64FloatAttr(*p),
                                            flag("self", true));
  }
  if (e.name == "fixed_indegree" || e.name == "fixed_outdegree") {
    auto k = evalInteger(*main, &net.constants, "a degree", 0);
    if (!k)
      return {};
    bool self = flag("self", true), multapses = flag("multapses", false);
    if (e.name == "fixed_indegree")
      return neuro::FixedInDegreeAttr::get(ctx, *k, self, multapses);
    return neuro::FixedOutDegreeAttr::get(ctx, *k, self, multapses);
  }
  if (e.name == "list") {
    ConstResult r = evalConst(*main, &net.constants);
    if (!r)
      return {};
    if (r->p.dist || r->p.shape.size() != 2 || r->p.shape[1] != 2) {
      diag.error(main->loc, "'list' takes pairs (pre, post)",
                 "write list([[0, 1], [2, 0]])");
      return {};
    }
    for (double x : r->p.data)
      if (!(x >= 0 && x < 1e9) || x != std::floor(x)) {
        diag.error(main->loc, "unit numbers are whole and not negative");
        return {};
      }
    return neuro::ListConnectAttr::get(
        ctx, cast<DenseIntElementsAttr>(DenseElementsAttr::get(
                 RankedTensorType::get(r->p.shape, b.getI64Type()),
                 llvm::ArrayRef<int64_t>(pairOf(r->p.data)))));
  }
  // convolution(kernel = [3, 3], …)
  auto numbers = [&](llvm::StringRef name, std::vector<int64_t> otherwise,
                     size_t count) {
    auto it = named.find(name.str());
    if (it == named.end())
      return otherwise;
    ConstResult r = evalConst(*it->second, &net.constants);
    if (r && (r->p.dist || r->p.shape.size() != 1 ||
              r->p.data.size() != count ||
              llvm::any_of(r->p.data, [](double x) {
                return !(x >= 0 && x < 1e6) || x != std::floor(x);
              }))) {
      diag.error(it->second->loc, "'" + name + "' is a list of " +
                                      llvm::Twine(count) + " whole numbers");
      return otherwise;
    }
    return r ? pairOf(r->p.data) : otherwise;
  };
  if (!named.count("kernel")) {
    diag.error(e.loc, "'convolution' needs its kernel",
               "write convolution(kernel = [3, 3])");
    return {};
  }
  int64_t groups = 1;
  if (named.count("groups"))
    groups = evalInteger(*named["groups"], &net.constants, "'groups'", 1)
                 .value_or(1);
  return neuro::ConvAttr::get(
      ctx, b.getDenseI64ArrayAttr(numbers("kernel", {1, 1}, 2)),
      b.getDenseI64ArrayAttr(numbers("strides", {1, 1}, 2)),
      b.getDenseI64ArrayAttr(numbers("pads", {0, 0, 0, 0}, 4)),
      b.getDenseI64ArrayAttr(numbers("dilations", {1, 1}, 2)), groups);
}

WeightInfo *Elaborator::emitWeight(NetworkInfo &net, const Item &it,
                                   const std::string &name,
                                   llvm::ArrayRef<int64_t> pre,
                                   llvm::ArrayRef<int64_t> post,
                                   const Expr &values) {
  Attribute connect = connectorAttr(net, *it.connector, pre, post);
  ConstResult v = evalConst(values, &net.constants, nullptr, "", nullptr,
                            net.seed, name);
  if (!connect || !v)
    return nullptr;
  int64_t numPre = 1, numPost = 1;
  for (int64_t d : pre)
    numPre *= d;
  for (int64_t d : post)
    numPost *= d;
  // A [post, pre] matrix for sides of any rank; a flat list for sparse ones.
  if (v->p.isArray() && isa<neuro::DenseConnectAttr, neuro::AllToAllAttr>(
                            connect)) {
    if (static_cast<int64_t>(v->p.data.size()) != numPre * numPost) {
      std::string found;
      for (int64_t d : v->p.shape)
        found += (found.empty() ? "" : " x ") + std::to_string(d);
      diag.error(values.loc,
                 "weight '" + name + "' needs an array of " +
                     std::to_string(numPost) + " x " + std::to_string(numPre) +
                     " (post x pre) values, found " + found,
                 v->p.shape.size() == 2 && v->p.shape[0] == numPre &&
                         v->p.shape[1] == numPost
                     ? "write transpose(" + values.text() + ")"
                     : "");
      return nullptr;
    }
    v->p.shape = {numPost, numPre};
  }
  neuro::Sign sign = neuro::Sign::Free;
  if (const Clause *c = it.clause("sign")) {
    if (auto s = neuro::symbolizeSign(c->value->name))
      sign = *s;
    else
      diag.unknown(c->value->loc, "sign class", c->value->name,
                   {"excitatory", "inhibitory", "free"});
  }
  DenseF64ArrayAttr bounds;
  if (const Clause *c = it.clause("bounds")) {
    Dim dim = v->dim;
    auto lo = evalNumber(*c->value->args[0], &net.constants, dim, "a bound");
    auto hi = evalNumber(*c->value->args[1], &net.constants, dim, "a bound");
    if (lo && hi && !(*lo < *hi))
      diag.error(c->loc, "bounds need low < high");
    else if (lo && hi)
      bounds = b.getDenseF64ArrayAttr({*lo, *hi});
  }
  ElementsAttr mask;
  if (const Clause *c = it.clause("mask"))
    if (ConstResult m = evalConst(*c->value, &net.constants)) {
      if (!m->p.isArray() ||
          static_cast<int64_t>(m->p.data.size()) != numPre * numPost) {
        diag.error(c->value->loc, "a mask has one truth value per synapse, " +
                                      llvm::Twine(numPost) + " x " +
                                      llvm::Twine(numPre) + " (post x pre)");
      } else {
        SmallVector<bool> bits;
        for (double x : m->p.data)
          bits.push_back(x != 0);
        mask = DenseElementsAttr::get(
            RankedTensorType::get({numPost, numPre}, b.getI1Type()),
            llvm::ArrayRef<bool>(bits));
      }
    }
  auto op = neuro::WeightOp::create(b, diag.location(it.loc), name, pre, post,
                                    connect, valueAttr(*v, false), sign, bounds,
                                    mask);
  WeightInfo info;
  info.op = op;
  info.pre.assign(pre.begin(), pre.end());
  info.post.assign(post.begin(), post.end());
  info.dim = v->dim;
  info.anyUnit = v->anyUnit;
  info.loc = it.loc;
  return &(net.weights[name] = info);
}

void Elaborator::emitWeightItem(NetworkInfo &net, const Item &it) {
  auto pre = sideShape(net, *it.from);
  auto post = sideShape(net, *it.to);
  if (pre && post && net.declared[it.name.name] == it.name.loc)
    emitWeight(net, it, it.name.name, *pre, *post, *it.value);
}

//===----------------------------------------------------------------------===//
// Projections
//===----------------------------------------------------------------------===//

void Elaborator::emitTransmit(NetworkInfo &net, neuro::ProjectOp op,
                              const Expr &e, const WeightInfo &w,
                              const Signal &from, Dim &result) {
  Location l = diag.location(e.loc);
  Block &block = op.getTransmit().emplaceBlock();
  Value weight = block.addArgument(b.getF64Type(), l);
  Value x = block.addArgument(b.getF64Type(), l);
  OpBuilder::InsertionGuard saved(b);
  b.setInsertionPointToStart(&block);
  ScalarDomain domain(b, diag);
  ExprEval<ScalarDomain> ev(domain, diag, functions);
  domain.unitIndex = false;
  domain.noRandom = "what a synapse transmits cannot be random";
  domain.lookup = [&](const Expr &name) -> std::optional<ScalarResult> {
    if (name.name == "w")
      return ScalarResult(ScalarTyped{Scalar{weight, {}, false}, w.dim});
    if (name.name == "x")
      return ScalarResult(ScalarTyped{Scalar{x, {}, false}, from.dim});
    auto it = net.constants.find(name.name);
    if (it == net.constants.end() || !it->second.p.isNumber())
      return std::nullopt;
    ScalarTyped v{Scalar{{}, it->second.p.number(), false}, it->second.dim};
    return ScalarResult(v);
  };
  domain.visible = [] { return std::vector<std::string>{"w", "x"}; };
  domain.evaluate = [&](const Expr &arg) { return ev.eval(arg); };
  ScalarResult r = ev.eval(e);
  if (r && r->boolean) {
    diag.error(e.loc, "'transmit' must be a number");
    r.reset();
  }
  Value v = r ? domain.materialize(r->p, e.loc) : weight;
  if (r)
    result = r->dim;
  neuro::YieldOp::create(b, l, v);
}

void Elaborator::emitConnect(NetworkInfo &net, const Item &it) {
  // Target: population and port.
  const Expr &base = it.to->kind == Expr::Member ? *it.to->args[0] : *it.to;
  auto found = base.kind == Expr::Name ? net.nodes.find(base.name)
                                       : net.nodes.end();
  if (found == net.nodes.end()) {
    if (!net.declared.count(base.name))
      diag.unknown(base.loc, "population", base.name, nodeNames(net));
    return;
  }
  Node &target = found->second;
  if (target.kind != "population") {
    diag.error(it.to->loc, "'" + base.name + "' is a " + target.kind +
                               " and has no inputs");
    return;
  }
  std::vector<std::string> ports = target.model->names(SymbolKind::Input);
  std::string port = it.to->kind == Expr::Member ? it.to->name : "";
  if (port.empty() && ports.size() == 1)
    port = ports[0];
  if (port.empty()) {
    std::string list;
    for (const std::string &p : ports)
      list += (list.empty() ? "" : ", ") + base.name + "." + p;
    diag.error(it.to->loc,
               ports.empty() ? "'" + base.name + "' has no inputs"
                             : "which input of '" + base.name + "'?",
               list.empty() ? "" : "write one of " + list);
    return;
  }
  if (!llvm::is_contained(ports, port)) {
    diag.unknown(it.to->loc, "input of '" + base.name + "'", port, ports);
    return;
  }
  const Symbol &input = target.model->symbols[port];
  Node *sourceNode = nullptr;
  const Signal *from = resolveSignal(net, *it.from, &sourceNode);
  if (!from)
    return;

  // The weight: named before, or made here.
  WeightInfo *w = nullptr;
  const Expr *weightExpr = nullptr;
  std::string weightName;
  if (it.connector) {
    const Clause *value = it.clause("weight");
    if (!value) {
      diag.error(it.loc, "a connection needs a weight",
                 "add 'weight 1" +
                     (input.dim.isNone() ? "" : " " + input.dim.str()) + "'");
      return;
    }
    weightExpr = value->value.get();
    if (const Clause *as = it.clause("as")) {
      weightName = as->value->name;
      if (!declareName(net, {weightName, as->value->loc}))
        return;
    } else {
      const Expr &source =
          it.from->kind == Expr::Member ? *it.from->args[0] : *it.from;
      weightName = source.name + "_to_" + base.name + "_" + port;
      std::string stem = weightName;
      for (int k = 2; net.declared.count(weightName); ++k)
        weightName = stem + "_" + std::to_string(k);
      net.declared[weightName] = it.loc;
    }
    w = emitWeight(net, it, weightName, sourceNode->shape, target.shape,
                   *weightExpr);
    if (!w)
      return;
  } else {
    weightName = it.name.name;
    auto known = net.weights.find(weightName);
    if (known == net.weights.end()) {
      if (!net.declared.count(weightName)) {
        std::vector<std::string> names;
        for (const auto &entry : net.weights)
          names.push_back(entry.first);
        diag.unknown(it.name.loc, "weight", weightName, names);
      }
      return;
    }
    w = &known->second;
    const auto &preSide = it.transposed ? w->post : w->pre;
    const auto &postSide = it.transposed ? w->pre : w->post;
    auto count = [](const std::vector<int64_t> &s) {
      int64_t n = 1;
      for (int64_t d : s)
        n *= d;
      return n;
    };
    if (count(preSide) != sourceNode->units() ||
        count(postSide) != target.units()) {
      diag.error(it.name.loc,
                 "weight '" + weightName + "'" +
                     (it.transposed ? " transposed" : "") + " leads from " +
                     std::to_string(count(preSide)) + " to " +
                     std::to_string(count(postSide)) +
                     " units, but this connection from " +
                     std::to_string(sourceNode->units()) + " to " +
                     std::to_string(target.units()),
                 !it.transposed && count(preSide) == target.units() &&
                         count(postSide) == sourceNode->units()
                     ? "write 'through transposed " + weightName + "'"
                     : "");
      return;
    }
  }

  // Delay: by default a spike takes one tick, a value arrives in this one.
  int64_t delay = from->spike ? 1 : 0;
  Attribute delays;
  if (const Clause *c = it.clause("delay")) {
    Dim time = Dim::time();
    ConstResult d = evalConst(*c->value, &net.constants, &time, "'delay'");
    if (!d)
      return;
    if (d->p.isNumber()) {
      auto n = ticks(net, *c->value, &net.constants, "'delay'", false);
      if (!n)
        return;
      delay = *n;
    } else {
      delays = valueAttr(*d, false);
      delay = 0;
    }
  }
  neuro::Combine combine = neuro::Combine::Sum;
  if (auto k = neuro::symbolizeCombine(input.decl ? input.decl->combine : ""))
    combine = *k;
  if (const Clause *c = it.clause("combine")) {
    if (auto k = neuro::symbolizeCombine(c->value->name))
      combine = *k;
    else
      diag.unknown(c->value->loc, "combine operator", c->value->name,
                   {"sum", "max", "min", "product"});
  }
  auto op = neuro::ProjectOp::create(
      b, diag.location(it.loc), signalType(target.shape, false), from->value,
      weightName, it.transposed, delay, delays, combine);
  Dim arriving = w->dim * from->dim;
  bool anyUnit = w->anyUnit;
  if (const Clause *c = it.clause("transmit")) {
    emitTransmit(net, op, *c->value, *w, *from, arriving);
    anyUnit = false;
  }
  if (!anyUnit && arriving != input.dim) {
    Dim want = input.dim / from->dim;
    SMLoc at = weightExpr ? weightExpr->loc : it.name.loc;
    std::string what = weightExpr ? quote(*weightExpr) : "'" + weightName + "'";
    if (it.clause("transmit"))
      diag.error(at, "input '" + base.name + "." + port + "'" +
                         isIn(input.dim) + ", but what is transmitted" +
                         isIn(arriving));
    else
      diag.error(at,
                 "a weight from " + quote(*it.from) + " to '" + base.name +
                     "." + port + "'" + mustBeIn(want) + ", but " +
                     what + isIn(w->dim),
                 weightExpr ? fixUnit(*weightExpr, w->dim, want) : "");
  }
  target.inputs.push_back({port, op.getOutput()});
  if (!it.transposed && !w->preSignal) {
    w->preSignal = from->value;
    w->preDim = from->dim;
    w->delay = delay;
    // The post side's signal: its spikes, or its only output.
    for (const Signal &s : target.outputs)
      if (target.outputs.size() == 1 || s.name == "spike") {
        w->postSignal = s.value;
        w->postDim = s.dim;
      }
  }
}

void Elaborator::emitPlasticity(NetworkInfo &net, const Item &it) {
  auto known = net.weights.find(it.to->name);
  if (known == net.weights.end()) {
    if (!net.declared.count(it.to->name)) {
      std::vector<std::string> names;
      for (const auto &entry : net.weights)
        names.push_back(entry.first);
      diag.unknown(it.to->loc, "weight", it.to->name, names);
    }
    return;
  }
  WeightInfo &w = known->second;
  auto found = rules.find(it.type.name);
  if (found == rules.end())
    return; // reported
  Checked &c = *checkRule(*found->second.first);
  if (!c.ok)
    return;
  Value pre = w.preSignal, post = w.postSignal;
  Dim preDim = w.preDim, postDim = w.postDim;
  int64_t delay = w.delay;
  if (const Clause *clause = it.clause("pre"))
    if (const Signal *s = resolveSignal(net, *clause->value)) {
      pre = s->value;
      preDim = s->dim;
    }
  if (const Clause *clause = it.clause("post"))
    if (const Signal *s = resolveSignal(net, *clause->value)) {
      post = s->value;
      postDim = s->dim;
    }
  if (const Clause *clause = it.clause("delay"))
    delay = ticks(net, *clause->value, &net.constants, "'delay'", false)
                .value_or(0);
  if (!pre || !post) {
    if (!diag.failed())
      diag.error(it.loc, "it is not clear which signals '" + it.name.name +
                             "' learns from",
                 "add 'pre SIGNAL' and 'post SIGNAL'");
    return;
  }
  const Symbol *weightSymbol = nullptr, *preSymbol = nullptr,
               *postSymbol = nullptr;
  for (const auto &[name, s] : c.symbols) {
    if (s.kind == SymbolKind::Weight)
      weightSymbol = &s;
    if (s.kind == SymbolKind::Pre)
      preSymbol = &s;
    if (s.kind == SymbolKind::Post)
      postSymbol = &s;
  }
  auto agree = [&](llvm::StringRef what, Dim rule, Dim here) {
    if (rule != here)
      diag.error(it.type.loc, "for rule '" + it.type.name + "' " + what +
                                  mustBeIn(rule) + ", but here it" +
                                  isIn(here));
  };
  if (weightSymbol->dim.e[4] == 0 && !w.anyUnit)
    agree("the weight", weightSymbol->dim, w.dim);
  agree("the pre-synaptic signal", preSymbol->dim, preDim);
  agree("the post-synaptic signal", postSymbol->dim, postDim);
  NamedAttrList params;
  std::map<std::string, Value> factors;
  ConstEnv env = net.constants, given;
  for (const ItemPtr &bind : it.body) {
    const std::string &name = bind->name.name;
    if (bind->keyword == "let") {
      if (ConstResult r = evalConst(*bind->value, &env))
        env.insert({name, *r});
      continue;
    }
    auto s = c.symbols.find(name);
    if (s != c.symbols.end() && s->second.kind == SymbolKind::Factor) {
      const Signal *signal = resolveSignal(net, *bind->value);
      if (!signal)
        continue;
      if (signal->dim != s->second.dim)
        diag.error(bind->value->loc,
                   "third factor '" + name + "'" +
                       mustBeIn(s->second.dim) + ", but " + quote(*bind->value) +
                       isIn(signal->dim));
      factors[name] = signal->value;
      continue;
    }
    if (s == c.symbols.end() || s->second.kind != SymbolKind::Param) {
      std::vector<std::string> names = c.names(SymbolKind::Param);
      for (const std::string &f : c.names(SymbolKind::Factor))
        names.push_back(f);
      diag.unknown(bind->name.loc, "parameter of rule '" + it.type.name + "'",
                   name, names);
      continue;
    }
    Dim want = s->second.dim.withWeight(w.dim);
    if (auto v = evalNumber(*bind->value, &env, want, "'" + name + "'")) {
      checkRange(c, s->second, ConstTyped{ConstValue::of(*v), want},
                 bind->value->loc);
      given.insert({name, ConstTyped{ConstValue::of(*v), want}});
    }
  }
  // Parameters whose defaults follow from others change with them.
  ConstEnv defaults = parameterValues(c, {}, false);
  ConstEnv values = parameterValues(c, given, false);
  for (const Decl &d : c.rule->params) {
    auto v = values.find(d.name.name), old = defaults.find(d.name.name);
    const Symbol &s = c.symbols[d.name.name];
    if (v != values.end() && v->second.p.isNumber() &&
        (given.count(d.name.name) ||
         (old != defaults.end() && v->second.p.data != old->second.p.data)))
      params.append(s.irName, valueAttr(v->second, s.hertz));
  }
  SmallVector<Value> factorValues;
  SmallVector<Attribute> factorNames;
  for (const Decl &d : c.rule->signals) {
    auto f = factors.find(d.name.name);
    if (f == factors.end()) {
      diag.error(it.loc, "third factor '" + d.name.name + "' of rule '" +
                             it.type.name + "' is not connected",
                 "bind it: '{ " + d.name.name + " = SIGNAL }'");
      return;
    }
    factorValues.push_back(f->second);
    factorNames.push_back(b.getStringAttr(d.name.name));
  }
  neuro::PlasticOp::create(
      b, diag.location(it.name.loc), it.name.name, it.to->name, it.type.name,
      pre, post, factorValues,
      factorNames.empty() ? ArrayAttr() : b.getArrayAttr(factorNames), delay,
      params.empty() ? DictionaryAttr() : params.getDictionary(b.getContext()),
      it.clause("disabled") != nullptr);
  net.plastics.insert(it.name.name);
}

//===----------------------------------------------------------------------===//
// Sugar
//===----------------------------------------------------------------------===//

/// Creates the node with stand-ins for its operands, since sugar nodes may
/// refer to each other in a circle.
void Elaborator::emitSugar(NetworkInfo &net, Node &node, const Item &it) {
  const Clause *through = it.clause("through");
  if (!through || through->value->kind != Expr::Name) {
    diag.error(it.loc, "'" + it.keyword + "' needs a weight",
               "add 'through W'");
    return;
  }
  auto w = net.weights.find(through->value->name);
  if (w == net.weights.end()) {
    if (!net.declared.count(through->value->name)) {
      std::vector<std::string> names;
      for (const auto &entry : net.weights)
        names.push_back(entry.first);
      diag.unknown(through->value->loc, "weight", through->value->name, names);
    }
    return;
  }
  Location l = diag.location(it.name.loc);
  auto number = [&](llvm::StringRef key) -> FloatAttr {
    const Clause *c = it.clause(key);
    if (!c)
      return {};
    auto v = evalNumber(*c->value, &net.constants, Dim(), "'" + key.str() + "'");
    return v ? b.getF64FloatAttr(*v) : FloatAttr();
  };
  auto standIn = [&](llvm::ArrayRef<int64_t> shape) {
    return UnrealizedConversionCastOp::create(
               b, l, TypeRange(signalType(shape, false)), ValueRange())
        .getResult(0);
  };
  Type own = signalType(node.shape, false);
  if (it.keyword == "associative_memory") {
    FloatAttr rate = number("learning_rate");
    if (!rate) {
      if (!it.clause("learning_rate"))
        diag.error(it.loc, "'associative_memory' needs 'learning_rate'");
      return;
    }
    auto op = neuro::AssociativeMemoryOp::create(
        b, l, own, it.name.name, standIn(node.shape), w->first,
        rate.getValue());
    node.op = op;
    node.outputs[0].value = op.getState();
    net.plastics.insert(it.name.name + "_learning");
    return;
  }
  FloatAttr rate = number("rate");
  if (!rate) {
    if (!it.clause("rate"))
      diag.error(it.loc, "'pc_layer' needs 'rate', the step of inference");
    return;
  }
  auto below = sideShape(net, *it.from);
  if (!below)
    return;
  DenseF64ArrayAttr range;
  if (const Clause *c = it.clause("range")) {
    auto lo = evalNumber(*c->value->args[0], &net.constants, Dim(), "'range'");
    auto hi = evalNumber(*c->value->args[1], &net.constants, Dim(), "'range'");
    if (lo && hi)
      range = b.getDenseF64ArrayAttr({*lo, *hi});
  }
  FloatAttr precision = number("precision"), prior = number("prior");
  auto op = neuro::PcLayerOp::create(
      b, l, own, signalType(*below, false), it.name.name,
      standIn(*below), w->first,
      it.clause("top_down") ? standIn(node.shape) : Value(), rate.getValue(),
      precision ? precision.getValue() : llvm::APFloat(1.0),
      prior ? prior.getValue() : llvm::APFloat(0.0), number("learning_rate"), range);
  node.op = op;
  node.outputs[0].value = op.getValue();
  node.outputs[1].value = op.getError();
  if (it.clause("learning_rate"))
    net.plastics.insert(it.name.name + "_learning");
}

void Elaborator::connectSugar(NetworkInfo &net, Node &node, const Item &it) {
  if (!node.op)
    return;
  auto replace = [&](Value standIn, const Expr &e) {
    const Signal *s = resolveSignal(net, e);
    if (!s)
      return;
    if (s->value.getType() != standIn.getType()) {
      diag.error(e.loc, quote(e) + " must be a real signal of " +
                            llvm::Twine(cast<RankedTensorType>(
                                            standIn.getType())
                                            .getNumElements()) +
                            " values");
      return;
    }
    Operation *cast = standIn.getDefiningOp();
    standIn.replaceAllUsesWith(s->value);
    cast->erase();
  };
  if (auto memory = dyn_cast<neuro::AssociativeMemoryOp>(node.op)) {
    replace(memory.getCue(), *it.from);
    return;
  }
  auto layer = cast<neuro::PcLayerOp>(node.op);
  replace(layer.getBelow(), *it.from);
  if (const Clause *c = it.clause("top_down"))
    replace(layer.getTopDown(), *c->value);
}

//===----------------------------------------------------------------------===//
// Data and records
//===----------------------------------------------------------------------===//

void Elaborator::emitDataset(NetworkInfo &net, const Item &it,
                             const ConstEnv &env) {
  ConstResult r = evalConst(*it.value, &env);
  if (!r)
    return;
  if (!r->p.isArray()) {
    diag.error(it.value->loc, "dataset '" + it.name.name +
                                  "' must be an array with one row per sample",
               r->p.dist ? "write sample(distribution, [rows, columns])"
                         : "write [[…], […]] or file(\"data.npy\")");
    return;
  }
  auto op = neuro::DatasetOp::create(b, diag.location(it.name.loc),
                                     it.name.name,
                                     cast<ElementsAttr>(valueAttr(*r, false)),
                                     StringAttr());
  (void)op;
  net.datasets[it.name.name] = r->p.shape;
}

std::string Elaborator::probeOf(NetworkInfo &net, const Expr &e, int64_t every,
                                const Ident *as, bool output) {
  const Expr &base = e.kind == Expr::Member ? *e.args[0] : e;
  std::string key = e.text().str();
  bool named = as && *as;
  if (!named && !output) {
    auto known = net.probes.find(key);
    if (known != net.probes.end())
      return known->second;
    // A record may be named by its own name, too.
    if (e.kind == Expr::Name && net.probeSpikes.count(e.name))
      return e.name;
  }
  auto unique = [&](std::string name) {
    std::string stem = name;
    for (int k = 2; net.declared.count(name); ++k)
      name = stem + "_" + std::to_string(k);
    net.declared[name] = e.loc;
    return name;
  };
  // Records are made in the network, wherever the reference stands.
  OpBuilder::InsertionGuard saved(b);
  b.setInsertionPointToEnd(&net.op.getBody().front());
  Location l = diag.location(e.loc);
  auto it = base.kind == Expr::Name ? net.nodes.find(base.name)
                                    : net.nodes.end();
  if (e.kind == Expr::Member && it != net.nodes.end() && !output) {
    Node &node = it->second;
    std::string state;
    if (node.model) {
      auto s = node.model->symbols.find(e.name);
      if (s != node.model->symbols.end() &&
          s->second.kind == SymbolKind::State)
        state = s->second.irName;
    }
    if (!state.empty()) {
      std::string name;
      if (named) {
        if (!declareName(net, *as))
          return "";
        name = as->name;
      } else {
        name = unique(base.name + "." + e.name);
      }
      neuro::WatchOp::create(b, l, name, base.name, state, every);
      net.probes[key] = name;
      net.probeSpikes[name] = false;
      return name;
    }
    bool isOutput = llvm::any_of(
        node.outputs, [&](const Signal &s) { return s.name == e.name; });
    if (!isOutput) {
      std::vector<std::string> names;
      for (const Signal &s : node.outputs)
        names.push_back(s.name);
      if (node.model)
        for (const std::string &s : node.model->names(SymbolKind::State))
          names.push_back(s);
      diag.unknown(e.loc, "output or state of '" + base.name + "'", e.name,
                   names);
      return "";
    }
  }
  const Signal *s = resolveSignal(net, e);
  if (!s)
    return "";
  std::string name;
  if (named) {
    if (!declareName(net, *as))
      return "";
    name = as->name;
  } else {
    name = unique(base.name + "." + s->name);
  }
  neuro::ProbeOp::create(b, l, name, s->value, every, output,
                         b.getStringAttr(named ? name
                                               : base.name + "." + s->name));
  net.probes[key] = name;
  net.probes.insert({base.name + "." + s->name, name});
  net.probeSpikes[name] = s->spike;
  return name;
}

/// A network that another front end emitted: its stimuli and probes may be
/// used by experiments under their symbols (and labels).
void Elaborator::adoptNetwork(NetworkInfo &net) {
  for (Operation &op : net.op.getBody().front()) {
    auto known = [&](llvm::StringRef name) {
      net.declared[name.str()] = net.decl->loc;
    };
    if (auto s = dyn_cast<neuro::StimulusOp>(op)) {
      auto type = cast<RankedTensorType>(s.getOutput().getType());
      Node node;
      node.kind = "stimulus";
      node.shape.assign(type.getShape().begin(), type.getShape().end());
      bool spike = type.getElementType().isInteger(1);
      node.outputs.push_back(
          {spike ? "spike" : "value", s.getOutput(), Dim(), spike, false});
      node.op = s;
      net.nodes.insert({s.getSymName().str(), std::move(node)});
      known(s.getSymName());
    } else if (auto p = dyn_cast<neuro::ProbeOp>(op)) {
      bool spike = cast<RankedTensorType>(p.getInput().getType())
                       .getElementType()
                       .isInteger(1);
      net.probes[p.getSymName().str()] = p.getSymName().str();
      net.probeSpikes[p.getSymName().str()] = spike;
      known(p.getSymName());
    } else if (auto w = dyn_cast<neuro::WeightOp>(op)) {
      WeightInfo info;
      info.op = w;
      info.anyUnit = true;
      net.weights[w.getSymName().str()] = info;
      known(w.getSymName());
    }
  }
}

} // namespace neuroc::lang
