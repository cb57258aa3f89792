"""Every probe keeps to what is asked of probes, against targets good, bad and silent."""

from __future__ import annotations

import asyncio

import pytest
from contract.targets import TARGETS

from chaos.testing import check_probe
from probes import KINDS


def test_every_probe_has_targets_here() -> None:
    assert set(TARGETS) == set(KINDS)


@pytest.mark.parametrize("kind", TARGETS)
def test_a_probe_tells_good_from_bad_and_keeps_its_deadline(kind: str) -> None:
    async def main() -> None:
        async with TARGETS[kind]() as targets:
            assert type(targets.good.probe) is KINDS[kind]
            await check_probe(good=targets.good, bad=targets.bad, hanging=targets.hanging)

    asyncio.run(asyncio.wait_for(main(), 60))
