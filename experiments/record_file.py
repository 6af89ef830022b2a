"""Opens a record with h5py: what the scripts beside this one need of it."""
import sys

SKIPPED = 77  # ctest counts this exit status as skipped


def need(*modules):
    """Imports modules by name, or says what is missing and skips."""
    found = []
    for name in modules:
        try:
            found.append(__import__(name))
        except ImportError:
            print(f"skipped: needs {name}, which {sys.executable} lacks (Debian's python3-{name} is for /usr/bin/python3)")
            sys.exit(SKIPPED)
    return found


def text(value):
    value = value[0] if getattr(value, "shape", ()) else value
    return value.decode() if isinstance(value, bytes) else str(value)


def config(record):
    """The run's options as texts; its YAML is one "key: value" a line."""
    pairs = (line.split(":", 1) for line in text(record["config"][()]).splitlines() if ":" in line and line[0] not in "#-")
    return {key.strip(): value.strip().strip("\"'") for key, value in pairs}
