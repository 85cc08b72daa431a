// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The class behind emitCore, shared by CoreEmitter.cpp (ticks) and
// PlasticEmitter.cpp (learning).
#ifndef NEUROC_LIB_TARGET_SPINNAKER_COREEMITTERIMPL_H
#define NEUROC_LIB_TARGET_SPINNAKER_COREEMITTERIMPL_H

#include "CoreEmitter.h"

#include <map>

namespace neuroc::spinn {

class CoreEmitter {
public:
  CoreEmitter(const ImageSpec &spec, llvm::Module &module)
      : spec(spec), module(module), b(module.getContext()), fixed(module, b) {}
  mlir::LogicalResult run();

private:
  /// A 64-bit sum (range unused) or a 32-bit number.
  struct Contribution {
    llvm::Value *value;
    int frac;
    neuro::Interval range;
  };

  // Building blocks.
  llvm::GlobalVariable *array(const std::string &name, int64_t words);
  llvm::Value *address(llvm::Value *base, llvm::Value *index);
  llvm::Value *load(llvm::Value *base, llvm::Value *index);
  void store(llvm::Value *value, llvm::Value *base, llvm::Value *index);
  llvm::Value *share(unsigned word);
  llvm::Function *function(llvm::StringRef name, unsigned parameters);
  void begin(llvm::Function *function);
  llvm::BasicBlock *block(llvm::StringRef name);
  void forLoop(llvm::Value *from, llvm::Value *to,
               llvm::function_ref<void(llvm::Value *)> body);
  void ifThen(llvm::Value *condition, llvm::function_ref<void()> body);
  llvm::AllocaInst *slot(llvm::Type *type);
  llvm::FunctionCallee kernelFunction(llvm::StringRef name, llvm::Type *result,
                                      unsigned parameters, bool touchesMemory);
  llvm::FunctionCallee readFunction();
  llvm::FunctionCallee writeFunction();
  void addTo(llvm::Value *counterAddress, llvm::Value *amount);
  void countEvents(llvm::Value *amount);
  void poll();
  static std::string listenName(llvm::StringRef what, unsigned index) {
    return (what + "_" + llvm::Twine(index)).str();
  }

  // Ports.
  llvm::Value *valuesOf(unsigned source, int64_t delay, llvm::Value *tick);
  llvm::Value *indexInValues(unsigned source, llvm::Value *unit);
  const WeightBlock &blockOf(const Feed &feed) const;
  llvm::Value *weightRow(const WeightBlock &entry, llvm::StringRef what,
                         llvm::Value *u, unsigned part);
  llvm::Value *externalAddress(const WeightBlock &entry, llvm::Value *u,
                               unsigned part);
  void forSynapses(const Feed &feed, llvm::Value *u, llvm::Value *tick,
                   llvm::function_ref<void(llvm::Value *, llvm::Value *)> body);
  /// Lists the units that fired: writes their numbers into array `name`,
  /// returns how many there are. `visit` sees each unit and its flag on the
  /// way.
  llvm::Value *
  listFired(const std::string &name, llvm::Value *values, int64_t units,
            llvm::function_ref<void(llvm::Value *, llvm::Value *)> visit);
  Contribution readFeed(const Port &port, unsigned portIndex, const Feed &feed,
                        llvm::Value *u, llvm::Value *tick);
  Format portFormat(const Port &port) const;
  Num readPort(unsigned index, llvm::Value *u, llvm::Value *tick);

  // Stages.
  llvm::Value *keyOfUnit(unsigned output, llvm::Value *u);
  bool isRecorded(unsigned output) const;
  void ifSent(unsigned output, llvm::function_ref<void()> send);
  void emitSpike(unsigned output, llvm::Value *u);
  void emitValue(unsigned output, llvm::Value *u, llvm::Value *value);
  Num readDraw(neuro::RandomOp op, llvm::StringRef stream, llvm::Value *entity,
               llvm::Value *tick, FixedEmitter &emitter);
  Num readTime(llvm::Value *tick);
  Num readName(mlir::Operation *op, llvm::Value *u, llvm::Value *tick,
               FixedEmitter &emitter);
  void writeState(llvm::StringRef name, Num value, llvm::Value *u);
  mlir::LogicalResult emitStage(neuro::StageOp stage, unsigned number);
  void countFlags(neuro::StageOp stage, llvm::Value *tick);
  void emitLevels();
  void emitRow();
  void emitSource();
  mlir::LogicalResult emitEnd();

