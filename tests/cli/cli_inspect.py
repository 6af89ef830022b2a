"""cli_inspect.py PROGRAM: `info`, `info --watch`, `export` and `compare` from outside, with h5py, numpy, PyYAML and safetensors as
readers of what they write; runs that go on, are killed, diverge, hold one epoch or no snapshot; files that are none."""
import csv
import fcntl
import functools
import json
import math
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import numpy as np

import program

h5py = program.need_h5py()
DEVICE = program.SMALL[-2:]
TINY = ["--network", "mlp-20x3", "--dataset", "function", "--function", "sinc-log", "--function-samples", "60", "--function-valid", "20",
        "--batch-size", "20", "--threads", "1", "--commit-every", "0", *DEVICE]
RESNET = [*program.SMALL, "--epochs", "2"]
LONG = [*TINY, "--epochs", "1000000", "--snapshots", "none", "--record", "distances", "--quiet"]


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
    for part in ("  plain                  false                    true", "  seed                   1                        2",
                 "only in A: 5 tensors", "  steps                  6                        3                        -3"):
        assert part in text, part
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


# --- watching -----------------------------------------------------------------------------------------------------

def wait_for(condition, what, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s for {what}")


def start_long(p, name):
    run = p.start(*LONG, "--out", name)

    def committed():
        found = subprocess.run([p.path, "info", "--json", name], cwd=p.dir, env=p.env, capture_output=True, text=True, check=False)
        return found.returncode == 0 and json.loads(found.stdout)["committed"]["epochs"] > 2

    wait_for(committed, "the first commits")
    return run


def rest_of(process):
    """What a process still prints, to its end. communicate() would leave out what readline() has read ahead."""
    out, err = process.stdout.read(), process.stderr.read()
    process.wait(timeout=60)
    return out, err


def test_watch_a_run_to_its_end(p):
    run = start_long(p, "run.h5")
    watch = p.start("info", "--watch", "--interval", "0.1", "run.h5")
    lines = [watch.stdout.readline() for _ in range(5)]
    assert json.loads(p.run("info", "--json", "run.h5").stdout)["writer"] == "alive"
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=60) == 130
    out, err = rest_of(watch)
    assert watch.returncode == 1 and err == "", err
    lines += out.splitlines(keepends=True)
    epochs = [int(line.split()[1].split("/")[0]) for line in lines if line.startswith("epoch ")]
    assert epochs == sorted(epochs) and epochs[-1] > epochs[0], epochs
    assert len(epochs) == len(lines) - 1 and all("train loss" in line for line in lines[:5]), lines[:5]
    with h5py.File(p.file("run.h5")) as f:
        assert lines[-1] == f"run.h5: interrupted: {len(f['epoch'])} epochs, {len(f['step'])} steps\n", lines[-1]
        first = lines[0].split()
        assert float(first[first.index("loss") + 1]) == float(f"{f['epochs/train_loss'][epochs[0] - 1]:.4f}"), lines[0]
    assert "\033" not in "".join(lines)


def test_watch_a_run_that_is_killed(p):
    run = start_long(p, "run.h5")
    watch = p.start("info", "--watch", "--interval", "0.1", "run.h5")
    assert watch.stdout.readline().startswith("epoch ")
    run.kill()
    run.wait()
    out, err = rest_of(watch)
    assert watch.returncode == 1 and err == "" and "run.h5: killed: no process writes it any more; go on with --resume" in out, out
    assert json.loads(p.run("info", "--json", "run.h5").stdout)["writer"] == "killed"
    assert "killed" in p.run("info", "--watch", "run.h5", expect=1).stdout
    p.run("export", "run.h5", "-o", "out")  # what commits cover, although the file has a writer's mark
    steps = json.loads(p.run("info", "--json", "run.h5").stdout)["committed"]["steps"]
    assert len(read_csv(p, "out/steps.csv")["step"]) == steps > 0
    p.run("verify", "--repair", "run.h5")
    assert "run.h5: interrupted: " in p.run("info", "--watch", "run.h5", expect=1).stdout
    with h5py.File(p.file("run.h5"), "r+") as f:  # as another tool leaves it that clears the mark alone
        f["state"][0] = b"running"
    assert "no process writes it any more; go on with --resume" in p.run("info", "--watch", "run.h5", expect=1).stdout
    assert "state        running, but no process writes it: go on" in p.run("info", "run.h5").stdout


def test_watch_runs_that_are_over(p):
    train(p, "run.h5", *TINY, "--epochs", "3")
    lines = p.run("info", "--watch", "run.h5").stdout.splitlines()
    assert lines[0].startswith("epoch 3/3  step 9  train loss ") and lines[1:] == ["run.h5: done: 3 epochs, 9 steps"], lines
    p.run(*TINY, "--learning-rate", "1e30", "--epochs", "2", "--out", "nan.h5", "--quiet", expect=4)
    assert "nan.h5: diverged" in p.run("info", "--watch", "nan.h5", expect=4).stdout


