#!/usr/bin/env python3
"""peer.py: PyTorch to compare with, in a virtual environment of its own, and the settings it may be fastest with.

    peer.py [--venv DIR]    makes the environment (default: build/bench-venv) with the newest torch of PyPI, or says what is there

Nothing else of this project needs it. Remove the folder to get a newer one. About 6 GB: PyPI's torch for Linux brings the
libraries of GPUs along."""
import argparse
import collections
import os
import subprocess
import sys

from machine import ROOT
from pairs import Worker, WorkerFailed

HERE = os.path.dirname(os.path.abspath(__file__))
DEFAULT = os.path.join(ROOT, "build", "bench-venv")
PACKAGES = ["torch", "numpy", "h5py"]

# glibc gives memory of large requests back to the system and takes it anew, page fault by page fault. It may not: the
# threshold for mmap itself can't be set above 32 MiB, so mmap is off altogether.
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "68719476736", "MALLOC_TOP_PAD_": "268435456"}

Setting = collections.namedtuple("Setting", "layout keeps compiled")
SETTINGS = [Setting(layout, keeps, False) for layout in ("nchw", "nhwc") for keeps in (False, True)]
Network = collections.namedtuple("Network", "depth variant width batch threads device precision", defaults=["cpu", "f32"])
Pilot = collections.namedtuple("Pilot", "setting seconds peak")


def setting_name(setting):
    return " ".join(["PyTorch", setting.layout.upper(), *["malloc keeps"] * setting.keeps, *["compiled"] * setting.compiled])


def network_name(network):
    on = "" if network.device == "cpu" else f", {network.device}, {network.precision}"
    return f"ResNet-{network.depth} {network.variant}, {network.width}, batch {network.batch}{on}"


def network_options(network):
    """The options that our programs and the scripts in PyTorch have in common."""
    plain = ["--plain"] if network.variant == "plain" else []
    on = [] if network.device == "cpu" else ["--device", network.device, "--precision", network.precision]
    return ["--depth", network.depth, "--width", network.width, "--batch-size", network.batch, "--threads", network.threads, *plain, *on]


def python_of(venv):
    return os.path.join(venv, "bin", "python")


def versions(venv):
    """[(name, version)] of what the environment has for us, or None without torch."""
    code = ("import importlib.metadata as m, torch\nprint('PyTorch', torch.__version__, sep='\\t')\nfor n in ('numpy', 'h5py'):\n"
            "    try: print(n, m.version(n), sep='\\t')\n    except m.PackageNotFoundError: pass\n")
    try:
        done = subprocess.run([python_of(venv), "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    except OSError:
        return None
    return [tuple(line.split("\t")) for line in done.stdout.strip().split("\n")] if done.returncode == 0 else None


def install(venv):
    """Makes the environment; ends the script with what to do when that fails."""
    print(f"{venv}: installing {', '.join(PACKAGES)} from PyPI (some minutes)", file=sys.stderr)
    made = subprocess.run([sys.executable, "-m", "venv", venv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if made.returncode != 0:
        sys.exit(f"{venv}: {sys.executable} makes no virtual environment there; on Debian: apt-get install python3-venv\n{made.stdout}")
    got = subprocess.run([python_of(venv), "-m", "pip", "install", "--quiet", "--upgrade", *PACKAGES], check=False)
    if got.returncode != 0:
        sys.exit(f"{venv}: pip could not install {', '.join(PACKAGES)}; see above. Another environment with torch does: --venv DIR")


def prepare(venv, make=False):
    """Versions in the environment, made first where it is missing: the default one, or with `make`, which says that the path is no slip."""
    found = versions(venv)
    if found is None and not make and venv != DEFAULT:
        sys.exit(f"{venv}: no environment with torch; `bench/peer.py --venv {venv}` makes it (6 GB), no --venv at all takes {DEFAULT}")
    if found is None:
        install(venv)
        found = versions(venv)
    if found is None:
        sys.exit(f"{venv}: has no usable torch ({python_of(venv)} -c 'import torch' says why); remove it or give another --venv DIR")
    return found


def environment(setting):
    return KEEP_MEMORY if setting.keeps else {}


def worker(venv, network, setting, turn=1):
    command = [python_of(venv), os.path.join(HERE, "pytorch_worker.py"), *network_options(network), "--layout", setting.layout]
    return Worker(setting_name(setting), [*command, *["--compile"] * setting.compiled], environment(setting), turn)


def pilot(venv, network, setting):
    """One step to warm up, the faster of two that are timed, and the memory they took."""
    candidate = worker(venv, network, setting)
    try:
        candidate.start()
        seconds = min(candidate.train(1) for _ in range(2))
        return Pilot(setting, seconds, candidate.stop())
    finally:
        candidate.kill()


def pilots(venv, network, compiled, note):
    """Every setting that works, fastest first; `compiled` adds the best of them through torch.compile."""
    found = []

    def take(setting):
        try:
            found.append(pilot(venv, network, setting))
        except WorkerFailed as problem:
            note(f"{network_name(network)}: {problem}")

    for setting in SETTINGS:
        if network.device == "cpu" or not setting.keeps:  # the host's malloc is nothing to a GPU
            take(setting)
    found.sort(key=lambda p: p.seconds)
    if compiled and found:
        take(found[0].setting._replace(compiled=True))
        found.sort(key=lambda p: p.seconds)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", default=DEFAULT, metavar="DIR", help="where the environment is or is made (%(default)s)")
    for name, version in prepare(parser.parse_args().venv, make=True):
        print(name, version)


if __name__ == "__main__":
    main()
