"""What a golden file keeps of a tensor, and the file itself; tests/training/golden_file.c reads it.

summary   norm, some entries, some random projections. Entry k stands at (word k of "entries/NAME" * count) >> 32.
          Projection r is sum_i s_i x_i, s_i = -1 where bit r of word i of "signs/NAME" is set, else +1. Of two tensors the
          difference of a projection has mean square |difference|^2: the root mean square over the projections
          estimates the norm of the difference without the tensor.
checksum  sum_i bits_i * (2 i + 1) * odd mod 2^64 over float32 bit patterns (-0 taken as 0): a single changed element
          always changes it.
file      "RSGOLD1\\n", then sections: name (48 bytes, zero-padded), count (uint64), count float64, little endian.
"""
import struct

import numpy as np

from inputs import SEED
from philox import hash64, words_at

MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
_words = {}


def sign_words(name, count):
    if (name, count) not in _words:
        _words[name, count] = words_at(SEED, hash64("signs/" + name), 0, count).astype(np.uint32)
    return _words[name, count]


def entry_places(name, count, entries):
    words = words_at(SEED, hash64("entries/" + name), 0, entries)
    return ((words * np.uint64(count)) >> np.uint64(32)).astype(np.int64)


def projections(name, x, number):
    words = sign_words(name, x.size)
    return [float(np.dot(1.0 - 2.0 * ((words >> np.uint32(r)) & np.uint32(1)), x)) for r in range(number)]


def summary(name, tensor, entries, number):
    """[1 + entries + number] of a float64 tensor."""
    x = np.asarray(tensor, dtype=np.float64).reshape(-1)
    return [float(np.linalg.norm(x)), *x[entry_places(name, x.size, entries)], *projections(name, x, number)]


def checksum(arrays):
    """Two float64 (high and low 32 bits) over up to three float32 arrays."""
    total = 0
    for array, multiplier in zip(arrays, MULTIPLIERS):
        x = np.where(array == 0, np.float32(0), array).astype(np.float32).reshape(-1)
        factors = (2 * np.arange(x.size, dtype=np.uint64) + np.uint64(1)) * np.uint64(multiplier)
        total += int(np.sum(x.view(np.uint32).astype(np.uint64) * factors, dtype=np.uint64))
    total &= 0xFFFFFFFFFFFFFFFF
    return [float(total >> 32), float(total & 0xFFFFFFFF)]


def write_file(path, sections):
    with open(path, "wb") as f:
        f.write(b"RSGOLD1\n")
        for name, values in sections:
            values = np.asarray(values, dtype="<f8").reshape(-1)
            f.write(struct.pack("<48sQ", name.encode(), values.size))
            f.write(values.tobytes())
