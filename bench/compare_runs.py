#!/usr/bin/env python3
"""How far two records of the same training lie apart, step by step: the same options on two devices, say.

    compare_runs.py A.h5 B.h5 [--most X]

Prints, for the loss, the gradient norm and every distance, the largest relative difference over the first step, the first five and
all, and of the final weights the largest difference relative to each tensor's largest weight. Rounding grows from step to step: only the
first is judged, by --most (default 1e-3). Exit status 1 where it is larger or not a number. Needs h5py."""
import argparse
import sys

import h5py
import numpy as np


def relative(a, b):
    """|a - b| / |b|; 0 where both are 0, infinite where only b is."""
    difference = np.abs(a - b)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(difference == 0.0, 0.0, difference / np.abs(b))


def series(file):
    """{name: [step, ...]} of what both devices measured."""
    steps = file["steps"]
    found = {"loss": steps["loss"][:], "gradient_norm": steps["gradient_norm"][:]}
    for group in ("distance_to_initial", "distance_to_previous"):
        for metric in steps.get(group, {}):
            found[f"{group}/{metric}"] = steps[group][metric][:]
    return found


def worst(values):
    return float(np.max(values)) if not np.isnan(values).any() else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("a")
    parser.add_argument("b")
    parser.add_argument("--most", type=float, default=1e-3, metavar="X", help="of the first step (%(default)s)")
    options = parser.parse_args()
    good = True
    with h5py.File(options.a, "r") as a, h5py.File(options.b, "r") as b:
        ours, theirs = series(a), series(b)
        if ours.keys() != theirs.keys() or any(ours[k].shape != theirs[k].shape for k in ours):
            sys.exit(f"{options.a} and {options.b} hold other series, or of other lengths")
        for name, values in ours.items():
            apart = relative(values, theirs[name])
            good = good and worst(apart[:1]) <= options.most
            print(f"{name:42} step 1 {worst(apart[:1]):9.2e}   steps 1-5 {worst(apart[:5]):9.2e}   all {len(apart)} {worst(apart):9.2e}")
        weights = [worst(np.abs(w[-1] - b["weights"][name][-1])) / max(worst(np.abs(b["weights"][name][-1])), 1e-30)
                   for name, w in a.get("weights", {}).items()]
        if weights:
            print(f"{'weights at the end':42} of the largest in a tensor {max(weights):9.2e}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
