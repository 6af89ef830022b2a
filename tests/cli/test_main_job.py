"""test_main_job.py PROGRAM: the main job end to end: what the record holds, the same bits with and without recording, twice,
and after an interrupt; refusals with their exit status."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import program
from program import SMALL

h5py = program.need_h5py()
import numpy as np  # noqa: E402  (comes with h5py)


def test_everything_is_recorded_by_default(p):
    """As typed, every parameter's weights and gradients, epochs + 1 snapshots, gradients as means."""
    p.run("--depth", "68", "--plain", "--dataset", "shapes", "--train-limit", "48", "--test-limit", "16", "--batch-size", "16",
          "--epochs", "1", "--out", "r.h5", "--quiet")
    with h5py.File(p.file("r.h5"), "r") as f:
        names = [n.decode() if isinstance(n, bytes) else n for n in f["parameters/name"][()]]
        assert len(names) == 203, len(names)  # 67 convolutions, 67 batch norms of two, a linear layer of two
        for name in names:
            weights, gradients = f["weights/" + name], f["gradients/" + name]
            assert weights.shape[0] == 2 and gradients.shape == weights.shape, (name, weights.shape)
            assert weights.dtype == np.float32
            assert np.isfinite(weights[()]).all() and np.isfinite(gradients[1]).all(), name
            assert np.isnan(gradients[0]).all(), f"{name}: gradients of the initial state must be missing"
            assert (gradients[1] != 0).any(), name
        for name in names:
            if ".bn" in name or name.startswith("bn"):
                layer = name.rsplit(".", 1)[0]
                assert f[f"weights/{layer}.running_mean"].shape[0] == 2
                assert f[f"weights/{layer}.running_var"].shape[0] == 2
        assert sum(int(np.prod(f["weights/" + n].shape[1:])) for n in names) == 9686090
        assert f["steps/loss"].shape == (3,)
        assert f["steps/distance_to_initial/minkowski:1"].shape == (3, 33)
        assert f["steps/gradient_abs_mean"].shape == (3, len(names))
        assert list(f["snapshots/epoch"][()]) == [0, 1] and list(f["snapshots/step"][()]) == [0, 3]


def test_distances_follow_from_the_stored_weights(p):
    """Snapshots of every step let each recorded distance and statistic be computed again."""
    p.run(*SMALL, "--snapshots", "epochs:0..4;steps:1..12", "--gradient", "last", "--metric", "minkowski:1,euclidean,cosine",
          "--out", "r.h5", "--quiet")
    with h5py.File(p.file("r.h5"), "r") as f:
        names = [n.decode() if isinstance(n, bytes) else n for n in f["parameters/name"][()]]
        block_names = [n.decode() if isinstance(n, bytes) else n for n in f["blocks/name"][()]]
        steps = f["snapshots/step"][()]
        assert list(steps) == list(range(13)), steps
        for b, block in enumerate(block_names):
            counted = [n for n in names if n.startswith(block + ".") and ("conv" in n or "downsample" in n)]
            sizes = sum(f["weights/" + n][0].size for n in counted)
            assert sizes == f["blocks/weights"][b], (block, sizes)
            for kind, base in (("initial", lambda t: 0), ("previous", lambda t: t)):
                for t in range(12):
                    w = [(f["weights/" + n][t + 1].astype(np.float64), f["weights/" + n][base(t)].astype(np.float64)) for n in counted]
                    expected = {
                        "minkowski:1": sum(np.abs(u - v).sum() for u, v in w),
                        "euclidean": sum(np.sqrt(((u - v) ** 2).sum()) for u, v in w),
                        "cosine": sum(1 - (u * v).sum() / np.sqrt((u * u).sum() * (v * v).sum())
                                      for u, v in w if (u != v).any() and u.any() and v.any()),
                    }
                    for metric, value in expected.items():
                        got = f[f"steps/distance_to_{kind}/{metric}"][t, b]
                        bound = 1e-5 * value + (1e-12 if metric == "cosine" else 0)
                        assert abs(got - value) <= bound, (block, kind, t, metric, got, value)
        for i, name in enumerate(names):
            for t in range(12):
                g = f["gradients/" + name][t + 1].astype(np.float64)
                for column, value in (("abs_mean", np.abs(g).mean()), ("abs_std", np.abs(g).std()),
                                      ("norms", np.sqrt((g * g).sum()))):
                    got = f["steps/gradient_" + column][t, i]
                    assert abs(got - value) <= 1e-5 * value + 1e-12, (name, t, column, got, value)


