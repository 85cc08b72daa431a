# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rules of spike times against closed forms, NumPy and Poisson drifts."""
import numpy as np

from harness import main, oracle

rng = np.random.default_rng(11)
T = 160


def program(rule, bindings="", w0="0.5", extra="", present="", data="",
            dt="1 ms"):
    return f"""
network pair {{
  dt = {dt}
  stimulus a[2] : spike
  stimulus b[2] : spike
  population sink : linear[2]
  weight W : a -> b dense = {w0}
  connect a -> sink.drive through W delay 1 ms
  {extra}
  plasticity learn on W : {rule} pre a post b delay 0 ms {{
    {bindings}
  }}
  dataset pre_train = file("pre.npy")
  dataset post_train = file("post.npy")
  {data}
}}
experiment learn on pair {{
  for each row of pre_train {{
    present a from pre_train
    present b from post_train
    {present}
    step 1 ticks
    readout w = W
  }}
}}
"""


def trains(p=0.06, ticks=T, n=2):
    return ((rng.uniform(size=(ticks, n)) < p).astype(float),
            (rng.uniform(size=(ticks, n)) < p).astype(float))


PRE, POST = trains()


class Trace:
    """A trace by explicit sums over past spikes, not by recursion."""

    def __init__(self, spikes, tau, nearest=False, step=1.0):
        self.times = [np.flatnonzero(column) for column in spikes.T]
        self.tau, self.nearest, self.step = tau, nearest, step

    def __call__(self, t, dt=1.0):
        values = []
        for times in self.times:
            past = times[times < t]
            if self.nearest:
                past = past[-1:]
            values.append(self.step*np.exp(-(t - past)*dt/self.tau).sum())
        return np.array(values)


def weights(pre, post, on_pre=None, on_post=None, on_tick=None, lo=0, hi=1,
            w0=0.5):
    """[post, pre] weights after each tick; handlers give the new weight of one
    synapse from (w, t, pre unit, post unit)."""
    w, rows = np.full((2, 2), w0), []
    for t in range(len(pre)):
        for i in range(2):
            for j in range(2):
                for handler, fires in ((on_pre, pre[t, i]),
                                       (on_post, post[t, j]), (on_tick, 1)):
                    if handler and fires:
                        w[j, i] = np.clip(handler(w[j, i], t, i, j), lo, hi)
        rows.append(w.ravel().copy())
    return np.array(rows)


def plain(run, rule, bindings="", **extra):
    return run(program(rule, bindings, **extra), pre=PRE, post=POST)["w"]


def amplitudes(f_minus, f_plus, x, y):
    return dict(on_pre=lambda w, t, i, j: w - f_minus(w)*y(t)[j],
                on_post=lambda w, t, i, j: w + f_plus(w)*x(t)[i])


PARAMETERS = """tau_plus = 15 ms; tau_minus = 25 ms
    A_plus = 0.03; A_minus = 0.04"""


@oracle(rules="stdp_pair", cpu=1e-6, spinnaker=1e-4, crossbar=5e-3)
def pair(run):
    want = weights(PRE, POST, **amplitudes(
        lambda w: 0.04, lambda w: 0.03, Trace(PRE, 15), Trace(POST, 25)))
    return [("weights", plain(run, "stdp_pair", PARAMETERS), want)]


@oracle(rules="stdp_pair", cpu=1e-7, spinnaker=1e-4, crossbar=5e-3)
def pair_window(run):
    """L6: A+ e^(-d/tau+) for post after pre, -A- e^(-d/tau-) for before."""
    rows = []
    for gap in (-30, -7, -1, 1, 4, 25):
        pre, post = np.zeros((70, 2)), np.zeros((70, 2))
        pre[35], post[35 + gap] = 1, 1
        got = run(program("stdp_pair", PARAMETERS), pre=pre, post=post)["w"]
        want = (0.03*np.exp(-gap/15) if gap > 0 else -0.04*np.exp(gap/25))
        rows.append((f"{gap} ms", got[-1] - 0.5, [want]*4))
    return rows


@oracle(rules="stdp_nearest", cpu=1e-6, spinnaker=1e-06, crossbar=1e-05)
def nearest(run):
    want = weights(PRE, POST, **amplitudes(
        lambda w: 0.04, lambda w: 0.03, Trace(PRE, 15, True),
        Trace(POST, 25, True)))
    return [("weights", plain(run, "stdp_nearest", PARAMETERS), want)]


