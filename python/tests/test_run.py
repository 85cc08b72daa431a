# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The package against the real program (environment variable NEUROC)."""
import os

import numpy as np
import pytest

import neuroc

MODEL = """
network tiny {
  dt = 1 ms
  param drive = 2 nA
  population cell : lif_curr_exp[3] { i_offset = drive }
  record cell.spike
  record cell.v
}
"""


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.neuro"
    path.write_text(MODEL)
    return path


@pytest.mark.parametrize("target", ["reference", "cpu", "spinnaker", "crossbar"])
def test_run_gives_spikes_and_values(model, target):
    result = neuroc.run(model, target, time="100 ms")
    spikes = result.spikes["cell.spike"]
    # Constant drive: every unit fires, at the same times.
    first = spikes.times_ms[spikes.units == 0]
    assert len(first) > 2
    assert np.array_equal(first, spikes.times_ms[spikes.units == 2])
    assert result.values["cell.v"].shape == (100, 3)
    assert result.ticks["cell.v"].tolist() == list(range(100))
    assert result.stats["target"] == target
    assert result.stats["spikes"] == len(spikes)


def test_constants_change_the_model(model):
    slow = neuroc.run(model, time="100 ms", constants={"drive": "1.2 nA"})
    fast = neuroc.run(model, time="100 ms", constants={"drive": "4 nA"})
    assert slow.stats["spikes"] < fast.stats["spikes"]


def test_compiled_program_runs(model, tmp_path):
    path = neuroc.compile(model, tmp_path / "tiny.nrx")
    assert os.path.getsize(path) > 0
    again = neuroc.run(path, ticks=100)
    assert again.stats["spikes"] == neuroc.run(model, ticks=100).stats["spikes"]


def test_errors_keep_text_and_code(tmp_path):
    path = tmp_path / "bad.neuro"
    path.write_text("network n {\n  dt = 1 ms\n  population p : lif_cur_exp[2]\n}\n")
    with pytest.raises(neuroc.NeurocError) as caught:
        neuroc.run(path)
    assert caught.value.code == 1
    assert "did you mean 'lif_curr_exp'" in str(caught.value)


def test_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(neuroc.NeurocError) as caught:
        neuroc.run(tmp_path / "nothing.neuro")
    assert caught.value.code == 66


def test_broken_expectation(tmp_path):
    path = tmp_path / "hope.neuro"
    path.write_text(MODEL + """
experiment hope on tiny {
  step 10 ms
  expect rate_hz(cell.spike) >= 1 kHz
}
""")
    with pytest.raises(neuroc.NeurocError) as caught:
        neuroc.run(path)
    assert caught.value.code == 4
    result = neuroc.run(path, check=False)
    assert result.stats["expectations"][0]["outcome"] != "passed"


def test_missing_program(monkeypatch, tmp_path):
    monkeypatch.delenv("NEUROC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="set NEUROC"):
        neuroc.run("x.neuro")
