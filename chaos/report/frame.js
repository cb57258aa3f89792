// What frames the lanes: phases and faults along the top, the axis below, lines through all.

"use strict";

const STEPS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
];
const PHASES = {
  steady: "steady state",
  inject: "injecting",
  hold: "fault on",
  rollback: "putting back",
  recover: "recovering",
  judge: "judging",
};

function phasesRow(timeline) {
  const y = timeline.top;
  timeline.top += ROW.phases;
  const marks = data.phases.map(([name, from], index) => {
    const to = index + 1 < data.phases.length ? data.phases[index + 1][1] : data.to;
    const part = timeline.part(from, to);
    if (!part) return null;
    const text = PHASES[name] ?? name;
    const room = part.width > width(text, 11) + 10;
    return svg(
      "g",
      { class: "phase" },
      svg("title", {}, `${PHASES[name] ?? name}: ${moment(from)}, for ${span(to - from)}`),
      svg("line", { x1: part.x, x2: part.x, y1: y + 3, y2: y + 17 }),
      room ? svg("text", { x: part.x + 6, y: y + 14 }, text) : null,
    );
  });
  return svg("g", { "aria-hidden": "true" }, ...marks);
}

function faultRow(timeline, fault) {
  const y = timeline.top;
  timeline.top += ROW.fault;
  const part = fault.from === null ? null : timeline.part(fault.from, fault.until);
  if (!part) return svg("g");
  const lasted = fault.error
    ? "failed"
    : fault.to === null
      ? fault.one_way
        ? "for good"
        : "not lifted"
      : `for ${span(fault.to - fault.from)}`;
  const text =
    part.width > width(`${fault.name}, ${lasted}`, 12) + 16 ? `${fault.name}, ${lasted}` : fault.name;
  const inside = part.width > width(text, 12) + 16;
  const after = part.x + part.width + 6;
  const right = inside || after + width(text, 12) < timeline.width;
  return svg(
    "g",
    { class: "fault", role: "img", "aria-label": `fault ${fault.name}, ${moment(fault.from)}, ${lasted}` },
    svg("rect", { ...part, y: y + 1, height: ROW.fault - 5, rx: 3 }),
    svg(
      "text",
      {
        x: inside ? part.x + 8 : right ? after : part.x - 6,
        y: y + 15,
        class: inside ? "inside" : "outside",
        "text-anchor": right ? "start" : "end",
      },
      text,
    ),
  );
}

function shades(timeline, begin, end) {
  return data.faults.map((fault) => {
    const part = fault.from === null ? null : timeline.part(fault.from, fault.until);
    return part ? svg("rect", { ...part, y: begin, height: end - begin, class: "shade" }) : null;
  });
}

// Where the clocks start, and where the last fault was gone.
function edges(timeline, begin, end) {
  return [data.injected, data.lifted]
    .filter((t) => timeline.sees(t))
    .map((t) => svg("line", { x1: timeline.x(t), x2: timeline.x(t), y1: begin, y2: end + 5, class: "edge" }));
}

function axis(timeline, y) {
  const least = timeline.width < 560;
  const named = [
    [data.injected, least ? "0" : "first injection"],
    [data.lifted, least ? "lifted" : `lifted ${moment(data.lifted ?? 0)}`],
  ].filter(([t]) => timeline.sees(t));
  const fits = Math.max(2, Math.floor((timeline.width - MARGIN.left) / 90));
  const step = STEPS.find((s) => (timeline.shown[1] - timeline.shown[0]) / s <= fits) ?? 86400;
  const ticks = [];
  for (let n = Math.ceil((timeline.shown[0] - zero) / step); zero + n * step <= timeline.shown[1]; n += 1) {
    const t = zero + n * step;
    const apart = ([other, text]) =>
      Math.abs(timeline.x(t) - timeline.x(other)) > (width(text, 12) + width(moment(t), 12)) / 2 + 8;
    ticks.push([t, named.every(apart) ? moment(t) : ""]);
  }
  const marks = [...ticks, ...named].flatMap(([t, text], index) => {
    const x = timeline.x(t);
    const half = width(text, 12) / 2;
    const inside = Math.min(Math.max(x, half + 2), timeline.width - half - 2);
    return [
      svg("line", { x1: x, x2: x, y1: y, y2: y + 5 }),
      svg(
        "text",
        { x: inside, y: y + 19, "text-anchor": "middle", class: index < ticks.length ? null : "named" },
        text,
      ),
    ];
  });
  return svg(
    "g",
    { class: "axis" },
    svg("line", { x1: MARGIN.left, x2: timeline.width - MARGIN.right, y1: y, y2: y }),
    ...marks,
  );
}
