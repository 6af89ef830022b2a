#!/usr/bin/env python3
"""Sets finished runs of minkowski_even.yaml on CIFAR-10 beside the published figures, and judges them, as a Markdown report.

    compare_published.py RUN.h5 [RUN.h5 ...] [-o FILE.md] [--summary]

RUN: a record of five epochs, as published, of ResNet-18 or 68; several seeds of one network are shown together, each judged:
  18, and 68 residual  per block, the median over the steps of the distance to the initial state within 10% and to the previous
                       step within 8% of the published one; of 18 also within 6% of PyTorch's (published/README.md); each
                       epoch's training loss within 0.08, the last validation accuracy within 0.08
  68 plain             first-step distances within 0.1% of learning rate x weights; rank correlation of the order of the
                       blocks with the published order at least 0.9; the first epoch's training loss within 0.04
All else is set beside the published figures and not judged. A value that is not finite never passes.

Needs h5py and numpy; exits with 77 and says so without them. Exit status 0: all bounds hold; 1: not; 2: not such a record."""
import argparse
import os
import sys
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "training"))
import published_figures as figures  # noqa: E402
from record_file import config, need, text  # noqa: E402

h5py, np = need("h5py", "numpy")

EPOCHS, STEPS = 5, 245  # 49 steps an epoch
SETTINGS = {**figures.SETTINGS, "epochs": EPOCHS, "test-limit": 0}
METRIC = "minkowski:1"
METRICS = ("train_loss", "valid_loss", "train_accuracy", "valid_accuracy")
PUBLISHED_STEPS = slice(0, -1)     # the published series begin with the first step and leave out the last
WITHOUT_FIRST_STEP = slice(1, -1)  # PyTorch's plain run has no first step in its distances to the previous state
MEDIAN_BOUND = {"initial": 0.10, "previous": 0.08}
PYTORCH_BOUND, LOSS_BOUND, ACCURACY_BOUND = 0.06, 0.08, 0.08
FIRST_STEP_BOUND, RANK_BOUND, FIRST_LOSS_BOUND = 1e-3, 0.9, 0.04


class NotSuchARecord(Exception):
    """The message says what is wrong with which file."""


@dataclass
class Run:
    """What is compared of one record, or the mean over several."""
    name: str                                    # the seed, or "mean of N"
    source: str = ""                             # where it comes from, for the table of runs
    first_step: object = None                    # [block]
    medians: dict = field(default_factory=dict)  # (initial or previous, first step taken in) -> [block]
    last_step_matters: dict = field(default_factory=dict)  # initial or previous -> largest relative change of a median
    epochs: dict = field(default_factory=dict)   # of METRICS -> [epoch]


@dataclass
class Check:
    """One bound on one run."""
    what: str
    bound: str
    worst: str
    where: str
    within: bool


# ---- reading

def demand(condition, path, message):
    if not condition:
        raise NotSuchARecord(f"{path}: {message}")


def network_of(path, record):
    """(depth, variant), once the record is known to be of a finished run at the published settings."""
    options = config(record)
    wrong = figures.wrong_settings(options, SETTINGS)
    demand(not wrong, path, f"not the published settings: {'; '.join(wrong)}")
    depth, plain = options.get("depth"), options.get("plain")
    demand(depth in map(str, figures.BLOCKS), path, f"depth is {depth}; figures were published of 18 and 68")
    demand(plain in ("true", "false"), path, f"plain is {plain}, must be true or false")
    state = text(record["state"][()])
    demand(state == "done", path, f"the run is {state}, not done; go on with it first: the same command with --resume")
    counts = len(record["epochs/train_loss"]), len(record["steps/loss"])
    demand(counts == (EPOCHS, STEPS), path, f"{counts[0]} epochs of {counts[1]} steps in all, must be {EPOCHS} and {STEPS}")
    return int(depth), "plain" if plain == "true" else "residual"


def read_distances(path, record, to, blocks):
    name = f"steps/distance_to_{to}/{METRIC}"
    demand(name in record, path, f"holds no {name}; it needs --record distances and --metric {METRIC}")
    values = record[name][()]
    demand(values.shape == (STEPS, blocks), path, f"{name} is {values.shape}, must be {(STEPS, blocks)}")
    return values


def run_name(options):
    own = [f"{key[5:]} {options[key]}" for key in ("seed-init", "seed-order") if options.get(key, "-1") != "-1"]
    return ", ".join([str(options.get("seed"))] + own)


