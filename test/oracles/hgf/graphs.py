# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arbitrary graphs against the oracle: every edge, cycles, sharing, faults."""
import math

import numpy as np

import oracle
from common import DOUBLE, SCHEMES, check, close, program, sane_steps
from spec import Spec, compare, run, simulate


# --- Graphs ---------------------------------------------------------------------

def random_graph(rng, scheme, relaxed):
    """States in layers, leaves of each kind below; every edge kind."""
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
                  lam=float(rng.uniform(0.7, 1)))
            here.append(name)
        for child in (leaves if layer == 0 else below):
            kind = s.nodes[child][0]
            parents = rng.permutation(here)
            many = int(rng.integers(1, len(here) + 1))
            joined = set()
            for p in parents[:many]:
                alpha = float(rng.uniform(0.3, 0.9))
                if layer and rng.integers(2):
                    s.volatility(p, child, 0.8 if scheme == "unbounded"
                                 else alpha)
                else:
                    s.value(p, child, alpha)
                joined.add(p)
            spare = [h for h in here if h not in joined]
            if kind == "volatile_leaf" and spare:
                s.volatility(spare[0], child,
                             0.8 if scheme == "unbounded" else 0.4)
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
    for trial in range(16):
        scheme = SCHEMES[trial % 4]
        s = random_graph(rng, scheme, relaxed=trial % 8 >= 4)
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
    assert compared >= 0.75 * 16 * steps, compared


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


# --- The fused node, fuzz ---------------------------------------------------------

@check
def fused():
    """H4: value and volatility in one node are the explicit pair."""
    rng = np.random.default_rng(4)
    steps = 60
    u = np.cumsum(rng.normal(0, 0.4, steps))
    u[[5, 6, 20]] = np.nan
    dts = rng.uniform(0.3, 2, steps)
    for relaxed in (0, 1):
        for scheme, code in (("standard", 0), ("enhanced", 1),
                             ("unbounded", 2), ("mean_first", 3)):
            parent = "hgf_unbounded_state" if code == 2 else "hgf_state"
            text = f"""
network twice {{
  dt = 1 ms
  stimulus u[1]
  stimulus gap[1]
  stimulus step[1]
  population a : hgf_leaf[1] {{ precision = 5 }}
  population b : hgf_leaf[1] {{ precision = 5 }}
  population x : hgf_state[1] {{
    tonic_volatility = -3; autoconnection = 0.9; tonic_drift = 0.05
    mean = 0.1; precision = 2; relaxed = {relaxed}
  }}
  population v : {parent}[1] {{
    tonic_volatility = -2; mean = 0.3; precision = 1.5
    autoconnection = 0.8; tonic_drift = 0.02; relaxed = {relaxed}
  }}
  population both : hgf_volatile_state[1] {{
    scheme = {code}; relaxed = {relaxed}; volatility_coupling = 0.7
    tonic_volatility = -3; autoconnection = 0.9; tonic_drift = 0.05
    mean = 0.1; precision = 2
    tonic_volatility_vol = -2; mean_vol = 0.3; precision_vol = 1.5
    autoconnection_vol = 0.8; tonic_drift_vol = 0.02
  }}
  connect u -> a.value one_to_one weight 1
  connect u -> b.value one_to_one weight 1
  connect gap -> a.missing one_to_one weight 1
  connect gap -> b.missing one_to_one weight 1
  connect step -> x.elapsed one_to_one weight 1
  connect step -> v.elapsed one_to_one weight 1
  connect step -> both.elapsed one_to_one weight 1
  observation_coupling(x, a)
  observation_coupling(both, b)
  volatility_coupling(v, x, 0.7, scheme = {code}, relaxed = {relaxed})
  record x.mean
  record x.precision
  record v.mean
  record v.precision
  record both.mean
  record both.precision
  record both.mean_vol
  record both.precision_vol
  dataset us = file("u.npy")
  dataset gaps = file("gap.npy")
  dataset steps = file("step.npy")
}}
experiment e on twice {{
  for each row of us {{
    present u from us; present gap from gaps; present step from steps
    step 1 ticks
  }}
}}
"""
            gap = np.isnan(u).astype(float).reshape(-1, 1)
            files = {"u": np.nan_to_num(u).reshape(-1, 1), "gap": gap,
                     "step": dts.reshape(-1, 1)}
            for target in DOUBLE:
                r = run(text, files, target)
                for one, other in (("both.mean", "x.mean"),
                                   ("both.precision", "x.precision"),
                                   ("both.mean_vol", "v.mean"),
                                   ("both.precision_vol", "v.precision")):
                    close(r[one], r[other], 1e-12,
                          f"{target} {scheme} {relaxed} {one}")
                assert np.ptp(r["v.mean"]) > 0.1


