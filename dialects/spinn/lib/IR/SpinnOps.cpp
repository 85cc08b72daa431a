// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The spinn dialect: registration, the syntax of key words, and the verifiers.
// Each check carries the number of its rule.
#include "neuroc/Spinn/Spinn.h"
#include "neuroc/Spinn/Mapping/MachineModel.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace neuroc::spinn;

static ParseResult parseHex(OpAsmParser &parser, IntegerAttr &attr) {
  int64_t value;
  if (parser.parseInteger(value))
    return failure();
  if (value < 0 || value > int64_t(0xffffffff))
    return parser.emitError(parser.getCurrentLocation(),
                            "expected an unsigned 32-bit number");
  attr = parser.getBuilder().getI64IntegerAttr(value);
  return success();
}
static void printHex(OpAsmPrinter &printer, Operation *, IntegerAttr attr) {
  printer << "0x";
  printer.getStream().write_hex(static_cast<uint64_t>(attr.getInt()));
}

#include "neuroc/Spinn/SpinnDialect.cpp.inc"
#include "neuroc/Spinn/SpinnEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "neuroc/Spinn/SpinnAttributes.cpp.inc"
#define GET_OP_CLASSES
#include "neuroc/Spinn/SpinnOps.cpp.inc"

void SpinnDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "neuroc/Spinn/SpinnAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "neuroc/Spinn/SpinnOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// spinn.mapping
//===----------------------------------------------------------------------===//

LogicalResult MappingOp::verify() {
  if (!MachineModel::find(getMachine().str())) // mapping_r1
    return emitOpError("names an unknown machine '") << getMachine() << "'";
  int64_t levels = getLevels(), subticks = getSubticks();
  if (levels < 1 || subticks < levels || subticks > levels + 1) // mapping_r2
    return emitOpError("needs 1 <= levels <= subticks <= levels + 1, got ")
           << levels << " levels and " << subticks << " subticks";
  int64_t period = getPeriod();
  if (period < 1 || period > int64_t(0xffffffff)) // mapping_r3
    return emitOpError("period must be in [1, 2^32), got ") << period;
  return success();
}

