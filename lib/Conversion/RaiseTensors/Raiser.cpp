// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each tensor value is, in terms of signals. Moves renumber elements;
// affine elementwise code becomes scale and offset; other elementwise code is
// kept as an expression that grows until something else consumes it; sums of
// products and maxima become projections. Values are visited from the nodes
// that consume them, so that dead code costs nothing.
#include "Raiser.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::raise;

std::nullptr_t Raiser::refuse(Operation *op, const Twine &reason) {
  // Tools print only the file of a named location, so the name goes before.
  auto named = dyn_cast<NameLoc>(op->getLoc());
  if (!reported)
    emitError(op->getLoc())
        << (named ? named.getName().str() + ": "
                  : "'" + op->getName().getStringRef().str() + "' ")
        << "can't be expressed as neurons and weights: " << reason
        << "; compile for a target that runs tensor operations "
           "(cpu), or change the model";
  reported = true;
  return nullptr;
}

Raiser::Result Raiser::lazy(Value value) {
  auto found = known.find(value);
  if (found != known.end())
    return found->second;
  Result result = compute(value);
  if (result)
    known[value] = result;
  return result;
}

Raiser::Result Raiser::fromHost(const HostTensor &tensor, Location loc) {
  auto result = std::make_shared<Lazy>(Lazy{{}, {}, {}, false, loc});
  result->shape.assign(tensor.shape.begin(), tensor.shape.end());
  result->elements.reserve(tensor.data.size());
  for (HostScalar value : tensor.data)
    result->elements.push_back({-1, 0, 0, value.f});
  return result;
}

static bool isTensorCode(Operation *op) {
  return op && !isa<neuro::NeuroDialect>(op->getDialect());
}

Raiser::Result Raiser::compute(Value value) {
  Operation *op = value.getDefiningOp();
  auto type = cast<RankedTensorType>(value.getType());
  if (!isTensorCode(op)) { // a node's signal
    auto result =
        std::make_shared<Lazy>(Lazy{{}, {}, {}, false, value.getLoc()});
    result->shape.assign(type.getShape().begin(), type.getShape().end());
    int source = addSource(value);
    for (int64_t i = 0; i < type.getNumElements(); ++i)
      result->elements.push_back({source, i, 1, 0});
    return result;
  }
  if (!isa<FloatType>(type.getElementType()))
    return refuse(op, "the target has no integers or truth values between "
                      "nodes");
  if (auto host = eval.evaluate(value))
    return fromHost(*host, value.getLoc());
  Result result;
  if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::CastOp>(op)) {
    result = reshape(op);
  } else if (isa<tensor::ExtractSliceOp>(op)) {
    result = extractSlice(op);
  } else if (isa<tensor::InsertSliceOp>(op)) {
    result = insertSlice(op);
  } else if (auto generic = dyn_cast<linalg::LinalgOp>(op)) {
    if (op->getNumResults() != 1 || generic.hasDynamicShape())
      return refuse(op, "it has several results");
    bool extracts = false;
    op->walk([&](tensor::ExtractOp) { extracts = true; });
    if (generic.getNumReductionLoops() > 0)
      result = reduction(generic);
    else if (extracts)
      result = gather(generic);
    else
      result = elementwise(generic);
  } else {
    return refuse(op,
                  "the target has no '" + op->getName().getStringRef() + "'");
  }
  if (result)
    result->exclusive &= value.hasOneUse();
  return result;
}

std::optional<Elements> Raiser::elementsOf(const Result &value) {
  if (!value->expression)
    return value->elements;
  Value signal = buildPopulation(*value->expression, value->shape,
                                 value->exclusive, value->loc);
  if (!signal)
    return std::nullopt;
  int source = addSource(signal);
  int64_t count = neuro::countUnits(value->shape);
  value->expression.reset();
  value->elements.clear();
  for (int64_t i = 0; i < count; ++i)
    value->elements.push_back({source, i, 1, 0});
  return value->elements;
}

