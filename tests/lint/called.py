"""Every Python test is called: a test_ function whose name stands nowhere else in its file never runs, unless the file runs all that
begin with test_ (globals()). Of C tests the compiler says it."""
import re

import tree

TEST = re.compile(r"^def (test_\w+)\(")


def check(root):
    for path in tree.files(root, (".py",), ("tests",)):
        lines = tree.lines(root, path)
        text = "\n".join(lines)
        for number, line in enumerate(lines, 1):
            match = TEST.match(line)
            if match and "globals()" not in text and len(re.findall(rf"\b{match.group(1)}\b", text)) == 1:
                yield path, number, f"{match.group(1)} is never called"


if __name__ == "__main__":
    tree.main(check, "tests that never run")
