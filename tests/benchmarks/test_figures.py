"""Figures are compared with their aims, taken in turns, and put where the page has a place."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import performance_page
from benchmarks.figures import Figure, in_turns, percentile

BENCHMARKS = sorted(Path(__file__).parent.glob("bench_*.py"))


@pytest.mark.parametrize(
    ("figure", "aim", "reached"),
    [
        (Figure(name="f", value=3, unit="ms"), "", None),
        (Figure(name="f", value=2.9, unit="ms", below=3), "below 3 ms", True),
        (Figure(name="f", value=3, unit="ms", below=3), "below 3 ms", False),
        (Figure(name="f", value=1000, unit="/s", at_least=1000), "at least 1000 /s", True),
        (Figure(name="f", value=999, unit="/s", at_least=1000), "at least 1000 /s", False),
    ],
)
def test_an_aim_is_reached_or_missed(figure: Figure, aim: str, reached: bool | None) -> None:
    assert (figure.aim, figure.reached) == (aim, reached)


def test_subjects_are_measured_in_turns_and_warmed_up_first() -> None:
    order: list[str] = []

    def measure(name: str) -> float:
        order.append(name)
        return len(order)

    taken = in_turns(2, {"a": lambda: measure("a"), "b": lambda: measure("b")})
    assert "".join(order) == "ba" + "ab" + "ba"  # the first round is forgotten
    assert taken == {"a": [3.0, 6.0], "b": [4.0, 5.0]}


@pytest.mark.parametrize(("share", "value"), [(0.5, 2), (0.99, 4), (0.25, 1), (0, 1)])
def test_percentiles_are_values_that_were_measured(share: float, value: float) -> None:
    assert percentile([4, 1, 3, 2], share) == value


def test_figures_replace_those_of_their_benchmark_and_no_others() -> None:
    page = (
        "a\n<!-- figures: one -->\nold\n<!-- end of figures -->\n"
        "b\n<!-- figures: two -->\nkept\n<!-- end of figures -->\n"
    )
    figures = [Figure(name="speed", value=1234.5, unit="/s", at_least=1000, compared_with="x | y")]
    new = performance_page.put(page, "one", figures)
    assert "| speed | 1,234 /s | at least 1000 /s: reached | x \\| y |\n" in new
    assert "old" not in new
    assert "b\n<!-- figures: two -->\nkept\n" in new
    assert performance_page.put(new, "one", figures) == new
    with pytest.raises(ValueError, match="0 places for the figures of three"):
        performance_page.put(page, "three", figures)


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_every_benchmark_has_its_place_on_the_page(path: Path) -> None:
    marker = f"<!-- figures: {path.stem.removeprefix('bench_')} -->\n"
    assert performance_page.PAGE.read_text().count(marker) == 1
    assert "\ndef measure() -> list[Figure]:\n" in path.read_text()