LogicalResult MappingOp::verifyRegions() {
  for (Operation &op : getBody().front())
    if (!isa<FormatOp, CoreOp, ListenOp, KeyOp, TableOp>(op)) // mapping_r4
      return op.emitOpError("does not belong in a 'spinn.mapping'");
  std::optional<MachineModel> machine = MachineModel::find(getMachine().str());
  llvm::StringMap<int64_t> next;
  std::map<Place, CoreOp> taken;
  for (CoreOp core : list<CoreOp>()) {
    int64_t &first = next[core.getPopulation()];
    if (core.getUnits()[0] != first) // mapping_r6
      return core.emitOpError("starts at unit ")
             << core.getUnits()[0] << " of '" << core.getPopulation()
             << "' but the shares before it end at " << first;
    first += core.getUnits()[1];
    if (!core.getPlace())
      continue;
    ArrayRef<int64_t> at = *core.getPlace();
    Place place{{static_cast<unsigned>(at[0]), static_cast<unsigned>(at[1])},
                static_cast<unsigned>(at[2])};
    if (!machine->hasChip(place.chip) ||
        !llvm::is_contained(machine->cores(place.chip),
                            place.core)) // mapping_r8
      return core.emitOpError("is placed where '")
             << machine->name << "' has no application core";
    auto [it, isNew] = taken.insert({place, core});
    if (!isNew) // mapping_r5
      return core.emitOpError("has the same place as '")
             << it->second.getSymName() << "'";
  }
  std::vector<std::pair<uint64_t, KeyOp>> keys;
  for (KeyOp key : list<KeyOp>())
    keys.push_back({static_cast<uint64_t>(key.getBase()), key});
  llvm::sort(keys, [](const auto &a, const auto &b) {
    return a.first < b.first;
  });
  for (size_t i = 0; i + 1 < keys.size(); ++i) {
    uint64_t end = keys[i].first + 1 +
                   (~static_cast<uint64_t>(keys[i].second.getMask()) &
                    0xffffffffu);
    if (end > keys[i + 1].first) // mapping_r7
      return keys[i + 1].second.emitOpError(
                 "overlaps the keys of another output, of core '")
             << keys[i].second.getCore() << "'";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// The operations inside
//===----------------------------------------------------------------------===//

LogicalResult FormatOp::verify() {
  int64_t frac = static_cast<int64_t>(getFrac());
  if (frac < -31 || frac > 62) // format_r1
    return emitOpError("frac must be in [-31, 62], got ") << frac;
  ArrayRef<double> range = getRange();
  if (range.size() != 2 || !(range[0] <= range[1])) // format_r2
    return emitOpError("range must be [lo, hi] with lo <= hi");
  double top = std::ldexp(1.0, 31 - static_cast<int>(frac));
  if (getProved() && (range[1] > top || range[0] < -top)) // format_r3
    return emitOpError("range [") << range[0] << ", " << range[1]
           << "] does not fit 32 bits with " << frac
           << " fraction bits";
  return success();
}

LogicalResult CoreOp::verify() {
  ArrayRef<int64_t> units = getUnits();
  if (units.size() != 2 || units[0] < 0 || units[1] < 1) // core_r1
    return emitOpError("units must be [first, count], first >= 0, count >= 1");
  if (std::optional<ArrayRef<int64_t>> at = getPlace())
    if (at->size() != 3 || llvm::any_of(*at, [](int64_t v) {
          return v < 0;
        })) // core_r2
      return emitOpError("place must be [x, y, core], none negative");
  int64_t dtcm = getDtcm(), sdram = getSdram(), cycles = getCycles();
  if (dtcm < 0 || dtcm > 65536 || sdram < 0 || cycles < 0) // core_r3
    return emitOpError("needs ") << dtcm << " bytes of DTCM (of 65536), "
                                 << sdram << " of SDRAM and " << cycles
                                 << " cycles";
  if (std::optional<ArrayRef<int64_t>> slots = getSlots())
    if (slots->size() != 2 || (*slots)[1] < 0 ||
        (*slots)[1] >= (*slots)[0]) // core_r4
      return emitOpError("slots must be [gap, phase], 0 <= phase < gap");
  return success();
}

static LogicalResult verifyCore(Operation *op, FlatSymbolRefAttr core,
                                SymbolTableCollection &tables) {
  if (isa_and_nonnull<CoreOp>(
          tables.lookupNearestSymbolFrom(op->getParentOp(), core)))
    return success();
  return op->emitOpError("refers to '") << core.getValue()
         << "', which is no 'spinn.core'";
}

LogicalResult ListenOp::verifySymbolUses(SymbolTableCollection &tables) {
  if (failed(verifyCore(*this, getCoreAttr(), tables))) // listen_r1
    return failure();
  return verifyCore(*this, getSourceAttr(), tables);
}

LogicalResult KeyOp::verify() {
  uint64_t low = ~static_cast<uint64_t>(getMask()) & 0xffffffffu;
  if (low & (low + 1)) // key_r1
    return emitOpError("mask must be ones followed by zeros");
  if (static_cast<uint64_t>(getBase()) & low) // key_r2
    return emitOpError("base has bits outside its mask");
  return success();
}

LogicalResult KeyOp::verifySymbolUses(SymbolTableCollection &tables) {
  return verifyCore(*this, getCoreAttr(), tables); // key_r3
}

LogicalResult TableOp::verify() {
  if (getChip().size() != 2) // table_r1
    return emitOpError("chip must be [x, y]");
  size_t entries = 0;
  for (Operation &op : getBody().front()) {
    if (!isa<EntryOp>(op)) // table_r2
      return op.emitOpError("does not belong in a 'spinn.table'");
    ++entries;
  }
  if (entries > 1023) // table_r2
    return emitOpError("has ") << entries << " entries but the router has 1023";
  return success();
}

LogicalResult EntryOp::verify() {
  if (static_cast<uint64_t>(getKey()) & ~static_cast<uint64_t>(getMask()))
    return emitOpError("key has bits outside its mask"); // entry_r1
  bool good = !getLinks().empty() || !getCores().empty();
  for (int64_t link : getLinks())
    good &= link >= 0 && link <= 5;
  for (int64_t core : getCores())
    good &= core >= 1 && core <= 17;
  if (!good) // entry_r2
    return emitOpError(
        "needs links in 0..5 and cores in 1..17, at least one of both");
  return success();
}
