"""Runs beside the published figures as a Markdown report: a table of bounds, tables by block and epoch."""
import published_figures as figures
from published_checks import checks, medians_beside
from published_runs import DISTANCES, EPOCHS, METRICS, SETTINGS, STEPS, change, mean_run, title
from record_file import need

np, = need("numpy")


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
    for to in DISTANCES:
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
    most = {to: 100 * np.max([run.last_step_matters[to] for run in runs]) for to in DISTANCES}
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
