# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Predictive coding on graphs with cycles, partly known patterns, feature maps,
in time, and with amortised starts, against NumPy in float64."""
import numpy as np

from common import dtanh, main, oracle, tanh, truth

rng = np.random.default_rng(23)


#--- Graphs --------------------------------------------------------------------

# a -> b -> c -> a, a skip a -> c, and b -> b: every edge W with mu_to += W f(z).
SIZES = dict(a=3, b=4, c=2)
EDGES = {"ab": ("a", "b"), "bc": ("b", "c"), "ca": ("c", "a"), "ac": ("a", "c"),
         "bb": ("b", "b")}
GRAPH = {k: rng.normal(0, 0.35, (SIZES[t], SIZES[f]))
         for k, (f, t) in EDGES.items()}
SEEN = rng.normal(0, 1, 3)


def graph(function, ticks, experiment=None):
    nodes = "\n  ".join(f"population {n} : pc_node[{s}] "
                        f"{{ rate = 0.2; {function} }}"
                        for n, s in SIZES.items())
    edges = "\n  ".join(
        f'circuit e_{k} = pc_edge({f}, {t}, start = file("{k}.npy"), eta = 0.1)'
        for k, (f, t) in EDGES.items())
    on = "; ".join(f"enable e_{k}.learning" for k in EDGES)
    reads = "; ".join(f"readout {k} = e_{k}.W" for k in EDGES)
    return f"""
network graph {{
  dt = 1 ms
  stimulus seen[3] = file("seen.npy") range [-4, 4]
  stimulus known[3] = file("known.npy") range [0, 1]
  {nodes}
  {edges}
  connect seen -> a.evidence one_to_one weight 1
  connect known -> a.hold one_to_one weight 1
}}
experiment settle on graph {{
  step {ticks} ticks
  readout a = a.value
  readout b = b.value
  readout c = c.value
  {on}
  step 1 ticks
  {reads}
}}
"""


def graph_slopes(z, phi, dphi):
    """dF/dz of every node and -dF/dW of every edge."""
    xi = {n: z[n] - sum((GRAPH[k] @ phi(z[f])
                         for k, (f, t) in EDGES.items() if t == n),
                        np.zeros(s)) for n, s in SIZES.items()}
    dz = {n: xi[n] - dphi(z[n])*sum((GRAPH[k].T @ xi[t]
                                     for k, (f, t) in EDGES.items() if f == n),
                                    np.zeros(s)) for n, s in SIZES.items()}
    dw = {k: np.outer(xi[t], phi(z[f])) for k, (f, t) in EDGES.items()}
    return dz, dw


def check_graph(run, function, phi, dphi, known):
    tables = run(graph(function, 6000), seen=SEEN, known=known, **GRAPH)
    z = {n: tables[n][-1] for n in SIZES}
    dz, dw = graph_slopes(z, phi, dphi)
    free = np.where(np.array(known) > 0.5, 0, dz["a"])
    rows = [("slopes at rest", np.concatenate([free, dz["b"], dz["c"]]),
             np.zeros(9)),
            ("what is known stays", z["a"][np.array(known) > 0.5],
             SEEN[np.array(known) > 0.5])]
    for k in EDGES:
        rows.append((f"learning {k}", tables[k] - GRAPH[k].ravel(),
                     0.1*dw[k].ravel()))
    return rows, z


@oracle(exact=1e-10, cpu=1e-5, spinnaker=2e-4, crossbar=5e-2)
def cyclic_graph_linear(run):
    """All of a known; the rest in closed form from the quadratic energy."""
    rows, z = check_graph(run, "", lambda x: x, lambda x: np.ones_like(x),
                          [1, 1, 1])
    M = np.zeros((9, 9))
    at = dict(a=slice(0, 3), b=slice(3, 7), c=slice(7, 9))
    for k, (f, t) in EDGES.items():
        M[at[t], at[f]] += GRAPH[k]
    D = np.eye(9) - M
    Hess = D.T @ D
    rest = np.linalg.solve(Hess[3:, 3:], -Hess[3:, :3] @ SEEN)
    return rows + [("closed form", np.concatenate([z["b"], z["c"]]), rest)]


@oracle(exact=1e-10, cpu=1e-5, spinnaker=1e-4, crossbar=3e-2)
def cyclic_graph_tanh(run):
    """One unit of a is not known and is completed by the others."""
    return check_graph(run, "inside = tanh", tanh, dtanh, [1, 0, 1])[0]


#--- Recall from a part ------------------------------------------------------------

@oracle(exact=1e-9, cpu=2e-4)
def associative_recall(run):
    """A generative network that was trained to zero error on one pattern
    completes it from half of it; so does the closed form."""
    y = rng.normal(0, 1, 8)
    W = rng.normal(0, 0.3, (8, 3))
    program = """
