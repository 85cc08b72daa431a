// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dimensions, the table of units with their SI prefixes, their printing, and
// the search for near misses that error messages suggest.
#include "Units.h"

#include "llvm/ADT/StringMap.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace neuroc::lang {

Dim Dim::operator*(const Dim &o) const {
  Dim r;
  for (size_t i = 0; i < e.size(); ++i)
    r.e[i] = static_cast<int8_t>(std::clamp(e[i] + o.e[i], -100, 100));
  return r;
}
Dim Dim::operator/(const Dim &o) const {
  Dim r;
  for (size_t i = 0; i < e.size(); ++i)
    r.e[i] = static_cast<int8_t>(std::clamp(e[i] - o.e[i], -100, 100));
  return r;
}
std::optional<Dim> Dim::pow(int n) const {
  Dim r;
  for (size_t i = 0; i < e.size(); ++i) {
    long v = static_cast<long>(e[i]) * n;
    if (v < -100 || v > 100)
      return std::nullopt;
    r.e[i] = static_cast<int8_t>(v);
  }
  return r;
}
std::optional<Dim> Dim::sqrt() const {
  Dim r;
  for (size_t i = 0; i < e.size(); ++i) {
    if (e[i] % 2)
      return std::nullopt;
    r.e[i] = e[i] / 2;
  }
  return r;
}
Dim Dim::withWeight(const Dim &w) const {
  Dim r = *this;
  int n = e[4];
  r.e[4] = 0;
  if (std::optional<Dim> p = w.pow(n))
    return r * *p;
  return r;
}

namespace {
/// Dimensions with a name of their own; the first match is printed.
struct Named {
  Dim dim;
  const char *name;
};
const std::vector<Named> &namedDims() {
  static const std::vector<Named> table = {
      {{{0, 0, 0, 0, 0}}, "1"},
      {{{1, 0, 0, 0, 0}}, "ms"},
      {{{0, 1, 0, 0, 0}}, "mV"},
      {{{0, 0, 1, 0, 0}}, "nA"},
      {{{1, -1, 1, 0, 0}}, "nF"},
      {{{0, -1, 1, 0, 0}}, "uS"},
      {{{0, 1, -1, 0, 0}}, "MOhm"},
      {{{-1, 0, 0, 0, 0}}, "1/ms"},
      {{{-1, 1, 0, 0, 0}}, "mV/ms"},
      {{{-1, 0, 1, 0, 0}}, "nA/ms"},
      {{{-1, -1, 1, 0, 0}}, "uS/ms"},
      {{{1, 0, 1, 0, 0}}, "nA*ms"},
      {{{1, 1, -1, 0, 0}}, "mV*ms/nA"},
      {{{-1, 1, -1, 0, 0}}, "1/nF"},
      {{{0, 0, 0, 1, 0}}, "um"},
      {{{0, 0, 0, 0, 1}}, "unit(w)"},
  };
  return table;
}
} // namespace

std::string Dim::str() const {
  for (const Named &n : namedDims())
    if (n.dim == *this)
      return n.name;
  static const char *const base[] = {"ms", "mV", "nA", "um", "unit(w)"};
  // Voltage first, then current, length, weight, time: "mV^2/ms".
  static const int order[] = {1, 2, 3, 4, 0};
  std::string num, den;
  for (int i : order) {
    int n = e[i];
    if (!n)
      continue;
    std::string &s = n > 0 ? num : den;
    if (!s.empty())
      s += n > 0 ? "*" : "/";
    s += base[i];
    if (std::abs(n) > 1)
      s += "^" + std::to_string(std::abs(n));
  }
  if (num.empty())
    num = "1";
  return den.empty() ? num : num + "/" + den;
}

