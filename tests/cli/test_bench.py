"""test_bench.py PROGRAM: the benchmarks' statistics, turns and files of results, and the scripts from end to end with a stand-in
for PyTorch whose times are known; and our own programs. Nothing here depends on how fast anything is."""
import json
import math
import os
import re
import subprocess
import sys

import program

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench")
sys.path.insert(0, BENCH)
import pairs  # noqa: E402  (from the folder of the benchmarks)
import report  # noqa: E402
import scaling  # noqa: E402
import small  # noqa: E402

# A worker whose steps take 20 ms by its own account, 10 with NHWC, 4/5 of it with a malloc that keeps memory.
STAND_IN = """#!{python}
import os, sys
with open({log!r}, "a") as f:
    f.write(" ".join(sys.argv[1:]) + chr(10))
if sys.argv[1] == "-c":
    sys.exit(print("PyTorch", "0.0-stand-in", sep=chr(9)))
if "--compile" in sys.argv:
    sys.exit("no compiler here")
if "pytorch_epoch" in sys.argv[1]:
    sys.exit(print("PyTorch: net: 1 parameters" + chr(10) + "epoch 1/1  done", file=sys.stderr))
if "pytorch_peaks" in sys.argv[1]:
    sys.exit(print("gemm 2x2x2 forward {peak}" + chr(10) + "convolution 1x2->2@4x4 forward 1000000.0"))
step = (0.01 if "nhwc" in sys.argv else 0.02) * (0.8 if "MALLOC_MMAP_MAX_" in os.environ else 1)
print("ready 0.1", flush=True)
for line in sys.stdin:
    with open({log!r}, "a") as f:
        f.write("turn " + line)
    print(step * int(line), {loss!r}, flush=True)
print("peak 1048576")
"""


