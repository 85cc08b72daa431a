// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Generated arithmetic is compiled once and executed twice: as a Linux program
// under qemu-arm, and on the machine simulator. The words must be equal, and
// close to f64. Also: the number formats that the emitter chooses.
#include "FixedEmitter.h"
#include "Link.h"

#include "neuroc/Neuro/Neuro.h"
#include "neuroc/rt/spinn/CoreAbi.h"
#include "neuroc/rt/spinn/Machine.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace neuroc;
using namespace neuroc::spinn;

namespace {

constexpr int kIn = 3, kOut = 12, kRuns = 200, kFracIn = 28, kFracOut = 20;

// a, b, c lie in [-4, 4].
const char *kModel = R"(
neuro.model @m {
  neuro.state @a init 0.0
  neuro.state @b init 0.0
  neuro.state @c init 0.0
  neuro.state @r0 init 0.0
  neuro.state @r1 init 0.0
  neuro.state @r2 init 0.0
  neuro.state @r3 init 0.0
  neuro.state @r4 init 0.0
  neuro.state @r5 init 0.0
  neuro.state @r6 init 0.0
  neuro.state @r7 init 0.0
  neuro.state @r8 init 0.0
  neuro.state @r9 init 0.0
  neuro.state @r10 init 0.0
  neuro.state @r11 init 0.0
  neuro.stage @s {
    %a = neuro.get @a
    %b = neuro.get @b
    %c = neuro.get @c
    %half = arith.constant 0.5 : f64
    %k = arith.constant 0.995012479 : f64
    %two = arith.constant 2.0 : f64
    %five = arith.constant 5.0 : f64
    %ab = arith.mulf %a, %b : f64
    %sum = arith.addf %ab, %c : f64
    %leak = arith.mulf %sum, %k : f64
    %shifted = arith.addf %a, %five : f64
    %ratio = arith.divf %b, %shifted : f64
    %e = math.exp %a : f64
    %t = math.tanh %b : f64
    %l = math.log %shifted : f64
    %q = math.sqrt %shifted : f64
    %sn = math.sin %a : f64
    %fl = math.floor %sum : f64
    %big = arith.cmpf ogt, %a, %half : f64
    %sel = arith.select %big, %ab, %c : f64
    %mx = arith.maximumf %a, %c : f64
    %p = math.powf %a, %two : f64
    %third = arith.divf %p, %five : f64
    %rd = math.round %b : f64
    neuro.set @r0, %leak
    neuro.set @r1, %ratio
    neuro.set @r2, %e
    neuro.set @r3, %t
    neuro.set @r4, %l
    neuro.set @r5, %q
    neuro.set @r6, %sn
    neuro.set @r7, %fl
    neuro.set @r8, %sel
    neuro.set @r9, %mx
    neuro.set @r10, %third
    neuro.set @r11, %rd
  }
})";

std::vector<double> exact(double a, double b, double c) {
  return {(a * b + c) * 0.995012479, b / (a + 5),    std::exp(a),
          std::tanh(b),              std::log(a + 5), std::sqrt(a + 5),
          std::sin(a),               std::floor(a * b + c),
          a > 0.5 ? a * b : c,       std::max(a, c),  a * a / 5,
          std::round(b)};
}

