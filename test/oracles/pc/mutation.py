# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Do the oracles notice damage to the library of predictive coding?

As ../rules/mutation.py, for predictive*.neuro: each right-hand side of a model,
rule or circuit's code gets a factor or a turned sign, and some oracle whose
program uses the model must fail on the reference interpreter.
"""
import argparse
import glob
import importlib.util
import os
import re
import shutil
import sys
import tempfile

import common  # noqa: F401  (finds the harness)
import harness

# The other file of this name.
spec = importlib.util.spec_from_file_location(
    "rules_mutation", os.path.join(os.path.dirname(harness.__file__),
                                   "mutation.py"))
rules_mutation = importlib.util.module_from_spec(spec)
spec.loader.exec_module(rules_mutation)
declarations, mutants = rules_mutation.declarations, rules_mutation.mutants

import deep  # noqa: F401
import graphs  # noqa: F401
import learning  # noqa: F401
import settling  # noqa: F401


def used(library):
    """name -> the library's names that its text uses, itself included."""
    bodies = {}
    for path in glob.glob(library + "/predictive*.neuro"):
        parts = re.split(r"^(?:rule|model|circuit|function|procedure) (\w+)",
                         open(path).read(), flags=re.M)
        bodies.update(zip(parts[1::2], parts[2::2]))
    reach = {}
    for name in bodies:
        seen, todo = set(), [name]
        while todo:
            n = todo.pop()
            if n not in seen:
                seen.add(n)
                todo += [m for m in bodies
                         if re.search(rf"\b{m}\b", bodies[n])]
        reach[name] = seen
    return reach


def programs_of(neuroc, library):
    """oracle -> the text of all programs that it runs."""
    texts = {}
    original = harness.Runner.__call__
    for function, _, _ in harness.oracles:
        texts[function] = ""

        def record(self, program, *args, **options):
            texts[function] += program
            return original(self, program, *args, **options)
        harness.Runner.__call__ = record
        report, good = harness.check(neuroc, function, "reference", 1e-6, library)
        harness.Runner.__call__ = original
        if not good:
            sys.exit("\n".join(report))
    return texts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--neuroc", default="neuroc")
    parser.add_argument("--library", required=True)
    parser.add_argument("--only")
    options = parser.parse_args()
    reach = used(options.library)
    texts = programs_of(options.neuroc, options.library)
    limits = {f: bounds["reference"] for f, bounds, _ in harness.oracles}
    missed, total = [], 0
    with tempfile.TemporaryDirectory() as folder:
        damaged = os.path.join(folder, "library")
        shutil.copytree(options.library, damaged)
        for path in sorted(glob.glob(options.library + "/predictive*.neuro")):
            text = open(path).read()
            lines = text.split("\n")
            target = os.path.join(damaged, os.path.basename(path))
            for kind, name, first, last in declarations(text):
                if options.only and options.only != name:
                    continue
                covers = [f for f in texts
                          if any(name in reach[n] for n in reach
                                 if re.search(rf"\b{n}\b", texts[f]))]
                if not covers:
                    missed.append(f"{kind} {name} has no oracle")
                    continue
                # The shortest programs first: they say most about a name.
                covers.sort(key=lambda f: len(texts[f]))
                for k, new in mutants(lines, first, last):
                    if "last = " in new:  # only its sign is used
                        continue
                    with open(target, "w") as file:
                        file.write("\n".join(lines[:k] + [new] + lines[k + 1:]))
                    total += 1
                    if all(harness.check(options.neuroc, f, "reference",
                                         limits[f], damaged)[1] for f in covers):
                        missed.append(f"{os.path.basename(path)}:{k + 1}: {name}: "
                                      f"nobody notices '{new.strip()}'")
            with open(target, "w") as file:
                file.write(text)
    print(f"{total} damages, {len(missed)} unnoticed or uncovered")
    if missed:
        sys.exit("\n".join(missed))
    if total == 0:
        sys.exit("nothing was damaged")


if __name__ == "__main__":
    main()
