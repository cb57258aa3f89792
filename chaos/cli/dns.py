"""`chaos dns`: a resolver to point an app at, with faults."""

from __future__ import annotations

import asyncio

import click

from chaos.errors import InvalidInput
from probes.durations import parse

# Not 5353: that is multicast DNS, and taken on most desktops.
LISTEN = "127.0.0.1:5300"


@click.command("dns")
@click.option(
    "--upstream",
    "upstreams",
    metavar="ADDRESS[:PORT]",
    multiple=True,
    help="The resolver that is asked; several are tried in turn. Default: those of this machine.",
)
@click.option(
    "--listen",
    metavar="ADDRESS:PORT",
    default=LISTEN,
    show_default=True,
    help="Where to answer, by UDP and TCP; port 0 is any free one.",
)
@click.option("--expose", is_flag=True, help="Allow --listen to name an address of the network.")
@click.option(
    "--allow",
    "networks",
    metavar="CIDR",
    multiple=True,
    help="Answer these networks only, such as 172.17.0.0/16; several may be given. DNS can carry no"
    " token. Default with --expose: private addresses (RFC 1918, RFC 4193, link-local).",
)
@click.option(
    "--rule",
    "rules",
    metavar="RULE",
    multiple=True,
    help="A fault, such as 'delay *.example.com by=2s'; of several the first that fits counts.",
)
@click.option("--for", "lasts", metavar="DURATION", help="End after that time, such as 10m.")
@click.option(
    "--lifeline",
    is_flag=True,
    help="Lift all rules when standard input closes, as it does when whoever holds it dies.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print a line of JSON at the start and one at the end."
)
def command(
    upstreams: tuple[str, ...],
    listen: str,
    expose: bool,
    networks: tuple[str, ...],
    rules: tuple[str, ...],
    lasts: str | None,
    lifeline: bool,
    as_json: bool,
) -> None:
    """Answer DNS questions as another resolver does, only slower, wrong, or not at all.

    Point an app at it, and see what the app does when DNS fails. It goes on until Ctrl-C or
    SIGTERM, and then tells how many questions met each rule. Nothing is cached. What no rule means
    is passed on and comes back unchanged.

    \b
    A rule is ACTION [NAME…] [KEY=VALUE…]. Without a NAME it means all names; api.example.com is
    that name alone, *.example.com any below it. types=A,AAAA limits it to these questions.
      delay NAME by=2s jitter=500ms   answer 2 s later, give or take 500 ms
      servfail NAME                   the server has failed
      refused NAME                    the server does not serve this client
      nxdomain NAME ttl=30s           there is no such name; may be believed for 30 s
      silence NAME                    no answer
      truncated NAME                  by UDP: ask again by TCP, which then answers
      wrong NAME answers=192.0.2.1,2001:db8::1 ttl=30s
                                      other addresses than the true ones

    \b
    Example:
      chaos dns --rule 'delay *.example.com by=2s jitter=500ms' --rule 'servfail types=AAAA'
      chaos dns --upstream 1.1.1.1 --rule 'nxdomain api.example.com' --for 10m
    """
    from chaos.cli.dns_places import allowed_of, listening, upstreams_of
    from chaos.cli.dns_rule_text import read_rule
    from chaos.cli.dns_session import Session

    at = listening(listen, expose=expose)
    asked = upstreams_of(upstreams, at)
    seconds = seconds_of(lasts)
    put = [(text, read_rule(text)) for text in rules]
    allowed = allowed_of(networks, at)
    session = Session(asked, put, as_json=as_json, allowed=allowed, lifeline=lifeline)
    asyncio.run(session.serve(at, seconds))


def seconds_of(lasts: str | None) -> float | None:
    """How long `--for` says; raises InvalidInput."""
    try:
        return None if lasts is None else parse(lasts)
    except ValueError as error:
        raise InvalidInput(f"--for: {error}") from error