network memory {
  dt = 1 ms
  stimulus y[8] = file("y.npy") range [-4, 4]
  stimulus known[8] = 1 range [0, 1]
  population z : pc_node[3] { rate = 0.1; precision = 0.01; z = 0.5 }
  population x : pc_node[8] { rate = 0.1 }
  connect y -> x.evidence one_to_one weight 1
  connect known -> x.hold one_to_one weight 1
  circuit e = pc_edge(z, x, start = file("w.npy"), eta = 0.02)
  dataset half = file("half.npy")
}
experiment recall on memory {
  step 50 ticks
  enable e.learning
  step 3000 ticks
  disable e.learning
  readout w = e.W
  assign z.z = 0
  present known from half row 0
  assign x.z = 0
  step 15000 ticks
  readout x = x.value
}
"""
    half = np.array([[1, 1, 1, 1, 0, 0, 0, 0.0]])
    tables = run(program, y=y, w=W, half=half)
    learnt = tables["w"].reshape(8, 3)
    top = learnt[:4]
    z = np.linalg.solve(top.T @ top + 0.01*np.eye(3), top.T @ y[:4])
    x = tables["x"][-1]
    return [("known part", x[:4], y[:4]),
            ("completed part", x[4:], learnt[4:] @ z),
            ("it is the pattern", *truth(np.abs(x - y).max() < 0.1))]


#--- Feature maps --------------------------------------------------------------------

def convolve(image, kernel):
    """[C, H, W] and [M, C, 3, 3] with a border of 1."""
    c, h, w = image.shape
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    out = np.zeros((len(kernel), h, w))
    for i in range(h):
        for j in range(w):
            out[:, i, j] = np.einsum("mcuv,cuv->m", kernel,
                                     padded[:, i:i + 3, j:j + 3])
    return out


def adjoints(z, kernel, e):
    """The transposed convolution of e, and the kernel's gradient e (x) z."""
    c, h, w = z.shape
    padded = np.pad(z, ((0, 0), (1, 1), (1, 1)))
    back, dk = np.zeros((c, h + 2, w + 2)), np.zeros_like(kernel)
    for i in range(h):
        for j in range(w):
            back[:, i:i + 3, j:j + 3] += np.einsum("m,mcuv->cuv", e[:, i, j],
                                                   kernel)
            dk += np.einsum("m,cuv->mcuv", e[:, i, j],
                            padded[:, i:i + 3, j:j + 3])
    return back[:, 1:-1, 1:-1], dk


@oracle(exact=1e-11, cpu=1e-4)
def convolutional_layer(run):
    """Settling through a convolution and its transpose; the shared kernel."""
    K = rng.normal(0, 0.3, (2, 2, 3, 3))
    y = rng.normal(0, 1, (2, 5, 4))
    program = """
network maps {
  dt = 1 ms
  stimulus y[2, 5, 4] = file("y.npy") range [-4, 4]
  stimulus known[2, 5, 4] = 1 range [0, 1]
  population z : pc_node[2, 5, 4] { rate = 0.1; precision = 0.5; inside = tanh }
  population x : pc_node[2, 5, 4]
  connect y -> x.evidence one_to_one weight 1
  connect known -> x.hold one_to_one weight 1
  circuit e = pc_convolution(z, x, start = file("k.npy"), eta = 0.01,
                             pads = [1, 1, 1, 1])
}
experiment settle on maps {
  step 40 ticks
  readout z = z.z
  enable e.learning
  step 5 ticks
  readout k = e.W
}
"""
    tables = run(program, y=y, k=K)
    z, k, rows = np.zeros_like(y), K.copy(), None
    for step in range(45):
        if step == 40:
            rows = z.copy()
        e = y - convolve(tanh(z), k)
        back, dk = adjoints(tanh(z), k, e)
        z = z - 0.1*(0.5*z - dtanh(z)*back)
        if step >= 40:
            k = k + 0.01*dk
    return [("values", tables["z"], rows), ("kernel", tables["k"], k)]


#--- Time ---------------------------------------------------------------------------

