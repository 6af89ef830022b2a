"""test_studies.py PROGRAM: what studies of small networks need, end to end: layers' series, isolation, stop rules, warm starts
from records and safetensors files, each through a run that is cut off and resumed."""
import hashlib
import json
import os
import struct
import subprocess

import program

h5py = program.need_h5py()
import numpy as np  # noqa: E402  (comes with h5py)

DEVICE = ["--threads", "1", "--device", os.environ.get("RS_TEST_DEVICE", "cpu"), "--quiet"]
# Two hidden layers of 256 with dropout: linear1 relu1 dropout1 linear2 relu2 dropout2 linear3.
NN = ["--network", "nn-2x256", "--dataset", "shapes", "--train-limit", "160", "--test-limit", "40", "--batch-size", "64",
      "--epochs", "3", "--commit-every", "0", *DEVICE]
FIT = ["--network", "mlp-fit-8x7", "--dataset", "function", "--function", "sin-log", "--function-samples", "200",
       "--function-valid", "50", "--batch-size", "0", "--learning-rate", "0.01", "--commit-every", "0", *DEVICE]
UNITS = ["linear1", "relu1", "dropout1", "linear2", "relu2", "dropout2", "linear3"]


def texts(dataset):
    return list(dataset.asstr()[:])


def test_the_series_of_layers_are_what_the_formula_says(p):
    p.run(*NN, "--layer-loss", "exponential", "--layer-target", "0.25", "--record", "layer-losses,layer-outputs", "--out", "r.h5")
    with h5py.File(p.file("r.h5"), "r") as f:
        assert texts(f["layer"]) == UNITS, texts(f["layer"])
        losses, means = f["steps/layer_loss"][()].astype(float), f["steps/layer_output_mean"][()]
        assert losses.shape == means.shape == (9, 7) and np.isfinite(losses).all()
        weights = np.exp(-np.arange(7) / 7) / 7
        total = f["steps/task_loss"][()] + losses[:, :-1] @ weights[:-1]
        assert np.allclose(f["steps/loss"][()], total, rtol=1e-6), (f["steps/loss"][()], total)
        # a ReLU's mean square about the target is its variance and the square of its mean's distance
        assert (losses[:, 1] >= (means[:, 1] - 0.25) ** 2 - 1e-6).all()
        assert f["steps/layer_loss"].dims[1]["layer"].name == "/layer"
    p.run(*NN, "--record", "layer-outputs:relu*", "--out", "s.h5")
    with h5py.File(p.file("s.h5"), "r") as f:
        assert texts(f["layer"]) == ["relu1", "relu2"] and f["steps/layer_output_mean"].shape == (9, 2)
        assert "layer_loss" not in f["steps"]
    done = p.run(*NN, "--record", "layer-outputs:conv*", "--out", "t.h5", expect=2)
    assert "no layer of this network has such a name" in done.stderr, done.stderr


def snapshot_bytes(f, names, row):
    return [f["weights/" + name][row].tobytes() for name in names]


def test_isolated_layers_stay_to_the_byte(p):
    """Of the record, not of the program's word: weights after the switch, losses before it."""
    p.run(*NN, "--out", "standard.h5")
    moving = {"frozen": [], "none": ["linear3"], "target": ["linear1", "linear2", "linear3"],
              "classifier": ["linear1", "linear2", "linear3", "heads.linear1", "heads.linear2"]}
    for how, layers in moving.items():
        p.run(*NN, "--isolate", how, "--isolate-from", "1", "--record", "weights,layer-losses", "--out", how + ".h5")
        with h5py.File(p.file("standard.h5"), "r") as a, h5py.File(p.file(how + ".h5"), "r") as b:
            assert (a["steps/task_loss"][:3] == b["steps/task_loss"][:3]).all(), how
            assert (a["steps/task_loss"][4:] != b["steps/task_loss"][4:]).all(), how
            for name in texts(b["parameters/name"]):
                w = b["weights/" + name]
                moved = (w[2] != w[1]).any() or (w[3] != w[2]).any()
                assert moved == (name.rsplit(".", 1)[0] in layers), (how, name, moved)
                if name.startswith("heads."):
                    assert (w[0] == w[1]).all(), name
            if how == "frozen":
                assert (b["steps/gradient_norm"][3:] == 0).all()
                assert len(set(b["epochs/test_loss"][:])) == 1, b["epochs/test_loss"][:]
            if how == "classifier":
                assert texts(b["head"]) == ["linear1", "linear2"] and b["steps/head_accuracy"].shape == (9, 2)
                total = b["steps/task_loss"][3:] + b["steps/head_loss"][3:].astype(float).sum(axis=1)
                assert np.allclose(b["steps/loss"][3:], total, rtol=1e-6)


