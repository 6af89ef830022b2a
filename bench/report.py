"""report.py: files of results: FILE.md for readers, FILE.jsonl beside it with every round's figures.

Every finished measurement is written at once, so that an interrupt loses nothing, and one that resumes skips what is there. An
entry of FILE.jsonl is an object with a "kind": "session" (date, command, machine), "note" (text), or one of the benchmark's own,
with a "key" that names what was measured."""
import datetime
import json
import os
import shlex
import sys

import machine
from pairs import Spread, WorkerFailed


def figures(value, digits=3):
    """A number with that many significant digits, without an exponent."""
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - int(f"{value:e}".split("e")[1]))
    return f"{value:.{decimals}f}"


def spread_text(values, digits=3):
    """median (least–greatest)"""
    s = Spread(*values)
    return f"{figures(s.median, digits)} ({figures(s.least, digits)}–{figures(s.greatest, digits)})"


def gibibytes(count):
    return figures(count / (1 << 30), 3)


def table(headers, rows):
    """A Markdown table."""
    lines = [headers, ["---"] * len(headers), *rows]
    for row in rows:
        if len(row) != len(headers):
            raise ValueError(f"{len(row)} cells under {len(headers)} headers")
    return "\n".join("| " + " | ".join(str(cell).replace("|", "/") for cell in line) + " |" for line in lines)


class Results:
    """The entries of one file; render(entries) makes the part of the Markdown that is the benchmark's own."""

    def __init__(self, path, title, render, resume=False):
        self.path, self.title, self.render = path, title, render
        self.raw = os.path.splitext(path)[0] + ".jsonl"
        self.entries = []
        if resume and os.path.exists(self.raw):
            with open(self.raw, encoding="utf-8") as f:
                self.entries = [json.loads(line) for line in f if line.endswith("\n")]
        elif os.path.exists(self.raw):
            sys.exit(f"{path}: exists; give --resume to go on with it, or another -o FILE.md")
        elif os.path.exists(path):
            sys.exit(f"{path}: exists and is no file of results ({self.raw} is missing); give another -o FILE.md")
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        self._write()

    def session(self, program_dir, versions=()):
        """Says what is measured from here on, and on what."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        self.add("session", date=now, command=shlex.join([os.path.basename(sys.argv[0]), *sys.argv[1:]]),
                 machine=[list(pair) for pair in (*machine.describe(program_dir), *versions)])
        self.quietness("at the start")

    def quietness(self, when):
        """Notes whether others use the machine while we do nothing."""
        busy = machine.busy()
        judged = "quiet" if busy <= machine.QUIET else "NOT QUIET: measure again"
        self.note(f"{when}: load {machine.load():.2f}; others kept {100 * busy:.0f}% of the cores busy ({judged}).")

    def note(self, text):
        print(f"note: {text}", file=sys.stderr)
        self.add("note", text=text)

    def has(self, kind, key):
        return any(e["kind"] == kind and e.get("key") == key for e in self.entries)

    def of(self, kind):
        return [e for e in self.entries if e["kind"] == kind]

    def measure(self, kind, key, function):
        """Adds what function() finds, unless it is there; what fails becomes a note. Returns the failures: 0 or 1."""
        if self.has(kind, key):
            return 0
        try:
            self.add(kind, key=key, **function())
            print(f"{kind}: {key}: done", file=sys.stderr, flush=True)
            return 0
        except WorkerFailed as problem:
            self.note(f"{kind}: {key}: not measured: {problem}")
            return 1

    def add(self, kind, **values):
        self.entries.append({"kind": kind, **values})
        self._write()

    def finish(self):
        self.quietness("at the end")
        print(f"{self.path}", file=sys.stderr)

    def _write(self):
        replace(self.raw, "".join(json.dumps(e) + "\n" for e in self.entries))
        replace(self.path, self.text())

    def text(self):
        parts = [f"# {self.title}"]
        first = self.of("session")[0]["machine"] if self.of("session") else []
        for i, session in enumerate(self.of("session")):
            parts.append(f"{'Measured' if i == 0 else 'Continued'} {session['date']}: `{session['command']}`")
            pairs = session["machine"] if i == 0 else [p for p in session["machine"] if p not in first]
            parts.append("\n".join(f"- {key}: {value}" for key, value in pairs))
        parts += self.render(self)
        notes = self.of("note")
        if notes:
            parts.append("Notes:\n\n" + "\n".join(f"- {e['text']}" for e in notes))
        return "\n\n".join(p for p in parts if p) + "\n"


def replace(path, text):
    """The whole file or the old one, whatever happens."""
    with open(path + ".part", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(path + ".part", path)


def sections(results, measurers):
    """A heading and a table for every part that has entries; measurers: {part: (measure, table of entries, heading)}."""
    found = []
    for part, (_, make_table, heading) in measurers.items():
        if results.of(part):
            found += [f"## {heading}", make_table(results.of(part))]
    return found
