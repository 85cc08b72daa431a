# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Associative memories: Hopfield, Storkey, pseudo-inverse."""
import numpy as np

from harness import main, oracle

rng = np.random.default_rng(5)


def signs(count, n, generator=None):
    return (generator or rng).choice([-1.0, 1], size=(count, n))


def hadamard(n):
    h = np.ones((1, 1))
    while len(h) < n:
        h = np.block([[h, h], [h, -h]])
    return h


MEMORY = """
model spin {{
  input field : 1
  output value : 1 range [-1, 1]
  emit value = if field >= 0 then 1 else -1
}}
network memory {{
  dt = {dt}
  stimulus shown[{n}] range [-1, 1]
  population h : linear[{n}]
  weight W : shown -> h all_to_all(self = false) = {weights} bounds [-8, 8]
  connect shown -> h.drive through W
  plasticity learn on W : {rule} pre shown post {post} {{ {bindings} }}
  population out : spin[{n}]
  connect h.value -> out.field one_to_one weight 1
  record h.value
  record out.value
  dataset patterns = file("patterns.npy")
  dataset cues = file("cues.npy")
}}
experiment run on memory {{
  repeat {passes} {{
    for each row of patterns {{
      present shown from patterns
      step 1 ticks
      {call}
    }}
  }}
  disable learn
  for each row of cues {{
    present shown from cues
    step 1 ticks
    readout h = h.value
    readout next = out.value
  }}
}}
"""


def learned(n, patterns):
    """Hopfield weights as a sum, without a diagonal."""
    w = patterns.T @ patterns/n
    return w - np.diag(np.diag(w))


def store(run, rule, bindings, patterns, cues, post="shown", call="call learn",
          passes=1, weights="0", dt="1 ms", **options):
    n = patterns.shape[1]
    return run(MEMORY.format(n=n, rule=rule, bindings=bindings, post=post,
                             call=call, passes=passes, weights=weights, dt=dt),
               patterns=patterns, cues=cues, **options)


@oracle(1e-12, rules="hopfield", cpu=1e-5, spinnaker=1e-3, crossbar=0.1)
def hopfield(run):
    """L14: fields of the sum of outer products; orthogonal patterns are fixed
    points, also after one flipped bit."""
    n = 16
    patterns = hadamard(n)[[1, 2, 4]]
    flipped = patterns.copy()
    flipped[[0, 1, 2], [3, 7, 12]] *= -1
    cues = np.concatenate([patterns, flipped])
    got = store(run, "hopfield", f"N = {n}", patterns, cues, dt="4 ms")
    return [("fields", got["h"], cues @ learned(n, patterns).T),
            ("repaired", got["next"], np.concatenate([patterns, patterns]))]


@oracle(1e-12, rules="hopfield hopfield_weights", cpu=1e-5,
        spinnaker=0.001, crossbar=0.01)
def hopfield_energy(run):
    """L14: E(pattern) = -(N - P)/2 for orthogonal patterns; asynchronous steps
    never raise the energy. The fields come from the program."""
    n = 16
    patterns = hadamard(n)[[1, 2, 4]]
    got = store(run, "hopfield", f"N = {n}", patterns, patterns)["h"]
    energy = -0.5*np.sum(got.reshape(3, n)*patterns, axis=1)
    cues = signs(40, n)
    fields = store(run, "weight_decay", "eta = 0", patterns, cues, call="",
                   weights='hopfield_weights(file("patterns.npy"))')["h"]
    fields = fields.reshape(40, n)
    w, worst = learned(n, patterns), 0
    for s, h in zip(cues, fields):
        for i in range(n):  # one flip towards the field of the program
            new = s.copy()
            new[i] = 1 if h[i] >= 0 else -1
            worst = max(worst, -0.5*new @ w @ new + 0.5*s @ w @ s)
    return [("energy", energy, [-(n - 3)/2]*3),
            ("fields", fields, cues @ w.T), ("rise", [max(worst, 0)], [0])]


@oracle(1e-11, rules="storkey", cpu=1e-5, spinnaker=1e-05, crossbar=0.05)
def storkey(run):
    n, count = 20, 4
    patterns, cues = signs(count, n), signs(5, n)
    w = np.zeros((n, n))
    for x in patterns:
        new = w.copy()
        for i in range(n):
            for j in range(n):
                if i == j:
                    continue
                # local fields without the terms of i and j, by their sums
                keep = [k for k in range(n) if k not in (i, j)]
                h_ij = sum(w[i, k]*x[k] for k in keep)
                h_ji = sum(w[j, k]*x[k] for k in keep)
                new[i, j] += (x[i]*x[j] - x[i]*h_ji - h_ij*x[j])/n
        w = new
    got = store(run, "storkey",
                f"N = {n}; field_pre = h.value; field_post = h.value",
                patterns, cues)["h"]
    return [("fields", got, cues @ w.T)]


@oracle(1e-11, rules="diederich_opper", cpu=1e-5,
        spinnaker=1e-05, crossbar=0.05)
def diederich_opper(run):
    n = 12
    patterns, cues = signs(5, n), signs(4, n)
    got = store(run, "diederich_opper", "eta = 0.05; field = h.value",
                patterns, cues, call="")["h"]
    w, off = np.zeros((n, n)), 1 - np.eye(n)
    for x in patterns:
        w += 0.05*np.outer(x - w @ x, x)*off
    return [("fields", got, cues @ w.T)]


@oracle(1e-8, rules="diederich_opper pseudo_inverse", cpu=1e-3,
        spinnaker=0.0001, crossbar=0.2)
def pseudo_inverse(run):
    """Correlated patterns: all become fixed points, and the local rule reaches
    fields equal to the patterns."""
    n = 24
    patterns = np.sign(signs(1, n) + 0.9*signs(6, n) + 0.8*signs(6, n))
    given = store(run, "weight_decay", "eta = 0", patterns, patterns, call="",
                  weights='pseudo_inverse(file("patterns.npy"))')
    w = patterns.T @ np.linalg.solve(patterns @ patterns.T, patterns)
    w -= np.diag(np.diag(w))
    local = store(run, "diederich_opper", f"eta = {1/n}; field = h.value",
                  patterns, patterns, call="", passes=400)
    return [("fields", given["h"], patterns @ w.T),
            ("fixed points", given["next"], patterns),
            ("local fields", local["h"], patterns)]


if __name__ == "__main__":
    main()