def test_the_algorithms_say_whose_they_are(p):
    """Those of the plan that the run began with, and until when."""
    late = ["--isolate", "none", "--isolate-from", "2", "--freeze", "linear1"]
    for options, last in ([], None), ([*late, "--freeze-from", "1"], 1), (late, 2), (late[:2], None):
        p.run(*NN, *options, "--overwrite", "--out", "a.h5")
        with h5py.File(p.file("a.h5"), "r") as f:
            lines = f.attrs["algorithms"].rstrip("\n").split("\n")
        said = [line for line in lines if "another plan" in line]
        want = f"from epoch {last} on (counted from 0: --isolate-from, --freeze-from) another plan"
        assert said == ([want] if last is not None else []), (options, said)
        assert not said or lines[-1] == want, lines[-1]


def test_blocks_of_a_resnet_are_isolated_on_both_edges(p):
    """A residual block's two entries are cut: with objective none only fc moves, with target every block."""
    small = ["--depth", "18", "--blocks", "1,1,1,1", "--dataset", "shapes", "--train-limit", "96", "--test-limit", "32", "--batch-size",
             "32", "--epochs", "2", *DEVICE]
    for how, everything in (("none", False), ("target", True)):
        p.run(*small, "--isolate", how, "--isolate-from", "1", "--record", "weights,layer-losses", "--out", how + ".h5")
        with h5py.File(p.file(how + ".h5"), "r") as f:
            assert texts(f["layer"]) == ["stem", "layer1.0", "layer2.0", "layer3.0", "layer4.0", "fc"]
            for name, w in f["weights"].items():
                assert (w[1] != w[0]).any(), name
                assert (w[2] != w[1]).any() == (everything or name.startswith("fc.")), (how, name)


def cut_and_resume(p, arguments, out):
    """The same run, interrupted several times, each time a little later."""
    cuts = 0
    for attempt in range(1, 200):
        process = p.start(*arguments, "--resume", "--out", out)
        try:
            process.communicate(timeout=0.02 * attempt)
        except subprocess.TimeoutExpired:  # still at work: cut it off
            process.terminate()
            process.communicate()
            cuts += 1
        if process.returncode == 0:
            break
    assert cuts > 0, "the run was never cut off"
    p.run(*arguments, "--resume", "--out", out)


def test_a_run_of_stages_that_is_cut_off_is_the_same(p):
    arguments = [*NN, "--isolate", "target", "--isolate-from", "2", "--freeze", "linear1", "--freeze-from", "1",
                 "--record", "weights,gradients,distances,gradient-stats,layer-losses,layer-outputs"]
    p.run(*arguments, "--out", "whole.h5")
    cut_and_resume(p, arguments, "cut.h5")
    p.same("whole.h5", "cut.h5")


