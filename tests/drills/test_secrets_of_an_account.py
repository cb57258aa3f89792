"""A run in an account: its credentials, and those of the role that it takes, leave no trace."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from campaigns.account import DRILLED, Account
from moto_account import ACCOUNT, moto_account

SECRET_KEY = "c4nary/secret+key/of/a/profile/AAAAAAAAA"  # noqa: S105  # nobody's
EXTERNAL_ID = "c4nary-external-id-BBBBBBBB"
PROFILE = f"""
[profile drills]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = {SECRET_KEY}
"""
# What moto gives whoever takes a role: `FQoGZXIvYXdz…`, and a secret key of 40 characters.
TOKEN = re.compile("(FQoGZXIvYXdz|FwoGZXIvYXdz|IQoJb3JpZ2lu)[A-Za-z0-9+/=]{8,}")
EXPERIMENT = f"""
name: canary
variables: {{external: {{secret: true}}}}
accounts:
  main:
    id: "{ACCOUNT}"
    regions: [us-east-1]
    role: arn:aws:iam::{ACCOUNT}:role/chaos
    external_id: ${{external}}
safety: {{at_most: {{count: 50, percent: 100%}}, at_most_in_a_run: {{count: 50, percent: 100%}}}}
steady_state: {{for: 1s, within: 20s}}
recover_within: 5s
probes:
  subnets:
    kind: aws
    service: ec2
    region: us-east-1
    operation: describe_subnets
    every: 500ms
    timeout: 5s
objectives:
  subnets: {{unaffected: true}}
faults:
  - kind: region_outage
    region: us-east-1
    subnets: {{tags: {{{DRILLED["Key"]}: {DRILLED["Value"]}}}}}
    lasts: 1s
"""


def in_custody(account: Account) -> dict[str, str]:
    """What the undo log holds, by the names of its objects."""
    s3 = account._client("s3", "us-east-1")
    names = [found["Key"] for found in s3.list_objects_v2(Bucket="custody").get("Contents", [])]
    bodies = (s3.get_object(Bucket="custody", Key=name)["Body"] for name in names)
    return {name: body.read().decode() for name, body in zip(names, bodies, strict=True)}


def test_no_credentials_leave_a_run(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config").write_text(PROFILE)
    (tmp_path / "canary.yaml").write_text(EXPERIMENT)
    with moto_account() as endpoint:
        account = Account(endpoint)
        account.seed()
        where = ["--environment", "aws", "--endpoint", endpoint, "--profile", "drills"]
        more = ["--var", f"external={EXTERNAL_ID}", "--undo-log", "s3://custody/log", "--yes"]
        done = subprocess.run(
            [sys.executable, "-m", "chaos", "run", "canary.yaml", *where, *more, "--json"],
            cwd=tmp_path,
            env={
                **{name: v for name, v in os.environ.items() if not name.startswith("AWS_")},
                "AWS_CONFIG_FILE": str(home / "config"),
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "AWS_EC2_METADATA_DISABLED": "true",
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        texts = {"output": done.stdout + done.stderr, "the account": account.dump()}
        texts |= in_custody(account)
    assert len(texts) > 2, "there was an undo log"
    runs = [path for path in (tmp_path / "chaos-runs").rglob("*") if path.is_file()]
    texts |= {path.name: path.read_text(errors="replace") for path in runs}
    assert "journal.jsonl" in texts, done.stderr
    assert done.returncode in (0, 1, 3), done.stderr
    assert json.loads(done.stdout)
    assert [e for e in texts["journal.jsonl"].splitlines() if '"event":"pull"' in e]
    for name, text in texts.items():
        assert "c4nary" not in text, name
        assert not TOKEN.search(text), name
        for secret in (SECRET_KEY, EXTERNAL_ID):
            for form in (quote(secret, safe=""), base64.b64encode(secret.encode()).decode()[:-4]):
                assert form not in text, name