class Generated : public ::testing::Test {
protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() /
             ("neuroc-emit-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    compile();
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void compile() {
    mlir::MLIRContext context;
    context.loadDialect<neuro::NeuroDialect, mlir::arith::ArithDialect,
                        mlir::math::MathDialect>();
    auto module = mlir::parseSourceString<mlir::ModuleOp>(kModel, &context);
    ASSERT_TRUE(module);
    auto model = *module->getOps<neuro::ModelOp>().begin();
    neuro::StageOp stage = model.list<neuro::StageOp>().front();

    llvm::LLVMContext llvmContext;
    llvm::Module code("test", llvmContext);
    auto machine = createTargetMachine(2);
    ASSERT_TRUE(bool(machine)) << llvm::toString(machine.takeError());
    code.setTargetTriple((*machine)->getTargetTriple());
    code.setDataLayout((*machine)->createDataLayout());
    llvm::IRBuilder<> b(llvmContext);
    auto *function = llvm::Function::Create(
        llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy(), b.getPtrTy()},
                                false),
        llvm::GlobalValue::ExternalLinkage, "compute", code);
    b.SetInsertPoint(llvm::BasicBlock::Create(llvmContext, "entry", function));
    FixedEmitter emitter(code, b);
    auto place = [&](llvm::Value *base, unsigned index) {
      return b.CreateConstGEP1_32(b.getInt32Ty(), base, index);
    };
    auto read = [&](mlir::Operation *op) -> Num {
      unsigned index = llvm::cast<neuro::GetOp>(op).getName()[0] - 'a';
      return {b.CreateLoad(b.getInt32Ty(), place(function->getArg(0), index)),
              kFracIn, {-4.0, 4.0}};
    };
    auto write = [&](mlir::Operation *op, Num value) {
      unsigned index = 0;
      llvm::cast<neuro::SetOp>(op).getName().drop_front().getAsInteger(10,
                                                                       index);
      b.CreateStore(
          emitter.toFormat(value, {kFracOut, fullRange(kFracOut)}),
          place(function->getArg(1), index));
    };
    ASSERT_TRUE(mlir::succeeded(
        emitter.emitBlock(stage.getBody().front(), read, write)));
    b.CreateRetVoid();
    auto object = emitObject(code, **machine, 2);
    ASSERT_TRUE(bool(object)) << llvm::toString(object.takeError());
    std::ofstream(folder / "compute.o", std::ios::binary) << *object;
  }

  void run(const std::string &command) {
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  std::string path(const char *name) { return (folder / name).string(); }

  /// Links compute.o with the driver: `linux` at user addresses, else into the
  /// memories of a core.
  void link(bool isLinux, const char *name) {
    const std::string flags =
        std::string("clang-22 --target=armv5te-none-eabi -mcpu=arm968e-s -O2 "
                    "-ffreestanding -I") +
        NEUROC_RUNTIME_INCLUDE + (isLinux ? " -DNEUROC_LINUX" : "") + " -c ";
    run(flags + NEUROC_TEST_PROGRAMS "/Driver.c -o " + path("driver.o"));
    run(flags + NEUROC_FIXEDMATH_SOURCE " -o " + path("math.o"));
    std::ofstream(folder / "script.ld")
        << "ENTRY(_start)\nSECTIONS {\n  . = "
        << (isLinux ? "0x100000" : "0x0") << ";\n"
        << "  .text : { *(.text*) }\n  . = 0x400000;\n"
        << "  .neuroc.control : { *(.neuroc.control) }\n"
        << "  .data : { *(.rodata*) *(.data*) *(.bss*) }\n"
        << "  /DISCARD/ : { *(.ARM*) *(.comment) *(.note*) }\n}\n";
    std::string helpers = NEUROC_EABI_HELPERS;
    std::replace(helpers.begin(), helpers.end(), ',', ' ');
    run("ld.lld-22 --no-warnings -T " + path("script.ld") + " " +
        path("driver.o") + " " + path("compute.o") + " " + path("math.o") +
        " " + helpers + " -o " + path(name));
  }

  std::filesystem::path folder;
};

/// The inputs of Driver.c.
std::vector<std::array<double, 3>> inputs() {
  uint32_t state = 12345;
  auto next = [&] {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
  };
  std::vector<std::array<double, 3>> all(kRuns);
  for (auto &in : all)
    for (double &x : in)
      x = std::ldexp(static_cast<double>(
                         static_cast<int32_t>(next() & 0x7fffffff) -
                         0x40000000),
                     -kFracIn);
  return all;
}