def test_recording_layers_changes_no_bit(p):
    """Of networks whose operations a backend joins where nobody asks what lies between: ReLU, pool, batch norm, flatten."""
    everything = "weights,gradients,distances,gradient-stats,layer-losses,layer-outputs,sensitivity"
    for network in "cnn-32-64", "cnn-b", "cnn-32-64-128-bn", "dropout-net":
        arguments = ["--network", network, "--dataset", "shapes", "--train-limit", "150", "--test-limit", "40", "--batch-size", "100",
                     "--epochs", "1", *DEVICE]
        losses = []
        for record in "none", everything:
            p.run(*arguments, "--record", record, "--out", "r.h5", "--overwrite")
            with h5py.File(p.file("r.h5"), "r") as f:
                losses.append([f[name][:].tobytes() for name in ("steps/loss", "epochs/valid_loss", "epochs/valid_accuracy")])
        assert losses[0] == losses[1], f"{network}: recorded, it trains otherwise"


def test_a_stop_rule_ends_a_run_that_is_then_complete(p):
    rule = [*FIT, "--epochs", "400", "--stop-change", "1e-3", "--stop-change-from", "6", "--snapshots", "epochs:0,5"]
    p.run(*rule, "--out", "r.h5")
    with h5py.File(p.file("r.h5"), "r") as f:
        loss = f["epochs/train_loss"][:]
        change = np.abs(np.diff(loss))
        ended = len(loss)
        assert 6 < ended < 400 and f["state"].asstr()[0] == "done" and f["reason"].asstr()[0] == "stop-change"
        assert change[ended - 2] < 1e-3 and (change[5:ended - 2] >= 1e-3).all(), change
        assert list(f["snapshots/epoch"][:]) == [0, 5, ended]
        assert np.isnan(f["epochs/valid_accuracy"][:]).all() and np.isnan(f["steps/accuracy"][:]).all()
    assert "ended by --stop-change" in p.run("info", "r.h5").stdout
    before = os.stat(p.file("r.h5")).st_mtime_ns
    p.run(*rule, "--resume", "--out", "r.h5")
    assert os.stat(p.file("r.h5")).st_mtime_ns == before, "a complete run was written to"
    cut_and_resume(p, rule, "cut.h5")
    p.same("r.h5", "cut.h5")
    p.run("verify", "r.h5")


def test_a_carried_optimizer_goes_on_as_if_never_stopped(p):
    """In full batches epochs are alike: two runs of 3, the second from the first with its optimizer, are one of 6."""
    p.run(*FIT, "--epochs", "6", "--out", "six.h5")
    p.run(*FIT, "--epochs", "3", "--out", "three.h5")
    carry = ["--epochs", "3", "--init-from", "three.h5"]
    p.run(*FIT, *carry, "--init-optimizer", "--out", "carried.h5")
    p.run(*FIT, *carry, "--out", "anew.h5")
    with h5py.File(p.file("six.h5"), "r") as six, h5py.File(p.file("carried.h5"), "r") as b, h5py.File(p.file("anew.h5"), "r") as c:
        assert (six["steps/loss"][3:] == b["steps/loss"][:]).all(), (six["steps/loss"][3:], b["steps/loss"][:])
        for name in texts(six["parameters/name"]):
            assert (six["weights/" + name][3:] == b["weights/" + name][:]).all(), name
        assert six["steps/loss"][3] == c["steps/loss"][0] and six["steps/loss"][4] != c["steps/loss"][1]
        # distances begin at the warm values
        assert (b["steps/distance_to_initial/minkowski:1"][0] == b["steps/distance_to_previous/minkowski:1"][0]).all()
        origin = b.attrs["init_from"]
        assert origin.startswith("three.h5: snapshot 3 (step 3) of mlp-fit-8x7-sin-log-") and "with its optimizer" in origin, origin
        assert six.attrs["init_from"] == ""


