# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Oracles of the hierarchical Gaussian filter: `check.py NAME...` runs the
checks of these names, or of these modules, on compiled programs; without
arguments all. NEUROC names the program, HGF_TARGETS the targets."""
import sys

import fitting
import graphs
import limits
import machines
import nodes
import published
import validity
from common import CHECKS

for name in sys.argv[1:] or CHECKS:
    chosen = [c for c in CHECKS
              if name in (c, CHECKS[c].__module__)]
    assert chosen, "no check of this name: " + name
    for c in chosen:
        CHECKS[c]()
        print("ok", c, flush=True)
