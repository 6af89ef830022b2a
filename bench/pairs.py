"""pairs.py: workers that train on request, turns in rounds (A B C A B C ...), and the statistics of what is paired.

A worker is a process that prints "ready SECONDS" after its first step, then for each line "N" of its input trains N steps and
prints "SECONDS LOSS", and at the end of its input prints "peak BYTES", its largest resident size: train_worker.c is ours,
pytorch_worker.py the other. What is compared takes turns in one run, so that what disturbs the machine disturbs all alike; the
first round warms up and does not count. Ratios are taken within rounds, then their median: never the ratio of medians."""
import collections
import math
import os
import statistics
import subprocess
import tempfile

Spread = collections.namedtuple("Spread", "median least greatest")


class WorkerFailed(Exception):
    """A worker ended, or answered with something that is no time; the text says which and why."""


def spread(values):
    """Median, least and greatest; only of finite numbers, so that no failed measurement passes as one."""
    values = [float(v) for v in values]
    if not values or not all(math.isfinite(v) for v in values):
        raise ValueError(f"no spread of {values}")
    return Spread(statistics.median(values), min(values), max(values))


def ratios(numerators, denominators):
    """Spread of the ratios round by round."""
    if len(numerators) != len(denominators):
        raise ValueError(f"{len(numerators)} rounds against {len(denominators)}")
    return spread([a / b for a, b in zip(numerators, denominators)])


class Worker:
    """One process that trains on request, `turn` steps in each of its turns."""

    def __init__(self, name, command, environment=None, turn=1):
        self.name, self.turn = name, turn
        self.command = [str(c) for c in command]
        self.environment = dict(os.environ, **(environment or {}))
        self.process = self.errors = None
        self.peak = 0

    def start(self):
        """Starts the process; returns the seconds that it needed to its first step."""
        self.errors = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                            text=True, env=self.environment)
        except OSError as problem:
            raise WorkerFailed(f"{self.name}: {problem}") from problem
        return self._number(self._answer("ready"), 1)

    def train(self, steps):
        """Seconds of that many steps."""
        try:
            self.process.stdin.write(f"{steps}\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it has ended: the answer that does not come says why
        words = self._answer(None)
        self._number(words, 1)  # the loss
        return self._number(words, 0)

    def stop(self):
        """Ends the process in order; returns its largest resident size so far, of all its starts."""
        self.process.stdin.close()
        self.peak = max(self.peak, int(self._number(self._answer("peak"), 1)))
        if self.process.wait() != 0:
            self._fail("ended badly")
        self._release()
        return self.peak

    def kill(self):
        """Ends the process at once, if there is one."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self._release()

    def _release(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()
        self.process = None

    def _answer(self, first):
        words = self.process.stdout.readline().split()
        if len(words) != 2 or (first and words[0] != first):
            self._fail(f"answered {' '.join(words)!r}" if words else "ended")
        return words

    def _number(self, words, index):
        try:
            value = float(words[index])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self._fail(f"answered {' '.join(words)!r}")
        return value

    def _fail(self, what):
        self.process.kill()
        status = self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace").strip().split("\n")[-1]
        self._release()
        memory = " (killed, perhaps for want of memory)" if what == "ended" and status == -9 else ""
        raise WorkerFailed(f"{self.name} {what}{memory}{': ' + said if said else ''}")


def interleaved(workers, rounds):
    """{name: seconds of each counted round's turn}; all workers stay in memory."""
    seconds = {w.name: [] for w in workers}
    try:
        for worker in workers:
            worker.start()
        for i in range(rounds + 1):
            for worker in workers:
                took = worker.train(worker.turn)
                if i > 0:
                    seconds[worker.name].append(took)
        for worker in workers:
            worker.stop()
    finally:
        for worker in workers:
            worker.kill()
    return seconds


def alternating(workers, rounds):
    """As interleaved(), for workers that do not fit in memory together: each is started for its turn and stopped after it. Its
    first step, which `start` waits for, warms it up."""
    seconds = {w.name: [] for w in workers}
    try:
        for _ in range(rounds):
            for worker in workers:
                worker.start()
                seconds[worker.name].append(worker.train(worker.turn))
                worker.stop()
    finally:
        for worker in workers:
            worker.kill()
    return seconds
