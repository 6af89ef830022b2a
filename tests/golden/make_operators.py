#!/usr/bin/env python3
"""Writes operators.txt: small networks as PyTorch computes them in float64, forward and backward.

    python3 tests/golden/make_operators.py > tests/golden/operators.txt

A block per case. "node" lines say the network: kind, two inputs (node numbers, 0 is the input), then channels, kernel, stride,
padding, bias, axis, times and reduction. "cut", "frozen", "objective", "labels" and "mode" say what the plan is told. "tensor"
lines hold values: of the input, parameters and so on, multiples of 2^-10 and so exact in float32; then what comes out.
Formulas are PyTorch's own wherever it has a function; the rest is written out. Needs torch (2.15 made the file in the tree).
"""
import sys

import torch
import torch.nn.functional as F

from make_optimizers import made_up

MEAN, SUM, ELEMENTS = 0, 1, 2
REDUCTION = {MEAN: "mean", SUM: "sum", ELEMENTS: "elements"}
FIELDS = ("channels", "kernel", "stride", "padding", "bias", "axis", "times", "reduction")
LOSSES = ("softmax_cross_entropy", "kl_divergence", "mean_squared_error")


def conv(channels, kernel=3, stride=1, padding=1, bias=1, **more):
    return "convolution", dict(channels=channels, kernel=kernel, stride=stride, padding=padding, bias=bias, **more)


def linear(channels, **more):
    return "linear", dict(channels=channels, bias=1, **more)


def op(kind, *inputs, **attributes):
    return kind, dict(attributes, inputs=inputs) if inputs else attributes


def loss(reduction=MEAN, *inputs, kind="softmax_cross_entropy"):
    return op(kind, *inputs, reduction=reduction)


# name: (shape of a sample, batch, operators, settings)
MLP = [linear(7), op("tanh"), linear(5), loss(), linear(6, inputs=(2,)), op("sigmoid"), linear(5), loss()]
CASES = {
    "sigmoid": ((5, 3, 2), 2, [op("sigmoid")], {}),
    "tanh": ((5, 3, 2), 2, [op("tanh")], {}),
    "softmax_vector": ((9, 1, 1), 4, [op("softmax")], {}),
    "softmax_maps": ((5, 3, 2), 2, [op("softmax")], {}),
    "row_normalize_vector": ((9, 1, 1), 4, [op("softplus"), op("row_normalize")], {}),
    "row_normalize_maps": ((5, 3, 2), 2, [op("sigmoid"), op("row_normalize")], {}),
    "flatten": ((3, 4, 2), 2, [conv(5), op("flatten"), linear(4)], {}),
    "repeat_channels": ((1, 3, 2), 2, [op("repeat", axis=0, times=4), conv(3)], {}),
    "repeat_rows": ((3, 1, 2), 2, [op("repeat", axis=1, times=4), conv(3)], {}),
    "repeat_columns": ((3, 2, 1), 2, [op("repeat", axis=2, times=4), conv(3)], {}),
    "divide": ((4, 3, 3), 2, [conv(4), op("softplus"), op("divide", 1, 2)], {}),
    "matrix_product": ((4, 4, 3), 2, [conv(4, 2, 1, 0), op("matrix_product", 0, 1)], {}),
    "matrix_product_square": ((3, 3, 3), 2, [op("matrix_product", 0, 0)], {}),
    "attention": ((4, 4, 4), 2, [conv(4, 1, padding=0), conv(4, 1, padding=0, inputs=(0,)), op("matrix_product", 1, 2),
                                 op("softmax"), op("matrix_product", 4, 0), op("add", 5, 0)], {}),
    **{f"cross_entropy_{REDUCTION[r]}": ((6, 1, 1), 5, [linear(4), loss(r)], {}) for r in REDUCTION},
    **{f"kl_divergence_{REDUCTION[r]}": ((6, 1, 1), 5, [linear(4), loss(r, kind="kl_divergence")], {}) for r in REDUCTION},
    **{f"squares_{REDUCTION[r]}": ((6, 1, 1), 5, [linear(4), loss(r, kind="mean_squared_error")], {}) for r in REDUCTION},
    "squares_of_maps": ((3, 4, 2), 2, [conv(4), loss(MEAN, kind="mean_squared_error")], {}),
    "head": ((6, 1, 1), 5, MLP, dict(objectives=[(4, 0.0, 0.75)])),
    "head_behind_a_cut": ((6, 1, 1), 5, MLP, dict(objectives=[(4, 0.0, 1.5)], cuts=[(5, 0)])),
    "layers": ((6, 1, 1), 5, MLP, dict(objectives=[(2, 0.5, 2.0), (6, 0.25, 0.5)])),
    "cut_of_a_shortcut": ((4, 3, 3), 2, [conv(4), op("tanh"), conv(4), op("add", 3, 2), conv(3)], dict(cuts=[(4, 1)])),
    "frozen_norm": ((4, 3, 3), 3, [conv(5), op("batch_norm"), op("tanh"), linear(4), loss()],
                    dict(frozen=["batch_norm2.weight", "batch_norm2.bias"])),
    "frozen_conv": ((4, 3, 3), 3, [conv(5), op("batch_norm"), op("tanh"), linear(4), loss()],
                    dict(frozen=["convolution1.weight", "convolution1.bias"])),
    "norm_in_evaluation": ((4, 3, 3), 3, [conv(5), op("batch_norm"), op("tanh"), linear(4), loss()], dict(mode="evaluate")),
    "labels_predicted": ((6, 1, 1), 5, [linear(4), op("tanh"), linear(4), loss()], dict(labels="predicted")),
    "labels_both": ((6, 1, 1), 5, [linear(4), op("tanh"), linear(4), loss(SUM)], dict(labels="both")),
}


