"""cli_inspect.py PROGRAM: `info`, `export` and `compare` from outside, with h5py, numpy, PyYAML and safetensors as readers of what
they write; runs that diverge, hold one epoch or no snapshot; files that are none. `info --watch` is in cli_watch.py."""
import csv
import json
import math
import os
import re
import struct

import numpy as np

import program

h5py = program.need_h5py()
DEVICE = program.SMALL[-2:]
TINY = ["--network", "mlp-20x3", "--dataset", "function", "--function", "sinc-log", "--function-samples", "60", "--function-valid", "20",
        "--batch-size", "20", "--threads", "1", "--commit-every", "0", *DEVICE]
RESNET = [*program.SMALL, "--epochs", "2"]


def train(p, name, *options):
    p.run(*options, "--out", name, "--quiet")
    return name


def read_csv(p, path):
    """Columns of a CSV file as {name: list of text}, in the file's order."""
    with open(p.file(path), newline="", encoding="utf-8") as f:
        header, *rows = csv.reader(f)
    assert all(len(row) == len(header) for row in rows) and len(set(header)) == len(header), path
    return {name: [row[i] for row in rows] for i, name in enumerate(header)}


def numbers(column):
    return np.array([float(x) for x in column])


def same(a, b):
    """Equal to the bit, NaN where the other has NaN; never of different lengths."""
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and bool(np.all((a == b) | (np.isnan(a) & np.isnan(b))))


def texts(dataset):
    return [x.decode() for x in dataset[:]]


# --- info ---------------------------------------------------------------------------------------------------------

def test_info_lists_everything(p):
    name = train(p, "größe.h5", *RESNET)
    text = p.run("info", name).stdout
    found = json.loads(p.run("info", "--json", name).stdout)
    with h5py.File(p.file(name)) as f:
        paths = []
        f.visititems(lambda path, item: paths.append(path) if isinstance(item, h5py.Dataset) else None)
        assert sorted(d["path"] for d in found["datasets"]) == sorted(paths)
        for d in found["datasets"]:
            assert d["shape"] == list(f[d["path"]].shape), d
            assert d["stored_bytes"] == f[d["path"]].id.get_storage_size(), d
        assert [layer["name"] for layer in found["layers"]] == texts(f["layers/name"])
        assert [layer["shape"] for layer in found["layers"]] == f["layers/shape"][:].tolist()
        assert found["attributes"] == {k: (v.item() if hasattr(v, "item") else v) for k, v in f.attrs.items()}
        assert found["last"]["epochs/train_loss"] == f["epochs/train_loss"][-1]
        assert found["committed"] == {"commits": len(f["commits/step"]), "epochs": 2, "steps": len(f["step"]), "snapshots": 3}
        assert found["dataset"] == f["dataset"].asstr()[()]
    assert found["path"] == name and found["state"] == "done" and found["writer"] == "none" and found["type"] == "record"
    assert found["config"]["depth"] == 18 and found["config"]["blocks"] == "1,1,1,1" and found["config"]["plain"] is False
    for part in ("größe.h5: record of schema version 1", "state        done", "committed    2 epochs, 6 steps, 3 snapshots",
                 "  depth: 18", "layer1.0.conv1", "steps/distance_to_initial/", "[6, 4]"):
        assert part in text, part
    folders = re.findall(r"^  (\S+/)$", text, re.M)
    assert sorted(folders) == sorted({path.rsplit("/", 1)[0] + "/" for path in paths if "/" in path}), folders
    assert text.split("\ndata sets")[1].count("\n") == len(paths) + len(folders) + 1, "a data set twice, or none"
    assert re.search(r"^validation .*accuracy 0\.\d+ \(= test\)$", text, re.M), text


def test_info_with_a_validation_set_of_its_own(p):
    text = p.run("info", train(p, "split.h5", *RESNET, "--valid-split", "32")).stdout
    assert re.search(r"^validation .*accuracy 0\.\d+$", text, re.M) and re.search(r"^test  .*accuracy", text, re.M), text


