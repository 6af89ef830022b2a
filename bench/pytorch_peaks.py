"""pytorch_peaks.py: the highest rates that PyTorch reaches in matrix products and convolutions; peaks.c's other side, which says how
lines read.

    pytorch_peaks.py --threads N --rounds N"""
import argparse
import time

import torch

SECONDS = 0.2
PRODUCTS = (1024, 2048)
CONVOLUTIONS = ((64, 128, 16), (256, 128, 8), (256, 64, 14))  # batch, channels in and out, side


def rate(function, operations, rounds):
    """GFLOP/s of the fastest round."""
    function()
    best = 0.0
    for _ in range(rounds):
        calls, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < SECONDS:
            function()
            calls += 1
        best = max(best, calls * operations / (time.perf_counter() - begin))
    return best / 1e9


def main():
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--threads", type=int, required=True)
    made.add_argument("--rounds", type=int, required=True)
    options = made.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    for n in PRODUCTS:
        a, b = torch.randn(n, n), torch.randn(n, n)
        print(f"gemm {n}x{n}x{n} forward {rate(lambda: torch.mm(a, b), 2 * n ** 3, options.rounds):.1f}", flush=True)
    for layout in (torch.contiguous_format, torch.channels_last):
        for batch, channels, side in CONVOLUTIONS:
            x = torch.randn(batch, channels, side, side).to(memory_format=layout)
            w = torch.randn(channels, channels, 3, 3).to(memory_format=layout)
            operations = 2 * 9 * batch * channels ** 2 * side ** 2
            found = rate(lambda: torch.nn.functional.conv2d(x, w, padding=1), operations, options.rounds)
            name = "NHWC" if layout is torch.channels_last else "NCHW"
            print(f"convolution {batch}x{channels}->{channels}@{side}x{side} forward-{name} {found:.1f}", flush=True)


if __name__ == "__main__":
    main()
