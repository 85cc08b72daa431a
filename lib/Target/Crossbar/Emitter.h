// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From scheduled tiles to tile programs, memory images, array contents and the
// manifest that the engine reads (neuroc/rt/xbar/Program.h).
#ifndef NEUROC_LIB_TARGET_CROSSBAR_EMITTER_H
#define NEUROC_LIB_TARGET_CROSSBAR_EMITTER_H

#include "TileCode.h"
#include "VectorCode.h"

#include "neuroc/Neuro/Analysis/RangeAnalysis.h"
#include "neuroc/Target/Target.h"
#include "neuroc/Xbar/NetworkView.h"
#include "neuroc/Xbar/Passes.h"
#include "neuroc/rt/xbar/MachineConfig.h"

#include <list>
#include <map>
#include <optional>
#include <set>

namespace neuroc::xbar {

struct EmitOptions {
  unsigned inputBits = 8; ///< of real inputs of arrays, sign included
};

/// The units of a population on one tile, and where their words are.
struct Share {
  neuro::PopulationOp population;
  int64_t first = 0, last = 0;
  std::map<std::string, int64_t> states, params, inputs, outputs;
  std::map<std::string, std::pair<int64_t, int64_t>> clamps; ///< mask, value
  int64_t keyBlock = 0; ///< of random numbers; 0: the model draws none
  std::set<std::string> gathered; ///< ports whose direct feeds are in
  int64_t size() const { return last - first; }
};

/// A resident block of weights.
struct Block {
  ProgramOp op;
  MatrixOp matrix;
  int64_t array = 0, slices = 1; ///< bank
  int64_t row0 = 0, row1 = 0, col0 = 0, col1 = 0, at = 0;
  // plastic only
  int64_t weights = 0, levels = 0, mask = 0;
  std::map<std::string, int64_t> states;
  int64_t rows() const { return row1 - row0; }
  int64_t cols() const { return col1 - col0; }
};

/// A learning rule on one tile.
struct Learning {
  neuro::PlasticOp plastic;
  std::vector<Block *> blocks;
  std::map<std::string, int64_t> traces;     ///< one word per unit of the side
  int64_t enabled = 0, dirty = 0, shift = 0; ///< words
  int64_t keyBlock = 0; ///< of random numbers
  rt::xbar::ProgramBuilder::Label programAll = 0, call = 0;
  bool hasCall = false;
};

struct TileState {
  explicit TileState(int64_t block) : pool(tile, block) {}
  TileOp op;
  TileCode tile;
  TemporaryPool pool;
  std::map<std::string, int64_t> tables;
  std::list<Share> shares;
  std::list<Block> blocks;
  std::list<Learning> learnings;
  /// Present values of whole signals, by signal name and delay.
  std::map<std::pair<std::string, int64_t>, int64_t> views;
  struct Ring {
    mlir::Value signal;
    int64_t address = 0, slots = 0, words = 0;
  };
  std::map<std::string, Ring> rings; ///< past values, packed, by signal name
  std::map<std::string, mlir::Value> signals;
  std::map<std::string, int64_t> inboxes; ///< of spike stimuli
  /// Ring of sums of a port whose synapses have delays of their own.
  std::map<int64_t, std::pair<int64_t, int64_t>> delayRings;
  int64_t tickWord = 0, spikeCount = 0, eventCount = 0;
  std::map<std::string, int64_t> scratch; ///< named buffers
};

/// Weights in tile memory that no array holds, as the host numbers them.
struct WeightPieceNote {
  unsigned tile = 0;
  int64_t address = 0;
  bool isPacked = false;
  double scale = 1.0;
  std::vector<uint32_t> indices; ///< 0xffffffff where there is none
};

class Emitter {
public:
  Emitter(mlir::ModuleOp module, const EmitOptions &options,
          const rt::xbar::MachineConfig &machine)
      : module(module), options(options), machine(machine) {}

  CompileResult run(CompiledProgram &program);

private:
  // Setup.cpp: memory and names
  mlir::LogicalResult setUp();
  void setUpShare(TileState &t, ShareOp op);
  int64_t allocateKey(TileState &t, llvm::StringRef owner);
  void setUpBlocks(TileState &t);
  mlir::LogicalResult setUpViews(TileState &t);
  mlir::LogicalResult setUpLearning(TileState &t);
  int64_t requireView(TileState &t, mlir::Value base, int64_t delay);
  int64_t view(TileState &t, const Source &source);
  int64_t scratch(TileState &t, const std::string &name, int64_t words);

