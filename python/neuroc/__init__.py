# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compile and run networks of neurons from Python.

A thin layer over the `neuroc` program: `run` returns recordings as NumPy
arrays, errors of the program become exceptions with the same text and code.

    import neuroc
    result = neuroc.run("cuba.neuro", target="spinnaker", time="100 ms")
    result.spikes["E.spike"].times_ms      # one entry per spike, ms
    result.values["cell.v"]                # [samples, units]
    result.stats["overruns"]

The program is found through the argument `program`, the environment variable
NEUROC, or PATH.
"""
from __future__ import annotations

import csv
import dataclasses
import json
import os
import shutil
import subprocess
import tempfile
from typing import Any, Dict, Mapping, Optional, Sequence, Union

import numpy as np

__all__ = ["NeurocError", "Result", "Spikes", "compile", "find_program", "run"]
__version__ = "0.1.0"

Path = Union[str, "os.PathLike[str]"]

#: Meaning of the program's exit codes (docs/cli.md).
EXIT_CODES = {
    1: "the model is at fault",
    2: "the command line is at fault",
    3: "the model does not fit the target",
    4: "an expectation is broken",
    66: "an input cannot be read",
    70: "internal error",
    74: "an output cannot be written",
}


class NeurocError(RuntimeError):
    """The program failed. `code` is its exit code, `output` all that it said."""

    def __init__(self, code: int, output: str):
        self.code = code
        self.output = output
        reason = EXIT_CODES.get(code, f"exit code {code}")
        super().__init__(f"{reason}\n{output.strip()}")


@dataclasses.dataclass(frozen=True)
class Spikes:
    """Spikes of one probe: `times_ms[i]` is when unit `units[i]` fired."""

    times_ms: np.ndarray
    units: np.ndarray

    def __len__(self) -> int:
        return len(self.times_ms)


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run recorded.

    spikes: per spike probe; values: per probe of real numbers, [samples, …];
    ticks: the tick of each sample; tables: readouts of the experiment,
    [rows, columns]; stats: the program's statistics (docs/stats.md).
    """

    spikes: Mapping[str, Spikes]
    values: Mapping[str, np.ndarray]
    ticks: Mapping[str, np.ndarray]
    tables: Mapping[str, np.ndarray]
    stats: Mapping[str, Any]


def find_program(program: Optional[Path] = None) -> str:
    """The `neuroc` to call. Raises FileNotFoundError naming the remedies."""
    for candidate in (program, os.environ.get("NEUROC"), shutil.which("neuroc")):
        if candidate and os.path.exists(candidate):
            return os.fspath(candidate)
    raise FileNotFoundError(
        "neuroc not found: pass program=, set NEUROC, or put it on PATH")


def _call(arguments: Sequence[str], program: Optional[Path],
          accept: Sequence[int] = (0,)) -> subprocess.CompletedProcess:
    done = subprocess.run([find_program(program), *arguments], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          errors="replace", check=False)
    if done.returncode not in accept:
        raise NeurocError(done.returncode, done.stderr + done.stdout)
    return done


def _options(target: str, machine: Optional[str],
             config: Optional[Mapping[str, Any]],
             constants: Optional[Mapping[str, str]]) -> list:
    options = [f"--target={target}"]
    if machine:
        options.append(f"--machine={machine}")
    options += [f"--config={key}={value}" for key, value in (config or {}).items()]
    options += [f"--set={key}={value}" for key, value in (constants or {}).items()]
    return options


def compile(model: Path, output: Path, target: str = "cpu", *,
            machine: Optional[str] = None,
            config: Optional[Mapping[str, Any]] = None,
            constants: Optional[Mapping[str, str]] = None,
            program: Optional[Path] = None) -> str:
    """Compiles `model` to the container `output`; returns its path."""
    _call(["compile", os.fspath(model), "-o", os.fspath(output), "-q",
           *_options(target, machine, config, constants)], program)
    return os.fspath(output)


def run(model: Path, target: str = "cpu", *, time: Optional[str] = None,
        ticks: Optional[int] = None, seed: Optional[int] = None,
        record: Sequence[str] = (),
        inputs: Optional[Mapping[str, np.ndarray]] = None,
        machine: Optional[str] = None,
        config: Optional[Mapping[str, Any]] = None,
        constants: Optional[Mapping[str, str]] = None,
        check: bool = True, program: Optional[Path] = None) -> Result:
    """Runs a model or a compiled program and returns what it recorded.

    time is a number with unit ("100 ms") and replaces the experiment, as ticks
    does; record names populations or NAME.STATE; inputs are arrays for stimuli
    or datasets; constants replace those of a .neuro model. With check=False a
    broken expectation does not raise; see stats["expectations"].
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = os.path.join(scratch, "out")
        arguments = ["run", os.fspath(model), f"--out={folder}", "--csv",
                     "--stats=json", "-q"]
        if not os.fspath(model).endswith(".nrx"):
            arguments += _options(target, machine, config, constants)
        if time is not None:
            arguments.append("--time=" + time.replace(" ", ""))
        if ticks is not None:
            arguments.append(f"--ticks={ticks}")
        if seed is not None:
            arguments.append(f"--seed={seed}")
        arguments += [f"--record={name}" for name in record]
        for number, (name, array) in enumerate((inputs or {}).items()):
            path = os.path.join(scratch, f"input{number}.npy")
            np.save(path, np.asarray(array))
            arguments.append(f"--input={name}={path}")
        _call(arguments, program, accept=(0,) if check else (0, 4))
        return _read(folder)


def _read(folder: str) -> Result:
    with open(os.path.join(folder, "stats.json"), encoding="utf-8") as stream:
        stats = json.load(stream)
    values: Dict[str, np.ndarray] = {}
    ticks: Dict[str, np.ndarray] = {}
    for file in sorted(os.listdir(folder)):
        path = os.path.join(folder, file)
        if file.endswith(".ticks.npy"):
            ticks[file[:-len(".ticks.npy")]] = np.load(path)
        elif file.endswith(".npy"):
            values[file[:-len(".npy")]] = np.load(path)
    tables: Dict[str, np.ndarray] = {}
    table_file = os.path.join(folder, "tables.npz")
    if os.path.exists(table_file):
        with np.load(table_file) as archive:
            tables = {name: archive[name] for name in archive.files}
    return Result(_read_spikes(os.path.join(folder, "spikes.csv")), values,
                  ticks, tables, stats)


def _read_spikes(path: str) -> Dict[str, Spikes]:
    rows: Dict[str, list] = {}
    if os.path.exists(path):
        with open(path, newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                probe = row.get("probe") or row.get("population") or ""
                rows.setdefault(probe, []).append(
                    (float(row["time_ms"]), int(row["unit"])))
    return {
        probe: Spikes(np.array([t for t, _ in pairs]),
                      np.array([u for _, u in pairs], dtype=np.int64))
        for probe, pairs in rows.items()
    }
