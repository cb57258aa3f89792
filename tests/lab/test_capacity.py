"""How much an instance of the lab bears: its workers, and how long each is busy with a request."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest

from chaos.lab import recommendations
from chaos.lab.instances import Instance
from chaos.lab.services import Service


def server(**settings: object) -> recommendations.Server:
    directory = Path(tempfile.mkdtemp(prefix="t"))
    return recommendations.Server(
        Instance(
            id="i-1",
            region="us-east-1",
            zone="us-east-1a",
            service=Service.model_validate({"app": "recommendations", **settings}),
            table=None,
            address="127.1.1.10",
            socket=str(directory / "i-1"),
            port=1,
            dns=("127.0.0.1", 1),
            endpoint="http://127.0.0.1:1",
            key=("lab-shop", "lab"),
            speed=10,
        )
    )


def free(app: recommendations.Server) -> bool:
    """Whether a request would find a worker now."""
    came = threading.Event()

    def ask() -> None:
        with app.worker():
            came.set()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(0.2)
    return came.is_set()


@pytest.mark.parametrize("workers", [1, 3])
def test_who_comes_when_all_workers_are_busy_waits(workers: int) -> None:
    app = server(workers=workers)
    busy = [app.worker() for _ in range(workers)]
    for one in busy[1:]:
        one.__enter__()
    assert free(app)
    with busy[0]:
        assert not free(app)
    app.server_close()


def test_without_a_number_as_many_as_come_are_worked_on() -> None:
    app = server()
    for _ in range(50):
        app.worker().__enter__()
    assert free(app)
    app.server_close()


def test_a_worker_is_busy_for_as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("chaos.lab.app_server.time.sleep", slept.append)
    app = server(takes="400ms")
    with app.worker():
        assert slept == [pytest.approx(0.04)]  # of the wall, at speed 10
    app.server_close()
