// The timeline: phases and faults along the top, a lane for each probe, one axis for all.
//
//   phases   steady │ hold                                  │ recover
//   faults          ├── region_outage us-east-1 ────────────┤
//   lane     name, what it came to
//            ├────── 46.4 – 48.9 s ──▒┤        ┆ RTO 2 min       the objective, drawn to scale
//            · ·  ·· ··                ·  ·· ··· ·  · ··· ·      latency of each attempt
//            ███ us-east-1 ██╱╱╱ down ╱╱╱██ us-west-2 ████████   who answered, or nobody

"use strict";

const MARGIN = { left: 46, right: 14 };
const ROW = { phases: 20, fault: 24, name: 24, objective: 19, latency: 40, band: 18, gap: 14, axis: 34 };
const PHASES = { steady: "steady state", inject: "injecting", hold: "fault on", rollback: "putting back", recover: "recovering", judge: "judging" };

const regions = [...new Set(data.probes.flatMap((probe) => probe.cells.map((cell) => cell[6])))].filter((region) => region !== null).sort();
const hue = (region) => (region === null ? "none" : `r${regions.indexOf(region) % 6}`);

// A cell stands for one attempt, or for several alike where a run has too many to draw.
function cellsOf(probe) {
  return probe.cells.map(([from, good, bad, crashed, p50, longest, region, status, error], index) => {
    const to = index + 1 < probe.cells.length ? probe.cells[index + 1][0] : probe.to;
    const state = bad && good ? "mixed" : bad ? "bad" : good ? "good" : "crashed";
    return { from, to, good, bad, crashed, p50, longest, region, status, error, state, count: good + bad + crashed };
  });
}

// Neighbours of one state and region are one stretch of the band.
function stretches(cells) {
  const found = [];
  for (const cell of cells) {
    const last = found.at(-1);
    const key = cell.state === "good" ? `good ${cell.region}` : cell.state;
    if (last && last.key === key) last.to = cell.to;
    else found.push({ key, state: cell.state, region: cell.region, from: cell.from, to: cell.to });
  }
  return found;
}

function says(cell) {
  const when = cell.count > 1 ? `${moment(cell.from)} to ${moment(cell.to)}` : moment(cell.from);
  const many = cell.count > 1 ? `${attempts(cell.count)}, ` : "";
  const how = { good: "good", bad: "failed", crashed: "the probe itself broke", mixed: `${cell.good} good, ${cell.bad} failed` }[cell.state];
  const took = cell.count > 1 ? `median ${span(cell.p50)}, longest ${span(cell.longest)}` : span(cell.p50);
  return [
    ["when", `${when} · ${utc(cell.from)}`],
    [cell.state, [many + how, cell.status === null ? null : `status ${cell.status}`, cell.region === null ? null : `from ${cell.region}`].filter(Boolean).join(" · ")],
    ["took", `took ${took}`],
    ...(cell.error ? [["error", cell.error]] : []),
  ];
}

// The time of the faults with a margin; the whole run when nothing was broken.
function faultOf(whole) {
  if (data.injected === null) return whole;
  const to = data.lifted ?? data.to;
  const margin = (to - data.injected) * 0.06;
  return [Math.max(data.injected - margin, whole[0]), Math.min(to + margin, whole[1])];
}

class Timeline {
  constructor(chart, tip) {
    this.chart = chart;
    this.tip = tip;
    this.whole = [0, Math.max(data.to, 1, ...data.verdict.objectives.map((o) => (o.drawn ? o.drawn.limit : 0))) * 1.005];
    this.fault = faultOf(this.whole);
    // A drill is about its fault: where that is a moment of a long run, the page begins there.
    this.shown = this.fault[1] - this.fault[0] < 0.15 * this.whole[1] ? this.fault : this.whole;
    this.probes = data.probes.map((probe) => ({ ...probe, cells: cellsOf(probe) }));
    this.at = this.probes.map(() => 0); // the attempt that the keyboard is on, lane by lane
  }

  show(from, to) {
    if (to - from < 0.05) return;
    this.shown = [Math.max(from, this.whole[0]), Math.min(to, this.whole[1])];
    this.draw();
  }

  x(t) {
    const [from, to] = this.shown;
    return MARGIN.left + ((t - from) / (to - from)) * (this.width - MARGIN.left - MARGIN.right);
  }

  t(x) {
    const [from, to] = this.shown;
    return from + ((x - MARGIN.left) / (this.width - MARGIN.left - MARGIN.right)) * (to - from);
  }

  // The visible part of a stretch, as x and width; null when it is not in sight.
  part(from, to) {
    const left = Math.max(this.x(from), MARGIN.left);
    const right = Math.min(this.x(to ?? this.whole[1]), this.width - MARGIN.right);
    return right < left || this.x(from) > this.width - MARGIN.right ? null : { x: left, width: Math.max(right - left, 0.8) };
  }

  sees(t) {
    return t !== null && t >= this.shown[0] && t <= this.shown[1];
  }

