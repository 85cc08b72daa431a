# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rules with a third factor against closed forms and NumPy."""
import numpy as np

from harness import main, oracle

rng = np.random.default_rng(23)
T = 120
PRE = (rng.uniform(size=(T, 2)) < 0.1).astype(float)
POST = (rng.uniform(size=(T, 2)) < 0.1).astype(float)
REWARD = np.round(rng.normal(size=(T, 1)), 3)


def program(rule, bindings, extra="", unit=""):
    """Two trains, a scalar signal `reward` from a table, weights each tick."""
    return f"""
network three {{
  dt = 1 ms
  stimulus a[2] : spike
  stimulus b[2] : spike
  stimulus reward[1] {": 1" + unit if unit else ""} range [-8 {unit}, 8 {unit}]
  population sink : linear[2]
  weight W : a -> b dense = 0.5 bounds [-4, 4]
  connect a -> sink.drive through W delay 1 ms
  {extra}
  plasticity learn on W : {rule} pre a post b delay 0 ms {{
    {bindings}
  }}
  dataset pre_train = file("pre.npy")
  dataset post_train = file("post.npy")
  dataset rewards = file("reward.npy")
}}
experiment learn on three {{
  for each row of pre_train {{
    present a from pre_train
    present b from post_train
    present reward from rewards
    step 1 ticks
    readout w = W
  }}
}}
"""


def pairing(tau_plus, tau_minus, a_plus, a_minus):
    """STDP of each tick, [T, post, pre], from explicit sums over spikes."""
    out = np.zeros((T, 2, 2))
    for t in range(T):
        past = np.arange(t)
        x = (PRE[:t]*np.exp(-(t - past)/tau_plus)[:, None]).sum(0)
        y = (POST[:t]*np.exp(-(t - past)/tau_minus)[:, None]).sum(0)
        out[t] = (a_plus*np.outer(POST[t], x) - a_minus*np.outer(y, PRE[t]))
    return out


def filtered(values, tau):
    """sum over s <= t of values[s] e^(-(t - s)/tau)"""
    return np.array([(values[:t + 1]*np.exp(
        -(t - np.arange(t + 1))/tau)[:, None, None]).sum(0) for t in range(T)])


def cumulative(steps):
    return 0.5 + np.cumsum(steps, axis=0).reshape(T, 4)


PAIRS = "tau_plus = 15 ms; tau_minus = 25 ms; A_plus = 0.1; A_minus = 0.12"
WIDE = "; w_min = -4; w_max = 4"


@oracle(rules="stdp_reward", cpu=1e-5, spinnaker=2e-3, crossbar=0.2)
def reward(run):
    got = run(program("stdp_reward", PAIRS + WIDE + "; tau_e = 40 ms; "
                      "reward = reward", unit="/ms"),
              pre=PRE, post=POST, reward=0.05*REWARD)["w"]
    e = filtered(pairing(15, 25, 0.1, 0.12), 40)
    return [("weights", got, cumulative(4*0.05*REWARD[:, :, None]*e))]


def dopamine_case(run, dt):
    """L12: one pairing, then a reward after a delay."""
    got = run(f"""
network delayed {{
  dt = {dt} ms
  spike_array a[1] = [[10 ms]]
  spike_array b[1] = [[17 ms]]
  stimulus pulse[1] : 1/ms range [0, 1 /ms]
  population da : dopamine[1] {{ tau_d = 200 ms }}
  connect pulse -> da.release one_to_one weight 1
  population sink : linear[1]
  weight W : a -> b dense = 0.5 bounds [0, 1]
  connect a -> sink.drive through W delay 1 ms
  plasticity learn on W : stdp_dopamine pre a post b delay 0 ms {{
    A_plus = 0.01; tau_plus = 20 ms; tau_e = 1 s; tau_d = 200 ms
    level = da.level
  }}
}}
experiment learn on delayed {{
  present pulse = 0
  step 517 ms
  present pulse = 0.5 /ms
  step 1 ticks
  present pulse = 0
  step 4 s
  readout w = W
}}
""")["w"][0]
    # The pairing is read in the tick of the post spike at 17 ms and the pulse
    # arrives 500 ms later.
    amplitude = 0.01*np.exp(-7/20)
    return got - 0.5, amplitude*0.5*np.exp(-500/1000)*1000*200/1200


@oracle(1e-7, rules="stdp_dopamine dopamine", cpu=1e-5, spinnaker=1e-3,
        crossbar=1e-2)
def delayed_reward(run):
    got, want = dopamine_case(run, 1)
    return [("weight", got, [want])]


@oracle(1e-7, rules="stdp_dopamine", cpu=1e-4, spinnaker=1e-3)
def delayed_reward_any_step(run):
    got, want = dopamine_case(run, 0.5)
    return [("weight", got, [want])]


