// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers from value attributes.
#include "neuroc/Neuro/Analysis/Values.h"

using namespace mlir;
using namespace neuroc;
using namespace neuroc::neuro;

static double toDouble(APFloat value) {
  bool lost;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
  return value.convertToDouble();
}

std::vector<double> neuroc::neuro::toDoubles(ElementsAttr elements) {
  std::vector<double> values;
  values.reserve(elements.getNumElements());
  Type type = elements.getElementType();
  // Large arrays are blobs; read those of f64 and f32 straight.
  if (auto wide = dyn_cast<DenseF64ResourceElementsAttr>(elements)) {
    if (auto array = wide.tryGetAsArrayRef())
      values.assign(array->begin(), array->end());
    return values;
  }
  if (auto narrow = dyn_cast<DenseF32ResourceElementsAttr>(elements)) {
    if (auto array = narrow.tryGetAsArrayRef())
      values.assign(array->begin(), array->end());
    return values;
  }
  if (isa<FloatType>(type)) {
    for (const APFloat &value : elements.getValues<APFloat>())
      values.push_back(toDouble(value));
  } else if (type.isInteger(1)) {
    for (bool value : elements.getValues<bool>())
      values.push_back(value);
  } else if (isa<IntegerType>(type)) {
    for (const APInt &value : elements.getValues<APInt>())
      values.push_back(type.isUnsignedInteger() ? value.roundToDouble(false)
                                                : value.roundToDouble(true));
  }
  return values;
}

std::optional<double> neuroc::neuro::getSingleValue(Attribute value) {
  if (auto number = dyn_cast<FloatAttr>(value))
    return number.getValueAsDouble();
  if (auto elements = dyn_cast<ElementsAttr>(value);
      elements && elements.isSplat() && elements.getNumElements() > 0) {
    if (isa<FloatType>(elements.getElementType()))
      return toDouble(elements.getSplatValue<APFloat>());
    if (isa<IntegerType>(elements.getElementType()))
      return elements.getSplatValue<APInt>().roundToDouble(true);
  }
  return std::nullopt;
}

rt::Distribution neuroc::neuro::getDistribution(Attribute value) {
  rt::Distribution result;
  if (std::optional<double> number = getSingleValue(value)) {
    result.a = *number;
    return result;
  }
  auto distribution = dyn_cast<DistributionAttr>(value);
  if (!distribution)
    return result;
  switch (distribution.getKind()) {
  case DistributionKind::Uniform:
    result.kind = rt::DistributionKind::Uniform;
    break;
  case DistributionKind::Normal:
    result.kind = rt::DistributionKind::Normal;
    break;
  case DistributionKind::Lognormal:
    result.kind = rt::DistributionKind::Lognormal;
    break;
  case DistributionKind::Exponential:
    result.kind = rt::DistributionKind::Exponential;
    break;
  }
  result.a = distribution.getA().getValueAsDouble();
  result.b = distribution.getB().getValueAsDouble();
  if (DenseF64ArrayAttr clip = distribution.getClip()) {
    result.lo = clip[0];
    result.hi = clip[1];
  }
  return result;
}

std::vector<double> neuroc::neuro::materialize(Attribute value, int64_t count,
                                               uint64_t seed,
                                               StringRef stream) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (elements && !elements.isSplat()) {
    std::vector<double> values = toDoubles(elements);
    // A verifier has checked the size: `count`, or in a batch as many for each
    // lane.
    if (values.size() < size_t(count))
      values.resize(count);
    return values;
  }
  rt::Distribution distribution = getDistribution(value);
  uint64_t key = neuroc_rt_key(seed, neuroc_rt_stream(stream.str().c_str()));
  std::vector<double> values(count);
  for (int64_t i = 0; i < count; ++i)
    values[i] = rt::sample(distribution, key, i);
  return values;
}

/// The attribute that gives `name`: an override or the declaration's default.
template <typename DeclarationOp>
static Attribute findValue(PopulationOp population,
                           std::optional<DictionaryAttr> overrides,
                           StringRef name, bool isState) {
  if (overrides)
    if (Attribute value = overrides->get(name))
      return value;
  auto declaration =
      dyn_cast_or_null<DeclarationOp>(population.getModelOp().lookup(name));
  if (!declaration)
    return FloatAttr::get(Float64Type::get(population.getContext()), 0.0);
  return declaration->getAttr(isState ? "init" : "value");
}

static std::vector<double> materializeFor(PopulationOp population,
                                          Attribute value, StringRef name) {
  return materialize(
      value, population.getNumUnits(),
      population->getParentOfType<NetworkOp>().getSeed(),
      (population.getSymName() + "." + name).str());
}

std::vector<double> neuroc::neuro::getInitialState(PopulationOp population,
                                                   StringRef state) {
  return materializeFor(population,
                        findValue<StateOp>(population, population.getInit(),
                                           state, /*isState=*/true),
                        state);
}

std::vector<double> neuroc::neuro::getParamValues(PopulationOp population,
                                                  StringRef param) {
  return materializeFor(population,
                        findValue<ParamOp>(population, population.getParams(),
                                           param, /*isState=*/false),
                        param);
}

std::optional<double> neuroc::neuro::getUniformParam(PopulationOp population,
                                                     StringRef param) {
  return getSingleValue(findValue<ParamOp>(population, population.getParams(),
                                           param, /*isState=*/false));
}

std::vector<double> neuroc::neuro::getInitialStimulus(StimulusOp stimulus) {
  int64_t count =
      cast<RankedTensorType>(stimulus.getOutput().getType()).getNumElements();
  if (auto init = stimulus.getInit())
    return materialize(*init, count,
                       stimulus->getParentOfType<NetworkOp>().getSeed(),
                       stimulus.getSymName());
  return std::vector<double>(count, 0.0);
}
