// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pipeline from upstream dialects to the LLVM dialect. Tensor functions
// (read buffers, compute, write buffers) are bufferized in one shot; their
// temporaries become static buffers, so that a tick allocates nothing. Linalg
// operations become loops whose innermost one runs along rows of the output
// where the operands allow it; the order in which each output element sums is
// never changed, so results are those of the naive loop nest.

#include "neuroc/Target/Cpu/Emit.h"

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
        return tensor || isa<linalg::LinalgOp>(op) ? WalkResult::interrupt()
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
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
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
          auto ordered =
              linalg::interchangeGenericOp(rewriter, generic, order);
          if (succeeded(ordered))
            op = *ordered;
        }
      }
      rewriter.setInsertionPoint(op);
      if (failed(linalg::linalgOpToLoops(rewriter, op))) {
        op.emitOpError("unsupported by target 'cpu': cannot be written as a "
                       "loop nest");
        return signalPassFailure();
      }
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
        for (Operation *user : llvm::make_early_inc_range(
                 alloc.getResult().getUsers()))
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
        callee = func::FuncOp::create(
            op->getLoc(), name, builder.getFunctionType({type}, {type}));
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
  pm.addPass(createCSEPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(std::make_unique<MathToCalls>());
  pm.addPass(createConvertMathToFuncs());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

} // namespace neuroc::cpu
