// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Damaged inputs into every parser: .neuro text, IR text, ONNX files, compiled
// programs and arrays must give an error, never a crash. Usage:
//   fuzz-parsers --rounds N [--seed N] [--save FILE] CORPUS…
// Each round damages one file of the corpus (bytes, spans, numbers, pieces of
// another file) and reads it. On a crash the input is left in FILE.
#include "neuroc/Driver/RegisterAll.h"
#include "neuroc/Frontend/Lang/Lang.h"
#include "neuroc/Frontend/Onnx/Onnx.h"
#include "neuroc/rt/Manifest.h"
#include "neuroc/rt/Npy.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <map>
#include <random>
#include <unistd.h>

using namespace neuroc;

namespace {
std::string current;         ///< the input being read
std::string currentName;     ///< the corpus file it was made from
std::string savePath = "fuzz-crash.bin";

extern "C" void saveAndDie(int signal) {
  // Only functions that are safe in a signal handler.
  int fd = open(savePath.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644);
  if (fd >= 0) {
    (void)!write(fd, current.data(), current.size());
    close(fd);
  }
  const char text[] = "\nfuzz-parsers: crashed on a damaged ";
  (void)!write(2, text, sizeof text - 1);
  (void)!write(2, currentName.data(), currentName.size());
  (void)!write(2, "\n", 1);
  std::signal(signal, SIG_DFL);
  raise(signal);
}

class Fuzzer {
public:
  Fuzzer(std::vector<std::pair<std::string, std::string>> corpus, unsigned seed)
      : corpus(std::move(corpus)), random(seed) {
    registerAllDialects(registry);
  }
  void round(unsigned number);
  std::map<std::string, std::pair<unsigned, unsigned>> counts; ///< kind: ok, all

private:
  size_t below(size_t n) { return n ? random() % n : 0; }
  void damage(std::string &bytes);
  bool read(llvm::StringRef kind);

  std::vector<std::pair<std::string, std::string>> corpus;
  std::mt19937 random;
  mlir::DialectRegistry registry;
  std::unique_ptr<mlir::MLIRContext> context;
};
} // namespace

void Fuzzer::damage(std::string &bytes) {
  for (size_t edits = 1 + below(6); edits; --edits) {
    size_t at = below(bytes.size() + 1), length = below(12);
    size_t end = std::min(bytes.size(), at + length);
    switch (below(7)) {
    case 0: // one byte
      if (at < bytes.size())
        bytes[at] = char(random());
      break;
    case 1:
      bytes.erase(at, end - at);
      break;
    case 2: // repeat a span
      bytes.insert(at, bytes.substr(at, end - at));
      break;
    case 3: { // a piece of another file
      const std::string &other = corpus[below(corpus.size())].second;
      bytes.insert(at, other.substr(below(other.size()), 1 + below(40)));
      break;
    }
    case 4: { // a number becomes an awkward one
      const char *numbers[] = {"0", "-1", "1e308", "99999999999999999999",
                               "0.0", "nan", "4294967296", "-0.5"};
      size_t digit = bytes.find_first_of("0123456789", at);
      if (digit != std::string::npos) {
        size_t stop = bytes.find_first_not_of("0123456789.", digit);
        bytes.replace(digit, std::min(stop, bytes.size()) - digit,
                      numbers[below(8)]);
      }
      break;
    }
    case 5: { // a bracket or quote too many
      const char *tokens[] = {"{", "}", "[", "]", "(", ")", "\"", "<", ">",
                              "@", "%", "=", ":", "#", "->", "\n"};
      bytes.insert(at, tokens[below(16)]);
      break;
    }
    case 6: // cut short
      if (below(4) == 0)
        bytes.resize(at);
      break;
    }
  }
}

bool Fuzzer::read(llvm::StringRef kind) {
  if (kind == ".nrx") {
    std::shared_ptr<const rt::Container> program;
    rt::Manifest manifest;
    return rt::Container::read(rt::asBytes(current), "fuzz", program).isOk() &&
           rt::readManifest(*program, manifest).isOk();
  }
  if (kind == ".npy") {
    rt::Array array;
    return rt::readNpy(current, "fuzz", array).isOk();
  }
  mlir::ScopedDiagnosticHandler quiet(
      context.get(), [](mlir::Diagnostic &) { return mlir::success(); });
  mlir::OwningOpRef<mlir::ModuleOp> module;
  auto buffer = llvm::MemoryBuffer::getMemBuffer(current, "fuzz" + kind.str());
  if (kind == ".onnx") {
    module = importOnnx(*buffer, *context, {});
  } else {
    llvm::SourceMgr sources;
    sources.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
    if (kind == ".neuro")
      module = parseNeuro(sources, *context);
    else
      module = mlir::parseSourceFile<mlir::ModuleOp>(sources, context.get());
  }
  return module && mlir::succeeded(mlir::verify(*module));
}

void Fuzzer::round(unsigned number) {
  // A new context now and then: attributes of old inputs are never freed.
  if (number % 500 == 0) {
    context = std::make_unique<mlir::MLIRContext>(
        registry, mlir::MLIRContext::Threading::DISABLED);
    context->loadAllAvailableDialects();
  }
  const auto &[path, bytes] = corpus[below(corpus.size())];
  current = bytes;
  currentName = path;
  damage(current);
  std::string kind = llvm::sys::path::extension(path).str();
  auto &count = counts[kind];
  count.first += read(kind);
  ++count.second;
}

int main(int argc, char **argv) {
  unsigned rounds = 1000, seed = 1;
  std::vector<std::pair<std::string, std::string>> corpus;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--rounds" && i + 1 < argc)
      rounds = unsigned(std::atoi(argv[++i]));
    else if (word == "--seed" && i + 1 < argc)
      seed = unsigned(std::atoi(argv[++i]));
    else if (word == "--save" && i + 1 < argc)
      savePath = argv[++i];
    else if (std::string bytes; rt::readFile(word, bytes).isOk())
      corpus.emplace_back(word, bytes);
    else
      std::fprintf(stderr, "cannot read %s\n", word.c_str());
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "usage: fuzz-parsers --rounds N CORPUS…\n");
    return 2;
  }
  for (int signal : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL, SIGALRM})
    std::signal(signal, saveAndDie);
  Fuzzer fuzzer(std::move(corpus), seed);
  for (unsigned i = 0; i < rounds; ++i) {
    alarm(20); // a hang is a crash
    fuzzer.round(i);
  }
  alarm(0);
  for (const auto &[kind, count] : fuzzer.counts)
    std::printf("REPORT: %s: %u inputs, %u of them still valid\n", kind.c_str(),
                count.second, count.first);
  return 0;
}
