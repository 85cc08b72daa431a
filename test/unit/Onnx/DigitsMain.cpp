// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The digits example on the reference interpreter, as imported and raised:
// every test image must give the prediction that the training script wrote
// down, and logits equal within single precision.
//
// usage: onnx-digits FOLDER-OF-THE-EXAMPLE [--print]
#include "NetworkRunner.h"

#include "neuroc/Frontend/Onnx/Onnx.h"
#include "neuroc/Neuro/Neuro.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <cstring>

using namespace mlir;
using namespace neuroc;
using namespace neuroc::test;

/// The f32 payload of a version 1 .npy file.
static std::vector<float> loadFloats(const std::string &path) {
  auto file = llvm::MemoryBuffer::getFile(path, false, false);
  if (!file || (*file)->getBufferSize() < 10)
    return {};
  llvm::StringRef bytes = (*file)->getBuffer();
  size_t header = 10 + uint8_t(bytes[8]) + 256 * uint8_t(bytes[9]);
  std::vector<float> values((bytes.size() - header) / 4);
  std::memcpy(values.data(), bytes.data() + header, values.size() * 4);
  return values;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    llvm::errs() << "usage: onnx-digits FOLDER [--print]\n";
    return 2;
  }
  std::string folder = argv[1];
  auto text = llvm::MemoryBuffer::getFile(folder + "/expected.json");
  auto json = text ? llvm::json::parse((*text)->getBuffer())
                   : llvm::Expected<llvm::json::Value>(nullptr);
  std::vector<float> images = loadFloats(folder + "/data/test-images.npy");
  if (!json || !json->getAsObject() || images.empty()) {
    llvm::errs() << "no example data in " << folder << "\n";
    return 1;
  }
  MLIRContext context(MLIRContext::Threading::DISABLED);
  unsigned passed = 0, failures = 0;
  for (std::string name : {"digits-mlp", "digits-cnn"}) {
    const auto &model =
        *json->getAsObject()->getObject("models")->getObject(name);
    const auto &predictions = *model.getArray("predictions");
    std::vector<float> logits =
        loadFloats(folder + "/data/" + name + "-logits.npy");
    auto file = llvm::MemoryBuffer::getFile(folder + "/" + name + ".onnx",
                                            false, false);
    for (bool raise : {false, true}) {
      std::string problem;
      auto module =
          importOnnx((*file)->getMemBufferRef(), context, OnnxImportOptions());
      if (!module || !prepareNetwork(*module, raise))
        return 1;
      if (argc > 2)
        module->print(llvm::outs(),
                      OpPrintingFlags().elideLargeElementsAttrs());
      auto network = RunningNetwork::create(std::move(module),
                                            Machine::Reference, problem);
      unsigned same = 0;
      double worst = 0;
      for (size_t i = 0; i < predictions.size(); ++i) {
        std::vector<double> image(images.begin() + i * 64,
                                  images.begin() + (i + 1) * 64);
        std::vector<std::vector<double>> outputs;
        if (network)
          outputs = network->run({image}, problem);
        if (!problem.empty()) {
          llvm::errs() << problem << "\n";
          return 1;
        }
        int64_t best = std::max_element(outputs[0].begin(), outputs[0].end()) -
                       outputs[0].begin();
        same += best == *predictions[i].getAsInteger();
        for (int k = 0; k < 10; ++k)
          worst =
              std::max(worst, std::fabs(outputs[0][k] - logits[i * 10 + k]));
      }
      bool good = same == predictions.size() && worst < 1e-3;
      (good ? passed : failures) += 1;
      llvm::outs() << name << (raise ? " raised" : "") << ": " << same << " of "
                   << predictions.size()
                   << " predictions as expected, largest difference of a logit "
                   << llvm::format("%.2g", worst) << "\n";
    }
  }
  llvm::outs() << passed << " passed, " << failures << " failed\n";
  return failures ? 1 : 0;
}
