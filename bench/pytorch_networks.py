"""pytorch_networks.py: the study's networks as PyTorch trains them fastest, and what PyTorch scripts of this folder share.

The networks are those of tests/golden/resnet.py, which our own are compared with; here ReLU and the addition of the shortcut work
in place, as in torchvision. Runs in the environment that peer.py makes."""
import os
import sys

import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "golden"))
import resnet as golden  # noqa: E402  (from the folder above)

CLASSES = 10
PARAMETERS = {  # residual, plain; three input channels, ten classes
    ("even", 18): (2308938, 2300490), ("even", 26): (2231626, 2197834), ("even", 34): (4672330, 4663882),
    ("even", 50): (4472138, 4438346), ("even", 68): (9694538, 9686090), ("even", 101): (9233226, 9199434),
    ("standard", 18): (11181642, 11007818), ("standard", 26): (13966666, 11190090), ("standard", 34): (21289802, 21115978),
    ("standard", 50): (23528522, 20751946), ("standard", 68): (41361226, 41187402), ("standard", 101): (42520650, 39744074),
}


def join_in_place(block, x):
    out = block.body(x)
    if not block.plain:
        out += x if block.downsample is None else block.downsample(x)
    return block.relu(out)


golden.Block.forward = join_in_place


def count(network):
    return sum(p.numel() for p in network.parameters())


def build(depth, plain, width, layout, device="cpu"):
    """A network to train; asserts that it is the one we train."""
    network = golden.resnet(depth, plain, width, classes=CLASSES)
    assert count(network) == PARAMETERS[width, depth][plain], (depth, plain, width, count(network))
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = True
    return network.to(device=device, memory_format=memory_format(layout))


def memory_format(layout):
    return {"nchw": torch.contiguous_format, "nhwc": torch.channels_last}[layout]


def add_options(parser):
    parser.add_argument("--depth", type=int, default=18, choices=sorted({d for _, d in PARAMETERS}))
    parser.add_argument("--plain", action="store_true", help="without shortcuts")
    parser.add_argument("--width", default="even", choices=["even", "standard"])
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--layout", default="nchw", choices=["nchw", "nhwc"], help="memory format of activations and weights")
