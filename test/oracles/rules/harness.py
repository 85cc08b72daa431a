# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Oracles of learning rules: run a program on a target, compare with NumPy.

An oracle is a function that gets `run` and returns rows (what, got, expected).
`run(program, name=array, ...)` puts the arrays beside the program as
`name.npy`, compiles and runs it, and returns the tables that it read out.
The decorator names the targets with the largest difference that is allowed.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np

TARGETS = {
    "reference": ["--target=reference"],
    "cpu-f64": ["--target=cpu", "--precision=f64"],
    "cpu": ["--target=cpu"],
    "spinnaker": ["--target=spinnaker"],
    "crossbar": ["--target=crossbar"],
}
oracles = []


class Failure(Exception):
    pass


def oracle(exact=1e-12, rules="", **bounds):
    """`exact` is the bound on reference and cpu-f64; others by keyword.

    `rules` are the library's rules, models and circuits that are covered.
    """
    limits = {"reference": exact, "cpu-f64": exact, **bounds}

    def add(function):
        oracles.append((function, limits, rules.split()))
        return function
    return add


class Runner:
    def __init__(self, neuroc, target, library=None):
        self.neuroc, self.target, self.library = neuroc, target, library

    def __call__(self, program, sets=(), config=(), **arrays):
        environment = dict(os.environ)
        if self.library:
            environment["NEUROC_LIBRARY_PATH"] = self.library
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "program.neuro")
            with open(path, "w") as file:
                file.write(program)
            for name, array in arrays.items():
                np.save(os.path.join(folder, name + ".npy"),
                        np.array(array, dtype=float, order="C"))
            out = os.path.join(folder, "out")
            command = [self.neuroc, "run", path, "--out=" + out, "-q"]
            command += TARGETS[self.target]
            if self.target != "reference":
                command += ["-o", os.path.join(folder, "program.nrx")]
            command += ["--set=" + s for s in sets]
            for pair in config:
                command += ["--config", pair]
            done = subprocess.run(command, capture_output=True, text=True,
                                  env=environment)
            if done.returncode != 0:
                raise Failure(done.stdout + done.stderr)
            tables = os.path.join(out, "tables.npz")
            if not os.path.exists(tables):
                return {}
            with np.load(tables) as archive:
                return {k: archive[k] for k in archive.files}


def difference(got, expected):
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    if got.size != expected.size:
        raise Failure(f"{got.shape} values instead of {expected.shape}")
    error = np.abs(got.ravel() - expected.ravel())
    if error.size == 0 or not np.isfinite(error).all():
        return np.inf
    return float(error.max())


def check(neuroc, function, target, bound, library=None):
    """The lines of a report and whether all is well."""
    lines, good = [], True
    # Every target gets the same random data.
    function.__globals__["rng"] = np.random.default_rng(7)
    try:
        for what, got, expected in function(Runner(neuroc, target, library)):
            error = difference(got, expected)
            good = good and error <= bound
            mark = "ok    " if error <= bound else "FAILED"
            lines.append(f"{mark} {target:10} {function.__name__}: {what}: "
                         f"{error:.3g}, at most {bound:g}")
    except Failure as failure:
        good = False
        lines.append(f"FAILED {target:10} {function.__name__}:\n{failure}")
    return lines, good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--neuroc", default="neuroc")
    parser.add_argument("--target", help="only this one")
    parser.add_argument("--only", help="only oracles with this in their name")
    options = parser.parse_args()
    failed = 0
    for function, limits, _ in oracles:
        if function.__module__ != "__main__" or (
                options.only and options.only not in function.__name__):
            continue
        for target, bound in limits.items():
            if options.target and target != options.target:
                continue
            lines, good = check(options.neuroc, function, target, bound)
            print("\n".join(lines), flush=True)
            failed += not good
    if failed:
        sys.exit(f"{failed} oracles failed")
