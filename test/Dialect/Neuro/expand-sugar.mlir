// RUN: neuroc-opt %s --neuro-expand-sugar | FileCheck %s
// A predictive-coding layer becomes value and error populations with a shared,
// transposed weight and a learning rule; a memory becomes one population.

// CHECK-LABEL: neuro.model @layer_value_model
// CHECK: neuro.state @z init 0.000000e+00 range [-4.000000e+00, 4.000000e+00]
// CHECK: neuro.stage @predict
// CHECK: neuro.emit @value
// CHECK: neuro.stage @update
// CHECK-DAG: arith.constant 5.000000e-01
// CHECK-DAG: arith.constant 1.000000e-01
// CHECK: neuro.set @z
// CHECK-LABEL: neuro.model @layer_error_model
// CHECK: arith.constant 2.000000e+00
// CHECK: neuro.emit @error
// CHECK-LABEL: neuro.rule @layer_rule
// CHECK: neuro.on tick
// CHECK: neuro.set @w
// CHECK-LABEL: neuro.model @memory_model
// CHECK: neuro.state @s init -1.000000e+00
// CHECK-LABEL: neuro.rule @memory_rule
// CHECK-LABEL: neuro.network @net
neuro.network @net dt 1.0 {
  %x = neuro.stimulus @x : tensor<4xf32>
  neuro.weight @W pre [2] post [4] connect #neuro.dense values 0.1
  // CHECK: %[[ERROR:.*]] = neuro.population @layer_error of @layer_error_model shape [4] inputs(%{{.*}}, %[[PREDICTION:.*]]) ports ["below", "prediction"]
  // CHECK: %[[FEEDBACK:.*]] = neuro.project %[[ERROR]] through @W transposed : tensor<4xf32> -> tensor<2xf32>
  // CHECK: %[[VALUE:.*]] = neuro.population @layer of @layer_value_model shape [2] inputs(%[[FEEDBACK]]) ports ["feedback"]
  // CHECK: %[[PREDICTION]] = neuro.project %[[VALUE]] through @W : tensor<2xf32> -> tensor<4xf32>
  // CHECK: neuro.plastic @layer_learning on @W rule @layer_rule pre %[[VALUE]] post %[[ERROR]] : tensor<2xf32>, tensor<4xf32>
  %value, %error = neuro.pc_layer @layer predicts %x through @W rate 0.1 precision 2.0 prior 0.5 learning_rate 0.01 range [-4.0, 4.0] : tensor<4xf32> -> tensor<2xf32>, tensor<4xf32>
  // CHECK: neuro.probe @value %[[VALUE]]
  neuro.probe @value %value : tensor<2xf32>
  neuro.weight @M pre [4] post [4] connect #neuro.all_to_all<self = false> values 0.0
  // CHECK: %[[STATE:.*]] = neuro.population @memory of @memory_model shape [4] inputs(%{{.*}}, %[[FIELD:.*]]) ports ["cue", "field"]
  // CHECK: %[[FIELD]] = neuro.project %[[STATE]] through @M delay 1
  // CHECK: neuro.plastic @memory_learning on @M rule @memory_rule pre %[[STATE]] post %[[STATE]] disabled
  %state = neuro.associative_memory @memory cue %x through @M learning_rate 0.25 : tensor<4xf32>
}
// CHECK-NOT: neuro.pc_layer
// CHECK-NOT: neuro.associative_memory
