/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Elementary functions on 32-bit fixed-point numbers with binary points chosen
 * by the caller: a number is `x * 2^-fx`, the result is `y * 2^-fr`, rounded
 * to nearest and clipped to 32 bits. Binary points may be negative or above 31
 * (within -31..62). Plain C99, integers only; the kernel compiles it for the
 * cores, the compiler and the tests for the host, so both agree bit for bit.
 *
 * Errors, beyond the rounding of the result, for the ranges that the tests
 * sweep (test/unit/TargetSpiNNaker/FixedMathTest.cpp): exp, expm1 and pow
 * relative 2^-27; log, log1p absolute 2^-28; tanh, sin and cos absolute 2^-27;
 * sqrt and division: none.
 */
#ifndef NEUROC_RT_SPINN_FIXEDMATH_H
#define NEUROC_RT_SPINN_FIXEDMATH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* a / b * 2^shift; b == 0 gives the largest number of a's sign (0 for 0). */
int32_t neuroc_fx_div(int32_t a, int32_t b, int32_t shift);
/* Remainder of a / b with the sign of a (both with one binary point). */
int32_t neuroc_fx_rem(int32_t a, int32_t b);
int32_t neuroc_fx_exp(int32_t x, int32_t fx, int32_t fr);
int32_t neuroc_fx_expm1(int32_t x, int32_t fx, int32_t fr);
/* Arguments <= 0 (log1p: <= -1) give the most negative number. */
int32_t neuroc_fx_log(int32_t x, int32_t fx, int32_t fr);
int32_t neuroc_fx_log1p(int32_t x, int32_t fx, int32_t fr);
/* Negative arguments give 0. */
int32_t neuroc_fx_sqrt(int32_t x, int32_t fx, int32_t fr);
int32_t neuroc_fx_tanh(int32_t x, int32_t fx, int32_t fr);
int32_t neuroc_fx_sin(int32_t x, int32_t fx, int32_t fr);
int32_t neuroc_fx_cos(int32_t x, int32_t fx, int32_t fr);
/* x^y for x > 0; 0 for x <= 0. */
int32_t neuroc_fx_pow(int32_t x, int32_t fx, int32_t y, int32_t fy, int32_t fr);

#ifdef __cplusplus
}
#endif
#endif /* NEUROC_RT_SPINN_FIXEDMATH_H */
