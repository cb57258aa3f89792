"""The AWS API proxy in a process of its own.

Told the upstream's port and a number of rules; says its port and its loop.
"""

from __future__ import annotations

import asyncio
import sys

from chaos.loops import fastest, run_fast
from chaos.proxies.aws_api import ApiProxy


async def serve(upstream: int, rules: int) -> None:
    proxy = ApiProxy(("127.0.0.1", upstream))
    for number in range(rules):
        rule = {"action": "error", "services": ["sqs"], "operations": [f"Operation{number}"]}
        proxy.rules.put(f"other-{number}", rule)
    print(await proxy.start(), fastest(), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    run_fast(serve(int(sys.argv[1]), int(sys.argv[2])))
