// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Projections through arrays. Real inputs are brought to a few bits by a shift
// that each tick takes from the largest input ("block floating point"), so no
// calibration is needed and small errors keep their relative precision; spikes
// are one-bit inputs as they are. Raw column sums become words of the port by a
// multiplication per column and a shift.
#include "Emitter.h"

#include <algorithm>
#include <cmath>

using namespace mlir;

namespace neuroc::xbar {

using namespace neuro;
using Label = rt::xbar::ProgramBuilder::Label;

/// port = port (+) words at `src` for target units [first, first + length).
void Emitter::emitContribution(TileState &t, Port port, Share &share,
                               int64_t src, int64_t first, int64_t length) {
  auto found = share.inputs.find(port.input.getSymName().str());
  if (found == share.inputs.end() || length <= 0)
    return; // no stage reads the port
  int64_t at = found->second + first - share.first;
  t.tile.set(kA, at);
  t.tile.set(kB, at);
  t.tile.set(kC, src);
  t.tile.set(kD, length);
  switch (port.input.getCombine()) {
  case Combine::Sum:
    t.tile.emit(Op::Vadd, {kA, kB, kC, kD});
    break;
  case Combine::Max:
    t.tile.emit(Op::Vmax, {kA, kB, kC, kD});
    break;
  case Combine::Min:
    t.tile.emit(Op::Vmin, {kA, kB, kC, kD});
    break;
  case Combine::Product:
    t.tile.emit(Op::Vmul, {kA, kB, kC, kD, std::clamp(portFrac(port), 0, 63)});
    break;
  }
}

/// Words at `src` are sums for target units [first, last): some belong to this
/// tile, some go to their owners.
void Emitter::emitPartialSums(TileState &t, Projection &p, int64_t src,
                              int64_t first, int64_t last) {
  for (TileState &owner : tiles)
    for (Share &share : owner.shares) {
      if (share.population != p.target.population)
        continue;
      int64_t a = std::max(first, share.first), b = std::min(last, share.last);
      if (a >= b)
        continue;
      if (&owner == &t) {
        emitContribution(t, p.target, share, src + a - first, a, b - a);
        continue;
      }
      t.tile.set(kA, src + a - first);
      t.tile.set(kB, owner.tile.number);
      t.tile.set(kC,
                 tag("sum/" + std::to_string(p.id) + "/" +
                     std::to_string(t.tile.number) + "/" + std::to_string(a)));
      t.tile.set(kD, b - a);
      t.tile.emit(Op::Send, {kA, kB, kC, kD});
    }
}

/// Rows of the target side that a tile's blocks of a projection cover.
static std::pair<int64_t, int64_t> rowHull(TileState &t, StringRef weight) {
  int64_t first = INT64_MAX, last = 0;
  for (Block &block : t.blocks)
    if (block.matrix.getWeight() == weight) {
      first = std::min(first, block.row0);
      last = std::max(last, block.row1);
    }
  return {first, last};
}

void Emitter::emitCollect(TileState &t, CollectOp op) {
  Projection &p = view_->projections[size_t(op.getProjection())];
  for (auto name : op.getTiles().getAsRange<FlatSymbolRefAttr>()) {
    TileState &from = *tileByName.at(name.getValue().str());
    auto [first, last] = rowHull(from, p.weight.getSymName());
    for (Share &share : t.shares) {
      if (share.population != p.target.population)
        continue;
      int64_t a = std::max(first, share.first), b = std::min(last, share.last);
      if (a >= b)
        continue;
      int64_t buffer = scratch(t, "sums", b - a);
      t.tile.set(kA, buffer);
      t.tile.set(kC, tag("sum/" + std::to_string(p.id) + "/" +
                         std::to_string(from.tile.number) + "/" +
                         std::to_string(a)));
      t.tile.set(kD, b - a);
      t.tile.emit(Op::Recv, {kA, kC, kD});
      emitContribution(t, p.target, share, buffer, a, b - a);
    }
  }
}

void Emitter::emitWindow(TileState &t, const Block &block, int64_t row0,
                         int64_t rows, int64_t col0, int64_t cols) {
  t.tile.set(kA, row0);
  t.tile.set(kB, rows);
  t.tile.set(kC, block.at + col0);
  t.tile.set(kD, cols);
  t.tile.emit(Instr(Op::Win, {kA, kB, kC, kD}).with("array", block.array));
}

/// Bits of the inputs of a matrix: what was asked for, as far as the sum of
/// `inputs` products stays within a word.
int64_t Emitter::inputBits(MatrixOp matrix, int64_t inputs) const {
  int64_t sumBits =
      int64_t(llvm::Log2_64_Ceil(uint64_t(std::max<int64_t>(inputs, 1)))) +
      int64_t(matrix.getBits()) - 1;
  return std::clamp<int64_t>(31 - sumBits, 2, int64_t(options.inputBits));
}

void Emitter::emitQuantize(TileState &t, int64_t src, int64_t dst,
                           int64_t length, int64_t inputBits, bool isSigned) {
  int64_t bits = inputBits - (isSigned ? 1 : 0);
  int64_t limit = (int64_t(1) << bits) - 1;
  int64_t word = scratch(t, "clz", 1);
  // largest magnitude
  t.tile.set(kB, src);
  t.tile.set(kD, length);
  t.tile.emit(Op::Vmaxr, {kShift, kB, kD});
  if (isSigned) {
    t.tile.emit(Op::Vminr, {kC, kB, kD});
    t.tile.emit(Op::Sub, {kC, kZero, kC});
    t.tile.emit(Op::Max, {kShift, kShift, kC});
  }
  // shift = max(0, 32 - leading zeros - bits)
  t.tile.emit(Op::Sw, {kShift, kZero, word});
  t.tile.set(kA, word);
  t.tile.set(kC, 1);
  t.tile.emit(Op::Vclz, {kA, kA, kC});
  t.tile.emit(Op::Lw, {kShift, kZero, word});
  t.tile.set(kC, 32 - bits);
  t.tile.emit(Op::Sub, {kShift, kC, kShift});
  t.tile.emit(Op::Max, {kShift, kShift, kZero});
  t.tile.emit(Op::Sub, {kC, kZero, kShift});
  t.tile.set(kA, dst);
  t.tile.emit(Op::VshS, {kA, kB, kC, kD});
  t.tile.set(kC, limit);
  t.tile.emit(Op::VminS, {kA, kA, kC, kD});
  t.tile.set(kC, isSigned ? -limit : 0);
  t.tile.emit(Op::VmaxS, {kA, kA, kC, kD});
}

void Emitter::emitScale(TileState &t, Projection &p, MatrixOp matrix,
                        int64_t raw, int64_t dst, int64_t col0, int64_t length,
                        bool perColumn, int64_t rows) {
  int port = portFrac(p.target);
  int input = signalFrac(p.source.base);
  if (!matrix.getScales()) { // plastic: weights are words >> the common shift
    PlasticOp plastic;
    Learning *learning = nullptr;
    for (Learning &candidate : t.learnings)
      if (PlasticOp(candidate.plastic).getWeight() == matrix.getWeight())
        learning = &candidate;
    plastic = learning->plastic;
    t.tile.emit(Op::Lw, {kC, kZero, learning->shift});
    if (!p.spikes)
      t.tile.emit(Op::Add, {kC, kC, kShift});
    t.tile.emit(Op::Addi,
                {kC, kC, port - input - frac(plastic.getSymName(), "w")});
    t.tile.set(kA, dst);
    t.tile.set(kB, raw);
    t.tile.set(kD, length);
    t.tile.emit(Op::VshS, {kA, kB, kC, kD});
    return;
  }
  ArrayRef<double> scales = *matrix.getScales();
  double most = 0.0;
  for (int64_t i = 0; i < (perColumn ? length : 1); ++i)
    most = std::max(most, scales[size_t(col0 + i)]);
  // mantissas with 30 bits for the largest scale
  int mantissa = mantissaFrac(most);
  double inputs =
      p.spikes ? 1.0 : std::ldexp(1.0, int(inputBits(matrix, rows)));
  double levels = std::ldexp(1.0, int(matrix.getBits()) - 1);
  double bound = inputs * levels * double(rows) * most;
  int fine = chooseFrac(Interval::point(bound));
  int shift = std::clamp(mantissa - fine, 0, 63);
  fine = mantissa - shift;
  std::vector<int32_t> words;
  for (int64_t i = 0; i < (perColumn ? length : 1); ++i)
    words.push_back(toFixed(scales[size_t(col0 + i)], mantissa));
  t.tile.set(kA, dst);
  t.tile.set(kB, raw);
  t.tile.set(kD, length);
  if (perColumn) {
    t.tile.set(kC, t.tile.allocateData(words));
    t.tile.emit(Op::Vmul, {kA, kB, kC, kD, shift});
  } else {
    t.tile.set(kC, words[0]);
    t.tile.emit(Op::VmulS, {kA, kB, kC, kD, shift});
  }
  if (p.spikes) {
    int64_t place = port - fine;
    if (place != 0)
      t.tile.emit(Op::Vshi, {kA, kA, kD, std::clamp<int64_t>(place, -63, 63)});
    return;
  }
  t.tile.emit(Op::Addi, {kC, kShift, port - input - fine});
  t.tile.emit(Op::VshS, {kA, kA, kC, kD});
}

LogicalResult Emitter::emitMvm(TileState &t, MvmOp op) {
  Projection &p = view_->projections[size_t(op.getProjection())];
  if (isa<ConvAttr>(p.weight.getConnect()))
    return emitConvolution(t, p, op);
  bool transposed = op.getTransposed();
  std::vector<Block *> blocks;
  for (Block &block : t.blocks)
    if (llvm::is_contained(op.getWeights(), block.op.getWeights()))
      blocks.push_back(&block);
  int64_t source = view(t, p.source), inputs = p.numSource;
  bool isSigned = false;
  if (!p.spikes) {
    Interval in = ranges->signal(p.source.base).interval;
    isSigned = in.lo < 0.0;
    int64_t quantized = scratch(t, "quantized", inputs);
    emitQuantize(t, source, quantized, inputs,
                 inputBits(blocks.front()->matrix, inputs), isSigned);
    source = quantized;
  }
  // Outputs: the share's columns, or the rows that the blocks cover.
  int64_t first = INT64_MAX, last = 0;
  for (Block *block : blocks) {
    first = std::min(first, transposed ? block->row0 : block->col0);
    last = std::max(last, transposed ? block->row1 : block->col1);
  }
  int64_t raw = scratch(t, "raw", last - first);
  t.tile.fill(raw, 0, last - first);
  int64_t bits = inputBits(blocks.front()->matrix, inputs);
  int64_t list = 0;
  if (p.spikes) { // the units that fired, once for all blocks
    list = scratch(t, "list", inputs);
    t.tile.set(kA, list);
    t.tile.set(kB, source);
    t.tile.set(kD, inputs);
    t.tile.emit(Op::Vfind, {kCount, kA, kB, kD, kZero});
  }
  for (Block *block : blocks) {
    emitWindow(t, *block, 0, block->rows(), 0, block->cols());
    int64_t line = transposed ? block->col0 : block->row0;
    t.tile.set(kA, raw + (transposed ? block->row0 : block->col0) - first);
    Instr read;
    if (p.spikes) {
      t.tile.set(kB, list);
      t.tile.set(kC, line);
      read = Instr(transposed ? Op::Spkt : Op::Spk, {kA, kB, kC, kCount});
    } else {
      t.tile.set(kB, source + line);
      read = Instr(transposed ? Op::Mvmt : Op::Mvm, {kA, kB})
                 .with("bits", bits)
                 .with("signed", isSigned);
    }
    t.tile.emit(read.with("range", int64_t(op.getRange()))
                    .with("acc", 1)
                    .with("slices", block->slices)
                    .with("array", block->array));
  }
  int64_t sums = scratch(t, "scaled", last - first);
  MatrixOp matrix = blocks.front()->matrix;
  emitScale(t, p, matrix, raw, sums, transposed ? 0 : first, last - first,
            /*perColumn=*/!transposed, inputs);
  if (transposed) {
    if (p.target.input.getCombine() != Combine::Sum && tiles.size() > 1)
      return p.op.emitError()
             << "unsupported: partial sums of several tiles at a port that "
                "does not combine by sum";
    emitPartialSums(t, p, sums, first, last);
    return success();
  }
  for (Share &share : t.shares) {
    if (share.population != p.target.population)
      continue;
    int64_t a = std::max(first, share.first), b = std::min(last, share.last);
    emitContribution(t, p.target, share, sums + a - first, a, b - a);
  }
  return success();
}

/// One read per output position: the patch is gathered from a padded copy of
/// the quantised input through a table of offsets.
LogicalResult Emitter::emitConvolution(TileState &t, Projection &p, MvmOp op) {
  auto conv = cast<ConvAttr>(p.weight.getConnect());
  ArrayRef<int64_t> pre = p.weight.getPre(), post = p.weight.getPost();
  int64_t channels = pre[0], height = pre[1], width = pre[2];
  int64_t outHeight = post[1], outWidth = post[2];
  ArrayRef<int64_t> kernel = conv.getKernel().asArrayRef(),
                    strides = conv.getStrides().asArrayRef(),
                    pads = conv.getPads().asArrayRef(),
                    dilations = conv.getDilations().asArrayRef();
  int64_t paddedHeight = height + pads[0] + pads[2];
  int64_t paddedWidth = width + pads[1] + pads[3];
  int64_t positions = outHeight * outWidth;
  auto &code = t.tile.code;

  std::vector<Block *> blocks;
  int64_t first = INT64_MAX, last = 0;
  for (Block &block : t.blocks)
    if (llvm::is_contained(op.getWeights(), block.op.getWeights())) {
      blocks.push_back(&block);
      first = std::min(first, block.col0);
      last = std::max(last, block.col1);
    }
  int64_t rows = channels * kernel[0] * kernel[1];
  int64_t bits = p.spikes ? 1 : inputBits(blocks.front()->matrix, rows);

  int64_t source = view(t, p.source);
  bool isSigned = false;
  if (!p.spikes) {
    isSigned = ranges->signal(p.source.base).interval.lo < 0.0;
    int64_t quantized = scratch(t, "quantized", p.numSource);
    emitQuantize(t, source, quantized, p.numSource, bits, isSigned);
    source = quantized;
  }
  if (paddedHeight != height || paddedWidth != width) {
    std::string name = "padded" + std::to_string(p.id);
    int64_t padded =
        scratch(t, name, channels * paddedHeight * paddedWidth); // borders: 0
    for (int64_t c = 0; c < channels; ++c) {
      t.tile.set(kA,
                 padded + (c * paddedHeight + pads[0]) * paddedWidth + pads[1]);
      t.tile.set(kB, source + c * height * width);
      t.tile.set(kC, height);
      t.tile.set(kD, width);
      t.tile.set(kE, paddedWidth);
      t.tile.set(kF, width);
      t.tile.emit(Op::Vcopy2, {kA, kB, kC, kD, kE, kF});
    }
    source = padded;
  }
  std::vector<int32_t> offsets;
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t y = 0; y < kernel[0]; ++y)
      for (int64_t x = 0; x < kernel[1]; ++x)
        offsets.push_back(
            int32_t((c * paddedHeight + y * dilations[0]) * paddedWidth +
                    x * dilations[1]));
  int64_t table = t.tile.allocateData(offsets);
  int64_t patch = scratch(t, "patch", rows);