@check
def fuzz():
    """H6: whatever is observed, enhanced support is never negative, and the
    precisions of enhanced and unbounded filters stay positive."""
    for target, units, ticks in (("reference", 100, 100),
                                 ("cpu-f64", 1000, 1000)):
        if target not in DOUBLE:
            continue
        text = f"""
model wild {{
  param spread = 1
  output value : 1
  emit value = spread*normal()*(if uniform() < 0.05 then 1000 else 1)
}}
model least {{
  state worst = inf
  input amount : 1
  worst = min(worst, amount)
}}
network fuzz {{
  dt = 1 ms
  seed = 3
  population u : wild[{units}] {{ spread = lognormal(0, 2) }}
  population leaf : hgf_leaf[{units}] {{ precision = lognormal(0, 2) }}
  population leaf2 : hgf_leaf[{units}] {{ precision = lognormal(0, 2) }}
  population x : hgf_state[{units}] {{ tonic_volatility = uniform(-8, 4) }}
  population v : hgf_state[{units}] {{ tonic_volatility = uniform(-8, 2) }}
  population x2 : hgf_state[{units}] {{ tonic_volatility = uniform(-8, 4) }}
  population w : hgf_unbounded_state[{units}] {{
    tonic_volatility = uniform(-8, 2)
  }}
  connect u.value -> leaf.value one_to_one weight 1
  connect u.value -> leaf2.value one_to_one weight 1
  observation_coupling(x, leaf)
  observation_coupling(x2, leaf2)
  circuit c = volatility_coupling(v, x)
  volatility_coupling(w, x2, 0.6, scheme = hgf_unbounded)
  population support : least[{units}]
  connect c.answers.edge.support -> support.amount one_to_one weight 1
  population precise : least[{units}]
  connect w.variance -> precise.amount one_to_one weight 1
}}
experiment e on fuzz {{
  step {ticks} ticks
  readout least = support.worst
  readout positive = precise.worst
  readout faults = x.faults
  readout faults2 = v.faults
  readout faults3 = w.faults
  readout faults4 = x2.faults
  readout precision = v.precision
}}
"""
        r = run(text, {}, target)
        assert r["least"].min() >= 0, r["least"].min()
        assert r["positive"].min() > 0
        for k in ("faults", "faults2", "faults3", "faults4"):
            assert r[k].max() == 0, (k, r[k].max())
        assert np.isfinite(r["precision"]).all()


@check
def faults():
    """The standard scheme may leave its range: that is counted."""
    u = np.r_[np.zeros(10), 30.0, np.zeros(10)]
    for scheme in ("standard", "enhanced"):
        text = f"""
network strict {{
  dt = 1 ms
  stimulus u[1]
  population leaf : hgf_leaf[1] {{ precision = 100 }}
  population x : hgf_state[1] {{ tonic_volatility = -8; precision = 100 }}
  population v : hgf_state[1] {{ tonic_volatility = 1; precision = 0.1 }}
  connect u -> leaf.value one_to_one weight 1
  observation_coupling(x, leaf)
  volatility_coupling(v, x, scheme = hgf_{scheme})
  dataset data = file("u.npy")
}}
experiment e on strict {{
  for each row of data {{ present u from data; step 1 ticks }}
  readout faults = v.faults
  expect value(faults) <= 0
}}
"""
        s = (Spec(scheme).add("u", "leaf", precision=100.0)
             .add("x", omega=-8.0, precision=100.0)
             .add("v", omega=1.0, precision=0.1).value("x", "u")
             .volatility("v", "x"))
        broken = simulate(s, {"u": u}, np.ones(len(u)))["v.precision"] <= 0
        assert broken.any() == (scheme == "standard")
        for target in DOUBLE:
            r = run(text, {"u": u.reshape(-1, 1)}, target,
                    expect=4 if broken.any() else 0)
            assert (r["faults"].max() > 0) == broken.any()
    # An elapsed time of 0 is no time.
    s = Spec().add("u", "leaf").add("x").value("x", "u")
    text = s.text(2, "readout faults = x.faults")
    files = {"steps": [[1.0], [0.0]], "u": [[1.0], [1.0]],
             "u.gap": [[0.0], [0.0]]}
    for target in DOUBLE:
        assert run(text, files, target)["faults"].max() == 1


@check
def compat():
    """The two defaults of pyhgf that are wrong, on request."""
    dt, kappa = 2.5, 0.6
    for target in DOUBLE:
        for wrong in (False, True):
            s = (Spec(compat=wrong).add("u", "leaf").add("x", mean=0.8)
                 .value("x", "u", 0.5))
            r = program(s, {"u": [1.0]}, [dt], target)
            close(r["u.expected_mean"],
                  [0.5 * 0.8 * (dt if wrong else 1.0)], 1e-12)
            s = (Spec(compat=wrong).add("u", "binary")
                 .add("x", mean=0.8, precision=2.0, omega=-2.0)
                 .value("x", "u", kappa))
            r = program(s, {"u": [1.0]}, [1.0], target)
            p = 1 / (1 + math.exp(-0.8 * (1.0 if wrong else kappa)))
            close(r["u.expected_mean"], [p], 1e-12)
            # The update uses kappa in both: pyhgf's is inconsistent.
            hat = 1 / (0.5 + math.exp(-2.0))
            post = hat + kappa ** 2 * p * (1 - p)
            close(r["x.mean"], [0.8 + kappa * (1 - p) / post], 1e-12)
