"""Credentials of an account: where they are from, when they end, what is asked, what is told."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import pty
import select
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto_account import ACCOUNT, KEYS
from patients import nothing_configured
from sts_stand_in import Sts, sts_stand_in

from chaos.environments import credentials
from chaos.environments.on_aws import OnAws
from chaos.errors import ChaosError, EnvironmentFailed, InvalidInput
from chaos.experiment.accounts import Account
from chaos.secrets import SECRETS

__all__ = ["nothing_configured"]  # a fixture for all tests here

ROLE = f"arn:aws:iam::{ACCOUNT}:role/chaos"
SERIAL = f"arn:aws:iam::{ACCOUNT}:mfa/me"
DEADLINE_S = 60.0


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch, nothing_configured: None) -> Iterator[Sts]:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with sts_stand_in() as stand_in:
        yield stand_in


def account(**more: Any) -> dict[str, Any]:
    return Account(id=ACCOUNT, regions=["us-east-1"], **more).model_dump(mode="json")


def opened(url: str | None, profile: str | None = None, **more: Any) -> OnAws:
    """Signed in to one account; raises what keeps us out."""
    environment = OnAws(url, {"main": account(**more)}, profile=profile)
    try:
        asyncio.run(environment.open())
    finally:
        environment.close()
    return environment


def refusal(url: str | None, profile: str | None = None, **more: Any) -> str:
    with pytest.raises(ChaosError) as caught:
        opened(url, profile, **more)
    return str(caught.value)


def config(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)


def test_a_role_is_assumed_as_the_account_says(sts: Sts) -> None:
    opened(sts.url, role=ROLE, external_id="only-we-know-it", session="2h")
    (asked,) = sts.of("AssumeRole")
    wanted = {"RoleArn": ROLE, "ExternalId": "only-we-know-it", "DurationSeconds": "7200"}
    assert {name: asked[name] for name in wanted} == wanted
    assert sts.of("GetCallerIdentity")[-1]["key"].startswith("ASIA")


def test_what_is_secret_is_masked_from_then_on(sts: Sts) -> None:
    opened(sts.url, role=ROLE, external_id="only-we-know-it")
    for secret in ("only-we-know-it", f"{1:040}", "token-of-a-session-1"):
        assert secret not in SECRETS.mask(f"it is {secret}.")


def test_a_session_is_renewed_before_it_ends(sts: Sts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "RENEW_AT", 0.5)  # as if each had nearly ended
    monkeypatch.setattr(credentials, "INSIST_AT", 0.5)
    sts.lasts_s = 800
    environment = OnAws(sts.url, {"main": account(role=ROLE)})

    async def main() -> None:
        for _ in range(3):
            await environment.call("sts", "us-east-1", "get_caller_identity")

    asyncio.run(main())
    environment.close()
    keys = [one["key"] for one in sts.of("GetCallerIdentity")]
    assert keys == [f"ASIA{n:016}" for n in (2, 3, 4, 5)]
    assert {one["key"] for one in sts.of("AssumeRole")} == {"test"}


def test_a_short_session_is_not_renewed_at_each_call(sts: Sts) -> None:
    sts.lasts_s = 900  # below which botocore's own limits lie
    environment = OnAws(sts.url, {"main": account(role=ROLE, session="15m")})

    async def main() -> None:
        for _ in range(3):
            await environment.call("sts", "us-east-1", "get_caller_identity")

    asyncio.run(main())
    environment.close()
    assert len(sts.of("AssumeRole")) == 1


def test_a_session_that_cannot_be_renewed_is_told_in_a_sentence(
    sts: Sts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(credentials, "RENEW_AT", 0.5)
    monkeypatch.setattr(credentials, "INSIST_AT", 0.5)
    sts.lasts_s = 800
    environment = OnAws(sts.url, {"main": account(role=ROLE)})

    async def main() -> None:
        await environment.open()
        sts.refuse["AssumeRole"] = "AccessDenied"
        with pytest.raises(EnvironmentFailed) as caught:
            await environment.call("sts", "us-east-1", "get_caller_identity")
        assert str(caught.value).startswith(f"{ROLE}: ")
        assert "trust policy has to name who we are" in str(caught.value)

    asyncio.run(main())
    environment.close()
    assert not caplog.records


def test_a_role_that_may_not_be_assumed_is_told(sts: Sts) -> None:
    sts.refuse["AssumeRole"] = "AccessDenied"
    said = refusal(sts.url, role=ROLE)
    assert said.startswith(f"account main: {ROLE}: ")
    assert "the role's trust policy has to name who we are" in said


def test_a_role_is_assumed_by_a_role_for_an_hour_at_most(sts: Sts) -> None:
    sts.arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/build-1"
    said = refusal(sts.url, role=ROLE, session="2h")
    assert "AWS lets one role assume another for at most an hour: write session: 1h" in said
    assert not sts.of("AssumeRole")
    opened(sts.url, role=ROLE, session="1h")


def test_credentials_that_end_as_they_are_given_tell_of_the_clock(sts: Sts) -> None:
    sts.lasts_s = -30
    assert "by the clock of this machine" in refusal(sts.url, role=ROLE)


def test_without_a_terminal_a_code_cannot_be_asked(sts: Sts) -> None:
    assert refusal(sts.url, role=ROLE, mfa=SERIAL) == (
        f"account main: it takes the MFA code of {SERIAL}, and there is no terminal to ask at"
    )
    assert not sts.asked


def test_one_code_opens_all_accounts_of_a_device_and_is_not_asked_again(
    sts: Sts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaos.environments.enter_key.there", lambda: True)
    monkeypatch.setattr("chaos.environments.enter_key.line", lambda: "123456\n")
    accounts = {"a": account(role=ROLE, mfa=SERIAL), "b": account(mfa=SERIAL)}
    environment = OnAws(sts.url, accounts)
    asyncio.run(environment.open())
    environment.close()
    (asked,) = sts.of("GetSessionToken")
    assert (asked["SerialNumber"], asked["TokenCode"]) == (SERIAL, "123456")
    assert sts.of("AssumeRole")[0]["key"] == "ASIA0000000000000001"
    assert SECRETS.mask("code 123456") == "code ***"


@pytest.mark.parametrize("typed", ["12345\n", "abcdef\n", "\n"])
def test_what_is_no_code_is_not_sent(sts: Sts, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr("chaos.environments.enter_key.there", lambda: True)
    monkeypatch.setattr("chaos.environments.enter_key.line", lambda: typed)
    assert refusal(sts.url, mfa=SERIAL) == "account main: an MFA code has six digits"
    assert not sts.asked


AT_A_TERMINAL = """
import asyncio, sys
from chaos.environments.on_aws import OnAws
from chaos.experiment.accounts import Account
account = Account(id="{id}", regions=["us-east-1"], mfa="{serial}").model_dump(mode="json")
environment = OnAws("{url}", {{"main": account}})
asyncio.run(environment.open())
print("signed in as", environment.identities["main"]["arn"])
environment.close()
"""


def test_the_code_is_asked_at_a_real_terminal(sts: Sts) -> None:
    program = AT_A_TERMINAL.format(id=ACCOUNT, serial=SERIAL, url=sts.url)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", program])  # noqa: S606  # our own
    said = b""
    while select.select([terminal], [], [], DEADLINE_S)[0]:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the program has ended
            break
        if not piece:
            break
        asked_before, said = b"MFA code of" in said, said + piece
        if b"MFA code of" in said and not asked_before:
            os.write(terminal, b"654321\n")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, said
    assert f"MFA code of {SERIAL}: ".encode() in said
    assert b"signed in as arn:aws:iam::123456789012:user/drill" in said
    assert sts.of("GetSessionToken")[0]["TokenCode"] == "654321"


def test_a_profile_that_would_ask_in_the_middle_is_refused(sts: Sts, tmp_path: Path) -> None:
    config(
        tmp_path,
        f"[profile drills]\nrole_arn = {ROLE}\nsource_profile = me\nmfa_serial = {SERIAL}\n"
        "[profile me]\naws_access_key_id = me\naws_secret_access_key = secret\n",
    )
    said = refusal(sts.url, "drills")
    assert "asks for an MFA code of its own (mfa_serial)" in said
    assert not sts.asked


def test_a_profile_s_own_role_is_assumed_at_the_endpoint_too(sts: Sts, tmp_path: Path) -> None:
    config(
        tmp_path,
        f"[profile drills]\nrole_arn = {ROLE}\nsource_profile = me\n"
        "[profile me]\naws_access_key_id = me\naws_secret_access_key = secret\n",
    )
    opened(sts.url, "drills")
    assert sts.of("AssumeRole")[0]["key"] == "me"
    assert sts.of("GetCallerIdentity")[0]["key"].startswith("ASIA")


def test_the_profile_of_an_account_comes_before_that_of_the_run(sts: Sts, tmp_path: Path) -> None:
    profiles = ("mine", "theirs")
    config(
        tmp_path,
        "".join(
            f"[profile {p}]\naws_access_key_id = {p}\naws_secret_access_key = s\n" for p in profiles
        ),
    )
    opened(sts.url, "mine")
    accounts = {"main": account(profile="theirs")}
    run = OnAws(sts.url, accounts, profile="mine")
    rollback = OnAws(sts.url, accounts, only_profile="mine")
    for environment in (run, rollback):
        asyncio.run(environment.open())
        environment.close()
    assert [one["key"] for one in sts.of("GetCallerIdentity")] == ["mine", "theirs", "mine"]


def sso(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, session: bool, token: bool) -> None:
    """A profile that signs in by SSO, and a token in botocore's cache that has expired."""
    start = "https://example.awsapps.com/start"
    own = (
        "sso_session = corp\n" if session else f"sso_start_url = {start}\nsso_region = us-east-1\n"
    )
    config(
        tmp_path,
        f"[profile corp-drills]\n{own}sso_account_id = {ACCOUNT}\nsso_role_name = drills\n"
        f"[sso-session corp]\nsso_start_url = {start}\nsso_region = us-east-1\n",
    )
    cache = tmp_path / "sso"
    cache.mkdir()
    for place in ("credentials.SSOProvider", "tokens.SSOTokenProvider"):
        monkeypatch.setattr(f"botocore.{place}._SSO_TOKEN_CACHE_DIR", str(cache))
    if token:
        name = hashlib.sha1(b"corp" if session else start.encode()).hexdigest()  # noqa: S324  # botocore's
        held = {"accessToken": "bearer-of-corp", "expiresAt": "2020-01-01T00:00:00Z"}
        (cache / f"{name}.json").write_text(json.dumps({**held, "startUrl": start}))


