"""test_report.py PROGRAM: the command `report`: pages and tables against what the records hold. What a browser makes of the pages is in
test_report_browser.py."""
import csv
import glob
import html
import io
import json
import math
import os
import re
import shutil
import signal
import time

import html_check
import program

h5py = program.need_h5py()

NET = """example: {input: [3, 32, 32], classes: 10}
layers:
  - {max_pool: 4, name: small}
  - {linear: 16, name: hidden}
  - relu
  - linear: classes
"""
RUN = ["--network", "net.yaml", "--dataset", "shapes", "--train-limit", "64", "--test-limit", "32", "--batch-size", "16", "--epochs", "3",
       "--device", "ref", "--quiet", "--commit-every", "0"]
STUDY = """study: little
settings: {network: net.yaml, dataset: shapes, train-limit: 64, test-limit: 32, batch-size: 16, epochs: 2, device: ref}
grid: {learning-rate: [0.01, 0.0001]}
seeds: [1, 2, 3]
"""


def write(p, text, name):
    with open(p.file(name), "w", encoding="utf-8") as f:
        f.write(text)


def read(p, name):
    with open(p.file(name), encoding="utf-8") as f:
        return f.read()


def train(p, name, *options, expect=0):
    write(p, NET, "net.yaml")
    p.run(*RUN, "--out", name, *options, expect=expect)


def page(p, *arguments, name="page.html"):
    """Writes the page and looks at its markup."""
    p.run("report", *arguments, "-o", name, "--overwrite")
    text = read(p, name)
    faults = html_check.faults(text)
    assert not faults, faults
    return text


