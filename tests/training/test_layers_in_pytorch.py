"""test_layers_in_pytorch.py PROGRAM: per-layer losses, isolated layers and their classifiers against PyTorch's autograd with the
same formula: every layer's loss and mean output, the total loss and every gradient, at every step.

Full batches of random images in CIFAR-10's format. A wrong weight, target or cut in the formula must be noticed: the tester is
tested, too."""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "experiments"))
from record_file import need  # noqa: E402

torch, h5py, np = need("torch", "h5py", "numpy")
from torch import nn  # noqa: E402

from image_files import normalise  # noqa: E402
from test_load_in_pytorch import make_images  # noqa: E402

SAMPLES, STEPS, TARGET, BOUND = 64, 3, 0.25, 2e-4
RUN = ["--dataset", "cifar10", "--train-limit", str(SAMPLES), "--test-limit", "16", "--batch-size", "0", "--epochs", str(STEPS),
       "--optimizer", "sgd", "--learning-rate", "0.05", "--gradient", "last", "--layer-target", str(TARGET), "--dropout", "0",
       "--record", "weights,gradients,layer-losses,layer-outputs", "--threads", "2", "--no-download", "--quiet"]
NETWORKS = {
    "nn-2x256": lambda: [nn.Linear(3072, 256), nn.ReLU(), nn.Dropout(0), nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0), nn.Linear(256, 10)],
    "cnn-32-64": lambda: [nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
                          nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4096, 128), nn.ReLU(), nn.Linear(128, 10)],
}
WAYS = {"exponential": ["--layer-loss", "exponential"], "even": ["--layer-loss", "even"], "target": ["--isolate", "target"],
        "classifier": ["--isolate", "classifier"]}


def load(f, row, layers, names, heads):
    with torch.no_grad():
        for layer, name in list(zip(layers, names)) + [(heads[n], "heads." + n) for n in heads]:
            for part, values in layer.named_parameters():
                values.copy_(torch.from_numpy(f[f"weights/{name}.{part}"][row]))
                values.grad = None


def forward(layers, images, isolated):
    """Every layer's output; isolated: each from the detached one before it."""
    outputs, x = [], images
    for layer in layers:
        x = layer(x.flatten(1) if isinstance(layer, nn.Linear) else x)
        outputs.append(x)
        x = x.detach() if isolated else x
    return outputs


def total_loss(way, outputs, task, heads, names, labels, target):
    """The loss and each layer's own, and each head's."""
    own = [((y - target) ** 2).mean() for y in outputs]
    count = len(outputs)
    weights = {"exponential": [np.exp(-i / count) / count for i in range(count)], "even": [1 / count] * count,
               "target": [1.0] * count, "classifier": [0.0] * count}[way]
    pooled = {n: y.mean((2, 3)) if y.dim() == 4 else y for n, y in zip(names, outputs)}
    head = [nn.functional.cross_entropy(heads[n](pooled[n]), labels) for n in heads]
    return task + sum(w * o for w, o in zip(weights[:-1], own[:-1])) + sum(head), own, head


def near(found, expected):
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    difference, scale = np.abs(found - expected).max(), np.abs(expected).max()
    return bool(difference <= BOUND * scale + 1e-9)  # false for NaN


def differences(f, way, network, images, labels, target=TARGET, cut=True):
    """What of the record is not as PyTorch has it."""
    names = list(f["layer"].asstr()[:])
    layers = NETWORKS[network]()
    assert len(names) == len(layers), names
    heads = {n: nn.Linear(f[f"weights/heads.{n}.weight"].shape[2], 10) for n in (f["head"].asstr()[:] if "head" in f else [])}
    wrong = []
    for t in range(STEPS):
        load(f, t, layers, names, heads)
        outputs = forward(layers, images, cut and way in ("target", "classifier"))
        task = nn.functional.cross_entropy(outputs[-1], labels)
        loss, own, head = total_loss(way, outputs, task, heads, names, labels, target)
        loss.backward()
        pairs = {"task_loss": (f["steps/task_loss"][t], task.item()), "loss": (f["steps/loss"][t], loss.item()),
                 "layer_loss": (f["steps/layer_loss"][t], [o.item() for o in own]),
                 "layer_output_mean": (f["steps/layer_output_mean"][t], [y.mean().item() for y in outputs])}
        if heads:
            pairs["head_loss"] = (f["steps/head_loss"][t], [h.item() for h in head])
        for layer, name in list(zip(layers, names)) + [(heads[n], "heads." + n) for n in heads]:
            for part, values in layer.named_parameters():
                pairs[f"{name}.{part}"] = (f[f"gradients/{name}.{part}"][t + 1], values.grad.numpy())
        wrong += [f"{what} at step {t}" for what, (a, b) in pairs.items() if not near(a, b)]
    return wrong


def check(program, directory, network, way, images, labels):
    record = os.path.join(directory, f"{network}-{way}.h5")
    subprocess.run([program, "--network", network, *RUN, *WAYS[way], "--data-dir", directory, "--out", record], check=True,
                   stdin=subprocess.DEVNULL)
    with h5py.File(record, "r") as f:
        wrong = differences(f, way, network, images, labels)
        assert not wrong, f"{network}, {way}: {wrong}"
        assert differences(f, way, network, images, labels, target=0.26), "another target went unnoticed"
        if way in ("target", "classifier"):
            assert differences(f, way, network, images, labels, cut=False), "a missing cut went unnoticed"
        else:
            other = "even" if way == "exponential" else "exponential"
            assert differences(f, other, network, images, labels), "other weights went unnoticed"
    print(f"ok      {network} {way}")


def main():
    directory = tempfile.mkdtemp(prefix="resnet_study_test.")
    torch.manual_seed(1)
    torch.set_num_threads(2)
    try:
        make_images(directory)
        records = np.fromfile(os.path.join(directory, "cifar-10-batches-bin", "data_batch_1.bin"), np.uint8).reshape(-1, 3073)[:SAMPLES]
        images = torch.from_numpy(normalise(records[:, 1:].reshape(-1, 3, 32, 32), "cifar10"))
        labels = torch.from_numpy(records[:, 0].astype(np.int64))
        for network in NETWORKS:
            for way in WAYS:
                check(sys.argv[1], directory, network, way, images, labels)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
