"""Opens a fixture's record with h5py as an analysis would: record_check.py killed|repaired|done|live PATH

killed, live: with swmr=True. repaired, done: in the plain way, and with h5dump. Compares a sample of the values.
Exit status 0: all well; 77: no h5py here.
"""
import shutil
import subprocess
import sys

try:
    import h5py
    import numpy as np
except ImportError:
    print("record_check.py: this Python has no h5py; install python3-h5py to have this tested")
    sys.exit(77)

STEPS = 3


def value(what, tensor, row, count):
    """fixture_value of fixture.c, for all elements."""
    element = np.arange(count, dtype=np.uint64)
    mixed = element * np.uint64(2654435761) + np.uint64(row * 40503 + (tensor * 131 + ord(what)) * 977)
    mixed ^= mixed >> np.uint64(15)
    return (mixed % np.uint64(1048576)).astype(np.float32) / np.float32(1024) - np.float32(512)


def check(file):
    if len(file["commits/step"]) == 0:
        return None
    commit = min(len(file["commits"][name]) for name in file["commits"]) - 1
    epochs, steps, snapshots = (int(file["commits"][name][commit]) for name in ("epoch", "step", "snapshots"))
    assert (file["step"][:steps] == np.arange(steps)).all()
    assert (file["snapshots/step"][:snapshots] == STEPS * np.arange(snapshots)).all()
    assert (file["steps/loss"][:steps] == np.arange(steps) * 1.25 + ord("s")).all()
    assert (file["epochs/train_loss"][:epochs] == np.arange(epochs) * 1.25 + ord("e")).all()
    names = [name.decode() for name in file["parameters/name"][:]]
    for tensor, name in enumerate(names):
        weights, gradients = file["weights"][name], file["gradients"][name]
        for row in range(snapshots):
            assert (weights[row].ravel() == value("w", tensor, row, weights[row].size)).all(), (name, row)
            if row:
                assert (gradients[row].ravel() == value("g", tensor, row, weights[row].size)).all(), (name, row)
        assert np.isnan(gradients[0]).all()
        assert weights.dims[0].label == "snapshot"
    distance = file["steps/distance_to_initial/minkowski:1"]
    assert distance.dims[0]["step"].name == "/step" and distance.dims[1]["name"].name == "/blocks/name"
    layer = file["steps/layer_loss"]
    assert layer.dims[1].label == "layer" and layer.dims[1]["layer"].name == "/layer"
    expected = np.arange(steps)[:, None] * 1.25 + np.arange(3) * 0.125 + ord("l")
    assert (layer[:steps] == expected.astype(np.float32)).all()
    assert file["steps/head_loss"].shape[1] == 1 and file["head"].asstr()[0] == "fc"
    return epochs


def check_pages(file, path):
    """No structure that is rewritten at commits lies across two pages: a kill could tear it there."""
    with open(path, "rb") as stream:
        data = stream.read()
    seen = 0

    def visit(_, item):
        nonlocal seen
        if isinstance(item, h5py.Dataset) and item.maxshape and item.maxshape[0] is None:
            at = h5py.h5o.get_info(item.id).addr
            assert data[at:at + 4] == b"OHDR"
            flags = data[at + 5]
            prefix = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
            width = 1 << (flags & 3)
            size = prefix + width + int.from_bytes(data[at + prefix:at + prefix + width], "little") + 4
            assert at % 4096 + size <= 4096, (item.name, at, size)
            seen += 1

    file.visititems(visit)
    assert seen > 30


def main():
    how, path = sys.argv[1:]
    with h5py.File(path, "r", swmr=how in ("killed", "live")) as file:
        assert file.attrs["format"] == "resnet_study record" and file.attrs["schema_version"] == 1
        state = file["state"].asstr()[0]
        assert state == {"done": "done", "repaired": "interrupted"}.get(how, "running"), state
        assert "depth: 18" in file["config"].asstr()[()]
        epochs = check(file)
        if how == "done":
            check_pages(file, path)
    if how in ("repaired", "done") and shutil.which("h5dump"):
        subprocess.run(["h5dump", "-d", "/steps/loss", path], check=True, stdout=subprocess.DEVNULL)
    if how == "live":
        print(epochs)


main()
