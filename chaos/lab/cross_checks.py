"""Whether the parts of a lab's declaration fit each other: pure, each problem with its place."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from chaos.lab import resource_checks
from chaos.lab.resource_checks import Place, Problem, unknown

if TYPE_CHECKING:
    from chaos.lab.declaration import BalancerOf, Lab, Record
    from chaos.lab.services import Dependency, SecretOf, Service, Wakes

# The apps that answer what clients ask.
HTTP_APPS = ("home", "playback", "recommendations")
# What means something to some apps only, and those of them that need it.
OF_AN_APP: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "table": (("playback",), ()),
    "bucket": (("encoder", "playback"), ("encoder",)),
    "elsewhere": (("playback",), ()),
    "queue": (("encoder", "worker"), ("encoder", "worker")),
    "passes_to": (("worker",), ("worker",)),
    "record": (("playback",), ()),
    "cache": (("playback",), ()),
    "secret": (("playback",), ()),
    "acknowledge": (("playback", "worker"), ()),
    "flush": (("playback",), ()),
    "once": (("worker",), ()),
    "retries": (("worker",), ()),
    "behind": (("worker",), ()),
    "aws_timeout": (("encoder", "playback", "worker"), ()),
    "workers": (HTTP_APPS, ()),
    "takes": (HTTP_APPS, ()),
    "depends_on": (("home",), ("home",)),
}
# What an app calls: what answers its requests must run that app.
CALLS = {"home": "recommendations"}


def problems(lab: Lab) -> Iterator[Problem]:
    """All that contradicts itself or names what is not there."""
    yield from _zones(lab)
    yield from _services(lab)
    yield from resource_checks.problems(lab)
    yield from _dns(lab)
    yield from _failover(lab)


def _zones(lab: Lab) -> Iterator[Problem]:
    for region, zones in lab.regions.items():
        where = ("regions", region)
        if not zones:
            yield where, f"a region needs a zone, such as {region}a"
        if len(set(zones)) < len(zones):
            yield where, "a zone is listed twice"
        for n, zone in enumerate(zones):
            if zone[:-1] != region or not "a" <= zone[-1:] <= "f":
                yield (*where, n), f"a zone of {region} is named like {region}a, not {zone!r}"


def _services(lab: Lab) -> Iterator[Problem]:
    for name, service in lab.services.items():
        where = ("services", name)
        if service.balancer and service.balancer.timeout >= service.balancer.interval:
            yield (*where, "balancer"), "the timeout must be shorter than the interval"
        if "service" in service.tags or any(k.startswith("aws:") for k in service.tags):
            yield (*where, "tags"), "'service' and 'aws:…' are set by the lab"
        yield from _app(where, service)
        yield from _resources(lab, where, service)
        yield from _by_region(lab, where, service)
        for called, dependency in service.depends_on.items():
            yield from _dependency(lab, (*where, "depends_on", called), service, called, dependency)


def _by_region(lab: Lab, where: Place, service: Service) -> Iterator[Problem]:
    for region, own in service.by_region.items():
        here = (*where, "by_region", region)
        if region not in lab.regions:
            yield here, unknown("region", region, lab.regions)
        for n, zone in enumerate(own.zones or ()):
            if zone not in lab.regions.get(region, (zone,)):
                yield (*here, "zones", n), unknown("zone", zone, lab.regions[region])
        if own.wakes is not None:
            yield from _wakes(lab, (*here, "wakes"), service, own.wakes)


def _wakes(lab: Lab, where: Place, service: Service, wakes: Wakes) -> Iterator[Problem]:
    if not service.auto_scaling or not service.balancer:
        yield where, "needs auto_scaling, which launches it, and a balancer, which is looked at"
    if all(service.wakes(region) for region in lab.regions):
        yield where, "leaves no region that is awake, and could fail"
    if wakes.asks is not None and wakes.asks not in lab.regions:
        yield (*where, "asks"), unknown("region", wakes.asks, lab.regions)


def _app(where: Place, service: Service) -> Iterator[Problem]:
    for key, (apps, needed) in OF_AN_APP.items():
        default = type(service).model_fields[key].get_default(call_default_factory=True)
        given = getattr(service, key) != default
        if given and service.app not in apps:
            meant = f"the app {apps[0]}" if len(apps) == 1 else f"the apps {', '.join(apps)}"
            yield (*where, key), f"is for {meant}; {service.app} makes no use of it"
        if service.app in needed and not given:
            yield (*where, key), f"is missing; the app {service.app} needs it"
    if service.app == "playback" and bool(service.table) == bool(service.bucket):
        yield (*where, "table"), "the app playback needs a table or a bucket, one of them"
    if service.elsewhere and not service.bucket:
        yield (*where, "elsewhere"), "is for a bucket, whose replica in another region is read"
    if service.record == "whole" and not service.table:
        yield (*where, "record"), "is for a table; an object in a bucket is always the whole"
    if len(service.depends_on) > 1:
        yield (*where, "depends_on"), f"the app {service.app} calls one service, not several"


def _resources(lab: Lab, where: Place, service: Service) -> Iterator[Problem]:
    for key, known in (("table", lab.tables), ("bucket", lab.buckets)):
        name = getattr(service, key)
        found = known.get(name) if name is not None else None
        if name is not None and found is None:
            yield (*where, key), unknown(key, name, known)
        elif found and (missing := [r for r in lab.regions if r not in found.regions]):
            yield (*where, key), f"{name} has no replica in {', '.join(missing)}"
    for key in ("queue", "passes_to"):
        name = getattr(service, key)
        if name is not None and name not in lab.queues:
            yield (*where, key), unknown("queue", name, lab.queues)
    if service.secret is not None:
        yield from _secret(lab, (*where, "secret"), service.secret)
    if service.queue is not None and service.queue == service.passes_to:
        yield (*where, "passes_to"), "is the queue that the messages come from"


def _secret(lab: Lab, where: Place, needed: SecretOf) -> Iterator[Problem]:
    secret = lab.secrets.get(needed.name)
    if secret is None:
        yield (*where, "name"), unknown("secret", needed.name, lab.secrets)
        return
    asked = lab.regions if needed.region is None else [needed.region]
    if missing := [region for region in asked if region not in secret.regions]:
        yield (*where, "region"), f"{needed.name} has no replica in {', '.join(missing)}"


def _dependency(
    lab: Lab, where: Place, caller: Service, called: str, dependency: Dependency
) -> Iterator[Problem]:
    service, wanted = lab.services.get(called), CALLS.get(caller.app)
    if service is None:
        yield where, unknown("service", called, lab.services)
    elif service.app != wanted:
        yield where, f"{called} runs the app {service.app}; {caller.app} calls {wanted}"
    elif not any(
        record.name == dependency.name and record.balancer and record.balancer.service == called
        for record in lab.dns.records
    ):
        yield (*where, "name"), f"no record {dependency.name} leads to a balancer of {called}"


def _dns(lab: Lab) -> Iterator[Problem]:
    if lab.dns.viewer_region is not None and lab.dns.viewer_region not in lab.regions:
        where = ("dns", "viewer_region")
        yield where, unknown("region", lab.dns.viewer_region, lab.regions)
    for n, record in enumerate(lab.dns.records):
        yield from _record(lab, ("dns", "records", n), record)


def _record(lab: Lab, where: tuple[str | int, ...], record: Record) -> Iterator[Problem]:
    if record.name != lab.dns.zone and not record.name.endswith(f".{lab.dns.zone}"):
        yield (*where, "name"), f"{record.name} is not in the zone {lab.dns.zone}"
    if record.ttl != int(record.ttl):
        yield (*where, "ttl"), "a TTL is a whole number of seconds"
    if bool(record.values) == bool(record.balancer):
        yield where, "give either balancer or values"
    if record.health_check and len(record.values) > 1:
        yield (*where, "health_check"), f"looks at one address, not at {len(record.values)}"
    for value in record.values:
        try:
            ipaddress.IPv4Address(value)
        except ValueError:
            yield (*where, "values"), f"{value!r} is no IPv4 address"
    if record.balancer is not None:
        yield from _balancer(lab, (*where, "balancer"), record.balancer)


def _balancer(lab: Lab, where: tuple[str | int, ...], wanted: BalancerOf) -> Iterator[Problem]:
    if wanted.region not in lab.regions:
        yield (*where, "region"), unknown("region", wanted.region, lab.regions)
    service = lab.services.get(wanted.service)
    if service is None:
        yield (*where, "service"), unknown("service", wanted.service, lab.services)
    elif service.balancer is None:
        yield (*where, "service"), f"the service {wanted.service} has no balancer"


def _failover(lab: Lab) -> Iterator[Problem]:
    roles: defaultdict[str, list[str | None]] = defaultdict(list)
    for record in lab.dns.records:
        roles[record.name].append(record.failover)
    for name, given in roles.items():
        if len(given) > 1 and sorted(map(str, given)) != ["primary", "secondary"]:
            yield ("dns", "records"), f"the {len(given)} records of {name} are no failover pair"
