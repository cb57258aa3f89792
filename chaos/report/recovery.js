// The recovery of each probe, step by step: seen, over, answered from elsewhere, home again.

"use strict";

function recoveries() {
  const moved = data.recoveries.some((r) => r.away !== null);
  const columns = [
    ["Probe"],
    ["Failure noticed"],
    ["Last failure"],
    ["Good again"],
    ...(moved ? [["Answered from elsewhere"], ["Home again"]] : []),
  ];
  const rows = data.recoveries.map((r) => [
    r.probe,
    step(r.first[1], `by the attempt of ${moment(r.first[0])}`),
    step(r.last, null),
    r.back === null ? "not while it was watched" : step(r.back, lifted(r.back)),
    ...(moved ? [elsewhere(r), home(r)] : []),
  ]);
  put("recovery", rows.length ? table("Moments of the recovery of each probe", columns, rows) : null);
}

function step(t, soft) {
  return el("span", {}, el("b", {}, moment(t)), soft ? el("span", { class: "target" }, soft) : null);
}

function elsewhere(r) {
  if (r.from === null) return "";
  return r.away === null
    ? el("span", { class: "soft" }, `no, all from ${r.from}`)
    : step(r.away, `from ${r.to}`);
}

function home(r) {
  if (r.away === null) return "";
  return r.home === null
    ? el("span", { class: "soft" }, "not while it was watched")
    : step(r.home, lifted(r.home) ?? `from ${r.from}`);
}

// How long after the lifting that was; null when it was before, or nothing was lifted.
function lifted(t) {
  return data.lifted !== null && t > data.lifted ? `${span(t - data.lifted)} after the lifting` : null;
}