class Case:
    """A network whose values are made up, run once."""

    def __init__(self, shape, batch, ops, settings, state):
        self.settings, self.batch, self.state = settings, batch, state
        self.x = self.values(batch, *shape)
        self.ops, self.parameters, self.running, self.before = ops, {}, {}, {}
        self.classes = next((a["channels"] for k, a in reversed(ops) if "channels" in a), shape[0])
        self.labels = torch.tensor([int(abs(v) * 1024) % self.classes for v in made_up(batch, 1.0, state)])
        self.targets = None

    def values(self, *shape):
        return torch.tensor(made_up(torch.Size(shape).numel(), 1.0, self.state), dtype=torch.float64).reshape(shape)

    def parameter(self, name, *shape):
        if name not in self.parameters:
            self.parameters[name] = self.values(*shape).requires_grad_(name not in self.settings.get("frozen", ()))
        return self.parameters[name]

    def statistic(self, name, values):
        self.before[name], self.running[name] = values.clone(), values
        return values

    def batch_norm(self, name, x):
        channels = x.shape[1]
        w, b = self.parameter(name + ".weight", channels), self.parameter(name + ".bias", channels)
        mean = self.statistic(name + ".running_mean", self.values(channels))
        variance = self.statistic(name + ".running_var", self.values(channels).abs() + 0.5)
        train = self.settings.get("mode") != "evaluate" and w.requires_grad
        return F.batch_norm(x, mean, variance, w, b, train, 0.1, 1e-5)

    def weighted(self, kind, name, a, x):
        inputs = x.shape[1] if kind == "convolution" else x[0].numel()
        window = (a["kernel"], a["kernel"]) if kind == "convolution" else ()
        w, b = self.parameter(name + ".weight", a["channels"], inputs, *window), self.parameter(name + ".bias", a["channels"])
        if kind == "convolution":
            return F.conv2d(x, w, b, a["stride"], a["padding"])
        return F.linear(x.flatten(1), w, b)[:, :, None, None]

    def loss(self, kind, reduction, x, labels):
        if kind == "mean_squared_error":
            if self.targets is None:
                self.targets = self.values(*x.shape)
            return F.mse_loss(x, self.targets, reduction="sum" if reduction == SUM else "mean")
        scores = x.flatten(1)
        if kind == "kl_divergence":
            hot = F.one_hot(labels, scores.shape[1]).double()
            how = {MEAN: "batchmean", SUM: "sum", ELEMENTS: "mean"}[reduction]
            return F.kl_div(F.log_softmax(scores, 1), hot, reduction=how)
        total = F.cross_entropy(scores, labels, reduction="mean" if reduction == MEAN else "sum")
        return total / scores.numel() if reduction == ELEMENTS else total

    def apply(self, kind, name, a, x):
        repeat = [1] * 4
        repeat[a.get("axis", 0) + 1] = a.get("times", 1)
        functions = {
            "sigmoid": lambda: torch.sigmoid(x[0]), "tanh": lambda: torch.tanh(x[0]), "softplus": lambda: F.softplus(x[0]),
            "softmax": lambda: F.softmax(x[0], 1), "row_normalize": lambda: x[0] / x[0].sum(1, keepdim=True),
            "flatten": lambda: x[0].flatten(1)[:, :, None, None], "repeat": lambda: x[0].repeat(*repeat),
            "add": lambda: x[0] + x[1], "divide": lambda: x[0] / x[1], "matrix_product": lambda: torch.matmul(x[0], x[1]),
            "batch_norm": lambda: self.batch_norm(name, x[0]),
            "convolution": lambda: self.weighted(kind, name, a, x[0]), "linear": lambda: self.weighted(kind, name, a, x[0]),
        }
        return functions[kind]()

    def forward(self):
        """Fills outputs and, by node, the losses and the scores that they are of."""
        self.x.requires_grad_(True)
        self.outputs, self.losses = [self.x], {}
        for i, (kind, a) in enumerate(self.ops, 1):
            inputs = [self.outputs[n] for n in self.inputs(i)]
            inputs = [v.detach() if (i, k) in self.settings.get("cuts", ()) else v for k, v in enumerate(inputs)]
            if kind in LOSSES:
                self.losses[i] = (kind, a["reduction"], inputs[0])
                self.outputs.append(None)
            else:
                self.outputs.append(self.apply(kind, f"{kind}{i}", a, inputs))

    def inputs(self, i):
        kind, a = self.ops[i - 1]
        given = a.get("inputs", (i - 1,))
        return given[:1] if kind not in ("add", "divide", "matrix_product") else given

    def predicted(self, scores):
        return scores.flatten(1).argmax(1).detach()

    def value(self, i, labels):
        kind, reduction, scores = self.losses[i]
        return self.loss(kind, reduction, scores, labels)

    def differentiated(self, i):
        """What backward starts from at a loss: of the labels that are asked for."""
        own, choice = self.predicted(self.losses[i][2]), self.settings.get("labels", "true")
        truth = self.value(i, self.labels)
        return {"true": truth, "predicted": self.value(i, own), "both": truth + self.value(i, own)}[choice]

    def backward(self):
        last = len(self.ops)
        self.dy = None if last in self.losses else self.values(*self.outputs[last].shape)
        total = self.differentiated(last) if self.dy is None else (self.outputs[last] * self.dy).sum()
        for node, target, weight in self.settings.get("objectives", ()):
            total = total + weight * (self.differentiated(node) if node in self.losses
                                      else (self.outputs[node] - target).square().mean())
        total.backward()

    def correct(self, i):
        labelled = self.losses[i][0] != "mean_squared_error"
        return int((self.predicted(self.losses[i][2]) == self.labels).sum()) if labelled else 0

    def measured(self):
        """The losses of the objectives, then their means."""
        losses, means = [], []
        for node, target, _ in self.settings.get("objectives", ()):
            on_the_way = node in self.losses
            losses.append(self.value(node, self.labels) if on_the_way else (self.outputs[node] - target).square().mean())
            means.append(self.correct(node) / self.batch if on_the_way else self.outputs[node].mean())
        return [float(v) for v in losses + means]

    def sensitivity(self):
        norms, last = self.x.grad.flatten(1).norm(dim=1), self.losses[len(self.ops)]
        return [float(self.x.grad.norm()), float(norms.mean()) * (1 if last[1] == SUM else self.batch)]


