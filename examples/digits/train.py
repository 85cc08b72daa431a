#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains the two digit classifiers of this folder with plain NumPy.

    train.py            train, write the .onnx files, the test arrays, the JSON
    train.py --check    read the shipped .onnx files back, evaluate them here
                        and compare with expected.json; then train again and
                        compare the accuracy

The data are the 1,797 8x8 images of data/ (see data/PROVENANCE.md). Image i
is in the test split if i % 5 == 4 (359 images) and in the training split
otherwise (1,438). Pixels are 0 to 16; the models divide by 16 themselves.
"""

import argparse
import json
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
SEED = 20240214


# --- data -------------------------------------------------------------------

def load_split():
    images = np.load(HERE / "data" / "digits-images.npy").astype(np.float64)
    labels = np.load(HERE / "data" / "digits-labels.npy").astype(np.int64)
    test = np.arange(len(images)) % 5 == 4
    return (images[~test], labels[~test]), (images[test], labels[test])


# --- layers: each has forward(x) and backward(grad) --------------------------

class Scale:
    """Division of the input by a constant."""

    def __init__(self, divisor):
        self.divisor, self.params = divisor, []

    def forward(self, x):
        return x / self.divisor

    def backward(self, grad):
        return grad / self.divisor


class Dense:
    def __init__(self, rng, inputs, outputs):
        self.w = rng.normal(0, np.sqrt(2 / inputs), (outputs, inputs))
        self.b = np.zeros(outputs)
        self.params = [self.w, self.b]

    def forward(self, x):
        self.x = x
        return x @ self.w.T + self.b

    def backward(self, grad):
        self.grads = [grad.T @ self.x, grad.sum(0)]
        return grad @ self.w


class Relu:
    params = []

    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


class Conv:
    """3x3, stride 1, padding 1."""

    def __init__(self, rng, channels, filters):
        self.w = rng.normal(0, np.sqrt(2 / (9 * channels)),
                            (filters, channels, 3, 3))
        self.b = np.zeros(filters)
        self.params = [self.w, self.b]

    def forward(self, x):
        n, c, h, w = x.shape
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        # columns[n, h, w, c, ky, kx]
        self.columns = np.stack(
            [np.stack([padded[:, :, i:i + h, j:j + w] for j in range(3)], -1)
             for i in range(3)], -2).transpose(0, 2, 3, 1, 4, 5)
        flat = self.columns.reshape(n * h * w, c * 9)
        out = flat @ self.w.reshape(len(self.w), -1).T + self.b
        return out.reshape(n, h, w, -1).transpose(0, 3, 1, 2)

    def backward(self, grad):
        n, f, h, w = grad.shape
        flat = grad.transpose(0, 2, 3, 1).reshape(n * h * w, f)
        columns = self.columns.reshape(n * h * w, -1)
        self.grads = [(flat.T @ columns).reshape(self.w.shape), flat.sum(0)]
        back = (flat @ self.w.reshape(f, -1)).reshape(self.columns.shape)
        padded = np.zeros((n, self.w.shape[1], h + 2, w + 2))
        for i in range(3):
            for j in range(3):
                padded[:, :, i:i + h, j:j + w] += \
                    back[..., i, j].transpose(0, 3, 1, 2)
        return padded[:, :, 1:-1, 1:-1]


class MaxPool:
    """2x2, stride 2."""
    params = []

    def forward(self, x):
        n, c, h, w = x.shape
        self.shape = x.shape
        blocks = x.reshape(n, c, h // 2, 2, w // 2, 2)
        blocks = blocks.transpose(0, 1, 2, 4, 3, 5).reshape(
            n, c, h // 2, w // 2, 4)
        self.winner = blocks.argmax(-1)
        return blocks.max(-1)

    def backward(self, grad):
        n, c, h, w = self.shape
        blocks = np.zeros((n, c, h // 2, w // 2, 4))
        np.put_along_axis(blocks, self.winner[..., None], grad[..., None], -1)
        return blocks.reshape(n, c, h // 2, w // 2, 2, 2).transpose(
            0, 1, 2, 4, 3, 5).reshape(self.shape)


class Flatten:
    params = []

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, grad):
        return grad.reshape(self.shape)


def forward(layers, x):
    for layer in layers:
        x = layer.forward(x)
    return x


def train(layers, images, labels, epochs, rng, decay):
    """Adam on the cross-entropy, batches of 32, a falling rate."""
    params = [p for layer in layers for p in layer.params]
    first = [np.zeros_like(p) for p in params]
    second = [np.zeros_like(p) for p in params]
    step = 0
    for epoch in range(epochs):
        rate = 3e-3 * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        order = rng.permutation(len(images))
        for start in range(0, len(order), 32):
            batch = order[start:start + 32]
            logits = forward(layers, images[batch])
            e = np.exp(logits - logits.max(1, keepdims=True))
            grad = e / e.sum(1, keepdims=True)
            grad[np.arange(len(batch)), labels[batch]] -= 1
            grad /= len(batch)
            for layer in reversed(layers):
                grad = layer.backward(grad)
            grads = [g for layer in layers if layer.params
                     for g in layer.grads]
            step += 1
            for p, g, m, v in zip(params, grads, first, second):
                g = g + decay * p
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                p -= rate * (m / (1 - 0.9 ** step)) / (
                    np.sqrt(v / (1 - 0.999 ** step)) + 1e-8)


def mlp():
    rng = np.random.Generator(np.random.PCG64(SEED))
    layers = [Scale(16), Dense(rng, 64, 32), Relu(), Dense(rng, 32, 10)]
    return layers, (64,), rng, 60


def cnn():
    rng = np.random.Generator(np.random.PCG64(SEED + 1))
    layers = [Scale(16), Conv(rng, 1, 8), Relu(), MaxPool(), Conv(rng, 8, 16),
              Relu(), MaxPool(), Flatten(), Dense(rng, 64, 10)]
    return layers, (1, 8, 8), rng, 25


MODELS = {"digits-mlp": mlp, "digits-cnn": cnn}


# --- ONNX, written and read as protobuf by hand ------------------------------
# Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

def varint(value):
    out = bytearray()
    while True:
        out.append(value & 0x7f | (0x80 if value > 0x7f else 0))
        value >>= 7
        if not value:
            return bytes(out)


def field(number, value):
    """A varint for an int, a length-delimited field for bytes or text."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name, array):
    array = np.ascontiguousarray(array, "<f4")
    return b"".join(field(1, d) for d in array.shape) + field(2, 1) + \
        field(8, name) + field(9, array.tobytes())


