"""Who acts, as IAM knows them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asked_accounts import ACCOUNT, ROLE, SESSION, AskedAccount

from chaos.plan.principal import Principal, principal

BARE = f"arn:aws:iam::{ACCOUNT}:role/chaos"


def who(role: str | None = None, **account: Any) -> Principal:
    return asyncio.run(principal(AskedAccount(**account), "us-east-1", role))


def test_the_role_that_the_experiment_names_is_known_with_its_path() -> None:
    assert who(ROLE) == Principal(account=ACCOUNT, identity=SESSION, arn=ROLE)


def test_another_role_is_asked_for_because_a_session_leaves_its_path_out() -> None:
    assert who().arn == f"arn:aws:iam::{ACCOUNT}:role/found/chaos"
    assert who(ROLE.replace("chaos", "other")).arn == f"arn:aws:iam::{ACCOUNT}:role/found/chaos"


def test_a_role_that_nobody_tells_of_is_taken_to_have_no_path() -> None:
    assert who(refuses={"get_role": "AccessDenied"}).arn == BARE
    china = SESSION.replace("arn:aws:", "arn:aws-cn:")
    found = who(identity=china, refuses={"get_role": "AccessDenied"})
    assert found.arn == BARE.replace("arn:aws:", "arn:aws-cn:")


def test_a_user_is_itself() -> None:
    user = f"arn:aws:iam::{ACCOUNT}:user/team/anna"
    assert who(identity=user).arn == user


@pytest.mark.parametrize("kind", ["root", "federated-user/anna"])
def test_whom_iam_does_not_simulate_is_told(kind: str) -> None:
    found = who(identity=f"arn:aws:iam::{ACCOUNT}:{kind}")
    assert found.arn is None
    assert found.why == f"IAM does not simulate policies for {kind.partition('/')[0]}"
