"""cli_plot.py PROGRAM: figures of small runs: what stands in the SVG and where, sizes and formats, means over seeds, gaps, sheets,
inputs that are folders, foreign, empty or without what a figure needs, and what is said where gnuplot is missing."""
import math
import os
import re
import shutil
import struct
import xml.etree.ElementTree as ElementTree

import program

h5py = program.need_h5py()
FIT = ["--network", "mlp-20x3", "--dataset", "function", "--function", "sinc-log", "--function-samples", "60", "--function-valid", "20",
       "--batch-size", "20", "--epochs", "4", "--threads", "1", "--quiet", *program.SMALL[-2:]]
LAYERS = ["--record", "distances,gradient-stats,layer-losses,layer-outputs", "--snapshots", "none"]
SVG = "{http://www.w3.org/2000/svg}"
NUMBER = r"-?\d+\.\d+"


def fit(p, name, *options):
    p.run(*FIT, *LAYERS, "--out", name, *options)


def resnet(p, name, *options):
    p.run(*program.SMALL, "--quiet", "--record", "distances", "--snapshots", "none", "--epochs", "2", "--out", name, *options)


class Picture:
    """An SVG: its texts, the curves by the names a pointer is told, the size."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            self.source = f.read()
        assert not re.search(r"(?i)\bnan\b|\binf\b", re.sub(r"<title>.*?</title>", "", self.source)), "NaN in the picture"
        self.root = ElementTree.fromstring(self.source)
        self.texts = ["".join(t.itertext()).strip() for t in self.root.iter(SVG + "text")]
        self.box = [float(v) for v in self.root.get("viewBox").split()]
        self.curves = {}
        for group in self.root.iter(SVG + "g"):
            title = group.find(SVG + "title")
            if title is not None and title.text:
                self.curves.setdefault(title.text, []).append(group)

    def places(self):
        """(x, y, text) of every text that is in one piece."""
        for group in self.root.iter(SVG + "g"):
            where = re.fullmatch(rf"translate\(({NUMBER}),({NUMBER})\)", group.get("transform") or "")
            text = group.find(SVG + "text")
            if where and text is not None:
                yield float(where[1]), float(where[2]), "".join(text.itertext()).strip()

    def points(self, name, at=0):
        """Stretches of a curve: lists of (x, y)."""
        stretches = []
        for path in self.curves[name][at].iter(SVG + "path"):
            for kind, x, y in re.findall(rf"([ML])\s*({NUMBER}),({NUMBER})", path.get("d")):
                if kind == "M":
                    stretches.append([])
                stretches[-1].append((float(x), float(y)))
        return [s for s in stretches if len(s) > 1]


def plot(p, figure, *inputs, out="out.svg", options=()):
    printed = p.run("plot", figure, *inputs, "-o", out, *options).stdout
    assert printed == out + "\n", printed
    return Picture(p.file(out)) if out.endswith(".svg") else None


def axes(p, script, panel=0):
    """(x to pixel, y to pixel) of a panel, from the script's margins and ranges."""
    with open(p.file(script), encoding="utf-8") as f:
        text = f.read()
    width, height = map(float, re.search(r"set terminal svg .*size (\d+),(\d+)", text).groups())
    margins = [[float(v) for v in re.findall(rf"set {side}margin at screen ([\d.]+)", text)][panel] for side in "lrtb"]
    ranges = [list(map(float, re.findall(rf"set {axis}range \[([^:]+):([^\]]+)\]", text)[panel])) for axis in "xy"]
    log = [re.findall(rf"^(un)?set logscale {axis}", text, re.M)[panel] == "" for axis in "xy"]

    def place(axis, value, low, high):
        scale = math.log10 if log[axis] else float
        a, b = ranges[axis]
        return low + (high - low) * (scale(value) - scale(a)) / (scale(b) - scale(a))

    return (lambda v: place(0, v, margins[0] * width, margins[1] * width),
            lambda v: place(1, v, (1 - margins[3]) * height, (1 - margins[2]) * height))


def near(points, want, what):
    assert len(points) == len(want), (what, len(points), len(want))
    for (x, y), (u, v) in zip(points, want):
        assert abs(x - u) <= 0.6 and abs(y - v) <= 0.6, (what, (x, y), (u, v))


