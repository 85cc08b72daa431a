// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar code on the host: each operation becomes a step with a function
// pointer and slot numbers, so that the body of a linalg.generic costs a few
// calls per element. Floating-point results are rounded to their type.
#include "neuroc/Conversion/TensorEval.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace neuroc;
using Step = ScalarProgram::Step;

static double roundTo(double value, FloatType type) {
  if (type.isF64())
    return value;
  if (type.isF32())
    return float(value);
  llvm::APFloat number(value);
  bool lost;
  number.convert(type.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven,
                 &lost);
  number.convert(llvm::APFloat::IEEEdouble(),
                 llvm::APFloat::rmNearestTiesToEven, &lost);
  return number.convertToDouble();
}

static int64_t wrap(int64_t value, unsigned width) {
  return width >= 64 ? value : llvm::SignExtend64(uint64_t(value), width);
}

static uint64_t unsignedOf(int64_t value, unsigned width) {
  return width >= 64 ? uint64_t(value)
                     : uint64_t(value) & ((uint64_t(1) << width) - 1);
}

#define FLOAT1(EXPR)                                                           \
  [](HostScalar *v, const Step &s, const int64_t *) {                          \
    double a = v[s.a].f;                                                       \
    (void)a;                                                                   \
    v[s.out].f = roundTo(EXPR, s.type);                                        \
  }
#define FLOAT2(EXPR)                                                           \
  [](HostScalar *v, const Step &s, const int64_t *) {                          \
    double a = v[s.a].f, b = v[s.b].f;                                         \
    v[s.out].f = roundTo(EXPR, s.type);                                        \
  }
#define INT2(EXPR)                                                             \
  [](HostScalar *v, const Step &s, const int64_t *) {                          \
    int64_t a = v[s.a].i, b = v[s.b].i;                                        \
    uint64_t ua = unsignedOf(a, s.width), ub = unsignedOf(b, s.width);         \
    (void)ua, (void)ub, (void)a, (void)b;                                      \
    v[s.out].i = wrap(int64_t(EXPR), s.width);                                 \
  }

static double maximum(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? NAN : a > b ? a : b;
}
static double minimum(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? NAN : a < b ? a : b;
}

static bool compareFloat(arith::CmpFPredicate predicate, double a, double b) {
  bool unordered = std::isnan(a) || std::isnan(b);
  using P = arith::CmpFPredicate;
  switch (predicate) {
  case P::AlwaysFalse:
    return false;
  case P::OEQ:
    return !unordered && a == b;
  case P::OGT:
    return !unordered && a > b;
  case P::OGE:
    return !unordered && a >= b;
  case P::OLT:
    return !unordered && a < b;
  case P::OLE:
    return !unordered && a <= b;
  case P::ONE:
    return !unordered && a != b;
  case P::ORD:
    return !unordered;
  case P::UEQ:
    return unordered || a == b;
  case P::UGT:
    return unordered || a > b;
  case P::UGE:
    return unordered || a >= b;
  case P::ULT:
    return unordered || a < b;
  case P::ULE:
    return unordered || a <= b;
  case P::UNE:
    return unordered || a != b;
  case P::UNO:
    return unordered;
  case P::AlwaysTrue:
    return true;
  }
  return false;
}

static bool compareInt(arith::CmpIPredicate predicate, int64_t a, int64_t b,
                       uint64_t ua, uint64_t ub) {
  using P = arith::CmpIPredicate;
  switch (predicate) {
  case P::eq:
    return a == b;
  case P::ne:
    return a != b;
  case P::slt:
    return a < b;
  case P::sle:
    return a <= b;
  case P::sgt:
    return a > b;
  case P::sge:
    return a >= b;
  case P::ult:
    return ua < ub;
  case P::ule:
    return ua <= ub;
  case P::ugt:
    return ua > ub;
  case P::uge:
    return ua >= ub;
  }
  return false;
}

