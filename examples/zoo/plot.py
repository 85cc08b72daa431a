# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Draws tables of a run directory as an SVG file, without a plotting library:
#   neuroc run x.neuro --out run
#   python3 plot.py run out.svg --x betas --y fixed learned [--labels A B]
#                   [--xlabel TEXT] [--ylabel TEXT] [--bars]
# Each table is flattened. A table of `--y` may name its own x: "y:x". With
# `--bars` each table is one bar, its last value.
import argparse
from pathlib import Path

import numpy as np

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 360, 70, 20, 50
HEAD = 20  # room above the plot
COLOURS = ["#12436d", "#c2571a", "#3f9b6b", "#7a4fa3", "#8a8a8a", "#b5123f"]


def ticks(low, high):
    """About five round numbers between low and high."""
    step = 10 ** np.floor(np.log10((high - low) / 5))
    for factor in (1, 2, 5, 10):
        if (high - low) / (step * factor) <= 6:
            step *= factor
            break
    first = np.ceil(low / step - 1e-9)
    return [k * step + 0.0 for k in np.arange(first, high / step + 1e-9)]


def text(x, y, content, anchor="middle", extra=""):
    content = content.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{content}</text>'


class Frame:
    def __init__(self, xs, ys, from_zero):
        self.x0, self.x1 = min(xs), max(xs)
        self.y0, self.y1 = (0 if from_zero else min(ys)), max(ys)
        margin = 0.05 * ((self.y1 - self.y0) or 1)
        self.y1 += margin
        self.y0 -= 0 if from_zero else margin
        self.x1 += 1 if self.x1 == self.x0 else 0

    def x(self, value):
        return LEFT + (value - self.x0) / (self.x1 - self.x0) * (WIDTH - LEFT - 20)

    def y(self, value):
        bottom = HEIGHT - BOTTOM
        return bottom - (value - self.y0) / (self.y1 - self.y0) * (bottom - TOP)

    def grid(self, with_x):
        parts = []
        for v in ticks(self.y0, self.y1):
            parts.append(f'<path d="M{LEFT} {self.y(v):.1f}H{WIDTH - 20}" stroke="#ddd"/>')
            parts.append(text(LEFT - 8, self.y(v) + 4, f"{v + 0.0:.4g}", "end"))
        for v in ticks(self.x0, self.x1) if with_x else []:
            parts.append(text(self.x(v), HEIGHT - BOTTOM + 18, f"{v + 0.0:.4g}"))
        return parts


def lines(tables, arguments):
    curves = []
    for spec in arguments.y:
        name, _, own = spec.partition(":")
        y = tables[name].ravel()
        key = own or arguments.x
        x = tables[key].ravel() if key else np.arange(len(y))
        curves.append((x[:len(y)], y[:len(x)]))
    frame = Frame(np.concatenate([c[0] for c in curves]),
                  np.concatenate([c[1] for c in curves]), arguments.zero)
    parts = frame.grid(True)
    for k, (x, y) in enumerate(curves):
        order = np.argsort(x, kind="stable")
        points = [(frame.x(x[i]), frame.y(y[i])) for i in order]
        colour = COLOURS[k % len(COLOURS)]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if len(points) <= 40:
            parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in points]
    return parts


def bars(tables, arguments):
    values = [float(tables[name].ravel()[-1]) for name in arguments.y]
    frame = Frame([0, len(values)], values, True)
    parts = frame.grid(False)
    width = (frame.x(1) - frame.x(0)) * 0.6
    labels = arguments.labels or arguments.y
    for k, v in enumerate(values):
        x = frame.x(k + 0.5)
        parts.append(f'<rect x="{x - width / 2:.1f}" y="{frame.y(v):.1f}" width="{width:.1f}" '
                     f'height="{frame.y(0) - frame.y(v):.1f}" fill="{COLOURS[k % len(COLOURS)]}"/>')
        parts.append(text(x, frame.y(v) - 5, f"{v:.3g}"))
        parts.append(text(x, HEIGHT - BOTTOM + 18, labels[k]))
    return parts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("run")
    parser.add_argument("out")
    parser.add_argument("--x")
    parser.add_argument("--y", nargs="+", required=True)
    parser.add_argument("--labels", nargs="+")
    parser.add_argument("--xlabel", default="")
    parser.add_argument("--ylabel", default="")
    parser.add_argument("--bars", action="store_true")
    parser.add_argument("--zero", action="store_true", help="the y axis begins at 0")
    arguments = parser.parse_args()
    tables = np.load(Path(arguments.run) / "tables.npz")
    parts = (bars if arguments.bars else lines)(tables, arguments)
    if not arguments.bars:  # the names of the lines, in a row above the plot
        at = LEFT
        for k, label in enumerate(arguments.labels or [y.partition(":")[0] for y in arguments.y]):
            parts.append(text(at, -4, label, "start",
                              f' fill="{COLOURS[k % len(COLOURS)]}" font-weight="bold"'))
            at += 8 * len(label) + 20
    parts.append(text((LEFT + WIDTH) / 2, HEIGHT - 10, arguments.xlabel))
    parts.append(text(16, HEIGHT / 2, arguments.ylabel, "middle",
                      f' transform="rotate(-90 16 {HEIGHT / 2:.0f})"'))
    svg = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT + HEAD}" '
           f'viewBox="0 {-HEAD} {WIDTH} {HEIGHT + HEAD}" '
           'font-family="sans-serif" font-size="12" fill="#222">'
           '<rect y="-20" width="100%" height="100%" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n")
    Path(arguments.out).write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