def test_any_snapshot_and_layers_begun_anew(p):
    p.run(*NN, "--out", "a.h5")
    p.run(*NN, "--seed", "2", "--init-from", "a.h5", "--init-snapshot", "1", "--reinitialize", "linear2,linear3.bias", "--out", "b.h5")
    p.run(*NN, "--seed", "2", "--out", "seed.h5")
    with h5py.File(p.file("a.h5"), "r") as a, h5py.File(p.file("b.h5"), "r") as b, h5py.File(p.file("seed.h5"), "r") as s:
        for name in texts(a["parameters/name"]):
            anew = name.startswith("linear2") or name == "linear3.bias"
            assert (b["weights/" + name][0] == (s["weights/" + name][0] if anew else a["weights/" + name][1])).all(), name
        assert "snapshot 1 (step 3)" in b.attrs["init_from"] and "linear2,linear3.bias" in b.attrs["init_from"]
    for arguments, message in (
            (["--init-from", "a.h5", "--init-snapshot", "9"], "9"),
            (["--init-from", "none.h5"], "there is no such file"),
            (["--init-from", "a.h5", "--reinitialize", "conv1"], "--reinitialize conv1 takes nothing"),
            (["--init-from", "a.h5", "--init-optimizer", "--optimizer", "sgd"], "was trained with adam")):
        done = p.run(*NN, *arguments, "--out", "c.h5", expect=3 if "none.h5" in arguments else 2)
        assert message in done.stderr, (arguments, done.stderr)
    done = p.run(*NN, "--network", "nn-4x256", "--init-from", "a.h5", "--out", "c.h5", expect=3)
    assert "linear3.weight has another shape" in done.stderr, done.stderr
    p.run(*NN, "--init-from", "a.h5", "--out", "d.h5", "--record", "none")  # a record without weights is no beginning
    done = p.run(*NN, "--init-from", "d.h5", "--out", "c.h5", expect=3)
    assert "d.h5" in done.stderr, done.stderr


def test_last_is_where_the_run_ended(p):
    """A run whose end is no snapshot is no beginning, unless a snapshot is named."""
    p.run(*NN, "--snapshots", "epochs:0,2", "--out", "pre.h5")
    done = p.run(*NN, "--init-from", "pre.h5", "--out", "a.h5", expect=3)
    assert "the last snapshot, 1, is of step 6, the run stands at step 9" in done.stderr, done.stderr
    assert "last:1" in done.stderr and not os.path.exists(p.file("a.h5")), done.stderr
    p.run(*NN, "--init-from", "pre.h5", "--init-snapshot", "1", "--out", "a.h5")
    p.run(*NN, "--snapshots", "epochs:0;last:1", "--out", "end.h5")
    p.run(*NN, "--init-from", "end.h5", "--out", "b.h5")
    with h5py.File(p.file("b.h5"), "r") as f:
        assert "(step 9)" in f.attrs["init_from"], f.attrs["init_from"]


STAGES = """study: %s
settings: {dataset: shapes, network: nn-2x256, train-limit: 64, test-limit: 32, batch-size: 32, epochs: 2, snapshots: "%s"}
stages:
  - {name: first}
  - {name: second, seed: 2}
"""


def test_stages_of_a_study_are_found_however_their_folder_is_spelled(p):
    with open(p.file("two.yaml"), "w", encoding="utf-8") as f:
        f.write(STAGES % ("two", "epochs:0;last:1"))
    for folder in (p.file("runs"), "runs", "./runs"):
        done = p.run("run", "two.yaml", "--out-dir", folder, "--set", "device=cpu")
        assert "another" not in done.stdout + done.stderr, done.stderr
    assert len([name for name in os.listdir(p.file("runs/two")) if name.endswith(".h5")]) == 2
    with open(p.file("cut.yaml"), "w", encoding="utf-8") as f:
        f.write(STAGES % ("cut", "epochs:0,1"))  # its second stage would begin from the middle of the first
    done = p.run("run", "cut.yaml", "--out-dir", "runs", "--set", "device=cpu", expect=1)
    assert "the run stands at step 4" in done.stdout + done.stderr, done.stdout + done.stderr


