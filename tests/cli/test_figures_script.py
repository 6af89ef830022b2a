"""test_figures_script.py PROGRAM: experiments/figures.sh: every study has figures, which figures.md names; small studies become pictures
with one command; what is skipped is named; an analysis is made once."""
import glob
import os
import re
import shutil
import subprocess
import sys

import program

h5py = program.need_h5py()
EXPERIMENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "experiments")
TINY = ["--set", "dataset=shapes", "--set", "train-limit=64", "--set", "test-limit=32", "--set", "epochs=2", "--set", "threads=1"]


def figures(p, *arguments, expect=0, **environment):
    done = subprocess.run(["bash", os.path.join(EXPERIMENTS, "figures.sh"), *arguments], cwd=p.dir, env={**p.env, **environment},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == expect, f"{arguments}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def study(p, name, *options):
    p.run("run", os.path.join(EXPERIMENTS, name + ".yaml"), *options, "--quiet", "--set", "device=" + program.SMALL[-1])


def listed(p):
    return [line.split("\t") for line in figures(p, "--list").stdout.splitlines()]


def test_every_study_has_figures(p):
    names, studies, drawn = zip(*listed(p))
    files = {os.path.basename(f)[:-5] for f in glob.glob(os.path.join(EXPERIMENTS, "*.yaml"))}
    assert set(studies) == files, set(studies) ^ files
    assert len(set(names)) == len(names), "a name twice"
    shown = set(re.findall(r"^  ([a-z-]+)$", p.run("plot", "--help").stdout.split("Options")[0], re.M))
    used = {line.split("plot ")[-1].split()[0] for line in drawn}
    assert used <= shown, used - shown
    assert {"distances", "medians", "loss", "accuracy", "gradient-flow", "gradient-norm", "layer-curves", "layer-loss", "schedule", "pca",
            "interpolation", "sensitivity", "hessian", "parameters", "fit", "distance-heatmap", "classes"} <= used, used


def test_the_page_names_every_figure(p):
    with open(os.path.join(EXPERIMENTS, "figures.md"), encoding="utf-8") as f:
        page = f.read()
    for name, of, drawn in listed(p):
        assert f"`{of}`" in page, of
        kind = drawn.split("plot ")[-1].split()[0]
        assert f"`{kind}" in page, (name, kind)
        ending = name.split("-")[-1]
        assert f"-{ending}`" in page or name.startswith("gradient_flow-"), name  # those end in a network's name


def test_pictures_from_records(p):
    if not shutil.which(os.environ.get("RS_GNUPLOT", "gnuplot")):
        print(f"skipped: no gnuplot ({sys.argv[0]})")
        return
    study(p, "minkowski_even", *TINY, "--set", "depth=18", "--set", "blocks=1,1,1,1", "--set", "batch-size=32", "--set",
          "snapshots=epochs:0,2")
    study(p, "weight_pca", *TINY, "--set", "snapshots=all", "--seeds", "1..2")
    study(p, "flatness_interpolation", *TINY, "--set", "batch-size=32,16", "--set", "resize=0", "--set", "network=mlp-5-9", "--seeds",
          "1..2")
    study(p, "function_fit", "--set", "function-samples=40", "--set", "function-valid=20", "--set", "epochs=8", "--seeds", "1")
    done = figures(p, p.path)
    wanted = {"minkowski_even-shapes-18-distances", "minkowski_even-shapes-18-heatmap", "minkowski_even-medians", "minkowski_even-loss",
              "minkowski_even-accuracy", "minkowski_even-training-loss", "minkowski_even-training-accuracy", "weight_pca-all",
              "weight_pca-first-layer", "flatness_interpolation-line", "function_fit-fit", "function_fit-loss"}
    made = {os.path.basename(f)[:-4] for f in glob.glob(p.file("figures/*.svg"))}
    assert made == wanted, made ^ wanted
    assert "12 figures drawn, 0 failed" in done.stdout, done.stdout
    assert "skipped: minkowski_even-cifar10-18-distances (no runs/minkowski_even/resnet18-plain-cifar10-" in done.stdout
    assert "skipped: all figures of euclidean (there is no record in runs/euclidean)" in done.stdout
    lines = sorted(glob.glob(p.file("figures/analyses/flatness_interpolation-line-*.h5")))
    assert len(lines) == 2, lines
    with h5py.File(lines[0]) as f:
        sizes = [re.search(r"^batch-size: (\d+)", text.decode(), re.M).group(1) for text in f["inputs/config"]]
        assert sizes == ["32", "16"], sizes
        seeds = [re.search(r"^seed: (\d+)", text.decode(), re.M).group(1) for text in f["inputs/config"]]
        assert seeds == ["1", "2"], seeds
    before = {f: os.stat(f).st_mtime_ns for f in glob.glob(p.file("figures/analyses/*.h5"))}
    done = figures(p, p.path, "weight_pca", FIGURES_FORMAT="png")
    assert "2 figures drawn" in done.stdout and "function_fit" not in done.stdout
    assert before == {f: os.stat(f).st_mtime_ns for f in before}, "an analysis was made again"
    os.utime(glob.glob(p.file("runs/weight_pca/*.h5"))[0])
    figures(p, p.path, "weight_pca")
    assert os.stat(p.file("figures/analyses/weight_pca-all.h5")).st_mtime_ns > before[p.file("figures/analyses/weight_pca-all.h5")]


def test_what_fails_is_named(p):
    os.makedirs(p.file("runs/weight_pca"))
    with open(p.file("runs/weight_pca/mlp-128-64-shapes-00000000.h5"), "w", encoding="utf-8") as f:
        f.write("no record")
    done = figures(p, p.path, "weight_pca")
    assert "1 of 1 runs are not done" in done.stdout and "skipped: weight_pca-all (no run" in done.stdout, done.stdout
    os.rename(p.file("runs/weight_pca"), p.file("runs/batch_norm"))
    done = figures(p, p.path, "batch_norm", expect=1)
    assert "batch_norm-loss failed" in done.stderr and "mlp-128-64-shapes-00000000.h5" in done.stderr, done.stderr
    assert "0 figures drawn, 3 failed" in done.stdout, done.stdout
    assert "no study nothing" in figures(p, p.path, "nothing", expect=2).stderr
    assert "no program" in figures(p, "./none", expect=2).stderr


if __name__ == "__main__":
    program.main([test for name, test in list(globals().items()) if name.startswith("test_")])
