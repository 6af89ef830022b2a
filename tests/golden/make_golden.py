#!/usr/bin/env python3
"""Makes the golden files: losses and gradients of ResNet-18 and 26 by PyTorch. About ten minutes on two cores.

    tests/golden/make_golden.py [NAME ...]      NAME: resnet18-plain, resnet26-residual-smooth, ...; all without one

Needs PyTorch 1.13 or later and numpy. Everything starts from inputs.py, so the files hold results only.

Twenty steps, each from the reference's state. The reference is PyTorch in float64 whose state (weights, both moments of
Adam, running statistics) is rounded to float32 after every step, so that a float32 program can begin a step from exactly
that state. The state is not stored: double precision reproduces the step to about 1e-14, which rounds to the same float32
except where a value lies next to the boundary between two of them. Those few values are stored ("ties"), and a checksum
of every tensor's bits ("state") proves that the reader stands where PyTorch stood.

Sections, P parameters and B buffers in torchvision's order, T steps:
  about             version, depth, plain, smooth, batch, batch of free runs, T, P, B, then entries and projections of
                    the first step's summaries and of the later ones'
  names             [P + B, 3] hash64 of the name (high, low 32 bits), elements
  loss              [T] of each step's batch
  gradients/t       [P, summary]
  running/0         [B, summary] running statistics after the first step, before rounding; summary as later ones'
  state/t           [P + B, 2] checksum after step t: of a parameter its weights, first and second moments together
  ties/t            [n, 2] ((kind * 1024 + tensor) * 2^24 + element), value; kind 0 weight, 1 and 2 moments, 3 buffer
  float32/t         [P, 2] relative distance of PyTorch's float32 gradient from float64: largest and root mean square
                    over the runs of float32_runs() (real networks only)
  float32_median/t  [runs] median of that distance over the parameters
  float32_all/t     [runs] that distance of all parameters together
  float32_loss      [T] largest relative distance of a float32 loss
  free              [2, T] losses of free runs in float32, real networks only; the second with the samples of each
                    batch in another order: PyTorch's own spread
"""
import os
import sys
import time

# Threads that wait by spinning are several times slower beside other load; read when PyTorch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from torch.nn.functional import cross_entropy

import inputs
from philox import hash64
from resnet import resnet
from summary import checksum, summary, write_file

BATCH, FREE_BATCH, STEPS, RATE = 16, 128, 20, 1e-3
FIRST, LATER = (64, 16), (0, 8)  # entries and projections
# An element of a gradient is taken to be known to this part of its tensor's root mean square.
UNCERTAINTY = 3e-13
HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = [f"resnet{depth}-{variant}{smooth}" for smooth in ("", "-smooth") for depth in (18, 26)
         for variant in ("residual", "plain")]


def build(name, dtype):
    depth = int(name[6:8])
    model = resnet(depth, plain="plain" in name, smooth="smooth" in name).to(dtype).train()
    with torch.no_grad():
        for n, p in model.named_parameters():
            p.copy_(torch.from_numpy(inputs.weight(n, tuple(p.shape))))
    return model


def buffers(model):
    return [(n, b) for n, b in model.named_buffers() if not n.endswith("num_batches_tracked")]


def gradient(model, x, y):
    model.zero_grad()
    loss = cross_entropy(model(x), y)
    loss.backward()
    return loss.item()


def float32_runs(x, y, shifts):
    """The same step in float32 in ways that PyTorch takes as equal: libraries, layouts, orders of the samples."""
    for mkldnn, layout in ((True, torch.contiguous_format), (False, torch.contiguous_format),
                           (True, torch.channels_last)):
        for shift in shifts:
            yield mkldnn, layout, torch.roll(x, shift, 0).contiguous(memory_format=layout), torch.roll(y, shift, 0)


def float32_errors(name, model, x, y, loss):
    """Relative distances of the gradients, [runs, P] and all together [runs], and the largest of the losses."""
    exact = [p.grad for p in model.parameters()]
    norms = np.array([g.norm().item() for g in exact])
    other = build(name, torch.float32)
    other.load_state_dict(model.state_dict())
    rows, losses = [], []
    for mkldnn, layout, xs, ys in float32_runs(x.float(), y, (0,) if "smooth" in name else (0, 5, 11)):
        with torch.backends.mkldnn.flags(enabled=mkldnn):
            losses.append(abs(gradient(other.to(memory_format=layout), xs, ys) - loss) / abs(loss))
        rows.append([((p.grad.double() - g).norm() / g.norm()).item() for p, g in zip(other.parameters(), exact)])
    together = np.sqrt(((np.array(rows) * norms) ** 2).sum(1) / (norms ** 2).sum())
    return np.array(rows), together, max(losses)


def near_tie(x, uncertainty):
    """Where x within its uncertainty could round to another float32."""
    nearest = x.astype(np.float32)
    away = np.where(x >= nearest, np.float32(np.inf), np.float32(-np.inf))
    other = np.nextafter(nearest, away)
    middle = (nearest.astype(np.float64) + other.astype(np.float64)) / 2
    return np.abs(x - middle) <= uncertainty


