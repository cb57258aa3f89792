"""Which names are AWS's, and the name service that the command asks."""

from __future__ import annotations

from collections.abc import Sequence

from chaos.environments.account import AWS_DOMAINS
from chaos.proxies.dns_faulty import Faulty
from chaos.proxies.dns_forwarder import Forwarder
from chaos.proxies.dns_rules import DnsRules
from chaos.proxies.dns_wire import Respond

# AWS General Reference, "AWS service endpoints"; and the names under which LocalStack is reached.
PARENTS = (*(domain[1:] for domain in AWS_DOMAINS), "aws", "localhost.localstack.cloud")
ALONE = ("localhost.localstack.cloud",)
# Where these names lead inside: of RFC 2544's range, which no network uses.
AWS_ADDRESS = "198.18.0.1"
TTL_S = 60
# resolv.conf(5): without a nameserver line, the one on this machine.
NO_RESOLVER = [("127.0.0.1", 53)]


def is_aws(name: str) -> bool:
    """Whether the host's name is one of AWS."""
    name = name.lower().rstrip(".")
    return name in ALONE or name.endswith(tuple(f".{parent}" for parent in PARENTS))


def resolvers() -> list[tuple[str, int]]:
    """Those of this machine."""
    import dns.resolver

    try:
        system = dns.resolver.Resolver()
    except (dns.resolver.NoResolverConfiguration, OSError, ValueError):
        return NO_RESOLVER
    return [(str(address), system.port) for address in system.nameservers]


def respond(resolvers: Sequence[tuple[str, int]]) -> Respond:
    """Answers AWS's names with our address, and any other as the `resolvers` do."""
    rules = DnsRules()
    names = [*ALONE, *(f"*.{parent}" for parent in PARENTS)]
    rule = {"action": "wrong", "names": names, "answers": [AWS_ADDRESS], "ttl": TTL_S}
    rules.put("aws", rule)
    return Faulty(Forwarder(resolvers).respond, rules, recursive=True).respond
