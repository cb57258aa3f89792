"""Where the calls to an account get their credentials: botocore's own ways, and a role on top.

    base (environment, profile, SSO, process, instance) ──MFA code?──► ──role?──► the account

Imported only when an account is reached. What is secret is told to `SECRETS` once it is known.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.client import BaseClient
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader, create_loader
from botocore.session import Session

from chaos.environments.account import on_ec2
from chaos.environments.calls import MAKING
from chaos.environments.endpoint import is_real, refuse_elsewhere
from chaos.environments.refusals import REASONS, why
from chaos.errors import CallFailed, EnvironmentFailed, InvalidInput
from chaos.secrets import SECRETS

log = logging.getLogger("chaos")
# It logs a traceback for each renewal that fails; the call that needs it tells it in a sentence.
logging.getLogger("botocore.credentials").setLevel(logging.CRITICAL)

# How botocore gets credentials: seconds of the wall, and attempts with the first.
CONFIG = Config(
    connect_timeout=5,
    read_timeout=10,
    retries={"total_max_attempts": 5, "mode": "standard"},
)
# A proxy of the surroundings is for AWS, not for an endpoint that was named.
NO_PROXIES = Config(proxies={})
# What sends a token of the user's own to its service: nothing for an endpoint that is not AWS.
OF_AWS_ALONE = ("sso", "sso-oidc", "signin")
CHAINED_S = 3600.0  # IAM User Guide, "Role chaining"
MFA_SESSION_S = 43200  # STS allows an IAM user 36 h; no drill lasts longer than this
# Of a role's session: begin to renew when a third is left, insist on it when a sixth is.
# botocore's own 15 and 10 minutes would renew a session of 15 minutes at each call.
RENEW_AT, INSIST_AT = 3, 6
LONGEST_RENEWAL_S = 900


class Bound(Session):
    """A botocore session whose clients, those it makes for itself too, all go to one endpoint."""

    def __init__(self, endpoint: str | None, profile: str | None = None) -> None:
        super().__init__()
        self.register_component("data_loader", _models())
        self.set_config_variable("ignore_configured_endpoint_urls", True)
        self._to = endpoint
        if profile:
            self.set_config_variable("profile", profile)
        self.set_default_client_config(CONFIG if is_real(endpoint) else CONFIG.merge(NO_PROXIES))

    def create_client(self, service_name: str, *args: Any, **kwargs: Any) -> BaseClient:
        """As botocore's, to the endpoint of the session."""
        if self._to:
            if service_name in OF_AWS_ALONE and not is_real(self._to):
                raise EnvironmentFailed(
                    f"the profile signs in with AWS itself ({service_name}), and --endpoint"
                    f" {self._to} is not AWS: give it a key of its own, such as"
                    " AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test"
                )
            kwargs["endpoint_url"] = self._to
        return super().create_client(service_name, *args, **kwargs)


def base(endpoint: str | None, profile: str | None, region: str | None = None) -> Session:
    """A session with what boto3 would find here, or with that profile. Contacts nobody.

    `region` is where botocore asks STS for a role that the profile names. Raises EnvironmentFailed
    for a profile that cannot be read, InvalidInput for one that leads elsewhere.
    """
    session = Bound(endpoint, profile)
    session.set_config_variable("region", region)
    try:
        own = session.get_scoped_config()
        providers = session.get_component("credential_provider")
    except BotoCoreError as error:
        raise EnvironmentFailed(why(type(error).__name__, str(error), profile)) from error
    if endpoint is None and (own.keys() & {"endpoint_url", "services"}):
        refuse_elsewhere(f"the profile {session.profile or 'default'}")
    if not on_ec2():
        providers.remove("iam-role")  # elsewhere that address belongs to nobody knows whom
    # botocore would read a code from the terminal, in the middle of the drill too.
    providers.get_provider("assume-role")._prompter = _refuse_to_ask
    return session


def learn(session: Session) -> None:
    """Have botocore find the credentials, and remember what is secret; raises EnvironmentFailed."""
    try:
        found = session.get_credentials()
        key = found.get_frozen_credentials() if found else None
    except (BotoCoreError, ClientError) as error:
        raise EnvironmentFailed(why(_code(error), str(error), session.profile)) from error
    if key is None:
        raise EnvironmentFailed(why("NoCredentialsError", "", None))
    SECRETS.add(key.secret_key)
    SECRETS.add(key.token)


def refuse_long_chain(session: Session, name: str, account: Mapping[str, Any]) -> None:
    """Raises InvalidInput for a role that AWS would not let another role assume for so long."""
    if account["session"] <= CHAINED_S:
        return
    sts = _sts(session, account["regions"][0])
    arn = _asked(lambda: sts.get_caller_identity()["Arn"], "STS")
    if ":assumed-role/" in arn:
        raise InvalidInput(
            f"account {name}: we are a role ourselves ({arn}), and AWS lets one role assume another"
            " for at most an hour: write session: 1h; it is renewed by itself"
        )


