"""What somebody has to see to: ids that stay, and what people say of it, as strict as the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from calls import called, document, printed
from histories import FAILOVER, GOOD, NEVER, but, pull
from histories import run as made
from report import journals

from chaos import report
from chaos.called import Call
from chaos.errors import InvalidInput
from chaos.history import History, fold
from chaos.journal import read
from chaos.report import answers
from chaos.report.findings import Found, found
from chaos.verdict import judge

CALLS = tuple(
    Call(service="lab", region="", operation="put", began=3.0, ended=3.1, pull=0, undo=undo)
    for undo in (False, True)
)


def of(history: History) -> dict[str, str]:
    """The findings, by id."""
    return {one.id: one.what for one in found(history, judge(history))}


def test_a_run_that_went_as_planned_has_none() -> None:
    assert of(made({"api": {"rto": 10.0}}, but(calls=CALLS), api=FAILOVER)) == {}


def test_a_promise_that_was_not_kept_is_one() -> None:
    history = made({"api": {"rto": 10.0}}, but(calls=CALLS), api=NEVER)
    told = of(history)
    assert list(told) == ["objective.api.rto", "objective.api.recover_within"]
    assert told["objective.api.rto"].startswith("broken: api did not recover")


def test_what_is_not_as_before_comes_first_and_has_the_same_id_in_every_run() -> None:
    def ids(run: str) -> list[str]:
        lever = {"kind": "acl", "id": "acl-1", "run": run}
        left = pull(lever=lever, outcome="conflict", found="other", ended=None)
        return list(of(made({"api": {"rto": 10.0}}, but(calls=CALLS, pulls=(left,)), api=GOOD)))

    first = ids("r1")
    assert first == ids("r2")
    assert first[0].startswith("lever.acl-acl-1.")
    assert first[0].endswith(".not-back")


def test_what_did_not_go_as_planned_is_one() -> None:
    late = pull(late=True, after_end=True)
    change = but(calls=CALLS, pulls=(late,), stops=("somebody said so",), asked=9.0)
    told = of(made({"api": {"rto": 10.0}}, change, api=FAILOVER))
    assert told["run.stopped"].startswith("stopped: somebody said so")
    assert any(what.endswith("only after the run had ended") for what in told.values())
    doubts = [what for name, what in told.items() if name.startswith("doubt.")]
    assert len(doubts) == 1  # that it was put back late; the stop is told already


def test_a_doubt_has_the_same_id_whatever_its_figures() -> None:
    def doubt(seconds: float) -> list[str]:
        left = replace(pull(), done=None, lever={"kind": "acl", "id": f"acl {seconds:g}"})
        history = made({"api": {"rto": 10.0}}, but(calls=CALLS, pulls=(left,)), api=FAILOVER)
        return [name for name in of(history) if name.startswith("doubt.")]

    assert doubt(1.0) == doubt(20.0) != []


def test_what_an_outage_of_aws_would_have_taken_too_is_one() -> None:
    def in_account(history: History) -> History:
        cover = [{"cut": ["subnets"], "goes_on": ["IAM", "S3"]}]
        return replace(history, header={**history.header, "coverage": cover})

    told = of(made({"api": {"rto": 10.0}}, but(calls=CALLS), in_account, api=FAILOVER))
    assert [what.rpartition(": ")[2] for what in told.values()] == ["IAM", "S3"]


def test_calls_that_are_not_in_the_record_are_one() -> None:
    for calls in ((), CALLS[:1], CALLS[1:]):
        told = of(made({"api": {"rto": 10.0}}, but(calls=calls), api=FAILOVER))
        assert list(told) == ["record.calls"]


IDS = (Found(id="objective.a.rto", kind="objective", what="broken: a\u2028b"),)


def test_the_template_is_a_file_that_says_nothing() -> None:
    text = answers.template("r1", IDS)
    given = answers.loads(text.encode(), "findings.yaml", "r1", IDS)
    assert given == {"objective.a.rto": answers.Answer()}
    assert answers.loads(answers.template("r1", ()).encode(), "f.yaml", "r1", ()) == {}


NEAR = "did you mean 'objective.a.rto'?"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "run: r2\nfindings: {}",
            "f.yaml:1:6: run: is of r2, and this run is r1",
        ),
        (
            "findings:\n  objective.a.rpo: {}",
            f"f.yaml:2:3: findings.'objective.a.rpo': there is no such finding; {NEAR}",
        ),
        (
            "findings:\n  objective.a.rto: {due: soon}",
            "f.yaml:2:26: findings.'objective.a.rto'.due: 'soon' is no date; write 2027-01-31",
        ),
        (
            "findings:\n  objective.a.rto: {accepted: {by: Kim}}",
            "f.yaml:2:21: findings.'objective.a.rto'.accepted.because: is missing",
        ),
    ],
)
def test_what_is_wrong_has_its_place(text: str, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        answers.loads(text.encode(), "f.yaml", "r1", IDS)
    assert str(caught.value) == says


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The journal of a run that did not recover by itself."""
    monkeypatch.chdir(tmp_path)
    return journals.region_outage(tmp_path / "chaos-runs", failover=None)


