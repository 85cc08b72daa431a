# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Draws the spikes of a run as an SVG raster:
#   neuroc run test1.neuro --target=spinnaker --csv --out run
#   python3 plot.py run raster.svg
import csv
import sys
from pathlib import Path

ROWS = [("cue_cue", "CueCue", 5), ("cont_cue", "ContCue", 10),
        ("cond", "Cond", 10), ("cont_cont", "ContCont", 10),
        ("cue_cont", "CueCont", 5), ("out, cues", "OutCue", 5),
        ("out, content", "OutCont", 10)]
MARKS = [(0, "learn 0"), (10, "learn 4"), (20, "learn 3"), (30, "cue 0"),
         (40, "bit 6"), (50, "bits 0, 4"), (60, "relearn 3"), (70, "cue 3"),
         (80, "bit 6")]
LEFT, TOP, STEP, SCALE = 90, 30, 5, 7.2
COLOURS = ["#1b6ca8", "#c05020"]


def draw(run, ticks=90):
    with open(Path(run) / "spikes.csv", encoding="ascii") as file:
        spikes = [(p, float(t), int(u)) for p, t, u in list(csv.reader(file))[1:]]
    parts, y = [], TOP
    for number, (label, probe, units) in enumerate(ROWS):
        colour = COLOURS[number % 2]
        parts.append(f'<text x="{LEFT - 8}" y="{y + units * STEP / 2 + 4}" '
                     f'text-anchor="end">{label}</text>')
        path = "".join(
            f"M{LEFT + t * SCALE + 1:.1f} {y + u * STEP + 0.5:.1f}v{STEP - 1}"
            for p, t, u in spikes if p == probe)
        parts.append(f'<path d="{path}" stroke="{colour}" stroke-width="2.4"/>')
        y += units * STEP + 10
    for t, label in MARKS:
        x = LEFT + t * SCALE
        parts.append(f'<path d="M{x:.1f} {TOP - 8}V{y}" stroke="#bbb"/>'
                     f'<text x="{x + 2:.1f}" y="{TOP - 12}" font-size="10">'
                     f"{label}</text>")
    width = LEFT + ticks * SCALE + 10
    for t in range(0, ticks + 1, 10):
        parts.append(f'<text x="{LEFT + t * SCALE:.1f}" y="{y + 14}" '
                     f'text-anchor="middle">{t}</text>')
    parts.append(f'<text x="{width - 10:.0f}" y="{y + 28}" '
                 'text-anchor="end">time (ms)</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" '
            f'height="{y + 36}" font-family="sans-serif" font-size="11" '
            f'fill="none"><rect width="100%" height="100%" fill="#fff"/>'
            + "".join(parts).replace("<text", '<text fill="#222"')
            + "</svg>\n")


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(draw(sys.argv[1]), encoding="ascii")
