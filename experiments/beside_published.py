#!/usr/bin/env python3
"""Sets summaries of studies beside the published figures: beside_published.py runs/STUDY_summary.csv ... [-o FILE.md]

One table in Markdown per study: published, ours as mean and standard deviation over the seeds, their number, and the difference.
A figure that we have no run for is said to be missing. Exit status 0: every summary has published figures; 2: bad usage or file."""
import csv
import os
import re
import sys

PUBLISHED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "published", "studies.csv")


def read(path):
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def study_of(path):
    match = re.fullmatch(r"(.+)_summary\.csv", os.path.basename(path))
    if not match:
        sys.exit(f"beside_published.py: {path} is not a STUDY_summary.csv; `resnet_study run STUDY.yaml` makes them")
    return match.group(1)


def number(text):
    return float(text) if text else float("nan")


def ours(summary, figure):
    """The row of our summary that a published figure is to be compared with, or None."""
    for row in summary:
        if all(row[key] == figure[key] for key in ("group", "quantity", "epoch")):
            return row
    return None


def line(figure, row):
    what = figure["quantity"].replace("_", " ") + ("" if figure["epoch"] == "last" else f", epoch {figure['epoch']}")
    begin = f"| {figure['group']} | {what} | {figure['value']} "
    if row is None:
        return begin + f"| not run | | | {figure['note']} |"
    mean, std, published = number(row["mean"]), number(row["std"]), float(figure["value"])
    spread = "" if std != std else f" ± {std:.2g}"
    return begin + f"| {mean:.4g}{spread} | {row['n']} | {mean - published:+.2g} | {figure['note']} |"


def table(path):
    study, summary = study_of(path), read(path)
    figures = [row for row in read(PUBLISHED) if row["study"] == study]
    lines = [f"### {study}", ""]
    if not figures:
        return lines + ["No published figures to compare with.", ""], False
    lines += ["| case | quantity | published | ours | runs | difference | |", "|---|---|---|---|---|---|---|"]
    return lines + [line(figure, ours(summary, figure)) for figure in figures] + [""], True


def main(arguments):
    out = None
    if "-o" in arguments:
        at = arguments.index("-o")
        if at + 1 == len(arguments):
            sys.exit(__doc__)
        out = arguments[at + 1]
        arguments = arguments[:at] + arguments[at + 2:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 2
    lines, known = [], True
    for path in arguments:
        if not os.path.exists(path):
            print(f"beside_published.py: {path} is not there", file=sys.stderr)
            return 2
        more, has_figures = table(path)
        lines += more
        known = known and has_figures
    text = "\n".join(lines)
    if out:
        with open(out, "w", encoding="utf-8") as f:
            f.write(text)
    else:
        print(text)
    return 0 if known else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
