"""cli_config_help.py PROGRAM: --help word by word, also of the scripts, errors of usage with exit status 2, manual page.

RS_UPDATE_GOLDEN=1 writes the golden files anew; read the difference before you commit it."""
import glob
import os
import re
import shutil
import subprocess

import program

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "..", "..", "scripts")


def compare(text, golden):
    path = os.path.join(HERE, golden)
    if os.environ.get("RS_UPDATE_GOLDEN"):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    with open(path, encoding="utf-8") as f:
        expected = f.read()
    for number, (is_now, was) in enumerate(zip(text.splitlines(), expected.splitlines()), 1):
        assert is_now == was, f"{golden}:{number}: \"{is_now}\" instead of \"{was}\" (RS_UPDATE_GOLDEN=1 takes the new one)"
    assert text == expected, f"{golden}: {len(text)} characters instead of {len(expected)}"


def test_help_is_the_golden_text(p):
    text = p.run("--help").stdout
    compare(text, "cli_config_help.txt")
    assert p.run("--depth", "34", "--help").stdout == text
    assert p.run("-h").stdout == text
    too_long = [line for line in text.splitlines() if len(line) > 100]
    assert not too_long, too_long


def test_what_the_program_sets_is_taken_but_not_in_the_help(p):
    text = p.run("--help").stdout
    for name in ("--network-digest", "--init-digest"):
        assert name not in text, f"{name} is in --help, which nobody sets by hand"
        assert f"{name} is for a" in p.run(name, "12", expect=2).stderr


def test_help_of_run_is_the_golden_text(p):
    compare(p.run("run", "--help").stdout, "cli_study_help.txt")


def test_help_of_analyze_is_the_golden_text(p):
    text = p.run("analyze", "--help").stdout
    compare(text, "cli_analyze_help.txt")
    assert max(len(line) for line in text.splitlines()) <= 100


def test_help_of_plot_is_the_golden_text(p):
    text = p.run("plot", "--help").stdout
    compare(text, "cli_plot_help.txt")
    assert max(len(line) for line in text.splitlines()) <= 100


def test_bad_usage_says_what_is_allowed(p):
    cases = [
        (["--depth", "67"], "--depth 67: not one of 18, 26, 34, 50, 68, 101; nearest 68"),
        (["--dept", "18"], "--dept: unknown option; nearest --depth"),
        (["--epochs"], "--epochs: its value N is missing; allowed: a whole number from 0 to 1000000"),
        (["--dataset", "cifar"], "--dataset cifar: not one of cifar10, cifar100, mnist, fashion-mnist, shapes, function; nearest cifar10"),
        (["--learning-rate", "nan"], "--learning-rate nan: not a number of at least 0"),
        (["--momentum", "0.9"], "--momentum is of --optimizer sgd and rmsprop; adam has --beta1"),
        (["--network", "mlp-relu", "--depth", "18"],  # the default, but given
         "--network mlp-relu names a whole network; --depth, --plain, --width and --blocks are of the ResNets"),
        (["--overwrite", "--resume"],
         "--overwrite and --resume exclude each other: replace the record or go on with it"),
        (["run"], "which study? as in: resnet_study run experiments/minkowski_even.yaml --dry-run"),
    ]
    for arguments, message in cases:
        done = p.run(*arguments, expect=2)
        assert done.stderr == f"resnet_study: error: {message}\n", done.stderr
        assert done.stdout == "", done.stdout
    assert os.listdir(p.dir) == [], "something was made in spite of bad usage"


def options_of(text):
    return set(re.findall(r"^  (?:-h, )?--(?:\[no-\])?([a-z0-9-]+)", text, re.M))