/// A copy of the block with its own arguments.
static std::shared_ptr<Expression> cloneExpression(const Expression &from) {
  auto to = std::make_shared<Expression>();
  to->block = std::make_unique<Block>();
  IRMapping mapping;
  for (BlockArgument argument : from.block->getArguments())
    mapping.map(argument,
                to->block->addArgument(argument.getType(), argument.getLoc()));
  OpBuilder builder = atEnd(*to->block, from.result.getContext());
  for (Operation &op : *from.block)
    builder.clone(op, mapping);
  to->arguments = from.arguments;
  to->result = mapping.lookup(from.result);
  return to;
}

Raiser::Result Raiser::reshape(Operation *op) {
  Result source = lazy(op->getOperand(0));
  if (!source)
    return nullptr;
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  auto result = std::make_shared<Lazy>(
      Lazy{{}, source->elements, {}, source->exclusive, source->loc});
  result->shape.assign(type.getShape().begin(), type.getShape().end());
  if (source->expression) {
    if (!op->getOperand(0).hasOneUse()) {
      auto elements = elementsOf(source);
      if (!elements)
        return nullptr;
      result->elements = std::move(*elements);
    } else {
      result->expression = cloneExpression(*source->expression);
    }
  }
  return result;
}

/// Offsets within `shape` of the elements of a slice, in the slice's order.
static std::vector<int64_t> sliceOffsets(ArrayRef<int64_t> shape,
                                         ArrayRef<int64_t> offsets,
                                         ArrayRef<int64_t> sizes,
                                         ArrayRef<int64_t> strides) {
  std::vector<int64_t> result;
  if (llvm::is_contained(sizes, 0))
    return result;
  SmallVector<int64_t, 6> index(sizes.size(), 0);
  do {
    int64_t offset = 0;
    for (size_t d = 0; d < shape.size(); ++d)
      offset = offset * shape[d] + offsets[d] + index[d] * strides[d];
    result.push_back(offset);
  } while (nextIndex(index, sizes));
  return result;
}

Raiser::Result Raiser::extractSlice(Operation *op) {
  auto slice = cast<tensor::ExtractSliceOp>(op);
  if (!slice.getOffsets().empty() || !slice.getSizes().empty() ||
      !slice.getStrides().empty())
    return refuse(op, "the slice moves at run time");
  Result source = lazy(slice.getSource());
  auto elements = source ? elementsOf(source) : std::nullopt;
  if (!elements)
    return nullptr;
  auto result = std::make_shared<Lazy>(Lazy{{}, {}, {}, false, source->loc});
  result->shape.assign(slice.getType().getShape().begin(),
                       slice.getType().getShape().end());
  for (int64_t offset :
       sliceOffsets(source->shape, slice.getStaticOffsets(),
                    slice.getStaticSizes(), slice.getStaticStrides()))
    result->elements.push_back((*elements)[offset]);
  return result;
}

Raiser::Result Raiser::insertSlice(Operation *op) {
  auto slice = cast<tensor::InsertSliceOp>(op);
  if (!slice.getOffsets().empty() || !slice.getSizes().empty() ||
      !slice.getStrides().empty())
    return refuse(op, "the slice moves at run time");
  Result source = lazy(slice.getSource()), dest = lazy(slice.getDest());
  auto from = source ? elementsOf(source) : std::nullopt;
  auto into = from && dest ? elementsOf(dest) : std::nullopt;
  if (!into)
    return nullptr;
  auto result = std::make_shared<Lazy>(
      Lazy{dest->shape, std::move(*into), {}, false, op->getLoc()});
  auto offsets = sliceOffsets(dest->shape, slice.getStaticOffsets(),
                              slice.getStaticSizes(), slice.getStaticStrides());
  for (auto [i, offset] : llvm::enumerate(offsets))
    result->elements[offset] = (*from)[i];
  return result;
}

