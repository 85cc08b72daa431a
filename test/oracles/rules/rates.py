# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rate-based rules of the library against NumPy and closed forms."""
import numpy as np

from harness import main, oracle

rng = np.random.default_rng(7)


def layer(rule, bindings="", post=2, clauses="", bounds="bounds [-4, 4]", extra="",
          model="linear", pattern="W0", steps="1"):
    """A dense layer that learns while the rows of x are shown once each."""
    return f"""
network layer {{
  dt = 1 ms
  const_dummy_
  stimulus x[3] range [-2, 2]
  population y : {model}[{post}]
  weight W : x -> y dense = file("w0.npy") {bounds}
  connect x -> y.drive through W
  {extra}
  plasticity learn on W : {rule} {clauses} {{
    {bindings}
  }}
  dataset inputs = file("x.npy")
}}
experiment learn on layer {{
  for each row of inputs {{
    present x from inputs
    step {steps} ticks
    readout w = W
  }}
}}
""".replace("  const_dummy_\n", "")


def trajectory(update, x, w0, **state):
    """Weights after each row: `update(w, x, y)` gives the change."""
    w, rows = np.array(w0, float), []
    for row in x:
        w = w + update(w, row, w @ row)
        rows.append(w.ravel())
    return np.array(rows)


X = rng.uniform(-1, 1, (12, 3))
W0 = rng.uniform(-0.5, 0.5, (2, 3))
outer = np.outer


def compare(run, rule, update, bindings="", **options):
    got = run(layer(rule, bindings, **options), x=X, w0=W0)["w"]
    return [("weights", got, trajectory(update, X, W0))]


@oracle(rules="hebb", cpu=1e-6, spinnaker=1e-4, crossbar=2e-2)
def hebb(run):
    return compare(run, "hebb", lambda w, x, y: 0.1*outer(y, x), "eta = 0.1",
                   bounds="bounds [-4, 4]")


@oracle(1e-9, rules="hebb", spinnaker=1e-05, crossbar=0.01)
def hebb_growth(run):
    """Along an eigenvector of C = x x^T the weight grows by 1 + eta |x|^2."""
    x = np.array([[0.6, 0.8, 0]]*10)
    got = run(layer("hebb", "eta = 0.1"), x=x,
              w0=[[0.6, 0.8, 0], [0, 0, 0]])["w"]
    norm = np.linalg.norm(got.reshape(10, 2, 3)[:, 0], axis=1)
    return [("norm", norm, 1.1**np.arange(1, 11))]


@oracle(rules="hebb_bilinear", cpu=1e-6, spinnaker=1e-05, crossbar=0.005)
def hebb_bilinear(run):
    return compare(
        run, "hebb_bilinear",
        lambda w, x, y: 0.01 - 0.05*w + 0.02*x - 0.03*y[:, None]
        + 0.04*outer(y, x),
        "c_0 = 0.01; decay = 0.05; c_pre = 0.02; c_post = -0.03; c_corr = 0.04")


@oracle(rules="covariance", cpu=1e-6, spinnaker=1e-05, crossbar=0.005)
def covariance(run):
    return compare(run, "covariance",
                   lambda w, x, y: 0.1*outer(y - 0.3, x + 0.2),
                   "eta = 0.1; mean_pre = -0.2; mean_post = 0.3")


@oracle(rules="covariance_running", cpu=1e-6, spinnaker=1e-05, crossbar=0.005)
def covariance_running(run):
    a, b = np.exp(-1/5), np.exp(-1/8)
    mx, my = np.zeros(3), np.zeros(2)

    def update(w, x, y):
        nonlocal mx, my
        mx, my = x + (mx - x)*a, y + (my - y)*b
        return 0.1*outer(y - my, x - mx)
    return compare(run, "covariance_running", update,
                   "eta = 0.1; tau_pre = 5 ms; tau_post = 8 ms")


@oracle(rules="oja", cpu=1e-6, spinnaker=1e-4, crossbar=2e-2)
def oja(run):
    return compare(run, "oja",
                   lambda w, x, y: 0.1*(outer(y, x) - (y*y)[:, None]*w),
                   "eta = 0.1", bounds="bounds [-4, 4]")


