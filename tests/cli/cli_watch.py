"""cli_watch.py PROGRAM: `info --watch` beside runs that begin later, go on, are killed, have ended; on terminals of many sizes."""
import fcntl
import functools
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import program

h5py = program.need_h5py()
TINY = ["--network", "mlp-20x3", "--dataset", "function", "--function", "sinc-log", "--function-samples", "60", "--function-valid", "20",
        "--batch-size", "20", "--threads", "1", "--commit-every", "0", *program.SMALL[-2:]]
LONG = [*TINY, "--epochs", "1000000", "--snapshots", "none", "--record", "distances", "--quiet"]


def train(p, name, *options):
    p.run(*options, "--out", name, "--quiet")
    return name


def lines_of(p, path):
    with open(p.file(path), encoding="utf-8") as f:
        return f.read().splitlines()


def texts(dataset):
    return [x.decode() for x in dataset[:]]


def wait_for(condition, what, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s for {what}")


def start_long(p, name):
    run = p.start(*LONG, "--out", name)

    def committed():
        found = subprocess.run([p.path, "info", "--json", name], cwd=p.dir, env=p.env, capture_output=True, text=True, check=False)
        return found.returncode == 0 and json.loads(found.stdout)["committed"]["epochs"] > 2

    wait_for(committed, "the first commits")
    return run


def rest_of(process):
    """What a process still prints, to its end. communicate() would leave out what readline() has read ahead."""
    out, err = process.stdout.read(), process.stderr.read()
    process.wait(timeout=60)
    return out, err


def test_watch_a_run_to_its_end(p):
    run = start_long(p, "run.h5")
    watch = p.start("info", "--watch", "--interval", "0.1", "run.h5")
    lines = [watch.stdout.readline() for _ in range(5)]
    assert json.loads(p.run("info", "--json", "run.h5").stdout)["writer"] == "alive"
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=60) == 130
    out, err = rest_of(watch)
    assert watch.returncode == 1 and err == "", err
    lines += out.splitlines(keepends=True)
    epochs = [int(line.split()[1].split("/")[0]) for line in lines if line.startswith("epoch ")]
    assert epochs == sorted(epochs) and epochs[-1] > epochs[0], epochs
    assert len(epochs) == len(lines) - 1 and all("train loss" in line for line in lines[:5]), lines[:5]
    with h5py.File(p.file("run.h5")) as f:
        assert lines[-1] == f"run.h5: interrupted: {len(f['epoch'])} epochs, {len(f['step'])} steps\n", lines[-1]
        first = lines[0].split()
        assert float(first[first.index("loss") + 1]) == float(f"{f['epochs/train_loss'][epochs[0] - 1]:.4f}"), lines[0]
    assert "\033" not in "".join(lines)


def test_watch_a_run_that_is_killed(p):
    run = start_long(p, "run.h5")
    watch = p.start("info", "--watch", "--interval", "0.1", "run.h5")
    assert watch.stdout.readline().startswith("epoch ")
    run.kill()
    run.wait()
    out, err = rest_of(watch)
    assert watch.returncode == 1 and err == "" and "run.h5: killed: no process writes it any more; go on with --resume" in out, out
    assert json.loads(p.run("info", "--json", "run.h5").stdout)["writer"] == "killed"
    assert "killed" in p.run("info", "--watch", "run.h5", expect=1).stdout
    p.run("export", "run.h5", "-o", "out")  # what commits cover, although the file has a writer's mark
    steps = json.loads(p.run("info", "--json", "run.h5").stdout)["committed"]["steps"]
    assert len(lines_of(p, "out/steps.csv")) - 1 == steps > 0
    p.run("verify", "--repair", "run.h5")
    assert "run.h5: interrupted: " in p.run("info", "--watch", "run.h5", expect=1).stdout
    with h5py.File(p.file("run.h5"), "r+") as f:  # as another tool leaves it that clears the mark alone
        f["state"][0] = b"running"
    assert "no process writes it any more; go on with --resume" in p.run("info", "--watch", "run.h5", expect=1).stdout
    assert "state        running, but no process writes it: go on" in p.run("info", "run.h5").stdout


def test_watch_waits_for_the_file(p):
    watch = p.start("info", "--watch", "--interval", "0.05", "new/run.h5")
    assert watch.stderr.readline() == "resnet_study info: new/run.h5 is not there yet; waiting for it (Ctrl-C ends that)\n"
    time.sleep(0.3)
    assert watch.poll() is None, rest_of(watch)
    os.mkdir(p.file("new"))
    p.run(*TINY, "--epochs", "3", "--out", "new/run.h5", "--quiet")
    out, err = rest_of(watch)
    assert watch.returncode == 0 and err == "" and out.endswith("new/run.h5: done: 3 epochs, 9 steps\n"), (out, err)
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        watch = p.start("info", "--watch", "never.h5")
        watch.stderr.readline()
        watch.send_signal(number)
        out, err = rest_of(watch)
        assert watch.returncode == status and out == "" and err.startswith("resnet_study info: interrupted: never.h5 never came; "), err
    watch = p.start("info", "--watch", "--interval", "0.05", "later.h5")
    watch.stderr.readline()
    with open(p.file("later.tmp"), "wb") as f:
        f.write(b"")
    os.rename(p.file("later.tmp"), p.file("later.h5"))
    time.sleep(0.5)  # empty: perhaps it is being made
    assert watch.poll() is None, rest_of(watch)
    train(p, "done.h5", *TINY)
    os.rename(p.file("done.h5"), p.file("later.h5"))
    out, err = rest_of(watch)
    assert watch.returncode == 0 and "later.h5: done: " in out and err == "", (out, err)


