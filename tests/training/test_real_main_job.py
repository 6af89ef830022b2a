"""test_real_main_job.py PROGRAM: the main job on real CIFAR-10 images, as published, one epoch: ResNet-18 plain and residual against
the published figures, loaded into PyTorch, and followed by PyTorch for twenty steps. Takes its images from RS_REAL_DATA (a folder
with cifar-10-batches-bin); without it, h5py or PyTorch it is skipped. About fifteen minutes on two cores."""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "experiments"))
from record_file import SKIPPED, need  # noqa: E402

need("torch", "h5py", "numpy")
HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = ["--depth", "18", "--dataset", "cifar10", "--epochs", "1", "--no-download", "--quiet"]


def script(name, *arguments):
    subprocess.run([sys.executable, "-B", os.path.join(HERE, name), *arguments], check=True, stdin=subprocess.DEVNULL)


def main():
    images = os.environ.get("RS_REAL_DATA", "")
    if not os.path.isdir(os.path.join(images, "cifar-10-batches-bin")):
        print("skipped: RS_REAL_DATA names no folder with cifar-10-batches-bin")
        sys.exit(SKIPPED)
    folder = tempfile.mkdtemp(prefix="resnet_study_test.")
    try:
        records = [os.path.join(folder, name) for name in ("plain.h5", "residual.h5")]
        for record, options in zip(records, (["--plain"], [])):
            subprocess.run([sys.argv[1], *STEPS, *options, "--data-dir", images, "--out", record], check=True, stdin=subprocess.DEVNULL)
        script("compare_reference.py", *records)
        for record in records:
            script("load_in_pytorch.py", record, "--data-dir", images)
            script("follow_in_pytorch.py", record, "--data-dir", images)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
