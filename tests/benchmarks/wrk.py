"""One slice of load by wrk: a signed call of DynamoDB, again and again, and how it went."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

SECONDS = "1s"
# As boto3 signs it; the body has 114 bytes.
CALL = """\
wrk.method = "POST"
wrk.path = "/"
wrk.body = '{"TableName": "viewing-history", "Key": {"viewer": {"S": "'
  .. string.rep("v", 30) .. '"}}, "ConsistentRead": false}'
wrk.headers["Content-Type"] = "application/x-amz-json-1.0"
wrk.headers["X-Amz-Target"] = "DynamoDB_20120810.GetItem"
wrk.headers["X-Amz-Date"] = "20260101T000000Z"
wrk.headers["User-Agent"] = "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux lang/python#3.11.7"
wrk.headers["Authorization"] = "AWS4-HMAC-SHA256 "
  .. "Credential=lab/20260101/us-east-1/dynamodb/aws4_request, "
  .. "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
  .. "Signature=" .. string.rep("0123456789abcdef", 4)
"""
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice; times in milliseconds."""

    per_second: float
    p50: float
    p99: float


def load(port: int, connections: int, script: Path, core: int) -> Slice:
    """Make calls on so many connections; raises SystemExit when one of them fails."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}", "--latency", "-s", str(script)]
    pinned = ["taskset", "-c", str(core), *command, f"http://127.0.0.1:{port}/"]
    said = subprocess.run(pinned, check=True, capture_output=True, text=True, timeout=60).stdout
    if "Socket errors" in said or "Non-2xx" in said:
        raise SystemExit(f"calls failed:\n{said}")
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    assert rate, said
    return Slice(float(rate[1]), _latency(said, 50), _latency(said, 99))


def _latency(said: str, share: int) -> float:
    found = re.search(rf"^\s+{share}%\s+([0-9.]+)(us|ms|s)$", said, re.MULTILINE)
    assert found, said
    return float(found[1]) * UNITS[found[2]]
