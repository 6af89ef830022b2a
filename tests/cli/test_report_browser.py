"""test_report_browser.py PROGRAM: pages of `report` in headless Chromium, from a file: no error, sorting, values under a pointer, links
into folded parts, dark and light, a phone's width. RS_TEST_PICTURES: a folder that keeps the pictures."""
import math
import os
import re
import shutil
import struct
import sys

import browser
import program

h5py = program.need_h5py()
if not browser.Browser.find():
    print("skipped: there is no Chromium (Debian: chromium)")
    sys.exit(program.SKIPPED)
GNUPLOT = shutil.which(os.environ.get("RS_GNUPLOT", "gnuplot"))
DARK = "--blink-settings=preferredColorScheme=0"

RUN = ["--depth", "18", "--blocks", "1,1,1,1", "--dataset", "shapes", "--train-limit", "96", "--test-limit", "32", "--batch-size", "16",
       "--epochs", "2", "--quiet", "--commit-every", "0", "--threads", "1", "--device", os.environ.get("RS_TEST_DEVICE", "cpu")]

CONTRAST = """
const luminance = (c) => { const f = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); };
  return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]); };
const parse = (text) => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
  if (c.length === 3 || c[3] === 1) { return c; } } return parse(getComputedStyle(document.documentElement).backgroundColor); };
const low = [];
for (const e of document.querySelectorAll("body *:not(script):not(.plot *)")) {
  const own = Array.from(e.childNodes).some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || e.id === "probe-result" || e.closest("svg")) { continue; }
  const a = luminance(parse(getComputedStyle(e).color)), b = luminance(ground(e));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (!(ratio >= 4.5)) { low.push(e.tagName + " " + e.className + " " + ratio.toFixed(2)); }
}
return {low, dark: matchMedia("(prefers-color-scheme: dark)").matches, ground: getComputedStyle(document.body).backgroundColor};
"""


def make(p):
    """Three groups of one seed or two, and a page about them; one about a single run."""
    p.run(*RUN, "--out", "a.h5")
    p.run(*RUN, "--seed", "2", "--out", "b.h5")
    p.run(*RUN, "--plain", "--out", "c.h5")
    p.run(*RUN, "--learning-rate", "0.1", "--out", "d.h5")
    p.run("report", "a.h5", "b.h5", "c.h5", "d.h5", "-o", "many.html")
    p.run("report", "a.h5", "-o", "one.html")
    return browser.Browser(p.dir)


def check_sorting(chrome, p):
    found = chrome.probe(p.file("many.html"), """
        const table = document.querySelector("#results").parentElement.querySelector("table");
        const heads = Array.from(table.tHead.rows[0].cells), column = heads.findIndex((h) => h.textContent === "test loss");
        const values = () => Array.from(table.tBodies[0].rows, (row) => parseFloat(row.cells[column].dataset.value));
        const button = heads[column].querySelector("button");
        button.click(); const down = values(), first = heads[column].getAttribute("aria-sort");
        button.click(); const up = values(), second = heads[column].getAttribute("aria-sort");
        heads[0].querySelector("button").click();
        const words = Array.from(table.tBodies[0].rows, (row) => row.cells[0].textContent);
        return {column, down, first, up, second, words, left: heads[column].getAttribute("aria-sort")};""")
    assert found["column"] > 0 and len(found["down"]) == 3, found
    assert found["down"] == sorted(found["down"], reverse=True) and found["first"] == "descending", found
    assert found["up"] == sorted(found["up"]) and found["second"] == "ascending" and found["left"] is None, found
    assert found["words"] == sorted(found["words"]), found


