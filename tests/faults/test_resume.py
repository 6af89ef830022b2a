"""test_resume.py PROGRAM LIBRARY [KILLS [CALLS [FAMILIES]]]: a run of each family of studies is killed KILLS times at a random moment
and, of the calls that change its files, at CALLS of each kind, before, within and after the call; a resume is killed, too. What is
committed must stand to the byte, and the resumed run must end in the same file as one that nothing disturbed."""
import os
import signal
import subprocess
import sys
import time

import faults
from faults import DRAW, FAMILIES, check_committed, covered, family, h5py, spread

KILLS = int(sys.argv[3]) if len(sys.argv) > 3 else 1
CALLS = int(sys.argv[4]) if len(sys.argv) > 4 else 1
KINDS = {"write": ("kill", "half", "after"), "sync": ("kill", "after"), "rename": ("kill", "after"), "truncate": ("kill", "after")}


class Runs:
    """Of one family: the undisturbed record, how long it took and how many calls it made."""

    def __init__(self, p, name):
        self.p, self.name, self.arguments = p, name, family(name)
        p.warm()
        begun = time.monotonic()
        p.run(*self.arguments, "--out", "whole.h5", "--overwrite")
        self.seconds = time.monotonic() - begun
        self.whole = covered(p.file("whole.h5"))
        self.calls = p.totals(*self.arguments, "--out", "counted.h5", "--overwrite", inside="counted.h5")
        self.changes = sum(self.calls[kind] for kind in KINDS)
        self.struck = self.bytes = 0

    def clear(self):
        for name in ("cut.h5", "cut.h5.ckpt", "cut.h5.part", "cut.h5.ckpt.part"):
            if os.path.exists(self.p.file(name)):
                os.remove(self.p.file(name))

    def looked_at(self):
        if os.path.exists(self.p.file("cut.h5")):
            self.p.run("verify", "cut.h5")
        self.bytes += check_committed(self.p.file("cut.h5"), self.whole)

    def finish(self, why):
        try:
            self.p.run(*self.arguments, "--resume", "--out", "cut.h5")
            self.p.same("whole.h5", "cut.h5")
            self.p.run("verify", "cut.h5")
        except AssertionError as problem:
            raise AssertionError(f"{self.name}, {why}: {problem}") from problem

    def kill_at_moment(self, *more):
        child = self.p.start(*self.arguments, "--resume", "--out", "cut.h5", *more)
        time.sleep(DRAW.uniform(0.0, self.seconds))
        self.struck += child.poll() is None
        child.kill()
        child.communicate()
        self.looked_at()

    def kill_at_call(self, plan):
        done = self.p.faulty(plan, *self.arguments, "--resume", "--out", "cut.h5", inside="cut.h5")
        assert done.returncode in (0, -signal.SIGKILL), f"{self.name}, {plan}: exit status {done.returncode}: {done.stderr}"
        self.struck += done.returncode != 0
        self.looked_at()
        return done.returncode != 0


def plans(calls, most):
    """KIND:N:HOW at the calls that an undisturbed run makes: the first, the last and others, each way of dying in turn."""
    for kind, ways in KINDS.items():
        for i, number in enumerate(spread(calls[kind], most)):
            yield f"{kind}:{number}:{ways[(i + DRAW.randrange(len(ways))) % len(ways)]}"


def cut_a_family(p, name, kills, calls):
    runs = Runs(p, name)
    for i in range(kills):
        runs.clear()
        for _ in range(1 + i % 3):  # once; and then the resume is killed as well
            runs.kill_at_moment()
        runs.finish(f"random kill {i}")
    for plan in plans(runs.calls, calls):
        runs.clear()
        assert runs.kill_at_call(plan), f"{name}: {plan} was never reached; there were {runs.calls}"
        runs.kill_at_call(f"disk:{1 + DRAW.randrange(runs.changes)}:{DRAW.choice(('kill', 'after', 'half'))}")  # within the resume
        runs.finish(plan)
    print(f"        {name}: {runs.struck} kills, {runs.bytes} committed bytes compared, {runs.seconds:.2f} s a run", flush=True)
    assert runs.struck > 0 and runs.bytes > 0, f"{name}: no kill left anything to look at"


def family_test(name):
    def test(p):
        cut_a_family(p, name, KILLS, CALLS)
    test.__name__ = "test_" + name.replace("-", "_")
    return test


def run_stages(p, folder, seconds=None):
    """The study in a folder of its own; with seconds, killed then together with the runs it has started."""
    os.makedirs(p.file(folder), exist_ok=True)
    study = subprocess.Popen([p.path, "run", p.file("stages.yaml")], cwd=p.file(folder), env=p.env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if seconds is None:
        assert study.wait() == 0, f"{folder}: exit status {study.returncode}"
        return False
    time.sleep(seconds)
    running = study.poll() is None
    for pid in [*children(study.pid), study.pid]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    study.wait()
    return running


def test_stages(p):
    """A study is killed with the run it has started; it goes on to the same records."""
    begun = time.monotonic()
    run_stages(p, "whole")
    seconds = time.monotonic() - begun
    names = sorted(n for n in os.listdir(p.file("whole/runs/stages")) if n.endswith(".h5"))
    assert len(names) == 8, names
    struck = 0
    for i in range(max(KILLS, 1)):
        for _ in range(4):
            struck += run_stages(p, f"cut{i}", DRAW.uniform(0.1, 0.6) * seconds)
        run_stages(p, f"cut{i}")
        for name in names:
            p.same(f"whole/runs/stages/{name}", f"cut{i}/runs/stages/{name}")
    print(f"        stages: {struck} kills of a study and its runs")
    assert struck > 0


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(word) for word in f.read().split()]
    except OSError:
        return []


def test_planted_faults_are_seen(p):
    """A write to the record that is lost, or wrong by one bit, must not pass for the same record."""
    runs = Runs(p, "snapshots")
    record = {"inside": "bent.h5", "RS_FAULT_NOT": ".ckpt"}
    writes = p.totals(*runs.arguments, "--out", "bent.h5", **record)["write"]
    seen = {}
    for way in ("flip", "drop"):
        seen[way] = 0
        for number in spread(writes, 20):
            done = p.faulty(f"write:{number}:{way}", *runs.arguments, "--overwrite", "--out", "bent.h5", **record)
            assert done.fired, (number, done.stderr)
            compared = subprocess.run([p.path, "verify", "--same", "whole.h5", "bent.h5"], cwd=p.dir, env=p.env,
                                      capture_output=True, check=False)
            seen[way] += compared.returncode != 0
    print(f"        of 20 bits turned over {seen['flip']} were seen, of 20 writes left out {seen['drop']}")
    assert seen["flip"] >= 3 and seen["drop"] >= 3, seen  # what is written over later, or lies behind the last row, cannot be
    with h5py.File(p.file("whole.h5"), "r+") as f:
        f["steps/loss"][3] += 1e-7
    try:
        check_committed(p.file("whole.h5"), runs.whole)
    except AssertionError:
        return
    raise AssertionError("a changed weight passed for what was recorded")


faults.main([*(family_test(name) for name in FAMILIES), test_stages, test_planted_faults_are_seen],
            sys.argv[5] if len(sys.argv) > 5 else "")
