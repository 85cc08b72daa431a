// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TensorProto payloads as dense attributes. Raw bytes, typed lists and
// external files are accepted; the number of values must be exactly that of
// the shape. Reals become f32 (f64 is rounded, f16 and bf16 widen exactly).
// External files are opened only below the model's own folder, never through
// a link, and only inside their length.
#include "Importer.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace neuroc;
using namespace neuroc::onnx;
namespace endian = llvm::support::endian;

bool neuroc::onnx::isReal(int32_t kind) {
  return kind == Float || kind == Double || kind == Float16 || kind == BFloat16;
}

bool neuroc::onnx::isUnsigned(int32_t kind) {
  return kind == UInt8 || kind == UInt16 || kind == UInt32 || kind == UInt64 ||
         kind == Bool;
}

Type neuroc::onnxElementType(MLIRContext &context, int32_t kind) {
  switch (kind) {
  case Float:
  case Double:
  case Float16:
  case BFloat16:
    return Float32Type::get(&context);
  case Bool:
    return IntegerType::get(&context, 1);
  case Int8:
  case UInt8:
    return IntegerType::get(&context, 8);
  case Int16:
  case UInt16:
    return IntegerType::get(&context, 16);
  case Int32:
  case UInt32:
    return IntegerType::get(&context, 32);
  case Int64:
  case UInt64:
    return IntegerType::get(&context, 64);
  default:
    return nullptr;
  }
}

static unsigned bytesOf(int32_t kind) {
  switch (kind) {
  case Double:
  case Int64:
  case UInt64:
    return 8;
  case Float:
  case Int32:
  case UInt32:
    return 4;
  case Float16:
  case BFloat16:
  case Int16:
  case UInt16:
    return 2;
  default:
    return 1;
  }
}

static float widen(uint16_t bits, const llvm::fltSemantics &semantics) {
  llvm::APFloat value(semantics, llvm::APInt(16, bits));
  bool lost;
  value.convert(llvm::APFloat::IEEEsingle(), llvm::APFloat::rmNearestTiesToEven,
                &lost);
  return value.convertToFloat();
}

bool TensorReader::loadExternal(const Tensor &tensor, Location loc,
                                Bytes &bytes) {
  auto fail = [&](const Twine &message) {
    emitError(loc) << "external data of tensor '" << tensor.name
                   << "': " << message;
    return false;
  };
  auto entry = tensor.externalData.find("location");
  if (entry == tensor.externalData.end() || entry->second.empty())
    return fail("no location is given");
  StringRef location = entry->second;
  if (directory.empty())
    return fail("the model is not read from a file, so there is no folder to "
                "look in");
  if (llvm::sys::path::is_absolute(location) || location.contains('\\') ||
      location.contains('\0'))
    return fail("location '" + location + "' is not a relative path");
  SmallString<128> path(directory);
  for (StringRef part : llvm::split(location, '/')) {
    if (part == ".." || part.empty() || part == ".")
      return fail("location '" + location +
                  "' leaves the model's folder or is not in plain form");
    llvm::sys::path::append(path, part);
    if (llvm::sys::fs::is_symlink_file(path))
      return fail("'" + location + "' goes through a symbolic link");
  }
  if (!llvm::sys::fs::is_regular_file(path))
    return fail("there is no file '" + path + "'");
  auto number = [&](StringRef key, uint64_t &value) {
    auto text = tensor.externalData.find(key);
    return text == tensor.externalData.end() ||
           !StringRef(text->second).getAsInteger(10, value);
  };
  auto &file = files[std::string(path)];
  if (!file) {
    auto opened = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                              /*RequiresNullTerminator=*/false);
    if (!opened)
      return fail("can't read '" + path + "': " + opened.getError().message());
    file = std::move(*opened);
  }
  uint64_t offset = 0, length = 0, size = file->getBufferSize();
  if (!number("offset", offset) || offset > size)
    return fail("the offset is not a number within the file's " + Twine(size) +
                " bytes");
  length = size - offset;
  uint64_t limit = length;
  if (!number("length", length) || length > limit)
    return fail("offset and length reach beyond the file's " + Twine(size) +
                " bytes");
  bytes = {reinterpret_cast<const uint8_t *>(file->getBufferStart()) + offset,
           length, 0};
  return true;
}