def plain(text):
    """The text that a reader sees, in one line."""
    text = re.sub(r"<(script|style).*?</\1>", " ", text, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def rows_of(text, caption):
    """The cells' texts of each row of the body of the first table with that caption."""
    table = re.search(rf"<caption>{re.escape(caption)}</caption>.*?<tbody>(.*?)</tbody></table>", text, re.S)
    assert table, f"there is no table {caption}"
    return [[plain(cell) for cell in re.findall(r"<t[hd]\b.*?</t[hd]>", row, re.S)]
            for row in re.findall(r"<tr\b.*?</tr>", table[1], re.S)]


def values_of(text, caption):
    """data-value of every cell of the first body row."""
    table = re.search(rf"<caption>{re.escape(caption)}</caption>.*?<tbody>(.*?)</tr>", text, re.S)
    return [float(value) for value in re.findall(r'data-value="([^"]*)"', table[1])]


def test_a_run_is_told_in_full(p):
    train(p, "one.h5")
    text = page(p, "one.h5", "--no-figures")
    with h5py.File(p.file("one.h5")) as f:
        loss, accuracy = f["epochs/test_loss"][-1], f["epochs/test_accuracy"][-1]
        seen = values_of(text, "Results after the last epoch")
        assert any(math.isclose(value, loss, rel_tol=1e-7) for value in seen), (loss, seen)
        assert any(math.isclose(value, accuracy, rel_tol=1e-7) for value in seen), (accuracy, seen)
        layers = {row[0]: row for row in rows_of(text, "Layers")}
        names = list(f["parameters/name"].asstr()[:])
        for name, layer, count in zip(names, f["parameters/layer"].asstr()[:], f["parameters/count"][:]):
            row = " ".join(layers[layer])
            assert f"weights/{name}" in row and f"gradients/{name}" in row, row
            assert f["weights/" + name].shape[1:] == tuple(map(int, re.search(rf"{re.escape(name)} \[([^\]]*)\]", row)[1].split(", ")))
            assert count <= int(layers[layer][3].replace(",", "")), row
        column = names.index("hidden.weight")
        assert f"column {column} of steps/gradient_abs_mean" in " ".join(layers["hidden"])
        early = f["steps/gradient_abs_mean"][:5, column].astype(float).mean()
        late = f["steps/gradient_abs_mean"][-5:, column].astype(float).mean()
        assert f"{early:.4g}" in layers["hidden"] and f"{late:.4g}" in layers["hidden"], layers["hidden"]
        body = plain(text)
        for name in ("program_version", "commit", "device", "libraries"):
            assert " ".join(f.attrs[name].split()) in body, name
        assert "No warnings" in body and 'id="warnings"' not in text
        assert "sha256" in body or "built in" in body or "shapes" in body
    options = {row[0]: row[1] for row in rows_of(text, "Options that were set")}
    assert options["epochs"] == "3" and "epsilon" not in options, options  # the record has what the default stands for
    assert "epsilon" in [row[0] for row in rows_of(text, "Options left at their defaults")]


def test_groups_are_means_over_seeds(p):
    write(p, NET, "net.yaml")
    write(p, STUDY, "little.yaml")
    p.run("run", "little.yaml", "--quiet")
    p.run("report", "runs/little", "-o", "t.csv", "-o", "t.md", "-o", "t.json", "-o", "page.html", "--no-figures")
    text = read(p, "page.html")
    assert not html_check.faults(text), html_check.faults(text)
    assert "<title>little</title>" in text
    table = list(csv.DictReader(io.StringIO(read(p, "t.csv"))))
    whole = json.loads(read(p, "t.json"))
    assert [row["learning-rate"] for row in table] == ["0.0001", "0.01"], table
    means = []
    for row, group in zip(table, whole["groups"]):
        losses = []
        for path in glob.glob(p.file("runs/little/*.h5")):
            with h5py.File(path) as f:
                if f"learning-rate: {row['learning-rate']}\n" in f["config"].asstr()[()]:
                    losses.append(f["epochs/test_loss"][-1])
        mean = sum(losses) / 3
        std = math.sqrt(sum((x - mean) ** 2 for x in losses) / 2)
        assert len(losses) == 3 and math.isclose(float(row["test_loss_mean"]), mean, rel_tol=1e-8), (row, losses)
        assert math.isclose(float(row["test_loss_std"]), std, rel_tol=1e-7), (row, std)
        assert math.isclose(group["results"]["test_loss"]["mean"], mean, rel_tol=1e-12), group
        assert len(group["runs"]) == 3 and row["finished"] == "3"
        means.append(mean)
    best = [row["test_loss_is_best"] for row in table]
    assert best == (["1", "0"] if means[0] < means[1] else ["0", "1"]), (best, means)
    assert [group["results"]["test_loss"]["is_best"] for group in whole["groups"]] == [value == "1" for value in best], whole
    marked = [line for line in read(p, "t.md").splitlines() if "**" in line]
    assert marked and all(line.startswith("| learning rate ") for line in marked), marked
    assert len(rows_of(text, "Every run")) == 6 and "±" in rows_of(text, "Results after the last epoch")[0][2]


def test_what_is_missing_is_said(p):
    write(p, NET, "net.yaml")
    write(p, STUDY, "little.yaml")
    p.run("run", "little.yaml", "--quiet")
    victim = sorted(glob.glob(p.file("runs/little/*.h5")))[0]
    with h5py.File(victim) as f:
        seed = int(f.attrs["seed"])
    os.remove(victim)
    text = page(p, "runs/little_summary.h5", "--no-figures")
    body = plain(text)
    assert not re.search("<td[^>]*best", text), "a group is best that has not all its runs"
    assert f"2 finished runs where others have up to 3; missing: seed {seed}" in body, body[:1500]
    with open(p.file("runs/little/foreign.h5"), "wb") as f:
        f.write(b"no record")
    body = plain(page(p, "runs/little", "--no-figures"))
    assert "Left out:" in body and "foreign.h5" in body, body[:1500]


def test_unfinished_and_diverged_runs_are_warned_of(p):
    train(p, "lost.h5", "--optimizer", "sgd", "--learning-rate", "1e30", "--epochs", "9", expect=4)
    train(p, "good.h5", "--optimizer", "sgd")
    body = plain(page(p, "lost.h5", "--no-figures"))
    assert "lost.h5 diverged" in body, body[:1500]
    text = page(p, "good.h5", "lost.h5", "--no-figures")
    assert "lost.h5 diverged" in plain(text) and "good.h5 diverged" not in plain(text)
    write(p, NET, "net.yaml")
    child = p.start(*RUN, "--epochs", "100000", "--train-limit", "2000", "--out", "cut.h5")
    while not os.path.exists(p.file("cut.h5")):
        time.sleep(0.05)
    time.sleep(1.0)
    live = plain(page(p, "cut.h5", "--no-figures"))
    child.send_signal(signal.SIGINT)
    child.communicate()
    assert "a process writes it now, or was killed" in live, live[:1500]
    assert "cut.h5 is not finished (interrupted)" in plain(page(p, "cut.h5", "--no-figures"))


def test_diverged_runs_are_named_and_never_best(p):
    for seed in ("1", "2"):
        train(p, f"calm{seed}.h5", "--optimizer", "sgd", "--seed", seed)
        train(p, f"slow{seed}.h5", "--optimizer", "sgd", "--seed", seed, "--learning-rate", "1e-9")
    train(p, "wild1.h5", "--optimizer", "sgd", "--learning-rate", "0.01")
    train(p, "wild2.h5", "--optimizer", "sgd", "--learning-rate", "0.01", "--seed", "2")
    with h5py.File(p.file("wild1.h5"), "r+") as f:  # the best by far, of one seed
        f["epochs/test_loss"][-1] = 0.001
    with h5py.File(p.file("wild2.h5"), "r+") as f:
        f["state"][...] = b"diverged"
    names = ["calm1.h5", "calm2.h5", "slow1.h5", "slow2.h5", "wild1.h5", "wild2.h5"]
    text = page(p, *names, "--no-figures")
    rows = {row[0]: " ".join(row) for row in rows_of(text, "Results after the last epoch")}
    assert "1 of 2 wild2.h5 diverged" in rows["0.01"] and "best" not in rows["0.01"], rows
    assert "best" in " ".join(rows.values()), rows
    assert "Not compared, as runs are missing: learning rate 0.01 ." in plain(text), plain(text)[:3000]
    p.run("report", *names, "-o", "t.csv", "-o", "t.md", "--overwrite")
    table = {row["learning-rate"]: row for row in csv.DictReader(io.StringIO(read(p, "t.csv")))}
    assert table["0.01"]["diverged"] == "1" and table["0.01"]["test_loss_is_best"] == "0" and table["0.001"]["diverged"] == "0", table
    assert sum(row["test_loss_is_best"] == "1" for row in table.values()) == 1, table
    assert "Diverged: wild2.h5, after " in read(p, "t.md") and "| 1 of 2, 1 diverged |" in read(p, "t.md")


def left_out(text):
    """Reasons by figure."""
    return dict(re.findall(r"<li>left out: ([-\w]+): (.*?)</li>", html.unescape(text)))


def test_figures_that_are_not_there_are_named(p):
    if not shutil.which(os.environ.get("RS_GNUPLOT", "gnuplot")):
        print("        not run: there is no gnuplot")
        return
    train(p, "a.h5")
    train(p, "b.h5", "--seed", "2", "--learning-rate", "0.1")
    train(p, "none.h5", "--epochs", "0", "--learning-rate", "0.2")
    text = page(p, "a.h5")
    drawn = set(re.findall(r'<figure id="figure-([-\w]+)"', text))
    every = set(re.findall(r"^  ([a-z-]+)$", p.run("plot", "--help").stdout.split("Figures, ")[1].split("\n\n")[0], re.M))
    assert drawn and len(every) > 15 and drawn | set(left_out(text)) == every, (drawn, left_out(text), every)
    assert not drawn & set(left_out(text)), drawn
    assert "results of analyze pca" in left_out(text)["pca"] and "networks of several sizes" in left_out(text)["parameters"]
    for names, title in ((["a.h5", "b.h5"], "learning rate 0.001 and learning rate 0.1"),
                         (["a.h5", "b.h5", "none.h5"], "3 runs that differ in epochs, learning rate")):
        text = page(p, *names)
        assert f"<h1>{title}</h1>" in text, re.findall("<h1>[^<]*", text)
    assert "shows one run" in left_out(text)["weights"], left_out(text)
    assert re.search(r"Left out: [^.]*learning rate 0\.2 \(no epoch is finished\)", plain(text)), plain(text)[:4000]
    assert "no epoch is finished" in left_out(page(p, "none.h5"))["loss"]
    script = p.file("broken")
    with open(script, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\ncase $* in *version*) echo gnuplot 5.4;; *) echo 'no such terminal' >&2; exit 1;; esac\n")
    os.chmod(script, 0o755)
    p.env["RS_GNUPLOT"] = script
    text = page(p, "a.h5")
    assert "<svg" not in text and "Figures that could not be drawn" in text and len(left_out(text)) == len(every), left_out(text)


