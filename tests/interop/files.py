"""files.py: the files that the tests of this folder open: small records, results of every kind of `analyze`, a study's summary."""
import atexit
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import program

STUDY = """study: small
settings: {network: batch-norm-net, dataset: shapes, train-limit: 96, test-limit: 32, batch-size: 32, epochs: 2, threads: 1}
grid: {learning-rate: [0.001, 0.01]}
seeds: [1, 2]
"""
FIT = ["--network", "mlp-20x3", "--dataset", "function", "--function", "sinc-log", "--function-samples", "60", "--function-valid", "20",
       "--batch-size", "0", "--epochs", "4", "--threads", "1", "--quiet"]
RECORDS = ["run.h5", "fit.h5", "heads.h5"]
RESULTS = ["pca.h5", "line.h5", "hessian.h5", "distances.h5", "sensitivity.h5", "small_summary.h5"]


MADE = []  # the folder that has them


def make(p):
    """All of RECORDS and RESULTS, in p's folder; made once, copied for later tests."""
    if not MADE:
        MADE.append(tempfile.mkdtemp(prefix="resnet_study_test."))
        atexit.register(shutil.rmtree, MADE[0], ignore_errors=True)
        make_all(p)
        shutil.copytree(p.dir, MADE[0], dirs_exist_ok=True)
    else:
        shutil.copytree(MADE[0], p.dir, dirs_exist_ok=True)


def make_all(p):
    p.run(*program.SMALL, "--metric", "minkowski:1,cosine", "--record", "weights,gradients,distances,gradient-stats,sensitivity",
          "--epochs", "2", "--out", "run.h5", "--quiet")
    p.run("--network", "nn-2x256", "--dataset", "shapes", "--train-limit", "64", "--test-limit", "32", "--batch-size", "32",
          "--epochs", "2", "--isolate", "classifier", "--record", "weights,layer-outputs,layer-losses", "--threads", "1", "--out", "heads.h5", "--quiet")
    p.run(*FIT, "--out", "fit.h5")
    p.run(*FIT, "--seed", "2", "--out", "fit2.h5")
    p.run("analyze", "pca", "fit.h5", "fit2.h5", "-o", "pca.h5")
    p.run("analyze", "interpolate", "fit.h5", "fit2.h5", "--points", "0,0.5,1", "-o", "line.h5")
    p.run("analyze", "hessian", "fit.h5", "-o", "hessian.h5")
    p.run("analyze", "distances", "run.h5", "fit.h5", "--metric", "cosine", "-o", "distances.h5")
    p.run("analyze", "sensitivity", "heads.h5", "-o", "sensitivity.h5")
    with open(p.file("small.yaml"), "w", encoding="utf-8") as f:
        f.write(STUDY)
    p.run("run", "small.yaml", "--out-dir", ".", "--quiet")
    for name in RECORDS + RESULTS:
        assert os.path.getsize(p.file(name)) > 0, name
    assert len(glob.glob(p.file("small/*.h5"))) == 4


def tool(*command):
    """What a program of somebody else prints; it must end well and complain of nothing."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    complaints = [line for line in (done.stdout + done.stderr).splitlines()
                  if re.search(r"\berror\b|unable to|\bwarning\b|HDF5-DIAG", line, re.I)]
    assert done.returncode == 0 and not done.stderr.strip() and not complaints, \
        f"{' '.join(command)}: status {done.returncode}: {done.stderr[-400:]}{complaints[:3]}"
    return done.stdout
