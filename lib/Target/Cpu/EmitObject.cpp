// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the LLVM dialect to an ELF object: translation to LLVM IR, the exported
// program structure (see neuroc/rt/cpu/Program.h), LLVM's standard optimisation
// pipeline, code generation. Every buffer and function is made internal, so
// that LLVM knows all accesses to it and that no two buffers overlap.

#include "neuroc/Target/Cpu/Emit.h"

#include "neuroc/rt/cpu/Program.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <array>
#include <mutex>

using namespace llvm;

namespace neuroc::cpu {

namespace {

/// One of the x86-64 levels and the features that tell that a CPU has it.
struct Level {
  const char *name;
  const char *description;
  std::array<const char *, 6> features;
};
constexpr Level levels[] = {
    {"x86-64", "any 64-bit x86 processor (SSE2)", {}},
    {"x86-64-v2",
     "processors since 2009 (SSE4.2)",
     {"sse4.2", "popcnt", "ssse3"}},
    {"x86-64-v3",
     "processors since 2013 (AVX2, FMA)",
     {"avx2", "fma", "bmi", "bmi2", "f16c", "movbe"}},
    {"x86-64-v4",
     "processors with AVX-512",
     {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}},
};

void initializeNativeTarget() {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeNativeTarget();
    InitializeNativeTargetAsmPrinter();
  });
}

bool hostIsX86() {
  return Triple(sys::getDefaultTargetTriple()).getArch() == Triple::x86_64;
}

Error makeError(const Twine &text) {
  return createStringError(inconvertibleErrorCode(), text);
}

Expected<std::unique_ptr<TargetMachine>>
createTargetMachine(const Machine &machine, unsigned level, bool largeData) {
  initializeNativeTarget();
  std::string text;
  Triple triple(machine.triple);
  const llvm::Target *target = TargetRegistry::lookupTarget(triple, text);
  if (!target)
    return makeError("no code generator for '" + machine.triple + "': " + text);
  TargetOptions options;
  options.FunctionSections = false;
  auto codegenLevel = level == 0   ? CodeGenOptLevel::None
                      : level == 1 ? CodeGenOptLevel::Less
                      : level == 2 ? CodeGenOptLevel::Default
                                   : CodeGenOptLevel::Aggressive;
  std::optional<CodeModel::Model> model;
  if (largeData && triple.getArch() == Triple::x86_64)
    model = CodeModel::Medium;
  std::unique_ptr<TargetMachine> result(target->createTargetMachine(
      triple, machine.cpu == "generic" ? "" : machine.cpu, "", options,
      Reloc::PIC_, model, codegenLevel));
  if (!result)
    return makeError("cannot create a code generator for '" + machine.cpu +
                     "'");
  if (largeData)
    result->setLargeDataThreshold(1 << 16);
  return result;
}

/// Adds the constant structure that Program.h describes.
Error addProgramStructure(Module &module, const ObjectSpec &spec) {
  LLVMContext &context = module.getContext();
  auto *pointer = PointerType::get(context, 0);
  auto *i32 = Type::getInt32Ty(context);
  auto *i64 = Type::getInt64Ty(context);
  auto makeTable = [&](StringRef name, Type *element,
                       ArrayRef<Constant *> values) -> Constant * {
    auto *type = ArrayType::get(element, values.size());
    return new GlobalVariable(module, type, /*isConstant=*/true,
                              GlobalValue::InternalLinkage,
                              ConstantArray::get(type, values), name);
  };
  auto *bufferType = StructType::get(context, {pointer, i64});
  SmallVector<Constant *> buffers, functions;
  for (const BufferSymbol &buffer : spec.buffers) {
    GlobalVariable *global = module.getNamedGlobal(buffer.name);
    if (!global)
      return makeError("internal: no buffer '" + buffer.name + "'");
    global->setAlignment(Align(64));
    buffers.push_back(ConstantStruct::get(
        bufferType, {global, ConstantInt::get(i64, buffer.bytes)}));
  }
  for (const std::string &name : spec.functions) {
    Function *function = module.getFunction(name);
    if (!function)
      return makeError("internal: no function '" + name + "'");
    functions.push_back(function);
  }
  Constant *fields[] = {ConstantInt::get(i32, sizeof(neuroc_cpu_program)),
                        ConstantInt::get(i32, NEUROC_CPU_ABI_MAJOR),
                        ConstantInt::get(i32, NEUROC_CPU_ABI_MINOR),
                        ConstantInt::get(i32, spec.realBytes),
                        ConstantInt::get(i64, spec.programId),
                        ConstantInt::get(i64, buffers.size()),
                        makeTable("neuroc.buffers", bufferType, buffers),
                        ConstantInt::get(i64, functions.size()),
                        makeTable("neuroc.functions", pointer, functions)};
  auto *structure = ConstantStruct::getAnon(context, fields);
  for (GlobalVariable &global : module.globals())
    if (!global.isDeclaration())
      global.setLinkage(GlobalValue::InternalLinkage);
  for (Function &function : module)
    if (!function.isDeclaration()) {
      function.setLinkage(GlobalValue::InternalLinkage);
      if (spec.machine.cpu == "x86-64-v4") // else LLVM keeps to half of it
        function.addFnAttr("prefer-vector-width", "512");
    }
  new GlobalVariable(module, structure->getType(), /*isConstant=*/true,
                     GlobalValue::ExternalLinkage, structure, spec.symbol);
  return Error::success();
}