def test_layers_and_what_is_recorded_of_them_are_linked(p):
    p.run("--depth", "18", "--blocks", "1,1,1,1", *RUN[2:], "--epochs", "1", "--train-limit", "32", "--out", "a.h5")
    text = page(p, "a.h5")
    ids = set(re.findall(r' id="([^"]+)"', text))
    row = re.search(r'<tr id="layer-1-layer2_2e0_2econv1".*?</tr>', text, re.S)
    assert row, sorted(name for name in ids if name.startswith("layer-"))
    links = set(re.findall(r'href="#([^"]+)"', row[0]))
    figures = {f"figure-{name}" for name in ("distances", "medians", "distance-heatmap", "gradient-flow", "weights", "gradients")}
    assert {"block-1-2"} | (figures & ids) <= links <= ids, (links, figures & ids)
    block = re.search(r'<tr id="block-1-2">.*?</tr>', text, re.S)[0]
    assert 'href="#layer-1-layer2_2e0_2econv1"' in block and 'href="#layer-1-layer2_2e0_2econv2"' in block, block
    assert "layer1_2e0" not in block
    for figure in re.findall(r'<figure id="figure-(?:distances|medians|weights)".*?</figure>', text, re.S):
        assert '<a href="#layers">' in figure, figure[-300:]
        if "figure-distances" in figure:  # what a pointer is told is no logarithm
            assert "to previous step (log)" in figure and '"yName":"to previous step"' in figure, figure[:3000]