TEST_F(Generated, SameWordsUnderQemuAndOnTheSimulator) {
  using namespace neuroc::rt::spinn;
  link(false, "core.elf");
  std::ifstream file(folder / "core.elf", std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  std::string image = bytes.str();

  MachineConfig config;
  std::unique_ptr<Machine> machine;
  ASSERT_TRUE(Machine::create(config, machine).isOk());
  CoreId core{{0, 0}, 1};
  ElfImage elf;
  auto status = machine->loadElf(
      core, {reinterpret_cast<const uint8_t *>(image.data()), image.size()},
      &elf);
  ASSERT_TRUE(status.isOk()) << status.message();
  ASSERT_TRUE(machine->start(core, elf.entry).isOk());
  StopReason reason;
  status = machine->run({}, reason);
  ASSERT_TRUE(status.isOk()) << status.message();
  ASSERT_EQ(machine->state(core), CoreState::Halted);
  std::vector<int32_t> simulated(kRuns * kOut);
  ASSERT_TRUE(machine
                  ->read(core, elf.symbols.at("results").value,
                         {reinterpret_cast<uint8_t *>(simulated.data()),
                          simulated.size() * 4})
                  .isOk());

  // Against f64: the last bit of the result and of the inputs' formats.
  auto all = inputs();
  for (int i = 0; i < kRuns; ++i) {
    std::vector<double> wanted = exact(all[i][0], all[i][1], all[i][2]);
    for (int k = 0; k < kOut; ++k)
      EXPECT_NEAR(std::ldexp(simulated[i * kOut + k], -kFracOut), wanted[k],
                  1.5e-6)
          << "run " << i << " result " << k;
  }

  if (std::system("command -v qemu-arm > /dev/null") != 0)
    GTEST_SKIP() << "qemu-arm is not installed";
  link(true, "linux.elf");
  run("qemu-arm " + path("linux.elf") + " > " + path("out"));
  std::ifstream out(folder / "out", std::ios::binary);
  std::vector<int32_t> emulated(kRuns * kOut);
  out.read(reinterpret_cast<char *>(emulated.data()),
           static_cast<std::streamsize>(emulated.size() * 4));
  ASSERT_EQ(out.gcount(), static_cast<std::streamsize>(emulated.size() * 4));
  EXPECT_EQ(emulated, simulated);
}

TEST(FixedEmitter, ConstantsKeepFullPrecision) {
  llvm::LLVMContext context;
  llvm::Module module("m", context);
  llvm::IRBuilder<> b(context);
  FixedEmitter emitter(module, b);
  Num decay = emitter.constant(0.995012479192682);
  int64_t word = llvm::cast<llvm::ConstantInt>(decay.value)->getSExtValue();
  EXPECT_NEAR(std::ldexp(static_cast<double>(word), -decay.frac),
              0.995012479192682, 0x1p-31);
  Num two = emitter.constant(2.0);
  EXPECT_EQ(llvm::cast<llvm::ConstantInt>(two.value)->getSExtValue(), 1);
  EXPECT_EQ(two.frac, -1);
}

TEST(FixedEmitter, ConversionsSaturateOnlyWithoutProof) {
  llvm::LLVMContext context;
  llvm::Module module("m", context);
  llvm::IRBuilder<> b(context);
  auto *function = llvm::Function::Create(
      llvm::FunctionType::get(b.getInt32Ty(), {b.getInt32Ty()}, false),
      llvm::GlobalValue::ExternalLinkage, "f", module);
  b.SetInsertPoint(llvm::BasicBlock::Create(context, "e", function));
  FixedEmitter emitter(module, b);
  Num small{function->getArg(0), 20, {-1.0, 1.0}};
  emitter.toFormat(small, {28, fullRange(28)});
  EXPECT_EQ(module.getFunction("neuroc_saturate"), nullptr);
  Num large{function->getArg(0), 20, {-100.0, 100.0}};
  emitter.toFormat(large, {28, fullRange(28)});
  EXPECT_NE(module.getFunction("neuroc_saturate"), nullptr);
}

} // namespace
