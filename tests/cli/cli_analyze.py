"""cli_analyze.py PROGRAM: every kind of `analyze` on small runs: components against numpy's SVD, ends of a line against the scores that
training recorded, distances against the recorded ones, second derivatives, sensitivity; where results come from; what is refused."""
import hashlib
import math
import os
import signal
import time

import numpy as np

import program

h5py = program.need_h5py()
DEVICE = program.SMALL[-2:]
FIT = ["--network", "mlp-20x3", "--dataset", "function", "--function", "sinc-log", "--function-samples", "60", "--function-valid", "20",
       "--batch-size", "0", "--epochs", "6", "--snapshots", "epochs:0,2,4,6", "--threads", "1", *DEVICE]
IMAGES = ["--network", "batch-norm-net", "--dataset", "shapes", "--train-limit", "80", "--test-limit", "40", "--batch-size", "32",
          "--epochs", "2", "--threads", "2", *DEVICE]


def train(p, options, seeds):
    names = [f"run{seed}.h5" for seed in seeds]
    for seed, name in zip(seeds, names):
        p.run(*options, "--seed", str(seed), "--out", name, "--quiet")
    return names


def states(p, names, tensors):
    """[point, weight] of all snapshots of some runs, in double."""
    rows = []
    for name in names:
        with h5py.File(p.file(name)) as f:
            count = len(f["snapshots/step"])
            rows += [np.concatenate([f["weights"][t][s].ravel().astype(float) for t in tensors]) for s in range(count)]
    return np.array(rows)


def parameters(p, name):
    with h5py.File(p.file(name)) as f:
        return [text.decode() for text in f["parameters/name"][:]]


def close(a, b, tolerance):
    a, b = np.asarray(a, float), np.asarray(b, float)
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= tolerance * max(1e-300, np.max(np.abs(b)))))


def check_components(p, names, tensors, out):
    x = states(p, names, tensors)
    x = x - x.mean(axis=0)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    with h5py.File(p.file(out)) as f:
        k = len(f["component/variance"])
        assert k == len(x) - 1 and f.attrs["weights"] == x.shape[1], (k, x.shape)
        assert close(f["component/variance"], s[:k] ** 2 / (len(x) - 1), 1e-12), "variances"
        assert close(f["component/ratio"], s[:k] ** 2 / np.sum(s ** 2), 1e-12), "ratios"
        found, want = f["point/coordinate"][:], (u * s)[:, :k]
        assert close(np.abs(found[:, :2]), np.abs(want[:, :2]), 1e-8), "coordinates"
        assert close(f["point/off_plane"], np.sqrt(np.sum(want[:, 2:] ** 2, axis=1)), 1e-7), "off the plane"
        assert list(f["point/run"]) == sorted(list(f["point/run"])) and len(f["point/run"]) == len(x)
        assert f["component/variance"].attrs["unit"] == "weight^2" and f["component/variance"].dims[0].label == "component"


def test_components(p):
    names = train(p, FIT, [1, 2, 3])
    p.run("analyze", "pca", *names, "-o", "all.h5")
    check_components(p, names, parameters(p, names[0]), "all.h5")
    p.run("analyze", "pca", *names, "--layer", "linear2.weight", "-o", "one.h5")
    check_components(p, names, ["linear2.weight"], "one.h5")
    p.run("analyze", "pca", *names, "--layer", "linear1,linear3.b*", "-o", "some.h5")
    check_components(p, names, ["linear1.weight", "linear1.bias", "linear3.bias"], "some.h5")


def test_where_results_come_from(p):
    name, = train(p, FIT, [1])
    printed = p.run("analyze", "pca", name + "@1..2").stdout
    assert printed.splitlines()[-1] == "run1.pca.h5", printed
    with h5py.File(p.file("run1.pca.h5")) as f:
        with open(p.file(name), "rb") as record:
            assert f["inputs/sha256"][0].decode() == hashlib.sha256(record.read()).hexdigest()
        assert f["inputs/path"][0].decode() == name and f["inputs/first_snapshot"][0] == 1 and f["inputs/snapshots"][0] == 2
        assert b"network: " in f["inputs/config"][0] and f.attrs["kind"] == "pca"
        assert f.attrs["command"] == "analyze pca run1.h5@1..2" and f.attrs["format"] == "resnet_study result"
        assert list(f["point/snapshot"]) == [1, 2] and list(f["point/epoch"]) == [2, 4], list(f["point/epoch"])


