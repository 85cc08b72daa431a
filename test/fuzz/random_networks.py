#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random spiking networks: every target must give the reference's spikes.

The networks are made so that their arithmetic is exact in f32, in fixed point
and on quantised arrays: weights are -c, 0 or c with c a power of two, states
change by such sums, decays subtract. Whatever differs from the reference is
therefore an error of a target, not rounding. Features drawn at random: models
(reset to zero or by subtraction, refractoriness, two stages, per-unit
parameters, clock divisors), sources (spike arrays, random ones), all
connection connection rules, delays (none, one, per synapse), transposed and shared
weights, delay lines, plasticity with traces and bounds, competition by
reductions over units and over synapses, batches (on the CPU).

usage: random_networks.py NEUROC [--count N] [--first SEED] [--targets A,B]
       [--keep DIR]
"""
import argparse
import os
import random
import subprocess
import sys
import tempfile

import numpy as np

TICKS = 40


class Network:
    """One random network as MLIR text."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.models, self.body, self.probes = [], [], []
        self.names = 0
        self.learns = False
        self.batch = self.rng.choice([1, 1, 1, 2, 4])
        self.spikes = []  # (value, units)
        self.build()

    def name(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    # -- sources and populations -------------------------------------------

    def spike_array(self):
        units = self.rng.randint(1, 24)
        events = sorted({(self.rng.randrange(TICKS), self.rng.randrange(units))
                         for _ in range(self.rng.randint(1, 3 * units))})
        name = self.name("array")
        table = ", ".join(f"[{t}, {u}]" for t, u in events)
        self.body.append(
            f"  %{name} = neuro.spike_array @{name} events(dense<[{table}]> : "
            f"tensor<{len(events)}x2xi64>) : tensor<{units}xi1>")
        self.spikes.append((name, units))

    def random_source(self):
        units = self.rng.randint(1, 24)
        name = self.name("noise")
        probability = self.rng.choice([0.03125, 0.125, 0.3])
        self.models.append(f"""
neuro.model @{name}_model {{
  neuro.output @spike : i1
  neuro.stage @draw {{
    %u = neuro.random uniform
    %p = arith.constant {probability} : f64
    %s = arith.cmpf olt, %u, %p : f64
    neuro.emit @spike, %s : i1
  }}
}}""")
        self.body.append(
            f"  %{name} = neuro.population @{name} of @{name}_model "
            f"shape [{units}] : () -> tensor<{units}xi1>")
        self.spikes.append((name, units))

    def competition(self, units):
        """Code that lets only some of the units with %over fire."""
        kind = self.rng.choice(["none", "none", "winners", "rank", "inhibit",
                                "first", "extremes"])
        groups = [""] + [f" group {n}" for n in range(1, units + 1)
                         if units % n == 0]
        group = self.rng.choice(groups)
        size = int(group.split()[1]) if group else units
        k = self.rng.randint(1, size)
        return {
            "none": "    %wins = arith.constant true\n",
            "winners": f"""
    %kth = neuro.reduce kth_largest %s over units{group} k {k}
    %wins = arith.cmpf oge, %s, %kth : f64
""",
            "rank": f"""
    %rank = neuro.reduce rank %s over units{group}
    %k = arith.constant {float(k)} : f64
    %wins = arith.cmpf olt, %rank, %k : f64
""",
            "inhibit": f"""
    %c1 = arith.constant 0.015625 : f64
    %part = arith.mulf %s, %c1 : f64
    %load = neuro.reduce sum %part over units{group}
    %wins = arith.cmpf ogt, %s, %load : f64
""",
            "first": f"""
    %one1 = arith.uitofp %over : i1 to f64
    %before = neuro.reduce sum %one1 over units{group} prefix
    %k = arith.constant {float(k)} : f64
    %wins = arith.cmpf ole, %before, %k : f64
""",
            "extremes": f"""
    %most = neuro.reduce max %s over units{group}
    %least = neuro.reduce min %s over units{group}
    %both = arith.addf %most, %least : f64
    %half = arith.constant 0.5 : f64
    %middle = arith.mulf %both, %half : f64
    %wins = arith.cmpf oge, %s, %middle : f64
"""}[kind]

    def model(self, name, units):
        """Integrate and fire; returns whether the threshold is per unit."""
        subtract = self.rng.random() < 0.5
        refractory = self.rng.choice([0, 0, 1, 3])
        two_stages = self.rng.random() < 0.3
        leak = self.rng.choice([0.0, 0.125])
        reset = "%kept" if subtract else "%zero"
        cut = """    neuro.emit @spike, %fires : i1
"""
        first = f"""
    %zero = arith.constant 0.0 : f64
    %v0 = neuro.get @v
    %a = neuro.get @a
    %b = neuro.get @b
    %leak = arith.constant {leak} : f64
    %s1 = arith.addf %v0, %a : f64
    %s2 = arith.addf %s1, %b : f64
    %s3 = arith.subf %s2, %leak : f64
    %s4 = arith.maximumf %s3, %zero : f64
    %r = neuro.get @r
    %busy = arith.cmpf ogt, %r, %zero : f64
    %s5 = arith.select %busy, %v0, %s4 : f64
    %top = arith.constant 64.0 : f64
    %s = arith.minimumf %s5, %top : f64
"""
        second = f"""
    %theta = neuro.get @theta
    %over = arith.cmpf oge, %s, %theta : f64
{self.competition(units)}
    %ready = arith.andi %over, %wins : i1
    %false = arith.constant false
    %fires = arith.select %busy, %false, %ready : i1
    %kept = arith.subf %s, %theta : f64
    %n = arith.select %fires, {reset}, %s : f64
    neuro.set @v, %n
    %one = arith.constant 1.0 : f64
    %r1 = arith.subf %r, %one : f64
    %r2 = arith.maximumf %r1, %zero : f64
    %hold = arith.constant {float(refractory)} : f64
    %rn = arith.select %fires, %hold, %r2 : f64
    neuro.set @r, %rn
""" + cut
        if two_stages:
            stages = f"""
  neuro.stage @sum {{{first}
    neuro.set @v, %s
  }}
  neuro.stage @fire {{
    %zero = arith.constant 0.0 : f64
    %s = neuro.get @v
    %r = neuro.get @r
    %busy = arith.cmpf ogt, %r, %zero : f64
{second}  }}"""
        else:
            stages = f"""
  neuro.stage @update {{{first}{second}  }}"""
        self.models.append(f"""
neuro.model @{name}_model {{
  neuro.param @theta = 1.0
  neuro.state @v init 0.0 range [-64.0, 128.0]
  neuro.state @r init 0.0 range [0.0, 8.0]
  neuro.input @a
  neuro.input @b
  neuro.output @spike : i1{stages}
}}""")

    # -- connections --------------------------------------------------------

    def weight(self, pre, post):
        """Declares a weight; returns its name and whether it is dense."""
        name = self.name("W")
        c = self.rng.choice([0.25, 0.5, 1.0, 2.0])
        kinds = ["dense", "all_to_all", "list", "probability", "indegree",
                 "outdegree"] + (["one_to_one"] if pre == post else [])
        kind = self.rng.choice(kinds)
        values = self.rng.choice([c, c, -c])
        extra = ""
        flag = lambda: self.rng.choice(["true", "false"])
        if kind == "dense":
            table = ", ".join(
                "[" + ", ".join(str(c * self.rng.choice([-1.0, 0.0, 1.0, 1.0]))
                                for _ in range(pre)) + "]" for _ in range(post))
            connect = "#neuro.dense"
            values = f"dense<[{table}]> : tensor<{post}x{pre}xf64>"
            if self.rng.random() < 0.3:
                bits = ", ".join(
                    "[" + ", ".join(flag() for _ in range(pre)) + "]"
                    for _ in range(post))
                extra = f" mask dense<[{bits}]> : tensor<{post}x{pre}xi1>"
        elif kind == "all_to_all":
            connect = f"#neuro.all_to_all<self = {flag()}>"
        elif kind == "one_to_one":
            connect = "#neuro.one_to_one"
        elif kind == "list":
            count = self.rng.randint(1, 20)
            pairs = [(self.rng.randrange(pre), self.rng.randrange(post))
                     for _ in range(count)]
            if self.rng.random() < 0.5:  # repeated pairs are legal
                pairs.append(pairs[0])
            table = ", ".join(f"[{a}, {b}]" for a, b in pairs)
            connect = (f"#neuro.list<dense<[{table}]> : "
                       f"tensor<{len(pairs)}x2xi64>>")
        elif kind == "probability":
            connect = (f"#neuro.fixed_probability<"
                       f"{self.rng.choice([0.1, 0.5, 1.0])}, self = {flag()}>")
        else:
            partners = pre if kind == "indegree" else post
            degree = self.rng.randint(1, 5)
            multapses = degree >= partners or self.rng.random() < 0.5
            attribute = "fixed_" + kind
            self_flag = "true" if partners == 1 else flag()
            connect = (f"#neuro.{attribute}<{degree}, self = {self_flag}, "
                       f"multapses = {'true' if multapses else 'false'}>")
        self.body.append(
            f"  neuro.weight @{name} pre [{pre}] post [{post}] connect "
            f"{connect} values {values}{extra}")
        return name

    def project(self, source, target_units, same_tick_allowed):
        value, units = source
        name = self.name("p")
        transposed = self.rng.random() < 0.2
        weight = (self.weight(target_units, units) if transposed
                  else self.weight(units, target_units))
        form = self.rng.random()
        if form < 0.25 and same_tick_allowed:
            delay = ""
        elif form < 0.45 and not transposed:
            delay = " delays(#neuro.dist<uniform(1.0, 6.0)>)"
        else:
            delay = f" delay {self.rng.randint(1, 7)}"
        turn = " transposed" if transposed else ""
        self.body.append(
            f"  %{name} = neuro.project %{value} through @{weight}{turn}{delay}"
            f" : tensor<{units}xi1> -> tensor<{target_units}xf32>")
        return name, weight, transposed, delay

    def plasticity(self, pre, post, post_units):
        """A plastic weight that drives nothing but itself, and is read out."""
        value, units = pre
        name = self.name("learn")
        weight = self.name("W")
        self.learns = True
        # The largest of a target's weights pays for the others.
        competition = self.rng.choice(["", """
  neuro.on tick {
    %w = neuro.get @w
    %most = neuro.reduce max %w over post
    %is = arith.cmpf oge, %w, %most : f64
    %c = arith.constant 0.03125 : f64
    %less = arith.subf %w, %c : f64
    %n = arith.select %is, %less, %w : f64
    neuro.set @w, %n
  }"""])
        self.models.append(f"""
neuro.rule @{name}_rule {{
  neuro.trace @x on pre range [0.0, 4.0] {{
    %x = neuro.get @x
    %d = arith.constant 0.25 : f64
    %zero = arith.constant 0.0 : f64
    %y = arith.subf %x, %d : f64
    %n = arith.maximumf %y, %zero : f64
    neuro.set @x, %n
  }} spike {{
    %one = arith.constant 1.0 : f64
    neuro.set @x, %one
  }}
  neuro.trace @y on post range [0.0, 4.0] {{
    %x = neuro.get @y
    %d = arith.constant 0.125 : f64
    %zero = arith.constant 0.0 : f64
    %y = arith.subf %x, %d : f64
    %n = arith.maximumf %y, %zero : f64
    neuro.set @y, %n
  }} spike {{
    %one = arith.constant 1.0 : f64
    neuro.set @y, %one
  }}
  neuro.on pre {{
    %w = neuro.get @w
    %y = neuro.get @y
    %k = arith.constant -0.125 : f64
    %d = arith.mulf %k, %y : f64
    %n = arith.addf %w, %d : f64
    neuro.set @w, %n
  }}
  neuro.on post {{
    %w = neuro.get @w
    %x = neuro.get @x
    %k = arith.constant 0.25 : f64
    %d = arith.mulf %k, %x : f64
    %n = arith.addf %w, %d : f64
    neuro.set @w, %n
  }}{competition}
}}""")
        connect = self.rng.choice(
            ["#neuro.dense", "#neuro.all_to_all<self = false>",
             "#neuro.fixed_probability<0.5, self = true>"])
        delay = self.rng.randint(1, 4)
        self.body.append(
            f"  neuro.weight @{weight} pre [{units}] post [{post_units}] "
            f"connect {connect} values 0.5 bounds [0.0, 1.0]")
        self.body.append(
            f"  %{name}_i = neuro.project %{value} through @{weight} delay "
            f"{delay} : tensor<{units}xi1> -> tensor<{post_units}xf32>")
        self.body.append(
            f"  neuro.plastic @{name} on @{weight} rule @{name}_rule pre "
            f"%{value} post %{post} delay {delay} : tensor<{units}xi1>, "
            f"tensor<{post_units}xi1>")
        self.weights.append(weight)
        return name + "_i"

    # -- the whole -----------------------------------------------------------

    def build(self):
        rng = self.rng
        self.weights = []
        self.spike_array()
        if rng.random() < 0.6:
            self.random_source()
        if rng.random() < 0.3:
            value, units = rng.choice(self.spikes)
            name = self.name("late")
            self.body.append(f"  %{name} = neuro.delay %{value} by "
                             f"{rng.randint(1, 5)} : tensor<{units}xi1>")
            self.spikes.append((name, units))
        count = rng.randint(1, 3)
        populations = [(self.name("pop"), rng.choice([1, 3, 8, 17, 40]))
                       for _ in range(count)]
        for number, (name, units) in enumerate(populations):
            self.model(name, units)
            inputs, ports = [], []
            for _ in range(rng.randint(1, 3)):
                ahead = self.spikes + populations[:number]
                backward = rng.random() < 0.3
                source = rng.choice(populations if backward else ahead)
                earlier = source in ahead
                inputs.append(self.project(source, units, earlier)[0])
                ports.append(rng.choice(["a", "b"]))
            if rng.random() < 0.4:
                inputs.append(self.plasticity(rng.choice(self.spikes), name,
                                              units))
                ports.append("a")
            theta = rng.choice([1.0, 2.0, 3.0])
            params = f"theta = {theta} : f64"
            if rng.random() < 0.4:
                table = ", ".join(str(rng.choice([1.0, 1.5, 2.0]))
                                  for _ in range(units))
                params = f"theta = dense<[{table}]> : tensor<{units}xf64>"
            every = " every 2" if rng.random() < 0.15 else ""
            names = ", ".join(f'"{p}"' for p in ports)
            values = ", ".join("%" + i for i in inputs)
            types = ", ".join([f"tensor<{units}xf32>"] * len(inputs))
            self.body.append(
                f"  %{name} = neuro.population @{name} of @{name}_model shape "
                f"[{units}] inputs({values}) ports [{names}] params {{{params}}}"
                f"{every} : ({types}) -> tensor<{units}xi1>")
            self.probes.append(name)
            self.body.append(
                f"  neuro.probe @probe_{name} %{name} : tensor<{units}xi1>")

    def text(self):
        steps = [f"  neuro.step {TICKS}"]
        for name in self.probes:
            steps.append(f'  neuro.readout "{name}" from @probe_{name} '
                         f'reduce count')
        for weight in self.weights:
            steps.append(f'  neuro.readout "{weight}" from @{weight}')
        batch = f" batch {self.batch}" if self.batch > 1 else ""
        return "\n".join(
            self.models + ["", f"neuro.network @net dt 1.0 seed 5{batch} {{"] +
            self.body + ["}", "neuro.experiment @main on @net {"] + steps +
            ["}", ""])


def run(neuroc, path, target, folder):
    """Runs and returns {file: array or text}, or raises with the output."""
    os.makedirs(folder, exist_ok=True)
    options = ["--target=cpu", "--precision=f64"] if target == "cpu-f64" else [
        f"--target={target}"]
    done = subprocess.run(
        [neuroc, "run", path, *options, f"--out={folder}", "--csv", "-q"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"exit {done.returncode}: {done.stdout[-2000:]}")
    result = {}
    for root, _, files in os.walk(folder):
        for file in files:
            full = os.path.join(root, file)
            if file.endswith(".npy"):
                result[file] = np.load(full)
            elif file == "spikes.csv":
                with open(full) as stream:
                    result[file] = sorted(stream.read().splitlines())
    return result


def differences(reference, other, tolerance):
    found = []
    for name, expected in reference.items():
        got = other.get(name)
        if got is None:
            found.append(f"{name} is missing")
        elif isinstance(expected, list):
            if expected != got:
                extra = [x for x in got if x not in set(expected)][:3]
                lost = [x for x in expected if x not in set(got)][:3]
                found.append(f"{name}: {len(expected)} lines expected, "
                             f"{len(got)} found; only there: {extra}; "
                             f"missing: {lost}")
        elif expected.shape != got.shape:
            found.append(f"{name}: shape {got.shape}, not {expected.shape}")
        elif np.abs(expected - got).max(initial=0) > tolerance:
            found.append(f"{name}: differs by "
                         f"{np.abs(expected - got).max():.3g}")
    return found


def campaign(make, bounds, stem):
    """Runs `make(seed)` on all targets for the seeds of the command line.

    make gives an object with text(), learns and batch; bounds are the largest
    difference of values per target. Returns (passed, failed, spikes).
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("neuroc")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--targets", default="cpu,cpu-f64,spinnaker,crossbar")
    parser.add_argument("--keep")
    options = parser.parse_args()
    passed = failed = spikes = 0
    for seed in range(options.first, options.first + options.count):
        network = make(seed)
        with tempfile.TemporaryDirectory() as scratch:
            folder = options.keep or scratch
            os.makedirs(folder, exist_ok=True)
            path = os.path.join(folder, f"{stem}{seed}.mlir")
            with open(path, "w") as stream:
                stream.write(network.text())
            try:
                reference = run(options.neuroc, path, "reference",
                                os.path.join(scratch, "reference"))
            except (RuntimeError, subprocess.TimeoutExpired) as problem:
                print(f"seed {seed}: reference: {problem}")
                failed += 1
                continue
            spikes += max(len(reference.get("spikes.csv", [])) - 1, 0)
            for target in options.targets.split(","):
                # Plastic weights leave the array's quantisation grid.
                if target == "crossbar" and network.learns:
                    continue
                if target in ("spinnaker", "crossbar") and network.batch > 1:
                    continue
                try:
                    result = run(options.neuroc, path, target,
                                 os.path.join(scratch, target))
                    found = differences(reference, result, bounds[target])
                except (RuntimeError, subprocess.TimeoutExpired) as problem:
                    found = [str(problem)]
                if found:
                    failed += 1
                    print(f"seed {seed}: {target}: " + "; ".join(found))
                else:
                    passed += 1
    return passed, failed, spikes


def main():
    bounds = dict.fromkeys(["cpu", "cpu-f64", "spinnaker", "crossbar"], 1e-6)
    passed, failed, spikes = campaign(Network, bounds, "network")
    print(f"{spikes} spikes of the reference")
    if spikes == 0:
        print("the networks are silent: the test tests nothing")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
