# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Accuracy after each epoch of two runs of train.neuro:

    neuroc run train.neuro --experiment=fit --out ccl
    neuroc run train.neuro --experiment=fit_backprop --out bp
    python3 draw.py ccl bp accuracy.svg
"""
import os
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ccl, bp, picture = sys.argv[1:]
with tempfile.TemporaryDirectory() as run:
    tables = {name: np.load(os.path.join(folder, "tables.npz"))["accuracy"]
              for name, folder in (("ccl", ccl), ("bp", bp))}
    np.savez(os.path.join(run, "tables.npz"),
             epoch=np.arange(1, len(tables["ccl"]) + 1), **tables)
    subprocess.run([sys.executable, os.path.join(HERE, "..", "plot.py"), run,
                    picture, "--x", "epoch", "--y", "ccl", "bp", "--labels",
                    "counter-current", "backpropagation", "--xlabel", "epoch",
                    "--ylabel", "accuracy on 352 other images"], check=True)
