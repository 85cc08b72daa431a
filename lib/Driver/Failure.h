// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the driver says no: a code that `neuroc explain` knows, an exit code, a
// message and a remedy.
#ifndef NEUROC_LIB_DRIVER_FAILURE_H
#define NEUROC_LIB_DRIVER_FAILURE_H

#include "neuroc/rt/Status.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

namespace neuroc::driver {

/// The driver's error codes, in the order of the table in Explain.cpp.
enum class Nc {
  None,
  UnknownOption = 1,
  MissingOperand = 2,
  BadValue = 3,
  UnknownTarget = 4,
  CannotRead = 5,
  CannotWrite = 6,
  UnknownFormat = 7,
  BadModel = 101,
  BadStructure = 102,
  NotForTarget = 103,
  NoNetwork = 104,
  DoesNotFit = 201,
  BadProgram = 301,
  RunFailed = 302,
  BadInput = 303,
  CheckFailed = 401,
  Internal = 901
};

class [[nodiscard]] Failure {
public:
  Failure() = default; ///< success
  Failure(Nc code, std::string message, std::string help = "")
      : theCode(code), theMessage(std::move(message)),
        theHelp(std::move(help)) {}
  /// A runtime status; `context` says what was being done (a target's name).
  Failure(const rt::Status &status, llvm::StringRef context = "");

  explicit operator bool() const { return theCode != Nc::None; }
  Nc code() const { return theCode; }
  const std::string &message() const { return theMessage; }
  int exitCode() const;
  /// "neuroc: error: … [NC0001]" and, if there is one, "neuroc: help: …".
  void print(llvm::raw_ostream &out) const;

private:
  Nc theCode = Nc::None;
  std::string theMessage, theHelp;
};

/// "NC0001".
std::string codeName(Nc code);
/// `neuroc explain CODE`; without a code, the list.
Failure explain(llvm::StringRef code, llvm::raw_ostream &out);

} // namespace neuroc::driver
#endif // NEUROC_LIB_DRIVER_FAILURE_H
