"""test_memory.py PROGRAM LIBRARY [PLACES]: memory that runs out. Of each command below, each allocation of ours fails in turn (at most
PLACES of them, one of every way that leads to one first): status 1, one line that says so, no crash, and no leak where the program is
built with the address sanitizer. A record begun so must be whole and must go on."""
import os
import shutil
import subprocess
import sys

import faults
from faults import ALWAYS, IMAGES, SANITIZED, check_committed, covered, family, spread

PLACES = int(sys.argv[3]) if len(sys.argv) > 3 else 12
CPU = ["--device", "cpu", *ALWAYS]
TINY = ["--train-limit", "32", "--test-limit", "16", "--batch-size", "16", "--epochs", "2"]
FIT = [*faults.FIT, "--epochs", "2"]
STUDY = """study: two
settings: {network: mlp-fit-8x7, dataset: function, function: sin-log, function-samples: 32, function-valid: 8, batch-size: 32,
           epochs: 1, threads: 1, device: cpu}
seeds: [1, 2]
"""
LEAKED = 97  # exit status of the address sanitizer, as set in faults.py

TRAINING = {
    "fit": [*FIT, *CPU],
    "images": [*IMAGES, *TINY, *CPU, "--isolate", "classifier", "--isolate-from", "1", "--record",
               "weights,gradients,distances,gradient-stats,layer-losses,layer-outputs", "--augment", "flip,crop:2", "--valid-split", "8"],
    "reference": [*IMAGES, *TINY, "--device", "ref", *ALWAYS],
    "resnet": ["--depth", "18", "--blocks", "1,1,1,1", "--dataset", "shapes", *TINY, *CPU],
    "warm": [*IMAGES, *TINY, *CPU, "--init-from", "warm.h5", "--init-optimizer"],
}
# {name: (arguments, what it writes and another one must not find)}
COMMANDS = {
    "study": (["run", "two.yaml", "--out-dir", "out"], ["out"]),
    "info": (["info", "r.h5"], []),
    "info-json": (["info", "--json", "r.h5"], []),
    "verify": (["verify", "r.h5"], []),
    "verify-same": (["verify", "--same", "r.h5", "r.h5"], []),
    "compare": (["compare", "r.h5", "r2.h5"], []),
    "export": (["export", "r.h5", "-o", "out", "--format", "csv,json,yaml,safetensors,npy"], ["out"]),
    "report": (["report", "r.h5", "-o", "out.html"], ["out.html"]),
    "plot": (["plot", "loss", "r.h5", "-o", "out.svg"], ["out.svg"]),
    "networks": (["networks", "cnn-6-16"], []),
    "pca": (["analyze", "pca", "r.h5", "r2.h5", "-o", "out.h5"], ["out.h5"]),
    "hessian": (["analyze", "hessian", "r.h5", "-o", "out.h5"], ["out.h5"]),
    "interpolate": (["analyze", "interpolate", "r.h5", "r2.h5", "-o", "out.h5"], ["out.h5"]),
    "distances": (["analyze", "distances", "r.h5", "-o", "out.h5"], ["out.h5"]),
}


def places(p, arguments, most):
    """Which allocations to fail: the first of every way (chain of calls) that leads to one, and others in between."""
    stacks = p.file("stacks")
    done = p.faulty("", *arguments, RS_FAULT_STACKS=stacks)
    assert done.returncode == 0, (arguments, done.returncode, done.stderr)
    with open(stacks, encoding="ascii") as f:
        ways = f.read().split()
    first = {way: number for number, way in reversed(list(enumerate(ways, 1)))}
    numbers = sorted(first.values())
    chosen = {numbers[i - 1] for i in spread(len(numbers), most)}
    return sorted(chosen | set(spread(len(ways), max(most - len(chosen), 1)))), len(ways), len(first)


def remove(p, names):
    for name in names:
        path = p.file(name)
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.remove(path)


