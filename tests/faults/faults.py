"""faults.py: what the tests of this folder share: runs of every study family small enough to be cut off hundreds of times, and the
program under fault.c.

Each test is a script: `python3 test_X.py PROGRAM LIBRARY [MORE]`. RS_FAULT_SEED repeats what was drawn at random."""
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "cli"))
import program  # noqa: E402

h5py = program.need_h5py()
if len(sys.argv) < 3:
    sys.exit(__doc__)
LIBRARY = os.path.abspath(sys.argv[2])
SEED = int(os.environ.get("RS_FAULT_SEED", random.SystemRandom().randrange(10**9)))
DRAW = random.Random(SEED)
SANITIZED = "librs_fault" in LIBRARY and b"__asan_init" in open(sys.argv[1], "rb").read()

NETWORK = """layers:
  - {convolution: 4, kernel: 3, padding: 1, stride: 4, bias: false, name: conv1}
  - batch_norm
  - relu
  - block: body
    layers:
      - {convolution: 4, kernel: 3, padding: 1}
      - {add: block_input}
      - relu
  - max_pool: 2
  - dropout: 0.3
  - {linear: 8, name: hidden}
  - tanh
  - linear: classes
"""
IMAGES = ["--network", "net.yaml", "--dataset", "shapes", "--train-limit", "96", "--test-limit", "32", "--batch-size", "32",
          "--learning-rate", "0.01"]
FIT = ["--network", "mlp-fit-8x7", "--dataset", "function", "--function", "sin-log", "--function-samples", "96", "--function-valid", "24",
       "--batch-size", "32", "--learning-rate", "0.01"]
ALWAYS = ["--commit-every", "0", "--threads", "1", "--quiet"]
EVERYTHING = ["--record", "weights,gradients,distances,gradient-stats,layer-losses,layer-outputs"]

# One run of each family of studies, without where it goes. warm.h5 is a run that warm starts begin from.
FAMILIES = {
    "resnet": ["--depth", "18", "--blocks", "1,1,1,1", "--dataset", "shapes", "--train-limit", "32", "--test-limit", "16",
               "--batch-size", "16", "--epochs", "3"],
    "standard": [*IMAGES, "--epochs", "10", EVERYTHING[0], EVERYTHING[1] + ",sensitivity"],
    "isolation": [*IMAGES, "--epochs", "8", "--isolate", "target", "--isolate-from", "4", "--freeze", "conv1", "--freeze-from", "2",
                  *EVERYTHING],
    "classifiers": [*IMAGES, "--epochs", "8", "--isolate", "classifier", "--isolate-from", "3"],
    "layer-loss": [*IMAGES, "--epochs", "8", "--layer-loss", "exponential", *EVERYTHING],
    "regression": [*FIT, "--epochs", "60", "--stop-change", "3e-3", "--stop-change-from", "12"],
    "dropout": [*IMAGES, "--epochs", "8", "--dropout", "0.6", "--optimizer", "sgd", "--momentum", "0.9", "--nesterov"],
    "schedule": [*FIT, "--epochs", "24", "--schedule", "cosine-restarts", "--optimizer", "adamw", "--weight-decay", "0.1",
                 "--clip-norm", "0.5"],
    "augmentation": [*IMAGES, "--epochs", "8", "--augment", "flip,crop:4,rotate:10,jitter:0.2", "--random-labels", "0.2",
                     "--valid-split", "16"],
    "warm-start": [*IMAGES, "--epochs", "8", "--init-from", "warm.h5", "--init-optimizer", "--reinitialize", "hidden"],
    "snapshots": [*FIT, "--epochs", "24", "--snapshots", "epochs:0,7;steps:1..64*2", "--gradient", "last",
                  "--metric", "minkowski:1,cosine,chebyshev"],
    "reference": [*IMAGES, "--epochs", "4", "--device", "ref", "--isolate", "none", "--isolate-from", "2"],
    "reference-fit": [*FIT, "--epochs", "24", "--device", "ref", "--schedule", "step", "--schedule-step", "5"],
}
STAGES = """study: stages
settings: {network: mlp-fit-8x7, dataset: function, function: sin-log, function-samples: 96, function-valid: 24, batch-size: 32,
           learning-rate: 0.01, commit-every: 0, threads: 1, device: cpu}
stages:
  - {name: before, epochs: 16}
  - {name: after, epochs: 12, seed: 5, init-optimizer: true}
  - {name: sizes, epochs: 6, series: {batch-size: [16, 48]}}
seeds: [1, 2]
"""


