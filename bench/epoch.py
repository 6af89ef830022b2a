#!/usr/bin/env python3
"""Whole epochs with everything recorded: ours against PyTorch, and what recording costs us.

peer       our program (everything recorded, validation, commits, checkpoint) in turn with a script in PyTorch that records the same
           in the usual way, in its best setting by a pilot. Seconds: from the first step to the end of the process.
recording  what an epoch's snapshot, commit and checkpoint add, in seconds: our program over an epoch of 8 steps with everything
           recorded and with nothing, in turn, who begins changing from round to round. A run has two of each (the initial state's, too).
steps      what distances and gradient statistics add to a step: our worker with them and with nothing, in turn. This comes on top.

Ratios and differences are taken within a round: median (least–greatest). A full epoch has 50,000 images."""
import argparse
import functools
import os

import common
import peer
import report
import runs
from pairs import WorkerFailed, interleaved, ratios, spread

PARTS = ["peer", "recording", "steps"]
MOST_EVERYTHING, MOST_MEASURES = 0.05, 0.02  # shares of the unrecorded time
MEASURES = "distances,gradient-stats"
KINDS = {"everything": [], "nothing": ["--record", "none", "--snapshots", "none"]}  # name: options
SHORT_STEPS, FULL_IMAGES = 8, 50000  # of an epoch


def parse():
    made = common.parser(__doc__, "epoch")
    common.add_networks(made, [18], common.VARIANTS, ["even"], [256])
    common.add_venv(made)
    made.add_argument("--parts", type=common.listed(PARTS), default=PARTS, metavar="LIST", help=f"({','.join(PARTS)})")
    made.add_argument("--train-limit", type=common.at_least(1), default=8192, metavar="N", help="images of an epoch (%(default)s)")
    made.add_argument("--test-limit", type=common.at_least(1), default=1024, metavar="N", help="images to validate on (%(default)s)")
    made.add_argument("--epochs", type=common.at_least(1), default=1, metavar="N", help="epochs of a run (%(default)s)")
    common.add_turn(made)
    return made.parse_args()


def data_options(options):
    return ["--train-limit", options.train_limit, "--test-limit", options.test_limit, "--epochs", options.epochs]


def our_run(options, network, kind):
    def command(folder):
        return [common.program(options, "resnet_study"), "--dataset", "shapes", *peer.network_options(network), *data_options(options),
                *KINDS[kind], *options.ours, "--out", os.path.join(folder, "run.h5")]
    return lambda: runs.run(kind, command)


def peer_run(options, network, setting):
    def command(folder):
        return [peer.python_of(options.venv), os.path.join(peer.HERE, "pytorch_epoch.py"), *peer.network_options(network),
                *data_options(options), "--layout", setting.layout, "--out", folder]
    return lambda: runs.run("PyTorch", command, peer.environment(setting))


def key(options, network):
    return f"{peer.network_name(network)}, {options.train_limit} images, {options.epochs} epoch{'s' if options.epochs > 1 else ''}"


def measure_peer(options, network, note):
    pilots = peer.pilots(options.venv, network, False, note)
    if not pilots:
        raise WorkerFailed("no setting of PyTorch works")
    setting = pilots[0].setting
    done = runs.rounds({"ours": our_run(options, network, "everything"), "PyTorch": peer_run(options, network, setting)}, options.rounds)
    return dict(setting=peer.setting_name(setting), runs=done)


def measure_recording(options, network, _):
    images = SHORT_STEPS * network.batch
    short = argparse.Namespace(**{**vars(options), "train_limit": images, "epochs": 1})
    return dict(images=images, runs=runs.rounds({kind: our_run(short, network, kind) for kind in KINDS}, options.rounds))


