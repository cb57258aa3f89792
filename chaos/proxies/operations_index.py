"""The AWS services by each of the names that a request may use for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from chaos.proxies.operations_models import Service, operations, services

# Signing names of endpoint rules, and that of the model whose operations they sign.
ALSO = {
    "s3express": "s3",
    "s3-object-lambda": "s3",
    "s3-outposts": "s3",
    "IngestionService": "importexport",
}
S3 = frozenset({"s3", *(also for also, signing in ALSO.items() if signing == "s3")})

Group = Mapping[str, tuple[Service, ...]]


@dataclass(frozen=True, slots=True)
class Index:
    """Several services may share each of these, but for boto3's name."""

    names: Mapping[str, Service]
    signing: Group
    target: Group
    endpoint: Group
    version: Group  # of those that speak forms
    id: Group  # as user agents write it


@cache
def index() -> Index:
    """The index of all services; the first call takes 50 to 150 ms."""
    speakers = [s for s in services() if {"query", "ec2"}.intersection(s.protocols)]
    return Index(
        names={service.name: service for service in services()},
        signing=_grouped(services(), lambda service: service.signing),
        target=_grouped(services(), lambda service: service.target),
        endpoint=_grouped(services(), lambda service: service.endpoint),
        version=_grouped(speakers, lambda service: service.version),
        id=_grouped(services(), lambda service: plain(service.id)),
    )


def plain(service_id: str) -> str:
    """`Route 53`, `route-53` and `route_53` alike."""
    return service_id.lower().replace(" ", "").replace("-", "").replace("_", "")


def signed_as(signing: str) -> tuple[Service, ...]:
    """The services with that signing name."""
    own = index().signing.get(signing, ())
    return own + index().signing[ALSO[signing]] if signing in ALSO else own


@cache
def spoken_by(signing: str) -> frozenset[str]:
    """The protocols of the services with that signing name, as botocore calls them."""
    return frozenset(protocol for service in signed_as(signing) for protocol in service.protocols)


@cache
def names_of(signing: str) -> frozenset[str]:
    """All usual names of the services with that signing name: boto3's, the endpoint's, the id."""
    return frozenset(name for service in signed_as(signing) for name in service.names)


@cache
def signing_of(name: str) -> frozenset[str]:
    """The signing names that a service's name may mean; none when nobody is called that."""
    found = {service.signing for service in services() if name in service.names}
    return frozenset(found | {also for also, own in ALSO.items() if own in found or also == name})


@cache
def operations_of(signing: str) -> frozenset[str]:
    """The operations of the services with that signing name, as botocore's models write them."""
    return frozenset(name for service in signed_as(signing) for name in operations(service))


@cache
def service_names() -> frozenset[str]:
    """All names that `signing_of` knows."""
    return frozenset(ALSO).union(*(service.names for service in services()))


def _grouped(found: list[Service] | tuple[Service, ...], key: Callable[[Service], str]) -> Group:
    groups: dict[str, list[Service]] = defaultdict(list)
    for service in found:
        groups[key(service)].append(service)
    return {name: tuple(group) for name, group in groups.items()}
