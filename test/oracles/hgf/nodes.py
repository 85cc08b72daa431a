# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Families, categories, responses, worlds, and a node type of a user."""
import math
import os

import numpy as np

import oracle
from common import DOUBLE, check, close
from spec import run


# --- Families, categories, responses ---------------------------------------------

@check
def exponential_family():
    """H7: constant nu is a moving average; the prediction is Student's t."""
    rng = np.random.default_rng(6)
    steps, nu = 50, 4.0
    x = rng.normal(0.7, 1.3, (steps, 2))
    gap = np.zeros((steps, 1))
    gap[[3, 9]] = 1
    xi, xs, costs = np.array([0.0, 1.0]), [], []
    for z, g in zip(x[:, 0], gap[:, 0]):
        if not g:
            df, scale2 = nu + 1, xi[1] - xi[0] ** 2
            costs.append(-(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)
                           - 0.5 * math.log(math.pi * df * scale2)
                           - (df + 1) / 2 * math.log(
                               1 + (z - xi[0]) ** 2 / (df * scale2))))
            xi = xi + (np.array([z, z * z]) - xi) / (1 + nu)
        else:
            costs.append(0.0)
        xs.append(xi)
    # Two dimensions: x1, x2, x1^2, x1 x2, x2^2.
    many, mean = [], np.array([0.0, 0.0, 1.0, 0.0, 1.0])
    for (a, b), g in zip(x, gap[:, 0]):
        if not g:
            mean = mean + (np.array([a, b, a * a, a * b, b * b]) - mean) / (
                1 + nu)
        many.append(mean)
    text = f"""
network family {{
  dt = 1 ms
  stimulus x[2]
  stimulus gap[1]
  population n : hgf_normal[1] {{ nu = {nu} }}
  connect x -> n.value list([[0, 0]]) weight 1
  connect gap -> n.missing one_to_one weight 1
  population t : hgf_product[5]
  connect x -> t.factor list([[0, 0], [1, 1], [0, 2], [0, 3], [1, 4]]) weight 1
  connect x -> t.factor list([[0, 2], [1, 3], [1, 4]]) weight 1
  population s : hgf_statistic[5] {{ nu = {nu}; xi = [0, 0, 1, 0, 1] }}
  connect t.value -> s.value one_to_one weight 1
  connect gap -> s.missing all_to_all weight 1
  record n.xi1
  record n.xi2
  record n.surprise
  record s.xi
  dataset xs = file("x.npy")
  dataset gaps = file("gap.npy")
}}
experiment e on family {{
  for each row of xs {{ present x from xs; present gap from gaps; step 1 ticks }}
}}
"""
    for target in DOUBLE:
        r = run(text, {"x": x, "gap": gap}, target)
        close(np.c_[r["n.xi1"].ravel(), r["n.xi2"].ravel()], xs, 1e-12)
        close(r["n.surprise"].ravel(), costs, 1e-12)
        close(r["s.xi"].reshape(steps, 5), many, 1e-12)


