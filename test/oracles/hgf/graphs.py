# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arbitrary graphs against the oracle: every edge, cycles, sharing."""
import math

import numpy as np

import oracle
from common import DOUBLE, SCHEMES, check, close, sane_steps
from spec import Spec, compare, run, simulate


# --- Graphs ---------------------------------------------------------------------

def random_graph(rng, scheme, relaxed, mixed=False):
    """States in layers, leaves of each kind below; every edge kind. Mixed:
    every state has a scheme of its own."""
    s = Spec(scheme, relaxed, compat=bool(rng.integers(2)),
             exact_time=bool(rng.integers(2)))
    kinds = ["leaf", "binary", "volatile_leaf", "leaf"]
    leaves = [f"u{k}" for k in range(int(rng.integers(2, 5)))]
    below = []
    for k, leaf in enumerate(leaves):
        kind = kinds[k]
        if kind == "binary":
            s.add(leaf, kind)
        else:
            s.add(leaf, kind, precision=float(rng.uniform(0.5, 20)))
    for layer in range(int(rng.integers(2, 4))):
        here = []
        for k in range(int(rng.integers(1, 4))):
            name = f"x{layer}{k}"
            s.add(name, omega=float(rng.uniform(-5, -2)),
                  mean=float(rng.normal(0, 0.5)),
                  precision=float(rng.uniform(1, 5)),
                  rho=float(rng.normal(0, 0.05)),
                  lam=float(rng.uniform(0.7, 1)),
                  scheme=str(rng.choice(SCHEMES)) if mixed else scheme)
            here.append(name)
        for child in (leaves if layer == 0 else below):
            kind = s.nodes[child][0]
            parents = rng.permutation(here)
            many = int(rng.integers(1, len(here) + 1))
            joined = set()
            for p in parents[:many]:
                alpha = float(rng.uniform(0.3, 0.9))
                if layer and rng.integers(2):
                    s.volatility(p, child, 0.8 if s.scheme_of(p) == "unbounded"
                                 else alpha)
                else:
                    s.value(p, child, alpha)
                joined.add(p)
            spare = [h for h in here if h not in joined]
            if kind == "volatile_leaf" and spare:
                s.volatility(spare[0], child, 0.8 if s.scheme_of(spare[0])
                             == "unbounded" else 0.4)
        # Who has no child yet gets one.
        used = {e[1] for e in s.edges}
        for name in here:
            if name not in used:
                s.value(name, leaves[0] if layer == 0 else below[0], 0.5)
        below = here
    return s


@check
def graphs():
    """Many parents, many children, gaps, uneven time, against the oracle."""
    rng = np.random.default_rng(7)
    steps, compared = 25, 0
    for trial in range(12):
        scheme = SCHEMES[trial % 4]
        s = random_graph(rng, scheme, relaxed=trial % 8 >= 4,
                         mixed=trial >= 8)
        dts = rng.uniform(0.5, 2, steps)
        data = {}
        for n in s.leaves():
            u = rng.normal(0.5, 1, steps)
            if s.nodes[n][0] == "binary":
                u = (u > 0.5).astype(float)
            u[rng.random(steps) < 0.25] = np.nan
            data[n] = u
        # Where the filter leaves its range of validity errors explode.
        good = sane_steps(simulate(s, data, dts))
        compared += good
        data = {n: u[:good] for n, u in data.items()}
        for target in DOUBLE:
            compare(s, data, dts[:good], target, 1e-9)
    assert compared >= 0.7 * 12 * steps, compared


# --- Couplings by functions, cycles, shared parents -----------------------------

@check
def nonlinear():
    """Edges with functions: value, observation and volatility."""
    rng = np.random.default_rng(3)
    steps = 20
    for trial in range(6):
        scheme = ("standard", "mean_first", "enhanced")[trial % 3]
        f, g, h = rng.permutation(["tanh", "softplus", "square"])
        s = (Spec(scheme, relaxed=trial >= 3)
             .add("u", "leaf", precision=4.0).add("v", "leaf", precision=2.0)
             .add("x1", mean=0.3, omega=-2.0).add("x2", mean=0.2)
             .add("x3", mean=-0.4, omega=-3.0).add("x4", mean=0.5)
             .value("x1", "u").value("x1", "v", 0.6, f)
             .value("x2", "x1", 0.7, g).value("x3", "x1", 0.3)
             .volatility("x3", "x2", 0.5, h).volatility("x4", "x1", 0.6, f)
             .volatility("x4", "x3", 0.4))
        u = {"u": rng.normal(0.5, 0.5, steps), "v": rng.normal(0, 0.5, steps)}
        u["v"][4:7] = np.nan
        dts = rng.uniform(0.6, 1.4, steps)
        assert sane_steps(simulate(s, u, dts)) == steps
        for target in DOUBLE:
            compare(s, u, dts, target, 1e-9)