# Presenting the columns of sqrt(n) R, C = R R^T, in turn with a small step is
# the mean flow of C up to O(eta); the fixed points are those of C itself if the
# rows are eigenvectors or come in pairs +-x.
def pairs(covariance):
    values, vectors = np.linalg.eigh(covariance)
    n = len(values)
    return (vectors*np.sqrt(values*n)).T, vectors[:, ::-1].T


@oracle(1e-8, rules="oja", cpu=1e-5, crossbar=0.01)
def oja_principal_component(run):
    """L1: C = [[3, 1], [1, 2]], w -> (0.8506508, 0.5257311), |w| = 1."""
    x, vectors = pairs(np.array([[3.0, 1], [1, 2]]))
    got = run("""
network flow {
  dt = 1 ms
  stimulus x[2] range [-4, 4]
  population y : linear[1]
  weight W : x -> y dense = [[0.5, 0.1]]
  connect x -> y.drive through W
  plasticity learn on W : oja { eta = 0.02 }
  dataset inputs = file("x.npy")
}
experiment learn on flow {
  repeat 1500 {
    for each row of inputs { present x from inputs; step 1 ticks }
  }
  readout w = W
}
""", x=x)["w"][0]
    want = np.array([0.85065080835, 0.52573111211])
    # Between the presentations of one cycle the weight moves along itself: the
    # length is 1 at a point of the cycle that depends on eta, the direction not.
    return [("direction", got/np.linalg.norm(got), want),
            ("length", [max(0, abs(np.linalg.norm(got) - 1) - 0.06)], [0])]


@oracle(rules="bcm", cpu=1e-6, spinnaker=0.0001, crossbar=0.005)
def bcm(run):
    decay, theta = np.exp(-1/6), np.zeros(2)

    def update(w, x, y):
        nonlocal theta
        theta = y*y + (theta - y*y)*decay
        return 0.1*outer(y*(y - theta), x)
    return compare(run, "bcm", update, "eta = 0.1; tau_theta = 6 ms")


@oracle(rules="bcm_law_cooper", cpu=1e-6, spinnaker=0.0002, crossbar=0.005)
def bcm_law_cooper(run):
    decay, theta = np.exp(-1/6), np.zeros(2)

    def update(w, x, y):
        nonlocal theta
        theta = y*y + (theta - y*y)*decay
        return 0.1*outer(y*(y - theta)/(theta + 0.5), x)
    return compare(run, "bcm_law_cooper", update,
                   "eta = 0.1; tau_theta = 6 ms; floor = 0.5")


@oracle(1e-6, rules="bcm", crossbar=0.02)
def bcm_selective(run):
    """L4: two equally frequent patterns: y -> (2, 0) or (0, 2), theta -> 2."""
    x = np.array([[1, 0.2], [0.3, 1]])
    got = run("""
network selective {
  dt = 1 ms
  stimulus x[2] range [0, 1]
  population y : linear[1]
  weight W : x -> y dense = [[0.4, 0.2]]
  connect x -> y.drive through W
  plasticity learn on W : bcm { eta = 2e-3; tau_theta = 50 ms }
  dataset inputs = file("x.npy")
}
experiment learn on selective {
  repeat 20000 {
    for each row of inputs { present x from inputs; step 1 ticks }
  }
  readout w = W
}
""", x=x)["w"][0]
    y = x @ got
    # The patterns alternate, so theta = (1 - a) y^2/(1 - a^2) in the ticks of
    # the preferred one, a = exp(-dt/tau); at rest y = theta there: y = 1 + a,
    # which is 2 for slow theta.
    return [("response", np.sort(y), [0, 1 + np.exp(-1/50)])]


@oracle(rules="anti_hebb", cpu=1e-6, spinnaker=1e-4, crossbar=2e-2)
def anti_hebb(run):
    return compare(run, "anti_hebb",
                   lambda w, x, y: -0.1*(outer(y, x) - 0.04),
                   "eta = 0.1; target = 0.2", bounds="bounds [-4, 4]")


