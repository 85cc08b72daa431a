// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The result type of every fallible runtime call. The runtime never throws
// across its interface, never prints and never aborts: it returns a Status
// that carries a code (which the driver turns into an exit code) and a text.
#ifndef NEUROC_RT_STATUS_H
#define NEUROC_RT_STATUS_H

#include <string>
#include <utility>

namespace neuroc::rt {

/// Exit-code classes of `neuroc` (docs: "Exit codes").
enum class Code : int {
  Ok = 0,
  ModelError = 1,   ///< the program or model is at fault
  UsageError = 2,   ///< the command line is at fault
  DoesNotFit = 3,   ///< the target is too small
  CheckFailed = 4,  ///< an expectation stated by the user is broken
  InputError = 66,  ///< a file cannot be read or is malformed
  OutputError = 74, ///< a file cannot be written
  Internal = 70,    ///< our bug
};

class [[nodiscard]] Status {
public:
  Status() = default;
  Status(Code code, std::string message)
      : theCode(code), theMessage(std::move(message)) {}
  static Status ok() { return Status(); }
  bool isOk() const { return theCode == Code::Ok; }
  explicit operator bool() const { return isOk(); }
  Code code() const { return theCode; }
  const std::string &message() const { return theMessage; }

private:
  Code theCode = Code::Ok;
  std::string theMessage;
};

} // namespace neuroc::rt
#endif // NEUROC_RT_STATUS_H
