"""A run whose samples share lines: as a run is whose samples do not, killed at any byte too."""

from __future__ import annotations

import base64
import json
import os
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fakes import Look, LookLab, experiment
from test_run import carry_out

from chaos import record
from chaos.errors import JournalFailed
from chaos.history import History, load
from chaos.journal import Event, Journal, read
from chaos.packing import unpacked
from chaos.record import Stop
from chaos.testing import small_lab
from chaos.verdict import judge_safely

EVERY = 0.05  # so many attempts that an outage has more than one line
SAMPLE = ("probe", "attempt", "due", "start", "end", "ok", "error", "crashed", "phases", "detail")


def carried_out(tmp_path: Path, watched: list[Event] | None = None) -> History:
    def watch(_: Stop, journal: Journal) -> None:
        if watched is not None:
            journal.watchers.append(watched.append)

    probes = {"look": Look(every=EVERY, timeout=0.5, confirm=1)}
    return carry_out(tmp_path, LookLab(small_lab()), experiment(probes=probes), watch)[0]


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples share lines from the first on."""
    monkeypatch.setattr(record, "ONE_BY_ONE", 0)


def test_packed_or_not_the_history_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = carried_out(tmp_path / "plain")
    monkeypatch.setattr(record, "ONE_BY_ONE", 0)
    packed = carried_out(tmp_path / "packed")
    assert [e for e in read(tmp_path / "packed" / "journal.jsonl") if e["event"] == "samples"]
    assert packed.samples == plain.samples
    assert judge_safely(packed).results == judge_safely(plain).results


@pytest.mark.parametrize("every", [5.0, 1.0, 0.3])
def test_probes_do_not_all_begin_at_one_instant(
    every: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are spread over a second, or a period where that is shorter, and keep their places."""
    monkeypatch.setattr(record, "ONE_BY_ONE", 12)
    probes = {name: Look(every=every, timeout=0.1, confirm=1) for name in ("look", "b", "c", "d")}
    drill = experiment(probes=probes, steady_state={"for": 10, "within": 30})
    history, *_ = carry_out(tmp_path, LookLab(small_lab()), drill)
    share = min(every, 1) / 4
    for place, samples in enumerate(map(history.samples.get, probes)):
        assert samples
        dues = [round(place * share + s.n * every, 6) for s in samples]
        assert [s.due for s in samples] == [s.start for s in samples] == dues


@pytest.mark.usefixtures("packed")
def test_who_watches_sees_each_sample_once_and_in_its_turn(tmp_path: Path) -> None:
    watched: list[Event] = []
    carried_out(tmp_path, watched)
    seen = [told(e) for e in watched if e["event"] == "sample"]
    kept = [told(e) for e in unpacked(read(tmp_path / "journal.jsonl")) if e["event"] == "sample"]
    assert [e["attempt"] for e in seen] == sorted(e["attempt"] for e in kept)
    assert sorted(map(repr, seen)) == sorted(map(repr, kept))


def told(event: Event) -> dict[str, Any]:
    return {name: event[name] for name in SAMPLE}


@pytest.mark.usefixtures("packed")
def test_killed_at_any_byte_no_turn_is_lost_and_no_verdict_is_good(tmp_path: Path) -> None:
    whole = carried_out(tmp_path)
    path = tmp_path / "journal.jsonl"
    data = path.read_bytes()
    ends = [n + 1 for n, byte in enumerate(data) if byte == ord("\n")]
    cuts = sorted({at for end in ends for at in (end, end - 1, end - 40)} - {ends[-1]})
    for cut in [cut for cut in cuts if ends[0] <= cut < ends[-1]]:
        os.truncate(path, 0)
        path.write_bytes(data[:cut])
        history, rescued = load(path), load(path, salvage=True)
        assert rescued.pulls == history.pulls
        assert not history.finished
        assert judge_safely(history).value != "held"
        there = {s.n for s in history.samples["look"]}
        until = max(there, default=-1)
        for before, turned in pairwise(whole.samples["look"]):
            if turned.ok is not before.ok and turned.n <= until:
                assert {before.n, turned.n} <= there


def packed_json(columns: str) -> str:
    return base64.b64encode(zlib.compress(columns.encode())).decode()


@pytest.mark.usefixtures("packed")
@pytest.mark.parametrize(
    "columns",
    [
        "",
        "AAAA",
        "no base64",
        packed_json("{}"),
        packed_json("[[1],[1,2],[1]]"),
        packed_json("[" * 100_000),
        packed_json(f"[[1{'0' * 400}],[1],[1]]"),
        packed_json(f"[[1],[1],[1{'0' * 400}]]"),
        packed_json(" " * 300 * 1024),
        5,
        None,
    ],
)
def test_a_damaged_line_is_one_sentence(tmp_path: Path, columns: object) -> None:
    carried_out(tmp_path)
    path = tmp_path / "journal.jsonl"
    events = [e | {"columns": columns} if e["event"] == "samples" else e for e in read(path)]
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    with pytest.raises(JournalFailed, match="the journal cannot be understood"):
        load(path)
    assert load(path, salvage=True).finished
