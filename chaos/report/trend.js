// What each promise came to in the last runs: a stroke for each interval, the objective as a line.

"use strict";

const TREND = { left: 14, right: 14, top: 22, height: 96, axis: 34, width: 354 };
const TREND_HINT =
  "From left to right: the runs of this experiment here, at this speed, oldest first; the filled one is this run. Strokes are what was measured, from least to most; an arrow: not recovered while it was watched. Dashed: what is promised now. A cross: the figure proves nothing.";

function trend() {
  const shown = data.trends ?? [];
  put(
    "trend",
    shown.length ? el("div", { class: "plots" }, ...shown.map(trendPlot)) : null,
    shown.length ? el("p", { class: "hint" }, TREND_HINT) : null,
  );
}

const day = (wall) => wall.slice(0, 16).replace("T", " ");

function trendPlot(t) {
  const height = TREND.top + TREND.height + TREND.axis;
  const says = t.points.map((p) => `${day(p.wall)} ${p.text}, ${p.value}`).join("; ");
  return el(
    "figure",
    { class: "trend" },
    el("figcaption", {}, t.probe, " ", el("span", { class: "soft" }, `${t.name} ${t.wanted_text}`)),
    svg(
      "svg",
      {
        viewBox: `0 0 ${TREND.width} ${height}`,
        role: "img",
        "aria-label": `${t.probe} ${t.name}, run after run: ${says}`,
      },
      ...trendFrame(t),
      ...t.points.map((p, n) => trendPoint(t, p, n)),
    ),
  );
}

const trendX = (t, n) =>
  TREND.left + ((n + 0.5) / t.points.length) * (TREND.width - TREND.left - TREND.right);
const trendY = (t, value) => TREND.top + (1 - Math.min(value / t.top, 1)) * TREND.height;

function trendFrame(t) {
  const base = TREND.top + TREND.height;
  const right = TREND.width - TREND.right;
  const last = t.points.length - 1;
  const label = (n, anchor) =>
    svg("text", { x: n ? right : TREND.left, y: base + 18, "text-anchor": anchor, class: "soft" }, day(t.points[n].wall));
  const y = t.limit === null ? 0 : trendY(t, t.limit);
  const limit = [
    svg("line", { x1: TREND.left, x2: right, y1: y, y2: y, class: "limit" }),
    svg("text", { x: TREND.left, y: y - 5, class: "limit-name" }, t.limit_text),
  ];
  return [
    svg("line", { x1: TREND.left, x2: right, y1: base, y2: base, class: "base" }),
    ...(t.limit === null ? [] : limit),
    svg("path", { d: trendPath(t), class: "way" }),
    svg("text", { x: right, y: 12, "text-anchor": "end" }, t.points[last].text),
    label(0, "start"),
    ...(last ? [label(last, "end")] : []),
  ];
}

// From run to run, where both were measured and have an end.
function trendPath(t) {
  const known = (p) => p && p.low !== null && p.high !== null;
  return t.points
    .map((p, n) => {
      if (!known(p)) return "";
      const to = `${trendX(t, n)} ${trendY(t, (p.low + p.high) / 2)}`;
      return `${known(t.points[n - 1]) ? "L" : "M"}${to}`;
    })
    .join("");
}

// One run: its interval as a stroke, with the mark of its verdict at the end.
function trendPoint(t, p, n) {
  const x = trendX(t, n);
  const now = n === t.points.length - 1;
  const place = { class: `point ${p.value}${now ? " now" : ""}${p.doubted ? " doubted" : ""}` };
  const title = svg("title", {}, `${p.run}, ${day(p.wall)} UTC: ${p.text}, ${p.value}`);
  if (p.low === null) {
    const y = TREND.top + TREND.height - 7;
    return svg("g", place, title, svg("path", { d: `M${x - 4} ${y - 4}l8 8m0-8l-8 8`, class: "cross" }));
  }
  const low = trendY(t, p.low);
  const high = p.high === null ? TREND.top - 4 : trendY(t, p.high);
  const end =
    p.high === null
      ? svg("path", { d: `M${x - 5} ${high + 7}l5-7 5 7`, class: "arrow" })
      : svg("path", { d: trendShape(p.value, x, (low + high) / 2), class: "sign" });
  return svg("g", place, title, svg("line", { x1: x, x2: x, y1: low, y2: high, class: "stroke" }), end);
}

// Held is round, broken square, unknown a lozenge.
function trendShape(value, x, y) {
  if (value === "broken") return `M${x - 4} ${y - 4}h8v8h-8z`;
  if (value === "unknown") return `M${x} ${y - 5.5}l5.5 5.5-5.5 5.5-5.5-5.5z`;
  return `M${x} ${y - 4.5}a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9z`;
}
