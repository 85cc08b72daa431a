# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Settling of predictive-coding units against closed forms in float64."""
import numpy as np

from common import main, oracle, truth

rng = np.random.default_rng(11)
X = rng.normal(0, 1, 4)
Y = rng.normal(0, 1, 3)
W1 = rng.normal(0, 0.5, (5, 4))
W2 = rng.normal(0, 0.5, (3, 5))
PI1, PI2 = 1.5, 0.7
H = PI1*np.eye(5) + PI2*W2.T @ W2
Z = np.linalg.solve(H, PI1*W1 @ X + PI2*W2.T @ Y)
S = np.eye(3)/PI2 + W2 @ W2.T/PI1
R = Y - W2 @ W1 @ X
BOUND = 2/np.linalg.eigvalsh(H)[-1]


def supervised(model="pc_node", bindings="", steps="step 400 ticks", rate=0.3,
               wires="", readouts=""):
    """x -> W1 -> h -> W2 -> y with x and y given, and the energy F."""
    return f"""
network supervised {{
  param rate = {rate!r}
  dt = 1 ms
  stimulus x[4] = file("x.npy") range [-4, 4]
  stimulus y[3] = file("y.npy") range [-4, 4]
  stimulus held[3] = 1 range [0, 1]
  population h : {model}[5] {{ rate = rate; precision = {PI1}; {bindings} }}
  population out : pc_node[3] {{ precision = {PI2} }}
  connect y -> out.evidence one_to_one weight 1
  connect held -> out.hold one_to_one weight 1
  circuit e1 = pc_input_edge(x, h, start = file("w1.npy"))
  circuit e2 = pc_edge(h, out, start = file("w2.npy"))
  circuit F = pc_energy(h, out)
  {wires}
}}
experiment settle on supervised {{
  {steps}
  readout z = h.value
  readout F = F.total.value
  {readouts}
}}
"""


def run_supervised(run, *args, **options):
    return run(supervised(*args, **options), x=X, y=Y, w1=W1, w2=W2)


def at_rest(tables):
    return [("P1 values", tables["z"], Z),
            ("P1 energy", tables["F"], 0.5*R @ np.linalg.solve(S, R))]


@oracle(exact=1e-10, cpu=1e-5, spinnaker=2e-3, crossbar=5e-2)
def p1_euler(run):
    rows = at_rest(run_supervised(run))
    # A sum of squares of values up to 16 is coarse in the crossbar's integers.
    return rows[:1] if run.target == "crossbar" else rows


@oracle(exact=1e-10, cpu=1e-5, spinnaker=2e-3, crossbar=5e-2)
def p1_momentum(run):
    return at_rest(run_supervised(run, "pc_node_momentum", "momentum = 0.6",
                                  rate=0.15))


@oracle(exact=1e-10, cpu=1e-5, spinnaker=2e-3, crossbar=5e-2)
def p1_adaptive(run):
    # The start is ten times too large; each unit finds its own step.
    return at_rest(run_supervised(run, "pc_node_adaptive", "largest = 0.5",
                                  rate=0.8))


@oracle(exact=1e-10, cpu=1e-4, spinnaker=2e-3, crossbar=5e-2)
def p1_bold(run):
    return at_rest(run_supervised(
        run, "pc_node_bold", rate=0.8, steps="step 3000 ticks",
        wires="connect F.total.value -> h.total all_to_all weight 1 "
              "delay 1 ms"))


@oracle(exact=0, cpu=0)
def p2_stability(run):
    """F falls in every step below 2/lambda_max and diverges above."""
    steps = "repeat 60 { step 1 ticks; readout course = F.total.value }"
    below = run_supervised(run, rate=0.97*BOUND, steps=steps)["course"].ravel()
    above = run_supervised(run, rate=1.1*BOUND, steps=steps + "; step 200 ticks")
    return [("below", *truth(np.all(np.diff(below[:40]) < 0))),
            ("above", *truth(np.any(np.diff(above["course"].ravel()) > 0),
                             above["F"][-1, 0] > 1e6))]


