#!/usr/bin/env python3
"""Loads a record's last snapshot into PyTorch by parameter names and demands the record's own test results of it.

    load_in_pytorch.py RECORD.h5 --data-dir DIR

RECORD: any run on CIFAR-10, CIFAR-100, MNIST or Fashion-MNIST, such as of
    resnet_study --depth 18 --plain --dataset cifar10 --epochs 1 --data-dir DIR --out RECORD.h5
DIR holds the data set's files as the program found them. The model is tests/golden/resnet.py, of torchvision's parameter names;
its state is taken strictly: a missing, surplus or misshapen tensor is an error. In evaluation mode its loss must be the
record's epochs/test_loss (or valid_loss) of the last epoch within 1e-4, its accuracy within a thousandth.

Needs PyTorch and h5py; exits with 77 and says so without them. Exit status 0: the same; 1: not."""
import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "experiments"))
from record_file import config, need  # noqa: E402

torch, h5py, np = need("torch", "h5py", "numpy")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
from image_files import normalise, read_test  # noqa: E402
from resnet import batches_tracked, resnet  # noqa: E402

LOSS_BOUND, ACCURACY_BOUND, CHUNK = 1e-4, 1e-3, 500
CLASSES = {"cifar100": 100}


def build_model(options):
    dataset = options["dataset"]
    blocks = [int(n) for n in options.get("blocks", "").split(",") if n]
    return resnet(int(options["depth"]), plain=options["plain"] == "true", width=options["width"],
                  channels=1 if "mnist" in dataset else 3, classes=CLASSES.get(dataset, 10), blocks=blocks or None)


def load_snapshot(record, model):
    """The last snapshot, by name."""
    weights = {name: torch.from_numpy(record["weights"][name][-1]) for name in record["weights"]}
    model.load_state_dict({**weights, **batches_tracked(model)}, strict=True)
    return len(weights)


def evaluate(model, images, labels, dataset):
    """Mean loss in double over samples, and accuracy."""
    model.eval()
    total, correct = 0.0, 0
    with torch.no_grad():
        for i in range(0, len(labels), CHUNK):
            scores = model(torch.from_numpy(normalise(images[i:i + CHUNK], dataset))).double()
            answers = torch.from_numpy(labels[i:i + CHUNK])
            total += torch.nn.functional.cross_entropy(scores, answers, reduction="sum").item()
            correct += int((scores.argmax(1) == answers).sum())
    return total / len(labels), correct / len(labels)


def recorded(record):
    """Loss and accuracy of the test images after the last epoch."""
    for split in ("test", "valid"):
        loss = float(record[f"epochs/{split}_loss"][-1])
        if np.isfinite(loss):
            return loss, float(record[f"epochs/{split}_accuracy"][-1])
    sys.exit("load_in_pytorch.py: the record holds no finite test or validation loss")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("record")
    parser.add_argument("--data-dir", required=True)
    arguments = parser.parse_args()
    with h5py.File(arguments.record, "r") as record:
        options = config(record)
        model = build_model(options)
        count = load_snapshot(record, model)
        loss, accuracy = recorded(record)
    images, labels = read_test(options["dataset"], arguments.data_dir)
    limit = int(options.get("test-limit", "0")) or len(labels)
    ours = evaluate(model, images[:limit], labels[:limit], options["dataset"])
    print(f"{count} tensors loaded by name; {min(limit, len(labels))} test images")
    print(f"loss      record {loss:.7f}  PyTorch {ours[0]:.7f}")
    print(f"accuracy  record {accuracy:.5f}    PyTorch {ours[1]:.5f}")
    same = abs(ours[0] - loss) <= LOSS_BOUND * abs(loss) and abs(ours[1] - accuracy) <= ACCURACY_BOUND + 1e-12
    print("the same" if same else "NOT the same")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
