// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ONNX node tests with constant parameters, raised to weights, projections
// and populations, run on the reference interpreter and compared with the
// stored outputs. What the raising pass refuses is counted by its reason.
//
// usage: onnx-raise DATA [--filter=TEXT] [--list]
#include "Conformance.h"
#include "NetworkRunner.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"

#include <map>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::test;
namespace cl = llvm::cl;

static cl::opt<std::string> root(cl::Positional, cl::Required,
                                 cl::desc("<folder of the node tests>"));
static cl::opt<std::string> filter("filter", cl::desc("only names with TEXT"));
static cl::opt<bool> verbose("list", cl::desc("name every case"));
static cl::opt<bool> plain("plain", cl::desc("do not raise"));
static cl::opt<bool> print("print", cl::desc("print the networks"));
static cl::opt<unsigned> minimum("min-raised",
                                 cl::desc("fail if fewer cases are raised"),
                                 cl::init(1));

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "ONNX node tests, raised\n");
  if (!llvm::sys::fs::is_directory(root)) {
    llvm::outs() << "no test data at " << root << "\n0 passed, 0 failed\n";
    return 77;
  }
  MLIRContext context(MLIRContext::Threading::DISABLED);
  unsigned passed = 0, failures = 0, refused = 0;
  std::map<std::string, unsigned> reasons;
  std::vector<Case> cases = loadCases(root, context, filter);
  for (const Case &test : cases) {
    if (!test.covered || !test.excluded.empty())
      continue;
    int64_t largest = 0;
    for (DenseElementsAttr value : test.inputs)
      largest = std::max<int64_t>(largest, value.getNumElements());
    if (largest > 5000)
      continue; // minutes on an interpreter, nothing new
    std::string message;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error &&
          message.empty())
        message = diagnostic.str();
    });
    auto module = importOnnx(test.model->getMemBufferRef(), context,
                             optionsFor(test, true));
    std::string problem;
    bool ready = module && prepareNetwork(*module, !plain);
    if (module && print)
      module->print(llvm::outs());
    if (!ready) {
      StringRef text = message;
      size_t at = text.find("weights: ");
      if (at != StringRef::npos) {
        ++refused;
        ++reasons[text.drop_front(at + 9).split(';').first.str()];
        if (verbose)
          llvm::outs() << "refused " << test.name << ": " << message << "\n";
        continue;
      }
      problem = message.empty() ? "no message" : message;
    } else {
      std::vector<std::vector<double>> inputs;
      for (DenseElementsAttr value : runtimeInputs(test, true))
        inputs.push_back(toNumbers(value));
      auto network = RunningNetwork::create(std::move(module),
                                            Machine::Reference, problem);
      std::vector<std::vector<double>> outputs;
      if (network)
        outputs = network->run(inputs, problem);
      if (problem.empty() && outputs.size() != test.outputs.size())
        problem = "wrong number of outputs";
      for (size_t i = 0; problem.empty() && i < outputs.size(); ++i)
        problem = compareNumbers(outputs[i], test.outputs[i]);
    }
    problem.empty() ? ++passed : ++failures;
    if (!problem.empty() || verbose)
      llvm::outs() << (problem.empty() ? "pass " : "FAIL ") << test.name << " "
                   << problem << "\n";
  }
  for (auto &[reason, count] : reasons)
    llvm::outs() << "refused: " << reason << ": " << count << "\n";
  llvm::outs() << "raised " << passed + failures << " / refused " << refused
               << "\n"
               << passed << " passed, " << failures << " failed\n";
  return failures || passed < minimum ? 1 : 0;
}
