"""The sections of the page about recovery, levers and latencies, in a real browser."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from report import journals
from report.browser import acting, browse, needs_browser, rendered

from chaos.history import fold
from chaos.journal import read
from chaos.report import html
from chaos.verdict import judge


@needs_browser
def test_the_recovery_is_told_step_by_step(tmp_path: Path) -> None:
    page = browse(tmp_path, rendered(tmp_path))
    caption = page.texts("caption").index("Moments of the recovery of each probe")
    table = page.texts("table")[caption]
    for words in (
        "Failure noticed",
        "by the attempt of +88 ms",
        "from us-west-2",
        "23.8 s after the lifting",
    ):
        assert words in table


@needs_browser
def test_levers_are_on_the_timeline_where_they_moved(tmp_path: Path) -> None:
    page = browse(tmp_path, rendered(tmp_path))
    marks = [mark["aria-label"] or "" for mark in page.all("g", **{"class": "lever"})]
    assert [mark.partition(",")[0] for mark in marks] == ["4 pulled", "4 put back"]
    assert marks[0].startswith("4 pulled, +0 s; replication us-east-1 set to off; ")
    assert {"4 pulled", "4 put back"} <= set(page.texts("text"))


@needs_browser
def test_levers_that_are_not_back_are_marked_at_the_end(tmp_path: Path) -> None:
    outcomes = ("failed", "restored", "conflict", "open")
    page = browse(tmp_path, rendered(tmp_path, outcomes=outcomes))
    marks = [mark["aria-label"] or "" for mark in page.all("g", **{"class": "bad"})]
    assert len([mark for mark in marks if mark.startswith("3 NOT put back, ")]) == 1
    assert {"1 put back", "3 NOT put back"} <= set(page.texts("text"))


@needs_browser
def test_levers_that_stay_moved_for_good_have_no_way_back(tmp_path: Path) -> None:
    page = browse(tmp_path, rendered(tmp_path, outcomes=("kept",) * 4))
    marks = [mark["aria-label"] or "" for mark in page.all("g", **{"class": "lever"})]
    assert [mark.partition(",")[0] for mark in marks] == ["4 pulled"]


@needs_browser
def test_each_probe_has_its_latencies_drawn_and_told(tmp_path: Path) -> None:
    page = browse(tmp_path, rendered(tmp_path))
    assert page.texts("figcaption") == ["playback", "west_canary", "history"]
    plots = [p["aria-label"] or "" for p in page.all("svg", role="img")]
    before = r"playback, before: 17 good answers, median \d+ ms, 95th percentile \d+ ms, longest "
    assert re.match(before, plots[0])
    assert "during the fault: no good answer" in plots[2]
    assert {"10 ms", "20 ms", "50 ms", "100 ms", "200 ms"} <= set(page.texts("text"))
    parts = page.all("g", **{"class": "bars"})
    assert [part["class"] for part in parts] == ["bars before", "bars during", "bars after"] * 3
    # Medians and 95th percentiles of all parts but the one without an answer.
    assert [len(page.all("path", **{"class": kind})) for kind in ("median", "high")] == [8, 8]


FITS = """
const plots = [...document.querySelectorAll(".plots svg")];
const sticksOut = (plot) => (part) => {
  const [box, all] = [part.getBoundingClientRect(), plot.getBoundingClientRect()];
  return box.left < all.left - 1 || box.right > all.right + 1 || box.bottom > all.bottom + 1;
};
const outside = plots.flatMap((plot) =>
  [...plot.querySelectorAll("text, rect, path")].filter(sticksOut(plot)),
);
document.documentElement.dataset.outside = outside.map((part) => part.outerHTML).join("");
"""


@needs_browser
@pytest.mark.parametrize("longest", [0.1, 1.9, 90.0])
def test_nothing_of_a_plot_is_cut_off(tmp_path: Path, longest: float) -> None:
    history = fold(read(journals.region_outage(tmp_path)))
    samples = history.samples["playback"]
    slow = replace(samples[2], end=samples[2].start + longest)
    history.samples["playback"] = (*samples[:2], slow, *samples[3:])
    text = acting(html.render(history, judge(history)), FITS)
    page = browse(tmp_path, text)
    assert page.all("html")[0]["data-outside"] == ""
    assert {"10 ms", "100 ms"} <= set(page.texts("text"))


@needs_browser
def test_without_a_fault_there_is_neither_recovery_nor_time_after(tmp_path: Path) -> None:
    page = browse(tmp_path, rendered(tmp_path, steady=False))
    assert "The recovery, step by step" not in page.texts("h2")
    assert not page.all("g", **{"class": "lever"})
    assert {part["class"] for part in page.all("g", **{"class": "bars"})} == {"bars before"}