def measure_steps(options, network, _):
    pilot, _ = common.our_pilot(options, network)
    steps, turns = common.steps_of_turn(options, pilot), options.rounds + 1
    workers = [common.our_worker(options, network, steps, turns, MEASURES, "measures"),
               common.our_worker(options, network, steps, turns, "none", "nothing")]
    return dict(steps=steps, seconds=interleaved(workers, options.rounds))


def column(entry, name, field):
    """One field of the runs of one name; entries from a file hold them as lists."""
    return [getattr(runs.Run(*r), field) for r in entry["runs"][name]]


def text(entry, name, field):
    return report.spread_text(spread(column(entry, name, field)))


def peer_table(entries):
    rows = []
    for e in entries:
        training, process = ([column(e, name, field) for name in ("PyTorch", "ours")] for field in ("training", "process"))
        peaks = [report.gibibytes(max(column(e, name, "peak"))) for name in ("ours", "PyTorch")]
        rows.append([e["key"], text(e, "ours", "training"), text(e, "PyTorch", "training"), report.spread_text(ratios(*training)),
                     report.spread_text(ratios(*process)), e["setting"].replace("PyTorch ", ""), *peaks])
    return report.table(["network", "ours, s", "PyTorch, s", "ratio", "ratio of whole processes", "PyTorch's setting", "peak GiB, ours",
                         "peak GiB, PyTorch"], rows)


def share(numerators, denominators, most):
    """What is taken on top, in percent, beside its limit."""
    extra = [100 * (value - 1) for value in ratios(numerators, denominators)]
    return [f"{extra[0]:+.2f} ({extra[1]:+.2f} to {extra[2]:+.2f})", common.limit_text(extra[0], 100 * most)]


def recording_table(entries):
    rows = []
    for e in entries:
        everything, nothing = (column(e, kind, "training") for kind in KINDS)
        added = spread([with_it - without for with_it, without in zip(everything, nothing)])
        epoch = FULL_IMAGES / e["images"] * spread(nothing).median
        percent = 100 * added.median / epoch
        rows.append([e["key"], text(e, "everything", "training"), text(e, "nothing", "training"),
                     f"{added.median:+.2f} ({added.least:+.2f} to {added.greatest:+.2f})", f"{epoch:.0f}",
                     f"{percent:+.2f}", common.limit_text(percent, 100 * MOST_EVERYTHING), len(nothing)])
    return report.table(["network", "everything, s", "nothing, s", "it adds, s", "a full epoch, s", "share of it, %", "at most", "rounds"],
                        rows)


def steps_table(entries):
    rows = []
    for e in entries:
        seconds = [[s / e["steps"] for s in e["seconds"][name]] for name in ("measures", "nothing")]
        rows.append([e["key"], *(report.spread_text(spread(s)) for s in seconds), *share(*seconds, MOST_MEASURES), e["steps"]])
    return report.table(["network", "distances and statistics, s a step", "nothing, s a step", "they cost, %", "at most", "steps a turn"],
                        rows)


MEASURERS = {"peer": (measure_peer, peer_table, "Ours against PyTorch, everything recorded"),
             "recording": (measure_recording, recording_table, "What recording costs an epoch"),
             "steps": (measure_steps, steps_table, "What distances and gradient statistics cost a step")}


def render(results):
    return report.sections(results, MEASURERS)


def key_of(options, part, network):
    return key(options, network) if part == "peer" else peer.network_name(network)


def main():
    options = parse()
    common.program(options, "bench/train_worker")
    common.program(options, "resnet_study")
    versions = peer.prepare(options.venv) if "peer" in options.parts else []
    results = report.Results(options.out, "Whole epochs with recording", render, options.resume)
    results.session(options.program_dir, [*versions, ("threads of each side", str(options.threads))])
    failed = 0
    for part in options.parts:
        for network in common.networks(options):
            measure = functools.partial(MEASURERS[part][0], options, network, results.note)
            failed += results.measure(part, key_of(options, part, network), measure)
    results.finish()
    return failed


if __name__ == "__main__":
    common.end_with(main)