/// A gather by constant positions: the positions are found by evaluating the
/// operation on the numbers of the elements.
Raiser::Result Raiser::gather(linalg::LinalgOp op) {
  tensor::ExtractOp extract;
  op->walk([&](tensor::ExtractOp inner) { extract = inner; });
  if (op.getBlock()->getTerminator()->getOperand(0) != extract.getResult())
    return refuse(op, "it computes on gathered elements");
  Result source = lazy(extract.getTensor());
  auto elements = source ? elementsOf(source) : std::nullopt;
  if (!elements)
    return nullptr;
  auto numbers = std::make_shared<HostTensor>();
  numbers->shape.assign(source->shape.begin(), source->shape.end());
  numbers->element = Float64Type::get(op.getContext());
  for (size_t i = 0; i < elements->size(); ++i)
    numbers->data.push_back({.f = double(i)});
  TensorEval probe;
  probe.bind(extract.getTensor(), numbers);
  auto positions = probe.evaluate(op->getResult(0));
  if (!positions)
    return refuse(op, "the gathered positions vary");
  auto result = std::make_shared<Lazy>(Lazy{{}, {}, {}, false, op->getLoc()});
  result->shape.assign(positions->shape.begin(), positions->shape.end());
  for (HostScalar position : positions->data)
    result->elements.push_back((*elements)[int64_t(position.f)]);
  return result;
}

/// Clones scalar code into a block of an expression, on f64.
static bool cloneBody(Block &body, Value yielded, Block &into,
                      IRMapping &mapping, std::string &why) {
  OpBuilder builder = atEnd(into, yielded.getContext());
  Type f64 = builder.getF64Type();
  auto clone = [&](auto &self, Value value) -> bool {
    if (mapping.contains(value))
      return true;
    Operation *op = value.getDefiningOp();
    if (!op) {
      why = "it reads the destination's old contents";
      return false;
    }
    FloatAttr number;
    if (matchPattern(op, m_Constant(&number))) {
      mapping.map(value, arith::ConstantOp::create(
                             builder, op->getLoc(),
                             builder.getF64FloatAttr(number.getValueAsDouble()))
                             .getResult());
      return true;
    }
    for (Value operand : op->getOperands())
      if (!self(self, operand))
        return false;
    // Formats are the target's choice: conversions between them vanish.
    if (isa<arith::ExtFOp, arith::TruncFOp>(op)) {
      mapping.map(value, mapping.lookup(op->getOperand(0)));
      return true;
    }
    if (isa<arith::UIToFPOp>(op) && op->getOperand(0).getType().isInteger(1)) {
      Value truth = mapping.lookup(op->getOperand(0));
      if (truth.getType().isInteger(1)) {
        Value one = arith::ConstantOp::create(builder, op->getLoc(),
                                              builder.getF64FloatAttr(1));
        Value zero = arith::ConstantOp::create(builder, op->getLoc(),
                                               builder.getF64FloatAttr(0));
        truth =
            arith::SelectOp::create(builder, op->getLoc(), truth, one, zero);
      }
      mapping.map(value, truth); // a spike counts as 1
      return true;
    }
    bool real = isa<FloatType>(value.getType());
    if (op->getNumResults() != 1 || op->getNumRegions() ||
        (!real && !value.getType().isInteger(1))) {
      why = ("the target has no '" + op->getName().getStringRef() + "'").str();
      return false;
    }
    Operation *copy = builder.clone(*op, mapping);
    if (real)
      copy->getResult(0).setType(f64);
    mapping.map(value, copy->getResult(0));
    if (!neuro::isScalarCode(copy)) {
      why = ("the target has no '" + op->getName().getStringRef() + "'").str();
      return false;
    }
    return true;
  };
  return clone(clone, yielded);
}

