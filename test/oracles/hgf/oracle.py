# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The generalised hierarchical Gaussian filter node by node, in float64.

Written from the equations (docs/hgf.md), independently of lib/Library: here a
network is one object that walks over parents and children; there it is local
stages that exchange sums. The two must agree.
"""
import math
from dataclasses import dataclass, field

import numpy as np


def identity():
    return (lambda x: x, lambda x: 1.0, lambda x: 0.0)


def tanh():
    return (math.tanh, lambda x: 1 - math.tanh(x) ** 2,
            lambda x: -2 * math.tanh(x) * (1 - math.tanh(x) ** 2))


def sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))


def exp(x):
    return math.exp(min(max(x, -80.0), 80.0))


def lambert(l):
    """W with W e^W = e^l, by Newton's method on w + ln w = l from above."""
    w = max(l, math.exp(l)) if l < 1 else l
    w = math.exp(l) if l < -30 else max(w, 1e-300)
    for _ in range(200):
        new = w * (1 + l - math.log(w)) / (1 + w)
        if abs(new - w) <= 1e-16 * abs(w):
            break
        w = new
    return w


def gaussian(x, mean, precision):
    if not precision > 0:
        return math.nan
    return 0.5 * (math.log(2 * math.pi) - math.log(precision)
                  + precision * (x - mean) ** 2)


@dataclass
class Node:
    name: str
    kind: str                 # state, leaf, volatile_leaf, binary
    mean: float = 0.0
    precision: float = 1.0
    omega: float = -4.0
    rho: float = 0.0
    lam: float = 1.0
    scheme: str = ""          # of its volatility children; "": the filter's
    # what a step computes
    mu_hat: float = 0.0
    pi_hat: float = 1.0
    pi_cond: float = 1.0
    gamma: float = 0.0
    sigma_before: float = 1.0
    mean_before: float = 0.0
    log_rate: float = 0.0
    delta: float = 0.0
    Delta: float = 0.0
    observed: bool = False
    value_parents: list = field(default_factory=list)
    value_children: list = field(default_factory=list)
    vol_parents: list = field(default_factory=list)
    vol_children: list = field(default_factory=list)


@dataclass
class Edge:
    parent: Node
    child: Node
    strength: float
    g: tuple


