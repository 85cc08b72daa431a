// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A reader of the protobuf wire format over borrowed bytes. It knows fields,
// not messages; every error carries the offset in the file.
#ifndef NEUROC_LIB_FRONTEND_ONNX_WIRE_H
#define NEUROC_LIB_FRONTEND_ONNX_WIRE_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>

namespace neuroc::onnx {

/// Bytes of the file and where they begin in it.
struct Bytes {
  const uint8_t *data = nullptr;
  uint64_t size = 0;
  uint64_t offset = 0;

  llvm::StringRef str() const {
    return {reinterpret_cast<const char *>(data), size_t(size)};
  }
};

/// The first error of a parse; later ones are consequences.
struct WireError {
  bool failed = false;
  uint64_t offset = 0;
  std::string message;

  bool set(uint64_t at, std::string text) {
    if (!failed) {
      failed = true;
      offset = at;
      message = std::move(text);
    }
    return false;
  }
};

enum class WireType : uint8_t {
  Varint = 0,
  Fixed64 = 1,
  Length = 2,
  Fixed32 = 5
};

struct Field {
  uint32_t number = 0;
  WireType type = WireType::Varint;
  uint64_t value = 0; ///< of varint and fixed fields
  Bytes bytes;        ///< of length-delimited fields
  uint64_t offset = 0;
};

/// Iterates over the fields of one message.
class WireReader {
public:
  WireReader(Bytes bytes, WireError &error) : bytes(bytes), error(error) {}
  /// False at the end of the message and after an error.
  bool next(Field &field);

private:
  bool varint(uint64_t &value);

  Bytes bytes;
  uint64_t at = 0;
  WireError &error;
};

/// Reads helpers for one field; a wrong wire type is an error.
bool readInt(const Field &field, int64_t &value, WireError &error);
bool readString(const Field &field, llvm::StringRef &value, WireError &error);
/// Appends the values of a packed or unpacked repeated field.
bool readInts(const Field &field, llvm::SmallVectorImpl<int64_t> &values,
              WireError &error);
bool readFloats(const Field &field, llvm::SmallVectorImpl<float> &values,
                WireError &error);
bool readDoubles(const Field &field, llvm::SmallVectorImpl<double> &values,
                 WireError &error);

} // namespace neuroc::onnx
#endif // NEUROC_LIB_FRONTEND_ONNX_WIRE_H
