#!/usr/bin/env python3
"""How our time grows, without anybody to compare with.

depth      milliseconds an image at each depth of a family (18, 34, 68 and 26, 50, 101) against the network's operations, and how far
           the farthest lies from the straight line through all: the rest beside convolutions grows with them, or it shows
batch      milliseconds an image against the batch size
start-up   from the loaded data to the end of the first step, less what a later step takes: planning, initial weights, first use. A
           difference of two steps, so at great depth, where a step takes seconds, no surer than they are alike
memory     bytes that the plan takes for activations, with --memory fast and lean; nothing is trained
load       throughput beside a process per core that keeps it busy, as a share of the quiet one; turns alternate

Figures are medians (least–greatest) over rounds in turn."""
import functools
import os
import re
import subprocess
import tempfile
import time

import common
import machine
import peer
import report
from pairs import Worker, WorkerFailed, interleaved, ratios, spread

PARTS = ["depth", "batch", "start-up", "load", "memory"]
FAMILIES = {"basic blocks": [18, 34, 68], "bottlenecks": [26, 50, 101]}
LEAST_SHARE, MOST_START = 0.4, 1.0
SETTLE = 0.3  # seconds that busy processes get before they count


def parse():
    made = common.parser(__doc__, "scaling")
    made.add_argument("--parts", type=common.listed(PARTS), default=PARTS, metavar="LIST", help=f"({','.join(PARTS)})")
    made.add_argument("--depths", type=common.listed(common.DEPTHS, int), default=common.DEPTHS, metavar="LIST",
                      help="of depth and start-up (all)")
    made.add_argument("--variants", type=common.listed(common.VARIANTS), default=common.VARIANTS, metavar="LIST", help="(both)")
    made.add_argument("--width", choices=common.WIDTHS, default="even", help="(%(default)s)")
    made.add_argument("--batch-size", type=common.at_least(1), default=256, metavar="N", help="where it is not what varies (%(default)s)")
    made.add_argument("--batches", type=common.listed(None, int), default=[64, 128, 256, 512, 1024], metavar="LIST",
                      help="of batch, with ResNet-18 (64 to 1024)")
    common.add_turn(made)
    return made.parse_args()


def network_of(options, depth, variant, batch=None):
    return peer.Network(depth, variant, options.width, batch or options.batch_size, options.threads)


def in_plan(options, network, pattern, *more):
    """Groups of a pattern in what the program prints of its plan."""
    with tempfile.TemporaryDirectory(prefix="resnet_study_bench.") as folder:
        command = [common.program(options, "resnet_study"), "--dataset", "shapes", *peer.network_options(network), "--train-limit",
                   network.batch, "--test-limit", network.batch, "--epochs", "0", "--record", "none", "--snapshots", "none", "--verbose",
                   "--out", os.path.join(folder, "run.h5"), *options.ours, *more]
        done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    found = re.search(pattern, done.stdout)
    if done.returncode != 0 or not found:
        raise WorkerFailed(f"{peer.network_name(network)}: not in the plan: {pattern}: {done.stderr.strip()}")
    return found.groups()


def operations(options, network):
    """GFLOP of one image's training step, about, as the program's plan says them."""
    return float(in_plan(options, network._replace(batch=8), r"about ([0-9.]+) in training")[0])


def timed(options, networks):
    """{network: seconds an image, each round}, the networks in turn."""
    workers = []
    for network in networks:
        steps = common.steps_of_turn(options, common.our_pilot(options, network)[0])
        workers.append(common.our_worker(options, network, steps, options.rounds + 1, name=peer.network_name(network)))
    seconds = interleaved(workers, options.rounds)
    return {w.name: [s / (w.turn * n.batch) for s in seconds[w.name]] for w, n in zip(workers, networks)}


def line(points):
    """Slope, intercept and the largest relative distance of a point from the line of least squares."""
    count = len(points)
    x_mean, y_mean = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    square = sum((x - x_mean) ** 2 for x, _ in points)
    if count < 2 or square == 0:
        raise ValueError("a line needs two different points")
    slope = sum((x - x_mean) * (y - y_mean) for x, y in points) / square
    intercept = y_mean - slope * x_mean
    return slope, intercept, max(abs(y / (slope * x + intercept) - 1) for x, y in points)


def measure_depth(options, task):
    """One family, one variant."""
    networks = [network_of(options, depth, task["variant"]) for depth in task["depths"]]
    return dict(seconds=timed(options, networks), gflop={peer.network_name(n): operations(options, n) for n in networks})


def measure_batch(options, task):
    return dict(seconds=timed(options, [network_of(options, 18, task["variant"], batch) for batch in options.batches]))


def measure_start(options, task):
    network = network_of(options, task["depth"], task["variant"])
    found = []
    for _ in range(options.rounds):
        worker = common.our_worker(options, network, 1, 3)
        try:
            ready = worker.start()
            found.append([ready, spread([worker.train(1) for _ in range(3)]).median])
            worker.stop()
        finally:
            worker.kill()
    return dict(starts=found)


