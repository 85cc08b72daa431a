# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The logarithm of the error over epochs, of five runs of train.neuro:

    for s in readout=0 readout=20 readout=60 readout=140 hidden=10; do
      neuroc run train.neuro --precision=f64 --set=$s --out run-$s
    done
    python3 draw.py run- error.svg
"""
import os
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = {"readout=0": "no flips", "readout=20": "20 hidden units",
         "readout=60": "60 hidden units", "readout=140": "140 hidden units",
         "hidden=10": "10 inputs"}
prefix, picture = sys.argv[1:]
with tempfile.TemporaryDirectory() as run:
    tables = {}
    for k, case in enumerate(CASES):
        error = np.load(os.path.join(prefix + case, "tables.npz"))["error"]
        tables[f"y{k}"] = np.log10(error.ravel())
    np.savez(os.path.join(run, "tables.npz"),
             epoch=100*np.arange(len(tables["y0"])), **tables)
    subprocess.run([sys.executable, os.path.join(HERE, "..", "plot.py"), run,
                    picture, "--x", "epoch", "--y", *tables, "--labels",
                    *CASES.values(), "--xlabel", "epoch", "--ylabel",
                    "log10 of the mean squared error"], check=True)
