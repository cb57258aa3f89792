"""`chaos proxy`: an endpoint of the AWS API to point an app at, with faults."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from chaos.cli import token
from chaos.cli.dns import seconds_of

# Not 4566, where LocalStack itself answers, nor its ports for services, from 4510 to 4559.
PORT = 4580


@click.command("proxy")
@click.option(
    "--upstream",
    metavar="URL",
    help="The emulator behind it, such as http://127.0.0.1:4566; never AWS itself.",
)
@click.option(
    "--environment",
    type=click.Choice(["localstack"]),
    help="Find the LocalStack of this machine; this is what it does without --upstream too.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="Where to listen; 0 is any free port.",
)
@click.option(
    "--listen",
    metavar="ADDRESS",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen at. Where others can reach it, to set faults takes a token; calls"
    " of the AWS API cannot carry one, so those it answers to anybody.",
)
@token.option
@click.option(
    "--rule",
    "texts",
    metavar="RULE",
    multiple=True,
    help="A fault, such as 's3: delay 2s', or as JSON; of several the first that fits counts.",
)
@click.option(
    "--rules",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A YAML or JSON file with a list of rules, behind those of --rule.",
)
@click.option("--for", "lasts", metavar="DURATION", help="End after that time, such as 10m.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print a line of JSON at the start and one at the end."
)
def command(
    upstream: str | None,
    environment: str | None,
    port: int,
    listen: str,
    token_file: Path | None,
    texts: tuple[str, ...],
    file: Path | None,
    lasts: str | None,
    as_json: bool,
) -> None:
    """Answer calls of the AWS API as an emulator does, only slower, wrong, or not at all.

    Point an app at it with AWS_ENDPOINT_URL, and see what the app does when AWS fails. It goes on
    until Ctrl-C or SIGTERM, and then tells how many calls met each rule. What no rule means is
    passed on unchanged. When there were rules, but never a call, it ends with 3: nothing is proven.

    \b
    A rule is [SERVICE[.OPERATION][,…]] [in REGION,…]: ACTION [KEY=VALUE…].
      error 500 SomeCode        answered as the service itself would; message='…'
      delay 2s jitter=500ms     passed on 2 s later, give or take 500 ms
      hang                      never answered
      refuse                    the connection is reset at once
      reset 1KB                 the connection is reset, after 1 KB of the answer's body
      truncate 1KB              the answer's body ends after 1 KB
      bandwidth 100KB/s         the answer's body comes at that rate
      throttle 5/s burst=10     more calls than that get the service's own throttling error
    \b
    With any of them:
      p=0.3 seed=7              that share of the calls, the same ones in every run
      first=10                  the first 10 calls only
      during=10s-40s,60s-       on, off, on …, counted from the start
      callers=KEY,…             calls signed with these access key ids
      forward                   the call takes effect, and its answer is lost (error, hang, reset)

    It speaks LocalStack's chaos API at /_localstack/chaos/faults and …/effects, takes rules as JSON
    at /_chaos/rules, and has metrics for Prometheus at /_chaos/metrics. Rules that are put with
    /_chaos/rules?lease=30s are lifted unless POST /_chaos/lease renews them in time: so nothing
    stays broken when whoever has put them dies.

    \b
    Example:
      chaos proxy --rule 'dynamodb.PutItem in us-east-1: error 500 InternalServerError p=0.3'
      chaos proxy --upstream http://127.0.0.1:5000 --rule 's3,sqs: delay 2s' --for 10m
    """
    from chaos.cli.proxy_places import refuse_circle, upstream_of
    from chaos.cli.proxy_session import Session
    from chaos.cli.rule_file import read_rules
    from chaos.loops import run_fast

    if upstream and environment:
        raise click.UsageError("--upstream and --environment name two emulators; leave out one")
    rules = read_rules(texts, file)
    seconds = seconds_of(lasts)
    behind = upstream_of(upstream)
    refuse_circle((listen, port), behind)
    shown, is_new = token.token_of(token_file, listen)
    session = Session(behind, rules, as_json=as_json, token=shown, tell_token=is_new)
    sys.exit(run_fast(session.serve((listen, port), seconds)))
