# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Deep belief networks in one sweep against NumPy and backpropagation."""
import numpy as np

from common import backprop, dtanh, layers, main, oracle, tanh, truth

rng = np.random.default_rng(31)
W = layers(rng, 5, 6, 4, 3)
XS, YS = rng.normal(0, 1, (6, 5)), rng.normal(0, 1, (6, 3))


def program(expected, pinned, learn, post="delta", samples="xs"):
    def edge(k, parent, child):
        text = f"""
  weight W{k} : {parent}.activity -> {child} dense = file("w{k}.npy")
  connect {parent}.activity -> {child}.prediction through W{k}
  connect {child}.drive -> {parent}.feedback through transposed W{k}
  connect {child}.precision -> {parent}.support through transposed W{k} transmit w*w*x
  connect {child}.worth -> {parent}.evidence through transposed W{k} transmit w*w*x
  plasticity l{k} on W{k} : {learn[0]} pre {parent}.moved post {child}.{post} {{
    eta = {learn[1]}; {learn[2].replace("CHILD", child)}
  }}"""
        return text
    return f"""
network deep {{
  dt = 1 ms
  stimulus x[5]
  stimulus y[3]
  population h1 : pc_deep_node[6] {{
    expected = {expected!r}; pinned = {pinned}; coupling = tanh
  }}
  population h2 : pc_deep_node[4] {{
    expected = {expected!r}; pinned = {pinned}; coupling = tanh
  }}
  population o : pc_deep_leaf[3] {{ expected = 1.4 }}
  weight W1 : x -> h1 dense = file("w1.npy")
  connect x -> h1.prediction through W1
  plasticity l1 on W1 : hebb pre x post h1.{post} {{ eta = {learn[1]} }}
  {edge(2, "h1", "h2")}
  {edge(3, "h2", "o")}
  connect y -> o.actual one_to_one weight 1
  dataset xs = file("xs.npy")
  dataset ys = file("ys.npy")
}}
experiment learn on deep {{
  for each row of xs {{
    present x from xs
    present y from ys
    step 1 ticks
    readout w1 = W1
    readout w2 = W2
    readout w3 = W3
    readout d1 = h1.delta
    readout m2 = h2.moved
  }}
  READ
}}
"""


def sweep(w, x, y, expected, pinned, leaf=1.4):
    """One sweep in NumPy: moved activities, deltas, posterior precisions, xi."""
    hat = [w[0] @ x]
    hat.append(w[1] @ tanh(hat[0]))
    out = w[2] @ tanh(hat[1])
    delta, pi, hats = [None, None, y - out], [None, None, np.full(3, leaf)], None
    weight = [expected, expected, leaf]
    xi = [None, None, np.full(3, leaf)]
    for i in (1, 0):
        g1 = dtanh(hat[i])
        g2 = -2*tanh(hat[i])*g1
        pull = w[i + 1].T @ (weight[i + 1]*delta[i + 1])
        support = (w[i + 1]**2).T @ np.full(len(w[i + 1]), weight[i + 1])
        pi[i] = expected + (0 if pinned else g1**2*support - g2*pull)
        delta[i] = g1*pull/pi[i]
        pi[i] = pi[i]*np.ones(len(g1))
        xi[i] = g1**2*((w[i + 1]**2).T @ xi[i + 1])
    moved = [x, tanh(hat[0] + delta[0]), tanh(hat[1] + delta[1])]
    return moved, delta, pi, xi


def arrays():
    return dict(xs=XS, ys=YS, **{f"w{k + 1}": w for k, w in enumerate(W)})


def follow(run, post):
    tables = run(program(2.0, 0, ("hebb", 0.05, ""), post).replace("READ", ""),
                 **arrays())
    w, rows, firsts = [v.copy() for v in W], [[], [], []], []
    for x, y in zip(XS, YS):
        moved, delta, pi, _ = sweep(w, x, y, 2.0, False)
        firsts.append(delta[0])
        for l in range(3):
            u = delta[l]*(pi[l] if post == "weighted" else 1)
            w[l] = w[l] + 0.05*np.outer(u, moved[l])
            rows[l].append(w[l].ravel())
    return [(f"{post}, layer {l + 1}", tables[f"w{l + 1}"], rows[l])
            for l in range(3)] + [("shift of the belief", tables["d1"], firsts)]


