// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dense weighted sums in blocks of vector registers. A matrix is stored by pre
// unit. Straight, a block of target units is one of neighbouring columns, whose
// sums stay in registers while the source units pass: each adds in order of
// source, as the semantics say. In a batch the lanes are the vector, straight
// and transposed. A transposed product without a batch adds along rows; several
// partial sums per row need another order, so f64 leaves that to emitMatrix.

#include "Projection.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace neuroc::cpu {

namespace {

/// Emits vector code over flat buffers.
struct VectorCode {
  Kernel &k;
  int64_t width; ///< elements of a register

  OpBuilder &b() const { return k.builder; }
  VectorType type() const { return VectorType::get({width}, k.real); }
  /// f32 may fuse and reorder; f64 does neither.
  arith::FastMathFlags flags() const {
    return k.real.isF64()
               ? arith::FastMathFlags::none
               : arith::FastMathFlags::contract | arith::FastMathFlags::reassoc;
  }
  Value zero() const {
    return arith::ConstantOp::create(
        b(), k.loc,
        DenseElementsAttr::get(type(), b().getFloatAttr(k.real, 0.0)));
  }
  Value load(const Buffer &buffer, Value at) const {
    return vector::LoadOp::create(b(), k.loc, type(), k.memref(buffer), at);
  }
  void store(Value value, const Buffer &buffer, Value at) const {
    vector::StoreOp::create(b(), k.loc, value, k.memref(buffer), at);
  }
  Value spread(Value number) const {
    return vector::BroadcastOp::create(b(), k.loc, type(), number);
  }
  Value addProduct(Value sum, Value w, Value x) const {
    auto fast = k.real.isF64() ? arith::FastMathFlags::none
                               : arith::FastMathFlags::contract;
    Value product = arith::MulFOp::create(b(), k.loc, w, x, fast);
    return arith::AddFOp::create(b(), k.loc, sum, product, fast);
  }
  Value total(Value vector) const {
    return vector::ReductionOp::create(b(), k.loc, vector::CombiningKind::ADD,
                                       vector, flags());
  }
};

} // namespace

/// Columns [first, first + count * width) of a straight product.
static void emitColumns(Lowering::Projection &p, VectorCode v, Value first,
                        int64_t count) {
  Kernel &k = p.kernel;
  SmallVector<Value> sums(count, v.zero());
  sums = k.reduce(k.index(0), k.index(p.sources()), sums,
                  [&](Value source, ValueRange before) {
                    Value x = v.spread(p.loadSource(source, k.index(0)));
                    Value row = k.add(k.mul(source, p.weight.post), first);
                    SmallVector<Value> after;
                    for (int64_t i = 0; i < count; ++i) {
                      Value at = k.add(row, k.index(i * v.width));
                      after.push_back(v.addProduct(
                          before[i], v.load(p.weight.values, at), x));
                    }
                    return after;
                  });
  for (int64_t i = 0; i < count; ++i)
    v.store(sums[i], p.target.buffer,
            p.targetAt(k.add(first, k.index(i * v.width))));
}

/// One column of a straight product, or one row of a transposed one.
static void emitOne(Lowering::Projection &p, Value target, Value lane) {
  Kernel &k = p.kernel;
  int64_t width = p.weight.post;
  Value sum =
      k.reduce(k.index(0), k.index(p.sources()), {k.number(0)},
               [&](Value source, ValueRange before) {
                 Value at = p.transposed ? k.add(k.mul(target, width), source)
                                         : k.add(k.mul(source, width), target);
                 Value w = k.load(p.weight.values, at);
                 return SmallVector<Value>{p.join(
                     before[0], p.transmit(w, p.loadSource(source, lane)))};
               })[0];
  k.store(sum, p.target.buffer, p.targetAt(k.place(target, lane)));
}

