"""Tables of what `resnet_study analyze` computed, beside what was published: interpolate (of flatness_interpolation), hessian (of
minimal_ratio). Used by beside_published.py; needs h5py."""
import csv
import os

PUBLISHED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "published")
PUBLISHED_RATIO = (0.30, 0.45)
PUBLISHED_LOSS = 5e-4


class BadResult(Exception):
    pass


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(row) + " |" for row in rows]


def at(alphas, values, wanted):
    """The value at that place of the line, or at the nearest computed one with its place."""
    nearest = min(range(len(alphas)), key=lambda i: abs(alphas[i] - wanted))
    value = f"{values[nearest]:.4g}"
    return value if abs(alphas[nearest] - wanted) < 1e-9 else f"{value} (at {alphas[nearest]:.3g})"


def interpolation(f):
    with open(os.path.join(PUBLISHED, "interpolation.csv"), newline="", encoding="utf-8") as published:
        points = [(float(row["alpha"]), row["accuracy"]) for row in csv.DictReader(published)]
    alphas = f["alpha"][:]
    rows = [[f"{alpha:g}", accuracy, *(at(alphas, f[path][:], alpha) for path in
                                       ("train/accuracy", "test/accuracy", "train/loss", "test/loss"))] for alpha, accuracy in points]
    return table(["alpha", "published accuracy", "train accuracy", "test accuracy", "train loss", "test loss"], rows)


def quantiles(values):
    """Least, median and greatest."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return [f"{value:.4g}" for value in (ordered[0], median, ordered[-1])]


def hessians(f):
    ratios, losses = list(f["minimal_ratio"][:]), list(f["loss"][:])
    low, high = PUBLISHED_RATIO
    within = sum(low <= ratio <= high for ratio in ratios)
    small = sum(loss < PUBLISHED_LOSS for loss in losses)
    rows = [["second derivatives > 0, share", f"{low:.2f} to {high:.2f}", *quantiles(ratios), f"{within} of {len(ratios)}"],
            ["loss", f"mostly < {PUBLISHED_LOSS:g}", *quantiles(losses), f"{small} of {len(losses)}"],
            ["eigenvalues > 0, share", "", *quantiles(list(f["positive_eigenvalue_share"][:])), ""],
            ["smallest eigenvalue", "", *quantiles(list(f["smallest"][:])), ""],
            ["largest eigenvalue", "", *quantiles(list(f["largest"][:])), ""]]
    return table(["of all networks", "published", "least", "median", "greatest", "as published"], rows)


KINDS = {"interpolate": interpolation, "hessian": hessians}


def lines(path):
    """The table of one result file, in Markdown."""
    import h5py
    try:
        with h5py.File(path, "r") as f:
            kind = f.attrs.get("kind", b"")
            kind = kind.decode() if isinstance(kind, bytes) else str(kind)
            if kind not in KINDS:
                raise BadResult(f"{path} is no result that is compared: {', '.join(KINDS)} of `resnet_study analyze`")
            return [f"### analyze {kind}: {os.path.basename(path)}", "", *KINDS[kind](f), ""]
    except (OSError, KeyError) as problem:
        raise BadResult(f"{path} cannot be read: {problem}") from problem
