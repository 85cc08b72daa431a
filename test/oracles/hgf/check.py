# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Oracles of the hierarchical Gaussian filter: `check.py NAME…` runs the
checks of these names (all without arguments) on the compiled programs."""
import math
import os
import sys

import numpy as np

import oracle
from spec import Spec, compare, run, simulate

DOUBLE = ("reference", "cpu-f64")
SCHEMES = ("standard", "mean_first", "enhanced", "unbounded")
CHECKS = {}
if os.environ.get("HGF_TARGETS"):
    DOUBLE = tuple(os.environ["HGF_TARGETS"].split(","))


def check(f):
    CHECKS[f.__name__] = f
    return f


def close(got, want, tolerance, what=""):
    got, want = np.asarray(got, float), np.asarray(want, float)
    assert got.shape == want.shape, (what, got.shape, want.shape)
    error = np.max(np.abs(got - want) / np.maximum(1, np.abs(want)))
    assert error <= tolerance, f"{what}: off by {error:.3e}\n{got}\n{want}"
    return error


def program(spec, data, dts, target):
    """Runs a spec; the records by name, one value per tick."""
    files = {"steps": np.array(dts, float).reshape(-1, 1)}
    for n in spec.leaves():
        u = np.array(data[n], float).reshape(-1, 1)
        files[n + ".gap"] = np.isnan(u).astype(float)
        files[n] = np.where(np.isnan(u), 1e6, u)
    got = run(spec.text(len(dts)), files, target)
    return {k: v.reshape(-1) for k, v in got.items()
            if isinstance(v, np.ndarray)}


# --- Published numbers ---------------------------------------------------------

@check
def worked_examples():
    """One step each, all schemes: constants, not this folder's oracle."""
    for target in DOUBLE:
        s = Spec().add("u", "leaf").add("x").value("x", "u")
        r = program(s, {"u": [0.5]}, [1.0], target)
        close([r["x.expected_precision"][0], r["x.precision"][0],
               r["x.mean"][0]],
              [0.9820137900, 1.9820137900, 0.2522686787], 1e-10, "W1")

        s = (Spec().add("u", "binary")
             .add("x", mean=0.3, precision=2.0, omega=-2.0).value("x", "u"))
        r = program(s, {"u": [0.0]}, [1.0], target)
        close([r["u.expected_mean"][0], r["x.expected_precision"][0],
               r["x.precision"][0], r["x.mean"][0]],
              [0.5744425168, 1.5739720843, 1.8184303960, -0.0159001951],
              1e-10, "W3")

        table = {
            (False, "standard"): (0.5211516390, 1.6367614327),
            (False, "enhanced"): (0.5219954263, 1.6394212082),
            (False, "unbounded"): (0.5230810815, 1.6872540000),
            (True, "standard"): (0.5095480487, 1.6758219456),
            (True, "enhanced"): (0.5101658916, 1.6362557590),
            (True, "unbounded"): (0.5191631853, 1.6874987988)}
        for (relaxed, scheme), want in table.items():
            s = (Spec(scheme, relaxed).add("u", "leaf", precision=4.0)
                 .add("x1", omega=-1.0)
                 .add("x2", omega=-2.0, mean=0.5, precision=2.0)
                 .value("x1", "u").volatility("x2", "x1"))
            r = program(s, {"u": [1.5]}, [1.0], target)
            first = ((0.5454572235, 1.3199992223, 4.5454572235) if relaxed
                     else (0.6224593312, 1.2980103382, 4.6224593312))
            close([r["x1.expected_precision"][0], r["x1.mean"][0],
                   r["x1.precision"][0], r["x2.expected_mean"][0],
                   r["x2.expected_precision"][0], r["x2.mean"][0],
                   r["x2.precision"][0]],
                  first + (0.5, 1.5739720843) + want, 1e-10,
                  f"W2 {scheme} relaxed={relaxed}")


