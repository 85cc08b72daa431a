// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pipeline from upstream dialects to the LLVM dialect. Tensor functions
// (read buffers, compute, write buffers) are bufferized in one shot; their
// temporaries become static buffers, so that a tick allocates nothing. Linalg
// operations become loops whose innermost one runs along rows of the output
// where the operands allow it; the order in which each output element sums is
// never changed, so results are those of the naive loop nest.

#include "neuroc/Target/Cpu/Emit.h"

#include "ExpandMath.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Passes.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace neuroc::cpu {

namespace {

bool hasTensorCode(ModuleOp module) {
  return module
      .walk([](Operation *op) {
        bool tensor = llvm::any_of(op->getResultTypes(), [](Type type) {
          return isa<TensorType>(type);
        });
        return tensor || isa<linalg::LinalgDialect>(op->getDialect())
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// The order of loops for `op`: parallel loops, reductions, and last the
/// parallel loop along rows of the output, if no operand would be read with a
/// stride. Empty: leave the op as it is.
SmallVector<unsigned> chooseLoopOrder(linalg::GenericOp op) {
  if (op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0 ||
      op.getNumParallelLoops() == 0)
    return {};
  AffineMap output = op.getIndexingMapsArray().back();
  if (output.getNumResults() == 0)
    return {};
  auto last =
      dyn_cast<AffineDimExpr>(output.getResult(output.getNumResults() - 1));
  if (!last)
    return {};
  unsigned inner = last.getPosition();
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  if (extents[inner] < 4)
    return {};
  for (AffineMap map : op.getIndexingMapsArray())
    for (auto [position, expr] : llvm::enumerate(map.getResults()))
      if (expr.isFunctionOfDim(inner) && position + 1 != map.getNumResults())
        return {};
  SmallVector<unsigned> order;
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (kind == utils::IteratorType::parallel && loop != inner)
      order.push_back(loop);
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (kind == utils::IteratorType::reduction)
      order.push_back(loop);
  order.push_back(inner);
  return order;
}

/// The elements of `constant` with dimensions permuted.
DenseElementsAttr transposeElements(DenseElementsAttr constant,
                                    ArrayRef<unsigned> permutation) {
  ShapedType type = constant.getType();
  ArrayRef<int64_t> shape = type.getShape();
  SmallVector<int64_t> newShape, strides(shape.size(), 1), steps;
  for (int64_t i = int64_t(shape.size()) - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * shape[i + 1];
  for (unsigned from : permutation) {
    newShape.push_back(shape[from]);
    steps.push_back(strides[from]);
  }
  auto newType = RankedTensorType::get(newShape, type.getElementType());
  if (constant.isSplat())
    return constant.resizeSplat(newType);
  size_t width = type.getElementTypeBitWidth() / 8;
  ArrayRef<char> raw = constant.getRawData();
  std::vector<char> bytes(raw.size());
  SmallVector<int64_t> at(newShape.size(), 0);
  int64_t source = 0;
  for (size_t target = 0; target < bytes.size(); target += width) {
    std::copy_n(raw.data() + source * width, width, bytes.data() + target);
    for (int64_t d = int64_t(at.size()) - 1; d >= 0; --d) {
      source += steps[d];
      if (++at[d] < newShape[d])
        break;
      source -= steps[d] * newShape[d];
      at[d] = 0;
    }
  }
  return DenseElementsAttr::getFromRawBuffer(newType, bytes);
}

/// Stores constant operands of sums so that the loop along rows of the output
/// reads them along rows, too (the weights of a fully connected layer are
/// usually [outputs, inputs]).
struct TransposeConstants
    : PassWrapper<TransposeConstants, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(TransposeConstants)
  StringRef getName() const override { return "TransposeConstants"; }
  void runOnOperation() override {
    getOperation().walk([&](linalg::GenericOp op) {
      if (op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0)
        return;
      SmallVector<AffineMap> maps = op.getIndexingMapsArray();
      AffineMap output = maps.back();
      if (output.getNumResults() == 0)
        return;
      auto inner =
          dyn_cast<AffineDimExpr>(output.getResult(output.getNumResults() - 1));
      if (!inner)
        return;
      bool changed = false;
      for (OpOperand *operand : op.getDpsInputOperands()) {
        auto constant = operand->get().getDefiningOp<arith::ConstantOp>();
        auto elements = constant
                            ? dyn_cast<DenseElementsAttr>(constant.getValue())
                            : DenseElementsAttr();
        AffineMap &map = maps[operand->getOperandNumber()];
        if (!elements || !map.isProjectedPermutation() ||
            elements.getType().getElementTypeBitWidth() % 8 != 0)
          continue;
        std::optional<unsigned> place = map.getResultPosition(inner);
        if (!place || *place + 1 == map.getNumResults())
          continue;
        SmallVector<unsigned> permutation;
        for (unsigned i = 0; i < map.getNumResults(); ++i)
          if (i != *place)
            permutation.push_back(i);
        permutation.push_back(*place);
        OpBuilder builder(op);
        auto transposed = arith::ConstantOp::create(
            builder, constant.getLoc(),
            cast<TypedAttr>(transposeElements(elements, permutation)));
        operand->set(transposed);
        SmallVector<AffineExpr> results;
        for (unsigned from : permutation)
          results.push_back(map.getResult(from));
        map = AffineMap::get(map.getNumDims(), 0, results, op.getContext());
        changed = true;
      }
      if (changed)
        op.setIndexingMapsAttr(OpBuilder(op).getAffineMapArrayAttr(maps));
    });
  }
};

/// Linalg on buffers to loops.
struct LinalgToOrderedLoops
    : PassWrapper<LinalgToOrderedLoops, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LinalgToOrderedLoops)
  StringRef getName() const override { return "LinalgToOrderedLoops"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<affine::AffineDialect, scf::SCFDialect,
                    memref::MemRefDialect>();
  }
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    // A copy between different layouts would be a call into MLIR's run-time
    // library, which generated programs do not have: it is a loop like others.
    getOperation().walk([&](memref::CopyOp copy) {
      rewriter.setInsertionPoint(copy);
      linalg::makeMemRefCopyOp(rewriter, copy.getLoc(), copy.getSource(),
                               copy.getTarget());
      rewriter.eraseOp(copy);
    });
    SmallVector<linalg::LinalgOp> ops;
    bool refused = false;
    getOperation().walk([&](Operation *op) {
      if (auto structured = dyn_cast<linalg::LinalgOp>(op)) {
        ops.push_back(structured);
      } else if (isa<linalg::LinalgDialect>(op->getDialect()) &&
                 !isa<linalg::YieldOp, linalg::IndexOp>(op)) {
        op->emitOpError("unsupported by target 'cpu': cannot be written as a "
                        "loop nest; write it with linalg.generic");
        refused = true;
      }
    });
    if (refused)
      return signalPassFailure();
    for (linalg::LinalgOp op : ops) {
      rewriter.setInsertionPoint(op);
      auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
      if (!generic) {
        auto general = linalg::generalizeNamedOp(rewriter, op);
        if (succeeded(general))
          generic = *general;
      }
      if (generic) {
        op = generic;
        SmallVector<unsigned> order = chooseLoopOrder(generic);
        if (!order.empty()) {
          auto ordered = linalg::interchangeGenericOp(rewriter, generic, order);
          if (succeeded(ordered))
            op = *ordered;
        }
      }
      rewriter.setInsertionPoint(op);
      LogicalResult looped =
          success(succeeded(linalg::linalgOpToLoops(rewriter, op)));
      assert(succeeded(looped) && "structured operations are loop nests");
      (void)looped;
      rewriter.eraseOp(op);
    }
  }
};

/// Static temporaries of functions become module-level buffers.
struct PromoteAllocations
    : PassWrapper<PromoteAllocations, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PromoteAllocations)
  StringRef getName() const override { return "PromoteAllocations"; }
  void runOnOperation() override {
    ModuleOp module = getOperation();
    OpBuilder builder(&getContext());
    unsigned counter = 0;
    for (auto function : module.getOps<func::FuncOp>()) {
      SmallVector<memref::AllocOp> allocations;
      for (Block &block : function.getBody())
        for (auto alloc : block.getOps<memref::AllocOp>())
          if (alloc.getType().hasStaticShape() &&
              alloc.getType().getLayout().isIdentity())
            allocations.push_back(alloc);
      if (!function.getBody().hasOneBlock())
        continue;
      for (memref::AllocOp alloc : allocations) {
        std::string name = "neuroc.temporary." + std::to_string(counter++);
        builder.setInsertionPointToStart(module.getBody());
        memref::GlobalOp::create(
            builder, alloc.getLoc(), name, builder.getStringAttr("private"),
            alloc.getType(), builder.getUnitAttr(), /*constant=*/false,
            builder.getI64IntegerAttr(64));
        builder.setInsertionPoint(alloc);
        auto buffer = memref::GetGlobalOp::create(builder, alloc.getLoc(),
                                                  alloc.getType(), name);
        for (Operation *user :
             llvm::make_early_inc_range(alloc.getResult().getUsers()))
          if (isa<memref::DeallocOp>(user))
            user->erase();
        alloc.replaceAllUsesWith(buffer.getResult());
        alloc.erase();
      }
    }
  }
};

