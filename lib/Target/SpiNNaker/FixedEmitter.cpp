// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fixed-point code for scalar regions. See the header for the arithmetic; the
// elementary functions are those of neuroc/rt/spinn/FixedMath.h.
#include "FixedEmitter.h"

#include "neuroc/Spinn/Mapping/Plan.h"
#include "neuroc/rt/spinn/CoreAbi.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>
#include <cstddef>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::spinn;
using neuro::Interval;

/// Values without a useful bound are given this one, and saturate.
static constexpr double kClip = 32768.0;

Interval neuroc::spinn::fullRange(int frac) {
  double top = std::ldexp(1.0, 31 - frac);
  return {-top, top};
}

FixedEmitter::FixedEmitter(llvm::Module &module, Builder &builder)
    : module(module), b(builder), clip(Interval::symmetric(kClip)) {}

/// What an operation without a bound is clipped to.
Interval FixedEmitter::clipFor(Operation *op) const {
  Interval usual = Interval::symmetric(kClip);
  if (!storedIn || op->use_empty())
    return usual;
  std::optional<Interval> widest;
  for (Operation *user : op->getUsers()) {
    std::optional<Format> format;
    if (isa<neuro::SetOp, neuro::EmitOp>(user))
      format = storedIn(user);
    if (!format)
      return usual;
    Interval own = fullRange(format->frac);
    widest = widest ? widest->join(own) : own;
  }
  return widest->meet(usual);
}

llvm::Function *neuroc::spinn::getSaturate(llvm::Module &module) {
  if (llvm::Function *known = module.getFunction("neuroc_saturate"))
    return known;
  llvm::LLVMContext &context = module.getContext();
  llvm::Type *i32 = llvm::Type::getInt32Ty(context);
  llvm::Type *i64 = llvm::Type::getInt64Ty(context);
  auto *function = llvm::Function::Create(
      llvm::FunctionType::get(i32, {i64}, false),
      llvm::GlobalValue::InternalLinkage, "neuroc_saturate", module);
  function->addFnAttr(llvm::Attribute::AlwaysInline);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  auto *entry = llvm::BasicBlock::Create(context, "entry", function);
  auto *clip = llvm::BasicBlock::Create(context, "clip", function);
  auto *done = llvm::BasicBlock::Create(context, "done", function);
  llvm::IRBuilder<> b(entry);
  llvm::Value *wide = function->getArg(0);
  llvm::Value *low = b.CreateTrunc(wide, i32);
  llvm::Value *fits = b.CreateICmpEQ(b.CreateSExt(low, i64), wide);
  b.CreateCondBr(fits, done, clip,
                 llvm::MDBuilder(context).createBranchWeights(1000, 1));
  b.SetInsertPoint(clip);
  llvm::Value *address =
      b.CreateIntToPtr(b.getInt32(NEUROC_SPINN_CONTROL_ADDRESS +
                                  offsetof(neuroc_spinn_control, counters) +
                                  offsetof(neuroc_spinn_counters, saturations)),
                       llvm::PointerType::get(context, 0));
  llvm::Value *count = b.CreateLoad(i32, address, /*isVolatile=*/true);
  b.CreateStore(b.CreateAdd(count, b.getInt32(1)), address, true);
  llvm::Value *sign = b.CreateAShr(wide, 63);
  llvm::Value *clipped =
      b.CreateXor(b.CreateTrunc(sign, i32), b.getInt32(INT32_MAX));
  b.CreateBr(done);
  b.SetInsertPoint(done);
  llvm::PHINode *result = b.CreatePHI(i32, 2);
  result->addIncoming(low, entry);
  result->addIncoming(clipped, clip);
  b.CreateRet(result);
  return function;
}

llvm::Value *FixedEmitter::saturate(llvm::Value *wide) {
  return b.CreateCall(getSaturate(module), {wide});
}