def test_info_of_results(p):
    name = train(p, "run.h5", *TINY, "--epochs", "3")
    p.run("analyze", "pca", name, "-o", "pca.h5")
    text = p.run("info", "pca.h5").stdout
    assert "pca.h5: file of results" in text and "kind                 pca" in text and "weight^2" in text, text
    found = json.loads(p.run("info", "--json", "pca.h5").stdout)
    with h5py.File(p.file("pca.h5")) as f:
        variance = next(d for d in found["datasets"] if d["path"] == "component/variance")
        assert variance["shape"] == list(f["component/variance"].shape) and variance["unit"] == "weight^2"
        assert found["attributes"]["weights"] == f.attrs["weights"]
    assert "no gradients" in p.run("info", "--gradients", "1", "pca.h5", expect=3).stderr
    assert "first mean" in p.run("info", "--gradients", "2", name).stdout
    p.run("export", "pca.h5", expect=3)


STUDY = """study: small
settings:
  network: mlp-20x3
  dataset: function
  function: sinc-log
  function-samples: 60
  epochs: 3
  batch-size: 20
  threads: 1
grid:
  function-valid: [20]
seeds: [1, 2]
"""


def test_info_of_a_study(p):
    """Its series have the paths of a record's, but nothing in it grows."""
    with open(p.file("small.yaml"), "w", encoding="utf-8") as f:
        f.write(STUDY)
    p.run("run", "small.yaml")
    found = json.loads(p.run("info", "--json", "runs/small_summary.h5").stdout)
    with h5py.File(p.file("runs/small_summary.h5")) as f:
        assert found["type"] == "result" and found["attributes"]["kind"] == "study" and "state" not in found
        for d in found["datasets"]:
            assert d["shape"] == list(f[d["path"]].shape) and d["what"] == f[d["path"]].attrs["what"], d
        assert any(d["path"] == "epochs/train_loss/mean" for d in found["datasets"])
    assert "[1, 3]" in p.run("info", "runs/small_summary.h5").stdout


def test_what_is_refused(p):
    with open(p.file("empty.h5"), "w", encoding="utf-8"):
        pass
    with h5py.File(p.file("foreign.h5"), "w") as f:
        f["x"] = [1]
    with h5py.File(p.file("latest.h5"), "w", libver="latest") as f:
        f["x"] = [1]
    for name in ("empty.h5", "foreign.h5", "latest.h5", "missing.h5"):
        for command in (["info"], ["info", "--json"], ["info", "--watch"], ["export"], ["compare", "empty.h5"]):
            if command[-1] == "--watch" and name == "missing.h5":
                continue  # that waits
            done = p.run(*command, name, expect=3)
            assert "resnet_study" in done.stderr and done.stdout == "", (command, name, done.stdout)
    cases = [
        (["info"], "which file?"),
        (["info", "a.h5", "b.h5"], "b.h5: one file too many"),
        (["info", "--jsno", "a.h5"], "--jsno: unknown option; nearest --json"),
        (["info", "--json", "--watch", "a.h5"], "exclude each other"),
        (["info", "--interval", "1", "a.h5"], "--interval is of --watch"),
        (["info", "--watch", "--interval", "0", "a.h5"], "--interval 0: not a number of at least 0.05"),
        (["info", "--gradients", "0", "a.h5"], "--gradients 0: not a number of steps from 1 on"),
        (["export"], "which run?"),
        (["export", "a.h5", "--format", ""], "--format: which?"),
        (["export", "a.h5", "--format", "cvs"], "--format cvs: not one of csv, json, yaml, safetensors, npy, all; nearest csv"),
        (["export", "a.h5", "--gradients"], "--gradients is of --format safetensors and npy"),
        (["compare", "a.h5"], "two runs are compared"),
        (["compare", "a.h5", "b.h5", "--metric", "cosin"], 'unknown metric "cosin"'),
    ]
    for arguments, message in cases:
        done = p.run(*arguments, expect=2)
        assert message in done.stderr and done.stdout == "", (arguments, done.stderr)
    for command in ("info", "export", "compare"):
        assert "Examples:" in p.run(command, "--help").stdout


def test_runs_that_predict_numbers(p):
    name = train(p, "fit.h5", *TINY)
    with h5py.File(p.file(name)) as f:
        error, r_squared = f["epochs/valid_mean_absolute_error"][-1], f["epochs/valid_r_squared"][-1]
        loss = f["epochs/valid_loss"][-1]
    text = p.run("info", name).stdout
    assert f"validation   loss {loss:.6g}, mean absolute error {error:.4g}, R squared {r_squared:.4f} (= test)\n" in text, text[:600]
    assert "accuracy" not in text[:text.index("configuration")], text[:600]
    last = json.loads(p.run("info", "--json", name).stdout)["last"]
    assert last["epochs/valid_mean_absolute_error"] == error and last["epochs/test_r_squared"] == r_squared, last
    line = p.run("info", "--watch", name).stdout.splitlines()[0]
    assert f"valid loss {loss:.4f} mae {error:.4g} R2 {r_squared:.4f}" in line and " acc " not in line, line