ANSWERED = """\
findings:
  objective.playback.rto:
    owner: Kim
    due: 2027-01-31
    accepted: {by: "the <board>", because: it is rare, until: 2027-06-30}
"""


def test_what_was_said_is_in_every_report_and_in_the_evidence(run: Path) -> None:
    template = printed("evidence", "latest", "--findings-template")
    assert "  objective.playback.rto:\n    owner:\n" in template
    ids = [one["id"] for one in document("evidence", "latest", "--findings-template")["findings"]]
    assert "objective.playback.rto" in ids
    run.with_name("findings.yaml").write_text(ANSWERED)
    printed("report", "latest")
    page = run.with_name("report.html").read_text()
    assert '"owner":"Kim","due":"2027-01-31"' in page
    told = run.with_name("report.md").read_text()
    risk = r"risk accepted by the \<board\> until 2027-06-30: it is rare"
    assert f"| Kim | 2027-01-31 | {risk} |" in told
    assert "findings.yaml" in document("evidence", "latest")["files"]


def test_a_file_that_is_wrong_is_one_sentence_and_no_verdict_changes(run: Path) -> None:
    run.with_name("findings.yaml").write_text("findings: {nothing: {}}")
    done = called("report", "latest")
    assert (done.exit_code, "Traceback" in done.output) == (1, False)
    assert "there is no such finding" in done.output
    assert "there is no such finding" in str(called("evidence", "latest").exception)


def page_of(path: Path, **changes: Any) -> str:
    history = replace(fold(read(path)), **changes)
    report.write_reports(path.parent, history, judge(history))
    return path.with_name("report.md").read_text()


def test_what_nobody_has_said_is_not_stated(tmp_path: Path) -> None:
    text = page_of(journals.region_outage(tmp_path))
    for name in ("Purpose", "Scenario", "Business impact analysis", "Authorised by", "Owner"):
        assert f"| {name}" in text
    assert text.count("| not stated |") == 12
    assert "| Previous run here | none in this directory |" in text


def test_dates_are_those_of_the_wall_whatever_the_labs_clock_does(tmp_path: Path) -> None:
    text = page_of(journals.region_outage(tmp_path, speed=8.0))
    assert "| First injection (UTC) | 2026-11-21 09:43:13.531 |" in text
    assert "| lab put\\_reachability | – | id-3 | done |" in text


def test_a_record_that_is_not_complete_says_so(tmp_path: Path) -> None:
    path = journals.region_outage(tmp_path)
    assert "The record is not complete" not in page_of(path)
    text = page_of(path, calls=fold(read(path)).calls[1:])
    assert "**The record is not complete: it lacks calls that moved 1 lever.**" in text


def test_no_text_of_a_run_becomes_markup(tmp_path: Path) -> None:
    text = page_of(journals.region_outage(tmp_path, title="a | b\n# c <script> `d` \ud800e"))
    assert text.splitlines()[0] == r"# a \| b \# c \<script\> \`d\`  e"
