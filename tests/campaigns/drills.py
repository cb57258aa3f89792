"""Short drills of every reversible fault of a real account, for those that `account.py` makes."""

from __future__ import annotations

from pathlib import Path

from campaigns.account import DRILLED, REGIONS, Account
from moto_account import ACCOUNT

TAGS = f"{{{DRILLED['Key']}: {DRILLED['Value']}}}"
HEAD = """\
name: {name}
accounts:
  main: {{id: "{account}", regions: [{regions}]}}
safety: {{at_most: {{count: 50, percent: 100%}}, at_most_in_a_run: {{count: 50, percent: 100%}}}}
steady_state: {{for: 100ms, within: 20s}}
recover_within: 5s
probes:
  page: {{kind: http, url: "{url}", every: 100ms, timeout: 500ms, confirm: 1}}
objectives:
  page: {{unaffected: true}}
faults:
"""
FAULTS = {
    "region": """\
- kind: region_outage
  region: us-east-1
  subnets: {{tags: {tags}}}
  endpoints: {{tags: {tags}}}
  launches: {{tags: {tags}}}
  tables: [titles, history]
  buckets: [titles-us-east-1, history-us-east-1]
  lasts: 300ms
""",
    "two-regions": """\
- kind: region_outage
  region: us-west-2
  subnets: {{ids: [{west}]}}
  launches: {{tags: {tags}}}
  lasts: 400ms
- kind: zone_outage
  zone: us-east-1a
  subnets: {{tags: {tags}}}
  at: 100ms
  lasts: 200ms
""",
    "zone": """\
- kind: zone_outage
  zone: us-east-1a
  subnets: {{tags: {tags}}}
  lasts: 300ms
""",
    "dns": """\
- kind: dns_failure
  names: ["*.stream.example"]
  how: nxdomain
  via: vpc
  region: us-east-1
  vpcs: {{tags: {tags}}}
  lasts: 300ms
""",
    "fis": """\
- kind: fis
  region: us-east-1
  role: arn:aws:iam::{account}:role/fis
  actions:
    stall:
      actionId: aws:ebs:pause-volume-io
      parameters: {{duration: PT1M}}
      targets: {{Volumes: data}}
  targets:
    data: {{resourceType: "aws:ec2:ebs-volume", resourceTags: {tags}}}
  lasts: 300ms
""",
}
DRILLS = tuple(FAULTS)


def write_drills(directory: Path, account: Account, url: str) -> dict[str, Path]:
    """A file for each drill, for that account and a page that is always well."""
    files = {}
    for name, faults in FAULTS.items():
        text = (HEAD + faults).format(
            name=name,
            account=ACCOUNT,
            regions=", ".join(REGIONS),
            url=url,
            tags=TAGS,
            west=", ".join(account.subnets("us-west-2")),
        )
        files[name] = directory / f"{name}.yaml"
        files[name].write_text(text)
    return files
