"""networks.py: the studies' networks in PyTorch, written by hand from their descriptions, not from networks/*.yaml.

Layers have the names that the program gives them: conv1, bn1, relu1, pool1, linear1 .. in torch.nn.Sequential. `networks()` gives
{name: a function that makes it for so many channels and classes}, for images of 32 x 32."""
import collections

from torch import nn

SIDE = 32
SHORT = {nn.Conv2d: "conv", nn.BatchNorm2d: "bn", nn.BatchNorm1d: "bn", nn.MaxPool2d: "pool"}


def sequential(*modules):
    counts = collections.Counter()
    named = collections.OrderedDict()
    for module in modules:
        kind = SHORT.get(type(module), type(module).__name__.lower())
        counts[kind] += 1
        named[f"{kind}{counts[kind]}"] = module
    return nn.Sequential(named)


class Flat(nn.Sequential):
    """A network whose first layer takes the image as a vector."""

    def forward(self, x):
        return super().forward(x.flatten(1))


def mlp(sizes, activation=nn.ReLU, after=lambda features: []):
    """Linear layers; behind each but the last the activation and what `after` gives."""
    def make(channels, classes):
        modules, width = [], channels * SIDE * SIDE
        for size in sizes:
            modules += [nn.Linear(width, size), activation(), *after(size)]
            width = size
        return Flat(collections.OrderedDict(sequential(*modules, nn.Linear(width, classes)).named_children()))
    return make


def dense(width, sizes, classes):
    modules = []
    for size in sizes:
        modules += [nn.Linear(width, size), nn.ReLU()]
        width = size
    return [*modules, nn.Linear(width, classes)]


def cnn(filters, kernel, padding, sizes, norm=False, pool_first=False):
    """Convolution (batch norm), ReLU, pool by 2 (or pool, then ReLU); then linear layers."""
    def make(channels, classes):
        modules, width, side = [], channels, SIDE
        for out in filters:
            modules += [nn.Conv2d(width, out, kernel, padding=padding), *([nn.BatchNorm2d(out)] if norm else [])]
            modules += [nn.MaxPool2d(2), nn.ReLU()] if pool_first else [nn.ReLU(), nn.MaxPool2d(2)]
            width, side = out, (side + 2 * padding - kernel + 1) // 2
        return sequential(*modules, nn.Flatten(), *dense(width * side * side, sizes, classes))
    return make


def baseline(norm=False, dropout=None):
    def make(channels, classes):
        modules, width = [], channels
        for out in (16, 32, 64):
            modules += [nn.Conv2d(width, out, 3, padding=1, bias=not norm), *([nn.BatchNorm2d(out)] if norm else []), nn.ReLU(),
                        nn.MaxPool2d(2)]
            width = out
        modules += [nn.Flatten(), nn.Linear(1024, 64, bias=not norm), *([nn.BatchNorm1d(64)] if norm else []), nn.ReLU()]
        modules += [nn.Dropout(dropout)] if dropout else []
        return sequential(*modules, nn.Linear(64, classes))
    return make


def norm_and_dropout(rate):
    return lambda features: [nn.BatchNorm1d(features), nn.Dropout(rate)]


def networks():
    half = lambda features: [nn.Dropout(0.5)]  # noqa: E731
    made = {
        "nn-4x256": mlp([256] * 4, after=half), "nn-2x256": mlp([256] * 2, after=half),
        "cnn-32-64-128-256": cnn((32, 64, 128, 256), 3, 1, [128]), "cnn-32-64": cnn((32, 64), 3, 1, [128]),
        "baseline-net": baseline(), "dropout-net": baseline(dropout=0.6), "batch-norm-net": baseline(norm=True),
        "mlp-fit-8x7": mlp([8] * 8), "mlp-fit-10x5": mlp([10] * 6), "mlp-fit-14x10": mlp([14] * 11),
        "mlp-sinc-50x3": mlp([50] * 3, after=norm_and_dropout(0.1)), "mlp-sinc-100x4": mlp([100] * 4, after=norm_and_dropout(0.2)),
        "mlp-sinc-150x5": mlp([150] * 5, after=norm_and_dropout(0.3)), "mlp-20x3": mlp([20] * 3),
        "cnn-a": cnn((10, 20), 5, 0, [120], pool_first=True), "cnn-b": cnn((16, 32), 3, 1, [128], pool_first=True),
        "cnn-c": cnn((8, 16), 3, 1, [64], pool_first=True),
        "cnn-6-16": cnn((6, 16), 5, 0, [120, 84]), "cnn-6-16-bn": cnn((6, 16), 5, 0, [120, 84], norm=True),
        "cnn-6-16-wide": cnn((6, 16), 5, 0, [240, 168]), "cnn-12-32": cnn((12, 32), 5, 0, [120, 84]),
        "cnn-12-32-bn": cnn((12, 32), 5, 0, [120, 84], norm=True),
        "cnn-32-64-128-bn": cnn((32, 64, 128), 3, 1, [120, 84], norm=True),
        "mlp-sigmoid": mlp([3136], nn.Sigmoid), "mlp-relu": mlp([3136]), "mlp-sigmoid-8": mlp([6272], nn.Sigmoid),
        "mlp-sigmoid-deep": mlp([3136, 3136], nn.Sigmoid),
    }
    for a, b in ((128, 64), (64, 128), (32, 64), (16, 32), (8, 16), (5, 9), (50, 100), (60, 120), (100, 200), (125, 250), (150, 300)):
        made[f"mlp-{a}-{b}"] = mlp([a, b])
    return made
