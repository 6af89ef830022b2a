"""What studies of small networks need, on the GPU path beside the CPU: each row of each series, though results come late.

usage: studies.py PROGRAM STANDIN"""
import signal
import subprocess

from emulated import main, need_h5py, stats

h5py = need_h5py()
import numpy  # comes with h5py

RUN = ["--threads", "1", "--commit-every", "0", "--quiet"]
# Smooth, so that two right programs stay together.
NETWORK = """\
names: kinds
layers:
  - {convolution: 4, kernel: 5, stride: 4, padding: 2, bias: false}
  - batch_norm
  - tanh
  - linear: 24
  - tanh
  - dropout: 0.2
  - linear: classes
"""
SHAPES = ["--network", "small.yaml", "--dataset", "shapes", "--train-limit", "44", "--test-limit", "12", "--batch-size", "8",
          "--epochs", "2", "--learning-rate", "0.002", *RUN]
FIT = ["--network", "mlp-fit-8x7", "--dataset", "function", "--function", "sin-log", "--function-samples", "60",
       "--function-valid", "20", "--learning-rate", "0.005", "--epochs", "4", *RUN]
EVERYTHING = "weights,gradients,distances,gradient-stats,layer-losses,layer-outputs"
STEPS = ["--snapshots", "epochs:all;steps:all", "--gradient", "last", "--metric", "minkowski:1,euclidean", "--record", EVERYTHING]
# Relative to the largest of the series. Rows lie further apart than this, or a row in another's place would not be seen.
BOUND = 5e-5


def names(f):
    return list(f["parameters/name"].asstr()[:])


def train(program, name, *arguments, **variables):
    with open(program.file("small.yaml"), "w", encoding="utf-8") as f:
        f.write(NETWORK)
    program.good(*arguments, "--overwrite", "--out", name + ".h5", **variables)
    with h5py.File(program.file(name + ".h5"), "r") as f:
        return {key: f[key][()] for key in keys(f)}


def keys(f):
    found = []
    f.visititems(lambda key, item: found.append(key) if isinstance(item, h5py.Dataset) else None)
    return found


def compare(got, want):
    """The same schema; every row of every series, and the last weights, within BOUND; missing numbers in the same places."""
    assert got.keys() == want.keys(), sorted(got.keys() ^ want.keys())
    told = [key for key in want if key.startswith(("steps/", "epochs/", "weights/")) and "seconds" not in key]
    for key in told:
        a, b = got[key], want[key]
        assert a.dtype == b.dtype and a.shape == b.shape, (key, a.dtype, b.dtype, a.shape, b.shape)
        missing = numpy.isnan(b)
        assert (numpy.isnan(a) == missing).all(), f"{key}: numbers are missing in other places"
        a, b = a[~missing], b[~missing]
        if b.size:
            error = numpy.max(numpy.abs(a - b)) / max(numpy.max(numpy.abs(b)), 1e-30)
            assert error <= BOUND, f"{key}: {error:.1e} from the CPU's, {BOUND:.0e} allowed"


def rows_differ(record, keys_of_rows):
    """No row could stand in its neighbour's place: each is further from it than BOUND."""
    for key in keys_of_rows:
        rows = record[key].astype(float).reshape(len(record[key]), -1)
        apart = numpy.max(numpy.abs(rows[1:] - rows[:-1]), axis=1) / numpy.max(numpy.abs(rows))
        assert (apart > 2 * BOUND).all(), f"{key}: rows are as near as {apart.min():.1e}"


def recompute(path):
    """Distances and gradients' statistics from the weights and gradients of every step."""
    with h5py.File(path, "r") as f:
        steps = len(f["steps/loss"])
        assert list(f["snapshots/step"][:]) == list(range(steps + 1)), f["snapshots/step"][:]
        blocks = list(f["blocks/name"].asstr()[:])
        for b, block in enumerate(blocks):
            counted = [n for n in names(f) if n.startswith(block + ".")]
            assert sum(f["weights/" + n][0].size for n in counted) == f["blocks/weights"][b], (block, counted)
            for t in range(steps):
                for kind, base in (("initial", 0), ("previous", t)):
                    w = [f["weights/" + n][t + 1].astype(float) - f["weights/" + n][base] for n in counted]
                    for metric, value in (("minkowski:1", sum(numpy.abs(d).sum() for d in w)),
                                          ("euclidean", sum(numpy.sqrt((d * d).sum()) for d in w))):
                        got = f[f"steps/distance_to_{kind}/{metric}"][t, b]
                        assert abs(got - value) <= 1e-5 * value, (block, kind, t, metric, got, value)
        for i, name in enumerate(names(f)):
            for t in range(steps):
                g = f["gradients/" + name][t + 1].astype(float)
                for column, value in (("abs_mean", numpy.abs(g).mean()), ("abs_std", numpy.abs(g).std()),
                                      ("norms", numpy.sqrt((g * g).sum()))):
                    got = f["steps/gradient_" + column][t, i]
                    assert abs(got - value) <= 1e-5 * value + 1e-12, (name, t, column, got, value)
    return steps