def family(name):
    arguments = [*FAMILIES[name], *ALWAYS]
    return arguments if "--device" in arguments else [*arguments, "--device", program.DEVICE]


class Program(program.Program):
    """The program in a folder with what the families need; `faulty` runs it under a planned fault."""

    def __init__(self):
        super().__init__()
        for name, text in (("net.yaml", NETWORK), ("stages.yaml", STAGES)):
            with open(self.file(name), "w", encoding="utf-8") as f:
                f.write(text)

    def warm(self):
        if not os.path.exists(self.file("warm.h5")):
            self.run(*IMAGES, "--epochs", "2", *ALWAYS, "--device", program.DEVICE, "--out", "warm.h5")

    def environment(self, plan, **settings):
        preloaded = ":".join(filter(None, (LIBRARY, self.env.get("LD_PRELOAD"))))  # the stand-in for a GPU behind ours
        env = dict(self.env, LD_PRELOAD=preloaded, RS_FAULT=plan, **settings)
        if SANITIZED:
            env["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=1:exitcode=97"
            env["LSAN_OPTIONS"] = f"suppressions={os.path.dirname(os.path.abspath(__file__))}/leaks.supp:print_suppressions=0"
        return env

    def faulty(self, plan, *arguments, inside="", timeout=120, **settings):
        """What came of it; .fired: whether the fault took place; .words: what the program said."""
        done = subprocess.run([self.path, *arguments], cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, errors="replace", check=False, timeout=timeout,
                              env=self.environment(plan, RS_FAULT_IN=inside or self.dir, **settings))
        lines = done.stderr.splitlines()
        assert done.returncode != 99, done.stderr
        done.fired = [line for line in lines if line.startswith("fault: ")]
        done.words = "\n".join(line for line in lines if not line.startswith("fault: "))
        return done

    def totals(self, *arguments, inside="", expect=0, **settings):
        """How many calls of each kind an undisturbed run makes, {kind: number}."""
        done = self.faulty("", *arguments, inside=inside, RS_FAULT_TOTALS=self.file("totals"), **settings)
        assert done.returncode == expect, (arguments, done.returncode, done.stderr)
        with open(self.file("totals"), encoding="utf-8") as f:
            return {kind: int(number) for kind, number in (line.split() for line in f)}


def covered(path):
    """What the last commit of a record covers: {data set: bytes of those rows}; also of a file that nobody closed."""
    found = {}
    with h5py.File(path, "r", libver="latest", swmr=True) as f:
        if f["commits/step"].shape[0] == 0:
            return found
        last = {k: int(f["commits/" + k][-1]) for k in ("step", "epoch", "snapshots")}
        rows = {"steps": last["step"], "epochs": last["epoch"], "snapshots": last["snapshots"], "weights": last["snapshots"],
                "gradients": last["snapshots"]}

        def take(name, item):
            top = name.split("/")[0]
            if isinstance(item, h5py.Dataset) and top in rows and not name.endswith("_seconds"):
                assert item.shape[0] >= rows[top], f"{name}: {item.shape[0]} rows, {rows[top]} are committed"
                found[name] = item[:rows[top]].tobytes()
        f.visititems(take)
    return found


def check_committed(path, whole):
    """Every row that a commit covers is, byte for byte, that of the run that nothing disturbed. Returns the bytes compared."""
    if not os.path.exists(path):
        return 0
    parts = covered(path)
    for name, part in parts.items():
        assert part == whole[name][:len(part)], f"{os.path.basename(path)}: {name}: a committed row is not what was recorded"
    return sum(len(part) for part in parts.values())


def spread(total, most):
    """At most so many of 1 .. total, evenly, the first and the last among them; a single one is late."""
    if total <= most:
        return list(range(1, total + 1))
    return sorted({1 + round(i * (total - 1) / (most - 1)) for i in range(most)}) if most > 1 else [1 + total * 3 // 4]


def main(tests, only=""):
    """`only`: names of tests without test_, with commas."""
    wanted = ["test_" + name.replace("-", "_") for name in only.split(",") if name]
    unknown = set(wanted) - {test.__name__ for test in tests}
    assert not unknown, f"there are no such tests: {unknown}"
    tests = [test for test in tests if not wanted or test.__name__ in wanted]
    program.Program = Program
    print(f"seed {SEED}")
    program.main(tests)
