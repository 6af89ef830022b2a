#!/usr/bin/env python3
"""What recording costs: whole runs with everything recorded and with nothing, in turn, and the ratio of their times pair by pair.

    recording.py PROGRAM [--rounds 5] [OPTIONS of the program]

Default options: ResNet-18, even width, batch 256, 2,048 built-in images, 2 epochs. Quote medians and their spread, from a quiet
machine; a wide spread says that it was not. Both runs start anew each time; the first pair warms up and does not count."""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SETTINGS = ["--depth", "18", "--dataset", "shapes", "--train-limit", "2048", "--test-limit", "256", "--epochs", "2",
            "--batch-size", "256"]
NOTHING = ["--record", "none", "--snapshots", "none"]


def seconds(program, folder, options):
    begin = time.monotonic()
    subprocess.run([program, *options, "--out", os.path.join(folder, "run.h5"), "--overwrite", "--quiet"], check=True)
    return time.monotonic() - begin


def main():
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments else 2
    program, options, rounds = os.path.abspath(arguments[0]), arguments[1:], 5
    if options[:1] == ["--rounds"]:
        rounds, options = int(options[1]), options[2:]
    options = options or SETTINGS
    folder = tempfile.mkdtemp(prefix="resnet_study_bench.")
    ratios, times = [], {"everything": [], "nothing": []}
    try:
        for i in range(rounds + 1):
            everything = seconds(program, folder, options)
            nothing = seconds(program, folder, [*options, *NOTHING])
            if i > 0:
                times["everything"].append(everything)
                times["nothing"].append(nothing)
                ratios.append(everything / nothing)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{' '.join(options)}; {rounds} pairs after one warm-up; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the end")
    for name, values in (*times.items(), ("ratio", ratios)):
        print(f"{name:12s} min {min(values):7.3f}  median {statistics.median(values):7.3f}  max {max(values):7.3f}"
              f"{'' if name == 'ratio' else ' s'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
