"""What the checkers share: walking the source tree, reporting findings."""
import os
import sys

TOP = ("include", "src", "tests", "scripts", "docs", "experiments", "bench", "cmake", "docker", ".ci")
SKIP = {"__pycache__", ".git"}


def files(root, suffixes=None, top=TOP):
    """Paths relative to root, sorted, of the files below the source folders (build trees and records are not among them)."""
    found = []
    for folder in top:
        for path, folders, names in os.walk(os.path.join(root, folder)):
            folders[:] = [f for f in folders if f not in SKIP]
            found += [os.path.relpath(os.path.join(path, n), root) for n in names]
    return sorted(f for f in found if suffixes is None or f.endswith(tuple(suffixes)))


def lines(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read().split("\n")


def main(check, what):
    """Runs check(root), which yields (path, line or 0, text); prints the findings; exit status 1 when there are any."""
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} ROOT: {what}")
    found = list(check(sys.argv[1]))
    for path, line, text in found:
        print(f"{path}:{line}: {text}" if line else f"{path}: {text}")
    print(f"{what}: {len(found)} findings")
    sys.exit(1 if found else 0)