@pytest.mark.parametrize("session", [True, False])
@pytest.mark.parametrize("token", [True, False])
def test_an_sso_session_that_has_ended_tells_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, session: bool, token: bool
) -> None:
    sso(tmp_path, monkeypatch, session=session, token=token)
    said = refusal(None, "corp-drills")
    assert said.startswith("account main: ")
    assert said.endswith("; sign in: aws sso login --profile corp-drills")


def test_a_token_of_sso_is_not_sent_to_what_is_not_aws(
    sts: Sts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sso(tmp_path, monkeypatch, session=False, token=True)
    assert "signs in with AWS itself (sso)" in refusal(sts.url, "corp-drills")
    assert not sts.asked


def test_a_profile_that_is_not_there_is_told(sts: Sts) -> None:
    assert "aws configure list-profiles shows" in refusal(sts.url, "nope")


def test_a_process_that_fails_is_told(sts: Sts, tmp_path: Path) -> None:
    config(tmp_path, "[profile vault]\ncredential_process = sh -c 'echo no vault >&2; exit 7'\n")
    said = refusal(sts.url, "vault")
    assert "no vault" in said
    assert "(profile vault)" in said


@pytest.mark.parametrize("line", ["endpoint_url = http://127.0.0.1:4566", "services = local"])
def test_a_profile_that_leads_elsewhere_is_refused_where_no_endpoint_is_given(
    tmp_path: Path, line: str
) -> None:
    services = "[services local]\nec2 =\n  endpoint_url = http://127.0.0.1:4566\n"
    config(tmp_path, f"[profile local]\n{line}\n{services}")
    with pytest.raises(InvalidInput, match="the profile local would lead calls away from AWS"):
        OnAws(None, {"main": account()}, profile="local")


def test_the_tool_s_own_calls_are_bounded() -> None:
    limits: Any = credentials.base(None, None).get_default_client_config()
    assert (limits.connect_timeout, limits.read_timeout) == (5, 10)
    assert limits.retries == {"total_max_attempts": 5, "mode": "standard"}
