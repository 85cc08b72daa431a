// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits a network. Order: settings and constants, then the shape of every node
// (statements may refer to nodes that stand further down), then sources and
// populations, then weights and projections, then what records; the inputs of
// populations are attached last, once all signals exist.
#include "Elaborator.h"
#include "Parser.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace neuroc::lang {

using namespace mlir;

Type Elaborator::signalType(llvm::ArrayRef<int64_t> shape, bool spike) {
  return RankedTensorType::get(
      shape, spike ? Type(b.getI1Type()) : Type(b.getF32Type()));
}

bool Elaborator::declareName(NetworkInfo &net, const Ident &name) {
  auto [it, fresh] = net.declared.insert({name.name, name.loc});
  if (!fresh) {
    diag.error(name.loc, "'" + name.name + "' is declared twice in network '" +
                             net.decl->name.name + "'");
    diag.note(it->second, "the first declaration is here");
  }
  return fresh;
}

std::vector<std::string> Elaborator::nodeNames(const NetworkInfo &net) {
  std::vector<std::string> names;
  for (const auto &n : net.nodes)
    names.push_back(n.first);
  return names;
}

void Elaborator::emitNetwork(const NetworkDecl &n) {
  auto &net = *(networkInfos[n.name.name] = std::make_unique<NetworkInfo>());
  net.decl = &n;
  networkSeed = 1;
  if (!n.file.empty()) {
    std::string path = findFile ? findFile(n.file, n.fileLoc) : "";
    if (path.empty())
      return;
    if (!options.importNetwork) {
      diag.error(n.fileLoc, "networks from files cannot be read here");
      return;
    }
    unsigned before = diag.errors();
    if (failed(options.importNetwork(path, n.name.name,
                                     diag.location(n.loc), module)) &&
        diag.errors() == before)
      diag.error(n.fileLoc, "'" + n.file + "' could not be imported");
    net.op = module.lookupSymbol<neuro::NetworkOp>(n.name.name);
    if (!net.op)
      return;
    net.dt = net.op.getDt().convertToDouble();
    adoptNetwork(net);
    return;
  }
  expandNetwork(net);
  // Models and rules come before the network that uses them.
  for (const Placed &p : net.items) {
    diag.setOrigin(p.origin);
    if (p.item->keyword == "population")
      if (Checked *c = findModel(p.item->type); !c || !c->ok)
        continue;
    if (p.item->keyword == "plasticity")
      (void)findRule(p.item->type);
  }
  diag.setOrigin(nullptr);
  b.setInsertionPointToEnd(module.getBody());
  net.op = neuro::NetworkOp::create(b, diag.location(n.name.loc), n.name.name,
                                    llvm::APFloat(net.dt), net.seed,
                                    static_cast<uint64_t>(net.batch));
  Block &body = net.op.getBody().emplaceBlock();
  b.setInsertionPointToStart(&body);
  // While a statement is emitted, net.constants are those that it sees.
  auto with = [&](const Placed &p, auto f) {
    net.constants = ConstEnv();
    net.constants.outer = p.env;
    diag.setOrigin(p.origin);
    f(*p.item);
    diag.setOrigin(nullptr);
  };
  for (const Placed &p : net.items)
    if (p.item->keyword != "scalar")
      with(p, [&](const Item &it) { declareNode(net, it); });
  auto each = [&](std::initializer_list<llvm::StringRef> words, auto f) {
    for (const Placed &p : net.items)
      if (llvm::is_contained(words, p.item->keyword))
        with(p, f);
  };
  each({"scalar"}, [&](const Item &it) { declareNode(net, it); });
  auto node = [&](const Item &it) -> Node * {
    auto found = net.nodes.find(it.name.name);
    return found != net.nodes.end() && found->second.item == &it
               ? &found->second
               : nullptr;
  };
  each({"dataset"},
       [&](const Item &it) { emitDataset(net, it, net.constants); });
  each({"stimulus", "spike_array"}, [&](const Item &it) {
    if (Node *k = node(it))
      emitSource(net, *k, it);
  });
  each({"population", "scalar"}, [&](const Item &it) {
    if (Node *k = node(it))
      emitPopulation(net, *k, it);
  });
  each({"weight"}, [&](const Item &it) { emitWeightItem(net, it); });
  each({"pc_layer", "associative_memory"}, [&](const Item &it) {
    if (Node *k = node(it))
      emitSugar(net, *k, it);
  });
  each({"pc_layer", "associative_memory"}, [&](const Item &it) {
    if (Node *k = node(it))
      connectSugar(net, *k, it);
  });
  each({"scalar"}, [&](const Item &it) {
    if (Node *k = node(it))
      connectScalar(net, *k, it);
  });
  each({"connect"}, [&](const Item &it) { emitConnect(net, it); });
  each({"plasticity"}, [&](const Item &it) { emitPlasticity(net, it); });
  each({"record", "output"}, [&](const Item &it) {
    int64_t every = 1;
    if (const Clause *c = it.clause("every"))
      every = ticks(net, *c->value, &net.constants, "'every'", true).value_or(1);
    Ident as;
    if (it.keyword == "output")
      as = it.name;
    else if (const Clause *c = it.clause("as"))
      as = {c->value->name, c->value->loc};
    const Clause *wrt = it.clause("wrt");
    probeOf(net, *it.value, every, &as, it.keyword == "output",
            wrt ? wrt->value.get() : nullptr);
  });
  finishInputs(net);
  // Experiments see the constants of the network itself.
  net.constants = net.expansion->constants();
}