  // Reductions (Collectives.cpp).
  /// The members that a region with reductions runs for.
  struct Group {
    std::string name;                     ///< of scratch arrays
    int64_t most = 1;                     ///< positions of the largest group
    double least = 1.0;                   ///< members of the smallest
    bool isWhole = true;                  ///< the code runs at every position
    std::function<llvm::Value *()> count; ///< positions of this group
    /// Emits a loop that calls the body with the position of each member.
    std::function<void(llvm::function_ref<void(llvm::Value *)>)> forMembers;
  };
  using MakeRead = std::function<FixedEmitter::ReadFn(FixedEmitter &)>;
  mlir::LogicalResult emitCollective(mlir::Block &block, const Group &group,
                                     const MakeRead &makeRead,
                                     const FixedEmitter::WriteFn &write);

  // Learning (PlasticEmitter.cpp).
  struct Synapse; ///< the place of the synapse being updated
  mlir::LogicalResult emitLearning(llvm::Value *tick);
  mlir::LogicalResult emitCalls();
  mlir::LogicalResult emitTraces(const WeightBlock &entry, llvm::Value *tick,
                                 bool isSpikePart);
  mlir::LogicalResult emitSynapses(const WeightBlock &entry, llvm::Value *tick,
                                   bool isCall);
  /// The synapses that one unit of the core keeps.
  struct Row {
    /// The unit at the other side (null: the same), the place in the arrays,
    /// the position in the row.
    using Body =
        llvm::function_ref<void(llvm::Value *, llvm::Value *, llvm::Value *)>;
    llvm::Value *weights = nullptr, *count = nullptr;
    std::vector<llvm::Value *> states;
    int64_t most = 1; ///< positions of the longest row
    std::function<void(Body)> forEach;
    /// Dense rows: the body where there is a synapse with the other unit.
    std::function<void(llvm::Value *, llvm::function_ref<void()>)> ifExists;
  };
  void openRow(const WeightBlock &entry, llvm::Value *u, Row &row);
  void closeRow(const WeightBlock &entry, llvm::Value *u, Row &row);
  mlir::LogicalResult updateRow(const WeightBlock &entry, const Row &row,
                                llvm::Value *own, llvm::Value *tick,
                                bool isCall);
  std::optional<Format> storedIn(const WeightBlock &entry, mlir::Operation *op);
  llvm::Value *confine(const WeightBlock &entry, llvm::Value *w);
  mlir::LogicalResult updateSynapse(const WeightBlock &entry,
                                    const Synapse &synapse, llvm::Value *tick,
                                    bool isCall);
  mlir::LogicalResult runHandler(const WeightBlock &entry,
                                 neuro::HandlerOp handler,
                                 const Synapse &synapse, llvm::Value *tick);
  Num signalOf(const Reading &reading, llvm::Value *unit, llvm::Value *tick);
  Num readRule(const WeightBlock &entry, mlir::Operation *op,
               const Synapse &synapse, llvm::Value *tick,
               FixedEmitter &emitter);
  llvm::Value *traceArray(const WeightBlock &entry, neuro::TraceOp trace);
  llvm::Value *traceIndex(const WeightBlock &entry, neuro::Side side,
                          llvm::Value *unit);
  /// True where the units of this core are the weight's pre side.
  static bool ownsPre(const WeightBlock &entry) {
    return entry.feed->isTransposed();
  }

  const ImageSpec &spec;
  llvm::Module &module;
  llvm::IRBuilder<> b;
  FixedEmitter fixed;
  llvm::Function *current = nullptr;
  /// Dense feeds of spikes of the stage at work: how many units are listed.
  std::map<const Feed *, llvm::Value *> firedCount;
  bool failed_ = false;
};

} // namespace neuroc::spinn
#endif // NEUROC_LIB_TARGET_SPINNAKER_COREEMITTERIMPL_H
