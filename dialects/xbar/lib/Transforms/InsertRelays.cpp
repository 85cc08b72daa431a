// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tile sums a projection into an input port of its units. Where the result
// of a projection goes elsewhere (into another projection, a probe, a delay, or
// into two ports), a population without state that passes its input on takes
// it, so that the result is a signal with a place. A weight that only a rule
// reads and writes gets a projection to such a population, too: its tile is the
// place where it learns.
#include "neuroc/Xbar/Passes.h"

#include "neuroc/Neuro/Neuro.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace neuroc::xbar {

#define GEN_PASS_DEF_INSERTRELAYS
#include "neuroc/Xbar/XbarPasses.h.inc"

using namespace neuro;

namespace {
class InsertRelaysPass : public impl::InsertRelaysBase<InsertRelaysPass> {
public:
  using InsertRelaysBase::InsertRelaysBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (NetworkOp network : module.getOps<NetworkOp>()) {
      SymbolTable moduleSymbols(module), symbols(network);
      for (ProjectOp project :
           llvm::to_vector(network.getBody().front().getOps<ProjectOp>()))
        if (needsRelay(project))
          insert(project, moduleSymbols, symbols);
      for (PlasticOp plastic :
           llvm::to_vector(network.getBody().front().getOps<PlasticOp>()))
        if (!isProjected(network, plastic.getWeight()))
          insert(addProjection(plastic), moduleSymbols, symbols);
    }
  }

private:
  static bool needsRelay(ProjectOp project) {
    if (project.getOutput().use_empty())
      return false;
    return !project.getOutput().hasOneUse() ||
           !isa<PopulationOp>(*project.getOutput().getUsers().begin());
  }

  static bool isProjected(NetworkOp network, StringRef weight) {
    return llvm::any_of(network.getBody().front().getOps<ProjectOp>(),
                        [&](ProjectOp op) { return op.getWeight() == weight; });
  }

  /// Carries the pre signal of a rule through its weight.
  static ProjectOp addProjection(PlasticOp plastic) {
    OpBuilder builder(plastic);
    WeightOp weight = plastic.getWeightOp();
    return ProjectOp::create(
        builder, plastic.getLoc(),
        RankedTensorType::get(weight.getPost(), builder.getF32Type()),
        plastic.getPre(), weight.getSymName(), /*transposed=*/false,
        /*delay=*/1, Attribute(), Combine::Sum);
  }

  static void insert(ProjectOp project, SymbolTable &moduleSymbols,
                     SymbolTable &symbols) {
    Location loc = project.getLoc();
    OpBuilder builder(project->getParentOp());
    Type real = builder.getF64Type();
    std::string name = (project.getWeight() + "_relay").str();
    auto model = ModelOp::create(builder, loc, name + "_model");
    moduleSymbols.insert(model);
    builder.createBlock(&model.getBody());
    InputOp::create(builder, loc, "x", Combine::Sum, APFloat(0.0),
                    DenseF64ArrayAttr(), StringAttr());
    OutputOp::create(builder, loc, "y", real, DenseF64ArrayAttr(),
                     StringAttr());
    auto stage = StageOp::create(builder, loc, "pass");
    builder.createBlock(&stage.getBody());
    Value x = GetOp::create(builder, loc, real, "x");
    EmitOp::create(builder, loc, "y", x);

    builder.setInsertionPointAfter(project);
    auto type = cast<ShapedType>(project.getOutput().getType());
    auto population = PopulationOp::create(
        builder, loc, TypeRange{type}, name, model.getSymName(),
        type.getShape(), ValueRange{project.getOutput()},
        builder.getStrArrayAttr({"x"}), DictionaryAttr(), DictionaryAttr(),
        /*every=*/1);
    symbols.insert(population);
    project.getOutput().replaceAllUsesExcept(population.getResult(0),
                                             population);
  }
};
} // namespace

} // namespace neuroc::xbar
