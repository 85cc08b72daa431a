# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The dynamics of README.md in NumPy, from the initial weights that a run of
# the experiment `check` kept, against what that run found:
#   neuroc run ei-reservoir.neuro --experiment=check --out run
#   python3 oracle.py run
import sys
from pathlib import Path

import numpy as np


def simulate(excitation, inhibition, drive, u):
    """Mean rates, and inhibition per unit at the end."""
    v = np.zeros(len(excitation))
    links = inhibition > 0
    total = np.zeros_like(v)
    for x in u:
        r = 1 / (1 + np.exp(-10 * v))
        total += r
        v = excitation @ r - inhibition @ r + drive * x
        changed = np.maximum(1e-6, inhibition + 1e-3 * (r[:, None] - 0.5))
        inhibition = np.where(links, changed, 0)
    return total / len(u), inhibition.sum(axis=1)


def main():
    tables = np.load(Path(sys.argv[1]) / "tables.npz")
    n = tables["rates"].size
    shape = (n, n)
    rates, inhibition = simulate(tables["first_excitation"].reshape(shape),
                                 tables["first_inhibition"].reshape(shape),
                                 tables["first_drive"].ravel(), tables["shown"].ravel())
    print("links per unit", int((tables["first_excitation"].reshape(shape) > 0).sum(1).min()),
          int((tables["first_inhibition"].reshape(shape) > 0).sum(1).max()))
    print("largest difference of rates",
          "small" if np.abs(rates - tables["rates"].ravel()).max() < 1e-5 else "LARGE")
    print("largest difference of inhibition",
          "small" if np.abs(inhibition - tables["inhibition"].ravel()).max() < 1e-5 else "LARGE")


if __name__ == "__main__":
    main()
