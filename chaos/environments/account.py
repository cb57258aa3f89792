"""The user's own AWS account, as boto3 would use it here: read only, and only when it is asked.

All of it blocks. Making an `Account` contacts nobody.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chaos.environments.calls import AwsCalls
from chaos.errors import CallFailed

if TYPE_CHECKING:
    from botocore.session import Session

ANSWER_WITHIN_S = 5.0  # connecting and reading each
# Where botocore's names for its sources lead to.
SOURCES = {
    "env": "environment variables",
    "shared-credentials-file": "the shared credentials file",
    "config-file": "the config file",
    "assume-role": "a role that the profile assumes",
    "assume-role-with-web-identity": "a role assumed with a web identity",
    "sso": "IAM Identity Center (SSO)",
    "login": "`aws login`",
    "custom-process": "the profile's credential_process",
    "container-role": "the container's role",
    "iam-role": "the instance's role",
}
VENDOR = Path("/sys/class/dmi/id/sys_vendor")
BIOS = Path("/sys/class/dmi/id/bios_version")
XEN_UUID = Path("/sys/hypervisor/uuid")
DEFAULT_REGION = "us-east-1"
# Of all partitions, as botocore's partitions.json has them.
AWS_DOMAINS = (
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.amazonwebservices.com.cn",
    ".api.amazonwebservices.eu",
    ".api.aws",
    ".api.aws.hci.ic.gov",
    ".api.aws.ic.gov",
    ".api.aws.scloud",
    ".api.cloud-aws.adc-e.uk",
    ".c2s.ic.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
    ".sc2s.sgov.gov",
)


def is_aws(host: str) -> bool:
    """Whether a host's name is one of AWS itself, by which real accounts are reached."""
    return f".{host.lower().rstrip('.')}".endswith(AWS_DOMAINS)


class Account:
    """One account, at the endpoint and in the region that are given or configured."""

    def __init__(
        self, endpoint: str | None = None, region: str | None = None, profile: str | None = None
    ) -> None:
        self._endpoint = endpoint
        self._profile = profile
        self.region = region or self._configured_region() or DEFAULT_REGION
        session = self._session if profile else None
        self._calls = AwsCalls(endpoint, session=session, timeout_s=ANSWER_WITHIN_S)

    def source(self) -> str | None:
        """Where boto3 finds credentials, in words; None when there are none.

        Raises CallFailed when what is configured does not give any. The metadata service of EC2
        is asked on EC2 only: elsewhere that address belongs to nobody knows whom.
        """
        from botocore.exceptions import BotoCoreError

        session = self._session()
        try:
            if not on_ec2():
                session.get_component("credential_provider").remove("iam-role")
            found = session.get_credentials()
        except BotoCoreError as error:
            raise CallFailed("finding credentials", type(error).__name__, str(error)) from error
        if found is None:
            return None
        profile = f", profile {session.profile}" if session.profile else ""
        return SOURCES.get(found.method, found.method) + ("" if found.method == "env" else profile)

    def endpoint(self) -> str | None:
        """The endpoint that is given or configured, other than AWS itself; None for AWS."""
        if self._endpoint:
            return self._endpoint
        url = self.aws_url()
        host = url.partition("://")[2].partition("/")[0].partition(":")[0]
        return None if is_aws(host) else url

    def aws_url(self) -> str:
        """Where STS is called when no endpoint is given; raises CallFailed."""
        from botocore.exceptions import BotoCoreError

        # With a key boto3 need not look for one: that might ask the metadata service.
        calls = AwsCalls(None, key=("unused", "unused"))
        try:
            return calls.endpoint("sts", self.region)
        except (BotoCoreError, ValueError) as error:
            raise CallFailed("finding the endpoint", type(error).__name__, str(error)) from error
        finally:
            calls.close()

    def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        """One operation, which should read only; raises CallFailed."""
        return self._calls.call_now(service, self.region, operation, **params)

    def _session(self) -> Session:
        import botocore.session

        session: Session = botocore.session.get_session()
        if self._profile:
            session.set_config_variable("profile", self._profile)
        return session

    def _configured_region(self) -> str | None:
        from botocore.exceptions import BotoCoreError

        try:
            region: str | None = self._session().get_config_variable("region")
        except BotoCoreError:
            return None  # a profile that is not there: `source` tells it
        return region or os.environ.get("AWS_REGION")


def on_ec2() -> bool:
    """Whether this machine is one of EC2, by what its firmware says; nobody is asked.

    EC2 User Guide, "Detect whether a host is an EC2 instance": Nitro by its vendor, and what ran
    before it by Xen's version and UUID.
    """
    xen = "amazon" in _said(BIOS) or _said(XEN_UUID).startswith("ec2")
    return xen or "amazon ec2" in _said(VENDOR)


def _said(file: Path) -> str:
    try:
        return file.read_text().lower()
    except (OSError, ValueError):
        return ""
