// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Smoke fuzz: random bytes, random tokens, and valid programs with random
// edits go through the whole front end. It must answer with a module or with
// at least one error that has a place, and never crash. Seeds are fixed.
#include "neuroc/Frontend/Lang/Lang.h"
#include "neuroc/Neuro/Neuro.h"
#include "neuroc/rt/Random.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/MemoryBuffer.h"

#include "gtest/gtest.h"

using namespace neuroc;

namespace {
/// A stream of random numbers.
class Random {
public:
  explicit Random(uint64_t seed) : key(neuroc_rt_key(seed, 1)) {}
  uint32_t operator()(uint32_t below) {
    return neuroc_rt_word(key, count++, 0, 0) % below;
  }

private:
  uint64_t key, count = 0;
};

/// Compiles; checks that failure and errors go together.
void compile(mlir::MLIRContext &context, const std::string &text) {
  unsigned errors = 0, placed = 0;
  auto id = context.getDiagEngine().registerHandler([&](mlir::Diagnostic &d) {
    if (d.getSeverity() == mlir::DiagnosticSeverity::Error) {
      ++errors;
      placed += llvm::isa<mlir::FileLineColLoc>(d.getLocation());
    }
    return mlir::success();
  });
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBufferCopy(text, "fuzz.neuro"), {});
  LangOptions options;
  auto module = parseNeuro(sources, context, options);
  context.getDiagEngine().eraseHandler(id);
  EXPECT_EQ(errors == 0, static_cast<bool>(module)) << text;
  EXPECT_EQ(errors, placed) << text;
}

std::string read(const char *file) {
  auto text = llvm::MemoryBuffer::getFile(std::string(NEUROC_SOURCE_DIR) + "/" +
                                          file);
  EXPECT_TRUE(text) << file;
  return text ? (*text)->getBuffer().str() : "";
}

TEST(LangFuzz, RandomBytes) {
  mlir::MLIRContext context;
  Random random(1);
  for (int run = 0; run < 2000; ++run) {
    std::string text;
    for (uint32_t n = random(200); n > 0; --n)
      text += static_cast<char>(random(256));
    compile(context, text);
  }
}

TEST(LangFuzz, RandomTokens) {
  static const char *const tokens[] = {
      "model", "rule", "network", "experiment", "m", "{", "}", "(", ")", "[",
      "]", "\n", "\n", ";", ",", ":", "=", "+=", "->", ".", "..", "'", "+", "-",
      "*", "/", "^", "<", "and", "not", "if", "then", "else", "1", "2.5", "3 mV",
      "ms", "param", "state", "input", "output", "stage", "emit", "spike",
      "when", "reset", "refractory", "holds", "let", "population", "connect",
      "weight", "through", "all_to_all", "dt", "seed", "trace", "on", "pre",
      "post", "tau", "bounds", "stimulus", "record", "phase", "repeat", "for",
      "each", "row", "of", "step", "expect", "mean", "\"s\"", "file", "uniform",
      "dense", "pc_layer", "predicts", "dv/dt", "v", "circuit", "in", "scalar",
      "delayed", "derivative", "(x)", "size", "given", "none", "group_sum",
      "function", "batch", "plant", "wrt", "[k]", "circuit c(x, n = 2) {"};
  mlir::MLIRContext context;
  Random random(2);
  for (int run = 0; run < 6000; ++run) {
    std::string text = run % 2 ? "model m {\n" : "network m { dt = 1 ms\n";
    for (uint32_t n = random(60); n > 0; --n)
      text += std::string(tokens[random(std::size(tokens))]) + " ";
    compile(context, text);
  }
}

/// Deletes, doubles, swaps or replaces pieces of a valid program.
std::string mutate(std::string text, Random &random) {
  for (uint32_t edits = 1 + random(4); edits > 0 && text.size() > 20; --edits) {
    size_t at = random(static_cast<uint32_t>(text.size() - 10));
    size_t length = 1 + random(8);
    switch (random(5)) {
    case 0: text.erase(at, length); break;
    case 1: text.insert(at, text.substr(at, length)); break;
    case 2: text[at] = static_cast<char>(32 + random(95)); break;
    case 3:
      text.insert(at, text.substr(random(static_cast<uint32_t>(text.size())),
                                  length));
      break;
    default: text.resize(at); break;
    }
  }
  return text;
}

TEST(LangFuzz, EditedPrograms) {
  mlir::MLIRContext context;
  Random random(3);
  for (const char *file :
       {"test/Frontend/Lang/network.neuro", "test/Frontend/Lang/model.neuro",
        "test/Frontend/Lang/rule.neuro", "test/Frontend/Lang/experiment.neuro",
        "test/Frontend/Lang/circuit.neuro",
        "examples/user-defined/resonance.neuro",
        "examples/balanced/cuba.neuro"}) {
    std::string text = read(file);
    for (int run = 0; run < 600; ++run)
      compile(context, mutate(text, random));
  }
}

TEST(LangFuzz, DeepNesting) {
  mlir::MLIRContext context;
  for (const char *open : {"(", "[", "-", "not ", "if ", "x^", "f(", "a["}) {
    std::string text = "model m { output y : 1\n emit y = ";
    for (int i = 0; i < 20000; ++i)
      text += open;
    compile(context, text + " }");
  }
  std::string blocks = "model m {";
  for (int i = 0; i < 5000; ++i)
    blocks += "if 1 > 0 {";
  compile(context, blocks);
  std::string loops = "network n { dt = 1 ms }\nexperiment e on n {";
  for (int i = 0; i < 5000; ++i)
    loops += "repeat 1 {";
  compile(context, loops);
  std::string chain = "const a0 = 1\n";
  for (int i = 1; i < 3000; ++i)
    chain += "const a" + std::to_string(i) + " = a" + std::to_string(i - 1) +
             "\n";
  compile(context, chain);
}
} // namespace
