# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The same computation with NumPy, from the initial weights of a run.

    neuroc run first.neuro --precision=f64 --out run
    python3 oracle.py run
"""
import sys
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "../../digits/data"
LAST = [(24, 44), (60, 100), (40, 70)]  # frozen rows, used rows


def steps(t):
    """W, H and outputs after three batches."""
    images = np.load(DATA / "digits-images.npy") / 16.0
    labels = np.load(DATA / "digits-labels.npy")
    order, view = t["order"].ravel().astype(int), t["view"].ravel().astype(int)
    w = [t["W1"][0].reshape(200, 64), t["W2"][0].reshape(200, 200),
         t["W3"][0].reshape(10, 200)]
    h = [t[f"H{l + 1}"][0].reshape(-1, w[l].shape[1]) for l in range(3)]
    m = [np.zeros_like(x) for x in h]
    votes = []
    for b in range(3):
        which = order[32 * b:32 * b + 32]
        x, goal = images[which][:, view], np.eye(10)[labels[which]]
        v1, v2 = np.zeros((32, 200)), np.zeros((32, 200))
        a = [np.zeros((32, k.shape[1])) for k in w]
        gradient = [np.zeros_like(k) for k in w]
        total = 0
        for _ in range(6):
            v1 = 0.5 * v1 + x @ w[0].T
            s1 = (v1 >= 1) * 1.0
            v2 = 0.5 * v2 + s1 @ w[1].T
            s2 = (v2 >= 1) * 1.0
            u = s2 @ w[2].T
            total = total + u
            e = np.exp(u - u.max(1, keepdims=True))
            error = (goal - e / e.sum(1, keepdims=True)) / 6
            slope2, slope1 = (4 * s * (1 - s) for s in (
                1 / (1 + np.exp(-4 * (v - 1))) for v in (v2, v1)))
            delta2 = (error @ w[2]) * slope2
            delta1 = (delta2 @ w[1]) * slope1
            for l, (spikes, d) in enumerate(((x, delta1), (s1, delta2),
                                             (s2, error))):
                a[l] = 0.5 * a[l] + spikes
                frozen = h[l][:LAST[l][0]]
                rest = a[l] - (a[l] @ frozen.T) @ frozen
                gradient[l] += d.T @ rest / 32
            v1, v2 = v1 - s1, v2 - s2
        for l in range(3):
            w[l] = w[l] + 0.3 * gradient[l]
            old, used = LAST[l]
            for _ in range(5):
                y = a[l] @ h[l][:used].T
                left = a[l] - y @ h[l][:used]
                change = np.zeros_like(h[l])
                each = y[:, old:, None] * left[:, None, :]
                change[old:used] = np.clip(each, -10, 10).mean(0)
                m[l] = 0.9 * m[l] + 0.1 * change
                h[l] = h[l] + 0.01 * m[l]
        votes.append(total)
    return w, h, votes


def main(run):
    with np.load(Path(run) / "tables.npz") as archive:
        tables = {k: archive[k] for k in archive.files}
    w, h, votes = steps(tables)
    worst = 0
    for name, got, want in (
            [(f"W{l + 1}", tables[f"W{l + 1}"][1], w[l]) for l in range(3)]
            + [(f"H{l + 1}", tables[f"H{l + 1}"][1], h[l]) for l in range(3)]
            + [("votes", tables["votes"], votes)]):
        error = np.abs(got.ravel() - np.asarray(want).ravel()).max()
        moved = (1 if name == "votes" else
                 np.abs(tables[name][1] - tables[name][0]).max())
        print(f"{name}: difference {error:.2g}, moved {moved:.2g}")
        worst = max(worst, error, 0 if moved > 1e-3 else 1)
    sys.exit(0 if worst <= 1e-9 else "the program and NumPy differ")


if __name__ == "__main__":
    main(sys.argv[1])
