// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CPU target. Initial contents of buffers leave the module and become the
// data member; the plan becomes the manifest; the rest becomes the shared
// object. `docs/cpu.md` describes members and manifest.

#include "neuroc/Target/Cpu/Emit.h"
#include "neuroc/Target/Cpu/Register.h"
#include "neuroc/Target/Target.h"

#include "neuroc/Conversion/NeuroToCpu/NeuroToCpu.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"

#include <cmath>

using namespace mlir;

namespace neuroc {
namespace {

llvm::json::Value toJson(Attribute attribute) {
  if (auto dictionary = dyn_cast<DictionaryAttr>(attribute)) {
    llvm::json::Object object;
    for (NamedAttribute field : dictionary)
      object[field.getName().getValue().str()] = toJson(field.getValue());
    return object;
  }
  if (auto array = dyn_cast<ArrayAttr>(attribute)) {
    llvm::json::Array list;
    for (Attribute element : array)
      list.push_back(toJson(element));
    return list;
  }
  if (auto array = dyn_cast<DenseI64ArrayAttr>(attribute)) {
    llvm::json::Array list;
    for (int64_t element : array.asArrayRef())
      list.push_back(element);
    return list;
  }
  if (auto text = dyn_cast<StringAttr>(attribute))
    return text.getValue().str(); // owned: the manifest outlives the context
  if (auto flag = dyn_cast<BoolAttr>(attribute))
    return flag.getValue();
  if (auto number = dyn_cast<IntegerAttr>(attribute))
    return number.getInt();
  return cast<FloatAttr>(attribute).getValueAsDouble();
}

std::string typeName(Type type) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  type.print(stream);
  return text;
}

/// The splat value of a buffer's contents, if it is one finite number.
std::optional<double> splatValue(DenseElementsAttr init) {
  if (!init.isSplat())
    return std::nullopt;
  Type type = init.getElementType();
  if (isa<FloatType>(type)) {
    double value = init.getSplatValue<APFloat>().convertToDouble();
    if (std::isfinite(value))
      return value;
    return std::nullopt;
  }
  return double(init.getSplatValue<APInt>().getSExtValue());
}

/// Takes the contents of the plan's buffers out of the module.
struct BufferContents {
  llvm::json::Array manifest;
  std::vector<cpu::BufferSymbol> symbols;
  std::string data;

