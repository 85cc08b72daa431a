// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The protobuf wire format: a key (field number and wire type) before each
// value; varints of at most ten bytes, little-endian fixed values, and
// length-delimited bytes. Every length is compared with what is left by
// subtraction, so no hostile value can wrap.
#include "Wire.h"

#include "llvm/Support/Endian.h"

using namespace neuroc::onnx;

bool WireReader::varint(uint64_t &value) {
  value = 0;
  uint64_t start = at;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (at == bytes.size)
      return error.set(bytes.offset + start, "a number is cut off");
    uint8_t byte = bytes.data[at++];
    if (shift == 63 && byte > 1)
      return error.set(bytes.offset + start, "a number exceeds 64 bits");
    value |= uint64_t(byte & 0x7f) << shift;
    if (byte < 0x80)
      return true;
  }
  return error.set(bytes.offset + start, "a number exceeds 64 bits");
}

bool WireReader::next(Field &field) {
  if (error.failed || at == bytes.size)
    return false;
  uint64_t start = bytes.offset + at;
  uint64_t key;
  if (!varint(key))
    return false;
  field.offset = start;
  uint64_t number = key >> 3;
  if (number == 0 || number > 0x1fffffff)
    return error.set(start, "field number " + std::to_string(number) +
                                " is out of range: not an ONNX file");
  field.number = uint32_t(number);
  field.bytes = {};
  field.value = 0;
  uint64_t left = bytes.size - at;
  switch (key & 7) {
  case 0:
    field.type = WireType::Varint;
    return varint(field.value);
  case 1:
    field.type = WireType::Fixed64;
    if (left < 8)
      return error.set(start, "an 8-byte value is cut off");
    field.value = llvm::support::endian::read64le(bytes.data + at);
    at += 8;
    return true;
  case 5:
    field.type = WireType::Fixed32;
    if (left < 4)
      return error.set(start, "a 4-byte value is cut off");
    field.value = llvm::support::endian::read32le(bytes.data + at);
    at += 4;
    return true;
  case 2: {
    field.type = WireType::Length;
    uint64_t length;
    if (!varint(length))
      return false;
    if (length > bytes.size - at)
      return error.set(start, "field " + std::to_string(number) + " claims " +
                                  std::to_string(length) + " bytes, " +
                                  std::to_string(bytes.size - at) +
                                  " are left");
    field.bytes = {bytes.data + at, length, bytes.offset + at};
    at += length;
    return true;
  }
  default:
    return error.set(start, "wire type " + std::to_string(key & 7) +
                                " is not used by ONNX");
  }
}

static bool wrongType(const Field &field, WireError &error) {
  return error.set(field.offset, "field " + std::to_string(field.number) +
                                     " has the wrong wire type " +
                                     std::to_string(unsigned(field.type)));
}

bool neuroc::onnx::readInt(const Field &field, int64_t &value,
                           WireError &error) {
  if (field.type != WireType::Varint)
    return wrongType(field, error);
  value = int64_t(field.value);
  return true;
}

bool neuroc::onnx::readString(const Field &field, llvm::StringRef &value,
                              WireError &error) {
  if (field.type != WireType::Length)
    return wrongType(field, error);
  value = field.bytes.str();
  return true;
}

bool neuroc::onnx::readInts(const Field &field,
                            llvm::SmallVectorImpl<int64_t> &values,
                            WireError &error) {
  if (field.type == WireType::Varint) {
    values.push_back(int64_t(field.value));
    return true;
  }
  if (field.type != WireType::Length)
    return wrongType(field, error);
  for (uint64_t i = 0; i < field.bytes.size;) {
    uint64_t value = 0;
    unsigned shift = 0;
    while (true) {
      if (i == field.bytes.size || shift > 63)
        return error.set(field.bytes.offset + i, "a packed number is cut off");
      uint8_t byte = field.bytes.data[i++];
      value |= uint64_t(byte & 0x7f) << shift;
      shift += 7;
      if (byte < 0x80)
        break;
    }
    values.push_back(int64_t(value));
  }
  return true;
}

bool neuroc::onnx::readFloats(const Field &field,
                              llvm::SmallVectorImpl<float> &values,
                              WireError &error) {
  if (field.type == WireType::Fixed32) {
    values.push_back(llvm::bit_cast<float>(uint32_t(field.value)));
    return true;
  }
  if (field.type != WireType::Length)
    return wrongType(field, error);
  if (field.bytes.size % 4)
    return error.set(field.bytes.offset, "packed floats are not whole");
  for (uint64_t i = 0; i < field.bytes.size; i += 4)
    values.push_back(llvm::bit_cast<float>(
        llvm::support::endian::read32le(field.bytes.data + i)));
  return true;
}

bool neuroc::onnx::readDoubles(const Field &field,
                               llvm::SmallVectorImpl<double> &values,
                               WireError &error) {
  if (field.type == WireType::Fixed64) {
    values.push_back(llvm::bit_cast<double>(field.value));
    return true;
  }
  if (field.type != WireType::Length)
    return wrongType(field, error);
  if (field.bytes.size % 8)
    return error.set(field.bytes.offset, "packed doubles are not whole");
  for (uint64_t i = 0; i < field.bytes.size; i += 8)
    values.push_back(llvm::bit_cast<double>(
        llvm::support::endian::read64le(field.bytes.data + i)));
  return true;
}
