"""test_kills.py PROGRAM [KILLS [CHAINS]]: kill -9 at random moments. After each kill every committed epoch must be intact; the
resumed run must end in the same file as one never cut off. A chain kills the resumed run again, repairing in between.
Prints the seed of its moments; RS_KILL_SEED repeats them."""
import os
import random
import sys
import time

import program
from program import SMALL

h5py = program.need_h5py()

KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 6
CHAINS = int(sys.argv[3]) if len(sys.argv) > 3 else 2
SEED = int(os.environ.get("RS_KILL_SEED", random.SystemRandom().randrange(10**9)))
MOMENTS = random.Random(SEED)


def killed_at(p, seconds, *arguments):
    """Starts a run, kills it after so many seconds; True if it was still running."""
    child = p.start(*arguments)
    time.sleep(seconds)
    running = child.poll() is None
    child.kill()
    child.communicate()
    return running


def check_committed(p, name, whole):
    """What the last commit covers must equal the same rows of the whole run, byte for byte. Returns the committed steps."""
    if not os.path.exists(p.file(name)):
        return 0
    f = h5py.File(p.file(name), "r", libver="latest", swmr=True)  # a file of that name is complete: it must open
    with f:
        if "commits/step" not in f or f["commits/step"].shape[0] == 0:
            return 0
        steps, epochs, snapshots = (int(f["commits/" + k][-1]) for k in ("step", "epoch", "snapshots"))
        for path, array in whole.items():
            top = path.split("/")[0]
            rows = {"steps": steps, "epochs": epochs, "snapshots": snapshots, "weights": snapshots, "gradients": snapshots}.get(top)
            if rows is None or path.endswith("_seconds"):
                continue
            assert f[path].shape[0] >= rows, f"{path}: {f[path].shape[0]} rows, {rows} are committed"
            assert f[path][:rows].tobytes() == array[:rows].tobytes(), f"{path}: a committed row is not what was recorded"
        return steps


def prepare(p):
    begin = time.monotonic()
    p.run(*SMALL, "--out", "whole.h5", "--quiet")
    return program.datasets(h5py, p.file("whole.h5")), time.monotonic() - begin


def test_kill_and_resume(p):
    whole, duration = prepare(p)
    struck = steps = 0
    for i in range(KILLS):
        name = f"kill{i}.h5"
        struck += killed_at(p, MOMENTS.uniform(0.0, duration), *SMALL, "--out", name, "--quiet")
        steps += check_committed(p, name, whole)
        p.run(*SMALL, "--out", name, "--resume", "--quiet")
        p.same("whole.h5", name)
        os.remove(p.file(name))
    print(f"        {struck} of {KILLS} kills struck a running program (seed {SEED})")
    assert KILLS < 20 or steps > 0, "no kill left a committed step to look at"
    assert struck >= KILLS // 3, "too few kills struck; the moments are badly chosen"


def test_chains_of_kill_repair_resume(p):
    whole, duration = prepare(p)
    for i in range(CHAINS):
        name = f"chain{i}.h5"
        before = 0
        for _ in range(4):
            killed_at(p, MOMENTS.uniform(0.1, 0.7) * duration, *SMALL, "--out", name, "--resume", "--quiet")
            if os.path.exists(p.file(name + ".ckpt")):
                p.run("verify", name, "--repair")
            steps = check_committed(p, name, whole)
            assert steps >= before, "a commit was taken back"
            before = steps
        p.run(*SMALL, "--out", name, "--resume", "--quiet")
        p.same("whole.h5", name)
    print(f"        {CHAINS} chains of four kills (seed {SEED})")


program.main([test_kill_and_resume, test_chains_of_kill_repair_resume])
