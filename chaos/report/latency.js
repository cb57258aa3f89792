// How fast the good answers were: their distribution on one scale for all, and the percentiles.

"use strict";

const PARTS = { before: "before", during: "during the fault", after: "after" };
const PLOT = { left: 78, right: 24, row: 42, width: 354, axis: 22 };
const HINT =
  "Bars: how many answers took that long. Solid line: the median, as written. Dashed: the 95th percentile.";
const TENTHS = 10; // steps of a decade, as the data counts them

function latency() {
  const probes = data.probes.filter((p) => p.latency && Object.values(p.latency).some((l) => l.count));
  if (!probes.length) return put("latency");
  const steps = probes.flatMap((p) => Object.values(p.spread).flatMap((part) => part.map(([step]) => step)));
  const scale = [Math.min(...steps), Math.max(...steps) + 1];
  while (!round(scale[0])) scale[0] -= 1;
  while (!round(scale[1])) scale[1] += 1;
  return put(
    "latency",
    el("div", { class: "plots" }, ...probes.map((p) => plot(p, scale))),
    el("p", { class: "hint" }, HINT),
    percentiles(probes),
  );
}

// Whether a step begins at 1, 2 or 5 times a power of ten, as near as tenths of a decade come.
const ROUND = { 0: 1, 3: 2, 7: 5 };
const round = (step) => ROUND[((step % TENTHS) + TENTHS) % TENTHS];
const rounded = (step) => span(round(step) * 10 ** Math.floor(step / TENTHS));

// When nothing was broken there is no time but before; when nothing lifts it, none after.
function partsOf(probe) {
  const there = { before: true, during: data.injected !== null, after: data.lifted !== null };
  return Object.entries(PARTS).filter(([part]) => there[part] || probe.latency[part].count);
}

function plot(probe, scale) {
  const rows = partsOf(probe);
  const height = rows.length * PLOT.row + PLOT.axis;
  const says = rows.map(([part, words]) => `${words}: ${summary(probe.latency[part])}`).join("; ");
  return el(
    "figure",
    {},
    el("figcaption", {}, probe.name),
    svg(
      "svg",
      { viewBox: `0 0 ${PLOT.width} ${height}`, role: "img", "aria-label": `${probe.name}, ${says}` },
      ...decades(scale, height - PLOT.axis),
      ...rows.flatMap(([part, words], n) => row(probe, part, words, n * PLOT.row, scale)),
    ),
  );
}

function summary(l) {
  if (!l.count) return "no good answer";
  const answers = `${l.count} good answer${l.count === 1 ? "" : "s"}`;
  return `${answers}, median ${span(l.p50)}, 95th percentile ${span(l.p95)}, longest ${span(l.max)}`;
}

const plotted = (step, [low, high]) =>
  PLOT.left + ((step - low) / (high - low)) * (PLOT.width - PLOT.left - PLOT.right);

// Lines at 1, 2, 5, 10 … while these are few; otherwise at powers of ten.
function decades(scale, base) {
  const wide = scale[1] - scale[0] > 2 * TENTHS;
  const marks = [];
  for (let step = scale[0]; step <= scale[1]; step += 1) {
    if (!round(step) || (wide && step % TENTHS)) continue;
    const x = plotted(step, scale);
    marks.push(
      svg("line", { x1: x, x2: x, y1: 0, y2: base + 4, class: "grid" }),
      svg("text", { x, y: base + 17, "text-anchor": "middle", class: "decade" }, rounded(step)),
    );
  }
  return marks;
}

// One part: a bar for each step, as high as its share, and the median and the 95th percentile.
function row(probe, part, words, top, scale) {
  const l = probe.latency[part];
  const base = top + PLOT.row - 2;
  const most = Math.max(...probe.spread[part].map(([, count]) => count));
  const bars = probe.spread[part].map(([step, count]) => {
    const [x, end] = [plotted(step, scale), plotted(step + 1, scale)];
    const height = Math.max((count / most) * (PLOT.row - 12), 1.5);
    return svg("rect", { x: x + 0.5, width: end - x - 1, y: base - height, height });
  });
  const at = (s) => plotted(Math.log10(Math.max(s, 1e-5)) * TENTHS, scale);
  const mark = (s, name) => svg("path", { d: `M${at(s)} ${top + 5}V${base}`, class: name });
  const inner = { x: PLOT.left, width: PLOT.width - PLOT.left - PLOT.right };
  return [
    part === "during" ? svg("rect", { ...inner, y: top + 2, height: PLOT.row - 4, class: "shade" }) : null,
    svg("text", { x: PLOT.left - 8, y: base - 14, "text-anchor": "end" }, words.replace(" the fault", "")),
    svg(
      "text",
      { x: PLOT.left - 8, y: base - 2, "text-anchor": "end", class: "soft" },
      l.count ? span(l.p50) : "no answer",
    ),
    svg("line", { x1: PLOT.left, x2: PLOT.width - PLOT.right, y1: base, y2: base, class: "base" }),
    svg("g", { class: `bars ${part}` }, ...bars),
    ...(l.count ? [mark(l.p50, "median"), mark(l.p95, "high")] : []),
  ];
}

function percentiles(probes) {
  const figure = (s) => (s === null ? "–" : span(s));
  const rows = probes.flatMap((p) =>
    partsOf(p).map(([part, words], n) => {
      const l = p.latency[part];
      return [
        el("span", { class: n ? "again" : null }, p.name),
        words,
        `${l.count}`,
        ...[l.p50, l.p95, l.p99, l.max].map(figure),
      ];
    }),
  );
  const headings = ["Answers", "Median", "95th", "99th", "Longest"].map((name) => [name, "number"]);
  const columns = [["Probe"], ["When"], ...headings];
  return table("Latency percentiles before, during and after the fault", columns, rows);
}
