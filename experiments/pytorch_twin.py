#!/usr/bin/env python3
"""pytorch_twin.py: one run of study A in PyTorch, for the losses that differ from the published ones: is it us, or the run?

    python3 experiments/pytorch_twin.py --depth 68 --seed 1 --data-dir DIR

Settings of minkowski_even.yaml on CIFAR-10, PyTorch's own random numbers. Prints every step's loss and each epoch's mean, and at the
end the median of every block's distance to the previous step. DIR holds cifar-10-batches-bin. Needs torch and numpy."""
import argparse
import os
import sys

import numpy
import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "golden"))
from resnet import resnet  # noqa: E402  (from the folder above)

BATCH, RECORD = 1024, 1 + 3 * 32 * 32


def training_images(folder):
    files = [os.path.join(folder, "cifar-10-batches-bin", f"data_batch_{i}.bin") for i in range(1, 6)]
    data = numpy.concatenate([numpy.fromfile(path, numpy.uint8).reshape(-1, RECORD) for path in files])
    images = torch.from_numpy(data[:, 1:].astype(numpy.float32).reshape(-1, 3, 32, 32))
    return (images / 255 - 0.5) / 0.5, torch.from_numpy(data[:, 0].astype(numpy.int64))


def measured(network):
    """{block: tensors}: convolutions of the body, convolution and batch norm of the shortcut."""
    blocks = {}
    for name, parameter in network.named_parameters():
        if name.startswith("layer") and ("conv" in name or "downsample" in name):
            blocks.setdefault(".".join(name.split(".")[:2]), []).append(parameter)
    return blocks


def train(options):
    torch.manual_seed(options.seed)
    network = resnet(options.depth, options.plain).to(memory_format=torch.channels_last)
    optimizer, criterion = torch.optim.Adam(network.parameters(), lr=1e-3), nn.CrossEntropyLoss()
    images, labels = training_images(options.data_dir)
    blocks, moved, step = measured(network), [], 0
    for epoch in range(options.epochs):
        losses, order = [], torch.randperm(len(images))
        for begin in range(0, len(images), BATCH):
            chosen = order[begin:begin + BATCH]
            before = [[p.detach().clone() for p in block] for block in blocks.values()]
            optimizer.zero_grad()
            loss = criterion(network(images[chosen].contiguous(memory_format=torch.channels_last)), labels[chosen])
            loss.backward()
            optimizer.step()
            losses.append(loss.item() * len(chosen))
            with torch.no_grad():
                moved.append([sum((p - q).abs().sum().item() for p, q in zip(now, old)) for now, old in zip(blocks.values(), before)])
            print(f"step {step}  loss {loss.item():.4f}", flush=True)
            step += 1
        print(f"epoch {epoch + 1}  train loss {sum(losses) / len(images):.4f}", flush=True)
    print("median distance to the previous step:", *(f"{m:.2f}" for m in numpy.median(moved, axis=0)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depth", type=int, default=68, choices=[18, 26, 34, 50, 68, 101])
    parser.add_argument("--plain", action="store_true", help="without shortcuts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--data-dir", required=True)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
