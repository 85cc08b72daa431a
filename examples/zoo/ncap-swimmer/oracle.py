# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The swimmer in NumPy, from its equations, and what the reference says of it.
#   oracle.py selftest
#   oracle.py check BOUND RUN_DIR [NAME=VALUE…]   the run equals this code
import sys
from pathlib import Path

import numpy as np

PERIOD = 60
Q29 = [0.981793, 0.903762, 0.742128, 0.526615, 0.318798]
AMPLITUDES = [1.003, 0.789, 0.621, 0.489, 0.385]
LAGS = {4: 23.1, 8: 41.2, 12: 53.3}  # degrees per joint, by tau


def simulate(ticks=1000, joints=5, tau_body=8.0, w_prop=1.0, w_osc=1.0,
             w_ipsi=1.0, w_contra=-1.0):
    """Angles and torques of all ticks."""
    clip = lambda z: np.minimum(np.maximum(z, 0), 1)
    q = np.zeros(joints)
    angles, torques = np.zeros((ticks, joints)), np.zeros((ticks, joints))
    up, down = (lambda w: max(w, 0.0)), (lambda w: min(w, 0.0))
    for n in range(ticks):
        muscles = []
        first = n % PERIOD < PERIOD / 2
        sides = []
        for part, oscillator in ((q, first), (-q, not first)):
            front = np.concatenate([[0], np.maximum(part, 0)[:-1]])
            drive = up(w_prop) * front
            drive[0] += up(w_osc) * oscillator
            sides.append(clip(drive))
        for same, other in (sides, sides[::-1]):
            muscles.append(clip(up(w_ipsi) * same + down(w_contra) * other))
        torques[n] = muscles[0] - muscles[1]
        q = q + (torques[n] - q) / tau_body
        angles[n] = q
    return angles, torques


def rhythm(angles):
    """Amplitude and phase (degrees) of the fundamental, over 10 periods."""
    tail = angles[-10 * PERIOD:]
    at = np.exp(-2j * np.pi * np.arange(len(tail)) / PERIOD)
    wave = 2 * (at[:, None] * tail).mean(0)
    lag = -np.degrees(np.angle(wave[1:] / wave[:-1]))
    return np.abs(wave), lag


def published(angles, torques):
    assert np.allclose(angles[29], Q29, atol=6e-7), angles[29]
    assert (torques[0] == [1, 0, 0, 0, 0]).all(), torques[0]
    assert (torques[1] == [1, 0.125, 0, 0, 0]).all(), torques[1]
    amplitude, lag = rhythm(angles)
    assert np.allclose(amplitude, AMPLITUDES, atol=6e-4), amplitude
    assert np.allclose(lag, LAGS[8], atol=0.06), lag
    # every joint repeats after 60 ticks, and not before
    tail = angles[-10 * PERIOD:]
    assert np.allclose(tail[:-PERIOD], tail[PERIOD:], atol=1e-9)
    for shorter in (12, 15, 20, 30):
        assert np.abs(tail[:-shorter] - tail[shorter:]).max(0).min() > 0.1


def selftest():
    published(*simulate())
    for tau, degrees in LAGS.items():
        lag = rhythm(simulate(tau_body=tau)[0])[1]
        assert np.allclose(lag, degrees, atol=0.06), (tau, lag)
    assert not simulate(w_osc=0)[0].any()
    alone = simulate(w_prop=0)[0]
    assert alone[:, 0].any() and not alone[:, 1:].any()
    assert (simulate(w_prop=-1)[0] == alone).all()
    print("as published")


def read_run(folder):
    folder = Path(folder)
    return (np.load(folder / "body.angle.npy"),
            np.load(folder / "dorsal_muscle.npy") -
            np.load(folder / "ventral_muscle.npy"))


def check(bound, folder, *settings):
    options = {}
    for setting in settings:
        name, value = setting.split("=")
        options[name] = int(value) if name == "joints" else float(value)
    angles, torques = read_run(folder)
    want = simulate(len(angles), **options)
    error = max(np.abs(angles - want[0]).max(), np.abs(torques - want[1]).max())
    assert error <= float(bound), f"differs by {error}"
    if not options and float(bound) < 1e-8:
        published(angles, torques)
    if options.get("w_osc") == 0:
        assert not angles.any()
    if options.get("w_prop", 1) <= 0:  # the clamp makes a negative one 0
        assert angles[:, 0].any() and not angles[:, 1:].any()
    if "tau_body" in options:
        lag = rhythm(angles)[1]
        assert np.allclose(lag, LAGS[options["tau_body"]], atol=0.06), lag
    print(f"the swimmer as computed, within {float(bound):g}")


if __name__ == "__main__":
    {"selftest": selftest, "check": check}[sys.argv[1]](*sys.argv[2:])
