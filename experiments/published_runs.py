"""Finished runs of minkowski_even.yaml on CIFAR-10, read for the comparison with the published figures.

A record of other settings, unfinished or without distances is refused: NotSuchARecord says what to do."""
import os
from dataclasses import dataclass, field

import published_figures as figures
from record_file import config, need, text

h5py, np = need("h5py", "numpy")

EPOCHS, STEPS = 5, 245  # 49 steps an epoch
SETTINGS = {**figures.SETTINGS, "epochs": EPOCHS, "test-limit": 0}
METRIC = "minkowski:1"
METRICS = ("train_loss", "valid_loss", "train_accuracy", "valid_accuracy")
DISTANCES = ("initial", "previous")
PUBLISHED_STEPS = slice(0, -1)     # the published series begin with the first step and leave out the last
WITHOUT_FIRST_STEP = slice(1, -1)  # PyTorch's plain run has no first step in its distances to the previous state


class NotSuchARecord(Exception):
    """The message says what is wrong with which file."""


@dataclass
class Run:
    """What is compared of one record, or the mean over several."""
    name: str                                    # the seed, or "mean of N"
    source: str = ""                             # where it comes from, for the table of runs
    first_step: object = None                    # [block]
    medians: dict = field(default_factory=dict)  # (initial or previous, first step taken in) -> [block]
    last_step_matters: dict = field(default_factory=dict)  # initial or previous -> largest relative change of a median
    epochs: dict = field(default_factory=dict)   # of METRICS -> [epoch]


def title(network):
    return f"ResNet-{network[0]} {network[1]}"


def demand(condition, path, message):
    if not condition:
        raise NotSuchARecord(f"{path}: {message}")


def network_of(path, record):
    """(depth, variant), once the record is known to be of a finished run at the published settings."""
    options = config(record)
    wrong = figures.wrong_settings(options, SETTINGS)
    demand(not wrong, path, f"not the published settings: {'; '.join(wrong)}")
    depth, plain = options.get("depth"), options.get("plain")
    demand(depth in map(str, figures.BLOCKS), path, f"depth is {depth}; figures were published of 18 and 68")
    demand(plain in ("true", "false"), path, f"plain is {plain}, must be true or false")
    state = text(record["state"][()])
    demand(state == "done", path, f"the run is {state}, not done; go on with it first: the same command with --resume")
    counts = len(record["epochs/train_loss"]), len(record["steps/loss"])
    demand(counts == (EPOCHS, STEPS), path, f"{counts[0]} epochs of {counts[1]} steps in all, must be {EPOCHS} and {STEPS}")
    return int(depth), "plain" if plain == "true" else "residual"


def read_distances(path, record, to, blocks):
    name = f"steps/distance_to_{to}/{METRIC}"
    demand(name in record, path, f"holds no {name}; it needs --record distances and --metric {METRIC}")
    values = record[name][()]
    demand(values.shape == (STEPS, blocks), path, f"{name} is {values.shape}, must be {(STEPS, blocks)}")
    return values


def run_name(options):
    own = [f"{key[5:]} {options[key]}" for key in ("seed-init", "seed-order") if options.get(key, "-1") != "-1"]
    return ", ".join([str(options.get("seed"))] + own)


def run_source(path, record, options):
    attributes = {key: text(value) for key, value in record.attrs.items()}
    described = [attributes.get(key, "") for key in ("commit", "device", "libraries")]
    resumed = attributes.get("resumed", "0")
    return " | ".join([f"`{os.path.basename(path)}`", *described, options.get("precision", ""), attributes.get("threads", ""), resumed])


def change(values, others):
    """Largest relative difference, NaN if any is."""
    with np.errstate(all="ignore"):
        return float(np.max(np.abs(values / others - 1)))


def read_run(path, record, network):
    options = config(record)
    weights = [int(n) for n in record["blocks/weights"][()]]
    wanted = figures.weights_per_block(*network)
    demand(weights == wanted, path, f"weights per block are {weights}, must be {wanted}")
    run = Run(run_name(options), run_source(path, record, options))
    for to in DISTANCES:
        series = read_distances(path, record, to, len(wanted))
        run.medians[to, True] = np.median(series[PUBLISHED_STEPS], axis=0)
        run.medians[to, False] = np.median(series[WITHOUT_FIRST_STEP], axis=0)
        run.last_step_matters[to] = change(np.median(series, axis=0), run.medians[to, True])
        if to == "initial":
            run.first_step = series[0]
    run.epochs = {name: record[f"epochs/{name}"][()] for name in METRICS}
    return run


def read(path):
    """(network, run) of one record."""
    try:
        with h5py.File(path, "r") as record:
            network = network_of(path, record)
            return network, read_run(path, record, network)
    except (OSError, KeyError) as error:
        if "already open" in str(error):
            raise NotSuchARecord(f"{path}: a run writes it, or was killed: finish it with --resume, or leave it out") from error
        raise NotSuchARecord(f"{path}: no readable record of a finished run: {error}") from error


def read_all(paths):
    """{network: [run, ...]}, networks by depth, runs by seed."""
    networks = {}
    for path in paths:
        network, run = read(path)
        runs = networks.setdefault(network, [])
        demand(run.name not in [r.name for r in runs], path, f"seed {run.name} of {title(network)} is given twice")
        runs.append(run)
    for runs in networks.values():
        runs.sort(key=lambda r: (len(r.name), r.name))
    return dict(sorted(networks.items()))


def mean_run(runs):
    """The runs' mean, value by value; their one run where there is no more."""
    mean = Run(f"mean of {len(runs)}")
    mean.first_step = np.mean([r.first_step for r in runs], axis=0)
    mean.medians = {key: np.mean([r.medians[key] for r in runs], axis=0) for key in runs[0].medians}
    mean.epochs = {key: np.mean([r.epochs[key] for r in runs], axis=0) for key in METRICS}
    return mean
