# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Draws the joint angles of a run as an SVG:
#   neuroc run swimmer.neuro --target=spinnaker --out run
#   python3 plot.py run angles.svg
import sys
from pathlib import Path

import numpy as np

LEFT, TOP, WIDTH, HEIGHT, TICKS = 60, 16, 640, 70, 240
COLOURS = ["#12436d", "#28709f", "#3f9bb5", "#6abf9b", "#a2cf62"]


def draw(run):
    angles = np.load(Path(run) / "body.angle.npy")[:TICKS]
    parts = []
    for joint in range(angles.shape[1]):
        middle = TOP + (joint + 0.5) * HEIGHT
        points = " ".join(
            f"{LEFT + t * WIDTH / TICKS:.1f},{middle - 30 * q:.1f}"
            for t, q in enumerate(angles[:, joint]))
        parts.append(f'<path d="M{LEFT} {middle}h{WIDTH}" stroke="#ccc"/>'
                     f'<polyline points="{points}" stroke-width="1.6" '
                     f'stroke="{COLOURS[joint % 5]}"/>'
                     f'<text x="{LEFT - 8}" y="{middle + 4}" fill="#222" '
                     f'text-anchor="end">joint {joint}</text>')
    bottom = TOP + angles.shape[1] * HEIGHT
    for t in range(0, TICKS + 1, 60):
        x = LEFT + t * WIDTH / TICKS
        parts.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#e4e4e4"/>'
                     f'<text x="{x:.1f}" y="{bottom + 14}" fill="#222" '
                     f'text-anchor="middle">{t}</text>')
    parts.append(f'<text x="{LEFT + WIDTH}" y="{bottom + 28}" fill="#222" '
                 'text-anchor="end">tick</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 20}"'
            f' height="{bottom + 34}" font-family="sans-serif" font-size="11" '
            'fill="none"><rect width="100%" height="100%" fill="#fff"/>'
            + "".join(parts) + "</svg>\n")


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(draw(sys.argv[1]), encoding="ascii")
