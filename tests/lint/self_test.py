"""Tests of the checkers: each plants a violation in a small clean tree and must see it caught, and must pass the clean tree.

usage: self_test.py CHECKER, as in self_test.py includes
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
README = "# folder\n\nWhat is in it.\n\nTo add a file: write it.\n"
CLEAN = {
    ".clang-format": "BasedOnStyle: LLVM\nIndentWidth: 4\nBreakBeforeBraces: Linux\nAllowShortFunctionsOnASingleLine: None\n",
    "README.md": "# project\n\nRun `resnet_study --depth 18 --no-plain`, build with `cmake --preset release`.\n",
    "include/rs/README.md": README,
    "include/rs/status.h": "/* status */\nint rs_status(void);\n",
    "include/rs/network.h": '/* network */\n#include "rs/status.h"\n',
    "include/rs/options.def": '/* options */\nX(INT, depth, "depth", 18)\nX(FLAG, plain, "plain", false)\n',
    "src/host/network/README.md": README,
    "src/host/network/graph.h": "/* graph */\n",
    "src/host/network/graph.c": '/* graph */\n#include "graph.h"\n#include "rs/network.h"\nint rs_f(void)\n{\n    return 1;\n}\n',
    "src/host/record/README.md": README,
    "src/host/record/h5.h": "/* record */\n",
    "src/host/record/h5.c": "/* record */\n#include <hdf5.h>\n",
    "src/kernels/cuda/README.md": README,
    "src/kernels/cuda/kernels.h": "/* launchers */\n#include <cuda_runtime_api.h>\n",
    "src/kernels/cuda/plan.c": '/* plan */\n#include "kernels.h"\n',
    "tests/cuda_emulation/kernels/README.md": README,
    "tests/cuda_emulation/kernels/t.c": '/* test */\n#include "kernels.h"\n#include <cuda_runtime_api.h>\n',
    "tests/unit/README.md": README,
    "compile_commands.json": '[{"directory": "src/host", "file": "network/graph.c"}, {"directory": "src/host", "file": "record/h5.c"},'
                             ' {"directory": ".", "file": "tests/unit/test_graph.c"}, {"directory": "src/kernels/cuda", "file": "plan.c"},'
                             ' {"directory": "tests", "file": "cuda_emulation/kernels/t.c"}]',
    "tests/unit/test_graph.c": '/* test */\n#include "graph.h"\n#include <cmocka.h>\n',
}
LONG_BODY = "/* long */\nvoid f(void)\n{\n" + "    g();\n" * 79 + "}\n"
PLANTED = {  # checker: (path, its whole content or None to remove it, text that the finding must hold)
    "includes": [
        ("src/host/network/x.c", '/* x */\n#include "rs/trainer.h"\n', "must not see rs/trainer.h"),
        ("src/host/network/x.c", '/* x */\n#include "rs/unheard.h"\n', "not in the table"),
        ("src/host/network/x.c", '/* x */\n#include "h5.h"\n', "no header of this folder"),
        ("src/host/network/x.c", "/* x */\n#include <hdf5.h>\n", "belongs to src/host/record alone"),
        ("src/kernels/ref/x.c", "/* x */\n  #  include <oneapi/dnnl/dnnl.h>\n", "belongs to src/kernels/cpu alone"),
        ("src/host/network/x.c", "/* x */\n#include <cblas.h>\n", "belongs to src/kernels/cpu alone"),
        ("src/host/record/x.c", "/* x */\n#include <yaml.h>\n", "belongs to src/host/config alone"),
        ("src/host/record/x.c", "/* x */\n#include <curl/curl.h>\n", "belongs to src/host/data alone"),
        ("src/host/record/x.c", "/* x */\n#include <archive.h>\n", "belongs to src/host/data alone"),
        ("include/rs/network.h", '/* network */\n#include "rs/backend.h"\n', "must not see rs/backend.h"),
        ("tests/unit/test_graph.c", '/* t */\n#include "graph.h"\n#include "h5.h"\n', "headers of one folder"),
        ("tests/fuzz/t.c", '/* t */\n#include "graph.h"\n#include "h5.h"\n', "headers of one folder"),
        ("tests/training/t.c", '/* t */\n#include "graph.h"\n', "no internal header"),
        ("tests/training/t.c", "/* t */\n#include <cuda_runtime_api.h>\n", "belongs to src/kernels/cuda alone"),
        ("tests/cuda_emulation/t.c", '/* t */\n#include "graph.h"\n', "no internal header"),
    ],
    "symbols": [
        ("src/host/record/x.c", "/* x */\nint rs_f(void)\n{\n    return 2;\n}\n", "rs_f is also defined in src/host/network/graph.c"),
        ("src/host/record/x.c", "/* x */\nconst char *rs_f(int a,\n                 int b)\n{\n    return 0;\n}\n", "is also defined"),
    ],
    "sizes": [
        ("src/host/network/x.c", LONG_BODY, "function of 81 lines"),
        ("src/kernels/cuda/x.cu", LONG_BODY, "function of 81 lines"),
        ("src/host/network/x.c", "/* x */\n" + "int a;\n" * 600, "601 lines"),
        ("src/host/network/x.c", "int a;\n", "no comment at its head"),
        ("tests/lint/x.py", "import os\n", "no comment at its head"),
    ],
    "readmes": [
        ("src/host/network/README.md", None, "missing"),
        ("src/host/network/README.md", "# x\n" + "line\n" * 40 + "\nTo add: do.\n", "at most 40"),
        ("src/host/network/README.md", "# x\n\nTo add a file: write it.\n\nThe end.\n", "does not say how to add"),
    ],
    "words": [
        ("src/host/network/x.c", "/* TO" + "DO: all of it */\n", "src/host/network/x.c:1"),
        ("scripts/x.sh", "#!/bin/sh\n# FIX" + "ME\n", "scripts/x.sh:2"),
        ("cmake/x.cmake", "# " + "X" * 3 + " later\n", "cmake/x.cmake:1"),
    ],
    "options": [
        ("README.md", "Run `resnet_study --depht 18`.\n", "--depht"),
        ("CONTRIBUTING.md", "Use cmake --preset x, and\n--no-depth\n", "--no-depth"),
        ("src/host/network/README.md", "Since --verbosity is on\n", "--verbosity"),
    ],
    "called": [
        ("tests/cli/x.py", '"""x"""\ndef test_a(p):\n    pass\n\n\ndef test_ab(p):\n    pass\n\n\nmain([test_ab])\n', "test_a is never called"),
    ],
    "sources": [
        ("src/host/network/left_over.c", "/* x */\n", "src/host/network/left_over.c: no CMakeLists.txt compiles it"),
        ("src/kernels/cuda/left_over.c", "/* x */\n", "src/kernels/cuda/left_over.c: no CMakeLists.txt compiles it"),
    ],
    "format": [
        ("src/host/network/x.c", "/* x */\nint f(void) {\n  return 1; }\n", "src/host/network/x.c"),
        ("tests/unit/x.c", "/* x */\nint  a;\n", "tests/unit/x.c:2"),
    ],
}


def write(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def run(checker, planted=None):
    """Exit status and output of a checker on the clean tree with at most one file planted or removed."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in CLEAN.items():
            write(root, path, text)
        if planted and planted[1] is None:
            os.remove(os.path.join(root, planted[0]))
        elif planted:
            write(root, planted[0], planted[1])
        command = [sys.executable, os.path.join(HERE, checker + ".py"), root]
        result = subprocess.run(command, cwd=root, capture_output=True, text=True)
        return result.returncode, result.stdout + result.stderr


def main():
    checker = sys.argv[1]
    status, output = run(checker)
    if status == 77:
        print(output, end="")
        sys.exit(77)
    faults = []
    if status != 0:
        faults.append(f"the clean tree fails: {output}")
    for planted in PLANTED[checker]:
        status, output = run(checker, planted)
        if status != 1 or planted[2] not in output:
            faults.append(f"not caught in {planted[0]}: {planted[2]!r}; status {status}, output: {output}")
    print("\n".join(faults) or f"{checker}: {len(PLANTED[checker])} planted violations caught")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
