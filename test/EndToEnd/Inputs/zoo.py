# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""zoo.py ZOO TESTS: what a folder of the zoo must have."""
import os
import sys

zoo, tests = sys.argv[1:]
index = open(os.path.join(zoo, "README.md")).read()
folders = sorted(name for name in os.listdir(zoo)
                 if os.path.isdir(os.path.join(zoo, name))
                 and not name.startswith("_"))
for name in folders:
    files = os.listdir(os.path.join(zoo, name))
    assert any(f.endswith(".neuro") for f in files), f"{name}: no program"
    assert "README.md" in files, f"{name}: no page"
    page = open(os.path.join(zoo, name, "README.md")).read()
    plots = [f for f in files if f.endswith(".svg")]
    assert any(plot in page for plot in plots), f"{name}: no plot in its page"
    assert f"({name}/)" in index, f"{name}: not in the index"
    assert f"zoo-{name}.test" in os.listdir(tests), f"{name}: no test"
assert folders, "the zoo is empty"
print(len(folders), "folders complete")
