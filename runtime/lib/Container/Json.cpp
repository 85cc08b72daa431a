// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// JSON in and out without exceptions: nesting is measured before parsing, so
// that no later recursion can overflow the stack, and every access through
// JsonReader is checked and reported with the element's path.
#include "neuroc/rt/Json.h"

#include <algorithm>
#include <cmath>

namespace neuroc::rt {

static constexpr int kMaxDepth = 96;

Status parseJson(std::string_view text, const std::string &origin, Json &json) {
  int depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (inString) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        inString = false;
      continue;
    }
    if (c == '"')
      inString = true;
    else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth)
        return {Code::InputError, origin + ": JSON nested deeper than " +
                                      std::to_string(kMaxDepth) + " levels"};
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  try {
    json = Json::parse(text.begin(), text.end());
  } catch (const std::exception &problem) {
    std::string why = problem.what();
    // "[json.exception.parse_error.101] parse error at line 1, …"
    if (size_t bracket = why.find("] "); bracket != std::string::npos)
      why = why.substr(bracket + 2);
    return {Code::InputError, origin + ": not JSON: " + why};
  }
  return Status::ok();
}

std::string dumpJson(const Json &json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json toJson(std::span<const double> values) {
  Json array = Json::array();
  for (double value : values) {
    if (std::isfinite(value))
      array.push_back(value);
    else
      array.push_back(nullptr);
  }
  return array;
}

void JsonReader::error(const std::string &message) const {
  if (status->isOk())
    *status = Status(Code::InputError, thePath + ": " + message);
}

bool JsonReader::has(const char *key) const {
  return value->is_object() && value->contains(key);
}

static const Json &emptyJson() {
  static const Json empty;
  return empty;
}

JsonReader JsonReader::at(const char *key) const {
  std::string path = thePath.empty() ? key : thePath + "." + key;
  if (!value->is_object()) {
    error("expected an object, found " + std::string(value->type_name()));
    return {emptyJson(), path, *status};
  }
  auto it = value->find(key);
  if (it == value->end()) {
    error("lacks the member '" + std::string(key) + "'");
    return {emptyJson(), path, *status};
  }
  return {*it, path, *status};
}

size_t JsonReader::size() const {
  if (!value->is_array()) {
    error("expected an array, found " + std::string(value->type_name()));
    return 0;
  }
  return value->size();
}

JsonReader JsonReader::operator[](size_t index) const {
  std::string path = thePath + "[" + std::to_string(index) + "]";
  if (!value->is_array() || index >= value->size()) {
    error("has no element " + std::to_string(index));
    return {emptyJson(), path, *status};
  }
  return {(*value)[index], path, *status};
}

std::string JsonReader::string() const {
  if (!value->is_string()) {
    error("expected a string, found " + std::string(value->type_name()));
    return {};
  }
  return value->get<std::string>();
}

double JsonReader::number() const {
  if (!value->is_number()) {
    error("expected a number, found " + std::string(value->type_name()));
    return 0;
  }
  return value->get<double>(); // the parser refuses what overflows
}

bool JsonReader::boolean() const {
  if (!value->is_boolean()) {
    error("expected true or false, found " + std::string(value->type_name()));
    return false;
  }
  return value->get<bool>();
}

int64_t JsonReader::integer(int64_t least, int64_t most) const {
  bool isBig = value->is_number_unsigned() &&
               value->get<uint64_t>() > uint64_t(INT64_MAX);
  if (!value->is_number_integer() || isBig) {
    error("expected a whole number, found " + std::string(value->type_name()));
    return std::max<int64_t>(least, 0);
  }
  int64_t result = value->get<int64_t>();
  if (result < least || result > most) {
    error("expected a whole number from " + std::to_string(least) + " to " +
          std::to_string(most) + ", found " + std::to_string(result));
    return std::max<int64_t>(least, 0);
  }
  return result;
}

uint64_t JsonReader::natural(uint64_t most) const {
  if (!value->is_number_unsigned() &&
      !(value->is_number_integer() && value->get<int64_t>() >= 0)) {
    error("expected a whole number of at least 0");
    return 0;
  }
  uint64_t result = value->get<uint64_t>();
  if (result > most) {
    error("expected at most " + std::to_string(most) + ", found " +
          std::to_string(result));
    return 0;
  }
  return result;
}

std::vector<double> JsonReader::numbers() const {
  std::vector<double> result(size());
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = (*value)[i].is_null() ? std::nan("") : (*this)[i].number();
  return result;
}

std::vector<int64_t> JsonReader::integers(int64_t least) const {
  std::vector<int64_t> result(size());
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = (*this)[i].integer(least);
  return result;
}

std::vector<std::string> JsonReader::strings() const {
  std::vector<std::string> result(size());
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = (*this)[i].string();
  return result;
}

std::string JsonReader::string(const char *key,
                               const std::string &otherwise) const {
  return has(key) ? at(key).string() : otherwise;
}
double JsonReader::number(const char *key, double otherwise) const {
  return has(key) ? at(key).number() : otherwise;
}
bool JsonReader::boolean(const char *key, bool otherwise) const {
  return has(key) ? at(key).boolean() : otherwise;
}

static size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t up = row[j];
      size_t replace = diagonal + (a[i - 1] != b[j - 1]);
      row[j] = std::min({replace, up + 1, row[j - 1] + 1});
      diagonal = up;
    }
  }
  return row[b.size()];
}

std::string nearestName(std::string_view name,
                        const std::vector<std::string> &known) {
  std::string best;
  size_t bestDistance = 3;
  if (name.size() > 256)
    return best;
  for (const std::string &candidate : known) {
    if (candidate.size() > 256)
      continue;
    size_t distance = editDistance(name, candidate);
    if (distance < bestDistance && distance < name.size()) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

std::string suggestName(std::string_view name,
                        const std::vector<std::string> &known) {
  if (std::string best = nearestName(name, known); !best.empty())
    return "; did you mean '" + best + "'?";
  if (known.empty() || known.size() > 24)
    return "";
  std::string list;
  for (const std::string &candidate : known)
    list += (list.empty() ? "" : ", ") + candidate;
  return "; known: " + list;
}

} // namespace neuroc::rt