@oracle(exact=1e-10, cpu=1e-5)
def stop_on_gradient(run):
    """The loop ends when the norm of dF/dz is small, and not before."""
    tables = run_supervised(run, steps="""let n = 0
      step 1 ticks
      repeat until norm(last(h.gradient)) < 1e-5 max 1000 {
        n = n + 1
        step 1 ticks
      }""", readouts="readout n = n; readout slope = h.gradient")
    z, slopes = np.zeros(5), []
    for _ in range(200):
        slopes.append(np.linalg.norm(H @ z - H @ Z))
        z = z - 0.3*(H @ z - H @ Z)
    expected = next(k for k, s in enumerate(slopes) if s < 1e-5)
    return [("ticks", tables["n"], [expected]),
            ("small", *truth(np.linalg.norm(tables["slope"]) < 1e-5,
                             np.linalg.norm(tables["slope"]) > 1e-7))]


#--- One latent layer ----------------------------------------------------------

G = rng.normal(0, 0.5, (6, 4))
D = rng.normal(0, 1, 6)
LAMBDA = 0.8


def latent(bindings, steps="step 600 ticks", rate=0.2, extra=""):
    return f"""
network latent {{
  dt = 1 ms
  stimulus y[6] = file("y.npy") range [-4, 4]
  population z : pc_value[4] {{ rate = {rate}; {bindings} }}
  population e : pc_error[6]
  weight W : z.activity -> e dense = file("w.npy")
  connect y -> e.actual one_to_one weight 1
  connect z.activity -> e.prediction through W
  connect e.drive -> z.feedback through transposed W
  {extra}
}}
experiment settle on latent {{
  {steps}
  readout z = z.value
  readout slope = z.gradient
}}
"""


@oracle(exact=1e-10, cpu=1e-5, spinnaker=2e-3, crossbar=5e-2)
def p7_ridge(run):
    tables = run(latent(f"prior = {LAMBDA}"), y=D, w=G)
    return [("P7 map", tables["z"],
             np.linalg.solve(G.T @ G + LAMBDA*np.eye(4), G.T @ D))]


@oracle(exact=1e-10, cpu=2e-6, spinnaker=1e-4, crossbar=3e-2)
def p7_covariance(run):
    """The slope at rest + unit vector is a column of the inverse covariance."""
    rest = np.linalg.solve(G.T @ G + LAMBDA*np.eye(4), G.T @ D)
    steps = "for each row of moved { assign z.z from moved; step 1 ticks; " \
            "readout column = z.gradient }"
    tables = run(latent(f"prior = {LAMBDA}", steps,
                        extra='dataset moved = file("moved.npy")'),
                 y=D, w=G, moved=rest + np.eye(4))
    return [("P7 covariance", np.linalg.inv(tables["column"]),
             np.linalg.inv(G.T @ G + LAMBDA*np.eye(4)))]


def sparse_optimum(width):
    """Lasso by proximal steps, many more than the network makes."""
    z = np.zeros(4)
    for _ in range(20000):
        z = z - 0.05*(G.T @ (G @ z - D))
        z = np.sign(z)*np.maximum(np.abs(z) - 0.05*width, 0)
    return z


@oracle(exact=1e-10, cpu=1e-5, spinnaker=0, crossbar=0)
def prior_soft_threshold(run):
    program = f"""
network sparse {{
  dt = 1 ms
  stimulus y[6] = file("y.npy") range [-4, 4]
  stimulus held[6] = 1
  population z : pc_node[4] {{ rate = 0.2; precision = 0; threshold = 1.2 }}
  population out : pc_node[6]
  connect y -> out.evidence one_to_one weight 1
  connect held -> out.hold one_to_one weight 1
  circuit e = pc_edge(z, out, start = file("w.npy"))
}}
experiment settle on sparse {{
  step 2000 ticks
  readout z = z.z
}}
"""
    z, best = run(program, y=D, w=G)["z"].ravel(), sparse_optimum(1.2)
    return [("optimum", z, best),
            ("exact zeros", *truth((z == 0).sum() == (best == 0).sum() > 0))]