/// The elements of little-endian raw data, converted from their bits.
template <typename T, typename Fn>
static std::vector<T> fromRaw(const Bytes &raw, int64_t count, unsigned width,
                              Fn convert) {
  std::vector<T> values(count);
  for (int64_t i = 0; i < count; ++i) {
    uint64_t bits = 0;
    for (unsigned b = 0; b < width; ++b)
      bits |= uint64_t(raw.data[i * width + b]) << (8 * b);
    values[i] = convert(bits);
  }
  return values;
}

static float realOf(uint64_t bits, int32_t kind) {
  switch (kind) {
  case Double:
    return float(llvm::bit_cast<double>(bits));
  case Float16:
    return widen(uint16_t(bits), llvm::APFloat::IEEEhalf());
  case BFloat16:
    return widen(uint16_t(bits), llvm::APFloat::BFloat());
  default:
    return llvm::bit_cast<float>(uint32_t(bits));
  }
}

DenseElementsAttr TensorReader::read(const Tensor &tensor, Location loc) {
  auto fail = [&](const Twine &message) {
    emitError(loc) << "tensor '" << tensor.name << "' (byte " << tensor.offset
                   << "): " << message;
    return DenseElementsAttr();
  };
  Type element = onnxElementType(context, tensor.kind);
  if (!element)
    return fail("element type " + elementName(tensor.kind) +
                " is not supported");
  int64_t count = 1;
  for (int64_t dim : tensor.dims) {
    if (dim < 0 || (dim && count > (int64_t(1) << 40) / dim))
      return fail("extent " + Twine(dim) + " is not possible");
    count *= dim;
  }
  auto type = RankedTensorType::get(tensor.dims, element);
  std::optional<Bytes> raw = tensor.raw;
  if (tensor.external) {
    Bytes bytes;
    if (!loadExternal(tensor, loc, bytes))
      return {};
    raw = bytes;
  }
  unsigned width = bytesOf(tensor.kind);
  if (raw && (raw->size || tensor.external)) {
    if (raw->size != uint64_t(count) * width)
      return fail(Twine(count) + " values of " + Twine(width) +
                  " bytes are needed, " + Twine(raw->size) +
                  " bytes are there");
    if (count == 0)
      return DenseElementsAttr::get(type, ArrayRef<mlir::Attribute>{});
    if (tensor.kind == Float) // already as MLIR holds them
      return DenseElementsAttr::getFromRawBuffer(
          type, ArrayRef(reinterpret_cast<const char *>(raw->data),
                         size_t(raw->size)));
    if (isReal(tensor.kind))
      return DenseElementsAttr::get(
          type, ArrayRef(fromRaw<float>(*raw, count, width, [&](uint64_t bits) {
            return realOf(bits, tensor.kind);
          })));
    unsigned bitWidth = element.getIntOrFloatBitWidth();
    return DenseElementsAttr::get(
        type, ArrayRef(fromRaw<APInt>(*raw, count, width, [&](uint64_t bits) {
          return APInt(bitWidth, tensor.kind == Bool ? bits != 0 : bits, false,
                       /*implicitTrunc=*/true);
        })));
  }
  // Typed lists. Which one is fixed by the element type.
  auto checked = [&](size_t size) {
    if (int64_t(size) == count)
      return true;
    fail(Twine(count) + " values are needed, " + Twine(size) + " are there");
    return false;
  };
  if (count == 0)
    return DenseElementsAttr::get(type, ArrayRef<mlir::Attribute>{});
  if (tensor.kind == Float)
    return checked(tensor.floats.size())
               ? DenseElementsAttr::get(type, ArrayRef(tensor.floats))
               : DenseElementsAttr();
  if (isReal(tensor.kind)) {
    bool wide = tensor.kind == Double;
    if (!checked(wide ? tensor.doubles.size() : tensor.int32s.size()))
      return {};
    std::vector<float> values(count);
    for (int64_t i = 0; i < count; ++i)
      values[i] = wide ? float(tensor.doubles[i])
                       : realOf(uint64_t(tensor.int32s[i]), tensor.kind);
    return DenseElementsAttr::get(type, ArrayRef(values));
  }
  const auto &list = tensor.kind == Int64 ? tensor.int64s
                     : tensor.kind == UInt32 || tensor.kind == UInt64
                         ? tensor.uint64s
                         : tensor.int32s;
  if (!checked(list.size()))
    return {};
  std::vector<APInt> values;
  values.reserve(count);
  for (int64_t value : list)
    values.emplace_back(element.getIntOrFloatBitWidth(),
                        tensor.kind == Bool ? value != 0 : uint64_t(value),
                        false, /*implicitTrunc=*/true);
  return DenseElementsAttr::get(type, ArrayRef(values));
}