def read(p, name, path):
    with h5py.File(p.file(name)) as f:
        return f[path][:]


def change(p, source, target, changes):
    """A copy of a record with some values changed."""
    shutil.copy(p.file(source), p.file(target))
    with h5py.File(p.file(target), "r+") as f:
        for path, row, value in changes:
            f[path][row] = value


def test_loss(p):
    fit(p, "a.h5")
    picture = plot(p, "loss", "a.h5", options=["--script", "a.gp"])
    assert {"training", "validation", "epoch", "loss"} <= set(picture.texts), picture.texts
    assert "test" not in picture.texts, "the validation points are shown twice"
    x, y = axes(p, "a.gp")
    for name, path in (("mlp-20x3, sinc-log, training loss", "train_loss"), ("mlp-20x3, sinc-log, validation loss", "valid_loss")):
        want = [(x(e + 1), y(v)) for e, v in enumerate(read(p, "a.h5", "epochs/" + path))]
        stretch, = picture.points(name)
        near(stretch, want, name)
    numbers = [(u, v, float(text)) for u, v, text in picture.places() if re.fullmatch(r"\d+(\.\d+)?", text)]
    across = [(u, value) for u, v, value in numbers if u >= x(1) - 2]
    upward = [(v, value) for u, v, value in numbers if u < x(1) - 2]
    assert len(across) >= 3 and len(upward) >= 3, numbers
    assert all(abs(u - x(value)) < 1 for u, value in across), across
    assert all(0 < v - y(value) < 6 for v, value in upward), upward  # the foot of the figures lies below their middle
    picture = plot(p, "loss", "a.h5", options=["--log", "y", "--split", "train", "--script", "a.gp"])
    x, y = axes(p, "a.gp")
    near(picture.points("mlp-20x3, sinc-log, training loss")[0],
         [(x(e + 1), y(v)) for e, v in enumerate(read(p, "a.h5", "epochs/train_loss"))], "logarithmic")
    assert list(picture.curves) == ["mlp-20x3, sinc-log, training loss"], list(picture.curves)


def test_seeds(p):
    names = ["s1.h5", "s2.h5", "s3.h5"]
    for seed, name in enumerate(names, 1):
        fit(p, name, "--seed", str(seed))
    picture = plot(p, "loss", *names, options=["--script", "a.gp", "--split", "train"])
    x, y = axes(p, "a.gp")
    losses = [read(p, name, "epochs/train_loss") for name in names]
    mean = sum(losses) / 3
    near(picture.points("mlp-20x3, sinc-log, training loss")[0], [(x(e + 1), y(v)) for e, v in enumerate(mean)], "mean")
    said = " ".join(picture.texts)
    assert "sinc-log, mean ± std over seeds" in said and "shortest" not in said, said
    polygon = [q for q in picture.root.iter(SVG + "polygon") if float(q.get("fill-opacity") or 1) < 0.5]
    assert len(polygon) == 1, len(polygon)
    corners = [tuple(map(float, c.split(","))) for c in polygon[0].get("points").split()]
    std = (sum((v - mean) ** 2 for v in losses) / 2) ** 0.5
    for e in range(4):
        for v in (mean[e] - std[e], mean[e] + std[e]):
            assert any(abs(cx - x(e + 1)) < 1 and abs(cy - y(v)) < 1 for cx, cy in corners), ("band", e, v)
    paths = lambda picture: len([q for q in picture.root.iter(SVG + "path") if q.get("opacity") == "0.50"])
    assert paths(picture) == 0
    thin = plot(p, "loss", *names, options=["--individual", "--split", "train"])
    assert paths(thin) == 3, paths(thin)
    # another learning rate is another line, and each has its own place in the key
    fit(p, "other.h5", "--learning-rate", "0.01")
    picture = plot(p, "loss", *names, "other.h5")
    assert {"learning rate 0.001", "learning rate 0.01", "training", "validation"} <= set(picture.texts), picture.texts