@check
def adaptive_family():
    """hgf-n: every statistic is filtered, all learn at the common rate."""
    rng = np.random.default_rng(8)
    steps = 60
    x = rng.normal(0.7, 0.6, (steps, 1))
    gap = np.zeros((steps, 1))
    gap[[3, 9]] = 1
    for offset, levels in ((1, 1), (0, 2)):
        f = oracle.Filter("enhanced")
        for k in range(2):
            f.add(f"u{k}", "leaf", precision=2.0)
            f.add(f"x{k}", omega=-2.0)
            f.value(f"x{k}", f"u{k}")
            if levels == 2:
                f.add(f"v{k}", omega=-3.0)
                f.volatility(f"v{k}", f"x{k}")
        xi, nu, want = np.zeros(2), 0.0, []
        for z, g in zip(x[:, 0], gap[:, 0]):
            t = np.array([z, z * z])
            f.step({f"u{k}": math.nan if g else t[k] for k in range(2)})
            if not g:
                nu = np.mean([f.nodes[f"u{k}"].delta / f.nodes[f"x{k}"].delta
                              for k in range(2)]) - offset
                xi = xi + (t - xi) / (1 + nu)
            want.append([nu, *xi])
        more = """
  population v : hgf_state[2] { tonic_volatility = -3 }
  volatility_coupling(v, x)""" if levels == 2 else ""
        text = f"""
network family {{
  dt = 1 ms
  stimulus z[1]
  stimulus gap[1]
  population t : hgf_product[2]
  connect z -> t.factor list([[0, 0], [0, 1]]) weight 1
  connect z -> t.factor list([[0, 1]]) weight 1
  population u : hgf_leaf[2] {{ precision = 2 }}
  population x : hgf_state[2] {{ tonic_volatility = -2 }}{more}
  circuit c = hgf_adaptive_family(t.value, gap, u, x, {offset})
  record c.rate.nu as nu
  record c.learned.xi as xi
  dataset zs = file("z.npy")
  dataset gaps = file("gap.npy")
}}
experiment e on family {{
  for each row of zs {{ present z from zs; present gap from gaps; step 1 ticks }}
}}
"""
        for target in DOUBLE:
            r = run(text, {"z": x, "gap": gap}, target)
            got = np.c_[r["nu"].ravel(), r["xi"].reshape(steps, 2)]
            close(got, want, 1e-9, target)


def digamma(x):
    total = 0.0
    while x < 20:
        total -= 1 / x
        x += 1
    return total + math.log(x) - 1 / (2 * x) - sum(
        c / x ** k for c, k in ((1 / 12, 2), (-1 / 120, 4), (1 / 252, 6),
                                (-1 / 240, 8), (1 / 132, 10)))


@check
def categories():
    """One state per category under a common volatility; pseudo-counts."""
    rng = np.random.default_rng(9)
    K, steps = 5, 60
    which = rng.choice(K, steps, p=[0.5, 0.2, 0.1, 0.1, 0.1])
    u = np.eye(K)[which]
    gap = np.zeros((steps, 1))
    gap[[7, 30]] = 1
    f = oracle.Filter("enhanced")
    f.add("v")
    for k in range(K):
        f.add(f"u{k}", "binary")
        f.add(f"x{k}", mean=-math.log(K - 1))
        f.value(f"x{k}", f"u{k}")
        f.volatility("v", f"x{k}")
    alpha, want = np.ones(K), []
    for row, g in zip(u, gap[:, 0]):
        f.step({f"u{k}": math.nan if g else row[k] for k in range(K)})
        expected = np.array([f.nodes[f"u{k}"].mu_hat for k in range(K)])
        belief = np.array([oracle.sigmoid(f.nodes[f"x{k}"].mean)
                           for k in range(K)])
        new = alpha
        if not g:
            nu = (row - expected) / (belief - expected) - 1
            new = nu * expected + 1
        A, B = alpha.sum(), new.sum()
        kl = (math.lgamma(A) - math.lgamma(B)
              + sum(math.lgamma(b) - math.lgamma(a)
                    for a, b in zip(alpha, new))
              + sum((a - b) * (digamma(a) - digamma(A))
                    for a, b in zip(alpha, new)))
        assert kl >= -1e-12
        surprise = sum(f.surprise(f"u{k}") for k in range(K))
        alpha = new
        want.append([kl, surprise, *alpha])
    text = f"""
network choice {{
  dt = 1 ms
  stimulus u[{K}]
  stimulus gap[1]
  circuit c = hgf_categorical(u, gap, {K})
  population total : hgf_total[1]
  connect c.leaf.surprise -> total.amount all_to_all weight 1
  record c.category.alpha as alpha
  record c.shift.divergence as divergence
  record total.value as cost
  dataset us = file("u.npy")
  dataset gaps = file("gap.npy")
}}
experiment e on choice {{
  for each row of us {{ present u from us; present gap from gaps; step 1 ticks }}
}}
"""
    want = np.array(want)
    for target in DOUBLE:
        r = run(text, {"u": u, "gap": gap}, target)
        close(r["alpha"].reshape(steps, K), want[:, 2:], 1e-9, target)
        close(r["divergence"].ravel(), want[:, 0], 1e-9, target)
        close(r["cost"].ravel(), np.cumsum(want[:, 1]), 1e-9, target)


