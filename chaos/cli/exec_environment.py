"""The environment variables of a command whose calls to AWS are to come to the proxy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chaos.sandbox.names import PARENTS

DEFAULT_REGION = "us-east-1"
LOOPBACK = "127.0.0.1"
PROXY_URL = "CHAOS_PROXY_URL"
ENDPOINT = "AWS_ENDPOINT_URL"
# Whatever would give the command other credentials: an emulator needs none, and a proxy that other
# programs can watch must not be sent a real key.
CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
OF_NO_WORTH = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",  # or an SDK looks for a role there
}


def environment_of(
    own: Mapping[str, str],
    url: str,
    *,
    region: str | None,
    transparent: bool,
    keep_credentials: bool,
) -> dict[str, str]:
    """Those it has, with what leads its calls to the proxy at `url` and nothing that leads past it.

    With `transparent` no endpoint is named at all: it is AWS's own that come to the proxy.
    """
    region = region or own.get("AWS_REGION") or own.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
    # One service's own endpoint (AWS_ENDPOINT_URL_S3) would win over the common one.
    gone = {name for name in own if name == ENDPOINT or name.startswith(f"{ENDPOINT}_")}
    if not keep_credentials:
        gone.update(CREDENTIALS)
    kept = {name: value for name, value in own.items() if name not in gone}
    past_proxies = (LOOPBACK, *(f".{parent}" for parent in PARENTS)) if transparent else (LOOPBACK,)
    return {
        **kept,
        **_without_proxies(own, past_proxies),
        **({} if keep_credentials else OF_NO_WORTH),
        **({} if transparent else {ENDPOINT: url}),
        # False rather than unset: it may be true in the user's configuration file.
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        PROXY_URL: url,
    }


def _without_proxies(own: Mapping[str, str], hosts: Iterable[str]) -> dict[str, str]:
    """Some programs read one spelling, some the other."""
    given = own.get("no_proxy") or own.get("NO_PROXY") or ""
    value = ",".join([*([given] if given else []), *hosts])
    return {"no_proxy": value, "NO_PROXY": value}
