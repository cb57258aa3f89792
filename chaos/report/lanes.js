// What a lane shows and does besides its band: latencies, and reading single attempts.

"use strict";

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
const DECADES = [0.0001, 0.001, 0.01, 0.1, 1, 10, 100, 1000];

// Diagonal lines, each kind at its own angle, so that no state depends on colour alone.
function hatch(id) {
  const turn = { "hatch-bad": 45, "hatch-mixed": -45, "hatch-span": 90 }[id];
  const size = id === "hatch-span" ? 4 : 6;
  return svg("pattern", { id, width: size, height: size, patternUnits: "userSpaceOnUse", patternTransform: `rotate(${turn})` }, svg("line", { x1: 0, x2: 0, y1: 0, y2: size, class: id }));
}

// Latency on a logarithmic scale: a dot for an attempt, a line up to the longest of several.
function latencyRow(timeline, probe, top) {
  const { base, height } = { base: top + ROW.latency - 5, height: ROW.latency - 9 };
  const seconds = probe.cells.flatMap((cell) => [cell.p50, cell.longest]).filter((s) => s > 0);
  const low = DECADES.findLast((d) => d <= Math.min(...seconds, 0.01)) ?? DECADES[0];
  const high = DECADES.find((d) => d >= Math.max(...seconds, low * 10)) ?? DECADES.at(-1);
  const y = (s) => base - (Math.log(Math.max(s, low) / low) / Math.log(high / low)) * height;
  const paths = {};
  for (const cell of probe.cells) {
    const x = timeline.x((cell.from + (cell.count > 1 ? cell.to : cell.from)) / 2);
    if (x < MARGIN.left - 1 || x > timeline.width - MARGIN.right + 1) continue;
    const kind = cell.state === "good" ? `dot ${hue(cell.region)}` : `dot ${cell.state}`;
    paths[kind] = `${paths[kind] ?? ""}M${x.toFixed(1)} ${y(cell.p50).toFixed(1)}V${(y(cell.longest) - 0.01).toFixed(2)}`;
  }
  const scale = [low, high].map((s) => svg("text", { x: MARGIN.left - 6, y: y(s) + 4, "text-anchor": "end", class: "scale" }, span(s)));
  const lines = [low, high].map((s) => svg("line", { x1: MARGIN.left, x2: timeline.width - MARGIN.right, y1: y(s), y2: y(s), class: "grid" }));
  return [...lines, ...scale, ...Object.entries(paths).map(([kind, d]) => svg("path", { d, class: kind }))];
}

// Pointer and keyboard on one lane.
function listen(timeline, lane, probe, index) {
  const { cells } = probe;
  if (!cells.length) return;
  const go = (to) => {
    timeline.at[index] = Math.min(Math.max(to, 0), cells.length - 1);
    const cell = cells[timeline.at[index]];
    lane.setAttribute("aria-valuenow", timeline.at[index]);
    lane.setAttribute("aria-valuetext", says(cell).map(([, text]) => text).join(", "));
    tell(timeline, lane, cell);
  };
  const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 20, PageDown: -20, Home: -Infinity, End: Infinity };
  lane.addEventListener("keydown", (event) => {
    if (event.key === "Escape") timeline.show(...timeline.whole);
    else if (event.key in steps) go(timeline.at[index] + steps[event.key]);
    else return;
    event.preventDefault();
  });
  lane.addEventListener("focus", () => go(timeline.at[index]));
  lane.addEventListener("blur", () => hush(timeline));
  lane.addEventListener("pointermove", (event) => go(nearest(cells, timeline.t(pointed(timeline, event)))));
  lane.addEventListener("pointerleave", () => hush(timeline));
}

function nearest(cells, t) {
  let [low, high] = [0, cells.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (cells[middle].from <= t) low = middle;
    else high = middle - 1;
  }
  return low;
}

// The pointer's x in the drawing's own units.
function pointed(timeline, event) {
  const box = timeline.chart.getBoundingClientRect();
  return ((event.clientX - box.left) / box.width) * timeline.width;
}

function tell(timeline, lane, cell) {
  const { tip, chart, cursor } = timeline;
  tip.replaceChildren(...says(cell).map(([kind, text]) => el("p", { class: kind }, text)));
  tip.hidden = false;
  const x = timeline.x((cell.from + (cell.count > 1 ? cell.to : cell.from)) / 2);
  for (const end of ["x1", "x2"]) cursor.setAttribute(end, x);
  cursor.setAttribute("visibility", timeline.sees(timeline.t(x)) ? "visible" : "hidden");
  const scale = chart.clientWidth / timeline.width;
  const left = Math.min(Math.max(x * scale - tip.offsetWidth / 2, 0), chart.clientWidth - tip.offsetWidth);
  tip.style.left = `${chart.offsetLeft + left}px`;
  tip.style.top = `${chart.offsetTop + (lane.getBBox().y + lane.getBBox().height) * scale + 4}px`;
}

function hush(timeline) {
  timeline.tip.hidden = true;
  timeline.cursor.setAttribute("visibility", "hidden");
}

// Dragging across a stretch enlarges it.
function dragging(timeline) {
  let begun = null;
  const range = (event) => [begun, pointed(timeline, event)].sort((a, b) => a - b);
  timeline.chart.addEventListener("pointerdown", (event) => (begun = event.pointerType === "mouse" ? pointed(timeline, event) : null));
  timeline.chart.addEventListener("pointermove", (event) => {
    if (begun === null) return;
    const [from, to] = range(event);
    timeline.brush.setAttribute("x", from);
    timeline.brush.setAttribute("width", to - from);
    timeline.brush.setAttribute("visibility", "visible");
  });
  window.addEventListener("pointerup", (event) => {
    if (begun === null) return;
    const [from, to] = range(event);
    begun = null;
    timeline.brush.setAttribute("visibility", "hidden");
    if (to - from > 8) timeline.show(timeline.t(from), timeline.t(to));
  });
}

function zooming(timeline, place) {
  const parts = [["Whole run", ...timeline.whole]];
  const drawn = data.verdict.objectives.map((o) => o.drawn).find((d) => d && d.low !== null && d.high !== null && d.low > d.from);
  if (data.injected !== null) parts.push(["The fault", ...timeline.fault]);
  if (drawn) parts.push(["The recovery", drawn.low - 10 * (drawn.high - drawn.low), drawn.high + 10 * (drawn.high - drawn.low)]);
  const buttons = parts.map(([name, from, to]) => {
    const button = el("button", { type: "button" }, name);
    button.addEventListener("click", () => timeline.show(from, to));
    return button;
  });
  place.append(...buttons);
}

function legend(place) {
  const swatch = (kind) => svg("svg", { viewBox: "0 0 22 12", width: 22, height: 12, "aria-hidden": "true" }, svg("rect", { width: 22, height: 12, rx: 2, class: `band ${kind}` }), svg("rect", { width: 22, height: 12, rx: 2, class: `over ${kind}` }));
  const items = regions.map((region) => [`good ${hue(region)}`, `answered from ${region}`]);
  const states = new Set(data.probes.flatMap((probe) => cellsOf(probe)).map((cell) => (cell.state === "good" && cell.region === null ? "good none" : cell.state)));
  const words = { "good none": "good answer", bad: "no good answer", mixed: "good and bad", crashed: "the probe itself broke: no data" };
  items.push(...Object.entries(words).filter(([state]) => states.has(state)));
  place.append(...items.map(([kind, text]) => el("span", {}, swatch(kind), text)), el("span", {}, el("i", { class: "shade" }), "a fault is on"));
}
