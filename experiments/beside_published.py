#!/usr/bin/env python3
"""Sets summaries of studies beside the published figures: beside_published.py runs/STUDY_summary.csv|RESULT.h5 ... [-o FILE.md]

One table in Markdown per summary: published, ours as mean and standard deviation over the seeds, how many of the planned runs that are,
the difference, and what differs from the study file (epochs 20, train-limit 1000). A figure that we have no run for is said to be
missing. Summaries of parts (STUDY.PART_summary.csv) hold what was run of them. A file that `resnet_study analyze interpolate` or
`hessian` made is set beside what was published of the line between two minima and of the share of positive second derivatives.
Exit status 0: every summary has published figures; 1: one has none; 2: bad usage or file."""
import csv
import os
import sys

import published_analyses

PUBLISHED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "published")
COLUMNS = ("group", "quantity", "epoch", "mean", "std", "n", "planned", "diverged", "changed", "study")


class BadFile(Exception):
    pass


def read(path, columns):
    try:
        with open(path, newline="", encoding="utf-8") as f:
            rows = list(csv.DictReader(f))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise BadFile(f"{path} cannot be read: {problem}") from problem
    if not rows or any(row.get(column) is None for row in rows for column in columns):
        raise BadFile(f"{path} is no summary of a study; `resnet_study run STUDY.yaml` makes them (columns {', '.join(columns)})")
    return rows


def sensitivities():
    """The published sensitivities as figures: over the last epoch at each batch size of a series."""
    return [{"study": "flatness_sensitivity_published", "group": f"stage {row['series']}, batch-size {row['batch_size']}",
             "quantity": "sensitivity_batch", "epoch": "last", "value": row["sensitivity"], "note": ""}
            for row in read(os.path.join(PUBLISHED, "sensitivity.csv"), ("series", "batch_size", "sensitivity"))]


def figures_of(study):
    figures = read(os.path.join(PUBLISHED, "studies.csv"), ("study", "group", "quantity", "epoch", "value", "note"))
    return [figure for figure in figures + sensitivities() if figure["study"] == study]


def number(text, path):
    try:
        return float(text) if text else float("nan")
    except ValueError as problem:
        raise BadFile(f"{path}: {text} is no number") from problem


def counted(row):
    """Of the planned runs: "3", "2 of 3", "2 of 3, 1 diverged"."""
    text = row["n"] if row["n"] == row["planned"] else f"{row['n']} of {row['planned']}"
    return text if row["diverged"] == "0" else f"{text}, {row['diverged']} diverged"


def missing(group):
    """What to say of a figure that no run of ours has: nothing was planned, or nothing came of it."""
    if not group:
        return "not run", "", ""
    none = dict(group[0], n="0")
    return "no value", counted(none), none["changed"]


def line(figure, summary, path):
    group = [row for row in summary if row["group"] == figure["group"]]
    rows = [row for row in group if row["quantity"] == figure["quantity"] and row["epoch"] == figure["epoch"] and row["mean"]]
    what = figure["quantity"].replace("_", " ") + ("" if figure["epoch"] == "last" else f", epoch {figure['epoch']}")
    cells = [figure["group"], what, figure["value"]]
    if rows:
        mean, std = number(rows[0]["mean"], path), number(rows[0]["std"], path)
        spread = "" if std != std else f" ± {std:.2g}"
        cells += [f"{mean:.4g}{spread}", counted(rows[0]), f"{mean - float(figure['value']):+.2g}", rows[0]["changed"]]
    else:
        ours, runs, changed = missing(group)
        cells += [ours, runs, "", changed]
    return "| " + " | ".join(cells + [figure["note"]]) + " |"


def taken(summary, path):
    """How long the runs of a summary took, as a line; nothing where it does not say."""
    rows = [row for row in summary if row["quantity"] == "seconds" and row["mean"]]
    runs = sum(int(row["n"]) for row in rows)
    seconds = sum(number(row["mean"], path) * int(row["n"]) for row in rows)
    return [f"{runs} runs, {seconds:.0f} s of training in all.", ""] if rows else []


def table(path):
    summary = read(path, COLUMNS)
    study = summary[0]["study"]
    figures = figures_of(study)
    lines = [f"### {study}", "", *taken(summary, path)]
    if not figures:
        return lines + [f"No published figures of {study} in published/studies.csv; results/studies.md says what there is of it.", ""], False
    lines += ["| case | quantity | published | ours | runs | difference | ours differs in | |", "|---|---|---|---|---|---|---|---|"]
    return lines + [line(figure, summary, path) for figure in figures] + [""], True


def split_arguments(arguments):
    """Paths and the file of -o; None where they make no sense."""
    paths, out = [], None
    rest = iter(arguments)
    for argument in rest:
        if argument == "-o":
            out = next(rest, None)
            if out is None:
                return None, None
        elif argument.startswith("-"):
            return None, None
        else:
            paths.append(argument)
    return paths or None, out


def main(arguments):
    paths, out = split_arguments(arguments)
    if not paths:
        print(__doc__)
        return 2
    lines, known = [], True
    try:
        for path in paths:
            more, has_figures = (published_analyses.lines(path), True) if path.endswith(".h5") else table(path)
            lines += more
            known = known and has_figures
    except (BadFile, published_analyses.BadResult) as problem:
        print(f"beside_published.py: {problem}", file=sys.stderr)
        return 2
    text = "\n".join(lines)
    if out:
        with open(out, "w", encoding="utf-8") as f:
            f.write(text)
    else:
        print(text)
    return 0 if known else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