def run_source(path, record, options):
    attributes = {key: text(value) for key, value in record.attrs.items()}
    described = [attributes.get(key, "") for key in ("commit", "device", "libraries")]
    resumed = attributes.get("resumed", "0")
    return " | ".join([f"`{os.path.basename(path)}`", *described, options.get("precision", ""), attributes.get("threads", ""), resumed])


def change(values, others):
    """Largest relative difference, NaN if any is."""
    with np.errstate(all="ignore"):
        return float(np.max(np.abs(values / others - 1)))


def read_run(path, record, network):
    options = config(record)
    weights = [int(n) for n in record["blocks/weights"][()]]
    wanted = figures.weights_per_block(*network)
    demand(weights == wanted, path, f"weights per block are {weights}, must be {wanted}")
    run = Run(run_name(options), run_source(path, record, options))
    for to in MEDIAN_BOUND:
        series = read_distances(path, record, to, len(wanted))
        run.medians[to, True] = np.median(series[PUBLISHED_STEPS], axis=0)
        run.medians[to, False] = np.median(series[WITHOUT_FIRST_STEP], axis=0)
        run.last_step_matters[to] = change(np.median(series, axis=0), run.medians[to, True])
        if to == "initial":
            run.first_step = series[0]
    run.epochs = {name: record[f"epochs/{name}"][()] for name in METRICS}
    return run


def read(path):
    """(network, run) of one record."""
    try:
        with h5py.File(path, "r") as record:
            network = network_of(path, record)
            return network, read_run(path, record, network)
    except (OSError, KeyError) as error:
        raise NotSuchARecord(f"{path}: no readable record of a finished run: {error}") from error


def read_all(paths):
    """{network: [run, ...]}, networks by depth, runs by seed."""
    networks = {}
    for path in paths:
        network, run = read(path)
        runs = networks.setdefault(network, [])
        demand(run.name not in [r.name for r in runs], path, f"seed {run.name} of {title(network)} is given twice")
        runs.append(run)
    for runs in networks.values():
        runs.sort(key=lambda r: (len(r.name), r.name))
    return dict(sorted(networks.items()))


def mean_run(runs):
    """The runs' mean, value by value; their one run where there is no more."""
    mean = Run(f"mean of {len(runs)}")
    mean.first_step = np.mean([r.first_step for r in runs], axis=0)
    mean.medians = {key: np.mean([r.medians[key] for r in runs], axis=0) for key in runs[0].medians}
    mean.epochs = {key: np.mean([r.epochs[key] for r in runs], axis=0) for key in METRICS}
    return mean


# ---- judging

def check_differences(what, bound, differences, place, relative=False):
    """Each difference, absolute or relative, within the bound; place names what an index counts."""
    differences = np.asarray(differences, dtype=float)
    at = int(np.argmax(np.abs(differences)))  # the first NaN, where there is one
    show = (lambda v: f"{100 * v:+.2f}%") if relative else (lambda v: f"{v:+.3f}")
    limit = f"±{100 * bound:g}%" if relative else f"±{bound:g}"
    return Check(what, limit, show(differences[at]), f"{place} {at + 1}", bool(np.all(np.abs(differences) <= bound)))


def off_by(values, others):
    """Relative differences."""
    return np.asarray(values, dtype=float) / np.asarray(others, dtype=float) - 1


def takes_first_step(source, variant, to):
    return not (source == "pytorch" and variant == "plain" and to == "previous")


def medians_beside(run, source, network, to):
    """(theirs, ours) by block, over the same steps."""
    depth, variant = network
    return (np.array(figures.distances(source, depth, variant, to, "median")),
            run.medians[to, takes_first_step(source, variant, to)])


def check_medians(run, network, source):
    for to, bound in MEDIAN_BOUND.items():
        theirs, ours = medians_beside(run, source, network, to)
        whose, limit = ("", bound) if source == "published" else (" from PyTorch's", PYTORCH_BOUND)
        yield check_differences(f"median distance to the {to} state{whose}", limit, off_by(ours, theirs), "block", relative=True)


def check_close(run, network):
    """The bounds of a network that learns as the published one did."""
    depth, variant = network
    yield from check_medians(run, network, "published")
    if depth == 18:
        yield from check_medians(run, network, "pytorch")
    losses = run.epochs["train_loss"] - np.array(figures.epochs("published", depth, variant, "train_loss"))
    yield check_differences("training loss of each epoch", LOSS_BOUND, losses, "epoch")
    accuracy = run.epochs["valid_accuracy"] - np.array(figures.epochs("published", depth, variant, "valid_accuracy"))
    last = check_differences("last validation accuracy", ACCURACY_BOUND, accuracy[-1:], "epoch")
    last.where = f"epoch {EPOCHS}"
    yield last


