# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Circuits of the library: layers around a rule, and what they guarantee."""
import numpy as np

from harness import main, oracle

rng = np.random.default_rng(7)


def layer(circuit, n, inputs=3, reads="", more=""):
    return f"""
network layer {{
  dt = 1 ms
  stimulus x[{inputs}] range [-2, 2]
  circuit c = {circuit}
  {more}
  dataset rows = file("x.npy")
}}
experiment learn on layer {{
  for each row of rows {{
    present x from rows
    step 1 ticks
    readout w = c.W
    {reads}
  }}
}}
"""


def softmax(u):
    e = np.exp(u - u.max())
    return e/e.sum()


@oracle(1e-12, rules="softhebb_layer", cpu=1e-5, spinnaker=0.01,
        crossbar=0.02)
def softhebb_layer(run):
    x, w0 = rng.normal(size=(15, 3)), rng.normal(size=(4, 3))
    got = run(layer('softhebb_layer(x, 4, eta = 0.1, beta = 1.5, '
                    'init = file("w0.npy"))', 4), x=x, w0=w0)["w"]
    w, rows = w0.copy(), []
    for v in x:
        u = w @ v
        y = softmax(1.5*u)*np.where(np.arange(4) == u.argmax(), 1, -1)
        w = w + 0.1*y[:, None]*(v - u[:, None]*w)
        rows.append(w.ravel())
    return [("weights", got, rows)]


@oracle(1e-12, rules="competitive_layer", cpu=1e-5,
        spinnaker=0.001, crossbar=0.005)
def competitive_layer(run):
    x, w0 = rng.normal(size=(15, 3)), rng.normal(size=(4, 3))
    got = run(layer('competitive_layer(x, 4, k = 2, eta = 0.1, '
                    'init = file("w0.npy"))', 4), x=x, w0=w0)["w"]
    w, rows = w0.copy(), []
    for v in x:
        for k in np.argsort(-(w @ v))[:2]:
            w[k] += 0.1*(v - w[k])
        rows.append(w.ravel().copy())
    return [("weights", got, rows)]


@oracle(1e-11, rules="krotov_hopfield_layer", cpu=1e-5)
def krotov_hopfield_layer(run):
    out = []
    for p in (2, 3):
        x, w0 = rng.normal(size=(15, 3)), rng.normal(size=(4, 3))
        got = run(layer(f'krotov_hopfield_layer(x, 4, p = {p}, k = 3, delta = '
                        '0.3, scale = 0.9, eta = 0.1, init = file("w0.npy"))',
                        4), x=x, w0=w0)["w"]
        w, rows = w0.copy(), []
        for v in x:
            h = (np.sign(w)*np.abs(w)**(p - 1)) @ v
            order, g = np.argsort(-h), np.zeros(4)
            g[order[0]], g[order[2]] = 1, -0.3
            step = g[:, None]*(0.9*v - h[:, None]*w)
            w = w + 0.1*step/np.abs(step).max()
            rows.append(w.ravel())
        out.append((f"p = {p}", got, rows))
    return out


@oracle(1e-10, rules="modern_hopfield", cpu=1e-4,
        spinnaker=0.001, crossbar=0.02)
def modern_hopfield(run):
    """L15: X softmax(beta X^T q), the energy falls, one step repairs."""
    n, count, beta = 16, 5, 4.0
    patterns = rng.normal(size=(count, n))
    patterns /= np.linalg.norm(patterns, axis=1, keepdims=True)
    cues = patterns + rng.normal(0, 0.1, (count, n))
    rows = []
    for beta in (4.0, 40.0):
        got = run(f"""
network attention {{
  dt = 1 ms
  stimulus q[{n}] range [-4, 4]
  circuit m = modern_hopfield(q, {count}, file("patterns.npy"), beta = {beta})
  record m.out.value
  dataset cues = file("cues.npy")
}}
experiment recall on attention {{
  for each row of cues {{
    present q from cues
    step 1 ticks
    readout out = m.out.value
  }}
}}
""", patterns=patterns, cues=cues)["out"].reshape(count, n)
        want = np.array([softmax(beta*patterns @ q) @ patterns for q in cues])

        def energy(q):
            return (-np.log(np.exp(beta*patterns @ q).sum())/beta + q @ q/2
                    + np.log(count)/beta
                    + (np.linalg.norm(patterns, axis=1).max()**2)/2)
        rise = [max(0, energy(b) - energy(a)) for a, b in zip(cues, got)]
        rows += [(f"beta {beta:g}", got, want), ("rise", rise, np.zeros(count))]
    nearest = np.argmax(got @ patterns.T, axis=1)
    return rows + [("recalled", nearest, np.arange(count)),
                   ("one step", [0 if np.abs(got - patterns).max() < 0.01 else 1],
                    [0])]


