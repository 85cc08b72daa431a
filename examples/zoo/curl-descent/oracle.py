# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Eigenvalues of curl descent's fixed points, and its training in NumPy.

    python3 oracle.py stability RUN M N   a run of stability.neuro
    python3 oracle.py train RUN READOUT HIDDEN EPOCHS   a run of train.neuro
"""
import os
import sys

import numpy as np

EPSILON = 1e-4
CONDITIONS = {20: [(0, 0), (.1, 0), (.2, 0), (.3, 0), (.4, 0), (0, .05), (0, 1)],
              100: [(0, 0), (0, .01)]}
# Sign of the mean largest real part of an eigenvalue of -M: -1 is stable.
SIGNS = {20: [-1, -1, -1, 1, 1, -1, -1], 100: [-1, 1]}


def flips(fraction, n):
    return np.where(np.arange(n) < fraction*n - 0.5, -1.0, 1.0)


def stability(folder, m, n):
    tables = np.load(os.path.join(folder, "tables.npz"))
    cases = CONDITIONS[m]
    f = tables["f"].reshape(-1, len(cases), m, m)
    worst, largest = 0.0, np.zeros((len(f), len(cases)))
    for k in range(len(f)):
        W1 = tables["start1"][k].reshape(n, m)
        W2 = tables["start2"][k].reshape(1, n)
        for c, (readout, hidden) in enumerate(cases):
            # Row j: f after a tick that began at epsilon e_j.
            measured = (np.eye(m) - f[k, c]/EPSILON)
            D1, D2 = flips(hidden, m), flips(readout, n)
            M = (W2**2).sum()*np.diag(D1) + W1.T @ np.diag(D2) @ W1
            worst = max(worst, np.abs(measured - M).max())
            largest[k, c] = np.linalg.eigvals(-measured).real.max()
    good = worst < 1e-3
    print(f"({m}, {n}): measured and derived M differ by at most {worst:.2g}")
    for c, (readout, hidden) in enumerate(cases):
        mean = largest[:, c].mean()
        good = good and np.sign(mean) == SIGNS[m][c]
        print(f"read-out flips {readout:4.0%}, input flips {hidden:4.0%}: "
              f"{mean:+.1f} ({'un' if mean > 0 else ''}stable)")
    return good


def train(folder, readout, hidden, epochs):
    """The first epochs by plain loops (later ones amplify rounding)."""
    tables = np.load(os.path.join(folder, "tables.npz"))
    X, T1, T2, W1, W2 = (tables[k] for k in ("x0", "t1", "t2", "w1", "w2"))
    X, W1 = X.reshape(250, 20), W1.reshape(199, 20)
    W2 = W2.reshape(1, 199)
    Y = X @ T1.reshape(199, 20).T @ T2.reshape(1, 199).T
    D1, D2 = np.ones(20), np.ones(199)
    D1[:hidden], D2[:readout] = -1, -1
    n1, n2, errors = np.linalg.norm(W1), np.linalg.norm(W2), []
    for k in range(epochs + 1):
        H = X @ W1.T
        e = Y - H @ W2.T
        if k % 100 == 0:
            errors.append((e**2).mean())
        dW2, dW1 = e.T @ H/250*D2, (e @ W2).T @ X/250*D1
        W1, W2 = W1 + 0.1*dW1, W2 + 0.1*dW2
        W1 = W1*n1/np.linalg.norm(W1)
        W2 = W2*n2/np.linalg.norm(W2)
    got = tables["error"].ravel()[:len(errors)]
    print("errors", got, "expected", errors)
    return np.allclose(got, errors, rtol=1e-6, atol=1e-28)


if __name__ == "__main__":
    what, folder, *numbers = sys.argv[1:]
    task = {"stability": stability, "train": train}[what]
    sys.exit(0 if task(folder, *map(int, numbers)) else 1)
