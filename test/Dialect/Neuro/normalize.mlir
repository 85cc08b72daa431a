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

// A reduction is a pure function of its operand (over the whole group): two
// equal ones are one, and one that nobody reads goes. Of another group, or with
// another k, it is another value. Its operand is read before and after it.

// CHECK-LABEL: neuro.model @groups
neuro.model @groups {
  neuro.state @v init 0.0
  neuro.output @o : f64
  // CHECK: neuro.stage @s {
  neuro.stage @s {
    // CHECK-NEXT: %[[V:.*]] = neuro.get @v
    // CHECK-NEXT: %[[SUM:.*]] = neuro.reduce sum %[[V]] over units{{$}}
    // CHECK-NEXT: %[[PART:.*]] = neuro.reduce sum %[[V]] over units group 2{{$}}
    // CHECK-NEXT: %[[A:.*]] = arith.addf %[[SUM]], %[[SUM]]
    // CHECK-NEXT: %[[B:.*]] = arith.addf %[[A]], %[[PART]]
    // CHECK-NEXT: %[[AFTER:.*]] = neuro.reduce sum %[[B]] over units{{$}}
    // CHECK-NEXT: neuro.emit @o, %[[AFTER]]
    // CHECK-NEXT: neuro.set @v, %[[B]]
    // CHECK-NEXT: }
    %v = neuro.get @v
    %sum = neuro.reduce sum %v over units
    %part = neuro.reduce sum %v over units group 2
    %same = neuro.reduce sum %v over units
    %unused = neuro.reduce max %v over units
    %a = arith.addf %sum, %same : f64
    %b = arith.addf %a, %part : f64
    neuro.set @v, %b
    %w = neuro.get @v
    %after = neuro.reduce sum %w over units
    neuro.emit @o, %after : f64
  }
}
