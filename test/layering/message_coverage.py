#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Is every error message of the compiler provoked by a test?

Collects the texts that lib/ and dialects/ (and the runtime's readers) put into
errors, and looks for the longest fixed part of each in the files under test/.
Prints those that no test mentions. `--allow N` is the number that may remain;
the suite lowers it, never raises it.
"""
import argparse
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STRING = r'"((?:\\.|[^"\\\n])*)"'
START = re.compile(r"\b(emitOpError|emitError|mlir::emitError|InFlightDiagnostic|fail|error|bad)\s*\(")


def walk(folders, suffixes):
    for folder in folders:
        for base, _, names in sorted(os.walk(os.path.join(ROOT, folder))):
            for name in sorted(names):
                if name.endswith(suffixes):
                    yield os.path.join(base, name)


def statement(text, start):
    """From `start` to the semicolon that ends the statement, strings respected."""
    at, quote = start, False
    while at < len(text) and at < start + 1500:
        c = text[at]
        if quote:
            if c == "\\":
                at += 1
            elif c == '"':
                quote = False
        elif c == '"':
            quote = True
        elif c in ";{":
            return text[start:at]
        at += 1
    return text[start:at]


def messages(path):
    with open(path, errors="replace") as stream:
        text = re.sub(r"^\s*//[^\n]*", "", stream.read(), flags=re.M)
    for found in START.finditer(text):
        if found.group(1) in ("fail", "error", "bad") and \
                not path.endswith((".cpp",)):
            continue
        line = text.count("\n", 0, found.start()) + 1
        body = statement(text, found.start())
        # Adjacent literals are one; `<<` and `+` separate.
        body = re.sub(r'"\s*\n?\s*"', "", body)
        parts = [p.replace('\\"', '"').replace("\\n", "\n") for p in
                 re.findall(STRING, body)]
        fixed = [q.strip() for p in parts for q in re.split(r"\{\d*\}|'|\n|%[-\d.]*\w", p)]
        fixed = [q for q in fixed if len(q) >= 6 and re.search(r"[a-z]{3}", q)]
        if fixed:
            yield line, max(fixed, key=len)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--allow", type=int, default=0)
    arguments = parser.parse_args()
    corpus, literals = [], set()
    for path in walk(["test"], (".mlir", ".neuro", ".test", ".cpp", ".c", ".py", ".txt")):
        if "layering" not in path:
            with open(path, errors="replace") as stream:
                corpus.append(stream.read())
            if path.endswith((".cpp", ".c")):
                joined = re.sub(r'"\s*\n\s*"', "", corpus[-1])
                literals |= {t.replace('\\"', '"') for line in joined.split("\n")
                             for t in re.findall(STRING, line)
                             if len(t) >= 11 and " " in t}
    # CHECK lines may be split over adjacent C++ literals, and escape brackets.
    tests = re.sub(r'"\s*\n\s*"', "", "\n".join(corpus))
    tests = re.sub(r"\s+", " ", tests.replace("\\", ""))
    total, missing, seen = 0, [], set()
    for path in walk(["lib", "dialects", "runtime/lib"], (".cpp", ".h")):
        for line, words in messages(path):
            words = re.sub(r"\s+", " ", words)
            if words in seen:
                continue
            seen.add(words)
            total += 1
            # A test may look for a part of the message only.
            if words not in tests and not any(t in words for t in literals):
                missing.append(f"{os.path.relpath(path, ROOT)}:{line}: {words}")
    for entry in missing:
        print("not in any test: " + entry)
    print(f"REPORT: {total - len(missing)} of {total} error messages are provoked by a test")
    good = len(missing) <= arguments.allow
    if not good:
        print(f"more than the {arguments.allow} that were allowed lack a test")
    print(f"{int(good)} passed, {int(not good)} failed")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
