"""Functions of at most 80 lines, files of at most 600, and a head comment that says what a file is.

A function is what stands between a line "{" and the next line "}" (clang-format puts both into the first column).
"""
import tree

MAX_FUNCTION = 80
MAX_FILE = 600
CODE = (".c", ".h", ".cu", ".cuh", ".cpp", ".hpp")
HEAD = {**dict.fromkeys(CODE, "/*"), ".def": "/*", ".py": ('"""', "#!"), ".sh": "#!"}


def functions(lines):
    """(line of the opening brace, lines from brace to brace) of every function."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            yield start, number - start + 1
            start = None


def check(root):
    for path in tree.files(root, tuple(HEAD)):
        lines = tree.lines(root, path)
        if len(lines) - 1 > MAX_FILE:
            yield path, 0, f"{len(lines) - 1} lines; at most {MAX_FILE}"
        head = HEAD["." + path.rsplit(".", 1)[1]]
        if not lines[0].startswith(head):
            yield path, 1, "no comment at its head that says what it is"
        if path.endswith(CODE):
            for start, length in functions(lines):
                if length > MAX_FUNCTION:
                    yield path, start, f"function of {length} lines; at most {MAX_FUNCTION}"


if __name__ == "__main__":
    tree.main(check, "sizes and head comments")