Num FixedEmitter::constant(double x) {
  int frac = x == 0.0 ? 0 : fractionBits(std::fabs(x));
  // Powers of two and small integers keep few fraction bits: shorter code.
  while (frac > -31 && std::fmod(std::ldexp(x, frac), 2.0) == 0.0 && x != 0.0)
    --frac;
  double scaled = std::nearbyint(std::ldexp(x, frac));
  scaled = std::clamp(scaled, -2147483648.0, 2147483647.0);
  return {b.getInt32(static_cast<uint32_t>(static_cast<int64_t>(scaled))), frac,
          Interval::point(x)};
}

/// The real number that a constant was made from.
static std::optional<double> constantOf(const Num &x) {
  if (x.range.isPoint() && isa<llvm::ConstantInt>(x.value))
    return x.range.lo;
  return std::nullopt;
}

llvm::Value *FixedEmitter::shiftWide(llvm::Value *wide, int from, int to) {
  int shift = from - to; // > 0: to the right
  if (shift == 0)
    return wide;
  if (shift < 0)
    return -shift > 63 ? b.getInt64(0) : b.CreateShl(wide, -shift);
  if (shift > 62)
    return b.getInt64(0);
  llvm::Value *half = b.getInt64(uint64_t(1) << (shift - 1));
  return b.CreateAShr(b.CreateAdd(wide, half), shift);
}

llvm::Value *FixedEmitter::toFrac(Num x, int frac) {
  if (std::optional<double> c = constantOf(x)) {
    double scaled = std::nearbyint(std::ldexp(*c, frac));
    if (std::fabs(scaled) < 2147483647.0)
      return b.getInt32(static_cast<uint32_t>(static_cast<int64_t>(scaled)));
  }
  int shift = x.frac - frac;
  if (shift == 0)
    return x.value;
  if (shift < 0) // wraps where the sum it is meant for does not
    return -shift > 31 ? b.getInt32(0) : b.CreateShl(x.value, -shift);
  if (shift > 31)
    return b.getInt32(0);
  llvm::Value *low =
      b.CreateAnd(shift == 1 ? x.value : b.CreateLShr(x.value, shift - 1), 1);
  return b.CreateAdd(b.CreateAShr(x.value, shift), low);
}

llvm::Value *FixedEmitter::narrow(llvm::Value *wide, int frac,
                                  const Format &format, bool proved) {
  int shift = format.frac - frac;
  llvm::Value *shifted;
  if (shift > 0 && !proved) {
    // Clip first where the shift could lose high bits.
    llvm::Value *clipped = b.CreateSExt(saturate(wide), i64());
    shifted =
        shift > 31 ? b.CreateShl(clipped, 31) : b.CreateShl(clipped, shift);
  } else {
    shifted = shiftWide(wide, frac, format.frac);
  }
  return proved ? b.CreateTrunc(shifted, i32()) : saturate(shifted);
}

llvm::Value *FixedEmitter::toFormat(Num x, const Format &format) {
  double top = std::ldexp(1.0, 31 - format.frac);
  // Rounding may push the largest number over the edge: ask for some room.
  bool fits = x.range.magnitude() < top * (1.0 - 1e-6);
  if (fits)
    return toFrac(x, format.frac);
  if (x.frac >= format.frac) // a right shift cannot overflow, only the range
    if (x.frac > format.frac || x.range.magnitude() <= top)
      return toFrac(x, format.frac);
  llvm::Value *wide = b.CreateSExt(x.value, i64());
  return saturate(b.CreateShl(wide, std::min(format.frac - x.frac, 32)));
}