  draw(width = Math.max(this.chart.clientWidth, 320)) {
    this.width = width;
    this.top = 0;
    const parts = [this.phases(), ...data.faults.map((fault) => this.faultRow(fault))];
    const begin = this.top;
    this.top += 4;
    const lanes = this.probes.map((probe, index) => this.lane(probe, index));
    const end = this.top;
    const axis = this.axis(end);
    const height = end + ROW.axis;
    const focused = [...this.chart.querySelectorAll(".lane")].indexOf(document.activeElement);
    this.cursor = svg("line", { class: "cursor", y1: begin, y2: end, visibility: "hidden" });
    this.brush = svg("rect", { class: "brush", y: begin, height: end - begin, visibility: "hidden" });
    this.chart.replaceChildren(
      svg(
        "svg",
        { viewBox: `0 0 ${width} ${height}`, width: "100%", role: "group", "aria-label": "Timeline of the run" },
        hatch("hatch-bad"),
        hatch("hatch-mixed"),
        hatch("hatch-span"),
        ...this.shades(begin, end),
        ...parts,
        axis,
        ...this.edges(begin, end),
        ...lanes,
        this.cursor,
        this.brush,
      ),
    );
    if (focused >= 0) this.chart.querySelectorAll(".lane")[focused].focus();
  }

  phases() {
    const y = this.top;
    this.top += ROW.phases;
    const marks = data.phases.map(([name, from], index) => {
      const to = index + 1 < data.phases.length ? data.phases[index + 1][1] : data.to;
      const part = this.part(from, to);
      if (!part) return null;
      const text = PHASES[name] ?? name;
      const room = part.width > width(text, 11) + 10;
      return svg("g", { class: "phase" }, svg("title", {}, `${PHASES[name] ?? name}: ${moment(from)}, for ${span(to - from)}`), svg("line", { x1: part.x, x2: part.x, y1: y + 3, y2: y + 17 }), room ? svg("text", { x: part.x + 6, y: y + 14 }, text) : null);
    });
    return svg("g", { "aria-hidden": "true" }, ...marks);
  }

  faultRow(fault) {
    const y = this.top;
    this.top += ROW.fault;
    const part = fault.from === null ? null : this.part(fault.from, fault.until);
    if (!part) return svg("g");
    const lasted = fault.error ? "failed" : fault.to === null ? "not lifted" : `for ${span(fault.to - fault.from)}`;
    const text = part.width > width(`${fault.name}, ${lasted}`, 12) + 16 ? `${fault.name}, ${lasted}` : fault.name;
    const inside = part.width > width(text, 12) + 16;
    const after = part.x + part.width + 6;
    const right = inside || after + width(text, 12) < this.width;
    return svg(
      "g",
      { class: "fault", role: "img", "aria-label": `fault ${fault.name}, ${moment(fault.from)}, ${lasted}` },
      svg("rect", { ...part, y: y + 1, height: ROW.fault - 5, rx: 3 }),
      svg("text", { x: inside ? part.x + 8 : right ? after : part.x - 6, y: y + 15, class: inside ? "inside" : "outside", "text-anchor": right ? "start" : "end" }, text),
    );
  }

  shades(begin, end) {
    return data.faults.map((fault) => {
      const part = fault.from === null ? null : this.part(fault.from, fault.until);
      return part ? svg("rect", { ...part, y: begin, height: end - begin, class: "shade" }) : null;
    });
  }

  // Where the clocks start, and where the last fault was gone.
  edges(begin, end) {
    return [data.injected, data.lifted].filter((t) => this.sees(t)).map((t) => svg("line", { x1: this.x(t), x2: this.x(t), y1: begin, y2: end + 5, class: "edge" }));
  }

  axis(y) {
    const least = this.width < 560;
    const named = [
      [data.injected, least ? "0" : "first injection"],
      [data.lifted, least ? "lifted" : `lifted ${moment(data.lifted ?? 0)}`],
    ].filter(([t]) => this.sees(t));
    const fits = Math.max(2, Math.floor((this.width - MARGIN.left) / 90));
    const step = STEPS.find((s) => (this.shown[1] - this.shown[0]) / s <= fits) ?? 86400;
    const ticks = [];
    for (let n = Math.ceil((this.shown[0] - zero) / step); zero + n * step <= this.shown[1]; n += 1) {
      const t = zero + n * step;
      const apart = ([other, text]) => Math.abs(this.x(t) - this.x(other)) > (width(text, 12) + width(moment(t), 12)) / 2 + 8;
      ticks.push([t, named.every(apart) ? moment(t) : ""]);
    }
    const marks = [...ticks, ...named].flatMap(([t, text], index) => [
      svg("line", { x1: this.x(t), x2: this.x(t), y1: y, y2: y + 5 }),
      svg("text", { x: this.x(t), y: y + 19, "text-anchor": "middle", class: index < ticks.length ? null : "named" }, text),
    ]);
    return svg("g", { class: "axis" }, svg("line", { x1: MARGIN.left, x2: this.width - MARGIN.right, y1: y, y2: y }), ...marks);
  }