@oracle(rules="stdp_multiplicative", cpu=1e-6, spinnaker=1e-06, crossbar=1e-05)
def multiplicative(run):
    want = weights(PRE, POST, lo=0.1, **amplitudes(
        lambda w: 0.04*(w - 0.1), lambda w: 0.03*(1 - w), Trace(PRE, 15),
        Trace(POST, 25)))
    return [("weights", plain(run, "stdp_multiplicative",
                              PARAMETERS + "; w_min = 0.1"), want)]


@oracle(rules="stdp_power", cpu=1e-5, spinnaker=1e-06, crossbar=1e-05)
def power(run):
    want = weights(PRE, POST, hi=2, **amplitudes(
        lambda w: 0.04*2*(w/2)**0.6, lambda w: 0.03*2*(1 - w/2)**0.3,
        Trace(PRE, 15), Trace(POST, 25)))
    got = plain(run, "stdp_power", PARAMETERS +
                "; mu_plus = 0.3; mu_minus = 0.6; w_max = 2")
    return [("weights", got, want)]


@oracle(rules="stdp_exponential", cpu=1e-5, spinnaker=1e-06, crossbar=1e-05)
def exponential(run):
    x, y = Trace(PRE, 15), Trace(POST, 25)
    want = weights(
        PRE, POST,
        on_pre=lambda w, t, i, j: w - 0.04*np.exp(-0.7*(1 - w))*y(t)[j],
        on_post=lambda w, t, i, j: w + 0.03*(
            np.exp(-0.7*w)*x(t)[i] - 0.2*np.exp(-0.7*(1 - w))))
    got = plain(run, "stdp_exponential",
                PARAMETERS + "; beta = 0.7; x_target = 0.2")
    return [("weights", got, want)]


@oracle(rules="stdp_target", cpu=1e-5, spinnaker=1e-06, crossbar=1e-05)
def target(run):
    x = Trace(PRE, 15, True)
    want = weights(PRE, POST, on_post=lambda w, t, i, j: w + 0.1*(
        x(t)[i] - 0.4)*(1 - w)**0.5)
    return [("weights", plain(run, "stdp_target",
                              "tau = 15 ms; A_plus = 0.1; mu = 0.5"), want)]


@oracle(rules="stdp_event", cpu=1e-6, spinnaker=1e-06, crossbar=1e-05)
def event(run):
    def on_post(w, t, i, j):
        past = np.flatnonzero(PRE[:t, i])
        near = len(past) > 0 and t - past[-1] <= 12
        return w + 0.1*((1.0 if near else 0) - w*1.3)
    return [("weights", plain(run, "stdp_event",
                              "window = 12 ms; eta = 0.1; lambda = 0.3"),
             weights(PRE, POST, on_post=on_post))]


@oracle(rules="stdp_symmetric", cpu=1e-6, spinnaker=1e-4, crossbar=5e-3)
def symmetric(run):
    x, y = Trace(PRE, 15), Trace(POST, 25)
    want = weights(PRE, POST, lo=0.2,
                   on_pre=lambda w, t, i, j: w + 0.04*y(t)[j] - 0.03,
                   on_post=lambda w, t, i, j: w + 0.04*x(t)[i])
    got = plain(run, "stdp_symmetric", "tau_pre = 15 ms; tau_post = 25 ms"
                "; A = 0.04; alpha = 0.03; w_min = 0.2")
    return [("weights", got, want)]


#--- Triplets ------------------------------------------------------------------

SETS = {  # tau_plus, tau_x, tau_minus, tau_y, A2+, A3+, A2-, A3-
    "stdp_triplet": (16.8, 101, 33.7, 125, 5e-10, 6.2e-3, 7e-3, 2.3e-4),
    "stdp_triplet_hippocampus":
        (16.8, 946, 33.7, 27, 6.1e-3, 6.7e-3, 1.6e-3, 1.4e-3),
    "stdp_triplet_visual_minimal": (16.8, 1, 33.7, 114, 0, 6.5e-3, 7.1e-3, 0),
    "stdp_triplet_hippocampus_minimal":
        (16.8, 1, 33.7, 40, 5.3e-3, 8e-3, 3.5e-3, 0),
}


