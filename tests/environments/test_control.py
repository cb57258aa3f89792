"""The client of a lab's control socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaos.environments.control import Control
from chaos.errors import CallFailed, EnvironmentGone


def ask(tmp_path: Path, answer: Callable[[dict[str, Any]], bytes]) -> Any:
    """One call to a lab that answers so."""

    async def main() -> Any:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer(json.loads(await reader.readline())))
            writer.close()

        path = tmp_path / "control.sock"
        server = await asyncio.start_unix_server(serve, path)
        try:
            return await Control(path).call("describe_reachability", scope="us-east-1")
        finally:
            server.close()

    return asyncio.run(main())


def test_a_call_is_a_line_there_and_a_line_back(tmp_path: Path) -> None:
    def answer(question: dict[str, Any]) -> bytes:
        assert question == {"op": "describe_reachability", "params": {"scope": "us-east-1"}}
        return b'{"result": {"state": "open"}}\n'

    assert ask(tmp_path, answer) == {"state": "open"}


def test_a_refusal_is_told_in_the_labs_words(tmp_path: Path) -> None:
    with pytest.raises(CallFailed, match="describe_reachability failed: NoSuchScope: no mars"):
        ask(tmp_path, lambda _: b'{"error": "no mars", "code": "NoSuchScope"}\n')


def test_a_lab_that_hangs_up_is_not_yet_known_to_be_gone(tmp_path: Path) -> None:
    with pytest.raises(CallFailed, match="describe_reachability failed: NoAnswer"):
        ask(tmp_path, lambda _: b'{"resul')


@pytest.mark.parametrize("answer", [b"what?\n", b"[]\n", b"{}\n", b'{"result": 7}\n'])
def test_an_answer_that_is_none_is_told(tmp_path: Path, answer: bytes) -> None:
    with pytest.raises(CallFailed, match="describe_reachability failed: "):
        ask(tmp_path, lambda _: answer)


def test_a_lab_that_is_not_there_is_gone(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentGone, match="has ended"):
        asyncio.run(Control(tmp_path / "none.sock").call("describe_lab"))
