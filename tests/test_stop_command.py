"""`chaos stop`, and files that end a run: from another process, and everything goes back."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from fakes import LookLab, experiment

from chaos.cli import group
from chaos.cli.stop import _conclude
from chaos.errors import InvalidInput, Stopped
from chaos.history import History, fold
from chaos.journal import Event, Journal, read
from chaos.loops import Stopwatch, run_at, run_virtual
from chaos.record import Stop
from chaos.run import Run
from chaos.testing import small_lab
from chaos.wishes import Wishes, ask, beside, none_yet

LONG = {"kind": "region_outage", "region": "us-east-1", "lasts": 3000}
SPEED = 10.0


def stopped_by(
    path: Path, *words: str, stop_file: Path | None = None
) -> tuple[History, tuple[int, str, str]]:
    """A run that holds on until that command, run by another process, makes it end."""
    lab, said = LookLab(small_lab()), []

    async def other(*_: object) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    async def main() -> tuple[int, str, str]:
        now, stop = Stopwatch(), Stop()
        journal = Journal.create(path, now)

        def watch(event: Event) -> None:
            if event["event"] == "phase" and event["phase"] == "hold":
                said.append(asyncio.ensure_future(other()))

        journal.watchers.append(watch)
        wanted = experiment(faults=[LONG], objectives={"look": {"heals_within": 5}})
        with Wishes() as wishes, wishes.or_by(path, stop_file):
            wishes.stop = stop
            journal.write("run", v=1, run="r", environment={}, experiment=wanted.to_json())
            async with asyncio.timeout(60 * SPEED):
                await Run("r", wanted, lab, journal, stop, now).go()
        journal.close()
        async with asyncio.timeout(60 * SPEED):
            return await said[0]

    done = run_at(SPEED, main())
    assert lab.state["reachability"] == {"us-east-1": "open"}
    return fold(read(path)), done


def test_another_process_stops_it_and_hears_how_long_it_took(tmp_path: Path) -> None:
    path = tmp_path / "r" / "journal.jsonl"
    history, (code, out, err) = stopped_by(
        path, "-m", "chaos", "stop", str(path), "--why", "customers\nare hit"
    )
    assert (code, err) == (0, "")
    assert out.startswith("stopped by chaos stop: customers are hit; everything back after ")
    assert history.stops == ("stopped by chaos stop: customers are hit",)
    assert history.finished
    assert not history.open_pulls
    assert beside(path).stat().st_mode & 0o777 == 0o600


def test_it_may_only_ask_and_tell_so_as_json(tmp_path: Path) -> None:
    path = tmp_path / "r" / "journal.jsonl"
    words = ("-m", "chaos", "stop", str(path.parent), "--no-wait", "--json")
    history, (code, out, _) = stopped_by(path, *words)
    assert (code, json.loads(out)) == (0, {"journal": str(path), "over": False})
    assert history.stops == ("stopped by chaos stop",)


def test_a_file_stops_it(tmp_path: Path) -> None:
    file = tmp_path / "halt"
    touch = f"from pathlib import Path; Path({str(file)!r}).touch()"
    path = tmp_path / "r" / "journal.jsonl"
    history, _ = stopped_by(path, "-c", touch, stop_file=file)
    assert history.stops == (f"stopped by the file {file}, which is there",)


def test_the_time_counts_from_when_the_file_may_have_come(tmp_path: Path) -> None:
    """It is looked for now and then only; that must not make the way back seem faster."""

    async def main() -> tuple[float, float]:
        loop, file, stop = asyncio.get_running_loop(), tmp_path / "halt", Stop()
        with Wishes() as wishes, wishes.or_by(tmp_path / "journal.jsonl", file):
            wishes.stop = stop
            await asyncio.sleep(0.3)
            file.touch()
            came = loop.time()
            await asyncio.wait_for(stop.wait(), 30)
        return came, stop.unrecorded[0][1]

    came, asked = run_virtual(main())
    assert came - 0.2 <= asked <= came


def test_a_run_that_was_killed_has_not_ended_by_itself(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "journal.jsonl", lambda: 0.0)
    journal.write("run", v=1, run="r", environment={}, experiment=experiment().to_json())
    journal.close()
    with pytest.raises(SystemExit) as ended, contextlib.redirect_stdout(io.StringIO()) as said:
        sys.exit(_conclude(journal.path, as_json=False))
    assert (ended.value.code, said.getvalue()) == (0, "it died before its end\n")


def test_a_file_that_is_there_already_refuses(tmp_path: Path) -> None:
    (tmp_path / "halt").touch()
    with pytest.raises(InvalidInput, match="halt: is there, so the run would stop at once"):
        none_yet(tmp_path / "halt")
    assert none_yet(tmp_path / "other") == tmp_path / "other"


def test_a_file_that_cannot_be_looked_for_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(InvalidInput, match="cannot be looked for: Permission denied"):
        none_yet(tmp_path / "halt")


def test_who_is_stopped_before_anything_was_touched_says_so(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"

    async def main() -> None:
        with Wishes() as wishes, wishes.or_by(path, None):
            ask(path, "")
            await asyncio.sleep(3600)

    with pytest.raises(Stopped, match="stopped before anything was touched"):
        run_at(100, main())


def test_a_run_that_is_over_cannot_be_stopped(tmp_path: Path) -> None:
    path = tmp_path / "r" / "journal.jsonl"
    Journal.create(path, lambda: 0.0).close()
    done = CliRunner().invoke(group, ["stop", str(path)])
    assert isinstance(done.exception, InvalidInput)
    assert "the run is over already" in str(done.exception)
    assert not beside(path).exists()


def test_what_is_not_back_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r" / "journal.jsonl"
    journal = Journal.create(path, lambda: 0.0)
    journal.write("run", v=1, run="r", environment={}, experiment={"probes": {}})
    lever = {"lever": {"kind": "reachability", "scope": "us-east-1"}, "prior": "open"}
    journal.write("pull", pull=0, fault=0, **lever, value="drop", irreversible=False)

    async def over(_: Path) -> bool:
        journal.write("stop", why="stopped by chaos stop", asked=0.0)
        journal.close()
        return True

    monkeypatch.setattr("chaos.cli.stop._over", over)
    done = CliRunner().invoke(group, ["stop", str(path)])
    assert done.exit_code == 4
    assert done.output == (
        "stopped by chaos stop; NOT everything is back\n"
        f"1 not put back; mend the cause, then: chaos rollback {path}\n"
    )


def test_a_run_that_takes_too_long_to_end_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r" / "journal.jsonl"
    journal = Journal.create(path, lambda: 0.0)
    monkeypatch.setattr("chaos.cli.stop.WAIT_S", 0.01)
    done = CliRunner().invoke(group, ["stop", str(path)])
    journal.close()
    assert (done.exit_code, done.output) == (3, f"{path}: still goes on\n")


def test_a_run_that_had_not_begun_leaves_nothing_to_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r" / "journal.jsonl"
    journal = Journal.create(path, lambda: 0.0)

    async def over(_: Path) -> bool:
        journal.close()
        path.unlink()
        return True

    monkeypatch.setattr("chaos.cli.stop._over", over)
    done = CliRunner().invoke(group, ["stop", str(path)])
    assert (done.exit_code, done.output) == (0, "it was stopped before anything was touched\n")
