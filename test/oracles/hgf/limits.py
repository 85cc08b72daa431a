# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases with closed forms: exact filters, limits, what was not observed."""
import math

import numpy as np

import oracle
from common import ALL, DOUBLE, SCHEMES, check, close, program
from spec import Spec


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
    for target in ALL:
        r = program(s, {"u": u}, dts, target)
        close(np.c_[r["x.mean"], r["x.precision"]], want,
              1e-5 if target == "cpu" else 1e-12, target)


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