@oracle(rules="stdp_dopamine", cpu=1e-5, spinnaker=0.005, crossbar=0.05)
def dopamine_trains(run):
    """Piecewise constant e, dopamine that decays within the tick."""
    got = run(program("stdp_dopamine", PAIRS + WIDE + "; tau_e = 40 ms; "
                      "tau_d = 30 ms; level = reward", unit="/ms"),
              pre=PRE, post=POST, reward=0.05*REWARD)["w"]
    e, rate = filtered(pairing(15, 25, 0.1, 0.12), 40), 1/40 + 1/30
    area = (1 - np.exp(-rate))/rate
    return [("weights", got, cumulative(4*0.05*area*REWARD[:, :, None]*e))]


@oracle(rules="mstdp", cpu=1e-5, spinnaker=0.0001, crossbar=0.005)
def mstdp(run):
    got = run(program("mstdp", PAIRS + WIDE + "; eta = 0.3; reward = reward"),
              pre=PRE, post=POST, reward=REWARD)["w"]
    pairs = pairing(15, 25, 0.1, 0.12)
    before = np.concatenate([np.zeros((1, 2, 2)), pairs[:-1]])
    return [("weights", got, cumulative(0.3*REWARD[:, :, None]*before))]


@oracle(rules="mstdpet", cpu=1e-5, spinnaker=0.001, crossbar=0.01)
def mstdpet(run):
    got = run(program("mstdpet", PAIRS + WIDE + "; tau_e = 30 ms; eta = 0.3; "
                      "reward = reward"),
              pre=PRE, post=POST, reward=REWARD)["w"]
    z = filtered(pairing(15, 25, 0.1, 0.12)/30, 30)
    before = np.concatenate([np.zeros((1, 2, 2)), z[:-1]])
    return [("weights", got, cumulative(0.3*REWARD[:, :, None]*before))]


@oracle(rules="r_max", cpu=1e-5, spinnaker=1e-05, crossbar=1e-05)
def r_max(run):
    chance = rng.uniform(0, 0.2, (T, 2))
    got = run(program("r_max", WIDE[1:] + "; tau_e = 30 ms; tau_c = 5 ms; "
                      "tau_x = 15 ms; eta = 0.02; reward = reward; "
                      "chance = chances",
                      extra="stimulus chances[2] range [0, 1]")
              .replace("present reward", "present chances from chance_rows\n"
                       "    present reward").replace(
                  "dataset rewards",
                  'dataset chance_rows = file("p.npy")\n  dataset rewards'),
              pre=PRE, post=POST, reward=REWARD, p=chance)["w"]
    e, w, rows = np.zeros((2, 2)), np.full((2, 2), 0.5), []
    for t in range(T):
        x = (PRE[:t]*np.exp(-(t - np.arange(t))/15)[:, None]).sum(0)
        e = (1 - 1/30)*e + np.outer(
            POST[t] - chance[t]/(1 + 5*chance[t]), x)
        w = w + 0.02*REWARD[t, 0]*e
        rows.append(w.ravel())
    return [("weights", got, rows)]


@oracle(rules="reward_prediction_error", cpu=1e-6,
        spinnaker=1e-05, crossbar=1e-05)
def prediction_error(run):
    got = run("""
network expectation {
  dt = 1 ms
  stimulus r[1] range [-8, 8]
  population m : reward_prediction_error[1] { tau = 12 ms }
  connect r -> m.reward one_to_one weight 1
  record m.error
  dataset rewards = file("r.npy")
}
experiment run on expectation {
  for each row of rewards {
    present r from rewards
    step 1 ticks
    readout error = m.error
  }
}
""", r=REWARD)["error"]
    want = [REWARD[t, 0] - (1 - np.exp(-1/12))*sum(
        REWARD[s, 0]*np.exp(-(t - 1 - s)/12) for s in range(t))
        for t in range(T)]
    return [("error", got, want)]


#--- e-prop --------------------------------------------------------------------