@oracle(rules=" ".join(SETS), cpu=1e-6, spinnaker=1e-05, crossbar=1e-05)
def triplet(run):
    rows = []
    for rule, (tp, tx, tm, ty, a2p, a3p, a2m, a3m) in SETS.items():
        r1, r2 = Trace(PRE, tp), Trace(PRE, tx)
        o1, o2 = Trace(POST, tm), Trace(POST, ty)
        want = weights(
            PRE, POST, hi=2,
            on_pre=lambda w, t, i, j: w - 2*o1(t)[j]*(a2m + a3m*r2(t)[i]),
            on_post=lambda w, t, i, j: w + 2*r1(t)[i]*(a2p + a3p*o2(t)[j]))
        rows.append((rule, plain(run, rule, "w_max = 2"), want))
    return rows


@oracle(rules="stdp_triplet", cpu=1e-7, spinnaker=1e-06, crossbar=1e-06)
def triplet_sequences(run):
    """L9: pre-post-pre, post-pre-post and the two quadruplets, closed form."""
    tp, tx, tm, ty, a2p, a3p, a2m, a3m = SETS["stdp_triplet"]

    def e(gap, tau):
        return np.exp(-gap/tau)
    cases = {  # times of pre, times of post, change of the weight
        "pre post pre": ([10, 30], [17], a2p*e(7, tp)
                         - e(13, tm)*(a2m + a3m*e(20, tx))),
        "post pre post": ([17], [10, 30], -a2m*e(7, tm)
                          + e(13, tp)*(a2p + a3p*e(20, ty))),
        "pre post post pre": (
            [10, 60], [16, 54],
            a2p*e(6, tp) + e(44, tp)*(a2p + a3p*e(38, ty))
            - (e(44, tm) + e(6, tm))*(a2m + a3m*e(50, tx))),
        "post pre pre post": (
            [16, 54], [10, 60],
            -a2m*e(6, tm) - e(44, tm)*(a2m + a3m*e(38, tx))
            + (e(44, tp) + e(6, tp))*(a2p + a3p*e(50, ty))),
    }
    rows = []
    for name, (pres, posts, want) in cases.items():
        pre, post = np.zeros((70, 2)), np.zeros((70, 2))
        pre[pres], post[posts] = 1, 1
        got = run(program("stdp_triplet"), pre=pre, post=post)["w"][-1]
        rows.append((name, got - 0.5, [want]*4))
    return rows


#--- Voltage -------------------------------------------------------------------

def voltage_case(run, rule, homeostasis):
    u = -70.6 + np.clip(rng.normal(8, 25, (T, 2)), -10, 80)
    got = run(program(
        rule, "u = u; u_late = late" + ("; tau_mean = 50 ms"
                                        if homeostasis else ""),
        extra="""stimulus u[2] : mV range [-100 mV, 60 mV]
  stimulus late[2] : mV range [-100 mV, 60 mV]""",
        present="present u from volts; present late from late_volts",
        data="""dataset volts = file("u.npy")
  dataset late_volts = file("late.npy")"""),
        pre=PRE, post=POST, u=u, late=np.roll(u, 5, axis=0))["w"]
    late = np.roll(u, 5, axis=0)

    def low_pass(x, tau, start):
        rows, y = [], np.full(2, start)
        for row in x:
            y = row + (y - row)*np.exp(-1/tau)
            rows.append(y)
        return np.array(rows)
    minus, plus = low_pass(late, 10, -70.6), low_pass(late, 7, -70.6)
    mean = low_pass(np.maximum(u + 70.6, 0), 50, 0.0)
    x = Trace(PRE, 15)
    relu = lambda v: max(v, 0.0)
    want = weights(
        PRE, POST,
        on_pre=lambda w, t, i, j: w - 14e-5*relu(minus[t, j] + 70.6)
        * (mean[t, j]**2/60 if homeostasis else 1),
        on_tick=lambda w, t, i, j: w + 8e-5/15*x(t)[i]*relu(u[t, j] + 45.3)
        * relu(plus[t, j] + 70.6))
    return [("weights", got, want)]


@oracle(1e-9, rules="stdp_voltage", cpu=1e-5, spinnaker=1e-05,
        crossbar=1e-05)
def voltage(run):
    return voltage_case(run, "stdp_voltage", False)


@oracle(1e-9, rules="stdp_voltage_homeostatic", cpu=1e-5, spinnaker=1e-05,
        crossbar=1e-05)
def voltage_homeostatic(run):
    return voltage_case(run, "stdp_voltage_homeostatic", True)


