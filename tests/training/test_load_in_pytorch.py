"""test_load_in_pytorch.py PROGRAM: records of small networks on files in CIFAR-10's format, loaded into PyTorch by name, give the
record's test loss; a record whose weights were changed does not (the tester is tested, too)."""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "experiments"))
from record_file import need  # noqa: E402

torch, h5py, np = need("torch", "h5py", "numpy")
HERE = os.path.dirname(os.path.abspath(__file__))
RECORDS = 10000
RUN = ["--depth", "18", "--dataset", "cifar10", "--train-limit", "96", "--test-limit", "200", "--batch-size", "32", "--epochs", "1",
       "--threads", "2", "--no-download", "--quiet"]


def make_images(directory):
    """Six files of random records; the images are no matter here."""
    folder = os.path.join(directory, "cifar-10-batches-bin")
    os.makedirs(folder)
    records = np.random.default_rng(1).integers(0, 256, (RECORDS, 3073), dtype=np.uint8)
    records[:, 0] %= 10
    first = os.path.join(folder, "test_batch.bin")
    records.tofile(first)
    for i in range(1, 6):
        os.link(first, os.path.join(folder, f"data_batch_{i}.bin"))


def load(record, directory):
    done = subprocess.run([sys.executable, "-B", os.path.join(HERE, "load_in_pytorch.py"), record, "--data-dir", directory],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout, end="")
    return done.returncode


def check(program, directory, name, options):
    record = os.path.join(directory, name + ".h5")
    subprocess.run([program, *RUN, *options, "--data-dir", directory, "--out", record], check=True, stdin=subprocess.DEVNULL)
    print(name)
    assert load(record, directory) == 0, f"{name}: PyTorch gives another loss"
    with h5py.File(record, "r+") as f:
        f["weights/fc.bias"][-1] += np.arange(10, dtype=np.float32) / 10
    assert load(record, directory) == 1, f"{name}: changed weights went unnoticed"


def main():
    directory = tempfile.mkdtemp(prefix="resnet_study_test.")
    try:
        make_images(directory)
        check(sys.argv[1], directory, "residual", [])
        check(sys.argv[1], directory, "plain-standard", ["--plain", "--width", "standard", "--blocks", "1,1,1,1"])
        check(sys.argv[1], directory, "bottleneck-standard", ["--depth", "26", "--width", "standard", "--blocks", "1,1,1,1"])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
