# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rules and units that look at many synapses or units at once."""
import numpy as np

from harness import main, oracle
from rates import W0, X, compare, layer, trajectory

rng = np.random.default_rng(7)


@oracle(1e-11, rules="sanger", cpu=1e-6)
def sanger(run):
    def update(w, x, y):
        return 0.1*(np.outer(y, x) - np.tril(np.outer(y, y)) @ w)
    return compare(run, "sanger", update, "eta = 0.1")


@oracle(1e-11, rules="subspace", cpu=1e-6)
def subspace(run):
    def update(w, x, y):
        return 0.1*np.outer(y, x - w.T @ y)
    return compare(run, "subspace", update, "eta = 0.1")


C = np.array([[3, 1, 0.5, 0], [1, 2, 0.3, 0.2], [0.5, 0.3, 1, 0.1],
              [0, 0.2, 0.1, 0.5]])


def mean_flow(run, rule, units, passes):
    """Weights after gradient flow on C itself: the lanes of a batch show the
    columns of sqrt(n) C^(1/2), and the weights change by the lanes' mean."""
    values, vectors = np.linalg.eigh(C)
    root = vectors*np.sqrt(values*4)
    got = run(f"""
network flow {{
  dt = 1 ms
  batch = 4
  stimulus x[4] range [-8, 8]
  population y : linear[{units}]
  weight W : x -> y dense = file("w0.npy")
  connect x -> y.drive through W
  plasticity learn on W : {rule} {{ eta = 0.05 }}
}}
experiment learn on flow {{
  present x = file("x.npy")
  step {passes} ticks
  readout w = W
}}
""", x=root.T, w0=rng.normal(0, 0.3, (units, 4)))["w"]
    return got[0].reshape(units, 4), vectors[:, ::-1].T


@oracle(1e-8, rules="oja", cpu=1e-5)
def oja_mean_flow(run):
    """L1: the first eigenvector, length exactly 1."""
    w, vectors = mean_flow(run, "oja", 1, 1000)
    return [("direction", abs(w[0] @ vectors[0]), 1),
            ("length", np.linalg.norm(w), 1)]


@oracle(1e-8, rules="oja", cpu=1e-5)
def oja_of_the_reference(run):
    """L1: C = [[3, 1], [1, 2]]: w -> (0.8506508, 0.5257311)."""
    values, vectors = np.linalg.eigh([[3.0, 1], [1, 2]])
    root = vectors*np.sqrt(values*2)
    got = run("""
network flow {
  dt = 1 ms
  batch = 2
  stimulus x[2] range [-8, 8]
  population y : linear[1]
  weight W : x -> y dense = [[0.5, 0.1]]
  connect x -> y.drive through W
  plasticity learn on W : oja { eta = 0.05 }
}
experiment learn on flow {
  present x = file("x.npy")
  step 1000 ticks
  readout w = W
}
""", x=root.T)["w"]
    return [("weights", got, [0.85065080835, 0.52573111212])]


@oracle(1e-8, rules="anti_hebb", cpu=1e-5)
def anti_hebb_mean_flow(run):
    """L5: with all samples as lanes, E[y_1 y_2] is exactly 0 at rest."""
    x = rng.normal(0, 0.4, (16, 1)) @ [[1, 0.8]] + rng.normal(0, 0.2, (16, 2))
    got = run("""
network lateral {
  dt = 1 ms
  batch = 16
  stimulus x[2] range [-2, 2]
  population first : linear[1]
  population second : linear[1]
  connect x -> first.drive list([[0, 0]]) weight 1
  connect x -> second.drive list([[1, 0]]) weight 1
  weight Q : first -> second dense = 0 bounds [-4, 4]
  connect first.value -> second.drive through Q
  plasticity learn on Q : anti_hebb { eta = 0.5 }
}
experiment learn on lateral {
  present x = file("x.npy")
  step 600 ticks
  readout q = Q
}
""", x=x)["q"][0]
    y1, y2 = x[:, 0], x[:, 1] + got[0]*x[:, 0]
    return [("E[y_1 y_2]", np.mean(y1*y2), 0),
            ("weight", got, [-np.mean(y1*x[:, 1])/np.mean(y1*y1)])]


