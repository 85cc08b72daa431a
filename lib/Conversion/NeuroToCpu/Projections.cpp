// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Projections. For every target unit the contributions are combined in order of
// source unit, then of drawing, whatever the layout: that order is part of the
// semantics. Spikes through a plain weighted sum are driven by events: the
// engine lists the source units that fired, the code walks their rows. All
// other projections visit every synapse.

#include "Projection.h"

using namespace mlir;

namespace neuroc::cpu {

//===----------------------------------------------------------------------===//
// Matrices, vectors, kernels
//===----------------------------------------------------------------------===//

void Lowering::emitMatrix(Projection &p) {
  if (emitVectorMatrix(p))
    return;
  Kernel &k = p.kernel;
  int64_t width = p.weight.post;
  if (!p.transposed || k.lanes > 1) {
    // Every target unit sums in order of source: row by row of the buffer, or
    // with lanes in any order, since the lanes are side by side.
    p.fill();
    k.loop(p.sources(), [&](Value source) {
      Value row = k.mul(source, width);
      k.loop(p.targets(), [&](Value target) {
        Value slot = p.transposed ? k.add(k.mul(target, width), source)
                                  : k.add(row, target);
        p.synapse(slot, source, target);
      });
    });
    return;
  }
  // A target's values are one row of the buffer. Its sum is a chain of
  // dependent additions in order of source, so several targets are summed side
  // by side.
  auto sumTargets = [&](Value first, int64_t count) {
    SmallVector<Value> rows, sums(count, k.number(p.identity()));
    for (int64_t i = 0; i < count; ++i)
      rows.push_back(k.mul(k.add(first, k.index(i)), width));
    sums = k.reduce(k.index(0), k.index(p.sources()), sums,
                    [&](Value source, ValueRange sums) {
                      Value x = p.loadSource(source, k.index(0));
                      SmallVector<Value> next;
                      for (auto [row, sum] : llvm::zip(rows, sums)) {
                        Value slot = k.add(row, source);
                        Value w = k.load(p.weight.values, slot);
                        next.push_back(
                            p.guard(p.join(sum, p.transmit(w, x)), sum, slot));
                      }
                      return next;
                    });
    for (int64_t i = 0; i < count; ++i)
      k.store(sums[i], p.target.buffer, p.targetAt(k.add(first, k.index(i))));
  };
  constexpr int64_t side = 8;
  int64_t blocks = p.targets() / side;
  k.loop(blocks, [&](Value block) { sumTargets(k.mul(block, side), side); });
  k.loop(k.index(blocks * side), k.index(p.targets()),
         [&](Value target) { sumTargets(target, 1); });
}

void Lowering::emitEventMatrix(Projection &p) {
  Kernel &k = p.kernel;
  int64_t width = p.weight.post;
  p.fill();
  p.forEvents([&](Value source, Value lane) {
    // A spike is 1: its contribution is the weight itself.
    k.loop(p.targets(), [&](Value target) {
      Value slot = p.transposed ? k.add(k.mul(target, width), source)
                                : k.add(k.mul(source, width), target);
      p.accumulate(target, lane, k.load(p.weight.values, slot), slot);
    });
  });
}

void Lowering::emitVector(Projection &p) {
  Kernel &k = p.kernel;
  k.loop(p.targets(), [&](Value unit) {
    k.forLanes([&](Value lane) {
      Value t =
          p.transmit(k.load(p.weight.values, unit), p.loadSource(unit, lane));
      k.store(t, p.target.buffer, p.targetAt(k.place(unit, lane)));
    });
  });
}

/// A convolution as six loops. For kernel position (ky, kx) the output rows
/// that have an input row are those with 0 <= oy * stride + ky * dilation - pad
/// < H; their range is computed before the loop, so that its body has no test.
void Lowering::emitConvolution(Projection &p) {
  Kernel &k = p.kernel;
  OpBuilder &b = k.builder;
  auto conv = cast<neuro::ConvAttr>(p.weight.op.getConnect());
  ArrayRef<int64_t> pre = p.weight.op.getPre(), post = p.weight.op.getPost();
  int64_t groups = conv.getGroups();
  int64_t channels = pre[0] / groups, maps = post[0] / groups;
  auto constantMax = [&](Value value, int64_t bound) -> Value {
    return arith::MaxSIOp::create(b, k.loc, value, k.index(bound));
  };
  // The range of output positions along one axis, and the input position of
  // output 0 (may be negative).
  struct Range {
    Value lo, hi, origin;
  };
  auto range = [&](Value kernelPosition, unsigned axis) -> Range {
    int64_t stride = conv.getStrides()[axis], pad = conv.getPads()[axis];
    int64_t extent = pre[axis + 1], outputs = post[axis + 1];
    Value origin = arith::SubIOp::create(
        b, k.loc, k.mul(kernelPosition, conv.getDilations()[axis]),
        k.index(pad));
    // lo = ceil(-origin / stride), at least 0; hi = ceil((extent - origin) /
    // stride), at most outputs, at least 0.
    auto ceilDiv = [&](Value numerator) -> Value {
      Value positive = constantMax(numerator, 0);
      return k.div(k.add(positive, k.index(stride - 1)), stride);
    };
    Value lo = ceilDiv(arith::SubIOp::create(b, k.loc, k.index(0), origin));
    Value hi =
        ceilDiv(arith::SubIOp::create(b, k.loc, k.index(extent), origin));
    hi = arith::MinSIOp::create(b, k.loc, hi, k.index(outputs));
    return {lo, hi, origin};
  };
  auto plain = [&](Value a, Value c) -> Value {
    return arith::AddIOp::create(b, k.loc, a, c);
  };
  auto times = [&](Value a, int64_t c) -> Value {
    return arith::MulIOp::create(b, k.loc, a, k.index(c));
  };
  p.fill();
  // One synapse: weight element, pre unit, post unit.
  auto synapse = [&](Value slot, Value preUnit, Value postUnit) {
    p.synapse(slot, p.transposed ? postUnit : preUnit,
              p.transposed ? preUnit : postUnit);
  };
  auto kernelSlot = [&](Value map, Value channel, Value ky, Value kx) {
    Value slot = k.add(k.mul(map, channels), channel);
    slot = k.add(k.mul(slot, conv.getKernel()[0]), ky);
    return k.add(k.mul(slot, conv.getKernel()[1]), kx);
  };
  auto preUnit = [&](Value group, Value channel, Value y, Value x) {
    Value c = k.add(k.mul(group, channels), channel);
    return plain(times(plain(times(c, pre[1]), y), pre[2]), x);
  };
  if (!p.transposed) {
    k.loop(post[0], [&](Value map) {
      Value group = k.div(map, maps);
      k.loop(channels, [&](Value channel) {
        k.loop(conv.getKernel()[0], [&](Value ky) {
          Range rows = range(ky, 0);
          k.loop(conv.getKernel()[1], [&](Value kx) {
            Range columns = range(kx, 1);
            Value slot = kernelSlot(map, channel, ky, kx);
            k.loop(rows.lo, rows.hi, [&](Value oy) {
              Value y = plain(rows.origin, times(oy, conv.getStrides()[0]));
              k.loop(columns.lo, columns.hi, [&](Value ox) {
                Value x =
                    plain(columns.origin, times(ox, conv.getStrides()[1]));
                Value out =
                    k.add(k.mul(k.add(k.mul(map, post[1]), oy), post[2]), ox);
                synapse(slot, preUnit(group, channel, y, x), out);
              });
            });
          });
        });
      });
    });
    return;
  }
  // Transposed: source units are output positions, in ascending order.
  k.loop(post[0], [&](Value map) {
    Value group = k.div(map, maps);
    k.loop(post[1], [&](Value oy) {
      k.loop(post[2], [&](Value ox) {
        Value out = k.add(k.mul(k.add(k.mul(map, post[1]), oy), post[2]), ox);
        k.loop(channels, [&](Value channel) {
          // Kernel positions that fall inside the input.
          auto inside = [&](Value position, unsigned axis) -> Range {
            Value origin = arith::SubIOp::create(
                b, k.loc, times(position, conv.getStrides()[axis]),
                k.index(conv.getPads()[axis]));
            int64_t dilation = conv.getDilations()[axis];
            auto ceilDiv = [&](Value numerator) -> Value {
              Value positive = constantMax(numerator, 0);
              return k.div(k.add(positive, k.index(dilation - 1)), dilation);
            };
            Value lo =
                ceilDiv(arith::SubIOp::create(b, k.loc, k.index(0), origin));
            Value hi = ceilDiv(arith::SubIOp::create(
                b, k.loc, k.index(pre[axis + 1]), origin));
            hi = arith::MinSIOp::create(b, k.loc, hi,
                                        k.index(conv.getKernel()[axis]));
            return {lo, hi, origin};
          };
          Range rows = inside(oy, 0), columns = inside(ox, 1);
          k.loop(rows.lo, rows.hi, [&](Value ky) {
            Value y = plain(rows.origin, times(ky, conv.getDilations()[0]));
            k.loop(columns.lo, columns.hi, [&](Value kx) {
              Value x =
                  plain(columns.origin, times(kx, conv.getDilations()[1]));
              synapse(kernelSlot(map, channel, ky, kx),
                      preUnit(group, channel, y, x), out);
            });
          });
        });
      });
    });
  });
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

void Lowering::emitRows(Projection &p) {
  Kernel &k = p.kernel;
  const RowView &rows = p.rows;
  int64_t delays = rows.delays.size();
  bool own = p.op.getDelays().has_value();
  p.fill();
  k.loop(p.sources(), [&](Value source) {
    Value first = delays == 1 ? source : k.mul(source, delays);
    for (int64_t i = 0; i < delays; ++i) {
      Value row = i == 0 ? first : k.add(first, k.index(i));
      Value lo = k.loadIndex(rows.start, row);
      Value hi = k.loadIndex(rows.start, k.add(row, k.index(1)));
      k.loop(lo, hi, [&](Value entry) {
        Value slot = rows.slot ? k.loadIndex(rows.slot, entry) : entry;
        p.synapse(slot, source, k.loadIndex(rows.target, entry),
                  own ? rows.delays[i] : 0);
      });
    }
  });
}

void Lowering::emitEventRows(Projection &p) {
  Kernel &k = p.kernel;
  const RowView &rows = p.rows;
  p.fill();
  p.forEvents([&](Value row, Value lane) {
    Value lo = k.loadIndex(rows.start, row);
    Value hi = k.loadIndex(rows.start, k.add(row, k.index(1)));
    k.loop(lo, hi, [&](Value entry) {
      Value slot = rows.slot ? k.loadIndex(rows.slot, entry) : entry;
      p.accumulate(k.loadIndex(rows.target, entry), lane,
                   k.load(p.weight.values, slot), slot);
    });
  });
}

//===----------------------------------------------------------------------===//
// The projection
//===----------------------------------------------------------------------===//

LogicalResult Lowering::lowerProject(neuro::ProjectOp project) {
  Weight &weight = *weightOf[project.getWeight().str()];
  std::string name =
      "project." + std::to_string(functionCount++) + "." + weight.name();
  Kernel kernel(module, project.getLoc(), name, real);
  kernel.lanes = lanes;
  int64_t delay = project.getDelays() ? 0 : int64_t(project.getDelay());
  SignalUse source = use(project.getInput(), delay);
  Projection p{project,
               weight,
               kernel,
               *source.signal,
               *signalOf[project.getOutput()],
               source.delay,
               project.getTransposed(),
               project.getCombine(),
               {},
               {}};
  bool events =
      p.source.isSpikes && p.combine == neuro::Combine::Sum && !p.hasTransmit();
  bool ownDelays = project.getDelays().has_value();
  bool useRows = ownDelays || weight.storage == Storage::Synapses;
  if (useRows) {
    p.rows = ownDelays      ? rowsByDelay(weight, project)
             : p.transposed ? rowsByPost(weight)
                            : rowsByPre(weight);
  }
  bool eventDriven = events && (useRows || weight.storage == Storage::Matrix);
  if (eventDriven)
    p.events = addEvents("events." + name,
                         (useRows ? p.rows.rows : p.sources()) * lanes);
  if (useRows)
    eventDriven ? emitEventRows(p) : emitRows(p);
  else if (weight.storage == Storage::Matrix)
    eventDriven ? emitEventMatrix(p) : emitMatrix(p);
  else if (weight.storage == Storage::Vector)
    emitVector(p);
  else
    emitConvolution(p);

  // A unit without synapses gets 0, not the identity of max or min.
  if (p.combine == neuro::Combine::Max || p.combine == neuro::Combine::Min) {
    Buffer connected = connectedUnits(weight, p.transposed);
    kernel.loop(p.targets(), [&](Value unit) {
      OpBuilder &b = kernel.builder;
      Value present = arith::TruncIOp::create(b, kernel.loc, b.getI1Type(),
                                              kernel.load(connected, unit));
      kernel.forLanes([&](Value lane) {
        Value at = p.targetAt(kernel.place(unit, lane));
        Value value = kernel.load(p.target.buffer, at);
        value = arith::SelectOp::create(b, kernel.loc, present, value,
                                        kernel.number(0));
        kernel.store(value, p.target.buffer, at);
      });
    });
  }
  kernel.finish();

  Fields fields = {field("kind", "project"), field("function", name),
                   field("weight", weight.op.getSymName()),
                   field("outputs", ArrayRef<int64_t>(p.target.number))};
  if (p.source.isSpikes) {
    // What the engine needs to list events, or only to count them.
    int64_t none = 0;
    fields.append({field("source", p.source.number), field("delay", p.delay),
                   field("delays", ownDelays ? ArrayRef<int64_t>(p.rows.delays)
                                             : ArrayRef<int64_t>(none))});
    if (eventDriven)
      fields.append({field("events", p.events.units.name),
                     field("event_count", p.events.count.name)});
    if (useRows)
      fields.push_back(field("row_start", p.rows.start.name));
    else if (weight.exists || weight.storage == Storage::Kernel)
      fields.push_back(
          field("row_start", rowStarts(weight, p.transposed).name));
    else
      fields.push_back(field(
          "fan_out", weight.storage == Storage::Vector ? 1 : p.targets()));
  }
  addItem(fields);
  return success();
}

} // namespace neuroc::cpu