def uncertainties(p, state, t):
    """How far weight and moments of a tensor may lie from another exact program's, elementwise."""
    g, m, v = (a.numpy().reshape(-1) for a in (p.grad, state["exp_avg"], state["exp_avg_sq"]))
    of_g = UNCERTAINTY * np.sqrt(np.mean(g * g))
    of_m = 0.1 * of_g + 1e-15 * np.abs(m)
    of_v = 0.002 * np.abs(g) * of_g + 0.001 * of_g ** 2 + 1e-15 * v
    c1, c2 = 1 - 0.9 ** t, 1 - 0.999 ** t
    root = np.sqrt(v / c2)
    below = root + 1e-8
    of_root = np.where(v > 0, of_v / (2 * np.sqrt(np.maximum(v, 1e-300) * c2)), 0)
    of_w = RATE / c1 * (of_m / below + np.abs(m) / below ** 2 * of_root) + 2e-16 * np.abs(p.detach().numpy().reshape(-1))
    return of_w, of_m, of_v


def round_tensor(tensor, uncertainty, kind, index, ties):
    """Rounds in place to float32, notes the ties, returns the float32 values."""
    x = tensor.detach().numpy().reshape(-1)
    rounded = x.astype(np.float32)
    for i in np.flatnonzero(near_tie(x, uncertainty)):
        ties.append((float((kind * 1024 + index) * 2 ** 24 + int(i)), float(rounded[i])))
    tensor.detach().copy_(torch.from_numpy(rounded.reshape(tensor.shape)))
    return rounded


def round_state(model, optimizer, t):
    """After step t (from 1): the checksums and the ties."""
    sums, ties = [], []
    for index, p in enumerate(model.parameters()):
        state = optimizer.state[p]
        tensors = (p, state["exp_avg"], state["exp_avg_sq"])
        unsure = uncertainties(p, state, t)
        sums.append(checksum([round_tensor(x, u, k, index, ties) for k, (x, u) in enumerate(zip(tensors, unsure))]))
    for index, (_, b) in enumerate(buffers(model)):
        x = b.numpy()
        unsure = UNCERTAINTY * np.sqrt(np.mean(x * x))
        sums.append(checksum([round_tensor(b, unsure, 3, index, ties)]))
    return sums, ties


def free_run(name, shift):
    model = build(name, torch.float32)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    losses = []
    for t in range(STEPS):
        x, y = (torch.roll(a, shift, 0) for a in batch(t, FREE_BATCH))
        losses.append(gradient(model, x, y))
        optimizer.step()
    return losses


def batch(t, size=BATCH):
    x, y = inputs.batch(t, size)
    return torch.from_numpy(x), torch.from_numpy(y)


def compare_float32(name, model, start, t, known, sections):
    """PyTorch's float32 from the state `start` against the gradients that the model has; returns its loss's distance."""
    after = {n: b.clone() for n, b in model.state_dict().items()}
    model.load_state_dict(start)
    errors, together, loss_error = float32_errors(name, model, *known)
    model.load_state_dict(after)
    if "smooth" not in name:
        sections.append((f"float32/{t}", np.stack([errors.max(0), np.sqrt((errors ** 2).mean(0))], axis=1)))
    sections.append((f"float32_median/{t}", np.median(errors, axis=1)))
    sections.append((f"float32_all/{t}", together))
    return loss_error


def step(name, model, optimizer, t, sections):
    """Step t (from 0) from a rounded state; returns its loss, float32's distance from it, and the number of ties."""
    x, y = batch(t)
    start = {n: b.clone() for n, b in model.state_dict().items()}
    loss = gradient(model, x.double(), y)
    shape = FIRST if t == 0 else LATER
    sections.append((f"gradients/{t}", [summary(n, p.grad, *shape) for n, p in model.named_parameters()]))
    if t == 0:
        sections.append(("running/0", [summary(n, b, *LATER) for n, b in buffers(model)]))
    loss_error = compare_float32(name, model, start, t, (x, y, loss), sections)
    optimizer.step()
    sums, ties = round_state(model, optimizer, t + 1)
    sections.append((f"state/{t}", sums))
    sections.append((f"ties/{t}", ties))
    return loss, loss_error, len(ties)


def make(name):
    model = build(name, torch.float64)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    tensors = [*model.named_parameters(), *buffers(model)]
    counts = (len(list(model.parameters())), len(buffers(model)))
    hashes = [(hash64(n) >> 32, hash64(n) & 0xFFFFFFFF, x.numel()) for n, x in tensors]
    sections = [("about", [1, int(name[6:8]), "plain" in name, "smooth" in name, BATCH, FREE_BATCH, STEPS, *counts, *FIRST, *LATER]),
                ("names", hashes)]
    losses, loss_errors = [], []
    for t in range(STEPS):
        began = time.time()
        loss, error, ties = step(name, model, optimizer, t, sections)
        losses.append(loss)
        loss_errors.append(error)
        print(f"{name} step {t}: loss {loss:.6f}, float32 median {sections[-4][1].max():.1e}, {ties} ties, "
              f"{time.time() - began:.1f} s", flush=True)
    sections += [("loss", losses), ("float32_loss", loss_errors)]
    if "smooth" not in name:
        sections.append(("free", [free_run(name, 0), free_run(name, 5)]))
    write_file(os.path.join(HERE, name + ".gold"), sections)


def main():
    for name in sys.argv[1:] or NAMES:
        if name not in NAMES:
            sys.exit(f"make_golden.py: {name}: none of {', '.join(NAMES)}")
        make(name)


if __name__ == "__main__":
    main()
