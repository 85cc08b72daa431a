// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits the sugar nodes of a network, its data, and what records; and takes
// over networks that another front end has emitted.
#include "Elaborator.h"

namespace neuroc::lang {

using namespace mlir;

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
    auto v =
        evalNumber(*c->value, &net.constants, Dim(), "'" + key.str() + "'");
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
    auto op = neuro::AssociativeMemoryOp::create(b, l, own, it.name.name,
                                                 standIn(node.shape), w->first,
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
      b, l, own, signalType(*below, false), it.name.name, standIn(*below),
      w->first, it.clause("top_down") ? standIn(node.shape) : Value(),
      rate.getValue(), precision ? precision.getValue() : llvm::APFloat(1.0),
      prior ? prior.getValue() : llvm::APFloat(0.0), number("learning_rate"),
      range);
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
      diag.error(
          e.loc,
          quote(e) + " must be a real signal of " +
              llvm::Twine(
                  cast<RankedTensorType>(standIn.getType()).getNumElements()) +
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
  missingValues = true; // NaN: not observed
  ConstResult r = evalConst(*it.value, &env);
  missingValues = false;
  if (!r)
    return;
  if (!r->p.isArray()) {
    diag.error(it.value->loc,
               "dataset '" + it.name.name +
                   "' must be an array with one row per sample",
               r->p.dist ? "write sample(distribution, [rows, columns])"
                         : "write [[…], […]] or file(\"data.npy\")");
    return;
  }
  auto op = neuro::DatasetOp::create(
      b, diag.location(it.name.loc), it.name.name,
      cast<ElementsAttr>(valueAttr(*r, false)), StringAttr());
  (void)op;
  net.datasets[it.name.name] = r->p.shape;
}

/// "P.p" of a parameter of a population; null after an error.
StringAttr Elaborator::parameterOf(NetworkInfo &net, const Expr &e) {
  const Expr *base = e.kind == Expr::Member ? e.args[0].get() : nullptr;
  auto it = base && base->kind == Expr::Name ? net.nodes.find(base->name)
                                             : net.nodes.end();
  if (it == net.nodes.end() && base && net.declared.count(base->name) &&
      !net.weights.count(base->name))
    return {}; // faulty and reported
  if (it == net.nodes.end() || !it->second.model) {
    diag.error(e.loc, "'wrt' takes a parameter of a population",
               "write 'wrt E.tau'");
    return {};
  }
  auto s = it->second.model->symbols.find(e.name);
  if (s == it->second.model->symbols.end() ||
      s->second.kind != SymbolKind::Param) {
    diag.unknown(e.loc, "parameter of '" + base->name + "'", e.name,
                 it->second.model->names(SymbolKind::Param));
    return {};
  }
  return b.getStringAttr(base->name + "." + s->second.irName);
}

/// Notes at the population how its initial values depend on the parameter:
/// `neuro.init_slopes = {STATE = {PARAMETER = derivative}}`.
void Elaborator::initialDerivatives(NetworkInfo &net, const Expr &e) {
  Node &node = net.nodes.find(e.args[0]->name)->second;
  Checked &c = *node.model;
  const Symbol &by = c.symbols.find(e.name)->second;
  ConstEnv env;
  env.outer = node.env;
  for (auto &entry : parameterValues(c, node.overrides, false))
    env.insert(entry);
  // Parameters and definitions that follow from the parameter stand for it.
  std::function<void(ExprPtr &, int)> expand = [&](ExprPtr &x, int depth) {
    auto s = x->kind == Expr::Name ? c.symbols.find(x->name) : c.symbols.end();
    bool follows = depth < 50 && s != c.symbols.end() && x->name != e.name &&
                   !node.overrides.count(x->name) && s->second.decl &&
                   s->second.decl->init &&
                   (s->second.kind == SymbolKind::Param ||
                    s->second.kind == SymbolKind::Let);
    if (follows)
      x = clone(s->second.decl->init);
    for (ExprPtr &a : x->args)
      expand(a, depth + 1);
    if (follows)
      expand(x, depth + 1);
  };
  if (!node.op)
    return;
  NamedAttrList list(
      node.op->getAttrOfType<DictionaryAttr>("neuro.init_slopes"));
  for (const Decl &d : c.model->states) {
    const Expr *init = d.init.get();
    for (const ItemPtr &bind : node.item->body)
      if (bind->name.name == d.name.name && bind->keyword != "let")
        init = bind->value.get();
    if (!init)
      continue;
    FunctionDecl f;
    f.name = d.name;
    Decl parameter;
    parameter.name.name = e.name;
    f.params.push_back(std::move(parameter));
    f.body = clone(*init);
    expand(f.body, 0);
    std::function<bool(const Expr &)> mentions = [&](const Expr &x) {
      return (x.kind == Expr::Name && x.name == e.name) ||
             llvm::any_of(x.args,
                          [&](const ExprPtr &a) { return mentions(*a); });
    };
    if (!mentions(*f.body))
      continue;
    auto slope = differentiate(
        f, 0, diag, e.loc,
        [&](const std::string &name) -> const FunctionDecl * {
          if (auto own = c.functions.find(name); own != c.functions.end())
            return own->second;
          auto known = functions.find(llvm::StringRef(name).ltrim(':'));
          return known != functions.end() ? known->second : nullptr;
        });
    if (!slope)
      return;
    const LocalFunctions *outer = localFunctions;
    localFunctions = &c.functions;
    ConstResult v = evalConst(*slope->body, &env, nullptr, "", &node.shape);
    localFunctions = outer;
    if (!v || (v->p.isNumber() && v->p.number() == 0))
      continue;
    double scale = c.symbols[d.name.name].hertz == by.hertz ? 1
                   : by.hertz                               ? 1e-3
                                                            : 1e3;
    for (double &x : v->p.data)
      x *= scale;
    // Beside what other parameters have given.
    std::string state = c.symbols[d.name.name].irName;
    NamedAttrList slopes(dyn_cast_or_null<DictionaryAttr>(list.get(state)));
    slopes.set(by.irName, valueAttr(*v, false));
    list.set(state, slopes.getDictionary(b.getContext()));
  }
  if (!list.empty())
    node.op->setAttr("neuro.init_slopes", list.getDictionary(b.getContext()));
}

std::string Elaborator::probeOf(NetworkInfo &net, const Expr &e, int64_t every,
                                const Ident *as, bool output, const Expr *wrt) {
  const Expr *of =
      e.kind == Expr::Call && !e.args.empty() ? e.args[0].get() : &e;
  const Expr &base = of->kind == Expr::Member ? *of->args[0] : *of;
  std::string key = e.kind == Expr::Call ? e.text().str() : refKey(e);
  bool named = as && *as;
  StringAttr parameter;
  if (wrt) {
    parameter = parameterOf(net, *wrt);
    if (!parameter)
      return "";
    key += " wrt " + parameter.getValue().str();
  }
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
  auto it =
      base.kind == Expr::Name ? net.nodes.find(base.name) : net.nodes.end();
  if (e.kind == Expr::Member && it != net.nodes.end() && !output && !wrt) {
    Node &node = it->second;
    std::string state;
    if (node.model) {
      auto s = node.model->symbols.find(e.name);
      if (s != node.model->symbols.end() && s->second.kind == SymbolKind::State)
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
  if (wrt && s->spike) {
    diag.error(e.loc, quote(e) + " is a spike signal and has no derivative");
    return "";
  }
  std::string name;
  if (named) {
    if (!declareName(net, *as))
      return "";
    name = as->name;
  } else {
    name = unique(base.name + "." + s->name + (wrt ? ".wrt" : ""));
  }
  neuro::ProbeOp::create(
      b, l, name, s->value, every, output,
      b.getStringAttr(named ? name : base.name + "." + s->name), parameter);
  if (wrt)
    initialDerivatives(net, *wrt);
  net.probes[key] = name;
  if (!wrt && e.kind != Expr::Call)
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
