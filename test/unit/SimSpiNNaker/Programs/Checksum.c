// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ordinary compiled C: loops, tables, bytes, calls through pointers, 64-bit
// arithmetic. The test runs the same functions on the host and compares.
#include "Checksum.h"

unsigned test_main(void) { return checksum(); }