Raiser::Result Raiser::elementwise(linalg::LinalgOp op) {
  Block *body = op.getBlock();
  Value yielded = body->getTerminator()->getOperand(0);
  OpOperand *output = op.getDpsInitOperand(0);
  auto outType = cast<RankedTensorType>(output->get().getType());
  int64_t count = outType.getNumElements();
  auto outAccess =
      linearAccess(op.getMatchingIndexingMap(output), outType.getShape());
  SmallVector<int64_t, 4> ranges = op.getStaticLoopRanges();
  if (!outAccess || std::accumulate(ranges.begin(), ranges.end(), int64_t(1),
                                    std::multiplies<>()) != count)
    return refuse(op, "its loops are not one for each result element");
  // The elements that each result element reads, per operand.
  unsigned numInputs = op.getNumDpsInputs();
  std::vector<Result> inputs;
  std::vector<std::vector<int64_t>> reads(numInputs);
  for (unsigned i = 0; i < numInputs; ++i) {
    OpOperand *operand = op.getDpsInputOperand(i);
    if (!isa<RankedTensorType>(operand->get().getType()))
      return refuse(op, "it has a scalar operand");
    Result input = lazy(operand->get());
    if (!input)
      return nullptr;
    auto access = linearAccess(
        op.getMatchingIndexingMap(operand),
        cast<RankedTensorType>(operand->get().getType()).getShape());
    if (!access)
      return refuse(op, "its indexing is not linear");
    reads[i].resize(count);
    if (count) {
      SmallVector<int64_t, 8> index(ranges.size(), 0);
      do
        reads[i][outAccess->at(index)] = access->at(index);
      while (nextIndex(index, ranges));
    }
    // An expression stays pending if this is its only reader, unit by unit.
    if (input->expression &&
        (!operand->get().hasOneUse() ||
         neuro::countUnits(input->shape) != count ||
         op.getMatchingIndexingMap(operand).getNumResults() == 0) &&
        !elementsOf(input))
      return nullptr;
    inputs.push_back(input);
  }
  auto result = std::make_shared<Lazy>(Lazy{{}, {}, {}, true, op->getLoc()});
  result->shape.assign(outType.getShape().begin(), outType.getShape().end());
  auto gathered = [&](const Elements &from, unsigned i) {
    Elements elements(count);
    for (int64_t unit = 0; unit < count; ++unit)
      elements[unit] = from[reads[i][unit]];
    return elements;
  };
  auto varies = [](const Elements &elements) {
    return llvm::any_of(elements,
                        [](const Element &e) { return e.source >= 0; });
  };
  // Affine in one operand of elements: a scale and an offset for each unit.
  SmallVector<bool> varying;
  bool pending = false;
  int affineOperand = -1;
  unsigned numVarying = 0;
  for (unsigned i = 0; i < numInputs; ++i) {
    pending |= bool(inputs[i]->expression);
    varying.push_back(inputs[i]->expression || varies(inputs[i]->elements));
    result->exclusive &= !varying[i] || inputs[i]->exclusive;
    // A node's own signal and constants need no ownership.
    if (varying[i]) {
      ++numVarying;
      affineOperand = i;
    }
  }
  SmallVector<bool> withOutput(varying);
  withOutput.push_back(false);
  if (!pending && numVarying == 1)
    if (auto affine = AffineBody::compile(*body, yielded, withOutput)) {
      std::vector<AffineBody::Pair> slots(affine->numSlots());
      result->elements.resize(count);
      for (int64_t unit = 0; unit < count; ++unit) {
        for (unsigned i = 0; i < numInputs; ++i) {
          const Element &e = inputs[i]->elements[reads[i][unit]];
          slots[i] = int(i) == affineOperand ? AffineBody::Pair{1, 0}
                                             : AffineBody::Pair{0, e.offset};
        }
        AffineBody::Pair pair = affine->run(slots);
        Element e = inputs[affineOperand]->elements[reads[affineOperand][unit]];
        e.scale *= pair.a;
        e.offset = pair.a == 0 ? pair.c : e.offset * pair.a + pair.c;
        result->elements[unit] = e;
      }
      return result;
    }
  auto expression = std::make_shared<Expression>();
  expression->block = std::make_unique<Block>();
  IRMapping mapping;
  Type f64 = Float64Type::get(op.getContext());
  // Inline the expressions of operands, then this body.
  for (unsigned i = 0; i < numInputs; ++i) {
    auto addArgument = [&](Elements elements) {
      expression->arguments.push_back(std::move(elements));
      return expression->block->addArgument(f64, op->getLoc());
    };
    if (!inputs[i]->expression) {
      mapping.map(body->getArgument(i),
                  addArgument(gathered(inputs[i]->elements, i)));
      continue;
    }
    Expression &inner = *inputs[i]->expression;
    IRMapping inline_;
    for (auto [argument, elements] :
         llvm::zip(inner.block->getArguments(), inner.arguments))
      inline_.map(argument, addArgument(gathered(elements, i)));
    OpBuilder builder = atEnd(*expression->block, op.getContext());
    for (Operation &each : *inner.block)
      builder.clone(each, inline_);
    mapping.map(body->getArgument(i), inline_.lookup(inner.result));
  }
  std::string why;
  if (!cloneBody(*body, yielded, *expression->block, mapping, why))
    return refuse(op, why);
  expression->result = mapping.lookup(yielded);
  result->expression = std::move(expression);
  return result;
}

