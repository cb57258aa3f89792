"""`chaos doctor`: whether everything is there that drills need."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from chaos.cli import options
from chaos.cli.say import say, say_json
from chaos.runs import Runs

MARKS = {
    "ok": ("✓", "green"),
    "absent": ("–", "white"),
    "warning": ("!", "yellow"),
    "missing": ("✗", "red"),
}
MISSING = 2  # the exit code


@click.command("doctor")
@click.option(
    "--environment",
    type=click.Choice(["embedded", "aws"]),
    default="embedded",
    show_default=True,
    help="What it is to be fit for: a lab on this machine, or drills in a real account.",
)
@options.profile
@click.option("--endpoint", metavar="URL", help="Ask this endpoint, as boto3's endpoint_url.")
@click.option("--region", help="The region to ask in; the configured one by default.")
@options.runs
@options.as_json
def command(
    environment: str,
    profile: str | None,
    endpoint: str | None,
    region: str | None,
    runs: Runs,
    as_json: bool,
) -> None:
    """Look whether this machine and the AWS account configured here are fit for drills.

    Each line is one check: ✓ fine, – not there and not needed, ! worth knowing, ✗ needed and
    missing. Nothing is changed, no secret is told, and nobody is contacted but the endpoint and
    the account that are configured, and port 4566 of this machine, where a LocalStack would be.

    \b
    Exit codes: 0 the embedded lab can work (there may be warnings),
                2 it cannot, or what --endpoint or --environment aws names does not work.

    \b
    Example:
      chaos doctor
      chaos doctor --endpoint http://127.0.0.1:4566
      chaos doctor --environment aws --profile drills --region eu-west-1
    """
    from chaos.doctor import Asked, examine

    asked = Asked(
        environment=environment, endpoint=endpoint, profile=profile, region=region, runs=runs
    )
    found = []
    for finding in examine(asked):
        found.append(finding)
        if not as_json:
            mark, colour = MARKS[finding.level]
            do = f"; {finding.do}" if finding.do else ""
            say(f"{click.style(mark, fg=colour)} {finding.check:11}  {finding.says}{do}")
    missing = [finding for finding in found if finding.level == "missing"]
    if as_json:
        say_json({"ok": not missing, "findings": [asdict(finding) for finding in found]})
    sys.exit(MISSING if missing else 0)
