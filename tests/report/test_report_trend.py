"""This run among those before it, on the page."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from report import journals
from report.browser import browse, needs_browser
from results.past import kept, promise, wall

from chaos.history import History, fold
from chaos.journal import read
from chaos.report import html
from chaos.report.trend import trends
from chaos.results import RunResult, of
from chaos.verdict import Verdict, judge


def judged(tmp_path: Path) -> tuple[History, Verdict]:
    history = fold(read(journals.region_outage(tmp_path)))
    return history, judge(history)


def before() -> list[RunResult]:
    """Four runs before it: one as it should be, three of which less is known."""
    share = promise(0.9, objective="availability", wanted=0.4)
    never = replace(promise(180.0, math.inf), value="broken")
    return [
        kept(1, promise(60.0, 62.0), share),
        kept(2, never, share),
        kept(3, promise(50.0), doubted=frozenset({"playback"}), value="unknown"),
        kept(4, promise(70.0, 71.0)),
    ]


def test_each_promise_has_its_runs_and_this_one_comes_last(tmp_path: Path) -> None:
    history, verdict = judged(tmp_path)
    rto, availability, unaffected, rpo = trends(history, verdict, before())
    assert (rto["probe"], rto["name"], rto["limit"], rto["limit_text"]) == (
        "playback",
        "RTO",
        120.0,
        "2 min",
    )
    figures = [(p["low"], p["high"], p["doubted"]) for p in rto["points"]]
    assert figures[:4] == [
        (60.0, 62.0, False),
        (180.0, None, False),
        (None, None, True),
        (70.0, 71.0, False),
    ]
    assert rto["points"][-1]["run"] == history.run
    assert rto["top"] > 180.0
    assert (availability["top"], availability["limit_text"]) == (1.0, "40%")
    assert [p["run"] for p in availability["points"]] == ["r01", "r02", history.run]
    assert (unaffected["limit"], unaffected["top"]) == (None, 1.0)
    assert len(rpo["points"]) == 1


def test_a_run_without_others_has_no_trend_nor_is_it_its_own_past(tmp_path: Path) -> None:
    history, verdict = judged(tmp_path)
    assert trends(history, verdict, []) == []
    assert trends(history, verdict, [of(history, verdict)]) == []


@needs_browser
def test_the_page_draws_a_mark_for_each_run(tmp_path: Path) -> None:
    history, verdict = judged(tmp_path)
    page = browse(tmp_path, html.render(history, verdict, before()))
    assert "This run among those before it" in page.texts("h2")
    points = [group["class"] or "" for group in page.all("g", **{"class": "point"})]
    assert points[:5] == [
        "point held",
        "point broken",
        "point held doubted",
        "point held",
        "point held now",
    ]
    assert f"r02, {wall(2)[:16].replace('T', ' ')} UTC: more than 3 min, broken" in page.texts(
        "title"
    )
    assert not [c for c in page.texts("text") if "NaN" in c or "null" in c]
