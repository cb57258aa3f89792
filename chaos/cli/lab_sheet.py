"""What there is to play with in a lab that stays, for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chaos.environments.offered import LAB_STANDS_IN

if TYPE_CHECKING:
    from chaos.environments.standing import Standing
    from chaos.lab.declaration import Lab

# What is worth asking of each app.
PAGES = {
    "encoder": "/health",
    "home": "/home?profile=kim",
    "playback": "/playback?profile=kim",
    "recommendations": "/recommendations?profile=kim",
    "worker": "/lag",
}

# The first fault to try.
FAULT = '{"service": "dynamodb", "error": {"statusCode": 400, "code": "ThrottlingException"}}'

Described = dict[str, Any]


def about(lab: Lab, control_plane: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the declaration says that the sheet needs, and the lab itself does not tell."""
    pages = {name: PAGES[service.app] for name, service in lab.services.items()}
    named = {r.name: r.balancer.service for r in lab.dns.records if r.balancer is not None}
    behind = control_plane or {"name": "moto", "stand_ins": ()}
    return {
        "title": lab.title,
        "pages": pages,
        "names": named,
        "control_plane": behind["name"],
        "stand_ins": {service: LAB_STANDS_IN[service] for service in behind["stand_ins"]},
        "made_in": control_plane and {"lab": lab.name, "told": control_plane},
    }


def document(standing: Standing, now: Described | None) -> dict[str, Any]:
    """All of a lab as JSON: `state` is that of `state`, `lab` what the lab itself tells."""
    told = {
        "name": standing.name,
        "state": state(standing, now),
        "ended": standing.ended or None,
        "since": standing.since,
        "until": standing.until,
        "keeper": standing.keeper,
        "control_plane": standing.about["control_plane"],
        "stand_ins": standing.about["stand_ins"],
    }
    if now is None:
        return {**told, "lab": None}
    pages = [{**page, "url": url} for page, url in _pages(standing, now)]
    return {**told, "env": environment(now), "pages": pages, "lab": now}


def state(standing: Standing, now: Described | None) -> str:
    """`up`, `starting`, `silent` (it does not answer), or `ended`."""
    if not standing.alive:
        return "ended"
    return "up" if now else "silent" if standing.described else "starting"


def environment(now: Described) -> dict[str, str]:
    """What `aws` and boto3 need; boto3 knows the region by its older name only."""
    region = now["regions"][0]
    return {
        "AWS_ENDPOINT_URL": now["api"],
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }


def sheet(standing: Standing, now: Described | None) -> Iterator[str]:
    """The lines for people."""
    if now is None:
        yield f"lab {standing.name}: {_why_nothing(standing, now)}"
        return
    yield f"lab {standing.name}: {standing.about['title'] or now['lab']}"
    yield f"up until {_clock(standing.until)}, at speed {now['speed']:g}"
    yield from _control_plane(standing, now)
    for region in now["regions"]:
        yield from _region(region, now)
    yield from _health_checks(now)
    yield from _addresses(standing, now)
    yield from _names(standing, now)
    yield from _aws(now)
    yield f"\nto end it: chaos lab down {standing.name}"


def _control_plane(standing: Standing, now: Described) -> Iterator[str]:
    if (name := standing.about["control_plane"]) != "moto":
        slow = ", whose own clock runs at speed 1" if now["speed"] != 1 else ""
        yield f"its AWS API is {name}{slow}"
        for service, what in standing.about["stand_ins"].items():
            yield f"stands in for {service}: {what}"


def _why_nothing(standing: Standing, now: Described | None) -> str:
    return {
        "starting": f"is starting (process {standing.keeper})",
        "silent": f"does not answer; to end it: chaos lab down {standing.name}",
        "ended": f"has ended: {standing.ended or 'its keeper was killed'}; it is cleared away now",
    }[state(standing, now)]


def _region(region: str, now: Described) -> Iterator[str]:
    yield f"\n{region}"
    for balancer in _of(region, now["balancers"]):
        healthy, targets = sum(balancer["targets"].values()), len(balancer["targets"])
        says = f"{healthy} of {targets} targets healthy"
        yield f"  {balancer['address']:12}  balancer of {balancer['service']}: {says}"
    for one in _of(region, now["instances"]):
        yield (
            f"  {one['address'] or '–':12}  {one['id']} of {one['service']}"
            f" in {one['zone']}: {one['state']}"
        )


def _health_checks(now: Described) -> Iterator[str]:
    if now["health_checks"]:
        yield "\nhealth checks of Route 53"
    for check in now["health_checks"]:
        yield f"  {check['name']}: {'healthy' if check['healthy'] else 'UNHEALTHY'}"


def _addresses(standing: Standing, now: Described) -> Iterator[str]:
    yield f"\naddresses (their port 80 is really {now['ports']['80']}, since 80 needs root)"
    for page, url in _pages(standing, now):
        if page["balancer"]:
            yield f"  curl '{url}'  # {page['service']} in {page['region']}"


def _names(standing: Standing, now: Described) -> Iterator[str]:
    names = standing.about["names"]
    if not names:
        return
    server, port = now["dns"]
    http = now["ports"]["80"]
    yield "\nnames, at the lab's DNS server"
    for name in names:
        yield f"  dig @{server} -p {port} {name}"
    name, service = next(iter(names.items()))
    page = standing.about["pages"][service]
    asked = f"$(dig +short @{server} -p {port} {name} | tail -1)"
    yield f"  curl --resolve \"{name}:{http}:{asked}\" 'http://{name}:{http}{page}'"


def _aws(now: Described) -> Iterator[str]:
    exports = " ".join(f"{name}={value}" for name, value in environment(now).items())
    yield f"\nthe AWS API, for `aws` and boto3\n  export {exports}"
    if now["instances"]:
        yield f"  aws ec2 terminate-instances --instance-ids {now['instances'][0]['id']}"
    yield "\nfaults of the AWS API, by LocalStack's chaos API"
    yield f"  curl -X POST {now['api']}/_localstack/chaos/faults -d '[{FAULT}]'"


def _pages(standing: Standing, now: Described) -> Iterator[tuple[dict[str, Any], str]]:
    """Every address that answers, with the URL to ask."""
    for balancer, place in [(True, p) for p in now["balancers"]] + [
        (False, p) for p in now["instances"] if p["address"]
    ]:
        page = standing.about["pages"].get(place["service"])
        if page is not None:
            told = {k: place[k] for k in ("service", "region", "address")} | {"balancer": balancer}
            yield told, f"http://{place['address']}:{now['ports']['80']}{page}"


def _of(region: str, parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [part for part in parts if part["region"] == region]


def _clock(moment: str) -> str:
    """A moment on this machine's clock, and how far off it is."""
    until = datetime.fromisoformat(moment)
    minutes = max(0, round((until - datetime.now(UTC)).total_seconds() / 60))
    ahead = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
    return f"{until.astimezone():%H:%M} ({ahead.removesuffix(' 0 min')} from now)"
