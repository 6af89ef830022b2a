"""test_analysis.py PROGRAM: the examples of experiments/analysis on records of their studies, made very small: what they print is compared
with the records, and each saves a picture that is no empty sheet."""
import glob
import math
import os
import re
import subprocess
import sys

import program

h5py = program.need_h5py()
EXPERIMENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "experiments")
IMAGES = ["dataset=shapes", "train-limit=96", "test-limit=64", "epochs=2", "batch-size=32"]
CURVE = ["function-samples=60", "function-valid=20", "epochs=8"]


def study(p, name, settings, *options):
    words = [word for setting in settings for word in ("--set", setting)]
    p.run("run", os.path.join(EXPERIMENTS, name + ".yaml"), *words, "--set", "threads=1", "--out-dir", "runs", "--quiet", *options)
    return sorted(glob.glob(p.file(f"runs/{name}/*.h5")))


def example(p, name):
    """What experiments/analysis/NAME.py prints; its picture must show something."""
    try:
        import matplotlib.image
    except ImportError:
        print(f"skipped: {sys.executable} has no matplotlib (Debian: python3-matplotlib)")
        sys.exit(program.SKIPPED)
    script = os.path.join(EXPERIMENTS, "analysis", name + ".py")
    done = subprocess.run([sys.executable, "-B", "-W", "error::RuntimeWarning", script], cwd=p.dir, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, env=dict(os.environ, MPLCONFIGDIR=p.dir))
    assert done.returncode == 0, f"{name}.py: {done.stderr[-600:]}"
    picture = matplotlib.image.imread(p.file(f"runs/{name}.png"))
    inked = float((picture[:, :, :3].min(axis=2) < 0.9).mean())
    assert 0.01 < inked < 0.5 and picture.shape[0] > 300, f"{name}.png: {inked:.3f} of {picture.shape} is inked"
    return done.stdout


def close(text, value):
    return math.isclose(float(text), value, rel_tol=2e-3)


def test_weight_change(p):
    records = study(p, "minkowski_even", [*IMAGES, "depth=18", "blocks=1,1,1,1", "snapshots=none"], "--seeds", "1")
    printed = example(p, "weight_change")
    assert len(records) == 2 and printed.count("\n") == 2, printed
    for path in records:
        with h5py.File(path) as f:
            kind = "plain" if "plain" in f.attrs["network"] else "residual"
            moved = f["steps/distance_to_initial/minkowski:1"][:] / f["blocks/weights"][:]
        middle = sorted(moved[:, 0])[len(moved) // 2 - 1:len(moved) // 2 + 1], sorted(moved[:, -1])[len(moved) // 2 - 1:len(moved) // 2 + 1]
        found = re.search(rf"18 {kind}, shapes, seed 1: first / last block (\S+) since", printed)[1]
        assert close(found, sum(middle[0]) / sum(middle[1])), f"{kind}: {found}"


def test_layers(p):
    records = study(p, "isolated_layers", [*IMAGES, "isolate-from=1"], "--case", "nn-small", "--seeds", "1")
    printed = example(p, "layers")
    assert len(records) == 4, records
    for path in records:
        with h5py.File(path) as f:
            objective = re.search(r"^isolate: (\w+)", f["config"].asstr()[()], re.M)[1]
            accuracy, first, last = f["epochs/test_accuracy"][-1], f["steps/layer_loss"][0, 0], f["steps/layer_loss"][-1, 0]
        own = printed.split(f"nn-2x256, {objective}, seed 1: test accuracy ")[1]
        assert close(own.split()[0], accuracy), own
        assert close(re.search(r"linear1 +own loss (\S+) -> (\S+)", own)[1], first) and close(re.search(r"-> (\S+)", own)[1], last), own


def test_gradient_flow(p):
    records = study(p, "gradient_flow", [*IMAGES, "valid-split=32"])
    schedules = study(p, "lr_schedule", [*IMAGES, "valid-split=32"], "--seeds", "1")
    printed = example(p, "gradient_flow")
    assert len(records) == 3 and len(schedules) == 4
    for path in records:
        with h5py.File(path) as f:
            name, steps = f.attrs["network"], f["steps/gradient_abs_mean"][:, 0].astype(float)
        own = printed.split(name + "\n")[1]
        first, last = (float(re.search(rf"{which} 5: first layer (\S+),", own)[1]) for which in ("first", "last"))
        assert math.isclose(first, steps[:5].mean(), rel_tol=1e-2) and math.isclose(last, steps[-5:].mean(), rel_tol=1e-2), own
    for path in schedules:
        with h5py.File(path) as f:
            schedule = re.search(r"^schedule: (\S+)", f["config"].asstr()[()], re.M)[1]
            assert f"\n{schedule}: training loss {f['epochs/train_loss'][-1]:.4f} after 2 epochs, 1 seeds\n" in printed, schedule


def test_landscapes(p):
    fits = study(p, "function_fit", CURVE, "--seeds", "1")
    tracks = study(p, "weight_pca", [*IMAGES, "snapshots=all"], "--seeds", "1,2")
    ends = study(p, "flatness_interpolation", [*IMAGES[:4], "batch-size=48,32"], "--seeds", "1")
    ratios = study(p, "minimal_ratio_published", CURVE, "--turns", "1")
    p.run("analyze", "pca", *tracks, "-o", "runs/pca.h5")
    p.run("analyze", "interpolate", *ends, "--points", "0,0.5,1", "-o", "runs/line.h5")
    p.run("analyze", "hessian", ratios[0], "-o", "runs/hessian.h5")
    printed = example(p, "landscapes")
    assert len(fits) == 3 and len(re.findall(r"seed 1: 8 epochs \(epochs\), loss ", printed)) == 3, printed
    with h5py.File(p.file("runs/hessian.h5")) as f:
        share, values = f["minimal_ratio"][0], f["measured0/eigenvalues"][:]
    assert f"positive second derivatives {share:.3f}, eigenvalues {values.min():.4g} to {values.max():.4g}" in printed, printed
    with h5py.File(p.file("runs/line.h5")) as f:
        assert f"test loss on the line: {f['test/loss'][:].min():.4g} to" in printed, printed


def test_tables(p):
    records = study(p, "activations", IMAGES, "--seeds", "1,2")
    printed = example(p, "tables")
    mean = {}
    for path in records:
        with h5py.File(path) as f:
            mean.setdefault(f.attrs["network"], []).append(float(f["epochs/valid_accuracy"][-1]))
    assert len(records) == 4 and printed.count("best") == 1, printed
    for name, values in mean.items():
        assert re.search(rf"^{name} +{sum(values) / 2:.4f} ± ", printed, re.M), printed


if __name__ == "__main__":
    program.main([test for name, test in list(globals().items()) if name.startswith("test_")])
