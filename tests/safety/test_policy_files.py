"""Policies are found, all of them hold, and one that cannot be read lets nothing pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.errors import InvalidInput
from chaos.safety import policy as policies
from chaos.safety.policy import Policy, find

UNREADABLE = "a policy that cannot be read may forbid this"


@pytest.fixture(autouse=True)
def _nobody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The organisation of this machine has no say in tests, and a repository ends the search."""
    monkeypatch.setattr(policies, "ORGANISATION", tmp_path / "etc" / "chaos.toml")
    monkeypatch.delenv("CHAOS_POLICY", raising=False)
    (tmp_path / ".git").mkdir()


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def problems(start: Path, explicit: Path | None = None) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        find(explicit, start=start)
    return list(caught.value.problems)


def test_without_any_there_is_none(tmp_path: Path) -> None:
    assert find(start=tmp_path) == Policy()


def test_all_that_are_found_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "team" / "drills"
    work.mkdir(parents=True)
    paths = [
        write(tmp_path / "etc" / "chaos.toml", 'regions = ["us-east-1"]'),
        write(tmp_path / "team" / "chaos.toml", "require_tags = {chaos = 'allowed'}"),
        write(tmp_path / "pyproject.toml", '[tool.chaos.at_most]\npercent = "25%"'),
        write(tmp_path / "given.toml", 'max_duration = "1h"'),
        write(tmp_path / "more.toml", "alone = []"),
    ]
    write(tmp_path / "team" / "pyproject.toml", "[tool.ruff]\nline-length = 100")
    monkeypatch.setenv("CHAOS_POLICY", str(paths[4]))
    found = find(paths[3], start=work)
    assert {file.path for file in found.files} == set(paths)
    assert [file.rules.max_duration for file in found.files if file.path == paths[3]] == [3600.0]


def test_a_file_that_is_found_twice_holds_once(tmp_path: Path) -> None:
    path = write(tmp_path / "chaos.toml", "alone = []")
    assert len(find(path, start=tmp_path).files) == 1


def test_the_search_ends_with_the_repository(tmp_path: Path) -> None:
    (tmp_path / "inner" / ".git").mkdir(parents=True)
    write(tmp_path / "chaos.toml", "alone = []")
    assert find(start=tmp_path / "inner") == Policy()
    assert len(find(start=tmp_path).files) == 1


def test_everything_that_is_wrong_is_told_at_its_place(tmp_path: Path) -> None:
    path = write(
        tmp_path / "chaos.toml",
        """\
accounts = ["123456789012", "12"]
max_duraton = "2h"
at_most.percent = 50
blackout = [{from = 2026-12-20, to = 2026-12-18}]
alone = true

[[hours]]
days = ["mon", "Tue"]
from = "9:00"
to = 17:00:00
zone = "Europe/Berln"

[at_most_in_a_run]
""",
    )
    assert problems(tmp_path) == [
        f"{path}:1:29: accounts[1]: '12' is no id of an account, which has 12 digits",
        f"{path}:2:1: max_duraton: is not known here; did you mean 'max_duration'?",
        f"{path}:3:19: at_most.percent: '50' is no percentage; write 40% or 99.9%",
        f"{path}:4:13: blackout[0]: 'to' (2026-12-18) is before 'from' (2026-12-20)",
        f"{path}:5:9: alone: must be a list, not 'true'",
        (
            f"{path}:8:16: hours[0].days[1]: 'Tue' is not one of mon, tue, wed, thu, fri, sat, sun;"
            " did you mean 'tue'?"
        ),
        f"{path}:9:8: hours[0].from: '9:00' is no time of the day; write 09:00 or 24:00",
        (
            f"{path}:11:8: hours[0].zone: 'Europe/Berln' is no time zone that this machine knows;"
            " did you mean 'Europe/Berlin'?"
        ),
        f"{path}:13:2: at_most_in_a_run: limits nothing; write count, percent or both",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = [1,\nb]", "2:1: syntax: invalid value"),
        ("regions = []\nregions = []", "2:13: syntax: cannot overwrite a value"),
        ("hours = []", "1:1: hours: must have at least one entry"),
        ("x = " + "[" * 400 + "]" * 400, "1:1: the file: is nested more than 32 deep"),
        ("x = 1" + "0" * 5000, "1:1: the file: is nested more than 32 deep, or has a number"),
        ("# " + "x" * 2**18, "1:1: the file: is larger than 256 KiB"),
    ],
)
def test_what_is_no_policy_refuses(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path / "chaos.toml", text)
    (told,) = problems(tmp_path)
    assert told.startswith(f"{path}:{said}")


def test_what_cannot_be_read_refuses(tmp_path: Path) -> None:
    for name in ("chaos.toml", "pyproject.toml"):
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        path = tmp_path / "elsewhere" / name
        path.symlink_to(tmp_path / "gone")  # it is there, and nobody knows what it says
        (told,) = problems(path.parent)
        assert told == f"{path}: cannot be read: No such file or directory; {UNREADABLE}"
        path.unlink()
        path.mkdir()
        assert problems(path.parent) == [f"{path}: cannot be read: Is a directory; {UNREADABLE}"]
        path.rmdir()


def test_one_that_is_named_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone.toml"
    said = f"{gone}: cannot be read: No such file or directory; {UNREADABLE}"
    assert problems(tmp_path, gone) == [said]
    monkeypatch.setenv("CHAOS_POLICY", str(gone))
    assert problems(tmp_path) == [said]


def test_a_pyproject_that_is_named_has_to_have_one(tmp_path: Path) -> None:
    path = write(tmp_path / "pyproject.toml", "[tool.ruff]")
    assert problems(tmp_path, path) == [f"{path}: has no [tool.chaos], so it is no policy"]
    write(path, "[tool]\nchaos = 3")
    assert problems(tmp_path) == [f"{path}:2:9: tool.chaos: must be a mapping, not '3'"]


def test_one_place_for_the_undo_log(tmp_path: Path) -> None:
    assert find(start=tmp_path).undo_log is None
    write(tmp_path / "chaos.toml", 'undo_log = "s3://undo"')
    assert find(start=tmp_path).undo_log == "s3://undo"
    write(tmp_path / "pyproject.toml", '[tool.chaos]\nundo_log = "ssm:/undo"')
    with pytest.raises(InvalidInput, match="undo_log: two policies name two places"):
        assert find(start=tmp_path).undo_log
