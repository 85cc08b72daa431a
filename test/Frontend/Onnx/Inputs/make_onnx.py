# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a small .onnx file from a JSON description on standard input.

    make_onnx.py OUT.onnx < model.json

    {"opset": 13, "ir": 8,
     "inputs":  [["x", [1, "N", 4]]],            names and extents (float)
     "outputs": [["y", [1, 4]]],
     "init":    {"w": [[2, 2], [1, 2, 3, 4]], "s": [-1, 4]},
                                  floats with a shape, or a list of int64
     "nodes":   [["Gemm", ["x", "w"], ["y"], {"transB": 1}],
                 ["Fancy", ["x"], ["y"], {}, "com.example"]]}
"""
import json
import struct
import sys


def varint(value):
    value &= 0xffffffffffffffff
    out = bytearray()
    while True:
        out.append(value & 0x7f | (0x80 if value > 0x7f else 0))
        value >>= 7
        if not value:
            return bytes(out)


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def attribute(name, value):
    if isinstance(value, int):
        body, kind = field(3, value), 2
    elif isinstance(value, float):
        body, kind = varint(2 << 3 | 5) + struct.pack("<f", value), 1
    elif isinstance(value, str):
        body, kind = field(4, value), 3
    else:
        body, kind = b"".join(field(8, v) for v in value), 7
    return field(5, field(1, name) + body + field(20, kind))


def node(op, inputs, outputs, attributes=(), domain=""):
    out = b"".join(field(1, i) for i in inputs)
    out += b"".join(field(2, o) for o in outputs)
    out += field(3, op.lower() + "1") + field(4, op)
    out += b"".join(attribute(k, v) for k, v in dict(attributes).items())
    return out + (field(7, domain) if domain else b"")


def tensor(name, value):
    if value and isinstance(value[0], list):
        shape, data = value
        return b"".join(field(1, d) for d in shape) + field(2, 1) + \
            field(8, name) + field(9, struct.pack(f"<{len(data)}f", *data))
    return field(1, len(value)) + field(2, 7) + \
        field(7, b"".join(map(varint, value))) + field(8, name)


def value_info(name, shape):
    dims = b"".join(field(1, field(2 if isinstance(d, str) else 1, d))
                    for d in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def main():
    model = json.load(sys.stdin)
    graph = b"".join(field(1, node(*n)) for n in model["nodes"])
    graph += field(2, model.get("name", "test"))
    graph += b"".join(field(5, tensor(*t))
                      for t in model.get("init", {}).items())
    graph += b"".join(field(11, value_info(*v)) for v in model["inputs"])
    graph += b"".join(field(12, value_info(*v)) for v in model["outputs"])
    out = field(1, model.get("ir", 8)) + field(2, "test") + field(7, graph)
    out += field(8, field(1, "") + field(2, model.get("opset", 13)))
    domains = {n[4] for n in model["nodes"] if len(n) > 4}
    for domain in sorted(domains):
        out += field(8, field(1, domain) + field(2, 1))
    with open(sys.argv[1], "wb") as file:
        file.write(out)


main()
