"""Remembered answers are never other ones than new answers would be."""

from __future__ import annotations

import random
from collections import Counter
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.lab.authority import Choose
from chaos.lab.hosted_zones import Group
from chaos.lab.remembered import Remembered

FIRST, SECOND = cast("list[Group]", [("a", "b"), ("c", "d")])
QUESTION = b"\x00\x01\x01\x00 which?"


class Service:
    """Answers with one record of FIRST and, after an `a`, one of SECOND."""

    def __init__(self, seed: int = 0) -> None:
        self.rendered = 0
        self.rng = random.Random(seed)
        self.says = b"\x80\x00"
        self.weights = [3, 1]
        self.service = Remembered(self.render, self.choose)

    def choose(self, among: Group) -> Group:
        return (self.rng.choices(among, self.weights)[0],)

    def render(self, wire: bytes, _udp: bool, choose: Choose) -> bytes | None:
        self.rendered += 1
        found = "".join(map(str, choose(FIRST)))
        if found == "a":
            found += "".join(map(str, choose(SECOND)))
        return wire[:2] + self.says + found.encode()

    def ask(self, question: bytes = QUESTION) -> bytes:
        answer = self.service.respond(question, udp=True)
        assert answer is not None
        return answer


def test_an_answer_has_the_id_of_its_question() -> None:
    service = Service()
    service.weights = [1, 0]
    for number in (b"\x00\x07", b"\xff\xff"):
        assert service.ask(number + QUESTION[2:]) == number + b"\x80\x00ac"
    assert service.rendered == 1


@given(st.integers(0, 1000))
def test_chances_are_what_they_are_without_it(seed: int) -> None:
    """Three of four are `a`; a redraw of what is not remembered would make it more."""
    service = Service(seed)
    counts = Counter(service.ask()[4:] for _ in range(400))
    assert set(counts) == {b"ac", b"ad", b"b"}
    assert counts[b"b"] == pytest.approx(100, abs=50)
    assert counts[b"ad"] == pytest.approx(75, abs=45)
    assert service.rendered < 400


def test_other_records_are_answered_after_forgetting() -> None:
    service = Service()
    service.ask()
    service.says = b"\x81\x00"
    service.service.forget()
    assert service.ask()[2:4] == b"\x81\x00"


def test_a_defect_is_not_remembered() -> None:
    service = Service()
    service.says = b"\x80\x02"  # SERVFAIL
    for _ in range(3):
        service.ask()
    assert service.rendered == 3


def test_it_remembers_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaos.lab.remembered.ANSWERS_MOST", 10)
    service = Service()
    for number in range(100):
        service.ask(QUESTION + bytes([number]))
        assert len(service.service._known) <= 10
    service.ask(QUESTION + bytes(600))
    assert not any(len(wire) > 600 for wire, _ in service.service._known)


def test_silence_stays_silence() -> None:
    assert Remembered(lambda *_: None, lambda among: among).respond(QUESTION, udp=False) is None
