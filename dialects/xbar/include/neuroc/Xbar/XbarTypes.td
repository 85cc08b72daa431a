// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEUROC_XBAR_TYPES_TD
#define NEUROC_XBAR_TYPES_TD

include "XbarDialect.td"
include "mlir/IR/AttrTypeBase.td"

class Xbar_Type<string name, string typeMnemonic> : TypeDef<XbarDialect, name> {
  let mnemonic = typeMnemonic;
}

def Xbar_BankType : Xbar_Type<"Bank", "bank"> {
  let summary = "consecutive arrays of a tile that hold the digits of weights";
  let description = [{
    `rows` x signed `cols` (a signed column is a differential pair), `slices`
    arrays deep. Example: `!xbar.bank<128 x 64, slices 4>`.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$cols, "int64_t":$slices);
  let assemblyFormat = "`<` $rows `x` $cols `,` `slices` $slices `>`";
  let genVerifyDecl = 1; // bank_r1: extents are positive
}

def Xbar_WeightsType : Xbar_Type<"Weights", "weights"> {
  let summary = "a block of weights that is resident in a bank";
  let parameters = (ins "int64_t":$rows, "int64_t":$cols);
  let assemblyFormat = "`<` $rows `x` $cols `>`";
}

#endif // NEUROC_XBAR_TYPES_TD
