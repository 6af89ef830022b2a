#!/usr/bin/env python3
"""Writes resize.txt: images resized by Pillow's bilinear filter, which torchvision's Resize calls for PIL images.

    /usr/bin/python3 tests/golden/make_resize.py > tests/golden/resize.txt

A case is a line "NAME HEIGHT WIDTH SIZE", a line with the input's bytes in hexadecimal, row by row, and one with the
SIZE x SIZE bytes of the result. Needs Pillow (9.4.0 made the file in the tree) and nothing random: bytes come from a
linear congruential generator.
"""
import sys

import PIL
from PIL import Image

state = [20240229]


def noise(height, width):
    values = bytearray()
    for _ in range(height * width):
        state[0] = (1103515245 * state[0] + 12345) % 2**31
        values.append(state[0] >> 16 & 0xFF)
    return bytes(values)


def stroke(height, width):
    """Like a digit: black, with a bright slanted stroke that has soft edges."""
    return bytes(max(0, 255 - 60 * abs(3 * x + y - 2 * width)) for y in range(height) for x in range(width))


def ramp(height, width):
    return bytes((7 * x + 5 * y) % 256 for y in range(height) for x in range(width))


def checks(height, width):
    return bytes(255 * ((x + y) % 2) for y in range(height) for x in range(width))


def white(height, width):
    return bytes([255]) * (height * width)


CASES = [  # what, height, width, size
    (noise, 28, 28, 32),
    (stroke, 28, 28, 32),
    (checks, 28, 28, 32),
    (white, 28, 28, 32),
    (noise, 32, 32, 28),
    (ramp, 32, 32, 28),
    (checks, 32, 32, 28),
    (noise, 1, 1, 5),
    (noise, 5, 5, 1),
    (noise, 2, 2, 3),
    (noise, 3, 3, 2),
    (noise, 9, 9, 9),
    (noise, 17, 31, 24),
    (ramp, 31, 17, 24),
    (noise, 7, 40, 11),
    (noise, 40, 1, 6),
    (white, 61, 47, 13),
    (checks, 61, 47, 13),
    (noise, 3, 130, 4),
]


def main():
    print(f"# Pillow {PIL.__version__}; see make_resize.py")
    for what, height, width, size in CASES:
        pixels = what(height, width)
        image = Image.frombytes("L", (width, height), pixels)
        resized = image.resize((size, size), Image.BILINEAR)
        print(what.__name__, height, width, size)
        print(pixels.hex())
        print(resized.tobytes().hex())


if __name__ == "__main__":
    sys.exit(main())
