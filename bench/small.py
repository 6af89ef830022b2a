#!/usr/bin/env python3
"""The training step of the studies' small networks, ours against PyTorch at its best (eager).

For each network PyTorch's settings (NCHW and NHWC, the optimizer as it is and fused, with glibc's malloc as it is and keeping its
memory) run some steps each after one to warm up; the best ones (--candidates) go on to rounds in turn with ours, and the fastest of
them by its median is what ours is compared with. A ratio is that of steps/s within a round: median (least–greatest) over the rounds.
Both sides have the same number of threads and read the loss after every step; ours also normalises or copies each batch within its
time. Beside: the arithmetic of a step (two operations for each multiply-add of the direct algorithm) a second, and its share of the
peak, the highest rate of a large product or convolution in the same run, through our operators or PyTorch's: convolution for
networks that have any, else product. The goal is a ratio, or 70% of that peak where it is less; that one is missed is no error."""
import collections
import functools
import itertools
import os
import subprocess

import common
import peer
import report
from pairs import Worker, WorkerFailed, interleaved, ratios, spread

GOALS = {"function-fit": 5.0, "baseline-net": 3.0, "mnist-cnn-b": 3.0, "isolation-nn": 3.0, "isolation-cnn": 3.0}
PEAKS = {"baseline-net": "convolution", "mnist-cnn-b": "convolution", "isolation-nn": "gemm", "isolation-cnn": "convolution"}
SHARE = 0.7
PILOT_STEPS = 20
HEADERS = ["network", "ours, steps/s", "PyTorch, steps/s", "ratio", "ours, GFLOP/s", "of peak", "goal", "PyTorch's best setting",
           "steps a turn"]
PEAK_HEADERS = ["peak", "GFLOP/s", "of", "size", "pass"]
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


def lines_of(command, name):
    """The words of what a program prints, line by line; WorkerFailed where it fails."""
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    except OSError as problem:
        raise WorkerFailed(f"{name}: {problem}") from problem
    if done.returncode != 0:
        raise WorkerFailed(f"{name} ended with {done.returncode}: {done.stderr.strip()}")
    return [line.split() for line in done.stdout.splitlines()]


def measure_peaks(options):
    """The entry of the peaks: of every kind the highest rate, and where it was found."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pytorch_peaks.py")
    same = ["--threads", options.threads, "--rounds", options.rounds]
    sides = {"ours": [common.program(options, "bench/peaks"), *same], "PyTorch": [peer.python_of(options.venv), script, *same]}
    found = {}
    for side, command in sides.items():
        for kind, size, passed, rate in lines_of(command, side):
            if not float(rate) > 0:
                raise WorkerFailed(f"{side}: {kind} {size} {passed}: {rate}")
            if kind not in found or float(rate) > found[kind][0]:
                found[kind] = (float(rate), side, size, passed)
    if set(found) != set(PEAKS.values()):
        raise WorkerFailed(f"no peaks in {found}")
    return dict(found=found)


def operations_of(options, network):
    """Of one step."""
    (name, count), = lines_of([common.program(options, "bench/small_worker"), network, "operations"], "operations")
    if name != "operations":
        raise WorkerFailed(f"{network}: {name} {count}")
    return float(count)


def measure(options, network, note):
    """The entry of one network."""
    found = pilots(options, network, note)
    steps = options.steps or common.steps_of_turn(options, min(pilot(our_worker(options, network)), found[0][0]))
    theirs = [their_worker(options, network, setting, steps) for _, setting in found[:options.candidates]]
    seconds = interleaved([our_worker(options, network, steps), *theirs], options.rounds)
    best = min(theirs, key=lambda w: spread(seconds[w.name]).median)
    return dict(network=network, steps=steps, operations=operations_of(options, network), seconds=seconds, best=best.name,
                pilots={setting_name(setting): took for took, setting in found})


def peak_of(results, network):
    """GFLOP/s that the network's rate is a share of; None where none was measured."""
    peaks = results.of("peaks")
    return peaks[-1]["found"][PEAKS[network]][0] if peaks and network in PEAKS else None


def goal(entry, ours, ratio, peak):
    """Whether the ratio or the share of the peak is reached."""
    wanted, share = GOALS[entry["network"]], ours * entry["operations"] / 1e9 / peak if peak else 0.0
    text = f"{wanted:g}" + (f" or {100 * SHARE:.0f}%" if peak else "")
    return f"{text}: {'met' if ratio >= wanted or share >= SHARE else 'missed'}", f"{100 * share:.0f}%" if peak else "-"


def cells(results, entry):
    ours, best = ([entry["steps"] / s for s in entry["seconds"][name]] for name in ("ours", entry["best"]))
    ratio = ratios(ours, best)
    reached, share = goal(entry, spread(ours).median, ratio.median, peak_of(results, entry["network"]))
    rates = [rate * entry["operations"] / 1e9 for rate in ours]
    return [entry["network"], report.spread_text(spread(ours)), report.spread_text(spread(best)), report.spread_text(ratio),
            report.spread_text(spread(rates)), share, reached, entry["best"].replace("PyTorch ", ""), entry["steps"]]


def render(results):
    explained = " ".join(__doc__.split("\n\n")[1].split("\n"))
    peaks = [[kind, report.figures(rate), side, size, passed] for entry in results.of("peaks")
             for kind, (rate, side, size, passed) in entry["found"].items()]
    return [explained, report.table(PEAK_HEADERS, peaks), report.table(HEADERS, [cells(results, e) for e in results.of("small")])]


def main():
    options = parse()
    common.program(options, "bench/small_worker")
    versions = peer.prepare(options.venv)
    results = report.Results(options.out, "Small networks, ours against PyTorch", render, options.resume)
    results.session(options.program_dir, [*versions, ("threads of each side", str(options.threads))])
    failed = results.measure("peaks", "peaks", functools.partial(measure_peaks, options))
    failed += sum(results.measure("small", network, functools.partial(measure, options, network, results.note))
                 for network in options.networks)
    results.finish()
    return failed


if __name__ == "__main__":
    common.end_with(main)