/// The part of a reduction's body that is folded with the accumulator.
static bool matchFold(Block &body, neuro::Combine &combine, Value &term) {
  Value yielded = body.getTerminator()->getOperand(0);
  BlockArgument accumulator = body.getArguments().back();
  Operation *fold = yielded.getDefiningOp();
  if (!fold || fold->getNumOperands() != 2 || !accumulator.hasOneUse())
    return false;
  if (isa<arith::AddFOp>(fold))
    combine = neuro::Combine::Sum;
  else if (isa<arith::MaximumFOp, arith::MaxNumFOp>(fold))
    combine = neuro::Combine::Max;
  else if (isa<arith::MinimumFOp, arith::MinNumFOp>(fold))
    combine = neuro::Combine::Min;
  else
    return false;
  if (fold->getOperand(0) == accumulator)
    term = fold->getOperand(1);
  else if (fold->getOperand(1) == accumulator)
    term = fold->getOperand(0);
  else
    return false;
  return true;
}

/// A guess at window geometry from the map of the varying operand: results of
/// the form stride * p + dilation * r with p parallel and r reduced.
static std::optional<WindowHint> windowHint(linalg::LinalgOp op,
                                            OpOperand *operand) {
  AffineMap map = op.getMatchingIndexingMap(operand);
  auto iterators = op.getIteratorTypesArray();
  SmallVector<int64_t, 4> ranges = op.getStaticLoopRanges();
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(operand->get().getType()).getShape();
  WindowHint hint;
  unsigned numReduced = 1;
  for (auto [d, expr] : llvm::enumerate(map.getResults())) {
    int parallel = -1, reduced = -1;
    for (unsigned loop = 0; loop < iterators.size(); ++loop)
      if (expr.isFunctionOfDim(loop)) {
        int &kind = iterators[loop] == utils::IteratorType::parallel ? parallel
                                                                     : reduced;
        if (kind >= 0)
          return std::nullopt;
        kind = loop;
      }
    if (parallel < 0 || reduced < 0)
      continue;
    SmallVector<int64_t, 8> at(iterators.size(), 0);
    auto value = [&] {
      return AffineMap::get(map.getNumDims(), 0, expr).compose(at)[0];
    };
    int64_t base = value();
    at[parallel] = 1;
    int64_t stride = value() - base;
    at[parallel] = 0;
    at[reduced] = 1;
    int64_t dilation = value() - base;
    if (base != 0 || stride < 1 || dilation < 1)
      return std::nullopt;
    hint.kernel.push_back(ranges[reduced]);
    hint.strides.push_back(stride);
    hint.dilations.push_back(dilation);
    hint.padded.push_back(shape[d]);
    hint.output.push_back(ranges[parallel]);
    numReduced *= ranges[reduced];
  }
  if (hint.kernel.empty() || hint.kernel.size() > 2)
    return std::nullopt;
  if (hint.kernel.size() == 1) // one dimension: a plane of height one
    for (Shape *list : {&hint.kernel, &hint.strides, &hint.dilations,
                        &hint.padded, &hint.output})
      list->insert(list->begin(), 1);
  int64_t all = 1;
  for (unsigned loop = 0; loop < iterators.size(); ++loop)
    if (iterators[loop] == utils::IteratorType::reduction)
      all *= ranges[loop];
  hint.reduced = all / numReduced;
  return hint;
}

