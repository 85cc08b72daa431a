# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""usage: difference.py A.npy B.npy BOUND: fails if the arrays differ by more
than BOUND anywhere, in shape, or are both constant."""
import array
import ast
import sys


def load(path):
    with open(path, "rb") as file:
        file.read(8)
        header = ast.literal_eval(file.read(int.from_bytes(file.read(2), "little")).decode())
        code = {"<f8": "d", "<f4": "f"}[header["descr"]]
        return header["shape"], array.array(code, file.read())


shape_a, a = load(sys.argv[1])
shape_b, b = load(sys.argv[2])
if shape_a != shape_b:
    sys.exit(f"shapes differ: {shape_a} and {shape_b}")
if max(a) - min(a) < 1e-3:
    sys.exit("the arrays say nothing: they are constant")
worst = max(abs(x - y) for x, y in zip(a, b))
if worst > float(sys.argv[3]):
    sys.exit(f"largest difference {worst}")
