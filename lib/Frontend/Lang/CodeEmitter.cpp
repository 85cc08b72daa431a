// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits statements in their order. Conditions of `if` and of `reset` are kept
// as one guard value; an assignment under a guard selects between the new and
// the present value. Refractoriness is a counter of ticks: while it is above
// zero the held states keep their values and no spike is emitted.
#include "CodeEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace neuroc::lang {

using namespace mlir;

CodeEmitter::CodeEmitter(Elaborator &elaborator, Checked &c, std::string where)
    : el(elaborator), c(c), diag(elaborator.diag), b(elaborator.b),
      where(std::move(where)), domain(b, diag),
      ev(domain, diag, elaborator.functions) {
  domain.lookup = [this](const Expr &e) { return lookup(e); };
  domain.lookupGlobal = [this](const Expr &e) -> std::optional<ScalarResult> {
    auto r = el.globalConstant(e.name);
    if (!r)
      return std::nullopt;
    if (!*r)
      return ScalarResult();
    if (!(*r)->p.isNumber()) {
      diag.error(e.loc, "constant '" + e.name + "' is an array; stage code "
                                                "handles one unit at a time");
      return ScalarResult();
    }
    ScalarTyped v{Scalar{{}, (*r)->p.number(), (*r)->boolean}, (*r)->dim};
    v.boolean = (*r)->boolean;
    v.anyUnit = (*r)->anyUnit;
    return ScalarResult(v);
  };
  domain.visible = [this] {
    std::vector<std::string> names = this->c.names();
    for (const auto &l : locals)
      names.push_back(l.first);
    return names;
  };
  domain.evaluate = [this](const Expr &e) { return ev.eval(e); };
  ev.local = &c.functions;
  domain.wholeNumber = [this](const Expr &e,
                              llvm::StringRef what) -> std::optional<int64_t> {
    // Parameters may be used; a population that sets one gets code of its own.
    const Expr *varying = nullptr;
    std::function<void(const Expr &)> note = [&](const Expr &x) {
      if (x.kind == Expr::Name)
        if (auto s = this->c.symbols.find(x.name);
            s != this->c.symbols.end()) {
          if (s->second.kind == SymbolKind::Param)
            this->c.structural.insert(x.name);
          else if (s->second.kind != SymbolKind::Let)
            varying = &x;
          else if (s->second.decl->init)
            note(*s->second.decl->init);
        }
      for (const ExprPtr &a : x.args)
        note(*a);
    };
    note(e);
    if (varying) {
      diag.error(varying->loc, what + " must be known at compile time, but '" +
                                   varying->name + "' varies");
      return std::nullopt;
    }
    ConstEnv env = el.parameterValues(this->c, this->c.fixed, false);
    return el.evalInteger(e, &env, what, 1);
  };
}

Value CodeEmitter::constant(double x, SMLoc loc) {
  return arith::ConstantOp::create(b, diag.location(loc),
                                   b.getF64FloatAttr(x));
}

Value CodeEmitter::get(const Symbol &s, SMLoc loc) {
  Location l = diag.location(loc);
  Value v = neuro::GetOp::create(b, l, b.getF64Type(), s.irName);
  if (s.hertz) // Hz to 1/ms
    v = arith::MulFOp::create(b, l, v, constant(1e-3, loc));
  return v;
}

void CodeEmitter::set(const Symbol &s, Value v, SMLoc loc) {
  Location l = diag.location(loc);
  if (s.hertz)
    v = arith::MulFOp::create(b, l, v, constant(1e3, loc));
  neuro::SetOp::create(b, l, s.irName, v);
}

/// Locals, then declared names; definitions are expanded where they are used.
std::optional<ScalarResult> CodeEmitter::lookup(const Expr &e) {
  auto local = locals.find(e.name);
  if (local != locals.end()) {
    if (!inEquation || local->second.p.constant)
      return ScalarResult(local->second);
    // Inside an equation the definition itself is wanted, not its value at
    // the beginning of the step.
    return ev.eval(*localExprs[e.name]);
  }
  auto it = c.symbols.find(e.name);
  if (it == c.symbols.end())
    return domain.lookupGlobal(e);
  const Symbol &s = it->second;
  switch (s.kind) {
  case SymbolKind::Let: {
    if (llvm::is_contained(expanding, e.name)) {
      diag.error(e.loc, "definition '" + e.name + "' uses itself");
      return ScalarResult();
    }
    if (!s.decl->init) {
      diag.error(s.loc, "definition '" + e.name + "' has no value");
      return ScalarResult();
    }
    expanding.push_back(e.name);
    ScalarResult r =
        s.decl->type.unit
            ? ev.evalAs(*s.decl->init, s.dim, "'" + e.name + "'")
            : ev.eval(*s.decl->init);
    expanding.pop_back();
    return r;
  }
  case SymbolKind::Output:
    diag.error(e.loc, "output '" + e.name + "' cannot be read",
               "keep the value in a state or a 'let'");
    return ScalarResult();
  default:
    return ScalarResult(ScalarTyped{Scalar{get(s, e.loc), {}, false}, s.dim});
  }
}