  // Tick.cpp: the frame of a tick, stages, signals
  mlir::LogicalResult emitTile(TileState &t);
  void emitTickStart(TileState &t);
  void emitTickEnd(TileState &t);
  mlir::LogicalResult emitUpdate(TileState &t, UpdateOp op);
  /// Random numbers of a block; `setEntity` puts the first entity, or (listed)
  /// the address of all entities, into kC.
  Operand emitDraw(TileState &t, VectorCode &vectors, neuro::RandomOp random,
                   int64_t keyBlock, llvm::function_ref<void()> setEntity,
                   bool listed = false);
  mlir::LogicalResult emitBlocks(TileState &t, Share &share,
                                 neuro::StageOp stage);
  void emitSend(TileState &t, SendOp op);
  void emitRecv(TileState &t, RecvOp op);
  void emitSpikeArray(TileState &t, neuro::SpikeArrayOp op);
  /// Code for `length` units in blocks of the pool's size; kOffset, kLength.
  void blockLoop(TileState &t, int64_t length, llvm::function_ref<void()> body);

  // Projections.cpp: sums and other combines
  mlir::LogicalResult emitMvm(TileState &t, MvmOp op);
  mlir::LogicalResult emitConvolution(TileState &t, Projection &p, MvmOp op);
  void emitCollect(TileState &t, CollectOp op);
  mlir::LogicalResult emitScatter(TileState &t, ScatterOp op);
  mlir::LogicalResult emitCombine(TileState &t, CombineOp op);
  mlir::LogicalResult emitPooling(TileState &t, Projection &p, Share &share);
  mlir::LogicalResult emitDenseCombine(TileState &t, Projection &p,
                                       Share &share);
  /// Quantises a vector to `inputBits`; the shift is left in kShift.
  void emitQuantize(TileState &t, int64_t src, int64_t dst, int64_t length,
                    int64_t inputBits, bool isSigned);
  int64_t inputBits(MatrixOp matrix, int64_t inputs) const;
  /// Turns raw column sums into words at the port's binary point.
  void emitScale(TileState &t, Projection &p, MatrixOp matrix, int64_t raw,
                 int64_t dst, int64_t col0, int64_t length, bool perColumn,
                 int64_t rows);
  void emitWindow(TileState &t, const Block &block, int64_t row0, int64_t rows,
                  int64_t col0, int64_t cols);
  void emitContribution(TileState &t, Port port, Share &share, int64_t src,
                        int64_t first, int64_t length);
  void emitPartialSums(TileState &t, Projection &p, int64_t src, int64_t first,
                       int64_t last);

  // Learning.cpp
  mlir::LogicalResult emitLearn(TileState &t, Learning &learning);
  mlir::LogicalResult emitTraces(TileState &t, Learning &learning, bool spike);
  mlir::LogicalResult emitRows(TileState &t, Learning &learning, bool isCall);
  mlir::LogicalResult emitRow(TileState &t, Learning &learning, Block &block,
                              bool isCall);
  void emitProgramAll(TileState &t, Learning &learning);
  void emitRescale(TileState &t, Learning &learning);

  // Manifest.cpp
  mlir::LogicalResult writeProgram(CompiledProgram &program);
  mlir::LogicalResult describeWeight(neuro::WeightOp weight,
                                     llvm::json::Array &weights,
                                     std::string &indexBytes);
  void writeReport(CompiledProgram &program, llvm::json::Array tileReport);
  llvm::json::Object vectorOf(std::vector<llvm::json::Object> pieces,
                              int frac) const;

  int frac(llvm::StringRef owner, llvm::StringRef name) const;
  int signalFrac(mlir::Value base) const;
  int portFrac(const Port &port) const;
  int64_t tag(const std::string &key);
  static std::string nameOf(mlir::Value base);
  double range(llvm::StringRef owner, llvm::StringRef name, bool low) const;

  mlir::ModuleOp module;
  EmitOptions options;
  rt::xbar::MachineConfig machine;
  MapOp map;
  std::optional<NetworkView> view_;
  std::optional<neuro::RangeAnalysis> ranges;
  std::list<TileState> tiles;
  std::map<std::string, TileState *> tileByName;
  std::map<std::pair<std::string, std::string>, FormatOp> formats;
  std::map<std::string, int64_t> tags;
  std::map<std::string, std::set<std::string>> clamped; ///< by population
  std::map<std::string, std::vector<WeightPieceNote>> weightPieces;
  CodeNotes notes;
};

} // namespace neuroc::xbar
#endif // NEUROC_LIB_TARGET_CROSSBAR_EMITTER_H