def node(op, inputs, outputs, **attributes):
    out = b"".join(field(1, i) for i in inputs)
    out += b"".join(field(2, o) for o in outputs)
    out += field(3, op.lower() + "_" + outputs[0]) + field(4, op)
    for name, value in attributes.items():
        if isinstance(value, int):
            body = field(1, name) + field(3, value) + field(20, 2)
        else:
            body = field(1, name) + field(8, b"".join(map(varint, value))) + \
                field(20, 7)
        out += field(5, body)
    return out


def value_info(name, shape):
    dims = b"".join(
        field(1, field(2, d) if isinstance(d, str) else field(1, d))
        for d in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def to_onnx(name, layers, shape):
    nodes, initializers, value = [], [], "image"
    for number, layer in enumerate(layers):
        out = "logits" if number == len(layers) - 1 else f"t{number}"
        if isinstance(layer, Scale):
            initializers.append(tensor("scale", np.float32(layer.divisor)))
            nodes.append(node("Div", [value, "scale"], [out]))
        elif isinstance(layer, (Dense, Conv)):
            w, b = f"w{number}", f"b{number}"
            initializers += [tensor(w, layer.w), tensor(b, layer.b)]
            if isinstance(layer, Dense):
                nodes.append(node("Gemm", [value, w, b], [out], transB=1))
            else:
                nodes.append(node("Conv", [value, w, b], [out],
                                  kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
        elif isinstance(layer, MaxPool):
            nodes.append(node("MaxPool", [value], [out], kernel_shape=[2, 2],
                              strides=[2, 2]))
        else:
            nodes.append(node(type(layer).__name__, [value], [out]))
        value = out
    graph = b"".join(field(1, n) for n in nodes) + field(2, name) + \
        b"".join(field(5, t) for t in initializers) + \
        field(11, value_info("image", ("batch",) + shape)) + \
        field(12, value_info("logits", ("batch", 10)))
    return field(1, 8) + field(2, "neuroc digits example") + \
        field(7, graph) + field(8, field(1, "") + field(2, 13))


def read_fields(data):
    at, out = 0, []
    def number():
        nonlocal at
        result = shift = 0
        while True:
            byte = data[at]
            at += 1
            result |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return result
    while at < len(data):
        key = number()
        if key & 7 == 0:
            out.append((key >> 3, number()))
        else:
            length = number()
            out.append((key >> 3, data[at:at + length]))
            at += length
    return out


def load_weights(path, layers):
    """Puts the initializers of an .onnx file into the layers."""
    graph = dict(read_fields(path.read_bytes()))[7]
    arrays = {}
    for number, body in read_fields(graph):
        if number == 5:
            parts = read_fields(body)
            dims = [v for n, v in parts if n == 1]
            parts = dict(parts)
            arrays[parts[8].decode()] = np.frombuffer(
                parts[9], "<f4").reshape(dims).astype(np.float64)
    for number, layer in enumerate(layers):
        if layer.params:
            layer.w, layer.b = arrays[f"w{number}"], arrays[f"b{number}"]
            layer.params = [layer.w, layer.b]


# --- the two modes -----------------------------------------------------------

def evaluate(layers, shape, images, labels):
    logits = forward(layers, images.reshape((len(images),) + shape))
    predictions = logits.argmax(1)
    return logits, predictions, float((predictions == labels).mean())


def fit(name):
    layers, shape, rng, epochs = MODELS[name]()
    (images, labels), test = load_split()
    train(layers, images.reshape((len(images),) + shape), labels, epochs, rng,
          1e-4)
    return layers, shape, test


def write_all():
    expected = {"split": "test: i % 5 == 4", "seed": SEED, "models": {}}
    _, (images, labels) = load_split()
    np.save(HERE / "data" / "test-images.npy", images.astype("<f4"))
    np.save(HERE / "data" / "test-labels.npy", labels.astype("<i4"))
    for name in MODELS:
        layers, shape, test = fit(name)
        path = HERE / f"{name}.onnx"
        path.write_bytes(to_onnx(name, layers, shape))
        load_weights(path, layers)  # as rounded to f32
        logits, predictions, accuracy = evaluate(layers, shape, *test)
        np.save(HERE / "data" / f"{name}-logits.npy", logits.astype("<f4"))
        expected["models"][name] = {
            "test_images": len(labels), "accuracy": round(accuracy, 6),
            "predictions": predictions.tolist()}
        print(f"{name}: {accuracy:.4f} of {len(labels)} test images, "
              f"{path.stat().st_size} bytes")
    (HERE / "expected.json").write_text(json.dumps(expected) + "\n")


def check():
    expected = json.loads((HERE / "expected.json").read_text())["models"]
    good = True
    for name in MODELS:
        layers, shape, _, _ = MODELS[name]()
        _, test = load_split()
        load_weights(HERE / f"{name}.onnx", layers)
        _, predictions, accuracy = evaluate(layers, shape, *test)
        same = predictions.tolist() == expected[name]["predictions"]
        layers, shape, test = fit(name)
        _, _, again = evaluate(layers, shape, *test)
        # Training sums in the order of the machine's BLAS; one image may move.
        close = abs(again - expected[name]["accuracy"]) < 1.5 / len(test[1])
        print(f"{name}: shipped file {accuracy:.4f} "
              f"({'as' if same else 'NOT as'} expected), trained again "
              f"{again:.4f} ({'reproduced' if close else 'NOT reproduced'})")
        good &= same and close
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true",
                        help="compare with the shipped files, write nothing")
    if parser.parse_args().check:
        sys.exit(0 if check() else 1)
    write_all()


if __name__ == "__main__":
    main()
