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

from published_report import network_report, summary_report, verdict
from published_runs import NotSuchARecord, read_all


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