# --- export -------------------------------------------------------------------------------------------------------

def check_csv(p, folder, path):
    with h5py.File(p.file(path)) as f:
        steps, epochs = read_csv(p, f"{folder}/steps.csv"), read_csv(p, f"{folder}/epochs.csv")
        for table, group, scale in ((steps, "steps", "step"), (epochs, "epochs", "epoch")):
            assert set(table) == {scale} | {n for n, d in f[group].items() if isinstance(d, h5py.Dataset) and d.ndim == 1}
            for name, column in table.items():
                assert same(numbers(column), f[f"{group}/{name}"][:] if name != scale else f[scale][:]), name
        wide = {f"distance_to_{kind}_{metric.replace(':', '_')}": (f"steps/distance_to_{kind}/{metric}", "blocks/name")
                for kind in ("initial", "previous") for metric in f["steps/distance_to_initial"]}
        wide.update({n: (f"steps/{n}", "parameters/name") for n in ("gradient_abs_mean", "gradient_abs_std", "gradient_norms")})
        for name, (data, names) in wide.items():
            table = read_csv(p, f"{folder}/{name}.csv")
            assert list(table) == ["step"] + texts(f[names]), name
            values = np.array([numbers(column) for column in table.values()])
            assert same(values[1:].T, f[data][:].astype(float)) and same(values[0], f["step"][:].astype(float)), name
        parameters = read_csv(p, f"{folder}/parameters.csv")
        assert parameters["name"] == texts(f["parameters/name"]) and same(numbers(parameters["count"]), f["parameters/count"][:])
        assert same(numbers(parameters["shape_1"]), f["parameters/shape"][:, 1])
        assert read_csv(p, f"{folder}/layers.csv")["kind"] == texts(f["layers/kind"])
        with open(p.file(f"{folder}/config.yaml"), encoding="utf-8") as text:
            assert text.read() == f["config"].asstr()[()]


def test_csv(p):
    name = train(p, "run.h5", *RESNET, "--metric", "minkowski:1,cosine")
    assert p.run("export", name).stdout == "15 files in run.export\n"
    check_csv(p, "run.export", name)
    before = open(p.file("run.export/steps.csv"), "rb").read()
    with open(p.file("run.export/epochs.csv"), "w", encoding="utf-8") as f:
        f.write("mine")
    os.remove(p.file("run.export/blocks.csv"))
    done = p.run("export", name, expect=2)
    assert "exists; replace it with --overwrite" in done.stderr, done.stderr
    assert open(p.file("run.export/epochs.csv"), encoding="utf-8").read() == "mine"
    assert not os.path.exists(p.file("run.export/blocks.csv")) and not [n for n in os.listdir(p.file("run.export")) if n.endswith(".part")]
    p.run("export", name, "--overwrite")
    assert open(p.file("run.export/steps.csv"), "rb").read() == before
    check_csv(p, "run.export", name)


def test_series_of_layers(p):
    """Columns have the names of the layers, and of those with a classifier of their own."""
    mlp = ["--network", "mlp-16-32", "--dataset", "shapes", "--resize", "28", "--train-limit", "96", "--test-limit", "32",
           "--batch-size", "32", "--epochs", "1", "--threads", "1", *DEVICE]
    of_layers, of_heads = ("layer_loss", "layer_output_mean"), ("head_loss", "head_accuracy")
    train(p, "layers.h5", *mlp, "--record", "layer-losses,layer-outputs")
    train(p, "heads.h5", *mlp, "--isolate", "classifier")
    for name, series, names in (("layers", of_layers, "layer"), ("heads", of_heads, "head")):
        p.run("export", name + ".h5", "-o", name)
        with h5py.File(p.file(name + ".h5")) as f:
            for one in series:
                table = read_csv(p, f"{name}/{one}.csv")
                assert list(table) == ["step"] + texts(f[names]) and len(table) > 2, list(table)
                assert same(np.array([numbers(c) for c in list(table.values())[1:]]).T, f[f"steps/{one}"][:].astype(float)), one


