"""`chaos exec`: the command meets the faults, and its streams, signals and code are its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from exec_command import CHAOS, WITHIN_S, chaos_exec, environment, python

LIST_TABLES = """
import boto3, botocore.config, botocore.exceptions
once = botocore.config.Config(retries={"total_max_attempts": 1})
try:
    print(boto3.client("dynamodb", config=once).list_tables()["TableNames"])
except botocore.exceptions.ClientError as error:
    print(error.response["Error"]["Code"])
"""
SET_A_FAULT = """
import json, os, urllib.request
url = os.environ["CHAOS_PROXY_URL"] + "/_localstack/chaos/faults"
faults = [{"service": "dynamodb", "error": {"statusCode": 400, "code": "SetByTheTest"}}]
headers = {"Content-Type": "application/json"}
request = urllib.request.Request(url, json.dumps(faults).encode(), headers)
urllib.request.urlopen(request).read()
"""
CALL_SQS = 'import boto3; boto3.client("sqs").list_queues()\n'


def test_a_command_meets_the_rules_and_ends_well(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    done = chaos_exec(
        "--rule", "dynamodb: error 400 Wanted", "--report", str(file), *python(LIST_TABLES)
    )
    assert (done.code, done.out) == (0, "Wanted\n")
    assert "1 request  seen by the proxy\n1 request  met: dynamodb: error 400 Wanted" in done.err
    written = json.loads(file.read_text())
    assert (written["requests"], written["exit_code"], written["unknown"]) == (1, 0, None)
    assert [rule["hits"] for rule in written["rules"]] == [1]


def test_without_rules_the_calls_pass() -> None:
    done = chaos_exec(*python(LIST_TABLES))
    assert (done.code, done.out) == (0, "[]\n")


def test_the_command_can_set_faults_itself() -> None:
    done = chaos_exec(*python(SET_A_FAULT + LIST_TABLES))
    assert (done.code, done.out) == (0, "SetByTheTest\n")
    assert "1 request  seen by the proxy" in done.err


def test_to_set_faults_is_no_request_that_met_them() -> None:
    done = chaos_exec(*python(SET_A_FAULT))
    assert done.code == 3
    assert "0 requests seen by the proxy" in done.err


def test_a_command_that_called_nothing_proves_nothing() -> None:
    done = chaos_exec("--", "true")
    assert done.code == 3
    assert "unknown: the proxy saw no request" in done.err
    assert "--transparent" in done.err


def test_a_rule_that_met_nothing_proves_nothing() -> None:
    rules = ("--rule", "dynamodb: hang", "--rule", "sqs: delay 1ms")
    done = chaos_exec(*rules, *python(CALL_SQS))
    assert done.code == 3
    assert "unknown: a rule met no request" in done.err
    assert chaos_exec("--allow-unmet", *rules, *python(CALL_SQS)).code == 0


@pytest.mark.parametrize(("command", "code"), [("exit 7", 7), ("kill -9 $$", 137)])
def test_the_commands_own_failure_is_what_counts(command: str, code: int) -> None:
    assert chaos_exec("--", "sh", "-c", command).code == code


def test_the_streams_are_the_commands_own() -> None:
    done = chaos_exec("--", "sh", "-c", "cat; echo oh >&2", given="one\ntwo")
    assert done.out == "one\ntwo"
    assert "oh\n" in done.err


def test_words_behind_the_dashes_are_the_commands() -> None:
    assert chaos_exec("--", "echo", "--rule", "-h", "--").out == "--rule -h --\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_reaches_all_of_the_command_which_ends_in_its_own_way(number: int) -> None:
    name = signal.Signals(number).name.removeprefix("SIG")
    inner = f"trap 'echo inner; exit 0' {name}; echo ready; while :; do sleep 0.05; done"
    outer = f'trap : {name}; sh -c "$INNER"; echo outer; exit 5'
    process = subprocess.Popen(
        [*CHAOS, "--", "sh", "-c", outer],
        env=environment(INNER=inner),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=WITHIN_S)
    finally:
        process.terminate()  # which the command gets, should it still be there
    assert (process.returncode, out) == (5, "inner\nouter\n"), err


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--", "no-such-program"), "no-such-program: there is no such program"),
        (("--endpoint", "http://127.0.0.1:1", "--", "true"), "needs --environment localstack"),
        (("--rule", "dynamodb: explode", "--", "true"), "'explode' is no action"),
        (("--report", "/no/such/directory/r.json", "--", "true"), "make it first"),
        (
            ("--environment", "localstack", "--endpoint", "http://127.0.0.1:1", "--", "true"),
            "no LocalStack answers at http://127.0.0.1:1",
        ),
        ((), "Missing argument"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_run(args: tuple[str, ...], told: str) -> None:
    done = chaos_exec(*args)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