def test_verify_recomputes_distances_from_the_weights(p):
    """Bent by more than rounding, a distance or a weight is found, with block, step and both values; by less it is not."""
    p.run(*SMALL, "--epochs", "2", "--snapshots", "steps:0,1,2,5;epochs:2", "--metric", "minkowski:1,cosine,chebyshev,minkowski:3",
          "--out", "r.h5", "--quiet")
    with h5py.File(p.file("r.h5"), "r") as f:
        steps, blocks = list(f["snapshots/step"][:]), [name.decode() for name in f["block"][:]]
    later, pairs = len(steps) - 1, sum(b == a + 1 for a, b in zip(steps, steps[1:]))
    assert steps[0] == 0 and pairs >= 2, steps
    assert f"distances: {4 * len(blocks) * (later + pairs)} recorded values follow from" in p.run("verify", "r.h5").stdout

    def bent(change, expect):
        shutil.copy(p.file("r.h5"), p.file("bent.h5"))
        with h5py.File(p.file("bent.h5"), "r+") as f:
            change(f)
        return p.run("verify", "bent.h5", expect=expect).stdout

    def scaled(path, row, column, factor):
        def change(f):
            f[path][row, column] *= factor
        return change

    for to, metric in (("initial", "minkowski:1"), ("previous", "minkowski:3"), ("initial", "cosine")):
        path = f"steps/distance_to_{to}/{metric}"
        with h5py.File(p.file("r.h5"), "r") as f:
            value = f[path][1, 3]
        said = bent(scaled(path, 1, 3, 1.0 + 1e-6), 1)
        found = re.search(rf"damaged: {path}: block {re.escape(blocks[3])} after step 2: recorded (\S+), the stored weights give (\S+) "
                          r"\(snapshot 2\); 1 such values\n", said)
        assert found and float(found[1]) == value * (1.0 + 1e-6) and abs(float(found[2]) / value - 1.0) < 1e-8, (said, value)
        assert "1 data sets are damaged" in said, said
    bent(scaled("steps/distance_to_initial/minkowski:1", 1, 3, 1.0 + 1e-12), 0)

    def one_weight(f):
        f["weights/layer2.0.conv1.weight"][2, 1, 2, 0, 1] += 1.0

    said = bent(one_weight, 1)
    for to in ("initial", "previous"):
        assert f"damaged: steps/distance_to_{to}/chebyshev: block layer2.0 after step 2: recorded" in said, said
    bent(scaled("steps/distance_to_initial/minkowski:1", 3, 3, 2.0), 0)  # after step 4, which no snapshot is of

    def nan(f):
        f["steps/distance_to_previous/chebyshev"][0, 0] = np.nan

    assert "after step 1: recorded nan, the stored weights give" in bent(nan, 1)
    p.run(*SMALL, "--record", "distances,weights:layer1.*", "--out", "part.h5", "--quiet")
    with h5py.File(p.file("part.h5"), "r") as f:
        whole = sum(name.startswith("layer1.") for name in f["block"].asstr()[:])
        rows = len(f["snapshots/step"]) - 1
    said = p.run("verify", "part.h5").stdout
    assert f"distances: {whole * rows} recorded" in said, said  # of blocks whose tensors are all there
    p.run(*SMALL, "--record", "distances", "--out", "none.h5", "--quiet")
    assert "no recorded one that two snapshots" in p.run("verify", "none.h5").stdout


def test_recording_never_changes_training(p):
    p.run(*SMALL, "--out", "all.h5", "--quiet", "--metric", "minkowski:1,correlation")
    p.run(*SMALL, "--out", "none.h5", "--quiet", "--record", "none", "--snapshots", "none")
    a, b = program.datasets(h5py, p.file("all.h5")), program.datasets(h5py, p.file("none.h5"))
    for name in ("steps/loss", "steps/accuracy", "steps/gradient_norm", "epochs/train_loss", "epochs/valid_loss", "epochs/valid_accuracy"):
        assert a[name].tobytes() == b[name].tobytes(), name
    assert not any(name.startswith(("weights/", "gradients/")) for name in b)


def test_the_hints_at_the_end_can_be_typed(p):
    """Also after no epoch at all, when no series has a row yet."""
    for epochs, values in (("0", 1), ("2", 2)):
        said = p.run(*SMALL, "--epochs", epochs, "--out", "r.h5", "--overwrite").stdout
        assert said.startswith(f"recorded {epochs} epochs, "), said
        h5py_hint = re.search(r"^open it, with h5py: +python3 (-c) \"(.*)\"$", said, re.M)
        shown = subprocess.run([sys.executable, *h5py_hint.groups()], cwd=p.dir, check=True, capture_output=True, text=True).stdout
        found = [float(value) for value in shown.strip("[]\n").split()]
        assert len(found) == values and np.isfinite(found).all(), shown


