// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state of one conversion: buffers, signals, views of weights, and the plan
// that grows with the functions.
#ifndef NEUROC_LIB_CONVERSION_NEUROTOCPU_LOWERING_H
#define NEUROC_LIB_CONVERSION_NEUROTOCPU_LOWERING_H

#include "Kernel.h"
#include "Pieces.h"

#include "neuroc/Neuro/Analysis/Connectivity.h"
#include "neuroc/Neuro/Analysis/TickSchedule.h"
#include "neuroc/Neuro/Neuro.h"

#include "mlir/IR/IRMapping.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>

namespace neuroc::cpu {

/// How the values of a weight are stored.
enum class Storage {
  Matrix,  ///< [pre, post], absent synapses 0
  Vector,  ///< one per unit
  Kernel,  ///< a convolution's kernel
  Synapses ///< one per synapse, canonical order
};

/// A weight and its buffers.
struct Weight {
  neuro::WeightOp op;
  Storage storage = Storage::Synapses;
  int64_t pre = 0, post = 0, count = 0;
  Buffer values;
  Buffer exists; ///< i8 per matrix element; none: all exist
  std::string name() { return op.getSymName().str(); }
  /// Filled for Storage::Synapses, and on demand for views of the others.
  std::optional<neuro::ExpandedWeight> expanded;
  llvm::StringMap<Buffer> viewBuffers; ///< shared by projections
};

/// Compressed rows of a weight as one reader needs them: row r holds the
/// entries [start[r], start[r+1]); entry k goes to unit target[k] and uses
/// element slot[k] of the weight's values (k itself if there is no `slot`).
struct RowView {
  Buffer start, target, slot;
  int64_t rows = 0;
  /// Delays in ticks; a source unit u has rows u * delays.size() + i.
  llvm::SmallVector<int64_t> delays;
};

/// The indices of one synapse in generated code, in one lane.
struct Synapse {
  mlir::Value slot; ///< of the weight's values and the synapse's states
  mlir::Value pre, post;
  mlir::Value entry; ///< its number in canonical order; a convolution's kernel
                     ///< element has many
  mlir::Value lane;
};
using SynapseBody = llvm::function_ref<void(const Synapse &)>;

/// A buffer pair (i32 units, i64 count) that the engine fills with events.
struct Events {
  Buffer units, count;
};

class Lowering {
public:
  Lowering(mlir::ModuleOp module, neuro::NetworkOp network, bool isDouble);
  mlir::LogicalResult run();

private:
  using AttrList = llvm::SmallVector<mlir::Attribute>;
  using Fields = llvm::SmallVector<mlir::NamedAttribute>;

  // Lowering.cpp: buffers, signals, plan.
  Buffer addBuffer(const llvm::Twine &name, mlir::Type element, int64_t count,
                   mlir::Attribute init = {});
  Buffer addReals(const llvm::Twine &name, llvm::ArrayRef<double> values);
  Buffer addIndices(const llvm::Twine &name, llvm::ArrayRef<uint32_t> values);
  Buffer addBytes(const llvm::Twine &name, llvm::ArrayRef<uint8_t> values);
  mlir::LogicalResult collectWeights();
  mlir::LogicalResult collectSignals();
  void needDepth(mlir::Value value, int64_t delay);
  SignalUse use(mlir::Value value, int64_t delay = 0) const;
  mlir::NamedAttribute field(llvm::StringRef name, mlir::Attribute value);
  mlir::NamedAttribute field(llvm::StringRef name, int64_t value);
  mlir::NamedAttribute field(llvm::StringRef name, llvm::StringRef value);
  mlir::NamedAttribute field(llvm::StringRef name, const AttrList &values);
  mlir::NamedAttribute field(llvm::StringRef name,
                             llvm::ArrayRef<int64_t> values);
  mlir::NamedAttribute flag(llvm::StringRef name, bool value);
  mlir::Attribute dictionary(llvm::ArrayRef<mlir::NamedAttribute> fields);
  mlir::LogicalResult addSources();
  void addRecorders();
  void writePlan();
  /// A draw as f64 (shared functions that LLVM inlines).
  mlir::Value drawRandom(Kernel &kernel, neuro::RandomKind kind,
                         llvm::StringRef stream, mlir::Value entity,
                         int64_t draw);
  void addRandomFunctions();

  // Views.cpp
  const neuro::ExpandedWeight &expand(Weight &weight);
  uint64_t slotOf(Weight &weight, uint64_t synapse, uint64_t pre);
  RowView rowsByPre(Weight &weight);
  RowView rowsByPost(Weight &weight);
  RowView rowsByDelay(Weight &weight, neuro::ProjectOp project);
  /// For each source unit, where its synapses start (only for counting).
  Buffer rowStarts(Weight &weight, bool transposed);
  Buffer connectedUnits(Weight &weight, bool transposed);

