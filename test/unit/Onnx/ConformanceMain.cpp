// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ONNX backend node tests: every case whose operators are covered is
// imported, compiled, run and compared with the stored outputs, once with
// run-time inputs and once with its parameters as constants. Prints the counts
// and one closing line; fails if any covered case does. The engine is the CPU
// target (what users get), the reference interpreter, or upstream's JIT.
//
// usage: onnx-conformance DATA [--engine=cpu|reference|jit] [--filter=TEXT]
//                         [--table=FILE] [--document=PAGE] [--list]
#include "Conformance.h"
#include "JitRunner.h"
#include "NetworkRunner.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"

#include <map>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::test;
namespace cl = llvm::cl;

static cl::opt<std::string> root(cl::Positional, cl::Required,
                                 cl::desc("<folder of the node tests>"));
static cl::opt<std::string> engineOption("engine", cl::init("cpu"),
                                         cl::desc("cpu, reference or jit"));
static cl::opt<std::string> filter("filter", cl::desc("only names with TEXT"));
static cl::opt<std::string> tableOption("table",
                                        cl::desc("write a table by operator"));
static cl::opt<std::string>
    documentOption("document", cl::desc("page whose table must be this run's"));
static cl::opt<bool> verboseOption("list", cl::desc("name every case"));

/// "cpu", "reference" or "jit".
static std::string engine;

namespace {
struct Run {
  const Case *test;
  bool frozen;
  std::string function;
  std::string problem;
  std::vector<HostTensor> outputs;
};
} // namespace

/// Imports a case as a function of the batch.
static void import(Run &run, ModuleOp batch, MLIRContext &context) {
  OnnxImportOptions options = optionsFor(*run.test, run.frozen);
  options.wrapper = OnnxWrapper::Function;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      run.problem = diagnostic.str();
  });
  auto module =
      importOnnx(run.test->model->getMemBufferRef(), context, options);
  if (!module) {
    if (run.problem.empty())
      run.problem = "import failed without a message";
    return;
  }
  auto function = *module->getOps<func::FuncOp>().begin();
  for (Type type : function.getFunctionType().getResults()) {
    HostTensor output;
    auto ranked = cast<RankedTensorType>(type);
    output.shape.assign(ranked.getShape().begin(), ranked.getShape().end());
    output.element = ranked.getElementType();
    run.outputs.push_back(std::move(output));
  }
  function->remove();
  function.setName(run.function);
  batch.push_back(function);
}

static void execute(Run &run, JitRunner &runner) {
  if (!run.problem.empty())
    return;
  std::vector<std::shared_ptr<HostTensor>> inputs;
  for (DenseElementsAttr value : runtimeInputs(*run.test, run.frozen))
    inputs.push_back(toHost(value));
  if (run.outputs.size() != run.test->outputs.size()) {
    run.problem = "wrong number of outputs";
    return;
  }
  if (!runner.call(run.function, inputs, run.outputs)) {
    run.problem = "the call failed";
    return;
  }
  for (auto [i, output] : llvm::enumerate(run.outputs)) {
    std::string difference = compare(output, run.test->outputs[i]);
    if (!difference.empty()) {
      run.problem = "output " + std::to_string(i) + ": " + difference;
      return;
    }
  }
}

