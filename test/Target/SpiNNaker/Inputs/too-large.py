#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints a network that is short to describe and too large for a machine."""
import sys


def code():
    """A stage of more operations than the instruction memory holds."""
    print("model wide {\n  state a = 0.5 range [-1, 1]\n"
          "  output y : 1 range [-1, 1]")
    for i in range(400):
        print(f"  a = sin(a*{i + 1}/(2 + a*a)) + cos(a)/({i + 3} + a)")
    print("  emit y = a\n}\nnetwork n {\n  dt = 1 ms\n"
          "  population u : wide[4] { }\n  record u.y\n}")


def plastics():
    """33 learning rules; the machine switches 32 with one word."""
    print("model unit {\n  input x : 1 range [-1000, 1000]\n  output spike\n"
          "  spike when x >= 1\n}\nrule r {\n  weight w : 1\n"
          "  bounds [0, 1]\n  on post { w += 0.1 }\n}\nnetwork n {\n"
          "  dt = 1 ms\n  population s : poisson[2] { rate = 20 Hz }\n"
          "  population u : unit[2] { }")
    for i in range(33):
        print(f"  connect s -> u.x all_to_all weight 0.5 delay 1 ms as W{i}\n"
              f"  plasticity p{i} on W{i} : r")
    print("}")


HOLD = """neuro.model @m {
  neuro.state @a init 0.0
  neuro.output @y : f64
  neuro.stage @s {
    %a = neuro.get @a
    neuro.emit @y, %a : f64
  }
}"""


def recordings():
    """16 cores of one chip with 15 buffers of 512 KB each."""
    print(HOLD + "\nneuro.network @n dt 1.0 {\n"
          "  %y = neuro.population @u of @m shape [128] : () -> tensor<128xf32>")
    for i in range(15):
        print(f'  neuro.watch @w{i} @u["a"] every 1')
    print("}")


def rows():
    """Recordings that leave 0.8 MB, and synapses that need a little more."""
    print(HOLD + """
neuro.model @spiking {
  neuro.input @x range [-1.0, 1.0]
  neuro.output @spike : i1
  neuro.stage @s {
    %x = neuro.get @x
    %half = arith.constant 0.5 : f64
    %fires = arith.cmpf oge, %x, %half : f64
    neuro.emit @spike, %fires : i1
  }
}
neuro.network @n dt 100.0 {""")
    for p in range(13):
        print(f"  %y{p} = neuro.population @u{p} of @m shape [8] : () -> "
              "tensor<8xf32>")
        for i in range(18):
            print(f'  neuro.watch @w{p}_{i} @u{p}["a"] every 1')
    print("""  %s = neuro.spike_array @s events(dense<[[0, 0]]> : tensor<1x2xi64>) : tensor<800xi1>
  neuro.weight @W pre [800] post [256] connect #neuro.dense values 0.001
  %p = neuro.project %s through @W delay 1 : tensor<800xi1> -> tensor<256xf32>
  %z = neuro.population @z of @spiking shape [256] inputs(%p) ports ["x"] : (tensor<256xf32>) -> tensor<256xi1>
}""")


def kernel(count):
    """A convolution whose shared kernel has 256 * count values."""
    print(f"""neuro.model @m {{
  neuro.input @x range [-100.0, 100.0]
  neuro.output @y : f64
  neuro.stage @s {{
    %a = neuro.get @x
    neuro.emit @y, %a : f64
  }}
}}
neuro.network @n dt 1.0 {{
  %s = neuro.stimulus @s range [-1.0, 1.0] : tensor<16x4x4xf32>
  neuro.weight @W pre [16, 4, 4] post [{count}, 1, 1] connect #neuro.conv<kernel = [4, 4], strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], groups = 1> values 0.01
  %p = neuro.project %s through @W : tensor<16x4x4xf32> -> tensor<{count}x1x1xf32>
  %y = neuro.population @u of @m shape [{count}, 1, 1] inputs(%p) ports ["x"] : (tensor<{count}x1x1xf32>) -> tensor<{count}x1x1xf32>
}}""")


globals()[sys.argv[1]](*map(int, sys.argv[2:]))
