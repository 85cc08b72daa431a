// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What precedes the emission of a network: its circuits and loops are expanded,
// its settings and constants evaluated, with the values that --set gives.
#include "Elaborator.h"
#include "Parser.h"

namespace neuroc::lang {

using namespace mlir;

/// Expands circuits and loops and takes the settings.
void Elaborator::expandNetwork(NetworkInfo &net) {
  ExpansionHooks hooks;
  hooks.evaluate = [&](const Expr &e, const ConstEnv *env, const Dim *want,
                       const std::string &what) {
    return evalConst(e, env, want, what, nullptr, net.seed);
  };
  hooks.circuit = [&](const Ident &name) -> const CircuitDecl * {
    auto it = circuits.find(name.name);
    if (it != circuits.end())
      return it->second;
    std::vector<std::string> known;
    for (const auto &c : circuits)
      known.push_back(c.first);
    diag.unknown(name.loc, "circuit", name.name, known);
    return nullptr;
  };
  hooks.setting = [&](const Item &it, ConstEnv &env) {
    networkSetting(net, it, env);
  };
  hooks.declare = [&](const Ident &name) {
    net.instances.insert(name.name);
    return declareName(net, name);
  };
  net.declared[faultyName] = net.decl->loc; // so that it is not reported again
  net.expansion = std::make_unique<Expansion>(diag, std::move(hooks));
  net.items = net.expansion->run(net.decl->items);
  if (net.dt == 0) {
    net.dt = 1;
    diag.error(net.decl->name.loc,
               "network '" + net.decl->name.name + "' has no time step",
               "write 'dt = 0.1 ms'");
  }
}

ExprPtr Elaborator::resolveReference(NetworkInfo &net, const ConstEnv *env,
                                     const Expr &e) {
  return net.expansion ? net.expansion->resolve(e, env) : clone(e);
}

ItemPtr Elaborator::resolveItem(NetworkInfo &net, const ConstEnv &env,
                                const Item &it) {
  ItemPtr own = clone(it);
  auto resolve = [&](ExprPtr &e) {
    if (e)
      e = resolveReference(net, &env, *e);
  };
  resolve(own->from);
  resolve(own->to);
  resolve(own->value);
  for (ExprPtr &e : own->shape)
    resolve(e);
  for (Clause &c : own->clauses)
    resolve(c.value);
  return own;
}

std::optional<std::vector<ConstTyped>>
Elaborator::loopValues(NetworkInfo &net, const Item &it, const ConstEnv *env) {
  if (net.expansion)
    return net.expansion->loopValues(it, env);
  ExpansionHooks hooks;
  hooks.evaluate = [&](const Expr &e, const ConstEnv *scope, const Dim *want,
                       const std::string &what) {
    return evalConst(e, scope, want, what);
  };
  return Expansion(diag, std::move(hooks)).loopValues(it, env);
}

bool Elaborator::isInstance(NetworkInfo &net, const Expr &name) {
  if (!net.instances.count(name.name))
    return false;
  diag.error(name.loc, "'" + name.name + "' is a circuit, not a part of one",
             "write " + name.name + ".NAME");
  return true;
}

/// The expression that `--set` gives for `name`, or `value`; null if it is
/// faulty. `storage` keeps a parsed expression alive.
const Expr *Elaborator::replacement(const std::string &name, const Expr *value,
                                    ExprPtr &storage) {
  for (const auto &[key, text] : options.overrides) {
    if (key != name)
      continue;
    usedOverrides.insert(key);
    unsigned id = diag.sourceMgr().AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(text, "--set=" + name), {});
    storage = Parser(diag.sourceMgr().getMemoryBuffer(id)->getBuffer(), diag)
                  .parseSingleExpression();
    value = storage.get();
  }
  return value;
}

/// dt, seed, batch, let and param.
void Elaborator::networkSetting(NetworkInfo &net, const Item &it,
                                ConstEnv &env) {
  const std::string &name = it.name.name;
  if (it.keyword == "let" || it.keyword == "param") {
    if (env.count(name)) {
      diag.error(it.name.loc, "'" + name + "' is defined twice");
      return;
    }
    const Expr *value = it.value.get();
    ExprPtr replaced;
    if (it.keyword == "param")
      value = replacement(name, value, replaced);
    if (value)
      if (ConstResult r = evalConst(*value, &env))
        env.insert({name, *r});
    return;
  }
  ExprPtr replaced;
  const Expr *value = replacement(name, it.value.get(), replaced);
  if (!value) {
    net.dt = net.dt == 0 ? 1 : net.dt; // the replacement is faulty
    return;
  }
  if (name == "batch") {
    net.batch = evalInteger(*value, &env, "'batch'", 1).value_or(1);
    env.insert(
        {"batch",
         ConstTyped{ConstValue::of(static_cast<double>(net.batch)), Dim()}});
    return;
  }
  if (name == "dt") {
    if (net.dt != 0) {
      diag.error(it.loc, "'dt' is given twice");
    }
    if (auto v = evalNumber(*value, &env, Dim::time(), "'dt'")) {
      net.dt = *v;
      if (!(net.dt > 0)) {
        diag.error(value->loc,
                   "'dt' must be above 0, got " + formatNumber(net.dt) + " ms");
        net.dt = 1;
      }
    } else {
      net.dt = 1;
    }
    // Expressions of the network may use it: `delay max(0.2 ms, dt)`.
    env.insert({"dt", ConstTyped{ConstValue::of(net.dt), Dim::time()}});
  } else if (auto v = evalInteger(*value, &env, "'seed'", 0)) {
    net.seed = networkSeed = static_cast<uint64_t>(*v);
  }
}

} // namespace neuroc::lang
