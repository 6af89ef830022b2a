"""No two C files of the program define a function of the same name: the parts are static libraries, and of two the linker takes
either, without a word."""
import re

import tree

PROGRAM = ("src/host", "src/kernels/common", "src/kernels/cpu", "src/kernels/ref")
BEGIN = re.compile(r"(?!static\b|typedef\b|extern\b|#|/|\*|\s|\}|\{)[A-Za-z_][\w \*]*?\b(rs_\w+)\(")


def defined(lines):
    """(line, name) of the functions that a file defines for others: their first line stands at the margin, a { alone ends the head."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            if start:
                yield start
            start = None
        elif line.endswith((";", "}")):
            start = None
        elif BEGIN.match(line):
            start = (number, BEGIN.match(line).group(1))


def check(root):
    seen = {}
    for path in tree.files(root, (".c",), PROGRAM):
        for number, name in defined(tree.lines(root, path)):
            if seen.setdefault(name, path) != path:
                yield path, number, f"{name} is also defined in {seen[name]}"


if __name__ == "__main__":
    tree.main(check, "names of functions")
