# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One description of a network of beliefs, used twice: as the oracle's Filter
and as a program that joins the library's nodes and couplings."""
import os
import shutil
import subprocess
import tempfile

import numpy as np

import oracle

SCHEMES = {"standard": 0, "enhanced": 1, "unbounded": 2, "mean_first": 3}
MODELS = {"state": "hgf_state", "leaf": "hgf_leaf", "binary": "hgf_binary",
          "volatile_leaf": "hgf_volatile_leaf"}
STATES = ("mean", "precision", "expected_mean", "expected_precision",
          "surprise")
# name -> (text of the library, function and derivatives for the oracle)
FUNCTIONS = {
    "tanh": oracle.tanh(),
    "softplus": (lambda x: np.log1p(np.exp(x)), oracle.sigmoid,
                 lambda x: oracle.sigmoid(x) * (1 - oracle.sigmoid(x))),
    "square": (lambda x: 0.5 * x * x, lambda x: x, lambda x: 1.0),
}


class Spec:
    def __init__(self, scheme="enhanced", relaxed=False, compat=False,
                 exact_time=False):
        self.exact_time = exact_time
        self.scheme, self.relaxed, self.compat = scheme, relaxed, compat
        self.nodes, self.edges = {}, []

    def add(self, name, kind="state", **values):
        self.nodes[name] = (kind, values)
        return self

    def value(self, parent, child, alpha=1.0, g=None):
        self.edges.append(("value", parent, child, alpha, g))
        return self

    def volatility(self, parent, child, kappa=1.0, g=None):
        self.edges.append(("volatility", parent, child, kappa, g))
        return self

    def scheme_of(self, name):
        return self.nodes[name][1].get("scheme", self.scheme)

    def leaves(self):
        return [n for n, (kind, _) in self.nodes.items() if kind != "state"]

    def filter(self):
        f = oracle.Filter(self.scheme, self.relaxed, self.compat,
                          self.exact_time)
        for name, (kind, values) in self.nodes.items():
            f.add(name, kind, **values)
        for kind, p, c, k, g in self.edges:
            getattr(f, kind)(p, c, k, FUNCTIONS[g] if g else None)
        return f

    def text(self, steps, experiment=""):
        """The program; datasets are files beside it."""
        relaxed, compat = int(self.relaxed), int(self.compat)
        vol_parents = {p for kind, p, *_ in self.edges if kind == "volatility"}
        out = ["network beliefs {", "  dt = 1 ms", "  stimulus step[1]",
               '  dataset steps = file("steps.npy")']
        for name, (kind, v) in self.nodes.items():
            model = MODELS[kind]
            if name in vol_parents and self.scheme_of(name) == "unbounded":
                model = "hgf_unbounded_state"
            b = []
            rename = {"omega": "tonic_volatility", "rho": "tonic_drift",
                      "lam": "autoconnection"}
            for key, value in v.items():
                if key == "scheme":
                    continue
                b.append(f"{rename.get(key, key)} = {value!r}")
            if kind == "state":
                b += [f"relaxed = {relaxed}",
                      f"exact_time = {int(self.exact_time)}"]
            if kind in ("leaf", "volatile_leaf"):
                b.append(f"compat = {compat}")
            if kind == "volatile_leaf":
                b.append(f"relaxed = {relaxed}")
            out.append(f"  population {name} : {model}[1] "
                       + "{ " + "; ".join(b) + " }")
            if kind != "binary":
                out.append(f"  connect step -> {name}.elapsed one_to_one "
                           "weight 1")
            if kind != "state":
                out += [f"  stimulus u_{name}[1]",
                        f'  dataset data_{name} = file("{name}.npy")',
                        f"  connect u_{name} -> {name}.value one_to_one "
                        "weight 1",
                        f"  stimulus no_{name}[1]",
                        f'  dataset gap_{name} = file("{name}.gap.npy")',
                        f"  connect no_{name} -> {name}.missing one_to_one "
                        "weight 1"]
                records = ["expected_mean"]
                surprises = ["surprise"]
                if kind != "binary":
                    surprises += ["first_level", "predictive"]
            else:
                records, surprises = list(STATES), []
            for r in records + surprises:
                out.append(f"  record {name}.{r}")
        for kind, p, c, k, g in self.edges:
            child = self.nodes[c][0]
            fn = f", g = {g}" if g else ""
            if kind == "volatility":
                circuit = ("nonlinear_volatility_coupling" if g
                           else "volatility_coupling")
                tail = f", scheme = {SCHEMES[self.scheme_of(p)]}, relaxed = {relaxed}"
            elif child == "binary":
                circuit, tail = "binary_coupling", f", compat = {compat}"
            elif child == "state":
                circuit = "nonlinear_value_coupling" if g else "value_coupling"
                tail = f", relaxed = {relaxed}"
            else:
                circuit = ("nonlinear_observation_coupling" if g
                           else "observation_coupling")
                tail = ""
            out.append(f"  {circuit}({p}, {c}, {k!r}{fn}{tail})")
        out += ["}", "experiment follow on beliefs {",
                "  for each row of steps {", "    present step from steps"]
        for n in self.leaves():
            out += [f"    present u_{n} from data_{n}",
                    f"    present no_{n} from gap_{n}"]
        out += ["    step 1 ticks", "  }", experiment, "}"]
        functions = ["function softplus(x) = log1p(exp(x))",
                     "function square(x) = 0.5*x*x"]
        return "\n".join(functions + out) + "\n"


