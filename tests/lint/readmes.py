"""Every folder that holds files has a README.md of at most 40 lines whose last part says how to add to the folder."""
import os
import re

import tree

MAX_LINES = 40


def folders(root):
    found = {os.path.dirname(f) for f in tree.files(root)}
    return sorted(f for f in found if not f.startswith("."))


def last_part(lines):
    """Text from the last blank line or heading on, without code blocks' contents counting as parts of their own."""
    text = "\n".join(lines).rstrip()
    return re.split(r"\n\s*\n", text)[-1]


def check(root):
    for folder in folders(root):
        path = os.path.join(folder, "README.md")
        if not os.path.exists(os.path.join(root, path)):
            yield path, 0, "missing"
            continue
        lines = tree.lines(root, path)
        if len(lines) - 1 > MAX_LINES:
            yield path, 0, f"{len(lines) - 1} lines; at most {MAX_LINES}"
        if not re.search(r"\bto add\b", last_part(lines), re.IGNORECASE):
            yield path, len(lines) - 1, 'its last paragraph does not say how to add to the folder ("To add ...")'


if __name__ == "__main__":
    tree.main(check, "folder READMEs")
