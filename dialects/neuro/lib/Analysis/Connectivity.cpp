// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Translates weights of the IR to the runtime's connection rules and expands
// them.
#include "neuroc/Neuro/Analysis/Connectivity.h"
#include "neuroc/Neuro/Analysis/Values.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::neuro;

rt::ConnectRule neuroc::neuro::getConnectRule(WeightOp weight) {
  rt::ConnectRule rule;
  rule.pre.assign(weight.getPre().begin(), weight.getPre().end());
  rule.post.assign(weight.getPost().begin(), weight.getPost().end());
  rule.seed = weight->getParentOfType<NetworkOp>().getSeed();
  rule.stream = weight.getSymName().str();
  Attribute connect = weight.getConnect();
  if (auto mask = weight.getMask())
    for (bool present : mask->getValues<bool>())
      rule.mask.push_back(present);
  if (auto allToAll = dyn_cast<AllToAllAttr>(connect)) {
    rule.self = allToAll.getSelf();
  } else if (isa<OneToOneAttr>(connect)) {
    rule.kind = rt::ConnectKind::OneToOne;
  } else if (auto list = dyn_cast<ListConnectAttr>(connect)) {
    rule.kind = rt::ConnectKind::List;
    for (const APInt &index : list.getPairs().getValues<APInt>())
      rule.pairs.push_back(index.getSExtValue());
  } else if (auto fixed = dyn_cast<FixedProbabilityAttr>(connect)) {
    rule.kind = rt::ConnectKind::FixedProbability;
    rule.probability = fixed.getP().getValueAsDouble();
    rule.self = fixed.getSelf();
  } else if (auto in = dyn_cast<FixedInDegreeAttr>(connect)) {
    rule.kind = rt::ConnectKind::FixedInDegree;
    rule.degree = in.getK();
    rule.self = in.getSelf();
    rule.multapses = in.getMultapses();
  } else if (auto out = dyn_cast<FixedOutDegreeAttr>(connect)) {
    rule.kind = rt::ConnectKind::FixedOutDegree;
    rule.degree = out.getK();
    rule.self = out.getSelf();
    rule.multapses = out.getMultapses();
  } else if (auto conv = dyn_cast<ConvAttr>(connect)) {
    rule.kind = rt::ConnectKind::Convolution;
    std::copy_n(conv.getKernel().asArrayRef().begin(), 2, rule.kernel);
    std::copy_n(conv.getStrides().asArrayRef().begin(), 2, rule.strides);
    std::copy_n(conv.getPads().asArrayRef().begin(), 4, rule.pads);
    std::copy_n(conv.getDilations().asArrayRef().begin(), 2, rule.dilations);
    rule.groups = conv.getGroups();
  }
  return rule;
}

rt::ValueRule neuroc::neuro::getValueRule(Attribute values) {
  rt::ValueRule rule;
  if (auto elements = dyn_cast<ElementsAttr>(values);
      elements && !elements.isSplat())
    rule.array = toDoubles(elements);
  else
    rule.distribution = getDistribution(values);
  return rule;
}

/// Keeps a value inside the weight's bounds and sign class.
static double confine(WeightOp weight, double value) {
  if (weight.getSign() == Sign::Excitatory)
    value = std::max(value, 0.0);
  if (weight.getSign() == Sign::Inhibitory)
    value = std::min(value, 0.0);
  if (auto bounds = weight.getBounds())
    value = std::clamp(value, (*bounds)[0], (*bounds)[1]);
  return value;
}

FailureOr<ExpandedWeight> neuroc::neuro::expandWeight(WeightOp weight) {
  ExpandedWeight result;
  rt::ConnectRule rule = getConnectRule(weight);
  if (rt::Status status = rt::expandConnectivity(rule, result.synapses);
      !status)
    return weight.emitOpError(status.message());
  result.values = rt::synapseValues(rule, result.synapses,
                                    getValueRule(weight.getValues()));
  for (double &value : result.values)
    value = confine(weight, value);
  return result;
}

std::vector<uint32_t>
neuroc::neuro::expandDelays(ProjectOp project, const rt::Synapses &synapses) {
  auto delays = project.getDelays();
  if (!delays)
    return std::vector<uint32_t>(synapses.size(),
                                 uint32_t(project.getDelay()));
  double dt =
      project->getParentOfType<NetworkOp>().getDt().convertToDouble();
  return rt::synapseDelays(getConnectRule(project.getWeightOp()), synapses,
                           getValueRule(*delays), dt);
}

uint32_t neuroc::neuro::getMaxDelay(ProjectOp project,
                                    const rt::Synapses &synapses) {
  if (!project.getDelays())
    return project.getDelay();
  std::vector<uint32_t> delays = expandDelays(project, synapses);
  return delays.empty() ? 1 : *std::max_element(delays.begin(), delays.end());
}

bool neuroc::neuro::isDenseLayout(WeightOp weight) {
  return isa<DenseConnectAttr, AllToAllAttr>(weight.getConnect());
}

DenseForm neuroc::neuro::getDenseForm(WeightOp weight) {
  assert(isDenseLayout(weight) && "not a dense layout");
  DenseForm form;
  form.numPost = weight.getNumPost();
  form.numPre = weight.getNumPre();
  rt::ConnectRule rule = getConnectRule(weight);
  rt::ValueRule values = getValueRule(weight.getValues());
  uint64_t key = neuroc_rt_key(
      rule.seed, neuroc_rt_stream((rule.stream + ".values").c_str()));
  bool skipSelf = !rule.self && form.numPre == form.numPost;
  int64_t count = form.numPost * form.numPre;
  form.values.resize(count);
  if (skipSelf || !rule.mask.empty())
    form.exists.assign(count, true);
  for (int64_t position = 0; position < count; ++position) {
    if ((skipSelf && position / form.numPre == position % form.numPre) ||
        (!rule.mask.empty() && !rule.mask[position])) {
      form.exists[position] = false;
      continue;
    }
    form.values[position] =
        confine(weight, !values.array.empty()
                            ? values.array[position]
                            : rt::sample(values.distribution, key, position));
  }
  return form;
}
