// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEUROC_NEURO_DIALECT_TD
#define NEUROC_NEURO_DIALECT_TD

include "mlir/IR/OpBase.td"

def NeuroDialect : Dialect {
  let name = "neuro";
  let cppNamespace = "::neuroc::neuro";
  let summary = "networks of neurons as synchronous dataflow programs";
  let description = [{
    One dialect for spiking, predictive-coding, Hebbian and ordinary artificial
    networks. A `neuro.network` is a graph of nodes joined by signals that have
    a value at every tick; models and learning rules are regions of scalar
    code. The rationale, the tick semantics and the numbered rules are in
    `dialects/neuro/README.md`.

    Units are fixed: ms, mV, nA, nF, uS, MOhm, Hz. Numbers in regions are `f64`
    ("abstract"), real signals are tensors of `f32` that stand for "a real";
    the target decides the format of both.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"
  ];
}

#endif // NEUROC_NEURO_DIALECT_TD
