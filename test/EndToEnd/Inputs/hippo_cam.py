# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Runs the three published tests, the query test and the random memories of
# hippo-cam on every machine and checks all spikes (oracle.py of the folder).
import subprocess
import sys

folder, work = sys.argv[1:]
sys.path.insert(0, folder)
import oracle  # noqa: E402

TARGETS = [["--target=reference"], ["--target=cpu"],
           ["--target=cpu", "--precision=f64"], ["--target=spinnaker"],
           ["--target=crossbar"]]


def run(model, target, options, out):
    subprocess.run(["neuroc", "run", f"{folder}/{model}", *target, *options,
                    "--csv", "-q", "--out", out], check=False,
                   stdout=subprocess.DEVNULL)


oracle.write(work, "test1", "test2", "test3", *oracle.MEMORIES)
for target in TARGETS:
    name = "".join(o.split("=")[1] for o in target)
    for test in ("test1", "test2", "test3", *oracle.MEMORIES):
        if "32" in test and name not in ("cpu", "spinnaker"):
            continue  # large; as the smaller ones
        cues, bits, _ = oracle.inputs_of(test)
        out = f"{work}/{test}-{name}"
        run("cam.neuro", target,
            [f"--set=cues={cues}", f"--set=bits={bits}",
             f"--input=cue={work}/{test}-cue.npy",
             f"--input=content={work}/{test}-content.npy"], out)
        oracle.check(test, out)
    out = f"{work}/queries-{name}"
    run("queries.neuro", target, [], out)
    oracle.check("queries", out)
