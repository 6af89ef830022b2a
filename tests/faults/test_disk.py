"""test_disk.py PROGRAM LIBRARY [CALLS]: disks that fail. Each of CALLS calls of every kind (write, fsync, rename, ftruncate, open, unlink)
fails in turn: the run ends with status 1 and a line that names the file, every committed row stands, a resume ends in the same file.
A file system that is really full (as root), --on-full wait, and outputs that are refused before anything is trained."""
import errno
import os
import shutil
import signal
import subprocess
import sys
import time

import faults
from faults import check_committed, covered, family, h5py, spread

CALLS = int(sys.argv[3]) if len(sys.argv) > 3 else 8
KINDS = ("write", "sync", "rename", "truncate", "open", "unlink", "reserve")
FIT = [*faults.FIT, "--epochs", "4", *faults.ALWAYS, "--device", "cpu"]
MIB = 1 << 20


def run_failing(p, plan, arguments, whole):
    """What is wrong with how a run takes a failing call, or None."""
    for name in ("cut.h5", "cut.h5.ckpt", "cut.h5.part", "cut.h5.ckpt.part"):
        if os.path.exists(p.file(name)):
            os.remove(p.file(name))
    done = p.faulty(plan, *arguments, "--out", "cut.h5", inside="cut.h5")
    lines = done.words.splitlines()
    if not done.fired:
        return "nothing failed: runs differ"
    if done.returncode == 0 and not lines:  # HDF5 opens a file to see whether it is there, and then creates it
        p.same("whole.h5", "cut.h5")
        return None
    if done.returncode != 1:
        return f"exit status {done.returncode}, not 1: {done.stderr}"
    if len(lines) != 1 or "cut.h5" not in lines[0] or not lines[0].startswith("resnet_study: error: "):
        return f"not one line that names the file: {done.words}"
    if "ENOSPC" in plan and "write" in plan and ("No space left" not in lines[0] or "bytes missing" not in lines[0]):
        return f"the line does not say how much is missing: {lines[0]}"
    left = [name for name in os.listdir(p.dir) if name.startswith("cut.h5") and name.endswith(".part")]
    if left:
        return f"left behind: {left}"
    check_committed(p.file("cut.h5"), whole)
    if os.path.exists(p.file("cut.h5")):
        p.run("verify", "cut.h5")
    p.run(*arguments, "--resume", "--out", "cut.h5")
    p.same("whole.h5", "cut.h5")
    return None


def sweep(p, arguments, most):
    p.run(*arguments, "--out", "whole.h5")
    whole = covered(p.file("whole.h5"))
    calls = p.totals(*arguments, "--out", "cut.h5", inside="cut.h5")
    assert all(calls[kind] > 0 for kind in KINDS), calls
    count, wrong = 0, []
    for kind in KINDS:
        for i, number in enumerate(spread(calls[kind], most)):
            plan = f"{kind}:{number}{'+' if i % 4 == 3 else ''}:{('ENOSPC', 'EIO')[i % 2]}"
            try:
                fault = run_failing(p, plan, arguments, whole)
            except AssertionError as problem:
                fault = str(problem)
            count += 1
            if fault:
                wrong.append(f"{plan}: {fault}")
    print(f"        {count} of {sum(calls[kind] for kind in KINDS)} calls failed in turn")
    assert not wrong, "\n".join(wrong)


def test_each_call_fails_in_turn(p):
    sweep(p, FIT, CALLS)