def test_runs_of_different_length(p):
    """The mean goes as far as all runs do; the rest of the longer one is a thin line of its own."""
    fit(p, "a.h5", "--epochs", "8")
    fit(p, "b.h5", "--epochs", "8", "--seed", "2")
    with h5py.File(p.file("b.h5"), "r+") as f: # as if a stop rule had ended it
        f["commits/epoch"][:] = f["commits/epoch"][:].clip(max=5)
    picture = plot(p, "loss", "a.h5", "b.h5", options=["--split", "train", "--script", "a.gp"])
    stretch, = picture.points("mlp-20x3, sinc-log, training loss")
    assert len(stretch) == 5, len(stretch)
    x, y = axes(p, "a.gp")
    tail = [(x(e), y(v)) for e, v in enumerate(read(p, "a.h5", "epochs/train_loss"), 1)][4:]
    lines = [re.findall(rf"[ML]\s*({NUMBER}),({NUMBER})", path.get("d")) for path in picture.root.iter(SVG + "path")]
    assert any(len(line) == 4 and all(abs(float(u) - a) < 1 and abs(float(v) - b) < 1 for (u, v), (a, b) in zip(line, tail))
               for line in lines), "the rest of the longer run"
    told = "mean ± std over seeds up to the end of the shortest run"
    assert told in " ".join(picture.texts) and told in picture.source.split("</desc>")[0].split("<desc")[1], picture.texts
    fit(p, "c.h5", "--epochs", "8", "--learning-rate", "0.01")
    assert told in " ".join(plot(p, "loss", "a.h5", "b.h5", "c.h5", options=["--sheet", "learning-rate"]).texts), "on a sheet"


