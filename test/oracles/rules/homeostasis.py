# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Homeostasis, short-term plasticity and metaplasticity."""
import numpy as np

from harness import main, oracle
from rates import W0, X, layer, trajectory

rng = np.random.default_rng(31)


@oracle(rules="synaptic_scaling", cpu=1e-6, spinnaker=1e-05, crossbar=0.005)
def scaling(run):
    decay, rate = np.exp(-1/6), np.zeros(2)

    def update(w, x, y):
        nonlocal rate
        rate = y + (rate - y)*decay
        return 0.1*w*(0.7 - rate)[:, None]
    got = run(layer("synaptic_scaling", "eta = 0.1; target = 0.7; tau = 6 ms"),
              x=X, w0=W0)["w"]
    return [("weights", got, trajectory(update, X, W0))]


@oracle(1e-9, rules="synaptic_scaling", cpu=1e-4, spinnaker=1e-2,
        crossbar=5e-2)
def scaling_fixed_point(run):
    """L13: ratios stay, and w -> w0 r*/(w0 x) for a linear unit."""
    x, w0 = np.array([0.5, 0.9, 0.3]), np.array([[0.2, 0.4, 0.1],
                                                 [0.3, 0.1, 0.6]])
    got = run(layer("synaptic_scaling", "eta = 0.2; target = 0.8; tau = 0.1 ms",
                    bounds="bounds [0, 4]", steps="400"),
              x=[x], w0=w0)["w"].reshape(2, 3)
    return [("ratios", got/got[:, :1], w0/w0[:, :1]),
            ("weights", got, w0*0.8/(w0 @ x)[:, None])]


@oracle(rules="weight_decay", cpu=1e-6, spinnaker=1e-06, crossbar=1e-06)
def weight_decay(run):
    got = run(layer("weight_decay", "eta = 0.1"), x=X, w0=W0)["w"]
    return [("weights", got,
             0.9**np.arange(1, 13)[:, None]*W0.ravel())]


def unit(model, bindings, n, extra="", reads=""):
    return f"""
network units {{
  dt = 1 ms
  stimulus x[{n}] range [-8, 8]
  population u : {model}[{n}] {{ {bindings} }}
  connect x -> u.drive one_to_one weight 1
  record u.value
  dataset inputs = file("x.npy")
}}
experiment run on units {{
  for each row of inputs {{
    present x from inputs
    step 1 ticks
    readout y = u.value
  }}
}}
"""


@oracle(rules="homeostatic_step", cpu=1e-6, spinnaker=0, crossbar=0)
def threshold(run):
    x = rng.normal(size=(400, 3))
    got = run(unit("homeostatic_step", "eta = 0.05; p = 0.2", 3), x=x)["y"]
    theta, rows = np.zeros(3), []
    for row in x:
        y = (row >= theta).astype(float)
        theta += 0.05*(y - 0.2)
        rows.append(y)
    # The threshold moved by eta (sum of y - p n) and stays bounded: P(y) = p up
    # to range/(eta n).
    mean = got.mean(0)
    return [("activity", got, rows),
            ("P(active), of its allowance", [max(0, abs(m - 0.2) - 4/(0.05*400))
                                             for m in mean], [0]*3)]


@oracle(1e-10, rules="intrinsic_unit", cpu=1e-3,
        spinnaker=0.005, crossbar=0.001)
def intrinsic(run):
    x = rng.normal(0, 1, (600, 2))
    got = run(unit("intrinsic_unit", "eta = 0.01; mu = 0.2", 2), x=x)["y"]
    a, b, rows = np.ones(2), np.zeros(2), []
    for row in x:
        y = 1/(1 + np.exp(-(a*row + b)))
        step = 0.01*(1 - (2 + 1/0.2)*y + y*y/0.2)
        a, b = a + 0.01/a + row*step, b + step
        rows.append(y)
    return [("outputs", got, rows)]


@oracle(1, rules="intrinsic_unit", cpu=1, spinnaker=1, crossbar=1)
def intrinsic_is_exponential(run):
    """Mean mu and standard deviation near mu, as an exponential has."""
    x = rng.normal(0.3, 0.5, (6000, 4))
    got = run(unit("intrinsic_unit", "eta = 0.005; mu = 0.2", 4),
              x=x)["y"].reshape(6000, 4)[3000:]
    return [("mean over 10 %", (got.mean() - 0.2)/0.02, 0),
            ("deviation over 25 %", (got.std() - 0.2)/0.05, 0)]


#--- Short-term plasticity -----------------------------------------------------

def train(times, ticks):
    out = np.zeros((ticks, 1))
    out[times] = 1
    return out


def relay(model, bindings):
    return f"""
network synapse {{
  dt = 1 ms
  stimulus s[1] : spike
  population r : {model}[1] {{ {bindings} }}
  connect s -> r.spikes one_to_one weight 1 delay 1 ms
  record r.release
  dataset spikes = file("s.npy")
}}
experiment run on synapse {{
  for each row of spikes {{
    present s from spikes
    step 1 ticks
    readout release = r.release
  }}
}}
"""


