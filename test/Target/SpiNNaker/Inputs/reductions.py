# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# reductions.neuro in NumPy: what the tables must hold, for each run given.
import sys

import numpy as np

x = np.array([0.5, -1, 2, 0.25, 3, -2, 0, 1, -0.5, 1.5, 0.5, 3])


def ranks(values):
    order = sorted(range(len(values)), key=lambda i: (-values[i], i))
    return np.argsort(order)


def close(name, found, wanted, bound=1e-6):
    error = np.abs(found - wanted).max()
    assert error <= bound, f"{name}: {error}\n{found}\n{wanted}"


for folder in sys.argv[1:]:
    t = np.load(folder + "/tables.npz")
    get = {name: t[name][0] for name in t.files}
    e = np.exp(x - x.max())
    close("soft", get["soft"], e / e.sum())
    close("rank", get["rank"], ranks(x), 0)
    close("third", get["third"], np.sort(x)[-3])
    close("running", get["running"], np.cumsum(x))
    close("lse", get["lse"], np.log(np.exp(x).sum()))
    close("spread", get["spread"], x.max() - x.min())
    close("total4", get["total4"], np.repeat(x.reshape(3, 4).sum(1), 4))
    close("rank4", get["rank4"],
          np.concatenate([ranks(g) for g in x.reshape(3, 4)]), 0)
    w0, w1 = (get[k].reshape(20, 12) for k in ("w0", "w1"))
    y = np.tanh(w0 @ x)
    close("y", get["y"], y)
    new = w0 + 0.1 * 0.1 * np.outer(y, x)
    new /= np.sqrt((new ** 2).sum(1, keepdims=True))
    close("w1", w1, np.clip(new, -1, 1))
    w2, w3 = (get[k].reshape(20, 12) for k in ("w2", "w3"))
    close("w3", w3, np.clip(w2 - w2.max(1, keepdims=True), -1, 1))
    print("all as computed")
