"""How a check says that a promise is not kept: with a sentence, in any test runner."""

from __future__ import annotations


def must(kept: bool, sentence: str) -> None:
    """Raise AssertionError with the sentence when what was promised is not so."""
    if not kept:
        raise AssertionError(sentence)