static int64_t toInt(double value) {
  if (!(value > -9.3e18 && value < 1.85e19)) // out of range: any value is right
    return 0;
  return value >= 9.2233720368547758e18 ? int64_t(uint64_t(value))
                                        : int64_t(value);
}

/// The step of an operation with float result and float operands.
static decltype(Step::apply) floatStep(Operation &op) {
  return llvm::TypeSwitch<Operation *, decltype(Step::apply)>(&op)
      .Case([](arith::AddFOp) { return FLOAT2(a + b); })
      .Case([](arith::SubFOp) { return FLOAT2(a - b); })
      .Case([](arith::MulFOp) { return FLOAT2(a * b); })
      .Case([](arith::DivFOp) { return FLOAT2(a / b); })
      .Case([](arith::RemFOp) { return FLOAT2(std::fmod(a, b)); })
      .Case([](arith::MaximumFOp) { return FLOAT2(maximum(a, b)); })
      .Case([](arith::MinimumFOp) { return FLOAT2(minimum(a, b)); })
      .Case([](arith::MaxNumFOp) { return FLOAT2(std::fmax(a, b)); })
      .Case([](arith::MinNumFOp) { return FLOAT2(std::fmin(a, b)); })
      .Case([](math::PowFOp) { return FLOAT2(std::pow(a, b)); })
      .Case([](math::Atan2Op) { return FLOAT2(std::atan2(a, b)); })
      .Case([](math::CopySignOp) { return FLOAT2(std::copysign(a, b)); })
      .Case([](arith::NegFOp) { return FLOAT1(-a); })
      .Case([](arith::TruncFOp) { return FLOAT1(a); })
      .Case([](arith::ExtFOp) { return FLOAT1(a); })
      .Case([](math::AbsFOp) { return FLOAT1(std::fabs(a)); })
      .Case([](math::ExpOp) { return FLOAT1(std::exp(a)); })
      .Case([](math::ExpM1Op) { return FLOAT1(std::expm1(a)); })
      .Case([](math::LogOp) { return FLOAT1(std::log(a)); })
      .Case([](math::Log1pOp) { return FLOAT1(std::log1p(a)); })
      .Case([](math::SqrtOp) { return FLOAT1(std::sqrt(a)); })
      .Case([](math::RsqrtOp) { return FLOAT1(1 / std::sqrt(a)); })
      .Case([](math::TanhOp) { return FLOAT1(std::tanh(a)); })
      .Case([](math::SinOp) { return FLOAT1(std::sin(a)); })
      .Case([](math::CosOp) { return FLOAT1(std::cos(a)); })
      .Case([](math::ErfOp) { return FLOAT1(std::erf(a)); })
      .Case([](math::FloorOp) { return FLOAT1(std::floor(a)); })
      .Case([](math::CeilOp) { return FLOAT1(std::ceil(a)); })
      .Case([](math::RoundEvenOp) { return FLOAT1(std::nearbyint(a)); })
      .Case([](math::RoundOp) { return FLOAT1(std::round(a)); })
      .Default([](Operation *) { return nullptr; });
}

