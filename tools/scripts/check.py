#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs every test of a build directory and ends with one line of totals.

Three runners: CTest's list (GoogleTest programs and scripts), lit, pytest.
Each prints its own summary; the last line is `N passed, N failed`.
"""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# NumPy and pytest are those of the system (tools/scripts/install-deps.sh).
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


def run_ctest_entry(test):
    """Returns (name, passed, failed, skipped, seconds, output)."""
    properties = {p["name"]: p["value"] for p in test.get("properties", [])}
    cwd = properties.get("WORKING_DIRECTORY")
    limit = properties.get("TIMEOUT", 1200)
    started = time.time()
    try:
        done = subprocess.run(test["command"], cwd=cwd, timeout=limit, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              errors="replace")
        output, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
        output, code = output + f"\ntimed out after {limit} s\n", 124
    except (OSError, KeyError) as problem:
        output, code = str(problem), 127
    seconds = time.time() - started

    def count(word):
        found = re.findall(r"^\[  " + word + r"  \] (\d+) tests?", output, re.M)
        return int(found[-1]) if found else None

    passed, failed, skipped = count("PASSED"), count("FAILED"), count("SKIPPED")
    if passed is None:
        # A script may print its own totals as `N passed, N failed`.
        own = re.findall(r"(\d+) passed, (\d+) failed", output)
        passed, failed = map(int, own[-1]) if own else (int(code == 0), 0)
    failed = failed or 0
    if code != 0 and failed == 0:
        failed = 1  # a crash, or a runner that fails without saying so
    return test["name"], passed, failed, skipped or 0, seconds, output


def run_ctest(build, jobs):
    listing = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"],
                             capture_output=True, text=True, check=True)
    tests = json.loads(listing.stdout)["tests"]
    passed = failed = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for name, good, bad, skip, seconds, output in pool.map(run_ctest_entry, tests):
            passed, failed, skipped = passed + good, failed + bad, skipped + skip
            note = f", {skip} skipped" if skip else ""
            print(f"  {name}: {good} passed, {bad} failed{note} ({seconds:.1f} s)")
            if bad:
                print("\n".join("    | " + line for line in output.splitlines()[-60:]))
            else:
                # Lines a test wants seen even when it passes.
                for line in output.splitlines():
                    if line.startswith("REPORT: "):
                        print("    " + line[8:])
            sys.stdout.flush()
    print(f"unit: {passed} passed, {failed} failed, {skipped} skipped")
    return passed, failed


def run_lit(build, jobs):
    suite = os.path.join(build, "test")
    if not os.path.exists(os.path.join(suite, "lit.site.cfg.py")):
        print("lit: not part of this build")
        return 0, 0
    result = os.path.join(build, "lit.json")
    if os.path.exists(result):
        os.remove(result)
    lit = "/usr/lib/llvm-22/bin/lit"
    subprocess.run([lit, "-sv", f"-j{jobs}", f"--output={result}", suite])
    if not os.path.exists(result):
        print("lit: 0 passed, 1 failed (the runner itself did not finish)")
        return 0, 1
    with open(result) as stream:
        codes = [t["code"] for t in json.load(stream)["tests"]]
    passed = codes.count("PASS")
    unsupported = codes.count("UNSUPPORTED")
    failed = len(codes) - passed - unsupported - codes.count("XFAIL")
    print(f"lit: {passed} passed, {failed} failed, {unsupported} unsupported here")
    return passed, failed


def run_pytest(build):
    folders = [f for f in ("test/Python", "python/tests")
               if os.path.isdir(os.path.join(ROOT, f))]
    if not folders or not os.path.exists(os.path.join(build, "bin", "neuroc")):
        return 0, 0
    environment = dict(os.environ, NEUROC=os.path.join(build, "bin", "neuroc"),
                       PYTHONPATH=os.path.join(ROOT, "python"),
                       PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run([PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                           *folders], cwd=ROOT, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    tail = done.stdout.strip().splitlines()[-1:] or [""]
    number = lambda word: sum(map(int, re.findall(rf"(\d+) {word}", tail[0])))
    passed, failed = number("passed"), number("failed") + number("errors?")
    if done.returncode != 0:
        failed = max(failed, 1)
        print(done.stdout)
    print(f"pytest: {passed} passed, {failed} failed")
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", help="build directory, for example build/release")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 2)
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    started = time.time()
    passed = failed = 0
    for runner in (lambda: run_ctest(build, arguments.jobs),
                   lambda: run_lit(build, arguments.jobs),
                   lambda: run_pytest(build)):
        good, bad = runner()
        passed, failed = passed + good, failed + bad
    print(f"tests took {time.time() - started:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
