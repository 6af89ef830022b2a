"""program.py: helpers of the tests that run the whole program.

Each test is a script: `python3 test_X.py PROGRAM`. Without h5py it prints why and exits with 77, which ctest counts as
skipped. RS_TEST_DEVICE: what SMALL trains on (cpu); RS_TEST_PRELOAD: a library that the program runs under; RS_TEST_ONLY: names of
the tests to run, with commas (all)."""
import os
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
DEVICE = os.environ.get("RS_TEST_DEVICE", "cpu")

# A network small enough for many runs: one basic block a stage.
SMALL = ["--depth", "18", "--blocks", "1,1,1,1", "--dataset", "shapes", "--train-limit", "160", "--test-limit", "48",
         "--batch-size", "64", "--epochs", "4", "--commit-every", "0", "--threads", "2",
         "--device", DEVICE]


def need_h5py():
    try:
        import h5py
    except ImportError:
        print(f"skipped: {sys.executable} has no h5py (Debian: python3-h5py)")
        sys.exit(SKIPPED)
    return h5py


def has_terminals():
    """Whether this system gives pseudo terminals (a bare chroot has none); what needs them says that it is skipped."""
    try:
        for side in os.openpty():
            os.close(side)
    except OSError:
        return False
    return True


class Program:
    """Runs the program in a directory of its own, which is removed at the end."""

    def __init__(self):
        if len(sys.argv) < 2:
            sys.exit(__doc__)
        self.path = os.path.abspath(sys.argv[1])
        self.dir = tempfile.mkdtemp(prefix="resnet_study_test.")
        self.env = dict(os.environ, OMP_WAIT_POLICY="passive")
        self.env.pop("RS_DATA_DIR", None)
        if "RS_TEST_PRELOAD" in os.environ:
            self.env["LD_PRELOAD"] = os.environ["RS_TEST_PRELOAD"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.dir, name)

    def run(self, *arguments, expect=0):
        done = subprocess.run([self.path, *arguments], cwd=self.dir, env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == expect, (
            f"{' '.join(arguments)}: exit status {done.returncode} instead of {expect}\n{done.stdout}{done.stderr}")
        return done

    def start(self, *arguments):
        return subprocess.Popen([self.path, *arguments], cwd=self.dir, env=self.env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def same(self, a, b):
        self.run("verify", "--same", a, b)


def datasets(h5py, path):
    """Every data set of a record as {path: array}."""
    found = {}
    with h5py.File(path, "r") as f:
        f.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def main(tests):
    """Runs functions test_*(program) in order and prints a line for each."""
    failed = 0
    only = [name for name in os.environ.get("RS_TEST_ONLY", "").split(",") if name]
    unknown = set(only) - {test.__name__ for test in tests}
    assert not unknown, f"RS_TEST_ONLY names no test: {unknown}"
    tests = [test for test in tests if not only or test.__name__ in only]
    for test in tests:
        with Program() as program:
            try:
                test(program)
                print(f"ok      {test.__name__}", flush=True)
            except AssertionError as problem:
                failed += 1
                print(f"FAILED  {test.__name__}: {problem}", flush=True)
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


