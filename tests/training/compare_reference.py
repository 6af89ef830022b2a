#!/usr/bin/env python3
"""Compares the main job's first epoch with the published figures of experiments/published.

    compare_reference.py PLAIN.h5 RESIDUAL.h5

Records of the published settings, one epoch or more, on the whole CIFAR-10:
    resnet_study --depth 18 --plain --dataset cifar10 --epochs 1 --out PLAIN.h5
    resnet_study --depth 18 --dataset cifar10 --epochs 1 --out RESIDUAL.h5

Demanded of each:
  - the weights that count in each block (229,632 in the first residual block, 221,184 in the first plain one, 294,912 in the
    others), and that each block's distance to its initial state after the first step is learning rate times that number
    within 0.1%: Adam's first step moves each weight by about the learning rate;
  - the first epoch's training loss within 0.05 of the published one and of the PyTorch run's (other images and seeds).

Needs h5py; exits with 77 and says so without it. Exit status 0: all within; 1: not; 2: not such a record."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "experiments"))
from published_figures import SETTINGS, epochs, weights_per_block, wrong_settings  # noqa: E402
from record_file import config, need  # noqa: E402

h5py, np = need("h5py", "numpy")
DEPTH = 18
DISTANCE_BOUND, LOSS_BOUND = 1e-3, 0.05
DISTANCES = "steps/distance_to_initial/minkowski:1"


def published_losses(variant):
    """First epoch's training loss: published, and of the PyTorch run."""
    return tuple(epochs(source, DEPTH, variant, "train_loss")[0] for source in ("published", "pytorch"))


def demand_settings(path, record, variant):
    wrong = wrong_settings(config(record), {**SETTINGS, "depth": DEPTH, "plain": "true" if variant == "plain" else "false"})
    if wrong or len(record["epochs/train_loss"]) < 1:
        print(f"{path}: no record of an epoch of ResNet-{DEPTH} {variant} at the published settings: {', '.join(wrong)}")
        sys.exit(2)


def compare_distances(record):
    """Prints a line per block; True when all are within the bound."""
    names = [n.decode() if isinstance(n, bytes) else n for n in record["blocks/name"][()]]
    weights, distances = record["blocks/weights"][()], record[DISTANCES][0]
    good = len(names) == len(weights_per_block(DEPTH, "plain"))
    for name, count, distance in zip(names, weights, distances):
        expected = SETTINGS["learning-rate"] * count
        within = abs(distance - expected) <= DISTANCE_BOUND * expected
        good = good and bool(within)
        print(f"  {name}: first step {distance:.4f}, learning rate x {count:,} weights = {expected:.4f}"
              f" ({100 * (distance / expected - 1):+.4f}%){'' if within else '  NOT within 0.1%'}")
    return good


def compare_counts(record, variant):
    wanted = weights_per_block(DEPTH, variant)
    weights = [int(n) for n in record["blocks/weights"][()]]
    if weights != wanted:
        print(f"  weights per block {weights}, should be {wanted}")
    return weights == wanted


def compare_loss(record, variant):
    loss = float(record["epochs/train_loss"][0])
    others = published_losses(variant)
    within = max(abs(loss - other) for other in others) <= LOSS_BOUND
    print(f"  training loss of the epoch {loss:.4f}; published {others[0]:.4f} ({loss - others[0]:+.4f}), "
          f"PyTorch's {others[1]:.4f} ({loss - others[1]:+.4f}){'' if within else '  NOT within 0.05 of both'}")
    return within


def compare(path, variant):
    with h5py.File(path, "r") as record:
        demand_settings(path, record, variant)
        print(f"ResNet-18 {variant}, {path}")
        results = [compare_counts(record, variant), compare_distances(record), compare_loss(record, variant)]
    return all(results)


def main():
    if len(sys.argv) != 3 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 0 if sys.argv[1:] == ["--help"] else 2
    results = [compare(path, variant) for path, variant in zip(sys.argv[1:], ("plain", "residual"))]
    print("all within the bounds" if all(results) else "NOT within the bounds")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
