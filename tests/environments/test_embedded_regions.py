"""A region that the lab does not have is said to be none, before anybody is asked."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chaos.environments.embedded import Embedded
from chaos.errors import CallFailed


def test_a_region_that_is_not_there(tmp_path: Path) -> None:
    nowhere = {"control": str(tmp_path / "none"), "operator": "http://127.0.0.1:9"}
    lab = Embedded({**nowhere, "regions": ["us-east-1", "us-west-2"]})
    with pytest.raises(CallFailed, match=r"no region 'eu-central-1'.*us-east-1, us-west-2"):
        asyncio.run(lab.call("ec2", "eu-central-1", "describe_instances"))
    lab.close()