namespace {

struct Base {
  const char *name;
  Dim dim;
  double scale; ///< of the unprefixed unit, in coherent units
  bool hertz;
};

/// All units that take SI prefixes. Scales: s = 1e3 ms, V = 1e3 mV, A = 1e9 nA,
/// F = 1e9 nF, S = 1e6 uS, Ohm = 1e-6 MOhm, Hz = 1e-3 /ms, m = 1e6 um.
const Base bases[] = {
    {"s", {{1, 0, 0, 0, 0}}, 1e3, false},
    {"V", {{0, 1, 0, 0, 0}}, 1e3, false},
    {"A", {{0, 0, 1, 0, 0}}, 1e9, false},
    {"F", {{1, -1, 1, 0, 0}}, 1e9, false},
    {"S", {{0, -1, 1, 0, 0}}, 1e6, false},
    {"Ohm", {{0, 1, -1, 0, 0}}, 1e-6, false},
    {"ohm", {{0, 1, -1, 0, 0}}, 1e-6, false},
    {"Hz", {{-1, 0, 0, 0, 0}}, 1e-3, true},
    {"m", {{0, 0, 0, 1, 0}}, 1e6, false},
};
/// Prefix and decimal exponent. Products are formed as quotients of exact
/// powers of ten, so that "162 pA" is the double nearest to 0.162.
struct Prefix {
  const char *name;
  int exponent;
};
const Prefix prefixes[] = {{"", 0},   {"f", -15}, {"p", -12}, {"n", -9},
                           {"u", -6}, {"m", -3},  {"c", -2},  {"k", 3},
                           {"M", 6},  {"G", 9}};

double powerOfTen(int n) {
  double p = 1;
  for (int i = 0; i < std::abs(n); ++i)
    p *= 10;
  return n < 0 ? 1 / p : p;
}

const llvm::StringMap<Unit> &unitTable() {
  static const llvm::StringMap<Unit> table = [] {
    llvm::StringMap<Unit> t;
    for (const Base &b : bases) {
      int scale = static_cast<int>(std::lround(std::log10(b.scale)));
      for (const Prefix &p : prefixes) {
        // "cm" is the one centi-unit in use.
        if (p.exponent == -2 && std::string(b.name) != "m")
          continue;
        Unit u{b.dim, powerOfTen(scale + p.exponent), b.hertz};
        t[std::string(p.name) + b.name] = u;
      }
    }
    return t;
  }();
  return table;
}

/// Spells the micro sign and the ohm sign in ASCII.
std::string asciiUnit(llvm::StringRef name) {
  std::string out;
  for (size_t i = 0; i < name.size();) {
    llvm::StringRef rest = name.substr(i);
    if (rest.starts_with("\xC2\xB5") || rest.starts_with("\xCE\xBC")) {
      out += 'u';
      i += 2;
    } else if (rest.starts_with("\xCE\xA9")) {
      out += "Ohm";
      i += 2;
    } else if (rest.starts_with("\xE2\x84\xA6")) {
      out += "Ohm";
      i += 3;
    } else {
      out += name[i++];
    }
  }
  return out;
}

} // namespace

std::optional<Unit> lookupUnit(llvm::StringRef name) {
  auto it = unitTable().find(asciiUnit(name));
  if (it == unitTable().end())
    return std::nullopt;
  return it->second;
}

const std::vector<std::string> &commonUnits() {
  static const std::vector<std::string> names = {
      "ms", "mV", "nA", "pA", "nF", "pF", "uS", "nS", "Hz", "kHz", "MOhm",
      "s",  "V",  "A"};
  return names;
}

const std::vector<std::string> &unitNames() {
  static const std::vector<std::string> names = [] {
    // The common ones first: among equally near names the first wins.
    std::vector<std::string> n = commonUnits();
    for (const auto &entry : unitTable())
      if (std::find(n.begin(), n.end(), entry.first().str()) == n.end())
        n.push_back(entry.first().str());
    std::sort(n.begin() + commonUnits().size(), n.end());
    return n;
  }();
  return names;
}

std::string nearest(llvm::StringRef name,
                    const std::vector<std::string> &candidates) {
  std::string best;
  // Short names are within two edits of nearly everything.
  unsigned limit = name.size() <= 1 ? 0 : name.size() == 2 ? 1 : 2;
  unsigned bestDistance = limit + 1;
  for (const std::string &c : candidates) {
    if (c == name || c.empty())
      continue;
    unsigned d = name.equals_insensitive(c)
                     ? 0
                     : name.edit_distance(c, /*AllowReplacements=*/true, limit);
    if (d == 2 && name.size() == 3 && c[0] != name[0])
      continue;
    if (d < bestDistance) {
      best = c;
      bestDistance = d;
    }
  }
  return best;
}

std::string formatNumber(double value) {
  char buffer[40];
  for (int precision = 6; precision <= 17; ++precision) {
    std::snprintf(buffer, sizeof buffer, "%.*g", precision, value);
    if (std::strtod(buffer, nullptr) == value)
      break;
  }
  return buffer;
}

} // namespace neuroc::lang
