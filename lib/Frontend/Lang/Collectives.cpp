// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Collectives: group_sum(x) over the units of a population, sum_over_post(x)
// over the synapses of a rule, and their kin, as `neuro.reduce`.
#include "ConstEval.h"
#include "ScalarEmit.h"

#include "neuroc/Neuro/Neuro.h"

namespace neuroc::lang {

using namespace mlir;

namespace {
struct Kind {
  const char *name;
  neuro::GroupReduce kind;
  bool k = false, prefix = false;
};
const Kind kinds[] = {{"sum", neuro::GroupReduce::Sum},
                      {"max", neuro::GroupReduce::Max},
                      {"min", neuro::GroupReduce::Min},
                      {"logsumexp", neuro::GroupReduce::LogSumExp},
                      {"kth_largest", neuro::GroupReduce::KthLargest, true},
                      {"rank", neuro::GroupReduce::Rank},
                      {"prefix_sum", neuro::GroupReduce::Sum, false, true}};

/// What a name asks for; null: no collective.
const Kind *collectiveOf(llvm::StringRef name, neuro::ReduceOver &over) {
  llvm::StringRef kind = name;
  if (kind.consume_front("group_"))
    over = neuro::ReduceOver::Units;
  else if (kind.consume_back("_over_post"))
    over = neuro::ReduceOver::Post;
  else if (kind.consume_back("_over_pre"))
    over = neuro::ReduceOver::Pre;
  else if (kind.consume_back("_over_all"))
    over = neuro::ReduceOver::All;
  else
    return nullptr;
  for (const Kind &k : kinds)
    if (kind == k.name)
      return &k;
  return nullptr;
}
} // namespace

const std::vector<std::string> &collectiveNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> n;
    for (const Kind &k : kinds) {
      n.push_back(std::string("group_") + k.name);
      for (const char *over : {"_over_post", "_over_pre", "_over_all"})
        n.push_back(std::string(k.name) + over);
    }
    return n;
  }();
  return names;
}

/// A call of a collective; nothing if it is none.
std::optional<ScalarResult> ScalarDomain::collective(const Expr &e) {
  neuro::ReduceOver over = neuro::ReduceOver::Units;
  const Kind *kind = collectiveOf(e.name, over);
  if (!kind)
    return std::nullopt;
  bool units = over == neuro::ReduceOver::Units;
  if (collectives != (units ? Collectives::Units : Collectives::Synapses)) {
    diag.error(e.loc, "'" + e.name + "' cannot be used here",
               units ? "it belongs into a stage of a model; in a rule write " +
                           std::string(kind->name) +
                           "_over_post(…), …_pre or "
                           "…_all"
                     : "it belongs into a handler of a rule; in a model write "
                       "group_" +
                           std::string(kind->name) + "(…)");
    return ScalarResult();
  }
  // group_kth_largest(x, k, group = n)
  const Expr *value = nullptr, *k = nullptr, *group = nullptr;
  for (size_t i = 0; i < e.args.size(); ++i) {
    llvm::StringRef name = e.argNames[i].name;
    if (name.empty() && !value)
      value = e.args[i].get();
    else if (kind->k && !k && (name.empty() || name == "k"))
      k = e.args[i].get();
    else if (units && name == "group" && !group)
      group = e.args[i].get();
    else {
      value = nullptr;
      break;
    }
  }
  if (!value || kind->k != (k != nullptr)) {
    diag.error(e.loc,
               "'" + e.name + "' takes a value" +
                   (kind->k ? " and the number k" : "") +
                   (units ? ", and group = n if it is not about the "
                            "whole population"
                          : ""),
               "write " + e.name + (kind->k ? "(x, 3)" : "(x)"));
    return ScalarResult();
  }
  auto number = [&](const Expr *n, llvm::StringRef what) -> IntegerAttr {
    if (!n || !wholeNumber)
      return {};
    auto v = wholeNumber(*n, what);
    return v ? builder.getI64IntegerAttr(*v) : IntegerAttr();
  };
  IntegerAttr kAttr = number(k, "'k'"), groupAttr = number(group, "'group'");
  if ((k && !kAttr) || (group && !groupAttr))
    return ScalarResult();
  // What an equation uses is computed before the equations of its stage.
  OpBuilder::InsertionGuard saved(builder);
  if (hoistBefore)
    builder.setInsertionPoint(hoistBefore);
  ScalarResult x = evaluate(*value);
  if (!x)
    return ScalarResult();
  if (x->boolean) {
    diag.error(value->loc,
               "'" + e.name + "' needs numbers, but " + quote(*value) +
                   " is a condition",
               "write 'if " + value->text().str() + " then 1 else 0'");
    return ScalarResult();
  }
  bool rank = kind->kind == neuro::GroupReduce::Rank;
  if (kind->kind == neuro::GroupReduce::LogSumExp && !x->anyUnit &&
      !x->dim.isNone()) {
    diag.error(e.loc,
               "'" + e.name + "' needs a pure number, but " + quote(*value) +
                   isIn(x->dim),
               "divide it by a quantity in " + x->dim.str());
    return ScalarResult();
  }
  Value r = neuro::ReduceOp::create(
      builder, diag.location(e.loc), builder.getF64Type(), kind->kind,
      materialize(x->p, e.loc), over, groupAttr, kAttr, kind->prefix);
  return ScalarResult(Val{Scalar{r, {}, false}, rank ? Dim() : x->dim});
}

} // namespace neuroc::lang
