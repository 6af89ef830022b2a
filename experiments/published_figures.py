"""The published figures of experiments/published, and the settings under which a record compares with them."""
import csv
import os

PUBLISHED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "published")
SETTINGS = {"dataset": "cifar10", "width": "even", "blocks": "", "batch-size": 1024, "optimizer": "adam", "learning-rate": 1e-3,
            "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight-decay": 0, "clip-norm": 0, "schedule": "constant", "train-limit": 0}
FIRST_BLOCK = {"plain": 221184, "residual": 229632}
OTHER_BLOCKS = 294912
BLOCKS = {18: 8, 68: 33}
DISTANCE_TO = {"initial": "init", "previous": "next"}  # ours: theirs


def read_csv(name):
    with open(os.path.join(PUBLISHED, name), newline="", encoding="ascii") as f:
        return list(csv.DictReader(f))


def _rows(source, kind, depth, variant):
    """Rows of one network: of the published table, or of the PyTorch runs, which are of depth 18 only."""
    if source == "pytorch":
        return read_csv(f"pytorch_resnet{depth}_{variant}_{kind}.csv")
    return [r for r in read_csv(f"minkowski_even_cifar10_{kind}.csv") if (r["network_depth"], r["variant"]) == (str(depth), variant)]


def epochs(source, depth, variant, column):
    rows = sorted(_rows(source, "metrics", depth, variant), key=lambda r: int(r["epoch"]))
    return [float(r[column]) for r in rows]


def distances(source, depth, variant, to, column):
    """A column of the distances, by block; to: initial or previous."""
    rows = [r for r in _rows(source, "distances", depth, variant) if r["distance"] == DISTANCE_TO[to]]
    return [float(r[column]) for r in sorted(rows, key=lambda r: int(r["block_depth"]))]


def weights_per_block(depth, variant):
    return [FIRST_BLOCK[variant]] + [OTHER_BLOCKS] * (BLOCKS[depth] - 1)


def _same(value, wanted):
    if value is None or isinstance(wanted, str):
        return value == wanted
    try:
        return float(value) == wanted
    except ValueError:
        return False


def wrong_settings(options, wanted):
    """Texts that name every option that is not as wanted."""
    return [f"{key} is {options.get(key, 'not given')}, must be {value if value != '' else 'empty'}"
            for key, value in wanted.items() if not _same(options.get(key), value)]
