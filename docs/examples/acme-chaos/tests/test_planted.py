"""Acme's probe does not mistake a sound system for a bad one, nor a bad one for a sound one."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.testing import planted

# A nightly build takes all whose page is one of the shop: `"page" in system.probes`.
NAMES = ("two-zones",)
SYSTEMS = [system for system in planted.systems() if system.name in NAMES]


def ours(page: dict[str, Any]) -> dict[str, Any]:
    """Our probe in the place of the suite's: at the same URL, on the same grid."""
    return {
        "kind": "acme_page",
        "url": page["url"],
        "every": page["every"],
        "timeout": page["timeout"],
    }


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_the_page_probe_tells_sound_from_broken(system: planted.System) -> None:
    planted.check_planted(system, probes={"page": ours})