/// Functions whose short form loses digits near zero, and those that LLVM has
/// no intrinsic for, go to the C library directly.
struct MathToCalls : PassWrapper<MathToCalls, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(MathToCalls)
  StringRef getName() const override { return "MathToCalls"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<LLVM::LLVMDialect, func::FuncDialect>();
  }
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    module.walk([&](Operation *op) {
      StringRef base = isa<math::ExpM1Op>(op)   ? "expm1"
                       : isa<math::Log1pOp>(op) ? "log1p"
                       : isa<math::TanhOp>(op)  ? "tanh"
                                                : "";
      if (base.empty())
        return;
      Type type = op->getResult(0).getType();
      if (!type.isF32() && !type.isF64())
        return;
      std::string name = base.str() + (type.isF32() ? "f" : "");
      OpBuilder builder(op);
      auto callee = symbols.lookup<func::FuncOp>(name);
      if (!callee) {
        callee = func::FuncOp::create(op->getLoc(), name,
                                      builder.getFunctionType({type}, {type}));
        callee.setPrivate();
        callee->setAttr(LLVM::LLVMDialect::getReadnoneAttrName(),
                        builder.getUnitAttr());
        symbols.insert(callee);
      }
      auto call = func::CallOp::create(builder, op->getLoc(), callee,
                                       op->getOperands());
      op->replaceAllUsesWith(call);
      op->erase();
    });
  }
};

