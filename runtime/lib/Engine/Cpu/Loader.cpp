// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads a program's shared object from memory. Every engine has its own copy
// (an anonymous file), because a program's state is in its own sections. The
// file descriptor is kept while the copy is in use: the dynamic loader
// identifies libraries by path, and a reused descriptor would be a known path.

#include "Loader.h"

#include "neuroc/rt/cpu/Linked.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace neuroc::rt::cpu {

namespace {
const neuroc_cpu_program *linkedProgram = nullptr;

const char *hostArchitecture() {
#if defined(__x86_64__)
  return "x86_64";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "unknown";
#endif
}

bool hostHas(const std::string &instructionSet) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (instructionSet == "x86-64-v2")
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
  if (instructionSet == "x86-64-v3")
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  if (instructionSet == "x86-64-v4")
    return __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") &&
           __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
  return instructionSet == "x86-64";
#else
  return instructionSet == "generic";
#endif
}
} // namespace

void setLinkedProgram(const neuroc_cpu_program *program) {
  linkedProgram = program;
}

LoadedProgram::~LoadedProgram() {
  if (handle)
    dlclose(handle);
  if (fd >= 0)
    ::close(fd);
  if (isLinked)
    linkedProgram = program;
}

Status LoadedProgram::open(const Container &container) {
  std::span<const uint8_t> bytes = container.bytes("cpu/program.so");
  if (bytes.empty())
    return {Code::InputError,
            container.origin() + ": member 'cpu/program.so' is missing"};
  fd = memfd_create("neuroc-program", MFD_CLOEXEC);
  if (fd < 0)
    return {Code::InputError,
            container.origin() +
                ": cannot create an anonymous file: " + std::strerror(errno)};
  for (size_t done = 0; done < bytes.size();) {
    ssize_t count = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (count <= 0)
      return {Code::InputError,
              container.origin() +
                  ": no memory for the program: " + std::strerror(errno)};
    done += size_t(count);
  }
  std::string path = "/proc/self/fd/" + std::to_string(fd);
  handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return {Code::InputError,
            container.origin() +
                ": cpu/program.so cannot be loaded: " + dlerror()};
  program = static_cast<const neuroc_cpu_program *>(
      dlsym(handle, NEUROC_CPU_PROGRAM_SYMBOL));
  if (!program)
    return {Code::InputError, container.origin() +
                                  ": cpu/program.so exports no '" +
                                  NEUROC_CPU_PROGRAM_SYMBOL "'"};
  return Status::ok();
}

Status LoadedProgram::check(const std::string &origin, const Plan &plan) const {
  auto bad = [&](const std::string &text) {
    return Status(Code::InputError, origin + ": cpu/program.so " + text);
  };
  if (program->struct_size < sizeof(neuroc_cpu_program) ||
      program->abi_major != NEUROC_CPU_ABI_MAJOR)
    return bad("was compiled for interface " +
               std::to_string(program->abi_major) + "." +
               std::to_string(program->abi_minor) + ", this runtime has " +
               std::to_string(NEUROC_CPU_ABI_MAJOR) + "." +
               std::to_string(NEUROC_CPU_ABI_MINOR) + "; compile it again");
  if (program->program_id != plan.id)
    return bad("does not belong to this manifest (other program id)");
  if (program->real_bytes != (plan.isDouble ? 8u : 4u) ||
      program->buffer_count != plan.buffers.size() ||
      program->function_count != plan.functionCount)
    return bad("disagrees with the manifest on formats or counts");
  for (size_t i = 0; i < plan.buffers.size(); ++i)
    if (program->buffers[i].bytes != plan.buffers[i].bytes())
      return bad("disagrees with the manifest on buffer '" +
                 plan.buffers[i].name + "'");
  return Status::ok();
}

Status LoadedProgram::load(const Container &container, const Plan &plan) {
  if (plan.architecture != hostArchitecture())
    return {Code::DoesNotFit, container.origin() + ": compiled for '" +
                                  plan.architecture + "', this computer is '" +
                                  hostArchitecture() + "'"};
  if (!hostHas(plan.instructionSet))
    return {Code::DoesNotFit,
            container.origin() + ": compiled for '" + plan.instructionSet +
                "', which this processor lacks; compile with a lower "
                "--machine, for example x86-64"};
  if (linkedProgram) {
    program = linkedProgram;
    linkedProgram = nullptr; // its memory serves one engine
    isLinked = true;
  } else if (Status status = open(container); !status) {
    return status;
  }
  return check(container.origin(), plan);
}

} // namespace neuroc::rt::cpu