def eprop_case(run, beta):
    """L16: a feed-forward layer; BPTT with the reset path cut is computed by
    hand-written reverse mode over the unrolled network."""
    inputs, hidden, outputs, steps = 3, 4, 2, 40
    more = steps + 2  # two ticks after the call, for what the call forgets
    z_in = (rng.uniform(size=(more, inputs)) < 0.4).astype(float)
    w_in = rng.normal(0.2, 0.5, (hidden, inputs))
    w_out = rng.normal(0, 0.7, (outputs, hidden))
    target = rng.normal(size=(more, outputs))
    alpha, kappa, rho = np.exp(-1/20), np.exp(-1/15), np.exp(-1/60)
    # Forward, with the delays of the program: one tick into each layer.
    v, a, z = np.zeros(hidden), np.zeros(hidden), np.zeros(hidden)
    y = np.zeros(outputs)
    psi, zs, ys, pre_in = [], [], [], []
    w_now, z_bar = w_in, np.zeros(inputs)
    for t in range(more):
        w_now = w_in if t < steps else w_after
        y = kappa*y + w_out @ z  # spikes of the tick before
        x = z_in[t - 1] if t else np.zeros(inputs)
        v = alpha*v + w_now @ x - z
        z_bar = alpha*z_bar + x
        a = rho*a + z
        distance = v - 1 - beta*a
        z = (distance >= 0).astype(float)
        psi.append(0.3*np.maximum(0, 1 - abs(distance)))
        zs.append(z)
        ys.append(y)
        pre_in.append(x)
        if t == steps - 1:
            grad = eprop_gradient(steps, psi, pre_in, np.array(ys) - target[:steps],
                                  w_out, alpha, kappa, rho, beta)
            w_after = w_in - 1e-4*grad
        if t == steps:  # the only eligibility since the call
            last = np.outer(psi[t], z_bar)
    later = (w_out.T @ (ys[-1] - target[-1]))[:, None]*last
    return eprop_program(run, beta, z_in, w_in, w_out, target, ys, zs, grad,
                         later)


def eprop_gradient(steps, psi, pre_in, err, w_out, alpha, kappa, rho, beta):
    outputs, hidden = w_out.shape
    inputs = len(pre_in[0])
    # Reverse: dE/dz[t] through the readout, and through the threshold's
    # adaptation; the paths through the reset are cut.
    grad = np.zeros((hidden, inputs))
    dv, da = np.zeros(hidden), np.zeros(hidden)
    dy_next = np.zeros(outputs)
    for t in reversed(range(steps)):
        dz = w_out.T @ dy_next + da  # z[t] feeds y[t+1] and a[t+1]
        dv_direct = psi[t]*dz
        da_here = rho*da - beta*psi[t]*dz  # a[t] feeds a[t+1] and z[t]
        dv = alpha*dv + dv_direct
        grad += np.outer(dv, pre_in[t])
        dy_next = err[t] + kappa*dy_next
        da = da_here
    return grad


def eprop_program(run, beta, z_in, w_in, w_out, target, ys, zs, grad, later):
    outputs, hidden = w_out.shape
    inputs, steps = z_in.shape[1], len(z_in) - 2
    rule = "eprop_alif" if beta else "eprop_lif"
    got = run(f"""
network eprop {{
  dt = 1 ms
  stimulus x[{inputs}] : spike
  stimulus goal[{outputs}] range [-8, 8]
  population h : eprop_unit[{hidden}] {{
    tau_m = 20 ms; tau_a = 60 ms; beta = {beta}
  }}
  population y : leaky_readout[{outputs}] {{ tau_out = 15 ms }}
  weight W : x -> h dense = file("w_in.npy")
  weight U : h -> y dense = file("w_out.npy")
  connect x -> h.drive through W
  connect h.spike -> y.drive through U
  circuit back = learning_signal(y.value, goal, h, U)
  plasticity learn on W : {rule} pre x post h.spike {{
    eta = 1e-4; tau_m = 20 ms; tau_out = 15 ms
    {"tau_a = 60 ms; beta = %r" % beta if beta else ""}
    psi = h.psi
    learning = back.signal.value
  }}
  dataset inputs = file("z_in.npy")
  dataset goals = file("target.npy")
  record y.value
}}
experiment learn on eprop {{
  for each row of inputs rows [0, {steps}] {{
    present x from inputs
    present goal from goals
    step 1 ticks
    readout y = y.value
  }}
  call learn
  readout w = W
  for each row of inputs rows [{steps}, {steps + 2}] {{
    present x from inputs
    present goal from goals
    step 1 ticks
    readout y = y.value
  }}
  call learn
  readout w = W
}}
""", z_in=z_in, w_in=w_in, w_out=w_out, target=target)
    spikes = np.array(zs).sum()
    return [("outputs", got["y"], ys),
            ("gradient", (w_in.ravel() - got["w"][0])*1e4, grad),
            ("after the call", (got["w"][0] - got["w"][1])*1e4, later),
            ("something after", [0 if np.abs(later).max() > 1e-3 else 1], [0]),
            ("it spiked", [0 if 5 < spikes < 100 else 1], [0])]


@oracle(1e-9, rules="eprop_lif eprop_unit leaky_readout learning_signal", cpu=2e-2,
        spinnaker=0.05)
def eprop_leaky(run):
    return eprop_case(run, 0)