def test_each_call_fails_in_turn_with_layers(p):
    sweep(p, [*family("isolation"), "--epochs", "3", "--isolate-from", "1", "--freeze-from", "1"], max(CALLS // 4, 2))


def test_each_call_of_a_resume_fails(p):
    """Nothing that was committed is lost to a resume that goes wrong."""
    p.run(*FIT, "--out", "whole.h5")
    whole = covered(p.file("whole.h5"))
    assert p.faulty("rename:4:kill", *FIT, "--out", "begun.h5", inside="begun.h5.ckpt").returncode == -signal.SIGKILL
    committed = covered(p.file("begun.h5"))
    assert any(len(part) for part in committed.values())

    def begin():
        for end in ("", ".ckpt"):
            shutil.copy(p.file("begun.h5" + end), p.file("cut.h5" + end))
    begin()
    calls = p.totals(*FIT, "--resume", "--out", "cut.h5", inside="cut.h5")
    for kind in KINDS:
        for number in spread(calls[kind], CALLS) if calls[kind] else []:
            begin()
            done = p.faulty(f"{kind}:{number}:EIO", *FIT, "--resume", "--out", "cut.h5", inside="cut.h5")
            harmless = kind in ("truncate", "reserve") and done.returncode == 0 and not done.words  # room: asked for, given back
            assert done.fired and (harmless or done.returncode == 1 and "cut.h5" in done.words), (kind, number, done.returncode, done.stderr)
            check_committed(p.file("cut.h5"), whole)
            now = covered(p.file("cut.h5"))
            assert all(now[name].startswith(part) for name, part in committed.items()), f"{kind}:{number}: a commit was taken back"
            p.run(*FIT, "--resume", "--out", "cut.h5")
            p.same("whole.h5", "cut.h5")


def test_a_file_that_was_cut_off_is_refused(p):
    """A kill between the note of the file's end and its growing is mended; a copy that lacks committed bytes is not."""
    p.run(*FIT, "--out", "whole.h5")
    whole = covered(p.file("whole.h5"))
    calls = p.totals(*FIT, "--out", "counted.h5", inside="counted.h5")
    shorter = 0
    for number in range(1, calls["truncate"] + 1):
        for name in ("cut.h5", "cut.h5.ckpt"):
            if os.path.exists(p.file(name)):
                os.remove(p.file(name))
        done = p.faulty(f"truncate:{number}:kill", *FIT, "--out", "cut.h5", inside="cut.h5")
        assert done.returncode == -signal.SIGKILL, (number, done.stderr)
        if not os.path.exists(p.file("cut.h5")):
            continue
        with open(p.file("cut.h5"), "rb") as f:
            shorter += int.from_bytes(f.read(36)[28:], "little") > os.path.getsize(p.file("cut.h5"))
        check_committed(p.file("cut.h5"), whole)
        p.run("verify", "--repair", "cut.h5")
        with h5py.File(p.file("cut.h5"), "r") as f:
            assert f["state"].shape == (1,)
        p.run(*FIT, "--resume", "--out", "cut.h5")
        p.same("whole.h5", "cut.h5")
    assert shorter > 0, "no kill left a file that is shorter than it says"
    os.truncate(p.file("cut.h5"), os.path.getsize(p.file("cut.h5")) // 2)
    before = open(p.file("cut.h5"), "rb").read()
    for arguments in (["verify", "--repair", "cut.h5"], [*FIT, "--epochs", "6", "--resume", "--out", "cut.h5"]):
        done = subprocess.run([p.path, *arguments], cwd=p.dir, env=p.env, capture_output=True, text=True, check=False)
        assert done.returncode == 3 and "cut.h5 is cut off" in done.stderr, (done.returncode, done.stderr)
        assert before == open(p.file("cut.h5"), "rb").read(), f"{arguments[0]} wrote to a file that is cut off"


class Small:
    """A file system of so many bytes; None where it cannot be had."""

    def __init__(self, p, size):
        self.path, self.size = p.file("small"), size
        os.makedirs(self.path, exist_ok=True)

    def __enter__(self):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.size}", "tmpfs", self.path], capture_output=True, text=True,
                              check=False)
        if done.returncode:
            print(f"        not done: a small file system cannot be mounted here ({done.stderr.strip()}); root may")
            return None
        return self.path

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.path], capture_output=True, check=False)