/// The tensor part, run only where there are tensors: most spiking networks
/// have none, and compile time counts.
struct BufferizeTensorCode
    : PassWrapper<BufferizeTensorCode, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(BufferizeTensorCode)
  StringRef getName() const override { return "BufferizeTensorCode"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    buildPipeline()->getDependentDialects(registry);
  }
  void runOnOperation() override {
    if (!hasTensorCode(getOperation()))
      return;
    if (failed(runPipeline(*buildPipeline(), getOperation())))
      return signalPassFailure();
    bool left = false;
    getOperation().walk([&](memref::AllocOp) { left = true; });
    if (!left)
      return;
    // What lives inside loops or has no static shape is freed in the tick.
    OpPassManager pm(ModuleOp::getOperationName());
    bufferization::BufferDeallocationPipelineOptions options;
    bufferization::buildBufferDeallocationPipeline(pm, options);
    if (failed(runPipeline(pm, getOperation())))
      signalPassFailure();
  }

private:
  static std::unique_ptr<OpPassManager> buildPipeline() {
    auto pm = std::make_unique<OpPassManager>(ModuleOp::getOperationName());
    OpPassManager &functions = pm->nest<func::FuncOp>();
    functions.addPass(createConvertElementwiseToLinalgPass());
    functions.addPass(createLinalgElementwiseOpFusionPass());
    functions.addPass(createCSEPass());
    functions.addPass(std::make_unique<TransposeConstants>());
    functions.addPass(bufferization::createEmptyTensorEliminationPass());
    functions.addPass(bufferization::createEmptyTensorToAllocTensorPass());
    bufferization::OneShotBufferizePassOptions options;
    options.allowReturnAllocsFromLoops = true;
    pm->addPass(bufferization::createOneShotBufferizePass(options));
    pm->addPass(std::make_unique<PromoteAllocations>());
    OpPassManager &loops = pm->nest<func::FuncOp>();
    loops.addPass(std::make_unique<LinalgToOrderedLoops>());
    return pm;
  }
};

} // namespace

void buildLowerToLLVMPipeline(OpPassManager &pm) {
  pm.addPass(std::make_unique<BufferizeTensorCode>());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(memref::createExpandOpsPass());
  pm.addPass(arith::createArithExpandOpsPass());
  pm.addPass(std::make_unique<ExpandMath>());
  pm.addPass(createCSEPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(std::make_unique<MathToCalls>());
  pm.addPass(createConvertMathToFuncs());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

} // namespace neuroc::cpu
