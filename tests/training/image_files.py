"""Reads the test split of a data set's own files: bytes and labels, without this project's readers."""
import gzip
import os

import numpy as np

# Name: files of the test split, label bytes before an image and which of them counts.
CIFAR = {"cifar10": ("cifar-10-batches-bin/test_batch.bin", 1, 0), "cifar100": ("cifar-100-binary/test.bin", 2, 1)}
IDX = {"mnist": "mnist", "fashion-mnist": "fashion-mnist"}
# As the study normalises: (mean, standard deviation), the same for every channel.
NORMALISATION = {"cifar10": (0.5, 0.5), "cifar100": (0.5, 0.5), "fashion-mnist": (0.5, 0.5), "mnist": (0.1307, 0.3081)}


def read_cifar(path, label_bytes, label_at):
    records = np.fromfile(path, dtype=np.uint8).reshape(-1, label_bytes + 3072)
    return records[:, label_bytes:].reshape(-1, 3, 32, 32), records[:, label_at].astype(np.int64)


def read_idx(path):
    for name, opener in ((path, open), (path + ".gz", gzip.open)):
        if os.path.exists(name):
            with opener(name, "rb") as f:
                data = f.read()
            rank = data[3]
            shape = np.frombuffer(data, ">u4", rank, 4)
            return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)
    raise FileNotFoundError(path)


def read_test(dataset, directory):
    """uint8 [N, C, H, W] and int64 [N]."""
    if dataset in CIFAR:
        name, label_bytes, label_at = CIFAR[dataset]
        return read_cifar(os.path.join(directory, name), label_bytes, label_at)
    base = os.path.join(directory, IDX[dataset], "t10k-")
    images, labels = read_idx(base + "images-idx3-ubyte"), read_idx(base + "labels-idx1-ubyte")
    return images[:, None], labels.astype(np.int64)


def normalise(images, dataset):
    """float32, each step rounded: (byte / 255 - mean) / std."""
    mean, std = (np.float32(v) for v in NORMALISATION[dataset])
    return (images.astype(np.float32) / np.float32(255) - mean) / std