/// The step of an operation on integers of one width.
static decltype(Step::apply) intStep(Operation &op) {
  return llvm::TypeSwitch<Operation *, decltype(Step::apply)>(&op)
      .Case([](arith::AddIOp) { return INT2(uint64_t(a) + uint64_t(b)); })
      .Case([](arith::SubIOp) { return INT2(uint64_t(a) - uint64_t(b)); })
      .Case([](arith::MulIOp) { return INT2(uint64_t(a) * uint64_t(b)); })
      .Case([](arith::DivSIOp) {
        return INT2(b == 0 ? 0 : b == -1 ? -uint64_t(a) : uint64_t(a / b));
      })
      .Case([](arith::DivUIOp) { return INT2(ub == 0 ? 0 : ua / ub); })
      .Case([](arith::RemSIOp) { return INT2(b == 0 || b == -1 ? 0 : a % b); })
      .Case([](arith::RemUIOp) { return INT2(ub == 0 ? 0 : ua % ub); })
      .Case([](arith::MaxSIOp) { return INT2(std::max(a, b)); })
      .Case([](arith::MinSIOp) { return INT2(std::min(a, b)); })
      .Case([](arith::MaxUIOp) { return INT2(std::max(ua, ub)); })
      .Case([](arith::MinUIOp) { return INT2(std::min(ua, ub)); })
      .Case([](arith::AndIOp) { return INT2(a & b); })
      .Case([](arith::OrIOp) { return INT2(a | b); })
      .Case([](arith::XOrIOp) { return INT2(a ^ b); })
      .Default([](Operation *) { return nullptr; });
}

static unsigned widthOf(Type type) {
  return type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
}

static decltype(Step::apply) castStep(Operation &op) {
  return llvm::TypeSwitch<Operation *, decltype(Step::apply)>(&op)
      .Case<arith::SIToFPOp>([](auto) -> decltype(Step::apply) {
        return [](HostScalar *v, const Step &s, const int64_t *) {
          v[s.out].f = roundTo(double(v[s.a].i), s.type);
        };
      })
      .Case<arith::UIToFPOp>([](auto) {
        return [](HostScalar *v, const Step &s, const int64_t *) {
          v[s.out].f =
              roundTo(double(unsignedOf(v[s.a].i, s.immediate)), s.type);
        };
      })
      .Case<arith::FPToSIOp, arith::FPToUIOp>([](auto) {
        return [](HostScalar *v, const Step &s, const int64_t *) {
          v[s.out].i = wrap(toInt(v[s.a].f), s.width);
        };
      })
      .Case<arith::ExtSIOp, arith::TruncIOp, arith::IndexCastOp>([](auto) {
        return [](HostScalar *v, const Step &s, const int64_t *) {
          v[s.out].i = wrap(v[s.a].i, s.width);
        };
      })
      .Case<arith::BitcastOp>([&](auto cast) -> decltype(Step::apply) {
        if (!cast.getIn().getType().isF32() || !cast.getType().isInteger(32)) {
          if (!cast.getIn().getType().isInteger(32) || !cast.getType().isF32())
            return nullptr;
          return [](HostScalar *v, const Step &s, const int64_t *) {
            v[s.out].f = llvm::bit_cast<float>(int32_t(v[s.a].i));
          };
        }
        return [](HostScalar *v, const Step &s, const int64_t *) {
          v[s.out].i = llvm::bit_cast<int32_t>(float(v[s.a].f));
        };
      })
      .Case<arith::ExtUIOp, arith::IndexCastUIOp>([](auto) {
        return [](HostScalar *v, const Step &s, const int64_t *) {
          v[s.out].i =
              wrap(int64_t(unsignedOf(v[s.a].i, s.immediate)), s.width);
        };
      })
      .Default([](Operation *) { return nullptr; });
}

