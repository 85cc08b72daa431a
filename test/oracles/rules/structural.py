# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Growth and pruning within a budget."""
import numpy as np

from harness import main, oracle

rng = np.random.default_rng(7)
N, M, T = 6, 4, 80


def program(rule, bindings, when="step 1 ticks"):
    return f"""
network growth {{
  dt = 1 ms
  stimulus x[{N}] range [-2, 2]
  stimulus a[{N}] range [-8, 8]
  stimulus b[{M}] range [-8, 8]
  stimulus err[{M}] range [-2, 2]
  stimulus place_a[{N}] range [-16, 16]
  stimulus place_b[{M}] range [-16, 16]
  population y : linear[{M}]
  weight W : x -> y dense = file("w0.npy") bounds [-2, 2]
  connect x -> y.drive through W
  plasticity grow on W : {rule} {{ {bindings}; draw_pre = a; draw_post = b }}
  dataset inputs = file("x.npy")
  dataset draws_a = file("a.npy")
  dataset draws_b = file("b.npy")
  dataset errors = file("err.npy")
}}
experiment learn on growth {{
  present place_a = file("pa.npy")
  present place_b = file("pb.npy")
  for each row of inputs {{
    present x from inputs
    present a from draws_a
    present b from draws_b
    present err from errors
    {when}
    readout w = W
  }}
}}
"""


def data(per_row, ticks=T):
    w0 = np.zeros((M, N))
    for row in w0:
        chosen = rng.permutation(N)[:per_row]
        row[chosen] = rng.uniform(0.05, 0.4, per_row)*rng.choice([-1, 1],
                                                                 per_row)
    return dict(w0=w0, x=rng.normal(size=(ticks, N)),
                err=rng.normal(size=(ticks, M)),
                a=rng.uniform(size=(ticks, N)), b=rng.uniform(size=(ticks, M)),
                pa=np.arange(N)*1.0, pb=np.arange(M)*1.5)


def deep_r_case(run, rule, per_target):
    d = data(3)
    got = run(program(rule, "eta = 0.05; alpha = 0.02; T = 0.01; "
                      "floor = 0.01; error = err"), **d)["w"]
    w, rows, moved = d["w0"].copy(), [], 0
    for t in range(T):
        u = (d["a"][t][None] + d["b"][t][:, None]) % 1
        active = w != 0
        theta = (np.abs(w) + 0.05*np.outer(d["err"][t], d["x"][t])*np.sign(w)
                 - 0.05*0.02 + np.sqrt(2*0.05*0.01)*np.sqrt(12)*(u - 0.5))
        dies = active & (theta < 0.01)
        w = np.where(active, np.where(dies, 0, np.sign(w)*theta), 0)
        for rows_of in [[j] for j in range(M)] if per_target else [range(M)]:
            order = sorted(((j, i) for j in rows_of for i in range(N)
                            if not active[j, i]), key=lambda p: -u[p])
            for p in order[:dies[list(rows_of)].sum()]:
                w[p] = -0.01 if (1024*u[p]) % 1 < 0.5 else 0.01
        moved += dies.sum()
        rows.append(w.ravel().copy())
    fan_in = np.count_nonzero(got.reshape(T, M, N), axis=2)
    return [("weights", got, rows), ("active synapses", fan_in.sum(1), [3*M]*T),
            ("fan-in", fan_in if per_target else [0], np.full(
                (T, M), 3) if per_target else [0]),
            ("some moved", [0 if moved > 20 else 1], [0])]


@oracle(1e-10, rules="deep_r", cpu=1e-4)
def deep_r(run):
    return deep_r_case(run, "deep_r", False)


@oracle(1e-10, rules="deep_r_fan_in", cpu=1e-4)
def deep_r_fan_in(run):
    return deep_r_case(run, "deep_r_fan_in", True)


@oracle(0, rules="deep_r_fan_in", spinnaker=0)
def deep_r_budget(run):
    """Where rounding decides which synapse dies, the budget is still kept."""
    return deep_r_case(run, "deep_r_fan_in", True)[1:]


@oracle(1e-12, rules="structural_distance", cpu=1e-6, spinnaker=1e-4)
def distance(run):
    d = data(3, 250)
    got = run(program("structural_distance", "sigma = 1.5; threshold = 0.2; "
                      "p_weak = 0.5; p_strong = 0.1; w_new = 0.15; "
                      "place_pre = place_a; place_post = place_b",
                      "step 1 ticks\n    call grow"), **d)["w"]
    w, rows = d["w0"].copy(), []
    for t in range(250):
        u = (d["a"][t][None] + d["b"][t][:, None]) % 1
        active = w != 0
        dies = active & (u < np.where(np.abs(w) < 0.2, 0.5, 0.1))
        for j in range(M):
            away = (d["pa"] - d["pb"][j])/1.5
            # Efraimidis & Spirakis: the largest u^(1/weight), the same order
            key = np.where(active[j], -1, u[j]**np.exp(away**2/2))
            new = np.argsort(-key)[:dies[j].sum()]
            new = [i for i in new if not active[j, i]]
            w[j] = np.where(dies[j], 0, w[j])
            w[j, new] = 0.15
        rows.append(w.ravel().copy())
    fan_in = np.count_nonzero(got.reshape(250, M, N), axis=2)
    return [("weights", got, rows), ("fan-in", fan_in, np.full((250, M), 3))]


@oracle(1, rules="structural_distance random_uniform", cpu=1, spinnaker=1)
def stationary_distances(run):
    """All synapses are replaced all the time: distances are distributed as
    e^(-d^2/(2 sigma^2)) over the places of the sources, up to the places that
    are taken (one of 40 here)."""
    n, m, sigma, calls = 41, 1, 4.0, 3000
    got = run(f"""
network growth {{
  dt = 1 ms
  seed = 3
  stimulus x[{n}]
  stimulus place_a[{n}] range [-32, 32]
  stimulus place_b[{m}] range [-32, 32]
  population y : linear[{m}]
  population a : random_uniform[{n}]
  population b : random_uniform[{m}]
  weight W : x -> y dense = file("w0.npy")
  connect x -> y.drive through W
  plasticity grow on W : structural_distance {{
    sigma = {sigma}; p_weak = 1; w_new = 0.05
    place_pre = place_a; place_post = place_b
    draw_pre = a.value; draw_post = b.value
  }}
}}
experiment learn on growth {{
  present place_a = file("pa.npy")
  present place_b = 0
  repeat {calls} {{
    step 1 ticks
    call grow
    readout w = W
  }}
}}
""", w0=0.05*np.eye(m, n, k=20), pa=np.arange(n) - 20.0)["w"]
    w = got.reshape(calls, m, n) != 0
    place = np.arange(n) - 20.0
    p = np.exp(-place**2/2/sigma**2)
    p /= p.sum()
    count = w.sum((0, 1))
    total = count.sum()
    # A freed place may not be taken again at once: the chance of i changes
    # from p_i to the stationary one of the chain that excludes the present
    # place, proportional to p_i (1 - p_i).
    q = p*(1 - p)/(p*(1 - p)).sum()
    error = np.sqrt(total*q*(1 - q))
    wide = q*total > 20
    return [("fan-in", w.sum(2).ravel() - 1, np.zeros(calls*m)),
            ("counts over four standard deviations",
             ((count - total*q)/(4*error))[wide], np.zeros(wide.sum()))]


if __name__ == "__main__":
    main()
