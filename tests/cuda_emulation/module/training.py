"""Training on the GPU path against the CPU's and the reference's, and against itself.

usage: training.py PROGRAM STANDIN [short|long]"""
import sys

from emulated import SMALL, main, need_h5py, stats

h5py = need_h5py()
import numpy  # comes with h5py
LONG = len(sys.argv) > 3 and sys.argv[3] == "long"
METRICS = ["--metric", "minkowski:1,euclidean,chebyshev,cosine"]


def read(path):
    """A record: {path: array}, and under "@name of path", empty, the attributes."""
    found = {}

    def take(where, item):
        found.update({f"@{name} of {where}": numpy.empty(0) for name in item.attrs})
        if isinstance(item, h5py.Dataset):
            found[where] = item[()]

    with h5py.File(path, "r") as f:
        take("", f)
        f.visititems(take)
    return found


def record(program, name, *arguments, **variables):
    """Trains and reads the record."""
    path = program.file(name + ".h5")
    program.good(*SMALL, *METRICS, *arguments, "--quiet", "--out", path, **variables)
    return read(path)


def differing(a, b):
    """Data sets that differ in a bit; what depends on the clock aside."""
    assert a.keys() == b.keys(), sorted(a.keys() ^ b.keys())
    clock = ("commits", "epochs/train_seconds", "epochs/valid_seconds", "epochs/record_seconds", "config")
    return [key for key in a if not key.startswith(clock) and a[key].tobytes() != b[key].tobytes()]


def close(what, got, want, tolerance):
    assert numpy.isfinite(got).all(), f"{what} is not finite"
    error = numpy.max(numpy.abs(got - want)) / max(numpy.max(numpy.abs(want)), 1e-30)
    assert error <= tolerance, f"{what}: {error:.1e} from the other, {tolerance:.0e} allowed"


def compare(got, want):
    """The same schema; the first step closely; later ones roughly, as beside ReLU's kinks two right programs drift apart."""
    assert got.keys() == want.keys(), sorted(got.keys() ^ want.keys())
    other = [key for key in want if key != "config" and (got[key].dtype, got[key].shape) != (want[key].dtype, want[key].shape)]
    assert not other, f"of another type or shape: {other}"
    # Beside kinks whole networks are sensitive to rounding: the CPU's own two ways to compute a convolution give first gradient norms
    # of ResNet-26 plain that lie 1.7e-3 apart, with four samples.
    gradients = 1e-2 if LONG else 1e-3
    for name, first, later in (("loss", 2e-6, 2e-2), ("gradient_norm", gradients, 1e-1)):
        a, b = got[f"steps/{name}"], want[f"steps/{name}"]
        close(f"{name} of the first step", a[:1], b[:1], first)
        close(name, a, b, later)
    for key in [k for k in want if k.startswith(("steps/distance", "steps/gradient_abs"))]:
        close(f"{key} of the first step", got[key][0], want[key][0], 2e-3 if "distance" in key else 2 * gradients)
        close(key, got[key], want[key], 2e-1)


def networks():
    if not LONG:
        return [["--depth", "18"], ["--depth", "26", "--plain"]]
    kinds = [["--depth", d, "--blocks", "", *p] for d in ("18", "26") for p in ([], ["--plain"])]
    # 20 steps with so small a batch: at a larger rate two right programs drift apart beside kinks by more than a bound would bear
    return [[*kind, "--train-limit", "80", "--epochs", "1", "--learning-rate", "1e-4"] for kind in kinds]


def test_as_on_the_cpu(program):
    for i, network in enumerate(networks()):
        got = record(program, f"cuda{i}", *network)
        for device in ("cpu", "ref") if not LONG else ("cpu",):
            compare(got, record(program, f"{device}{i}", *network, "--device", device))


def test_same_bits_whatever_the_order(program):
    """Streams in any order, threads in any order, with and without graphs, with less memory: no bit changes."""
    epochs = ["--epochs", "2" if LONG else "1"]
    plain = record(program, "plain", *epochs)
    variants = {
        "seed": {"RS_EMU_SEED": "3"},
        "other_seed": {"RS_EMU_SEED": "4"},
        "reverse": {"RS_EMU_ORDER": "reverse"},
        "lot": {"RS_EMU_ORDER": "9", "RS_EMU_SEED": "9"},
        "no_graph": {"RS_CUDA_GRAPH": "0"},
        "no_memory_for_the_graph": {"RS_EMU_FAIL": "cudaGraphLaunch:1"},
    }
    for name, variables in variants.items():
        found = differing(plain, record(program, name, *epochs, **variables))
        assert not found, f"{name}: {found} differ"
    found = differing(plain, record(program, "lean", "--memory", "lean", *epochs))
    assert not found, f"--memory lean: {found} differ"