@oracle(1e-8, rules="sanger", cpu=1e-4)
def sanger_eigenvectors(run):
    """L2: ordered eigenvectors."""
    w, vectors = mean_flow(run, "sanger", 3, 4000)
    return [("|cos|", np.abs(np.sum(w*vectors[:3], axis=1)), np.ones(3)),
            ("lengths", np.linalg.norm(w, axis=1), np.ones(3))]


@oracle(1e-8, rules="subspace", cpu=1e-4)
def subspace_projector(run):
    """L3: W^T W is the projector on the first two eigenvectors."""
    w, vectors = mean_flow(run, "subspace", 2, 4000)
    return [("projector", w.T @ w, vectors[:2].T @ vectors[:2]),
            ("orthonormal", w @ w.T, np.eye(2))]


@oracle(1e-11, rules="krotov_hopfield_normalised ranking_unit", cpu=1e-5)
def krotov_layer(run):
    """p = 2, k = 2: ranking, Delta w and the division in one layer."""
    w0 = rng.uniform(-0.5, 0.5, (4, 3))
    got = run(layer("krotov_hopfield_normalised",
                    "eta = 0.1; scale = 0.8; drive = y.h",
                    clauses="pre x post y.value", post=4, model="ranking_unit"),
              x=X, w0=w0)["w"]

    def update(w, x, h):
        order = np.argsort(-h)
        g = np.zeros(4)
        g[order[0]], g[order[1]] = 1, -0.4
        step = g[:, None]*(0.8*x - h[:, None]*w)
        return 0.1*step/np.abs(step).max()
    return [("weights", got, trajectory(update, X, w0))]


@oracle(1e-9, rules="krotov_hopfield", cpu=1e-4, spinnaker=0.005)
def krotov_norm(run):
    """sum |w|^p -> R^p for the winner, p = 3."""
    x = np.array([[0.8, 0.5, 1.1]])
    got = run(layer("krotov_hopfield", "eta = 0.05; scale = 2; drive = y.value",
                    clauses="pre x post one", extra="stimulus one[2] = [1, 1]",
                    steps="600").replace(
        "through W", "through W transmit w*abs(w)*x", 1),
        x=x, w0=np.abs(W0))["w"]
    return [("sum |w|^3", (np.abs(got.reshape(2, 3))**3).sum(1), [2, 2])]


def units(model, bindings, n, x, run, outputs="value"):
    reads = "\n    ".join(f"readout {o} = u.{o}" for o in outputs.split())
    records = "\n  ".join(f"record u.{o}" for o in outputs.split())
    return run(f"""
network units {{
  dt = 1 ms
  stimulus x[{n}] range [-8, 8]
  population u : {model}[{n}] {{ {bindings} }}
  connect x -> u.drive one_to_one weight 1
  {records}
  dataset inputs = file("x.npy")
}}
experiment run on units {{
  for each row of inputs {{
    present x from inputs
    step 1 ticks
    {reads}
  }}
}}
""", x=x)


def softmax(u):
    e = np.exp(u - u.max(1, keepdims=True))
    return e/e.sum(1, keepdims=True)


@oracle(1e-13, rules="softmax_unit softhebb_unit k_winner_unit k_winner_linear"
        " ranking_unit", cpu=1e-6, spinnaker=0.001, crossbar=1e-05)
