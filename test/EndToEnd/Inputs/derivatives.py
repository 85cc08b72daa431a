# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Recorded derivatives against differences of runs with other parameters.

usage: derivatives.py NEUROC PROGRAM TARGET=BOUND…

The differences are of the reference interpreter, five points, so that their
own error is far below every bound; a BOUND is relative to the largest slope.
"""
import os
import subprocess
import sys
import tempfile

import numpy as np

PARAMETERS = {"gain0": (1.5, ""), "tau0": (5.0, "ms"), "start0": (0.25, ""),
              "level0": (0.5, "")}


def run(neuroc, program, target, *options):
    machine = ["--target=cpu", "--precision=f64"] if target == "cpu-f64" \
        else [f"--target={target}"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([neuroc, "run", program, f"--out={folder}", "-q",
                        *machine, *options], check=True)
        return {name: np.load(os.path.join(folder, name + ".npy"))
                for name in ["y"] + ["by_" + p for p in PARAMETERS]}


def main():
    neuroc, program = sys.argv[1:3]
    slopes = {}
    for name, (value, unit) in PARAMETERS.items():
        step = 0.004 * value

        def at(steps):
            moved = f"--set={name}={value + steps * step!r}{unit}"
            return run(neuroc, program, "reference", moved)["y"]

        slopes[name] = (at(-2) - 8 * at(-1) + 8 * at(1) - at(2)) / (12 * step)
    failed = False
    for argument in sys.argv[3:]:
        target, bound = argument.split("=")
        got = run(neuroc, program, target)
        for name, slope in slopes.items():
            scale = np.abs(slope).max()
            error = np.abs(got["by_" + name] - slope).max() / scale
            print(f"{target}: d y / d {name}: up to {scale:.3g}, "
                  f"error {error:.2g}")
            failed |= not scale > 1e-3 or not error <= float(bound)
    return 1 if failed else 0


sys.exit(main())
