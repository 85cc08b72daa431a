#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fuzzes the parsers, and the targets with random networks, for a while."""
import argparse
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    with open(os.path.join(build, "fuzz-corpus.txt")) as stream:
        corpus = stream.read().split()
    code = subprocess.run([os.path.join(build, "bin", "fuzz-parsers"), "--rounds",
                           str(arguments.rounds), "--seed", str(arguments.seed), "--save",
                           os.path.join(build, "fuzz-crash.bin"), *corpus]).returncode
    neuroc = os.path.join(build, "bin", "neuroc")
    for script in ("random_networks.py", "graded_networks.py"):
        path = os.path.join(ROOT, "test", "fuzz", script)
        if os.path.exists(path):
            count = max(10, arguments.rounds // 400)
            code |= subprocess.run([sys.executable, path, neuroc, "--count", str(count),
                                    "--first", str(arguments.seed)]).returncode
    return 1 if code else 0


if __name__ == "__main__":
    sys.exit(main())