int FixedEmitter::chooseFrac(Interval &range, int exact, bool &clipped) {
  clipped = false;
  if (range.isEmpty())
    range = Interval::point(0.0);
  if (!(range.magnitude() < 2147483648.0)) {
    clipped = true;
    range = range.meet(clip);
    if (range.isEmpty())
      range = clip;
  }
  return std::clamp(std::min(fractionBits(range.magnitude() * 1.0001), exact),
                    -31, 62);
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

Num FixedEmitter::add(Num a, Num x, Interval range, bool subtract) {
  bool clipped;
  int frac = chooseFrac(range, std::max(a.frac, x.frac), clipped);
  if (clipped) {
    llvm::Value *wa = shiftWide(b.CreateSExt(a.value, i64()), a.frac, frac);
    llvm::Value *wx = shiftWide(b.CreateSExt(x.value, i64()), x.frac, frac);
    llvm::Value *sum = subtract ? b.CreateSub(wa, wx) : b.CreateAdd(wa, wx);
    return {saturate(sum), frac, fullRange(frac)};
  }
  llvm::Value *va = toFrac(a, frac), *vx = toFrac(x, frac);
  return {subtract ? b.CreateSub(va, vx) : b.CreateAdd(va, vx), frac, range};
}

Num FixedEmitter::multiply(Num a, Num x, Interval range) {
  if (constantOf(a))
    std::swap(a, x);
  if (std::optional<double> c = constantOf(x)) {
    int exponent;
    double mantissa = std::frexp(*c, &exponent);
    if (mantissa == 0.5) { // a power of two moves the point
      int frac = a.frac - (exponent - 1);
      if (frac >= -31 && frac <= 62)
        return {a.value, frac, range};
    }
    if (*c == 0.0)
      return constant(0.0);
  }
  bool clipped;
  int frac = chooseFrac(range, a.frac + x.frac, clipped);
  llvm::Value *product =
      b.CreateMul(b.CreateSExt(a.value, i64()), b.CreateSExt(x.value, i64()));
  llvm::Value *shifted = shiftWide(product, a.frac + x.frac, frac);
  if (clipped)
    return {saturate(shifted), frac, fullRange(frac)};
  return {b.CreateTrunc(shifted, i32()), frac, range};
}

Num FixedEmitter::divide(Num a, Num x, Interval range) {
  if (std::optional<double> c = constantOf(x); c && *c != 0.0)
    return multiply(a, constant(1.0 / *c), range);
  bool clipped;
  int frac = chooseFrac(range, 62, clipped);
  llvm::FunctionCallee function =
      module.getOrInsertFunction("neuroc_fx_div", i32(), i32(), i32(), i32());
  llvm::Value *result = b.CreateCall(
      function, {a.value, x.value,
                 b.getInt32(static_cast<uint32_t>(frac - a.frac + x.frac))});
  return {result, frac, clipped ? fullRange(frac) : range};
}

Num FixedEmitter::library(llvm::StringRef name, Num x, Interval range) {
  bool clipped;
  int frac = chooseFrac(range, 62, clipped);
  llvm::FunctionCallee function = module.getOrInsertFunction(
      ("neuroc_fx_" + name).str(), i32(), i32(), i32(), i32());
  llvm::Value *result = b.CreateCall(
      function, {x.value, b.getInt32(static_cast<uint32_t>(x.frac)),
                 b.getInt32(static_cast<uint32_t>(frac))});
  return {result, frac, clipped ? fullRange(frac) : range};
}

Num FixedEmitter::minMax(Num a, Num x, Interval range, bool isMax) {
  bool clipped;
  Interval both = a.range.join(x.range);
  int frac = chooseFrac(both, std::max(a.frac, x.frac), clipped);
  llvm::Value *va = toFormat(a, {frac, both}), *vx = toFormat(x, {frac, both});
  llvm::Intrinsic::ID id =
      isMax ? llvm::Intrinsic::smax : llvm::Intrinsic::smin;
  return {b.CreateBinaryIntrinsic(id, va, vx), frac,
          clipped ? fullRange(frac) : range};
}

Num FixedEmitter::select(llvm::Value *condition, Num a, Num x, Interval range) {
  if (a.value->getType()->isIntegerTy(1))
    return {b.CreateSelect(condition, a.value, x.value), 0,
            Interval::boolean()};
  bool clipped;
  int frac = chooseFrac(range, std::max(a.frac, x.frac), clipped);
  // An operand may leave the range where it is not chosen: wrapping is right.
  llvm::Value *va = toFrac(a, frac), *vx = toFrac(x, frac);
  return {b.CreateSelect(condition, va, vx), frac,
          clipped ? fullRange(frac) : range};
}

Num FixedEmitter::roundTo(Operation *op, Num x, Interval range) {
  if (x.frac <= 0)
    return x;
  int f = std::min(x.frac, 31);
  if (x.frac > 31) // |x| < 1/2^k: compare instead of shifting
    x = {b.CreateAShr(x.value, x.frac - 31), 31, x.range};
  llvm::Value *wide = b.CreateSExt(x.value, i64());
  llvm::Value *half = b.getInt64(uint64_t(1) << (f - 1));
  llvm::Value *one = b.getInt64(uint64_t(1) << f);
  llvm::Value *result;
  if (isa<math::FloorOp>(op)) {
    result = b.CreateAShr(wide, f);
  } else if (isa<math::CeilOp>(op)) {
    result =
        b.CreateAShr(b.CreateAdd(wide, b.CreateSub(one, b.getInt64(1))), f);
  } else if (isa<math::TruncOp>(op)) {
    result = b.CreateSDiv(wide, one);
  } else if (isa<math::RoundOp>(op)) { // halves away from zero
    llvm::Value *negative = b.CreateICmpSLT(wide, b.getInt64(0));
    llvm::Value *magnitude = b.CreateSelect(negative, b.CreateNeg(wide), wide);
    magnitude = b.CreateAShr(b.CreateAdd(magnitude, half), f);
    result = b.CreateSelect(negative, b.CreateNeg(magnitude), magnitude);
  } else { // halves to even
    llvm::Value *up = b.CreateAShr(b.CreateAdd(wide, half), f);
    llvm::Value *isHalf = b.CreateICmpEQ(
        b.CreateAnd(wide, b.CreateSub(one, b.getInt64(1))), half);
    llvm::Value *odd = b.CreateAnd(up, 1);
    result = b.CreateSub(up, b.CreateSelect(isHalf, odd, b.getInt64(0)));
  }
  return {b.CreateTrunc(result, i32()), 0, range};
}

static llvm::CmpInst::Predicate toPredicate(arith::CmpFPredicate p) {
  switch (p) {
  case arith::CmpFPredicate::OEQ:
  case arith::CmpFPredicate::UEQ:
    return llvm::CmpInst::ICMP_EQ;
  case arith::CmpFPredicate::ONE:
  case arith::CmpFPredicate::UNE:
    return llvm::CmpInst::ICMP_NE;
  case arith::CmpFPredicate::OLT:
  case arith::CmpFPredicate::ULT:
    return llvm::CmpInst::ICMP_SLT;
  case arith::CmpFPredicate::OLE:
  case arith::CmpFPredicate::ULE:
    return llvm::CmpInst::ICMP_SLE;
  case arith::CmpFPredicate::OGT:
  case arith::CmpFPredicate::UGT:
    return llvm::CmpInst::ICMP_SGT;
  case arith::CmpFPredicate::OGE:
  case arith::CmpFPredicate::UGE:
    return llvm::CmpInst::ICMP_SGE;
  default:
    return llvm::CmpInst::BAD_ICMP_PREDICATE;
  }
}

/// Compares the draw (2 word + 1) / 2^33 with x: exactly.
llvm::Value *FixedEmitter::compareUniform(Operation *op, llvm::Value *word,
                                          Num x, std::optional<double> bound,
                                          bool swapped) {
  llvm::CmpInst::Predicate p =
      toPredicate(cast<arith::CmpFOp>(op).getPredicate());
  if (swapped)
    p = llvm::CmpInst::getSwappedPredicate(p);
  if (p == llvm::CmpInst::ICMP_EQ || p == llvm::CmpInst::ICMP_NE)
    return b.getInt1(p == llvm::CmpInst::ICMP_NE);
  bool less = p == llvm::CmpInst::ICMP_SLT || p == llvm::CmpInst::ICMP_SLE;
  if (bound) {
    // u < c is word < ceil(c 2^32 - 1/2), as neuroc/rt/Random.h says.
    double edge = *bound * 4294967296.0 - 0.5;
    double limit = p == llvm::CmpInst::ICMP_SLT || p == llvm::CmpInst::ICMP_SGE
                       ? std::ceil(edge)
                       : std::floor(edge) + 1.0;
    llvm::Value *below;
    if (limit <= 0.0)
      below = b.getFalse();
    else if (limit >= 4294967296.0)
      below = b.getTrue();
    else
      below = b.CreateICmpULT(word, b.getInt32(static_cast<uint32_t>(limit)));
    return less ? below : b.CreateNot(below);
  }
  llvm::Value *u =
      b.CreateAdd(b.CreateShl(b.CreateZExt(word, i64()), 1), b.getInt64(1));
  llvm::Value *v = b.CreateSExt(x.value, i64());
  if (x.frac <= 33)
    v = b.CreateShl(v, std::min(33 - x.frac, 63 - 31));
  else
    u = b.CreateShl(u, std::min(x.frac - 33, 29));
  return b.CreateICmp(p, u, v);
}

llvm::Value *FixedEmitter::compare(Operation *op, Num a, Num x) {
  auto cmp = cast<arith::CmpFOp>(op);
  if (cmp.getPredicate() == arith::CmpFPredicate::AlwaysFalse)
    return b.getFalse();
  if (cmp.getPredicate() == arith::CmpFPredicate::AlwaysTrue)
    return b.getTrue();
  if (cmp.getPredicate() == arith::CmpFPredicate::ORD)
    return b.getTrue();
  if (cmp.getPredicate() == arith::CmpFPredicate::UNO)
    return b.getFalse();
  if (llvm::Value *word = draws.lookup(cmp.getLhs()))
    return compareUniform(op, word, x, constantOf(x), false);
  if (llvm::Value *word = draws.lookup(cmp.getRhs()))
    return compareUniform(op, word, a, constantOf(a), true);
  llvm::CmpInst::Predicate p = toPredicate(cmp.getPredicate());
  if (constantOf(a) && !constantOf(x)) {
    std::swap(a, x);
    p = llvm::CmpInst::getSwappedPredicate(p);
  }
  if (std::optional<double> c = constantOf(x)) {
    // Against a constant: an exact comparison of integers.
    double scaled = std::ldexp(*c, a.frac);
    double edge = p == llvm::CmpInst::ICMP_SLT || p == llvm::CmpInst::ICMP_SGE
                      ? std::ceil(scaled)
                      : std::floor(scaled);
    bool equality = p == llvm::CmpInst::ICMP_EQ || p == llvm::CmpInst::ICMP_NE;
    if (equality && std::floor(scaled) != scaled)
      return b.getInt1(p == llvm::CmpInst::ICMP_NE);
    if (std::fabs(edge) < 2147483648.0)
      return b.CreateICmp(
          p, a.value,
          b.getInt32(static_cast<uint32_t>(static_cast<int64_t>(edge))));
  }
  if (a.frac == x.frac)
    return b.CreateICmp(p, a.value, x.value);
  llvm::Value *wa = b.CreateSExt(a.value, i64());
  llvm::Value *wx = b.CreateSExt(x.value, i64());
  // Align upwards where 64 bits allow it, which is exact.
  if (a.frac < x.frac)
    wa = b.CreateShl(wa, std::min(x.frac - a.frac, 32));
  else
    wx = b.CreateShl(wx, std::min(a.frac - x.frac, 32));
  if (std::abs(a.frac - x.frac) > 32) {
    if (a.frac < x.frac)
      wx = b.CreateAShr(wx, x.frac - a.frac - 32);
    else
      wa = b.CreateAShr(wa, a.frac - x.frac - 32);
  }
  return b.CreateICmp(p, wa, wx);
}

Num FixedEmitter::uniform(Operation *op, llvm::Value *word) {
  draws[op->getResult(0)] = word;
  return {b.CreateLShr(word, 1), 31, {0.0, 1.0}};
}

FailureOr<Num> FixedEmitter::emitOp(Operation *op, ArrayRef<Num> in,
                                    Interval range) {
  auto truth = [&](llvm::Value *value) {
    return Num{value, 0, Interval::boolean()};
  };
  if (auto c = dyn_cast<arith::ConstantOp>(op)) {
    if (auto f = dyn_cast<FloatAttr>(c.getValue()))
      return constant(f.getValueAsDouble());
    if (auto i = dyn_cast<IntegerAttr>(c.getValue()))
      if (c.getType().isInteger(1))
        return truth(b.getInt1(!i.getValue().isZero()));
    return failure();
  }
  if (isa<arith::AddFOp>(op))
    return add(in[0], in[1], range, false);
  if (isa<arith::SubFOp>(op))
    return add(in[0], in[1], range, true);
  if (isa<arith::NegFOp>(op))
    return add(constant(0.0), in[0], range, true);
  if (isa<arith::MulFOp>(op))
    return multiply(in[0], in[1], range);
  if (isa<math::FmaOp>(op)) {
    Num product = multiply(in[0], in[1], in[0].range * in[1].range);
    return add(product, in[2], range, false);
  }
  if (isa<arith::DivFOp>(op))
    return divide(in[0], in[1], range);
  if (isa<arith::RemFOp>(op)) {
    // The finest common grid on which both fit: a constant keeps few bits.
    double largest = 0;
    for (const Num &x : {in[0], in[1]})
      largest = std::max(largest, std::min(x.range.magnitude(),
                                           std::ldexp(1.0, 31 - x.frac)));
    int frac = std::max(in[0].frac, in[1].frac);
    frac = std::min(frac, fractionBits(std::max(largest, 1e-9)));
    llvm::FunctionCallee function =
        module.getOrInsertFunction("neuroc_fx_rem", i32(), i32(), i32());
    return Num{
        b.CreateCall(function, {toFrac(in[0], frac), toFrac(in[1], frac)}),
        frac, range};
  }
  if (isa<arith::MaximumFOp, arith::MaxNumFOp>(op))
    return minMax(in[0], in[1], range, true);
  if (isa<arith::MinimumFOp, arith::MinNumFOp>(op))
    return minMax(in[0], in[1], range, false);
  if (isa<arith::CmpFOp>(op))
    return truth(compare(op, in[0], in[1]));
  if (isa<arith::SelectOp>(op))
    return select(in[0].value, in[1], in[2], range);
  if (isa<arith::AndIOp>(op))
    return truth(b.CreateAnd(in[0].value, in[1].value));
  if (isa<arith::OrIOp>(op))
    return truth(b.CreateOr(in[0].value, in[1].value));
  if (isa<arith::XOrIOp>(op))
    return truth(b.CreateXor(in[0].value, in[1].value));
  if (isa<arith::UIToFPOp>(op))
    return Num{b.CreateZExt(in[0].value, i32()), 0, Interval::boolean()};
  if (isa<math::AbsFOp>(op)) {
    llvm::Value *negative = b.CreateICmpSLT(in[0].value, b.getInt32(0));
    return Num{b.CreateSelect(negative, b.CreateNeg(in[0].value), in[0].value),
               in[0].frac, range};
  }
  if (isa<math::CopySignOp>(op)) {
    Num zero = constant(0.0);
    llvm::Value *negative = b.CreateICmpSLT(in[0].value, b.getInt32(0));
    llvm::Value *magnitude =
        b.CreateSelect(negative, b.CreateNeg(in[0].value), in[0].value);
    llvm::Value *minus = b.CreateICmpSLT(in[1].value, zero.value);
    return Num{b.CreateSelect(minus, b.CreateNeg(magnitude), magnitude),
               in[0].frac, range};
  }
  if (isa<math::FloorOp, math::CeilOp, math::RoundOp, math::RoundEvenOp,
          math::TruncOp>(op))
    return roundTo(op, in[0], range);
  if (isa<math::ExpOp>(op))
    return library("exp", in[0], range);
  if (isa<math::ExpM1Op>(op))
    return library("expm1", in[0], range);
  if (isa<math::LogOp>(op))
    return library("log", in[0], range);
  if (isa<math::Log1pOp>(op))
    return library("log1p", in[0], range);
  if (isa<math::SqrtOp>(op))
    return library("sqrt", in[0], range);
  if (isa<math::TanhOp>(op))
    return library("tanh", in[0], range);
  if (isa<math::SinOp>(op))
    return library("sin", in[0], range);
  if (isa<math::CosOp>(op))
    return library("cos", in[0], range);
  if (isa<math::PowFOp>(op)) {
    // Small whole exponents are products: exact signs, no logarithm.
    std::optional<double> exponent = constantOf(in[1]);
    if (exponent && std::floor(*exponent) == *exponent && *exponent >= 1 &&
        *exponent <= 8) {
      Num result = in[0];
      for (int i = 1; i < static_cast<int>(*exponent); ++i) {
        Interval product = result.range * in[0].range;
        if (i == 1)
          product.lo = std::max(product.lo, 0.0);
        result = multiply(result, in[0], product);
      }
      return result;
    }
    if (exponent && *exponent == 0.0)
      return constant(1.0);
    bool clipped;
    int frac = chooseFrac(range, 62, clipped);
    llvm::FunctionCallee function = module.getOrInsertFunction(
        "neuroc_fx_pow", i32(), i32(), i32(), i32(), i32(), i32());
    llvm::Value *result = b.CreateCall(
        function, {in[0].value, b.getInt32(static_cast<uint32_t>(in[0].frac)),
                   in[1].value, b.getInt32(static_cast<uint32_t>(in[1].frac)),
                   b.getInt32(static_cast<uint32_t>(frac))});
    return Num{result, frac, clipped ? fullRange(frac) : range};
  }
  return failure();
}

LogicalResult FixedEmitter::emitBlock(Block &block, const ReadFn &read,
                                      const WriteFn &write,
                                      ArrayRef<Num> arguments,
                                      const Piece *piece) {
  numbers.clear();
  draws.clear();
  for (auto [argument, number] : llvm::zip(block.getArguments(), arguments))
    numbers[argument] = number;
  llvm::DenseMap<Operation *, Interval> leaves;
  neuro::IntervalEvaluator evaluator(
      [&](Operation *leaf) -> std::optional<Interval> {
        auto it = leaves.find(leaf);
        if (it == leaves.end())
          return std::nullopt;
        return it->second;
      });
  for (Operation &op : block) {
    if (piece && !piece->ops->contains(&op))
      continue;
    Num number;
    if (piece)
      number = piece->given(&op);
    if (number.value) {
      leaves[&op] = number.range;
      numbers[op.getResult(0)] = number;
      continue;
    }
    if (isa<neuro::SetOp, neuro::EmitOp, neuro::YieldOp>(op) ||
        (piece && isa<neuro::ReduceOp>(op))) {
      write(&op, numbers.lookup(op.getOperand(0)));
      continue;
    }
    if (isa<neuro::GetOp, neuro::RandomOp, neuro::TimeOp, neuro::IndexOp,
            neuro::DtOp>(op)) {
      number = read(&op);
      if (!number.value)
        return op.emitError("unsupported: '")
               << op.getName().getStringRef()
               << "' here on the SpiNNaker target";
      leaves[&op] = number.range;
      numbers[op.getResult(0)] = number;
      if (piece)
        piece->computed(&op, number);
      continue;
    }
    SmallVector<Num> in;
    SmallVector<Interval> ranges;
    for (Value operand : op.getOperands()) {
      in.push_back(numbers.lookup(operand));
      ranges.push_back(in.back().range);
    }
    if (op.getNumResults() != 1)
      return op.emitError("unsupported: '")
             << op.getName().getStringRef() << "' on the SpiNNaker target";
    Interval range = neuro::evaluateOp(&op, ranges);
    if (block.getNumArguments() == 0) {
      Interval tighter = range.meet(evaluator.evaluate(op.getResult(0)));
      if (!tighter.isEmpty())
        range = tighter;
    }
    clip = clipFor(&op);
    FailureOr<Num> result = emitOp(&op, in, range);
    clip = Interval::symmetric(kClip);
    if (failed(result))
      return op.emitError("unsupported: '")
             << op.getName().getStringRef()
             << "' in fixed point on the SpiNNaker target";
    // What saturated has the range of its format from here on.
    if (!(result->range == range) && !result->value->getType()->isIntegerTy(1))
      leaves[&op] = result->range;
    numbers[op.getResult(0)] = *result;
    if (piece)
      piece->computed(&op, *result);
  }
  return success();
}
