// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code generation through LLVM's ARM back end and linking through lld as a
// library. The memories in the linker script are larger than the real ones, so
// that an image that does not fit is linked all the same and can be told by how
// much it is too large.
#include "Link.h"

#include "neuroc/rt/spinn/CoreAbi.h"

#include "lld/Common/Driver.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Triple.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace neuroc::spinn;

/// The kernel as a relocatable object, put into the library by KernelObject.S.
extern "C" const char neuroc_spinn_kernel_begin[];
extern "C" const char neuroc_spinn_kernel_end[];

static llvm::Error makeError(const llvm::Twine &text) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), text.str());
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
neuroc::spinn::createTargetMachine(unsigned optimizationLevel) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeARMTargetInfo();
    LLVMInitializeARMTarget();
    LLVMInitializeARMTargetMC();
    LLVMInitializeARMAsmPrinter();
  });
  std::string message;
  llvm::Triple triple(kTriple);
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return makeError(message);
  llvm::TargetOptions options;
  options.FunctionSections = true;
  options.DataSections = true;
  options.FloatABIType = llvm::FloatABI::Soft;
  llvm::CodeGenOptLevel level =
      optimizationLevel == 0   ? llvm::CodeGenOptLevel::None
      : optimizationLevel == 1 ? llvm::CodeGenOptLevel::Less
      : optimizationLevel == 2 ? llvm::CodeGenOptLevel::Default
                               : llvm::CodeGenOptLevel::Aggressive;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      // The core traps misaligned words and pairs (LDRD wants eight bytes).
      triple, kCpu, "+strict-align", options, llvm::Reloc::Static,
      std::nullopt, level));
}

llvm::Expected<std::string>
neuroc::spinn::emitObject(llvm::Module &module, llvm::TargetMachine &machine,
                          unsigned optimizationLevel) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  // Code must fit 32 KiB with the kernel; unrolling buys little without a cache.
  tuning.LoopUnrolling = optimizationLevel >= 3;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  llvm::OptimizationLevel level = optimizationLevel == 0
                                      ? llvm::OptimizationLevel::O0
                                  : optimizationLevel == 1
                                      ? llvm::OptimizationLevel::O1
                                  : optimizationLevel == 2
                                      ? llvm::OptimizationLevel::O2
                                      : llvm::OptimizationLevel::O3;
  llvm::ModulePassManager passes =
      optimizationLevel == 0 ? builder.buildO0DefaultPipeline(level)
                             : builder.buildPerModuleDefaultPipeline(level);
  passes.run(module, modules);

  llvm::SmallVector<char, 0> buffer;
  llvm::raw_svector_ostream stream(buffer);
  llvm::legacy::PassManager codegen;
  if (machine.addPassesToEmitFile(codegen, stream, nullptr,
                                  llvm::CodeGenFileType::ObjectFile))
    return makeError("the ARM back end cannot write object files");
  codegen.run(module);
  return std::string(buffer.begin(), buffer.end());
}

std::string neuroc::spinn::linkerScript() {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "ENTRY(neuroc_kernel_reset)\n"
      << "SECTIONS {\n"
      << "  . = " << llvm::format_hex(NEUROC_SPINN_ITCM_BASE, 10) << ";\n"
      << "  .vectors : { KEEP(*(.vectors)) }\n"
      << "  .text : { *(.text .text.*) *(.ARM.extab*) }\n"
      << "  __code_end = .;\n"
      << "  . = " << llvm::format_hex(NEUROC_SPINN_DTCM_BASE, 10) << ";\n"
      << "  .neuroc.control : { KEEP(*(.neuroc.control)) }\n"
      << "  .rodata : { *(.rodata .rodata.*) }\n"
      << "  .data : { *(.data .data.*) }\n"
      << "  .bss : { KEEP(*(.bss.neuroc_keep)) *(.bss .bss.* COMMON) }\n"
      << "  __data_end = .;\n"
      << "  __bss_end = .;\n"
      << "  __stack_top = "
      << llvm::format_hex(NEUROC_SPINN_DTCM_BASE + NEUROC_SPINN_DTCM_SIZE, 10)
      << ";\n"
      << "  /DISCARD/ : { *(.ARM.exidx*) *(.comment) "
         "*(.note*) }\n"
      << "}\n";
  return text;
}

