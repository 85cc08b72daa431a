# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fits: exact derivatives, descent and sampling inside a compiled program."""
import os

import numpy as np

import oracle
from common import DOUBLE, check, close
from spec import run

ZOO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                   "..", "examples", "zoo", "hgf")
# Parameters of the network below, and where they are looked at.
POINT = {"x1.tonic_volatility": -3.0, "x1.tonic_drift": 0.01,
         "x1.autoconnection": 0.98, "x1.initial_mean": 1.0,
         "x1.initial_precision": 50.0, "x2.tonic_volatility": -4.0,
         "x2.initial_mean": 0.1, "x2.initial_precision": 2.0,
         "leaf.precision": 100.0}


def network(values, scheme, derivatives):
    def bind(node):
        return "; ".join(f"{key.split('.')[1]} = {value!r}"
                         for key, value in values.items()
                         if key.startswith(node + "."))

    parent = "hgf_unbounded_state" if scheme == "unbounded" else "hgf_state"
    records = "\n".join(f"  record total.value wrt {key} as d{k}"
                        for k, key in enumerate(values)) * derivatives
    return f"""
network slopes {{
  dt = 1 ms
  stimulus u[1]
  population leaf : hgf_leaf[1] {{ {bind("leaf")} }}
  population x1 : hgf_state[1] {{ {bind("x1")} }}
  population x2 : {parent}[1] {{ {bind("x2")} }}
  population total : hgf_total[1]
  connect u -> leaf.value one_to_one weight 1
  observation_coupling(x1, leaf)
  volatility_coupling(x2, x1, scheme = hgf_{scheme})
  connect leaf.predictive -> total.amount one_to_one weight 1
  record total.value as cost
{records}
  dataset us = file("u.npy")
}}
experiment e on slopes {{ stream u from us }}
"""


@check
def gradient():
    """H8: derivatives of the summed surprise are central differences."""
    u = oracle.continuous_series(120).reshape(-1, 1)
    u[[5, 40]] = np.nan
    for scheme in ("standard", "enhanced", "unbounded"):
        slopes = {t: run(network(POINT, scheme, True), {"u": u}, t)
                  for t in DOUBLE}
        for k, (key, value) in enumerate(POINT.items()):
            step = 3e-6 * max(1.0, abs(value))
            ends = [run(network({**POINT, key: value + s * step}, scheme,
                                False), {"u": u}, "reference")
                    ["cost"].ravel()[-1] for s in (1, -1)]
            want = (ends[0] - ends[1]) / (2 * step)
            assert abs(want) > 1e-4, (key, want)
            for target, r in slopes.items():
                got = r[f"d{k}"].ravel()[-1]
                assert abs(got - want) <= 1e-6 * max(1, abs(want)), (
                    target, scheme, key, got, want)


def exact_posterior():
    """Likelihood and posterior of omega for data/walk.npy, by a Kalman filter
    on a grid."""
    u = np.load(os.path.join(ZOO, "data", "walk.npy")).ravel()
    omega = np.linspace(-4, 0, 4001)
    mean, variance, cost = 0.0, 1.0, 0.0
    for z in u:
        variance = variance + np.exp(omega)
        total = variance + 0.25
        cost = cost + 0.5 * (np.log(2 * np.pi * total)
                             + (z - mean) ** 2 / total)
        gain = variance / total
        mean, variance = mean + gain * (z - mean), variance * (1 - gain)
    post = cost + (omega + 4) ** 2 / 8
    p = np.exp(post.min() - post)
    p /= p.sum()
    middle = (p * omega).sum()
    return (omega[cost.argmin()], middle,
            np.sqrt((p * (omega - middle) ** 2).sum()))


def zoo(name, target):
    with open(os.path.join(ZOO, name)) as f:
        text = f.read().replace('file("data/', f'file("{ZOO}/data/')
    return run(text, {}, target)


@check
def descent():
    """Four starts follow the exact slope to the greatest likelihood."""
    best = exact_posterior()[0]
    assert abs(best + 2) < 0.4          # the volatility it was made with
    for target in ("cpu", "cpu-f64"):
        r = zoo("gradient.neuro", target)
        close(r["omega"].ravel(), np.full(4, best), 2e-3, target)


@check
def sampling():
    """Chains in lanes recover the exact posterior."""
    _, middle, deviation = exact_posterior()
    for target in ("cpu", "cpu-f64"):
        r = zoo("metropolis.neuro", target)
        assert abs(r["mean_omega"].item() - middle) < 0.04
        assert abs(r["sd_omega"].item() - deviation) < 0.03


@check
def subjects():
    """Recovery: 48 subjects with volatilities of their own, all fitted at
    once by their slopes."""
    rng = np.random.default_rng(21)
    n, steps = 48, 250
    true = rng.uniform(-4, 0, n)
    x = np.cumsum(rng.normal(0, np.exp(true / 2), (steps, n)), axis=0)
    u = x + rng.normal(0, 0.5, (steps, n))
    u[rng.random((steps, n)) < 0.1] = np.nan
    text = f"""
network cohort {{
  dt = 1 ms
  stimulus u[{n}]
  stimulus omega[{n}]
  population leaf : hgf_leaf[{n}] {{ precision = 4 }}
  population x : hgf_state[{n}] {{ tonic_volatility = 0 }}
  population total : hgf_total[{n}]
  connect u -> leaf.value one_to_one weight 1
  connect omega -> x.volatility one_to_one weight 1
  observation_coupling(x, leaf)
  connect leaf.predictive -> total.amount one_to_one weight 1
  record total.value wrt x.tonic_volatility as slope
  dataset series = file("u.npy")
}}
experiment fit on cohort {{
  let w = fill(-2, [{n}])
  snapshot start of x, total
  repeat 40 {{
    restore start
    present omega = w
    stream u from series
    w = w - 0.03*last(slope)
  }}
  readout omega = w
}}
"""
    for target in ("cpu", "cpu-f64"):
        got = run(text, {"u": u}, target)["omega"].ravel()
        assert np.corrcoef(got, true)[0, 1] > 0.95
        assert abs(np.mean(got - true)) < 0.15
