// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions on compile-time arrays (reductions, reshaping, linear algebra by
// Eigen) and the reader of .npy files. The reader trusts nothing: header,
// type, order and size are checked before any element is used.
#include "ConstEval.h"

#include "neuroc/rt/Random.h"

#include "llvm/Support/MemoryBuffer.h"

#include <Eigen/Dense>
#include <cstring>

namespace neuroc::lang {

const std::vector<std::string> &constFunctions() {
  static const std::vector<std::string> names = {
      "uniform",   "normal",  "lognormal", "exponential", "file",
      "sample",    "fill",    "range",     "identity",    "matmul",
      "transpose", "solve",   "eigenvector", "reshape",   "sum",
      "mean",      "len",     "norm",      "permutation"};
  return names;
}

using Matrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A vector counts as one column.
static Matrix toMatrix(const ConstValue &v) {
  int64_t rows = v.shape.empty() ? 1 : v.shape[0];
  int64_t cols = v.shape.size() < 2 ? 1 : v.shape[1];
  return Eigen::Map<const Matrix>(v.data.data(), rows, cols);
}

static ConstValue fromMatrix(const Matrix &m, bool vector) {
  ConstValue v;
  v.shape.push_back(m.rows());
  if (!vector)
    v.shape.push_back(m.cols());
  v.data.assign(m.data(), m.data() + m.size());
  return v;
}

ConstResult ConstDomain::arrayFunction(const Expr &e) {
  llvm::StringRef fn = e.name;
  auto usage = [&](llvm::StringRef text) -> ConstResult {
    diag.error(e.loc, "wrong arguments of '" + fn + "'", "write " + text);
    return std::nullopt;
  };
  for (const Ident &n : e.argNames)
    if (n)
      return usage((fn + " without named arguments").str());
  // fill(value, [shape]) and reshape(array, [shape]) take a shape.
  if (fn == "fill" || fn == "reshape") {
    if (e.args.size() != 2)
      return usage((fn + "(value, [shape])").str());
    ConstResult a = evaluate(*e.args[0]);
    std::optional<std::vector<int64_t>> shape = shapeArgument(*e.args[1]);
    if (!a || !shape)
      return std::nullopt;
    size_t n = 1;
    for (int64_t s : *shape)
      n *= s;
    if (a->p.dist || (fn == "fill" && !a->p.isNumber()))
      return usage((fn + "(value, [shape])").str());
    if (fn == "fill")
      a->p.data.assign(n, a->p.number());
    else if (a->p.data.size() != n)
      return usage("reshape with a shape of as many elements");
    a->p.shape = *shape;
    return a;
  }
  std::vector<ConstTyped> args;
  for (const ExprPtr &arg : e.args) {
    ConstResult a = evaluate(*arg);
    if (!a)
      return std::nullopt;
    if (a->p.dist) {
      diag.error(arg->loc, "'" + fn + "' needs numbers, not a distribution",
                 "draw an array first: sample(distribution, [shape])");
      return std::nullopt;
    }
    args.push_back(std::move(*a));
  }
  auto matrixLike = [&](size_t k) {
    return !args[k].p.data.empty() && args[k].p.shape.size() >= 1 &&
           args[k].p.shape.size() <= 2;
  };
  if (fn == "range" || fn == "identity") {
    if (args.size() != 1 || !args[0].p.isNumber() || args[0].p.number() < 1 ||
        args[0].p.number() > 1e6 || !args[0].dim.isNone())
      return usage((fn + "(n), n a positive whole number").str());
    int64_t n = static_cast<int64_t>(args[0].p.number());
    if (fn == "identity") {
      if (n > 4000)
        return usage("identity(n), n at most 4000");
      return ConstTyped{fromMatrix(Matrix::Identity(n, n), false), Dim()};
    }
    ConstValue v;
    v.shape.push_back(n);
    for (int64_t i = 0; i < n; ++i)
      v.data.push_back(static_cast<double>(i));
    return ConstTyped{v, Dim()};
  }
  if (fn == "permutation") {
    auto whole = [&](size_t k, double lo, double hi) {
      return args[k].p.isNumber() && args[k].dim.isNone() &&
             args[k].p.number() == std::floor(args[k].p.number()) &&
             args[k].p.number() >= lo && args[k].p.number() <= hi;
    };
    if (args.size() != 2 || !whole(0, 1, 1e7) || !whole(1, -4e15, 4e15))
      return usage("permutation(n, key), both whole numbers");
    // As the host draws it in an experiment (runtime/lib/Session/HostMath.cpp).
    uint64_t key = neuroc_rt_key(
        neuroc_rt_key(networkSeed, neuroc_rt_stream("permutation")),
        static_cast<uint64_t>(static_cast<int64_t>(args[1].p.number())));
    ConstValue v;
    int64_t n = static_cast<int64_t>(args[0].p.number());
    v.shape.push_back(n);
    for (int64_t i = 0; i < n; ++i)
      v.data.push_back(static_cast<double>(i));
    for (int64_t i = n - 1; i > 0; --i) {
      double u = neuroc_rt_uniform(key, static_cast<uint64_t>(i), 0, 0);
      int64_t j =
          std::min(static_cast<int64_t>(u * static_cast<double>(i + 1)), i);
      std::swap(v.data[i], v.data[j]);
    }
    return ConstTyped{v, Dim()};
  }
  if (fn == "sum" || fn == "mean" || fn == "norm" || fn == "len") {
    if (args.size() != 1 || !args[0].p.isArray() || args[0].p.data.empty())
      return usage((fn + "(array)").str());
    const std::vector<double> &x = args[0].p.data;
    double s = 0;
    for (double v : x)
      s += fn == "norm" ? v * v : v;
    if (fn == "len")
      return ConstTyped{ConstValue::of(args[0].p.shape[0]), Dim()};
    if (fn == "mean")
      s /= static_cast<double>(x.size());
    if (fn == "norm")
      s = std::sqrt(s);
    return ConstTyped{ConstValue::of(s), args[0].dim};
  }
  if (fn == "transpose") {
    if (args.size() != 1 || args[0].p.shape.size() != 2)
      return usage("transpose(matrix)");
    args[0].p = fromMatrix(toMatrix(args[0].p).transpose(), false);
    return args[0];
  }
  if (fn == "eigenvector") {
    if (args.size() != 1 || args[0].p.shape.size() != 2 ||
        args[0].p.shape[0] != args[0].p.shape[1] || args[0].p.data.empty())
      return usage("eigenvector(symmetric matrix)");
    Matrix m = toMatrix(args[0].p);
    if (!m.isApprox(m.transpose(), 1e-9)) {
      diag.error(e.loc, "'eigenvector' needs a symmetric matrix");
      return std::nullopt;
    }
    Eigen::SelfAdjointEigenSolver<Matrix> solver(m);
    Matrix v = solver.eigenvectors().rightCols(1); // of the largest eigenvalue
    return ConstTyped{fromMatrix(v, true), Dim()};
  }
  // matmul(a, b) and solve(a, b)
  if (args.size() != 2 || !matrixLike(0) || !matrixLike(1))
    return usage((fn + "(matrix, matrix or vector)").str());
  Matrix a = toMatrix(args[0].p), b = toMatrix(args[1].p);
  bool vector = args[1].p.shape.size() == 1;
  if (fn == "matmul") {
    if (args[0].p.shape.size() != 2 || a.cols() != b.rows()) {
      diag.error(e.loc, "'matmul' of a " + std::to_string(a.rows()) + " x " +
                            std::to_string(a.cols()) + " and a " +
                            std::to_string(b.rows()) + " x " +
                            std::to_string(b.cols()) + " matrix");
      return std::nullopt;
    }
    return ConstTyped{fromMatrix(a * b, vector), args[0].dim * args[1].dim};
  }
  if (a.rows() != a.cols() || a.cols() != b.rows())
    return usage("solve(square matrix, right-hand side)");
  Eigen::FullPivLU<Matrix> lu(a);
  if (!lu.isInvertible()) {
    diag.error(e.loc, "the matrix of 'solve' is singular");
    return std::nullopt;
  }
  return ConstTyped{fromMatrix(lu.solve(b), vector), args[1].dim / args[0].dim};
}

//===----------------------------------------------------------------------===//
// .npy
//===----------------------------------------------------------------------===//

namespace {
template <typename T>
void convert(const char *bytes, size_t n, std::vector<double> &out) {
  out.resize(n);
  for (size_t i = 0; i < n; ++i) {
    T v;
    std::memcpy(&v, bytes + i * sizeof(T), sizeof(T));
    out[i] = static_cast<double>(v);
  }
}
} // namespace

std::string readNpy(llvm::StringRef path, ConstValue &value, bool &isBool) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file)
    return file.getError().message();
  llvm::StringRef bytes = (*file)->getBuffer();
  if (bytes.size() < 10 || !bytes.starts_with("\x93NUMPY"))
    return "not a .npy file";
  unsigned major = static_cast<unsigned char>(bytes[6]);
  auto byte = [&](size_t i) {
    return static_cast<size_t>(static_cast<unsigned char>(bytes[i]));
  };
  size_t prefix = major == 1 ? 10 : 12;
  if (major < 1 || major > 3 || bytes.size() < prefix)
    return ".npy version " + std::to_string(major) + " is not supported";
  size_t length = major == 1 ? byte(8) | byte(9) << 8
                             : byte(8) | byte(9) << 8 | byte(10) << 16 |
                                   byte(11) << 24;
  if (length > bytes.size() - prefix)
    return "header ends behind the end of the file";
  llvm::StringRef header = bytes.substr(prefix, length);
  auto field = [&](llvm::StringRef key) {
    size_t at = header.find(("'" + key + "':").str());
    return at == llvm::StringRef::npos
               ? llvm::StringRef()
               : header.substr(at + key.size() + 3).ltrim();
  };
  llvm::StringRef descr = field("descr");
  if (!descr.consume_front("'"))
    return "header has no simple 'descr'";
  std::string type = descr.take_until([](char c) { return c == '\''; }).str();
  if (!field("fortran_order").starts_with("False"))
    return "arrays in Fortran order are not supported; save a C-ordered copy";
  llvm::StringRef dims = field("shape");
  if (!dims.consume_front("("))
    return "header has no 'shape'";
  size_t count = 1;
  value.shape.clear();
  for (dims = dims.ltrim(); !dims.starts_with(")");) {
    unsigned long long n;
    if (dims.consumeInteger(10, n) || n > (1ull << 40) ||
        value.shape.size() > 8)
      return "header has a faulty 'shape'";
    if (n && count > (size_t(1) << 40) / n)
      return "array is too large";
    count *= n;
    value.shape.push_back(static_cast<int64_t>(n));
    dims = dims.ltrim();
    if (dims.consume_front(","))
      dims = dims.ltrim();
    else if (!dims.starts_with(")"))
      return "header has a faulty 'shape'";
  }
  llvm::StringRef data = bytes.substr(prefix + length);
  static const struct {
    const char *name;
    size_t size;
    void (*read)(const char *, size_t, std::vector<double> &);
  } types[] = {{"<f8", 8, convert<double>},   {"<f4", 4, convert<float>},
               {"<i8", 8, convert<int64_t>},  {"<i4", 4, convert<int32_t>},
               {"<i2", 2, convert<int16_t>},  {"|i1", 1, convert<int8_t>},
               {"<u4", 4, convert<uint32_t>}, {"<u2", 2, convert<uint16_t>},
               {"|u1", 1, convert<uint8_t>},  {"|b1", 1, convert<uint8_t>},
               {"<u8", 8, convert<uint64_t>}};
  for (const auto &t : types) {
    if (type != t.name)
      continue;
    if (data.size() / t.size < count)
      return "file has " + std::to_string(data.size()) +
             " bytes of data, the shape needs " +
             std::to_string(count * t.size);
    t.read(data.data(), count, value.data);
    isBool = type == "|b1";
    return "";
  }
  return "element type '" + type + "' is not supported; use f4, f8 or integers";
}

} // namespace neuroc::lang
