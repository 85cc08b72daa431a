// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's .npy and .npz. The header of an .npy file is the text of a Python
// dictionary with three known keys; it is read by a small scanner that accepts
// just that. Values become f64 and row-major. An .npz archive is a zip with
// stored members, as `numpy.savez` writes it.
#include "neuroc/rt/Npy.h"
#include "neuroc/rt/Container.h"

#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace neuroc::rt {

static_assert(std::endian::native == std::endian::little,
              "array files are read as little-endian words");

namespace {
struct NpyHeader {
  std::string descr;
  bool fortran = false;
  std::vector<int64_t> shape;
};

/// Scans `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
class HeaderScanner {
public:
  explicit HeaderScanner(std::string_view text) : text(text) {}
  bool scan(NpyHeader &header) {
    bool seen[3] = {};
    if (!eat('{'))
      return false;
    while (!eat('}')) {
      std::string key;
      if (!string(key) || !eat(':'))
        return false;
      int which = key == "descr" ? 0 : key == "fortran_order" ? 1
                                   : key == "shape"           ? 2
                                                              : 3;
      if (which == 3 || seen[which])
        return false;
      seen[which] = true;
      bool good = which == 0   ? string(header.descr)
                  : which == 1 ? boolean(header.fortran)
                               : tuple(header.shape);
      if (!good)
        return false;
      eat(',');
    }
    return seen[0] && seen[1] && seen[2];
  }

private:
  void blanks() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n'))
      ++at;
  }
  bool eat(char c) {
    blanks();
    if (at >= text.size() || text[at] != c)
      return false;
    ++at;
    return true;
  }
  bool string(std::string &out) {
    blanks();
    if (at >= text.size() || (text[at] != '\'' && text[at] != '"'))
      return false;
    char quote = text[at++];
    size_t end = text.find(quote, at);
    if (end == std::string_view::npos)
      return false;
    out = text.substr(at, end - at);
    at = end + 1;
    return true;
  }
  bool boolean(bool &out) {
    blanks();
    for (bool value : {true, false}) {
      std::string_view word = value ? "True" : "False";
      if (text.substr(at, word.size()) != word)
        continue;
      out = value;
      at += word.size();
      return true;
    }
    return false;
  }
  bool tuple(std::vector<int64_t> &out) {
    if (!eat('('))
      return false;
    while (!eat(')')) {
      blanks();
      int64_t extent = 0;
      auto [end, error] = std::from_chars(text.data() + at,
                                          text.data() + text.size(), extent);
      if (error != std::errc() || extent < 0 || out.size() == 32)
        return false;
      at = size_t(end - text.data());
      out.push_back(extent);
      if (!eat(',')) {
        if (!eat(')'))
          return false;
        return true;
      }
    }
    return true;
  }
  std::string_view text;
  size_t at = 0;
};

double halfToDouble(uint16_t bits) {
  int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  double value = exponent == 31  ? (mantissa ? std::nan("") : INFINITY)
                 : exponent == 0 ? std::ldexp(mantissa, -24)
                                 : std::ldexp(mantissa + 1024, exponent - 25);
  return bits & 0x8000 ? -value : value;
}

template <typename T> double load(const char *p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return double(value);
}
double loadHalf(const char *p) {
  uint16_t bits;
  std::memcpy(&bits, p, 2);
  return halfToDouble(bits);
}

struct ElementType {
  const char *descr;
  unsigned size;
  double (*load)(const char *);
};
constexpr ElementType kTypes[] = {
    {"<f8", 8, load<double>},   {"<f4", 4, load<float>},
    {"<f2", 2, loadHalf},       {"<i8", 8, load<int64_t>},
    {"<i4", 4, load<int32_t>},  {"<i2", 2, load<int16_t>},
    {"|i1", 1, load<int8_t>},   {"<u8", 8, load<uint64_t>},
    {"<u4", 4, load<uint32_t>}, {"<u2", 2, load<uint16_t>},
    {"|u1", 1, load<uint8_t>},  {"|b1", 1, load<uint8_t>}};
} // namespace

/// Reorders column-major values.
static void toRowMajor(const std::vector<int64_t> &shape,
                       std::vector<double> &values) {
  if (shape.size() < 2)
    return;
  std::vector<double> result(values.size());
  std::vector<int64_t> index(shape.size(), 0);
  for (double value : values) {
    int64_t at = 0;
    for (size_t d = 0; d < shape.size(); ++d)
      at = at * shape[d] + index[d];
    result[size_t(at)] = value;
    for (size_t d = 0; d < shape.size() && ++index[d] == shape[d]; ++d)
      index[d] = 0;
  }
  values = std::move(result);
}

namespace {
/// What the header says, checked against the number of bytes that follow it.
struct NpyLayout {
  std::vector<int64_t> shape;
  const ElementType *type = nullptr;
  bool fortran = false;
  uint64_t start = 0, count = 0;
};
} // namespace

