"""cli_figures.py PROGRAM: figures of analyses, snapshots and data, from the command line: the numbers in gnuplot's script beside those in
the files, by h5py; pictures by gnuplot, where it is; odd runs and foreign files."""
import os
import re
import shutil
import sys
import xml.etree.ElementTree

import numpy as np

import program

h5py = program.need_h5py()
MAPS = ("distance-heatmap", "weights", "gradients")
DEVICE = program.SMALL[-2:]
GNUPLOT = shutil.which(os.environ.get("RS_GNUPLOT", "gnuplot"))
MLP = ["--network", "mlp-5-9", "--dataset", "shapes", "--train-limit", "96", "--test-limit", "40", "--batch-size", "32", "--epochs", "3",
       "--threads", "1", "--quiet", *DEVICE]
FIT = ["--network", "mlp-fit-8x7", "--dataset", "function", "--function", "sin-log", "--function-samples", "40", "--function-valid", "20",
       "--batch-size", "0", "--epochs", "5", "--threads", "1", "--quiet", *DEVICE]


def train(p, name, *options):
    p.run(*options, "--out", name)
    return name


def script(p, *arguments):
    """[panel][curve] -> rows of numbers, as gnuplot gets them; and the whole text."""
    p.run("plot", *arguments, "--script", "figure.gp")
    with open(p.file("figure.gp"), encoding="utf-8") as f:
        text = f.read()
    blocks = {name: np.array([[float(x) for x in row.split()] for row in rows.split("\n") if row.strip()])
              for name, rows in re.findall(r"^(\$d\d+) << EOD\n(.*?)^EOD$", text, re.M | re.S)}
    panels = [[blocks[name] for name in re.findall(r"(\$d\d+) using", part)] for part in text.split("# panel ")[1:]]
    return panels, text


def draw(p, *arguments):
    """The SVG, whose paths and texts have no NaN in them; None where there is no gnuplot."""
    if not GNUPLOT:
        return None
    p.run("plot", *arguments, "-o", "figure.svg", "--title", "")
    with open(p.file("figure.svg"), encoding="utf-8") as f:
        images = re.findall(r"<image [^>]*?xlink", f.read())
        assert all("pixelated" in image for image in images) and bool(images) == (arguments[0] in MAPS), arguments
    root = xml.etree.ElementTree.parse(p.file("figure.svg")).getroot()
    for node in root.iter():
        assert "nan" not in node.attrib.get("d", "").lower() + node.attrib.get("points", "").lower(), arguments
    for kind, magic in (("png", b"\x89PNG"), ("pdf", b"%PDF")):
        p.run("plot", *arguments, "-o", "figure." + kind)
        with open(p.file("figure." + kind), "rb") as f:
            assert f.read(4) == magic
    return " ".join("".join(node.itertext()) for node in root.iter() if node.tag.endswith("}text"))


def close(a, b, tolerance=1e-6):
    a, b = np.asarray(a, float), np.asarray(b, float)
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= tolerance * np.maximum(np.abs(b), 1e-300)))


def test_sizes(p):
    """Mean and spread over seeds of the last epoch, by number of parameters."""
    names = [train(p, f"{network}-{seed}.h5", *MLP, "--network", network, "--seed", str(seed))
             for network in ("mlp-8-16", "mlp-5-9") for seed in (1, 2, 3)]
    panels, _ = script(p, "parameters", *names)
    rows = []
    for network in ("mlp-5-9", "mlp-8-16"):
        last, size = [], 0
        for seed in (1, 2, 3):
            with h5py.File(p.file(f"{network}-{seed}.h5")) as f:
                last.append(f["epochs/test_loss"][-1])
                size = np.sum(f["parameters/count"][:])
        rows.append([size, np.mean(last), np.mean(last) - np.std(last, ddof=1), np.mean(last) + np.std(last, ddof=1)])
    assert any(close(curve, np.array(rows)) for curve in panels[0] if curve.shape == (2, 4)), (panels[0], rows)
    text = draw(p, "parameters", *names)
    assert text is None or ("parameters" in text and "accuracy after the last epoch" in text), text