@oracle(exact=1e-9, cpu=1e-4)
def prior_cauchy(run):
    z = run(latent("prior = 0.6; prior_slope = pc_cauchy"), y=D, w=G)["z"][-1]
    return [("slope", G.T @ (G @ z - D) + 0.6*2*z/(1 + z*z), np.zeros(4))]


@oracle(exact=1e-12, cpu=1e-5, spinnaker=1e-4, crossbar=3e-2)
def prior_laplace(run):
    """Euler with a Laplace prior, step by step."""
    tables = run(latent("prior = 0.05; prior_slope = pc_laplace",
                        "repeat 30 { step 1 ticks; readout z = z.z }",
                        rate=0.1), y=D, w=G)
    z, rows = np.zeros(4), []
    for _ in range(30):
        z = z - 0.1*(0.05*np.sign(z) - G.T @ (D - G @ z))
        rows.append(z)
    return [("course", tables["z"][:30], rows)]


@oracle(exact=1e-9, cpu=1e-4, spinnaker=1e-4, crossbar=3e-2)
def both_placements(run):
    """mu = outside(W inside(z)): the slope of F vanishes at rest."""
    program = latent("prior = 0.5; inside = tanh", "step 3000 ticks")
    z = run(program, y=D, w=G)["z"][-1]
    e = D - G @ np.tanh(z)
    first = 0.5*z - (1 - np.tanh(z)**2)*(G.T @ e)
    program = latent("prior = 0.5", "step 3000 ticks").replace(
        "pc_error[6]", "pc_error[6] { outside = tanh }")
    z = run(program, y=D, w=G)["z"][-1]
    a = G @ z
    second = 0.5*z - G.T @ ((D - np.tanh(a))*(1 - np.tanh(a)**2))
    return [("inside", first, np.zeros(4)), ("outside", second, np.zeros(4))]


#--- Every output of every node, tick by tick --------------------------------------

NODE = dict(rate=0.3, precision=1.7, prior=0.4)
OUTPUTS = ["value", "activity", "error", "drive", "gradient", "energy"]


def node_program(model, extra="", inputs=""):
    reads = "\n    ".join(f"readout {o} = n.{o}" for o in OUTPUTS)
    return f"""
network node {{
  dt = 1 ms
  stimulus p[4]
  stimulus f[4]
  stimulus known[4] = [1, 0, 0, 0]
  stimulus seen[4] = 0.25
  population n : {model}[4] {{
    rate = {NODE["rate"]}; precision = {NODE["precision"]}; z = 0.5
    inside = tanh; outside = sigmoid; {extra}
  }}
  connect p -> n.prediction one_to_one weight 1
  connect f -> n.feedback one_to_one weight 1
  connect known -> n.hold one_to_one weight 1
  connect seen -> n.evidence one_to_one weight 1
  {inputs}
  dataset ps = file("ps.npy")
  dataset fs = file("fs.npy")
}}
experiment show on node {{
  for each row of ps {{
    present p from ps
    present f from fs
    step 1 ticks
    {reads}
  }}
}}
"""


def node_course(ps, fs, step, prior, fixed=False):
    """Rows of all outputs; step(z, slope, tick) gives the next value."""
    known = np.array([1, 0, 0, 0]) > 0.5
    z, rows = np.full(4, 0.5), {o: [] for o in OUTPUTS}
    for k, (p, f) in enumerate(zip(ps, fs)):
        z = np.where(known, 0.25, z)
        # Fixed prediction: activity and slope at the anchor, 0.
        base = np.where(known, 0.25, 0.0) if fixed else z
        mu = 1/(1 + np.exp(-p))
        e = z - mu
        xi = NODE["precision"]*e
        at = np.zeros(4) if fixed else z
        slope = xi + prior*z - (1 - np.tanh(at)**2)*f
        slope = np.where(known, 0, slope)
        for name, value in zip(OUTPUTS, [z, np.tanh(base), xi, xi*mu*(1 - mu),
                                         slope, 0.5*xi*e]):
            rows[name].append(value)
        z = np.where(known, z, step(z, slope, k))
    return rows


