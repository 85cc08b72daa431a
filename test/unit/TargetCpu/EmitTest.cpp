// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The back half of the CPU target on hand-written upstream IR: bufferization,
// LLVM, the object, the shared object, and calls into it.

#include "neuroc/Target/Cpu/Emit.h"
#include "neuroc/rt/cpu/Program.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>

using namespace neuroc::cpu;

namespace {

mlir::MLIRContext &context() {
  static mlir::DialectRegistry registry = [] {
    mlir::DialectRegistry result;
    mlir::registerAllDialects(result);
    mlir::registerAllExtensions(result);
    return result;
  }();
  static mlir::MLIRContext instance(registry,
                                    mlir::MLIRContext::Threading::DISABLED);
  return instance;
}

/// A program loaded from memory.
struct Loaded {
  int fd = -1; // stays open: the loader knows libraries by their path
  void *handle = nullptr;
  const neuroc_cpu_program *program = nullptr;
  ~Loaded() {
    if (handle)
      dlclose(handle);
    close(fd);
  }
};

std::string compile(const char *text, ObjectSpec spec, std::string &error) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context());
  if (!module) {
    error = "parse";
    return "";
  }
  mlir::PassManager pm(&context());
  buildLowerToLLVMPipeline(pm);
  if (failed(pm.run(*module))) {
    error = "lower";
    return "";
  }
  auto object = emitObject(*module, spec);
  if (!object) {
    error = toString(object.takeError());
    return "";
  }
  auto shared = linkSharedObject(*object);
  if (!shared) {
    error = toString(shared.takeError());
    return "";
  }
  return *shared;
}

void load(const std::string &bytes, Loaded &loaded) {
  int fd = loaded.fd = memfd_create("program", 0);
  ASSERT_EQ(write(fd, bytes.data(), bytes.size()), ssize_t(bytes.size()));
  std::string path = "/proc/self/fd/" + std::to_string(fd);
  loaded.handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(loaded.handle, nullptr) << dlerror();
  loaded.program = static_cast<const neuroc_cpu_program *>(
      dlsym(loaded.handle, NEUROC_CPU_PROGRAM_SYMBOL));
  ASSERT_NE(loaded.program, nullptr);
}

ObjectSpec makeSpec() {
  ObjectSpec spec;
  spec.machine = cantFail(resolveMachine("host"));
  return spec;
}

TEST(CpuEmit, MatrixVectorAndMaths) {
  const char *text = R"(
    memref.global "private" @x : memref<8xf32> = uninitialized
    memref.global "private" @y : memref<6xf32> = uninitialized
    func.func @f(%tick: i64) {
      %xm = memref.get_global @x : memref<8xf32>
      %ym = memref.get_global @y : memref<6xf32>
      %x = bufferization.to_tensor %xm restrict : memref<8xf32> to tensor<8xf32>
      %w = arith.constant dense<0.5> : tensor<6x8xf32>
      %zero = arith.constant 0.0 : f32
      %e = tensor.empty() : tensor<6xf32>
      %i = linalg.fill ins(%zero : f32) outs(%e : tensor<6xf32>) -> tensor<6xf32>
      %r = linalg.matvec ins(%w, %x : tensor<6x8xf32>, tensor<8xf32>)
        outs(%i : tensor<6xf32>) -> tensor<6xf32>
      %m = math.expm1 %r : tensor<6xf32>
      %t = math.tanh %m : tensor<6xf32>
      bufferization.materialize_in_destination %t in restrict writable %ym
        : (tensor<6xf32>, memref<6xf32>) -> ()
      return
    })";
  ObjectSpec spec = makeSpec();
  spec.buffers = {{"x", 32}, {"y", 24}};
  spec.functions = {"f"};
  spec.programId = 77;
  std::string error;
  std::string bytes = compile(text, spec, error);
  ASSERT_EQ(error, "");
  Loaded loaded;
  load(bytes, loaded);
  ASSERT_NE(loaded.program, nullptr);
  EXPECT_EQ(loaded.program->struct_size, sizeof(neuroc_cpu_program));
  EXPECT_EQ(loaded.program->abi_major, NEUROC_CPU_ABI_MAJOR);
  EXPECT_EQ(loaded.program->program_id, 77u);
  ASSERT_EQ(loaded.program->buffer_count, 2u);
  auto *x = static_cast<float *>(loaded.program->buffers[0].data);
  auto *y = static_cast<float *>(loaded.program->buffers[1].data);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(x) % 64, 0u);
  double sum = 0;
  for (int i = 0; i < 8; ++i)
    sum += x[i] = 0.01f * float(i);
  loaded.program->functions[0](0);
  for (int i = 0; i < 6; ++i)
    EXPECT_NEAR(y[i], std::tanh(std::expm1(0.5 * sum)), 1e-6);
}

