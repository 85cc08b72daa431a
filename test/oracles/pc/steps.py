# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The warning about the step, against eigenvalues of Hessians in NumPy."""
import os
import re
import subprocess
import tempfile

import numpy as np

from common import main, oracle
from graphs import convolve
from settling import BOUND, PI1, W1, W2, X, Y, supervised

rng = np.random.default_rng(17)


def warned(run, program, **arrays):
    """How many times too large the compiler says that the step is, or 0."""
    environment = dict(os.environ)
    if run.library:
        environment["NEUROC_LIBRARY_PATH"] = run.library
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "program.neuro")
        with open(path, "w") as file:
            file.write(program)
        for name, array in arrays.items():
            np.save(os.path.join(folder, name + ".npy"), np.array(array, float))
        done = subprocess.run([run.neuroc, "compile", path, "-o", path + ".nrx"],
                              capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    found = re.search(r"is ([0-9.]+) times the largest stable", done.stderr)
    return float(found[1]) if found else 0.0


def around(run, what, bound, program, **arrays):
    """No warning just below the bound, the right factor above it."""
    return [(f"{what}, below", warned(run, program(0.98*bound), **arrays), 0),
            (f"{what}, 5 % above", warned(run, program(1.05*bound), **arrays), 1.05),
            (f"{what}, twice", warned(run, program(2*bound), **arrays), 2)]


@oracle(exact=0.011)
def dense_layers(run):
    arrays = dict(x=X, y=Y, w1=W1, w2=W2)
    return around(run, "two layers", BOUND,
                  lambda rate: supervised(rate=rate), **arrays)


@oracle(exact=0.011)
def free_output(run):
    """With the output free its values settle, too: another Hessian."""
    arrays = dict(x=X, y=Y, w1=W1, w2=W2)
    H = np.block([[PI1*np.eye(5) + 0.7*W2.T @ W2, -0.7*W2.T],
                  [-0.7*W2, 0.7*np.eye(3)]])

    def program(rate):
        return supervised(rate=rate).replace("held[3] = 1", "held[3] = 0") \
            .replace("pc_node[3] {", f"pc_node[3] {{ rate = {rate!r};")
    return around(run, "free", 2/np.linalg.eigvalsh(H)[-1], program, **arrays)


@oracle(exact=0.011)
def clamped_output(run):
    """The same, but the experiment clamps the output."""
    arrays = dict(x=X, y=Y, w1=W1, w2=W2)

    def program(rate):
        return supervised(rate=rate, steps="clamp out.z = 0.1; step 9 ticks") \
            .replace("held[3] = 1", "held[3] = 0") \
            .replace("pc_node[3] {", f"pc_node[3] {{ rate = {rate!r};")
    return around(run, "clamped", BOUND, program, **arrays)


@oracle(exact=0.011)
def softmax_output(run):
    """A reduction: at a = 0 the Hessian of cross-entropy is diag p - p p^T."""
    W = rng.normal(0, 4, (4, 5))
    p = np.full(4, 0.25)
    H = 0.3*np.eye(5) + W.T @ (np.diag(p) - np.outer(p, p)) @ W

    def program(rate):
        return f"""
network soft {{
  dt = 1 ms
  stimulus y[4] = [0, 1, 0, 0]
  stimulus on[1] = 1
  population h : pc_node[5] {{ rate = {rate!r}; precision = 0.3; inside = tanh }}
  population o : pc_softmax[4]
  connect y -> o.target one_to_one weight 1
  connect on -> o.teach all_to_all weight 1
  circuit e = pc_edge(h, o, start = file("w.npy"))
}}
experiment go on soft {{ step 1 ticks }}
"""
    return around(run, "softmax", 2/np.linalg.eigvalsh(H)[-1], program, w=W)


@oracle(exact=0.011)
def feature_maps(run):
    """A convolution and its transpose."""
    K = rng.normal(0, 0.5, (2, 1, 3, 3))
    columns = [convolve(np.eye(20)[k].reshape(1, 5, 4), K).ravel()
               for k in range(20)]
    M = np.array(columns).T
    H = 0.5*np.eye(20) + M.T @ M

    def program(rate):
        return f"""
network maps {{
  dt = 1 ms
  stimulus y[2, 5, 4]
  stimulus known[2, 5, 4] = 1
  population z : pc_node[1, 5, 4] {{ rate = {rate!r}; precision = 0.5 }}
  population x : pc_node[2, 5, 4]
  connect y -> x.evidence one_to_one weight 1
  connect known -> x.hold one_to_one weight 1
  circuit e = pc_convolution(z, x, start = file("k.npy"), pads = [1, 1, 1, 1])
}}
experiment go on maps {{ step 1 ticks }}
"""
    return around(run, "convolution", 2/np.linalg.eigvalsh(H)[-1], program, k=K)


@oracle(exact=0.011)
def transmitted(run):
    """An expression instead of w*x on the way: here 2 w x - 0.5 x."""
    W = rng.normal(0, 1, (4, 4))
    H = np.eye(4) + (2*W - 0.5).T @ (2*W - 0.5)

    def program(rate):
        return f"""
network bent {{
  dt = 1 ms
  stimulus y[4]
  population z : pc_value[4] {{ rate = {rate!r}; prior = 1 }}
  population e : pc_error[4]
  weight W : z.value -> e dense = file("w.npy")
  connect y -> e.actual one_to_one weight 1
  connect z.value -> e.prediction through W transmit 2*w*x - 0.5*x
  connect e.error -> z.feedback through transposed W transmit 2*w*x - 0.5*x
}}
experiment go on bent {{ step 1 ticks }}
"""
    return around(run, "transmit", 2/np.linalg.eigvalsh(H)[-1], program, w=W)


if __name__ == "__main__":
    main()
