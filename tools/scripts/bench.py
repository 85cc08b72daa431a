#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the examples on every target and records what it took.

Writes <build>/bench/examples.json: machine, commit, and per model and target
the median and spread of several runs' wall seconds, with cycles and energy.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODELS = ["digits/digits-mlp", "digits/digits-cnn", "balanced/cuba",
          "predictive-coding/two-layer", "hebbian/memory", "hebbian/oja"]


def text(*command):
    try:
        return subprocess.run(command, cwd=ROOT, text=True, check=True,
                              stdout=subprocess.PIPE).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def processor():
    with open("/proc/cpuinfo") as stream:
        for line in stream:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def measure(neuroc, model, target, repeats):
    runs = []
    for _ in range(repeats):
        done = subprocess.run([neuroc, "run", model, f"--target={target}", "--stats=json"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if done.returncode not in (0, 4):
            return {"error": done.returncode}
        runs.append(json.loads(done.stdout))
    walls = sorted(r["wall_s"] for r in runs)
    keep = ("ticks", "bio_s", "spikes", "synaptic_events", "cycles", "energy_j", "overruns")
    return {"wall_s_median": statistics.median(walls), "wall_s_min": walls[0],
            "wall_s_max": walls[-1], "repeats": repeats,
            **{k: runs[0][k] for k in keep if k in runs[0]}}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--targets", default="reference,cpu,spinnaker,crossbar")
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    neuroc = os.path.join(build, "bin", "neuroc")
    report = {"schema": "neuroc-bench", "version": 1, "processor": processor(),
              "cores": os.cpu_count(), "commit": text("git", "rev-parse", "HEAD"),
              "compiler": text(neuroc, "--version").split("\n")[0], "runs": []}
    for name in MODELS:
        for target in arguments.targets.split(","):
            model = os.path.join(ROOT, "examples", name + ".neuro")
            row = {"model": name, "target": target,
                   **measure(neuroc, model, target, arguments.repeats)}
            report["runs"].append(row)
            if "error" in row:
                print(f"{name:32} {target:10} failed with exit code {row['error']}")
            else:
                print(f"{name:32} {target:10} {row['wall_s_median']:.4g} s "
                      f"({row['wall_s_min']:.4g} to {row['wall_s_max']:.4g})")
            sys.stdout.flush()
    os.makedirs(os.path.join(build, "bench"), exist_ok=True)
    path = os.path.join(build, "bench", "examples.json")
    with open(path, "w") as stream:
        json.dump(report, stream, indent=2)
        stream.write("\n")
    print("written: " + os.path.relpath(path, ROOT))


if __name__ == "__main__":
    main()
