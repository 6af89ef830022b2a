"""Philox4x32-10 in numpy, as include/rs/random.h has it: a number is a function of (seed, stream, index)."""
import numpy as np

MASK = np.uint64(0xFFFFFFFF)
LOW32 = np.uint64(32)


def hash64(text):
    """FNV-1a: the stream of a parameter."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def rounds(counter, key):
    """counter: four uint64 arrays holding 32 bits each; key: two Python integers."""
    c = list(counter)
    k = list(key)
    for _ in range(10):
        p0 = np.uint64(0xD2511F53) * c[0]
        p1 = np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> LOW32) ^ c[1] ^ np.uint64(k[0]), p1 & MASK, (p0 >> LOW32) ^ c[3] ^ np.uint64(k[1]), p0 & MASK]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def words_at(seed, stream, first, count):
    """Words `first` .. `first + count - 1` of a stream as uint64 [count]: word i is word i % 4 at index i / 4."""
    begin, end = first // 4, (first + count + 3) // 4
    index = np.arange(begin, end, dtype=np.uint64)
    counter = (index & MASK, index >> LOW32, np.full_like(index, stream & 0xFFFFFFFF), np.full_like(index, stream >> 32))
    words = np.stack(rounds(counter, (seed & 0xFFFFFFFF, seed >> 32)), axis=1).reshape(-1)
    return words[first - 4 * begin:first - 4 * begin + count]


def units(seed, stream, count):
    """[0, 1) in steps of 2^-24, as float64 [count]: exact."""
    return (words_at(seed, stream, 0, count) >> np.uint64(8)).astype(np.float64) * 2.0 ** -24


def check():
    """Random123's known answers."""
    ones = 0xFFFFFFFF
    known = (
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ones,) * 4, (ones,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
         (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
    )
    for counter, key, answer in known:
        words = rounds([np.array([c], dtype=np.uint64) for c in counter], key)
        assert tuple(int(w[0]) for w in words) == answer, "philox: not Random123's known answer"


check()
