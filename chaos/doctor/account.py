"""The AWS account and the endpoint that boto3 would use here. Reads only, and no secret is told.

What was not asked for by name is a warning at most: the embedded lab needs none of it.
"""

from __future__ import annotations

import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse
from typing import Any
from urllib.request import Request

from chaos.doctor.finding import Asked, Finding, Level
from chaos.environments import endpoint as endpoints
from chaos.environments.account import ANSWER_WITHIN_S, Account
from chaos.environments.refusals import why
from chaos.errors import CallFailed, InvalidInput

# AWS refuses what is signed more than five minutes off (AWS General Reference, SigV4).
REFUSED_SKEW_S = 300.0
NOTABLE_SKEW_S = 30.0
# What faults read of a real account: what it is for, and a call that shows whether it may be made.
# DryRun has EC2 answer whether it would, and do nothing.
READS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "ec2:DescribeInstances": ("instances", "ec2", "describe_instances", {"DryRun": True}),
}
# Asked besides, where drills in this very account are meant.
MORE_READS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "ec2:DescribeSubnets": ("subnets", "ec2", "describe_subnets", {"DryRun": True}),
    "ec2:DescribeNetworkAcls": ("network ACLs", "ec2", "describe_network_acls", {"DryRun": True}),
    "autoscaling:DescribeAutoScalingGroups": (
        "Auto Scaling groups",
        "autoscaling",
        "describe_auto_scaling_groups",
        {"MaxRecords": 1},
    ),
    "route53:ListHostedZones": ("zones", "route53", "list_hosted_zones", {"MaxItems": "1"}),
    "rds:DescribeDBInstances": ("databases", "rds", "describe_db_instances", {"MaxRecords": 20}),
    "fis:ListExperimentTemplates": (
        "templates of FIS",
        "fis",
        "list_experiment_templates",
        {"maxResults": 1},
    ),
}
YES_IT_WOULD = "DryRunOperation"
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


def credentials(asked: Asked) -> Iterator[Finding]:
    """Where boto3 would find credentials."""
    try:
        source = _account(asked).source()
        if asked.environment == "aws":
            endpoints.checked(asked.endpoint)
    except InvalidInput as error:
        yield Finding("credentials", "missing", str(error))
        return
    except CallFailed as error:
        do = "mend the profile or the variable, or unset it"
        yield Finding("credentials", _level(asked), str(error), do)
        return
    if source is None and asked.environment == "aws":
        yield Finding("credentials", "missing", why("NoCredentialsError", "", None))
    elif source is None:
        says = "none are configured; the embedded lab needs none, and nobody was asked"
        yield Finding("credentials", "ok", says)
    else:
        yield Finding("credentials", "ok", f"boto3 finds them in {source}")


def endpoint(asked: Asked) -> Iterator[Finding]:
    """Whether the endpoint answers, and how far this machine's clock is from its."""
    account = _account(asked)
    try:
        configured = account.endpoint()
        nothing = configured is None and account.source() is None
    except CallFailed:
        return  # `credentials` tells it
    if nothing:
        yield Finding("endpoint", "ok", "none is configured, and nobody was asked")
        return
    url = configured or account.aws_url()
    if not url.lower().startswith(("http://", "https://")):
        says = f"{url} is no http or https URL"
        yield Finding("endpoint", _level(asked), says, "write it as http://127.0.0.1:4566")
        return
    try:
        date, skew = _skew(url, through_proxy=configured is None)
    except (OSError, ValueError) as error:
        says = f"{url} does not answer: {_why(error)}"
        do = "start it, or mend AWS_ENDPOINT_URL, --endpoint or the way there"
        yield Finding("endpoint", _level(asked), says, do)
        return
    yield Finding("endpoint", "ok", f"{url} answers")
    yield _clock(asked, date, skew)