@oracle(rules="tsodyks_markram", cpu=1e-5, spinnaker=1e-06, crossbar=1e-06)
def short_term(run):
    """Irregular train: every release from its own formula."""
    times = np.array([5, 9, 30, 31, 80, 200, 210, 220])
    got = run(relay("tsodyks_markram",
                    "U = 0.3; tau_rec = 130 ms; tau_facil = 90 ms"),
              s=train(times, 240))["release"].ravel()
    want, u, x, last = np.zeros(240), 0.0, 1.0, None
    for t in times:
        if last is not None:
            u *= np.exp(-(t - last)/90)
            x = 1 - (1 - x)*np.exp(-(t - last)/130)
        u += 0.3*(1 - u)
        want[t + 1] = u*x  # a spike takes one tick to the relay
        x -= u*x
        last = t
    return [("release", got, want)]


@oracle(rules="tsodyks_markram", cpu=1e-5, spinnaker=1e-06, crossbar=1e-06)
def short_term_periodic(run):
    """L11: u and x of the periodic state."""
    U, f, d, gap = 0.3, 90, 130, 20
    times = np.arange(0, 4000, gap)
    got = run(relay("tsodyks_markram",
                    "U = 0.3; tau_rec = 130 ms; tau_facil = 90 ms"),
              s=train(times, 4000))["release"].ravel()
    u = U/(1 - (1 - U)*np.exp(-gap/f))
    x = (1 - np.exp(-gap/d))/(1 - (1 - u)*np.exp(-gap/d))
    return [("release", [got[times[-1] + 1]], [u*x])]


@oracle(rules="depressing_relay", cpu=1e-5, spinnaker=1e-06, crossbar=1e-06)
def depression(run):
    gap, U, d = 25, 0.4, 200
    times = np.arange(0, 4000, gap)
    got = run(relay("depressing_relay", "U = 0.4; tau_rec = 200 ms"),
              s=train(times, 4000))["release"].ravel()
    q = np.exp(-gap/d)
    x = (1 - q)/(1 - (1 - U)*q)
    second = 1 - U*q
    return [("first two", got[[1, 26]], [U, U*second]),
            ("periodic", [got[times[-1] + 1]], [U*x])]


#--- Metaplasticity ------------------------------------------------------------

def metaplastic_case(run, m):
    rows = rng.choice([-1.0, 1], size=(60, 3))
    target = np.array([0.3, -0.4])
    got = run(layer("metaplastic_binary", f"eta = 0.2; m = {m}; error = e.error",
                    extra="""
  stimulus goal[2] = [0.3, -0.4] range [-1, 1]
  population e : pc_error[2]
  connect goal -> e.actual one_to_one weight 1
  connect y.value -> e.prediction one_to_one weight 1""")
              .replace("y.drive through W", "y.drive through W transmit sign(w)*x"),
              x=rows, w0=W0)["w"]
    w, want = W0.copy(), []
    for x in rows:
        step = 0.2*np.outer(target - np.sign(w) @ x, x)
        hard = 1 - np.tanh(m*w)**2
        w = w + np.where(step*w < 0, step*hard, step)
        want.append(w.ravel().copy())
    return [(f"m = {m}", got, want)]


@oracle(1e-10, rules="metaplastic_binary", cpu=2e-3, spinnaker=0.002)
def metaplastic(run):
    return metaplastic_case(run, 1.3)


@oracle(rules="metaplastic_binary", cpu=1e-5, spinnaker=1e-05)
def metaplastic_plain(run):
    return metaplastic_case(run, 0)


@oracle(rules="cascade", cpu=1e-9, spinnaker=1e-6, crossbar=1e-6)
def cascade(run):
    n, ticks, levels, x = 3, 200, 3, 0.5
    pre = rng.choice([-1.0, 0, 1], size=(ticks, n))
    post = rng.choice([-1.0, 0, 1], size=(ticks, n))
    a, b = rng.uniform(size=(2, ticks, n))
    got = run(f"""
network pleas {{
  dt = 1 ms
  stimulus a[{n}] range [-1, 1]
  stimulus b[{n}] range [-1, 1]
  stimulus da[{n}] range [0, 1]
  stimulus db[{n}] range [0, 1]
  population sink : linear[{n}]
  weight W : a -> b dense = 1 bounds [-2, 2]
  connect a -> sink.drive through W
  plasticity learn on W : cascade pre a post b {{
    levels = {levels}; draw_pre = da; draw_post = db
  }}
  dataset pres = file("pre.npy")
  dataset posts = file("post.npy")
  dataset das = file("da.npy")
  dataset dbs = file("db.npy")
}}
experiment learn on pleas {{
  for each row of pres {{
    present a from pres
    present b from posts
    present da from das
    present db from dbs
    step 1 ticks
    readout w = W
  }}
}}
""", pre=pre, post=post, da=a, db=b)["w"]
    w, depth, rows = np.ones((n, n)), np.zeros((n, n), int), []
    deepest = 0
    for t in range(ticks):
        for j in range(n):
            for i in range(n):
                u = (a[t, i] + b[t, j]) % 1
                sign = pre[t, i]*post[t, j]*w[j, i]
                k = depth[j, i]
                if sign < 0:
                    q = x**k/(1 - x) if k == levels - 1 else x**k
                    if u < q:
                        w[j, i], depth[j, i] = -w[j, i], 0
                elif sign > 0 and k < levels - 1 and u < x**(k + 1)/(1 - x):
                    depth[j, i] += 1
        deepest = max(deepest, depth.max())
        rows.append(w.ravel().copy())
    return [("weights", got, rows), ("depth reached", [deepest], [levels - 1])]


if __name__ == "__main__":
    main()
