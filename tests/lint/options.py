"""Every --option that a document names exists: in the option table, in a command, or in a script.

Documents are the README files, CONTRIBUTING.md and the record's specification. An option of another program (cmake, ctest,
apt-get, pip, docker, h5ls ...) is passed over where that program's name stands before it on the line.
"""
import os
import re

import tree

OTHERS = re.compile(r"\b(cmake|ctest|apt-get|pip3?|docker|valgrind|git|clang-\w+|h5\w+|gcc|mpirun|srun|sbatch|python3?)\b.*$")
OPTION = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)")
TABLE = re.compile(r'X\((\w+),\s*\w+,\s*"([a-z0-9-]+)"')
QUOTED = re.compile(r'"--([a-z][a-z0-9-]*)[="]')
CASE = re.compile(r"--([a-z][a-z0-9-]*)")


def known(root):
    names = {"help", "version"}
    with open(os.path.join(root, "include/rs/options.def"), encoding="utf-8") as f:
        for kind, name in TABLE.findall(f.read()):
            names.add(name)
            if kind == "FLAG":
                names.add("no-" + name)
    for path in tree.files(root, (".c", ".def"), ("src", "tests", "bench")):
        names.update(QUOTED.findall("\n".join(tree.lines(root, path))))
    for path in tree.files(root, (".sh", ".py", "run"), ("scripts", ".ci", "tests", "bench", "experiments")):
        names.update(CASE.findall("\n".join(tree.lines(root, path))))
    return names


def documents(root):
    top = [f for f in ("README.md", "CONTRIBUTING.md") if os.path.exists(os.path.join(root, f))]
    return top + tree.files(root, (".md",))


def check(root):
    names = known(root)
    for path in documents(root):
        for number, line in enumerate(tree.lines(root, path), 1):
            for name in OPTION.findall(OTHERS.sub("", line)):
                if name not in names:
                    yield path, number, f"--{name} is no option of the program"


if __name__ == "__main__":
    tree.main(check, "options in documents")
