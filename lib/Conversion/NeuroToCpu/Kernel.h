// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Building blocks of generated code: buffers, and functions of one tick.
#ifndef NEUROC_LIB_CONVERSION_NEUROTOCPU_KERNEL_H
#define NEUROC_LIB_CONVERSION_NEUROTOCPU_KERNEL_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringMap.h"

#include <string>

namespace neuroc::cpu {

/// A flat array that the engine fills at reset.
struct Buffer {
  std::string name;
  mlir::MemRefType type;
  explicit operator bool() const { return !name.empty(); }
  int64_t size() const { return type.getShape()[0]; }
};

/// A signal's memory: `depth` slots of `units` values, slot (tick mod depth)
/// is this tick's. Spikes are bytes (0 or 1). In a batch of B lanes every unit
/// has B neighbouring places: place u * B + l is unit u in lane l.
struct Signal {
  int64_t number = 0; ///< in the plan's list
  Buffer buffer;
  llvm::SmallVector<int64_t> shape; ///< of one lane
  int64_t units = 0;                ///< places of a slot: units times lanes
  int64_t depth = 1;
  bool isSpikes = false;
  mlir::Value value; ///< in the network
};

/// A signal as a reader sees it: `delay` ticks ago.
struct SignalUse {
  const Signal *signal = nullptr;
  int64_t delay = 0;
};

/// A function `(tick: i64) -> ()` under construction.
class Kernel {
public:
  Kernel(mlir::ModuleOp module, mlir::Location loc, llvm::StringRef name,
         mlir::Type real);
  /// Adds the return; call once, last.
  void finish();
  /// Gives the function up, in place of finish.
  void erase() { function.erase(); }
  llvm::StringRef name() { return function.getSymName(); }

  mlir::OpBuilder builder;
  mlir::Location loc;
  mlir::Type real; ///< f32 or f64
  /// 0: signals are those of tick `tick`; 1: the function runs between ticks
  /// and reads those of the tick before.
  int64_t lag = 0;
  int64_t lanes = 1; ///< of the network's batch

  mlir::Value tick() { return function.getArgument(0); } ///< i64
  mlir::Value index(int64_t value);
  mlir::Value number(double value); ///< a constant of type `real`
  mlir::Value time(double dt);      ///< of this tick in ms, computed in f64
  mlir::Value memref(const Buffer &buffer);
  mlir::Value load(const Buffer &buffer, mlir::Value at);
  /// Loads an integer and makes it an index.
  mlir::Value loadIndex(const Buffer &buffer, mlir::Value at);
  void store(mlir::Value value, const Buffer &buffer, mlir::Value at);
  mlir::Value add(mlir::Value a, mlir::Value b); ///< index + index
  mlir::Value mul(mlir::Value a, mlir::Value b); ///< index * index
  mlir::Value mul(mlir::Value a, int64_t b) { return mul(a, index(b)); }
  /// a / b and a mod b of non-negative indices.
  mlir::Value div(mlir::Value a, int64_t b);
  mlir::Value mod(mlir::Value a, int64_t b);

  /// First element of the slot that holds the signal `delay` ticks ago.
  mlir::Value slot(const Signal &signal, int64_t delay = 0);
  /// Element `place` of a signal as a real number, from a slot's start.
  mlir::Value loadReal(const Signal &signal, mlir::Value slot,
                       mlir::Value place);
  /// The place of a unit in a lane.
  mlir::Value place(mlir::Value unit, mlir::Value lane) {
    return lanes == 1 ? unit : add(mul(unit, lanes), lane);
  }
  /// body(lane) for every lane; without a batch once, with a zero.
  void forLanes(llvm::function_ref<void(mlir::Value)> body);

  /// for (i = lo; i < hi; ++i) body(i)
  void loop(mlir::Value lo, mlir::Value hi,
            llvm::function_ref<void(mlir::Value)> body);
  void loop(int64_t count, llvm::function_ref<void(mlir::Value)> body) {
    loop(index(0), index(count), body);
  }
  /// body(first, n) for blocks of `size` of 0 … count - 1, then one by one.
  void inBlocks(int64_t count, int64_t size,
                llvm::function_ref<void(mlir::Value, int64_t)> body);
  /// The same with values carried round the loop; returns the last ones.
  llvm::SmallVector<mlir::Value>
  reduce(mlir::Value lo, mlir::Value hi, llvm::ArrayRef<mlir::Value> init,
         llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value,
                                                           mlir::ValueRange)>
             body);

private:
  mlir::func::FuncOp function;
  llvm::StringMap<mlir::Value> memrefs;
  llvm::DenseMap<std::pair<const Signal *, int64_t>, mlir::Value> slots;
};

} // namespace neuroc::cpu
#endif // NEUROC_LIB_CONVERSION_NEUROTOCPU_KERNEL_H