@oracle(1e-9, rules="eprop_alif eprop_unit", cpu=2e-2, spinnaker=0.05)
def eprop_adaptive(run):
    return eprop_case(run, 0.4)


#--- Perturbations -------------------------------------------------------------

@oracle(rules="node_perturbation", cpu=1e-6, spinnaker=1e-06, crossbar=1e-06)
def node_perturbation(run):
    noise = rng.normal(size=(T, 2))
    got = run(program("node_perturbation", "eta = 0.01; precision = 4; "
                      "advantage = reward; noise = xi",
                      extra="stimulus xi[2] range [-8, 8]")
              .replace("present reward", "present xi from noise_rows\n"
                       "    present reward").replace(
                  "dataset rewards",
                  'dataset noise_rows = file("xi.npy")\n  dataset rewards'),
              pre=PRE, post=POST, reward=REWARD, xi=noise)["w"]
    steps = 0.04*REWARD[:, :, None]*noise[:, :, None]*PRE[:, None, :]
    return [("weights", got, cumulative(steps))]


@oracle(1e-11, rules="weight_perturbation", cpu=1e-3,
        spinnaker=1e-05, crossbar=1e-05)
def weight_perturbation(run):
    signs = rng.choice([-1.0, 1], size=(T, 4))
    got = run(program("weight_perturbation", "eta = 0.01; sigma = 0.05; "
                      "advantage = reward; sign_pre = s_a; sign_post = s_b",
                      extra="stimulus s_a[2] range [-1, 1]\n"
                      "  stimulus s_b[2] range [-1, 1]")
              .replace("present reward", "present s_a from a_rows\n"
                       "    present s_b from b_rows\n    present reward")
              .replace("dataset rewards", 'dataset a_rows = file("sa.npy")\n'
                       '  dataset b_rows = file("sb.npy")\n  dataset rewards'),
              pre=PRE, post=POST, reward=0.1*REWARD, sa=signs[:, :2],
              sb=signs[:, 2:])["w"]
    xi = 0.05*signs[:, 2:, None]*signs[:, None, :2]
    before = np.concatenate([np.zeros((1, 2, 2)), xi[:-1]])
    base = np.cumsum(0.01*0.1*REWARD[:, :, None]*before/0.05**2, axis=0)
    return [("weights", got, 0.5 + (base + xi).reshape(T, 4))]


@oracle(1, rules="weight_perturbation random_sign", cpu=1,
        spinnaker=1, crossbar=1)
def perturbed_descent(run):
    """The mean step is the gradient: a quadratic loss falls to its noise floor,
    which is of the order of the sum of squared perturbations."""
    got = run("""
model loss_unit {
  input a : 1
  input b : 1
  output gain : 1
  emit gain = -(a*a + 2*b*b)
}
network descent {
  dt = 1 ms
  seed = 4
  stimulus one[2] range [0, 1]
  population e : linear[2]
  population score : loss_unit[1]
  population s_a : random_sign[2]
  population s_b : random_sign[2]
  weight W : one -> e dense = [[1, -0.5], [0.25, 0.75]] bounds [-4, 4]
  connect one -> e.drive through W
  connect e.value -> score.a list([[0, 0]]) weight 1
  connect e.value -> score.b list([[1, 0]]) weight 1
  population base : reward_prediction_error[1] { tau = 3 ms }
  connect score.gain -> base.reward one_to_one weight 1
  plasticity learn on W : weight_perturbation pre one post e.value {
    eta = 2e-3
    sigma = 0.02
    advantage = base.error
    sign_pre = s_a.value
    sign_post = s_b.value
  }
  record e.value
}
experiment run on descent {
  present one = 1
  step 1 ticks
  readout e = e.value
  step 4000 ticks
  readout e = mean(e.value)
}
""")["e"]
    return [("first", got[0] - [0.5, 1], [0, 0]),
            ("last over the floor", got[1]/0.1, [0, 0])]


@oracle(1, rules="random_sign random_uniform", cpu=1, spinnaker=1, crossbar=1)
def random_units(run):
    got = run("""
network draws {
  dt = 1 ms
  population s : random_sign[5000]
  population u : random_uniform[5000]
  record s.value
  record u.value
}
experiment run on draws {
  step 1 ticks
  readout s = s.value
  readout u = u.value
}
""")
    s, u = got["s"][0], np.sort(got["u"][0])
    distance = np.abs(u - (np.arange(5000) + 0.5)/5000).max()
    return [("signs", np.abs(s) - 1, np.zeros(5000)),
            ("mean sign over four sigma", [s.mean()*np.sqrt(5000)/4], [0]),
            ("Kolmogorov-Smirnov over 1e-4", [distance*np.sqrt(5000)/2.23],
             [0])]


if __name__ == "__main__":
    main()
