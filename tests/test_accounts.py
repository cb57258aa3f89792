"""Accounts of an experiment as values: who is meant, where, and what an example of ours says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from fakes import experiment

from chaos import experiment as experiments
from chaos.environments import enter_key, regions
from chaos.environments.terminal import ask
from chaos.errors import InvalidInput
from chaos.experiment import Experiment
from chaos.experiment.accounts import Account
from chaos.loops import run_virtual

EXAMPLES = sorted((Path(__file__).parent.parent / "docs/examples/aws").glob("*.yaml"))
PARTITIONS = Loader().load_data("partitions")["partitions"]


def with_accounts(**accounts: dict[str, Any]) -> Experiment:
    """One whose faults are in us-east-1 of the first."""
    first = next(iter(accounts))
    faults = [{"kind": "region_outage", "account": first, "region": "us-east-1", "lasts": 10}]
    return experiment(accounts=accounts, faults=faults, allow_irreversible=[])


ONE = {"id": "123456789012", "regions": ["us-east-1"]}
TWO = {"id": "210987654321", "regions": ["eu-west-1"]}


def test_the_only_account_needs_no_name() -> None:
    one = with_accounts(main=ONE)
    assert one.account(None) == one.account("main") == ("main", Account(**ONE))


def test_of_several_one_has_to_be_named() -> None:
    two = with_accounts(main=ONE, other=TWO)
    assert two.account("other")[1].id == "210987654321"
    with pytest.raises(InvalidInput, match="an account has to be named; the experiment has main"):
        two.account(None)
    with pytest.raises(InvalidInput, match="no account 'third'; the experiment has main, other"):
        two.account("third")
    with pytest.raises(InvalidInput, match="the experiment has none"):
        experiment().account(None)


def test_an_id_keeps_its_zeros(tmp_path: Path) -> None:
    file = tmp_path / "drill.yaml"
    file.write_text(
        "name: drill\naccounts: {main: {id: 012345678901, regions: [us-east-1]}}\n"
        "probes: {page: {kind: http, url: http://a.example/}}\n"
        "faults: [{kind: zone_outage, zone: us-east-1a, lasts: 60s}]\n"
        "objectives: {page: {availability: 40%}}\n"
    )
    assert experiments.load(file).accounts["main"].id == "012345678901"


@pytest.mark.parametrize("zone", ["us-east-1a", "us-east-1-bos-1a"])
def test_a_zone_is_in_its_region(zone: str) -> None:
    fault = {"kind": "zone_outage", "zone": zone, "lasts": 10}
    experiment(accounts={"main": ONE}, faults=[fault], allow_irreversible=[])
    with pytest.raises(ValueError, match="us-east-1 is no region of the account main"):
        experiment(accounts={"main": TWO}, faults=[fault], allow_irreversible=[])


@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda partition: str(partition["id"]))
def test_every_region_of_aws_is_one_and_has_its_partition(partition: dict[str, Any]) -> None:
    names = [name for name in partition["regions"] if not name.endswith("-global")]
    for name in names:
        assert Account(id="123456789012", regions=[name]).regions == [name]
        assert regions.partition(name) == partition["id"]
        assert regions.centre([name]) == partition["outputs"]["implicitGlobalRegion"]


def test_a_question_that_nobody_answers_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enter_key, "there", lambda: True)
    monkeypatch.setattr(enter_key, "line", lambda: None)

    async def main() -> float:
        with pytest.raises(InvalidInput, match="a code is needed, and nothing was typed within"):
            await ask("code", "a code is needed")
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) < 130


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.stem))
def test_an_example_for_accounts_is_right(path: Path) -> None:
    loaded = experiments.load(path, {"account": "123456789012"})
    assert loaded.accounts