@oracle(1e-8, rules="anti_hebb", cpu=1e-4, spinnaker=5e-3, crossbar=3e-2)
def anti_hebb_decorrelates(run):
    """L5: y = x + q y_other; at rest E[y_1 y_2] = 0 over the samples."""
    x = rng.normal(0, 0.4, (40, 1)) @ [[1, 0.8]] + rng.normal(0, 0.2, (40, 2))
    x = np.clip(x, -1, 1)
    got = run("""
network lateral {
  dt = 1 ms
  stimulus x[2] range [-1, 1]
  population first : linear[1]
  population second : linear[1]
  connect x -> first.drive list([[0, 0]]) weight 1
  connect x -> second.drive list([[1, 0]]) weight 1
  weight Q : first -> second dense = 0 bounds [-4, 4]
  connect first.value -> second.drive through Q
  plasticity learn on Q : anti_hebb { eta = 0.05 }
  dataset inputs = file("x.npy")
}
experiment learn on lateral {
  repeat 60 {
    for each row of inputs { present x from inputs; step 1 ticks }
  }
  readout q = Q
}
""", x=x)["q"][0]
    # One direction is enough for two units: q = -E[x1 x2]/E[x1^2]; with a
    # finite step the fixed point of one pass over the samples in order.
    q, eta = 0.0, 0.05
    for _ in range(60):
        for a, b in x:
            q -= eta*a*(b + q*a)
    return [("lateral weight", got, [q]),
            ("covariance", [0 if abs(np.mean(x[:, 0]*(x[:, 1] + q*x[:, 0])))
                            < 5e-3 else 1], [0])]


@oracle(rules="delta", cpu=1e-6, spinnaker=1e-4, crossbar=2e-2)
def delta(run):
    target = np.array([0.3, -0.4])
    got = run(layer("delta", "eta = 0.1; error = e.error",
                    bounds="bounds [-4, 4]", extra="""
  stimulus goal[2] = [0.3, -0.4] range [-1, 1]
  population e : pc_error[2]
  connect goal -> e.actual one_to_one weight 1
  connect y.value -> e.prediction one_to_one weight 1"""), x=X, w0=W0)["w"]
    return [("weights", got, trajectory(
        lambda w, x, y: 0.1*outer(target - y, x), X, W0))]


@oracle(1e-8, rules="delta", cpu=1e-4, spinnaker=2e-3, crossbar=0.05)
def delta_least_squares(run):
    """L17: solvable data, so the normal equations hold at any step size."""
    x = np.linalg.qr(rng.normal(size=(3, 3)))[0]*0.9
    true = np.array([[0.5, -0.3, 0.8], [0.1, 0.7, -0.2]])
    y = x @ true.T
    got = run("""
network lms {
  dt = 1 ms
  stimulus x[3] range [-1, 1]
  stimulus goal[2] range [-1, 1]
  population y : linear[2]
  population e : pc_error[2]
  weight W : x -> y dense = 0 bounds [-2, 2]
  connect x -> y.drive through W
  connect goal -> e.actual one_to_one weight 1
  connect y.value -> e.prediction one_to_one weight 1
  plasticity learn on W : delta { eta = 0.5; error = e.error }
  dataset inputs = file("x.npy")
  dataset goals = file("y.npy")
}
experiment learn on lms {
  repeat 60 {
    for each row of inputs {
      present x from inputs
      present goal from goals
      step 1 ticks
    }
  }
  readout w = W
}
""", x=x, y=y)["w"]
    return [("weights", got, np.linalg.solve(x.T @ x, x.T @ y).T)]


@oracle(rules="instar", cpu=1e-6, spinnaker=1e-05, crossbar=0.005)
def instar(run):
    return compare(run, "instar",
                   lambda w, x, y: 0.1*y[:, None]*(x - w), "eta = 0.1")


@oracle(rules="outstar", cpu=1e-6, spinnaker=1e-05, crossbar=0.005)
def outstar(run):
    return compare(run, "outstar",
                   lambda w, x, y: 0.1*x*(y[:, None] - w), "eta = 0.1")


@oracle(rules="hebb_decay", cpu=1e-6, spinnaker=1e-05, crossbar=0.005)
def hebb_decay(run):
    return compare(run, "hebb_decay",
                   lambda w, x, y: 0.1*outer(y, x) - 0.1*0.3*w,
                   "eta = 0.1; decay = 0.3")