def ranks(values):
    """Ranks from 0, ties by their mean rank."""
    values = np.asarray(values)
    return np.array([np.sum(values < v) + (np.sum(values == v) - 1) / 2 for v in values])


def spearman(a, b):
    """Rank correlation; NaN where a value is not finite or all are equal."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if not (np.all(np.isfinite(a)) and np.all(np.isfinite(b))):
        return float("nan")
    x, y = (r - np.mean(r) for r in (ranks(a), ranks(b)))
    norm = float(np.sqrt(np.sum(x * x) * np.sum(y * y)))
    return float(np.sum(x * y)) / norm if norm > 0 else float("nan")


def check_order(run, network):
    """The bounds of a network that hardly learns: its start and the order of its blocks."""
    depth, variant = network
    expected = SETTINGS["learning-rate"] * np.array(figures.weights_per_block(depth, variant))
    yield check_differences("first step from learning rate × weights", FIRST_STEP_BOUND, off_by(run.first_step, expected), "block",
                            relative=True)
    for to in MEDIAN_BOUND:
        correlation = spearman(*medians_beside(run, "published", network, to))
        yield Check(f"rank correlation of the blocks, distance to the {to} state", f"≥ {RANK_BOUND:g}", f"{correlation:.3f}",
                    "all blocks", correlation >= RANK_BOUND)
    losses = run.epochs["train_loss"] - np.array(figures.epochs("published", depth, variant, "train_loss"))
    yield check_differences("training loss of the first epoch", FIRST_LOSS_BOUND, losses[:1], "epoch")


def checks(run, network):
    return list((check_order if network == (68, "plain") else check_close)(run, network))


# ---- showing

def title(network):
    return f"ResNet-{network[0]} {network[1]}"


def table(head, rows):
    """Lines of a Markdown table, numbers to the right."""
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join(["---"] + ["---:"] * (len(head) - 1)) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def check_row(network, seed, check, verdict):
    return " | ".join(["", title(network), seed, check.what, check.bound, check.worst, check.where, verdict, ""]).strip()


def bound_rows(network, per_run):
    """Rows of one bound: each run's, and how many are inside where there are several."""
    for run, check in per_run[:-1] if len(per_run) > 2 else per_run[:1]:
        yield check_row(network, run.name, check, "yes" if check.within else "**no**")
    if len(per_run) > 2:
        mean, check = per_run[-1]
        inside = sum(c.within for _, c in per_run[:-1])
        yield check_row(network, mean.name, check, f"{inside} of {len(per_run) - 1} seeds; mean {'yes' if check.within else 'no'}")


def summary(networks):
    """(lines of the summary table, whether every bound holds in every run)."""
    lines = ["| network | seed | what | bound | worst | where | within |", "|---|---|---|---|---:|---|---|"]
    good = True
    for network, runs in networks.items():
        everyone = runs + [mean_run(runs)]
        for per_run in zip(*([(run, check) for check in checks(run, network)] for run in everyone)):
            lines += bound_rows(network, per_run)
            good = good and all(check.within for _, check in per_run[:len(runs)])
    return lines, good


def percent(digits):
    return lambda ours, theirs: f"{100 * (ours / theirs - 1):+.{digits}f}%"


def plus_minus(digits):
    return lambda ours, theirs: f"{ours - theirs:+.{digits}f}"


def beside(label, theirs, runs, digits, difference):
    """One row: theirs, each run's, mean and spread of several, the mean's difference as that function writes it."""
    mean = float(np.mean(runs))
    cells = [label, f"{theirs:.{digits}f}"] + [f"{value:.{digits}f}" for value in runs]
    if len(runs) > 1:
        cells.append(f"{mean:.{digits}f} ± {float(np.std(runs, ddof=1)):.{digits}f}")
    return cells + [difference(mean, theirs)]


def heads(first, theirs, runs):
    ours = ["ours"] if len(runs) == 1 else [f"seed {run.name}" for run in runs] + ["mean ± s.d."]
    return [first, theirs] + ours + ["difference"]


def by_block(network, runs, to, source, whose):
    columns = [medians_beside(run, source, network, to) for run in runs]
    theirs, ours = columns[0][0], np.array([column[1] for column in columns])
    rows = [beside(str(b + 1), theirs[b], ours[:, b], 1 if to == "initial" else 2, percent(1)) for b in range(len(theirs))]
    return ["", f"Median distance to the {to} state, by block:", "", *table(heads("block", whose, runs), rows)]


