# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Accuracy on the first task after each task, protected and not:
#   python3 plot.py RUN_PROTECTED RUN_FORGETTING forgetting.svg
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

with tempfile.TemporaryDirectory() as folder:
    tables = {"tasks": [1, 2, 3]}
    for name, run in zip(("protected", "plain"), sys.argv[1:]):
        tables[name] = np.load(Path(run) / "tables.npz")["accuracies"][:, 0]
    np.savez(Path(folder) / "tables.npz", **tables)
    subprocess.run(
        [sys.executable, str(Path(__file__).parent / "../plot.py"), folder,
         sys.argv[3], "--x", "tasks", "--y", "protected", "plain", "--labels",
         "with lateral circuits", "without", "--xlabel", "tasks learned",
         "--ylabel", "accuracy on the first", "--zero"], check=True)
