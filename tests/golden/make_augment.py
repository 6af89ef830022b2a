#!/usr/bin/env python3
"""Writes augment.txt: images changed by torchvision on PIL images: flip, crop with padding, rotation, colour.

    python3 tests/golden/make_augment.py > tests/golden/augment.txt

A case is a line "CHANGE A B CHANNELS HEIGHT WIDTH", a line with the input's bytes in hexadecimal, channel by channel and row by row, and
one with those of the result. Without torchvision, the Pillow calls that it makes are made here. Nothing is random: bytes come from a linear
congruential generator.
"""
import sys

import PIL
from PIL import Image, ImageEnhance, ImageOps

try:
    import torchvision
    from torchvision.transforms import functional
except ImportError:
    functional = None

state = [20250301]


def noise(count):
    values = bytearray()
    for _ in range(count):
        state[0] = (1103515245 * state[0] + 12345) % 2**31
        values.append(state[0] >> 16 & 0xFF)
    return bytes(values)


def picture(channels, height, width):
    """Smooth, with some noise, so that grey is not the same everywhere."""
    grain = noise(channels * height * width)
    return bytes((40 * c + 6 * x + 3 * y + grain[(c * height + y) * width + x] // 4) % 256
                 for c in range(channels) for y in range(height) for x in range(width))


def to_image(pixels, channels, height, width):
    planes = [Image.frombytes("L", (width, height), pixels[c * height * width:(c + 1) * height * width])
              for c in range(channels)]
    return planes[0] if channels == 1 else Image.merge("RGB", planes)


def from_image(image):
    return b"".join(plane.tobytes() for plane in image.split())


PADDING = 9


def crop(image, down, right):
    top, left = PADDING + int(down), PADDING + int(right)
    if functional:
        return functional.crop(functional.pad(image, PADDING), top, left, image.height, image.width)
    padded = ImageOps.expand(image, PADDING)
    return padded.crop((left, top, left + image.width, top + image.height))


def enhance(name, image, factor):
    if functional:
        return getattr(functional, "adjust_" + name)(image, factor)
    kind = {"brightness": ImageEnhance.Brightness, "contrast": ImageEnhance.Contrast, "saturation": ImageEnhance.Color}
    return kind[name](image).enhance(factor)


def change(name, image, a, b):
    if name == "flip":
        return functional.hflip(image) if functional else image.transpose(Image.FLIP_LEFT_RIGHT)
    if name == "crop":
        return crop(image, a, b)
    if name == "rotate":
        return functional.rotate(image, a) if functional else image.rotate(a, Image.NEAREST)
    return enhance(name, image, a)


def cases():
    small, odd, tall = (1, 8, 8), (3, 7, 9), (1, 11, 4)
    for frame in ((1, 28, 28), (3, 32, 32), odd, tall, (1, 1, 1)):
        yield "flip", 0, 0, frame
    for frame in (small, odd, tall):
        for down, right in ((0, 0), (1, -2), (-3, 2), (9, 0), (0, -9), (-9, 9)):
            yield "crop", down, right, frame
    for angle in (-15.0, 0.0, 7.3, 29.999, 90.0, 180.0, -123.456):
        yield "rotate", angle, 0, (1, 28, 28)
    for frame in (small, odd, tall):
        for angle in (-90.0, -45.0, -1.5, 0.01, 12.25, 60.0, 135.0):
            yield "rotate", angle, 0, frame
    yield "rotate", -11.7, 0, (3, 32, 32)
    for name in ("brightness", "contrast", "saturation"):
        for factor in (0.0, 0.2, 0.7654321, 1.0, 1.1, 1.6, 2.0):
            yield name, factor, 0, (3, 13, 11)
        yield name, 0.85, 0, (1, 12, 12)
        yield name, 1.35, 0, (1, 12, 12)


def main():
    maker = f"torchvision {torchvision.__version__}, " if functional else ""
    print(f"# {maker}Pillow {PIL.__version__}; see make_augment.py")
    for name, a, b, frame in cases():
        pixels = picture(*frame)
        result = from_image(change(name, to_image(pixels, *frame), a, b))
        print(name, a, b, *frame)
        print(pixels.hex())
        print(result.hex())


if __name__ == "__main__":
    sys.exit(main())