def test_planned_runs_of_named_networks_are_missed(p):
    """A study's summary calls groups by their options, the page by networks' names: what is planned still finds its group."""
    write(p, NET, "net.yaml")
    study = STUDY.replace("network: net.yaml", 'blocks: "1,1,1,1", depth: 18, width: even').replace("learning-rate: [0.01, 0.0001]", "plain: [false, true]")
    write(p, study.replace("epochs: 2", "epochs: 1").replace("[1, 2, 3]", "[1, 2]"), "little.yaml")
    p.run("run", "little.yaml", "--quiet")
    p.run("report", "runs/little", "-o", "whole.csv")
    assert sum(row["test_loss_is_best"] == "1" for row in csv.DictReader(io.StringIO(read(p, "whole.csv")))) == 1
    for pattern in ("resnet18-plain-*.h5", "resnet18-shapes-*.h5"):
        os.remove(sorted(glob.glob(p.file("runs/little/" + pattern)))[0])
    p.run("report", "runs/little", "-o", "part.csv")
    assert [row["test_loss_is_best"] for row in csv.DictReader(io.StringIO(read(p, "part.csv")))] == ["0", "0"], read(p, "part.csv")


def test_networks_have_the_names_of_the_figures(p):
    for name, option in (("a.h5", []), ("b.h5", ["--plain"])):
        p.run("--depth", "18", "--blocks", "1,1,1,1", *RUN[2:], "--epochs", "1", "--train-limit", "16", *option, "--out", name)
    p.run("report", "a.h5", "b.h5", "-o", "t.csv", "-o", "page.html", "--no-figures")
    table = list(csv.DictReader(io.StringIO(read(p, "t.csv"))))
    names = ["ResNet blocks of 1,1,1,1, plain", "ResNet blocks of 1,1,1,1"]
    assert [(row["group"], row["plain"]) for row in table] == list(zip(names, ("true", "false"))), table
    text = read(p, "page.html")
    assert [row[0] for row in rows_of(text, "Results after the last epoch")] == ["plain", "residual"] and ">plain or residual</th>" in text
    assert {row[1] for row in rows_of(text, "Every run")} == set(names), rows_of(text, "Every run")