@oracle(rules="vogels_sprekeler", cpu=1e-6, spinnaker=1e-4, crossbar=1e-05)
def vogels(run):
    x, y = Trace(PRE, 20), Trace(POST, 20)
    alpha = 2*8e-3*20
    want = weights(PRE, POST,
                   on_pre=lambda w, t, i, j: w + 0.02*(y(t)[j] - alpha),
                   on_post=lambda w, t, i, j: w + 0.02*x(t)[i])
    got = plain(run, "vogels_sprekeler", "eta = 0.02; rho = 8 Hz")
    return [("weights", got, want)]


#--- Properties ----------------------------------------------------------------

@oracle(rules="stdp_pair", cpu=1e-5, spinnaker=0.0001, crossbar=0.0001)
def lazy_and_dense(run):
    """L8: a tick of 1 ms and ticks of 0.1 ms give the same weights."""
    fine_pre, fine_post = np.zeros((10*T, 2)), np.zeros((10*T, 2))
    fine_pre[::10], fine_post[::10] = PRE, POST
    coarse = plain(run, "stdp_pair", PARAMETERS)
    fine = run(program("stdp_pair", PARAMETERS, dt="0.1 ms"), pre=fine_pre,
               post=fine_post)["w"]
    return [("weights", fine[9::10], coarse)]


@oracle(0, rules="stdp_triplet", cpu=0, spinnaker=0, crossbar=0)
def locality(run):
    """L18: other synapses' spikes do not touch a weight, bit for bit."""
    first = plain(run, "stdp_triplet")
    pre, post = PRE.copy(), POST.copy()
    pre[:, 1] = np.roll(PRE[:, 1], 17)
    post[:, 1] = np.roll(POST[:, 1], 31)
    second = run(program("stdp_triplet"), pre=pre, post=post)["w"]
    moved = np.abs(first[-1, 3] - second[-1, 3])
    return [("synapse 0 0", first[:, 0], second[:, 0]),
            ("the other one moved", [0 if moved > 0 else 1], [0])]


def poisson_drift(run, rule, bindings, drift, ticks=4000, n=40, rates=(20, 30),
                  dt=0.5, w0="0.5"):
    """Mean change per ms over n x n independent pairs against the formula, in
    units of four standard errors."""
    got = run(f"""
network noise {{
  dt = {dt} ms
  seed = 5
  population a : poisson[{n}] {{ rate = {rates[0]} Hz }}
  population b : poisson[{n}] {{ rate = {rates[1]} Hz }}
  weight W : a -> b dense = {w0}
  plasticity learn on W : {rule} pre a.spike post b.spike {{ {bindings} }}
}}
experiment learn on noise {{
  step 1000 ticks
  readout w = W
  step {ticks} ticks
  readout w = W
}}
""")["w"]
    change = (got[1] - got[0]).reshape(n, n)/(ticks*dt)
    # Rows and columns share trains: the error of the mean is that of a two-way
    # layout.
    rows, columns = change.mean(1), change.mean(0)
    error = np.sqrt(rows.var(ddof=1)/n + columns.var(ddof=1)/n)
    # Poisson draws of one spike per tick: p = 1 - exp(-rate dt).
    return [("drift over four standard errors",
             [(change.mean() - drift)/(4*error)], [0])]


def per_tick(rate, dt=0.5):
    return (1 - np.exp(-rate/1000*dt))/dt


@oracle(1, rules="stdp_pair", cpu=1, spinnaker=1, crossbar=1)
def drift_pair(run):
    """L7: r r' (A+ tau+ - A- tau-), with the traces' sum over ticks."""
    a, b = per_tick(20), per_tick(30)

    def area(tau, dt=0.5):  # sum over earlier ticks of e^(-n dt/tau) dt
        return dt/np.expm1(dt/tau)
    return poisson_drift(
        run, "stdp_pair", "A_plus = 0.01; A_minus = 0.012; tau_plus = 15 ms; "
        "tau_minus = 20 ms; w_min = -100; w_max = 100",
        100*a*b*(0.01*area(15) - 0.012*area(20)))


