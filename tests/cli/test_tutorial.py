"""test_tutorial.py PROGRAM: every command of docs/tutorial.md, in its order and in one folder, with smaller settings, and its Python.

Blocks ```sh are run word for word but for the numbers of SMALLER; of the block ```sh install, which installs with apt and compiles, the
scripts and options must exist. Where gnuplot is missing, figures are left out, and said to be."""
import os
import re
import shlex
import shutil
import subprocess
import sys

import program

h5py = program.need_h5py()
ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
SMALLER = [("--depth 34", "--depth 18 --blocks 1,1,1,1"), ("--train-limit 2048", "--train-limit 96"),
           ("--test-limit 256", "--test-limit 32"), ("--batch-size 128", "--batch-size 32"),
           ("--set depth=18 --set train-limit=1024", "--set depth=18 --set blocks=1,1,1,1 --set train-limit=64"),
           ("--set batch-size=128", "--set batch-size=32 --set test-limit=32")]
NEEDS = {"resnet_study plot": "gnuplot", "h5ls": "h5ls"}  # commands that begin so, and the program they need


def blocks():
    """[(language, text)] of the code blocks."""
    with open(os.path.join(ROOT, "docs", "tutorial.md"), encoding="utf-8") as f:
        return re.findall(r"^```(\S+(?: \w+)?)\n(.*?)^```$", f.read(), re.M | re.S)


def smaller(text):
    for large, small in SMALLER:
        text = text.replace(large, small)
    return text


def run_line(p, line):
    env = dict(p.env, PATH=p.file("bin") + ":" + os.environ["PATH"])
    done = subprocess.run(["bash", "-c", line], cwd=p.dir, env=env, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    assert done.returncode == 0, f"{line}: status {done.returncode}: {done.stdout[-600:]}"
    return done.stdout


def check_install(text):
    with open(os.path.join(ROOT, "CMakePresets.json"), encoding="utf-8") as f:
        presets = f.read()
    for line in text.splitlines():
        words = shlex.split(line)
        if words[0] == "export":
            continue
        with open(os.path.join(ROOT, words[0]), encoding="utf-8") as f:
            script = f.read()
        assert os.access(os.path.join(ROOT, words[0]), os.X_OK), f"{words[0]} is no program"
        for word in words[1:]:
            assert word.startswith("-D") or word in script or f'"{word}"' in presets, f"{line}: what is {word}?"


def check_summary(p):
    """Its name and columns are what the tutorial says."""
    name, = [name for name in os.listdir(p.file("runs")) if name.endswith("_summary.csv")]
    assert re.fullmatch(r"minkowski_even\.([a-z-]+=[\w+-]+\.)+seeds=1\+2-[0-9a-f]{8}_summary\.csv", name), name
    with open(p.file("runs/" + name), encoding="utf-8") as f:
        header = f.readline().strip().split(",")
    assert {"mean", "std", "min", "max", "n", "planned", "changed"} <= set(header), header
    assert os.path.exists(p.file("runs/" + name.replace(".csv", ".h5")))


def check_results(p):
    check_summary(p)
    for name in ("movement.svg", "medians.svg", "loss.svg", "study.svg"):
        if shutil.which("gnuplot"):
            with open(p.file(name), encoding="utf-8") as f:
                assert "<path" in f.read(), f"{name} shows nothing"
    for name, words in (("comparison.html", "plain"), ("comparison.csv", "accuracy"), ("study.html", "minkowski")):
        with open(p.file(name), encoding="utf-8") as f:
            assert words in f.read(), f"{name} has no word of {words}"


def test_every_command_of_the_tutorial(p):
    os.mkdir(p.file("bin"))
    os.symlink(p.path, p.file("bin/resnet_study"))
    os.symlink(os.path.join(ROOT, "experiments"), p.file("experiments"))
    kinds = []
    for language, text in blocks():
        kinds.append(language)
        if language == "sh install":
            check_install(text)
        elif language == "sh":
            for line in smaller(text).strip().splitlines():
                lacking = [tool for words, tool in NEEDS.items() if line.startswith(words) and not shutil.which(tool)]
                if lacking:
                    print(f"skipped: no {lacking[0]} here, so not run: {line}")
                    continue
                shown = run_line(p, line)
                assert shown.strip(), f"{line} printed nothing"
        else:
            assert language == "python", f"a block of {language}"
            printed = subprocess.run([sys.executable, "-c", text], cwd=p.dir, check=True, stdout=subprocess.PIPE, text=True).stdout
            check_python(p, printed)
    assert kinds.count("sh") >= 5 and "sh install" in kinds and "python" in kinds, kinds
    check_results(p)


def shape_of(line):
    """A line of the program's output without what differs by machine and run: numbers, units, the processor."""
    line = re.sub(r" of [^;]+; memory", " of PROCESSOR; memory", line)
    line = re.sub(r"^\S*resnet_study: ", "resnet_study: ", line).replace("1 thread ", "1 threads ")
    return re.sub(r"\d+(\.\d+)?( [KMG]?i?B\b)?", "#", line)


def test_the_block_of_the_readme_is_what_the_quickstart_prints(p):
    """With fewer images: the same lines, but for numbers."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        block = re.search(r"^```\n(resnet_study: .*?)^```$", f.read(), re.M | re.S)[1].splitlines()
    with open(os.path.join(ROOT, "scripts", "quickstart.sh"), encoding="utf-8") as f:
        command = f.read().split("\nbuild/release/resnet_study ")[1].replace("\\\n", " ").replace('"$out"', "runs/quickstart.h5")
    for large, small in (("--train-limit 4096", "--train-limit 128"), ("--test-limit 1024", "--test-limit 32"),
                         ("--batch-size 128", "--batch-size 32")):
        assert large in command, f"the quickstart has no {large} any more"
        command = command.replace(large, small)
    done = p.run(*shlex.split(command))
    printed = (done.stderr + done.stdout).replace(p.path, "build/release/resnet_study").splitlines()
    printed = [line for line in printed if "images/s" not in line]  # of a slow machine
    assert [shape_of(line) for line in block] == [shape_of(line) for line in printed], "\n".join(block + printed)


def check_python(p, printed):
    for kind in ("plain", "residual"):
        with h5py.File(p.file(kind + ".h5")) as f:
            moved = f["steps/distance_to_initial/minkowski:1"][-1] / f["blocks/weights"][:]
        assert f"{kind}: first block moved {moved[0]:.5f} a weight, the last {moved[-1]:.5f}; " in printed, printed
    assert printed.count("(4, 128, 64, 3, 3)") == 2, printed


def test_smaller_settings_are_of_the_tutorial(p):
    text = "".join(text for _, text in blocks())
    unused = [large for large, _ in SMALLER if large not in text]
    assert not unused, f"the tutorial has no {unused} any more, so that its commands would run at full size"


if __name__ == "__main__":
    program.main([test_every_command_of_the_tutorial, test_the_block_of_the_readme_is_what_the_quickstart_prints,
                  test_smaller_settings_are_of_the_tutorial])
