// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes small ONNX models for tests: the protobuf wire format by hand, so that
// broken files can be written as easily as good ones.
#ifndef NEUROC_TEST_UNIT_ONNX_MODELWRITER_H
#define NEUROC_TEST_UNIT_ONNX_MODELWRITER_H

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace neuroc::test {

inline std::string varint(uint64_t value) {
  std::string out;
  do {
    out += char((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>= 7;
  } while (value);
  return out;
}
inline std::string field(unsigned number, uint64_t value) {
  return varint(number << 3) + varint(value);
}
inline std::string field(unsigned number, const std::string &bytes) {
  return varint(number << 3 | 2) + varint(bytes.size()) + bytes;
}

inline std::string attribute(const std::string &name, int64_t value) {
  return field(5, field(1, name) + field(3, uint64_t(value)) + field(20, 2));
}
inline std::string attribute(const std::string &name,
                             const std::vector<int64_t> &values) {
  std::string body = field(1, name);
  for (int64_t value : values)
    body += field(8, uint64_t(value));
  return field(5, body + field(20, 7));
}
/// An attribute of a function's node that refers to one of the call.
inline std::string reference(const std::string &name, const std::string &of) {
  return field(5, field(1, name) + field(21, of) + field(20, 2));
}

inline std::string node(const std::string &op,
                        const std::vector<std::string> &inputs,
                        const std::vector<std::string> &outputs,
                        const std::string &attributes = "",
                        const std::string &domain = "") {
  std::string body;
  for (auto &input : inputs)
    body += field(1, input);
  for (auto &output : outputs)
    body += field(2, output);
  body += field(3, "the_" + op) + field(4, op) + attributes;
  if (!domain.empty())
    body += field(7, domain);
  return body;
}

inline std::string floats(const std::string &name,
                          const std::vector<int64_t> &dims,
                          const std::vector<float> &values) {
  std::string body;
  for (int64_t dim : dims)
    body += field(1, uint64_t(dim));
  std::string raw(values.size() * 4, 0);
  if (!values.empty())
    std::memcpy(raw.data(), values.data(), raw.size());
  return body + field(2, 1) + field(8, name) + field(9, raw);
}
inline std::string ints(const std::string &name,
                        const std::vector<int64_t> &values) {
  std::string packed;
  for (int64_t value : values)
    packed += varint(uint64_t(value));
  return field(1, values.size()) + field(2, 7) + field(7, packed) +
         field(8, name);
}

/// A float input or output; extents < 0 are symbolic ("N").
inline std::string value(const std::string &name,
                         const std::vector<int64_t> &shape, int type = 1) {
  std::string dims;
  for (int64_t dim : shape)
    dims += field(1, dim < 0 ? field(2, "N") : field(1, uint64_t(dim)));
  return field(1, name) +
         field(2, field(1, field(1, uint64_t(type)) + field(2, dims)));
}

struct ModelWriter {
  std::vector<std::string> nodes, initializers, inputs, outputs, functions;
  uint64_t irVersion = 8;
  uint64_t opset = 13;
  std::string otherOpsets;

  std::string bytes() const {
    std::string graph;
    for (auto &each : nodes)
      graph += field(1, each);
    graph += field(2, std::string("test"));
    for (auto &each : initializers)
      graph += field(5, each);
    for (auto &each : inputs)
      graph += field(11, each);
    for (auto &each : outputs)
      graph += field(12, each);
    std::string out = field(1, irVersion) + field(7, graph);
    out += field(8, field(1, std::string()) + field(2, opset)) + otherOpsets;
    for (auto &each : functions)
      out += field(25, each);
    return out;
  }
};

} // namespace neuroc::test
#endif // NEUROC_TEST_UNIT_ONNX_MODELWRITER_H