def test_line(p):
    names = train(p, IMAGES, [1, 2])
    p.run("analyze", "interpolate", *names, "--points", "0,0.5,1", "-o", "line.h5", *DEVICE)
    with h5py.File(p.file("line.h5")) as f:
        assert list(f["alpha"]) == [0.0, 0.5, 1.0]
        for point, name in ((0, names[0]), (2, names[1])):
            with h5py.File(p.file(name)) as run:
                assert abs(f["test/loss"][point] - run["epochs/test_loss"][-1]) < 1e-6, (f["test/loss"][:], run["epochs/test_loss"][:])
                assert abs(f["test/accuracy"][point] - run["epochs/test_accuracy"][-1]) < 1e-9
        assert np.all(np.isfinite(f["train/loss"][:]))
        interpolated = f["train/loss"][1]
        assert "interpolated" in f.attrs["batch_norm"]
    p.run("analyze", "interpolate", *names, "--points", "0,0.5", "--bn", "estimate", "-o", "estimated.h5", *DEVICE)
    with h5py.File(p.file("estimated.h5")) as f:
        assert "estimated" in f.attrs["batch_norm"] and f["train/loss"][1] != interpolated
    # Far beyond the ends interpolated variances are negative: no numbers there, and that is said.
    done = p.run("analyze", "interpolate", *names, "--points=-1000,0,1000", "-o", "far.h5", *DEVICE)
    assert "at 2 of 3 points" in done.stderr and "--bn estimate" in done.stderr, done.stderr
    with h5py.File(p.file("far.h5")) as f:
        for name in ("train/loss", "train/accuracy", "test/loss", "test/accuracy"):
            assert list(np.isnan(f[name][:])) == [True, False, True], (name, f[name][:])


def test_estimated_statistics(p):
    """Without any training, the first layer's statistics of whole batches are those that one pass in training mode leaves."""
    name, = train(p, ["--network", "batch-norm-net", "--dataset", "shapes", "--train-limit", "32", "--test-limit", "32", "--batch-size",
                      "32", "--epochs", "1", "--learning-rate", "0", "--threads", "1", *DEVICE], [1])
    p.run("analyze", "interpolate", name, name, "--points", "0", "--bn", "estimate", "-o", "line.h5", *DEVICE)
    with h5py.File(p.file("line.h5")) as f, h5py.File(p.file(name)) as run:
        # With a learning rate of 0 the recorded training loss is that of one batch with its own statistics; variance is biased there.
        assert abs(f["train/loss"][0] - run["epochs/train_loss"][0]) < 0.02, (f["train/loss"][0], run["epochs/train_loss"][0])


def test_distances(p):
    name, = train(p, [*FIT, "--metric", "minkowski:1,cosine", "--snapshots", "steps:0,1,2,5;last:1"], [1])
    printed = p.run("analyze", "distances", name).stdout
    with h5py.File(p.file("run1.distances.h5")) as f, h5py.File(p.file(name)) as run:
        blocks = len(run["blocks/name"])
        assert blocks > 0, "this network has no blocks: choose another for this test"
        steps = list(f["run0/step"])
        assert steps == [0, 1, 2, 5, 6], steps
        for metric in ("minkowski:1", "cosine"):
            for row, step in enumerate(steps[1:], 1):
                found = f[f"run0/distance_to_first/{metric}"][row]
                assert close(found, run[f"steps/distance_to_initial/{metric}"][step - 1], 1e-9), (metric, step)
        assert close(f["run0/distance_to_previous/minkowski:1"][2], run["steps/distance_to_previous/minkowski:1"][1], 1e-9)
        # 4 rows to the first and 3 to the one before (steps 1, 2 and 6), of two metrics
        assert f["recorded/count"][0] == (4 + 3) * 2 * blocks and f["recorded/difference"][0] < 1e-9
    assert f"beside the record: {(4 + 3) * 2 * blocks} values" in printed, printed
    p.run("analyze", "distances", name, "--metric", "chebyshev", "--layer", "linear1.weight", "-o", "c.h5")
    with h5py.File(p.file("c.h5")) as f, h5py.File(p.file(name)) as run:
        w = run["weights/linear1.weight"][:].astype(float)
        assert close(f["run0/distance_to_first/chebyshev"][:, 0], [np.max(np.abs(w[s] - w[0])) for s in range(len(w))], 1e-12)