@check
def responses():
    """Decisions after a softmax; a binary cause behind noise."""
    rng = np.random.default_rng(10)
    steps, tau, pi = 30, 1.7, 3.0
    m = rng.uniform(0, 1, steps)
    m[0], m[1] = 0.0, 1.0
    y = (rng.random(steps) < 0.5).astype(float)
    y[0], y[1] = 1.0, 0.0             # impossible decisions
    x = rng.normal(0.4, 0.7, steps)
    with np.errstate(all="ignore"):
        p = m ** tau / (m ** tau + (1 - m) ** tau)
        cost = -np.log(np.where(y > 0.5, p, 1 - p))
    mu, prec, want = 0.2, 2.0, []
    for z in x:
        prec = 1 / (1 / prec + math.exp(-2.0))
        q = oracle.sigmoid(mu)
        one = math.sqrt(pi / (2 * math.pi)) * math.exp(-pi / 2 * (z - 1) ** 2)
        zero = math.sqrt(pi / (2 * math.pi)) * math.exp(-pi / 2 * z ** 2)
        post = q * one / (q * one + (1 - q) * zero)
        s = -math.log(q * one + (1 - q) * zero)
        prec += q * (1 - q)
        mu += (post - q) / prec
        want.append([q, post, s, mu])
    text = f"""
network answers {{
  dt = 1 ms
  stimulus m[1]
  stimulus y[1]
  stimulus x[1]
  population r : hgf_softmax_response[1] {{ inverse_temperature = {tau} }}
  connect m -> r.belief one_to_one weight 1
  connect y -> r.decision one_to_one weight 1
  population leaf : hgf_noisy_binary[1] {{ precision = {pi} }}
  population b : hgf_state[1] {{
    tonic_volatility = -2; mean = 0.2; precision = 2
  }}
  connect x -> leaf.value one_to_one weight 1
  binary_coupling(b, leaf)
  record r.probability
  record r.surprise
  record leaf.expected_mean
  record leaf.mean
  record leaf.surprise
  record b.mean
  dataset ms = file("m.npy")
  dataset ys = file("y.npy")
  dataset xs = file("x.npy")
}}
experiment e on answers {{
  for each row of ms {{
    present m from ms; present y from ys; present x from xs
    step 1 ticks
  }}
}}
"""
    for target in DOUBLE:
        r = run(text, {"m": m.reshape(-1, 1), "y": y.reshape(-1, 1),
                       "x": x.reshape(-1, 1)}, target)
        close(r["r.probability"].ravel()[2:], p[2:], 1e-12)
        close(r["r.surprise"].ravel()[2:], cost[2:], 1e-12)
        assert np.isinf(r["r.surprise"].ravel()[:2]).all()
        got = np.c_[r["leaf.expected_mean"].ravel(), r["leaf.mean"].ravel(),
                    r["leaf.surprise"].ravel(), r["b.mean"].ravel()]
        close(got, want, 1e-12, target)