def first_steps(network, runs):
    expected = SETTINGS["learning-rate"] * np.array(figures.weights_per_block(*network))
    published = figures.distances("published", *network, "initial", "min")
    ours = np.array([run.first_step for run in runs])
    rows = [beside(str(b + 1), expected[b], ours[:, b], 3, percent(3)) for b in range(len(expected))]
    rows = [row[:2] + [f"{theirs:.3f}"] + row[2:] for row, theirs in zip(rows, published)]
    head = heads("block", "learning rate × weights", runs)
    return ["", "Distance after the first step, by block (difference: from learning rate × weights):", "",
            *table(head[:2] + ["published"] + head[2:], rows)]


def by_epoch(network, runs, source, whose):
    lines = []
    for name in METRICS:
        theirs = figures.epochs(source, *network, name)
        ours = np.array([run.epochs[name] for run in runs])
        rows = [beside(str(e + 1), theirs[e], ours[:, e], 3, plus_minus(3)) for e in range(EPOCHS)]
        kind = name.replace("train", "training").replace("valid", "validation").replace("_", " ")
        lines += ["", f"{kind.capitalize()}, by epoch:", "", *table(heads("epoch", whose, runs), rows)]
    return lines


def section(network, runs, source, whose):
    lines = []
    for to in MEDIAN_BOUND:
        lines += by_block(network, runs, to, source, whose)
    if source == "published" and network == (68, "plain"):
        lines += first_steps(network, runs)
    return lines + by_epoch(network, runs, source, whose)


def network_report(network, runs):
    lines = ["", f"## {title(network)}", *section(network, runs, "published", "published")]
    if network[0] == 18:
        lines += ["", f"### {title(network)} beside PyTorch's run", *section(network, runs, "pytorch", "PyTorch")]
    return lines


def about_steps(networks):
    """Which steps the medians are of, and what the choice changes."""
    runs = [run for group in networks.values() for run in group]
    most = {to: 100 * np.max([run.last_step_matters[to] for run in runs]) for to in MEDIAN_BOUND}
    lines = [f"Medians are over steps 1 to {STEPS - 1} of {STEPS}, as the published series have them: they begin with the first step and",
             f"leave out the last. With the last step, no median of these runs changes by more than {most['initial']:.2f}% (initial) and "
             f"{most['previous']:.2f}% (previous state)."]
    plain = networks.get((18, "plain"), [])
    if plain:
        first = 100 * np.max([change(run.medians["previous", False], run.medians["previous", True]) for run in plain])
        lines += ["PyTorch's run of ResNet-18 plain lacks the first step in its distances to the previous state; beside it stand medians",
                  f"over steps 2 to {STEPS - 1}, which differ by up to {first:.2f}%."]
    return lines


def about_runs(networks):
    rows = [f"| {title(network)} | {run.name} | {run.source} |" for network, runs in networks.items() for run in runs]
    published = [(depth, variant) for depth in figures.BLOCKS for variant in figures.FIRST_BLOCK]
    missing = [title(network) for network in published if network not in networks]
    lines = ["## Runs", "", "| network | seed | record | commit | device | libraries | precision | threads | resumed |",
             "|---|---|---|---|---|---|---|---:|---:|", *rows]
    return lines + (["", f"Not among these runs: {', '.join(missing)}."] if missing else [])


def verdict(good):
    return "All judged bounds hold." if good else "**Not all judged bounds hold.**"


def summary_report(networks):
    """(lines, whether every bound holds)."""
    lines, good = summary(networks)
    explained = ["Worst: the value farthest from the published one (or from what the row names), and where. Each run is judged by",
                 "itself; a mean is shown, not judged. What has no row here is set beside the published figures, not judged.", ""]
    return ["# Study A on CIFAR-10 beside the published figures", "", verdict(good), "", *explained, *lines, "", *about_steps(networks), "",
            *about_runs(networks)], good


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN.h5")
    parser.add_argument("-o", dest="out", metavar="FILE.md", help="write the report there; print only whether the bounds hold")
    parser.add_argument("--summary", action="store_true", help="leave out the tables by block and epoch")
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse(arguments)
    try:
        networks = read_all(options.runs)
    except NotSuchARecord as error:
        print(error, file=sys.stderr)
        return 2
    lines, good = summary_report(networks)
    if not options.summary:
        for network, runs in networks.items():
            lines += network_report(network, runs)
    if options.out:
        os.makedirs(os.path.dirname(os.path.abspath(options.out)), exist_ok=True)
        with open(options.out, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        lines = [verdict(good).strip("*") + f" Report: {options.out}"]
    print("\n".join(lines))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
