// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From an LLVM module to an executable for one core: optimisation and code
// generation for the ARM968, linking with the kernel, symbol addresses.
#ifndef NEUROC_LIB_TARGET_SPINNAKER_LINK_H
#define NEUROC_LIB_TARGET_SPINNAKER_LINK_H

#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

#include <map>
#include <memory>
#include <string>

namespace neuroc::spinn {

inline constexpr const char *kTriple = "armv5te-none-eabi";
inline constexpr const char *kCpu = "arm968e-s";

/// The code generator for the cores. Errors: LLVM was built without ARM.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(unsigned optimizationLevel);

/// Optimises the module and gives a relocatable object.
llvm::Expected<std::string> emitObject(llvm::Module &module,
                                       llvm::TargetMachine &machine,
                                       unsigned optimizationLevel);

struct LinkedImage {
  std::string elf;
  std::map<std::string, std::pair<uint32_t, uint32_t>> symbols; ///< at, size
  uint32_t codeBytes = 0, dataBytes = 0; ///< taken of ITCM, DTCM
  /// What is missing of the two memories; negative: there is room.
  int64_t itcmExcess = 0, dtcmExcess = 0;
};
/// Links an object with the kernel. Errors: unresolved symbols.
llvm::Expected<LinkedImage> linkImage(const std::string &object);

/// The linker script, for tests and the curious.
std::string linkerScript();

} // namespace neuroc::spinn
#endif // NEUROC_LIB_TARGET_SPINNAKER_LINK_H