def check_missing_last(chrome, p):
    """A cell without a value goes last, up and down; numbers are not sorted as texts."""
    text = """<!DOCTYPE html><html lang="en"><head><title>x</title></head><body><table class="sort"><thead><tr><th class="number">n</th>
        </tr></thead><tbody>%s</tbody></table><div id="tip" hidden></div><script>%s</script></body></html>"""
    with open(p.file("one.html"), encoding="utf-8") as f:
        script = f.read().rsplit("<script>", 1)[1].split("</script>")[0]
    cells = "".join(f"<tr><td{value}>{name}</td></tr>" for name, value in
                    [("10", ' data-value="10"'), ("none", ""), ("9", ' data-value="9"'), ("-1", ' data-value="-1"'), ("nan", ' data-value="nan"')])
    with open(p.file("cells.html"), "w", encoding="utf-8") as f:
        f.write(text % (cells, script))
    found = chrome.probe(p.file("cells.html"), """
        const button = document.querySelector("th button");
        const order = () => Array.from(document.querySelectorAll("td"), (c) => c.textContent).join(" ");
        button.click(); const down = order(); button.click(); return [down, order()];""")
    assert found == ["10 9 -1 none nan", "-1 9 10 none nan"], found


HOVER = """
const figure = document.getElementById("figure-distances"), svg = figure.querySelector("svg");
const data = JSON.parse(figure.querySelector("script").textContent);
const panel = data.panels[%(panel)d], curve = panel.curves[%(curve)d], index = %(index)d;
const x = (panel.curves.slice(0, %(curve)d + 1).reverse().find((c) => c.x)).x[index], y = curve.y[index];
const share = (v, r) => r[2] ? Math.log(v / r[0]) / Math.log(r[1] / r[0]) : (v - r[0]) / (r[1] - r[0]);
figure.scrollIntoView();
const place = [panel.box[0] + panel.box[2] * share(x, panel.xRange), panel.box[1] + panel.box[3] * (1 - share(y, panel.yRange))];
const at = new DOMPoint(...place).matrixTransform(svg.getScreenCTM());
svg.dispatchEvent(new PointerEvent("pointermove", {clientX: at.x + 0.3, clientY: at.y + 0.3, bubbles: true}));
const dot = svg.querySelector(".rs-dot"), off = Math.hypot(dot.getAttribute("cx") - place[0], dot.getAttribute("cy") - place[1]);
const tip = document.getElementById("tip"), shown = tip.textContent, seen = !tip.hidden, box = tip.getBoundingClientRect();
svg.dispatchEvent(new PointerEvent("pointerleave"));
const gone = tip.hidden;
const plot = figure.querySelector(".plot");
const press = (key) => { plot.dispatchEvent(new KeyboardEvent("keydown", {key})); return tip.textContent; };
const first = press("ArrowRight"), next = press("ArrowRight"), other = press("ArrowDown"), end = press("End");
press("Escape");
return {off, log: panel.yRange[2] === 1, shown, seen, gone, first, next, other, end, x, y, closed: tip.hidden,
        inside: box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight};
"""


def values_of(tip):
    """The two numbers at the end of a tip."""
    return [float(line.rsplit(": ", 1)[1]) for line in tip.splitlines()[-2:]]


def check_values(chrome, p):
    """The number under the pointer is the record's: of the block highest at the last step, so that no other is nearer. Curves begin at
    the initial state, with 0."""
    with h5py.File(p.file("a.h5")) as f:
        all_distances = f["steps/distance_to_initial/minkowski:1"][:]
        previous = f["steps/distance_to_previous/minkowski:1"][:]
        names = list(f["blocks/name"].asstr()[:])
    highest = int(all_distances[-1].argmax())
    last = len(all_distances) - 1
    found = chrome.probe(p.file("one.html"), HOVER % {"panel": 0, "curve": highest, "index": last + 1})
    assert found["seen"] and found["gone"] and found["closed"] and found["inside"], found
    step, value = values_of(found["shown"])
    assert math.isclose(value, all_distances[last, highest], rel_tol=1e-4), (found, all_distances[last])
    assert step == last + 1 and names[highest] in found["shown"], found
    first, next_one, end = (values_of(found[key]) for key in ("first", "next", "end"))
    assert next_one[0] == first[0] + 1 and end[0] == step, found
    assert found["other"].splitlines()[:-2] != found["next"].splitlines()[:-2], found
    highest = int(previous[2].argmax())
    found = chrome.probe(p.file("one.html"), HOVER % {"panel": 1, "curve": highest, "index": 2})
    step, value = values_of(found["shown"])  # on a logarithmic axis, far from where a linear one would have it
    assert found["log"] and found["off"] < 0.1, found
    assert math.isclose(value, previous[2, highest], rel_tol=1e-4) and step == 3, (found, previous[2])


