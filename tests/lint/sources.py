"""Every C file is compiled: none is left over that no build takes.

A build without nvcc takes nothing of the CUDA module, and leaves its folders out here.

usage: sources.py ROOT [COMPILE_COMMANDS.json]; without the second, ROOT/compile_commands.json.
"""
import json
import os
import sys

import tree

MODULE, ITS_TESTS = "src/kernels/cuda/", "tests/cuda_emulation/"


def compiled(root):
    path = sys.argv[2] if len(sys.argv) > 2 else os.path.join(root, "compile_commands.json")
    with open(path, encoding="utf-8") as f:
        return {os.path.realpath(os.path.join(entry["directory"], entry["file"])) for entry in json.load(f)}


def check(root):
    taken = compiled(root)
    module = os.path.realpath(os.path.join(root, MODULE))
    without = () if any(path.startswith(module + "/") for path in taken) else (MODULE, ITS_TESTS)
    for path in tree.files(root, (".c",), ("src", "tests", "bench")):
        if not path.startswith(without) and os.path.realpath(os.path.join(root, path)) not in taken:
            yield path, 0, "no CMakeLists.txt compiles it"


if __name__ == "__main__":
    tree.main(check, "compiled sources")
