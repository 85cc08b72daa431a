# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes the rows of streams.test and looks at what a run left of them."""
import json
import sys
from pathlib import Path

import numpy as np

if sys.argv[1] == "make":
    rows = np.arange(2_200_000 * 8, dtype=np.float32).reshape(-1, 8) % 1000
    np.save(sys.argv[2], rows)
else:
    rows = np.load(sys.argv[2], mmap_mode="r")
    record, out = Path(sys.argv[3]), Path(sys.argv[4])
    values = np.load(record / "y.value.npy", mmap_mode="r")
    ticks = np.load(record / "y.value.ticks.npy", mmap_mode="r")
    units = np.load(record / "s.spike.units.npy", mmap_mode="r")
    same = (values.shape == rows.shape and (values[::997] == rows[::997]).all()
            and ticks[-1] == len(rows) - 1 and len(units) == (rows > 0.5).sum())
    print("recordings", "equal" if same else "DIFFER")
    tables = np.load(out / "tables.npz")
    good = (np.allclose(tables["means"][0], rows.mean(axis=0, dtype=float), rtol=1e-12)
            and (tables["last_row"][0] == rows[-1]).all())
    print("means", "equal" if good else "DIFFER")
    peak = json.loads((out / "stats.json").read_text())["peak_rss_bytes"] / 2**20
    print("memory", "below" if peak < 400 else "ABOVE", "400 MiB")
