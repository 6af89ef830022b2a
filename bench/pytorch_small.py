"""pytorch_small.py: the studies' small networks trained in PyTorch, eager, on request; small_worker.c's other side.

    pytorch_small.py NETWORK --threads N --layout nchw|nhwc [--fused]

Answers as pytorch_worker.py does. The same steps: batch from memory (already normalised), zero_grad, forward, loss, backward, clipping
where the study clips, the optimizer (--fused: its fused version), loss.item()."""
import argparse
import resource
import sys
import time

import torch
from torch import nn

BATCHES = 4


def hidden(inputs, outputs, *rest):
    return [nn.Linear(inputs, outputs), nn.ReLU(inplace=True), *rest]


def convolved(inputs, outputs, pool_first=False):
    after = [nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    return [nn.Conv2d(inputs, outputs, 3, padding=1), *(reversed(after) if pool_first else after)]


def function_fit():
    return [*hidden(1, 8), *[m for _ in range(7) for m in hidden(8, 8)], nn.Linear(8, 1)]


def baseline_net():
    return [*convolved(3, 16), *convolved(16, 32), *convolved(32, 64), nn.Flatten(), *hidden(1024, 64), nn.Linear(64, 10)]


def mnist_cnn_b():
    return [*convolved(1, 16, True), *convolved(16, 32, True), nn.Flatten(), *hidden(2048, 128), nn.Linear(128, 10)]


def isolation_nn():
    widths = [784, 256, 256, 256, 256]
    layers = [m for a, b in zip(widths, widths[1:]) for m in hidden(a, b, nn.Dropout(0.5))]
    return [nn.Flatten(), *layers, nn.Linear(256, 10)]


def isolation_cnn():
    widths = [1, 32, 64, 128, 256]
    layers = [m for a, b in zip(widths, widths[1:]) for m in convolved(a, b)]
    return [*layers, nn.Flatten(), *hidden(256, 128), nn.Linear(128, 10)]


# layers, shape of a sample, batch, parameters, optimizer, clipping norm
NETWORKS = {
    "function-fit": (function_fit, (1,), 2000, 529, "adam", None),
    "baseline-net": (baseline_net, (3, 32, 32), 64, 89834, "sgd", None),
    "mnist-cnn-b": (mnist_cnn_b, (1, 32, 32), 100, 268362, "adam", None),
    "isolation-nn": (isolation_nn, (1, 28, 28), 512, 400906, "adam", 1.0),
    "isolation-cnn": (isolation_cnn, (1, 28, 28), 512, 422026, "adam", 1.0),
}


class Training:
    """A network with its optimizer and data."""

    def __init__(self, options):
        make, shape, batch, parameters, optimizer, self.clip = NETWORKS[options.network]
        layout = torch.channels_last if options.layout == "nhwc" else torch.contiguous_format
        self.network = nn.Sequential(*make())
        assert sum(p.numel() for p in self.network.parameters()) == parameters
        images = len(shape) == 3
        if images:
            self.network = self.network.to(memory_format=layout)
            self.inputs = [torch.randn(batch, *shape).to(memory_format=layout) for _ in range(BATCHES)]
            self.wanted = [torch.randint(0, 10, (batch,)) for _ in range(BATCHES)]
        else:
            self.inputs = [torch.linspace(1, 5, batch).unsqueeze(1)] * BATCHES
            self.wanted = [1 + 0.3 * x for x in self.inputs]
        self.criterion = nn.CrossEntropyLoss() if images else nn.MSELoss()
        kind, rate = (torch.optim.Adam, 1e-3) if optimizer == "adam" else (torch.optim.SGD, 0.05)
        self.optimizer = kind(self.network.parameters(), lr=rate, fused=True if options.fused else None)
        self.steps = 0

    def step(self):
        batch = self.steps % BATCHES
        self.steps += 1
        self.optimizer.zero_grad()
        loss = self.criterion(self.network(self.inputs[batch]), self.wanted[batch])
        loss.backward()
        if self.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
        self.optimizer.step()
        return loss.item()

    def steps_of(self, count):
        """The last one's loss, when all of them are done."""
        for _ in range(count):
            loss = self.step()
        return loss


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=list(NETWORKS))
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--layout", default="nchw", choices=["nchw", "nhwc"])
    parser.add_argument("--fused", action="store_true", help="the optimizer's fused version")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    begin = time.perf_counter()
    training = Training(options)
    training.steps_of(1)
    print(f"ready {time.perf_counter() - begin:.6f}", flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        loss = training.steps_of(int(line))
        print(f"{time.perf_counter() - begin:.6f} {loss:.9g}", flush=True)
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main()
