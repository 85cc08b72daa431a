# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rules of a user do all that the shipped ones do.

The rules of the library are given other names and put into a user's file; the
library that neuroc sees has none. Then every oracle must hold as before.
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
from mutation import FAMILIES, declarations


class Outside(harness.Runner):
    def __init__(self, neuroc, target, library, names, mine):
        super().__init__(neuroc, target, library)
        self.names, self.mine = names, mine

    def __call__(self, program, *arguments, **options):
        mine = f'import "{self.mine}"\n' + self.names.sub(r"my_\1", program)
        return super().__call__(mine, *arguments, **options)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--neuroc", default="neuroc")
    parser.add_argument("--library", required=True)
    parser.add_argument("--target", default="reference")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    for family in FAMILIES:
        importlib.import_module(family)
    failed = count = 0
    with tempfile.TemporaryDirectory() as folder:
        library = os.path.join(folder, "library")
        os.mkdir(library)
        texts = []
        for path in sorted(glob.glob(options.library + "/*.neuro")):
            if os.path.basename(path).startswith("rules"):
                texts.append(open(path).read())
            else:
                shutil.copy(path, library)
        text = "\n".join(texts)
        names = re.compile(r"\b(" + "|".join(
            name for _, name, _, _ in declarations(text)) + r")\b")
        mine = os.path.join(folder, "mine.neuro")
        with open(mine, "w") as file:
            file.write(names.sub(r"my_\1", text))
        for function, limits, _ in harness.oracles:
            if options.target not in limits or options.only not in function.__name__:
                continue
            function.__globals__["rng"] = harness.np.random.default_rng(7)
            run = Outside(options.neuroc, options.target, library, names, mine)
            count += 1
            try:
                for what, got, expected in function(run):
                    error = harness.difference(got, expected)
                    if not error <= limits[options.target]:
                        print(f"FAILED {function.__name__}: {what}: {error:.3g}")
                        failed += 1
            except harness.Failure as failure:
                print(f"FAILED {function.__name__}:\n{failure}")
                failed += 1
    print(f"{count} oracles, {failed} failures")
    sys.exit(1 if failed or not count else 0)


if __name__ == "__main__":
    main()