def test_second_derivatives(p):
    name, = train(p, FIT, [1])
    p.run("analyze", "hessian", name + "@all", "-o", "exact.h5")
    with h5py.File(p.file("exact.h5")) as f, h5py.File(p.file(name)) as run:
        assert len(f["loss"]) == 4 and f["weights"][0] == 901 and f.attrs["samples"] == 60
        # A full batch: the loss of step t is that of the state after t steps.
        assert close(f["loss"][:3], [run["steps/loss"][t] for t in (0, 2, 4)], 1e-6), (f["loss"][:], run["steps/loss"][:])
        assert close(f["gradient_norm"][:3], [run["steps/gradient_norm"][t] for t in (0, 2, 4)], 1e-5)
        diagonal, values = f["measured3/diagonal"][:], f["measured3/eigenvalues"][:]
        assert f["positive"][3] == np.sum(diagonal > 0) and f["zero"][3] == np.sum(diagonal == 0) > 0 == f["negative"][3]
        assert f["minimal_ratio"][3] == f["positive"][3] / 901 and abs(np.sum(values) - np.sum(diagonal)) < 1e-9 * np.max(values)
        assert np.all(np.diff(values) >= 0) and f["asymmetry"][3] < 1e-12
    p.run("analyze", "hessian", name, "--method", "lanczos", "--eigenvalues", "2", "-o", "ends.h5")
    with h5py.File(p.file("ends.h5")) as f:
        scale = max(abs(values[0]), abs(values[-1]))
        assert close(f["measured0/largest"][:], values[::-1][:2], 1e-6), "largest"
        assert np.all(np.abs(f["measured0/smallest"][:] - values[:2]) < 1e-6 * scale), "smallest"
        assert np.all(f["measured0/largest_residual"][:] <= 1e-6 * scale * 1.01) and math.isnan(f["minimal_ratio"][0])


def test_modes_of_batch_norm(p):
    name, = train(p, IMAGES, [1])
    for mode, said in (("running", "running statistics"), ("batch", "statistics of each batch")):
        printed = p.run("analyze", "hessian", name, "--layer", "linear2", "--samples", "8", "--bn", mode, "--method", "lanczos",
                        "--iterations", "4", "-o", mode + ".h5").stdout
        assert f"batch norm: {said}" in printed and "8 samples in batches of 8" in printed, printed
    with h5py.File(p.file("running.h5")) as one, h5py.File(p.file("batch.h5")) as other:
        assert one["loss"][0] != other["loss"][0] and one["largest"][0] > 0 and other["largest"][0] > 0


def test_lanczos_says_where_it_ends_too_early(p):
    name, = train(p, FIT, [1])
    few = p.run("analyze", "hessian", name, "--method", "lanczos", "--iterations", "6", "-o", "few.h5").stderr
    assert "raise --iterations (now 6)" in few and "--tolerance 1e-06" in few and "snapshot " in few and name in few, few
    enough = p.run("analyze", "hessian", name, "--method", "lanczos", "--eigenvalues", "2", "-o", "enough.h5").stderr
    assert "raise" not in enough, enough
    p.run("analyze", "hessian", name, "-o", "exact.h5")
    for file, converged in (("few.h5", 0), ("enough.h5", 1), ("exact.h5", 1)):
        with h5py.File(p.file(file)) as f:
            assert list(f["converged"]) == [converged], file


def test_a_signal_leaves_nothing(p):
    name, = train(p, IMAGES, [1])
    for number in (signal.SIGINT, signal.SIGTERM):
        child = p.start("analyze", "hessian", name, "--method", "lanczos", "--tolerance", "1e-300", "--iterations", "2000", "-o", "cut.h5")
        until = time.monotonic() + 60
        while not os.path.exists(p.file("cut.h5.part")) and time.monotonic() < until and child.poll() is None:
            time.sleep(0.01)
        assert os.path.exists(p.file("cut.h5.part")), child.poll()
        time.sleep(0.1)
        child.send_signal(number)
        assert child.wait(60) == -number, child.returncode
        assert not [f for f in os.listdir(p.file(".")) if f.startswith("cut.h5")], os.listdir(p.file("."))


def test_sensitivity(p):
    name, = train(p, FIT, [1])
    p.run("analyze", "sensitivity", name + "@all", "--labels", "true", "--batch-size", "1", "-o", "one.h5", *DEVICE)
    with h5py.File(p.file("one.h5")) as f:
        assert len(f["sample"]) == 4 and np.all(f["sample"][:] > 0)
        assert close(f["sample"], f["batch"], 1e-6), "a batch of one sample is a sample"
    p.run("analyze", "sensitivity", name + "@all", "--labels", "true", "-o", "all.h5", *DEVICE)
    with h5py.File(p.file("all.h5")) as f, h5py.File(p.file("one.h5")) as one:
        assert close(f["sample"], one["sample"], 1e-5) and np.all(f["batch"][:] < f["sample"][:]) and f["batch_size"][0] == 60


def fitted(p, name, x, snapshot):
    """The network's curve by numpy in double, from the recorded weights."""
    y = np.asarray(x, float)[:, None]
    with h5py.File(p.file(name)) as run:
        layers = len([n for n in run["weights"] if n.endswith(".weight")])
        for i in range(1, layers + 1):
            y = y @ run[f"weights/linear{i}.weight"][snapshot].T.astype(float) + run[f"weights/linear{i}.bias"][snapshot].astype(float)
            y = np.maximum(y, 0) if i < layers else y
    return y


