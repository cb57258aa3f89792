// The timeline: phases and faults along the top, a lane for each probe, one axis for all.
//
//   phases   steady │ hold                                  │ recover
//   faults          ├── region_outage us-east-1 ────────────┤
//   levers          ▼ 4 pulled                              ▲ 4 put back
//   lane     name, what it came to
//            ├────── 46.4 – 48.9 s ──▒┤        ┆ RTO 2 min       the objective, drawn to scale
//            · ·  ·· ··                ·  ·· ··· ·  · ··· ·      latency of each attempt
//            ███ us-east-1 ██╱╱╱ down ╱╱╱██ us-west-2 ████████   who answered, or nobody

"use strict";

const MARGIN = { left: 46, right: 14 };
const ROW = { phases: 20, fault: 24, levers: 18, name: 24, objective: 19, latency: 40, band: 18, gap: 14, axis: 34 };

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
    this.whole = [
      0,
      Math.max(data.to, 1, ...data.verdict.objectives.map((o) => (o.drawn ? o.drawn.limit : 0))) * 1.005,
    ];
    this.fault = faultOf(this.whole);
    // A drill is about its fault: where that is a moment of a long run, the page begins there.
    this.shown = this.fault[1] - this.fault[0] < 0.15 * this.whole[1] ? this.fault : this.whole;
    this.probes = data.probes.map((probe) => ({ ...probe, cells: cellsOf(probe) }));
    // The attempt that the keyboard is on, lane by lane: at first the one at the injection.
    this.at = this.probes.map((probe) => (probe.cells.length ? nearest(probe.cells, zero) : 0));
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
    return right < left || this.x(from) > this.width - MARGIN.right
      ? null
      : { x: left, width: Math.max(right - left, 0.8) };
  }

  sees(t) {
    return t !== null && t >= this.shown[0] && t <= this.shown[1];
  }

  draw(pixels = Math.max(this.chart.clientWidth, 320)) {
    this.width = pixels;
    this.top = 0;
    const parts = [phasesRow(this), ...data.faults.map((fault) => faultRow(this, fault)), ...leversRow(this)];
    const begin = this.top;
    this.top += 4;
    const lanes = this.probes.map((probe, index) => this.lane(probe, index));
    const end = this.top;
    const height = end + ROW.axis;
    const focused = [...this.chart.querySelectorAll(".lane")].indexOf(document.activeElement);
    this.cursor = svg("line", { class: "cursor", y1: begin, y2: end, visibility: "hidden" });
    this.brush = svg("rect", { class: "brush", y: begin, height: end - begin, visibility: "hidden" });
    this.chart.replaceChildren(
      svg(
        "svg",
        {
          viewBox: `0 0 ${pixels} ${height}`,
          width: "100%",
          role: "group",
          "aria-label": "Timeline of the run",
        },
        hatch("hatch-bad"),
        hatch("hatch-mixed"),
        hatch("hatch-span"),
        ...shades(this, begin, end),
        ...parts,
        axis(this, end),
        ...edges(this, begin, end),
        ...lanes,
        this.cursor,
        this.brush,
      ),
    );
    if (focused >= 0) this.chart.querySelectorAll(".lane")[focused].focus();
  }

  lane(probe, index) {
    const start = this.top;
    const objectives = data.verdict.objectives.filter((o) => o.probe === probe.name && o.drawn);
    const under = start + ROW.name;
    const top = under + objectives.length * ROW.objective;
    const end = top + ROW.latency + ROW.band;
    const parts = [
      ...heading(this, probe, start),
      ...latencyRow(this, probe, top),
      ...objectives.flatMap((o, n) =>
        clock(this, o.drawn, under + n * ROW.objective, end - under - n * ROW.objective),
      ),
      ...band(this, probe, top + ROW.latency),
    ];
    this.top = end + ROW.gap;
    const area = svg("rect", {
      class: "area",
      x: MARGIN.left,
      width: this.width - MARGIN.left - MARGIN.right,
      y: start + 3,
      height: this.top - start - ROW.gap,
      rx: 3,
    });
    const lane = svg(
      "g",
      {
        class: "lane",
        tabindex: "0",
        role: "slider",
        "data-probe": probe.name,
        "aria-label": `${probe.name}: ${probe.says}. Arrow keys walk through its attempts`,
        "aria-valuemin": 0,
        "aria-valuemax": Math.max(probe.cells.length - 1, 0),
        "aria-valuenow": this.at[index],
        "aria-valuetext": probe.says,
      },
      ...parts,
      area,
    );
    listen(this, lane, probe, index);
    return lane;
  }
}
