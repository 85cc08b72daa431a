// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names and compile-time values of a whole program, and the order in which its
// parts are emitted: models and rules as they are used, then networks, then
// experiments.
#include "Elaborator.h"
#include "Parser.h"

#include "llvm/ADT/ScopeExit.h"

namespace neuroc::lang {

using namespace mlir;

Elaborator::Elaborator(Diag &diag, const LangOptions &options, ModuleOp module)
    : diag(diag), options(options), module(module),
      b(OpBuilder::atBlockEnd(module.getBody())) {}

void Elaborator::add(const File &file, bool library) {
  auto put = [&](auto &map, const auto &decl) {
    auto [it, fresh] = map.insert({decl->name.name, {decl.get(), library}});
    if (fresh)
      return;
    if (it->second.second && !library) { // the user's replaces the library's
      it->second = {decl.get(), library};
    } else if (!it->second.second && !library) {
      diag.error(decl->name.loc, "'" + decl->name.name + "' is already defined");
      diag.note(it->second.first->name.loc, "the first definition is here");
    }
  };
  for (const auto &m : file.models)
    put(models, m);
  for (const auto &r : file.rules)
    put(rules, r);
  for (const auto &p : file.procedures)
    put(procedures, p);
  for (const auto &f : file.functions) {
    auto [it, fresh] = functions.insert({f->name.name, f.get()});
    if (!fresh && !library) {
      diag.error(f->name.loc, "function '" + f->name.name +
                                  "' is already defined");
    }
    if (llvm::is_contained(mathFunctions(), f->name.name))
      diag.error(f->name.loc, "'" + f->name.name + "' is a built-in function");
  }
  for (const auto &c : file.circuits) {
    auto [it, fresh] = circuits.insert({c->name.name, c.get()});
    if (!fresh && !library && !circuitFromLibrary[c->name.name]) {
      diag.error(c->name.loc, "'" + c->name.name + "' is already defined");
      diag.note(it->second->name.loc, "the first definition is here");
    }
    if (fresh)
      circuitFromLibrary[c->name.name] = library;
  }
  for (const Decl &c : file.constants) {
    auto [it, fresh] = constants.insert({c.name.name, &c});
    if (!fresh && !library)
      diag.error(c.name.loc, "constant '" + c.name.name +
                                 "' is already defined");
  }
  if (library)
    return;
  auto once = [&](const Ident &name) {
    auto [it, fresh] = topLevel.insert({name.name, name.loc});
    if (!fresh) {
      diag.error(name.loc, "'" + name.name + "' is already defined");
      diag.note(it->second, "the first definition is here");
    }
    return fresh;
  };
  for (const auto &n : file.networks)
    if (once(n->name))
      networks.push_back(n.get());
  for (const auto &e : file.experiments)
    if (once(e->name))
      experiments.push_back(e.get());
}

void Elaborator::run() {
  for (const auto &[name, entry] : constants)
    (void)globalConstant(name);
  for (const auto &[name, entry] : models)
    if (!entry.second)
      findModel(entry.first->name);
  for (const auto &[name, entry] : rules)
    if (!entry.second)
      findRule(entry.first->name);
  for (const NetworkDecl *n : networks)
    emitNetwork(*n);
  checkOverrides();
  for (const ExperimentDecl *e : experiments)
    emitExperiment(*e);
}

/// Every `--set` must have met a parameter, dt or seed of some network.
void Elaborator::checkOverrides() {
  std::vector<std::string> known;
  for (const NetworkDecl *n : networks)
    for (const ItemPtr &it : n->items)
      if ((it->keyword == "param" || it->keyword == "=") &&
          !llvm::is_contained(known, it->name.name))
        known.push_back(it->name.name);
  for (const auto &[name, text] : options.overrides)
    if (!usedOverrides.count(name)) {
      SMLoc loc = networks.empty() ? SMLoc() : networks[0]->name.loc;
      diag.unknown(loc, "parameter of --set", name, known);
    }
}

//===----------------------------------------------------------------------===//
// Compile-time expressions
//===----------------------------------------------------------------------===//

std::optional<ConstResult> Elaborator::globalConstant(llvm::StringRef name) {
  auto it = constants.find(name.str());
  if (it == constants.end())
    return std::nullopt;
  auto known = constantValues.find(it->first);
  if (known != constantValues.end())
    return known->second;
  const Decl &d = *it->second;
  if (!constantsInProgress.insert(it->first).second) {
    diag.error(d.name.loc, "constant '" + d.name.name +
                               "' is defined by itself");
    return ConstResult();
  }
  ConstResult r;
  if (!d.init) {
    diag.error(d.name.loc, "constant '" + d.name.name + "' has no value");
  } else if (d.type.unit) {
    if (std::optional<Unit> u = evalUnitExpr(*d.type.unit, diag))
      r = evalConst(*d.init, nullptr, &u->dim, "'" + d.name.name + "'");
  } else {
    r = evalConst(*d.init, nullptr);
  }
  constantsInProgress.erase(it->first);
  constantValues[it->first] = r;
  return r;
}

ConstResult Elaborator::evalConst(const Expr &e, const ConstEnv *env,
                                  const Dim *want, llvm::StringRef what,
                                  const std::vector<int64_t> *unitShape,
                                  uint64_t seed, llvm::StringRef stream) {
  ConstDomain domain(diag);
  ExprEval<ConstDomain> eval(domain, diag, functions);
  eval.local = localFunctions;
  domain.lookup = [&](const Expr &name) -> std::optional<ConstResult> {
    if (const ConstTyped *known = env ? env->lookup(name.name) : nullptr)
      return ConstResult(*known);
    return globalConstant(name.name);
  };
  domain.lookupGlobal = [&](const Expr &name) {
    return globalConstant(name.name);
  };
  domain.networkSeed = networkSeed;
  domain.missingValues = missingValues;
  domain.visible = [&] {
    std::vector<std::string> names;
    for (const ConstEnv *level = env; level; level = level->outer)
      for (const auto &entry : *level)
        names.push_back(entry.first);
    for (const auto &entry : constants)
      names.push_back(entry.first);
    return names;
  };
  domain.evaluate = [&](const Expr &arg) { return eval.eval(arg); };
  domain.findFile = [&](const Expr &name) {
    return findFile ? findFile(name.name, name.loc) : std::string();
  };
  if (unitShape)
    domain.unitShape = *unitShape;
  domain.seed = seed;
  domain.stream = stream.str();
  ConstResult r = want ? eval.evalAs(e, *want, what) : eval.eval(e);
  if (r && !missingValues && llvm::any_of(r->p.data, [](double x) { return std::isnan(x); })) {
    diag.error(e.loc, "the value of " + quote(e) + " is not a number (0/0, "
                      "inf - inf or the like)");
    return std::nullopt;
  }
  return r;
}

std::optional<double> Elaborator::evalNumber(const Expr &e, const ConstEnv *env,
                                             const Dim &want,
                                             llvm::StringRef what) {
  ConstResult r = evalConst(e, env, &want, what);
  if (!r)
    return std::nullopt;
  if (!r->p.isNumber()) {
    diag.error(e.loc, what + " must be one number");
    return std::nullopt;
  }
  return r->p.number();
}

std::optional<int64_t> Elaborator::evalInteger(const Expr &e,
                                               const ConstEnv *env,
                                               llvm::StringRef what,
                                               int64_t least) {
  std::optional<double> v = evalNumber(e, env, Dim(), what);
  if (!v)
    return std::nullopt;
  if (*v != std::floor(*v) || *v < static_cast<double>(least) || *v > 9e15) {
    diag.error(e.loc, what + " must be a whole number of at least " +
                          llvm::Twine(least) + ", got " + formatNumber(*v));
    return std::nullopt;
  }
  return static_cast<int64_t>(*v);
}

//===----------------------------------------------------------------------===//
// Declarations of models and rules
//===----------------------------------------------------------------------===//

static std::vector<std::string>
namesOf(const auto &map) {
  std::vector<std::string> names;
  for (const auto &entry : map)
    names.push_back(entry.first);
  return names;
}

Checked *Elaborator::findModel(const Ident &name) {
  auto it = models.find(name.name);
  if (it == models.end()) {
    diag.unknown(name.loc, "model", name.name, namesOf(models));
    return nullptr;
  }
  return checkModel(*it->second.first);
}

Checked *Elaborator::findRule(const Ident &name) {
  auto it = rules.find(name.name);
  if (it == rules.end()) {
    diag.unknown(name.loc, "rule", name.name, namesOf(rules));
    return nullptr;
  }
  return checkRule(*it->second.first);
}

void Elaborator::declare(Checked &c, const Ident &name, Symbol s) {
  if (name.name == "t" || name.name == "dt") {
    diag.error(name.loc, "'" + name.name + "' is the " +
                             (name.name == "t" ? "time" : "time step") +
                             " and cannot be declared");
    c.ok = false;
    return;
  }
  s.loc = name.loc;
  if (s.irName.empty())
    s.irName = name.name;
  auto [it, fresh] = c.symbols.insert({name.name, s});
  if (!fresh) {
    diag.error(name.loc, "'" + name.name + "' is declared twice");
    diag.note(it->second.loc, "the first declaration is here");
    c.ok = false;
  }
}

/// Finds unit and storage of a declaration from its type or default value.
void Elaborator::checkDecl(Checked &c, const Decl &d, SymbolKind kind) {
  Symbol s{kind, Dim()};
  s.decl = &d;
  s.spike = d.type.spike;
  if (d.type.unit) {
    if (std::optional<Unit> u = evalUnitExpr(*d.type.unit, diag)) {
      s.dim = u->dim;
      s.hertz = u->hertz && u->dim == Dim::rate();
    } else {
      c.ok = false;
    }
  } else if (kind == SymbolKind::Output) {
    s.spike = true; // `output spike` is an event
  } else if (d.init && kind != SymbolKind::Let) {
    unsigned before = diag.errors();
    ConstEnv env = parameterValues(c, {}, /*report=*/false);
    if (ConstResult r = evalConst(*d.init, &env)) {
      s.dim = r->dim;
      s.hertz = s.dim == Dim::rate() && speltInHertz(*d.init);
    }
    if (diag.errors() != before)
      c.ok = false;
  }
  if (kind == SymbolKind::Param && !d.init) {
    diag.error(d.name.loc, "parameter '" + d.name.name +
                               "' needs a default value",
               "write 'param " + d.name.name + " = 1" +
                   (s.dim.isNone() ? "" : " " + s.dim.str()) + "'");
    c.ok = false;
  }
  if (d.type.spike && kind != SymbolKind::Output) {
    diag.error(d.type.loc, "only outputs can be of type 'spike'",
               kind == SymbolKind::Input
                   ? "an input receives numbers: each spike adds its weight"
                   : "");
    c.ok = false;
  }
  if (!d.combine.empty() && kind != SymbolKind::Input)
    diag.error(d.combineLoc, "only inputs have a combine operator");
  if (d.init && (kind == SymbolKind::Output))
    diag.error(d.init->loc, "an output has no initial value",
               "give it one in a stage: 'emit " + d.name.name + " = …'");
  declare(c, d.name, s);
}

Checked *Elaborator::checkModel(const ModelDecl &m) {
  auto it = checkedModels.find(m.name.name);
  if (it != checkedModels.end())
    return it->second.get();
  Checked &c = *(checkedModels[m.name.name] = std::make_unique<Checked>());
  c.model = &m;
  for (const auto &f : m.functions)
    c.functions[f->name.name] = f.get();
  const Origin *origin = diag.setOrigin(nullptr);
  const LocalFunctions *outer = localFunctions;
  localFunctions = &c.functions;
  for (const Decl &d : m.params)
    checkDecl(c, d, SymbolKind::Param);
  for (const Decl &d : m.lets)
    checkDecl(c, d, SymbolKind::Let);
  for (const Decl &d : m.states)
    checkDecl(c, d, SymbolKind::State);
  for (const Decl &d : m.inputs)
    checkDecl(c, d, SymbolKind::Input);
  for (const Decl &d : m.outputs) {
    checkDecl(c, d, SymbolKind::Output);
    c.outputs.push_back(d.name.name);
  }
  if (c.ok)
    emitModel(c);
  diag.setOrigin(origin);
  localFunctions = outer;
  return &c;
}

Checked *Elaborator::checkRule(const RuleDecl &r) {
  auto it = checkedRules.find(r.name.name);
  if (it != checkedRules.end())
    return it->second.get();
  Checked &c = *(checkedRules[r.name.name] = std::make_unique<Checked>());
  c.rule = &r;
  for (const auto &f : r.functions)
    c.functions[f->name.name] = f.get();
  const Origin *origin = diag.setOrigin(nullptr);
  const LocalFunctions *outer = localFunctions;
  localFunctions = &c.functions;
  auto predefined = [&](const Ident &given, const char *name, SymbolKind kind,
                        const TypeSpec &type, Dim dim) {
    Symbol s{kind, dim};
    s.irName = name;
    if (type.unit) {
      if (std::optional<Unit> u = evalUnitExpr(*type.unit, diag)) {
        s.dim = u->dim;
        s.hertz = u->hertz && u->dim == Dim::rate();
      } else {
        c.ok = false;
      }
    }
    declare(c, given ? given : Ident{name, r.loc}, s);
  };
  predefined(r.weightName, "w", SymbolKind::Weight, r.weightType,
             Dim::weight());
  predefined(r.preName, "pre", SymbolKind::Pre, r.preType, Dim());
  predefined(r.postName, "post", SymbolKind::Post, r.postType, Dim());
  for (const Decl &d : r.params)
    checkDecl(c, d, SymbolKind::Param);
  for (const Decl &d : r.lets)
    checkDecl(c, d, SymbolKind::Let);
  for (const Decl &d : r.states)
    checkDecl(c, d, SymbolKind::State);
  for (const Decl &d : r.signals)
    checkDecl(c, d, SymbolKind::Factor);
  for (const TraceDecl &t : r.traces) {
    Symbol s{SymbolKind::Trace, Dim()};
    declare(c, t.name, s);
  }
  if (c.ok)
    emitRule(c);
  diag.setOrigin(origin);
  localFunctions = outer;
  return &c;
}

ConstEnv Elaborator::parameterValues(const Checked &c,
                                     const ConstEnv &overrides, bool report) {
  ConstEnv env;
  // Values may use the functions of the model.
  const LocalFunctions *outer = localFunctions;
  localFunctions = &c.functions;
  auto restore = llvm::make_scope_exit([&] { localFunctions = outer; });
  auto compute = [&](const Decl &d, SymbolKind kind) {
    auto given = overrides.find(d.name.name);
    if (given != overrides.end()) {
      env.insert({d.name.name, given->second});
      return;
    }
    auto symbol = c.symbols.find(d.name.name);
    if (!d.init) {
      if (kind == SymbolKind::State && symbol != c.symbols.end())
        env.insert({d.name.name,
                    ConstTyped{ConstValue::of(0), symbol->second.dim}});
      return;
    }
    if (!report && (symbol == c.symbols.end() || !c.ok))
      return; // not declared yet, or faulty and reported
    ConstResult r = evalConst(*d.init, &env);
    if (!r)
      return;
    if (symbol == c.symbols.end()) {
      env.insert({d.name.name, *r});
      return;
    }
    if (kind == SymbolKind::Let && !d.type.unit) {
      env.insert({d.name.name, *r});
      return;
    }
    const Dim &dim = symbol->second.dim;
    // A bare number stands for the unit of the weight that is not known yet.
    bool generic = dim.e[4] != 0 && r->dim.isNone();
    if (!r->anyUnit && !generic && r->dim != dim) {
      if (report)
        diag.error(d.init->loc,
                   "'" + d.name.name + "'" + mustBeIn(dim) + ", but " +
                       quote(*d.init) + isIn(r->dim),
                   fixUnit(*d.init, r->dim, dim));
      return;
    }
    r->dim = dim;
    env.insert({d.name.name, *r});
  };
  const auto &params = c.model ? c.model->params : c.rule->params;
  const auto &lets = c.model ? c.model->lets : c.rule->lets;
  const auto &states = c.model ? c.model->states : c.rule->states;
  for (const Decl &d : params)
    compute(d, SymbolKind::Param);
  // Definitions of parameters alone may be used in initial values.
  std::set<std::string> known, varying = {"w", "pre", "post"};
  for (const auto &entry : env)
    known.insert(entry.first);
  auto vary = [&](const std::vector<Decl> &decls) {
    for (const Decl &d : decls)
      varying.insert(d.name.name);
  };
  vary(states);
  vary(lets);
  vary(c.model ? c.model->inputs : c.rule->signals);
  if (c.rule)
    for (const TraceDecl &t : c.rule->traces)
      varying.insert(t.name.name);
  std::function<bool(const Expr &)> closed = [&](const Expr &e) {
    if (e.kind == Expr::Name && !known.count(e.name) &&
        (varying.count(e.name) || c.symbols.count(e.name)))
      return false;
    if (e.kind == Expr::Name && (e.name == "t" || e.name == "dt"))
      return false;
    if (e.kind == Expr::Call &&
        (e.name == "uniform" || e.name == "normal" ||
         llvm::is_contained(collectiveNames(), e.name)))
      return false;
    return llvm::all_of(e.args, [&](const ExprPtr &a) { return closed(*a); });
  };
  for (const Decl &d : lets)
    if (d.init && closed(*d.init)) {
      compute(d, SymbolKind::Let);
      if (env.count(d.name.name))
        known.insert(d.name.name);
    }
  for (const Decl &d : states)
    compute(d, SymbolKind::State);
  return env;
}

} // namespace neuroc::lang
