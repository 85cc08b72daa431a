// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEUROC_XBAR_DIALECT_TD
#define NEUROC_XBAR_DIALECT_TD

include "mlir/IR/OpBase.td"

def XbarDialect : Dialect {
  let name = "xbar";
  let cppNamespace = "::neuroc::xbar";
  let summary = "a network mapped onto tiles of memristor crossbars";
  let description = [{
    The level between a network in core normal form and tile programs: which
    numbers have which format, which weights are programmed into which arrays,
    which tile owns which units, and what each tile does in a tick. The network
    itself stays beside it in the module; this dialect refers to its symbols
    and, for projections, to the number that `xbar-quantize` gives them. The
    rationale and the numbered rules are in `dialects/xbar/README.md`.
  }];
  let useDefaultTypePrinterParser = 1;
}

#endif // NEUROC_XBAR_DIALECT_TD