def stand_in(p, name, loss="1.0", peak="2000000.0"):
    """(program, its log): a worker as above, also as the python of a virtual environment."""
    path, log = p.file(f"{name}/bin/python"), p.file(f"{name}.log")
    os.makedirs(os.path.dirname(path))
    with open(path, "w", encoding="utf-8") as f:
        f.write(STAND_IN.format(python=sys.executable, log=log, loss=loss, peak=peak))
    os.chmod(path, 0o755)
    return path, log


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def script(p, name, *arguments, expect=0):
    done = subprocess.run([sys.executable, "-B", os.path.join(BENCH, name), *arguments], cwd=p.dir, env=p.env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == expect, f"{name} {arguments}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def refused(function, *arguments):
    try:
        function(*arguments)
    except (ValueError, pairs.WorkerFailed, SystemExit) as problem:
        return str(problem)
    raise AssertionError(f"{function.__name__}{arguments}: not refused")


def test_statistics(_):
    assert pairs.spread([3, 1, 2, 9]) == (2.5, 1, 9)
    assert pairs.ratios([2, 9, 8], [1, 3, 2]) == (3, 2, 4)  # not 8 / 2, the ratio of the medians
    for wrong in ([], [1, math.nan], [math.inf]):
        refused(pairs.spread, wrong)
    refused(pairs.ratios, [1, 2], [1])
    slope, intercept, worst = scaling.line([(1, 3), (2, 5), (4, 9)])
    assert abs(slope - 2) < 1e-12 and abs(intercept - 1) < 1e-12 and worst < 1e-12
    assert abs(scaling.line([(0, 1), (1, 1), (2, 4)])[2] - 1) < 1e-12  # 0.5 + 1.5 x: 1 lies twice as high as the line at 0
    refused(scaling.line, [(1, 2), (1, 3)])


def test_figures_and_tables(_):
    assert [report.figures(v) for v in (612.34, 2.016, 0.01234, 45678, 0)] == ["612", "2.02", "0.0123", "45678", "0"]
    assert report.spread_text((2.016, 1.5, 10)) == "2.02 (1.50–10.0)"
    assert report.table(["a", "b"], [[1, "x|y"]]) == "| a | b |\n| --- | --- |\n| 1 | x/y |"
    refused(report.table, ["a"], [[1, 2]])


def test_turns(p):
    """Turns alternate, the first round does not count, each worker trains the steps of its own turn."""
    path, log = stand_in(p, "worker")
    one, two = pairs.Worker("one", [path, "nchw"], turn=3), pairs.Worker("two", [path, "nhwc"], turn=5)
    assert pairs.interleaved([one, two], 2) == {"one": [0.06, 0.06], "two": [0.05, 0.05]}
    assert one.peak == 1048576 and one.process is None
    assert read(log).split("\n")[2:] == ["turn 3", "turn 5"] * 3 + [""], read(log)
    os.remove(log)
    assert pairs.alternating([one, two], 2) == {"one": [0.06, 0.06], "two": [0.05, 0.05]}
    assert read(log).split("\n") == ["nchw", "turn 3", "nhwc", "turn 5"] * 2 + [""], read(log)


def test_failed_workers_are_no_measurement(p):
    diverged, _ = stand_in(p, "diverged", loss="nan")
    assert "nan" in refused(pairs.interleaved, [pairs.Worker("w", [diverged, "nchw"])], 1)
    said = refused(pairs.interleaved, [pairs.Worker("w", [diverged, "--compile"])], 1)
    assert "w ended" in said and "no compiler here" in said, said
    assert "none" in refused(pairs.Worker("w", [p.file("none")]).start)


def test_results_survive_and_resume(p):
    path = p.file("results/r.md")
    results = report.Results(path, "Title", lambda r: [f"{len(r.of('row'))} rows"])
    assert results.measure("row", "a", lambda: {"x": 1}) == 0
    assert results.measure("row", "b", lambda: refused_worker()) == 1
    assert "1 rows" in read(path) and "b: not measured: out of order" in read(path)
    assert "--resume" in refused(report.Results, path, "Title", lambda r: [])
    with open(p.file("results/r.jsonl"), "a", encoding="utf-8") as f:
        f.write('{"kind": "row", "key": "half')  # what a full disk leaves
    again = report.Results(path, "Title", lambda r: [f"{len(r.of('row'))} rows"], resume=True)
    assert again.measure("row", "a", lambda: refused_worker()) == 0, "measured twice"
    assert again.measure("row", "b", lambda: {"x": 2}) == 0
    assert "2 rows" in read(path)
    assert [json.loads(line)["kind"] for line in read(p.file("results/r.jsonl")).split("\n")[:-1]] == ["row", "note", "row"]


def refused_worker():
    raise pairs.WorkerFailed("out of order")


def ours(p, name, *arguments, expect=0, said=""):
    """What one of our programs prints, or complains of, when it is told `said`."""
    done = subprocess.run([os.path.join(os.path.dirname(p.path), "bench", name), *arguments], cwd=p.dir, env=p.env, input=said,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == expect, f"{name} {arguments}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stderr if expect else done.stdout


WORKER = ["--device", "ref", "--blocks", "1,1,1,1", "--dataset", "shapes", "--record", "none", "--batch-size", "2", "--train-limit", "8"]


def test_our_worker(p):
    """On the reference backend: two steps, a later one, an epoch that ends within a turn."""
    worker = pairs.Worker("ours", [os.path.join(os.path.dirname(p.path), "bench", "train_worker"), *WORKER])
    try:
        assert worker.start() > 0
        assert worker.train(2) > 0 and worker.stop() > 1 << 20
        worker.start()
        assert "--train-limit" in refused(worker.train, 5)
    finally:
        worker.kill()


def test_our_worker_trains_what_is_asked(p):
    """Its options mean what they mean to the program: other blocks are another network, what excludes each other is refused."""
    def loss(*options):
        ready, answer, peak = (line.split() for line in ours(p, "train_worker", *WORKER, *options, said="1\n").splitlines())
        assert ready[0] == "ready" and peak[0] == "peak", (ready, answer, peak)
        return answer[1]

    assert loss() == loss() and loss() != loss("--blocks", "1,1,1,2")
    assert "exclude each other" in ours(p, "train_worker", *WORKER, "--overwrite", "--resume", expect=2)
    assert "--depth 19" in ours(p, "train_worker", *WORKER, "--depth", "19", expect=2)


def environment_of(p, given):
    """The variables of idle threads that a worker runs with where only those of `given` are set."""
    names = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    environment = {name: value for name, value in p.env.items() if name not in names}
    process = subprocess.Popen([os.path.join(os.path.dirname(p.path), "bench", "train_worker"), *WORKER], env={**environment, **given},
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline().startswith("ready")
        pairs_of = (entry.partition("=") for entry in read(f"/proc/{process.pid}/environ").split("\0"))
        return {name: value for name, _, value in pairs_of if name in names}
    finally:
        process.communicate()
        assert process.returncode == 0, process.returncode


def test_idle_threads_wait_briefly(p):
    """Our programs start themselves once more with what libgomp reads before main(), unless the user chose."""
    assert environment_of(p, {}) == {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "20000"}
    for chosen in ({"OMP_WAIT_POLICY": "active"}, {"GOMP_SPINCOUNT": "7"}):
        assert environment_of(p, chosen) == chosen


def test_recorder_bench(p):
    """Every mode in every round, the median of an even number of rounds, a goal, and nothing left on the disk."""
    folder = p.file("disk")
    os.mkdir(folder)
    text = ours(p, "recorder_bench", "--depth", "18", "--plain", "--snapshots", "1", "--rounds", "2", "--folder", folder)
    for mode in ("recorder", "alternate", "write 1M", "write all"):
        assert len(re.findall(rf"^round [012]  {mode} ", text, re.M)) == 3, text
    spreads = re.findall(r"^ *(\S.*?) +min +([0-9.]+)  median +([0-9.]+)  max +([0-9.]+) ", text, re.M)
    assert len(spreads) == 4 + 1 + 4, text
    for _, least, median, most in spreads:
        assert abs(2 * float(median) - float(least) - float(most)) < 0.003, text
    assert re.search(r"^goal 0\.8: (met|missed)$", text, re.M), text
    assert os.listdir(folder) == []


def test_operators(p):
    """Each operation and pass of the chosen cases, with and without peaks to hold them against."""
    for device in ("cpu", "ref"):
        lines = ours(p, "operators", "--filter", "conv_1x1_stride2", "--batch-size", "2", "--rounds", "2", "--threads", "2", "--device",
                     device).splitlines()
        rows = [line.split() for line in lines[2:]]
        assert len({row[0] for row in rows}) == 4 and "batch 2, 2 rounds" in lines[0], lines
        assert {row[-7] for row in rows} == ({"forward", "data", "weights"} if device == "cpu" else {"forward", "backward"}), lines
        for row in rows:
            middle, least, most = (float(word) for word in row[-6:-3])
            assert 0 <= least <= most and abs(2 * middle - least - most) < 0.003, row
            if device == "cpu":
                assert all(re.fullmatch(r"[0-9]+(\.[0-9]|%)", word) for word in row[-3:]), row
            else:
                assert row[-3:] == ["-", "-", "-"], row


def test_our_usage(p):
    """Help is no failure; a number is a whole number within its range, or the program says what is allowed."""
    for name in ("operators", "recorder_bench", "peaks"):
        assert f"{name} [--" in ours(p, name, "--help") and "[--rounds 5]" in ours(p, name, "-h")
        for wrong in ("0", "x", "2x", "", "-1", "99999999999999999999", "1000"):
            assert f"--rounds {wrong}: must be a number from 1 to" in ours(p, name, "--rounds", wrong, expect=2)
        assert "--threads -1: must be" in ours(p, name, "--threads", "-1", expect=2)
        assert "needs a value" in ours(p, name, "--rounds", expect=2)
        assert "unknown option --round; there are --" in ours(p, name, "--round", "2", expect=2)
    assert "not one of auto" in ours(p, "operators", "--device", "gpu", expect=2)
    assert "19" in ours(p, "recorder_bench", "--depth", "19", expect=2)
    assert "too long" in ours(p, "recorder_bench", "--depth", "18", "--folder", "x" * 5000, expect=2)


def test_step(p):
    """From pilot to table: the fastest setting is found, a failing one is noted, --resume measures nothing twice."""
    _, log = stand_in(p, "venv")
    arguments = [os.path.dirname(p.path), "--venv", p.file("venv"), "--depths", "18", "--batches", "4", "--rounds", "2", "--steps", "1",
                 "--variants", "plain", "--widths", "even,standard", "--compile", "-o", p.file("step.md")]
    script(p, "step.py", *arguments)
    text = read(p.file("step.md"))
    rows = [line.split(" | ") for line in text.split("\n") if line.startswith("| ResNet-18 plain, ")]
    assert [r[0] for r in rows] == ["| ResNet-18 plain, even, batch 4", "| ResNet-18 plain, standard, batch 4"], text
    for row in rows:
        assert row[2] == "500 (500–500)" and row[5] == "NHWC malloc keeps" and row[7] == "0.000977", row  # 4 images in 8 ms; 1 MiB
    assert rows[0][4].startswith("2: ") and rows[1][4] == "no goal", rows
    assert "NHWC malloc keeps compiled ended: no compiler here" in text and "PyTorch: 0.0-stand-in" in text
    starts = read(log).count("pytorch_worker.py")
    assert starts == 2 * (4 + 1 + 2), starts
    script(p, "step.py", *arguments, expect=1)
    script(p, "step.py", *arguments, "--resume")
    assert read(log).count("pytorch_worker.py") == starts
    assert "Continued" in read(p.file("step.md"))


def test_step_apart(p):
    """What does not fit in memory together is started anew for each turn, as often as there are rounds."""
    _, log = stand_in(p, "venv")
    script(p, "step.py", os.path.dirname(p.path), "--venv", p.file("venv"), "--depths", "18", "--batches", "4", "--rounds", "3", "--steps",
           "2", "--variants", "plain", "--widths", "even", "--apart", "-o", p.file("step.md"))
    assert "500 (500–500)" in read(p.file("step.md")) and "2, started anew each turn" in read(p.file("step.md"))
    assert read(log).count("pytorch_worker.py") == 4 + 2 * 3 and read(log).count("turn 2") == 2 * 3, read(log)


def test_goals_of_small_networks(_):
    """The lower of the ratio and the share of the peak; what is no number reaches neither."""
    entry = dict(network="baseline-net", operations=1e9)
    nan = math.nan
    for rate, ratio, peak, said in ((245.1, 2.0, 350.0, ("3 or 70%: met", "70%")), (244.0, 2.99, 350.0, ("3 or 70%: missed", "70%")),
                                    (100.0, 3.0, 350.0, ("3 or 70%: met", "29%")), (300.0, 2.0, None, ("3: missed", "-")),
                                    (300.0, 3.0, None, ("3: met", "-")), (nan, nan, 350.0, ("3 or 70%: missed", "nan%"))):
        assert small.goal(entry, rate, ratio, peak) == said, (rate, ratio, peak)


def test_operations_and_peaks(p):
    """Of the smallest network counted by hand: 8 layers of 8 x 8, less one input's gradient; the peaks: every size and pass."""
    worker = os.path.join(os.path.dirname(p.path), "bench", "small_worker")
    (line,) = small.lines_of([worker, "function-fit", "operations"], "operations")
    assert line == ["operations", str(2000 * 2 * (2 * 8 + 3 * 7 * 64 + 3 * 8))], line
    lines = [line.split() for line in ours(p, "peaks", "--rounds", "1", "--threads", "1").splitlines()]
    assert len(lines) == 3 * 2 + 3 * 3 and all(float(rate) > 0 for *_, rate in lines), lines
    assert {(kind, passed) for kind, _, passed, _ in lines} == {("gemm", "forward"), ("gemm", "backward"), ("convolution", "forward"),
                                                                ("convolution", "weights"), ("convolution", "data")}


def test_small(p):
    """Rates, operations a second and the share of the highest peak, whoever reached it."""
    stand_in(p, "venv")
    build = os.path.dirname(p.path)
    options = ["--rounds", "1", "--steps", "2", "--threads", "1"]
    script(p, "small.py", build, "--venv", p.file("venv"), "--networks", "function-fit,mnist-cnn-b", *options, "-o", p.file("small.md"))
    text = read(p.file("small.md"))
    assert "| gemm | 2000000 | PyTorch | 2x2x2 | forward |" in text and "| convolution | 1000000 | PyTorch | 1x2->2@4x4 | forward |" in text
    fit, net = ([cell.strip() for cell in line.split("|")[1:-1]] for line in text.split("\n")
                if line.startswith(("| function-fit", "| mnist-cnn-b")))
    assert fit[2] == "62.5 (62.5–62.5)" and fit[5] == "-" and fit[6].startswith("5: "), fit
    assert net[2] == "125 (125–125)" and net[5] == "0%" and net[6].startswith("3 or 70%: ") and net[7] == "NHWC malloc keeps", net
    with open(p.file("small.jsonl"), encoding="utf-8") as f:
        entry = next(e for e in map(json.loads, f) if e.get("network") == "mnist-cnn-b")
    rate = entry["steps"] / entry["seconds"]["ours"][0] * entry["operations"] / 1e9
    assert entry["operations"] == 924825600 and net[4].startswith(report.figures(rate)), (net, rate)
    stand_in(p, "odd", peak="nan")
    script(p, "small.py", build, "--venv", p.file("odd"), "--networks", "function-fit", *options, "-o", p.file("odd.md"), expect=1)
    assert "peaks: not measured: PyTorch: gemm 2x2x2 forward: nan" in read(p.file("odd.md")), read(p.file("odd.md"))


def test_epoch_and_scaling(p):
    stand_in(p, "venv")
    build = os.path.dirname(p.path)
    script(p, "epoch.py", build, "--venv", p.file("venv"), "--variants", "plain", "--batches", "8", "--train-limit", "16", "--test-limit",
           "8", "--rounds", "1", "--turn", "0", "-o", p.file("epoch.md"))
    text = read(p.file("epoch.md"))
    assert text.count("| ResNet-18 plain, even, batch 8") == 3 and text.count("## ") == 3 and "NHWC malloc keeps" in text, text
    script(p, "scaling.py", build, "--variants", "plain", "--depths", "18,34", "--batch-size", "4", "--batches", "2,4", "--rounds", "1",
           "--turn", "0", "-o", p.file("scaling.md"))
    text = read(p.file("scaling.md"))
    assert text.count("## ") == 5 and "ms a GFLOP" in text, text
    rows = [line for line in text.split("\n") if line.startswith("| ResNet-")]
    assert len(rows) == 2 + 2 + 1 + 2, rows  # batch sizes, start-ups, load, activations


def test_usage(p):
    for name in ("step.py", "small.py", "epoch.py", "scaling.py", "peer.py", "machine.py"):
        assert "usage" in script(p, name, "--help") or name == "machine.py"
    assert "18, 26, 34" in script(p, "step.py", ".", "--depths", "19", expect=2)
    assert "no program there" in script(p, "step.py", p.dir, expect=1)
    done = subprocess.run(["sh", os.path.join(BENCH, "all.sh"), "--help"], stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0 and "--quick" in done.stdout


if __name__ == "__main__":
    program.main([value for name, value in list(globals().items()) if name.startswith("test_")])
