#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random networks of real-valued units: targets against the reference.

Feed-forward and recurrent layers with dense, masked, convolution and pooling
weights, every combine, transposed and shared weights, delays, two-stage units
in same-tick loops, third factors and on-tick learning; the experiment uses
clamps, assignments, snapshots and switched plasticity. Some networks are batches
(on the CPU), whose units also share or compete and whose learning is normalised
by reductions. Values are kept within
[-2, 2] by the units, so that a bound in absolute terms makes sense: 1e-9 for
cpu-f64, 1e-4 for cpu, 5e-3 for spinnaker; crossbar quantises weights and inputs
to 8 bits and is held to 0.25 on networks without learning.

usage: graded_networks.py NEUROC [--count N] [--first SEED] [--targets A,B]
       [--keep DIR]
"""
import random
import sys

import random_networks

BOUNDS = {"cpu-f64": 1e-9, "cpu": 1e-4, "spinnaker": 5e-3, "crossbar": 0.25}


class Network:
    def __init__(self, seed):
        self.rng = random.Random(1000 + seed)
        self.models, self.body, self.steps = [], [], []
        self.names = 0
        self.learns = False
        self.batch = self.rng.choice([1, 1, 1, 3, 8])
        self.signals = []  # (value, shape, from a stimulus?)
        self.outputs = []
        self.build()

    def name(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    def tensor(self, shape, element="f32"):
        return f"tensor<{'x'.join(map(str, shape))}x{element}>"

    def numbers(self, count, scale=1.0):
        return [round(self.rng.uniform(-scale, scale), 3) for _ in range(count)]

    def stimulus(self, shape):
        name = self.name("x")
        units = random_networks.np.prod(shape)
        table = ", ".join(str(v) for v in self.numbers(units))
        self.body.append(
            f"  %{name} = neuro.stimulus @{name} init(dense<[{table}]> : "
            f"tensor<{units}xf32>) range [-1.0, 1.0] : {self.tensor(shape)}")
        self.steps.append(f"  neuro.step 2")
        self.steps.append(f"  neuro.present @{name} values 0.5")
        self.signals.append((name, shape))

    def unit_model(self, name, kind):
        body = {
            "linear": "    %y = arith.mulf %s, %half : f64\n",
            "relu": "    %y = arith.maximumf %s, %zero : f64\n",
            "tanh": "    %y = math.tanh %s : f64\n",
            "sigmoid": "    %n = arith.negf %s : f64\n"
                       "    %e = math.exp %n : f64\n"
                       "    %d = arith.addf %one, %e : f64\n"
                       "    %y = arith.divf %one, %d : f64\n",
            "share": "    %e = math.exp %s : f64\n"
                     "    %t = neuro.reduce sum %e over units\n"
                     "    %y = arith.divf %e, %t : f64\n",
            "compete": "    %t = neuro.reduce max %s over units\n"
                       "    %l = neuro.reduce logsumexp %s over units\n"
                       "    %p = neuro.reduce sum %s over units prefix\n"
                       "    %d = arith.subf %t, %l : f64\n"
                       "    %c = arith.addf %d, %p : f64\n"
                       "    %y = math.tanh %c : f64\n",
        }[kind]
        combine = self.rng.choice(["", "", " combine max", " combine product"])
        self.models.append(f"""
neuro.model @{name}_model {{
  neuro.param @bias = 0.125
  neuro.input @a
  neuro.input @b{combine} default 0.25
  neuro.output @y : f64 range [-2.0, 2.0]
  neuro.stage @update {{
    %zero = arith.constant 0.0 : f64
    %one = arith.constant 1.0 : f64
    %half = arith.constant 0.5 : f64
    %two = arith.constant 2.0 : f64
    %mtwo = arith.constant -2.0 : f64
    %a = neuro.get @a
    %b = neuro.get @b
    %bias = neuro.get @bias
    %s1 = arith.addf %a, %b : f64
    %s2 = arith.addf %s1, %bias : f64
    %s3 = arith.minimumf %s2, %two : f64
    %s = arith.maximumf %s3, %mtwo : f64
{body}    neuro.emit @y, %y : f64
  }}
}}""")

    def leaky_model(self, name):
        """Two stages: emits its state first, then moves it to its input."""
        self.models.append(f"""