@oracle(rules="exponentiated_gradient", cpu=1e-6,
        spinnaker=0.001, crossbar=0.005)
def exponentiated_gradient(run):
    """w <- w exp(eta error x sign(w)); signs never change."""
    got = run(layer("exponentiated_gradient", "eta = 0.2; error = e.error",
                    extra="""
  stimulus goal[2] = [0.3, -0.4] range [-1, 1]
  population e : pc_error[2]
  connect goal -> e.actual one_to_one weight 1
  connect y.value -> e.prediction one_to_one weight 1"""), x=X, w0=W0)["w"]
    target = np.array([0.3, -0.4])
    want = trajectory(lambda w, x, y: w*(np.exp(
        0.2*np.sign(w)*outer(target - y, x)) - 1), X, W0)
    return [("weights", got, want),
            ("signs", np.sign(got[-1]), np.sign(W0.ravel()))]


@oracle(rules="softhebb", cpu=1e-6, spinnaker=1e-05, crossbar=0.002)
def softhebb(run):
    """y = softmax(beta u) is given by hand here: the rule alone."""
    y = rng.uniform(0, 1, (12, 2))
    got = run(layer("softhebb", "eta = 0.1; drive = y.value",
                    clauses="pre x post activity",
                    extra="stimulus activity[2] range [0, 1]")
              .replace("present x from inputs", """present x from inputs
    present activity from activities""").replace(
        "dataset inputs", 'dataset activities = file("a.npy")\n  dataset inputs'),
        x=X, w0=W0, a=y)["w"]
    step = iter(y)

    def update(w, x, u):
        a = next(step)
        return 0.1*a[:, None]*(x - u[:, None]*w)
    return [("weights", got, trajectory(update, X, W0))]


@oracle(1e-9, rules="softhebb", spinnaker=0.001, crossbar=0.01)
def softhebb_single_pattern(run):
    """One pattern, one unit (softmax = 1): w -> x/|x|."""
    x = np.array([[0.8, -0.5, 1.1]])
    got = run(layer("softhebb", "eta = 0.1; drive = y.value",
                    clauses="pre x post one",
                    extra="stimulus one[2] = [1, 1]", steps="400"),
              x=x, w0=W0)["w"]
    unit = x[0]/np.linalg.norm(x)
    return [("weights", got, [unit, unit])]


@oracle(rules="krotov_hopfield", cpu=1e-6, spinnaker=1e-05)
def krotov_hopfield(run):
    """p = 3: h = sum sign(w) w^2 x by the connection; g given by hand."""
    g = rng.choice([-0.4, 0, 1], size=(12, 2))
    got = run(layer("krotov_hopfield", "eta = 0.1; scale = 0.8; drive = y.value",
                    clauses="pre x post rank",
                    extra="stimulus rank[2] range [-1, 1]")
              .replace("through W", "through W transmit w*abs(w)*x", 1)
              .replace("present x from inputs", """present x from inputs
    present rank from ranks""").replace(
        "dataset inputs", 'dataset ranks = file("g.npy")\n  dataset inputs'),
        x=X, w0=W0, g=g)["w"]
    step = iter(g)

    def update(w, x, _):
        h = (w*np.abs(w)) @ x
        return 0.1*next(step)[:, None]*(0.8*x - h[:, None]*w)
    return [("weights", got, trajectory(update, X, W0))]


@oracle(rules="contrastive_hebb", cpu=1e-6, spinnaker=1e-05, crossbar=0.005)
def contrastive_hebb(run):
    sign = np.array([1.0, -1]*6)
    got = run(layer("contrastive_hebb", "eta = 0.1; phase = free_or_clamped",
                    extra="stimulus free_or_clamped[1] range [-1, 1]")
              .replace("present x from inputs", """present x from inputs
    present free_or_clamped from phases""").replace(
        "dataset inputs", 'dataset phases = file("p.npy")\n  dataset inputs'),
        x=X, w0=W0, p=sign[:, None])["w"]
    step = iter(sign)
    return [("weights", got, trajectory(
        lambda w, x, y: 0.1*next(step)*outer(y, x), X, W0))]


if __name__ == "__main__":
    main()