def fill(folder):
    """Until nothing more fits in."""
    with open(os.path.join(folder, "filler"), "wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(65536))
        except OSError as problem:
            assert problem.errno == errno.ENOSPC, problem


LONG = ["--depth", "18", "--blocks", "1,1,1,1", "--dataset", "shapes", "--train-limit", "32", "--test-limit", "16", "--batch-size", "16",
        "--epochs", "12", "--commit-every", "0", "--threads", "1", "--device", "cpu", "--quiet"]


def wait_for(condition, child, what):
    until = time.monotonic() + 60
    while not condition():
        assert child.poll() is None, f"it ended before {what}: {child.communicate()}"
        assert time.monotonic() < until, f"it waited for {what} in vain"
        time.sleep(0.01)


def test_a_disk_that_is_too_small(p):
    """Refused before training, with what is missing."""
    with Small(p, 16 * MIB) as small:
        if not small:
            return
        done = p.run(*LONG, "--out", os.path.join(small, "r.h5"), expect=1)
        assert "bytes missing" in done.stderr and "r.h5" in done.stderr and "--snapshots" in done.stderr, done.stderr
        assert os.listdir(small) == [], os.listdir(small)


def fill_while_training(p, small, *more):
    out = os.path.join(small, "r.h5")
    child = p.start(*LONG, "--out", out, *more)
    wait_for(lambda: os.path.exists(out + ".ckpt"), child, "a first checkpoint")
    fill(small)
    return child, out


def test_a_disk_that_gets_full_stops_the_run(p):
    p.run(*LONG, "--out", "whole.h5")
    whole = covered(p.file("whole.h5"))
    with Small(p, 300 * MIB) as small:
        if not small:
            return
        child, out = fill_while_training(p, small)
        _, words = child.communicate(timeout=120)
        assert child.returncode == 1 and "r.h5" in words and "bytes missing" in words, (child.returncode, words)
        check_committed(out, whole)
        p.run("verify", out)
        os.remove(os.path.join(small, "filler"))
        p.run(*LONG, "--out", out, "--resume")
        p.same("whole.h5", out)


def test_a_disk_that_gets_full_is_waited_for(p):
    p.run(*LONG, "--out", "whole.h5")
    with Small(p, 300 * MIB) as small:
        if not small:
            return
        child, out = fill_while_training(p, small, "--on-full", "wait")
        size = -1
        while size != os.path.getsize(out):
            size = os.path.getsize(out)
            time.sleep(1.0)
            assert child.poll() is None, f"it did not wait: {child.communicate()}"
        os.remove(os.path.join(small, "filler"))
        _, words = child.communicate(timeout=120)
        assert child.returncode == 0, words
        p.same("whole.h5", out)


def behind(path):
    """Bytes that a file takes behind its end."""
    about = os.stat(path)
    return about.st_blocks * 512 - about.st_size


def test_what_is_reserved_cannot_be_taken_by_others(p):
    """After every reservation others take all that is left of the disk, until the program looks at it again: every write finds
    a full disk but for what was reserved, and the run goes through. Where nothing was reserved it does not."""
    for arguments in (FIT, [*family("resnet"), *faults.EVERYTHING], [*family("snapshots"), "--compress"]):
        p.run(*arguments, "--out", "whole.h5", "--overwrite")
        whole = covered(p.file("whole.h5"))
        with Small(p, os.path.getsize(p.file("whole.h5")) + 3 * os.path.getsize(p.file("whole.h5.ckpt")) + 6 * MIB) as small:
            if not small:
                return
            out, filler = os.path.join(small, "r.h5"), os.path.join(small, "filler")
            done = p.faulty("reserve:1+:fill", *arguments, "--out", out, inside="small/r.h5", RS_FAULT_FILL=filler)
            assert done.returncode == 0 and not done.words and len(done.fired) > 10, (done.returncode, done.stderr)
            p.same("whole.h5", out)
            for name in (out, out + ".ckpt"):
                assert behind(name) <= 8192, f"{name} keeps {behind(name)} bytes behind its end"
                os.remove(name)
            os.remove(filler)
            done = p.faulty("reserve:2:after", *arguments, "--out", out, inside="small/r.h5", RS_FAULT_NOT=".ckpt")  # room is left
            assert done.returncode == -signal.SIGKILL and behind(out) > 1 << 19, (behind(out), done.returncode, done.stderr)
            p.run("verify", "--repair", out)
            assert behind(out) <= 8192, behind(out)
            for name in (out, out + ".ckpt", out + ".ckpt.part"):
                if os.path.exists(name):
                    os.remove(name)
            done = p.faulty("reserve:2+:steal", *arguments, "--out", out, inside="small/r.h5", RS_FAULT_FILL=filler)
            assert done.returncode == 1 and "No space left" in done.words, (done.returncode, done.stderr)
            if os.path.exists(filler):
                os.remove(filler)
            check_committed(out, whole)
            p.run(*arguments, "--out", out, "--resume")
            p.same("whole.h5", out)


def test_a_reservation_that_fails_is_waited_for(p):
    p.run(*FIT, "--out", "whole.h5")
    total = p.totals(*FIT, "--out", "cut.h5", inside="cut.h5")["reserve"]
    assert total > 10, total
    for number in spread(total, CALLS):
        done = p.faulty(f"reserve:{number}:{('ENOSPC', 'EDQUOT')[number % 2]}", *FIT, "--on-full", "wait", "--overwrite", "--out", "cut.h5",
                        inside="cut.h5")
        assert done.fired and done.returncode == 0 and not done.words, (number, done.returncode, done.stderr)
        p.same("whole.h5", "cut.h5")


def test_who_waits_can_be_interrupted(p):
    with Small(p, 300 * MIB) as small:
        if not small:
            return
        child, out = fill_while_training(p, small, "--on-full", "wait")
        time.sleep(1.5)
        child.send_signal(signal.SIGTERM)
        _, words = child.communicate(timeout=60)
        assert child.returncode == 143 and "waiting for room" in words and "bytes missing" in words, (child.returncode, words)
        p.run("verify", out)


def refused(p, status, words, *arguments):
    done = p.run(*FIT, *arguments, expect=status)
    assert all(word in done.stderr for word in words), (words, done.stderr)
    assert "epoch" not in done.stdout


def test_outputs_are_refused_before_training(p):
    p.run(*FIT, "--out", "r.h5")
    before = open(p.file("r.h5"), "rb").read()
    refused(p, 2, ("r.h5", "--resume", "--overwrite"), "--out", "r.h5")
    with open(p.file("plain"), "w", encoding="ascii") as f:
        f.write("a file")
    refused(p, 1, ("plain",), "--out", "plain/r.h5")
    os.makedirs(p.file("folder.h5"))
    refused(p, 2, ("folder.h5",), "--out", "folder.h5")
    child = p.start(*LONG, "--epochs", "200", "--overwrite", "--out", "r.h5")
    wait_for(lambda: os.path.exists(p.file("r.h5.ckpt")) and open(p.file("r.h5"), "rb").read() != before, child, "a commit")
    refused(p, 1, ("another process is writing", "r.h5"), "--overwrite", "--out", "r.h5")
    done = p.run(*LONG, "--epochs", "200", "--resume", "--out", "r.h5", expect=1)
    assert "another process is writing" in done.stderr, done.stderr
    done = p.run("verify", "--repair", "r.h5", expect=1)
    assert "another process is writing" in done.stderr, done.stderr
    child.terminate()
    child.communicate()
    p.run("verify", "r.h5")


def test_a_folder_that_cannot_be_written_is_refused(p):
    for kind, reason in (("EACCES", "Permission denied"), ("EROFS", "Read-only file system")):
        done = p.faulty(f"open:1+:{kind}", *FIT, "--out", "r.h5", inside="r.h5")
        assert done.returncode == 1 and reason in done.words and "r.h5" in done.words and "loss" not in done.stdout, done.words
        assert not os.path.exists(p.file("r.h5"))
    with Small(p, "1m,ro") as small:
        if small:
            done = p.run(*FIT, "--out", os.path.join(small, "r.h5"), expect=1)
            assert "Read-only file system" in done.stderr and "r.h5" in done.stderr, done.stderr


def test_a_planted_fault_is_seen(p):
    """A program that took no notice of a failing write would be found out: here the library takes no notice for it."""
    p.run(*FIT, "--out", "whole.h5")
    whole = covered(p.file("whole.h5"))
    assert "nothing failed" in run_failing(p, "write:100000:EIO", FIT, whole)
    for plan in ("rename:1:drop", "write:200+:drop"):
        try:
            seen = run_failing(p, plan, FIT, whole)
        except AssertionError as problem:
            seen = str(problem)
        assert seen, f"{plan} passed for a run in which all went well"


TESTS = [test for name, test in list(globals().items()) if name.startswith("test_")]
faults.main(TESTS, sys.argv[4] if len(sys.argv) > 4 else "")
