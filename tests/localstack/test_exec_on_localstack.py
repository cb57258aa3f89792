"""`chaos exec` before a LocalStack: by the variable, and transparently."""

from __future__ import annotations

import sys
from pathlib import Path

from exec_command import chaos_exec, environment, python
from namespaces import needs_namespaces

SUITE = Path(__file__).parent.parent.parent / "docs" / "examples" / "pytest-suite"
WHO = """
import boto3, sys
for url in (None, *sys.argv[1:]):
    print(boto3.client("sts", endpoint_url=url).get_caller_identity()["Account"])
"""


def test_the_suite_of_the_docs_passes_and_meets_its_rule(localstack: str) -> None:
    there = ("--environment", "localstack", "--endpoint", localstack)
    pytest_ = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    done = chaos_exec(*there, "--rule", "s3: delay 5ms", "--", *pytest_, directory=SUITE)
    assert done.code == 0, done.out + done.err
    assert "2 passed" in done.out
    assert f"at {localstack}" in done.err


def test_a_localstack_in_the_environment_is_found(localstack: str) -> None:
    env = environment(LOCALSTACK_ENDPOINT=localstack)
    done = chaos_exec("--environment", "localstack", *python(WHO), env=env)
    assert (done.code, done.out) == (0, "000000000000\n"), done.err


@needs_namespaces
def test_transparent_leads_aws_and_the_endpoint_in_the_code_to_the_proxy(localstack: str) -> None:
    there = ("--environment", "localstack", "--endpoint", localstack)
    done = chaos_exec("--transparent", *there, *python(WHO), localstack)
    assert (done.code, done.out) == (0, "000000000000\n" * 2), done.err
    assert "2 requests seen by the proxy" in done.err