def tensor(what, values):
    flat = values.detach().flatten().tolist() if torch.is_tensor(values) else values
    print("tensor", what, len(flat), *(repr(v) for v in flat))


def describe(name, case, shape):
    print("case", name, *shape, case.classes, case.batch)
    for i, (kind, a) in enumerate(case.ops, 1):
        inputs = case.inputs(i)
        print("node", kind, inputs[0], inputs[-1], *(a.get(field, 0) for field in FIELDS))
    for cut in case.settings.get("cuts", ()):
        print("cut", *cut)
    for frozen in case.settings.get("frozen", ()):
        print("frozen", frozen)
    for objective in case.settings.get("objectives", ()):
        print("objective", *objective)
    print("mode", case.settings.get("mode", "train"))
    print("labels", case.settings.get("labels", "true"))


def write(name, case, shape):
    case.forward()
    case.backward()
    describe(name, case, shape)
    tensor("x", case.x)
    for kind, values in (("labels", case.labels), ("targets", case.targets), ("dy", case.dy)):
        if values is not None:
            tensor(kind, values)
    for parameter, values in case.parameters.items():
        tensor("value:" + parameter, values)
    for running, values in case.before.items():
        tensor("running:" + running, values)
    last = len(case.ops)
    y = last if last not in case.losses else case.inputs(last)[0]
    tensor(f"want:y:{y}", case.outputs[y])
    if last in case.losses:
        tensor("want:loss", [float(case.value(last, case.labels)), case.correct(last)])
        tensor("want:sensitivity", case.sensitivity())
    if "objectives" in case.settings:
        tensor("want:layers", case.measured())
    tensor("want:dx", case.x.grad)
    for parameter, values in case.parameters.items():
        tensor("want:gradient:" + parameter, torch.zeros_like(values) if values.grad is None else values.grad)
    for running, values in case.running.items():
        tensor("want:running:" + running, values)
    print("end")


def main():
    print(f"# torch {torch.__version__}; see make_operators.py")
    state = [7]
    for name, (shape, batch, ops, settings) in CASES.items():
        write(name, Case(shape, batch, ops, settings, state), shape)


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
