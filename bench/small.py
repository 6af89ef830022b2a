#!/usr/bin/env python3
"""The training step of the studies' small networks, ours against PyTorch at its best (eager).

For each network PyTorch's settings (NCHW and NHWC, the optimizer as it is and fused, with glibc's malloc as it is and keeping its
memory) run some steps each after one to warm up; the best ones (--candidates) go on to rounds in turn with ours, and the fastest of
them by its median is what ours is compared with. A ratio is that of steps/s within a round: median (least–greatest) over the rounds.
Both sides have the same number of threads and read the loss after every step; ours also normalises or copies each batch within its
time. The goals are printed beside; that one is missed is no error."""
import collections
import functools
import itertools
import os

import common
import peer
import report
from pairs import Worker, WorkerFailed, interleaved, ratios, spread

GOALS = {"function-fit": 5.0, "baseline-net": 3.0, "mnist-cnn-b": 3.0, "isolation-nn": 3.0, "isolation-cnn": 3.0}
PILOT_STEPS = 20
HEADERS = ["network", "ours, steps/s", "PyTorch, steps/s", "ratio", "goal", "PyTorch's best setting", "steps a turn"]
Setting = collections.namedtuple("Setting", "layout fused keeps")


def parse():
    made = common.parser(__doc__, "small")
    made.add_argument("--networks", type=common.listed(list(GOALS)), default=list(GOALS), metavar="LIST", help=f"({','.join(GOALS)})")
    common.add_venv(made)
    made.add_argument("--steps", type=common.at_least(1), metavar="N", help="steps a turn (default: as many as take the turn's seconds)")
    common.add_turn(made)
    made.add_argument("--candidates", type=common.at_least(1), default=2, metavar="N", help="settings that go on after the pilot (%(default)s)")
    return made.parse_args()


def settings(network):
    """All of the network's: layouts are for images."""
    layouts = ["nchw"] if network in ("function-fit", "isolation-nn") else ["nchw", "nhwc"]
    return [Setting(*s) for s in itertools.product(layouts, (False, True), (False, True))]


def setting_name(setting):
    return " ".join(["PyTorch", setting.layout.upper(), *["fused"] * setting.fused, *["malloc keeps"] * setting.keeps])


def their_worker(options, network, setting, turn=1):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pytorch_small.py")
    command = [peer.python_of(options.venv), script, network, "--threads", options.threads, "--layout", setting.layout]
    return Worker(setting_name(setting), [*command, *["--fused"] * setting.fused], peer.environment(setting), turn)


def our_worker(options, network, turn=1):
    return Worker("ours", [common.program(options, "bench/small_worker"), network, options.threads, *options.ours], turn=turn)


def pilot(worker):
    """Seconds of one step: the faster of two turns."""
    try:
        worker.start()
        seconds = min(worker.train(PILOT_STEPS) for _ in range(2)) / PILOT_STEPS
        worker.stop()
        return seconds
    finally:
        worker.kill()


def pilots(options, network, note):
    """[(seconds, setting)] of every setting that works, fastest first."""
    found = []
    for setting in settings(network):
        try:
            found.append((pilot(their_worker(options, network, setting)), setting))
        except WorkerFailed as problem:
            note(f"{network}: {problem}")
    if not found:
        raise WorkerFailed("no setting of PyTorch works")
    return sorted(found)


def measure(options, network, note):
    """The entry of one network."""
    found = pilots(options, network, note)
    steps = options.steps or common.steps_of_turn(options, min(pilot(our_worker(options, network)), found[0][0]))
    theirs = [their_worker(options, network, setting, steps) for _, setting in found[:options.candidates]]
    seconds = interleaved([our_worker(options, network, steps), *theirs], options.rounds)
    best = min(theirs, key=lambda w: spread(seconds[w.name]).median)
    return dict(network=network, steps=steps, seconds=seconds, best=best.name,
                pilots={setting_name(setting): took for took, setting in found})


def cells(entry):
    ours, best = ([entry["steps"] / s for s in entry["seconds"][name]] for name in ("ours", entry["best"]))
    ratio = ratios(ours, best)
    return [entry["network"], report.spread_text(spread(ours)), report.spread_text(spread(best)), report.spread_text(ratio),
            common.goal_text(ratio.median, GOALS[entry["network"]]), entry["best"].replace("PyTorch ", ""), entry["steps"]]


def render(results):
    explained = " ".join(__doc__.split("\n\n")[1].split("\n"))
    return [explained, report.table(HEADERS, [cells(e) for e in results.of("small")])]


def main():
    options = parse()
    common.program(options, "bench/small_worker")
    versions = peer.prepare(options.venv)
    results = report.Results(options.out, "Small networks, ours against PyTorch", render, options.resume)
    results.session(options.program_dir, [*versions, ("threads of each side", str(options.threads))])
    failed = sum(results.measure("small", network, functools.partial(measure, options, network, results.note))
                 for network in options.networks)
    results.finish()
    return failed


if __name__ == "__main__":
    common.end_with(main)
