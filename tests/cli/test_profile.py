"""test_profile.py: --profile and --memory on the program itself: what is printed is whole and finite, and nothing that is trained
changes. `python3 test_profile.py PROGRAM`; needs no h5py."""
import math
import re

import program
from program import SMALL

EPOCHS = ["--epochs", "1"]
NUMBER = r"(?:[0-9.]+%?|-)"
ROW = re.compile(rf"^(?P<name>\S.*?\S) +(?P<ms>[0-9.]+) +(?P<share>[0-9.]+)% +(?P<gflops>{NUMBER}) +(?P<gbs>{NUMBER}) +(?P<peak>{NUMBER})$")
KINDS = ["batch", "convolution  forward", "convolution  weights", "convolution  data", "batch_norm + relu  forward",
         "batch_norm + relu  backward", "batch_norm + add + relu  forward", "batch_norm + add + relu  backward", "update"]


def rows(text, heading):
    """The rows under a heading, until the next one."""
    lines = text.split("\n")
    begin = next(i for i, line in enumerate(lines) if line.startswith(heading)) + 1
    found = []
    for line in lines[begin:]:
        match = ROW.match(line)
        if not match:
            break
        found.append(match.groupdict())
    return found


def demand_finite(row):
    for key, value in row.items():
        if key != "name" and value != "-":
            assert math.isfinite(float(value.rstrip("%"))), row


def test_profile_names_every_operation(p):
    text = p.run(*SMALL, *EPOCHS, "--device", "cpu", "--profile", "--out", "cpu.h5").stdout
    assert re.search(r"^profile of 2 training steps", text, re.M), text  # three steps, the first warms up
    assert re.search(r"^peaks measured now: [0-9]+ GFLOP/s .* [0-9.]+ GB/s", text, re.M), text
    kinds = {row["name"]: row for row in rows(text, "by operation")}
    missing = [name for name in KINDS if name not in kinds]
    assert not missing, (missing, text)
    for row in kinds.values():
        demand_finite(row)
    assert float(kinds["convolution  forward"]["gflops"]) > 0.0 and kinds["update"]["gflops"] == "-"
    assert abs(sum(float(r["share"]) for n, r in kinds.items() if n != "all") - 100.0) < 0.1 * len(kinds)
    layers = [row["name"] for row in rows(text, "by layer")]
    for name in ("conv1  convolution  forward", "layer4.0.conv2  convolution  data", "fc  linear  backward"):
        assert name in layers, (name, layers)
    assert "conv1  convolution  data" not in layers, layers  # nobody wants the images' gradient


def test_a_profile_of_the_last_part_says_so(p):
    """Where layers are frozen later the plan is another one, which counts from there on."""
    text = p.run(*SMALL, "--epochs", "3", "--freeze", "stem", "--freeze-from", "1", "--profile", "--out", "later.h5").stdout
    assert "layers are isolated or frozen from epoch 1 on: the profile is of what came since" in text, text
    assert re.search(r"^profile of 5 training steps", text, re.M), text  # of six
    text = p.run(*SMALL, "--epochs", "1", "--freeze", "stem", "--profile", "--out", "always.h5").stdout
    assert "the profile is of what came since" not in text, text


def test_lean_says_what_it_computes_again(p):
    text = p.run(*SMALL, *EPOCHS, "--device", "cpu", "--profile", "--memory", "lean", "--out", "lean.h5").stdout
    kinds = {row["name"]: row for row in rows(text, "by operation")}
    assert "batch_norm + relu  again" in kinds, text
    demand_finite(kinds["batch_norm + relu  again"])
    assert "layer1.0.bn1  batch_norm + relu  again" in [row["name"] for row in rows(text, "by layer")], text
    usual = p.run(*SMALL, *EPOCHS, "--device", "cpu", "--profile", "--out", "usual.h5").stdout
    assert "again" not in usual, usual


def test_reference_is_profiled_without_peaks(p):
    text = p.run(*SMALL, *EPOCHS, "--train-limit", "32", "--batch-size", "16", "--test-limit", "16", "--device", "ref", "--profile",
                 "--out", "ref.h5").stdout
    assert "profile of 1 training steps" in text and "no share of a peak" in text, text
    assert any(row["name"] == "layer1.0.bn1  batch_norm  backward" for row in rows(text, "by layer")), text


def test_one_step_has_no_profile(p):
    text = p.run(*SMALL, *EPOCHS, "--train-limit", "64", "--profile", "--out", "one.h5").stdout
    assert "no profile: it begins after the first step" in text, text


def test_nothing_trained_has_no_profile(p):
    """Neither a run without steps nor one that is refused once its plan is made says anything of a profile."""
    text = p.run(*SMALL, "--epochs", "0", "--profile", "--out", "none.h5").stdout
    assert text.startswith("recorded 0 epochs"), text
    refused = p.run(*SMALL, *EPOCHS, "--profile", "--snapshots", "epochs:9", "--out", "refused.h5", expect=2)
    assert "keeps nothing" in refused.stderr and refused.stdout == "", refused.stdout


def test_neither_changes_what_is_trained(p):
    p.run(*SMALL, *EPOCHS, "--out", "usual.h5")
    p.run(*SMALL, *EPOCHS, "--profile", "--out", "profile.h5")
    p.run(*SMALL, *EPOCHS, "--memory", "lean", "--out", "lean.h5")
    p.same("usual.h5", "profile.h5")
    p.same("usual.h5", "lean.h5")


def test_quiet_still_profiles(p):
    text = p.run(*SMALL, *EPOCHS, "--profile", "--quiet", "--out", "quiet.h5").stdout
    assert text.startswith("profile of 2 training steps"), text


program.main([
    test_profile_names_every_operation,
    test_a_profile_of_the_last_part_says_so,
    test_lean_says_what_it_computes_again,
    test_reference_is_profiled_without_peaks,
    test_one_step_has_no_profile,
    test_nothing_trained_has_no_profile,
    test_neither_changes_what_is_trained,
    test_quiet_still_profiles,
])
