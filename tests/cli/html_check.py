"""html_check.py: whether a page is sound HTML that asks for nothing outside itself. `faults(text)` lists what is wrong."""
import collections
import html.parser
import re

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
OUTSIDE = {"src", "href", "xlink:href", "action", "data", "poster", "srcset"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.faults, self.ids, self.targets, self.headings, self.raw = [], [], [], [], [], ""

    def note(self, text):
        self.faults.append(f"line {self.getpos()[0]}: {text}")

    def take_attributes(self, tag, attributes):
        names = [name for name, _ in attributes]
        if len(set(names)) != len(names):
            self.note(f"<{tag}> has an attribute twice")
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            picture = tag == "image" and value and value.startswith("data:image/png;base64,")
            if name in OUTSIDE and value and not picture and not value.startswith("#"):
                self.note(f"<{tag} {name}={value!r}> leaves the page")
            elif name in ("href", "xlink:href") and value and not picture:
                self.targets.append(value[1:])
            if name.startswith("on"):
                self.note(f"<{tag}> has a handler {name}")
        for part in re.findall(r"url\(([^)]*)\)", " ".join(value or "" for _, value in attributes)):
            if part.strip("'\"").startswith("#"):
                self.targets.append(part.strip("'\"")[1:])
            else:
                self.note(f"<{tag}> takes {part}")
        if tag == "img" and "alt" not in names:
            self.note("a picture has no alt text")

    def handle_starttag(self, tag, attributes):
        self.take_attributes(tag, attributes)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.take_attributes(tag, attributes)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.note(f"</{tag}> closes what is not open")


def faults(text):
    page = Page()
    page.feed(text)
    page.close()
    found = list(page.faults)
    if page.open:
        found.append(f"not closed: {page.open}")
    twice = sorted(one for one, count in collections.Counter(page.ids).items() if count > 1)
    found += [f"two elements have the id {one}" for one in twice]
    found += [f"#{target} leads nowhere" for target in sorted(set(page.targets) - set(page.ids))]
    if page.headings[:1] != [1] or page.headings.count(1) != 1:
        found.append(f"not one h1 in front: {page.headings[:5]}")
    found += [f"h{a} is followed by h{b}" for a, b in zip(page.headings, page.headings[1:]) if b > a + 1]
    if not text.startswith("<!DOCTYPE html>") or '<html lang="' not in text:
        found.append("no doctype or language")
    return found