/// `bytes` are those of the header at least; the file has `size`.
static Status readLayout(std::string_view bytes, uint64_t size,
                         const std::string &origin, NpyLayout &layout) {
  auto fail = [&](const std::string &why) {
    return Status(Code::InputError, origin + ": not a usable .npy file: " + why);
  };
  if (bytes.size() < 10 || bytes.substr(0, 6) != "\x93NUMPY")
    return fail("the signature is missing");
  unsigned major = uint8_t(bytes[6]);
  auto byte = [&](size_t i) { return uint64_t(uint8_t(bytes[i])); };
  uint64_t start = major == 1 ? 10 : 12;
  if (major < 1 || major > 3 || bytes.size() < start)
    return fail("version " + std::to_string(major) + " is not known");
  uint64_t length = byte(8) | byte(9) << 8;
  if (major > 1)
    length |= byte(10) << 16 | byte(11) << 24;
  if (length > bytes.size() - start)
    return fail("the header leaves the file");
  NpyHeader header;
  if (!HeaderScanner(bytes.substr(start, length)).scan(header))
    return fail("the header is malformed");
  for (const ElementType &candidate : kTypes)
    if (header.descr == candidate.descr)
      layout.type = &candidate;
  if (!layout.type)
    return fail("element type '" + header.descr +
                "' is not supported; use little-endian numbers");
  layout.start = start + length;
  uint64_t data = size - layout.start;
  uint64_t most = data / layout.type->size;
  layout.count = 1;
  bool empty = false;
  for (int64_t extent : header.shape)
    empty |= extent == 0;
  for (int64_t extent : header.shape) {
    if (empty)
      break;
    if (uint64_t(extent) > most / layout.count)
      return fail("the shape asks for more values than the " +
                  std::to_string(data) + " bytes that follow");
    layout.count *= uint64_t(extent);
  }
  if (empty)
    layout.count = 0;
  if (data != layout.count * layout.type->size)
    return fail("expected " + std::to_string(layout.count * layout.type->size) +
                " bytes of values, found " + std::to_string(data));
  layout.shape = header.shape;
  layout.fortran = header.fortran;
  return Status::ok();
}

Status readNpy(std::string_view bytes, const std::string &origin,
               Array &array) {
  NpyLayout layout;
  if (Status s = readLayout(bytes, bytes.size(), origin, layout); !s)
    return s;
  array.shape = layout.shape;
  array.values.resize(layout.count);
  const char *data = bytes.data() + layout.start;
  for (uint64_t i = 0; i < layout.count; ++i)
    array.values[i] = layout.type->load(data + i * layout.type->size);
  if (layout.fortran)
    toRowMajor(array.shape, array.values);
  return Status::ok();
}

namespace {
class OpenNpyFile : public NpyFile {
public:
  ~OpenNpyFile() override {
    if (file)
      std::fclose(file);
  }
  const std::vector<int64_t> &shape() const override { return layout.shape; }
  Status read(int64_t first, int64_t count,
              std::vector<double> &values) override {
    uint64_t size = layout.type->size, n = uint64_t(count * rowSize());
    bytes.resize(n * size);
    uint64_t at = layout.start + uint64_t(first * rowSize()) * size;
    if (fseeko(file, off_t(at), SEEK_SET) != 0 ||
        std::fread(bytes.data(), 1, bytes.size(), file) != bytes.size())
      return {Code::InputError, path + ": cannot read its rows from " +
                                    std::to_string(first)};
    values.resize(n);
    for (uint64_t i = 0; i < n; ++i)
      values[i] = layout.type->load(bytes.data() + i * size);
    return Status::ok();
  }
  Status open(const std::string &where) {
    path = where;
    file = std::fopen(path.c_str(), "rb");
    if (!file)
      return {Code::InputError,
              path + ": cannot read: " + std::strerror(errno)};
    std::string head(1 << 17, '\0');
    head.resize(std::fread(head.data(), 1, head.size(), file));
    if (fseeko(file, 0, SEEK_END) != 0)
      return {Code::InputError, path + ": is not a file of known size"};
    if (Status s = readLayout(head, uint64_t(ftello(file)), path, layout); !s)
      return s;
    if (layout.fortran)
      return {Code::InputError, path + ": a file in Fortran order cannot be "
                                       "read row by row; save a C-ordered copy"};
    return Status::ok();
  }

private:
  std::FILE *file = nullptr;
  std::string path, bytes;
  NpyLayout layout;
};
} // namespace

Status NpyFile::open(const std::string &path, std::unique_ptr<NpyFile> &file) {
  auto result = std::make_unique<OpenNpyFile>();
  if (Status s = result->open(path); !s)
    return s;
  file = std::move(result);
  return Status::ok();
}

