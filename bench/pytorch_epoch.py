"""pytorch_epoch.py: whole epochs in PyTorch that record what our program records, in the way that scripts usually do it.

A deep copy of the state before training and one after every step; per step and block the L1 distance to both; mean and standard
deviation of |gradient| of every parameter; after each epoch weights and gradients (the last step's) written with h5py, or with
torch.save where it is missing; evaluation after each epoch. Images are noise in memory, normalised, gathered by a permutation. The
lines it prints are those of our program that epoch.py looks for."""
import argparse
import copy
import os
import sys

import torch
from torch import nn

import pytorch_networks as networks

try:
    import h5py
except ImportError:
    h5py = None


def is_measured(name):
    """Whether a tensor counts for its block's distance: convolutions of the body, convolution and batch norm of the shortcut."""
    kept = "conv" in name or "downsample" in name
    return kept and not name.endswith(("running_mean", "running_var", "num_batches_tracked"))


def blocks_of(network):
    """{block: names of its measured tensors}."""
    found = {}
    for name in network.state_dict():
        if name.startswith("layer") and is_measured(name):
            found.setdefault(".".join(name.split(".")[:2]), []).append(name)
    return found


class Recording:
    """The series in memory, the snapshots on the disk."""

    def __init__(self, network, folder):
        self.network, self.folder = network, folder
        self.blocks = blocks_of(network)
        self.initial = copy.deepcopy(network.state_dict())
        self.previous = copy.deepcopy(network.state_dict())
        self.series = {"to_initial": [], "to_previous": [], "gradient_mean": [], "gradient_std": [], "loss": []}
        self.snapshots = 0
        self.snapshot()

    def distances(self, state, other):
        return [sum((state[n] - other[n]).abs().sum().item() for n in names) for names in self.blocks.values()]

    def step(self, loss):
        with torch.no_grad():
            state = self.network.state_dict()
            self.series["to_initial"].append(self.distances(state, self.initial))
            self.series["to_previous"].append(self.distances(state, self.previous))
            sizes = [p.grad.abs() for p in self.network.parameters()]
            self.series["gradient_mean"].append([g.mean().item() for g in sizes])
            self.series["gradient_std"].append([g.std(unbiased=False).item() for g in sizes])
            self.series["loss"].append(loss)
            self.previous = copy.deepcopy(state)

    def snapshot(self):
        tensors = {f"weights/{n}": t for n, t in self.network.state_dict().items()}
        tensors |= {f"gradients/{n}": p.grad for n, p in self.network.named_parameters() if p.grad is not None}
        path = os.path.join(self.folder, f"snapshot{self.snapshots}")
        self.snapshots += 1
        if h5py:
            with h5py.File(path + ".h5", "w") as f:
                for name, tensor in tensors.items():
                    f.create_dataset(name, data=tensor.contiguous().numpy())
        else:
            torch.save(tensors, path + ".pt")

    def close(self):
        torch.save(self.series, os.path.join(self.folder, "series.pt"))


def train_epoch(network, optimizer, criterion, images, labels, batch, recording):
    """Mean loss of an epoch; every step is recorded."""
    network.train()
    total = 0.0
    order = torch.randperm(len(images))
    for begin in range(0, len(images), batch):
        chosen = order[begin:begin + batch]
        optimizer.zero_grad()
        loss = criterion(network(images[chosen]), labels[chosen])
        loss.backward()
        optimizer.step()
        recording.step(loss.item())
        total += loss.item() * len(chosen)
    return total / len(images)


def evaluate(network, criterion, images, labels, batch):
    network.eval()
    total = 0.0
    with torch.no_grad():
        for begin in range(0, len(images), batch):
            part = slice(begin, begin + batch)
            total += criterion(network(images[part]), labels[part]).item() * len(labels[part])
    return total / len(images)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    networks.add_options(parser)
    parser.add_argument("--train-limit", type=int, required=True)
    parser.add_argument("--test-limit", type=int, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--out", required=True, help="an empty folder for the record")
    return parser.parse_args()


def noise(count, layout):
    images = torch.randn(count, 3, 32, 32).to(memory_format=networks.memory_format(layout))
    return images, torch.randint(0, networks.CLASSES, (count,))


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    network = networks.build(options.depth, options.plain, options.width, options.layout)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss()
    train, test = noise(options.train_limit, options.layout), noise(options.test_limit, options.layout)
    recording = Recording(network, options.out)
    print(f"PyTorch: ResNet-{options.depth}: {networks.count(network)} parameters, recorded with {'h5py' if h5py else 'torch.save'}",
          file=sys.stderr, flush=True)
    for epoch in range(options.epochs):
        loss = train_epoch(network, optimizer, criterion, *train, options.batch_size, recording)
        valid = evaluate(network, criterion, *test, options.batch_size)
        recording.snapshot()
        print(f"epoch {epoch + 1}/{options.epochs}  train loss {loss:.4f}  valid loss {valid:.4f}", file=sys.stderr, flush=True)
    recording.close()


if __name__ == "__main__":
    main()