  void extract(ModuleOp module, ArrayAttr names) {
    llvm::StringMap<memref::GlobalOp> globals;
    for (auto global : module.getOps<memref::GlobalOp>())
      globals[global.getSymName()] = global;
    for (Attribute name : names) {
      auto global = globals.lookup(cast<StringAttr>(name).getValue());
      assert(global && "the plan names a buffer that the module lacks");
      MemRefType type = global.getType();
      uint64_t width = type.getElementTypeBitWidth() / 8;
      uint64_t count = type.getNumElements();
      llvm::json::Object entry{{"name", global.getSymName().str()},
                               {"type", typeName(type.getElementType())},
                               {"count", int64_t(count)}};
      auto init = dyn_cast_or_null<DenseElementsAttr>(
          global.getInitialValue().value_or(Attribute()));
      if (init) {
        if (std::optional<double> splat = splatValue(init)) {
          entry["fill"] = *splat;
        } else {
          data.resize((data.size() + 63) / 64 * 64);
          entry["offset"] = int64_t(data.size());
          ArrayRef<char> raw = init.getRawData();
          if (init.isSplat())
            for (uint64_t i = 0; i < count; ++i)
              data.append(raw.begin(), raw.end());
          else
            data.append(raw.begin(), raw.end());
        }
        global.setInitialValueAttr(UnitAttr::get(module.getContext()));
      } else {
        entry["fill"] = 0;
      }
      symbols.push_back({global.getSymName().str(), count * width});
      manifest.push_back(std::move(entry));
    }
  }
};

class CpuTarget : public Target {
public:
  StringRef name() const override { return "cpu"; }
  bool computesPlants() const override { return true; }
  StringRef description() const override {
    return "native code for this computer";
  }
  std::vector<std::pair<std::string, std::string>> machines() const override {
    return cpu::machinePresets();
  }
  void buildMapPipeline(OpPassManager &pm,
                        const TargetOptions &options) const override {
    ConvertNeuroToCpuOptions conversion;
    conversion.doublePrecision = options.doublePrecision;
    pm.addPass(createConvertNeuroToCpu(conversion));
  }
  CompileResult compile(ModuleOp source, const TargetOptions &options,
                        CompiledProgram &program) const override;
};

/// Names of the functions that the plan calls, in order of appearance.
void collectFunctions(Attribute attribute, std::vector<std::string> &names) {
  static constexpr StringLiteral keys[] = {
      "function", "on_pre",     "on_post",    "on_tick",    "on_call",
      "bounds",   "bounds_all", "trace_tick", "trace_spike"};
  auto dictionary = cast<DictionaryAttr>(attribute);
  for (StringRef key : keys) {
    Attribute value = dictionary.get(key);
    if (auto name = dyn_cast_or_null<StringAttr>(value))
      names.push_back(name.getValue().str());
    else if (auto list = dyn_cast_or_null<ArrayAttr>(value))
      for (Attribute name : list)
        names.push_back(cast<StringAttr>(name).getValue().str());
  }
}

CompileResult CpuTarget::compile(ModuleOp source, const TargetOptions &options,
                                 CompiledProgram &program) const {
  auto refuse = [&](const Twine &text) {
    // What goes wrong here is no place in the model.
    emitError(UnknownLoc::get(source.getContext())) << text;
    return CompileResult::ModelError;
  };
  bool keepObject = false;
  for (auto &[key, value] : options.config) {
    if (key != "keep-object")
      return refuse("target 'cpu' has no option '" + key +
                    "'; known: keep-object");
    keepObject = value != "0";
  }
  auto machine = cpu::resolveMachine(options.machine);
  if (!machine)
    return refuse(toString(machine.takeError()));

  OwningOpRef<ModuleOp> module = source.clone();
  if (!module->getOperation()->hasAttr(cpu::kPlanAttrName)) {
    PassManager pm(source.getContext());
    buildMapPipeline(pm, options);
    if (failed(pm.run(*module)))
      return CompileResult::ModelError;
  }
  auto plan = cast<DictionaryAttr>((*module)->removeAttr(cpu::kPlanAttrName));
  BufferContents contents;
  contents.extract(*module, cast<ArrayAttr>(plan.get("buffers")));

  cpu::ObjectSpec spec;
  spec.machine = *machine;
  spec.optimizationLevel = options.optimizationLevel;
  spec.realBytes =
      cast<StringAttr>(plan.get("real")).getValue() == "f64" ? 8 : 4;
  spec.buffers = contents.symbols;
  for (StringRef list : {"items", "plastics"})
    for (Attribute entry : cast<ArrayAttr>(plan.get(list)))
      collectFunctions(entry, spec.functions);
  if (Attribute run = plan.get("run"))
    collectFunctions(run, spec.functions);

  llvm::json::Value manifest = toJson(plan);
  llvm::json::Object &object = *manifest.getAsObject();
  object["buffers"] = std::move(contents.manifest);
  llvm::json::Array functions;
  for (const std::string &name : spec.functions)
    functions.push_back(name);
  object["functions"] = std::move(functions);
  object["instruction_set"] = machine->cpu;
  object["architecture"] = StringRef(machine->triple).split('-').first.str();
  std::string text;
  llvm::raw_string_ostream(text)
      << manifest << spec.machine.cpu << spec.optimizationLevel;
  spec.programId = llvm::xxh3_64bits(text) ^ llvm::xxh3_64bits(contents.data);
  object["id"] = llvm::utohexstr(spec.programId, /*LowerCase=*/true, 16);

  PassManager pm(source.getContext());
  cpu::buildLowerToLLVMPipeline(pm);
  if (failed(pm.run(*module)))
    return CompileResult::ModelError;
  auto bytes = cpu::emitObject(*module, spec);
  if (!bytes)
    return refuse(toString(bytes.takeError()));
  auto shared = cpu::linkSharedObject(*bytes);
  if (!shared)
    return refuse(toString(shared.takeError()));
  program.manifest = std::move(object);
  program.members.push_back({"cpu/program.so", std::move(*shared)});
  if (!contents.data.empty())
    program.members.push_back({"cpu/data.bin", std::move(contents.data)});
  if (keepObject)
    program.members.push_back({"cpu/program.o", std::move(*bytes)});
  return CompileResult::Success;
}

} // namespace

std::unique_ptr<Target> createCpuTarget() {
  return std::make_unique<CpuTarget>();
}

void cpu::registerPasses() {
  registerNeuroToCpuPasses();
  PassPipelineRegistration<>(
      "neuroc-cpu-to-llvm",
      "Lower what convert-neuro-to-cpu leaves to the LLVM dialect",
      [](OpPassManager &pm) { buildLowerToLLVMPipeline(pm); });
}

} // namespace neuroc
