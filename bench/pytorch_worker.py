"""pytorch_worker.py: trains in PyTorch on request, so that its steps can be timed in turn with ours; see pairs.py.

Prints "ready SECONDS" (network, optimizer and first step), then for each line "N" of its input trains N steps and prints
"SECONDS LOSS", at the end "peak BYTES". A step: zero_grad, forward, loss, backward, Adam, loss.item(). The images are noise that
lies in memory, normalised and in batches: PyTorch pays nothing for its data, while our worker gathers and normalises each batch."""
import argparse
import resource
import sys
import time

import torch
from torch import nn

import pytorch_networks as networks

BATCHES = 4  # that take turns, so that no network learns one by heart within a measurement


class Training:
    """A network with its optimizer and data."""

    def __init__(self, options):
        self.network = networks.build(options.depth, options.plain, options.width, options.layout)
        self.run = torch.compile(self.network) if options.compile else self.network
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-3)
        self.criterion = nn.CrossEntropyLoss()
        self.images = [torch.randn(options.batch_size, 3, 32, 32).to(memory_format=networks.memory_format(options.layout))
                       for _ in range(BATCHES)]
        self.labels = [torch.randint(0, networks.CLASSES, (options.batch_size,)) for _ in range(BATCHES)]
        self.steps = 0

    def step(self):
        batch = self.steps % BATCHES
        self.steps += 1
        self.optimizer.zero_grad()
        loss = self.criterion(self.run(self.images[batch]), self.labels[batch])
        loss.backward()
        self.optimizer.step()
        return loss.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    networks.add_options(parser)
    parser.add_argument("--compile", action="store_true", help="through torch.compile (needs a C++ compiler)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    begin = time.perf_counter()
    training = Training(options)
    training.step()
    print(f"ready {time.perf_counter() - begin:.6f}", flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        for _ in range(int(line)):
            loss = training.step()
        print(f"{time.perf_counter() - begin:.6f} {loss:.9g}", flush=True)
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main()
