"""pytorch_worker.py: trains in PyTorch on request, so that its steps can be timed in turn with ours; see pairs.py.

Prints "ready SECONDS" (network, optimizer and first step), then for each line "N" of its input trains N steps and prints
"SECONDS LOSS", at the end "peak BYTES" (on a GPU: of its memory). A step: zero_grad, forward, loss, backward, Adam; loss.item() after
each, on a GPU only after the last. The images are noise that lies in the device's memory, normalised and in batches: PyTorch pays nothing
for its data, while our worker gathers and normalises each batch."""
import argparse
import resource
import sys
import time

import torch
from torch import nn

import pytorch_networks as networks

BATCHES = 4  # that take turns, so that no network learns one by heart within a measurement


def set_up(options):
    """Threads, and on a GPU the search for the fastest algorithms and the precision."""
    torch.set_num_threads(options.threads)
    if options.device != "cpu":
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = options.precision == "tf32"


class Training:
    """A network with its optimizer and data."""

    def __init__(self, options):
        self.device = options.device
        self.on_gpu = options.device != "cpu"
        self.network = networks.build(options.depth, options.plain, options.width, options.layout, options.device)
        self.run = torch.compile(self.network) if options.compile else self.network
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-3)
        self.criterion = nn.CrossEntropyLoss()
        self.images = [torch.randn(options.batch_size, 3, 32, 32).to(options.device, memory_format=networks.memory_format(options.layout))
                       for _ in range(BATCHES)]
        self.labels = [torch.randint(0, networks.CLASSES, (options.batch_size,)).to(options.device) for _ in range(BATCHES)]
        self.steps = 0

    def step(self):
        batch = self.steps % BATCHES
        self.steps += 1
        self.optimizer.zero_grad()
        loss = self.criterion(self.run(self.images[batch]), self.labels[batch])
        loss.backward()
        self.optimizer.step()
        return loss if self.on_gpu else loss.item()

    def steps_of(self, count):
        """The last one's loss, when all of them are done."""
        for _ in range(count):
            loss = self.step()
        return float(loss)

    def peak(self):
        if self.on_gpu:
            return torch.cuda.max_memory_reserved(self.device)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    networks.add_options(parser)
    parser.add_argument("--device", default="cpu", help="as PyTorch names it (cpu)")
    parser.add_argument("--precision", default="f32", choices=["f32", "tf32"], help="of a GPU's convolutions and products (f32)")
    parser.add_argument("--compile", action="store_true", help="through torch.compile (needs a C++ compiler)")
    options = parser.parse_args()
    set_up(options)
    begin = time.perf_counter()
    training = Training(options)
    training.steps_of(1)
    print(f"ready {time.perf_counter() - begin:.6f}", flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        loss = training.steps_of(int(line))
        print(f"{time.perf_counter() - begin:.6f} {loss:.9g}", flush=True)
    print("peak", training.peak())


if __name__ == "__main__":
    main()
