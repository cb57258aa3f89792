"""One of our DNS servers in a process of its own, for a benchmark: prints its port, then answers.

python -m benchmarks.dns_server authority [RULES]     the lab's, with a few records
python -m benchmarks.dns_server forwarder [RULES] PORT   asks the resolver on that port
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from chaos.lab.route53 import Route53
from chaos.proxies.dns import DnsServer
from chaos.proxies.dns_faulty import Faulty
from chaos.proxies.dns_forwarder import Forwarder
from chaos.proxies.dns_rules import DnsRules

ZONE = "stream.example"
NAMES = ("api", "www", "static", "images", "login")
RECORDS = [
    {
        "Name": f"{name}.{ZONE}.",
        "Type": "A",
        "TTL": 30,
        "ResourceRecords": [{"Value": f"127.1.0.{number}"}],
    }
    for number, name in enumerate(NAMES, 10)
]
LISTED: dict[str, dict[str, Any]] = {
    "list_hosted_zones": {"HostedZones": [{"Id": "/hostedzone/Z1", "Name": f"{ZONE}."}]},
    "list_health_checks": {"HealthChecks": []},
    "list_resource_record_sets": {"ResourceRecordSets": RECORDS},
}


async def listed(_service: str, _region: str, operation: str, /, **_: Any) -> dict[str, Any]:
    """What the AWS API would say."""
    return LISTED[operation]


async def main(kind: str, rules: str, upstream: int) -> None:
    """Answer until this process is killed."""
    if kind == "authority":
        route53 = Route53(listed, ports={}, propagation=0.0)
        _put(route53.rules, rules)
        port = await route53.start()
    else:
        ours = DnsRules()
        _put(ours, rules)
        forwarder = Forwarder([("127.0.0.1", upstream)])
        port = await DnsServer(Faulty(forwarder.respond, ours, recursive=True).respond).start()
    print(port, flush=True)
    await asyncio.Event().wait()


def _put(rules: DnsRules, given: str) -> None:
    for number, rule in enumerate(json.loads(given)):
        rules.put(str(number), rule)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