def test_watch_runs_that_are_over(p):
    train(p, "run.h5", *TINY, "--epochs", "3")
    lines = p.run("info", "--watch", "run.h5").stdout.splitlines()
    assert lines[0].startswith("epoch 3/3  step 9  train loss ") and lines[1:] == ["run.h5: done: 3 epochs, 9 steps"], lines
    p.run(*TINY, "--learning-rate", "1e30", "--epochs", "2", "--out", "nan.h5", "--quiet", expect=4)
    assert "nan.h5: diverged" in p.run("info", "--watch", "nan.h5", expect=4).stdout


def screen(data, rows, columns):
    """What a terminal shows of the few sequences that are used: up, to the line's begin, clear behind, clear below."""
    lines, row, column, at = [""] * 400, 0, 0, 0
    text = data.decode("utf-8")
    while at < len(text):
        if text[at] == "\033":
            end = at + 2
            while not text[end].isalpha():
                end += 1
            code = text[at + 2:end + 1]
            if code.endswith("A"):
                assert int(code[:-1]) <= min(row, rows - 1), "goes up beyond the terminal"
                row -= int(code[:-1])
            elif code == "K":
                lines[row] = lines[row][:column]
            elif code == "J":
                lines[row:] = [lines[row][:column]] + [""] * (len(lines) - row - 1)
            else:
                raise AssertionError(f"unknown sequence {code!r}")
            at = end + 1
            continue
        if text[at] == "\n":
            row += 1
        elif text[at] == "\r":
            column = 0
        else:
            assert column < columns, "a line is wider than the terminal"
            lines[row] = lines[row][:column].ljust(column) + text[at] + lines[row][column + 1:]
            column += 1
        at += 1
    return [line.rstrip() for line in lines if line.strip()]


def on_a_terminal(test):
    """The test, or a line that there is none here."""
    @functools.wraps(test)
    def either(p):
        if program.has_terminals():
            test(p)
        else:
            print("        not run: this system gives no pseudo terminals")
    return either


def watch_on_terminal(p, name, rows, columns, locale, seconds=None):
    """Runs --watch on a terminal of that size; returns what it wrote and its exit status (None: it was ended after `seconds`)."""
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.chdir(p.dir)
        os.execve(p.path, [p.path, "info", "--watch", "--interval", "0.1", name], dict(p.env, TERM="xterm", LC_ALL=locale))
    data, end = b"", time.time() + (seconds or 60)
    while time.time() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                data += os.read(terminal, 65536)
            except OSError:  # it has ended
                end = 0
    if seconds:
        os.kill(child, signal.SIGINT)
    status = os.waitpid(child, 0)[1]
    os.close(terminal)
    return data, os.waitstatus_to_exitcode(status)


@on_a_terminal
def test_watch_on_a_terminal(p):
    run = start_long(p, "run.h5")
    try:
        data, status = watch_on_terminal(p, "run.h5", 24, 80, "C.UTF-8", seconds=4)
    finally:
        run.send_signal(signal.SIGINT)
        run.wait()
    assert status == -signal.SIGINT and data.count(b"\033[J") > 5, (status, data)
    shown = screen(data, 24, 80)
    assert shown[0] == "run.h5  mlp-20x3 on function  running" and shown[1].startswith("epoch "), shown
    assert " steps/s  left about " in shown[1] and shown[2].startswith("last step   loss "), shown
    with h5py.File(p.file("run.h5")) as f:
        blocks = texts(f["blocks/name"])
        assert [line.split()[1] for line in shown if line.lstrip()[0].isdigit()] == blocks, shown
    assert any("█" in line for line in shown)


@on_a_terminal
def test_watch_fits_any_terminal(p):
    train(p, "run.h5", *TINY, "--epochs", "4")
    for rows, columns, locale in ((24, 80, "C.UTF-8"), (8, 60, "C"), (5, 30, "C.UTF-8"), (60, 200, "C"), (3, 12, "C")):
        data, status = watch_on_terminal(p, "run.h5", rows, columns, locale)
        shown = screen(data, rows, columns + 40)  # the last line says how it ended, and may wrap
        assert status == 0 and shown[-1] == "run.h5: done: 4 epochs, 12 steps", shown
        assert len(shown) <= rows and all(len(line) < columns for line in shown[:-1]), (rows, columns, shown)
        assert locale == "C.UTF-8" or all(ord(c) < 128 for line in shown for c in line), shown


def test_a_thousand_blocks(p):
    with open(p.file("deep.yaml"), "w", encoding="utf-8") as f:
        f.write("names: kinds\nlayers:\n  - {linear: 4, name: first}\n  - times: 1000\n    layers:\n      - block: \"part{}\"\n"
                "        layers:\n          - {linear: 4, initialization: zeros}\n          - {add: block_input}\n  - linear: classes\n")
    options = [o if o != "mlp-20x3" else "deep.yaml" for o in TINY]
    train(p, "deep.h5", *options, "--epochs", "1", "--learning-rate", "1e-6")
    p.run("export", "deep.h5", "-o", "out")
    with h5py.File(p.file("deep.h5")) as f:
        columns = lines_of(p, "out/distance_to_initial_minkowski_1.csv")[0].split(",")
        assert len(columns) > 1000 and columns[1:] == texts(f["blocks/name"])
        assert len(json.loads(p.run("info", "--json", "deep.h5").stdout)["layers"]) > 2000
    assert "weights: 2004 tensors in both" in p.run("compare", "deep.h5@0", "deep.h5").stdout
    if not program.has_terminals():
        return
    data, status = watch_on_terminal(p, "deep.h5", 24, 80, "C.UTF-8")
    assert status == 0 and "more blocks: a larger terminal shows them" in data.decode(), data[-500:]


if __name__ == "__main__":
    program.main([test for name, test in list(globals().items()) if name.startswith("test_")])