def levels(cells):
    """Brightness of the colours: it grows with the value. NaN: transparent."""
    light = cells[:, 2:5] @ np.array([0.299, 0.587, 0.114])
    return np.where(cells[:, 5] > 0, light, np.nan)


def test_movement_as_a_map(p):
    name = train(p, "run.h5", *program.SMALL, "--quiet")
    with h5py.File(p.file(name)) as f:
        wanted = [f[f"steps/distance_to_{to}/minkowski:1"][:] for to in ("initial", "previous")]
    panels, _ = script(p, "distance-heatmap", name)
    for (cells,), distance in zip(panels, wanted):
        steps, blocks = distance.shape
        assert close(cells[:, 0], np.tile(np.arange(1, steps + 1), blocks))
        assert close(cells[:, 1], np.repeat(np.arange(1, blocks + 1), steps))
        order = np.argsort(distance.T.ravel(), kind="stable")
        light = levels(cells)[order]
        assert np.all(light[1:] >= light[:-1] - 1.0), light  # a colour's parts are whole numbers
        assert light[-1] > light[0] + 10
    ends = {(np.nanmin(levels(cells)), np.nanmax(levels(cells))) for (cells,) in panels}
    assert len(ends) == 1, ends  # each row has all of the colours
    with h5py.File(p.file(name)) as f:
        weights = f["blocks/weights"][:]
    for (cells,), distance in zip(script(p, "distance-heatmap", name, "--per-weight")[0], wanted):
        light = levels(cells)[np.argsort((distance / weights).T.ravel(), kind="stable")]
        assert np.all(light[1:] >= light[:-1] - 1.0), light
    draw(p, "distance-heatmap", name)


def test_histograms(p):
    name = train(p, "run.h5", *MLP)
    with h5py.File(p.file(name)) as f:
        tensors = {kind: {n: f[kind][n][:] for n in f[kind] if n.endswith(".weight")} for kind in ("weights", "gradients")}
    for kind, first in (("weights", 0), ("gradients", 1)):
        panels, text = script(p, kind, name)
        assert len(panels) == 3 and "linear1.weight" in text
        for (cells,), (_, values) in zip(panels, sorted(tensors[kind].items())):
            values = values[first:]
            assert len(cells) == 60 * len(values)
            found = ~np.isnan(levels(cells).reshape(60, len(values)))
            for column, state in enumerate(values):
                counts, _ = np.histogram(state, bins=60, range=(float(values.min()), float(values.max())))
                wrong = np.sum((counts > 0) != found[:, column])
                assert wrong <= 1, (kind, column, wrong)  # a value on an edge of two bins
        draw(p, kind, name)
    panels, text = script(p, "weights", name, "--layers", "linear2.*")
    assert len(panels) == 2 and "linear2.bias" in text
    assert "one run" in p.run("plot", "weights", name, name, "--script", "x.gp", expect=2).stderr
    train(p, "none.h5", *MLP, "--record", "none")
    said = p.run("plot", "gradients", "none.h5", "--script", "x.gp", expect=3).stderr
    assert "none.h5" in said, said


def test_classes(p):
    name = train(p, "run.h5", *MLP, "--valid-split", "32")
    panels, text = script(p, "classes", name)
    with h5py.File(p.file(name)) as f:
        data = f["dataset"][()].decode()
    lists = [re.search(split + r"_class_counts: \[(.*)\]", data).group(1) for split in ("train", "valid", "test")]
    wanted = [[float(n) for n in numbers.split(",")] for numbers in lists]
    assert len(panels) == 1 and [list(curve[:, 1]) for curve in panels[0]] == wanted and "triangle" in text, panels
    assert sum(wanted[0]) == 64
    svg = draw(p, "classes", name)
    assert svg is None or ("triangle" in svg and "training" in svg)
    # what is the same data, parted otherwise, is told apart, and the classes' names are under the last panel alone
    train(p, "swapped.h5", *MLP, "--valid-split", "32", "--swap-splits")
    panels, text = script(p, "classes", name, "swapped.h5")
    assert len(panels) == 2 and "'shapes, swap splits'" in text and "'shapes, without swap splits'" in text, text
    assert text.count("label 'triangle'") == text.count("label 'class'") == 1, text
    train(p, "fit.h5", *FIT)
    assert "data with classes" in p.run("plot", "classes", "fit.h5", "--script", "x.gp", expect=3).stderr