def run(text, files=None, target="cpu-f64", expect=0, others=None):
    """Runs a program; gives the recorded arrays and the tables by name."""
    folder = tempfile.mkdtemp(prefix="hgf-")
    try:
        path = os.path.join(folder, "program.neuro")
        with open(path, "w") as f:
            f.write("# SPDX-License-Identifier: Apache-2.0 WITH "
                    "LLVM-exception\n" + text)
        for name, other in (others or {}).items():
            with open(os.path.join(folder, name), "w") as f:
                f.write(other)
        for name, array in (files or {}).items():
            np.save(os.path.join(folder, name + ".npy"), array)
        command = [os.environ.get("NEUROC", "neuroc"), "run", path, "-q",
                   "--target=" + target.replace("-f64", ""),
                   "--out", os.path.join(folder, "out")]
        if target == "cpu-f64":
            command.append("--precision=f64")
        p = subprocess.run(command, capture_output=True, text=True)
        if p.returncode != expect:
            raise AssertionError(f"{target}: exit code {p.returncode}\n"
                                 + p.stdout + p.stderr + "\n" + text)
        result = {"messages": p.stdout + p.stderr}
        out = os.path.join(folder, "out")
        for name in os.listdir(out):
            if name.endswith(".npy") and not name.endswith(".ticks.npy"):
                result[name[:-4]] = np.load(os.path.join(out, name))
        if os.path.exists(os.path.join(out, "tables.npz")):
            result.update(np.load(os.path.join(out, "tables.npz")))
        return result
    finally:
        shutil.rmtree(folder)


def simulate(spec, data, dts):
    """The oracle's trajectories, by the names of the program's records."""
    f = spec.filter()
    out = {}
    np.seterr(all="ignore")         # outside its validity a filter overflows
    for k, dt in enumerate(dts):
        f.step({n: data[n][k] for n in spec.leaves()}, dt)
        for name, (kind, _) in spec.nodes.items():
            node = f.nodes[name]
            if kind == "state":
                values = dict(mean=node.mean, precision=node.precision,
                              expected_mean=node.mu_hat,
                              expected_precision=node.pi_hat,
                              surprise=oracle.gaussian(
                                  node.mean, node.mu_hat, node.pi_hat))
            else:
                values = dict(expected_mean=node.mu_hat,
                              surprise=f.surprise(name, "own"))
                if kind != "binary":
                    values["first_level"] = f.surprise(name, "first_level")
                    values["predictive"] = f.surprise(name, "predictive")
            for key, value in values.items():
                out.setdefault(f"{name}.{key}", []).append(value)
    return {k: np.array(v) for k, v in out.items()}


def arrays(spec, data, dts):
    """The datasets. A gap is no number in every other leaf; in the rest the
    mask says it, and what stands in the gap must not matter."""
    files = {"steps": np.array(dts, float).reshape(-1, 1)}
    for k, n in enumerate(spec.leaves()):
        u = np.array(data[n], float).reshape(-1, 1)
        gap = np.isnan(u)
        masked = k % 2 == 0
        files[n] = np.where(gap, 1e6 if masked else np.nan, u)
        files[n + ".gap"] = (gap & masked).astype(float)
    return files


def compare(spec, data, dts, target, tolerance):
    """Largest relative difference between program and oracle."""
    want = simulate(spec, data, dts)
    files = arrays(spec, data, dts)
    got = run(spec.text(len(dts)), files, target)
    worst, where = 0.0, ""
    for name, w in want.items():
        g = got[name].reshape(-1)
        assert g.shape == w.shape, (name, g.shape, w.shape)
        error = np.max(np.abs(g - w) / np.maximum(1, np.abs(w)))
        assert error == error, name + " is not a number"
        if error > worst:
            worst, where = error, name
    assert worst <= tolerance, f"{target}: {where} differs by {worst:.2e}"
    return worst
