#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Streams on the CPU against NumPy: streams.py BUILD

Compiles the networks of this folder, runs each for some thousand rows, computes
the same rows with NumPy here, checks that both end with the same values, and
prints for each the median and spread of nanoseconds per row (CPU time of one
thread) and the ratio.
Writes BUILD/bench/streams.json.
"""
import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
REPEATS = 5


def numbers(folder, name, *shape):
    return np.fromfile(os.path.join(folder, name)).reshape(shape)


def filter_rows(u):
    """Three levels of belief for rows [row, lane] of outcomes, in NumPy; one
    lane goes by Python's own numbers, which are faster than arrays of one."""
    lanes = u.shape[1]
    if lanes == 1:
        rows, exp, most = u[:, 0].tolist(), math.exp, max
        clip = lambda x: min(max(x, 1e-6), 1 - 1e-6)
        m2, p2, m3, p3 = 0.0, 1.0, 0.0, 1.0
    else:
        rows, exp, most = u, np.exp, np.maximum
        clip = lambda x: np.clip(x, 1e-6, 1 - 1e-6)
        m2, p2, m3, p3 = (np.full(lanes, v) for v in (0.0, 1.0, 0.0, 1.0))
    walk3 = math.exp(-4.0)
    for value in rows:
        ph3 = 1 / (1 / p3 + walk3)
        walk2 = exp(m3 - 2.0)
        s2 = 1 / p2
        ph2 = 1 / (s2 + walk2)
        guess = clip(1 / (1 + exp(-m2)))
        p2 = ph2 + guess * (1 - guess)
        move = (value - guess) / p2
        m2 = m2 + move
        spread = 1 / p2 + move * move
        m3 = m3 + 0.5 * walk2 * ph2 * (ph2 * spread - 1) / ph3
        walk = exp(m3 - 2.0)
        pace = 1 / (s2 + walk)
        share = walk * pace
        p3 = ph3 + most(0.0, 0.5 * share * (
            share + (walk - s2) * pace * (spread * pace - 1)))
    return {"x2.mean": m2, "x3.mean": m3}


def sweep_rows(x, y, w1, w2):
    """The 64-128-64 net in f32, one sample after the other."""
    eta = np.float32(0.01)
    for row in range(len(x)):
        a = np.tanh(w1 @ x[row])
        e = y[row] - w2 @ a
        d = (1 - a * a) * (w2.T @ e)
        w1 += eta * np.outer(d, x[row])
        w2 += eta * np.outer(e, a)
    return {"e.error": e}


def filter_case(folder, lanes, rows):
    u = numbers(folder, "u.in", rows, lanes)
    return lambda: filter_rows(u)


def sweep_case(folder, lanes, rows):
    single = lambda name, *shape: numbers(folder, name, *shape).astype("f4")
    x, y = single("x.in", rows, 64), single("y.in", rows, 64)
    w1, w2 = single("W1.weight", 128, 64), single("W2.weight", 64, 128)
    return lambda: sweep_rows(x, y, w1.copy(), w2.copy())


# name, network, lanes, rows, arguments, NumPy, largest difference
CASES = [
    ("binary filter, 3 levels, one series", "binary3.neuro", 1, 4096,
     ["--whole"], filter_case, 1e-4),
    ("binary filter, 3 levels, 64 series", "binary3.neuro", 64, 1024,
     ["--whole"], filter_case, 1e-4),
    ("64-128-64 net, sample by sample", "sweep.neuro", 1, 1024,
     ["--low", "-1"], sweep_case, 1e-4),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    build = os.path.abspath(parser.parse_args().build)
    tools = os.path.join(build, "bin")
    report = {"schema": "neuroc-bench-streams", "version": 1,
              "processor": platform.processor(), "numpy": np.__version__,
              "runs": []}
    failed = False
    for name, network, lanes, rows, arguments, case, bound, real in [
            (*c, real) for c in CASES for real in ("f32", "f64")]:
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "program.nrx")
            subprocess.run(
                [os.path.join(tools, "neuroc"), "compile", "-q",
                 os.path.join(HERE, network), "-o", program,
                 f"--precision={real}"]
                + ([f"--set=lanes={lanes}"] if lanes > 1 else []), check=True)
            done = subprocess.run(
                [os.path.join(tools, "stream-bench"), program, "--rows",
                 str(rows), "--dump", folder] + arguments, check=True,
                stdout=subprocess.PIPE)
            times = json.loads(done.stdout)
            run = case(folder, lanes, rows)
            peers, results = [], None
            for _ in range(REPEATS):
                start = time.thread_time_ns()
                results = run()
                peers.append((time.thread_time_ns() - start) / rows)
            error = max(
                float(np.max(np.abs(np.ravel(value) - numbers(
                    folder, probe + ".out", -1))))
                for probe, value in results.items())
        failed |= not error <= bound
        median = times["silent_ns"]["median"]
        peer = statistics.median(peers)
        report["runs"].append({
            "name": name, "real": real, "lanes": lanes, "rows": rows, **times,
            "numpy_ns": {"median": peer, "min": min(peers), "max": max(peers)},
            "speedup": peer / median, "largest_difference": error})
        per = f" ({median / lanes:.2f} per lane)" if lanes > 1 else ""
        print(f"{name}, {real}: {median:.1f} ns a row{per}, "
              f"{times['silent_ns']['min']:.1f} to "
              f"{times['silent_ns']['max']:.1f}, recorded "
              f"{times['recorded_ns']['median']:.1f}; {rows} rows in "
              f"{median * rows / 1e6:.3f} ms; NumPy {peer:.0f} ns, "
              f"{peer / median:.0f} times as long; difference {error:.1e}"
              + ("" if error <= bound else f" EXCEEDS {bound}"))
        sys.stdout.flush()
    os.makedirs(os.path.join(build, "bench"), exist_ok=True)
    with open(os.path.join(build, "bench", "streams.json"), "w") as stream:
        json.dump(report, stream, indent=2)
        stream.write("\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
