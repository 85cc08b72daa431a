// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits weights: connectors with their options, values, sign class, bounds and
// masks. Values for all pairs are brought into the shape [post, pre].
#include "Elaborator.h"

namespace neuroc::lang {

using namespace mlir;

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
  const Expr *of = &e;
  if (of->kind == Expr::Call && of->name == "delayed" && !of->args.empty())
    of = of->args[0].get();
  const Expr &base = of->kind == Expr::Member ? *of->args[0] : *of;
  auto it = net.nodes.find(base.name);
  if (it == net.nodes.end() && isInstance(net, base))
    return std::nullopt;
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
      return neuro::FixedInDegreeAttr::getChecked(diag.checked(e.loc), ctx, *k, self, multapses);
    return neuro::FixedOutDegreeAttr::getChecked(diag.checked(e.loc), ctx, *k, self, multapses);
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
  return neuro::ConvAttr::getChecked(
      diag.checked(e.loc), ctx, b.getDenseI64ArrayAttr(numbers("kernel", {1, 1}, 2)),
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

} // namespace neuroc::lang
