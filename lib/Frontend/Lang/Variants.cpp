// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Variants of models and rules: with other functions in the place of their own
// (`{ phi = relu }`), or with another value of a parameter on which their code
// depends (the k of group_kth_largest).
#include "CodeEmitter.h"

namespace neuroc::lang {

using namespace mlir;

bool Elaborator::bindFunction(const Checked &c, const Item &bind,
                              const std::string &what,
                              std::map<std::string, Ident> &functions) {
  const std::string &name = bind.name.name;
  if (bind.value->kind != Expr::Name) {
    diag.error(bind.value->loc,
               "'" + name + "' of " + what +
                   " is a function; give the name of one",
               "write { " + name + " = relu }");
    return false;
  }
  if (functions.count(name)) {
    diag.error(bind.name.loc, "'" + name + "' is given twice");
    return false;
  }
  const std::string &target = bind.value->name;
  std::unique_ptr<FunctionDecl> builtin;
  const FunctionDecl *f = nullptr;
  if (auto it = this->functions.find(target); it != this->functions.end())
    f = it->second;
  else if ((builtin = builtinFunction(target)))
    f = builtin.get();
  if (!f) {
    std::vector<std::string> known = mathFunctions();
    for (const auto &entry : this->functions)
      known.push_back(entry.first().str());
    diag.unknown(bind.value->loc, "function", target, known);
    return false;
  }
  size_t want = c.functions.find(name)->second->params.size();
  if (f->params.size() != want) {
    diag.error(bind.value->loc, "'" + name + "' of " + what + " takes " +
                                    llvm::Twine(want) + " argument(s), but '" +
                                    target + "' takes " +
                                    llvm::Twine(f->params.size()));
    return false;
  }
  functions[name] = {target, bind.value->loc};
  return true;
}

Checked *Elaborator::variant(Checked &c,
                             const std::map<std::string, Ident> &functions,
                             const ConstEnv &given, SMLoc loc) {
  // What differs from the declaration, as a key.
  std::string key;
  for (const auto &[name, target] : functions)
    key += (key.empty() ? "" : ", ") + name + "=" + target.name;
  ConstEnv fixed;
  for (const std::string &name : c.structural) {
    auto v = given.find(name);
    if (v == given.end())
      continue;
    if (!v->second.p.isNumber()) {
      diag.error(loc, "the code of '" + c.model->name.name +
                          "' depends on parameter '" + name +
                          "', which must be one number for all units");
      return &c;
    }
    fixed.insert(*v);
    key += (key.empty() ? "" : ", ") + name + "=" +
           formatNumber(v->second.p.number());
  }
  if (key.empty())
    return &c;
  std::string base = c.model ? c.model->name.name : c.rule->name.name;
  std::string name = base + "(" + key + ")";
  auto &slot = variants[(c.model ? "model " : "rule ") + name];
  if (slot)
    return slot.get();
  slot = std::make_unique<Checked>();
  slot->model = c.model;
  slot->rule = c.rule;
  slot->symbols = c.symbols;
  slot->outputs = c.outputs;
  slot->irName = name;
  slot->fixed = std::move(fixed);
  // Counters of refractoriness are added anew.
  for (auto it = slot->symbols.begin(); it != slot->symbols.end();)
    it = it->second.kind == SymbolKind::State && !it->second.decl
             ? slot->symbols.erase(it)
             : std::next(it);
  slot->functions = c.functions;
  SMLoc at;
  for (const auto &[own, target] : functions) {
    // phi(x) = target(x)
    const FunctionDecl &form = *c.functions.find(own)->second;
    auto f = std::make_unique<FunctionDecl>();
    f->name = form.name;
    f->body = std::make_unique<Expr>();
    f->body->kind = Expr::Call;
    f->body->name = "::" + target.name;
    f->body->loc = f->body->begin = target.loc;
    f->body->end =
        SMLoc::getFromPointer(target.loc.getPointer() + target.name.size());
    at = target.loc;
    for (const Decl &p : form.params) {
      Decl d;
      d.name = p.name;
      d.type.unit = clone(p.type.unit);
      d.type.loc = p.type.loc;
      auto arg = std::make_unique<Expr>();
      arg->kind = Expr::Name;
      arg->name = p.name.name;
      arg->loc = arg->begin = p.name.loc;
      arg->end =
          SMLoc::getFromPointer(p.name.loc.getPointer() + p.name.name.size());
      f->body->args.push_back(std::move(arg));
      f->body->argNames.push_back({});
      f->params.push_back(std::move(d));
    }
    f->result.unit = clone(form.result.unit);
    f->result.loc = form.result.loc;
    slot->functions[own] = f.get();
    slot->wrappers.push_back(std::move(f));
  }
  const Origin *origin = diag.setOrigin(nullptr);
  unsigned before = diag.errors();
  c.model ? emitModel(*slot) : emitRule(*slot);
  if (diag.errors() != before && at.isValid())
    diag.note(at, "with this function");
  diag.setOrigin(origin);
  return slot.get();
}

} // namespace neuroc::lang