@check
def one_step():
    s = (Spec("standard").add("u", "leaf", precision=1e4)
         .add("x1", mean=1.0, omega=-3.0).add("x2", mean=1.0, omega=-3.0)
         .value("x1", "u").volatility("x2", "x1"))
    for target in DOUBLE:
        r = program(s, {"u": [0.2]}, [1.0], target)
        close([r["x1.mean"][0], r["x1.precision"][0], r["x2.mean"][0],
               r["x2.precision"][0]],
              [0.20007046, 10000.8808, 0.97345113, 0.97948343], 1e-8)


def binary_filter(levels, omega2, scheme="enhanced", **more):
    s = (Spec(scheme).add("u", "binary")
         .add("x2", omega=omega2, mean=more.get("mean2", 0.0),
              precision=more.get("precision2", 1.0)).value("x2", "u"))
    if levels == 3:
        s.add("x3", omega=more.get("omega3", -4.0),
              precision=more.get("precision3", 1.0))
        s.volatility("x3", "x2")
    return s


def continuous_filter(levels, omegas, means, precisions, scheme):
    s = Spec(scheme).add("u", "leaf", precision=1e4)
    for k in range(levels):
        s.add(f"x{k + 1}", omega=omegas[k], mean=means[k],
              precision=precisions[k])
    s.value("x1", "u")
    for k in range(1, levels):
        s.volatility(f"x{k + 1}", f"x{k}")
    return s


@check
def golden():
    """Sums of surprise that were published, or computed independently."""
    data = sys.path[0] + "/../../../examples/zoo/hgf/data/"
    rates = np.loadtxt(data + "usdchf.csv")
    outcomes = np.loadtxt(data + "binary_input.csv")
    coins, wave = oracle.lcg_binary(), oracle.continuous_series()
    assert coins.sum() == 162
    for target in DOUBLE + ("cpu",):
        single = target == "cpu"
        ones = [1.0] * 614

        def total(spec, u, of):
            r = program(spec, {"u": u}, ones[:len(u)], target)
            return r, r["u." + of].sum()

        def surprise(want, spec, u, of="surprise", tolerance=1e-9):
            r, got = total(spec, u, of)
            bound = 2e-5 if single else tolerance
            assert abs(got / want - 1) <= bound, (target, got, want)
            return r

        # Self-contained series.
        r = surprise(194.477782761, binary_filter(2, -2.0), coins)
        close([r["x2.mean"][-1], r["x2.precision"][-1]],
              [-0.551929350, 1.320101618], 1e-5 if single else 1e-9)
        surprise(210.474923686, binary_filter(2, -6.0), coins)
        r = surprise(194.500845566, binary_filter(3, -2.0, "mean_first"),
                     coins)
        close([r["x3.mean"][-1], r["x3.precision"][-1]],
              [-0.082953045, 0.786853040], 1e-5 if single else 1e-9)
        surprise(194.479419389, binary_filter(3, -2.0, "standard"), coins)
        args = (2, (-4.0, -4.0), (1.0, 0.0), (100.0, 10.0))
        r = surprise(-88.061480027, continuous_filter(*args, "mean_first"),
                     wave, "first_level")
        close([r["x1.mean"][-1]], [1.448868969], 1e-5 if single else 1e-9)
        surprise(-280.809631071, continuous_filter(*args, "standard"), wave,
                 "first_level")

        # Published series: our double precision, and the published sums of
        # single precision, which other programs reproduce to 1e-5.
        published = [
            (-1141.08906, -1141.0911, rates, "first_level", continuous_filter(
                2, (-3.0, -3.0), (rates[0], 0.0), (1e4, 10.0), "mean_first")),
            (-892.81467, -892.82227, rates, "first_level", continuous_filter(
                3, (-13.0, -2.0, -2.0), (1.04, 1.0, 1.0), (1e4, 10.0, 10.0),
                "mean_first")),
            (215.588198, 215.58821, outcomes, "surprise", binary_filter(
                2, -6.0, mean2=0.5, precision2=1e4)),
            (215.591035, 215.59067, outcomes, "surprise", binary_filter(
                3, -6.0, "mean_first", mean2=0.5, precision2=1e4, omega3=-2.0,
                precision3=10.0)),
            (215.590677, 215.59067, outcomes, "surprise", binary_filter(
                3, -6.0, "standard", mean2=0.5, precision2=1e4, omega3=-2.0,
                precision3=10.0))]
        for mine, theirs, u, of, spec in published:
            got = total(spec, u, of)[1]
            assert abs(got / theirs - 1) <= 1e-5, (target, got, theirs)
            if not single:
                # The digits that were published of the double sum.
                assert abs(got - mine) <= 1e-6 * abs(mine), (got, mine)


