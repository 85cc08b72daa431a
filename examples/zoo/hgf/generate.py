# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the arrays in data/: made series, and the CSV files as arrays. With
--check it only compares them."""
import os
import sys

import numpy as np

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "")


def coins(count=320):
    """Outcomes of probability 0.8 or 0.2 from a linear congruential generator;
    every 80 tosses the odds change, after 160 every 20."""
    state, out = 42, []
    for k in range(count):
        state = (1103515245 * state + 12345) % 2 ** 31
        likely = k < 80 or (k >= 160 and (k - 160) // 20 % 2 == 0)
        out.append(float(state / 2 ** 31 < (0.8 if likely else 0.2)))
    return np.array(out).reshape(-1, 1)


def wave(count=200):
    k = np.arange(count)
    x = 1 + 0.3 * np.sin(2 * np.pi * k / 40) + 0.5 * (k >= 100)
    return x.reshape(-1, 1)


def walk(count=300, omega=-2.0, precision=4.0):
    """A random walk of log-variance omega, observed with noise; for fits."""
    rng = np.random.default_rng(17)
    x = np.cumsum(rng.normal(0, np.exp(omega / 2), count))
    return (x + rng.normal(0, precision ** -0.5, count)).reshape(-1, 1)


def arrays():
    made = {"binary": coins(), "continuous": wave(), "walk": walk()}
    for name in ("usdchf", "binary_input"):
        made[name] = np.loadtxt(DATA + name + ".csv").reshape(-1, 1)
    return made


if __name__ == "__main__":
    for name, values in arrays().items():
        if sys.argv[1:] == ["--check"]:
            assert np.array_equal(np.load(DATA + name + ".npy"), values), name
        else:
            np.save(DATA + name + ".npy", values)
