// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Physical dimensions and units. Quantities are kept in the coherent system
// ms, mV, nA, um, in which nF = nA ms/mV, uS = nA/mV and MOhm = mV/nA, so that
// equations need no conversion factors; these are the units of the IR. The one
// exception is a rate declared in Hz, which is stored in Hz (see Unit::hertz).
#ifndef NEUROC_LIB_FRONTEND_LANG_UNITS_H
#define NEUROC_LIB_FRONTEND_LANG_UNITS_H

#include "llvm/ADT/StringRef.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace neuroc::lang {

/// Exponents of time (ms), voltage (mV), current (nA), length (um) and of
/// "the unit of the weight" (a rule may be generic in it).
struct Dim {
  std::array<int8_t, 5> e{};
  bool operator==(const Dim &o) const { return e == o.e; }
  bool operator!=(const Dim &o) const { return e != o.e; }
  bool isNone() const { return *this == Dim(); }
  Dim operator*(const Dim &o) const;
  Dim operator/(const Dim &o) const;
  /// The power n, or nothing when an exponent leaves [-100, 100].
  std::optional<Dim> pow(int n) const;
  /// The square root, if all exponents are even.
  std::optional<Dim> sqrt() const;
  /// The weight's own unit replaced by `w`.
  Dim withWeight(const Dim &w) const;
  /// As a user would write it: "mV", "mV/ms", "1".
  std::string str() const;

  static Dim time() { return Dim{{1, 0, 0, 0, 0}}; }
  static Dim voltage() { return Dim{{0, 1, 0, 0, 0}}; }
  static Dim current() { return Dim{{0, 0, 1, 0, 0}}; }
  static Dim length() { return Dim{{0, 0, 0, 1, 0}}; }
  static Dim weight() { return Dim{{0, 0, 0, 0, 1}}; }
  static Dim rate() { return Dim{{-1, 0, 0, 0, 0}}; }
};

struct Unit {
  Dim dim;
  double scale = 1;   ///< value in coherent units of one such unit
  bool hertz = false; ///< a rate spelt in Hz: stored in Hz
};

/// "mV", "kHz", "µS", "MΩ", …; nothing if there is no such unit.
std::optional<Unit> lookupUnit(llvm::StringRef name);
/// Every accepted ASCII spelling, for suggestions.
const std::vector<std::string> &unitNames();
/// The usual ones among them, for lists in messages.
const std::vector<std::string> &commonUnits();

/// What a symbol of this dimension is stored in: its value in coherent units
/// times this factor. 1000 for rates in Hz, else 1.
inline double storageFactor(bool hertz) { return hertz ? 1000.0 : 1.0; }

/// The closest of `candidates` within two edits (fewer for names of one or two
/// letters), or "". A difference in case alone is the best match.
std::string nearest(llvm::StringRef name,
                    const std::vector<std::string> &candidates);

/// A number as a user would write it: shortest form that reads back the same.
std::string formatNumber(double value);

} // namespace neuroc::lang
#endif // NEUROC_LIB_FRONTEND_LANG_UNITS_H