def with_code(
    session: Session, endpoint: str | None, account: Mapping[str, Any], code: str
) -> Session:
    """A session of the same user that has passed MFA: no code is asked for again in 12 hours."""
    SECRETS.add_code(code)
    serial = account["mfa"]
    params = {"SerialNumber": serial, "TokenCode": code, "DurationSeconds": MFA_SESSION_S}
    sts = _sts(session, account["regions"][0])
    return _holding(endpoint, lambda: sts.get_session_token(**params), serial, once=True)


def with_role(
    session: Session, endpoint: str | None, account: Mapping[str, Any], name: str
) -> Session:
    """A session that has assumed the account's role and renews it by itself, as that `name`."""
    params = {
        "RoleArn": account["role"],
        "RoleSessionName": name,
        "DurationSeconds": int(account["session"]),
    }
    if account.get("external_id"):
        SECRETS.add(account["external_id"])
        params["ExternalId"] = account["external_id"]

    sts = _sts(session, account["regions"][0])
    return _holding(endpoint, lambda: sts.assume_role(**params), account["role"])


def _holding(
    endpoint: str | None, get: Callable[[], Any], what: str, *, once: bool = False
) -> Session:
    """A session with the temporary credentials that `get` gets, again and again unless `once`."""
    given: list[dict[str, str]] = []

    def renew() -> dict[str, str]:
        if once and given:
            raise EnvironmentFailed(f"the session of {what} has ended; it needs a new MFA code")
        given[:] = [_temporary(_asked(get, what)["Credentials"], what)]
        return given[0]

    first = renew()
    lasts = (datetime.fromisoformat(first["expiry_time"]) - _now()).total_seconds()
    held = RefreshableCredentials.create_from_metadata(
        first,
        refresh_using=renew,
        method="assume-role",
        advisory_timeout=0 if once else int(min(LONGEST_RENEWAL_S, lasts / RENEW_AT)),
        mandatory_timeout=0 if once else int(min(LONGEST_RENEWAL_S, lasts / INSIST_AT)),
    )
    session = Bound(endpoint)
    session.register_component("credential_provider", CredentialResolver([_Held(held)]))
    return session


def _asked(ask: Callable[[], Any], what: str) -> Any:
    """The answer; raises EnvironmentFailed with a sentence, CallFailed for what may pass."""
    try:
        return ask()
    except (BotoCoreError, ClientError) as error:
        code = _code(error)
        if code not in REASONS:  # throttled, unavailable, unreachable: worth another try
            raise CallFailed(f"getting credentials of {what}", code, str(error)) from error
        raise EnvironmentFailed(f"{what}: {why(code, str(error), None)}") from error


def _temporary(answer: Mapping[str, Any], what: str) -> dict[str, str]:
    """The credentials in an answer of STS as botocore wants them; raises EnvironmentFailed."""
    SECRETS.add(answer["SecretAccessKey"])
    SECRETS.add(answer["SessionToken"])
    if answer["Expiration"] <= _now():
        raise EnvironmentFailed(
            f"{what}: by the clock of this machine its credentials ended when they were given;"
            " set the clock: timedatectl set-ntp true"
        )
    return {
        "access_key": answer["AccessKeyId"],
        "secret_key": answer["SecretAccessKey"],
        "token": answer["SessionToken"],
        "expiry_time": answer["Expiration"].isoformat(),
    }


class _Held(CredentialProvider):
    """Gives credentials that are there already."""

    METHOD = CANONICAL_NAME = "chaos"

    def __init__(self, held: RefreshableCredentials) -> None:
        super().__init__()
        self._held = held

    def load(self) -> RefreshableCredentials:
        """Them."""
        return self._held


@functools.cache
def _models() -> Loader:
    """Reads the models of the services once for all sessions: EC2's alone takes half a second."""
    return create_loader(Session().get_config_variable("data_path"))


def _sts(session: Session, region: str) -> Any:
    with MAKING:
        return session.create_client("sts", region_name=region, config=CONFIG)


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str(response["Error"].get("Code", "Unknown")) if response else type(error).__name__


def _now() -> datetime:
    return datetime.now(UTC)


def _refuse_to_ask(_prompt: str) -> str:
    raise InvalidInput(
        "the profile asks for an MFA code of its own (mfa_serial), which could come in the middle"
        " of a drill: name its source_profile in the account as profile, its role as role and its"
        " mfa_serial as mfa; the code is asked once then"
    )