def foldiak_reference(x, w0, n, settle, p, alpha, beta, gamma):
    w, q, theta = w0.copy(), np.zeros((n, n)), np.zeros(n)
    y, on = np.zeros(n), []
    shown = np.zeros(n)  # what the units showed a tick ago
    for v in x:
        for t in range(settle + 1):
            learning = t == settle
            drive = w @ v + q @ shown
            y = y + 0.2*(1/(1 + np.exp(-10*(drive - theta))) - y)
            shown = y.copy()
            if learning:
                a = (y >= 0.5)*1.0
                theta += gamma*(a - p)
                w += beta*a[:, None]*(v - w)
                q -= alpha*(np.outer(a, a) - p*p)
                q = np.clip(q, -16, 0)*(1 - np.eye(n))
                y = np.zeros(n)
                on.append(a)
    return w, q, theta, np.array(on)


@oracle(1e-8, rules="foldiak foeldiak_unit foeldiak_lateral", cpu=1e-2,
        spinnaker=0.01)
def foldiak(run):
    n, settle, count = 5, 25, 60
    x = (rng.uniform(size=(count, 8)) < 0.3)*1.0
    w0 = rng.uniform(0.1, 0.4, (n, 8))
    args = dict(p=0.25, alpha=0.1, beta=0.05, gamma=0.05)
    named = ", ".join(f"{k} = {v}" for k, v in args.items())
    got = run(f"""
network sparse {{
  dt = 1 ms
  stimulus x[8] range [0, 1]
  stimulus learning[1] range [0, 1]
  circuit c = foldiak(x, learning, {n}, {named}, init = file("w0.npy"))
  record c.u.value
  dataset rows = file("x.npy")
}}
experiment learn on sparse {{
  for each row of rows {{
    present x from rows
    present learning = 0
    step {settle} ticks
    present learning = 1
    step 1 ticks
    readout on = c.u.value
  }}
  readout w = c.W
  readout q = c.Q
}}
""", x=x, w0=w0)
    w, q, theta, on = foldiak_reference(x, w0, n, settle, **args)
    off = ~np.eye(n, dtype=bool)
    got_q = got["q"][0]
    if got_q.size == n*n:
        got_q = got_q.reshape(n, n)[off]
        q = q[off]
    else:  # in order of pre, then post
        q = q.T[off]
    return [("activity", got["on"], on), ("forward weights", got["w"], w),
            ("lateral weights", got_q, q),
            ("P(active) near p", [0 if abs(on[30:].mean() - 0.25) < 0.08 else 1],
             [0])]


@oracle(1e-10, rules="hebbian_subspace subspace_unit subspace_momentum",
        cpu=1e-4, spinnaker=0.01)
def hebbian_subspace(run):
    """Two frozen rows, three that learn; the rest is what frozen rows leave."""
    n, k = 6, 5
    h0 = np.linalg.qr(rng.normal(size=(n, n)))[0][:k]
    x = rng.normal(size=(25, n))
    frozen = np.array([1.0, 1, 0, 0, 0])
    used = np.array([1.0, 1, 1, 1, 0])
    got = run(f"""
network lateral {{
  dt = 1 ms
  stimulus x[{n}] range [-8, 8]
  circuit s = hebbian_subspace(x, {k}, eta = 0.1, momentum = 0.8,
                               init = file("h0.npy"))
  record s.rest.error
  dataset rows = file("x.npy")
}}
experiment learn on lateral {{
  assign s.y.frozen = file("frozen.npy")
  assign s.y.used = file("used.npy")
  enable s.learning
  for each row of rows {{
    present x from rows
    step 1 ticks
    readout h = s.H
    readout rest = s.rest.error
  }}
}}
""", x=x, h0=h0, frozen=frozen, used=used)
    h, m, rows, rest = h0.copy(), np.zeros((k, n)), [], []
    for v in x:
        y = used*(h @ v)
        rest.append(v - (frozen*y) @ h)
        left = v - y @ h
        m = 0.8*m + 0.2*np.clip(np.outer(y*(1 - frozen), left), -10, 10)
        h = h + 0.1*m
        rows.append(h.ravel())
    return [("H", got["h"], rows), ("rest", got["rest"], rest)]


@oracle(1e-10, rules="hebbian_subspace", cpu=1e-4, spinnaker=0.01)
def protected_subspace(run):
    """L19: with orthonormal frozen rows F, learning with the rest as pre leaves
    W x unchanged for every x in span(F)."""
    n, k = 8, 3
    f = np.linalg.qr(rng.normal(size=(n, n)))[0][:k]
    w0 = rng.normal(size=(4, n))
    x = rng.normal(size=(30, n))
    got = run(f"""
network protect {{
  dt = 1 ms
  stimulus x[{n}] range [-8, 8]
  circuit s = hebbian_subspace(x, {k}, init = file("f.npy"))
  population y : linear[4]
  weight W : x -> y dense = file("w0.npy")
  connect x -> y.drive through W
  plasticity learn on W : hebb pre s.rest.error post y.value {{ eta = 0.05 }}
  dataset rows = file("x.npy")
}}
experiment learn on protect {{
  assign s.y.frozen = 1
  for each row of rows {{
    present x from rows
    step 1 ticks
  }}
  readout w = W
}}
""", x=x, f=f, w0=w0)["w"][0].reshape(4, n)
    change = got - w0
    return [("W x in the subspace", change @ f.T, np.zeros((4, k))),
            ("it learned", [0 if np.abs(change).max() > 0.1 else 1], [0])]


if __name__ == "__main__":
    main()
