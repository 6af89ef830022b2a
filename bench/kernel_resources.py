#!/usr/bin/env python3
"""What every CUDA kernel takes: registers, spills and shared memory as ptxas says, and the bytes that it moves as the tests' stand-in
for the GPU counts them, against the least there is. Needs a build with the module and its tests, and no GPU:

    python3 bench/kernel_resources.py build/release        rewrites the section on kernels of bench/roofline.md
    python3 bench/kernel_resources.py build/release -o -   prints it

Fails when a kernel spills, moves more than 1.1 times the least, or is not counted at all."""
import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
BEGIN, END = "<!-- kernels: begin -->", "<!-- kernels: end -->"
PREFIX = "rs_cu_k_"
MOST = 1.1
# These add up what pieces or channels left: no tensor passes through them.
SMALL = {"norm_finish", "norm_running", "norm_gradients_finish", "bias_gradient_finish", "distance_finish", "loss_sum", "squared_finish",
         "update_rules", "update_finish", "update_norm"}


class Problem(Exception):
    """What keeps the section from being made; its text says what to do."""


def listed_kernels(path=os.path.join(ROOT, "src/kernels/cuda/kernel_list.def")):
    with open(path, encoding="utf-8") as f:
        return re.findall(rf"^RS_CU_KERNEL\({PREFIX}(\w+)\)", f.read(), re.M)


# --- ptxas --------------------------------------------------------------------------------------------------------------------------


def parse_ptxas(text):
    """{(kernel, architecture): (registers, bytes spilled, bytes of shared memory)} of what `-Xptxas -v` prints. A function that
    kernels call is nobody's kernel, but its spills are theirs that are compiled before it."""
    found, entry, spilled = {}, None, 0
    for line in text.split("\n"):
        begin = re.search(r"Compiling entry function '(\w+)' for 'sm_(\d+)'", line)
        spill = re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", line)
        used = re.search(r"Used (\d+) registers(.*)", line)
        if begin:
            entry, spilled = (begin[1].removeprefix(PREFIX), int(begin[2])), 0
        elif spill:
            spilled += int(spill[1]) + int(spill[2])
            if entry in found:
                registers, before, shared = found[entry]
                found[entry] = registers, before + int(spill[1]) + int(spill[2]), shared
        elif used and entry:
            shared = re.search(r"(\d+) bytes smem", used[2])
            found[entry] = int(used[1]), spilled, int(shared[1]) if shared else 0
    return found


def commands(build):
    """How the build compiles its kernels: [(folder, arguments)]."""
    path = os.path.join(build, "compile_commands.json")
    if not os.path.exists(path):
        raise Problem(f"{path} is not there: build first, with scripts/build.sh release -DRS_CUDA=ON")
    with open(path, encoding="utf-8") as f:
        entries = [e for e in json.load(f) if re.search(r"src/kernels/cuda/\w+\.cu$", e["file"])]
    if not entries:
        raise Problem(f"{build} was built without the CUDA module: scripts/build.sh release -DRS_CUDA=ON")
    return [(e["directory"], e.get("arguments") or shlex.split(e["command"])) for e in entries]


def run_ptxas(build):
    text = []
    with tempfile.TemporaryDirectory(prefix="resnet_study_ptxas.") as folder:
        for where, arguments in commands(build):
            arguments[arguments.index("-o") + 1] = os.path.join(folder, "kernels.o")
            done = subprocess.run([*arguments, "-Xptxas", "-v"], cwd=where, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise Problem(f"{shlex.join(arguments)} fails:\n{done.stderr}")
            text += [done.stdout, done.stderr]
    return "\n".join(text)


def ptxas_version(build):
    compiler = commands(build)[0][1][0]
    text = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"release ([0-9.]+)", text)[1]


# --- bytes --------------------------------------------------------------------------------------------------------------------------


def parse_traffic(text):
    """{kernel: (elements, bytes an element, the least)} of what test_traffic.c prints."""
    lines = re.findall(rf"^traffic {PREFIX}(\w+) ([0-9.]+) ([0-9.]+) ([0-9.]+)$", text, re.M)
    return {name: tuple(float(number) for number in numbers) for name, *numbers in lines}


def traffic_programs(build):
    """(test, stand-in), which a build without tests lacks."""
    tests = os.path.join(os.path.abspath(build), "tests/cuda_emulation")
    test, standin = os.path.join(tests, "kernels/test_cuda_traffic"), os.path.join(tests, "librs_emu.so")
    for path in (test, standin):
        if not os.path.exists(path):
            raise Problem(f"{path} is not there: build with tests, scripts/build.sh release -DRS_CUDA=ON -DRS_TESTS=ON")
    return test, standin


