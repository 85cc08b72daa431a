# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Counter-current learning and backpropagation in NumPy, float64.

    python3 oracle.py              60 epochs of both, and of five layers
    python3 oracle.py check RUN    follows the weights of a run of follow.neuro
                                   (its first four batches), written from the
                                   equations of README.md
"""
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SCALE, CLASSES = 128.0, 10  # scale of the local losses


def elu(z):
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def slope(z):
    return np.where(z > 0, 1.0, np.exp(np.minimum(z, 0)))


def load(half):
    def read(name):
        return np.load(os.path.join(HERE, "data", f"{half}-{name}.npy"))
    return read("images").astype(float)/16, read("classes")


def forward(W, x):
    a, z = [x], [None]
    for l, w in enumerate(W):
        z.append(a[-1] @ w.T)
        a.append(elu(z[-1]) if l + 1 < len(W) else z[-1])
    return a, z


def softmax(z):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p/p.sum(axis=1, keepdims=True)


def clipped(grads, limit=1.0):
    norm = np.sqrt(sum((g**2).sum() for g in grads))
    return [g*min(1.0, limit/norm) for g in grads]


def ccl_gradients(W, B, x, target):
    """Of the forward and the feedback net; `B[l]` maps level l + 1 to l."""
    L = len(W)
    a, z = forward(W, x)
    b, v = [None]*(L + 1), [None]*(L + 1)
    b[L] = np.eye(CLASSES)
    for l in reversed(range(L)):
        v[l] = b[l + 1] @ B[l].T
        b[l] = elu(v[l]) if l > 0 else v[l]
    dW = [np.zeros_like(w) for w in W]
    dB = [np.zeros_like(w) for w in B]
    for l in range(L):
        G = 2*SCALE/(len(x)*CLASSES*a[l].shape[1])*(a[l] @ b[l].T - target)
        if l > 0:
            dW[l - 1] = ((G @ b[l])*slope(z[l])).T @ a[l - 1]
        back = G.T @ a[l]
        dB[l] = (back*slope(v[l]) if l > 0 else back).T @ b[l + 1]
    dW[L - 1] = (softmax(a[L]) - target).T @ a[L - 1]/len(x)
    return dW, dB


def bp_gradients(W, x, target):
    a, z = forward(W, x)
    delta, dW = (softmax(a[-1]) - target)/len(x), []
    for l in reversed(range(len(W))):
        dW.insert(0, delta.T @ a[l])
        if l > 0:
            delta = (delta @ W[l])*slope(z[l])
    return dW


def accuracy(W, x, classes):
    shown = forward(W, x)[0][-1]
    return float((shown.argmax(axis=1) == classes.argmax(axis=1)).mean())


def start(rng, sizes):
    W = [rng.normal(0, i**-0.5, (o, i)) for i, o in zip(sizes, sizes[1:])]
    B = [rng.normal(0, o**-0.5, (i, o)) for i, o in zip(sizes, sizes[1:])]
    return W, B


def train(W, B, x, classes, order, lr=0.3, batch=32, limit=1.0):
    """One epoch; B = None is backpropagation."""
    for k in range(0, len(order) - batch + 1, batch):
        rows = order[k:k + batch]
        if B is None:
            dW = bp_gradients(W, x[rows], classes[rows])
        else:
            dW, dB = ccl_gradients(W, B, x[rows], classes[rows])
            for w, g in zip(B, clipped(dB, limit)):
                w -= lr*g
        for w, g in zip(W, clipped(dW, limit)):
            w -= lr*g


def check(folder):
    """The largest difference of any weight after 1, 2, 3 and 4 batches."""
    tables = np.load(os.path.join(folder, "tables.npz"))
    sizes = [64, 64, 64, 10]
    names = ["W1", "W2", "W3", "B1", "B2", "B3"]
    shapes = list(zip(sizes[1:], sizes)) + list(zip(sizes, sizes[1:]))
    course = {n: tables[n + "_course"].reshape(-1, *s)
              for n, s in zip(names, shapes)}
    weights = [course[n][0].copy() for n in names]
    x, classes = load("train")
    worst = 0.0
    for k in range(4):
        train(weights[:3], weights[3:], x, classes,
              np.arange(32*k, 32*k + 32))
        worst = max([worst] + [np.abs(w - course[n][k + 1]).max()
                               for n, w in zip(names, weights)])
    moved = np.abs(weights[0] - course["W1"][0]).max()
    print(f"largest difference {worst:.3g}, weights moved by {moved:.3g}")
    return 0 if worst < 1e-12 and moved > 0.01 else 1


def main():
    if sys.argv[1:2] == ["check"]:
        sys.exit(check(sys.argv[2]))
    (x, classes), test = load("train"), load("test")
    for sizes in ([64, 64, 64, 10], [64, 64, 64, 64, 64, 10]):
        for name in ("ccl", "bp"):
            rng = np.random.default_rng(0)
            W, B = start(rng, sizes)
            for _ in range(60):
                train(W, B if name == "ccl" else None, x, classes,
                      rng.permutation(1408))
            print(f"{name} {'-'.join(map(str, sizes))}: {accuracy(W, *test):.4f}")


if __name__ == "__main__":
    main()