def test_explosions_and_nans_are_warned_of(p):
    train(p, "a.h5")
    with h5py.File(p.file("a.h5"), "r+") as f:
        f["steps/loss"][5] = 1000.0 * f["steps/loss"][0]
        f["steps/gradient_norm"][7] = math.nan
        f["epochs/test_loss"][-1] = math.nan
        f["steps/gradient_abs_mean"][-1] = math.nan
    text = page(p, "a.h5", "--no-figures")
    body = plain(text)
    assert "the loss exploded" in body and "at step 5, 1e+03 times" in body, body[:1500]
    assert "no finite number at step 7" in body, body[:1500]
    nans = re.findall(r".{20}(?<![-\w])nan(?![-\w]).{20}", body.lower().replace("stop-on-nan", ""))
    assert not nans, nans
    p.run("report", "a.h5", "-o", "t.json")
    json.loads(read(p, "t.json"), parse_constant=lambda word: 1 / 0)


def test_every_metric_is_named_and_damage_is_told(p):
    p.run("--depth", "18", "--blocks", "1,1,1,1", *RUN[2:], "--epochs", "1", "--train-limit", "16", "--metric", "minkowski:1,cosine",
          "--out", "a.h5")
    text = page(p, "a.h5", "--no-figures")
    layers = {row[0]: " ".join(row) for row in rows_of(text, "Layers")}
    row = layers["layer2.0.conv1"]
    assert "steps/distance_to_initial/minkowski:1" in row and "steps/distance_to_previous/cosine" in row, row
    assert "weights/layer2.0.bn1.running_var" in layers["layer2.0.bn1"], layers["layer2.0.bn1"]
    with h5py.File(p.file("a.h5")) as f:
        distance, weights = f["steps/distance_to_initial/minkowski:1"][-1, 1], f["blocks/weights"][1]
    block = rows_of(text, "Blocks")[1]
    assert block[0] == "layer2.0" and block[3] == f"{distance:.4g}" and block[4] == f"{distance / weights:.4g}", block
    with h5py.File(p.file("a.h5"), "r+") as f:
        del f["parameters/shape"]
    body = plain(page(p, "a.h5", "--no-figures"))
    assert "The layers cannot be read:" in body and "parameters/shape was not recorded" in body, body[-3000:]
    for counts in ([-1], [2**63 - 1], [2**53 - 1, 2**53 - 1]):
        with h5py.File(p.file("a.h5"), "r+") as f:
            f["parameters/count"][:len(counts)] = counts
        done = p.run("report", "a.h5", "-o", "none.html", expect=3)
        assert "parameters/count holds what is no number of parameters" in done.stderr and "verify" in done.stderr, done.stderr
        assert not os.path.exists(p.file("none.html"))


def test_resumed_and_copied_runs_are_told(p):
    train(p, "a.h5")
    train(p, "a.h5", "--epochs", "4", "--resume")
    shutil.copy(p.file("a.h5"), p.file("b.h5"))
    body = plain(page(p, "a.h5", "--no-figures"))
    assert "1 of 1 runs were resumed: to the same bits" in body, body[:1500]
    text = page(p, "a.h5", "b.h5", "--no-figures")
    assert "one of them may be a copy" in plain(text), plain(text)[:1500]
    assert [row[1] for row in rows_of(text, "Results after the last epoch")] == ["1", "2"]


def test_results_of_analyses_go_along(p):
    train(p, "a.h5")
    p.run("analyze", "pca", "a.h5", "-o", "a.pca.h5")
    body = plain(page(p, "a.h5", "a.pca.h5"))
    assert "that figures show: a.pca.h5" in body, body[-1500:]
    assert "name their records, too" in p.run("report", "a.pca.h5", "-o", "x.html", expect=3).stderr


