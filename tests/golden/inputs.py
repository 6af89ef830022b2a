"""The weights and images of the golden files, rebuilt from Philox alone; tests/training/golden_inputs.c makes the
same bits.

weights   float32((2 u - 1) * bound), u the unit of element i of the stream hash64(parameter name). bound, for the
          initialisation's variance: convolution sqrt(6 / fan_out), linear 1 / sqrt(fan_in); every bias 0.1; BN
          weights are 1 + 0.1 (2 u - 1). Running mean 0 and variance 1, as PyTorch begins.
images    per channel a 5x5 grid of bytes, (class + 3 * sample) / 4 of two random ones, enlarged to 32x32 by
          integer bilinear interpolation; and a byte of noise per pixel: (7 * smooth + noise) / 8.
labels    a word of the stream "labels", by multiplication.
"""
import numpy as np

from philox import hash64, units, words_at

SEED = 20220
CLASSES, CHANNELS, SIDE, CELL = 10, 3, 32, 8
GRID = SIDE // CELL + 1


def weight(name, shape):
    """float32 values of a trainable parameter."""
    count = int(np.prod(shape))
    signed = 2.0 * units(SEED, hash64(name), count) - 1.0
    if name == "fc.weight":
        values = signed * (1.0 / np.sqrt(np.float64(shape[1])))
    elif len(shape) == 4:
        values = signed * np.sqrt(6.0 / np.float64(shape[0] * shape[2] * shape[3]))
    elif name.endswith(".weight"):
        values = 1.0 + 0.1 * signed
    else:
        values = 0.1 * signed
    return values.astype(np.float32).reshape(shape)


def bytes_at(stream, first, count):
    return (words_at(SEED, hash64(stream), first, count) & np.uint64(0xFF)).astype(np.int64)


def enlarge(grid):
    """[C, GRID, GRID] bytes -> [C, SIDE, SIDE], bilinear in integers."""
    place = np.arange(SIDE)
    cell, part = place // CELL, place % CELL
    rows = (CELL - part)[None, :, None] * grid[:, cell, :] + part[None, :, None] * grid[:, cell + 1, :]
    return ((CELL - part) * rows[:, :, cell] + part * rows[:, :, cell + 1]) // (CELL * CELL)


def label(sample):
    return int((words_at(SEED, hash64("labels"), sample, 1)[0] * np.uint64(CLASSES)) >> np.uint64(32))


def image(sample):
    """uint8 [C, SIDE, SIDE] of a sample."""
    cells, pixels = CHANNELS * GRID * GRID, CHANNELS * SIDE * SIDE
    of_class = bytes_at("classes", label(sample) * cells, cells)
    of_sample = bytes_at("samples", sample * cells, cells)
    smooth = enlarge(((of_class + 3 * of_sample) // 4).reshape(CHANNELS, GRID, GRID))
    noise = bytes_at("noise", sample * pixels, pixels).reshape(CHANNELS, SIDE, SIDE)
    return ((7 * smooth + noise) // 8).astype(np.uint8)


def batch(step, size):
    """Batch of a step (from 0): float32 [size, C, SIDE, SIDE] normalised by mean 0.5 and std 0.5, int64 labels."""
    samples = range(step * size, (step + 1) * size)
    images = np.stack([image(s) for s in samples])
    half = np.float32(0.5)
    x = (images.astype(np.float32) / np.float32(255) - half) / half
    return x, np.array([label(s) for s in samples], dtype=np.int64)