def test_json(p):
    name = train(p, "run.h5", *TINY, "--epochs", "3")
    p.run("export", name, "--format", "json", "-o", "out")
    with open(p.file("out/record.json"), encoding="utf-8") as text:
        found = json.load(text)
    with h5py.File(p.file(name)) as f:
        for column in ("loss", "accuracy", "learning_rate"):  # the network gives numbers: its accuracies are NaN
            values = [math.nan if x is None else x for x in found["steps"][column]]
            assert same(values, f[f"steps/{column}"][:]), column
        assert all(x is None for x in found["steps"]["accuracy"])
        table = found["distance_to_initial_minkowski_1"]
        assert table["columns"] == texts(f["blocks/name"]) and same(table["values"], f["steps/distance_to_initial/minkowski:1"][:])
        assert found["blocks"]["name"] == texts(f["blocks/name"]) and found["config"] == f["config"].asstr()[()]


def test_yaml_as_published(p):
    try:
        import yaml
    except ImportError:
        print("        not read back: this Python has no yaml (Debian: python3-yaml)")
        return
    name = train(p, "run.h5", *RESNET, "--metric", "minkowski:1,cosine", "--learning-rate", "1e-7")
    p.run("export", name, "--format", "yaml", "-o", "out")
    assert sorted(os.listdir(p.file("out"))) == ["accuracies.yaml", "losses.yaml", "stats.yaml", "stats_cosine.yaml"]
    load = lambda file: yaml.safe_load(open(p.file(f"out/{file}"), encoding="utf-8"))
    with h5py.File(p.file(name)) as f:
        for file, what in (("losses.yaml", "loss"), ("accuracies.yaml", "accuracy")):
            found = load(file)
            assert list(found) == ["train", "valid"]
            for split in found:
                assert same(np.array(found[split], float), f[f"epochs/{split}_{what}"][:]), (file, split)
        for file, metric in (("stats.yaml", "minkowski:1"), ("stats_cosine.yaml", "cosine")):
            found = load(file)
            assert list(found) == ["init", "next"]
            for key, group in (("init", "initial"), ("next", "previous")):
                distances = f[f"steps/distance_to_{group}/{metric}"][:]
                assert list(found[key]) == [4, 3, 2, 1]
                for block, numbers_of in found[key].items():
                    column = distances[:, block - 1]
                    assert list(numbers_of) == ["min", "mean", "median", "max"]
                    assert all(isinstance(x, float) for x in numbers_of.values()), numbers_of
                    assert numbers_of["min"] == column.min() and numbers_of["max"] == column.max()
                    assert numbers_of["median"] == np.median(column) and abs(numbers_of["mean"] / column.mean() - 1) < 1e-14


def test_yaml_numbers_are_numbers(p):
    """0 has a point, NaN is YAML's: nothing is read back as a whole number or as text."""
    try:
        import yaml
    except ImportError:
        return
    train(p, "still.h5", *TINY, "--epochs", "2", "--learning-rate", "0")
    p.run(*TINY, "--learning-rate", "1e30", "--epochs", "2", "--out", "nan.h5", "--quiet", expect=4)
    for name, right in (("still", lambda x: x == 0.0), ("nan", lambda x: True)):
        p.run("export", name + ".h5", "--format", "yaml", "-o", name)
        with open(p.file(name + "/stats.yaml"), encoding="utf-8") as text:
            found = yaml.safe_load(text)
        values = [x for group in found.values() for block in group.values() for x in block.values()]
        assert len(values) == 2 * 4 * 4 and all(isinstance(x, float) and right(x) for x in values), values
        assert any(math.isnan(x) for x in values) == (name == "nan"), values
        with h5py.File(p.file(name + ".h5")) as f:  # one NaN in a column makes all four of it NaN
            for block, found_of in found["init"].items():
                column = f["steps/distance_to_initial/minkowski:1"][:, block - 1]
                assert same(list(found_of.values()), [column.min(), column.mean(), np.median(column), column.max()]), block
        with open(p.file(name + "/accuracies.yaml"), encoding="utf-8") as text:
            assert all(math.isnan(x) for x in yaml.safe_load(text)["train"] or [])


def header_of(path):
    """The header of a safetensors file, read by hand, and where its values begin."""
    with open(path, "rb") as f:
        length = struct.unpack("<Q", f.read(8))[0]
        return json.loads(f.read(length)), 8 + length


