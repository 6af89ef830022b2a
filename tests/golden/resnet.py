"""The ResNets of the weight-change study in PyTorch, with torchvision's parameter names and no other dependency.

A snapshot of a record loads into these models by name:

    import h5py, torch
    from resnet import resnet
    model = resnet(18, plain=True)
    with h5py.File("run.h5") as f:
        weights = {name: torch.from_numpy(f["weights"][name][-1]) for name in f["weights"]}
    model.load_state_dict(weights | batches_tracked(model))

Stem: 7x7/2 convolution to 64 channels, BN, ReLU, 3x3/2 max pool. "even" width: every block has 128 channels
(bottleneck output 512) and stride 1; "standard": 64, 128, 256, 512 channels and stride 2 at the first block of
stages 2 to 4 (of a bottleneck: in its 3x3 convolution). A plain network is the same without any shortcut.
"""
import torch
from torch import nn

DEPTHS = {
    18: ("basic", (2, 2, 2, 2)),
    26: ("bottleneck", (2, 2, 2, 2)),
    34: ("basic", (3, 4, 6, 3)),
    50: ("bottleneck", (3, 4, 6, 3)),
    68: ("basic", (3, 4, 23, 3)),
    101: ("bottleneck", (3, 4, 23, 3)),
}


def convolution(inputs, outputs, size, stride=1):
    return nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)


class Block(nn.Module):
    """What basic and bottleneck blocks share: the join with the shortcut, and the last activation."""

    expansion = 1

    def __init__(self, plain, activation):
        super().__init__()
        self.plain = plain
        self.relu = activation()
        self.downsample = None

    def add_downsample(self, inputs, outputs, stride):
        """Last of the block's modules, as torchvision orders its parameters."""
        if not self.plain and (stride != 1 or inputs != outputs):
            self.downsample = nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def body(self, x):
        raise NotImplementedError

    def forward(self, x):
        out = self.body(x)
        if not self.plain:
            out = out + (x if self.downsample is None else self.downsample(x))
        return self.relu(out)


class BasicBlock(Block):
    def __init__(self, inputs, channels, stride, plain, activation):
        super().__init__(plain, activation)
        self.conv1 = convolution(inputs, channels, 3, stride)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = convolution(channels, channels, 3)
        self.bn2 = nn.BatchNorm2d(channels)
        self.add_downsample(inputs, channels, stride)

    def body(self, x):
        return self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))


class Bottleneck(Block):
    expansion = 4

    def __init__(self, inputs, channels, stride, plain, activation):
        super().__init__(plain, activation)
        self.conv1 = convolution(inputs, channels, 1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = convolution(channels, channels, 3, stride)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = convolution(channels, channels * self.expansion, 1)
        self.bn3 = nn.BatchNorm2d(channels * self.expansion)
        self.add_downsample(inputs, channels * self.expansion, stride)

    def body(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.bn3(self.conv3(x))


class ResNet(nn.Module):
    """blocks: blocks per stage. smooth: Softplus for ReLU and an average for the max pool, so that the loss has
    no kinks and float32 can be compared with float64 closely."""

    def __init__(self, kind, blocks, plain=False, width="even", channels=3, classes=10, smooth=False):
        super().__init__()
        # The threshold is where PyTorch takes x itself for softplus(x): at 40 the two are equal in float64.
        activation = (lambda: nn.Softplus(threshold=40)) if smooth else nn.ReLU
        block = {"basic": BasicBlock, "bottleneck": Bottleneck}[kind]
        standard = {"even": False, "standard": True}[width]
        self.conv1 = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = activation()
        self.maxpool = nn.AvgPool2d(3, 2, 1) if smooth else nn.MaxPool2d(3, 2, 1)
        inputs = 64
        for stage, count in enumerate(blocks):
            size = 64 << stage if standard else 128
            stage_blocks = []
            for i in range(count):
                stride = 2 if standard and stage > 0 and i == 0 else 1
                stage_blocks.append(block(inputs, size, stride, plain, activation))
                inputs = size * block.expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*stage_blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(inputs, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def resnet(depth, plain=False, width="even", channels=3, classes=10, smooth=False, blocks=None):
    """One of the study's networks; `blocks` replaces the depth's own blocks per stage."""
    kind, counts = DEPTHS[depth]
    return ResNet(kind, blocks or counts, plain, width, channels, classes, smooth)


def batches_tracked(model):
    """The BN counters that PyTorch keeps in a state and no record holds: they do not enter any result here."""
    return {n: t for n, t in model.state_dict().items() if n.endswith("num_batches_tracked")}