  // Stages.cpp
  struct Stage;
  mlir::LogicalResult emitStagePiece(Stage &stage, unsigned piece,
                                     mlir::Value unit, mlir::Value lane,
                                     mlir::Value place);
  /// Makes the buffers between the pieces of a block that runs for `entries`
  /// members.
  void addPieceBuffers(PieceBuffers &buffers, const Pieces &pieces,
                       mlir::Block &block, llvm::StringRef name,
                       int64_t entries,
                       llvm::function_ref<int64_t(neuro::ReduceOp)> groups);
  void emitStageReduction(Stage &stage, neuro::ReduceOp reduce);
  /// From [lane, unit] or [unit], as the IR counts, to the places of buffers.
  std::vector<double> toPlaces(const std::vector<double> &values,
                               int64_t units);
  Buffer addScratch(const llvm::Twine &name, mlir::Type element, int64_t count);
  mlir::LogicalResult lowerStage(neuro::PopulationOp population,
                                 neuro::StageOp stage);
  mlir::Value emitGet(Kernel &kernel, neuro::PopulationOp population,
                      neuro::GetOp get, mlir::Value place);
  Buffer stateBuffer(neuro::PopulationOp population, llvm::StringRef state);

  // Projections.cpp
public:
  struct Projection;

private:
  mlir::LogicalResult lowerProject(neuro::ProjectOp project);
  void emitMatrix(Projection &p);
  /// A plain weighted sum in blocks of vector registers; false if it is none.
  bool emitVectorMatrix(Projection &p);
  void emitVector(Projection &p);
  void emitConvolution(Projection &p);
  void emitRows(Projection &p);
  void emitEventRows(Projection &p);
  void emitEventMatrix(Projection &p);

  // Plasticity.cpp
  struct Plasticity;
  mlir::LogicalResult lowerPlastic(neuro::PlasticOp plastic);
  mlir::LogicalResult emitTrace(Plasticity &p, neuro::TraceOp trace,
                                bool spike);
  struct Handler;
  mlir::LogicalResult emitHandler(Plasticity &p, neuro::HandlerOp handler);
  mlir::LogicalResult
  emitRule(Handler &h, unsigned piece, const Synapse &synapse,
           llvm::function_ref<void(neuro::SetOp, mlir::Value)> write);
  void forEachSynapse(Kernel &k, Weight &weight, SynapseBody body);
  void forEachEvent(Kernel &k, Plasticity &p, neuro::Side side,
                    SynapseBody body);
  void emitRuleReduction(Handler &h, neuro::ReduceOp reduce, mlir::Value lane);
  mlir::LogicalResult emitBounds(Plasticity &p);

  // Run.cpp
  void emitRun();
  void emitRunItem(Kernel &kernel, mlir::DictionaryAttr item, mlir::Value now,
                   mlir::Value tick);
  int64_t rowsPerRun();

  // Tensors.cpp
  mlir::LogicalResult lowerTensors(llvm::ArrayRef<mlir::Operation *> ops);
  mlir::LogicalResult emitTensors(Kernel &kernel,
                                  llvm::ArrayRef<mlir::Operation *> ops,
                                  mlir::Value lane,
                                  llvm::SmallVectorImpl<int64_t> &given);
  bool isSignal(mlir::Value value) { return signalOf.count(value); }

  void addItem(llvm::ArrayRef<mlir::NamedAttribute> fields) {
    items.push_back(dictionary(fields));
  }
  Events addEvents(const llvm::Twine &name, int64_t capacity);

  mlir::ModuleOp module;
  neuro::NetworkOp network;
  mlir::MLIRContext *context;
  mlir::OpBuilder globals; ///< where the next buffer goes
  mlir::Operation *lastBuffer = nullptr;
  mlir::Type real;
  bool isDouble;
  double dt;
  int64_t lanes; ///< of the batch
  std::optional<neuro::TickSchedule> schedule;

  std::deque<Signal> signals;
  llvm::DenseMap<mlir::Value, Signal *> signalOf;
  std::deque<Weight> weights;
  std::map<std::string, Weight *> weightOf;
  std::map<std::string, Buffer> states; ///< "population.state"
  std::map<std::string, Buffer> params; ///< "population.param"
  std::vector<std::string> streams;
  std::vector<std::string> bufferNames;
  unsigned functionCount = 0, scratchCount = 0;

  int64_t expanded = 0;    ///< operations that the run has in place of calls
  mlir::Attribute runPlan; ///< null: the engine goes through each tick
  AttrList items, plastics, stimuli, spikeArrays, populations, recorders;
};

} // namespace neuroc::cpu
#endif // NEUROC_LIB_CONVERSION_NEUROTOCPU_LOWERING_H