def test_tensors(p):
    name = train(p, "run.h5", *RESNET)
    p.run("export", name + "@all", "--format", "safetensors,npy", "--gradients", "-o", "out")
    files = sorted(n for n in os.listdir(p.file("out")) if n.endswith(".safetensors"))
    assert files == ["gradients_1.safetensors", "gradients_2.safetensors"] + [f"weights_{s}.safetensors" for s in range(3)]
    with h5py.File(p.file(name)) as f:
        for file in files:
            group, snapshot = file.split(".")[0].split("_")
            header, begin = header_of(p.file(f"out/{file}"))
            meta = header.pop("__metadata__")
            assert begin % 8 == 0 and meta["format"] == "pt" and meta["step"] == str(f["snapshots/step"][int(snapshot)])
            assert set(header) == set(f[group])
            data = np.fromfile(p.file(f"out/{file}"), np.uint8)[begin:]
            ends = sorted(tuple(entry["data_offsets"]) for entry in header.values())
            assert ends[0][0] == 0 and ends[-1][1] == len(data) and all(a[1] == b[0] for a, b in zip(ends, ends[1:]))
            for tensor, entry in header.items():
                first, last = entry["data_offsets"]
                expected = f[group][tensor][int(snapshot)]
                assert entry["dtype"] == "F32" and same(data[first:last].view(np.float32).reshape(entry["shape"]), expected), tensor
                array = np.load(p.file(f"out/{group}_{snapshot}/{tensor}.npy"))
                assert array.dtype == np.float32 and array.flags.c_contiguous and same(array, expected), tensor
    check_with_safetensors(p, name)
    p.run("export", name + "@0", "--format", "npy", "--layer", "layer1.*,fc.bias", "-o", "few")
    few = os.listdir(p.file("few/weights_0"))
    assert all(n == "fc.bias.npy" or n.startswith("layer1.") for n in few) and len(few) > 5, few
    assert "match --layer nothing" in p.run("export", name, "--format", "npy", "--layer", "nothing", "-o", "none", expect=3).stderr
    assert "there are 0 to 2" in p.run("export", name + "@3", "--format", "npy", "-o", "none", expect=2).stderr
    assert "snapshots are of" in p.run("export", name + "@1", "-o", "none", expect=2).stderr
    assert not os.path.exists(p.file("none"))
    # what was written begins another run, and has the recorded weights there
    p.run(*RESNET, "--init-from", "out/weights_2.safetensors", "--epochs", "0", "--out", "again.h5", "--quiet")
    with h5py.File(p.file(name)) as f, h5py.File(p.file("again.h5")) as g:
        assert all(same(f["weights"][t][2], g["weights"][t][0]) for t in texts(f["parameters/name"]))


def check_with_safetensors(p, name):
    try:
        from safetensors import safe_open
    except ImportError:
        print("        safetensors files not opened by its own library: this Python has none (PyPI: safetensors)")
        return
    with h5py.File(p.file(name)) as f, safe_open(p.file("out/weights_2.safetensors"), framework="np") as s:
        assert set(s.keys()) == set(f["weights"]) and s.metadata()["snapshot"] == "2"
        assert all(same(s.get_tensor(t), f["weights"][t][2]) for t in s.keys())


def test_export_of_odd_runs(p):
    """One epoch; no snapshots; nothing but losses; diverged, with NaNs; killed between commits."""
    train(p, "one.h5", *TINY, "--epochs", "1", "--snapshots", "none")
    p.run("export", "one.h5", "--format", "all", "-o", "one")
    assert {"record.json", "stats.yaml"} < set(os.listdir(p.file("one"))) and not os.path.exists(p.file("one/weights_0"))
    assert len(read_csv(p, "one/epochs.csv")["epoch"]) == 1 and read_csv(p, "one/snapshots.csv")["step"] == []
    assert "no snapshots" in p.run("export", "one.h5", "--format", "npy", "-o", "none", expect=3).stderr
    train(p, "bare.h5", *TINY, "--epochs", "1", "--record", "none")
    p.run("export", "bare.h5", "--format", "csv,yaml", "-o", "bare")
    assert not [n for n in os.listdir(p.file("bare")) if n.startswith(("distance", "gradient", "stats"))]
    p.run(*TINY, "--learning-rate", "1e30", "--epochs", "2", "--out", "nan.h5", "--quiet", expect=4)
    p.run("export", "nan.h5", "--format", "csv,yaml,json", "-o", "nan")
    with h5py.File(p.file("nan.h5")) as f:
        loss = f["steps/loss"][:]
        assert not np.all(np.isfinite(loss)) or not np.all(np.isfinite(f["steps/gradient_norm"][:]))
        assert same(numbers(read_csv(p, "nan/steps.csv")["loss"]), loss)
    printed = p.run("info", "nan.h5").stdout + p.run("compare", "nan.h5", "one.h5").stdout
    assert " nan" in printed and " -nan" not in printed


