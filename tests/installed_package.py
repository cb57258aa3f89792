"""A package with kinds of its own, as pip would have installed it, in a directory of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chaos import extensions

SOURCE = '''
from typing import ClassVar, Literal
from chaos.faults.fault import Fault
from pydantic import Field

class Unplug(Fault):
    """Pulls a plug.

    The whole rack is dark."""
    summary: ClassVar[str] = "pull a plug"
    kind: Literal["acme_unplug"]
    rack: int = Field(ge=1, description="which rack")

    async def inject(self, look, pull):
        """Nothing."""
'''
ENTRY_POINTS = """
[chaos.faults]
acme_unplug = acme_chaos:Unplug
acme_broken = acme_nowhere:Broken
"""


@contextmanager
def installed(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`acme-chaos 1.2`, with a fault `acme_unplug` and one that cannot be loaded."""
    about = directory / "acme_chaos-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-chaos\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    (directory / "acme_chaos.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(directory)
    extensions._entries.cache_clear()
    yield
    extensions._entries.cache_clear()
