// The sections around the timeline, filled from the data; those without content go away.

"use strict";

function put(section, ...content) {
  const place = byId(section);
  const given = content.filter(Boolean);
  if (given.length) place.append(...given);
  else place.remove();
}

function head() {
  const { value, reasons } = data.verdict;
  byId("eyebrow").textContent =
    `${data.name} · ${wall(0).slice(11, 16)} UTC, ${new Date(data.wall).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" })}`;
  const [first, ...others] = reasons;
  byId("verdict").append(
    el(
      "p",
      { class: `badge ${value}` },
      mark(value),
      el("strong", {}, value[0].toUpperCase() + value.slice(1)),
    ),
    el(
      "div",
      {},
      el("p", { class: "reason" }, first ?? ""),
      others.length ? el("ul", {}, ...others.map((reason) => el("li", {}, reason))) : null,
    ),
  );
  byId("verdict").classList.add(value);
  byId("caveat").append(...data.caveat.map((sentence) => el("p", {}, sentence)));
}

function objectives() {
  const rows = data.verdict.objectives.map((o) => [
    o.probe,
    el("span", {}, el("b", {}, o.name), " ", el("span", { class: "soft" }, o.wanted_text)),
    el("span", { class: "figure" }, o.measured_text),
    scale(o),
    el("span", { class: `verdict-word ${o.value}` }, mark(o.value), o.value),
    how(o),
  ]);
  const columns = [
    ["Probe"],
    ["Promised", "close"],
    ["Measured"],
    ["To scale", "chart"],
    ["Verdict"],
    ["How"],
  ];
  put("objectives", rows.length ? table("Objectives and what was measured", columns, rows) : null);
}

function how({ how_text: how, reason }) {
  if (!how && !reason) return "";
  return el(
    "span",
    {},
    how ? el("b", { class: "how" }, how) : null,
    how && reason ? el("br") : null,
    el("span", { class: "soft" }, reason),
  );
}

// Measured against wanted, on one scale from 0: the limit is the tick.
function scale(o) {
  if (!o.scale) return "";
  const { low, high, limit, top } = o.scale;
  const x = (value) => Math.min((value / top) * 118 + 1, 119);
  return svg(
    "svg",
    { viewBox: "0 0 120 16", width: 120, height: 16, class: `scale ${o.value}`, "aria-hidden": "true" },
    svg("rect", { x: 1, y: 5, width: 118, height: 6, rx: 3, class: "track" }),
    svg("rect", { x: 1, y: 5, width: Math.max(x(low) - 1, 0), height: 6, rx: 3, class: "fill" }),
    svg("rect", { x: x(low), y: 5, width: Math.max(x(high) - x(low), 1.5), height: 6, class: "unsure" }),
    svg("path", { d: `M${x(limit)} 1v14`, class: "tick" }),
  );
}

const SHOWN = 6; // outages of a probe; the timeline and verdict.json have all

function availability() {
  const columns = [
    ["Probe"],
    ["Good while the fault was on", "number"],
    ["Down while it was on", "number"],
    ["Steady again after lifting", "number"],
    ["Attempts", "number"],
    ["Outages"],
  ];
  const rows = data.probes.map((p) => [
    el("span", {}, p.name, el("span", { class: "target" }, p.target)),
    p.availability_text,
    p.downtime_text,
    p.steady_text,
    p.crashed ? `${p.attempts} (${p.crashed} broke)` : `${p.attempts}`,
    p.outages.length
      ? el(
          "ul",
          { class: "plain" },
          ...p.outages.slice(0, SHOWN).map((o) => el("li", {}, outage(o))),
          p.outages.length > SHOWN ? el("li", {}, `and ${p.outages.length - SHOWN} more`) : null,
        )
      : el("span", { class: "soft" }, "none"),
  ]);
  put(
    "availability",
    rows.length ? table("Availability, downtime and outages of each probe", columns, rows) : null,
  );
}

function outage(o) {
  const until = o.to === null ? "to the end" : `to ${moment(o.to)}`;
  return `${moment(o.from)} ${until}, ${o.text} long, ${attempts(o.attempts)}${o.error ? `: ${o.error}` : ""}`;
}

function ledgers() {
  const columns = [
    ["Ledger"],
    ["Read"],
    ["Acknowledged", "number"],
    ["Survived", "number"],
    ["Lost", "number"],
    ["Stale", "number"],
    ["RPO", "number"],
    ["Remarks"],
  ];
  const rows = data.ledgers.map((l) => [
    l.probe,
    `${l.when_text} (${moment(l.t)})`,
    ...(l.error
      ? ["–", "–", "–", "–", "–", `could not be read: ${l.error}`]
      : [`${l.acknowledged}`, `${l.survived}`, `${l.lost}`, `${l.stale}`, l.rpo_text, l.remarks]),
  ]);
  const writes = data.ledgers.flatMap((l) => [
    ...l.writes.map((cells) => [l.probe, l.when_text, ...cells]),
    ...(l.more ? [[l.probe, l.when_text, "…", `and ${l.more} more; verdict.json has all`, ""]] : []),
  ]);
  put(
    "ledgers",
    rows.length ? table("Acknowledged writes and what became of them", columns, rows) : null,
    writes.length
      ? table("Writes that were lost, late, changed, doubled or out of order", [["Ledger"], ["Read"], ["Write", "number"], ["What"], ["When"]], writes)
      : null,
  );
}

function pulls() {
  const columns = [
    ["Lever"],
    ["Before"],
    ["Set to"],
    ["Moved", "number"],
    ["Back", "number"],
    ["Outcome"],
    ["Met traffic", "number"],
  ];
  const rows = data.pulls.map((p) => [
    p.lever,
    el("code", {}, p.prior),
    el("code", {}, p.value),
    moment(p.at),
    p.ended === null ? "–" : moment(p.ended),
    el("span", { class: p.bad ? "alarm" : null }, p.outcome_text, p.detail ? el("br") : null, p.detail),
    p.noticed === null ? "–" : `${p.noticed} times`,
  ]);
  put(
    "pulls",
    el("p", {}, data.pulls_text),
    rows.length ? table("Levers that were pulled, and what became of them", columns, rows) : null,
  );
}

function facts() {
  const entries = data.facts.flatMap(([name, text]) => [el("dt", {}, name), el("dd", {}, text)]);
  put("facts", el("dl", {}, ...entries));
}

function experiment() {
  put(
    "experiment",
    el(
      "details",
      {},
      el("summary", {}, data.file, " ", el("span", { class: "soft" }, `sha256 ${data.sha256}`)),
      el("pre", { tabindex: "0" }, data.text),
    ),
  );
}

function chart() {
  if (!data.probes.length) return byId("timeline").remove();
  const timeline = new Timeline(byId("chart"), byId("tip"));
  timeline.draw();
  legend(byId("legend"));
  zooming(timeline, byId("zoom"));
  dragging(timeline);
  let width = byId("chart").clientWidth;
  new ResizeObserver(() => {
    if (byId("chart").clientWidth === width) return;
    width = byId("chart").clientWidth;
    timeline.draw();
  }).observe(byId("chart"));
  window.addEventListener("beforeprint", () => timeline.draw(860));
  window.addEventListener("afterprint", () => timeline.draw());
  return undefined;
}

head();
objectives();
chart();
trend();
recoveries();
availability();
latency();
ledgers();
pulls();
put("notes", data.notes.length ? el("ul", {}, ...data.notes.map((note) => el("li", {}, note))) : null);
exercise();
facts();
experiment();
root.dataset.ready = "true";