def test_two_runs_are_the_same_file(p):
    p.run(*SMALL, "--out", "a.h5", "--quiet")
    p.run(*SMALL, "--out", "b.h5", "--quiet")
    p.same("a.h5", "b.h5")
    p.run(*SMALL, "--out", "c.h5", "--quiet", "--seed", "2")
    p.run("verify", "--same", "a.h5", "c.h5", expect=1)


def test_an_interrupted_run_goes_on_to_the_same_file(p):
    p.run(*SMALL, "--out", "whole.h5", "--quiet")
    interrupted = 0
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGUSR1, 138),
                           (signal.SIGUSR2, 140)):
        cut = f"cut{number}.h5"
        child = p.start(*SMALL, "--out", cut)
        while not os.path.exists(p.file(cut + ".ckpt")) and child.poll() is None:
            time.sleep(0.005)
        time.sleep(0.1)
        child.send_signal(number)
        _, printed = child.communicate()
        assert child.returncode in (status, 0), (child.returncode, printed)
        if child.returncode:
            interrupted += 1
            assert "--resume" in printed, printed
        p.run(*SMALL, "--out", cut, "--resume", "--quiet")
        p.same("whole.h5", cut)
        assert not os.path.exists(p.file(cut + ".ckpt.part"))
    assert interrupted, "all runs ended before their signal came"


def test_nobody_reads_what_it_says(p):
    """A pipe whose reader has gone away does not end a run."""
    p.run(*SMALL, "--out", "whole.h5", "--quiet")
    child = p.start(*SMALL, "--out", "unread.h5")
    child.stdout.close()
    child.stderr.close()
    assert child.wait() == 0, child.returncode
    p.same("whole.h5", "unread.h5")


def test_more_epochs_go_on_from_a_finished_run(p):
    longer = [x if x != "4" else "6" for x in SMALL]
    p.run(*SMALL, "--out", "short.h5", "--quiet")
    p.run(*longer, "--out", "short.h5", "--resume", "--quiet")
    p.run(*longer, "--out", "long.h5", "--quiet")
    a, b = program.datasets(h5py, p.file("short.h5")), program.datasets(h5py, p.file("long.h5"))
    for name in b:
        if name.startswith(("weights/", "gradients/", "steps/", "snapshots/")) or name in ("epochs/train_loss", "epochs/valid_loss"):
            assert a[name].tobytes() == b[name].tobytes(), name


def cut_off(p, name, *arguments):
    """Starts or resumes a run and interrupts it after its first commit from now; True if it was interrupted."""
    checkpoint = p.file(name + ".ckpt")
    before = os.stat(checkpoint).st_mtime_ns if os.path.exists(checkpoint) else 0
    child = p.start(*arguments, "--out", name)
    while child.poll() is None and (not os.path.exists(checkpoint) or os.stat(checkpoint).st_mtime_ns == before):
        time.sleep(0.002)
    child.send_signal(signal.SIGINT)
    _, printed = child.communicate()
    assert child.returncode in (130, 0), (child.returncode, printed)
    return child.returncode == 130, printed


def test_resuming_elsewhere_is_said_and_marked(p):
    """Another thread count stands for another machine; going back and forth must work, too."""
    other = [x if x != "2" else "1" for x in SMALL]
    cut, _ = cut_off(p, "r.h5", *SMALL)
    assert cut, "the first interrupt came too late"
    _, printed = cut_off(p, "r.h5", *other, "--resume")
    assert "thread count" in printed, printed
    p.run(*SMALL, "--out", "r.h5", "--resume", "--quiet")
    p.run("verify", "r.h5")
    with h5py.File(p.file("r.h5"), "r") as f:
        assert f.attrs["resumed_elsewhere"] >= 1
        assert f["steps/loss"].shape == (12,) and np.isfinite(f["steps/loss"][()]).all()


def test_gradients_are_kept_without_an_initial_snapshot(p):
    p.run(*SMALL, "--out", "r.h5", "--quiet", "--snapshots", "epochs:2,4")
    p.run("verify", "r.h5")
    with h5py.File(p.file("r.h5"), "r") as f:
        assert list(f["snapshots/epoch"][()]) == [2, 4]
        assert np.isfinite(f["gradients/conv1.weight"][()]).all()


def test_info_names_every_group_and_the_network_its_blocks(p):
    p.run(*SMALL, "--epochs", "1", "--out", "r.h5", "--quiet")
    printed = p.run("info", "r.h5").stdout
    assert "resnet18-blocks-1-1-1-1" in printed, printed
    group, paths = "", set()
    for line in printed.split("data sets (rows that commits cover)\n")[1].splitlines():
        word = line.split()[0]
        if word.endswith("/"):
            group = word
        else:
            paths.add((group if line.startswith("    ") else "") + word)
    assert paths == set(program.datasets(h5py, p.file("r.h5"))), paths ^ set(program.datasets(h5py, p.file("r.h5")))