class Filter:
    def __init__(self, scheme="enhanced", relaxed=False, compat=False,
                 exact_time=False):
        assert scheme in ("standard", "mean_first", "enhanced", "unbounded")
        self.scheme, self.relaxed, self.compat = scheme, relaxed, compat
        self.exact_time = exact_time
        self.nodes = {}

    def add(self, name, kind="state", **values):
        if kind in ("leaf", "volatile_leaf"):
            values.setdefault("omega", 0.0)
        node = Node(name, kind, **values)
        self.nodes[name] = node
        return node

    def value(self, parent, child, alpha=1.0, g=None):
        e = Edge(self.nodes[parent], self.nodes[child], alpha, g or identity())
        e.parent.value_children.append(e)
        e.child.value_parents.append(e)

    def volatility(self, parent, child, kappa=1.0, g=None):
        e = Edge(self.nodes[parent], self.nodes[child], kappa, g or identity())
        e.parent.vol_children.append(e)
        e.child.vol_parents.append(e)

    # -- order ---------------------------------------------------------------
    def downwards(self):
        order, done = [], set()

        def visit(n):
            if n.name in done:
                return
            done.add(n.name)
            for e in n.value_parents + n.vol_parents:
                visit(e.parent)
            order.append(n)

        for n in self.nodes.values():
            visit(n)
        return order

    # -- one step ------------------------------------------------------------
    def step(self, observations, dt=1.0):
        order = self.downwards()
        for n in order:
            self.predict(n, dt)
        for n in reversed(order):
            if n.value_children or n.vol_children:
                self.posterior(n, dt)
            else:
                self.observe(n, observations[n.name])
            self.errors(n)

    def predict(self, n, dt):
        n.mean_before = n.mean
        drift = sum(e.strength * e.g[0](e.parent.mu_hat)
                    for e in n.value_parents)
        if n.kind == "binary":
            p = sigmoid(sum((1.0 if self.compat else e.strength)
                            * e.parent.mu_hat for e in n.value_parents))
            n.mu_hat = min(max(p, 1e-6), 1 - 1e-6)
            n.pi_hat = n.mu_hat * (1 - n.mu_hat)      # the variance, see 1.6
            return
        n.log_rate = n.omega + sum(e.strength * e.g[0](e.parent.mu_hat)
                                   for e in n.vol_parents)
        moment = parents = 0.0
        if self.relaxed:
            moment = sum((e.strength * e.g[1](e.parent.mu_hat)) ** 2
                         / (2 * e.parent.pi_hat) for e in n.vol_parents)
            parents = sum((e.strength * e.g[1](e.parent.mu_hat)) ** 2
                          / e.parent.pi_hat for e in n.value_parents)
        if n.kind == "leaf":
            n.mu_hat = drift * (dt if self.compat else 1.0)
            n.pi_hat = n.pi_cond = n.precision
            n.gamma, n.sigma_before = 0.0, 1 / n.precision
            return
        walk = dt * exp(n.log_rate + moment)
        n.sigma_before = 1 / n.precision
        if n.kind == "volatile_leaf":
            n.mu_hat = drift * (dt if self.compat else 1.0)
        else:
            n.mu_hat = n.lam * n.mean + dt * (n.rho + drift)
            parents *= dt * dt
        n.pi_cond = 1 / (n.sigma_before + walk)
        n.pi_hat = 1 / (n.sigma_before + walk + parents)
        n.gamma = walk * n.pi_hat

    def observe(self, n, u):
        n.observed = u is not None and not math.isnan(u)
        n.mean = u if n.observed else n.mu_hat

    def errors(self, n):
        n.delta = n.mean - n.mu_hat
        if n.kind != "binary":
            n.Delta = n.pi_hat * (1 / n.precision + n.delta ** 2) - 1

    def value_messages(self, b, dt):
        P = M = 0.0
        for e in b.value_children:
            a = e.child
            if not a.observed:
                continue
            g1, g2 = e.g[1](b.mean_before), e.g[2](b.mean_before)
            k = e.strength
            if self.exact_time and a.kind == "state":
                k *= dt
            if a.kind == "binary":
                P += k * k * a.pi_hat
                M += k * a.delta
                continue
            pe = ph = a.pi_hat
            if self.relaxed and a.kind == "state":
                gained = a.precision - a.pi_hat
                pe = a.pi_cond * gained / (a.pi_cond + gained)
                ph = a.pi_cond * a.precision / (a.pi_cond + gained)
            P += pe * (k * k * g1 * g1 - k * g2 * a.delta)
            M += k * g1 * ph * a.delta
        return P, M

    def posterior(self, b, dt):
        scheme = b.scheme or self.scheme
        children = [e.child for e in b.value_children + b.vol_children]
        b.observed = any(c.observed for c in children)
        if not b.observed:
            b.mean, b.precision = b.mu_hat, b.pi_hat
            return
        P, M = self.value_messages(b, dt)
        seen = [e for e in b.vol_children if e.child.observed]
        if scheme == "unbounded" and seen:
            self.unbounded(b, seen, P, M, dt)
            return
        PV = 0.0
        for e in seen:
            a, k = e.child, e.strength
            h1 = k * e.g[1](b.mean_before)
            h2 = k * e.g[2](b.mean_before)
            PV += (0.5 * h1 * h1 * a.gamma
                   * (a.gamma + (2 * a.gamma - 1) * a.Delta)
                   - 0.5 * h2 * a.gamma * a.Delta)
            M += 0.5 * h1 * a.gamma * a.Delta
        if scheme == "mean_first" and b.vol_children:
            b.mean = b.mu_hat + M / b.pi_hat
            b.precision = b.pi_hat + P + PV
        elif scheme == "enhanced" and b.vol_children:
            b.mean = b.mu_hat + M / b.pi_hat
            PV = 0.0
            for e in seen:
                a, k = e.child, e.strength
                rate = a.log_rate + k * (e.g[0](b.mean) - e.g[0](b.mu_hat))
                v = dt * exp(rate)
                p = 1 / (a.sigma_before + v)
                gamma, r = v * p, (v - a.sigma_before) * p
                D = (1 / a.precision + a.delta ** 2) * p - 1
                h1, h2 = k * e.g[1](b.mean), k * e.g[2](b.mean)
                PV += max(0.0, 0.5 * h1 * h1 * gamma * (gamma + r * D)
                          - 0.5 * h2 * gamma * D)
            b.precision = b.pi_hat + P + PV
        else:
            b.precision = b.pi_hat + P + PV
            if self.relaxed:
                b.precision = min(b.precision, 1e10)
            b.mean = b.mu_hat + M / b.precision

    def unbounded(self, b, seen, P, M, dt):
        p = b.pi_hat + P
        m = b.mu_hat + M / p
        k = seen[0].strength
        assert all(e.strength == k for e in seen)
        gammas = [math.log(dt) + e.child.log_rate + k * (m - b.mu_hat)
                  for e in seen]
        betas = [1 / e.child.precision + e.child.delta ** 2 for e in seen]
        alphas = [e.child.sigma_before for e in seen]
        pi1, push = p, 0.0
        for e, c, al in zip(seen, gammas, alphas):
            w = 1 / (1 + al / exp(c))
            pi1 += 0.5 * k * k * w * (1 - w)
            push += 0.5 * k * w * e.child.Delta
        mu1 = m + push / pi1
        py, n = p / k ** 2, len(seen)
        excess = sum(be * exp(-c) for be, c in zip(betas, gammas))
        l = math.log(excess) - math.log(2 * py) + n / (2 * py)
        x = m + (lambert(l) - n / (2 * py)) / k
        pi2, floor, push = p, p, 0.0
        for c, al, be in zip(gammas, alphas, betas):
            s = exp(c + k * (x - m))
            w = 1 / (1 + al / s)
            D = be / (al + s) - 1
            pi2 += 0.5 * k * k * w * (w + (2 * w - 1) * D)
            floor += 0.5 * k * k * w * (1 - w)
            push += 0.5 * k * w * D
        if pi2 <= 0:
            pi2 = floor
        mu2 = x + (push - p * (x - m)) / pi2
        if not (math.isfinite(mu2) and math.isfinite(pi2)):
            mu2, pi2 = mu1, pi1

        def energy(y):
            total = -0.5 * p * (y - m) ** 2
            for c, al, be in zip(gammas, alphas, betas):
                s = al + exp(c + k * (y - m))
                total -= 0.5 * (math.log(s) + be / s)
            return total

        w = sigmoid(energy(mu2) - energy(mu1))
        b.mean = (1 - w) * mu1 + w * mu2
        b.precision = min(1 / ((1 - w) / pi1 + w / pi2
                               + w * (1 - w) * (mu1 - mu2) ** 2), 1e10)

    # -- surprise -------------------------------------------------------------
    def surprise(self, leaf, kind="own"):
        n = self.nodes[leaf]
        if not n.observed:
            return 0.0
        if n.kind == "binary":
            return -math.log(n.mu_hat if n.mean > 0.5 else 1 - n.mu_hat)
        if kind == "own":
            return gaussian(n.mean, n.mu_hat, n.pi_hat)
        variance = sum((e.strength * e.g[1](e.parent.mu_hat)) ** 2
                       / e.parent.pi_hat for e in n.value_parents)
        if kind == "predictive":
            variance += 1 / n.pi_hat
        return gaussian(n.mean, n.mu_hat, 1 / variance)


def lcg_binary(n=320):
    """The self-contained binary series of the golden values."""
    s, out = 42, []
    for k in range(n):
        s = (1103515245 * s + 12345) % 2 ** 31
        if k < 80:
            p = 0.8
        elif k < 160:
            p = 0.2
        else:
            p = 0.8 if ((k - 160) // 20) % 2 == 0 else 0.2
        out.append(1.0 if s / 2 ** 31 < p else 0.0)
    return np.array(out)


def continuous_series(n=200):
    k = np.arange(n)
    return 1 + 0.3 * np.sin(2 * np.pi * k / 40) + 0.5 * (k >= 100)
