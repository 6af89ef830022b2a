#!/usr/bin/env python3
"""Draws how far every block has moved from its initial state, one panel per record, as a plain SVG.

usage: scripts/readme_figure.py -o FIGURE.svg RUN.h5 [RUN.h5...]

Each curve is a block: distance to the initial state by the record's first metric, divided by the number of the block's weights, so
that with minkowski:1 it is the mean absolute change of a weight. Panels share their vertical axis. Needs h5py.
"""
import argparse
import math
import re

import h5py

WIDTH, HEIGHT, LEFT, TOP, BOTTOM, GAP = 390, 250, 62, 34, 44, 26
FIRST, LAST = (68, 1, 84), (253, 180, 47)  # colours of the first and the last block


def read(path):
    """(title, metric, block names, [step][block] distances per weight) of a record."""
    with h5py.File(path, "r") as f:
        metric = sorted(f["steps/distance_to_initial"])[0]
        names = [n.decode() if isinstance(n, bytes) else str(n) for n in f["blocks/name"][:]]
        weights = f["blocks/weights"][:]
        distances = f["steps/distance_to_initial"][metric][:] / weights
        text = f["config"][()]
        config = dict(re.findall(r"^([\w-]+): *(.*)$", text.decode() if isinstance(text, bytes) else str(text), re.M))
    kind = "plain" if config["plain"] == "true" else "residual"
    return f"ResNet-{config['depth']}, {kind}", metric, names, distances


def ticks(top, count=5):
    """Round numbers from 0 to at most top."""
    step = 10.0 ** math.floor(math.log10(top / count))
    step *= next(m for m in (1, 2, 5, 10) if top / (m * step) <= count)
    return [i * step for i in range(int(top / step) + 1)]


def colour(part):
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(FIRST, LAST))


def text(x, y, words, anchor="middle", size=11, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" {extra}>{words}</text>'


def panel(at, title, names, distances, top, with_axis):
    """SVG elements of one panel whose plotting area begins at x = at."""
    steps = len(distances)
    x = lambda step: at + (step + 1) / steps * WIDTH
    y = lambda value: TOP + HEIGHT * (1 - value / top)
    out = [text(at + WIDTH / 2, TOP - 12, title, size=13)]
    for value in ticks(top):
        out.append(f'<line x1="{at}" x2="{at + WIDTH}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>')
        if with_axis:
            out.append(text(at - 6, y(value) + 4, f"{value:g}", "end"))
    for value in ticks(steps):
        out.append(text(at + value / steps * WIDTH, TOP + HEIGHT + 16, f"{value:g}"))
    out.append(text(at + WIDTH / 2, TOP + HEIGHT + 34, "step"))
    for block, name in enumerate(names):
        points = " ".join(f"{x(s):.1f},{y(d):.1f}" for s, d in enumerate(distances[:, block]))
        start = f"{at},{y(0):.1f} "
        shade = colour(block / max(len(names) - 1, 1))
        out.append(f'<polyline fill="none" stroke="{shade}" stroke-width="1.6" points="{start}{points}"><title>{name}</title></polyline>')
    return out


def legend(at, names):
    out = []
    for block, name in enumerate(names):
        y = TOP + 8 + block * HEIGHT / max(len(names), 12)
        shade = colour(block / max(len(names) - 1, 1))
        out.append(f'<line x1="{at}" x2="{at + 18}" y1="{y:.1f}" y2="{y:.1f}" stroke="{shade}" stroke-width="3"/>')
        out.append(text(at + 24, y + 4, name, "start"))
    return out


def draw(records):
    top = 1.05 * max(float(d.max()) for _, _, _, d in records)
    metric = records[0][1]
    out = []
    for i, (title, _, names, distances) in enumerate(records):
        out += panel(LEFT + i * (WIDTH + GAP), title, names, distances, top, i == 0)
    right = LEFT + len(records) * (WIDTH + GAP)
    out += legend(right - GAP + 14, max((r[2] for r in records), key=len))
    label = "mean |change| of a weight since the start" if metric == "minkowski:1" else f"{metric} to the initial state / weights"
    middle = TOP + HEIGHT / 2
    out.append(text(14, middle, label, extra=f'transform="rotate(-90 14 {middle:.1f})"'))
    size = f'width="{right + 90}" height="{TOP + HEIGHT + BOTTOM}"'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" fill="#222">',
                      '<rect width="100%" height="100%" fill="white"/>', *out, "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("records", nargs="+")
    arguments = parser.parse_args()
    figure = draw([read(path) for path in arguments.records])
    with open(arguments.output, "w", encoding="utf-8") as f:
        f.write(figure)


if __name__ == "__main__":
    main()
