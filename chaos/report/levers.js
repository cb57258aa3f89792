// When levers were pulled and put back, below the faults: what is close together is one mark.

"use strict";

const MOVES = {
  pulled: { sign: "M0 0h9l-4.5 8z", text: (n) => `${n} pulled` },
  back: { sign: "M0 8h9l-4.5 -8z", text: (n) => `${n} put back` },
  bad: { sign: "M0 0l8 8M8 0l-8 8", text: (n) => `${n} NOT put back` },
};
const CLOSE = 12; // pixels

// Every move of a lever: when, which way, and in words. What is not back stands at the end: it is
// so still. What is kept for good, or went with the environment, has no way back to be shown.
function moves() {
  const pulled = data.pulls.map((p) => ({ t: p.at, way: "pulled", says: `${p.lever} set to ${p.value}` }));
  const ended = data.pulls
    .filter((p) => p.bad || ["restored", "already"].includes(p.outcome))
    .map((p) => ({
      t: p.bad ? data.to : p.ended,
      way: p.bad ? "bad" : "back",
      says: `${p.lever}: ${p.outcome_text}`,
    }));
  return [...pulled, ...ended].sort((a, b) => a.t - b.t);
}

function leversRow(timeline) {
  if (!data.pulls.length) return [];
  const y = timeline.top;
  timeline.top += ROW.levers;
  const marks = [];
  for (const move of moves().filter(({ t }) => timeline.sees(t))) {
    const x = timeline.x(move.t);
    const near = marks.findLast((m) => m.way === move.way);
    if (near && x - near.x < CLOSE) near.moves.push(move);
    else marks.push({ x, way: move.way, moves: [move] });
  }
  return marks.map((mark, n) => leverMark(timeline, mark, y, marks[n + 1]?.x ?? timeline.width));
}

// Its text stands where there is room: before the next mark, or else before this one.
function leverMark(timeline, { x, way, moves }, y, next) {
  const text = MOVES[way].text(moves.length);
  const room = width(text, 11) + 12;
  const before = x + 6 + room > next;
  const says = [`${text}, ${moment(moves[0].t)}`, ...moves.map((move) => move.says)];
  return svg(
    "g",
    { class: `lever ${way}`, role: "img", "aria-label": says.join("; ") },
    svg("title", {}, says.join("\n")),
    svg("path", { d: MOVES[way].sign, transform: `translate(${x - 4.5} ${y + 3})` }),
    !before || (next === timeline.width && x > room)
      ? svg("text", { x: before ? x - 8 : x + 8, y: y + 11, "text-anchor": before ? "end" : "start" }, text)
      : null,
  );
}
