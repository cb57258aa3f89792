// The run as auditors read it: what was stated, findings, calls, steps in UTC, lines to sign on.

"use strict";

const MOST_ROWS = 400; // the journal has all

function exercise() {
  const told = data.exercise;
  put("findings", findings(told.findings));
  put("stated", entries([...told.stated, ...told.when, ...told.scope, ...told.method]));
  put("calls", ...calls(told));
  const steps = rowsOf(told.steps, (step) => step);
  put("steps", folded("What happened, in UTC", [["UTC", "close"], ["After", "close"], ["What"]], steps));
  put(
    "signoff",
    table(
      "Who signs",
      [["Role"], ["Name", "line"], ["Date", "line"], ["Signature", "line"]],
      told.roles.map((role) => [role, "", "", ""]),
    ),
  );
}

const entries = (rows) =>
  el("dl", {}, ...rows.flatMap(([name, text]) => [el("dt", {}, name), el("dd", {}, text)]));

const stated = (text) => text ?? el("span", { class: "soft" }, "not stated");

function findings(found) {
  if (!found.length) return el("p", {}, "None: nothing has to be seen to.");
  const columns = [["Finding"], ["Owner"], ["Due", "close"], ["Action"]];
  const rows = found.map((one) => [
    el("span", {}, one.what, el("code", { class: "target" }, one.id)),
    stated(one.owner),
    stated(one.due),
    one.accepted ? accepted(one) : stated(one.action),
  ]);
  return table("What has to be seen to, and by whom", columns, rows);
}

function accepted({ action, accepted: { by, because, until } }) {
  const risk = `risk accepted by ${by}${until ? ` until ${until}` : ""}: ${because}`;
  return action ? `${action}; ${risk}` : risk;
}

function calls(told) {
  if (!told.calls.length && !told.lacks) return [];
  const columns = [["UTC", "close"], ["For"], ["Account"], ["Call"], ["Region", "close"], ["Request id"], ["Answer"]];
  const rows = rowsOf(told.calls, (call) => [...call.slice(0, 5), el("code", {}, call[5]), call[6]]);
  return [
    told.lacks
      ? el("p", { class: "alarm" }, `The record is not complete: it lacks calls that moved ${told.lacks} of the levers.`)
      : null,
    rows.length ? folded("Calls that were to change something", columns, rows) : null,
  ];
}

// What is long is closed on a screen; on paper it is open.
window.addEventListener("beforeprint", () => {
  for (const box of document.querySelectorAll("details")) box.open = true;
});

function folded(caption, columns, rows) {
  return el("details", {}, el("summary", {}, caption, ` (${rows.length})`), table(caption, columns, rows));
}

function rowsOf(all, make) {
  const rows = all.slice(0, MOST_ROWS).map(make);
  if (all.length > MOST_ROWS)
    rows.push([`and ${all.length - MOST_ROWS} more: report.md has all`, ...rows[0].slice(1).map(() => "")]);
  return rows;
}