def fault_of(done, plan):
    """What is wrong with how a command took it, or None."""
    lines = done.words.splitlines()
    if not done.fired:
        return f"{plan}: nothing failed: runs differ"
    if done.returncode == LEAKED:
        return f"{plan}: {done.words[-1500:]}"
    if done.returncode != 1:
        return f"{plan}: exit status {done.returncode}: {done.words[-600:]}"
    if not any("no memory" in line or "out of memory" in line for line in lines):
        return f"{plan}: not a line about memory: {done.words[-600:]}"
    return None


def sweep(p, name, arguments, made, most, after=lambda: None):
    remove(p, made)
    chosen, count, ways = places(p, arguments, most)
    wrong = []
    for number in chosen:
        plan = f"memory:{number}"
        remove(p, made)
        fault = fault_of(p.faulty(plan, *arguments), f"{name}, {plan}")
        if fault:
            wrong.append(fault)
        else:
            after()
    print(f"        {name}: {len(chosen)} of {count} allocations ({ways} ways to one) failed in turn", flush=True)
    assert not wrong, f"{len(wrong)} of {len(chosen)}:\n" + "\n".join(wrong[:12])


def training_test(name):
    def test(p):
        if name == "warm":
            p.warm()
        arguments = [*TRAINING[name], "--out", "cut.h5"]
        p.run(*TRAINING[name], "--out", "whole.h5")
        whole = covered(p.file("whole.h5"))

        def look():
            check_committed(p.file("cut.h5"), whole)
            p.run(*arguments, "--resume")
            p.same("whole.h5", "cut.h5")
        sweep(p, name, arguments, ["cut.h5", "cut.h5.ckpt"], PLACES, after=look if PLACES > 20 else lambda: None)
    test.__name__ = "test_training_" + name
    return test


def command_test(name):
    def test(p):
        if name == "plot" and not shutil.which("gnuplot"):
            print("        not done: there is no gnuplot")
            return
        for out, seed in (("r.h5", "1"), ("r2.h5", "2")):
            p.run(*FIT, *CPU, "--seed", seed, "--out", out)
        with open(p.file("two.yaml"), "w", encoding="utf-8") as f:
            f.write(STUDY)
        arguments, made = COMMANDS[name]
        sweep(p, name, arguments, made, PLACES)
    test.__name__ = "test_" + name.replace("-", "_")
    return test


def test_resume(p):
    p.run(*FIT, *CPU, "--out", "whole.h5")
    p.run(*FIT, *CPU, "--epochs", "1", "--out", "begun.h5")
    longer = [*FIT, *CPU, "--resume", "--out", "cut.h5"]

    def begin():
        for end in ("", ".ckpt"):
            shutil.copy(p.file("begun.h5" + end), p.file("cut.h5" + end))
    begin()
    chosen, count, _ = places(p, longer, PLACES)
    wrong = []
    for number in chosen:
        begin()
        fault = fault_of(p.faulty(f"memory:{number}", *longer), f"resume, memory:{number}")
        if fault:
            wrong.append(fault)
            continue
        p.run(*longer)
        p.run("verify", "cut.h5")
    print(f"        resume: {len(chosen)} of {count} allocations failed in turn")
    assert not wrong, "\n".join(wrong[:12])


def test_planted_faults_are_seen(p):
    """A crash is; a leak is where the sanitizer looks; a run in which nothing failed is no proof."""
    p.run(*FIT, *CPU, "--out", "r.h5")
    for plan, words in (("memory:3:crash", "exit status -6"), ("memory:100000", "nothing failed")):
        fault = fault_of(p.faulty(plan, "info", "r.h5"), plan)
        assert fault and words in fault, (plan, fault)
    done = p.faulty("memory:3:leak", "info", "r.h5")
    assert done.returncode == (LEAKED if SANITIZED else 0), (done.returncode, done.stderr[-500:])
    if not SANITIZED:
        print("        leaks are looked for in a build with the address sanitizer (preset dev)")


faults.main([*(training_test(name) for name in TRAINING), *(command_test(name) for name in COMMANDS), test_resume,
             test_planted_faults_are_seen], sys.argv[4] if len(sys.argv) > 4 else "")