def competing_units(run):
    x = rng.normal(size=(20, 6))
    y, rank = softmax(1.7*x), np.argsort(np.argsort(-x))
    soft = units("softmax_unit", "beta = 1.7", 6, x, run, "value u")
    deep = units("softhebb_unit", "beta = 1.7", 6, x, run, "value u")
    return [
        ("softmax", soft["value"], y), ("its drive", soft["u"], x),
        ("softhebb", deep["value"], np.where(rank == 0, y, -y)),
        ("its drive", deep["u"], x),
        ("two winners", units("k_winner_unit", "k = 2", 6, x, run)["value"],
         rank < 2),
        ("kept winners", units("k_winner_linear", "k = 3", 6, x, run)["value"],
         np.where(rank < 3, x, 0)),
        ("ranking", units("ranking_unit", "k = 3; delta = 0.3", 6, x,
                          run)["value"],
         np.where(rank == 0, 1, np.where(rank == 2, -0.3, 0)))]


@oracle(1e-12, rules="softhebb softhebb_unit", cpu=1e-5,
        spinnaker=0.0001, crossbar=0.002)
def softhebb_layer(run):
    got = run(layer("softhebb", "eta = 0.1; drive = y.u", post=4,
                    clauses="pre x post y.value", model="softhebb_unit"),
              x=X, w0=np.tile(W0, (2, 1))*[[1], [0.7], [-0.4], [1.2]])["w"]

    def update(w, x, u):
        y = softmax(u[None])[0]
        y = np.where(u == u.max(), y, -y)
        return 0.1*y[:, None]*(x - u[:, None]*w)
    return [("weights", got, trajectory(
        update, X, np.tile(W0, (2, 1))*[[1], [0.7], [-0.4], [1.2]]))]


@oracle(1e-6, rules="instar k_winner_unit", cpu=1e-3,
        spinnaker=0.0001, crossbar=0.001)
def competitive_is_k_means(run):
    """The winner's weights follow its inputs: they end at the cluster means."""
    means = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    x = np.concatenate([means + d for d in rng.normal(0, 0.05, (8, 3))])
    eta, passes = 0.02, 400
    got = run(layer("instar", f"eta = {eta}", post=3, clauses="pre x post y.value",
                    model="k_winner_unit")
              .replace("  for each", f"  repeat {passes} {{\n  for each")
              .replace("    readout w = W\n  }", "  }\n  }\n  readout w = W"),
              x=x, w0=means*0.5 + 0.1)["w"].reshape(3, 3)
    # Exponential means over the cluster's samples in the order shown.
    want = []
    for k in range(3):
        own, w = x[k::3], means[k]*0.5 + 0.1
        for _ in range(passes):
            for row in own:
                w = w + eta*(row - w)
        want.append(w)
    spread = np.abs(np.array(want) - [x[k::3].mean(0) for k in range(3)]).max()
    return [("weights", got, want),
            ("near the means", [0 if spread < 0.01 else 1], [0])]


def called(rule, bindings, w0, run, clauses=""):
    n, m = np.shape(w0)[1], np.shape(w0)[0]
    return run(f"""
network calls {{
  dt = 1 ms
  stimulus x[{n}]
  population y : linear[{m}]
  weight W : x -> y dense = file("w0.npy")
  connect x -> y.drive through W
  plasticity change on W : {rule} {{ {bindings} }}
}}
experiment run on calls {{
  call change
  readout w = W
}}
""", w0=w0)["w"][0].reshape(m, n)


@oracle(1e-14, rules="normalise_l1 normalise_l2 prune_smallest", cpu=1e-6,
        spinnaker=0.02)
def normalisation(run):
    """L13: norms are exact after a call, ratios stay."""
    w0 = rng.uniform(0.1, 1, (4, 5))
    one = called("normalise_l1", "total = 2.5", w0, run)
    two = called("normalise_l2", "length = 1.5", w0, run)
    kept = called("prune_smallest", "keep = 2", w0, run)
    rank = np.argsort(np.argsort(-w0, axis=1), axis=1)
    return [("sums", one.sum(1), [2.5]*4),
            ("ratios", one/one[:, :1]*w0[:, :1], w0),
            ("lengths", np.linalg.norm(two, axis=1), [1.5]*4),
            ("ratios of L2", two/two[:, :1]*w0[:, :1], w0),
            ("pruned", kept, np.where(rank < 2, w0, 0))]


if __name__ == "__main__":
    main()
