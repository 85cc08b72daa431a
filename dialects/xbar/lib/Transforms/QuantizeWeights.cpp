// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decides which weights live in arrays and quantises them. Dense and
// convolutional weights that are summed go to arrays; sparse ones do when they
// learn, carry real values, or are dense enough; the rest is left to synaptic
// rows or the vector unit.
#include "neuroc/Neuro/Analysis/Connectivity.h"
#include "neuroc/Neuro/Analysis/Values.h"
#include "neuroc/Xbar/NetworkView.h"
#include "neuroc/Xbar/Passes.h"
#include "neuroc/Xbar/Quantize.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace neuroc::xbar {

#define GEN_PASS_DEF_QUANTIZEWEIGHTS
#include "neuroc/Xbar/XbarPasses.h.inc"

using namespace neuro;

namespace {
class QuantizeWeightsPass
    : public impl::QuantizeWeightsBase<QuantizeWeightsPass> {
public:
  using QuantizeWeightsBase::QuantizeWeightsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    map = getMap(module);
    if (!map) {
      module.emitError() << "no 'xbar.map': run xbar-assign-formats first";
      return signalPassFailure();
    }
    if (weightBits < 2 || weightBits > 16) {
      map.emitError() << "weight-bits must be in [2, 16], got "
                      << unsigned(weightBits);
      return signalPassFailure();
    }
    auto view = NetworkView::create(getNetwork(module));
    if (failed(view))
      return signalPassFailure();
    if (view->network.getBatch() > 1) {
      view->network.emitError("unsupported: 'batch' of ")
          << view->network.getBatch()
          << " on a crossbar machine, whose tiles run one network; set it to "
             "1, or run the samples one after the other";
      return signalPassFailure();
    }
    Builder builder(&getContext());
    for (Projection &projection : view->projections)
      if (projection.op)
        projection.op->setAttr(kProjectionAttr,
                               builder.getI64IntegerAttr(projection.id));
    for (WeightOp weight : view->network.getBody().front().getOps<WeightOp>())
      if (failed(visitWeight(weight, *view)))
        return signalPassFailure();
  }

private:
  /// True if the projection is a plain weighted sum that arrays can carry.
  static bool isArraySum(Projection &projection) {
    ProjectOp op = projection.op;
    return op.getTransmit().empty() && op.getCombine() == Combine::Sum &&
           !op.getDelays();
  }

  LogicalResult visitWeight(WeightOp weight, NetworkView &view) {
    auto uses = view.getUses(weight);
    PlasticOp plastic;
    for (PlasticOp candidate : view.plastics)
      if (candidate.getWeightOp() == weight)
        plastic = candidate;
    if (plastic && isa<ConvAttr>(weight.getConnect()))
      return plastic.emitError()
             << "unsupported: learning the kernel of a convolution on a "
                "crossbar machine; compute the change in the experiment and "
                "`assign` the weight";
    Projection *main = nullptr;
    for (Projection *use : uses)
      if (isArraySum(*use) &&
          (!main || (main->isTransposed() && !use->isTransposed())))
        main = use;
    if (plastic && (!main || llvm::any_of(uses, [](Projection *use) {
          return !isArraySum(*use);
        })))
      return plastic.emitError()
             << "unsupported: on a crossbar machine the weight '"
             << weight.getSymName()
             << "' can only learn where all its projections are plain weighted "
                "sums with one delay";
    if (!main)
      return success();
    // Blocks live where the main projection's targets do; one home only, if the
    // weight learns or is read both ways.
    bool bothWays = llvm::any_of(uses, [&](Projection *use) {
      return use->isTransposed() != main->isTransposed();
    });
    for (Projection *use : uses)
      if ((plastic || bothWays) && isArraySum(*use) &&
          use->isTransposed() == main->isTransposed() &&
          use->target.population != main->target.population)
        return use->op.emitError()
               << "unsupported: the weight '" << weight.getSymName()
               << "' learns or is read transposed, so on a crossbar machine it "
                  "can lead forward to one population only";
    auto conv = dyn_cast<ConvAttr>(weight.getConnect());
    for (Projection *use : uses)
      if (conv && use->isTransposed())
        return use->op.emitError()
               << "unsupported: a convolution read transposed on a crossbar "
                  "machine; write it as a convolution of its own";
    if (conv)
      return conv.getGroups() == 1 ? addConvolution(weight, view, conv)
                                   : success();
    if (!plastic && !isDenseLayout(weight)) {
      if (isa<OneToOneAttr>(weight.getConnect()))
        return success();
      bool spikes =
          llvm::all_of(uses, [](Projection *use) { return use->spikes; });
      if (spikes) {
        auto expanded = expandWeight(weight);
        if (failed(expanded))
          return failure();
        double pairs = double(weight.getNumPre()) * double(weight.getNumPost());
        if (double(expanded->values.size()) < sparseDensity * pairs)
          return success();
      }
    }
    return addMatrix(weight, view, plastic, main->isTransposed(), bothWays);
  }