template <typename T>
static void store(std::string &out, const std::vector<double> &values) {
  for (double value : values) {
    T word = static_cast<T>(value);
    out.append(reinterpret_cast<const char *>(&word), sizeof word);
  }
}

std::string writeNpy(const Array &array, NpyType type) {
  const char *names[] = {"<f8", "<f4", "<u4", "<u8", "<i8"};
  std::string header = std::string("{'descr': '") + names[int(type)] +
                       "', 'fortran_order': False, 'shape': (";
  for (size_t i = 0; i < array.shape.size(); ++i)
    header += (i ? " " : "") + std::to_string(array.shape[i]) + ",";
  if (array.shape.size() > 1)
    header.pop_back();
  header += "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  out += char(header.size() & 255);
  out += char(header.size() >> 8);
  out += header;
  switch (type) {
  case NpyType::Float64:
    store<double>(out, array.values);
    break;
  case NpyType::Float32:
    store<float>(out, array.values);
    break;
  case NpyType::UInt32:
    store<uint32_t>(out, array.values);
    break;
  case NpyType::UInt64:
    store<uint64_t>(out, array.values);
    break;
  case NpyType::Int64:
    store<int64_t>(out, array.values);
    break;
  }
  return out;
}

//===----------------------------------------------------------------------===//
// Archives and text
//===----------------------------------------------------------------------===//

static void put(std::string &out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out += char(uint8_t(value >> (8 * i)));
}

std::string writeNpz(const std::map<std::string, Array> &arrays) {
  std::string out, directory;
  for (const auto &[name, array] : arrays) {
    std::string data = writeNpy(array), member = name + ".npy";
    uint64_t header = out.size();
    std::string common;
    put(common, 20, 2), put(common, 0x0800, 2), put(common, 0, 2);
    put(common, 0x00210000, 4); // 1980-01-01
    put(common, crc32(asBytes(data)), 4);
    put(common, data.size(), 4), put(common, data.size(), 4);
    put(common, member.size(), 2), put(common, 0, 2);
    put(out, 0x04034b50, 4);
    out += common + member + data;
    put(directory, 0x02014b50, 4), put(directory, 20, 2);
    directory += common;
    put(directory, 0, 2), put(directory, 0, 2), put(directory, 0, 2);
    put(directory, 0, 4), put(directory, header, 4);
    directory += member;
  }
  uint64_t start = out.size();
  out += directory;
  put(out, 0x06054b50, 4), put(out, 0, 4);
  put(out, arrays.size(), 2), put(out, arrays.size(), 2);
  put(out, directory.size(), 4), put(out, start, 4), put(out, 0, 2);
  return out;
}

/// Rows of numbers; every row has as many as the first.
static Status readText(std::string_view text, const std::string &origin,
                       Array &array) {
  int64_t columns = -1, rows = 0, line = 0;
  for (size_t start = 0; start < text.size();) {
    size_t end = std::min(text.find('\n', start), text.size());
    std::string_view rest = text.substr(start, end - start);
    start = end + 1;
    ++line;
    auto fail = [&](const std::string &why) {
      return Status(Code::InputError,
                    origin + ":" + std::to_string(line) + ": " + why);
    };
    int64_t found = 0;
    auto skip = [&] {
      while (!rest.empty() && std::strchr(" \t\r,;", rest.front()))
        rest.remove_prefix(1);
    };
    for (skip(); !rest.empty() && rest.front() != '#'; skip()) {
      double value = 0;
      if (rest.front() == '+')
        rest.remove_prefix(1);
      auto [stop, error] =
          std::from_chars(rest.data(), rest.data() + rest.size(), value);
      if (error != std::errc())
        return fail("expected a number, found '" +
                    std::string(rest.substr(0, 16)) + "'");
      rest.remove_prefix(size_t(stop - rest.data()));
      array.values.push_back(value);
      ++found;
    }
    if (found == 0)
      continue;
    if (columns >= 0 && found != columns)
      return fail("expected " + std::to_string(columns) + " numbers, found " +
                  std::to_string(found));
    columns = found;
    ++rows;
  }
  if (rows == 0)
    return {Code::InputError, origin + ": has no numbers"};
  array.shape = {rows, columns};
  return Status::ok();
}

Status readArrayFile(const std::string &path, Array &array) {
  std::string bytes;
  if (Status status = readFile(path, bytes); !status)
    return status;
  auto ends = [&](std::string_view suffix) {
    return std::string_view(path).ends_with(suffix);
  };
  array = Array();
  if (ends(".csv") || ends(".txt"))
    return readText(bytes, path, array);
  if (ends(".npy"))
    return readNpy(bytes, path, array);
  return {Code::UsageError,
          path + ": arrays are read from .npy, .csv and .txt files"};
}

} // namespace neuroc::rt