@oracle(1, rules="stdp_nearest", cpu=1, spinnaker=1, crossbar=1)
def drift_nearest(run):
    """L7: r r' (A+/(1/tau+ + r) - A-/(1/tau- + r'))."""
    a, b = per_tick(20), per_tick(30)

    def mean(r, tau, dt=0.5):  # of the trace before this tick's spike
        q, p = np.exp(-dt/tau), r*dt
        return p*q/(1 - (1 - p)*q)
    rows = poisson_drift(
        run, "stdp_nearest", "A_plus = 0.01; A_minus = 0.012; "
        "tau_plus = 15 ms; tau_minus = 20 ms; w_min = -100; w_max = 100",
        100*(b*0.01*mean(a, 15) - a*0.012*mean(b, 20)))
    continuous = a*b*(0.01/(1/15 + a) - 0.012/(1/20 + b))
    discrete = b*0.01*mean(a, 15) - a*0.012*mean(b, 20)
    return rows + [("formula of continuous time, 5 %",
                    [(discrete/continuous - 1)/0.05], [0])]


@oracle(1, rules="stdp_triplet", cpu=1, spinnaker=1, crossbar=1)
def drift_triplet(run):
    """L7: + A3+ tau+ tau_y r r'^2 - A3- tau- tau_x r^2 r' besides pairs."""
    a, b = per_tick(20), per_tick(30)

    def area(tau, dt=0.5):
        return dt/np.expm1(dt/tau)
    tp, tx, tm, ty = 15, 60, 25, 50
    want = (a*b*(5e-3*area(tp) - 4e-3*area(tm))
            + 6e-3*area(tp)*area(ty)*a*b*b - 8e-3*area(tm)*area(tx)*a*a*b)
    return poisson_drift(
        run, "stdp_triplet", f"tau_plus = {tp} ms; tau_x = {tx} ms; tau_minus ="
        f" {tm} ms; tau_y = {ty} ms; A2_plus = 5e-3; A3_plus = 6e-3; "
        "A2_minus = 4e-3; A3_minus = 8e-3; w_min = -100; w_max = 100",
        100*want)


@oracle(1, rules="stdp_multiplicative", cpu=1, spinnaker=1, crossbar=1)
def fixed_point_multiplicative(run):
    """L7: w* = A+ tau+/(A+ tau+ + A- tau-); the mean stays where it starts."""
    def area(tau, dt=0.5):
        return dt/np.expm1(dt/tau)
    w = 0.01*area(15)/(0.01*area(15) + 0.012*area(20))
    return poisson_drift(
        run, "stdp_multiplicative", "A_plus = 0.01; A_minus = 0.012; "
        "tau_plus = 15 ms; tau_minus = 20 ms", 0, w0=repr(w))


@oracle(1, rules="vogels_sprekeler", cpu=1, spinnaker=1, crossbar=1)
def drift_vogels(run):
    """L7: eta r (2 tau r' - alpha)."""
    a, b = per_tick(20), per_tick(30)
    area = 0.5/np.expm1(0.5/20)
    return poisson_drift(
        run, "vogels_sprekeler", "eta = 0.01; rho = 20 Hz; w_max = 1e3",
        0.01*a*(2*area*b - 2*0.02*20), w0="100")


@oracle(1, rules="vogels_sprekeler", cpu=1)
def inhibition_sets_the_rate(run):
    """L10: neurons with different excitation all come to fire at rho."""
    got = run("""
network balance {
  dt = 0.5 ms
  seed = 9
  population E : poisson[200] { rate = 20 Hz }
  population I : poisson[100] { rate = 20 Hz }
  population cell : lif_curr_exp[20] { i_offset = 0.4 nA + 0.02 nA*i }
  connect E -> cell.exc all_to_all weight 0.06 nA
  weight W : I -> cell.inh dense = 0.02 nA
  connect I.spike -> cell.inh through W transmit -w*x
  plasticity learn on W : vogels_sprekeler pre I.spike post cell.spike {
    eta = 0.004 nA
    rho = 10 Hz
    w_max = 2 nA
  }
  record cell.spike
}
experiment learn on balance {
  step 10 s
  readout first = count(cell.spike)
  step 10 s
  readout spikes = count(cell.spike)
}
""")
    counts = got["spikes"].reshape(1, 20)
    means = counts.sum(0)/10.0
    # In 10 s a neuron fires 100 times; four standard deviations of a Poisson
    # count. The rule corrects the count, so it scatters less than that.
    return [("rates over four standard deviations",
             (means - 10)/(4*np.sqrt(100)/10), np.zeros(20)),
            ("mean of all", [(means.mean() - 10)/(4*np.sqrt(100/20)/10)], [0])]


if __name__ == "__main__":
    main()