def identity(asked: Asked) -> Iterator[Finding]:
    """Who AWS takes us for, which needs no permission, and what we may read."""
    account = _account(asked)
    try:
        if account.source() is None:
            return
    except CallFailed:
        return  # `credentials` tells it
    try:
        who = account.call("sts", "get_caller_identity")
    except CallFailed as error:
        do = "renew the credentials (aws sso login, a new key), or mend the endpoint or the clock"
        yield Finding("identity", _level(asked), str(error), do)
        return
    says = f"account {who['Account']}{_alias(account, asked)} as {who['Arn']}"
    if who["Arn"].endswith(":root"):
        do = "use a role with as few rights as the drill needs"
        yield Finding("identity", "warning", f"{says}: the root user, who may do anything", do)
    else:
        yield Finding("identity", "ok", says)
    reads = READS | (MORE_READS if asked.environment == "aws" else {})
    yield from (_permission(action, account, *read) for action, read in reads.items())


def _alias(account: Account, asked: Asked) -> str:
    """The name that a run asks for before it begins, where there is one and it may be read."""
    if asked.environment != "aws":
        return ""
    try:
        aliases = account.call("iam", "list_account_aliases")["AccountAliases"]
    except CallFailed as error:
        return f" (its alias cannot be read: {error.code})"
    return f" ({aliases[0]})" if aliases else " (without an alias)"


def _permission(
    action: str, account: Account, what: str, service: str, operation: str, params: dict[str, Any]
) -> Finding:
    """Whether that may be read. Nothing is asked that could change anything."""
    try:
        account.call(service, operation, **params)
    except CallFailed as error:
        if error.code in DENIED:
            says = f"{action} is denied, so faults cannot choose {what}"
            return Finding("permissions", "warning", says, f"allow {action} in the policy")
        if error.code != YES_IT_WOULD:
            return Finding("permissions", "warning", str(error))
    return Finding("permissions", "ok", f"{action} is allowed in {account.region}")


def _account(asked: Asked) -> Account:
    return Account(asked.endpoint, asked.region, asked.profile)


def _level(asked: Asked) -> Level:
    return "missing" if asked.endpoint or asked.environment == "aws" else "warning"


def _clock(asked: Asked, date: str | None, skew: float) -> Finding:
    if date is None:
        return Finding("clock", "warning", "the endpoint tells no time to compare with")
    says = f"this clock is {abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} the endpoint's"
    do = "set the clock: timedatectl set-ntp true"
    if abs(skew) > REFUSED_SKEW_S:
        return Finding("clock", _level(asked), f"{says}; AWS refuses more than 5 min", do)
    if abs(skew) > NOTABLE_SKEW_S:
        return Finding("clock", "warning", says, do)
    return Finding("clock", "ok", "this clock agrees with the endpoint's")


def _skew(url: str, *, through_proxy: bool) -> tuple[str | None, float]:
    """The endpoint's `Date`, whole seconds, and by how many seconds it is ahead of our clock."""
    # As in `AwsCalls`: a proxy of the surroundings is for AWS, not for an endpoint that was named.
    proxies = [] if through_proxy else [urllib.request.ProxyHandler({})]
    opener = urllib.request.build_opener(_AsItIs, *proxies)
    before = time.time()
    with opener.open(url, timeout=ANSWER_WITHIN_S) as answer:
        date = answer.headers["Date"]
    if date is None:
        return None, 0.0
    now = (before + time.time()) / 2
    return date, parsedate_to_datetime(date).timestamp() + 0.5 - now


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLError):
        return f"its certificate is not accepted ({reason.reason})"
    return str(getattr(reason, "strerror", None) or reason)


class _AsItIs(urllib.request.HTTPErrorProcessor):
    """Any answer is one: a refusal has a date too, and nobody is sent elsewhere."""

    def http_response(self, request: Request, response: HTTPResponse) -> HTTPResponse:  # noqa: ARG002  # urllib's signature
        return response

    https_response = http_response
