// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading JSON that may be hostile: a parser that returns a Status, and a view
// with a sticky error, so that a reader is a list of what it expects. The
// first mismatch is kept with the path of the element ("manifest.dt_ms: …");
// later reads return zero or empty and change nothing.
//
// Not for code that is compiled without exceptions (lib/): there the inline
// functions of the JSON library would differ from the runtime's.
#ifndef NEUROC_RT_JSON_H
#define NEUROC_RT_JSON_H

#ifndef __cpp_exceptions
#error "neuroc/rt/Json.h needs exceptions; use llvm::json in the compiler"
#endif

#include "neuroc/rt/Status.h"
#include "neuroc/rt/Text.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace neuroc::rt {

using Json = nlohmann::json;

/// Parses `text`; nesting deeper than 96 levels is refused.
/// Errors: InputError, `origin` first.
Status parseJson(std::string_view text, const std::string &origin, Json &json);

/// `json` as text: keys sorted, `indent` spaces (-1: one line). Text that is
/// not UTF-8 is replaced, never an exception.
std::string dumpJson(const Json &json, int indent = 2);

/// Array of numbers; `null` stands for NaN and the infinities.
Json toJson(std::span<const double> values);

class JsonReader {
public:
  /// `status` receives the first error; it must outlive the reader.
  JsonReader(const Json &value, std::string path, Status &status)
      : value(&value), thePath(std::move(path)), status(&status) {}

  bool failed() const { return !status->isOk(); }
  const std::string &path() const { return thePath; }
  const Json &json() const { return *value; }
  /// Records an error at this element, unless there is one already.
  void error(const std::string &message) const;

  bool isNumber() const { return value->is_number(); }
  bool isString() const { return value->is_string(); }
  bool isObject() const { return value->is_object(); }
  bool isArray() const { return value->is_array(); }

  bool has(const char *key) const;
  /// The member `key`; an error when this is no object or lacks it.
  JsonReader at(const char *key) const;
  /// Number of elements of an array; an error when this is none.
  size_t size() const;
  JsonReader operator[](size_t index) const;

  std::string string() const;
  double number() const; ///< finite
  bool boolean() const;
  int64_t integer(int64_t least = INT64_MIN, int64_t most = INT64_MAX) const;
  uint64_t natural(uint64_t most = UINT64_MAX) const;
  std::vector<double> numbers() const; ///< array of numbers or null (NaN)
  std::vector<int64_t> integers(int64_t least = INT64_MIN) const;
  std::vector<std::string> strings() const;

  // With a default for a missing member.
  std::string string(const char *key, const std::string &otherwise) const;
  double number(const char *key, double otherwise) const;
  bool boolean(const char *key, bool otherwise) const;

private:
  const Json *value;
  std::string thePath;
  Status *status;
};

} // namespace neuroc::rt
#endif // NEUROC_RT_JSON_H
