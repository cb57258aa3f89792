// Elements, and numbers for people. All text goes in as text: nothing here parses markup.

"use strict";

const root = document.documentElement;
window.addEventListener("error", (event) => (root.dataset.error = event.message));
document.addEventListener(
  "securitypolicyviolation",
  (event) => (root.dataset.error = event.violatedDirective),
);

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const el = (tag, attributes = {}, ...children) => build(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) =>
  build(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

// How wide a label of that many pixels will be, at its boldest.
const pen = document.createElement("canvas").getContext("2d");
function width(text, size) {
  pen.font = `650 ${size}px ${getComputedStyle(document.body).fontFamily}`;
  return pen.measureText(text).width;
}

// 340 ms, 61.2 s, 12 min 5 s, 2 h 10 min
function span(seconds) {
  const size = Math.abs(seconds);
  if (size > 0 && size < 0.9995)
    return `${(seconds * 1000).toFixed(size < 0.00995 ? 1 : 0).replace(/\.0$/, "")} ms`;
  if (size < 119.95) return `${seconds.toFixed(1).replace(/\.0$/, "")} s`;
  const whole = Math.round(size);
  const sign = seconds < 0 ? "−" : "";
  const parts =
    whole < 7200
      ? [Math.floor(whole / 60), "min", whole % 60, "s"]
      : [Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min"];
  return sign + (parts[2] ? parts.join(" ") : parts.slice(0, 2).join(" "));
}

// A moment, counted from the first injection (from the run's start when nothing was broken).
const zero = data.injected ?? 0;
function moment(t) {
  const since = Math.abs(t - zero) < 0.0005 ? 0 : t - zero;
  return (since < 0 ? "−" : "+") + span(Math.abs(since));
}

// The wall's time of a moment; the lab's clock may run faster than the wall's.
const wall = (t) => new Date(Date.parse(data.wall) + (t / data.speed) * 1000).toISOString();
const utc = (t) =>
  `${wall(t)
    .slice(wall(data.to).slice(0, 10) === wall(0).slice(0, 10) ? 11 : 0, 23)
    .replace("T", " ")} UTC`;

const attempts = (n) => `${n} attempt${n === 1 ? "" : "s"}`;

// A table with real headings: `columns` are [heading, class], a row's first cell heads the row.
function table(caption, columns, rows) {
  const cell = (content, index) => {
    const attributes = { class: columns[index][1] || null, "data-label": columns[index][0] };
    return index === 0 ? el("th", { ...attributes, scope: "row" }, content) : el("td", attributes, content);
  };
  return el(
    "div",
    { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      {},
      el("caption", {}, caption),
      el(
        "thead",
        {},
        el("tr", {}, ...columns.map(([text, cls]) => el("th", { scope: "col", class: cls || null }, text))),
      ),
      el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map(cell)))),
    ),
  );
}

// Verdicts differ in shape and word, not in colour alone.
const MARKS = {
  held: ["M12 1.5a10.5 10.5 0 1 0 0 21a10.5 10.5 0 0 0 0-21z", "M7 12.4l3.4 3.4 6.6-7.2"],
  broken: ["M3.5 3.5h17v17h-17z", "M8 8l8 8M16 8l-8 8"],
  unknown: [
    "M6.4 2.2h11.2l5.6 9.8-5.6 9.8H6.4L.8 12z",
    "M8.9 9.6c0-4.1 6.2-4.1 6.2-.4 0 2.3-3.1 2.2-3.1 4.8M12 17.6v.2",
  ],
};

function mark(value) {
  const [shape, sign] = MARKS[value];
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: `mark ${value}`, "aria-hidden": "true" },
    svg("path", { d: shape, class: "shape" }),
    svg("path", { d: sign, class: "sign" }),
  );
}