  /// How large the weights that an experiment assigns may be; 0 if none does.
  double roomForWrites(WeightOp weight, NetworkView &view) {
    bool isWritten = false;
    for (auto experiment : getOperation().getOps<ExperimentOp>())
      experiment.walk([&](Operation *op) {
        if (auto assign = dyn_cast<AssignOp>(op))
          isWritten |= assign.getTarget() == weight.getSymName();
        else if (auto store = dyn_cast<StoreOp>(op))
          isWritten |= store.getInto() == HostKind::Weight &&
                       store.getTarget() == weight.getSymName();
      });
    if (!isWritten)
      return 0.0;
    RangeOptions options;
    options.hostWrites = true;
    options.learningRoom = 16.0;
    return RangeAnalysis(view.network, options)
        .weight(weight)
        .interval.magnitude();
  }

  /// Rows are the inputs of the main projection: pre units, or post units when
  /// the weight is only read transposed.
  LogicalResult addMatrix(WeightOp weight, NetworkView &view, PlasticOp plastic,
                          bool transposed, bool bothWays) {
    int64_t numPre = weight.getNumPre(), numPost = weight.getNumPost();
    int64_t rows = transposed ? numPost : numPre;
    int64_t cols = transposed ? numPre : numPost;
    if (plastic) {
      create(weight, rows, cols, transposed, nullptr);
      return success();
    }
    std::vector<double> values(size_t(rows * cols), 0.0);
    auto expanded = expandWeight(weight);
    if (failed(expanded))
      return failure();
    const rt::Synapses &synapses = expanded->synapses;
    for (int64_t pre = 0; pre < numPre; ++pre)
      for (uint64_t i = synapses.rowStart[size_t(pre)];
           i < synapses.rowStart[size_t(pre) + 1]; ++i) {
        int64_t post = synapses.post[i];
        int64_t row = transposed ? post : pre, col = transposed ? pre : post;
        values[size_t(row * cols + col)] += expanded->values[i];
      }
    double room = roomForWrites(weight, view);
    QuantizedMatrix matrix =
        quantizeColumns(values, rows, cols, weightBits, bothWays, room);
    create(weight, rows, cols, transposed, &matrix, room > 0.0);
    return success();
  }

  /// One row for each entry of a kernel, one column for each output channel.
  LogicalResult addConvolution(WeightOp weight, NetworkView &view,
                               ConvAttr conv) {
    int64_t channels = weight.getPost()[0];
    int64_t rows =
        weight.getPre()[0] * conv.getKernel()[0] * conv.getKernel()[1];
    std::vector<double> kernel =
        materializeKernel(weight, size_t(rows * channels));
    std::vector<double> values(kernel.size());
    for (int64_t col = 0; col < channels; ++col)
      for (int64_t row = 0; row < rows; ++row)
        values[size_t(row * channels + col)] = kernel[size_t(col * rows + row)];
    double room = roomForWrites(weight, view);
    QuantizedMatrix matrix = quantizeColumns(values, rows, channels, weightBits,
                                             /*oneScale=*/false, room);
    create(weight, rows, channels, /*transposed=*/false, &matrix, room > 0.0);
    return success();
  }

  static std::vector<double> materializeKernel(WeightOp weight, size_t count) {
    if (auto elements = dyn_cast<ElementsAttr>(weight.getValues()))
      return toDoubles(elements);
    return std::vector<double>(
        count, getSingleValue(weight.getValues()).value_or(0.0));
  }

  void create(WeightOp weight, int64_t rows, int64_t cols, bool transposed,
              const QuantizedMatrix *matrix, bool written = false) {
    OpBuilder builder(&getContext());
    builder.setInsertionPointToEnd(&map.getBody().front());
    int64_t cellBits = int64_t(map.getMachineOp().getCellBits());
    ElementsAttr levels;
    DenseF64ArrayAttr scales;
    int64_t maxLevel = (int64_t(1) << (weightBits - 1)) - 1;
    if (matrix) {
      auto type = RankedTensorType::get({rows, cols}, builder.getI16Type());
      levels = DenseElementsAttr::get(type, ArrayRef<int16_t>(matrix->levels));
      scales = builder.getDenseF64ArrayAttr(matrix->scales);
      maxLevel = matrix->maxLevel;
    }
    auto op = MatrixOp::create(
        builder, weight.getLoc(), (weight.getSymName() + "_q").str(),
        weight.getSymName(), weightBits,
        slicesFor(maxLevel, unsigned(cellBits)), ArrayRef<int64_t>{rows, cols},
        levels, scales, /*plastic=*/!matrix, transposed);
    if (written)
      op->setAttr(kWrittenAttr, builder.getUnitAttr());
  }

  MapOp map;
};
} // namespace

} // namespace neuroc::xbar
