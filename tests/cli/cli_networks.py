"""cli_networks.py PROGRAM: the command `networks`, training by name and from a file, and what the record and resuming know of the file."""
import os
import re

import program

NETWORKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "networks")
MINE = """example: {input: [3, 32, 32], classes: 10}
layers:
  - {max_pool: 4, name: small}
  - {linear: 16, name: hidden}
  - relu
  - {dropout: 0.2, name: drop}
  - linear: classes
"""
RUN = ["--dataset", "shapes", "--train-limit", "64", "--test-limit", "32", "--batch-size", "32", "--epochs", "1", "--device",
       os.environ.get("RS_TEST_DEVICE", "ref"), "--quiet"]


def write(p, text, name="mine.yaml"):
    with open(p.file(name), "w", encoding="utf-8") as f:
        f.write(text)


def test_all_are_listed_with_parameters(p):
    lines = p.run("networks").stdout.splitlines()
    files = sorted(name[:-5] for name in os.listdir(NETWORKS) if name.endswith(".yaml"))
    assert sorted(line.split()[0] for line in lines[1:]) == files, lines
    assert re.search(r"^cnn-b +1x32x32 +268362  \S", "\n".join(lines), re.M), lines


def test_one_is_shown(p):
    text = p.run("networks", "cnn-a").stdout
    assert "for 1x32x32, 10 classes: 66610 parameters" in text, text
    assert re.search(r"^conv2 +convolution +20x10x10 +5020$", text, re.M), text
    assert "conv1 (260) conv2 (5020) linear1 (60120) linear2 (1210)" in text, text
    with open(os.path.join(NETWORKS, "cnn-a.yaml"), encoding="utf-8") as f:
        note, text = p.run("networks", "cnn-a", "--yaml").stdout.split("\n", 1)
        assert text == f.read()
    assert note.startswith("# made for input 1x32x32 ") and "66610 parameters" in note and note.endswith("--resize 32"), note
    assert "--resize" not in p.run("networks", "mlp-20x3", "--yaml").stdout


def test_a_file_is_checked(p):
    write(p, MINE)
    assert "mine: " in p.run("networks", "mine.yaml").stdout
    write(p, MINE.replace("max_pool: 4", "max_pool: 40"))
    message = p.run("networks", "mine.yaml", expect=2).stderr
    assert "mine.yaml:3: small: a window of 40 does not fit into an input of 32 x 32" in message, message
    write(p, MINE.split("\n", 1)[1])
    assert "needs an example" in p.run("networks", "mine.yaml", expect=2).stderr


def test_mistakes_are_told(p):
    cases = [
        (["networks", "cnn-x"], 2, 'there is no network "cnn-x"; nearest cnn-'),
        (["networks", "no/such.yaml"], 3, "no/such.yaml: cannot be opened"),
        (["networks", "cnn-a", "cnn-b"], 2, 'networks: takes no "cnn-b"'),
        (["networks", "--yaml"], 2, "networks: --yaml is of one network"),
        (["--network", "baselin-net", *RUN], 2, "nearest baseline-net"),
        (["--network", "mlp-32-64", "--dropout", "0.5", *RUN], 2, "network mlp-32-64 has no dropout layer"),
        (["--network", "mlp-32-64", "--plain", *RUN], 2, "--plain, --width and --blocks are of the ResNets"),
        (["--network", "mlp-32-64", "--loss", "mse", *RUN], 2, "the loss mse needs data with targets"),
        (["--network", "mlp-32-64", "--network-digest", "12", *RUN], 2, "is for a --network that is a file"),
    ]
    for arguments, status, message in cases:
        stderr = p.run(*arguments, expect=status).stderr
        assert message in stderr, (arguments, stderr)


def config(h5py, path):
    with h5py.File(path, "r") as f:
        text = f["config"][()]
    return text.decode() if isinstance(text, bytes) else str(text)


def test_the_record_knows_which_file(p):
    h5py = program.need_h5py()
    write(p, MINE)
    p.run("--network", "mine.yaml", *RUN, "--out", "a.h5")
    digest = re.search(r"network-digest: \"?([0-9a-f]{16})\"?", config(h5py, p.file("a.h5")))
    assert digest, config(h5py, p.file("a.h5"))
    with h5py.File(p.file("a.h5"), "r") as f:
        assert set(f["weights"]) == {"hidden.weight", "hidden.bias", "4.weight", "4.bias"}, list(f["weights"])
        assert f["weights/hidden.weight"].shape == (2, 16, 192)
    write(p, "# the same layers\n" + MINE)
    p.run("--network", "mine.yaml", *RUN, "--out", "a.h5", "--resume")
    write(p, MINE.replace("linear: 16", "linear: 17"))
    message = p.run("--network", "mine.yaml", *RUN, "--out", "a.h5", "--resume", expect=2).stderr
    assert "network-digest" in message, message


def test_data_of_another_shape_than_the_example_are_told(p):
    loud = [word for word in RUN if word != "--quiet"]
    write(p, p.run("networks", "cnn-b", "--yaml").stdout.replace("[1, 32, 32]", "[3, 28, 28]"))
    said = p.run("--network", "mine.yaml", *loud, "--out", "a.h5").stderr
    assert "network mine is made for 3x28x28 (its example), shapes gives 3x32x32" in said and "--resize 28 makes" in said, said
    assert "made for" not in p.run("--network", "mine.yaml", *loud, "--resize", "28", "--out", "b.h5").stderr
    said = p.run("--network", "cnn-b", *loud, "--out", "c.h5").stderr
    assert "is made for 1x32x32 (its example), shapes gives 3x32x32" in said and "--resize" not in said, said
    write(p, MINE.split("\n", 1)[1])
    assert "made for" not in p.run("--network", "mine.yaml", *loud, "--out", "d.h5").stderr


def test_dropout_and_initialisation_change_what_is_trained(p):
    h5py = program.need_h5py()
    write(p, MINE)
    for name, options in (("a", []), ("b", ["--dropout", "0.7"]), ("c", ["--initialization", "zeros"])):
        p.run("--network", "mine.yaml", *RUN, "--out", name + ".h5", *options)
    with h5py.File(p.file("a.h5")) as a, h5py.File(p.file("b.h5")) as b, h5py.File(p.file("c.h5")) as c:
        assert (a["weights/hidden.weight"][0] == b["weights/hidden.weight"][0]).all()
        assert a["steps/loss"][0] != b["steps/loss"][0]
        assert (c["weights/hidden.weight"][0] == 0).all() and (c["weights/hidden.bias"][0] != 0).any()


if __name__ == "__main__":
    program.main([test_all_are_listed_with_parameters, test_one_is_shown, test_a_file_is_checked, test_mistakes_are_told,
                  test_the_record_knows_which_file, test_data_of_another_shape_than_the_example_are_told,
                  test_dropout_and_initialisation_change_what_is_trained])