def test_distances(p):
    resnet(p, "plain.h5", "--plain")
    resnet(p, "residual.h5")
    picture = plot(p, "distances", "residual.h5", "plain.h5", options=["--script", "a.gp"])
    assert len(picture.curves) == 8, list(picture.curves)
    assert {"to initial state", "to previous step (log)", "step", "block, from the input on"} <= set(picture.texts), picture.texts
    titles = [t for t in picture.texts if t.startswith("ResNet")]
    assert len(titles) == 2 and "plain" in titles[0] and "plain" not in titles[1], titles
    # twins have one colour; dashes tell them apart, in the key as well
    for names in (("plain.h5", "residual.h5"), ("residual.h5", "plain.h5")):
        dashed = re.findall(r"<path [^>]*stroke-dasharray[^>]*>", plot(p, "loss", *names, options=["--split", "train"]).source)
        assert len(dashed) == 2, (names, dashed)
    for column, name in enumerate(("plain.h5", "residual.h5")):
        curve = [c for c in picture.curves if ("plain" in c) == (name == "plain.h5") and "block 3: layer3.0" in c]
        x, y = axes(p, "a.gp", column)
        d = read(p, name, "steps/distance_to_initial/minkowski:1")[:, 2]
        near(picture.points(curve[0], 0)[0], [(x(0), y(0))] + [(x(t + 1), y(v)) for t, v in enumerate(d)], curve[0])
        x, y = axes(p, "a.gp", 2 + column)
        d = read(p, name, "steps/distance_to_previous/minkowski:1")[:, 2]
        near(picture.points(curve[0], 1)[0], [(x(t + 1), y(v)) for t, v in enumerate(d)], curve[0])
    picture = plot(p, "distances", "plain.h5", options=["--layers", "layer2*,layer4.0", "--per-weight"])
    assert len(picture.curves) == 2, list(picture.curves)
    assert "Distance of each block's weights (minkowski:1, per weight)" in picture.texts, picture.texts
    said = p.run("plot", "distances", "plain.h5", "-o", "a.svg", "--metric", "cosine", expect=2).stderr
    assert "recorded minkowski:1" in said, said
    for size in ("8.5x6cm", "17.8x8cm"):
        picture = plot(p, "distances", "plain.h5", options=["--per-weight", "--size", size])
        beside = " ".join(picture.texts)
        assert "to initial state, per weight" in beside and "to previous step, per weight (log)" in beside and "…" not in beside, (size, beside)
    resnet(p, "short.h5", "--seed", "2")
    with h5py.File(p.file("short.h5"), "r+") as f:  # as if it were still being written: the mean goes as far as all runs do
        steps = int(f["commits/step"][:].max()) - 1
        f["commits/step"][:] = f["commits/step"][:].clip(max=steps)
    picture = plot(p, "distances", "residual.h5", "short.h5")
    name = next(c for c in picture.curves if "block 1:" in c)
    assert steps > 1 and len(picture.points(name, 1)[0]) == steps, (picture.points(name, 1), steps)
    assert "mean over seeds up to the end of the shortest run" in " ".join(picture.texts), picture.texts
    p.run("plot", "distance-heatmap", "residual.h5", "short.h5", "--script", "a.gp")
    with open(p.file("a.gp"), encoding="utf-8") as f:
        text = f.read()
    cells = re.search(r"^\$d0 << EOD\n(.*?)^EOD$", text, re.M | re.S)[1].split("\n")[:-1]
    assert len(cells) == 4 * steps and "up to the end of the shortest run" in " ".join(re.findall("set label '(.*?)'", text)), cells
    picture = plot(p, "medians", "plain.h5", "residual.h5", options=["--script", "a.gp"])
    x, y = axes(p, "a.gp", 0)
    want = sorted(read(p, "residual.h5", "steps/distance_to_initial/minkowski:1")[:, 3])
    curve = next(c for c in picture.curves if "plain" not in c)
    middle = (want[(len(want) - 1) // 2] + want[len(want) // 2]) / 2
    near(picture.points(curve)[0][3:], [(x(4), y(middle))], "median")
    assert {"median of minkowski:1", "median of minkowski:1 (log)"} <= set(picture.texts), picture.texts
    resnet(p, "flow.h5", "--record", "gradient-stats", "--blocks", "2,2,2,2", "--train-limit", "32", "--epochs", "1")
    texts = plot(p, "gradient-flow", "flow.h5").texts  # too many names for all
    assert "conv1.weight" in texts and {"fc.weight", "fc.bias"} & set(texts), texts


def test_figures(p):
    """Every figure of a record comes, in every format."""
    fit(p, "a.h5", "--clip-norm", "0.1")
    for figure in ("distances", "medians", "loss", "gradient-norm", "schedule", "layer-curves", "layer-loss", "gradient-flow"):
        for log in ("xy", "none"):  # zero, where many axes begin, has no place on a logarithmic one
            assert plot(p, figure, "a.h5", options=["--log", log]).curves, (figure, log)
        picture = plot(p, figure, "a.h5")
        assert picture.curves and picture.root.get("role") == "img" and picture.root.find(SVG + "desc").text, figure
    picture = plot(p, "gradient-norm", "a.h5")
    assert {"before clipping", "after clipping"} <= set(picture.texts), picture.texts
    picture = plot(p, "schedule", "a.h5", options=["--script", "a.gp"])
    x, _ = axes(p, "a.gp")
    for ends in (picture.points("mlp-20x3, sinc-log, learning rate")[0][-1][0], max(u for u, _, text in picture.places() if text == "4")):
        assert abs(ends - x(4)) < 1, (ends, x(4))  # the last step lasts to the end of the last epoch
    picture = plot(p, "layer-curves", "a.h5", options=["--smooth", "3", "--outliers", "3"])
    assert {"own loss (log)", "mean output", "linear1", "relu1"} <= set(picture.texts), picture.texts
    assert "own loss" in plot(p, "layer-curves", "a.h5", options=["--smooth", "3", "--outliers", "3", "--log", "none"]).texts
    plot(p, "loss", "a.h5", out="a.png", options=["--size", "640x400px"])
    with open(p.file("a.png"), "rb") as f:
        head = f.read(24)
    assert head[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", head[16:]) == (640, 400), head
    plot(p, "loss", "a.h5", out="a.pdf", options=["--size", "8.6x6cm"])
    with open(p.file("a.pdf"), "rb") as f:
        pdf = f.read()
    assert pdf.startswith(b"%PDF-") and pdf.rstrip().endswith(b"%%EOF")
    box = re.search(rb"/MediaBox \[ ?([\d. ]+)\]", pdf)
    assert box is None or abs(float(box[1].split()[2]) - 8.6 / 2.54 * 72) < 1.5, box[1]
    assert "cannot be written" in p.run("plot", "loss", "a.h5", "-o", "no/such/folder.svg", expect=1).stderr
    picture = plot(p, "loss", "a.h5", options=["--size", "10x5cm"])
    assert picture.box[2:] == [378, 189], picture.box


def test_where_axes_begin(p):
    """Losses of layers begin at 0 unless that leaves most of the panel empty, their outputs where they are; learning rates at 0."""
    fit(p, "a.h5")
    for name, least in (("low.h5", 1.0), ("high.h5", 2.0)):
        shutil.copy(p.file("a.h5"), p.file(name))
        with h5py.File(p.file(name), "r+") as f:
            for path in ("steps/layer_loss", "steps/layer_output_mean"):
                f[path][:] = 3.0
                f[path][0] = least
        plot(p, "layer-curves", name, options=["--script", "a.gp"])
        loss, output = lows(p, "a.gp")
        assert (loss == 0.0) == (least == 1.0) and 0.0 < output < least, (name, loss, output)
    plot(p, "schedule", "a.h5", options=["--script", "a.gp"])
    assert lows(p, "a.gp") == [0.0], lows(p, "a.gp")
    change(p, "a.h5", "b.h5", [("steps/learning_rate", slice(None), 0.5), ("steps/learning_rate", 0, 0.4)])
    plot(p, "schedule", "b.h5", options=["--script", "a.gp"])
    assert lows(p, "a.gp") == [0.0], lows(p, "a.gp")


def lows(p, script):
    """Where the y axis of each panel begins."""
    with open(p.file(script), encoding="utf-8") as f:
        return [float(low) for low in re.findall(r"set yrange \[([^:]+):", f.read())]


def test_gradient_flow(p):
    fit(p, "a.h5")
    picture = plot(p, "gradient-flow", "a.h5", options=["--steps", "3", "--script", "a.gp"])
    assert {"first 3 steps", "last 3 steps", "linear1.weight"} <= set(picture.texts), picture.texts
    for panel, rows in ((0, slice(0, 3)), (1, slice(-3, None))):
        x, y = axes(p, "a.gp", panel)
        mean = read(p, "a.h5", "steps/gradient_abs_mean")[rows].astype(float).mean(axis=0)
        near(picture.points("mlp-20x3, sinc-log", panel)[0], [(x(i + 1), y(v)) for i, v in enumerate(mean)], panel)
    assert "standard deviation over elements and steps" in picture.texts, picture.texts
    fit(p, "b.h5", "--seed", "2")
    for name, scale, log in (("even.h5", 1.0, "un"), ("steep.h5", 0.001, ""), ("vanished.h5", [0.0, 0.001], "")):  # of the first parameters
        shutil.copy(p.file("a.h5"), p.file(name))
        with h5py.File(p.file(name), "r+") as f:
            f["steps/gradient_abs_mean"][:] = 0.5
            first = scale if isinstance(scale, list) else [scale]
            f["steps/gradient_abs_mean"][:, :len(first)] = [0.5 * s for s in first]
        picture = plot(p, "gradient-flow", name, options=["--script", "a.gp"])
        with open(p.file("a.gp"), encoding="utf-8") as f:
            assert set(re.findall(r"^(un)?set logscale y", f.read(), re.M)) == {log}, name
    fit(p, "c.h5", "--learning-rate", "0.01")
    change(p, "c.h5", "even.h5", [("steps/gradient_abs_mean", slice(None), 0.5)])
    plot(p, "gradient-flow", "steep.h5", "even.h5", options=["--script", "a.gp"])
    with open(p.file("a.gp"), encoding="utf-8") as f:
        assert re.findall(r"^(un)?set logscale y", f.read(), re.M) == [""] * 4, "rows that cannot be compared"
    assert len(set(lows(p, "a.gp"))) == 1, lows(p, "a.gp")
    picture = plot(p, "gradient-flow", "a.h5", "b.h5")
    assert "standard deviation over elements, steps and seeds" in picture.texts, picture.texts


def test_layers(p):
    """Layers are told by name where all networks have the same, else by number: one colour for each in all of them."""
    for seed, name in (("1", "a.h5"), ("2", "b.h5")):
        fit(p, name, "--learning-rate", "0.01" if seed == "2" else "0.001")
    picture = plot(p, "layer-curves", "a.h5", "b.h5")
    assert "linear1" in picture.texts and "layer, from the input on" not in picture.texts, picture.texts
    texts = plot(p, "distances", "a.h5").texts
    assert "linear1" in texts and "block, from the input on" not in texts, texts
    p.run(*FIT, *LAYERS, "--network", "mlp-fit-8x7", "--out", "c.h5")
    picture = plot(p, "layer-curves", "a.h5", "c.h5")
    assert "linear1" not in picture.texts and "layer, from the input on" in picture.texts, picture.texts
    colours = {}
    for name, groups in picture.curves.items():
        colours.setdefault(name.split(", ")[-1], set()).add(re.search(r'stroke="(#\w+|rgb\([^)]*\))', ElementTree.tostring(groups[0]).decode())[1])
    assert len(colours["linear1"]) == 1 and colours["linear1"] != colours["linear2"], colours
    picture = plot(p, "layer-curves", "a.h5", "c.h5", options=["--sheet", "network"])
    assert "linear1" not in picture.texts and "layer, from the input on" in picture.texts, picture.texts
    picture = plot(p, "layer-curves", "a.h5", "b.h5", options=["--sheet", "learning-rate"])
    assert "linear1" in picture.texts and "layer, from the input on" not in picture.texts, picture.texts


def test_gaps(p):
    """A number that is none parts a curve; nothing is drawn as 0, and a point by itself is a dot."""
    fit(p, "a.h5", "--epochs", "6")
    change(p, "a.h5", "gap.h5", [("epochs/train_loss", 2, math.nan), ("epochs/train_loss", 4, math.inf)])
    picture = plot(p, "loss", "gap.h5", options=["--split", "train"])
    name = "mlp-20x3, sinc-log, training loss"
    assert [len(s) for s in picture.points(name)] == [2], picture.points(name)
    dots = [u for group in picture.curves[name] for u in group.iter(SVG + "use")]
    assert len(dots) == 2, len(dots)
    change(p, "a.h5", "none.h5", [("epochs/train_loss", slice(None), math.nan), ("epochs/valid_loss", slice(None), math.nan),
                                  ("epochs/test_loss", slice(None), math.nan)])
    said = p.run("plot", "loss", "none.h5", "-o", "a.svg", expect=3).stderr
    assert "no loss was recorded that is a number" in said, said
    assert not os.path.exists(p.file("a.svg"))
    fit(p, "one.h5", "--epochs", "1")
    for figure in ("loss", "schedule", "medians", "distances"):
        assert plot(p, figure, "one.h5").curves, figure


def test_sheet(p):
    for depth, plain in ((18, []), (18, ["--plain"]), (34, []), (34, ["--plain"])):
        resnet(p, f"r{depth}{'p' if plain else ''}.h5", "--depth", str(depth), "--blocks", "", *plain, "--train-limit", "64",
               "--batch-size", "32", "--epochs", "1")
    os.mkdir(p.file("runs"))
    for name in ("r18.h5", "r18p.h5", "r34.h5", "r34p.h5"):
        os.rename(p.file(name), p.file("runs/" + name))
    with open(p.file("runs/notes.txt"), "w", encoding="utf-8") as f:
        f.write("no record")
    picture = plot(p, "accuracy", "runs", options=["--sheet", "depth", "--split", "train"])
    assert {"depth 18", "depth 34"} <= set(picture.texts), picture.texts
    picture = plot(p, "distances", "runs", options=["--sheet", "depth", "--script", "a.gp"])
    assert {"depth 18: plain", "depth 18: residual", "depth 34: plain", "depth 34: residual"} <= set(picture.texts), picture.texts
    drawn = {c: len(g) for c, g in picture.curves.items()}
    x, y = axes(p, "a.gp", 0)  # the first panel is of depth 18, plain
    d = read(p, "runs/r18p.h5", "steps/distance_to_initial/minkowski:1")[:, 0]
    near(picture.points("plain, block 1: layer1.0", 0)[0], [(x(0), y(0))] + [(x(t + 1), y(v)) for t, v in enumerate(d)], "depth 18")
    assert sum(drawn.values()) == 2 * 2 * (8 + 16) and drawn["residual, block 1: layer1.0"] == 4, drawn
    picture = plot(p, "accuracy", "runs", options=["--sheet", "plain", "--split", "train"])
    titles = [text for text in picture.texts if text in ("residual", "plain")]
    assert titles == ["residual", "plain"] and not any("false" in text for text in picture.texts), picture.texts
    said = p.run("plot", "loss", "runs", "-o", "a.svg", "--sheet", "dpeth", expect=2).stderr
    assert "nearest depth" in said, said


def test_names(p):
    fit(p, "größe_1 <a&b>.h5")
    picture = plot(p, "loss", "größe_1 <a&b>.h5", options=["--title", "Größe <i> & x_{1}^2 'q' 日本"])
    assert "Größe <i> & x_{1}^2 'q' 日本" in picture.texts, picture.texts
    assert picture.root.find(SVG + "title").text == "Größe <i> & x_{1}^2 'q' 日本"
    assert "Helvetica, Arial, sans-serif" in picture.source
    picture = plot(p, "loss", "größe_1 <a&b>.h5", options=["--title", "", "--font", "Lato", "--font-size", "12"])
    assert "Lato, sans-serif" in picture.source and 'font-size="16.00"' in picture.source
    shutil.copy(p.file("größe_1 <a&b>.h5"), p.file("b.h5"))
    fit(p, "c.h5", "--learning-rate", "0.1")
    p.run("plot", "loss", "b.h5", "c.h5", "-o", "c.svg", "--palette", "cividis,bright")
    assert "rgb( 68, 119, 170)" in Picture(p.file("c.svg")).source


def test_refused(p):
    fit(p, "a.h5", "--record", "none")
    for name, text in (("empty.h5", b""), ("foreign.h5", b"something else entirely, of some length")):
        with open(p.file(name), "wb") as f:
            f.write(text)
    with h5py.File(p.file("other.h5"), "w") as f:
        f["x"] = 3
    os.mkdir(p.file("nothing"))
    for name, part in (("empty.h5", "no HDF5 file"), ("foreign.h5", "no HDF5 file"), ("other.h5", "no HDF5 file that this program writes"),
                       ("missing.h5", "No such file"), ("nothing", "without .h5 files"), ("a.h5", "records with distances")):
        said = p.run("plot", "distances", name, "-o", "out.svg", expect=3).stderr
        assert name in said and part in said and said.count("\n") == 1, said
    said = p.run("plot", "foo", "a.h5", "-o", "out.svg", expect=2).stderr
    assert "nearest" not in said and "there are distances, loss, accuracy" in said and said.endswith(", classes\n"), said
    for arguments, part in ((["los", "a.h5"], "nearest loss"), (["loss", "a.h5", "--smoth", "3"], "nearest --smooth"),
                            (["loss", "a.h5", "--smooth", "0"], "whole number from 1"), (["loss", "a.h5", "--steps", "3"], "no option of loss"),
                            (["loss", "a.h5", "--log", "z"], "x, y, xy or none"),
                            (["loss", "a.h5", "--script", "a.h5"], ".gnuplot"), (["loss", "a.h5", "--size", "8"], "8.6x6cm"),
                            (["loss", "a.h5", "--size", "1.4x1.4cm"], "too small"), (["loss", "a.h5", "--palette", "jet"], "viridis"),
                            (["loss", "a.h5", "--font", "Lato' ; x"], "one family"), (["loss", "a.h5", "--split", "rest"], "train, valid and test"), (["loss"], "of what"), ([], "which figure"),
                            (["loss", "a.h5", "-o", "a.jpg"], ".svg, .png or .pdf"), (["loss", "a.h5", "--font-size", "x"], "not a number")):
        said = p.run("plot", *arguments, *([] if "-o" in arguments else ["-o", "out.svg"]), expect=2).stderr
        assert part in said and said.count("\n") == 1, (arguments, said)
    said = p.run("plot", "loss", "a.h5", expect=2).stderr
    assert "-o FILE.svg" in said, said
    assert not os.path.exists(p.file("out.svg"))


def test_results_among_records(p):
    """What a pattern catches beside records is passed over, with a word where it is of the program."""
    fit(p, "a.h5", "--record", "weights", "--snapshots", "all")
    p.run("analyze", "pca", "a.h5")
    done = p.run("plot", "loss", "a.h5", "a.h5.ckpt", "a.pca.h5", "-o", "a.svg")
    assert "a.pca.h5 is left out" in done.stderr and "ckpt" not in done.stderr, done.stderr


def test_foreign_files_of_a_folder(p):
    """They are passed over with one line that names them; where nothing else is there, or one is named itself, it is an error."""
    fit(p, "a.h5", "--record", "none")
    os.mkdir(p.file("runs"))
    with h5py.File(p.file("runs/other.h5"), "w") as f:
        f["x"] = 3
    for name in ("foreign", *"bcdef"):
        with open(p.file(f"runs/{name}.h5"), "wb") as f:
            f.write(b"something else")
    said = p.run("plot", "loss", "runs", "--script", "a.gp", expect=3).stderr
    assert "runs: none of its .h5 files is a record or a result" in said and said.count("\n") == 1, said
    os.rename(p.file("a.h5"), p.file("runs/z.h5"))
    said = p.run("plot", "loss", "runs", "--script", "a.gp").stderr
    assert "runs: left out, as they cannot be read as records or results: b.h5, c.h5, d.h5, e.h5 and 3 more; the first: runs/b.h5" in said and said.count("\n") == 1, said
    for name in "bcdef":
        os.remove(p.file(f"runs/{name}.h5"))
    said = p.run("plot", "loss", "runs", "--script", "a.gp").stderr
    assert "results: foreign.h5, other.h5; the first: runs/foreign.h5" in said, said
    assert "other.h5" in p.run("plot", "loss", "runs/z.h5", "runs/other.h5", "--script", "a.gp", expect=3).stderr


def test_without_gnuplot(p):
    fit(p, "a.h5")
    p.env["RS_GNUPLOT"] = "/no/such/gnuplot"
    said = p.run("plot", "loss", "a.h5", "-o", "a.svg", expect=1).stderr
    assert "gnuplot-nox" in said and "--script" in said and not os.path.exists(p.file("a.svg")), said
    assert p.run("plot", "loss", "a.h5", "--script", "a.gp").stdout == "a.gp\n"
    with open(p.file("a.gp"), encoding="utf-8") as f:
        assert "set terminal svg" in f.read()
    p.env["RS_GNUPLOT"] = p.file("fails")
    with open(p.file("fails"), "w", encoding="utf-8") as f:
        f.write('#!/bin/sh\necho "line 7: it is broken" >&2\nexit 3\n')
    os.chmod(p.file("fails"), 0o755)
    said = p.run("plot", "loss", "a.h5", "-o", "a.svg", expect=1).stderr
    assert "gnuplot failed: line 7: it is broken" in said, said
    with open(p.file("fails"), "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\nexit 0\n")
    assert "wrote nothing" in p.run("plot", "loss", "a.h5", "-o", "a.svg", expect=1).stderr
    del p.env["RS_GNUPLOT"]


def test_help(p):
    text = p.run("plot", "--help").stdout
    for word in ("distances", "gradient-flow", "--smooth N", "Examples:", "-o FILE"):
        assert word in text, word


if __name__ == "__main__":
    tests = [test_without_gnuplot, test_help, test_refused, test_foreign_files_of_a_folder]
    if shutil.which(os.environ.get("RS_GNUPLOT", "gnuplot")) is None:
        print("the figures themselves are skipped: there is no gnuplot (Debian: gnuplot-nox)")
    else:
        tests += [test_loss, test_seeds, test_runs_of_different_length, test_distances, test_figures, test_where_axes_begin, test_gradient_flow, test_layers, test_gaps,
                  test_sheet, test_names, test_results_among_records]
    program.main(tests)