# --- compare ------------------------------------------------------------------------------------------------------

def test_compare(p):
    train(p, "a.h5", *RESNET)
    train(p, "b.h5", *RESNET, "--plain", "--seed", "2", "--epochs", "1")
    text = p.run("compare", "a.h5", "b.h5@0", "--metric", "minkowski:1,minkowski:3,cosine,chebyshev", "-o", "deep/er/c.csv").stdout
    table = read_csv(p, "deep/er/c.csv")
    with h5py.File(p.file("a.h5")) as a, h5py.File(p.file("b.h5")) as b:
        assert set(table["tensor"]) == set(a["weights"]) | set(b["weights"])
        names = texts(a["parameters/name"])
        assert [t for t, kind in zip(table["tensor"], table["kind"]) if kind == "parameter"] == names
        everything = []
        for i, tensor in enumerate(table["tensor"]):
            if tensor not in b["weights"]:
                assert table["in"][i] == "A" and table["cosine"][i] == "" and ".downsample." in tensor
                continue
            u, v = b["weights"][tensor][0].ravel().astype(float), a["weights"][tensor][-1].ravel().astype(float)
            d = np.abs(u - v)
            cosine = 1 - u @ v / math.sqrt((u @ u) * (v @ v)) if u @ u > 0 and v @ v > 0 else 0.0
            expected = [d.sum(), (d ** 3).sum() ** (1 / 3), cosine, d.max()]
            found = [float(table[m][i]) for m in ("minkowski:1", "minkowski:3", "cosine", "chebyshev")]
            assert table["in"][i] == "both" and int(table["elements"][i]) == len(d)
            assert np.allclose(found, expected, rtol=1e-6, atol=1e-9), (tensor, found, expected)
            everything.append(d if tensor in names else d[:0])
        total = next(line for line in text.splitlines() if "as one vector" in line).split()
        everything = np.concatenate(everything)
        assert int(total[5]) == len(everything) and abs(float(total[6]) / everything.sum() - 1) < 1e-6, total
    for part in (f"  {'plain':25} {'false':24} true\n", f"  {'seed':25} {'1':24} 2\n", "only in A: 5 tensors",
                 f"  {'steps':25} {'6':24} {'3':24} -3\n"):
        assert part in text, part
    train(p, "c.h5", *RESNET, "--record", "weights,distances")
    parts = p.run("compare", "a.h5", "c.h5").stdout.split("\n\n")
    long = f"  {'record':25} A  \"weights,gradients,distances,gradient-stats\"\n{'':28}B  \"weights,distances\"\n"
    assert long in parts[1] + "\n" and parts[2] == "origin\n  no differences", parts[:3]
    assert all(line == line.rstrip() for line in "\n".join(parts[:4]).splitlines()), parts[:4]
    assert "  depth" not in text and "  dataset" not in text


def test_compare_finds_no_differences_where_there_are_none(p):
    train(p, "a.h5", *TINY, "--epochs", "2")
    text = p.run("compare", "a.h5", "a.h5").stdout
    assert "  no differences" in text
    assert all(float(x) == 0 for x in next(line for line in text.splitlines() if "as one vector" in line).split()[6:])
    train(p, "one.h5", *TINY, "--epochs", "1", "--snapshots", "none")
    text = p.run("compare", "a.h5", "one.h5").stdout
    assert "one.h5, without snapshots" in text and "weights: 0 tensors in both" in text
    train(p, "wide.h5", *TINY, "--epochs", "1", "--function-samples", "80", "--network", "mlp-fit-10x5")
    text = p.run("compare", "a.h5", "wide.h5").stdout
    assert "of another shape in B" in text and "function-samples" in text
    assert "one snapshot of each run" in p.run("compare", "a.h5@all", "a.h5", expect=2).stderr
    p.run("compare", "a.h5@0", "a.h5", "-o", "c.csv")
    assert "exists; replace it" in p.run("compare", "a.h5@0", "a.h5", "-o", "c.csv", expect=2).stderr


if __name__ == "__main__":
    program.main([test for name, test in list(globals().items()) if name.startswith("test_")])
