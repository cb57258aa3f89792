// Reading and enlarging the timeline with pointer and keyboard; its legend.

"use strict";

// Pointer and keyboard on one lane.
function listen(timeline, lane, probe, index) {
  const { cells } = probe;
  if (!cells.length) return;
  const go = (to) => {
    timeline.at[index] = Math.min(Math.max(to, 0), cells.length - 1);
    const cell = cells[timeline.at[index]];
    lane.setAttribute("aria-valuenow", timeline.at[index]);
    lane.setAttribute(
      "aria-valuetext",
      says(cell)
        .map(([, text]) => text)
        .join(", "),
    );
    tell(timeline, lane, cell);
  };
  const steps = {
    ArrowLeft: -1,
    ArrowDown: -1,
    ArrowRight: 1,
    ArrowUp: 1,
    PageUp: 20,
    PageDown: -20,
    Home: -Infinity,
    End: Infinity,
  };
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
  timeline.chart.addEventListener(
    "pointerdown",
    (event) => (begun = event.pointerType === "mouse" ? pointed(timeline, event) : null),
  );
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
  const drawn = data.verdict.objectives
    .map((o) => o.drawn)
    .find((d) => d && d.low !== null && d.high !== null && d.low > d.from);
  if (data.injected !== null) parts.push(["The fault", ...timeline.fault]);
  if (drawn)
    parts.push([
      "The recovery",
      drawn.low - 10 * (drawn.high - drawn.low),
      drawn.high + 10 * (drawn.high - drawn.low),
    ]);
  const buttons = parts.map(([name, from, to]) => {
    const button = el("button", { type: "button" }, name);
    button.addEventListener("click", () => timeline.show(from, to));
    return button;
  });
  place.append(...buttons);
}

function legend(place) {
  const swatch = (kind) =>
    svg(
      "svg",
      { viewBox: "0 0 22 12", width: 22, height: 12, "aria-hidden": "true" },
      svg("rect", { width: 22, height: 12, rx: 2, class: `band ${kind}` }),
      svg("rect", { width: 22, height: 12, rx: 2, class: `over ${kind}` }),
    );
  const items = regions.map((region) => [`good ${hue(region)}`, `answered from ${region}`]);
  const states = new Set(
    data.probes
      .flatMap((probe) => cellsOf(probe))
      .map((cell) => (cell.state === "good" && cell.region === null ? "good none" : cell.state)),
  );
  const words = {
    "good none": "good answer",
    bad: "no good answer",
    mixed: "good and bad",
    crashed: "the probe itself broke: no data",
  };
  items.push(...Object.entries(words).filter(([state]) => states.has(state)));
  place.append(
    ...items.map(([kind, text]) => el("span", {}, swatch(kind), text)),
    el("span", {}, el("i", { class: "shade" }), "a fault is on"),
  );
}
