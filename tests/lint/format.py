"""The C sources are as clang-format 14 (Debian 12's) writes them. Exit status 77, skipped, without it."""
import os
import re
import shutil
import subprocess
import sys

import tree

VERSION = "14"


def program():
    """Path of a clang-format of the right version, or None: others break lines differently."""
    for name in (f"clang-format-{VERSION}", "clang-format"):
        path = shutil.which(name)
        if path:
            text = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
            if re.search(rf"version {VERSION}\.", text):
                return path
    return None


def check(root):
    paths = tree.files(root, (".c", ".h"), ("include", "src", "tests", "bench"))
    if not paths:
        return
    command = [program(), "--dry-run", f"--style=file:{os.path.abspath(root)}/.clang-format"]
    result = subprocess.run(command + paths, cwd=root, capture_output=True, text=True)
    seen = set()
    for line in result.stderr.split("\n"):
        match = re.match(r"(.+?):(\d+):\d+: .*clang-format-violations", line)
        if match and match.groups() not in seen:
            seen.add(match.groups())
            yield match[1], int(match[2]), "not as clang-format writes it: clang-format -i"
    if result.returncode != 0 and not seen:
        yield "clang-format", 0, result.stderr.strip()


if __name__ == "__main__":
    if program() is None:
        print(f"skipped: no clang-format {VERSION} here (scripts/install_dependencies.sh --lint)")
        sys.exit(77)
    tree.main(check, "formatting")
