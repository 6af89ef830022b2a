"""The bounds on a run beside the published figures. A value that is not finite never passes."""
from dataclasses import dataclass

import published_figures as figures
from published_runs import EPOCHS, SETTINGS
from record_file import need

np, = need("numpy")

MEDIAN_BOUND = {"initial": 0.10, "previous": 0.08}
PYTORCH_BOUND, LOSS_BOUND, ACCURACY_BOUND = 0.06, 0.08, 0.08
FIRST_STEP_BOUND, RANK_BOUND, FIRST_LOSS_BOUND = 1e-3, 0.9, 0.04


@dataclass
class Check:
    """One bound on one run."""
    what: str
    bound: str
    worst: str
    where: str
    within: bool


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