def run_traffic(build):
    test, standin = traffic_programs(build)
    env = dict(os.environ, LD_PRELOAD=standin, OMP_WAIT_POLICY="passive")
    done = subprocess.run([test], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if "traffic " not in done.stdout:
        raise Problem(f"{test} counts nothing:\n{done.stdout}{done.stderr}")
    return done.stdout


# --- the section --------------------------------------------------------------------------------------------------------------------


def span(numbers):
    least, most = min(numbers), max(numbers)
    return str(least) if least == most else f"{least}–{most}"


def problems(kernels, resources, traffic):
    architectures = sorted({architecture for _, architecture in resources})
    for kernel in kernels:
        for architecture in architectures:
            registers = resources.get((kernel, architecture))
            if registers is None:
                yield f"{kernel} is not compiled for sm_{architecture}"
            elif registers[1]:
                yield f"{kernel} spills {registers[1]} bytes on sm_{architecture}"
        if kernel in traffic:
            _, moved, least = traffic[kernel]
            if not moved <= MOST * least:
                yield f"{kernel} moves {moved / least:.3f} times the least; {MOST} is allowed"
        elif kernel not in SMALL:
            yield f"{kernel} is not counted: tests/cuda_emulation/kernels/test_traffic.c needs a line"
    if not architectures:
        yield "ptxas named no kernel"


def section(kernels, resources, traffic, version):
    architectures = sorted({architecture for _, architecture in resources})
    headers = ["kernel", *(f"sm_{a}" for a in architectures), "spills", "shared", "elements", "bytes", "least", "ratio"]
    lines = [f"{len(kernels)} kernels of ours, `{PREFIX}…`, of 256 threads a block. Registers of a thread on each architecture, bytes "
             "of spills and of shared\nmemory of a block on all of them: ptxas of CUDA "
             f"{version}. Bytes an element: global memory that a launch moves, as the stand-in counts it\n"
             "(`tests/cuda_emulation/kernels/test_traffic.c`, sectors of 32 bytes), and the least there is, every tensor once. "
             "`-`: works on the sums of\npieces or channels alone.\n",
             "| " + " | ".join(headers) + " |", "|" + "---|" * len(headers)]
    for kernel in kernels:
        own = [resources[kernel, a] for a in architectures if (kernel, a) in resources]
        cells = [kernel, *(str(resources[kernel, a][0]) if (kernel, a) in resources else "missing" for a in architectures)]
        cells += [span([spilled for _, spilled, _ in own]), span([shared for _, _, shared in own])] if own else ["-", "-"]
        if kernel in traffic:
            elements, moved, least = traffic[kernel]
            cells += [f"{elements:.0f}", f"{moved:.2f}", f"{least:.2f}", f"{moved / least:.3f}"]
        else:
            cells += ["-"] * 4
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def rewrite(path, text):
    """Puts a section between the marks of a file."""
    with open(path, encoding="utf-8") as f:
        old = f.read()
    if old.count(BEGIN) != 1 or old.count(END) != 1:
        raise Problem(f"{path} has no place for the section: make it anew with build/release/bench/roofline > {path}")
    before, rest = old.split(BEGIN)
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"{before}{BEGIN}\n{text}{END}{rest.split(END)[1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="folder of a build with the CUDA module and its tests")
    parser.add_argument("-o", "--output", default=os.path.join(ROOT, "bench/roofline.md"), help="file with the two marks, or -")
    parser.add_argument("--ptxas", metavar="FILE", help="what -Xptxas -v printed (default: compiles, some minutes)")
    parser.add_argument("--traffic", metavar="FILE", help="what test_cuda_traffic printed (default: runs it)")
    options = parser.parse_args()

    def text_of(path, run):
        if not path:
            return run(options.build)
        with open(path, encoding="utf-8") as f:
            return f.read()

    try:
        kernels = listed_kernels()
        if not options.ptxas:
            commands(options.build)
        if not options.traffic:
            traffic_programs(options.build)  # before minutes go into compiling
        resources = parse_ptxas(text_of(options.ptxas, run_ptxas))
        traffic = parse_traffic(text_of(options.traffic, run_traffic))
        text = section(kernels, resources, traffic, "?" if options.ptxas else ptxas_version(options.build))
        if options.output == "-":
            print(text, end="")
        else:
            rewrite(options.output, text)
    except (Problem, OSError) as problem:
        sys.exit(f"kernel_resources.py: {problem}")
    found = list(problems(kernels, resources, traffic))
    for line in found:
        print(f"kernel_resources.py: {line}", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