def test_what_cannot_be_resumed_or_kept_is_said(p):
    printed = p.run(*SMALL, "--epochs", "1", "--out", "new.h5", "--resume").stderr
    assert "a new run" in printed, printed
    os.remove(p.file("new.h5.ckpt"))
    printed = p.run(*SMALL, "--epochs", "2", "--out", "new.h5", "--resume").stderr
    assert "from the start again" in printed, printed
    p.run("verify", "new.h5")
    printed = p.run(*SMALL, "--snapshots", "steps:5000", "--out", "none.h5", expect=2).stderr
    assert "keeps nothing" in printed and not os.path.exists(p.file("none.h5")), printed


def test_refusals_come_before_training_and_say_what_to_do(p):
    def refused(status, *parts, arguments=()):
        printed = p.run(*arguments, expect=status).stderr
        for part in parts:
            assert part in printed, (part, printed)

    refused(2, "67", "18, 26, 34, 50, 68, 101", "68", arguments=("--depth", "67"))
    refused(2, "--dpeth", "--depth", arguments=("--dpeth", "18"))
    refused(2, "unknown command", "devices", arguments=("device",))
    refused(2, "training is no command", "resnet_study --depth 18", arguments=("train", "--depth", "18"))
    refused(1, "cuda", arguments=(*SMALL, "--device", "cuda:99"))
    refused(3, "fetch", arguments=("--dataset", "mnist", "--no-download", "--data-dir", p.dir))
    p.run(*SMALL, "--out", "r.h5", "--quiet")
    before = open(p.file("r.h5"), "rb").read()
    refused(2, "--resume", "--overwrite", arguments=(*SMALL, "--out", "r.h5"))
    assert before == open(p.file("r.h5"), "rb").read()
    refused(2, "learning-rate", arguments=(*SMALL, "--out", "r.h5", "--resume", "--epochs", "5", "--learning-rate", "0.5"))
    p.run(*SMALL, "--out", "last.h5", "--snapshots", "last:2", "--quiet")
    refused(2, "epochs", arguments=(*SMALL, "--out", "last.h5", "--snapshots", "last:2", "--resume", "--epochs", "5"))
    open(p.file("junk.h5"), "wb").write(b"not a record")
    refused(3, "junk.h5", arguments=("info", "junk.h5"))
    refused(3, "junk.h5", arguments=(*SMALL, "--out", "junk.h5", "--resume"))
    assert open(p.file("junk.h5"), "rb").read() == b"not a record"


def test_divergence_has_its_own_status_and_a_whole_record(p):
    printed = p.run(*SMALL, "--out", "r.h5", "--optimizer", "sgd", "--learning-rate", "1e30", expect=4).stderr
    assert "diverged at step" in printed
    p.run("verify", "r.h5")
    assert "diverged" in p.run("info", "r.h5").stdout
    with h5py.File(p.file("r.h5"), "r") as f:
        text = f["not_finite"].asstr()[0]
        steps = f["commits/step"][-1]
        assert not np.isfinite(f["steps/loss"][steps - 1]) and np.isfinite(f["steps/loss"][: steps - 1]).all()
    found = re.fullmatch(r'{steps: (\d+), epochs: 0, what: output, name: "([^"]+)", layer: "([^"]+)", index: \[[0-9, ]+\], '
                         r"value: (-?\.inf|\.nan), not_finite: \d+, elements: \d+}", text)
    assert found and int(found[1]) == steps and f"output of {found[2]} at [" in printed, (text, printed)
    assert text in p.run("info", "r.h5").stdout and json.loads(p.run("info", "r.h5", "--json").stdout)["not_finite"] == text
    p.run(*SMALL, "--out", "good.h5", "--quiet")
    with h5py.File(p.file("good.h5"), "r") as f:
        assert f["not_finite"].asstr()[0] == ""


def test_weights_that_are_no_numbers_are_not_begun_from(p):
    p.run(*SMALL, "--out", "r.h5", "--quiet")
    with h5py.File(p.file("r.h5"), "r+") as f:
        f["weights/fc.weight"][-1, 3, 5] = np.nan
    warm = (*SMALL, "--init-from", "r.h5", "--out", "w.h5", "--quiet")
    printed = p.run(*warm, expect=3).stderr
    assert "weight of fc.weight at [3, 5], nan (1 of" in printed and "--reinitialize" in printed, printed
    assert not os.path.exists(p.file("w.h5"))
    p.run(*warm, "--reinitialize", "fc.*")


program.main([test for name, test in list(globals().items()) if name.startswith("test_")])
