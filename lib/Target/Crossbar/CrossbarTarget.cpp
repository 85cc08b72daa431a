// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The crossbar target: loads the machine description, maps, emits.
#include "Emitter.h"
#include "neuroc/Conversion/RaiseTensors/RaiseTensors.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace neuroc {
namespace {

constexpr llvm::StringLiteral kDefaultMachine = "generic-128";

/// The value of `key` in the target's configuration.
std::optional<double> number(const TargetOptions &options,
                             const std::string &key) {
  auto found = options.config.find(key);
  double value;
  if (found == options.config.end() ||
      StringRef(found->second).getAsDouble(value))
    return std::nullopt;
  return value;
}

/// Puts the machine of the options into the module.
class AttachMachine
    : public PassWrapper<AttachMachine, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(AttachMachine)
  explicit AttachMachine(std::string name) : name(std::move(name)) {}

  StringRef getArgument() const override { return "xbar-attach-machine"; }
  StringRef getDescription() const override {
    return "Put a crossbar machine description into the module";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<xbar::XbarDialect>();
  }
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (!module.getOps<xbar::MachineOp>().empty())
      return;
    rt::xbar::MachineConfig machine;
    if (rt::Status status = rt::xbar::loadMachine(name, machine); !status) {
      module.emitError() << status.message();
      return signalPassFailure();
    }
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    xbar::MachineOp::create(
        builder, module.getLoc(), "machine", name,
        ArrayRef<int64_t>{machine.meshX, machine.meshY}, machine.arraysPerTile,
        ArrayRef<int64_t>{machine.rows, machine.cols}, machine.cellBits,
        machine.adcBits, machine.memoryWords);
  }

private:
  std::string name;
};

class CrossbarTarget : public Target {
public:
  llvm::StringRef name() const override { return "crossbar"; }
  llvm::StringRef description() const override {
    return "tiles of memristor crossbar arrays, on the cycle-level simulator";
  }
  std::vector<std::pair<std::string, std::string>> machines() const override {
    return rt::xbar::machinePresets();
  }

  void buildPreparePipeline(OpPassManager &pm,
                            const neuroc::TargetOptions &) const override {
    pm.addPass(neuroc::createRaiseTensors());
  }

  void buildNumericPipeline(OpPassManager &pm,
                            const TargetOptions &options) const override {
    pm.addPass(std::make_unique<AttachMachine>(machineName(options)));
    xbar::buildNumericPipeline(pm, mapOptions(options));
  }

  void buildMapPipeline(OpPassManager &pm,
                        const TargetOptions &options) const override {
    pm.addPass(std::make_unique<AttachMachine>(machineName(options)));
    xbar::buildMapPipeline(pm, mapOptions(options));
  }

  static xbar::MapPipelineOptions mapOptions(const TargetOptions &options) {
    xbar::MapPipelineOptions map;
    if (auto bits = number(options, "weight-bits"))
      map.weightBits = unsigned(*bits);
    if (auto density = number(options, "sparse-density"))
      map.sparseDensity = *density;
    if (auto magnitude = number(options, "unknown-magnitude"))
      map.unknownMagnitude = *magnitude;
    return map;
  }

  CompileResult compile(ModuleOp module, const TargetOptions &options,
                        CompiledProgram &program) const override {
    rt::xbar::MachineConfig machine;
    if (rt::Status status =
            rt::xbar::loadMachine(machineName(options), machine);
        !status) {
      module.emitError() << status.message();
      return CompileResult::ModelError;
    }
    if (!xbar::getMap(module)) {
      module.emitError() << "no 'xbar.map': the map pipeline has not run";
      return CompileResult::ModelError;
    }
    xbar::EmitOptions emit;
    if (auto bits = number(options, "input-bits"))
      emit.inputBits = unsigned(*bits);
    if (emit.inputBits < 2 || emit.inputBits > 24) {
      module.emitError() << "input-bits must be in [2, 24], got "
                         << emit.inputBits;
      return CompileResult::ModelError;
    }
    return xbar::Emitter(module, emit, machine).run(program);
  }

private:
  static std::string machineName(const TargetOptions &options) {
    return options.machine.empty() ? kDefaultMachine.str() : options.machine;
  }
};

} // namespace

std::unique_ptr<Target> createCrossbarTarget() {
  return std::make_unique<CrossbarTarget>();
}

} // namespace neuroc
