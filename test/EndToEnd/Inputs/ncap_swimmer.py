# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Runs the swimmer, its ablations and other bodies on every machine, and compares
# every tick with oracle.py of the folder, which also checks what must hold.
import shutil
import subprocess
import sys

folder, work = sys.argv[1:]
sys.path.insert(0, folder)
import oracle  # noqa: E402

TARGETS = [(["--target=reference"], 1e-12),
           (["--target=cpu", "--precision=f64"], 1e-12),
           (["--target=cpu"], 1e-6), (["--target=spinnaker"], 1e-7),
           (["--target=crossbar"], 1e-6)]
for target, bound in TARGETS:
    for settings in ([], ["w_osc=0"], ["w_prop=0"], ["w_prop=-1"],
                     ["tau_body=4"], ["tau_body=12"],
                     ["joints=8", "w_contra=-0.5"]):
        if settings and target in (["--target=reference"], ["--target=cpu"]):
            continue
        shutil.rmtree(work, ignore_errors=True)
        subprocess.run(
            ["neuroc", "run", f"{folder}/swimmer.neuro", *target, "--out", work,
             "-q", *(f"--set={s}" for s in settings)], check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        oracle.check(bound, work, *settings)