def both(program, *arguments):
    """(the GPU path's record, the CPU's) of the same run."""
    return tuple(train(program, device, *arguments, "--device", device) for device in ("cuda", "cpu"))


def test_heads_and_layers(program):
    """Classifiers from the second epoch on, with every series there is; also where no snapshot waits for a step's results."""
    options = [*SHAPES, *STEPS, "--isolate", "classifier", "--isolate-from", "1"]
    got, want = both(program, *options)
    compare(got, want)
    rows_differ(want, ["steps/loss", "steps/layer_loss", "steps/layer_output_mean"])
    rows_differ({key: value[6:] for key, value in want.items() if key.startswith("steps/head")}, ["steps/head_loss"])
    assert want["steps/head_loss"].shape[1] >= 2, want["steps/head_loss"].shape
    assert recompute(program.file("cuda.h5")) == 12
    ahead = train(program, "ahead", *options, "--snapshots", "epochs:all", "--device", "cuda")
    other = [key for key in got if key.startswith("steps/") and got[key].tobytes() != ahead[key].tobytes()]
    assert not other, f"{other} are others when results run ahead"


def test_what_is_frozen_stays_where_it_went(program):
    """Its distance to the initial state is no 0, though nothing moves it any more."""
    train(program, "frozen", *SHAPES, *STEPS, "--freeze", "conv1,linear1", "--freeze-from", "1", "--device", "cuda")
    assert recompute(program.file("frozen.h5")) == 12
    with h5py.File(program.file("frozen.h5"), "r") as f:
        distances = f["steps/distance_to_initial/euclidean"][:]
        frozen = list(f["blocks/name"].asstr()[:]).index("linear1")
        assert distances[5, frozen] > 0.0 and (distances[6:, frozen] == distances[5, frozen]).all(), distances


def test_optimizers(program):
    for name, options in {"adagrad": ["--optimizer", "adagrad", "--learning-rate", "0.01", "--weight-decay", "0.01"],
                          "rmsprop": ["--optimizer", "rmsprop", "--alpha", "0.9", "--momentum", "0.5", "--clip-norm", "1"]}.items():
        got, want = both(program, *SHAPES, *options)
        compare(got, want)
        rows_differ(want, ["steps/loss"])
        program.good(*SHAPES, *options, "--device", "cuda", "--epochs", "1", "--out", name + ".h5")
        program.good(*SHAPES, *options, "--device", "cuda", "--resume", "--out", name + ".h5")
        program.good("verify", "--same", "cuda.h5", name + ".h5")


def test_layers_weighed(program):
    plain = train(program, "plain", *SHAPES, "--device", "cuda")
    got, want = both(program, *SHAPES, "--layer-loss", "even", "--layer-target", "0.25", "--record", EVERYTHING)
    compare(got, want)
    rows_differ(want, ["steps/loss", "steps/layer_loss", "steps/layer_output_mean"])
    assert got["steps/task_loss"][0] == plain["steps/loss"][0] and got["steps/task_loss"][1] != plain["steps/loss"][1]


def test_predictions_for_labels(program):
    """Their gradient measured, and added to that of the true labels."""
    plain = train(program, "plain", *SHAPES, "--device", "cuda")
    for labels in ("true", "added"):
        got, want = both(program, *SHAPES, "--loss-labels", labels, "--record", EVERYTHING + ",sensitivity")
        compare(got, want)
        rows_differ(want, ["steps/loss", "steps/sensitivity_batch", "steps/sensitivity_sample"])
        same = got["steps/loss"].tobytes() == plain["steps/loss"].tobytes()
        assert same == (labels == "true"), f"--loss-labels {labels}: {'the same' if same else 'other'} losses as without sensitivity"


def test_functions(program):
    """Data on the device, numbers for labels, in full batches and in others; every step recomputed."""
    for batch in ("0", "16"):
        options = [*FIT, "--batch-size", batch, "--dataset", "function", "--record", EVERYTHING, *STEPS[:-2]]
        got, want = both(program, *options)
        compare(got, want)
        assert numpy.isnan(got["steps/accuracy"]).all() and numpy.isnan(got["epochs/valid_accuracy"]).all()
        assert recompute(program.file("cuda.h5")) == (4 if batch == "0" else 16)
    rows_differ(want, ["steps/loss"])


