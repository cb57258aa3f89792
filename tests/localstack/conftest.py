"""LocalStack itself, for the tests here: one for all of them, or one of a test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from localstack_process import LocalStack, running

OwnLocalStack = Callable[..., AbstractContextManager[LocalStack]]


@pytest.fixture(scope="session")
def localstack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of a LocalStack that all tests share: use names of your own in it."""
    with running(tmp_path_factory.mktemp("localstack")) as it:
        yield it.endpoint


@pytest.fixture
def own_localstack(tmp_path_factory: pytest.TempPathFactory) -> OwnLocalStack:
    """Makes one that a test may kill: `with own_localstack() as it: … it.kill()`."""

    def make(hooks: Path | None = None) -> AbstractContextManager[LocalStack]:
        return running(tmp_path_factory.mktemp("own-localstack"), hooks)

    return make
