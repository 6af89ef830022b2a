"""common.py: what the benchmarks' command lines share: lists, networks, our own worker, where results go."""
import argparse
import datetime
import math
import os
import shlex
import sys

import machine
import peer
from pairs import Worker

DEPTHS = [18, 26, 34, 50, 68, 101]
VARIANTS = ["plain", "residual"]
WIDTHS = ["even", "standard"]


def listed(allowed=None, kind=str):
    """A type for argparse: a list with commas, of what is allowed."""
    def parse(text):
        try:
            values = [kind(word) for word in text.split(",")]
        except ValueError:
            values = []
        if not values or any(v not in allowed if allowed else v < 1 for v in values):
            wanted = ", ".join(map(str, allowed)) if allowed else "numbers from 1"
            raise argparse.ArgumentTypeError(f'"{text}" is not a list of {wanted}, with commas')
        return values
    return parse


def at_least(least, kind=int):
    """A type for argparse: a number from `least` on."""
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not value >= least:
            raise argparse.ArgumentTypeError(f'"{text}" is not a number from {least}')
        return value
    return parse


def parser(description, name):
    """The options that all benchmarks have."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("program_dir", metavar="PROGRAM_DIR", help="build folder, as in build/release")
    made.add_argument("--rounds", type=at_least(1), default=5, metavar="N", help="counted rounds after one to warm up (%(default)s)")
    made.add_argument("--threads", type=at_least(1), default=machine.cores(), metavar="N", help="of each side (%(default)s)")
    made.add_argument("--ours", type=shlex.split, default=[], metavar="OPTIONS", help='more options for our side, as in --ours="--seed 2"')
    made.add_argument("--resume", action="store_true", help="go on with FILE.md: skip what is in it")
    made.add_argument("-o", dest="out", default=result_path(name), metavar="FILE.md", help="results, with FILE.jsonl beside (%(default)s)")
    return made


def add_networks(made, depths, variants, widths, batches):
    made.add_argument("--depths", type=listed(DEPTHS, int), default=depths, metavar="LIST", help=f"({','.join(map(str, depths))})")
    made.add_argument("--variants", type=listed(VARIANTS), default=variants, metavar="LIST", help=f"({','.join(variants)})")
    made.add_argument("--widths", type=listed(WIDTHS), default=widths, metavar="LIST", help=f"({','.join(widths)})")
    made.add_argument("--batches", type=listed(None, int), default=batches, metavar="LIST", help=f"({','.join(map(str, batches))})")


def add_device(made):
    made.add_argument("--device", default="cpu", metavar="D", help="of both sides: cpu, cuda, cuda:1 (%(default)s)")
    made.add_argument("--precision", default="f32", choices=["f32", "tf32"], help="of both sides, on a GPU (%(default)s)")


def add_venv(made):
    made.add_argument("--venv", default=peer.DEFAULT, metavar="DIR", help="PyTorch's environment; peer.py makes it, and the default one is made where it is missing (%(default)s)")


def networks(options):
    """Every network that the options ask for, the cheapest first."""
    on = (options.device, options.precision) if hasattr(options, "device") else ()
    return [peer.Network(depth, variant, width, batch, options.threads, *on) for width in options.widths for batch in options.batches
            for depth in options.depths for variant in options.variants]


def result_path(name):
    folder = os.path.join(machine.ROOT, "bench", "results")
    return os.path.join(folder, f"{datetime.date.today()}-{machine.name()}-{name}.md")


def program(options, name):
    """Path of one of our programs in the build folder."""
    path = os.path.abspath(os.path.join(options.program_dir, name))
    if not os.access(path, os.X_OK):
        sys.exit(f"{path}: no program there; give a build folder, after: cmake --preset release && cmake --build --preset release")
    return path


def our_worker(options, network, turn, turns, record="none", name="ours"):
    """Our worker, with data for its first step and that many turns within one epoch. A GPU begins up to eight more steps a turn."""
    ahead = 0 if network.device == "cpu" else 8 * (turns + 1)
    images = network.batch * (turn * turns + 2 + ahead)
    return Worker(name, [program(options, "bench/train_worker"), "--dataset", "shapes", "--record", record, "--train-limit", images,
                         *peer.network_options(network), *options.ours], turn=turn)


def our_pilot(options, network):
    """Seconds of one step after the first, and the memory they took."""
    worker = our_worker(options, network, 1, 1)
    try:
        worker.start()
        seconds = worker.train(1)
        return seconds, worker.stop()
    finally:
        worker.kill()


def steps_of_turn(options, seconds):
    """Steps that fill a turn, when one takes that many seconds."""
    return max(1, math.ceil(options.turn / seconds))


def add_turn(made):
    made.add_argument("--turn", type=at_least(0, float), default=0.5, metavar="S", help="seconds a turn takes at least (%(default)s)")


def end_with(main):
    """Exit status of a benchmark: 0 done, 1 something could not be measured; never because of speed."""
    try:
        sys.exit(1 if main() else 0)
    except KeyboardInterrupt:
        sys.exit("interrupted; --resume goes on")


def goal_text(value, goal):
    """Whether a ratio reaches a goal; what is no number does not."""
    return "no goal" if goal is None else f"{goal:g}: {'met' if value >= goal else 'missed'}"


def limit_text(value, limit):
    return f"{limit:g}: {'met' if value <= limit else 'missed'}"
