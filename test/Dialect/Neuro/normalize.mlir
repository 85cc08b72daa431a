// RUN: neuroc-opt %s --neuro-normalize-regions | FileCheck %s
// Reads first, writes last, one of each per name; constants folded in f64; a
// state that is written back unchanged is not written.

// CHECK-LABEL: neuro.model @m
neuro.model @m {
  neuro.state @v init 0.0
  neuro.state @u init 0.0
  neuro.state @same init 0.0
  neuro.output @o : f64
  // CHECK: neuro.stage @s {
  neuro.stage @s {
    // CHECK-NEXT: %[[V:.*]] = neuro.get @v
    // CHECK-NEXT: %[[U:.*]] = neuro.get @u
    // CHECK-NEXT: %[[C:.*]] = arith.constant 0.30000000000000004 : f64
    // CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[V]], %[[C]]
    // CHECK-NEXT: %[[PRODUCT:.*]] = arith.mulf %[[SUM]], %[[U]]
    // CHECK-NEXT: neuro.emit @o, %[[SUM]]
    // CHECK-NEXT: neuro.set @v, %[[PRODUCT]]
    // CHECK-NEXT: }
    %a = arith.constant 0.1 : f64
    %b = arith.constant 0.2 : f64
    %c = arith.addf %a, %b : f64
    %v = neuro.get @v
    %sum = arith.addf %v, %c : f64
    neuro.set @v, %sum
    %again = neuro.get @v
    neuro.emit @o, %again : f64
    %u = neuro.get @u
    %product = arith.mulf %again, %u : f64
    neuro.set @v, %product
    %same = neuro.get @same
    neuro.set @same, %same
    %unused = neuro.get @u
  }
}
