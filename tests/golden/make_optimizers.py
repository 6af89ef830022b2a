#!/usr/bin/env python3
"""Writes optimizers.txt: update rules as PyTorch applies them, ten steps each, in float64 and float32.

    python3 tests/golden/make_optimizers.py > tests/golden/optimizers.txt

A block per rule: a line "rule NAME" with its options, then lines of hexadecimal floats. "weight" and "gradient" are given
(two tensors of 5 and 3 elements, one line of eight numbers a step), "f64" and "f32" are the weights after each step.
Gradients are multiples of 2^-10, exact in float32. Needs torch (2.15 made the file in the tree).
"""
import sys

import torch

STEPS, SIZES = 10, (5, 3)
RULES = {
    "sgd": ("sgd", dict(lr=0.1), 0),
    "sgd_decay": ("sgd", dict(lr=0.1, weight_decay=0.05), 0),
    "sgd_clip": ("sgd", dict(lr=0.1), 0.5),
    "momentum": ("sgd", dict(lr=0.05, momentum=0.9), 0),
    "momentum_decay_clip": ("sgd", dict(lr=0.05, momentum=0.9, weight_decay=0.01), 1.0),
    "nesterov": ("sgd", dict(lr=0.05, momentum=0.9, nesterov=True), 0),
    "nesterov_decay": ("sgd", dict(lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.1), 0),
    "adam": ("adam", dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8), 0),
    "adam_decay": ("adam", dict(lr=1e-2, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1), 0),
    "adam_clip": ("adam", dict(lr=1e-2, betas=(0.9, 0.999), eps=1e-8), 0.25),
    "adamw": ("adamw", dict(lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1), 0),
    "adamw_clip": ("adamw", dict(lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01), 1.0),
    "adam_clip_never": ("adam", dict(lr=1e-2, betas=(0.9, 0.999), eps=1e-8), 1e6),
    "adagrad": ("adagrad", dict(lr=1e-2, eps=1e-10), 0),
    "adagrad_decay_clip": ("adagrad", dict(lr=0.1, eps=1e-6, weight_decay=0.1), 0.5),
    "rmsprop": ("rmsprop", dict(lr=1e-2, alpha=0.99, eps=1e-8), 0),
    "rmsprop_decay_clip": ("rmsprop", dict(lr=1e-2, alpha=0.9, eps=1e-6, weight_decay=0.1), 0.5),
    "rmsprop_momentum": ("rmsprop", dict(lr=1e-2, alpha=0.99, eps=1e-8, momentum=0.9), 0),
    "rmsprop_momentum_decay": ("rmsprop", dict(lr=1e-3, alpha=0.8, eps=1e-4, momentum=0.5, weight_decay=0.05), 0),
}
CLASSES = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "adagrad": torch.optim.Adagrad,
           "rmsprop": torch.optim.RMSprop}


def made_up(count, scale, state):
    """Multiples of 2^-10 from a linear congruential generator: the same with every version of everything."""
    values = []
    for _ in range(count):
        state[0] = (1103515245 * state[0] + 12345) % 2**31
        values.append(((state[0] >> 16) % 2048 - 1024) * scale / 1024)
    return values


def train(kind, options, clip, weights, gradients, dtype):
    parameters = [torch.nn.Parameter(t) for t in torch.tensor(weights, dtype=dtype).split(SIZES)]
    optimizer = CLASSES[kind](parameters, **options)
    for gradient in gradients:
        for parameter, part in zip(parameters, torch.tensor(gradient, dtype=dtype).split(SIZES)):
            parameter.grad = part.clone()
        if clip:
            torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
        yield torch.cat([p.detach() for p in parameters]).tolist()


def line(word, values):
    print(word, *(float(v).hex() for v in values))


def main():
    print(f"# torch {torch.__version__}; see make_optimizers.py")
    state = [1]
    for name, (kind, options, clip) in RULES.items():
        beta1, beta2 = options.get("betas", (0, 0))
        print("rule", name, kind, options["lr"], beta1, beta2, options.get("eps", 0), options.get("momentum", 0),
              options.get("weight_decay", 0), int(options.get("nesterov", False)), clip, options.get("alpha", 0))
        weights = made_up(sum(SIZES), 1.0, state)
        gradients = [made_up(sum(SIZES), 0.5 * (1 + step % 3), state) for step in range(STEPS)]
        line("weight", weights)
        for gradient in gradients:
            line("gradient", gradient)
        for word, dtype in (("f64", torch.float64), ("f32", torch.float32)):
            for after in train(kind, options, clip, weights, gradients, dtype):
                line(word, after)


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
