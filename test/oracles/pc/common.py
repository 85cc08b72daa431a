# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the oracles of predictive coding share."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "rules"))
from harness import Failure, main, oracle  # noqa: E402,F401


def truth(*conditions):
    """Conditions that must hold, as rows of numbers."""
    return [float(c) for c in conditions], [1.0]*len(conditions)


def layers(rng, *sizes, scale=0.5):
    """Weights [post, pre] between layers of these sizes."""
    return [rng.normal(0, scale, (b, a)) for a, b in zip(sizes, sizes[1:])]


def tanh(a):
    return np.tanh(a)


def dtanh(a):
    return 1 - np.tanh(a)**2


def backprop(weights, x, y, inside=True, phi=tanh, dphi=dtanh):
    """-dE/dW of E = |y - out|^2/2; mu = W phi(z) or (inside=False) phi(W z).

    The input is not squashed by `inside`; the output of `outside` nets is.
    """
    z, a = [x], []
    for l, W in enumerate(weights):
        pre = phi(z[-1]) if inside and l > 0 else z[-1]
        a.append(W @ pre)
        z.append(a[-1] if inside else phi(a[-1]))
    delta, grads = y - z[-1], []
    for l in reversed(range(len(weights))):
        drive = delta if inside else delta*dphi(a[l])
        pre = phi(z[l]) if inside and l > 0 else z[l]
        grads.insert(0, np.outer(drive, pre))
        delta = weights[l].T @ drive
        if inside and l > 0:
            delta = delta*dphi(z[l])
    return grads, z