@oracle(exact=1e-10, cpu=1e-5, spinnaker=1e-4, crossbar=5e-2)
def p6_kalman(run):
    """z settles on the mean of a Kalman filter whose predictive precision (the
    steady one) weights the error about A times the last estimate."""
    A = np.array([[0.9, 0.2, 0], [-0.2, 0.8, 0.1], [0, 0.1, 0.7]])
    C = rng.normal(0, 0.7, (2, 3))
    Q, Rn = np.diag([0.3, 0.2, 0.4]), np.array([[0.5, 0.1], [0.1, 0.4]])
    P = np.eye(3)
    for _ in range(3000):
        S = C @ P @ C.T + Rn
        post = P - P @ C.T @ np.linalg.solve(S, C @ P)
        P = A @ post @ A.T + Q
    gain = P @ C.T @ np.linalg.inv(C @ P @ C.T + Rn)
    state, mean, ys, means = np.zeros(3), np.zeros(3), [], []
    for _ in range(12):
        state = A @ state + rng.multivariate_normal(np.zeros(3), Q)
        y = C @ state + rng.multivariate_normal(np.zeros(2), Rn)
        mean = A @ mean + gain @ (y - C @ A @ mean)
        ys.append(y)
        means.append(mean)
    program = """
network filter {
  dt = 1 ms
  stimulus y[2] range [-16, 16]
  stimulus keep[1] range [0, 1]
  population z : pc_value[3] { rate = 0.1 }
  population last : pc_memory[3]
  population seen : pc_error[2]
  population moved : pc_error[3]
  connect y -> seen.actual one_to_one weight 1
  connect z.value -> seen.prediction dense weight file("c.npy")
  connect seen.error -> z.feedback dense weight file("ctr.npy")
  connect z.value -> moved.actual one_to_one weight 1
  connect last.activity -> moved.prediction dense weight file("a.npy")
  connect moved.error -> z.surprise dense weight file("p.npy")
  connect z.value -> last.value one_to_one weight 1
  connect keep -> last.latch all_to_all weight 1
  dataset ys = file("ys.npy")
}
experiment track on filter {
  for each row of ys {
    present y from ys
    step 1500 ticks
    present keep = 1
    step 1 ticks
    present keep = 0
    readout mean = z.value
  }
}
"""
    tables = run(program, ys=ys, c=C, ctr=C.T @ np.linalg.inv(Rn), a=A,
                 p=np.linalg.inv(P))
    return [("P6", tables["mean"], means)]


#--- Amortised start --------------------------------------------------------------------

@oracle(exact=1e-12, cpu=1e-5)
def amortised_start(run):
    """Bottom-up weights guess where inference starts and learn from where it
    ends: dV = eta (z - V x) x^T, so that the guess becomes the rest."""
    G = rng.normal(0, 0.5, (5, 3))
    V = rng.normal(0, 0.3, (3, 5))
    xs = rng.normal(0, 1, (4, 5))
    program = """
network amortised {
  dt = 1 ms
  stimulus x[5] range [-4, 4]
  stimulus go[1] range [0, 1]
  population z : pc_node_start[3] { rate = 0.2; precision = 0.3; guessed = 1 }
  population out : pc_error[5]
  weight W : z.activity -> out dense = file("w.npy")
  weight V : x -> z dense = file("v.npy")
  connect x -> out.actual one_to_one weight 1
  connect z.activity -> out.prediction through W
  connect out.drive -> z.feedback through transposed W
  connect x -> z.guess through V
  connect go -> z.start all_to_all weight 1
  plasticity amortise on V : hebb pre x post z.missed disabled { eta = 0.05 }
  dataset xs = file("xs.npy")
}
experiment learn on amortised {
  repeat 3 {
    for each row of xs {
      present x from xs
      present go = 1
      step 1 ticks
      present go = 0
      readout z = z.value
      step 10 ticks
      enable amortise
      step 1 ticks
      disable amortise
    }
  }
  readout v = V
}
"""
    tables = run(program, w=G, v=V, xs=xs)
    v, firsts = V.copy(), []
    for _ in range(3):
        for x in xs:
            z = v @ x
            firsts.append(z)
            for k in range(12):
                if k == 11:
                    v = v + 0.05*np.outer(z - v @ x, x)
                z = z - 0.2*(0.3*z - G.T @ (x - G @ z))
    return [("guesses", tables["z"], firsts), ("weights", tables["v"], v)]


@oracle(exact=1e-12, cpu=1e-5)
def bias(run):
    """A bias is a weight from a unit that is always 1."""
    y = rng.normal(0, 1, (3, 4))
    program = """
network biased {
  dt = 1 ms
  stimulus y[4] range [-4, 4]
  stimulus known[4] = 1 range [0, 1]
  population x : pc_node[4] { outside = tanh }
  connect y -> x.evidence one_to_one weight 1
  connect known -> x.hold one_to_one weight 1
  circuit b = pc_bias(x, start = 0.1, eta = 0.3)
  dataset ys = file("ys.npy")
}
experiment learn on biased {
  enable b.learning
  for each row of ys { present y from ys; step 2 ticks }
  readout b = b.b
}
"""
    b = np.full(4, 0.1)
    for row in np.repeat(y, 2, axis=0):
        b = b + 0.3*(row - tanh(b))*dtanh(b)
    return [("bias", run(program, ys=y)["b"], b)]


if __name__ == "__main__":
    main()
