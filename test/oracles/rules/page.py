# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""docs/plasticity.md: its program runs, and it names every rule of the library."""
import argparse
import glob
import re
import sys

from harness import Failure, Runner
from mutation import declarations

parser = argparse.ArgumentParser()
parser.add_argument("--neuroc", default="neuroc")
parser.add_argument("--source", required=True, help="the root of the tree")
options = parser.parse_args()
page = open(options.source + "/docs/plasticity.md").read()
blocks = re.findall(r"```neuro\n(.*?)```", page, re.S)
problems = [] if blocks else ["no program on the page"]
for block in blocks:
    name = re.search(r"network (\w+)", block)[1]
    try:
        Runner(options.neuroc, "reference")(
            block + f"experiment e on {name} {{ step 10 ms }}\n")
    except Failure as failure:
        problems.append(str(failure))
for path in glob.glob(options.source + "/lib/Library/rules*.neuro"):
    for kind, name, _, _ in declarations(open(path).read()):
        if not re.search(rf"`{name}\b", page):
            problems.append(f"the page does not name the {kind} '{name}'")
sys.exit("\n".join(problems) or 0)