def test_the_manual_page_has_every_option(p):
    page = subprocess.run([os.path.join(SCRIPTS, "man_page.sh"), p.path], check=True, capture_output=True, text=True).stdout
    found = page.replace("\\-", "-")
    options = options_of(p.run("--help").stdout)
    assert len(options) > 40, options
    for option in options:
        assert f"{option}" in found, f"--{option} is not on the manual page"
    assert found.startswith('.\\" made from --help') and re.search(r'^\.TH RESNET_STUDY 1 "" "resnet_study [0-9.]+"', found, re.M)
    if shutil.which("groff"):
        rendered = subprocess.run(["groff", "-man", "-ww", "-Tutf8"], input=page, check=True, capture_output=True, text=True)
        assert rendered.stderr == "", rendered.stderr
        assert "EXIT STATUS" in re.sub(".\b", "", rendered.stdout)


def test_the_help_of_every_script(p):
    """Of all that are called by hand; none begins its work."""
    folders = ("scripts", "docs", "experiments", "bench")
    paths = [path for folder in folders for path in glob.glob(os.path.join(SCRIPTS, "..", folder, "*.sh"))]
    paths = [path for path in paths if not re.search(r"completion_\w+\.sh$", path)]
    assert len(paths) > 12, paths
    for path in paths:
        done = subprocess.run([path, "--help"], cwd=p.dir, env=p.env, check=False, capture_output=True, text=True, timeout=20)
        assert done.returncode == 0 and not done.stderr, f"{path} --help: status {done.returncode}: {done.stderr[-300:]}"
        assert os.path.basename(path) in done.stdout and "set -" not in done.stdout, f"{path} --help: {done.stdout[:300]}"
    assert os.listdir(p.dir) == [], "something was made"
    done = subprocess.run([os.path.join(SCRIPTS, "build.sh"), "-DRS_TESTS=OFF"], check=False, capture_output=True, text=True)
    assert done.returncode == 2 and "which preset?" in done.stderr and "release (optimised)" in done.stderr, done.stderr


def commands_of(text):
    return re.findall(r"^  ([a-z]+)", text.split("\nCommands:\n")[1].split("\n\n")[0], re.M)


def test_the_help_of_every_command_has_examples(p):
    commands = commands_of(p.run("--help").stdout)
    assert len(commands) >= 8 and {"run", "info", "analyze"} <= set(commands), commands
    for command in commands:
        text = p.run(command, "--help").stdout
        assert re.match(rf"usage: resnet_study {command}\b", text, re.I), f"{command}: {text[:80]}"
        examples = re.search(r"\n\nExamples:\n((?:  .*\n)+)", text)
        assert examples, f"{command} --help has no examples:\n{text}"
        lines = re.findall(r"^  (\S.*)$", examples[1], re.M)
        assert all(re.match(rf"resnet_study {command}\b", line) for line in lines), f"{command}: {lines}"
        assert max(map(len, text.splitlines())) <= 130, f"{command}: a line is too long"
        for name in ("pandas", "safetensors"):  # no part of Debian's plain python3
            says = re.search(rf"with {name}\b.* installed:\n", text) or not re.search(rf"(import|from) {name}\b", text)
            assert says, f"{command}: that {name} is needed is unsaid"


def test_the_manual_page_has_every_command(p):
    page = subprocess.run([os.path.join(SCRIPTS, "man_page.sh"), p.path], check=True, capture_output=True, text=True).stdout
    found = page.replace("\\-", "-")
    for command in commands_of(p.run("--help").stdout):
        own = found.split(f"\n.SH RESNET_STUDY {command.upper()}\n")
        assert len(own) == 2, f"{command} has no section"
        for option in re.findall(r"^  (--?[a-z][a-z-]*)", p.run(command, "--help").stdout, re.M):
            assert f'.B "{option}' in own[1].split("\n.SH ")[0], f"{command}: {option} is not on the manual page"
        assert f"\n.SS {command}\n" in found.split("\n.SH EXAMPLES\n")[1], f"{command} has no example on the manual page"
    if not shutil.which("mandoc"):
        print("skipped: mandoc is not here, so the page was not checked by it")
        return
    said = subprocess.run(["mandoc", "-Tlint", "-Wwarning"], input=page, check=False, capture_output=True, text=True).stdout
    wrong = [line for line in said.splitlines() if "missing date" not in line]
    assert not wrong, wrong


if __name__ == "__main__":
    program.main([test for name, test in list(globals().items()) if name.startswith("test_")])
