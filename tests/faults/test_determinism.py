"""test_determinism.py PROGRAM LIBRARY [REPEATS [FAMILIES]]: the same build, machine, options and thread count give the same bits: in
repeats, beside other load, recorded or not, however often it commits; another thread count or seed changes what it says it changes."""
import os
import subprocess
import sys

import faults
from faults import FAMILIES, IMAGES, covered, family, h5py
import numpy as np

REPEATS = int(sys.argv[3]) if len(sys.argv) > 3 else 5
CPU = ["--device", "cpu", "--quiet", "--commit-every", "0"]
LOAD = "import time\nwhile True:\n  sum(i * i for i in range(10000))"


def differing(p, a, b):
    """Data sets that differ, as `verify --same` prints them."""
    done = subprocess.run([p.path, "verify", "--same", a, b], cwd=p.dir, env=p.env, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("differs")]


def family_test(name):
    def test(p):
        p.warm()
        arguments = [*family(name), "--threads", "2"]
        p.run(*arguments, "--out", "first.h5")
        busy = []
        try:
            for i in range(1, REPEATS):
                if i == REPEATS // 2:  # the others beside a busy process for each core
                    busy = [subprocess.Popen([sys.executable, "-c", LOAD]) for _ in range(os.cpu_count() or 2)]
                p.run(*arguments, "--overwrite", "--out", "again.h5", *(["--commit-every", "1"] if i % 2 else []))
                found = differing(p, "first.h5", "again.h5")
                assert not found, f"{name}, repeat {i}, {len(busy)} busy processes: {found[:5]}"
        finally:
            for process in busy:
                process.kill()
                process.wait()
        p.run(*arguments, "--overwrite", "--out", "bare.h5", "--record", "none", "--snapshots", "none")
        recorded, bare = covered(p.file("first.h5")), covered(p.file("bare.h5"))
        for column in ("steps/loss", "epochs/train_loss", "epochs/valid_loss"):
            assert recorded[column] == bare[column], f"{name}: recording changed {column}"
    test.__name__ = "test_" + name.replace("-", "_")
    return test


def test_thread_counts(p):
    """What other thread counts change is measured: it must be rounding, at first, and docs/guarantees.md states it."""
    arguments = ["--depth", "18", "--dataset", "shapes", "--train-limit", "128", "--test-limit", "32", "--batch-size", "32",
                 "--epochs", "1", "--record", "weights", *CPU]
    losses, weights = {}, {}
    for threads in (1, 2, 4):
        p.run(*arguments, "--threads", str(threads), "--out", f"t{threads}.h5")
        with h5py.File(p.file(f"t{threads}.h5"), "r") as f:
            losses[threads] = f["steps/loss"][()].astype(float)
            weights[threads] = {n: f["weights/" + n][-1].astype(float) for n in f["weights"]}
    for threads in (2, 4):
        moved = np.abs(losses[threads] - losses[1]) / np.abs(losses[1])
        worst = max(np.linalg.norm(w - weights[1][n]) / np.linalg.norm(weights[1][n]) for n, w in weights[threads].items() if w.any())
        print(f"        {threads} threads against 1, 4 steps of ResNet-18: loss of the first step differs by {moved[0]:.1e}, of the "
              f"last by {moved[-1]:.1e}; weights at the end by {worst:.1e}")
        assert moved[0] <= 1e-5 and np.isfinite(moved).all(), (threads, moved)
    p.run(*arguments, "--threads", "2", "--out", "again.h5")
    assert not differing(p, "t2.h5", "again.h5")


def state(p, *more):
    """Initial weights, order (by the first losses of the training) and result of a run of two epochs."""
    p.run(*IMAGES, "--epochs", "2", *CPU, "--threads", "1", "--overwrite", "--out", "s.h5", *more)
    with h5py.File(p.file("s.h5"), "r") as f:
        return {"initial": f["weights/conv1.weight"][0].tobytes(), "losses": f["steps/loss"][()].tobytes()}


def test_each_seed_changes_its_own(p):
    base = state(p)
    still = ["--dropout", "0"]
    calm = state(p, *still)
    for option in ("--seed-init", "--seed-order", "--seed-dropout"):
        other, calmer = state(p, option, "7"), state(p, *still, option, "7")
        assert (other["initial"] != base["initial"]) == (option == "--seed-init"), option
        assert other["losses"] != base["losses"], f"{option} changes nothing"
        assert (calmer["losses"] == calm["losses"]) == (option == "--seed-dropout"), f"{option} without dropout"
    one = state(p, "--seed", "7")
    parts = state(p, "--seed-init", "7", "--seed-order", "7", "--seed-dropout", "7")
    assert one == parts, "--seed is not its three parts"
    shared = {}
    for shape in ([], ["--plain"]):  # twins share what they have in common
        p.run("--depth", "18", "--blocks", "1,1,1,1", "--dataset", "shapes", "--train-limit", "32", "--test-limit", "16",
              "--batch-size", "16", "--epochs", "1", *CPU, *shape, "--overwrite", "--out", "twin.h5")
        with h5py.File(p.file("twin.h5"), "r") as f:
            shared[bool(shape)] = {n: f["weights/" + n][0].tobytes() for n in f["weights"]}
    common = shared[False].keys() & shared[True].keys()
    assert len(common) > 20 and all(shared[False][n] == shared[True][n] for n in common), "twins begin differently"


def test_another_seed_is_seen(p):
    """The comparison is able to fail: another order of the samples, or one bit on its way to the disk."""
    arguments = [*family("snapshots")]
    p.run(*arguments, "--out", "first.h5")
    p.run(*arguments, "--seed-order", "2", "--out", "again.h5")
    assert differing(p, "first.h5", "again.h5")
    settings = {"inside": "again.h5", "RS_FAULT_NOT": ".ckpt"}
    writes = p.totals(*arguments, "--overwrite", "--out", "again.h5", **settings)["write"]
    seen = 0
    for number in faults.spread(writes, 12):
        p.faulty(f"write:{number}:flip", *arguments, "--overwrite", "--out", "again.h5", **settings)
        done = subprocess.run([p.path, "verify", "--same", "first.h5", "again.h5"], cwd=p.dir, env=p.env, capture_output=True, check=False)
        seen += done.returncode != 0
    assert seen > 0, "no altered bit was seen"


faults.main([*(family_test(name) for name in FAMILIES), test_thread_counts, test_each_seed_changes_its_own, test_another_seed_is_seen],
            sys.argv[4] if len(sys.argv) > 4 else "")