/// A case as a network of its own.
static void runNetwork(Run &run, MLIRContext &context) {
  OwningOpRef<ModuleOp> module;
  {
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error &&
          run.problem.empty())
        run.problem = diagnostic.str();
    });
    module = importOnnx(run.test->model->getMemBufferRef(), context,
                        optionsFor(*run.test, run.frozen));
    if (!module || !prepareNetwork(*module, false)) {
      if (run.problem.empty())
        run.problem = "import failed without a message";
      return;
    }
  }
  auto network = RunningNetwork::create(
      std::move(module), engine == "cpu" ? Machine::Cpu : Machine::Reference,
      run.problem);
  if (!network)
    return;
  std::vector<std::vector<double>> inputs;
  for (DenseElementsAttr value : runtimeInputs(*run.test, run.frozen))
    inputs.push_back(toNumbers(value));
  auto outputs = network->run(inputs, run.problem);
  if (run.problem.empty() && outputs.size() != run.test->outputs.size())
    run.problem = "wrong number of outputs";
  for (size_t i = 0; run.problem.empty() && i < outputs.size(); ++i) {
    std::string difference = compareNumbers(outputs[i], run.test->outputs[i]);
    if (!difference.empty())
      run.problem = "output " + std::to_string(i) + ": " + difference;
  }
}

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "ONNX backend node tests\n");
  // The linker, which the CPU target calls, resets all options of the process.
  const std::string table = tableOption, document = documentOption;
  const bool verbose = verboseOption;
  engine = engineOption;
  if (!llvm::sys::fs::is_directory(root)) {
    llvm::outs() << "no test data at " << root
                 << " (Debian package libonnx-testdata)\n"
                 << "0 passed, 0 failed\n";
    return 77; // skipped, for CTest
  }
  DialectRegistry registry;
  registerForJit(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
  std::vector<Case> cases = loadCases(root, context, filter);
  std::vector<Run> runs;
  std::map<std::string, unsigned> excluded;
  unsigned covered = 0;
  for (const Case &test : cases) {
    if (!test.covered)
      continue;
    if (!test.excluded.empty()) {
      ++excluded[test.excluded];
      continue;
    }
    ++covered;
    for (bool frozen : {false, true}) {
      if (frozen &&
          runtimeInputs(test, true).size() == runtimeInputs(test, false).size())
        continue;
      Run run{&test, frozen, "case_" + std::to_string(runs.size()), "", {}};
      runs.push_back(std::move(run));
    }
  }
  if (engine != "jit")
    for (Run &run : runs)
      runNetwork(run, context);
  const size_t batchSize = 48;
  for (size_t first = 0; engine == "jit" && first < runs.size();
       first += batchSize) {
    size_t last = std::min(first + batchSize, runs.size());
    OwningOpRef<ModuleOp> batch = ModuleOp::create(UnknownLoc::get(&context));
    for (size_t i = first; i < last; ++i)
      import(runs[i], *batch, context);
    JitRunner runner;
    bool compiled = runner.compile(*batch);
    for (size_t i = first; i < last; ++i) {
      if (!compiled && runs[i].problem.empty())
        runs[i].problem = "the batch did not compile";
      execute(runs[i], runner);
    }
  }
  std::map<std::string, std::pair<unsigned, unsigned>> byOperator;
  std::map<const Case *, bool> passed;
  unsigned failedRuns = 0, frozenRuns = 0;
  for (const Run &run : runs) {
    bool good = run.problem.empty();
    auto [entry, inserted] = passed.insert({run.test, true});
    entry->second &= good;
    failedRuns += !good;
    frozenRuns += run.frozen;
    if (!good || verbose)
      llvm::outs() << (good ? "pass " : "FAIL ") << run.test->name
                   << (run.frozen ? " (constants)" : "")
                   << (good ? "" : ": " + run.problem) << "\n";
  }
  unsigned passedCases = 0;
  for (auto &[test, good] : passed) {
    passedCases += good;
    for (const std::string &op : test->operators) {
      ++byOperator[op].first;
      byOperator[op].second += good;
    }
  }
  std::string rows = "| operator | cases | passed |\n|---|---|---|\n";
  for (auto &[op, counts] : byOperator)
    rows += "| " + op + " | " + std::to_string(counts.first) + " | " +
            std::to_string(counts.second) + " |\n";
  if (!table.empty()) {
    std::error_code error;
    llvm::raw_fd_ostream(table, error) << rows;
  }
  bool documented = true;
  if (!document.empty()) {
    auto page = llvm::MemoryBuffer::getFile(document);
    documented = page && (*page)->getBuffer().contains(rows);
    if (!documented)
      llvm::outs() << "FAIL the table in " << document
                   << " differs from this run; put this there:\n"
                   << rows;
  }
  for (auto &[reason, count] : excluded)
    llvm::outs() << "excluded by rule: " << reason << ": " << count << "\n";
  llvm::outs() << "covered " << covered << " / passed " << passedCases
               << " / total " << cases.size() << " (" << runs.size()
               << " runs, " << frozenRuns << " of them with constants)\n";
  llvm::outs() << runs.size() - failedRuns << " passed, " << failedRuns
               << " failed\n";
  return failedRuns || runs.empty() || !documented ? 1 : 0;
}
