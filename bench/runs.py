"""runs.py: whole runs of a program from outside: when training began, when each epoch ended, when the process was gone.

Both our program and pytorch_epoch.py say "... N parameters ..." on standard error when all is ready, and "epoch K/E ..." after each
epoch. Times are taken as those lines arrive; what is written after the last epoch counts for the run, too."""
import collections
import os
import re
import shutil
import subprocess
import tempfile
import time

from pairs import WorkerFailed

READY = re.compile(r": \d+ parameters")
EPOCH = re.compile(r"^epoch (\d+)/(\d+) ")

# Seconds from the start: until training began; from there until the end; of the whole process. The largest resident size.
Run = collections.namedtuple("Run", "ready training process peak")


def run(name, command, environment=None):
    """One run; `command(folder)` makes the command line for an empty folder, which is removed at the end."""
    folder = tempfile.mkdtemp(prefix="resnet_study_bench.")
    try:
        return watch(name, [str(c) for c in command(folder)], dict(os.environ, **(environment or {})))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def watch(name, command, environment):
    """Follows one process to its end."""
    ready, epochs, wanted, last = None, 0, 1, ""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        for line in process.stderr:
            last = line.strip() or last
            if ready is None and READY.search(line):
                ready = time.monotonic() - begin
            elif match := EPOCH.match(line):
                epochs += 1
                wanted = int(match.group(2))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        end = time.monotonic() - begin
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()
        process.stderr.close()
    if process.returncode != 0 or ready is None or epochs != wanted:
        raise WorkerFailed(f"{name}: exit status {process.returncode} after {epochs} epochs: {last}")
    return Run(ready, end - ready, end, usage.ru_maxrss * 1024)


def rounds(makers, count):
    """{name: runs of each counted round}: A B B A A B ..., the first round warms up. makers: {name: function that runs once}."""
    done = {name: [] for name in makers}
    for i in range(count + 1):
        for name in list(makers)[::1 if i % 2 == 0 else -1]:
            finished = makers[name]()
            if i > 0:
                done[name].append(finished)
    return done
