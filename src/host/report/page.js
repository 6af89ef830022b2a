/* page.js: tables that sort, and values under a pointer. Characters are ASCII: it is built in as C. */
"use strict";

/* --- tables: a click on a head sorts by its column; numbers by data-value, largest first; what is missing goes last --- */

function keyOf(row, column, isNumber) {
  const cell = row.cells[column];
  if (!isNumber) {
    const text = cell.textContent.trim();
    const value = Number(text);
    return text === "" ? null : Number.isNaN(value) ? text : value;
  }
  const value = parseFloat(cell.dataset.value);
  return Number.isNaN(value) ? null : value;
}

function compareKeys(a, b) {
  if (typeof a === "number" && typeof b === "number") {
    return a - b;
  }
  return String(a).localeCompare(String(b), "en", {numeric: true});
}

function sortTable(table, column, head) {
  const isNumber = head.classList.contains("number");
  const before = head.getAttribute("aria-sort");
  const down = before === null ? isNumber : before === "ascending";
  for (const other of table.tHead.rows[0].cells) {
    other.removeAttribute("aria-sort");
  }
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => ({row, key: keyOf(row, column, isNumber)}));
  rows.sort((a, b) => {
    if (a.key === null || b.key === null) {
      return (a.key === null) - (b.key === null);
    }
    return down ? compareKeys(b.key, a.key) : compareKeys(a.key, b.key);
  });
  body.append(...rows.map((entry) => entry.row));
}

for (const table of document.querySelectorAll("table.sort")) {
  Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortTable(table, column, head));
    head.append(button);
  });
}

/* --- links into what is folded up open it --- */

function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let at = target; at; at = at.parentElement) {
    if (at.tagName === "DETAILS") {
      at.open = true;
    }
  }
  if (target) {
    target.scrollIntoView();
  }
}
addEventListener("hashchange", openTarget);
openTarget();

/* --- figures: the point nearest to the pointer, by the numbers beside the drawing --- */

const tip = document.getElementById("tip");

function share(value, range) {
  const [low, high, isLog] = range;
  return isLog ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

/* Panels beside and above each other share the names of their axes. */
function nameAxes(data) {
  for (const panel of data.panels) {
    const [left, top] = panel.box;
    panel.xName ||= data.panels.find((other) => other.box[0] === left && other.xName)?.xName || "x";
    panel.yName ||= data.panels.find((other) => other.box[1] === top && other.yName)?.yName || "y";
  }
}

/* Adds to each point of each curve its place in the drawing; points that are none have null. */
function placePoints(data) {
  for (const panel of data.panels) {
    const [left, top, width, height] = panel.box;
    let x = [];
    for (const curve of panel.curves) {
      curve.x = x = curve.x || x;
      curve.places = curve.y.map((y, i) => y === null || x[i] === null ? null : {
        x: left + width * share(x[i], panel.xRange),
        y: top + height * (1 - share(y, panel.yRange))
      });
    }
  }
}

function isIn(panel, at, margin) {
  const [left, top, width, height] = panel.box;
  return at.x >= left - margin && at.x <= left + width + margin && at.y >= top - margin && at.y <= top + height + margin;
}

function nearest(data, at) {
  let best = null, least = Infinity;
  for (const panel of data.panels) {
    if (!isIn(panel, at, 4)) {
      continue;
    }
    for (const curve of panel.curves) {
      curve.places.forEach((place, index) => {
        const distance = place && isIn(panel, place, 1) ? (place.x - at.x) ** 2 + (place.y - at.y) ** 2 : Infinity;
        if (distance < least) {
          least = distance;
          best = {panel, curve, index};
        }
      });
    }
  }
  return best;
}

function showPoint(svg, found) {
  const {panel, curve, index} = found, place = curve.places[index];
  let dot = svg.querySelector(".rs-dot");
  if (!dot) {
    dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    dot.setAttribute("class", "rs-dot");
    dot.setAttribute("r", "4");
    dot.setAttribute("fill", "none");
    dot.setAttribute("stroke", "#000000");
    dot.setAttribute("stroke-width", "1.5");
    svg.append(dot);
  }
  dot.setAttribute("cx", place.x);
  dot.setAttribute("cy", place.y);
  dot.setAttribute("visibility", "visible");
  const title = curve.name.startsWith(panel.title) ? "" : panel.title;
  const lines = [title, curve.name, `${panel.xName}: ${curve.x[index]}`, `${panel.yName}: ${curve.y[index]}`];
  tip.textContent = lines.filter((line) => line).join("\n");
  tip.hidden = false;
  const from = svg.getScreenCTM(), x = from.a * place.x + from.e, y = from.d * place.y + from.f;
  const left = x + 12 + tip.offsetWidth > innerWidth ? x - 12 - tip.offsetWidth : x + 12;
  const top = y + 12 + tip.offsetHeight > innerHeight ? y - 12 - tip.offsetHeight : y + 12;
  tip.style.left = `${Math.max(0, left)}px`;
  tip.style.top = `${Math.max(0, top)}px`;
}

function hidePoint(svg) {
  const dot = svg.querySelector(".rs-dot");
  if (dot) {
    dot.setAttribute("visibility", "hidden");
  }
  tip.hidden = true;
}

/* Curves of all panels in one row, for the keyboard. */
function step(data, found, key) {
  const all = data.panels.flatMap((panel) => panel.curves.map((curve) => ({panel, curve})))
    .filter((entry) => entry.curve.places.some((place) => place));
  if (all.length === 0) {
    return null;
  }
  let at = found ? all.findIndex((entry) => entry.curve === found.curve) : 0;
  let index = found ? found.index : -1;
  at = key === "ArrowDown" ? Math.min(at + 1, all.length - 1) : key === "ArrowUp" ? Math.max(at - 1, 0) : at;
  const {panel, curve} = all[at], end = curve.places.length - 1;
  const by = key === "ArrowLeft" ? -1 : 1;
  index = key === "Home" ? 0 : key === "End" ? end : key === "ArrowLeft" || key === "ArrowRight" ? index + by : index;
  index = Math.min(Math.max(index, 0), end);
  while (!curve.places[index] && index + by >= 0 && index + by <= end) {
    index += by;
  }
  return curve.places[index] ? {panel, curve, index} : found;
}

function watch(figure) {
  const plot = figure.querySelector(".plot"), svg = figure.querySelector("svg");
  const source = figure.querySelector("script[type='application/json']");
  let data = null, found = null;
  const load = () => {
    if (!data) {
      data = JSON.parse(source.textContent);
      nameAxes(data);
      placePoints(data);
    }
  };
  const show = (next) => {
    found = next;
    if (found) {
      showPoint(svg, found);
    } else {
      hidePoint(svg);
    }
  };
  const point = (event) => {
    load();
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    show(nearest(data, at));
  };
  svg.addEventListener("pointermove", point);
  svg.addEventListener("pointerdown", point);
  svg.addEventListener("pointerleave", () => show(null));
  plot.addEventListener("blur", () => show(null));
  plot.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      show(null);
    } else if (["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) {
      load();
      event.preventDefault();
      show(step(data, found, event.key));
    }
  });
}

for (const figure of document.querySelectorAll("figure[id^='figure-']")) {
  watch(figure);
}
