// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Gives every sending output of a core a block of keys, routes the blocks to
// the cores that listen, and proves the tables by following every key.
#include "neuroc/Neuro/Neuro.h"
#include "neuroc/Spinn/Mapping/Routing.h"
#include "neuroc/Spinn/Passes.h"
#include "neuroc/rt/spinn/CoreAbi.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/ErrorHandling.h"

namespace neuroc::spinn {
#define GEN_PASS_DEF_ROUTE
#include "neuroc/Spinn/SpinnPasses.h.inc"
} // namespace neuroc::spinn

using namespace mlir;
using namespace neuroc::spinn;

static neuroc::spinn::Place placeOf(CoreOp core) {
  ArrayRef<int64_t> at = *core.getPlace();
  return {{static_cast<unsigned>(at[0]), static_cast<unsigned>(at[1])},
          static_cast<unsigned>(at[2])};
}

namespace {
class Route : public neuroc::spinn::impl::RouteBase<Route> {
public:
  using RouteBase::RouteBase;

  void runOnOperation() override {
    for (auto mapping : getOperation().getOps<MappingOp>())
      if (failed(visit(mapping)))
        return signalPassFailure();
  }

private:
  LogicalResult visit(MappingOp mapping) {
    MachineModel machine = *MachineModel::find(mapping.getMachine().str());
    SymbolTable symbols(mapping);
    for (CoreOp core : mapping.list<CoreOp>())
      if (!core.getPlace())
        return core.emitError("is not placed; run spinn-place before");

    // Sending outputs, grouped by (population, output), shares in order.
    using Output = std::pair<Operation *, int64_t>;
    llvm::MapVector<Output, std::vector<neuroc::spinn::Place>> targets;
    for (ListenOp listen : mapping.list<ListenOp>()) {
      auto from = symbols.lookup<CoreOp>(listen.getSource());
      auto to = symbols.lookup<CoreOp>(listen.getCore());
      auto &places = targets[{from, listen.getOutput()}];
      if (!llvm::is_contained(places, placeOf(to)))
        places.push_back(placeOf(to));
    }
    llvm::MapVector<std::pair<StringAttr, int64_t>, std::vector<Output>> groups;
    for (CoreOp core : mapping.list<CoreOp>())
      for (auto &[output, places] : targets)
        if (output.first == core)
          groups[{core.getPopulationAttr().getAttr(), output.second}]
              .push_back(output);
    std::vector<KeyRequest> requests;
    for (auto &[name, outputs] : groups) {
      KeyRequest request;
      request.shares = outputs.size();
      for (Output output : outputs)
        request.keysPerShare = std::max<uint32_t>(
            request.keysPerShare,
            static_cast<uint32_t>(cast<CoreOp>(output.first).getUnits()[1])
                << NEUROC_SPINN_COLOUR_BITS);
      requests.push_back(request);
    }
    auto blocks = allocateKeys(requests);
    if (blocks.size() != requests.size() ||
        (!requests.empty() && blocks.front().empty()))
      return mapping.emitError("needs more than 2^32 multicast keys");

    std::vector<Net> nets;
    OpBuilder builder(mapping.getContext());
    builder.setInsertionPointToEnd(&mapping.getBody().front());
    size_t group = 0;
    for (auto &[name, outputs] : groups) {
      for (auto [index, output] : llvm::enumerate(outputs)) {
        auto core = cast<CoreOp>(output.first);
        KeyBlock block = blocks[group][index];
        KeyOp::create(builder, core.getLoc(), core.getSymName(), output.second,
                      block.base, block.mask);
        nets.push_back({block,
                        static_cast<uint32_t>(core.getUnits()[1])
                            << NEUROC_SPINN_COLOUR_BITS,
                        placeOf(core), targets[output]});
      }
      ++group;
    }
    RoutingResult result = route(machine, nets);
    if (!result.error.empty()) {
      getOperation()->setAttr("neuroc.does_not_fit",
                              UnitAttr::get(&getContext()));
      return mapping.emitError() << result.error;
    }
    // Never trusted: a fault here is one of the router, not of the model.
    if (auto fault = verifyTables(machine, nets, result.tables))
      llvm::reportFatalInternalError("routing tables failed their check: " +
                                     llvm::Twine(*fault));
    for (auto &[chip, table] : result.tables) {
      auto op = TableOp::create(builder, mapping.getLoc(),
                                builder.getDenseI64ArrayAttr({chip.x, chip.y}));
      OpBuilder inner(mapping.getContext());
      inner.createBlock(&op.getBody());
      for (const TableEntry &entry : table) {
        SmallVector<int64_t> links, cores;
        for (int64_t i = 0; i < 6; ++i)
          if (entry.route >> i & 1)
            links.push_back(i);
        for (int64_t i = 0; i < 18; ++i)
          if (entry.route >> (6 + i) & 1)
            cores.push_back(i);
        EntryOp::create(inner, mapping.getLoc(), entry.key, entry.mask, links,
                        cores);
      }
    }
    return success();
  }
};
} // namespace