/// A maximum compares what arrives, so scales and offsets must be applied
/// before it: by a population of the elements that vary.
bool Raiser::applyAffine(Elements &elements, bool exclusive, Location loc) {
  if (llvm::none_of(elements, [](const Element &e) {
        return e.source >= 0 && (e.offset != 0 || !(e.scale > 0));
      }))
    return true;
  auto expression = std::make_shared<Expression>();
  expression->block = std::make_unique<Block>();
  expression->result = expression->block->addArgument(
      Float64Type::get(network.getContext()), loc);
  expression->arguments.emplace_back();
  for (const Element &e : elements)
    if (e.source >= 0)
      expression->arguments[0].push_back(e);
  int64_t count = expression->arguments[0].size();
  Value signal = buildPopulation(*expression, {count}, exclusive, loc);
  if (!signal)
    return false;
  int source = addSource(signal);
  int64_t next = 0;
  for (Element &e : elements)
    if (e.source >= 0)
      e = {source, next++, 1, 0};
  return true;
}

Raiser::Result Raiser::reduction(linalg::LinalgOp op) {
  Block *body = op.getBlock();
  neuro::Combine combine;
  Value term;
  if (!matchFold(*body, combine, term))
    return refuse(op, "it is not a sum, a maximum or a minimum");
  auto start = eval.evaluate(op.getDpsInitOperand(0)->get());
  if (!start)
    return refuse(op, "its start value varies");
  SmallVector<int64_t, 4> ranges = op.getStaticLoopRanges();
  int64_t points = 1;
  for (int64_t range : ranges)
    points *= range;
  if (points > maxSynapses)
    return refuse(op, "it has " + Twine(points) + " products, the limit is " +
                          Twine(maxSynapses) + " (option max-synapses)");
  // Operands: element lists and how the loops read them. Those that only give
  // loops their extent are not looked at.
  unsigned numInputs = op.getNumDpsInputs();
  std::vector<Elements> lists(numInputs);
  std::vector<LinearAccess> accesses(numInputs);
  SmallVector<bool> varying;
  OpOperand *varyingOperand = nullptr;
  for (unsigned i = 0; i < numInputs; ++i) {
    OpOperand *operand = op.getDpsInputOperand(i);
    varying.push_back(false);
    if (body->getArgument(i).use_empty())
      continue;
    Result input = lazy(operand->get());
    auto elements = input ? elementsOf(input) : std::nullopt;
    if (!elements)
      return nullptr;
    auto access =
        linearAccess(op.getMatchingIndexingMap(operand), input->shape);
    if (!access)
      return refuse(op, "its indexing is not linear");
    lists[i] = std::move(*elements);
    accesses[i] = std::move(*access);
    if (combine != neuro::Combine::Sum &&
        !applyAffine(lists[i], input->exclusive, input->loc))
      return nullptr;
    if (llvm::any_of(lists[i], [](auto &e) { return e.source >= 0; })) {
      if (varyingOperand)
        return refuse(op, "both factors of its products vary, so neither can "
                          "be a weight");
      varying[i] = true;
      varyingOperand = operand;
    }
  }
  if (!varyingOperand)
    return refuse(op, "its operands are constant but not computable");
  unsigned which = varyingOperand->getOperandNumber();
  SmallVector<bool> withOutput(varying);
  withOutput.push_back(false);
  auto affine = AffineBody::compile(*body, term, withOutput);
  if (!affine)
    return refuse(op, "a term is not a constant times the varying operand");
  OpOperand *output = op.getDpsInitOperand(0);
  auto outType = cast<RankedTensorType>(output->get().getType());
  auto outAccess =
      linearAccess(op.getMatchingIndexingMap(output), outType.getShape());
  if (!outAccess)
    return refuse(op, "its indexing is not linear");
  int64_t count = outType.getNumElements();
  std::vector<double> offsets(count, 0);
  for (int64_t i = 0; i < count; ++i)
    offsets[i] = combine == neuro::Combine::Sum ? start->data[i].f : 0;
  bool extremum = combine != neuro::Combine::Sum;
  if (extremum)
    for (HostScalar value : start->data)
      if (std::isfinite(value.f) && std::fabs(value.f) < 3e38)
        return refuse(op, "a maximum or minimum with a start value");
  std::map<int, std::vector<Synapse>> bySource;
  std::vector<AffineBody::Pair> slots(affine->numSlots());
  if (points) {
    SmallVector<int64_t, 8> index(ranges.size(), 0);
    do {
      int64_t post = outAccess->at(index);
      Element element;
      for (unsigned i = 0; i < numInputs; ++i) {
        if (lists[i].empty())
          continue;
        const Element &e = lists[i][accesses[i].at(index)];
        slots[i] = {0, e.offset};
        if (i == which) {
          element = e;
          slots[i] = {1, 0};
        }
      }
      AffineBody::Pair pair = affine->run(slots);
      if (element.source < 0) {
        // Padding: nothing to a maximum, a constant to a sum.
        double value = pair.a * element.offset + pair.c;
        if (!extremum)
          offsets[post] += value;
        else if (std::isfinite(value))
          return refuse(op, "a maximum or minimum over constants too");
        continue;
      }
      double offset = pair.a * element.offset + pair.c;
      if (extremum && offset != 0)
        return refuse(op, "a maximum or minimum of shifted values");
      if (extremum && !(pair.a * element.scale > 0))
        return refuse(op, "a maximum or minimum of negated values");
      offsets[post] += offset;
      bySource[element.source].push_back(
          {element.index, post, pair.a * element.scale});
    } while (nextIndex(index, ranges));
  }
  auto result = std::make_shared<Lazy>(Lazy{{}, {}, {}, true, op->getLoc()});
  result->shape.assign(outType.getShape().begin(), outType.getShape().end());
  if (bySource.size() > 1 && extremum)
    return refuse(op, "a maximum or minimum over several signals");
  std::optional<WindowHint> hint = windowHint(op, varyingOperand);
  std::vector<int> pending;
  for (auto &[from, synapses] : bySource) {
    llvm::stable_sort(synapses, [](const Synapse &a, const Synapse &b) {
      return std::tie(a.post, a.pre) < std::tie(b.post, b.pre);
    });
    std::vector<Synapse> merged;
    for (const Synapse &synapse : synapses) {
      if (!merged.empty() && merged.back().post == synapse.post &&
          merged.back().pre == synapse.pre && !extremum)
        merged.back().weight += synapse.weight;
      else
        merged.push_back(synapse);
    }
    Source source{{},      count, from,          std::move(merged),
                  combine, hint,  result->shape, op->getLoc()};
    pending.push_back(sources.size());
    sources.push_back(std::move(source));
  }
  if (pending.size() == 1) {
    for (int64_t i = 0; i < count; ++i)
      result->elements.push_back({pending[0], i, 1, offsets[i]});
    return result;
  }
  // Several signals: the sum of their projections.
  auto expression = std::make_shared<Expression>();
  expression->block = std::make_unique<Block>();
  OpBuilder builder = atEnd(*expression->block, op.getContext());
  Value sum;
  for (auto [n, source] : llvm::enumerate(pending)) {
    Elements elements;
    for (int64_t i = 0; i < count; ++i)
      elements.push_back({source, i, 1, n ? 0 : offsets[i]});
    expression->arguments.push_back(std::move(elements));
    Value argument =
        expression->block->addArgument(builder.getF64Type(), op->getLoc());
    sum = n ? arith::AddFOp::create(builder, op->getLoc(), sum, argument)
            : argument;
  }
  expression->result = sum;
  result->expression = std::move(expression);
  return result;
}