neuro.model @{name}_model {{
  neuro.param @bias = 0.0
  neuro.state @z init 0.25 range [-2.0, 2.0]
  neuro.input @a
  neuro.input @b
  neuro.output @y : f64 range [-2.0, 2.0]
  neuro.stage @predict {{
    %z = neuro.get @z
    neuro.emit @y, %z : f64
  }}
  neuro.stage @update {{
    %a = neuro.get @a
    %b = neuro.get @b
    %bias = neuro.get @bias
    neuro.diff @z {{
      %z = neuro.get @z
      %tau = arith.constant 4.0 : f64
      %n = arith.subf %a, %z : f64
      %d = arith.divf %n, %tau : f64
      neuro.yield %d
    }}
    %z = neuro.get @z
    %k = arith.constant 0.125 : f64
    %kb = arith.mulf %k, %b : f64
    %s1 = arith.addf %z, %kb : f64
    %s2 = arith.addf %s1, %bias : f64
    %two = arith.constant 2.0 : f64
    %mtwo = arith.constant -2.0 : f64
    %s3 = arith.minimumf %s2, %two : f64
    %s4 = arith.maximumf %s3, %mtwo : f64
    neuro.set @z, %s4
  }}
}}""")

    def dense(self, pre, post):
        name = self.name("W")
        scale = 1.5 / max(pre, 1) ** 0.5
        table = ", ".join(
            "[" + ", ".join(str(v) for v in self.numbers(pre, scale)) + "]"
            for _ in range(post))
        extra = ""
        if self.rng.random() < 0.3:
            bits = ", ".join(
                "[" + ", ".join(self.rng.choice(["true", "true", "false"])
                                for _ in range(pre)) + "]" for _ in range(post))
            extra = f" mask dense<[{bits}]> : tensor<{post}x{pre}xi1>"
        self.body.append(
            f"  neuro.weight @{name} pre [{pre}] post [{post}] connect "
            f"#neuro.dense values dense<[{table}]> : tensor<{post}x{pre}xf64>"
            f"{extra}")
        return name

    def window(self, shape):
        """A convolution or a pooling of a [C, H, W] signal."""
        channels, height, width = shape
        pooling = self.rng.random() < 0.5
        kernel = self.rng.choice([2, 3])
        stride = self.rng.choice([1, 2])
        pad = self.rng.choice([0, 1]) if kernel == 3 else 0
        groups = channels if pooling else 1
        maps = channels if pooling else self.rng.randint(1, 4)
        out = [(side + 2 * pad - kernel) // stride + 1 for side in (height, width)]
        name = self.name("C")
        count = maps * (channels // groups) * kernel * kernel
        if pooling:
            values = "1.0"
        else:
            table = ", ".join(str(v) for v in self.numbers(count, 0.5))
            values = f"dense<[{table}]> : tensor<{count}xf64>"
        result = [maps] + out
        self.body.append(
            f"  neuro.weight @{name} pre {list(shape)} post {result} connect "
            f"#neuro.conv<kernel = [{kernel}, {kernel}], strides = [{stride}, "
            f"{stride}], pads = [{pad}, {pad}, {pad}, {pad}], dilations = "
            f"[1, 1], groups = {groups}> values {values}")
        return name, result, "max" if pooling else ""

    def project(self, source, weight, result, combine="", turn="", delay=""):
        name = self.name("p")
        value, shape = source
        combine = f" combine {combine}" if combine else ""
        self.body.append(
            f"  %{name} = neuro.project %{value} through @{weight}{turn}{delay}"
            f"{combine} : {self.tensor(shape)} -> {self.tensor(result)}")
        return name

    def population(self, name, shape, inputs, ports):
        units = int(random_networks.np.prod(shape))
        params = ""
        if self.rng.random() < 0.5:
            table = ", ".join(str(v) for v in self.numbers(units, 0.5))
            params = f" params {{bias = dense<[{table}]> : tensor<{units}xf64>}}"
        names = ", ".join(f'"{p}"' for p in ports)
        values = ", ".join("%" + i for i in inputs)
        types = ", ".join([self.tensor(shape)] * len(inputs))
        self.body.append(
            f"  %{name} = neuro.population @{name} of @{name}_model shape "
            f"{list(shape)} inputs({values}) ports [{names}]{params} : "
            f"({types}) -> {self.tensor(shape)}")
        self.body.append(
            f"  neuro.probe @probe_{name} %{name} : {self.tensor(shape)}")
        self.signals.append((name, shape))
        self.outputs.append(name)

    def layer(self):
        rng = self.rng
        source = rng.choice(self.signals)
        name = self.name("u")
        units = int(random_networks.np.prod(source[1]))
        if (len(source[1]) == 3 and min(source[1][1:]) >= 3 and
                rng.random() < 0.7):
            weight, shape, combine = self.window(source[1])
        else:
            shape = [rng.choice([1, 4, 10, 33])]
            weight = self.dense(units, shape[0])
            combine = rng.choice(["", "", "", "max", "min"])
        inputs = [self.project(source, weight, shape, combine)]
        ports = ["a"]
        if rng.random() < 0.3:  # a second, delayed look through the same weight
            inputs.append(self.project(source, weight, shape,
                                       delay=f" delay {rng.randint(1, 3)}"))
            ports.append("b")
        kinds = ["linear", "relu", "tanh", "sigmoid"]
        if self.batch > 1:
            kinds += ["share", "compete"]
        self.unit_model(name, rng.choice(kinds))
        self.population(name, shape, inputs, ports)

    def loop(self):
        """Values and errors in a same-tick loop through a transposed weight."""
        rng = self.rng
        below = rng.choice([s for s in self.signals])
        n = int(random_networks.np.prod(below[1]))
        m = rng.choice([2, 5])
        flat = below
        weight = self.dense(m, n)
        value, error = self.name("v"), self.name("e")
        self.leaky_model(value)
        self.unit_model(error, "linear")
        shape = list(below[1])
        prediction = self.project((value, [m]), weight, shape)
        feedback = self.project((error, shape), weight, [m], turn=" transposed")
        self.population(error, shape, [prediction, flat[0]], ["a", "b"])
        self.population(value, [m], [feedback], ["a"])
        self.steps.append(f'  neuro.clamp @{value}["z"] to 0.5')
        self.steps.append("  neuro.step 1")
        self.steps.append(f'  neuro.release @{value}["z"]')
        if rng.random() < 0.6:
            self.learn(weight, (value, [m]), (error, shape))

    def learn(self, weight, pre, post):
        name = self.name("rule")
        self.learns = True
        self.weights.append(weight)
        self.body.append(f"  %{name}_gain = neuro.stimulus @{name}_gain "
                         f"init(0.5) range [0.0, 1.0] : tensor<1xf32>")
        share = ""
        if self.batch > 1 and self.rng.random() < 0.7:
            over = self.rng.choice(["post", "pre", "all"])
            share = f"""
    %xx = arith.mulf %x, %x : f64
    %sum = neuro.reduce sum %xx over {over}
    %one = arith.constant 1.0 : f64
    %norm = arith.addf %one, %sum : f64
    %dn = arith.divf %d, %norm : f64"""
        change = "%dn" if share else "%d"
        self.models.append(f"""
