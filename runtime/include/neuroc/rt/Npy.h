// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays and NumPy's file formats: .npy (versions 1.0 to 3.0; little-endian
// booleans, integers and floats, C or Fortran order) and .npz (stored members
// only when written; stored members only are read). The readers trust nothing.
#ifndef NEUROC_RT_NPY_H
#define NEUROC_RT_NPY_H

#include "neuroc/rt/Status.h"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace neuroc::rt {

/// A row-major array of f64.
struct Array {
  std::vector<int64_t> shape;
  std::vector<double> values;

  /// Extent of the first dimension; 1 for a scalar.
  int64_t rows() const { return shape.empty() ? 1 : shape[0]; }
  int64_t rowSize() const {
    return rows() ? int64_t(values.size()) / rows() : 0;
  }
  std::span<const double> row(int64_t i) const {
    return std::span(values).subspan(size_t(i * rowSize()), size_t(rowSize()));
  }
};

/// Errors: InputError, `origin` first; what NumPy type was found.
Status readNpy(std::string_view bytes, const std::string &origin, Array &array);
enum class NpyType { Float64, Float32, UInt32, UInt64, Int64 };
std::string writeNpy(const Array &array, NpyType type = NpyType::Float64);

/// The arrays of an .npz archive by name, without ".npy".
std::string writeNpz(const std::map<std::string, Array> &arrays);

/// An .npy file whose rows are read as they are needed (C order only).
class NpyFile {
public:
  /// Errors: InputError.
  static Status open(const std::string &path, std::unique_ptr<NpyFile> &file);
  virtual ~NpyFile() = default;
  virtual const std::vector<int64_t> &shape() const = 0;
  int64_t rows() const { return shape().empty() ? 1 : shape()[0]; }
  int64_t rowSize() const {
    int64_t size = 1;
    for (size_t i = 1; i < shape().size(); ++i)
      size *= shape()[i];
    return size;
  }
  /// Rows [first, first + count), which must exist.
  virtual Status read(int64_t first, int64_t count,
                      std::vector<double> &values) = 0;
};

/// .npy, or .csv / .txt (rows of numbers separated by commas or blanks, lines
/// that start with '#' ignored), by extension.
Status readArrayFile(const std::string &path, Array &array);

} // namespace neuroc::rt
#endif // NEUROC_RT_NPY_H