class LoadedWorker(Worker):
    """The same process as another worker, with every core kept busy by somebody else meanwhile."""

    def __init__(self, quiet):
        super().__init__("loaded", quiet.command, turn=quiet.turn)

    def train(self, steps):
        busy = [subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"]) for _ in range(machine.cores())]
        try:
            time.sleep(SETTLE)
            return super().train(steps)
        finally:
            for process in busy:
                process.kill()
                process.wait()


def measure_load(options, task):
    network = network_of(options, 18, task["variant"])
    steps = common.steps_of_turn(options, common.our_pilot(options, network)[0])
    quiet = common.our_worker(options, network, steps, options.rounds + 1, name="quiet")
    seconds = interleaved([quiet, LoadedWorker(quiet)], options.rounds)
    return dict(rates={name: [network.batch * steps / s for s in found] for name, found in seconds.items()})


def measure_memory(options, task):
    """Activations' bytes by --memory, in GiB."""
    network, gib = network_of(options, task["depth"], task["variant"]), {"GiB": 1, "MiB": 2.0**-10, "KiB": 2.0**-20}
    found = {}
    for choice in ("fast", "lean"):
        number, unit = in_plan(options, network, r"\n  activations +([0-9.]+) (\w+)\n", "--memory", choice)
        found[choice] = float(number) * gib[unit]
    return found


def tasks(options):
    """(part, name, what it needs to know) of all that is to be measured."""
    suffix = f"{options.width}, batch {options.batch_size}"
    for variant in options.variants:
        for family, depths in FAMILIES.items():
            if len(chosen := [d for d in depths if d in options.depths]) > 1:
                yield "depth", f"{family}, {variant}, {suffix}", dict(variant=variant, depths=chosen)
        yield "batch", f"ResNet-18 {variant}, {options.width}", dict(variant=variant)
        for depth in options.depths:
            yield "start-up", f"ResNet-{depth} {variant}, {suffix}", dict(variant=variant, depth=depth)
        yield "load", f"ResNet-18 {variant}, {suffix}", dict(variant=variant)
        for depth in options.depths:
            yield "memory", f"ResNet-{depth} {variant}, {suffix}", dict(variant=variant, depth=depth)


def milliseconds(seconds):
    return report.spread_text(spread([1e3 * s for s in seconds]))


def depth_table(entries):
    rows = []
    for e in entries:
        points = [(e["gflop"][name], spread(seconds).median) for name, seconds in e["seconds"].items()]
        slope, intercept, worst = line(points)
        times = "; ".join(f"{name.split(' ')[0]}: {milliseconds(seconds)}" for name, seconds in e["seconds"].items())
        rows.append([e["key"], times, ", ".join(report.figures(x) for x, _ in points), f"{report.figures(1e3 * slope)} ms a GFLOP",
                     f"{1e3 * intercept:.3f} ms", f"{100 * worst:.1f}%"])
    return report.table(["networks", "ms an image", "GFLOP an image", "slope", "at 0 GFLOP", "farthest from the line"], rows)


def batch_table(entries):
    rows = [[name, milliseconds(seconds)] for e in entries for name, seconds in e["seconds"].items()]
    return report.table(["network", "ms an image"], rows)


def start_table(entries):
    rows = []
    for e in entries:
        start = spread([ready - step for ready, step in e["starts"]])
        rows.append([e["key"], report.spread_text(start), common.limit_text(start.median, MOST_START),
                     report.spread_text(spread([step for _, step in e["starts"]]))])
    return report.table(["network", "start-up, s", "at most", "a step, s"], rows)


def load_table(entries):
    rows = []
    for e in entries:
        share = ratios(e["rates"]["loaded"], e["rates"]["quiet"])
        rows.append([e["key"], *(report.spread_text(spread(e["rates"][name])) for name in ("quiet", "loaded")), report.spread_text(share),
                     common.goal_text(share.median, LEAST_SHARE)])
    return report.table(["network", "quiet, images/s", "beside a busy process on every core, images/s", "share", "goal"], rows)


def memory_table(entries):
    rows = [[e["key"], f"{e['fast']:.3f}", f"{e['lean']:.3f}", f"{100 * e['lean'] / e['fast']:.0f}%"] for e in entries]
    return report.table(["network", "activations, fast, GiB", "lean, GiB", "share"], rows)


MEASURERS = {"depth": (measure_depth, depth_table, "Time against depth"), "batch": (measure_batch, batch_table, "Time against batch size"),
             "start-up": (measure_start, start_table, "Start-up"), "load": (measure_load, load_table, "Under load"),
             "memory": (measure_memory, memory_table, "Activations by --memory")}


def render(results):
    return report.sections(results, MEASURERS)


def main():
    options = parse()
    common.program(options, "bench/train_worker")
    common.program(options, "resnet_study")
    results = report.Results(options.out, "Time against depth and batch size, start-up, under load", render, options.resume)
    results.session(options.program_dir, [("threads", str(options.threads))])
    failed = 0
    for part, name, task in tasks(options):
        if part in options.parts:
            failed += results.measure(part, name, functools.partial(MEASURERS[part][0], options, task))
    results.finish()
    return failed


if __name__ == "__main__":
    common.end_with(main)