def test_graphs_follow_the_schedule(program):
    """What changes from step to step is no part of a graph: rates, step counts, clipping."""
    options = ["--epochs", "3", "--schedule", "exponential", "--schedule-gamma", "0.5", "--clip-norm", "1"]
    found = differing(record(program, "graph", *options), record(program, "no_graph", *options, RS_CUDA_GRAPH="0"))
    assert not found, f"{found} differ"


def calls_of_steps(program, name, **variables):
    """Calls that four training steps take: those of a run of nine without those of a run of five."""
    calls = []
    for images in (20, 36):
        path = program.file(f"{name}{images}")
        program.good(*SMALL, "--epochs", "1", "--train-limit", str(images), "--quiet", "--out", path + ".h5", RS_EMU_STATS=path,
                     **variables)
        calls.append(stats(path)[0])
    few, more = calls
    return {call: more[call] - few.get(call, 0) for call in more if more[call] != few.get(call, 0)}


def test_a_step_neither_waits_nor_allocates(program):
    """A graph, the batch in, results out; the one event that is waited for is that of the batch three steps before."""
    grown = calls_of_steps(program, "graph")
    most = {"cudaGraphLaunch": 4, "cudaMemcpyAsync": 8, "cudaEventRecord": 8, "cudaEventSynchronize": 4}
    harmless = {"cudaEventQuery", "cudaGetLastError"}
    assert grown.get("cudaGraphLaunch") == 4, grown
    assert all(count <= most.get(call, 0) for call, count in grown.items() if call not in harmless), grown
    grown = calls_of_steps(program, "plain", RS_CUDA_GRAPH="0")
    assert grown["__cudaLaunchKernel"] > 4 and grown["cudaEventSynchronize"] <= 4, grown
    waits = ("cudaMalloc", "cudaFree", "cudaHostAlloc", "cudaFreeHost", "cudaStreamSynchronize", "cudaDeviceSynchronize")
    assert not any(call in grown for call in waits), grown


def test_tf32(program):
    exact, rough = record(program, "f32"), record(program, "tf32", "--precision", "tf32")
    difference = abs(exact["steps/loss"][0] - rough["steps/loss"][0])
    assert 0 < difference < 2e-2, f"the first loss differs by {difference:.1e}"


def test_a_profile_is_of_every_later_step(program):
    """Results come late on a GPU, but a profile begins after the first step all the same; it changes no bit."""
    for name, variables in (("graph", {}), ("no_graph", {"RS_CUDA_GRAPH": "0"})):
        done = program.good(*SMALL, "--epochs", "1", "--profile", "--quiet", "--out", name + ".h5", **variables)
        assert done.stdout.startswith("profile of 3 training steps (after the first)"), done.stdout[:200]
    found = differing(record(program, "plain", "--epochs", "1"), record(program, "profile", "--epochs", "1", "--profile"))
    assert not found, f"{found} differ"


def test_optimizers(program):
    for name, options in {"sgd": ["--optimizer", "sgd", "--learning-rate", "0.01", "--momentum", "0.9", "--nesterov"],
                          "adamw": ["--optimizer", "adamw", "--weight-decay", "0.01", "--clip-norm", "0.5"]}.items():
        compare(record(program, f"cuda_{name}", *options), record(program, f"cpu_{name}", *options, "--device", "cpu"))


def test_resumed(program):
    """Two epochs at once, and one, then the other: the same record."""
    whole = record(program, "whole")
    path = program.file("parts.h5")
    program.good(*SMALL, *METRICS, "--epochs", "1", "--quiet", "--out", path)
    program.good(*SMALL, *METRICS, "--resume", "--quiet", "--out", path)
    found = differing(whole, read(path))
    assert not found, f"{found} differ"


def plan_lines(text):
    """What --verbose says of the convolutions."""
    lines = [line for line in text.splitlines() if ", searched, workspace" in line]
    assert lines, f"no searched convolution in:\n{text[-2000:]}"
    return lines


def test_a_search_is_kept(program):
    """Timings differ from run to run (by RS_EMU_SEED here): a resumed run chooses what the first one did, a new one may not."""
    options = [*SMALL, "--convolution", "search", "--verbose"]
    first = program.good(*options, "--epochs", "1", "--out", "kept.h5", RS_EMU_SEED="1")
    again = program.good(*options, "--resume", "--out", "kept.h5", RS_EMU_SEED="2")
    other = program.good(*options, "--epochs", "1", "--out", "other.h5", RS_EMU_SEED="2")
    lines = [plan_lines(run.stdout + run.stderr) for run in (first, again, other)]
    assert lines[0] == lines[1], "the resumed run chose otherwise"
    assert lines[0] != lines[2], "the stand-in's timings are always the same: this test shows nothing"


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")])