def test_hostile_names_stay_text(p):
    evil = '<script>alert(1)</script>"\'&é日\x07.h5'.replace("/", "_")
    train(p, "a.h5")
    os.rename(p.file("a.h5"), p.file(evil))
    train(p, "b.h5", "--learning-rate", "0.1")
    with h5py.File(p.file("b.h5"), "r+") as f:
        config = f["config"][()]
        f["config"][()] = config.replace(b'metric: "minkowski:1"', b"metric: '<b onx=1>'")
        assert b"<b onx" in f["config"][()], config
    for options in (["--no-figures"], []):
        text = page(p, evil, "b.h5", "--title", "</title><script>alert(2)</script>", *options)
        assert "<script>alert" not in text and "<b onx" not in text
        assert text.count("<script>") == 1 and "é日�" in plain(text)
    p.run("report", evil, "b.h5", "-o", "t.md", "-o", "t.csv", "-o", "t.json")
    assert "<script" not in read(p, "t.md")
    assert json.loads(read(p, "t.json"))["groups"] and list(csv.reader(io.StringIO(read(p, "t.csv"))))


def test_a_thousand_layers_fit(p):
    write(p, "example: {input: [3, 32, 32], classes: 10}\nlayers:\n  - {max_pool: 8, name: small}\n" + "  - linear: 3\n" * 1000 +
          "  - linear: classes\n", "net.yaml")
    p.run(*RUN, "--epochs", "1", "--train-limit", "16", "--out", "deep.h5")
    text = page(p, "deep.h5", "--no-figures")
    assert len(rows_of(text, "Layers")) == 1001
    assert len(text) < 5e6


def test_one_epoch_and_none_are_right(p):
    train(p, "none.h5", "--epochs", "0")
    train(p, "bare.h5", "--epochs", "1", "--record", "none", "--snapshots", "none")
    body = plain(page(p, "none.h5", "--no-figures"))
    assert "none.h5 has no finished epoch" in body, body[:1500]
    text = page(p, "bare.h5", "--no-figures")
    assert "weights/" not in "".join(" ".join(row) for row in rows_of(text, "Layers"))


def test_mistakes_are_told(p):
    train(p, "a.h5")
    write(p, "x", "taken.html")
    open(p.file("empty.h5"), "wb").close()
    with h5py.File(p.file("other.h5"), "w") as f:
        f["x"] = 1
    os.mkdir(p.file("nothing"))
    cases = [
        (["a.h5", "-o", "page.pdf"], 2, "page.pdf: its ending must say what is wanted"),
        (["a.h5", "-o", "taken.html"], 2, "taken.html exists; --overwrite replaces it"),
        (["a.h5", "-o"], 2, "-o needs a value"),
        (["a.h5", "--titel", "x"], 2, "unknown option --titel; nearest: --title"),
        ([], 2, "no record is given"),
        (["gone.h5"], 3, "gone.h5"),
        (["empty.h5"], 3, "empty.h5"),
        (["other.h5"], 3, "other.h5"),
        (["a.h5", "other.h5", "-o", "x.html"], 3, "other.h5"),
        (["nothing"], 3, "nothing holds no records"),
        (["a.h5", "-o", "no/such/place.html", "--no-figures"], 1, "no/such/place.html cannot be written: there is no folder no/such; make it first"),
    ]
    for arguments, status, message in cases:
        done = p.run("report", *arguments, expect=status)
        assert message in done.stderr and done.stderr.startswith("resnet_study report: "), (arguments, done.stderr)
    assert not glob.glob(p.file("*.part")) and not os.path.exists(p.file("x.html")) and read(p, "taken.html") == "x"
    assert p.run("report", "a.h5", "--no-figures").stdout == "a.html\n"


def test_help_has_examples(p):
    text = p.run("report", "--help").stdout
    assert text.startswith("usage: resnet_study report INPUT...") and "Examples:" in text
    assert all(len(line) <= 110 for line in text.splitlines())


def test_without_gnuplot_all_else_is_there(p):
    train(p, "a.h5")
    p.env["RS_GNUPLOT"] = "/nonexistent/gnuplot"
    text = page(p, "a.h5")
    assert len(re.findall(r'class="missing">There are no figures:', text)) == 1 and "<svg" not in text
    assert rows_of(text, "Layers") and rows_of(text, "Results after the last epoch")


if __name__ == "__main__":
    program.main([test for name, test in list(globals().items()) if name.startswith("test_")])