@check
def shared_parent():
    """One parent of many: the sums of the same parent joined one by one."""
    rng = np.random.default_rng(5)
    K, steps = 4, 20
    u = rng.normal(0, 1, (steps, K))
    for scheme in SCHEMES:
        f = oracle.Filter(scheme)
        f.add("v", omega=-2.0)
        f.add("m", omega=-3.0)
        for k in range(K):
            f.add(f"u{k}", "leaf")
            f.add(f"x{k}", omega=-2.0)
            f.value(f"x{k}", f"u{k}")
            f.value("m", f"x{k}", 0.3)
            f.volatility("v", f"x{k}", 0.7)
        want = []
        for row in u:
            f.step({f"u{k}": row[k] for k in range(K)})
            want.append([f.nodes[n].mean for n in
                         ["v", "m"] + [f"x{k}" for k in range(K)]])
        parent = ("hgf_unbounded_state" if scheme == "unbounded"
                  else "hgf_state")
        text = f"""
network shared {{
  dt = 1 ms
  stimulus u[{K}]
  population leaf : hgf_leaf[{K}]
  population x : hgf_state[{K}] {{ tonic_volatility = -2 }}
  population v : {parent}[1] {{ tonic_volatility = -2 }}
  population m : hgf_state[1] {{ tonic_volatility = -3 }}
  connect u -> leaf.value one_to_one weight 1
  observation_coupling(x, leaf)
  value_coupling(m, x, 0.3)
  volatility_coupling(v, x, 0.7, scheme = hgf_{scheme})
  record v.mean
  record m.mean
  record x.mean
  dataset data = file("u.npy")
}}
experiment e on shared {{
  for each row of data {{ present u from data; step 1 ticks }}
}}
"""
        for target in DOUBLE:
            r = run(text, {"u": u}, target)
            got = np.hstack([r["v.mean"].reshape(steps, 1),
                             r["m.mean"].reshape(steps, 1),
                             r["x.mean"].reshape(steps, K)])
            close(got, want, 1e-12, f"{target} {scheme}")


@check
def cycle():
    """Two states that drive each other: the way back takes one tick."""
    rng = np.random.default_rng(2)
    steps, a, b, om = 40, 0.4, -0.3, -3.0
    u = rng.normal(0, 1, (steps, 2))
    # State i: mean, precision; what it predicted and learnt.
    m, p = [0.2, -0.1], [1.0, 1.0]
    belief, answer = [0.0], [(0.0, 0.0)]      # of the tick before
    want = []
    for z in u:
        # x drives y in the same tick; y's last belief drives x.
        mx = m[0] + b * belief[-1]
        my = m[1] + a * mx
        hx, hy = (1 / (1 / q + math.exp(om)) for q in p)
        p[1] = hy + 1.0 + b * b * answer[-1][0]
        m[1] = my + ((z[1] - my) + b * answer[-1][1]) / p[1]
        p[0] = hx + 1.0 + a * a * hy
        m[0] = mx + ((z[0] - mx) + a * hy * (m[1] - my)) / p[0]
        belief.append(m[1])
        answer.append((hx, hx * (m[0] - mx)))
        want.append([m[0], p[0], m[1], p[1]])
    text = f"""
network cycle {{
  dt = 1 ms
  stimulus u[1]
  stimulus v[1]
  population at_x : hgf_leaf[1]
  population at_y : hgf_leaf[1]
  population x : hgf_state[1] {{ tonic_volatility = {om}; mean = 0.2 }}
  population y : hgf_state[1] {{ tonic_volatility = {om}; mean = -0.1 }}
  connect u -> at_x.value one_to_one weight 1
  connect v -> at_y.value one_to_one weight 1
  observation_coupling(x, at_x)
  observation_coupling(y, at_y)
  value_coupling(x, y, {a})
  delayed_value_coupling(y, x, {b}, delay = dt)
  record x.mean
  record x.precision
  record y.mean
  record y.precision
  dataset us = file("u.npy")
  dataset vs = file("v.npy")
}}
experiment e on cycle {{
  for each row of us {{ present u from us; present v from vs; step 1 ticks }}
}}
"""
    for target in DOUBLE:
        r = run(text, {"u": u[:, :1], "v": u[:, 1:]}, target)
        got = np.c_[r["x.mean"].ravel(), r["x.precision"].ravel(),
                    r["y.mean"].ravel(), r["y.precision"].ravel()]
        close(got, want, 1e-12, target)


@check
def schemes_above():
    """A parent of each scheme above a parent of each scheme."""
    rng = np.random.default_rng(12)
    u = np.cumsum(rng.normal(0, 0.5, 15))
    u[4] = np.nan
    dts = rng.uniform(0.7, 1.3, 15)
    for below, relaxed in ((b, r) for b in SCHEMES for r in (False, True)):
        s = Spec(relaxed=relaxed, exact_time=relaxed)
        s.add("u", "leaf", precision=3.0).add("x", omega=-2.0)
        s.add("y", omega=-2.5, precision=2.0, scheme=below).value("x", "u")
        s.volatility("y", "x", 0.8)
        for k, above in enumerate(SCHEMES):
            s.add(f"z{k}", omega=-2.0, precision=1.5, scheme=above)
            s.volatility(f"z{k}", "y", 0.5 + 0.1 * k)
        s.add("w", omega=-3.0).value("w", "y", 0.3)
        assert sane_steps(simulate(s, {"u": u}, dts)) == 15
        for target in DOUBLE:
            compare(s, {"u": u}, dts, target, 1e-9)
