"""test_networks_in_pytorch.py PROGRAM [NAME ...]: the last snapshot of a short run of every named network, and of one from a file, loads
by name, strictly and in order, into the same network written in PyTorch (tests/golden/networks.py), which then gives the record's
validation loss and accuracy. A changed weight must be noticed. NAME: only these.

RS_TEST_DEVICE: what it trains on (ref)."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "golden"), os.path.join(HERE, "..", "..", "experiments")]
from record_file import need  # noqa: E402

torch, h5py, np = need("torch", "h5py", "numpy")
from image_files import normalise, read_test  # noqa: E402
from networks import networks  # noqa: E402
from resnet import batches_tracked  # noqa: E402
from test_load_in_pytorch import make_images  # noqa: E402

IMAGES, LOSS_BOUND = 48, 2e-6
LARGE = {"mlp-sigmoid-8", "mlp-sigmoid-deep"}  # minutes on the reference backend; their like is there
RUN = ["--dataset", "cifar10", "--train-limit", "32", "--test-limit", str(IMAGES), "--batch-size", "16", "--epochs", "1",
       "--learning-rate", "0.01", "--record", "weights", "--threads", "2", "--no-download", "--quiet", "--overwrite",
       "--device", os.environ.get("RS_TEST_DEVICE", "ref")]
OWN = """
layers:
  - {convolution: 4, kernel: 3, padding: 1, name: stem}
  - times: 2
    layers:
      - block: body{}
        layers:
          - {convolution: 4, kernel: 3, padding: 1, bias: false}
          - batch_norm
          - {add: block_input}
          - relu
  - {average_pool: 2}
  - tanh
  - {linear: classes, name: fc}
"""


class Body(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.add_module("0", torch.nn.Conv2d(4, 4, 3, padding=1, bias=False))
        self.add_module("1", torch.nn.BatchNorm2d(4))

    def forward(self, x):
        return torch.relu(self._modules["1"](self._modules["0"](x)) + x)


class Own(torch.nn.Module):
    """What the file above says."""

    def __init__(self):
        super().__init__()
        self.stem = torch.nn.Conv2d(3, 4, 3, padding=1)
        self.body0, self.body1 = Body(), Body()
        self.fc = torch.nn.Linear(1024, 10)

    def forward(self, x):
        x = self.body1(self.body0(self.stem(x)))
        return self.fc(torch.tanh(torch.nn.functional.avg_pool2d(x, 2)).flatten(1))


def load(path, model):
    """The last snapshot; the record's loss and accuracy of the test images."""
    with h5py.File(path, "r") as f:
        order = [n.decode() if isinstance(n, bytes) else n for n in f["parameters/name"][:]]
        weights = {name: torch.from_numpy(f["weights"][name][-1]) for name in f["weights"]}
        result = float(f["epochs/valid_loss"][-1]), float(f["epochs/valid_accuracy"][-1])
    ours = [name for name, _ in model.named_parameters()]
    assert order == ours, f"parameters in the order {order} instead of {ours}"
    model.load_state_dict({**weights, **batches_tracked(model)}, strict=True)
    return result


def evaluate(model, images, labels):
    model = model.double().eval()
    with torch.no_grad():
        scores = model(torch.from_numpy(normalise(images, "cifar10")).double())
    answers = torch.from_numpy(labels).long()
    loss = torch.nn.functional.cross_entropy(scores, answers).item()
    return loss, (scores.argmax(1) == answers).double().mean().item()


def same(path, model, data):
    recorded = load(path, model)
    ours = evaluate(model, *data)
    return abs(ours[0] - recorded[0]) <= LOSS_BOUND * recorded[0] and abs(ours[1] - recorded[1]) < 1e-9, ours, recorded


def check(program, directory, network, make, data):
    path = os.path.join(directory, "run.h5")
    subprocess.run([program, *RUN, "--network", network, "--data-dir", directory, "--out", path], check=True,
                   stdin=subprocess.DEVNULL)
    fits, ours, recorded = same(path, make(), data)
    print(f"{os.path.basename(network):20} loss {recorded[0]:.7f}, PyTorch {ours[0]:.7f}", flush=True)
    assert fits, f"{network}: PyTorch gives {ours}, the record has {recorded}"
    with h5py.File(path, "r+") as f:
        last = sorted(name for name in f["weights"] if name.endswith(".bias"))[-1]
        f["weights"][last][-1] += np.arange(f["weights"][last].shape[1], dtype=np.float32) / 10
    assert not same(path, make(), data)[0], f"{network}: changed weights went unnoticed"


def main():
    directory = tempfile.mkdtemp(prefix="resnet_study_test.")
    twins = networks()
    named = subprocess.run([sys.argv[1], "networks"], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[1:]
    assert {line.split()[0] for line in named} == set(twins), "a named network has no twin here, or the other way round"
    try:
        make_images(directory)
        images, labels = read_test("cifar10", directory)
        data = images[:IMAGES], labels[:IMAGES]
        own = os.path.join(directory, "own.yaml")
        with open(own, "w", encoding="utf-8") as f:
            f.write(OWN)
        check(sys.argv[1], directory, own, Own, data)
        for name in sys.argv[2:] or sorted(set(twins) - LARGE):
            check(sys.argv[1], directory, name, lambda name=name: twins[name](3, 10), data)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