@check
def worlds():
    """Draws have the moments that the filter assumes, and a filter that knows
    the world's parameters is as surprised as it expects to be."""
    n, ticks, omega, precision = 2000, 40, -1.0, 2.0
    text = f"""
network world {{
  dt = 1 ms
  seed = 11
  population v : hgf_world_state[{n}] {{ tonic_volatility = -4 }}
  population w : hgf_world_state[{n}] {{ tonic_volatility = {omega} }}
  population u : hgf_sample[{n}] {{ precision = {precision} }}
  population coin : hgf_binary_sample[{n}]
  connect w.value -> u.drift one_to_one weight 1
  connect w.value -> coin.drift one_to_one weight 1
  population jumps : hgf_world_state[{n}] {{ tonic_volatility = {omega} }}
  connect v.value -> jumps.volatility one_to_one weight 1
  population leaf : hgf_leaf[{n}] {{ precision = {precision} }}
  population x : hgf_state[{n}] {{
    tonic_volatility = {omega}; precision = 1e9
  }}
  population total : hgf_total[{n}]
  connect u.value -> leaf.value one_to_one weight 1
  observation_coupling(x, leaf)
  connect leaf.predictive -> total.amount one_to_one weight 1
  # A filter that hears what it predicts.
  population said : hgf_sample[{n}] {{ precision = {precision} }}
  population ear : hgf_leaf[{n}] {{ precision = {precision} }}
  population y : hgf_state[{n}] {{
    tonic_volatility = {omega}; precision = 1e9
  }}
  population own : hgf_total[{n}]
  connect y.prediction -> said.drift one_to_one weight 1
  connect y.variance -> said.uncertainty one_to_one weight 1
  connect said.value -> ear.value one_to_one weight 1
  observation_coupling(y, ear)
  connect ear.predictive -> own.amount one_to_one weight 1
}}
experiment e on world {{
  step {ticks} ticks
  readout w = w.x
  readout v = v.x
  readout jumps = jumps.x
  readout coin = coin.value
  readout total = total.total
  readout own = own.total
  readout belief = x.mean
  readout precision = x.precision
}}
"""
    entropy, variance = 0.0, 0.0
    for _ in range(ticks):
        variance += math.exp(omega)
        whole = variance + 1 / precision
        entropy += 0.5 * math.log(2 * math.pi * math.e * whole)
        variance = variance / precision / whole
    for target in DOUBLE:
        r = run(text, {}, target)
        w, v, jumps = r["w"].ravel(), r["v"].ravel(), r["jumps"].ravel()
        for x, want in ((w, ticks * math.exp(omega)),
                        (v, ticks * math.exp(-4.0)),
                        (jumps, sum(math.exp(omega + k * math.exp(-4.0) / 2)
                                    for k in range(1, ticks + 1)))):
            spread = np.std(x * x) / math.sqrt(n)
            assert abs(np.mean(x * x) - want) < 4 * spread, want
            assert abs(np.mean(x)) < 4 * np.std(x) / math.sqrt(n)
        p = 1 / (1 + np.exp(-w))
        assert abs(np.mean(r["coin"].ravel() - p)) < 4 * math.sqrt(
            np.mean(p * (1 - p)) / n)
        for total in (r["total"].ravel(), r["own"].ravel()):
            assert abs(total.mean() - entropy) < 4 * total.std() / math.sqrt(n)
        # The belief is calibrated: errors have the variance it states.
        z = (w - r["belief"].ravel()) ** 2 * r["precision"].ravel()
        assert abs(z.mean() - 1) < 4 * z.std() / math.sqrt(n)


