# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Writes three-weights.npy and three-thresholds.npy from a run of pretrain.neuro:
#   neuroc run pretrain.neuro --out=run
#   python3 pretrain.py run
import sys
from pathlib import Path

import numpy as np

tables = np.load(Path(sys.argv[1]) / "tables.npz")
here = Path(__file__).parent
np.save(here / "three-weights.npy",
        tables["weights"].reshape(20, 64).astype(np.float32))
np.save(here / "three-thresholds.npy",
        tables["thresholds"].ravel().astype(np.float32))
