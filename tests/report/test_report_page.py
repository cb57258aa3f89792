"""The page in a real browser: it draws itself from one file, without errors, for anybody."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from report import journals
from report.browser import Page, acting, browse, needs_browser, rendered

from chaos.history import fold
from chaos.journal import read
from chaos.report import html
from chaos.verdict import judge, judge_safely

# --- the file -----------------------------------------------------------------------------


def test_the_file_asks_nobody_for_anything(tmp_path: Path) -> None:
    text = rendered(tmp_path)
    page = Page(text)
    assert not [a for _, a in page.elements if "src" in a or "href" in a]
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"] or ""
    assert policy.startswith("default-src 'none';")
    shown = re.sub(r'<script type="application/json".*?</script>', "", text, flags=re.DOTALL)
    assert set(re.findall(r"https?://[^\"'` ]*", shown)) <= {"http://www.w3.org/2000/svg"}


def test_no_text_can_leave_the_data(tmp_path: Path) -> None:
    title = "</script><!--<script>\u2028\u2029&amp; \ud800"
    text = rendered(tmp_path, title=title)
    data = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert len(data) == 1
    assert not set("<>&\u2028\u2029") & set(data[0])
    text.encode()


# --- the browser --------------------------------------------------------------------------


@needs_browser
def test_the_page_draws_a_lane_for_each_probe(tmp_path: Path) -> None:
    page = browse(tmp_path, rendered(tmp_path))
    lanes = page.all("g", **{"class": "lane"})
    assert [lane["data-probe"] for lane in lanes] == ["playback", "west_canary", "history"]
    assert all(lane["tabindex"] == "0" and lane["role"] == "slider" for lane in lanes)
    drawn = page.texts("text")
    for words in ("RTO 74.1 – 74.6 s", "RTO 2 min", "first injection", "lifted +3 min"):
        assert words in drawn
    assert {"us-east-1", "us-west-2", "region_outage us-east-1, for 3 min"} <= set(drawn)
    assert page.all("rect", **{"class": "shade"})


@needs_browser
def test_each_clock_of_a_probe_has_a_line_of_its_own(tmp_path: Path) -> None:
    history = fold(read(journals.region_outage(tmp_path)))
    history.experiment["objectives"]["playback"]["heals_within"] = 30.0
    page = browse(tmp_path, html.render(history, judge(history)))
    assert {"RTO 2 min", "heals within 30 s", "RPO 5 s"} <= set(page.texts("text"))
    assert len(page.all("line", **{"class": "limit"})) == 3


@needs_browser
def test_the_page_says_the_verdict_first_and_all_the_rest(tmp_path: Path) -> None:
    page = browse(tmp_path, rendered(tmp_path))
    paragraphs = page.texts("p")
    assert paragraphs[1] == "Held"
    assert paragraphs[2] == "playback was back after 74.1 s to 74.6 s, 2 min allowed"
    assert page.texts("h2") == [
        "What was promised, and what was measured",
        "What happened",
        "The recovery, step by step",
        "Availability and outages",
        "Latency of good answers",
        "Data that survived",
        "What was changed, and put back",
        "Findings",
        "The exercise",
        "What was called",
        "Step by step",
        "About this run",
        "The experiment",
        "Sign-off",
    ]
    headings = page.all("th")
    assert all(h.get("scope") in ("col", "row") for h in headings)
    assert len(page.texts("caption")) == len(page.all("table")) == 10
    assert journals.TEXT in page.texts("pre")


@needs_browser
@pytest.mark.parametrize(
    ("variant", "word"),
    [
        ({"failover": None}, "Broken"),
        ({"bites": False}, "Unknown"),
        ({"steady": False}, "Unknown"),
        ({"outcomes": ("failed", "restored", "conflict", "open")}, "Unknown"),
    ],
    ids=str,
)
def test_every_kind_of_run_has_its_page(tmp_path: Path, variant: dict[str, Any], word: str) -> None:
    assert browse(tmp_path, rendered(tmp_path, **variant)).texts("p")[1] == word


@needs_browser
def test_the_page_of_a_long_drill_begins_at_the_fault(tmp_path: Path) -> None:
    history = fold(read(journals.region_outage(tmp_path)))
    long = journals.prolonged(history, 4 * 3600.0)
    drawn = browse(tmp_path, html.render(long, judge(history))).texts("text")
    assert {"first injection", "+60 s", "lifted +3 min"} <= set(drawn)
    assert "+1 h" not in drawn


@needs_browser
@pytest.mark.parametrize("cut", [1, 3, 40])
def test_a_journal_that_ends_early_has_a_page_too(tmp_path: Path, cut: int) -> None:
    history = fold(read(journals.region_outage(tmp_path))[:cut])
    page = browse(tmp_path, html.render(history, judge(history)))
    assert page.texts("p")[1] == "Unknown"


@needs_browser
def test_a_defect_in_judging_has_a_page_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("chaos.verdict.verdict.measure", defect)
    history = fold(read(journals.region_outage(tmp_path)))
    page = browse(tmp_path, html.render(history, judge_safely(history)))
    assert "could not be judged" in page.texts("p")[2]
    assert len(page.all("g", **{"class": "lane"})) == 3


@needs_browser
def test_hostile_text_stays_text(tmp_path: Path) -> None:
    title = "</script></title><img src=x onerror=alert(1)><b>bold</b>\u2028\u2029"
    page = browse(tmp_path, rendered(tmp_path, title=title))
    assert page.texts("h1") == [title]
    assert not page.all("img")
    assert len(page.all("g", **{"class": "lane"})) == 3


@needs_browser
def test_the_policy_lets_no_foreign_script_run(tmp_path: Path) -> None:
    foreign = "<script>document.documentElement.dataset.ready = 'foreign'</script></body>"
    text = rendered(tmp_path).replace("</body>", foreign)
    with pytest.raises(AssertionError, match="CONSOLE"):
        browse(tmp_path, text)


WALK = """
const lane = document.querySelector("[data-probe=playback]");
lane.focus();
const press = (key) => lane.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
press("PageUp");
press("ArrowRight");
"""


@needs_browser
def test_a_lane_can_be_read_with_the_keyboard(tmp_path: Path) -> None:
    page = browse(tmp_path, acting(rendered(tmp_path), WALK))
    lane = page.all("g", **{"data-probe": "playback"})[0]
    assert lane["aria-valuenow"] == "37"
    assert "failed" in (lane["aria-valuetext"] or "")
    assert [a.get("hidden") for a in page.all("div", **{"class": "tip"})] == [None]
    told = [text for text in page.texts("p") if text == "no answer within 2 s, while at connect"]
    assert len(told) == 1


@needs_browser
def test_pointing_at_a_lane_tells_status_latency_and_region(tmp_path: Path) -> None:
    point = """
    const area = document.querySelector("[data-probe=playback] .area").getBoundingClientRect();
    const at = { bubbles: true, clientX: area.right - 40, clientY: area.top + 5 };
    const move = new PointerEvent("pointermove", at);
    document.querySelector("[data-probe=playback]").dispatchEvent(move);
    """
    page = browse(tmp_path, acting(rendered(tmp_path), point))
    tip = page.texts("p")
    assert "good · status 200 · from us-east-1" in tip
    assert any(re.fullmatch(r"took \d+ ms", text) for text in tip)
    assert any(re.fullmatch(r"\+3 min \d+ s · 09:43:\d\d\.\d{3} UTC", text) for text in tip)


@needs_browser
def test_the_timeline_can_be_enlarged(tmp_path: Path) -> None:
    press = 'document.querySelectorAll("#zoom button")[2].click();'
    page = browse(tmp_path, acting(rendered(tmp_path), press))
    drawn = page.texts("text")
    assert "first injection" not in drawn
    assert "+74 s" in drawn


PAPER = "document.documentElement.dataset.paper = getComputedStyle(document.body).backgroundColor;"


@needs_browser
def test_the_page_follows_the_readers_theme(tmp_path: Path) -> None:
    text = acting(rendered(tmp_path), PAPER)
    light = browse(tmp_path, text, "--blink-settings=preferredColorScheme=1").all("html")[0]
    dark = browse(tmp_path, text, "--blink-settings=preferredColorScheme=0").all("html")[0]
    assert (light["data-paper"], dark["data-paper"]) == ("rgb(251, 251, 250)", "rgb(18, 23, 30)")


WIDE = "document.documentElement.dataset.wide = document.documentElement.scrollWidth > innerWidth;"


@needs_browser
@pytest.mark.parametrize("size", ["500,900", "760,900", "1280,800"])
def test_nothing_sticks_out_at_any_width(tmp_path: Path, size: str) -> None:
    page = browse(tmp_path, acting(rendered(tmp_path), WIDE), f"--window-size={size}")
    assert page.all("html")[0]["data-wide"] == "false"
