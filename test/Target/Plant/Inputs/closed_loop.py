# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# loop.neuro in NumPy, written from what each tick does, for its first 100 ms.
# Arguments: bound, folders of runs.
import sys

import numpy as np

goal = np.array([1, -0.5])
w, p, v, count = np.ones(2), np.zeros(2), np.zeros(2), np.zeros(2)
position, gain, bump, fire, u = ([] for _ in range(5))


def ago(signal, n, delay):
    return signal[n - delay] if n >= delay else np.zeros(2)


for n in range(100):
    wind = np.array([0.5, -1]) if n >= 60 else np.zeros(2)
    count = count + np.array([[1, 0.5], [0.25, 1]]) @ ago(bump, n, 1)
    left = w * goal - ago(position, n, 2)
    u.append(np.clip(2 * left - count / 32, -2, 2))
    fire.append(left < 0)
    v = 0.9 * v + 0.1 * (u[n] + 0.5 * wind) + 0.25 * (-0.5 * ago(fire, n, 3))
    p = p + 0.1 * v
    position.append(p)
    bump.append((p > 0.5).astype(float))
    gain.append(1 - np.minimum(np.abs(p), 1))
    w = np.clip(w + ago(gain, n, 1) * goal / 128, 0, 4)

assert sum(map(np.sum, bump)) > 10 and sum(map(np.sum, fire)) > 10
bound = float(sys.argv[1])
for folder in sys.argv[2:]:
    t = np.load(folder + "/tables.npz")
    for name, wanted in (("p", p), ("w", w), ("count", count)):
        error = np.abs(t[name][0] - wanted).max()
        assert error <= bound, f"{folder}: {name} differs by {error}"
    trace = np.load(folder + "/m.position.npy")[:100]
    error = np.abs(trace - position).max()
    assert error <= bound, f"{folder}: a position differs by {error}"
    print("the loop as computed")