  int64_t outs = last - first;
  int64_t raw = scratch(t, "raw", outs), scaled = scratch(t, "scaled", outs);
  std::string name = "maps" + std::to_string(p.id);
  int64_t maps = scratch(t, name, outs * positions);
  bool manyBlocks = blocks.size() > 1;

  // kRow: patch origin, kList: output position
  t.tile.set(kList, 0);
  t.tile.set(kRow, source);
  Label endY = code.newLabel(), endX = code.newLabel();
  code.emitTo(Op::Loopi, {outHeight}, endY);
  t.tile.move(kTemp1, kRow);
  code.emitTo(Op::Loopi, {outWidth}, endX);
  t.tile.set(kA, patch);
  t.tile.set(kC, table);
  t.tile.set(kD, rows);
  t.tile.emit(Op::Vgather, {kA, kTemp1, kC, kD});
  if (manyBlocks)
    t.tile.fill(raw, 0, outs);
  for (Block *block : blocks) {
    emitWindow(t, *block, 0, block->rows(), 0, block->cols());
    t.tile.set(kA, raw + block->col0 - first);
    t.tile.set(kB, patch + block->row0);
    t.tile.emit(Instr(Op::Mvm, {kA, kB})
                    .with("bits", bits)
                    .with("signed", isSigned)
                    .with("range", int64_t(op.getRange()))
                    .with("acc", manyBlocks)
                    .with("slices", block->slices)
                    .with("array", block->array));
  }
  emitScale(t, p, blocks.front()->matrix, raw, scaled, first, outs, true, rows);
  t.tile.emit(Op::Addi, {kA, kList, maps});
  t.tile.set(kB, scaled);
  t.tile.set(kC, outs);
  t.tile.set(kD, 1);
  t.tile.set(kE, positions);
  t.tile.set(kF, 1);
  t.tile.emit(Op::Vcopy2, {kA, kB, kC, kD, kE, kF});
  t.tile.emit(Op::Addi, {kList, kList, 1});
  t.tile.emit(Op::Addi, {kTemp1, kTemp1, strides[1]});
  code.bind(endX);
  t.tile.emit(Op::Addi, {kRow, kRow, strides[0] * paddedWidth});
  code.bind(endY);

  for (Share &share : t.shares)
    if (share.population == p.target.population) {
      int64_t a = std::max(first * positions, share.first);
      int64_t b = std::min(last * positions, share.last);
      emitContribution(t, p.target, share, maps + a - first * positions, a,
                       b - a);
    }
  return success();
}

} // namespace neuroc::xbar