# --- H1, H2, H3, H9: exact filters -----------------------------------------------

@check
def kalman():
    """H1: one state under an observation is a scalar Kalman filter."""
    rng = np.random.default_rng(1)
    n, omega, R = 200, -1.5, 0.4
    dts = rng.uniform(0.1, 3, n)
    x = np.cumsum(rng.normal(0, np.exp(omega / 2) * np.sqrt(dts)))
    u = x + rng.normal(0, math.sqrt(R), n)
    m, P, want = 0.0, 1.0, []
    for z, dt in zip(u, dts):
        P += math.exp(omega) * dt
        gain = P / (P + R)
        m, P = m + gain * (z - m), (1 - gain) * P
        want.append((m, 1 / P))
    s = Spec().add("u", "leaf", precision=1 / R).add("x", omega=omega)
    s.value("x", "u")
    for target, bound in (("reference", 1e-12), ("cpu-f64", 1e-12),
                          ("cpu", 1e-5)):
        r = program(s, {"u": u}, dts, target)
        close(np.c_[r["x.mean"], r["x.precision"]], want, bound, target)


@check
def steady_state():
    """H2: the variance settles at the positive root of the Riccati equation."""
    Q, R = math.exp(-4), 1.0
    P = (-Q + math.sqrt(Q * Q + 4 * Q * R)) / 2
    assert abs(P - 0.1264869539) < 1e-10
    s = Spec().add("u", "leaf").add("x").value("x", "u")
    for target in DOUBLE:
        r = program(s, {"u": np.zeros(200)}, np.ones(200), target)
        close([1 / r["x.precision"][-1]], [P], 1e-10)
        # The gain: what a last observation of 1 moves.
        r = program(s, {"u": np.r_[np.zeros(200), 1.0]}, np.ones(201), target)
        close([r["x.mean"][-1]], [P / R], 1e-10)


@check
def relaxed_chain():
    """H3: relaxed messages are exact in a chain, from independent priors."""
    alpha, m1, P1, m2, P2, R, z = 0.7, 0.3, 0.5, -0.2, 0.8, 0.25, 1.9
    for dt, timed in ((1.0, False), (1.7, True)):
        Q1, Q2 = math.exp(-1.0) * dt, math.exp(-2.0) * dt
        k = alpha * dt
        F = np.array([[1, k], [0, 1]])
        P = np.diag([P1, P2]) + np.diag([0, Q2])
        P = F @ P @ F.T + np.diag([Q1, 0])
        m = F @ np.array([m1, m2])
        gain = P[:, 0] / (P[0, 0] + R)
        mean = m + gain * (z - m[0])
        P = P - np.outer(gain, P[0])
        want = [mean[0], 1 / P[0, 0], mean[1], 1 / P[1, 1]]
        for relaxed in (True, False):
            s = (Spec(relaxed=relaxed, exact_time=timed)
                 .add("u", "leaf", precision=1 / R)
                 .add("x1", omega=-1.0, mean=m1, precision=1 / P1)
                 .add("x2", omega=-2.0, mean=m2, precision=1 / P2)
                 .value("x1", "u").value("x2", "x1", alpha))
            for target in DOUBLE:
                r = program(s, {"u": [z]}, [dt], target)
                got = [r["x1.mean"][0], r["x1.precision"][0],
                       r["x2.mean"][0], r["x2.precision"][0]]
                if relaxed:
                    close(got, want, 1e-12, target)
                else:
                    assert np.max(np.abs(np.array(got) - want)) > 1e-3