@oracle(exact=1e-13, cpu=1e-5)
def precision_routing(run):
    """Posterior precisions and means, second derivatives included."""
    return follow(run, "delta") + follow(run, "weighted")


@oracle(exact=1e-12, cpu=1)
def pinned_is_backprop(run):
    """Pinned: the gradient of backpropagation up to O(1/precision). Not pinned: a
    factor below one stays, however large the precision."""
    def changes(expected, pinned):
        data = dict(arrays(), xs=XS[:1], ys=YS[:1])
        tables = run(program(expected, pinned, ("hebb", 1, ""),
                             "weighted").replace("READ", ""), **data)
        return [tables[f"w{l + 1}"].reshape(w.shape) - w
                for l, w in enumerate(W)]
    grads = [1.4*g for g in backprop(W, XS[0], YS[0])[0]]
    if run.target == "cpu":
        return [("top", changes(1e4, 1)[2] - grads[2], 0*grads[2])]

    def far(expected, pinned):
        return max(np.abs(c - g).max()
                   for c, g in zip(changes(expected, pinned), grads))
    return [("pinned", *truth(far(1e7, 1) < 1e-6,
                              5e3 < far(1e3, 1)/far(1e7, 1) < 2e4))]


@oracle(exact=1e-13, cpu=1e-5)
def weight_beliefs(run):
    """Weights with a precision of their own, and where it rests."""
    learn = ("pc_deep_weight", 0.05,
             "window = 20; importance = 0.3; prior_precision = 1.5; "
             "prior_mean = 0.1; xi = CHILD.worth")
    text = program(2.0, 0, learn).replace(
        "READ", "readout p = l3.gained")
    tables = run(text, **arrays())
    w, p, rows = [v.copy() for v in W], [None, np.full(W[1].shape, 1.5),
                                         np.full(W[2].shape, 1.5)], [[], []]
    for x, y in zip(XS, YS):
        moved, delta, pi, xi = sweep(w, x, y, 2.0, False)
        w[0] = w[0] + 0.05*np.outer(delta[0], moved[0])
        for l in (1, 2):
            now = p[l].copy()
            p[l] = now + 0.3*np.outer(xi[l], moved[l]**2) - (now - 1.5)/20
            w[l] = w[l] + 0.05*np.outer(delta[l], moved[l])/now \
                + 1.5/(20*now)*(0.1 - w[l])
            rows[l - 1].append(w[l].ravel())
    return [("layer 2", tables["w2"], rows[0]), ("layer 3", tables["w3"], rows[1]),
            ("precision", tables["p"][0], p[2].ravel() - 1.5)]


@oracle(exact=1e-9, cpu=1e-4)
def weight_precision_at_rest(run):
    """One synapse with constant activity: pi_w = prior + window * importance."""
    text = """
network one {
  dt = 1 ms
  stimulus a[1] = 0.7
  population c : pc_deep_leaf[1] { expected = 2 }
  weight w : a -> c dense = 0
  connect a -> c.prediction through w
  plasticity l on w : pc_deep_weight pre a post c.delta {
    window = 30; importance = 0.5; prior_precision = 1.2; xi = c.worth
  }
}
experiment rest on one {
  step 2000 ticks
  readout p = l.gained
}
"""
    return [("at rest", run(text)["p"], [30*0.5*2*0.7**2])]


@oracle(exact=1e-13, cpu=1e-5)
def deep_edges(run):
    """The circuit is the same as the statements written out."""
    text = program(2.0, 0, ("hebb", 0.05, "")).replace("READ", "")
    start = text.index("\n  weight W2")
    end = text.index("  connect y -> o.actual")
    short = text[:start] + """
  circuit e2 = pc_deep_edge(h1, h2, start = file("w2.npy"), eta = 0.05)
  circuit e3 = pc_deep_edge(h2, o, start = file("w3.npy"), eta = 0.05)
""" + text[end:].replace("= W2", "= e2.W").replace("= W3", "= e3.W")
    long, brief = run(text, **arrays()), run(short, **arrays())
    return [(name, brief[name], long[name]) for name in ("w1", "w2", "w3")]


if __name__ == "__main__":
    main()