Value CodeEmitter::guarded(Value cond) {
  if (!guard)
    return cond;
  return arith::AndIOp::create(b, cond.getLoc(), guard, cond);
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

void CodeEmitter::emit(const std::vector<StmtPtr> &body) {
  for (const StmtPtr &s : body)
    if (s->kind == Stmt::Refractory) {
      if (!allowEquations) {
        diag.error(s->loc, "'refractory' belongs into a model, not into " +
                               where);
        continue;
      }
      if (refractory) {
        diag.error(s->loc, "a stage has at most one 'refractory'");
        continue;
      }
      beginRefractory(*s);
    }
  bool solved = false;
  for (const StmtPtr &s : body) {
    if (s->kind != Stmt::Ode) {
      stmt(*s);
      continue;
    }
    if (!allowEquations && !allowOde) {
      diag.error(s->loc, "equations belong into a stage of a model, a trace or "
                         "'on tick'",
                 "write the step itself: '" + s->name.name + " += dt * (" +
                     s->value->text() + ")'");
      continue;
    }
    if (!solved)
      equations(body);
    solved = true;
  }
  if (refractory)
    endRefractory();
}

void CodeEmitter::stmt(const Stmt &s) {
  bool needsStage = s.kind == Stmt::Emit || s.kind == Stmt::Spike ||
                    s.kind == Stmt::Reset || s.kind == Stmt::Solve;
  if (s.kind == Stmt::Solve && allowOde)
    needsStage = false;
  if (needsStage && !allowEquations) {
    diag.error(s.loc, "this statement belongs into a stage of a model, not "
                      "into " + where);
    return;
  }
  switch (s.kind) {
  case Stmt::Let: return let(s);
  case Stmt::Assign: return assign(s);
  case Stmt::Emit: return emitOutput(s);
  case Stmt::Spike: return spike(s);
  case Stmt::Reset: return reset(s);
  case Stmt::If: return conditional(s);
  case Stmt::Ode: // nested in a block
    diag.error(s.loc, "an equation cannot stand inside 'if' or 'reset'",
               "use a conditional expression: '" + s.name.name +
                   "' = if … then … else …'");
    return;
  case Stmt::Solve:
  case Stmt::Refractory:
    return;
  }
}

void CodeEmitter::let(const Stmt &s) {
  if (c.symbols.count(s.name.name) || locals.count(s.name.name)) {
    diag.error(s.name.loc, "'" + s.name.name + "' is already declared");
    return;
  }
  if (ScalarResult r = ev.eval(*s.value)) {
    locals.insert({s.name.name, *r});
    localExprs[s.name.name] = s.value.get();
  }
}

/// The state that a statement changes, or null after an error.
const Symbol *CodeEmitter::target(const Ident &name) {
  auto it = c.symbols.find(name.name);
  if (it == c.symbols.end()) {
    if (locals.count(name.name)) {
      diag.error(name.loc, "'" + name.name + "' is defined by 'let' and cannot "
                                             "be assigned",
                 "declare it as a state, or use another 'let'");
      return nullptr;
    }
    std::vector<std::string> known;
    for (const auto &[n, s] : c.symbols)
      if (s.kind == SymbolKind::State || s.kind == SymbolKind::Weight)
        known.push_back(n);
    diag.unknown(name.loc, "state", name.name, known);
    return nullptr;
  }
  const Symbol &s = it->second;
  bool ok = assignable ? assignable(s)
                       : s.kind == SymbolKind::State ||
                             s.kind == SymbolKind::Weight;
  if (ok)
    return &s;
  const char *what = s.kind == SymbolKind::Param    ? "a parameter"
                     : s.kind == SymbolKind::Input  ? "an input"
                     : s.kind == SymbolKind::Output ? "an output"
                     : s.kind == SymbolKind::Let    ? "a definition"
                     : s.kind == SymbolKind::Trace  ? "a trace"
                     : s.kind == SymbolKind::Factor ? "a third factor"
                     : s.kind == SymbolKind::State  ? "a state"
                     : s.kind == SymbolKind::Weight ? "the weight"
                                                    : "a signal";
  diag.error(name.loc, "'" + name.name + "' is " + what +
                           " and cannot be assigned in " + where,
             s.kind == SymbolKind::Output
                 ? "write 'emit " + name.name + " = …'"
                 : (s.kind == SymbolKind::Param ? "declare it with 'state'"
                                                : ""));
  return nullptr;
}

void CodeEmitter::assign(const Stmt &s) {
  const Symbol *sym = target(s.name);
  std::string what = "the value of '" + s.name.name + "'";
  if (!sym) {
    (void)ev.eval(*s.value); // its own errors are worth reporting
    return;
  }
  Dim want = s.op == "*=" || s.op == "/=" ? Dim() : sym->dim;
  if (want.isNone() && want != sym->dim)
    what = "the factor of '" + s.op + "'";
  ScalarResult r = ev.evalAs(*s.value, want, what);
  if (!r)
    return;
  std::optional<Scalar> v = r->p;
  if (s.op != "=")
    v = domain.binary(s.op.substr(0, 1), Scalar{get(*sym, s.loc), {}, false},
                      r->p, s.loc);
  if (!v)
    return;
  Value next = domain.materialize(*v, s.loc);
  Location l = diag.location(s.loc);
  if (guard) {
    next = arith::SelectOp::create(b, l, guard, next, get(*sym, s.loc));
  } else if (held && !fired &&
             llvm::any_of(refractory->names, [&](const Ident &n) {
               return n.name == s.name.name;
             })) {
    next = arith::SelectOp::create(b, l, held, get(*sym, s.loc), next);
  }
  set(*sym, next, s.loc);
  if (sym->kind == SymbolKind::Weight)
    weightAssigned = true;
}

void CodeEmitter::emitOutput(const Stmt &s) {
  auto it = c.symbols.find(s.name.name);
  if (it == c.symbols.end() || it->second.kind != SymbolKind::Output) {
    diag.unknown(s.name.loc, "output", s.name.name, c.outputs);
    return;
  }
  const Symbol &out = it->second;
  Location l = diag.location(s.loc);
  if (emitted && !emitted->insert(s.name.name).second) {
    diag.error(s.loc, "output '" + s.name.name + "' is emitted twice",
               "emit it once, with a conditional expression");
    return;
  }
  if (out.spike) {
    if (s.value) {
      diag.error(s.value->loc, "output '" + s.name.name +
                                   "' is a spike and has no value",
                 "write 'emit " + s.name.name +
                     " when condition', or declare 'output " + s.name.name +
                     " : unit'");
      return;
    }
    ScalarResult cond = ev.evalCondition(*s.cond, "what stands after 'when'");
    if (cond)
      neuro::EmitOp::create(b, l, out.irName,
                            guarded(domain.materialize(cond->p, s.loc)));
    return;
  }
  if (!s.value || s.cond || guard) {
    diag.error(s.loc, "output '" + s.name.name +
                          "' has a value in every tick and cannot be "
                          "conditional",
               "write 'emit " + s.name.name + " = if … then … else …'");
    return;
  }
  ScalarResult r =
      ev.evalAs(*s.value, out.dim, "output '" + s.name.name + "'");
  if (!r)
    return;
  Value v = domain.materialize(r->p, s.loc);
  if (out.hertz)
    v = arith::MulFOp::create(b, l, v, constant(1e3, s.loc));
  neuro::EmitOp::create(b, l, out.irName, v);
}

void CodeEmitter::spike(const Stmt &s) {
  std::vector<std::string> events;
  for (const std::string &name : c.outputs)
    if (c.symbols[name].spike)
      events.push_back(name);
  std::string name;
  if (llvm::is_contained(events, "spike"))
    name = "spike";
  else if (events.size() == 1)
    name = events[0];
  if (name.empty()) {
    diag.error(s.loc, "'spike when' needs a spike output",
               "declare 'output spike'");
    return;
  }
  if (emitted && !emitted->insert(name).second) {
    diag.error(s.loc, "output '" + name + "' is emitted twice");
    return;
  }
  ScalarResult cond = ev.evalCondition(*s.cond, "what stands after 'when'");
  if (!cond)
    return;
  Location l = diag.location(s.loc);
  Value v = guarded(domain.materialize(cond->p, s.loc));
  if (held) {
    Value one = arith::ConstantOp::create(b, l, b.getBoolAttr(true));
    Value free = arith::XOrIOp::create(b, l, held, one);
    v = arith::AndIOp::create(b, l, v, free);
  }
  neuro::EmitOp::create(b, l, name, v);
  fired = v;
}

void CodeEmitter::reset(const Stmt &s) {
  if (!fired) {
    diag.error(s.loc, "'reset' follows 'spike when' in the same stage");
    return;
  }
  Value outer = guard;
  guard = fired;
  for (const StmtPtr &inner : s.body)
    stmt(*inner);
  guard = outer;
}

void CodeEmitter::conditional(const Stmt &s) {
  ScalarResult cond = ev.evalCondition(*s.cond, "what stands after 'if'");
  if (!cond)
    return;
  Location l = diag.location(s.loc);
  Value v = domain.materialize(cond->p, s.loc);
  Value outer = guard;
  auto outerLocals = locals;
  guard = guarded(v);
  for (const StmtPtr &inner : s.body)
    stmt(*inner);
  locals = outerLocals;
  guard = outer;
  if (s.other.empty())
    return;
  Value one = arith::ConstantOp::create(b, l, b.getBoolAttr(true));
  guard = guarded(arith::XOrIOp::create(b, l, v, one));
  for (const StmtPtr &inner : s.other)
    stmt(*inner);
  locals = outerLocals;
  guard = outer;
}

//===----------------------------------------------------------------------===//
// Equations
//===----------------------------------------------------------------------===//

void CodeEmitter::equations(const std::vector<StmtPtr> &body) {
  static const std::vector<std::string> methods = {
      "auto", "exact", "exponential_euler", "rk4", "euler"};
  neuro::Method method = neuro::Method::Auto;
  for (const StmtPtr &s : body)
    if (s->kind == Stmt::Solve) {
      auto m = neuro::symbolizeMethod(s->name.name);
      if (!m)
        diag.unknown(s->name.loc, "method", s->name.name, methods);
      else
        method = *m;
    }
  std::set<std::string> done;
  Operation *firstEquation = nullptr;
  std::string noRandom = domain.noRandom;
  // A stage-level definition that stands further down is known here, too.
  for (const StmtPtr &s : body)
    if (s->kind == Stmt::Let && !locals.count(s->name.name) &&
        !c.symbols.count(s->name.name))
      localExprs.insert({s->name.name, s->value.get()});
  for (const StmtPtr &s : body) {
    if (s->kind != Stmt::Ode)
      continue;
    const Symbol *sym = target(s->name);
    if (!sym)
      continue;
    if (allowOde && sym->kind != SymbolKind::State) {
      diag.error(s->loc, "'" + s->name.name + "' is the weight; equations of "
                         "a rule are for the states of its synapses",
                 "write the step itself: '" + s->name.name + " += dt * (" +
                     s->value->text().str() + ")'");
      continue;
    }
    if (!done.insert(s->name.name).second) {
      diag.error(s->loc, "'" + s->name.name + "' has two equations");
      continue;
    }
    Location l = diag.location(s->loc);
    bool hold = held && llvm::any_of(refractory->names, [&](const Ident &n) {
                  return n.name == s->name.name;
                });
    auto op = neuro::DiffOp::create(b, l, sym->irName, hold ? held : Value(),
                                    method);
    if (!firstEquation)
      firstEquation = op;
    Block &block = op.getBody().emplaceBlock();
    OpBuilder::InsertionGuard saved(b);
    b.setInsertionPointToStart(&block);
    inEquation = true;
    domain.hoistBefore = firstEquation;
    domain.noRandom = "an equation cannot contain random numbers; add noise "
                      "after it, scaled by sqrt(dt)";
    Dim want = sym->dim / Dim::time();
    ScalarResult r = ev.evalAs(*s->value, want,
                               "d" + s->name.name + "/dt");
    domain.noRandom = noRandom;
    inEquation = false;
    domain.hoistBefore = nullptr;
    Value v = r ? domain.materialize(r->p, s->loc) : constant(0, s->loc);
    if (sym->hertz)
      v = arith::MulFOp::create(b, l, v, constant(1e3, s->loc));
    neuro::YieldOp::create(b, l, v);
  }
}

void CodeEmitter::beginRefractory(const Stmt &s) {
  refractory = &s;
  for (const Ident &n : s.names)
    target(n);
  Location l = diag.location(s.loc);
  Value left = neuro::GetOp::create(b, l, b.getF64Type(), refractoryState);
  held = arith::CmpFOp::create(b, l, arith::CmpFPredicate::OGT, left,
                               constant(0, s.loc));
}

/// After a spike the counter starts at round(t / dt), else it counts down.
void CodeEmitter::endRefractory() {
  SMLoc loc = refractory->loc;
  if (!fired) {
    if (!diag.failed())
      diag.error(loc, "'refractory' needs 'spike when' in the same stage");
    return;
  }
  ScalarResult t = ev.evalAs(*refractory->value, Dim::time(),
                             "the refractory time");
  if (!t)
    return;
  Location l = diag.location(loc);
  Value dt = neuro::DtOp::create(b, l, b.getF64Type());
  Value n = arith::DivFOp::create(b, l, domain.materialize(t->p, loc), dt);
  n = math::RoundOp::create(b, l, n);
  Value left = neuro::GetOp::create(b, l, b.getF64Type(), refractoryState);
  Value down = arith::SubFOp::create(b, l, left, constant(1, loc));
  down = arith::MaximumFOp::create(b, l, down, constant(0, loc));
  neuro::SetOp::create(b, l, refractoryState,
                       arith::SelectOp::create(b, l, fired, n, down));
}

} // namespace neuroc::lang
