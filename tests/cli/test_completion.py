"""test_completion.py PROGRAM: what the Tab key completes in a real bash and a real zsh, from the scripts that scripts/completion.sh makes.

Each shell runs on a terminal of its own, where resnet_study is a function that prints its arguments: what stands on the line when
Enter is pressed is what was completed; what was listed above it stands in the output, too. Without a shell its tests say so."""
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time

import program

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "completion.sh")
SETUP = {
    "bash": ["bind 'set show-all-if-ambiguous on'", "bind 'set bell-style none'", "bind 'set completion-query-items 0'",
             "bind 'set page-completions off'", "source ./_resnet_study"],
    "zsh": ["fpath=($PWD $fpath)", "autoload -Uz compinit", "compinit -u -D", "LISTMAX=10000", "unsetopt beep list_ambiguous"],
}
COMMAND = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}
END = "~done~"
CONTROL = r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>()][0-9AB]?|[\r\x00\x07]|.\x08"


class Shell:
    """An interactive shell on a terminal, in the test's folder."""

    def __init__(self, p, name):
        with open(p.file("_resnet_study"), "w", encoding="utf-8") as f:
            subprocess.run([SCRIPT, name, p.path], check=True, stdout=f)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(p.dir)
            os.environ.update(TERM="xterm", PS1="$ ", LC_ALL="C.UTF-8", COLUMNS="200", LINES="200")
            os.execvp(name, COMMAND[name])
        for line in SETUP[name] + ["resnet_study() { printf '<%s>' \"$@\"; echo ~'done~'; }"]:
            os.write(self.terminal, line.encode() + b"\n")
        self.press("ready", "")

    def read(self):
        text, until = "", time.monotonic() + 60
        while END not in text:
            assert time.monotonic() < until, f"no answer within a minute: {text[-300:]!r}"
            if select.select([self.terminal], [], [], 1)[0]:
                text += os.read(self.terminal, 65536).decode(errors="replace")
        return text

    def press(self, words, keys="\t"):
        """(arguments on the line, all that was shown) after `resnet_study words`, keys, Enter."""
        os.write(self.terminal, f"resnet_study {words}{keys}\n".encode())
        shown = re.sub(CONTROL, " ", self.read())
        line = next(line for line in shown.split("\n") if END in line)
        return re.findall(r"<([^<>]*)>", line.split(END)[0]), shown

    def close(self):
        os.write(self.terminal, b"\x15exit\n")
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def listed(shell, words):
    """The words that Tab shows."""
    return set(re.sub("[<>]|" + END, " ", shell.press(words)[1]).split())


def check(p, name):
    if not shutil.which(name):
        print(f"skipped: no {name} here")
        return
    for file in ("study.yaml", "run.h5", "notes.txt"):
        with open(p.file(file), "w", encoding="utf-8"):
            pass
    os.mkdir(p.file("folder"))
    shell = Shell(p, name)
    try:
        check_words(shell, name)
    finally:
        shell.close()


def check_words(shell, name):
    completed = [
        ("anal", ["analyze"]),
        ("analyze hes", ["analyze", "hessian"]),
        ("analyze pca ru", ["analyze", "pca", "run.h5"]),
        ("analyze hessian run.h5 --eigenv", ["analyze", "hessian", "run.h5", "--eigenvalues"]),
        ("analyze hessian run.h5 --method lan", ["analyze", "hessian", "run.h5", "--method", "lanczos"]),
        ("plot medi", ["plot", "medians"]),
        ("plot loss ru", ["plot", "loss", "run.h5"]),
        ("report ru", ["report", "run.h5"]),
        ("expo", ["export"]),
        ("export ru", ["export", "run.h5"]),
        ("export --format saf", ["export", "--format", "safetensors"]),
        ("info --wat", ["info", "--watch"]),
        ("compare run.h5 ru", ["compare", "run.h5", "run.h5"]),
        ("report --no-f", ["report", "--no-figures"]),
        ("run st", ["run", "study.yaml"]),
        ("run study.yaml --dry", ["run", "study.yaml", "--dry-run"]),
        ("run study.yaml --set optimizer=adag", ["run", "study.yaml", "--set", "optimizer=adagrad"]),
        ("run study.yaml --set optimizer=sgd,adag", ["run", "study.yaml", "--set", "optimizer=sgd,adagrad"]),
        ("run study.yaml --set plain=f", ["run", "study.yaml", "--set", "plain=false"]),
        ("run study.yaml --out-dir fo", ["run", "study.yaml", "--out-dir", "folder/"]),
        ("verify --rep", ["verify", "--repair"]),
        ("verify --same run.h5 ru", ["verify", "--same", "run.h5", "run.h5"]),
        ("data fetch fash", ["data", "fetch", "fashion-mnist"]),
        ("networks cnn-b", ["networks", "cnn-b"]),
        ("--network batch-n", ["--network", "batch-norm-net"]),
        ("--network stu", ["--network", "study.yaml"]),
        ("--optimizer adag", ["--optimizer", "adagrad"]),
        ("--optimizer=adag", ["--optimizer=adagrad"]),
        ("--no-stop", ["--no-stop-on-nan"]),
        ("--data-dir fo", ["--data-dir", "folder/"]),
        ("--device cu", ["--device", "cuda"]),
        ("check --verb", ["check", "--verbose"]),
    ]
    for words, expected in completed:
        found, shown = shell.press(words)
        assert [word.rstrip("/") for word in found] == [word.rstrip("/") for word in expected], \
            f"{name}: {words}: {found} instead of {expected}\n{shown}"
    shown = [
        ("--optimizer ad", {"adam", "adamw", "adagrad"}, "sgd"),
        ("--depth 1", {"18", "101"}, "34"),
        ("--seed", {"--seed", "--seed-init", "--seed-order"}, "--depth"),
        ("info ", {"run.h5"}, "notes.txt"),
        ("", {"run", "data", "networks", "info", "verify", "analyze", "plot", "report", "export", "compare", "check", "devices"}, "run.h5"),
    ]
    for words, expected, other in shown:
        found = listed(shell, words)
        assert expected <= found and other not in found, f"{name}: {words}: {expected - found} missing: {found}"


def test_bash(p):
    check(p, "bash")


def test_zsh(p):
    check(p, "zsh")


if __name__ == "__main__":
    if not program.has_terminals():
        print("skipped: this system gives no pseudo terminals")
        sys.exit(program.SKIPPED)
    program.main([test_bash, test_zsh])
