"""test_live.py PROGRAM LIBRARY [COMMITS [KILLS]]: a reader with h5py follows a run over COMMITS commits, one file held open: at every
commit that it sees, all rows covered are those of the run that nobody watched. `verify --repair` on copies of KILLS files of runs
killed at chosen calls: every tool then opens them, and what was committed stands to the byte."""
import os
import shutil
import signal
import subprocess
import sys

import faults
from faults import DRAW, covered, family, h5py

COMMITS = int(sys.argv[3]) if len(sys.argv) > 3 else 60
KILLS = int(sys.argv[4]) if len(sys.argv) > 4 else 5
RUN = [*faults.FIT, "--epochs", str(COMMITS + 5), *faults.ALWAYS, "--device", "cpu", "--snapshots", "all"]
ROWS = {"steps": "step", "epochs": "epoch", "snapshots": "snapshots", "weights": "snapshots", "gradients": "snapshots"}


class Reader:
    """One open file, all its growing data sets, and what of each has been compared."""

    def __init__(self, path, whole):
        self.file = h5py.File(path, "r", libver="latest", swmr=True)
        self.commits = {name: self.file["commits/" + name] for name in self.file["commits"]}
        self.whole, self.data, self.compared = whole, {}, {}
        self.seen, self.looks, self.bytes = 0, 0, 0
        for name in whole:
            self.data[name], self.compared[name] = self.file[name], 0

    def close(self):
        self.file.close()

    def compare(self, name, first, rows):
        """Rows first .. rows - 1 beside the run that nobody watched."""
        dataset = self.data[name]
        dataset.refresh()
        assert dataset.shape[0] >= rows, f"{name}: {dataset.shape[0]} rows, {rows} are committed"
        found = dataset[first:rows].tobytes()
        width = len(found) // max(rows - first, 1)
        assert found == self.whole[name][first * width:rows * width], f"{name}: of rows {first} to {rows} one is not what was recorded"
        self.bytes += len(found)

    def look(self):
        """What has been committed since the last look; now and then all there is."""
        for dataset in self.commits.values():
            dataset.refresh()
        count = min(dataset.shape[0] for dataset in self.commits.values())
        if count == self.seen:
            return
        last = {name: int(dataset[count - 1]) for name, dataset in self.commits.items()}
        assert min(last.values()) >= 0, f"commit {count - 1}: {last}"
        again = self.looks % 50 == 0
        for name in self.whole:
            rows = last[ROWS[name.split("/")[0]]]
            self.compare(name, 0 if again else self.compared[name], rows)
            self.compared[name] = rows
        self.seen, self.looks = count, self.looks + 1


def follow(p, whole):
    """Reads beside a run until it ends; the reader."""
    if os.path.exists(p.file("live.h5")):
        os.remove(p.file("live.h5"))
    child = p.start(*RUN, "--out", "live.h5", "--overwrite")
    reader = None
    try:
        while child.poll() is None:
            if reader is None and os.path.exists(p.file("live.h5")):
                reader = Reader(p.file("live.h5"), whole)
            if reader:
                reader.look()
        assert child.returncode == 0, child.communicate()
        assert reader, "the run was over before it could be read"
        reader.look()
        reader.close()
    except BaseException:
        child.kill()
        child.communicate()
        raise
    return reader


def test_a_reader_never_sees_half_a_commit(p):
    p.run(*RUN, "--out", "whole.h5")
    whole = covered(p.file("whole.h5"))
    reader = follow(p, whole)
    print(f"        {reader.seen} commits, read at {reader.looks} of them, {reader.bytes >> 10} KiB compared")
    assert reader.seen >= COMMITS and reader.looks >= COMMITS // 4, (reader.seen, reader.looks)
    p.same("whole.h5", "live.h5")
    name = "weights/0.weight" if "weights/0.weight" in whole else sorted(name for name in whole if name.startswith("weights/"))[0]
    bent = bytearray(whole[name])
    bent[len(bent) // 2] ^= 4
    try:  # one bit in the middle of the run
        follow(p, dict(whole, **{name: bytes(bent)}))
    except AssertionError as problem:
        assert name in str(problem), problem
    else:
        raise AssertionError("a reader that sees another bit took no notice")


def check_repaired(p, whole, why):
    """A copy of the killed file, repaired: for every tool, with all that was committed."""
    with open(p.file("cut.h5"), "rb") as f:
        before = f.read()
    shutil.copy(p.file("cut.h5"), p.file("copy.h5"))
    done = subprocess.run([p.path, "verify", "copy.h5", "--repair"], cwd=p.dir, env=p.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "copy.h5: whole: " in done.stdout, (why, done.stdout, done.stderr)
    with h5py.File(p.file("copy.h5"), "r") as f:  # without swmr
        assert f["state"].asstr()[0] in ("interrupted", "done"), (why, f["state"][0])
        size = 0
        for name, bytes_of_run in whole.items() if len(f["commits/step"]) else ():
            rows = int(f["commits/" + ROWS[name.split("/")[0]]][-1])
            part = f[name][:rows].tobytes()
            assert part == bytes_of_run[:len(part)], f"{why}: {name}: a committed row is not what was recorded"
            size += len(part)
    if shutil.which("h5dump"):
        subprocess.run(["h5dump", "-d", "/steps/loss", p.file("copy.h5")], check=True, stdout=subprocess.DEVNULL)
    with open(p.file("cut.h5"), "rb") as f:
        assert f.read() == before, f"{why}: the killed file itself was changed"
    return size


def test_copies_of_killed_files_are_repaired(p):
    families = ["snapshots", "standard", "isolation", "resnet", "dropout"]
    files = size = 0
    for place, name in enumerate(families):
        arguments = family(name)
        p.run(*arguments, "--out", "whole.h5", "--overwrite")
        whole = covered(p.file("whole.h5"))
        calls = p.totals(*arguments, "--out", "counted.h5", "--overwrite", inside="counted.h5")
        goal = KILLS * (place + 1) // len(families)
        while files < goal:
            for left in ("cut.h5", "cut.h5.ckpt", "cut.h5.part", "cut.h5.ckpt.part"):
                if os.path.exists(p.file(left)):
                    os.remove(p.file(left))
            kind = DRAW.choice(("write", "write", "sync", "rename", "truncate", "reserve"))
            way = DRAW.choice(("kill", "after", "half") if kind == "write" else ("kill", "after"))
            plan = f"{kind}:{DRAW.randint(1, calls[kind])}:{way}"
            done = p.faulty(plan, *arguments, "--out", "cut.h5", inside="cut.h5")
            assert done.returncode in (0, -signal.SIGKILL), (plan, done.returncode, done.stderr)
            if done.returncode != 0 and os.path.exists(p.file("cut.h5")):
                size += check_repaired(p, whole, f"{name}, {plan}")
                files += 1
    print(f"        {files} copies of killed files repaired, {size >> 20} MiB of committed rows compared")
    assert files == KILLS and (size > 0 or KILLS < 20), (files, size)


TESTS = [test for name, test in list(globals().items()) if name.startswith("test_")]
faults.main(TESTS, sys.argv[5] if len(sys.argv) > 5 else "")
