# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws the beliefs of a run of rates.neuro or binary3.neuro as SVG:
   neuroc run rates.neuro --out run && python3 plot.py run rates.svg
Each panel shows a mean with two standard deviations, where there is one."""
import os
import sys

import numpy as np

WIDTH, PANEL, LEFT = 640, 110, 60
HERE = os.path.dirname(os.path.abspath(__file__))


def record(folder, name, unit):
    path = os.path.join(folder, name + ".npy")
    if not os.path.exists(path):
        return None
    values = np.load(path)
    return values.reshape(len(values), -1)[:, unit]


def panel(number, label, mean, precision, dots):
    around = [mean] if dots is None else [mean, dots]
    if precision is not None:
        # The first ticks are wide; the picture need not be.
        wide = 2 / np.sqrt(precision)
        around += [(mean + wide)[20:], (mean - wide)[20:]]
    low = min(a.min() for a in around)
    high = max(a.max() for a in around)
    top = 10 + number * (PANEL + 20)

    def x(k):
        return LEFT + (WIDTH - LEFT - 10) * k / (len(mean) - 1)

    def y(v):
        return top + PANEL * (1 - (np.clip(v, low, high) - low) / (high - low))

    def line(values, order):
        return "".join(f"{'L' if i else 'M'}{x(k):.1f} {y(values[k]):.1f}"
                       for i, k in enumerate(order))

    ticks = range(len(mean))
    out = [f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - 10}" '
           f'height="{PANEL}" fill="none" stroke="#bbb"/>',
           f'<text x="{LEFT - 6}" y="{top + 10}">{high:.3g}</text>',
           f'<text x="{LEFT - 6}" y="{top + PANEL}">{low:.3g}</text>',
           f'<text x="{LEFT - 6}" y="{top + PANEL / 2 + 4}" '
           f'font-weight="bold">{label}</text>']
    if precision is not None:
        band = line(mean + wide, ticks) + "L" + line(
            mean - wide, list(reversed(ticks)))[1:] + "z"
        out.append(f'<path d="{band}" fill="#12436d" opacity="0.2"/>')
    if dots is not None:
        out += [f'<circle cx="{x(k):.1f}" cy="{y(v):.1f}" r="1.3" '
                'fill="#c2571a"/>' for k, v in enumerate(dots)]
    out.append(f'<path d="{line(mean, ticks)}" fill="none" '
               'stroke="#12436d" stroke-width="1.4"/>')
    return out


def main(folder, target):
    rates = os.path.exists(os.path.join(folder, "x1.mean.npy"))
    data = np.load(os.path.join(HERE, "data", "usdchf.npy" if rates
                                else "binary.npy")).ravel()
    unit = 1 if rates else 0
    rows = ([("x3", "x3.mean", None), ("x2", "x2.mean", None),
             ("x1", "x1.mean", data)] if rates else
            [("x3", "x3.mean", None), ("x2", "x2.mean", None),
             ("u", "leaf.prediction", data)])
    parts = []
    for k, (label, name, dots) in enumerate(rows):
        parts += panel(k, label, record(folder, name, unit),
                       record(folder, name.replace("mean", "precision"), unit)
                       if name.endswith("mean") else None, dots)
    height = len(rows) * (PANEL + 20) + 5
    with open(target, "w", encoding="ascii") as f:
        f.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
                f'height="{height}" font-family="sans-serif" font-size="11" '
                'text-anchor="end"><rect width="100%" height="100%" '
                'fill="white"/>' + "\n".join(parts) + "</svg>\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