/// `count` rows of a transposed product: partial sums along each.
static void emitRowSums(Lowering::Projection &p, VectorCode v, Value first,
                        int64_t count) {
  Kernel &k = p.kernel;
  int64_t width = p.weight.post, blocks = width / v.width;
  SmallVector<Value> rows, sums(count, v.zero());
  for (int64_t i = 0; i < count; ++i)
    rows.push_back(k.mul(k.add(first, k.index(i)), width));
  Value slot = k.slot(p.source, p.delay);
  sums = k.reduce(
      k.index(0), k.index(blocks), sums, [&](Value block, ValueRange before) {
        Value at = k.mul(block, v.width);
        Value x = v.load(p.source.buffer, k.add(slot, at));
        SmallVector<Value> after;
        for (int64_t i = 0; i < count; ++i)
          after.push_back(v.addProduct(
              before[i], v.load(p.weight.values, k.add(rows[i], at)), x));
        return after;
      });
  SmallVector<Value> totals;
  for (Value sum : sums)
    totals.push_back(v.total(sum));
  if (width % v.width != 0)
    totals = k.reduce(k.index(blocks * v.width), k.index(width), totals,
                      [&](Value source, ValueRange before) {
                        Value x = p.loadSource(source, k.index(0));
                        SmallVector<Value> after;
                        for (int64_t i = 0; i < count; ++i) {
                          Value w =
                              k.load(p.weight.values, k.add(rows[i], source));
                          after.push_back(p.join(before[i], p.transmit(w, x)));
                        }
                        return after;
                      });
  for (int64_t i = 0; i < count; ++i)
    k.store(totals[i], p.target.buffer, p.targetAt(k.add(first, k.index(i))));
}

/// `count` targets in `registers` vectors of lanes from `lane` on.
static void emitLanes(Lowering::Projection &p, VectorCode v, Value first,
                      int64_t count, Value lane, int64_t registers) {
  Kernel &k = p.kernel;
  int64_t width = p.weight.post;
  SmallVector<Value> sums(count * registers, v.zero());
  Value slot = k.slot(p.source, p.delay);
  sums = k.reduce(
      k.index(0), k.index(p.sources()), sums,
      [&](Value source, ValueRange before) {
        SmallVector<Value> xs, after;
        for (int64_t r = 0; r < registers; ++r)
          xs.push_back(v.load(
              p.source.buffer,
              k.add(slot, k.add(k.place(source, lane), k.index(r * v.width)))));
        for (int64_t i = 0; i < count; ++i) {
          Value target = k.add(first, k.index(i));
          Value at = p.transposed ? k.add(k.mul(target, width), source)
                                  : k.add(k.mul(source, width), target);
          Value w = v.spread(k.load(p.weight.values, at));
          for (int64_t r = 0; r < registers; ++r)
            after.push_back(v.addProduct(before[i * registers + r], w, xs[r]));
        }
        return after;
      });
  for (int64_t i = 0; i < count; ++i)
    for (int64_t r = 0; r < registers; ++r) {
      Value at =
          k.add(k.place(k.add(first, k.index(i)), lane), k.index(r * v.width));
      v.store(sums[i * registers + r], p.target.buffer, p.targetAt(at));
    }
}

bool Lowering::emitVectorMatrix(Projection &p) {
  Kernel &k = p.kernel;
  int64_t registerWidth = isDouble ? 8 : 16;
  if (p.combine != neuro::Combine::Sum || p.hasTransmit() || p.needsGuard() ||
      p.source.isSpikes || p.source.buffer.type.getElementType() != real)
    return false;
  if (lanes > 1) {
    VectorCode v{
        k, std::min(registerWidth, int64_t(llvm::bit_floor(uint64_t(lanes))))};
    k.inBlocks(p.targets(), 4, [&](Value first, int64_t count) {
      int64_t pairs = lanes / (2 * v.width);
      k.loop(pairs, [&](Value pair) {
        emitLanes(p, v, first, count, k.mul(pair, 2 * v.width), 2);
      });
      int64_t done = pairs * 2 * v.width;
      if (lanes - done >= v.width) {
        emitLanes(p, v, first, count, k.index(done), 1);
        done += v.width;
      }
      for (int64_t i = 0; i < count; ++i)
        k.loop(k.index(done), k.index(lanes),
               [&](Value lane) { emitOne(p, k.add(first, k.index(i)), lane); });
    });
    return true;
  }
  VectorCode v{k, registerWidth};
  if (!p.transposed) {
    int64_t width = p.targets(), big = width / (4 * v.width);
    if (width < v.width)
      return false;
    k.loop(big, [&](Value block) {
      emitColumns(p, v, k.mul(block, 4 * v.width), 4);
    });
    int64_t done = big * 4 * v.width;
    if (int64_t more = (width - done) / v.width) {
      emitColumns(p, v, k.index(done), more);
      done += more * v.width;
    }
    k.loop(k.index(done), k.index(width),
           [&](Value target) { emitOne(p, target, k.index(0)); });
    return true;
  }
  if (isDouble || p.weight.post < v.width)
    return false;
  k.inBlocks(p.targets(), 4, [&](Value first, int64_t count) {
    emitRowSums(p, v, first, count);
  });
  return true;
}

} // namespace neuroc::cpu