bool Elaborator::evalShape(NetworkInfo &net, const Item &it,
                           std::vector<int64_t> &shape) {
  double total = 1;
  for (const ExprPtr &e : it.shape) {
    Dim none;
    ConstResult r =
        evalConst(*e, &net.constants, &none, "a number of units");
    if (!r)
      return false;
    if (r->p.dist || r->p.shape.size() > 1) {
      diag.error(e->loc, "a number of units must be one number or a list");
      return false;
    }
    for (double v : r->p.data) { // a list, as shape(x), gives several extents
      if (v != std::floor(v) || v < 1 || v > 9e15) {
        diag.error(e->loc, "a number of units must be a whole number of at "
                           "least 1, got " + formatNumber(v));
        return false;
      }
      total *= v;
      if (total > 1e9) {
        diag.error(e->loc, "'" + it.name.name + "' has more than 10^9 units");
        return false;
      }
      shape.push_back(static_cast<int64_t>(v));
    }
  }
  return true;
}

/// First pass: name and shape of what has outputs.
void Elaborator::declareNode(NetworkInfo &net, const Item &it) {
  if (!llvm::is_contained({"population", "stimulus", "spike_array", "pc_layer",
                           "associative_memory", "scalar"},
                          it.keyword)) {
    if (llvm::is_contained({"weight", "dataset", "plasticity"}, it.keyword))
      declareName(net, it.name);
    return;
  }
  if (!declareName(net, it.name))
    return;
  Node node;
  node.item = &it;
  node.kind = it.keyword;
  node.env = net.constants.outer;
  if (!evalShape(net, it, node.shape))
    return;
  if (it.keyword == "scalar") {
    if (!declareScalar(net, node, it))
      return;
  } else if (it.keyword == "population") {
    auto found = models.find(it.type.name);
    if (found == models.end())
      return; // reported
    node.model = checkModel(*found->second.first);
    if (!node.model->ok)
      return;
    for (const std::string &name : node.model->outputs) {
      const Symbol &s = node.model->symbols[name];
      node.outputs.push_back({name, {}, s.dim, s.spike, s.hertz});
    }
  } else if (it.keyword == "stimulus") {
    Signal s{"value", {}, Dim(), it.unit.spike, false};
    if (it.unit.unit)
      if (std::optional<Unit> u = evalUnitExpr(*it.unit.unit, diag)) {
        s.dim = u->dim;
        s.hertz = u->hertz && u->dim == Dim::rate();
      }
    if (s.spike)
      s.name = "spike";
    node.outputs.push_back(s);
  } else if (it.keyword == "spike_array") {
    node.outputs.push_back({"spike", {}, Dim(), true, false});
  } else if (it.keyword == "pc_layer") {
    node.outputs.push_back({"value", {}, Dim(), false, false});
    node.outputs.push_back({"error", {}, Dim(), false, false});
  } else {
    node.outputs.push_back({"state", {}, Dim(), false, false});
  }
  net.nodes.insert({it.name.name, std::move(node)});
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Attribute Elaborator::valueAttr(const ConstTyped &v, bool hertz) {
  double f = storageFactor(hertz);
  if (v.p.dist) {
    const Distribution &d = *v.p.dist;
    DenseF64ArrayAttr clip;
    if (d.clip)
      clip = b.getDenseF64ArrayAttr({d.clip->first * f, d.clip->second * f});
    // Scaled to nothing (`0.0*normal(…, clip = …)`): one value is left.
    if (clip && clip[0] == clip[1])
      return b.getF64FloatAttr(clip[0]);
    double a = d.a * f, second = d.b * f;
    if (d.kind == "lognormal") {
      a = d.a + std::log(f);
      second = d.b;
    }
    // Bad parameters have been refused where they were written.
    return neuro::DistributionAttr::get(
        b.getContext(), *neuro::symbolizeDistributionKind(d.kind),
        b.getF64FloatAttr(a), b.getF64FloatAttr(second), clip);
  }
  if (v.p.isNumber())
    return b.getF64FloatAttr(v.p.number() * f);
  std::vector<double> data = v.p.data;
  for (double &x : data)
    x *= f;
  return DenseElementsAttr::get(
      RankedTensorType::get(v.p.shape, b.getF64Type()),
      llvm::ArrayRef<double>(data));
}

std::optional<int64_t> Elaborator::ticks(NetworkInfo &net, const Expr &e,
                                         const ConstEnv *env,
                                         llvm::StringRef what, bool positive) {
  auto time = evalNumber(e, env, Dim::time(), what);
  if (!time)
    return std::nullopt;
  double exact = *time / net.dt;
  double n = std::nearbyint(exact);
  if (*time < 0 || !(n < 9e15)) {
    diag.error(e.loc, what + " must be a time of at least 0, got " +
                          formatNumber(*time) + " ms");
    return std::nullopt;
  }
  if (n == 0 && (positive || *time > 0)) {
    diag.error(e.loc, what + " of " + formatNumber(*time) +
                          " ms is shorter than half a tick (dt = " +
                          formatNumber(net.dt) + " ms)",
               "use at least " + formatNumber(net.dt) + " ms");
    return std::nullopt;
  }
  if (std::fabs(n - exact) > 1e-6 * std::max(1.0, n))
    diag.warning(e.loc, what + " of " + formatNumber(*time) +
                            " ms is rounded to " + formatNumber(n * net.dt) +
                            " ms, a multiple of dt");
  return static_cast<int64_t>(n);
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

void Elaborator::emitPopulation(NetworkInfo &net, Node &node, const Item &it) {
  Checked &c = *node.model;
  ConstEnv env, overrides;
  env.outer = &net.constants;
  std::map<std::string, Ident> functions;
  const auto &decls = c.symbols;
  unsigned before = diag.errors();
  for (const ItemPtr &bind : it.body) {
    const std::string &name = bind->name.name;
    std::string stream = it.name.name + "." + name;
    if (bind->keyword == "let") {
      ConstResult r = evalConst(*bind->value, &env, nullptr, "", &node.shape,
                                net.seed, stream);
      if (!r)
        continue;
      if (r->p.dist) // one draw per unit, the same wherever it is used
        r->p = ConstDomain::draw(*r->p.dist, node.shape, net.seed, stream);
      env.insert({name, *r});
      continue;
    }
    if (c.functions.count(name)) {
      bindFunction(c, *bind, "model '" + it.type.name + "'", functions);
      continue;
    }
    auto s = decls.find(name);
    if (s == decls.end() || (s->second.kind != SymbolKind::Param &&
                             s->second.kind != SymbolKind::State)) {
      std::vector<std::string> known = c.names(SymbolKind::Param);
      for (const auto &f : c.functions)
        known.push_back(f.first);
      for (const std::string &state : c.names(SymbolKind::State))
        known.push_back(state);
      diag.unknown(bind->name.loc,
                   "parameter or state of '" + it.type.name + "'", name, known);
      continue;
    }
    if (overrides.count(name)) {
      diag.error(bind->name.loc, "'" + name + "' is given twice");
      continue;
    }
    // Parameters of the model itself may be named, too (v = v_rest).
    ConstEnv scope;
    scope.outer = &env;
    for (auto &entry : parameterValues(c, overrides, false))
      if (!env.lookup(entry.first))
        scope.insert(entry);
    ConstResult r = evalConst(*bind->value, &scope, &s->second.dim,
                              "'" + name + "'", &node.shape, net.seed, stream);
    if (!r)
      continue;
    if (r->p.isArray()) {
      int64_t n = 1;
      for (int64_t d : r->p.shape)
        n *= d;
      if (net.batch > 1 && n == net.batch * node.units()) {
        r->p.shape = node.shape;
        r->p.shape.insert(r->p.shape.begin(), net.batch);
        checkRange(c, s->second, *r, bind->value->loc);
        overrides.insert({name, *r});
        continue;
      }
      if (n != node.units()) {
        diag.error(bind->value->loc,
                   "'" + name + "' has " + std::to_string(n) +
                       " values for the " + std::to_string(node.units()) +
                       " units of '" + it.name.name + "'");
        continue;
      }
      r->p.shape = node.shape;
    }
    checkRange(c, s->second, *r, bind->value->loc);
    overrides.insert({name, *r});
  }
  if (diag.errors() != before)
    return;
  ConstEnv defaults = parameterValues(c, {}, false);
  // A default that follows from a drawn parameter needs that very draw: the
  // distribution becomes an array of values.
  auto followsDraw = [&](const std::vector<Decl> &decls) {
    ConstEnv values = parameterValues(c, overrides, false);
    return llvm::any_of(decls, [&](const Decl &d) {
      auto v = values.find(d.name.name);
      return !overrides.count(d.name.name) && d.init &&
             (v == values.end() || v->second.p.dist);
    });
  };
  unsigned errors = diag.errors();
  bool drawn = llvm::any_of(
      overrides, [](const auto &o) { return o.second.p.dist.has_value(); });
  if (drawn && (followsDraw(c.model->params) || followsDraw(c.model->states)))
    for (auto &[name, v] : overrides)
      if (v.p.dist)
        v.p = ConstDomain::draw(*v.p.dist, node.shape, net.seed,
                                it.name.name + "." + name);
  if (diag.errors() != errors)
    return;
  ConstEnv values = parameterValues(c, overrides, true);
  NamedAttrList params, init;
  auto put = [&](const Decl &d, NamedAttrList &list) {
    const Symbol &s = decls.find(d.name.name)->second;
    auto v = values.find(d.name.name);
    if (v == values.end())
      return;
    bool given = overrides.count(d.name.name);
    auto old = defaults.find(d.name.name);
    bool same = old != defaults.end() && !v->second.p.dist &&
                !old->second.p.dist && v->second.p.data == old->second.p.data &&
                v->second.p.shape == old->second.p.shape;
    if (!given && same)
      return;
    list.append(s.irName, valueAttr(v->second, s.hertz));
  };
  for (const Decl &d : c.model->params)
    put(d, params);
  for (const Decl &d : c.model->states)
    put(d, init);
  int64_t every = 1;
  if (const Clause *clause = it.clause("every"))
    every = ticks(net, *clause->value, &env, "'every'", true).value_or(1);
  SmallVector<Type> types;
  for (const Signal &s : node.outputs)
    types.push_back(signalType(node.shape, s.spike));
  node.overrides = overrides;
  node.model = variant(c, functions, overrides, it.name.loc);
  std::string modelName =
      node.model->irName.empty() ? it.type.name : node.model->irName;
  auto op = neuro::PopulationOp::create(
      b, diag.location(it.name.loc), types, it.name.name, modelName,
      node.shape, ValueRange(), ArrayAttr(),
      params.empty() ? DictionaryAttr() : params.getDictionary(b.getContext()),
      init.empty() ? DictionaryAttr() : init.getDictionary(b.getContext()),
      every, it.clause("plant") != nullptr);
  node.op = op;
  for (size_t i = 0; i < node.outputs.size(); ++i)
    node.outputs[i].value = op.getResult(i);
}

/// `range` of a parameter or state, where the values are known.
void Elaborator::checkRange(const Checked &c, const Symbol &s,
                            const ConstTyped &v, SMLoc loc) {
  if (!s.decl || !s.decl->lo)
    return;
  DenseF64ArrayAttr range = rangeAttr(c, s.decl->lo, s.decl->hi, s);
  if (!range)
    return;
  double f = storageFactor(s.hertz);
  auto outside = [&](double x) { return x * f < range[0] || x * f > range[1]; };
  double bad = 0;
  bool found = false;
  if (v.p.dist && v.p.dist->kind == "uniform" &&
      (outside(v.p.dist->a) || outside(v.p.dist->b))) {
    bad = outside(v.p.dist->a) ? v.p.dist->a : v.p.dist->b;
    found = true;
  }
  if (!v.p.dist)
    for (double x : v.p.data)
      if (outside(x)) {
        bad = x;
        found = true;
        break;
      }
  if (found) {
    diag.error(loc, "'" + s.decl->name.name + "' must lie in [" +
                        formatNumber(range[0] / f) + ", " +
                        formatNumber(range[1] / f) + "]" +
                        (s.dim.isNone() ? "" : " " + s.dim.str()) +
                        ", got " + formatNumber(bad));
    diag.note(s.decl->lo->loc, "the range is stated here");
  }
}

void Elaborator::emitSource(NetworkInfo &net, Node &node, const Item &it) {
  Location l = diag.location(it.name.loc);
  Type type = signalType(node.shape, node.outputs[0].spike);
  if (it.keyword == "spike_array") {
    std::vector<int64_t> events;
    if (it.value->kind == Expr::Array &&
        llvm::all_of(it.value->args,
                     [](const ExprPtr &e) { return e->kind == Expr::Array; })) {
      // One list of times per unit; the lists differ in length.
      if (static_cast<int64_t>(it.value->args.size()) != node.units())
        diag.error(it.value->loc, "'" + it.name.name + "' has " +
                                      std::to_string(node.units()) +
                                      " units but " +
                                      std::to_string(it.value->args.size()) +
                                      " list(s) of times");
      for (size_t unit = 0; unit < it.value->args.size(); ++unit)
        for (const ExprPtr &time : it.value->args[unit]->args)
          if (auto n = ticks(net, *time, &net.constants, "a spike time", false))
            events.insert(events.end(), {*n, static_cast<int64_t>(unit)});
    } else if (ConstResult r = evalConst(*it.value, &net.constants)) {
      // A table (time in ms, unit), for instance from a file.
      if (r->p.dist || r->p.shape.size() != 2 || r->p.shape[1] != 2) {
        diag.error(it.value->loc,
                   "spike times are a list per unit, or a table with rows "
                   "(time in ms, unit)",
                   "write [[1 ms, 5 ms], [2 ms]] for two units");
        return;
      }
      for (size_t k = 0; k + 1 < r->p.data.size(); k += 2) {
        double n = std::nearbyint(r->p.data[k] / net.dt);
        double unit = r->p.data[k + 1];
        if (n < 0 || n > 9e15 || unit < 0 || unit >= node.units() ||
            unit != std::floor(unit)) {
          diag.error(it.value->loc, "row " + std::to_string(k / 2) +
                                        " of the spike table has a negative "
                                        "time or no such unit");
          return;
        }
        events.insert(events.end(), {static_cast<int64_t>(n),
                                     static_cast<int64_t>(unit)});
      }
    } else {
      return;
    }
    int64_t rows = static_cast<int64_t>(events.size()) / 2;
    // Sorted by time, so that a program reads them once from front to back.
    std::vector<std::pair<int64_t, int64_t>> sorted;
    for (int64_t k = 0; k < rows; ++k)
      sorted.push_back({events[2 * k], events[2 * k + 1]});
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    events.clear();
    for (auto [tick, unit] : sorted)
      events.insert(events.end(), {tick, unit});
    rows = static_cast<int64_t>(sorted.size());
    auto attr = DenseElementsAttr::get(
        RankedTensorType::get({rows, 2}, b.getI64Type()),
        llvm::ArrayRef<int64_t>(events));
    auto op = neuro::SpikeArrayOp::create(b, l, type, it.name.name, attr);
    node.op = op;
    node.outputs[0].value = op.getOutput();
    return;
  }
  Attribute init;
  const Signal &s = node.outputs[0];
  if (it.value) {
    if (ConstResult r = evalConst(*it.value, &net.constants, &s.dim,
                                  "'" + it.name.name + "'", &node.shape,
                                  net.seed, it.name.name)) {
      if (r->p.isArray() && net.batch > 1 &&
          static_cast<int64_t>(r->p.data.size()) == net.batch * node.units()) {
        r->p.shape = node.shape;
        r->p.shape.insert(r->p.shape.begin(), net.batch);
      } else if (r->p.isArray() &&
          static_cast<int64_t>(r->p.data.size()) != node.units())
        diag.error(it.value->loc, "the initial value has " +
                                      std::to_string(r->p.data.size()) +
                                      " numbers for " +
                                      std::to_string(node.units()) + " units");
      else if (r->p.isArray())
        r->p.shape = node.shape;
      init = valueAttr(*r, s.hertz);
    }
  }
  DenseF64ArrayAttr range;
  if (const Clause *c = it.clause("range")) {
    auto lo = evalNumber(*c->value->args[0], &net.constants, s.dim, "'range'");
    auto hi = evalNumber(*c->value->args[1], &net.constants, s.dim, "'range'");
    if (lo && hi && !(*lo < *hi))
      diag.error(c->loc, "a range needs low < high");
    else if (lo && hi)
      range = b.getDenseF64ArrayAttr({*lo * storageFactor(s.hertz),
                                      *hi * storageFactor(s.hertz)});
  }
  StringAttr label;
  if (const Clause *c = it.clause("label")) {
    if (c->value->kind == Expr::String)
      label = b.getStringAttr(c->value->name);
    else
      diag.error(c->value->loc, "a label is a string in quotes");
  }
  auto op = neuro::StimulusOp::create(b, l, type, it.name.name, init, range,
                                      label);
  node.op = op;
  node.outputs[0].value = op.getOutput();
}

const Signal *Elaborator::resolveSignal(NetworkInfo &net, const Expr &e,
                                        Node **out) {
  if (e.kind == Expr::Call && e.name == "delayed")
    return delayedSignal(net, e, out);
  const Signal *s = declaredSignal(net, e, out);
  return s && s->value ? s : nullptr;
}

const Signal *Elaborator::declaredSignal(NetworkInfo &net, const Expr &e,
                                         Node **out) {
  const Expr &base = e.kind == Expr::Member ? *e.args[0] : e;
  if (base.kind != Expr::Name) {
    diag.error(e.loc, "expected a signal such as 'E' or 'E.spike', found " +
                          quote(e));
    return nullptr;
  }
  auto it = net.nodes.find(base.name);
  if (it == net.nodes.end() && isInstance(net, base))
    return nullptr;
  if (it == net.nodes.end()) {
    // Declared, but faulty: that has been reported.
    if (!net.declared.count(base.name) || net.weights.count(base.name))
      diag.unknown(base.loc, "population or stimulus", base.name,
                   nodeNames(net));
    return nullptr;
  }
  Node &node = it->second;
  if (out)
    *out = &node;
  std::vector<std::string> names;
  for (const Signal &s : node.outputs)
    names.push_back(s.name);
  std::string wanted = e.kind == Expr::Member ? e.name : "";
  if (wanted.empty()) {
    if (node.outputs.size() == 1)
      return &node.outputs[0];
    wanted = llvm::is_contained(names, "spike")    ? "spike"
             : llvm::is_contained(names, "value")  ? "value"
                                                   : "";
  }
  for (const Signal &s : node.outputs)
    if (s.name == wanted)
      return &s;
  if (wanted.empty()) {
    std::string list;
    for (const std::string &n : names)
      list += (list.empty() ? "" : ", ") + base.name + "." + n;
    diag.error(e.loc, names.empty() ? "'" + base.name + "' has no outputs"
                                    : "'" + base.name +
                                          "' has several outputs",
               names.empty() ? "" : "write one of " + list);
  } else {
    diag.unknown(e.loc, "output of '" + base.name + "'", wanted, names);
  }
  return nullptr;
}

void Elaborator::finishInputs(NetworkInfo &net) {
  for (auto &[name, node] : net.nodes) {
    auto op = dyn_cast_or_null<neuro::PopulationOp>(node.op);
    if (!op || node.inputs.empty())
      continue;
    SmallVector<Attribute> ports;
    SmallVector<Value> values;
    for (const auto &[port, value] : node.inputs) {
      ports.push_back(b.getStringAttr(port));
      values.push_back(value);
    }
    op.getInputsMutable().assign(values);
    op.setPortsAttr(b.getArrayAttr(ports));
  }
}

} // namespace neuroc::lang