def check_node(run, model, step, prior=NODE["prior"], extra="", inputs="",
               fixed=False, **arrays):
    local = np.random.default_rng(3)
    ps, fs = local.normal(0, 1, (2, 12, 4))
    if prior:
        extra += f"; prior = {prior}; prior_slope = pc_gaussian"
    tables = run(node_program(model, extra, inputs), ps=ps, fs=fs, **arrays)
    rows = node_course(ps, fs, step, prior, fixed)
    return [(o, tables[o], rows[o]) for o in OUTPUTS]


@oracle(exact=1e-13, cpu=1e-5)
def node_euler(run):
    shrink = lambda z: np.sign(z)*np.maximum(np.abs(z) - 0.3*0.1, 0)
    return (check_node(run, "pc_node", lambda z, g, k: z - 0.3*g)
            + check_node(run, "pc_node", lambda z, g, k: shrink(z - 0.3*g),
                         extra="threshold = 0.1"))


@oracle(exact=1e-13, cpu=1e-5)
def node_momentum(run):
    m = np.zeros(4)

    def step(z, g, k):
        m[:] = 0.6*m + g
        return z - 0.3*m
    return check_node(run, "pc_node_momentum", step, extra="momentum = 0.6")


@oracle(exact=1e-13, cpu=1e-5)
def node_adaptive(run):
    width, last = np.full(4, 0.3), np.zeros(4)

    def step(z, g, k):
        width[:] = np.where(last*g > 0, np.minimum(width*1.05, 0.32),
                            np.where(last*g < 0, width*0.5, width))
        last[:] = g
        return z - width*g
    return check_node(run, "pc_node_adaptive", step, extra="largest = 0.32")


@oracle(exact=1e-13, cpu=1e-5)
def node_bold(run):
    totals = np.array([5, 4, 3, 3.5, 3.2, 3.3, 2, 1, 1.5, 1, 0.5, 0.4])
    width, last = np.full(1, 0.3), np.full(1, 1e30)

    def step(z, g, k):
        width[:] *= 0.5 if totals[k] > last[0] else 1.05
        last[:] = totals[k]
        return z - width*g
    # The experiment says what the energy is.
    program = "stimulus total[1]; connect total -> n.total all_to_all weight 1" \
              "\n  dataset totals = file(\"totals.npy\")"

    def with_totals(text, **arrays):
        return run(text.replace("present f from fs",
                                "present f from fs; present total from totals"),
                   **arrays)
    return check_node(with_totals, "pc_node_bold", step, inputs=program,
                      totals=totals[:, None])


@oracle(exact=1e-13, cpu=1e-5)
def node_start(run):
    return check_node(run, "pc_node_start", lambda z, g, k: z - 0.3*g)


@oracle(exact=1e-13, cpu=1e-5)
def node_fixed(run):
    return check_node(run, "pc_node_fixed", lambda z, g, k: z - 0.3*g, prior=0,
                      fixed=True)


@oracle(exact=1e-13, cpu=1e-5)
def output_squared(run):
    """The free output shows its prediction; a taught one makes an error."""
    a, y = rng.normal(0, 1, 4), rng.normal(0, 1, 4)
    program = """
network output {
  dt = 1 ms
  stimulus a[4] = file("a.npy")
  stimulus y[4] = file("y.npy")
  stimulus on[4] = [1, 0.5, 0, 1]
  population o : pc_output[4] { precision = 1.3; outside = tanh }
  connect a -> o.prediction one_to_one weight 1
  connect y -> o.target one_to_one weight 1
  connect on -> o.teach one_to_one weight 1
}
experiment show on output {
  step 1 ticks
  readout value = o.value
  readout error = o.error
  readout drive = o.drive
  readout energy = o.energy
}
"""
    tables = run(program, a=a, y=y)
    teach = np.array([1, 0.5, 0, 1])
    mu = np.tanh(a)
    xi = 1.3*teach*(y - mu)
    return [("value", tables["value"], mu), ("error", tables["error"], xi),
            ("drive", tables["drive"], xi*(1 - mu**2)),
            ("energy", tables["energy"], 0.5*1.3*teach*(y - mu)**2)]


