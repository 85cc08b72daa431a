// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Projections that stay in tile memory: synaptic rows added spike by spike, and
// what the vector unit does itself (one-to-one weights, pooling and grouped
// kernels, transmit expressions, products and extremes).
#include "Emitter.h"

#include "neuroc/Neuro/Analysis/Connectivity.h"
#include "neuroc/Neuro/Analysis/Values.h"

#include <algorithm>
#include <cmath>

using namespace mlir;

namespace neuroc::xbar {

using namespace neuro;
using Label = rt::xbar::ProgramBuilder::Label;

namespace {
/// Calls `visit(source, target, value, delay, stored)` for each synapse in the
/// direction of the projection; `stored` is its number to the host.
void forEachSynapse(
    Projection &p, const ExpandedWeight &expanded,
    const std::vector<uint32_t> &delays,
    llvm::function_ref<void(int64_t, int64_t, double, uint32_t, uint32_t)>
        visit) {
  const rt::Synapses &synapses = expanded.synapses;
  bool dense = isDenseLayout(p.weight);
  for (int64_t pre = 0; pre < p.weight.getNumPre(); ++pre)
    for (uint64_t i = synapses.rowStart[size_t(pre)];
         i < synapses.rowStart[size_t(pre) + 1]; ++i) {
      int64_t post = synapses.post[i];
      visit(p.isTransposed() ? post : pre, p.isTransposed() ? pre : post,
            expanded.values[i], delays.empty() ? 0 : delays[i],
            dense ? uint32_t(synapses.source[i]) : uint32_t(i));
    }
}
} // namespace

LogicalResult Emitter::emitScatter(TileState &t, ScatterOp op) {
  Projection &p = view_->projections[size_t(op.getProjection())];
  if (p.target.input.getCombine() != Combine::Sum)
    return p.op.emitError()
           << "unsupported: synaptic rows at a port that does not combine by "
              "sum";
  auto expanded = expandWeight(p.weight);
  if (failed(expanded))
    return failure();
  std::vector<uint32_t> delays;
  int64_t slots = 1;
  if (p.op.getDelays()) {
    delays = expandDelays(p.op, expanded->synapses);
    slots = int64_t(getMaxDelay(p.op, expanded->synapses));
  }
  auto &code = t.tile.code;
  for (Share &share : t.shares) {
    if (share.population != p.target.population)
      continue;
    auto port = share.inputs.find(p.target.input.getSymName().str());
    if (port == share.inputs.end())
      continue;
    int64_t size = share.size();
    assert(slots * size <= 65536 && "xbar-map-arrays cuts the share");
    // Packed synapses: target (and delay) below, 16-bit value above.
    struct Entry {
      int64_t index;
      double value;
      uint32_t stored; ///< number of the synapse to the host
    };
    std::vector<std::vector<Entry>> rows(size_t(p.numSource));
    // What the experiment may assign has room, too.
    double most = ranges->weight(p.weight).interval.magnitude();
    forEachSynapse(p, *expanded, delays,
                   [&](int64_t from, int64_t to, double value, uint32_t d,
                       uint32_t stored) {
                     if (to < share.first || to >= share.last)
                       return;
                     int64_t slot = d > 0 ? int64_t(d) - 1 : 0;
                     rows[size_t(from)].push_back(
                         {slot * size + to - share.first, value, stored});
                     most = std::max(most, std::fabs(value));
                   });
    int point = portFrac(p.target), shift = 0;
    while (std::ldexp(most, point - shift) > 32767.0)
      ++shift;
    assert(shift <= 31 && "the port's format holds each of its weights");
    std::vector<int32_t> packed, starts;
    WeightPieceNote note;
    for (auto &row : rows) {
      starts.push_back(int32_t(packed.size()));
      for (const Entry &entry : row) {
        packed.push_back(
            int32_t((uint32_t(toFixed(entry.value, point - shift)) << 16) |
                    uint32_t(entry.index)));
        note.indices.push_back(entry.stored);
      }
    }
    starts.push_back(int32_t(packed.size()));
    int64_t base = t.tile.allocateData(packed);
    note.tile = t.tile.number;
    note.address = base;
    note.isPacked = true;
    note.scale = std::ldexp(1.0, shift - point);
    if (!note.indices.empty())
      weightPieces[p.weight.getSymName().str()].push_back(std::move(note));
    for (int32_t &start : starts)
      start += int32_t(base);
    int64_t table = t.tile.allocateData(starts);
    int64_t list = scratch(t, "list", p.numSource);
    int64_t sums = port->second, ring = 0;
    if (slots > 1)
      ring = t.tile.allocate(2 * slots * size);

    t.tile.set(kA, list);
    t.tile.set(kB, view(t, p.source));
    t.tile.set(kD, p.numSource);
    t.tile.emit(Op::Vfind, {kCount, kA, kB, kD, kZero});
    t.tile.set(kList, list);
    if (slots > 1) { // kRowBase: the slot of this tick
      t.tile.emit(Op::Remi, {kRowBase, kTick, slots});
      t.tile.emit(Op::Muli, {kRowBase, kRowBase, size});
      t.tile.emit(Op::Addi, {kRowBase, kRowBase, ring});
    } else {
      t.tile.set(kRowBase, sums);
    }
    t.tile.emit(Op::Lw, {kTemp1, kZero, t.eventCount});
    Label end = code.newLabel();
    code.emitTo(Op::Loop, {kCount}, end);
    t.tile.emit(Op::Lw, {kA, kList, 0});
    t.tile.emit(Op::Lw, {kB, kA, table});
    t.tile.emit(Op::Lw, {kD, kA, table + 1});
    t.tile.emit(Op::Sub, {kD, kD, kB});
    t.tile.emit(Op::Vscatpk, {kB, kRowBase, kD, shift});
    t.tile.emit(Op::Add, {kTemp1, kTemp1, kD});
    t.tile.emit(Op::Addi, {kList, kList, 1});
    code.bind(end);
    t.tile.emit(Op::Sw, {kTemp1, kZero, t.eventCount});
    if (slots > 1)
      for (int64_t turn = 0; turn < 2; ++turn) { // slot s and slot s + slots
        t.tile.emit(Op::Addi, {kC, kRowBase, turn * slots * size});
        t.tile.set(kA, sums);
        t.tile.set(kD, size);
        t.tile.emit(Op::Vadd, {kA, kA, kC, kD});
        t.tile.emit(Op::Vfill, {kC, kZero, kD});
      }
  }
  return success();
}

LogicalResult Emitter::emitCombine(TileState &t, CombineOp op) {
  Projection &p = view_->projections[size_t(op.getProjection())];
  if (p.op.getDelays())
    return p.op.emitError()
           << "unsupported: synapses with delays of their own carry spikes by "
              "weighted sums only on a crossbar machine";
  for (Share &share : t.shares) {
    if (share.population != p.target.population ||
        share.first != op.getUnits()[0])
      continue;
    if (isa<ConvAttr>(p.weight.getConnect())) {
      if (failed(emitPooling(t, p, share)))
        return failure();
      continue;
    }
    if (!isa<OneToOneAttr>(p.weight.getConnect())) {
      if (failed(emitDenseCombine(t, p, share)))
        return failure();
      continue;
    }
    auto expanded = expandWeight(p.weight);
    if (failed(expanded))
      return failure();
    Interval in = ranges->weight(p.weight).interval;
    int point = chooseFrac(in), port = portFrac(p.target);
    int input = signalFrac(p.source.base);
    point = std::clamp(point, port - input, 63 + port - input);
    std::vector<int32_t> words;
    for (int64_t unit = share.first; unit < share.last; ++unit)
      words.push_back(toFixed(expanded->values[size_t(unit)], point));
    int64_t weights = t.tile.allocateData(words);
    WeightPieceNote note{
        t.tile.number, weights, false, std::ldexp(1.0, -point), {}};
    for (int64_t unit = share.first; unit < share.last; ++unit)
      note.indices.push_back(uint32_t(unit));
    weightPieces[p.weight.getSymName().str()].push_back(std::move(note));
    int64_t from = view(t, p.source) + share.first;
    int64_t buffer = scratch(t, "combined", share.size());
    if (p.isPlain()) {
      t.tile.set(kA, buffer);
      t.tile.set(kB, weights);
      t.tile.set(kC, from);
      t.tile.set(kD, share.size());
      t.tile.emit(Op::Vmul, {kA, kB, kC, kD, point + input - port});
    } else {
      VectorCode vectors(t.tile, t.pool, *ranges, notes, t.tables);
      mlir::Block &block = p.op.getTransmit().front();
      LogicalResult result = success();
      blockLoop(t, share.size(), [&] {
        vectors.bind(block.getArgument(0), Operand::memory(weights, point));
        vectors.bind(block.getArgument(1), Operand::memory(from, input));
        result = vectors.compile(
            block, [](Operation *) { return std::nullopt; },
            [&](Operation *, Operand value) {
              vectors.store(Operand::memory(buffer, port), value);
            });
      });
      if (failed(result))
        return failure();
    }
    emitContribution(t, p.target, share, buffer, share.first, share.size());
  }
  return success();
}

/// The word that a combine starts from.
static int64_t identityOf(Combine combine, int port) {
  switch (combine) {
  case Combine::Sum:
    return 0;
  case Combine::Max:
    return INT32_MIN;
  case Combine::Min:
    return INT32_MAX;
  case Combine::Product:
    return toFixed(1.0, port);
  }
  return 0;
}

/// dst = dst (+) value, both at `port`.
static void combineInto(TileCode &tile, Combine combine, int port,
                        int64_t dstReg, int64_t valueReg, int64_t lengthReg) {
  switch (combine) {
  case Combine::Sum:
    tile.emit(Op::Vadd, {dstReg, dstReg, valueReg, lengthReg});
    break;
  case Combine::Max:
    tile.emit(Op::Vmax, {dstReg, dstReg, valueReg, lengthReg});
    break;
  case Combine::Min:
    tile.emit(Op::Vmin, {dstReg, dstReg, valueReg, lengthReg});
    break;
  case Combine::Product:
    tile.emit(Op::Vmul,
              {dstReg, dstReg, valueReg, lengthReg, std::clamp(port, 0, 63)});
    break;
  }
}

/// Any combine and transmit over a dense (or made dense) weight: for each block
/// of targets, one row per source unit.
LogicalResult Emitter::emitDenseCombine(TileState &t, Projection &p,
                                        Share &share) {
  auto expanded = expandWeight(p.weight);
  if (failed(expanded))
    return failure();
  int64_t size = share.size(), rows = p.numSource;
  Interval in = ranges->weight(p.weight).interval;
  int point = chooseFrac(in), port = portFrac(p.target);
  int input = signalFrac(p.source.base);
  Combine combine = p.op.getCombine();
  std::vector<int32_t> weights(size_t(rows * size)),
      exists(size_t(rows * size));
  std::vector<int32_t> connected(size_t(size), 0);
  std::vector<uint32_t> stored(size_t(rows * size), 0xffffffffu);
  bool complete = true, repeated = false;
  forEachSynapse(
      p, *expanded, {},
      [&](int64_t from, int64_t to, double value, uint32_t, uint32_t number) {
        if (to < share.first || to >= share.last)
          return;
        size_t at = size_t(from * size + to - share.first);
        repeated |= exists[at] != 0;
        weights[at] = toFixed(value, point);
        exists[at] = 1;
        stored[at] = number;
        connected[size_t(to - share.first)] = 1;
      });
  if (repeated)
    return p.op.emitError()
           << "unsupported: two synapses join the same pair of units, which a "
              "crossbar machine has only for weighted sums";
  for (int32_t flag : exists)
    complete &= flag != 0;
  int64_t weightAddress = t.tile.allocateData(weights);
  weightPieces[p.weight.getSymName().str()].push_back(
      {t.tile.number, weightAddress, false, std::ldexp(1.0, -point),
       std::move(stored)});
  int64_t existsAddress = complete ? 0 : t.tile.allocateData(exists);
  int64_t result = scratch(t, "combined", size);
  int64_t source = view(t, p.source);
  int64_t identity = identityOf(combine, port);
  auto &code = t.tile.code;
  VectorCode vectors(t.tile, t.pool, *ranges, notes, t.tables);
  LogicalResult status = success();
  blockLoop(t, size, [&] {
    Operand sum = Operand::memory(result, port);
    vectors.address(kA, sum);
    t.tile.set(kB, identity);
    t.tile.emit(Op::Vfill, {kA, kB, kLength});
    t.tile.set(kRow, source);
    t.tile.move(kRowBase, kOffset);
    Label end = code.newLabel();
    code.emitTo(Op::Loopi, {rows}, end);
    Operand x = vectors.temporary(input);
    vectors.address(kA, x);
    t.tile.emit(Op::Lw, {kB, kRow, 0});
    t.tile.emit(Op::Vfill, {kA, kB, kLength});
    Operand w = Operand::memory(weightAddress, point, false, true);
    Operand value = vectors.temporary(port);
    if (p.isPlain()) {
      int shift = point + input - port;
      vectors.address(kA, value);
      vectors.address(kB, x);
      vectors.address(kC, w);
      t.tile.emit(Op::Vmul, {kA, kB, kC, kLength, std::clamp(shift, 0, 63)});
      if (shift < 0)
        t.tile.emit(Op::Vshi, {kA, kA, kLength, -shift});
    } else {
      mlir::Block &block = p.op.getTransmit().front();
      vectors.bind(block.getArgument(0), w);
      vectors.bind(block.getArgument(1), x);
      status = vectors.compile(
          block, [](Operation *) { return std::nullopt; },
          [&](Operation *, Operand v) { vectors.store(value, v); });
    }
    if (!complete) {
      vectors.address(kA, value);
      vectors.address(kB, Operand::memory(existsAddress, 0, false, true));
      t.tile.set(kE, identity);
      t.tile.emit(Op::VselS, {kA, kB, kA, kE, kLength});
    }
    vectors.address(kA, sum);
    vectors.address(kC, value);
    combineInto(t.tile, combine, port, kA, kC, kLength);
    vectors.release(x);
    vectors.release(value);
    t.tile.emit(Op::Addi, {kRow, kRow, 1});
    t.tile.emit(Op::Addi, {kRowBase, kRowBase, size});
    code.bind(end);
  });
  if (failed(status))
    return failure();
  if (llvm::is_contained(connected, 0) && combine != Combine::Sum &&
      combine != Combine::Product) {
    t.tile.set(kA, result);
    t.tile.set(kB, t.tile.allocateData(connected));
    t.tile.set(kD, size);
    t.tile.emit(Op::VselS, {kA, kB, kA, kZero, kD});
  }
  emitContribution(t, p.target, share, result, share.first, size);
  return success();
}

/// A kernel on the vector unit: for each output channel (a loop where each
/// group has one), input channel and kernel entry, the rows of the output that
/// the entry reaches.
LogicalResult Emitter::emitPooling(TileState &t, Projection &p, Share &share) {
  if (!p.isPlain())
    return p.op.emitError() << "unsupported: a transmit expression on a "
                               "convolution on a crossbar machine";
  auto conv = cast<ConvAttr>(p.weight.getConnect());
  ArrayRef<int64_t> pre = p.weight.getPre(), post = p.weight.getPost();
  int64_t height = pre[1], width = pre[2];
  int64_t outHeight = post[1], outWidth = post[2];
  ArrayRef<int64_t> kernel = conv.getKernel().asArrayRef(),
                    strides = conv.getStrides().asArrayRef(),
                    pads = conv.getPads().asArrayRef(),
                    dilations = conv.getDilations().asArrayRef();
  int64_t positions = outHeight * outWidth;
  int64_t groups = conv.getGroups(), perGroup = pre[0] / groups;
  int64_t outsPerGroup = post[0] / groups;
  int64_t firstOut = share.first / positions, lastOut = share.last / positions;
  int64_t taps = kernel[0] * kernel[1];
  Interval in = ranges->weight(p.weight).interval;
  int point = chooseFrac(in), port = portFrac(p.target);
  int input = signalFrac(p.source.base);
  point = std::clamp(point, port - input, 63 + port - input);
  std::vector<double> values;
  if (auto elements = dyn_cast<ElementsAttr>(p.weight.getValues()))
    values = toDoubles(elements);
  else
    values.assign(size_t(post[0] * perGroup * taps),
                  getSingleValue(p.weight.getValues()).value_or(0.0));
  bool ones =
      in.isPoint() && llvm::all_of(values, [](double v) { return v == 1.0; });
  std::vector<int32_t> words;
  for (int64_t i = firstOut * perGroup * taps; i < lastOut * perGroup * taps;
       ++i)
    words.push_back(toFixed(values[size_t(i)], point));
  int64_t weights = t.tile.allocateData(words);
  WeightPieceNote note{
      t.tile.number, weights, false, std::ldexp(1.0, -point), {}};
  for (size_t i = 0; i < words.size(); ++i)
    note.indices.push_back(uint32_t(firstOut * perGroup * taps) + uint32_t(i));
  weightPieces[p.weight.getSymName().str()].push_back(std::move(note));
  Combine combine = p.op.getCombine();
  int64_t result = scratch(t, "combined", share.size());
  int64_t line = scratch(t, "line", outWidth);
  auto &code = t.tile.code;
  t.tile.fill(result, identityOf(combine, port), share.size());

  // Registers: kRow source channel, kList output channel, kTemp2 weights.
  auto emitChannel = [&] {
    for (int64_t y = 0; y < kernel[0]; ++y)
      for (int64_t x = 0; x < kernel[1]; ++x) {
        // Outputs o with 0 <= o * stride + tap * dilation - pad < extent.
        auto reach = [](int64_t tap, int64_t pad, int64_t stride,
                        int64_t extent, int64_t outs) {
          int64_t lo = 0, hi = outs;
          while (lo < outs && lo * stride + tap - pad < 0)
            ++lo;
          while (hi > lo && (hi - 1) * stride + tap - pad >= extent)
            --hi;
          return std::pair<int64_t, int64_t>{lo, hi};
        };
        auto [oy0, oy1] =
            reach(y * dilations[0], pads[0], strides[0], height, outHeight);
        auto [ox0, ox1] =
            reach(x * dilations[1], pads[1], strides[1], width, outWidth);
        if (oy0 >= oy1 || ox0 >= ox1)
          continue;
        int64_t sy = oy0 * strides[0] + y * dilations[0] - pads[0];
        int64_t sx = ox0 * strides[1] + x * dilations[1] - pads[1];
        t.tile.emit(Op::Addi, {kTemp1, kRow, sy * width + sx});
        t.tile.emit(Op::Addi, {kTemp3, kList, oy0 * outWidth + ox0});
        t.tile.emit(Op::Lw, {kFlag, kTemp2, y * kernel[1] + x});
        Label end = code.newLabel();
        t.tile.set(kA, line);
        t.tile.set(kC, ox1 - ox0);
        t.tile.set(kD, 1);
        t.tile.set(kE, 1);
        t.tile.set(kF, strides[1]);
        code.emitTo(Op::Loopi, {oy1 - oy0}, end);
        t.tile.emit(Op::Vcopy2, {kA, kTemp1, kC, kD, kE, kF});
        if (!ones)
          t.tile.emit(Op::VmulS, {kA, kA, kFlag, kC, point + input - port});
        else if (input != port)
          t.tile.emit(Op::Vshi, {kA, kA, kC, port - input});
        combineInto(t.tile, combine, port, kTemp3, kA, kC);
        t.tile.emit(Op::Addi, {kTemp1, kTemp1, strides[0] * width});
        t.tile.emit(Op::Addi, {kTemp3, kTemp3, outWidth});
        code.bind(end);
      }
  };
  int64_t source = view(t, p.source);
  t.tile.set(kTemp2, weights);
  t.tile.set(kList, result);
  auto overInputs = [&] {
    Label end = code.newLabel();
    code.emitTo(Op::Loopi, {perGroup}, end);
    emitChannel();
    t.tile.emit(Op::Addi, {kRow, kRow, height * width});
    t.tile.emit(Op::Addi, {kTemp2, kTemp2, taps});
    code.bind(end);
    t.tile.emit(Op::Addi, {kList, kList, positions});
  };
  if (outsPerGroup == 1) {
    Label end = code.newLabel();
    t.tile.set(kRow, source + firstOut * perGroup * height * width);
    code.emitTo(Op::Loopi, {lastOut - firstOut}, end);
    overInputs();
    code.bind(end);
  } else {
    for (int64_t m = firstOut; m < lastOut; ++m) {
      t.tile.set(kRow, source + m / outsPerGroup * perGroup * height * width);
      overInputs();
    }
  }
  emitContribution(t, p.target, share, result, share.first, share.size());
  return success();
}

} // namespace neuroc::xbar
