"""Tests experiments/compare_published.py (and compare_reference.py) on small made-up records: series made from the published figures
pass, and every bound notices what is planted against it, NaN included. Skipped without h5py."""
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = os.path.join(HERE, "..", "..", "experiments", "compare_published.py")
sys.path.insert(0, os.path.dirname(SCRIPT))
from record_file import need  # noqa: E402

h5py, np = need("h5py", "numpy")
import compare_published  # noqa: E402
import compare_reference as reference  # noqa: E402
import published_figures as figures  # noqa: E402
from published_checks import PYTORCH_BOUND  # noqa: E402
from published_runs import METRICS, SETTINGS, STEPS, title  # noqa: E402

LAST = STEPS - 1
INITIAL, PREVIOUS = ("initial", "previous")
NETWORKS = [(18, "plain"), (18, "residual"), (68, "plain"), (68, "residual")]
P18, R18, P68, R68 = NETWORKS


class Fake:
    """A record's contents; tests change what they are about before it is written."""

    def __init__(self, network, seed=1):
        depth, variant = network
        self.network = network
        self.weights = figures.weights_per_block(depth, variant)
        self.options = {**SETTINGS, "depth": depth, "plain": "true" if variant == "plain" else "false", "seed": seed,
                        "seed-init": -1, "seed-order": -1, "metric": '"minkowski:1"', "precision": "f32"}
        self.medians = {to: self.between(to) for to in (INITIAL, PREVIOUS)}
        self.series = {to: self.make_series(to) for to in (INITIAL, PREVIOUS)}
        self.epochs = {name: np.array(figures.epochs("published", depth, variant, name)) for name in METRICS}
        self.state = "done"
        self.leave_out = ()

    def between(self, to):
        """The published medians; of depth 18 halfway to PyTorch's, to be within the bounds of both."""
        theirs = np.array(figures.distances("published", *self.network, to, "median"))
        return np.sqrt(theirs * figures.distances("pytorch", *self.network, to, "median")) if self.network[0] == 18 else theirs

    def make_series(self, to):
        series = np.tile(self.medians[to], (STEPS, 1))
        series[0] = 1e-3 * np.array(self.weights)
        return series

    def scale(self, to, block, factor):
        """All of a block's distances but those after the first step."""
        self.series[to][1:, block - 1] *= factor
        return self

    def set_median(self, to, block, value):
        self.series[to][1:, block - 1] = value
        return self

    def write(self, path):
        with h5py.File(path, "w") as f:
            f["config"] = "\n".join(f"{key}: {value}" for key, value in self.options.items()).encode()
            f["state"] = np.array([self.state.encode()], dtype="S16")
            f["blocks/name"] = np.array([f"block{i}".encode() for i in range(len(self.weights))])
            f["blocks/weights"] = np.array(self.weights, dtype="i8")
            f["steps/loss"] = np.zeros(len(self.series[INITIAL]))
            for to, series in self.series.items():
                f[f"steps/distance_to_{to}/minkowski:1"] = series
            for name, values in self.epochs.items():
                f[f"epochs/{name}"] = values
            for name in self.leave_out:
                del f[name]
            f.attrs["device"] = "made up"


class Bench:
    """Runs the script on fakes and looks at what it says."""

    def __init__(self, folder):
        self.folder = folder
        self.cases = 0

    def run(self, fakes, *options):
        paths = [os.path.join(self.folder, f"{i}.h5") for i in range(len(fakes))]
        for path, fake in zip(paths, fakes):
            fake.write(path)
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors), np.errstate(all="ignore"):
            status = compare_published.main([*paths, *options])
        self.cases += 1
        return status, output.getvalue(), errors.getvalue()

    def broken(self, *fakes):
        """The bounds that do not hold; the exit status must agree."""
        status, output, _ = self.run(fakes, "--summary")
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in output.splitlines() if line.startswith("| ResNet-")]
        found = [row[2] for row in rows if len(row) == 7 and row[6] == "**no**"]
        assert status == (1 if found else 0), (status, output)
        return found

    def holds(self, fake):
        found = self.broken(fake)
        assert not found, found

    def breaks(self, fake, *what):
        found = self.broken(fake)
        assert found == list(what), (found, what)

    def refused(self, fake, word, *more):
        status, output, errors = self.run([fake, *more])
        assert status == 2 and word in errors and not output, (status, errors, output)


INIT_18, PREV_18 = (f"median distance to the {to} state from PyTorch's" for to in (INITIAL, PREVIOUS))
INIT, PREV = (f"median distance to the {to} state" for to in (INITIAL, PREVIOUS))
LOSS, ACCURACY = "training loss of each epoch", "last validation accuracy"
FIRST_STEP, FIRST_LOSS = "first step from learning rate × weights", "training loss of the first epoch"
ORDER_INIT, ORDER_PREV = (f"rank correlation of the blocks, distance to the {to} state" for to in (INITIAL, PREVIOUS))


def plus(network, name, epoch, value):
    fake = Fake(network)
    fake.epochs[name][epoch - 1] += value
    return fake