def test_a_function_stays_on_the_device(program):
    """Its values go there once, however many epochs there are; each batch's values and targets are gathered from there."""
    moved = []
    for epochs in (1, 3):
        train(program, "fit", *FIT, "--batch-size", "16", "--epochs", str(epochs), "--device", "cuda", RS_EMU_STATS=program.file("stats"))
        kernels = stats(program.file("stats"))[1]
        moved.append([kernels[name]["launches"] for name in ("rs_cu_k_from_canonical", "rs_cu_k_gather_rows_1")])
    batches = 4 + 2  # of training and of validation
    assert moved == [[batches, 2 * batches], [batches, 6 * batches]], moved


def test_losses_and_reductions(program):
    shapes, fit = [*SHAPES, "--learning-rate", "0.001"], [*FIT, "--batch-size", "16"]
    for data, loss, reduction in ((fit, "mse", "elements"), (fit, "mse", "sum"), (shapes, "kl-divergence", "mean"),
                                  (shapes, "kl-divergence", "elements"), (shapes, "cross-entropy", "sum")):
        got, want = both(program, *data, "--loss", loss, "--loss-reduction", reduction)
        compare(got, want)
        rows_differ(want, ["steps/loss"])


def test_changed_data(program):
    """The same samples, labels and changes of images as the CPU's, of a batch in host memory or on the device."""
    plain = train(program, "plain", *SHAPES, "--device", "cpu")
    for options in (["--valid-split", "9", "--random-labels", "0.5"], ["--valid-split", "20", "--swap-splits"],
                    ["--augment", "flip,crop:4,rotate:20,jitter:0.2", "--random-labels", "0.2"], ["--resize", "24"]):
        got, want = both(program, *SHAPES, *options)
        compare(got, want)
        assert abs(plain["steps/loss"][0] - want["steps/loss"][0]) > 10 * BOUND, f"{options} change nothing"


def test_stop_rules(program):
    fit = [*FIT, "--batch-size", "0", "--epochs", "30"]
    for options, epochs in ((["--stop-change", "0.019", "--stop-change-from", "4"], 5), (["--stop-gradient", "3.05"], 8)):
        got, want = both(program, *fit, *options)
        compare(got, want)
        assert len(want["epochs/train_loss"]) == epochs and got["reason"] == want["reason"], (len(want["epochs/train_loss"]), got["reason"])


def test_warm_starts(program):
    """Two runs of two epochs, the second with the first one's optimizer, are one of four; a start from the CPU's record as well."""
    whole = train(program, "whole", *FIT, "--batch-size", "0", "--device", "cuda")
    train(program, "half", *FIT, "--batch-size", "0", "--epochs", "2", "--device", "cuda")
    train(program, "cpu_half", *FIT, "--batch-size", "0", "--epochs", "2", "--device", "cpu")
    carry = [*FIT, "--batch-size", "0", "--epochs", "2", "--init-optimizer"]
    carried = train(program, "carried", *carry, "--init-from", "half.h5", "--device", "cuda")
    assert (carried["steps/loss"] == whole["steps/loss"][2:]).all(), (carried["steps/loss"], whole["steps/loss"])
    last = [key for key in whole if key.startswith("weights/")]
    assert last and all(carried[key][-1].tobytes() == whole[key][-1].tobytes() for key in last)
    anew = train(program, "anew", *carry[:-1], "--init-from", "half.h5", "--device", "cuda")
    assert anew["steps/loss"][1] != carried["steps/loss"][1]
    compare(train(program, "from_cpu", *carry, "--init-from", "cpu_half.h5", "--device", "cuda"), carried)


def killed(program, seconds, *arguments):
    """Whether the run was still at work after this time; it is then killed."""
    process = program.start(*arguments)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True
    assert process.returncode == 0, process.returncode
    return False


def test_a_run_of_stages_that_is_killed_goes_on_to_the_same(program):
    """Killed with nothing said, each time a little later."""
    options = [*SHAPES, *STEPS, "--isolate", "target", "--isolate-from", "1", "--freeze", "conv1", "--freeze-from", "2", "--epochs", "4",
               "--device", "cuda"]
    train(program, "whole", *options)
    seconds, kills = 0.1, 0
    while killed(program, seconds, *options, "--resume", "--out", "cut.h5"):
        seconds, kills = seconds + 0.1, kills + 1
    assert kills > 1, "the run was never killed at work"
    program.good("verify", "--same", "whole.h5", "cut.h5")


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")])
