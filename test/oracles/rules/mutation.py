# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Do the oracles notice a wrong rule?

Every rule, model and circuit of the library's rules*.neuro must be named by an
oracle. Then the library is damaged, one place at a time: signs of updates are
turned and right-hand sides get a factor. For each damage at least one of the
oracles that cover the rule must fail on the reference interpreter.
"""
import argparse
import glob
import importlib
import os
import re
import shutil
import sys
import tempfile

import harness

FAMILIES = ["rates", "spikes", "threefactor", "homeostasis", "memory",
            "collective", "structural", "circuits"]
UPDATE = re.compile(r"^(\s*(?:on \w+ \{ |emit |let |if [^{]*\{ )?[\w']+\s*)"
                    r"(\+=|-=|\*=|=)(?!=)(\s*)(.*)$")


def declarations(text):
    """(kind, name, first line, last line) of rules, models and circuits."""
    lines, out = text.split("\n"), []
    for k, line in enumerate(lines):
        found = re.match(r"(rule|model|circuit|function) (\w+)", line)
        if not found:
            continue
        end, depth = k, 0
        while True:
            depth += lines[end].count("{") - lines[end].count("}")
            if depth <= 0:
                break
            end += 1
        out.append((found[1], found[2], k, end))
    return out


def mutants(lines, first, last):
    """Damaged copies of the lines: (line number, new text)."""
    code = False
    for k in range(first, last + 1):
        line = lines[k]
        if re.match(r"\s*(on|stage|reset)\b", line):
            code = True
        if not code or re.match(r"\s*(param|state|signal|trace|weight|input|output"
                                r"|bounds|connect|population|circuit)\b", line):
            continue
        found = UPDATE.match(line)
        if not found:
            continue
        head, sign, space, tail = found.groups()
        turned = {"+=": "-=", "-=": "+="}.get(sign)
        if turned:
            yield k, head + turned + space + tail
        close = " }" if tail.endswith(" }") else ""
        body = tail[:len(tail) - len(close)] if close else tail
        if body == "0":
            yield k, f"{head}{sign}{space}0.25{close}"
            continue
        # A factor changes nothing in comparisons, ranks and what is divided by
        # its own largest value.
        logical = re.search(r"[<>]|\b(and|or|not|if|\w*rank\w*|heaviside)\b", body)
        if re.match(r"\s*let (plea|step|deepen|d)\b", line):
            continue
        if not logical and body.count("(") == body.count(")") and not re.search(
                r"[-+*/,]$", body.strip()):
            yield k, f"{head}{sign}{space}1.02*({body}){close}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--neuroc", default="neuroc")
    parser.add_argument("--library", required=True)
    parser.add_argument("--only")
    options = parser.parse_args()
    covers = {}
    for family in FAMILIES:
        try:
            module = importlib.import_module(family)
        except ModuleNotFoundError:
            continue
    for function, limits, rules in harness.oracles:
        for rule in rules:
            covers.setdefault(rule, []).append((function, limits["reference"]))
    missed, total = [], 0
    with tempfile.TemporaryDirectory() as folder:
        damaged = os.path.join(folder, "library")
        shutil.copytree(options.library, damaged)
        for path in sorted(glob.glob(options.library + "/rules*.neuro")):
            text = open(path).read()
            lines = text.split("\n")
            target = os.path.join(damaged, os.path.basename(path))
            for kind, name, first, last in declarations(text):
                if options.only and options.only != name:
                    continue
                if name not in covers:
                    missed.append(f"{kind} {name} has no oracle")
                    continue
                for k, new in mutants(lines, first, last):
                    with open(target, "w") as file:
                        file.write("\n".join(lines[:k] + [new] + lines[k + 1:]))
                    total += 1
                    noticed = False
                    for function, bound in covers[name]:
                        report, good = harness.check(
                            options.neuroc, function, "reference", bound, damaged)
                        if any("the model has errors" in r for r in report):
                            missed.append(f"{path}:{k + 1}: no program: {new}")
                        noticed = noticed or not good
                        if noticed:
                            break
                    if not noticed:
                        missed.append(f"{os.path.basename(path)}:{k + 1}: "
                                      f"{name}: nobody notices '{new.strip()}'")
            with open(target, "w") as file:
                file.write(text)
    print(f"{total} damages, {len(missed)} unnoticed or uncovered")
    if missed:
        sys.exit("\n".join(missed))
    if total == 0:
        sys.exit("nothing was damaged")


if __name__ == "__main__":
    main()
