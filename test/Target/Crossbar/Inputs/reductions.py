# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# reductions.neuro in NumPy: what the tables must hold, for each run given.
import sys

import numpy as np

small = np.array([0.5, -1, 2, 0.25, 3, -2, 0, 1, -0.5, 1.5, 0.75, -3])


def ranks(values):
    order = sorted(range(len(values)), key=lambda i: (-values[i], i))
    return np.argsort(order)


for folder in sys.argv[1:]:
    t = np.load(folder + "/tables.npz")
    get = {name: t[name][0] for name in t.files}

    def close(name, wanted, bound=2e-6):
        error = np.abs(get[name] - wanted).max()
        assert error <= bound, f"{name}: {error}\n{get[name]}\n{wanted}"

    for prefix, x in ("", small), ("long_", get["x"]):
        e = np.exp(x - x.max())
        close(prefix + "soft", e / e.sum())
        close(prefix + "rank", ranks(x), 0)
        close(prefix + "third", np.sort(x)[-3])
        close(prefix + "running", np.cumsum(x), 2e-5 if prefix else 2e-6)
        close(prefix + "lse", np.log(e.sum()) + x.max())
        close(prefix + "spread", x.max() - x.min())
    close("total4", np.repeat(small.reshape(3, 4).sum(1), 4))
    close("rank4", np.concatenate([ranks(g) for g in small.reshape(3, 4)]), 0)
    print("all as computed")
