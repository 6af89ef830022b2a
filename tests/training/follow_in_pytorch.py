#!/usr/bin/env python3
"""Trains along with a record in PyTorch: from its initial weights, on the same batches in the same order, and compares the losses.

    follow_in_pytorch.py RECORD.h5 --data-dir DIR [--steps 20]

RECORD: a run on CIFAR-10 or CIFAR-100 with Adam at a constant rate and its initial snapshot, such as of
    resnet_study --depth 18 --dataset cifar10 --epochs 1 --data-dir DIR --out RECORD.h5
Weights, order and images are rebuilt without this project's code. The first loss must agree within 1e-6 relative, every later one
of the free-running steps within 3%: float32 rounds differently in every library, and ReLU and max-pool make that grow.

Needs PyTorch and h5py; exits with 77 and says so without them. Exit status 0: within; 1: not; 2: not such a record."""
import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "experiments"))
from record_file import config, need  # noqa: E402

torch, h5py, np = need("torch", "h5py", "numpy")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
from image_files import CIFAR, normalise, read_cifar  # noqa: E402
from load_in_pytorch import build_model  # noqa: E402
from philox import words_at  # noqa: E402
from resnet import batches_tracked  # noqa: E402

FIRST_BOUND, BOUND = 1e-6, 0.03
ORDER_STREAM = 0x6F72646572000000


def permutation(seed, epoch, count):
    """fisher-yates-lemire-philox4x32-10/1 of include/rs/random.h."""
    words = iter(words_at(seed, ORDER_STREAM ^ epoch, 0, 2 * count).tolist())
    order = list(range(count))
    for i in range(count, 1, -1):
        product = next(words) * i
        if product & 0xFFFFFFFF < i:
            threshold = (2**32 - i) % i
            while product & 0xFFFFFFFF < threshold:
                product = next(words) * i
        j = product >> 32
        order[i - 1], order[j] = order[j], order[i - 1]
    return np.array(order)


def read_train(dataset, directory):
    name, label_bytes, label_at = CIFAR[dataset]
    folder = os.path.join(directory, os.path.dirname(name))
    files = [f"data_batch_{i}.bin" for i in range(1, 6)] if dataset == "cifar10" else ["train.bin"]
    parts = [read_cifar(os.path.join(folder, f), label_bytes, label_at) for f in files]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def demand(options):
    wrong = {"optimizer": "adam", "schedule": "constant"}
    for key, value in wrong.items():
        if options[key] != value:
            print(f"follow_in_pytorch.py: the record has {key} {options[key]}, not {value}")
            sys.exit(2)
    if options["dataset"] not in CIFAR:
        print(f"follow_in_pytorch.py: the record is of {options['dataset']}, not CIFAR")
        sys.exit(2)


def follow(record, options, directory, steps):
    model = build_model(options)
    weights = {name: torch.from_numpy(record["weights"][name][0]) for name in record["weights"]}
    model.load_state_dict({**weights, **batches_tracked(model)}, strict=True)
    images, labels = read_train(options["dataset"], directory)
    limit = int(options["train-limit"]) or len(labels)
    seed = int(options["seed"]) if int(options["seed-order"]) < 0 else int(options["seed-order"])
    order, batch = permutation(seed, 0, limit), int(options["batch-size"])
    optimizer = torch.optim.Adam(model.parameters(), lr=float(options["learning-rate"]))
    model.train()
    for step in range(steps):
        ids = order[step * batch:(step + 1) * batch]
        loss = torch.nn.functional.cross_entropy(model(torch.from_numpy(normalise(images[ids], options["dataset"]))),
                                                 torch.from_numpy(labels[ids]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("record")
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--steps", type=int, default=20)
    arguments = parser.parse_args()
    within = True
    with h5py.File(arguments.record, "r") as record:
        options = config(record)
        demand(options)
        recorded = record["steps/loss"][()]
        steps = min(arguments.steps, len(recorded))
        for step, loss in enumerate(follow(record, options, arguments.data_dir, steps)):
            off = loss / recorded[step] - 1
            good = abs(off) <= (FIRST_BOUND if step == 0 else BOUND)
            within = within and good
            print(f"step {step:3d}  record {recorded[step]:.7f}  PyTorch {loss:.7f}  {100 * off:+.4f}%{'' if good else '  NOT within'}",
                  flush=True)
    print("all within the bounds" if within else "NOT within the bounds")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
