"""No notes of unfinished work in the sources."""
import re

import tree

WORDS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"]) + r")\b")
SUFFIXES = (".c", ".h", ".def", ".in", ".py", ".sh", ".cmake", ".txt", ".yaml", ".md", "Dockerfile")


def check(root):
    for path in tree.files(root, SUFFIXES):
        for number, line in enumerate(tree.lines(root, path), 1):
            match = WORDS.search(line)
            if match:
                yield path, number, f"{match.group()}: finish it or file it"


if __name__ == "__main__":
    tree.main(check, "forbidden words")