@check
def user_node():
    """A node type of a user, in a file outside the library, in the same
    couplings: here a state whose belief decays towards a home."""
    rng = np.random.default_rng(11)
    steps, rate, home = 40, 0.2, 0.5
    u = rng.normal(0.5, 1, (steps, 1))
    own = """
model homing_state {
  param rate = 0.2
  param home = 0.5
  param omega = -3
  state mu = 0
  state pi = 1
  state hat = 0
  state sure = 1
  input volatility : 1
  input support : 1
  input error : 1
  input heard : 1 combine max
  output prediction : 1
  output variance : 1
  output noise_before : 1
  output log_walk : 1
  output pace : 1
  output observed : 1
  output volatility_error : 1
  output spread : 1
  stage predict {
    hat = mu + rate*(home - mu)
    sure = 1/((1 - rate)*(1 - rate)/pi + exp(omega + volatility))
    emit prediction = hat
    emit variance = 1/sure
    emit noise_before = (1 - rate)*(1 - rate)/pi
    emit log_walk = omega + volatility
    emit pace = 1
  }
  stage update {
    let part = exp(omega + volatility)*sure
    pi = sure + support
    mu = hat + error/pi
    emit observed = heard
    emit spread = 1/pi + (mu - hat)*(mu - hat)
    emit volatility_error = 0.5*part*(sure*(1/pi + (mu - hat)^2) - 1)
  }
}
"""
    text = f"""
import "own.neuro"
network home {{
  dt = 1 ms
  stimulus u[1]
  population leaf : hgf_leaf[1]
  population x : homing_state[1] {{ rate = {rate}; home = {home} }}
  population v : hgf_state[1] {{ tonic_volatility = -2 }}
  connect u -> leaf.value one_to_one weight 1
  observation_coupling(x, leaf)
  volatility_coupling(v, x)
  record x.mu
  record x.pi
  record v.mean
  record v.precision
  dataset us = file("u.npy")
}}
experiment e on home {{
  for each row of us {{ present u from us; step 1 ticks }}
}}
"""
    mu, pi, mv, pv, want = 0.0, 1.0, 0.0, 1.0, []
    for z in u[:, 0]:
        walk = math.exp(-3 + mv)
        before = (1 - rate) ** 2 / pi
        hat, sure = mu + rate * (home - mu), 1 / (before + walk)
        pvh = 1 / (1 / pv + math.exp(-2))
        pi = sure + 1
        mu = hat + (z - hat) / pi
        spread = 1 / pi + (mu - hat) ** 2
        new = mv + 0.5 * walk * sure * (sure * spread - 1) / pvh
        v = math.exp(-3 + new)
        q = 1 / (before + v)
        pv = pvh + max(0, 0.5 * v * q * (v * q + (v - before) * q
                                         * (spread * q - 1)))
        mv = new
        want.append([mu, pi, mv, pv])
    for target in DOUBLE:
        r = run(text, {"u": u}, target, others={"own.neuro": own})
        got = np.c_[r["x.mu"].ravel(), r["x.pi"].ravel(),
                    r["v.mean"].ravel(), r["v.precision"].ravel()]
        close(got, want, 1e-12, target)


def documented(start):
    """The block of docs/hgf.md that begins so."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                        "..", "docs", "hgf.md")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    begin = text.index("```neuro\n" + start) + len("```neuro\n")
    return text[begin:text.index("```", begin)]


@check
def chapter():
    """The programs of the chapter run, and its node is what it says."""
    u = np.random.default_rng(14).normal(0.5, 1, (30, 1))
    text = documented("model homing_state") + """
network home {
  dt = 1 ms
  stimulus u[1]
  population leaf : hgf_leaf[1]
  population x : homing_state[1]
  connect u -> leaf.value one_to_one weight 1
  observation_coupling(x, leaf)
  record x.mu
  record x.pi
  dataset us = file("u.npy")
}
experiment e on home { stream u from us }
"""
    mu, pi, want = 0.0, 1.0, []
    for z in u[:, 0]:
        sure = 1 / (0.64 / pi + math.exp(-3))
        hat = mu + 0.2 * (0.5 - mu)
        pi = sure + 1
        mu = hat + (z - hat) / pi
        want.append([mu, pi])
    first = documented("network binary3") + """
experiment e on binary3 {
  present u = [1]
  step 3 ticks
  readout x2 = x2.mean
""" + documented("readout faults") + "}\n"
    for target in DOUBLE:
        r = run(text, {"u": u}, target)
        close(np.c_[r["x.mu"].ravel(), r["x.pi"].ravel()], want, 1e-12)
        assert run(first, {}, target)["x2"].item() > 0.5