  lane(probe, index) {
    const start = this.top;
    const objectives = data.verdict.objectives.filter((o) => o.probe === probe.name && o.drawn);
    const under = start + ROW.name;
    const top = under + objectives.length * ROW.objective;
    const end = top + ROW.latency + ROW.band;
    const parts = [
      ...this.title(probe, start),
      ...latencyRow(this, probe, top),
      ...objectives.flatMap((o, n) => this.objective(o.drawn, under + n * ROW.objective, end - under - n * ROW.objective)),
      ...this.band(probe, top + ROW.latency),
    ];
    this.top = end + ROW.gap;
    const area = svg("rect", { class: "area", x: MARGIN.left, width: this.width - MARGIN.left - MARGIN.right, y: start + 3, height: this.top - start - ROW.gap, rx: 3 });
    const lane = svg("g", { class: "lane", tabindex: "0", role: "slider", "data-probe": probe.name, "aria-label": `${probe.name}: ${probe.says}. Arrow keys walk through its attempts`, "aria-valuemin": 0, "aria-valuemax": Math.max(probe.cells.length - 1, 0), "aria-valuenow": this.at[index], "aria-valuetext": probe.says }, ...parts, area);
    listen(this, lane, probe, index);
    return lane;
  }

  title(probe, y) {
    const room = this.width - MARGIN.left - MARGIN.right > width(`${probe.name}    ${probe.says}`, 13);
    return [
      svg("text", { x: MARGIN.left, y: y + 17, class: "name" }, probe.name),
      room ? svg("text", { x: this.width - MARGIN.right, y: y + 17, class: "sum", "text-anchor": "end" }, probe.says) : null,
    ];
  }

  // From where the clock starts to the recovery, whose moment is known as an interval, and the limit.
  objective(drawn, y, height) {
    const mid = y + 11;
    const measured = drawn.low === null ? { parts: [], left: 0, right: 0 } : this.measured(drawn, mid, height);
    if (!this.sees(drawn.limit)) return measured.parts;
    const [x, room] = [this.x(drawn.limit), width(drawn.name, 12) + 10];
    const left = (drawn.limit < drawn.from && x > room) || x + room > this.width;
    const lower = measured.right > (left ? x - room : x) && measured.left < (left ? x : x + room) ? 17 : 0;
    return [
      ...measured.parts,
      svg("line", { x1: x, x2: x, y1: y, y2: y + height, class: "limit" }),
      svg("text", { x: left ? x - 5 : x + 5, y: mid + 4 + lower, "text-anchor": left ? "end" : "start", class: "limit-name" }, drawn.name),
    ];
  }

  // The line, its box and its text; and from where to where they reach.
  measured({ from, low, high, text }, mid, height) {
    const ends = [low, high ?? this.whole[1]].sort((a, b) => a - b);
    const line = this.part(Math.min(from, ends[0]), Math.max(from, ends[0]));
    const box = this.part(...ends);
    if (!line && !box) return { parts: [], left: 0, right: 0 };
    const [begin, end] = line ? [line.x, line.x + line.width] : [box.x, box.x];
    const right = Math.max(end, box ? box.x + Math.max(box.width, 2.5) : end);
    const room = width(text, 12);
    const inside = end - begin > room + 24;
    const at = inside ? (begin + end - room) / 2 : Math.max(right, this.x(from)) + 6;
    const lines = inside ? [[begin, at - 5], [at + room + 5, end]] : [[begin, end]];
    const parts = [
      ...lines.map(([x1, x2]) => svg("line", { x1, x2, y1: mid, y2: mid, class: "measure" })),
      this.sees(from) ? svg("path", { d: `M${this.x(from)} ${mid - 5}v10`, class: "measure" }) : null,
      box ? svg("rect", { x: box.x, width: Math.max(box.width, 2.5), y: mid - 6, height: height - 6, class: "between" }) : null,
      inside || box ? svg("text", { x: at, y: mid + 4, class: "measured" }, text) : null,
    ];
    return { parts, left: begin, right: inside ? right : at + room };
  }

  band(probe, y) {
    return stretches(probe.cells).flatMap((stretch) => {
      const part = this.part(stretch.from, stretch.to);
      if (!part) return [];
      const { state, region, from, to } = stretch;
      const text = { good: region ?? "", bad: `down ≈ ${span(to - from)}`, mixed: "good and bad", crashed: "no data" }[state];
      const short = state === "bad" ? "down" : text;
      const fits = [text, short].find((words) => words && part.width > width(words, 11) + 12);
      const room = width(fits ?? "", 11) + 8;
      const plate = { x: part.x + (part.width - room) / 2, y: y + 2.5, width: room, height: ROW.band - 5, rx: 2, class: "plate" };
      return [
        svg("rect", { ...part, y, height: ROW.band, class: `band ${state} ${state === "good" ? hue(region) : ""}` }),
        state === "good" ? null : svg("rect", { ...part, y, height: ROW.band, class: `over ${state}` }),
        fits && state !== "good" ? svg("rect", plate) : null,
        fits ? svg("text", { x: part.x + part.width / 2, y: y + 13, "text-anchor": "middle", class: `on ${state} ${state === "good" ? hue(region) : ""}` }, fits) : null,
      ];
    });
  }
}