def test_an_optimizer_is_carried_with_and_without_momentum_alike(p):
    for before, now in (("0", "0.9"), ("0.9", "0")):
        p.run(*FIT, "--optimizer", "sgd", "--momentum", before, "--epochs", "2", "--overwrite", "--out", "a.h5")
        done = p.run(*FIT, "--optimizer", "sgd", "--momentum", now, "--epochs", "2", "--init-from", "a.h5", "--init-optimizer",
                     "--out", "b.h5", expect=2)
        assert f"was trained with --momentum {before}, this run uses {now}" in done.stderr, done.stderr
    p.run(*FIT, "--optimizer", "sgd", "--momentum", "0.5", "--epochs", "2", "--overwrite", "--out", "a.h5")
    p.run(*FIT, "--optimizer", "sgd", "--momentum", "0.9", "--epochs", "2", "--init-from", "a.h5", "--init-optimizer", "--out", "b.h5")


def test_files_of_one_name_are_different_beginnings(p):
    """Which bytes a safetensors file has is part of the run: a resume with others is refused, another run gets another name."""
    p.run(*NN, "--out", "a.h5")
    for folder, row in (("one", 3), ("two", 1)):
        os.makedirs(p.file(folder))
        with h5py.File(p.file("a.h5"), "r") as f:
            write_safetensors(p.file(folder + "/m.safetensors"), {name: f["weights/" + name][row] for name in texts(f["parameters/name"])})
        p.run(*NN, "--init-from", folder + "/m.safetensors")
    assert len(os.listdir(p.file("runs"))) == 4, os.listdir(p.file("runs"))  # two records and their checkpoints
    p.run(*NN, "--init-from", "one/m.safetensors", "--out", "w.h5")
    os.replace(p.file("two/m.safetensors"), p.file("one/m.safetensors"))
    done = p.run(*NN, "--init-from", "one/m.safetensors", "--out", "w.h5", "--resume", "--epochs", "4", expect=2)
    assert "another init-from" in done.stderr, done.stderr
    os.remove(p.file("one/m.safetensors"))  # the rest of a run needs its beginning no more
    p.run(*NN, "--init-from", "one/m.safetensors", "--out", "w.h5", "--resume", "--epochs", "4")


def test_a_checkpoint_without_its_record_is_no_beginning(p):
    """--resume where only the checkpoint of an earlier run is left: a new run, from --init-from."""
    p.run(*NN, "--out", "pre.h5")
    warm = [*NN, "--seed", "2", "--init-from", "pre.h5"]
    p.run(*warm, "--out", "good.h5")
    p.run(*warm, "--out", "w.h5")
    os.remove(p.file("w.h5"))
    assert os.path.exists(p.file("w.h5.ckpt"))
    p.run(*warm, "--resume", "--out", "w.h5")
    p.same("good.h5", "w.h5")
    with h5py.File(p.file("w.h5"), "r") as f:
        assert f.attrs["init_from"].startswith("pre.h5: snapshot 3"), f.attrs["init_from"]


def write_safetensors(path, tensors):
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]}
        at += values.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(v.tobytes() for v in tensors.values()))


def test_weights_from_a_safetensors_file(p):
    p.run(*NN, "--out", "a.h5")
    with h5py.File(p.file("a.h5"), "r") as f:
        tensors = {name: f["weights/" + name][3] for name in texts(f["parameters/name"])}
    write_safetensors(p.file("w.safetensors"), tensors)
    p.run(*NN, "--init-from", "w.safetensors", "--out", "b.h5")
    with h5py.File(p.file("b.h5"), "r") as f:
        for name, values in tensors.items():
            assert (f["weights/" + name][0] == values).all(), name
        with open(p.file("w.safetensors"), "rb") as w:
            assert hashlib.sha256(w.read()).hexdigest() in f.attrs["init_from"]
    cut_and_resume(p, [*NN, "--init-from", "w.safetensors"], "c.h5")
    p.same("b.h5", "c.h5")
    p.run(*NN, "--init-from", "w.safetensors", "--init-optimizer", "--out", "d.h5", expect=2)
    write_safetensors(p.file("w.safetensors"), {**tensors, "linear1.bias": tensors["linear1.bias"][:-1]})
    done = p.run(*NN, "--init-from", "w.safetensors", "--out", "d.h5", expect=3)
    assert "linear1.bias has another shape" in done.stderr, done.stderr


