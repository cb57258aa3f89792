"""`chaos exec`: a command of one's own meets the faults of the AWS API proxy."""

from __future__ import annotations

from pathlib import Path

import click

from chaos.errors import InvalidInput


@click.command("exec", context_settings={"ignore_unknown_options": True})
@click.option(
    "--environment",
    type=click.Choice(("embedded", "localstack")),
    default="embedded",
    show_default=True,
    help="What answers as AWS: a moto server of its own, or a LocalStack that runs.",
)
@click.option(
    "--endpoint",
    metavar="URL",
    help="Where LocalStack is. Default: LOCALSTACK_ENDPOINT, AWS_ENDPOINT_URL, or port 4566.",
)
@click.option(
    "--region", help="The command's region. Default: the one it has already, or us-east-1."
)
@click.option(
    "--rule",
    "rules",
    metavar="RULE",
    multiple=True,
    help="A fault, such as 'dynamodb.PutItem: error 500 p=0.3'; see chaos proxy --help.",
)
@click.option(
    "--rules",
    "rules_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A file with rules, as chaos proxy takes it.",
)
@click.option(
    "--allow-unmet", is_flag=True, help="A rule that no request has met does not make it unknown."
)
@click.option(
    "--transparent",
    is_flag=True,
    help="Linux: redirect the command's network instead of setting AWS_ENDPOINT_URL; no root.",
)
@click.option(
    "--keep-credentials",
    is_flag=True,
    help="Leave the command its AWS credentials and profile. Default: it gets the key `test`.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what happened to a file, as JSON.",
)
@click.argument("command_line", metavar="-- COMMAND…", nargs=-1, required=True)
def command(
    environment: str,
    endpoint: str | None,
    region: str | None,
    rules: tuple[str, ...],
    rules_file: Path | None,
    allow_unmet: bool,
    transparent: bool,
    keep_credentials: bool,
    report: Path | None,
    command_line: tuple[str, ...],
) -> None:
    """Run a command whose calls to AWS go through a proxy with faults, to an emulator.

    Any SDK follows AWS_ENDPOINT_URL, which the command is given; with --transparent even those
    that do not. What it prints and reads is its own; what chaos says goes to standard error.
    CHAOS_PROXY_URL tells it where the proxy is, so that a test can set faults by LocalStack's
    chaos API.

    It ends with the command's exit code. Where that is 0, it ends with 3 (unknown) if the proxy
    saw no request, or a rule met none: then nothing is proven.

    \b
    Example:
      chaos exec --rule 's3: delay 2s' -- pytest tests/integration
      chaos exec --environment localstack --rule 'sqs: error 503 p=0.2' -- npm test
      chaos exec --transparent --rule 'dynamodb in us-east-1: refuse' -- ./app
    """
    from chaos.cli.exec_session import Wanted, run
    from chaos.cli.rule_file import read_rules

    if endpoint and environment != "localstack":
        raise InvalidInput(f"--endpoint {endpoint}: this needs --environment localstack")
    wanted = Wanted(
        command=list(command_line),
        environment=environment,
        endpoint=endpoint,
        region=region,
        rules=read_rules(rules, rules_file),
        allow_unmet=allow_unmet,
        transparent=transparent,
        keep_credentials=keep_credentials,
        report=report,
    )
    raise SystemExit(run(wanted))