namespace {
/// A file that is removed when it goes out of scope.
class TemporaryFile {
public:
  static llvm::Expected<TemporaryFile> create(llvm::StringRef suffix,
                                              llvm::StringRef bytes) {
    TemporaryFile file;
    if (std::error_code error =
            llvm::sys::fs::createTemporaryFile("neuroc", suffix, file.path))
      return llvm::errorCodeToError(error);
    std::error_code error;
    llvm::raw_fd_ostream out(file.path, error);
    if (error)
      return llvm::errorCodeToError(error);
    out << bytes;
    return file;
  }
  TemporaryFile() = default;
  TemporaryFile(TemporaryFile &&other) : path(std::move(other.path)) {
    other.path.clear();
  }
  ~TemporaryFile() {
    if (!path.empty())
      llvm::sys::fs::remove(path);
  }
  llvm::SmallString<128> path;
};
} // namespace

static llvm::Error readSymbols(LinkedImage &image) {
  auto buffer = llvm::MemoryBuffer::getMemBuffer(
      llvm::StringRef(image.elf), "image", /*RequiresNullTerminator=*/false);
  auto object = llvm::object::ObjectFile::createELFObjectFile(*buffer);
  if (!object)
    return object.takeError();
  for (const llvm::object::SymbolRef &symbol : (*object)->symbols()) {
    auto name = symbol.getName();
    if (!name)
      return name.takeError();
    auto value = symbol.getValue();
    if (!value)
      return value.takeError();
    llvm::object::ELFSymbolRef elf(symbol);
    if (!name->empty())
      image.symbols[name->str()] = {static_cast<uint32_t>(*value),
                                    static_cast<uint32_t>(elf.getSize())};
  }
  image.codeBytes = image.symbols["__code_end"].first - NEUROC_SPINN_ITCM_BASE;
  image.dataBytes = image.symbols["__data_end"].first - NEUROC_SPINN_DTCM_BASE;
  image.itcmExcess =
      int64_t(image.codeBytes) - int64_t(NEUROC_SPINN_ITCM_SIZE);
  image.dtcmExcess = int64_t(image.dataBytes) -
                     int64_t(NEUROC_SPINN_DTCM_SIZE - NEUROC_SPINN_STACK_SIZE);
  return llvm::Error::success();
}

llvm::Expected<LinkedImage>
neuroc::spinn::linkImage(const std::string &object) {
  auto code = TemporaryFile::create("o", object);
  if (!code)
    return code.takeError();
  auto kernel = TemporaryFile::create(
      "o", llvm::StringRef(neuroc_spinn_kernel_begin,
                           neuroc_spinn_kernel_end - neuroc_spinn_kernel_begin));
  if (!kernel)
    return kernel.takeError();
  auto script = TemporaryFile::create("ld", linkerScript());
  if (!script)
    return script.takeError();
  auto output = TemporaryFile::create("elf", "");
  if (!output)
    return output.takeError();
  std::string scriptFlag = ("--script=" + script->path).str();
  const char *args[] = {"ld.lld",
                        "-m",
                        "armelf",
                        "-static",
                        "--gc-sections",
                        "--no-warnings",
                        "--build-id=none",
                        "-z",
                        "max-page-size=4",
                        scriptFlag.c_str(),
                        kernel->path.c_str(),
                        code->path.c_str(),
                        "-o",
                        output->path.c_str()};
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  const lld::DriverDef drivers[] = {{lld::Gnu, &lld::elf::link}};
  lld::Result result = lld::lldMain(args, stream, stream, drivers);
  if (result.retCode != 0)
    return makeError("linking a core image failed: " + messages);
  auto bytes = llvm::MemoryBuffer::getFile(output->path, /*IsText=*/false,
                                           /*RequiresNullTerminator=*/false);
  if (!bytes)
    return llvm::errorCodeToError(bytes.getError());
  LinkedImage image;
  image.elf = (*bytes)->getBuffer().str();
  if (llvm::Error error = readSymbols(image))
    return std::move(error);
  return image;
}
