"""The codes by which services say "too fast" are those that SDKs retry as throttling."""

from __future__ import annotations

import pytest
from botocore.retries.standard import ThrottledRetryableChecker

from chaos.proxies.operations import signing_of
from chaos.proxies.throttling import ANSWERS, OTHERS

# Retried as any error of the server's, or by the client of that service alone.
ELSEWHERE = {"Throttled"}


@pytest.mark.parametrize("service", [*ANSWERS, None])
def test_boto3_takes_the_code_for_throttling(service: str | None) -> None:
    status, code = ANSWERS.get(service or "", OTHERS)
    known = ThrottledRetryableChecker._THROTTLED_ERROR_CODES  # type: ignore[attr-defined]  # no stub has it
    assert code in known or (code in ELSEWHERE and status == 429)


@pytest.mark.parametrize("service", ANSWERS)
def test_the_table_is_by_signing_name(service: str) -> None:
    assert service in signing_of(service)
