#!/usr/bin/env python3
"""What a measurement ran on: processor, cores, memory, load, kernel, compiler, our version and commit.

    machine.py          prints it
    machine.py --name   prints a short name for files of results, as in xeon-processor-2"""
import os
import platform
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
QUIET = 0.05  # share of its time that a quiet machine may be busy: what an idle system's own services take
DECIDES_SPEED = ("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "ONEDNN_", "DNNL_", "MALLOC_", "LD_PRELOAD")  # both sides get it


def field(path, name):
    """The value of the first line "name: value" of a file under /proc."""
    with open(path, encoding="utf-8") as f:
        for line in f:
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    return "unknown"


def cores():
    return len(os.sched_getaffinity(0))


def memory_available():
    """Bytes that new processes may take without swapping; a container's own limit counts, too."""
    available = int(field("/proc/meminfo", "MemAvailable").split()[0]) * 1024
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as limit, open("/sys/fs/cgroup/memory.current", encoding="ascii") as now:
            return min(available, int(limit.read()) - int(now.read()))
    except (OSError, ValueError):  # no control group, or its limit is "max"
        return available


def output_of(command):
    """First line of what a command prints, or "unknown"."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        return done.stdout.strip().split("\n")[0] or "unknown"
    except OSError:
        return "unknown"


def compiler(program_dir):
    """The C compiler and the kind of build of a build folder."""
    found = {}
    try:
        with open(os.path.join(program_dir, "CMakeCache.txt"), encoding="utf-8") as f:
            found = dict(re.findall(r"^(\w+):\w+=(.*)$", f.read(), re.MULTILINE))
    except OSError:
        return "unknown"
    version = output_of([found.get("CMAKE_C_COMPILER", "cc"), "--version"])
    return f"{version}, {found.get('CMAKE_BUILD_TYPE') or 'Release'}"


def ours(program_dir):
    """Version, commit and libraries, as the program itself says them."""
    try:
        done = subprocess.run([os.path.join(program_dir, "resnet_study"), "--version"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False)
        return re.sub(r"\s+", " ", "; ".join(done.stdout.strip().split("\n"))) or "unknown"
    except OSError:
        return "unknown"


def load():
    return os.getloadavg()[0]


def busy(seconds=1.0):
    """Share of the time that the machine's cores work for somebody while we sleep."""
    def times():
        with open("/proc/stat", encoding="ascii") as f:
            values = [int(v) for v in f.readline().split()[1:9]]
        return sum(values), values[3] + values[4]  # all; idle and waiting for input

    total, idle = times()
    time.sleep(seconds)
    total_now, idle_now = times()
    return 1 - (idle_now - idle) / max(1, total_now - total)


def describe(program_dir=None):
    """Pairs of name and text."""
    total = int(field("/proc/meminfo", "MemTotal").split()[0]) / (1 << 20)
    found = [
        ("processor", f"{field('/proc/cpuinfo', 'model name')}, {cores()} cores usable of {os.cpu_count()}"),
        ("memory", f"{total:.1f} GiB, {memory_available() / (1 << 30):.1f} GiB of it free"),
        ("load at the start", f"{load():.2f}"),
        ("system", f"Linux {platform.release()}, {' '.join(platform.libc_ver())}, Python {platform.python_version()}"),
        ("environment", ", ".join(f"{k}={v}" for k, v in sorted(os.environ.items()) if k.startswith(DECIDES_SPEED)) or "nothing set"),
        ("source", output_of(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"])),
    ]
    if program_dir:
        found += [("compiler", compiler(program_dir)), ("ours", ours(program_dir))]
    return found


def name():
    model = re.sub(r"\((R|TM|r|tm)\)|\bCPU\b|\bIntel\b|@.*", " ", field("/proc/cpuinfo", "model name"))
    return "-".join([*re.findall(r"[a-z0-9]+", model.lower()), str(cores())])


if __name__ == "__main__":
    if sys.argv[1:] == ["--name"]:
        print(name())
    elif sys.argv[1:]:
        print(__doc__)
        sys.exit(0 if sys.argv[1] in ("-h", "--help") else 2)
    else:
        for key, text in describe():
            print(f"{key}: {text}")