def test_all_hold(bench):
    status, output, _ = bench.run([Fake(network) for network in NETWORKS])
    assert status == 0 and output.count("| yes |") == 6 + 6 + 4 + 4, output
    for network in NETWORKS:
        assert f"## {title(network)}" in output
    assert "steps 1 to 244 of 245" in output and "Not among" not in output


def test_medians(bench):
    bench.breaks(Fake(R68).scale(INITIAL, 5, 1.11), INIT)
    bench.breaks(Fake(R68).scale(INITIAL, 5, 0.89), INIT)
    bench.holds(Fake(R68).scale(INITIAL, 5, 1.09))
    bench.breaks(Fake(R68).scale(PREVIOUS, 33, 0.91), PREV)
    bench.breaks(Fake(R68).scale(PREVIOUS, 33, 1.09), PREV)
    bench.holds(Fake(R68).scale(PREVIOUS, 33, 0.93))


def test_pytorch(bench):
    """Published 2,206.0 and 41.20, PyTorch's 2,254.4 and 41.11: within the published bounds, not within 6% of PyTorch's."""
    bench.breaks(Fake(R18).set_median(INITIAL, 2, 2254.3745 * 1.065), INIT_18)
    bench.breaks(Fake(R18).set_median(PREVIOUS, 4, 41.11 * 1.07), PREV_18)
    bench.breaks(Fake(P18).set_median(INITIAL, 8, 2436.9994 * 0.93), INIT_18)
    bench.breaks(Fake(P18).scale(INITIAL, 8, 1.2), INIT, INIT_18)


def test_epochs(bench):
    for network in (P18, R18, R68):
        bench.breaks(plus(network, "train_loss", 3, 0.09), LOSS)
        bench.breaks(plus(network, "train_loss", 5, -0.09), LOSS)
        bench.holds(plus(network, "train_loss", 1, 0.07))
        bench.breaks(plus(network, "valid_accuracy", 5, -0.09), ACCURACY)
        bench.holds(plus(network, "valid_accuracy", 5, 0.07))
        bench.holds(plus(network, "valid_accuracy", 4, 0.3))


def test_plain_68(bench):
    fake = Fake(P68)
    fake.series[INITIAL][0, 32] *= 1.002
    bench.breaks(fake, FIRST_STEP)
    fake = Fake(P68)
    fake.series[INITIAL][0, 32] *= 0.9995
    bench.holds(fake)
    for to, what in ((INITIAL, ORDER_INIT), (PREVIOUS, ORDER_PREV)):
        fake = Fake(P68)
        fake.series[to][1:] = fake.series[to][1:, ::-1]
        bench.breaks(fake, what)
        fake.series[to][1:] = 1
        bench.breaks(fake, what)
        bench.holds(Fake(P68).scale(to, 33, 1.5))
    bench.breaks(plus(P68, "train_loss", 1, 0.05), FIRST_LOSS)
    bench.holds(plus(P68, "train_loss", 1, -0.03))
    bench.holds(plus(P68, "train_loss", 2, 1.0))
    bench.holds(plus(P68, "valid_accuracy", 5, 0.3))


def test_not_finite(bench):
    for value in (np.nan, np.inf, -np.inf):
        for network, to, what in ((R68, INITIAL, [INIT]), (R68, PREVIOUS, [PREV]), (P68, INITIAL, [ORDER_INIT]),
                                  (P68, PREVIOUS, [ORDER_PREV]), (R18, INITIAL, [INIT, INIT_18]), (P18, PREVIOUS, [PREV, PREV_18])):
            bench.breaks(Fake(network).set_median(to, 3, value), *what)
        bench.breaks(plus(R68, "train_loss", 2, value), LOSS)
        bench.breaks(plus(R18, "valid_accuracy", 5, value), ACCURACY)
        bench.breaks(plus(P68, "train_loss", 1, value), FIRST_LOSS)
        fake = Fake(P68)
        fake.series[INITIAL][0, 3] = value
        assert FIRST_STEP in bench.broken(fake)
    fake = Fake(R68)
    fake.series[PREVIOUS][100, 7] = np.nan
    bench.breaks(fake, PREV)


def test_worst(bench):
    """The row shows the worst value and its place: the farthest, or the first that is no number."""
    fake = plus(R68, "train_loss", 2, -0.5)
    fake.epochs["train_loss"][3] += 0.25
    assert "| ±0.08 | -0.500 | epoch 2 |" in bench.run([fake])[1]
    fake.epochs["train_loss"][3] = np.nan
    fake.scale(INITIAL, 33, 2).scale(PREVIOUS, 7, 0.5)
    output = bench.run([fake])[1]
    for row in ("| ±0.08 | +nan | epoch 4 |", "| ±10% | +100.00% | block 33 |", "| ±8% | -50.00% | block 7 |"):
        assert row in output, (row, output)