def test_sensitivity(p):
    """Runs by batch size, and a chain of sizes, where one run began from the other."""
    sense = [*MLP, "--record", "weights,sensitivity", "--learning-rate", "0.01"]
    names = [train(p, f"s{size}-{seed}.h5", *sense, "--batch-size", str(size), "--seed", str(seed)) for size in (16, 48) for seed in (1, 2)]
    panels, text = script(p, "sensitivity", *names)
    last = {}
    for size in (16, 48):
        means = []
        for seed in (1, 2):
            with h5py.File(p.file(f"s{size}-{seed}.h5")) as f:
                steps = f["steps/sensitivity_sample"][:]
                means.append(np.mean(steps[-(96 // size):]))
        last[size] = (np.mean(means), np.std(means, ddof=1))
    line = next(curve for curve in panels[1] if curve.shape == (2, 2))
    assert close(line, [[16, last[16][0]], [48, last[48][0]]]), (line, last)
    assert "fresh networks" in text and "carried on" not in text and "mean ± std over seeds" in text
    assert "over seeds" not in script(p, "sensitivity", names[0])[1]
    with h5py.File(p.file("s16-1.h5")) as f, h5py.File(p.file("s16-2.h5")) as other:
        ends = [np.mean(file["steps/sensitivity_sample"][6:12]) for file in (f, other)]  # of the second epoch
    shutil.copyfile(p.file("s16-2.h5"), p.file("short.h5"))
    with h5py.File(p.file("short.h5"), "r+") as f:  # as if it were still being written
        for name, most in ("commits/epoch", 2), ("commits/step", 12):
            f[name][:] = np.minimum(f[name][:], most)
    panels, text = script(p, "sensitivity", "s16-1.h5", "short.h5")
    assert any(curve.shape == (2, 2) and close(curve[1], [2, np.mean(ends)]) for curve in panels[0]), (panels, ends)
    assert "shortest run" in text, text
    more = train(p, "more.h5", *sense, "--batch-size", "96", "--seed", "1", "--init-from", "s16-1.h5")
    _, text = script(p, "sensitivity", "s16-1.h5", more)
    assert "carried on from 16" in text and "fresh networks" not in text
    draw(p, "sensitivity", *names)
    p.run("analyze", "sensitivity", *names, "-o", "result.h5", *DEVICE)
    panels, _ = script(p, "sensitivity", "result.h5")
    assert len(panels) == 2 and len(panels[0][0]) == 4
    assert "one kind at a time" in p.run("plot", "sensitivity", names[0], "result.h5", "--script", "x.gp", expect=2).stderr


def test_results(p):
    """From analyze to the picture."""
    names = [train(p, f"run{seed}.h5", *FIT, "--seed", str(seed)) for seed in (1, 2)]
    for kind, figure, said in (("pca", "pca", "component 1"), ("hessian", "hessian", "eigenvalue"),
                               ("predict", "fit", "network − function")):
        p.run("analyze", kind, *names, "-o", kind + ".h5", *(DEVICE if kind == "predict" else []))
        text = draw(p, figure, kind + ".h5")
        assert text is None or said in text, text
    p.run("analyze", "predict", names[0] + "@all", "-o", "all.h5", *DEVICE)
    text = draw(p, "fit", "all.h5")
    assert text is None or ("epoch (log)" in text and "epoch + 1" not in text), text
    p.run("analyze", "interpolate", *names, "--points", "0..3/4,-0.5..1.5/5", "-o", "line.h5", *DEVICE)
    panels, _ = script(p, "interpolation", "line.h5")
    with h5py.File(p.file("line.h5")) as f:
        order = np.argsort(f["alpha"][:], kind="stable")
        assert close(panels[0][0], np.stack([f["alpha"][:], f["train/loss"][:]], 1)[order], 1e-8)
    assert len(panels) == 2  # a function has no accuracy: far and near
    draw(p, "interpolation", "line.h5")
    p.run("analyze", "interpolate", names[0] + "@0", names[0] + "@1", "--points", "0,1", "-o", "own.h5", *DEVICE)
    stem = names[0].removesuffix(".h5")
    assert f"(0: {stem}@0; 1: {stem}@1)" in script(p, "interpolation", "own.h5")[1].replace("\\", "")


def test_odd_runs(p):
    """One epoch, one block, a thousand layers, numbers that are none, names beyond ASCII."""
    with open(p.file("één.yaml"), "w", encoding="utf-8") as f:
        f.write("layers:\n  - flatten\n  - linear: classes\n")
    one = train(p, "één blok.h5", *MLP, "--network", "één.yaml", "--epochs", "1")
    with h5py.File(p.file(one)) as f:
        assert len(f["blocks/name"]) == 1
    for figure in ("distance-heatmap", "weights", "gradients", "classes", "parameters"):
        draw(p, figure, one)
    late = train(p, "late.h5", *MLP, "--snapshots", "epochs:2")
    assert len(script(p, "gradients", late)[0]) == 3
    lost = train(p, "lost.h5", *MLP, "--learning-rate", "1e30", "--optimizer", "sgd", "--no-stop-on-nan")
    for figure in ("weights", "gradients", "parameters"):
        script(p, figure, lost)
        draw(p, figure, lost)
    layers = "".join(f"  - {{linear: 2, name: schicht{i}}}\n" for i in range(999)) + "  - linear: classes\n"
    with open(p.file("tief-ü.yaml"), "w", encoding="utf-8") as f:
        f.write("layers:\n  - flatten\n" + layers)
    deep = train(p, "deep.h5", *MLP, "--network", "tief-ü.yaml", "--epochs", "1")
    panels, text = script(p, "weights", deep)
    assert len(panels) == 12 and "12 of 1000 tensors" in text, text[-3000:]
    draw(p, "weights", deep)
    panels, _ = script(p, "distance-heatmap", deep)
    assert len(panels[0][0]) == 1000 * 3
    draw(p, "distance-heatmap", deep)


def test_foreign_files(p):
    name = train(p, "run.h5", *MLP)
    with open(p.file("empty.h5"), "w", encoding="utf-8"), open(p.file("notes.h5"), "w", encoding="utf-8") as notes:
        notes.write("a,b\n1,2\n")
    with h5py.File(p.file("other.h5"), "w", libver="latest") as f:
        f["alpha"] = [1.0, 2.0]
    p.run("analyze", "distances", name, "-o", "distances.h5")
    for figure, file in (("pca", "empty.h5"), ("hessian", "notes.h5"), ("interpolation", "other.h5"), ("fit", "distances.h5"),
                         ("weights", "missing.h5"), ("pca", name), ("classes", "distances.h5")):
        done = p.run("plot", figure, file, "--script", "x.gp", expect=3)
        assert file in done.stderr and not os.path.exists(p.file("x.gp")), (figure, file, done.stderr)


if __name__ == "__main__":
    if not GNUPLOT:
        print(f"no gnuplot: scripts alone are tested ({sys.argv[0]})")
    program.main([test_sizes, test_movement_as_a_map, test_histograms, test_classes, test_sensitivity, test_results, test_odd_runs,
                  test_foreign_files])