TEST(CpuEmit, TwoCopiesHaveTheirOwnMemory) {
  const char *text = R"(
    memref.global "private" @n : memref<1xi64> = uninitialized
    func.func @f(%tick: i64) {
      %m = memref.get_global @n : memref<1xi64>
      %c = arith.constant 0 : index
      %v = memref.load %m[%c] : memref<1xi64>
      %w = arith.addi %v, %tick : i64
      memref.store %w, %m[%c] : memref<1xi64>
      return
    })";
  ObjectSpec spec = makeSpec();
  spec.buffers = {{"n", 8}};
  spec.functions = {"f"};
  std::string error;
  std::string bytes = compile(text, spec, error);
  ASSERT_EQ(error, "");
  Loaded a, b;
  load(bytes, a);
  load(bytes, b);
  a.program->functions[0](5);
  a.program->functions[0](6);
  b.program->functions[0](1);
  EXPECT_EQ(*static_cast<int64_t *>(a.program->buffers[0].data), 11);
  EXPECT_EQ(*static_cast<int64_t *>(b.program->buffers[0].data), 1);
}

// Small sums first must not be reassociated: the loop order may change, the
// order of the summands of one output may not.
TEST(CpuEmit, MatmulKeepsTheOrderOfSums) {
  const char *text = R"(
    memref.global "private" @a : memref<2x5xf32> = uninitialized
    memref.global "private" @b : memref<5x16xf32> = uninitialized
    memref.global "private" @c : memref<2x16xf32> = uninitialized
    func.func @f(%tick: i64) {
      %am = memref.get_global @a : memref<2x5xf32>
      %bm = memref.get_global @b : memref<5x16xf32>
      %cm = memref.get_global @c : memref<2x16xf32>
      %a = bufferization.to_tensor %am restrict : memref<2x5xf32> to tensor<2x5xf32>
      %b = bufferization.to_tensor %bm restrict : memref<5x16xf32> to tensor<5x16xf32>
      %zero = arith.constant 0.0 : f32
      %e = tensor.empty() : tensor<2x16xf32>
      %i = linalg.fill ins(%zero : f32) outs(%e : tensor<2x16xf32>) -> tensor<2x16xf32>
      %r = linalg.matmul ins(%a, %b : tensor<2x5xf32>, tensor<5x16xf32>)
        outs(%i : tensor<2x16xf32>) -> tensor<2x16xf32>
      bufferization.materialize_in_destination %r in restrict writable %cm
        : (tensor<2x16xf32>, memref<2x16xf32>) -> ()
      return
    })";
  ObjectSpec spec = makeSpec();
  spec.buffers = {{"a", 40}, {"b", 320}, {"c", 128}};
  spec.functions = {"f"};
  std::string error;
  std::string bytes = compile(text, spec, error);
  ASSERT_EQ(error, "");
  Loaded loaded;
  load(bytes, loaded);
  auto *a = static_cast<float *>(loaded.program->buffers[0].data);
  auto *b = static_cast<float *>(loaded.program->buffers[1].data);
  auto *c = static_cast<float *>(loaded.program->buffers[2].data);
  const float values[5] = {1e8f, 1.0f, -1e8f, 3.0f, 1e-3f};
  for (int k = 0; k < 5; ++k) {
    a[k] = values[k];
    a[5 + k] = values[4 - k];
    for (int j = 0; j < 16; ++j)
      b[k * 16 + j] = 1.0f + float(j) * 0.125f;
  }
  loaded.program->functions[0](0);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 16; ++j) {
      float sum = 0;
      for (int k = 0; k < 5; ++k)
        sum += a[i * 5 + k] * b[k * 16 + j];
      EXPECT_EQ(c[i * 16 + j], sum) << i << " " << j;
    }
}