bool ScalarProgram::compileOp(Operation &op, TensorEval &eval) {
  if (op.getNumResults() != 1 || op.getNumRegions() != 0)
    return false;
  Value result = op.getResult(0);
  Attribute constant;
  if (matchPattern(&op, m_Constant(&constant))) {
    HostScalar value;
    if (auto number = dyn_cast<FloatAttr>(constant))
      value.f = number.getValueAsDouble();
    else if (auto number = dyn_cast<IntegerAttr>(constant))
      value.i = number.getValue().getSExtValue();
    else
      return false;
    constants.push_back({add(result), value});
    return true;
  }
  Step step;
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    step.table = eval.evaluate(extract.getTensor());
    if (!step.table)
      return false;
    for (Value index : extract.getIndices()) {
      if (!has(index))
        return false;
      step.indices.push_back(slot(index));
    }
    step.apply = [](HostScalar *v, const Step &s, const int64_t *) {
      int64_t offset = 0;
      for (size_t d = 0; d < s.indices.size(); ++d) {
        int64_t extent = s.table->shape[d];
        int64_t index = std::clamp<int64_t>(v[s.indices[d]].i, 0, extent - 1);
        offset = offset * extent + index;
      }
      v[s.out] = s.table->data[offset];
    };
    if (step.table->data.empty())
      return false;
    step.out = add(result);
    steps.push_back(std::move(step));
    return true;
  }
  if (auto index = dyn_cast<linalg::IndexOp>(op)) {
    step.immediate = index.getDim();
    step.apply = [](HostScalar *v, const Step &s, const int64_t *loop) {
      v[s.out].i = loop[s.immediate];
    };
    step.out = add(result);
    steps.push_back(step);
    return true;
  }
  unsigned *operands[] = {&step.a, &step.b, &step.c};
  if (op.getNumOperands() > 3 || isa<ShapedType>(result.getType()))
    return false;
  for (auto [i, operand] : llvm::enumerate(op.getOperands())) {
    if (!has(operand)) {
      Attribute outer;
      Operation *definition = operand.getDefiningOp();
      if (!definition || !matchPattern(operand, m_Constant(&outer)) ||
          !compileOp(*definition, eval))
        return false;
    }
    *operands[i] = slot(operand);
  }
  step.type = dyn_cast<FloatType>(result.getType());
  if (!step.type && !result.getType().isIntOrIndex())
    return false;
  step.width = widthOf(result.getType());
  if (op.getNumOperands() >= 1 && op.getOperand(0).getType().isIntOrIndex())
    step.immediate = widthOf(op.getOperand(0).getType());
  if (auto compare = dyn_cast<arith::CmpFOp>(op)) {
    step.immediate = int64_t(compare.getPredicate());
    step.apply = [](HostScalar *v, const Step &s, const int64_t *) {
      v[s.out].i = -int64_t(
          compareFloat(arith::CmpFPredicate(s.immediate), v[s.a].f, v[s.b].f));
    };
  } else if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
    step.immediate = int64_t(compare.getPredicate());
    step.width = widthOf(compare.getLhs().getType());
    step.apply = [](HostScalar *v, const Step &s, const int64_t *) {
      int64_t a = v[s.a].i, b = v[s.b].i;
      v[s.out].i =
          -int64_t(compareInt(arith::CmpIPredicate(s.immediate), a, b,
                              unsignedOf(a, s.width), unsignedOf(b, s.width)));
    };
  } else if (isa<arith::SelectOp>(op)) {
    step.apply = [](HostScalar *v, const Step &s, const int64_t *) {
      v[s.out] = v[s.a].i & 1 ? v[s.b] : v[s.c];
    };
  } else if (auto apply = castStep(op)) {
    step.apply = apply;
  } else if (step.type) {
    step.apply = floatStep(op);
  } else {
    step.apply = intStep(op);
  }
  if (!step.apply)
    return false;
  step.out = add(result);
  steps.push_back(step);
  return true;
}

std::optional<ScalarProgram> ScalarProgram::compile(Block &block,
                                                    TensorEval &eval) {
  ScalarProgram program;
  for (BlockArgument argument : block.getArguments())
    program.add(argument);
  for (Operation &op : block.without_terminator())
    if (!program.compileOp(op, eval))
      return std::nullopt;
  // The terminator may name constants from outside.
  for (Value value : block.getTerminator()->getOperands())
    if (!program.has(value) &&
        (!value.getDefiningOp() ||
         !program.compileOp(*value.getDefiningOp(), eval)))
      return std::nullopt;
  return program;
}

void ScalarProgram::run(HostScalar *values, const int64_t *loop) const {
  for (auto &[slot, value] : constants)
    values[slot] = value;
  for (const Step &step : steps)
    step.apply(values, step, loop);
}
