"""cli_study_run.py PROGRAM: `run STUDY.yaml` with the real trainer: a grid, a second time, after an interrupt, a failure."""
import glob
import os
import re
import signal
import time

import program

HERE = os.path.dirname(os.path.abspath(__file__))
EXPERIMENTS = os.path.join(HERE, "..", "..", "experiments")

STUDY = """study: small
settings:
  dataset: shapes
  blocks: "1,1,1,1"
  train-limit: 128
  test-limit: 32
  batch-size: 64
  epochs: {epochs}
  commit-every: 0
  threads: 1
grid:
  plain: [false, true]
seeds: [1, 2]
"""


def write_study(p, epochs):
    with open(p.file("small.yaml"), "w", encoding="utf-8") as f:
        f.write(STUDY.format(epochs=epochs))


def records(p, folder="runs"):
    return sorted(glob.glob(p.file(f"{folder}/small/*.h5")))


def test_a_grid_is_trained_once(p):
    write_study(p, 1)
    assert "small: 4 runs: 4 done, 0 done before, 0 failed, 0 left" in p.run("run", "small.yaml", "--jobs", "2").stdout
    first = records(p)
    assert len(first) == 4 and sum("-plain-" in path for path in first) == 2, first
    times = [os.stat(path).st_mtime_ns for path in first]
    assert "small: 4 runs: 0 done, 4 done before, 0 failed, 0 left" in p.run("run", "small.yaml").stdout
    assert [os.stat(path).st_mtime_ns for path in first] == times, "a finished record was written again"
    listed = p.run("run", "small.yaml", "--dry-run", "--set", "plain=true", "--seeds", "2,3").stdout.splitlines()
    assert listed[0] == "small: 2 runs" and " done " in listed[1] and " new " in listed[2], listed


def test_names_that_take_nothing_are_refused_before_any_run(p):
    write_study(p, 1)
    for arguments, message in ((["--set", "freeze=layer9"], "run 1 (plain false, seed 1): --freeze layer9 takes nothing"),
                               (["--set", "record=weights:nowhere"], "--record weights:nowhere takes nothing"),
                               (["--set", "init-from=a.h5", "--set", "reinitialize=layer9"], "--reinitialize layer9 takes nothing")):
        for dry in ([], ["--dry-run"]):
            err = p.run("run", "small.yaml", *arguments, *dry, expect=2).stderr
            assert message in err, err
    assert not records(p)


def test_the_summary_of_a_part_is_named_after_it(p):
    """With what the command line set; where that is long, with what has room, whole, the seeds, and a hash of all."""
    write_study(p, 1)
    def named(*arguments):
        before = set(glob.glob(p.file("runs/*_summary.csv")))
        p.run("run", "small.yaml", "--quiet", *arguments)
        name, = set(glob.glob(p.file("runs/*_summary.csv"))) - before
        return os.path.basename(name)

    assert named("--set", "train-limit=64", "--seeds", "1") == "small.train-limit=64.seeds=1_summary.csv"
    hashed = r"small\.plain=false\.train-limit=96\.test-limit=32\.epochs=1\.seeds=1-[0-9a-f]{8}_summary\.csv"
    names = []
    for size in ("128", "64"):
        values = ("plain=false", "train-limit=96", "test-limit=32", "epochs=1", "batch-size=" + size, "learning-rate=0.002")
        names.append(named(*[word for value in values for word in ("--set", value)], "--seeds", "1"))
    assert re.fullmatch(hashed, names[0]) and re.fullmatch(hashed, names[1]) and names[0] != names[1], names


def test_the_summary_has_distances_where_the_records_have(p):
    write_study(p, 1)
    for record, there in (("distances", True), ("none", False)):
        p.run("run", "small.yaml", "--set", f"record={record}", "--seeds", "1", "--out-dir", record)
        summary, = glob.glob(p.file(f"{record}/*_summary.h5"))
        shown = p.run("info", summary).stdout
        assert "train_loss" in shown and ("distance_to_initial" in shown) == there, shown


def test_an_interrupted_study_ends_as_if_it_had_not_been(p):
    write_study(p, 12)
    arguments = ["run", "small.yaml", "--set", "plain=false", "--seeds", "1"]
    p.run(*arguments, "--out-dir", "whole")
    running = p.start(*arguments, "--out-dir", "cut")
    deadline = time.monotonic() + 60
    while not glob.glob(p.file("cut/small/*.ckpt")) and time.monotonic() < deadline:
        time.sleep(0.005)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, f"exit status {running.returncode}\n{out}{err}"
    assert "interrupted, resumable" in err and "0 done, 0 done before, 0 failed, 1 left" in out, out + err
    again = p.run(*arguments, "--out-dir", "cut")
    assert "goes on after epoch" in again.stderr and "1 done, 0 done before" in again.stdout, again.stderr + again.stdout
    p.same(records(p, "whole")[0], records(p, "cut")[0])


def test_a_failure_is_listed_with_its_message(p):
    write_study(p, 1)
    with open(p.file("no_folder"), "w", encoding="utf-8") as f:
        f.write("a file where the data folder should be")
    done = p.run("run", "small.yaml", "--seeds", "1", "--set", "dataset=mnist,shapes", "--set", "no-download=true",
                 "--set", "data-dir=no_folder", expect=1)
    assert "small: 4 runs: 2 done, 0 done before, 2 failed, 0 left" in done.stdout, done.stdout
    last = done.stderr.splitlines()[-1]
    assert last.startswith("resnet_study: error: [") and "failed (exit status 3): resnet_study: error: " in last, last
    assert len(records(p)) == 2


def test_the_published_studies_are_whole(p):
    for name, width, metric in (("minkowski_even", "even", "minkowski:1"), ("minkowski", "standard", "minkowski:1"),
                                ("euclidean", "standard", "euclidean")):
        path = os.path.join(EXPERIMENTS, name + ".yaml")
        listed = p.run("run", path, "--dry-run").stdout.splitlines()
        assert listed[0] == f"{name}: 48 runs" and len(listed) == 49, listed[0]
        part = p.run("run", path, "--dry-run", "--set", "dataset=cifar10", "--set", "depth=18,34").stdout.splitlines()
        assert part[0] == f"{name}: 4 runs" and "depth 18, plain false" in part[1], part
        with open(path, encoding="utf-8") as f:
            text = f.read()
        assert f"width: {width}" in text and metric in text


if __name__ == "__main__":
    program.main([test for name, test in list(globals().items()) if name.startswith("test_")])
