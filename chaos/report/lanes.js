// What a lane shows: its name, the clock of its objective, latencies, and the band of answers.

"use strict";

const DECADES = [0.0001, 0.001, 0.01, 0.1, 1, 10, 100, 1000];

// Diagonal lines, each kind at its own angle, so that no state depends on colour alone.
function hatch(id) {
  const turn = { "hatch-bad": 45, "hatch-mixed": -45, "hatch-span": 90 }[id];
  const size = id === "hatch-span" ? 4 : 6;
  return svg(
    "pattern",
    { id, width: size, height: size, patternUnits: "userSpaceOnUse", patternTransform: `rotate(${turn})` },
    svg("line", { x1: 0, x2: 0, y1: 0, y2: size, class: id }),
  );
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
    paths[kind] =
      `${paths[kind] ?? ""}M${x.toFixed(1)} ${y(cell.p50).toFixed(1)}V${(y(cell.longest) - 0.01).toFixed(2)}`;
  }
  const scale = [low, high].map((s) =>
    svg("text", { x: MARGIN.left - 6, y: y(s) + 4, "text-anchor": "end", class: "scale" }, span(s)),
  );
  const lines = [low, high].map((s) =>
    svg("line", { x1: MARGIN.left, x2: timeline.width - MARGIN.right, y1: y(s), y2: y(s), class: "grid" }),
  );
  return [...lines, ...scale, ...Object.entries(paths).map(([kind, d]) => svg("path", { d, class: kind }))];
}

function heading(timeline, probe, y) {
  const room = timeline.width - MARGIN.left - MARGIN.right > width(`${probe.name}    ${probe.says}`, 13);
  return [
    svg("text", { x: MARGIN.left, y: y + 17, class: "name" }, probe.name),
    room
      ? svg(
          "text",
          { x: timeline.width - MARGIN.right, y: y + 17, class: "sum", "text-anchor": "end" },
          probe.says,
        )
      : null,
  ];
}

// From where the clock starts to the recovery, whose moment is known as an interval, and the limit.
function clock(timeline, drawn, y, height) {
  const mid = y + 11;
  const line = drawn.low === null ? { parts: [], left: 0, right: 0 } : measured(timeline, drawn, mid, height);
  if (!timeline.sees(drawn.limit)) return line.parts;
  const [x, room] = [timeline.x(drawn.limit), width(drawn.name, 12) + 10];
  const left = (drawn.limit < drawn.from && x > room) || x + room > timeline.width;
  const lower = line.right > (left ? x - room : x) && line.left < (left ? x : x + room) ? 17 : 0;
  return [
    ...line.parts,
    svg("line", { x1: x, x2: x, y1: y, y2: y + height, class: "limit" }),
    svg(
      "text",
      {
        x: left ? x - 5 : x + 5,
        y: mid + 4 + lower,
        "text-anchor": left ? "end" : "start",
        class: "limit-name",
      },
      drawn.name,
    ),
  ];
}

// The line, its box and its text; and from where to where they reach.
function measured(timeline, { from, low, high, text }, mid, height) {
  const ends = [low, high ?? timeline.whole[1]].sort((a, b) => a - b);
  const line = timeline.part(Math.min(from, ends[0]), Math.max(from, ends[0]));
  const box = timeline.part(...ends);
  if (!line && !box) return { parts: [], left: 0, right: 0 };
  const [begin, end] = line ? [line.x, line.x + line.width] : [box.x, box.x];
  const right = Math.max(end, box ? box.x + Math.max(box.width, 2.5) : end);
  const room = width(text, 12);
  const inside = end - begin > room + 24;
  const at = inside ? (begin + end - room) / 2 : Math.max(right, timeline.x(from)) + 6;
  const lines = inside
    ? [
        [begin, at - 5],
        [at + room + 5, end],
      ]
    : [[begin, end]];
  const parts = [
    ...lines.map(([x1, x2]) => svg("line", { x1, x2, y1: mid, y2: mid, class: "measure" })),
    timeline.sees(from) ? svg("path", { d: `M${timeline.x(from)} ${mid - 5}v10`, class: "measure" }) : null,
    box
      ? svg("rect", {
          x: box.x,
          width: Math.max(box.width, 2.5),
          y: mid - 6,
          height: height - 6,
          class: "between",
        })
      : null,
    inside || box ? svg("text", { x: at, y: mid + 4, class: "measured" }, text) : null,
  ];
  return { parts, left: begin, right: inside ? right : at + room };
}

function band(timeline, probe, y) {
  return stretches(probe.cells).flatMap((stretch) => {
    const part = timeline.part(stretch.from, stretch.to);
    if (!part) return [];
    const { state, region, from, to } = stretch;
    const text = {
      good: region ?? "",
      bad: `${probe.bad_word} ≈ ${span(to - from)}`,
      mixed: "good and bad",
      crashed: "no data",
    }[state];
    const short = state === "bad" ? probe.bad_word : text;
    const fits = [text, short].find((words) => words && part.width > width(words, 11) + 12);
    const room = width(fits ?? "", 11) + 8;
    const plate = {
      x: part.x + (part.width - room) / 2,
      y: y + 2.5,
      width: room,
      height: ROW.band - 5,
      rx: 2,
      class: "plate",
    };
    return [
      svg("rect", {
        ...part,
        y,
        height: ROW.band,
        class: `band ${state} ${state === "good" ? hue(region) : ""}`,
      }),
      state === "good" ? null : svg("rect", { ...part, y, height: ROW.band, class: `over ${state}` }),
      fits && state !== "good" ? svg("rect", plate) : null,
      fits
        ? svg(
            "text",
            {
              x: part.x + part.width / 2,
              y: y + 13,
              "text-anchor": "middle",
              class: `on ${state} ${state === "good" ? hue(region) : ""}`,
            },
            fits,
          )
        : null,
    ];
  });
}
