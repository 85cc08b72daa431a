# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Published numbers of the hierarchical Gaussian filter."""
import sys

import numpy as np

import oracle
from common import ALL, DOUBLE, check, close, program
from spec import Spec


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
    for target in ALL:
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

        # The total over all nodes, observation included.
        r = total(published[1][4], rates, "surprise")[0]
        got = sum(r[n + ".surprise"].sum() for n in ("u", "x1", "x2", "x3"))
        assert abs(got / -2545.4248 - 1) <= (2e-5 if single else 1e-7), got