neuro.rule @{name} {{
  neuro.factor @gain on scalar range [0.0, 1.0]
  neuro.on tick {{
    %w = neuro.get @w
    %x = neuro.get @pre
    %y = neuro.get @post
    %g = neuro.get @gain
    %k = arith.constant 0.0625 : f64
    %xy = arith.mulf %x, %y : f64
    %kg = arith.mulf %k, %g : f64
    %d = arith.mulf %kg, %xy : f64{share}
    %n = arith.addf %w, {change} : f64
    neuro.set @w, %n
  }}
  neuro.on call {{
    %w = neuro.get @w
    %half = arith.constant 0.5 : f64
    %n = arith.mulf %w, %half : f64
    neuro.set @w, %n
  }}
}}""")
        self.body.append(
            f"  neuro.plastic @{name}_p on @{weight} rule @{name} pre %{pre[0]} "
            f"post %{post[0]} factors(%{name}_gain) as [\"gain\"] "
            f"{'batch_sum ' if self.rng.random() < 0.3 else ''}: "
            f"{self.tensor(pre[1])}, {self.tensor(post[1])}, tensor<1xf32>")
        self.steps += [f"  neuro.disable @{name}_p", "  neuro.step 1",
                       f"  neuro.enable @{name}_p", "  neuro.step 2",
                       f"  neuro.call @{name}_p"]

    def build(self):
        rng = self.rng
        self.weights = []
        self.stimulus([rng.randint(1, 4), rng.randint(4, 7), rng.randint(4, 7)]
                      if rng.random() < 0.5 else [rng.choice([3, 16, 40])])
        for _ in range(rng.randint(1, 4)):
            if rng.random() < 0.3:
                self.loop()
            else:
                self.layer()
        self.steps.append("  neuro.step 5")
        for name in self.outputs:
            self.steps.append(
                f'  neuro.readout "{name}" from @probe_{name} reduce last')
        for weight in self.weights:
            self.steps.append(f'  neuro.readout "{weight}" from @{weight}')

    def text(self):
        batch = f" batch {self.batch}" if self.batch > 1 else ""
        return "\n".join(
            self.models + ["", f"neuro.network @net dt 1.0 seed 5{batch} {{"] +
            self.body + ["}", "neuro.experiment @main on @net {"] + self.steps +
            ["}", ""])


def main():
    passed, failed, _ = random_networks.campaign(Network, BOUNDS, "graded")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