def check_colours(chrome, p):
    light = chrome.probe(p.file("many.html"), CONTRAST)
    dark = chrome.probe(p.file("many.html"), CONTRAST, DARK)
    assert not light["low"] and not dark["low"], (light["low"][:9], dark["low"][:9])
    assert dark["dark"] and not light["dark"] and dark["ground"] != light["ground"], (light, dark)


def check_folded_links(chrome, p):
    with open(p.file("many.html"), encoding="utf-8") as f:
        target = re.search(r'id="(block-2-1)"', f.read())[1]
    found = chrome.probe(p.file(f"many.html#{target}"), f"""
        const row = document.getElementById("{target}"); return [row.closest("details").open, row.offsetHeight > 0];""")
    assert found == [True, True], found


def check_layer_links(chrome, p):
    """From a layer to its figures and block, and from there back: every link leads to something that can be seen."""
    found = chrome.probe(p.file("one.html"), """
        const row = document.getElementById("layer-1-layer2_2e0_2econv1");
        const seen = (e) => { for (let at = e; at; at = at.parentElement) { if (at.tagName === "DETAILS") { at.open = true; } }
          return e.getBoundingClientRect().height > 0; };
        const targets = (e) => Array.from(e.querySelectorAll("a[href^='#']"), (a) => a.getAttribute("href").slice(1));
        const all = targets(row), block = document.getElementById("block-1-2");
        const figures = Array.from(document.querySelectorAll("figure[id^='figure-']"));
        return {all, lost: all.filter((id) => !document.getElementById(id) || !seen(document.getElementById(id))),
                back: targets(block).includes(row.id), listed: figures.filter((f) => !document.querySelector(
                  `nav[aria-label='Figures'] a[href='#${f.id}']`)).length, figures: figures.length,
                layers: figures.filter((f) => f.querySelector("figcaption a[href='#layers']")).length};""")
    assert "block-1-2" in found["all"] and not found["lost"] and found["back"] and found["listed"] == 0, found
    if GNUPLOT:
        assert "figure-distances" in found["all"] and found["figures"] > 5 and found["layers"] > 3, found


def check_figures_in_the_dark(chrome, p):
    """Their own colours, on light paper."""
    found = chrome.probe(p.file("one.html"), """
        return Array.from(document.querySelectorAll(".plot"), (e) => [getComputedStyle(e).backgroundColor,
                                                                      getComputedStyle(e.querySelector("svg")).filter]);""", DARK)
    for ground, how in found:
        assert how == "none" and min(map(int, re.findall(r"\d+", ground)[:3])) > 220, (ground, how)


def check_width(chrome, p):
    """On a phone the page itself does not scroll sideways: only its tables and figures do."""
    found = chrome.probe(p.file("many.html"), """
        return {wide: document.documentElement.scrollWidth, inner: innerWidth};""", "--window-size=500,900")
    assert found["wide"] <= found["inner"], found


def check_pictures(chrome, p):
    folder = os.environ.get("RS_TEST_PICTURES", p.dir)
    for name, width, options in (("light", 1200, []), ("dark", 1200, [DARK]), ("phone", 390, [])):
        path = os.path.join(folder, f"report-{name}.png")
        chrome.picture(p.file("many.html"), path, width, 2600, *options)
        with open(path, "rb") as f:
            assert struct.unpack(">I", f.read(20)[16:])[0] == width, name


def test_pages_work_in_a_browser(p):
    chrome = make(p)
    check_sorting(chrome, p)
    check_missing_last(chrome, p)
    check_folded_links(chrome, p)
    check_layer_links(chrome, p)
    check_figures_in_the_dark(chrome, p)
    check_colours(chrome, p)
    check_width(chrome, p)
    check_pictures(chrome, p)
    if GNUPLOT:
        check_values(chrome, p)
    else:
        print("without gnuplot there are no figures to point at", flush=True)


if __name__ == "__main__":
    program.main([test for name, test in list(globals().items()) if name.startswith("test_")])
