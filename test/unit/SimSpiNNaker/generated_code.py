#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The emitted ARM code is real: llvm-objdump reads every image of a container,
and the generated arithmetic gives the same results on qemu-arm and on the
simulated core.

Usage: generated_code.py NEUROC HELPER MODEL...
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile


def disassemble(elf):
    """Functions of the image and the number of words objdump cannot read."""
    tool = shutil.which("llvm-objdump-22") or shutil.which("llvm-objdump")
    if not tool:
        sys.exit("llvm-objdump-22 not found: install llvm-22")
    # Before +v6 LLVM's disassembler knows MUL and MLA by no encoding.
    text = subprocess.run(
        [tool, "-d", "--triple=armv5te-none-eabi", "--mattr=+v6", str(elf)],
        check=True, capture_output=True, text=True).stdout
    functions = {line.split("<")[1].split(">")[0]
                 for line in text.splitlines() if line.endswith(">:")}
    return functions, text.count("<unknown>"), text.count("\n")


def main():
    neuroc, helper, models = sys.argv[1], sys.argv[2], sys.argv[3:]
    failures = cores = 0
    with tempfile.TemporaryDirectory() as folder:
        for model in models:
            program = pathlib.Path(folder) / "program.nrx"
            subprocess.run([neuroc, "compile", model, "--target=spinnaker",
                            "-o", str(program)], check=True)
            with zipfile.ZipFile(program) as archive:
                archive.extractall(folder)
                manifest = json.loads(archive.read("manifest.json"))["program"]
            seen = set()
            for core in manifest["cores"]:
                if core["image"] in seen or not core["is_population"]:
                    continue
                seen.add(core["image"])
                elf = pathlib.Path(folder) / core["image"]
                functions, unknown, lines = disassemble(elf)
                missing = {"neuroc_core_level", "neuroc_core_end",
                           "neuroc_core_row", "neuroc_kernel_main"} - functions
                run = subprocess.run(
                    [helper, str(elf), str(pathlib.Path(folder) / core["data"]),
                     str(manifest["levels"]), "100"],
                    capture_output=True, text=True)
                good = not missing and not unknown and run.returncode == 0
                print(f"{pathlib.Path(model).name} {core['name']}: "
                      f"{lines} lines of assembly, {unknown} unreadable, "
                      f"{run.stdout.strip()} {run.stderr.strip()} "
                      f"{'missing ' + str(missing) if missing else ''}")
                failures += not good
                cores += 1
    print(f"{cores} images, {failures} failed")
    sys.exit(1 if failures or not cores else 0)


main()