// A constant [outputs, inputs] is stored transposed; values and order of sums
// stay.
TEST(CpuEmit, ConstantsAreTransposedForRows) {
  std::string values;
  float b[12][5];
  for (int j = 0; j < 12; ++j) {
    values += j ? ", [" : "[";
    for (int k = 0; k < 5; ++k) {
      b[j][k] = float((j * 7 + k * 3) % 11) - 4.5f + float(k == 2) * 3e7f;
      values += (k ? ", " : "") + std::to_string(b[j][k]);
    }
    values += "]";
  }
  std::string text = R"(
    memref.global "private" @a : memref<3x5xf32> = uninitialized
    memref.global "private" @c : memref<3x12xf32> = uninitialized
    func.func @f(%tick: i64) {
      %am = memref.get_global @a : memref<3x5xf32>
      %cm = memref.get_global @c : memref<3x12xf32>
      %a = bufferization.to_tensor %am restrict : memref<3x5xf32> to tensor<3x5xf32>
      %b = arith.constant dense<[)" +
                     values + R"(]> : tensor<12x5xf32>
      %zero = arith.constant 0.0 : f32
      %e = tensor.empty() : tensor<3x12xf32>
      %i = linalg.fill ins(%zero : f32) outs(%e : tensor<3x12xf32>) -> tensor<3x12xf32>
      %r = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>,
          affine_map<(i, j, k) -> (j, k)>, affine_map<(i, j, k) -> (i, j)>],
          iterator_types = ["parallel", "parallel", "reduction"]}
          ins(%a, %b : tensor<3x5xf32>, tensor<12x5xf32>) outs(%i : tensor<3x12xf32>) {
      ^bb0(%x: f32, %y: f32, %acc: f32):
        %p = arith.mulf %x, %y : f32
        %s = arith.addf %acc, %p : f32
        linalg.yield %s : f32
      } -> tensor<3x12xf32>
      bufferization.materialize_in_destination %r in restrict writable %cm
        : (tensor<3x12xf32>, memref<3x12xf32>) -> ()
      return
    })";
  ObjectSpec spec = makeSpec();
  spec.buffers = {{"a", 60}, {"c", 144}};
  spec.functions = {"f"};
  std::string error;
  std::string bytes = compile(text.c_str(), spec, error);
  ASSERT_EQ(error, "");
  Loaded loaded;
  load(bytes, loaded);
  auto *a = static_cast<float *>(loaded.program->buffers[0].data);
  auto *c = static_cast<float *>(loaded.program->buffers[1].data);
  for (int i = 0; i < 15; ++i)
    a[i] = 1.0f / float(i + 1);
  loaded.program->functions[0](0);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 12; ++j) {
      float sum = 0;
      for (int k = 0; k < 5; ++k)
        sum += a[i * 5 + k] * b[j][k];
      EXPECT_EQ(c[i * 12 + j], sum) << i << " " << j;
    }
}

TEST(CpuEmit, ExecutableNeedsTheRuntime) {
  llvm::Error error =
      emitExecutable("object", "container", {"/nowhere"}, "/tmp/never-written");
  ASSERT_TRUE(bool(error));
  std::string text = toString(std::move(error));
  EXPECT_NE(text.find("libNeurocRtCpuMain.a not found in /nowhere"),
            std::string::npos)
      << text;
}

TEST(CpuEmit, UnknownMachineListsTheKnownOnes) {
  auto machine = resolveMachine("z80");
  ASSERT_FALSE(bool(machine));
  std::string text = toString(machine.takeError());
  EXPECT_NE(text.find("unknown machine 'z80'"), std::string::npos) << text;
  EXPECT_NE(text.find("host"), std::string::npos) << text;
}

TEST(CpuEmit, LinkReportsWhatIsNotAnObject) {
  auto shared = linkSharedObject("this is no object");
  ASSERT_FALSE(bool(shared));
  EXPECT_NE(toString(shared.takeError()).find("linking the program failed"),
            std::string::npos);
}

} // namespace