void optimize(Module &module, TargetMachine &machine, unsigned level) {
  PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = level >= 2;
  PassBuilder builder(&machine, tuning);
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  OptimizationLevel pipeline = level == 0   ? OptimizationLevel::O0
                               : level == 1 ? OptimizationLevel::O1
                               : level == 2 ? OptimizationLevel::O2
                                            : OptimizationLevel::O3;
  ModulePassManager passes =
      level == 0 ? builder.buildO0DefaultPipeline(pipeline)
                 : builder.buildPerModuleDefaultPipeline(pipeline);
  passes.run(module, modules);
}

Expected<std::string> generateCode(Module &module, TargetMachine &machine) {
  SmallVector<char, 0> bytes;
  raw_svector_ostream stream(bytes);
  legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr,
                                  CodeGenFileType::ObjectFile))
    return makeError("this LLVM cannot write object files for the host");
  passes.run(module);
  return std::string(bytes.begin(), bytes.end());
}

} // namespace

std::vector<std::pair<std::string, std::string>> machinePresets() {
  std::vector<std::pair<std::string, std::string>> result = {
      {"host", "the highest level below that this computer has"}};
  if (hostIsX86())
    for (const Level &level : levels)
      result.push_back({level.name, level.description});
  else
    result.push_back({"generic", "any processor of the host's architecture"});
  return result;
}

Expected<Machine> resolveMachine(StringRef name) {
  Machine machine{sys::getDefaultTargetTriple(), "generic"};
  if (!name.empty() && name != "host") {
    std::string known;
    for (auto &[preset, text] : machinePresets()) {
      if (name == preset) {
        machine.cpu = preset;
        return machine;
      }
      known += (known.empty() ? "" : ", ") + preset;
    }
    return makeError("unknown machine '" + name +
                     "' for target 'cpu'; known: " + known);
  }
  if (!hostIsX86())
    return machine;
  StringMap<bool> features = sys::getHostCPUFeatures();
  for (const Level &level : levels) {
    bool all = true;
    for (const char *feature : level.features)
      all &= !feature || features.lookup(feature);
    if (!all)
      break;
    machine.cpu = level.name;
  }
  return machine;
}

Expected<std::string> emitObject(mlir::ModuleOp module,
                                 const ObjectSpec &spec) {
  mlir::registerBuiltinDialectTranslation(*module.getContext());
  mlir::registerLLVMDialectTranslation(*module.getContext());
  LLVMContext context;
  std::unique_ptr<Module> llvmModule =
      mlir::translateModuleToLLVMIR(module, context, "neuroc");
  if (!llvmModule)
    return makeError("internal: translation to LLVM IR failed");
  uint64_t bytes = 0;
  for (const BufferSymbol &buffer : spec.buffers)
    bytes += buffer.bytes;
  auto machine = createTargetMachine(spec.machine, spec.optimizationLevel,
                                     bytes > (uint64_t(1) << 30));
  if (!machine)
    return machine.takeError();
  llvmModule->setTargetTriple(Triple(spec.machine.triple));
  llvmModule->setDataLayout((*machine)->createDataLayout());
  llvmModule->setPICLevel(PICLevel::BigPIC);
  if (Error error = addProgramStructure(*llvmModule, spec))
    return std::move(error);
  optimize(*llvmModule, **machine, spec.optimizationLevel);
  return generateCode(*llvmModule, **machine);
}

Expected<std::string> emitDataObject(const Machine &machine, StringRef symbol,
                                     StringRef bytes) {
  LLVMContext context;
  Module module("neuroc-data", context);
  auto target = createTargetMachine(machine, 0, false);
  if (!target)
    return target.takeError();
  module.setTargetTriple(Triple(machine.triple));
  module.setDataLayout((*target)->createDataLayout());
  auto *data = ConstantDataArray::getString(context, bytes, /*AddNull=*/false);
  auto *global = new GlobalVariable(module, data->getType(), true,
                                    GlobalValue::ExternalLinkage, data, symbol);
  global->setAlignment(Align(4096));
  auto *size = ConstantInt::get(Type::getInt64Ty(context), bytes.size());
  new GlobalVariable(module, size->getType(), true,
                     GlobalValue::ExternalLinkage, size, symbol + "_size");
  return generateCode(module, **target);
}

} // namespace neuroc::cpu
