// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Help with names that a user mistyped.
#ifndef NEUROC_RT_TEXT_H
#define NEUROC_RT_TEXT_H

#include <string>
#include <string_view>
#include <vector>

namespace neuroc::rt {

/// The name in `known` nearest to `name` (edit distance at most 2, and less
/// than its length), or empty.
std::string nearestName(std::string_view name,
                        const std::vector<std::string> &known);
/// "; did you mean 'x'?" or "; known: a, b, c" or empty.
std::string suggestName(std::string_view name,
                        const std::vector<std::string> &known);

} // namespace neuroc::rt
#endif // NEUROC_RT_TEXT_H
