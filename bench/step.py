#!/usr/bin/env python3
"""The training step, ours against PyTorch at its best, network by network.

For each network PyTorch's settings (NCHW and NHWC, with glibc's malloc as it is and keeping its memory) run two steps each after
one to warm up, of which the faster counts; the best ones (--candidates) go on to rounds in turn with ours, and the fastest of them
by its median is what ours is compared with. A ratio is that of images/s within a round: median (least–greatest) over the rounds.
Both sides have the same number of threads, wait as they do by default, and record nothing. Where all would not fit in memory
together, each is started anew for its turn. The goals are printed beside; that one is missed is no error."""
import functools

import common
import machine
import peer
import report
from pairs import WorkerFailed, alternating, interleaved, ratios, spread

GOALS = {18: 2.0, 34: 2.0, 68: 2.0, 26: 1.6, 50: 1.6, 101: 1.6}  # even width only
ROOM = 0.9  # share of the free memory that the workers of a round may take together
HEADERS = ["network", "ours, images/s", "PyTorch, images/s", "ratio", "goal", "PyTorch's best setting", "peak GiB, ours",
           "peak GiB, PyTorch", "steps a turn"]


def parse():
    made = common.parser(__doc__, "step")
    common.add_networks(made, common.DEPTHS, common.VARIANTS, common.WIDTHS, [256, 1024])
    common.add_device(made)
    common.add_venv(made)
    made.add_argument("--steps", type=common.at_least(1), metavar="N", help="steps a turn (default: as many as take the turn's seconds)")
    common.add_turn(made)
    made.add_argument("--candidates", type=common.at_least(1), default=2, metavar="N",
                      help="settings that go on after the pilot (%(default)s)")
    made.add_argument("--apart", action="store_true", help="start each anew for its turn, also where all fit in memory together")
    made.add_argument("--compile", action="store_true", help="also PyTorch's best setting through torch.compile (needs gcc)")
    return made.parse_args()


def goal(network):
    return GOALS[network.depth] if network.width == "even" and network.device == "cpu" else None


def measure(options, network, note):
    """The entry of one network."""
    pilots = peer.pilots(options.venv, network, options.compile, note)
    if not pilots:
        raise WorkerFailed("no setting of PyTorch works")
    chosen = pilots[:options.candidates]
    our_seconds, our_peak = common.our_pilot(options, network)
    steps = options.steps or common.steps_of_turn(options, min(our_seconds, chosen[0].seconds))
    # What a GPU's memory holds together nobody says beforehand.
    fits = not options.apart and network.device == "cpu" and our_peak + sum(p.peak for p in chosen) < ROOM * machine.memory_available()
    ours = common.our_worker(options, network, steps, options.rounds + 1 if fits else 1)
    workers = [ours, *(peer.worker(options.venv, network, p.setting, steps) for p in chosen)]
    seconds = (interleaved if fits else alternating)(workers, options.rounds)
    best = min(workers[1:], key=lambda w: spread(seconds[w.name]).median)
    return dict(network=network._asdict(), steps=steps, apart=not fits, seconds=seconds, best=best.name,
                pilots={peer.setting_name(p.setting): [p.seconds, p.peak] for p in pilots},
                peaks={"ours": ours.peak, "best": best.peak})


def rates(entry, name):
    """Images/s of every round."""
    return [entry["network"]["batch"] * entry["steps"] / s for s in entry["seconds"][name]]


def cells(entry):
    network = peer.Network(**entry["network"])
    ours, best = rates(entry, "ours"), rates(entry, entry["best"])
    ratio = ratios(ours, best)
    return [peer.network_name(network), report.spread_text(spread(ours)), report.spread_text(spread(best)), report.spread_text(ratio),
            common.goal_text(ratio.median, goal(network)), entry["best"].replace("PyTorch ", ""),
            report.gibibytes(entry["peaks"]["ours"]), report.gibibytes(entry["peaks"]["best"]),
            f"{entry['steps']}{', started anew each turn' if entry['apart'] else ''}"]


def render(results):
    explained = " ".join(__doc__.split("\n\n")[1].split("\n"))
    return [explained, report.table(HEADERS, [cells(e) for e in results.of("step")])]


def main():
    options = parse()
    common.program(options, "bench/train_worker")
    versions = peer.prepare(options.venv)
    results = report.Results(options.out, "Training step, ours against PyTorch", render, options.resume)
    results.session(options.program_dir, [*versions, ("threads of each side", str(options.threads))])
    failed = sum(results.measure("step", peer.network_name(network), functools.partial(measure, options, network, results.note))
                 for network in common.networks(options))
    results.finish()
    return failed


if __name__ == "__main__":
    common.end_with(main)
