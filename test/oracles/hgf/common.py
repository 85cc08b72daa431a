# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What all checks share: their names, comparisons, and the record of a run."""
import os

import numpy as np

from spec import arrays, run

DOUBLE = ("reference", "cpu-f64")
SCHEMES = ("standard", "mean_first", "enhanced", "unbounded")
CHECKS = {}
if os.environ.get("HGF_TARGETS"):
    DOUBLE = tuple(os.environ["HGF_TARGETS"].split(","))
ALL = DOUBLE + ("cpu",) if "cpu-f64" in DOUBLE else DOUBLE


def check(f):
    CHECKS[f.__name__] = f
    return f


def close(got, want, tolerance, what=""):
    got, want = np.asarray(got, float), np.asarray(want, float)
    assert got.shape == want.shape, (what, got.shape, want.shape)
    error = np.max(np.abs(got - want) / np.maximum(1, np.abs(want)))
    assert error <= tolerance, f"{what}: off by {error:.3e}\n{got}\n{want}"
    return error


def program(spec, data, dts, target):
    """Runs a spec; the records by name, one value per tick."""
    files = arrays(spec, data, dts)
    got = run(spec.text(len(dts)), files, target)
    return {k: v.reshape(-1) for k, v in got.items()
            if isinstance(v, np.ndarray)}


def sane_steps(trajectories):
    """How many steps a filter stays where its numbers mean something."""
    good = len(next(iter(trajectories.values())))
    for name, v in trajectories.items():
        bad = ~(np.abs(v) < 1e3)
        if name.endswith(".precision"):
            bad |= v <= 0
        if bad.any():
            good = min(good, int(np.argmax(bad)))
    return good
