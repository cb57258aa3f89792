"""The one place that speaks boto3: API calls by name, with explicit timeouts and retries.

boto3 blocks, so its calls run in threads of this object's own. Everything that botocore raises
is translated here, once.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from chaos.errors import CallFailed, Unsupported
from probes.schedule import OUR_LIMITS

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.session import Session as Session  # noqa: PLC0414  # whoever signs in hands one on

# What an emulator says instead of doing it: HTTP 501, or moto's HTTP 500 with a page of HTML.
NOT_OFFERED = ("NotImplemented", "NotImplementedError", "InternalFailure", "UnknownOperation")
# The codes of calls that nobody has answered.
NO_ANSWER = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError"})

# What botocore asks for by these names: its key in a file, its variable, its default.
NOT_THE_USERS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}

MAKING = threading.Lock()  # a session may not make two clients at once


class AwsCalls:
    """API calls to one endpoint with one set of credentials.

    `attempts` counts the first one too: 1 means no retry, which is what a probe wants.
    `timeout_s` bounds each attempt in seconds of the wall, connecting and reading each. `session`
    gives botocore's session with the credentials, when it is first needed; else `key` is one.
    `regions` are those to which S3 may lead a call on; None: wherever the bucket is.
    """

    def __init__(
        self,
        endpoint: str | None,
        *,
        key: tuple[str, str] | None = None,
        session: Callable[[], Session] | None = None,
        attempts: int = 1,
        timeout_s: float = 5.0,
        threads: int = 8,
        regions: Collection[str] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._regions = regions
        self._key = key
        self._session = session
        self._attempts = attempts
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="aws")
        self._clients: dict[tuple[str, str], BaseClient] = {}

    async def call(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        """One operation, named as boto3 names its methods; raises CallFailed or Unsupported."""
        loop = asyncio.get_running_loop()
        work = functools.partial(self.call_now, service, region, operation, **params)
        return await loop.run_in_executor(self._threads, work)

    def close(self) -> None:
        """Wait for nothing: calls under way end by their own timeouts."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def endpoint(self, service: str, region: str) -> str:
        """The URL that calls go to."""
        url: str = self._client(service, region).meta.endpoint_url
        return url

    def call_now(
        self, service: str, region: str, operation: str, /, **params: Any
    ) -> dict[str, Any]:
        """The same as `call`, but blocking this thread."""
        from botocore.exceptions import BotoCoreError, ClientError, UnknownServiceError
        from botocore.parsers import ResponseParserError

        what = named(service, operation, region)
        try:
            method: Callable[..., dict[str, Any]] = getattr(
                self._client(service, region), operation
            )
            return method(**params)
        except ClientError as error:
            raise _translated(what, error.response) from error
        except (UnknownServiceError, AttributeError) as error:
            raise Unsupported(what, "NoSuchOperation", "boto3 knows no such operation") from error
        except ResponseParserError as error:
            message = "the endpoint's answer is not the AWS API's"
            raise Unsupported(what, "NoAnswer", message) from error
        except BotoCoreError as error:
            if limit := _own_limit(error):
                raise limit from error
            raise CallFailed(what, type(error).__name__, str(error).rstrip(".")) from error

    def _client(self, service: str, region: str) -> BaseClient:
        with MAKING:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._make_client(service, region)
            return self._clients[service, region]

    def _make_client(self, service: str, region: str) -> BaseClient:
        from botocore.config import Config

        config = Config(
            connect_timeout=self._timeout_s,
            read_timeout=self._timeout_s,
            retries={"total_max_attempts": self._attempts, "mode": "standard"},
            max_pool_connections=64,
            # A proxy of the surroundings is for AWS, not for an endpoint that was named.
            proxies={} if self._endpoint else None,
        )
        client: BaseClient = self._maker()(
            service, region_name=region, endpoint_url=self._endpoint, config=config
        )
        if service == "s3" and self._regions is not None:
            client.meta.events.register("before-sign.s3", self._stay)
        return client

    def _stay(self, operation_name: str, request: Any, **_: object) -> None:
        """Botocore goes after a bucket, or the region in an ARN, wherever that is."""
        to = request.context.get("signing", {}).get("region")
        if self._regions is not None and to is not None and to not in self._regions:
            what = f"is in {to}, and only {', '.join(self._regions)} may be called"
            raise CallFailed(f"s3 {operation_name}", "OtherRegion", f"what is asked for {what}")

    def _maker(self) -> Callable[..., BaseClient]:
        """What makes clients: boto3 would add its own to a session of botocore's each time."""
        if self._session is not None:
            make: Callable[..., BaseClient] = self._session().create_client
        else:
            make = _session(self._key, alone=bool(self._endpoint and self._key)).client
        return make


def named(service: str, operation: str, region: str) -> str:
    """How a call is named in what is said of it."""
    return f"{service} {operation} in {region}"


def prepare(key: tuple[str, str], *services: str) -> None:
    """Import boto3 and read these services' models, so that no first call has to wait for it."""
    with MAKING:
        for service in services:
            _session(key, alone=True).client(service, region_name="us-east-1")


@functools.cache
def _session(key: tuple[str, str] | None, alone: bool = False) -> Any:
    """One session for all with the same credentials: each would read the service models anew."""
    import boto3
    import botocore.session

    # For an emulator no profile and no file of the user's counts: one may even not be there.
    inner = botocore.session.Session(session_vars=NOT_THE_USERS) if alone else None
    access_key, secret = key or (None, None)
    return boto3.session.Session(access_key, secret, botocore_session=inner)


def _own_limit(error: BaseException | None) -> OSError | None:
    """What this machine has run out of, if that was it: it says nothing about the service."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in OUR_LIMITS:
            return error
        inner = getattr(error, "kwargs", {}).get("error")
        error = inner or error.__cause__ or error.__context__
    return None


def _translated(what: str, response: Any) -> CallFailed:
    code = str(response.get("Error", {}).get("Code", "Unknown"))
    message = str(response.get("Error", {}).get("Message", "no message"))
    metadata = response.get("ResponseMetadata", {})
    status, request = metadata.get("HTTPStatusCode"), str(metadata.get("RequestId", ""))
    if status == 501 or (status == 500 and code in (*NOT_OFFERED, "500")):
        return Unsupported(what, code, message, request)
    return CallFailed(what, code, message, request)
