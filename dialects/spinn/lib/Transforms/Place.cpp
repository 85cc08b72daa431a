// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fills the machine with core shares in their order, chip by chip outwards from
// (0, 0), so that shares of one population stay together. A chip is full when
// its cores or its SDRAM are used up.
#include "neuroc/Spinn/Mapping/MachineModel.h"
#include "neuroc/Spinn/Passes.h"

#include "mlir/IR/Builders.h"

namespace neuroc::spinn {
#define GEN_PASS_DEF_PLACE
#include "neuroc/Spinn/SpinnPasses.h.inc"
} // namespace neuroc::spinn

using namespace mlir;
using namespace neuroc::spinn;

namespace {
class Place : public neuroc::spinn::impl::PlaceBase<Place> {
public:
  using PlaceBase::PlaceBase;

  void runOnOperation() override {
    for (auto mapping : getOperation().getOps<MappingOp>())
      if (failed(visit(mapping)))
        return signalPassFailure();
  }

private:
  LogicalResult visit(MappingOp mapping) {
    MachineModel machine = *MachineModel::find(mapping.getMachine().str());
    struct Slot {
      neuroc::spinn::Chip chip;
      std::vector<unsigned> cores;
      size_t used = 0;
      int64_t sdram = 0;
    };
    std::vector<Slot> slots;
    for (neuroc::spinn::Chip chip : machine.chips())
      slots.push_back({chip, machine.cores(chip)});
    OpBuilder builder(mapping.getContext());
    auto cores = mapping.list<CoreOp>();
    for (CoreOp core : cores) {
      bool placed = false;
      for (Slot &slot : slots) {
        if (slot.used == slot.cores.size() ||
            slot.sdram + core.getSdram() > int64_t(machine.sdramBytes))
          continue;
        core.setPlaceAttr(builder.getDenseI64ArrayAttr(
            {slot.chip.x, slot.chip.y, slot.cores[slot.used]}));
        ++slot.used;
        slot.sdram += core.getSdram();
        placed = true;
        break;
      }
      if (placed)
        continue;
      getOperation()->setAttr("neuroc.does_not_fit",
                              UnitAttr::get(&getContext()));
      InFlightDiagnostic error = core.emitError("no core left for '")
                                 << core.getSymName() << "': '"
                                 << machine.name << "' has "
                                 << machine.numCores() << " cores and "
                                 << machine.sdramBytes
                                 << " bytes of SDRAM per chip";
      error.attachNote() << cores.size() << " shares are to be placed; this "
                         << "one needs " << core.getSdram()
                         << " bytes of SDRAM";
      return failure();
    }
    return success();
  }
};
} // namespace
