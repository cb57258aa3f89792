"""report.html: one file that opens from disk, today and in ten years, and asks nobody for anything.

Style, scripts and data are inlined. A content security policy lets these scripts run, known by
their hash, and nothing else, and nothing be fetched, whatever text a run has collected.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from chaos.history import History
from chaos.report import data
from chaos.report.answers import NOBODY, Answer
from chaos.report.exercise import exercise
from chaos.report.trend import trends
from chaos.results import RunResult
from chaos.verdict import Verdict

STYLES = ("theme.css", "page.css", "timeline.css", "latency.css", "trend.css")
SCRIPTS = (
    "elements.js",
    "attempts.js",
    "timeline.js",
    "frame.js",
    "lanes.js",
    "pointer.js",
    "levers.js",
    "recovery.js",
    "latency.js",
    "trend.js",
    "exercise.js",
    "page.js",
)
# In a script element these could end it or begin another state of the parser; U+2028 and U+2029
# end a line in old scripts. As \u escapes they are the same JSON.
ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def render(
    history: History,
    verdict: Verdict,
    past: Sequence[RunResult] = (),
    answers: Mapping[str, Answer] = NOBODY,
) -> str:
    """The whole page; `past` are runs before this one, with which it is compared.

    `answers` are what people have said of its findings.
    """
    title = history.experiment["title"] or history.experiment["name"]
    script = "".join(_file(name) for name in SCRIPTS)
    style = "".join(_file(name) for name in STYLES)
    reason = next(iter(verdict.reasons), "")
    parts = {
        "TITLE": html.escape(f"{verdict.value}: {title}"),
        "HEADING": html.escape(title),
        "SUMMARY": html.escape(f"{verdict.value}: {reason}."),
        "STYLE": style,
        "STYLE_HASH": _hash(style),
        "SCRIPT": script,
        "SCRIPT_HASH": _hash(script),
        "DATA": embedded(
            {
                **data.page(history, verdict),
                "trends": trends(history, verdict, past),
                "exercise": exercise(history, verdict, answers),
            }
        ),
    }
    # One pass: what is put in is never searched for places again.
    page = re.sub(r"@@([A-Z_]+)@@", lambda place: parts[place[1]], _file("page.html"))
    # Half a character, which a journal may hold as an escape, cannot be written as UTF-8.
    return page.encode("utf-8", "replace").decode()


def embedded(value: dict[str, Any]) -> str:
    """JSON that can stand in a script element: no text in it can end the element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.translate(ESCAPES)


def _file(name: str) -> str:
    return resources.files("chaos.report").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
