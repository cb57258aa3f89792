// Attempts: who answered, what is said of them, which of them are one stretch.

"use strict";

const regions = [...new Set(data.probes.flatMap((probe) => probe.cells.map((cell) => cell[6])))]
  .filter((region) => region !== null)
  .sort();
const hue = (region) => (region === null ? "none" : `r${regions.indexOf(region) % 6}`);

// A cell stands for one attempt, or for several alike where a run has too many to draw.
function cellsOf(probe) {
  return probe.cells.map(([from, good, bad, crashed, p50, longest, region, status, error], index) => {
    const to = index + 1 < probe.cells.length ? probe.cells[index + 1][0] : probe.to;
    const state = bad && good ? "mixed" : bad ? "bad" : good ? "good" : "crashed";
    return {
      from,
      to,
      good,
      bad,
      crashed,
      p50,
      longest,
      region,
      status,
      error,
      state,
      count: good + bad + crashed,
    };
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
  const how = {
    good: "good",
    bad: "failed",
    crashed: "the probe itself broke",
    mixed: `${cell.good} good, ${cell.bad} failed`,
  }[cell.state];
  const took = cell.count > 1 ? `median ${span(cell.p50)}, longest ${span(cell.longest)}` : span(cell.p50);
  return [
    ["when", `${when} · ${utc(cell.from)}`],
    [
      cell.state,
      [
        many + how,
        cell.status === null ? null : `status ${cell.status}`,
        cell.region === null ? null : `from ${cell.region}`,
      ]
        .filter(Boolean)
        .join(" · "),
    ],
    ["took", `took ${took}`],
    ...(cell.error ? [["error", cell.error]] : []),
  ];
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