def test_predicted_numbers_are_scored(p):
    """R^2 is that of the recorded loss and of the targets, which follow from the options."""
    p.run(*FIT, "--epochs", "40", "--out", "r.h5")
    x = np.linspace(1.0, 5.0, 50)
    targets = np.sin(x) + np.log(x + 1.0)
    with h5py.File(p.file("r.h5"), "r") as f:
        loss, absolute, r = (f["epochs/valid_" + name][:] for name in ("loss", "mean_absolute_error", "r_squared"))
        assert np.allclose(r, 1.0 - loss / targets.var(), rtol=1e-4, atol=1e-4), (r, loss, targets.var())
        assert (absolute > 0).all() and (absolute <= np.sqrt(loss)).all() and absolute[-1] < absolute[0]
        assert (f["epochs/test_r_squared"][:] == r).all() and (f["epochs/test_mean_absolute_error"][:] == absolute).all()
    p.run("verify", "r.h5")
    cut_and_resume(p, [*FIT, "--epochs", "40"], "cut.h5")
    p.same("r.h5", "cut.h5")
    p.run(*NN, "--out", "s.h5")
    with h5py.File(p.file("s.h5"), "r") as f:
        assert "valid_r_squared" not in f["epochs"], list(f["epochs"])


def test_gradients_over_the_first_and_last_steps(p):
    """info's pooled statistics are those of all elements of the recorded gradients."""
    p.run(*FIT, "--epochs", "7", "--gradient", "last", "--out", "r.h5")
    lines = p.run("info", "--gradients", "3", "r.h5").stdout.splitlines()
    with h5py.File(p.file("r.h5"), "r") as f:
        names = texts(f["parameters/name"])
        found = {line.split()[0]: [float(v) for v in line.split()[1:]] for line in lines if line.strip() and line.split()[0] in names}
        assert list(found) == names, lines
        for name in names:
            g = np.abs(f["gradients/" + name][1:].astype(float))
            expected = [g[:3].mean(), g[:3].std(), g[-3:].mean(), g[-3:].std()]
            assert np.allclose(found[name], expected, rtol=1e-4, atol=1e-12), (name, found[name], expected)
    assert "it has 7 steps" in p.run("info", "--gradients", "8", "r.h5", expect=3).stderr
    p.run("info", "--gradients", "0", "r.h5", expect=2)
    p.run(*FIT, "--epochs", "1", "--record", "none", "--out", "s.h5")
    assert "--record gradient-stats" in p.run("info", "--gradients", "1", "s.h5", expect=3).stderr


def test_input_sensitivity_is_recorded(p):
    p.run(*NN, "--record", "sensitivity", "--out", "r.h5")
    p.run(*NN, "--record", "none", "--out", "s.h5")
    p.run(*NN, "--record", "sensitivity", "--loss-labels", "added", "--out", "t.h5")
    with h5py.File(p.file("r.h5"), "r") as r, h5py.File(p.file("s.h5"), "r") as s, h5py.File(p.file("t.h5"), "r") as t:
        assert (r["steps/loss"][:] == s["steps/loss"][:]).all()
        assert "sensitivity_batch" not in s["steps"]
        for f in (r, t):
            batch, sample = f["steps/sensitivity_batch"][:], f["steps/sensitivity_sample"][:]
            assert (batch > 0).all() and (sample > batch).all() and np.isfinite(sample).all()
        assert (t["steps/loss"][1:] != s["steps/loss"][1:]).all()


if __name__ == "__main__":
    program.main([test for name, test in list(globals().items()) if name.startswith("test_")])