@check
def missing_everything():
    """H9: without observations a belief only ages."""
    n, omega = 30, -2.5
    dts = np.linspace(0.2, 2, n)
    for relaxed in (False, True):
        for scheme in SCHEMES:
            s = (Spec(scheme, relaxed).add("u", "leaf")
                 .add("x1", omega=omega, mean=0.4, precision=3.0)
                 .add("x2", omega=-1.0, precision=2.0).value("x1", "u")
                 .volatility("x2", "x1", 0.0))
            for target in DOUBLE:
                r = program(s, {"u": np.full(n, np.nan)}, dts, target)
                age = np.cumsum(dts)
                close(r["x1.precision"],
                      1 / (1 / 3.0 + age * math.exp(omega)), 1e-12)
                close(r["x2.precision"],
                      1 / (1 / 2.0 + age * math.exp(-1.0)), 1e-12)
                close(r["x1.mean"], np.full(n, 0.4), 1e-12)
                close(r["u.surprise"], np.zeros(n), 0)


# --- H5, H10: limits ---------------------------------------------------------------

@check
def decoupled():
    """H5: kappa = 0 or a certain parent: volatility plays no part."""
    u, ones = oracle.continuous_series(40), np.ones(40)
    alone = (Spec().add("u", "leaf").add("x1", omega=-2.0).value("x1", "u"))
    for target in DOUBLE:
        want = program(alone, {"u": u}, ones, target)
        for scheme in SCHEMES:
            for relaxed in (False, True):
                s = (Spec(scheme, relaxed).add("u", "leaf")
                     .add("x1", omega=-2.0).add("x2", mean=0.7, omega=-3.0)
                     .value("x1", "u").volatility("x2", "x1", 0.0))
                r = program(s, {"u": u}, ones, target)
                close(r["x1.mean"], want["x1.mean"], 1e-12, scheme)
                close(r["x1.precision"], want["x1.precision"], 1e-12, scheme)
                close(r["x2.mean"], np.full(40, 0.7), 1e-12, scheme)
        # A parent of vanishing variance: relaxed is canonical.
        both = []
        for relaxed in (False, True):
            s = (Spec("standard", relaxed).add("u", "leaf")
                 .add("x1", omega=-2.0)
                 .add("x2", precision=1e13, mean=0.5, omega=-70.0)
                 .value("x1", "u").volatility("x2", "x1"))
            r = program(s, {"u": u[:1]}, ones[:1], target)
            both.append([r["x1.mean"][0], r["x1.precision"][0]])
            close(r["x2.mean"], [0.5], 1e-9)
        close(both[1], both[0], 1e-12)


@check
def frozen_binary():
    """H10: no volatility and a certain prior: N ln 2 of surprise at 0."""
    coins = oracle.lcg_binary()
    s = (Spec().add("u", "binary").add("x2", omega=-80.0, precision=1e15)
         .value("x2", "u"))
    for target in DOUBLE:
        r = program(s, {"u": coins}, np.ones(len(coins)), target)
        close([r["u.surprise"].sum()], [len(coins) * math.log(2)], 1e-9)
        close(r["x2.mean"], np.zeros(len(coins)), 1e-9)


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


def sane_steps(trajectories):
    good = len(next(iter(trajectories.values())))
    for name, v in trajectories.items():
        bad = ~(np.abs(v) < 1e3)
        if name.endswith(".precision"):
            bad |= v <= 0
        if bad.any():
            good = min(good, int(np.argmax(bad)))
    return good


if __name__ == "__main__":
    for name in sys.argv[1:] or CHECKS:
        CHECKS[name]()
        print("ok", name, flush=True)
