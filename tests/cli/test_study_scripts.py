"""test_study_scripts.py PROGRAM: the scripts and study files of experiments/: what they take, say and refuse."""
import csv
import glob
import os
import re
import subprocess
import sys

import program

h5py = program.need_h5py()
EXPERIMENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "experiments")
HEAD = "group,quantity,epoch,mean,std,min,max,n,planned,diverged,changed,study\n"


def script(p, name, *arguments, expect=0, **environment):
    command = [sys.executable, "-B"] if name.endswith(".py") else ["bash"]
    done = subprocess.run([*command, os.path.join(EXPERIMENTS, name), *arguments], cwd=p.dir, env={**p.env, **environment},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == expect, f"{name} {arguments}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def write(p, name, text):
    with open(p.file(name), "w", encoding="utf-8") as f:
        f.write(text)


def beside(p, rows, expect=0):
    write(p, "x_summary.csv", HEAD + rows)
    return script(p, "beside_published.py", "x_summary.csv", expect=expect).stdout


def test_ours_beside_published(p):
    text = beside(p, '"network cnn-b",test_loss,last,0.046,0.002,0.044,0.048,3,3,0,"",mnist_cnns\n')
    assert "| network cnn-b | test loss | 0.036 | 0.046 ± 0.002 | 3 | +0.01 |  |  |" in text, text
    text = beside(p, '"network cnn-b",test_loss,last,0.046,,0.046,0.046,1,3,2,"epochs 2, train-limit 64",mnist_cnns\n')
    assert "| 0.046 | 1 of 3, 2 diverged | +0.01 | epochs 2, train-limit 64 |" in text, text
    text = beside(p, '"network cnn-b",epochs,last,,,,,0,3,3,"",mnist_cnns\n')
    assert "| 0.036 | no value | 0 of 3, 3 diverged |" in text, text
    text = beside(p, '"network cnn-a",test_loss,last,0.1,,0.1,0.1,1,1,0,"",mnist_cnns\n')
    assert "| 0.036 | not run |" in text, text
    text = beside(p, '"stage from-16, batch-size 32",sensitivity_batch,last,0.5,,0.5,0.5,1,1,0,"",flatness_sensitivity_published\n')
    assert "| stage from-16, batch-size 32 | sensitivity batch | 0.465 | 0.5 | 1 | +0.035 |" in text, text
    text = beside(p, '"a",seconds,last,2.5,,2,3,2,2,0,"",mnist_cnns\n"b",seconds,last,10,,10,10,1,1,0,"",mnist_cnns\n')
    assert "\n3 runs, 15 s of training in all.\n" in text, text
    assert "No published figures" in beside(p, '"a",test_loss,last,1,,1,1,1,1,0,"",none_such\n', expect=1)
    write(p, "old_summary.csv", "group,quantity\n")
    write(p, "number_summary.csv", HEAD + '"network cnn-b",test_loss,last,x,,,,1,1,0,"",mnist_cnns\n')
    for arguments, says in ((["none_summary.csv"], "cannot be read"), (["old_summary.csv"], "is no summary"),
                            (["number_summary.csv"], "x is no number"), (["-o"], ""), ([], "")):
        assert says in script(p, "beside_published.py", *arguments, expect=2).stderr


def result(p, kind, **arrays):
    with h5py.File(p.file("result.h5"), "w") as f:
        f.attrs["kind"] = kind
        for name, values in arrays.items():
            f[name.replace("__", "/")] = values
    return p.file("result.h5")


def test_analyses_beside_published(p):
    path = result(p, "interpolate", alpha=[0.0, 0.5, 1.0, 9.9], train__accuracy=[0.99, 0.2, 0.98, 0.3], test__accuracy=[0.9, 0.1, 0.8, 0.25],
                  train__loss=[1.0, 2.0, 3.0, 4.0], test__loss=[5.0, 6.0, 7.0, 8.0])
    text = script(p, "beside_published.py", path).stdout
    assert "| 0.5 | 0.17 | 0.2 | 0.1 | 2 | 6 |" in text and "| 10 | 0.34 | 0.3 (at 9.9) |" in text, text
    path = result(p, "hessian", minimal_ratio=[0.31, 0.5, 0.29], loss=[1e-4, 1e-3, 1e-4], positive_eigenvalue_share=[0.1, 0.2, 0.4],
                  smallest=[-1.0, -2.0, -3.0], largest=[10.0, 30.0, 20.0])
    text = script(p, "beside_published.py", path).stdout
    assert "| 0.30 to 0.45 | 0.29 | 0.31 | 0.5 | 1 of 3 |" in text and "| mostly < 0.0005 | 0.0001 | 0.0001 | 0.001 | 2 of 3 |" in text, text
    assert "| largest eigenvalue |  | 10 | 20 | 30 |" in text, text
    for kind, says in (("pca", "is no result that is compared"), ("hessian", "cannot be read")):
        assert says in script(p, "beside_published.py", result(p, kind), expect=2).stderr


def test_published_groups_are_those_of_the_study_files(p):
    """A figure is found only if its group is spelled as `run` spells it."""
    studies = {}
    with open(os.path.join(EXPERIMENTS, "published", "studies.csv"), newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            studies.setdefault(row["study"], set()).add(row["group"])
    with open(os.path.join(EXPERIMENTS, "published", "sensitivity.csv"), newline="", encoding="utf-8") as f:
        studies["flatness_sensitivity_published"] = {f"stage {r['series']}, batch-size {r['batch_size']}" for r in csv.DictReader(f)}
    for study, groups in studies.items():
        listed = p.run("run", os.path.join(EXPERIMENTS, study + ".yaml"), "--dry-run").stdout
        labels = {re.sub(r"(, |^)seed \d+$", "", label) or study for label in re.findall(r"\((.*)\)$", listed, re.M)} or {study}
        assert groups <= labels, (study, groups - labels)


def test_stages_begin_from_the_last_state_at_any_scale(p):
    p.run("run", os.path.join(EXPERIMENTS, "dropout_transfer.yaml"), "--set", "dataset=shapes", "--set", "train-limit=64", "--set",
          "test-limit=32", "--set", "valid-split=32", "--set", "epochs=2", "--set", "dropout=0.6", "--set", "threads=1", "--seeds", "1",
          "--out-dir", "runs", "--quiet")
    origins = []
    for path in glob.glob(p.file("runs/dropout_transfer/*.h5")):
        with h5py.File(path, "r") as f:
            origins.append(f.attrs["init_from"])
            assert f["snapshots/epoch"][-1] == 2, f["snapshots/epoch"][:]
    origin = max(origins)
    assert len(origins) == 2 and "snapshot 1 (step 2)" in origin, origins
    summary = glob.glob(p.file("runs/dropout_transfer.*_summary.csv"))
    with open(summary[0], newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    found = {(r["quantity"], r["epoch"]) for r in rows if r["group"] == "dropout 0.6, stage transfer"}
    assert {("test_accuracy", "2"), ("gradient_norm", "first-5"), ("gradient_abs_mean/linear1.weight", "last")} <= found, found
    assert all("epochs 2" in r["changed"] and r["study"] == "dropout_transfer" for r in rows)
    with h5py.File(summary[0].replace(".csv", ".h5"), "r") as f:
        assert "valid_r_squared" not in f["epochs"]  # of classes
        assert len(f["steps/quantity"]) == len(f["steps/mean"]) == len(f["steps/group"]) > 100


def test_scores_of_numbers_are_summed_up(p):
    p.run("run", os.path.join(EXPERIMENTS, "function_fit.yaml"), "--set", "function-samples=100", "--set", "function-valid=20", "--set",
          "epochs=8", "--set", "network=mlp-fit-8x7", "--set", "threads=1", "--seeds", "1,2", "--out-dir", "runs", "--quiet")
    summary = glob.glob(p.file("runs/function_fit.*_summary.csv"))[0]
    with open(summary, newline="", encoding="utf-8") as f:
        rows = {(r["quantity"], r["epoch"]): r for r in csv.DictReader(f)}
    values = []
    for path in glob.glob(p.file("runs/function_fit/*.h5")):
        with h5py.File(path, "r") as f:
            values.append(f["epochs/valid_r_squared"][-1])
    row = rows["valid_r_squared", "last"]
    assert row["n"] == "2" and abs(float(row["mean"]) - sum(values) / 2) < 1e-6 * abs(sum(values)), (row, values)
    with h5py.File(summary.replace(".csv", ".h5"), "r") as f:
        assert f["epochs/valid_r_squared/n"][0, -1] == 2


def test_every_study_keeps_its_last_state(p):
    for path in glob.glob(os.path.join(EXPERIMENTS, "*.yaml")):
        with open(path, encoding="utf-8") as f:
            lists = re.findall(r'snapshots: "(.*?)"', f.read())
        assert all("last:1" in text for text in lists) or os.path.basename(path) == "weight_pca.yaml", (path, lists)


def test_every_study_has_its_line_among_the_results(p):
    """Published, ours, command, time; without a time it says that it was not run."""
    with open(os.path.join(EXPERIMENTS, "results", "studies.md"), encoding="utf-8") as f:
        rows = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in f if line.startswith("| `")]
    names = [name for row in rows for name in row[0].replace("`", "").split()]
    assert sorted(names) == sorted(os.path.basename(path)[:-5] for path in glob.glob(os.path.join(EXPERIMENTS, "*.yaml"))), names
    for row in rows:
        time = row[4] if len(row) == 5 else ""
        assert row[1] and row[2] and ".yaml" in row[3] and bool(time) != row[2].startswith("not run"), row


def test_slurm_tasks_are_parts(p):
    """The script with a program that prints its arguments."""
    write(p, "echo.sh", "#!/bin/sh\necho \"$@\"\n")
    os.chmod(p.file("echo.sh"), 0o755)
    array = {"RESNET_STUDY": p.file("echo.sh"), "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "8", "SLURM_ARRAY_TASK_COUNT": "8"}
    again = dict(array, SLURM_ARRAY_TASK_MIN="3", SLURM_ARRAY_TASK_MAX="5", SLURM_ARRAY_TASK_COUNT="2")
    assert "--shard 3/8" in script(p, "slurm.sbatch", "s.yaml", SLURM_ARRAY_TASK_ID="3", **array).stdout
    assert "--shard 5/8" in script(p, "slurm.sbatch", "s.yaml", SLURM_ARRAY_TASK_ID="5", STUDY_PARTS="8", **again).stdout
    assert "STUDY_PARTS=N" in script(p, "slurm.sbatch", "s.yaml", SLURM_ARRAY_TASK_ID="5", expect=2, **again).stderr
    assert "task 5 of 4" in script(p, "slurm.sbatch", "s.yaml", SLURM_ARRAY_TASK_ID="5", STUDY_PARTS="4", expect=2, **again).stderr
    one = dict(array, SLURM_ARRAY_TASK_MIN="3", SLURM_ARRAY_TASK_MAX="3", SLURM_ARRAY_TASK_COUNT="1")
    script(p, "slurm.sbatch", "s.yaml", SLURM_ARRAY_TASK_ID="3", expect=2, **one)


def test_smoke_lists_every_study_once_and_makes_it_smaller(p):
    """With a program that notes its arguments and makes a summary: which studies, and no option twice."""
    write(p, "note.sh", '#!/bin/sh\necho "$@" >> notes\nwhile [ $# -gt 1 ]; do\n'
          '  [ "$1" = run ] && study=$(basename "$2" .yaml)\n  [ "$1" = --out-dir ] && echo x > "$2/${study}_summary.csv"\n  shift\ndone\n')
    os.chmod(p.file("note.sh"), 0o755)
    os.mkdir(p.file("folder"))
    assert script(p, "smoke.sh", p.file("note.sh"), "folder").stdout == "33 passed, 0 failed\n"
    with open(p.file("notes"), encoding="utf-8") as f:
        runs = [line.split() for line in f if line.startswith("run ")]
    names = sorted(os.path.basename(words[1]) for words in runs)
    assert names == sorted(os.path.basename(path) for path in glob.glob(os.path.join(EXPERIMENTS, "*.yaml"))), names
    for words in runs:
        keys = [word.split("=")[0] for word in words if "=" in word]
        assert len(keys) == len(set(keys)), words
    os.remove(p.file("notes"))
    for words in (["--few", p.file("note.sh"), "folder"], [p.file("note.sh"), "folder", "--few"]):
        assert script(p, "smoke.sh", *words).stdout == "10 passed, 0 failed\n"
    for words in (["--fewer", p.file("note.sh")], [p.file("note.sh"), "folder", "more"]):
        assert "smoke.sh: " in script(p, "smoke.sh", *words, expect=2).stderr
    write(p, "fail.sh", "#!/bin/sh\nexit 1\n")
    os.chmod(p.file("fail.sh"), 0o755)
    os.mkdir(p.file("empty"))
    assert "0 passed, 10 failed" in script(p, "smoke.sh", "--few", p.file("fail.sh"), "empty", expect=1).stdout


if __name__ == "__main__":
    program.main([test for name, test in list(globals().items()) if name.startswith("test_")])