def test_predictions(p):
    name, = train(p, FIT, [1])
    p.run("analyze", "predict", name + "@all", "-o", "fit.h5", *DEVICE)
    with h5py.File(p.file("fit.h5")) as f, h5py.File(p.file(name)) as run:
        x, target, output = f["run0/input"][:], f["run0/target"][:], f["run0/output"][:]
        assert output.shape == (4, 20, 1) and list(f["run0/step"]) == [0, 2, 4, 6] and f.attrs["split"] == "test"
        assert close(x, np.linspace(1, 5, 20), 1e-6) and close(target[:, 0], np.sinc(5 * x) + np.log(x + 1), 1e-6)
        for snapshot in range(4):
            assert close(output[snapshot], fitted(p, name, x, snapshot), 1e-5), snapshot
        assert abs(np.mean((output[3] - target) ** 2) - run["epochs/test_loss"][-1]) < 1e-6
    p.run("analyze", "predict", name, "--split", "train", "--samples", "7", "--batch-size", "3", "-o", "some.h5", *DEVICE)
    with h5py.File(p.file("some.h5")) as f:
        assert f["run0/output"].shape == (1, 7, 1)
        assert close(f["run0/output"][0], fitted(p, name, f["run0/input"][:], 3), 1e-5)


def test_scores_of_classes(p):
    name, = train(p, IMAGES, [1])
    p.run("analyze", "predict", name, "-o", "scores.h5", *DEVICE)
    with h5py.File(p.file("scores.h5")) as f, h5py.File(p.file(name)) as run:
        assert f["run0/output"].shape == (1, 40, 10) and "run0/input" not in f
        right = np.mean(np.argmax(f["run0/output"][0], axis=1) == f["run0/label"][:])
        assert abs(right - run["epochs/test_accuracy"][-1]) < 1e-9, right


def test_changed_network(p):
    """The layers are those that were trained, whatever has become of the file that --network named."""
    text = p.run("networks", "mlp-20x3", "--yaml").stdout
    with open(p.file("own.yaml"), "w", encoding="utf-8") as f:
        f.write(text)
    name, = train(p, ["--network", "own.yaml", *FIT[2:]], [1])
    p.run("analyze", "sensitivity", name, "-o", "before.h5", *DEVICE)
    with open(p.file("own.yaml"), "w", encoding="utf-8") as f:
        f.write(text.replace("relu", "tanh"))
    p.run("analyze", "sensitivity", name, "-o", "changed.h5", *DEVICE)
    os.remove(p.file("own.yaml"))
    p.run("analyze", "sensitivity", name, "-o", "gone.h5", *DEVICE)
    with h5py.File(p.file("before.h5")) as a, h5py.File(p.file("changed.h5")) as b, h5py.File(p.file("gone.h5")) as c:
        assert (a["sample"][:] == b["sample"][:]).all() and (a["sample"][:] == c["sample"][:]).all()


def test_refused(p):
    name, = train(p, FIT, [1])
    for arguments, status, said in (
            (["pca"], 2, "RUN.h5 is missing"), ([], 2, "which kind?"), (["pac", name], 2, "nearest pca"),
            (["pca", name, "--layers", "x"], 2, "nearest --layer"), (["pca", name, "--points", "0"], 2, "no option of pca"),
            (["pca", name, "--layer", "nothing*"], 2, "takes no parameter"), (["pca", name + "@9"], 2, "0 to 3, or last"),
            (["pca", name + "@1"], 2, "2 to"), (["pca", "nowhere.h5"], 3, "nowhere.h5"),
            (["interpolate", name], 2, "two snapshots"), (["interpolate", name, name, "--points", "1..2"], 2, "--points"),
            (["interpolate", name, name, "--bn", "batch"], 2, "must be interpolate|estimate"),
            (["hessian", name, "--samples", "0"], 2, "from 1 on"), (["distances", name, "--metric", "cosin"], 2, "cosine")):
        done = p.run("analyze", *arguments, expect=status)
        assert said in done.stderr and not done.stdout.endswith(".h5\n"), (arguments, done.stderr)
    p.run("analyze", "pca", name)
    assert "--overwrite" in p.run("analyze", "pca", name, expect=2).stderr
    p.run("analyze", "pca", name, "--overwrite")
    assert "usage: resnet_study analyze KIND" in p.run("analyze", "--help").stdout


if __name__ == "__main__":
    program.main([test_components, test_where_results_come_from, test_line, test_estimated_statistics, test_distances,
                  test_second_derivatives, test_lanczos_says_where_it_ends_too_early, test_a_signal_leaves_nothing,
                  test_modes_of_batch_norm, test_sensitivity, test_predictions,
                  test_scores_of_classes, test_changed_network, test_refused])
