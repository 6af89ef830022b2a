"""emulated.py: the program under the stand-in, for the scripts of this folder: `python3 X.py PROGRAM STANDIN [...]`.

Exit status 77: skipped (h5py is missing)."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
# One basic block a stage, a few batches of two sizes.
SMALL = ["--depth", "18", "--blocks", "1,1,1,1", "--dataset", "shapes", "--train-limit", "13", "--test-limit", "5",
         "--batch-size", "4", "--epochs", "2", "--commit-every", "0", "--threads", "1", "--device", "cuda"]


def need_h5py():
    try:
        import h5py
    except ImportError:
        print(f"skipped: {sys.executable} has no h5py (Debian: python3-h5py)")
        sys.exit(SKIPPED)
    return h5py


class Emulated:
    """Runs the program in a folder of its own, which is removed at the end."""

    def __init__(self):
        if len(sys.argv) < 3:
            sys.exit(__doc__)
        self.path, self.standin = (os.path.abspath(p) for p in sys.argv[1:3])
        self.dir = tempfile.mkdtemp(prefix="resnet_study_cuda.")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.dir, name)

    def environment(self, standin=True, **variables):
        """Of the program; variables of an outer run's stand-in are dropped."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("RS_EMU_") and k not in ("LD_PRELOAD", "RS_MODULE_DIR")}
        env.update(variables, OMP_WAIT_POLICY="passive", RS_DATA_DIR=self.dir)
        if standin:
            env["LD_PRELOAD"] = self.standin
        return env

    def run(self, *arguments, program=None, standin=True, timeout=600, **variables):
        """The finished process. Variables: of the environment."""
        return subprocess.run([program or self.path, *arguments], cwd=self.dir, env=self.environment(standin, **variables),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=timeout)

    def start(self, *arguments):
        """A process that is not waited for."""
        return subprocess.Popen([self.path, *arguments], cwd=self.dir, env=self.environment(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def good(self, *arguments, **variables):
        done = self.run(*arguments, **variables)
        assert done.returncode == 0, (f"{' '.join(arguments)} {variables}: exit status {done.returncode}\n"
                                      f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done


def stats(path):
    """(counts of calls, {kernel: traffic}, fallible calls) of a RS_EMU_STATS file."""
    calls, kernels, fallible = {}, {}, 0
    with open(path, encoding="utf-8") as f:
        for line in f:
            entry = json.loads(line)
            if "kernel" in entry:
                kernels[entry["kernel"]] = entry
            else:
                calls, fallible = entry["calls"], entry["fallible_calls"]
    return calls, kernels, fallible


def main(tests):
    """Runs functions test_*(program) in order and prints a line for each."""
    failed = 0
    for test in tests:
        with Emulated() as program:
            try:
                test(program)
                print(f"ok      {test.__name__}", flush=True)
            except AssertionError as problem:
                failed += 1
                print(f"FAILED  {test.__name__}: {problem}", flush=True)
    sys.exit(1 if failed else 0)