def test_steps(bench):
    """Half the steps a fifth below the median, half above: one step more or less and the median is another."""
    fake = Fake(R68)
    for to in (INITIAL, PREVIOUS):
        order = np.ones(STEPS)
        order[1:LAST:2] = -1
        assert order[:LAST].sum() == 0
        fake.series[to] = fake.medians[to] * (1 + 0.2 * order[:, None])
    bench.holds(fake)
    status, output, _ = bench.run([fake], "--summary")
    assert status == 0 and "changes by more than 20.00% (initial) and 20.00% (previous state)" in output, output


def test_without_first_step(bench):
    """Beside PyTorch's plain run the first step is left out of the distances to the previous state: else these would be too far."""
    fake = Fake(P18)
    theirs = np.array(figures.distances("pytorch", *P18, PREVIOUS, "median"))
    whole = 1.07 * np.array(figures.distances("published", *P18, PREVIOUS, "median"))
    assert np.any(whole / theirs > 1 + PYTORCH_BOUND) and np.all(whole > theirs)
    series = fake.series[PREVIOUS]
    series[1:122], series[122], series[123], series[124:] = 1, theirs, 2 * whole - theirs, 200
    assert np.allclose(np.median(series[:LAST], axis=0), whole) and np.allclose(np.median(series[1:LAST], axis=0), theirs)
    bench.holds(fake)
    assert "over steps 2 to 244, which differ by up to" in bench.run([fake])[1]


def test_refused(bench):
    for key, value in (("learning-rate", 0.01), ("batch-size", 512), ("width", "standard"), ("dataset", "mnist"), ("optimizer", "sgd"),
                       ("train-limit", 1000), ("test-limit", 100), ("epochs", 6), ("depth", 34), ("weight-decay", 0.1),
                       ("schedule", "step"), ("blocks", "1,1,1,1"), ("learning-rate", "nan"), ("batch-size", "many")):
        fake = Fake(R18)
        fake.options[key] = value
        bench.refused(fake, key)
    fake = Fake(R18)
    del fake.options["optimizer"]
    bench.refused(fake, "optimizer is not given")
    fake = Fake(R18)
    fake.state = "interrupted"
    bench.refused(fake, "interrupted")
    fake = Fake(R18)
    fake.weights[0] += 1
    bench.refused(fake, "weights per block")
    for name in ("epochs/valid_accuracy", "steps/distance_to_previous", "config"):
        fake = Fake(R18)
        fake.leave_out = (name,)
        bench.refused(fake, "0.h5")
    fake = Fake(R18)
    fake.series = {to: series[:100] for to, series in fake.series.items()}
    bench.refused(fake, "245")
    bench.refused(Fake(R18), "given twice", Fake(R18))


def test_seeds(bench):
    outside = Fake(R18, seed=10).scale(INITIAL, 1, 1.14)
    status, output, _ = bench.run([Fake(R18, seed=2), outside, Fake(R18, seed=3), Fake(P18)])
    assert status == 1 and output.count("**no**") == 2, output
    assert output.count("2 of 3 seeds; mean yes") == 2 and output.count("3 of 3 seeds; mean yes") == 4, output
    assert "| seed 2 | seed 3 | seed 10 | mean ± s.d. |" in output, output
    assert "Not among these runs: ResNet-68 plain, ResNet-68 residual." in output
    first = next(line for line in output.split("## ResNet-18 residual")[1].splitlines() if line.startswith("| 1 |"))
    ours = outside.medians[INITIAL][0]
    values = np.array([ours, ours, 1.14 * ours])
    wanted = f"| 1 | 1763.6 | {ours:.1f} | {ours:.1f} | {1.14 * ours:.1f} | {values.mean():.1f} ± {values.std(ddof=1):.1f} |"
    assert first.startswith(wanted), (first, wanted)


def test_files(bench):
    report = os.path.join(bench.folder, "new", "report.md")
    status, output, _ = bench.run([Fake(P68)], "-o", report)
    with open(report, encoding="utf-8") as f:
        written = f.read()
    assert status == 0 and output.count("\n") == 1 and "learning rate × weights | published | ours" in written, output
    assert "by block" not in bench.run([Fake(P68)], "--summary")[1]
    nothing = os.path.join(bench.folder, "nothing.h5")
    with open(nothing, "w", encoding="ascii") as f:
        f.write("no record\n")
    for path in (nothing, os.path.join(bench.folder, "missing.h5")):
        done = subprocess.run([sys.executable, "-B", SCRIPT, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 2 and path in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_first_epoch_script(bench):
    for network in (P18, R18):
        path = os.path.join(bench.folder, "reference.h5")
        for factor, good in ((1.0, True), (1.002, False), (np.nan, False)):
            fake = Fake(network)
            fake.series[INITIAL][0, 2] *= factor
            fake.write(path)
            with contextlib.redirect_stdout(io.StringIO()):
                assert reference.compare(path, network[1]) == good, (network, factor)


def main():
    folder = tempfile.mkdtemp(prefix="resnet_study_test.")
    bench = Bench(folder)
    try:
        tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
        for name, test in tests:
            print(name, flush=True)
            test(bench)
        print(f"{len(tests)} tests, {bench.cases} reports")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