def screen(data, rows, columns):
    """What a terminal shows of the few sequences that are used: up, to the line's begin, clear behind, clear below."""
    lines, row, column, at = [""] * 400, 0, 0, 0
    text = data.decode("utf-8")
    while at < len(text):
        if text[at] == "\033":
            end = at + 2
            while not text[end].isalpha():
                end += 1
            code = text[at + 2:end + 1]
            if code.endswith("A"):
                assert int(code[:-1]) <= min(row, rows - 1), "goes up beyond the terminal"
                row -= int(code[:-1])
            elif code == "K":
                lines[row] = lines[row][:column]
            elif code == "J":
                lines[row:] = [lines[row][:column]] + [""] * (len(lines) - row - 1)
            else:
                raise AssertionError(f"unknown sequence {code!r}")
            at = end + 1
            continue
        if text[at] == "\n":
            row += 1
        elif text[at] == "\r":
            column = 0
        else:
            assert column < columns, "a line is wider than the terminal"
            lines[row] = lines[row][:column].ljust(column) + text[at] + lines[row][column + 1:]
            column += 1
        at += 1
    return [line.rstrip() for line in lines if line.strip()]


def on_a_terminal(test):
    """The test, or a line that there is none here."""
    @functools.wraps(test)
    def either(p):
        if program.has_terminals():
            test(p)
        else:
            print("        not run: this system gives no pseudo terminals")
    return either


def watch_on_terminal(p, name, rows, columns, locale, seconds=None):
    """Runs --watch on a terminal of that size; returns what it wrote and its exit status (None: it was ended after `seconds`)."""
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.chdir(p.dir)
        os.execve(p.path, [p.path, "info", "--watch", "--interval", "0.1", name], dict(p.env, TERM="xterm", LC_ALL=locale))
    data, end = b"", time.time() + (seconds or 60)
    while time.time() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                data += os.read(terminal, 65536)
            except OSError:  # it has ended
                end = 0
    if seconds:
        os.kill(child, signal.SIGINT)
    status = os.waitpid(child, 0)[1]
    os.close(terminal)
    return data, os.waitstatus_to_exitcode(status)


@on_a_terminal
def test_watch_on_a_terminal(p):
    run = start_long(p, "run.h5")
    try:
        data, status = watch_on_terminal(p, "run.h5", 24, 80, "C.UTF-8", seconds=4)
    finally:
        run.send_signal(signal.SIGINT)
        run.wait()
    assert status == -signal.SIGINT and data.count(b"\033[J") > 5, (status, data)
    shown = screen(data, 24, 80)
    assert shown[0] == "run.h5  mlp-20x3 on function  running" and shown[1].startswith("epoch "), shown
    assert " steps/s  left about " in shown[1] and shown[2].startswith("last step   loss "), shown
    with h5py.File(p.file("run.h5")) as f:
        blocks = texts(f["blocks/name"])
        assert [line.split()[1] for line in shown if line.lstrip()[0].isdigit()] == blocks, shown
    assert any("█" in line for line in shown)


@on_a_terminal
def test_watch_fits_any_terminal(p):
    train(p, "run.h5", *TINY, "--epochs", "4")
    for rows, columns, locale in ((24, 80, "C.UTF-8"), (8, 60, "C"), (5, 30, "C.UTF-8"), (60, 200, "C"), (3, 12, "C")):
        data, status = watch_on_terminal(p, "run.h5", rows, columns, locale)
        shown = screen(data, rows, columns + 40)  # the last line says how it ended, and may wrap
        assert status == 0 and shown[-1] == "run.h5: done: 4 epochs, 12 steps", shown
        assert len(shown) <= rows and all(len(line) < columns for line in shown[:-1]), (rows, columns, shown)
        assert locale == "C.UTF-8" or all(ord(c) < 128 for line in shown for c in line), shown


def test_a_thousand_blocks(p):
    with open(p.file("deep.yaml"), "w", encoding="utf-8") as f:
        f.write("names: kinds\nlayers:\n  - {linear: 4, name: first}\n  - times: 1000\n    layers:\n      - block: \"part{}\"\n"
                "        layers:\n          - {linear: 4, initialization: zeros}\n          - {add: block_input}\n  - linear: classes\n")
    options = [o if o != "mlp-20x3" else "deep.yaml" for o in TINY]
    train(p, "deep.h5", *options, "--epochs", "1", "--learning-rate", "1e-6")
    p.run("export", "deep.h5", "-o", "out")
    with h5py.File(p.file("deep.h5")) as f:
        table = read_csv(p, "out/distance_to_initial_minkowski_1.csv")
        assert len(table) > 1000 and list(table)[1:] == texts(f["blocks/name"])
        assert len(json.loads(p.run("info", "--json", "deep.h5").stdout)["layers"]) > 2000
    assert "weights: 2004 tensors in both" in p.run("compare", "deep.h5@0", "deep.h5").stdout
    if not program.has_terminals():
        return
    data, status = watch_on_terminal(p, "deep.h5", 24, 80, "C.UTF-8")
    assert status == 0 and "more blocks: a larger terminal shows them" in data.decode(), data[-500:]


if __name__ == "__main__":
    program.main([test for name, test in list(globals().items()) if name.startswith("test_")])