#--- Precision -----------------------------------------------------------------

MU = rng.normal(0, 1, 5)
OBS = MU + rng.normal(0, 0.8, 5)


def precision(body, steps, batch=1):
    return f"""
network precision {{
  dt = 1 ms
  batch = {batch}
  stimulus y[5] = file("y.npy") range [-4, 4]
  stimulus mu[5] = file("mu.npy") range [-4, 4]
  {body}
  connect y -> e.actual one_to_one weight 1
  connect mu -> e.prediction one_to_one weight 1
}}
experiment learn on precision {{
  {steps}
}}
"""


@oracle(exact=1e-8, cpu=1e-4, spinnaker=1e-2, crossbar=0.1)
def p5_log_variance_shared(run):
    tables = run(precision(
        """population e : pc_error_learnt[5]
  circuit v = pc_variance_shared(e, eta = 0.1)""",
        "enable v.learning; step 600 ticks; readout s = v.s"), y=OBS, mu=MU)
    return [("P5", np.exp(tables["s"]), [np.mean((OBS - MU)**2)])]


@oracle(exact=1e-8, cpu=1e-4, spinnaker=0.1, crossbar=0.5)
def p5_log_variance_per_unit(run):
    tables = run(precision(
        """population e : pc_error_learnt[5]
  circuit v = pc_variances(e, eta = 0.05)""",
        "enable v.learning; step 900 ticks; readout s = v.s; "
        "readout xi = e.error"), y=OBS, mu=MU)
    return [("P5", np.exp(tables["s"]), (OBS - MU)**2),
            ("xi", tables["xi"], 1/(OBS - MU))]


@oracle(exact=1e-8, cpu=1e-4, spinnaker=2e-2, crossbar=0.2)
def p5_local_circuit(run):
    # Errors whose squares are well above the machines' smallest numbers.
    y = MU + np.array([0.7, -0.9, 1.1, -0.8, 1.3])
    tables = run(precision(
        """population e : pc_error_circuit[5]
  circuit v = pc_local_precision(e, alpha = 0.02)""",
        "enable v.learning; step 4000 ticks; readout S = v.S"), y=y, mu=MU)
    return [("P5", tables["S"], (y - MU)**2)]


@oracle(exact=1e-13, cpu=1e-5)
def local_circuit_course(run):
    tables = run(precision(
        """population e : pc_error_circuit[5]
  circuit v = pc_local_precision(e, alpha = 0.02, start = 0.7)""",
        "enable v.learning; step 25 ticks; readout S = v.S"), y=OBS, mu=MU)
    xi, i, S = np.zeros(5), np.zeros(5), np.full(5, 0.7)
    for _ in range(25):
        new = xi + 0.2*(OBS - MU - i), i + 0.2*(S*xi - i)
        S = np.clip(S + 0.02*(xi*i - 1), 1e-3, 1e3)
        xi, i = new
    return [("variances", tables["S"], S)]


@oracle(exact=1e-8, cpu=1e-4)
def p5_batch(run):
    """In a batch the variance is the mean over samples."""
    y = MU + rng.normal(0, 0.8, (6, 5))
    tables = run(precision(
        """population e : pc_error_learnt[5]
  circuit v = pc_variances(e, eta = 0.05)""",
        "enable v.learning; step 1500 ticks; readout s = v.s", batch=6),
        y=y, mu=MU)
    return [("P5", np.exp(tables["s"]), np.mean((y - MU)**2, axis=0))]


if __name__ == "__main__":
    main()
