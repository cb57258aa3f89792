"""Options and arguments that several commands share."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from pathlib import Path

import click

from chaos.cli import completions
from chaos.environments import KINDS
from chaos.runs import Runs

experiment = click.argument("experiment", shell_complete=completions.experiments)

environment = click.option(
    "--environment",
    type=click.Choice(KINDS),
    default="embedded",
    show_default=True,
    help="Where it happens: a lab on this machine, with an emulator of AWS that it brings itself,"
    " or with a LocalStack that is there; or, with aws, the accounts that the experiment names.",
)

of_lab = click.option(
    "--environment",
    type=click.Choice([kind for kind in KINDS if kind != "aws"]),
    default="embedded",
    show_default=True,
    help="With an emulator of AWS that it brings itself, or with a LocalStack that is there.",
)

endpoint = click.option(
    "--endpoint",
    metavar="URL",
    help="Where LocalStack is; else LOCALSTACK_ENDPOINT, AWS_ENDPOINT_URL, http://127.0.0.1:4566."
    " With aws: what answers for AWS, instead of AWS itself.",
)

of_account = click.option(
    "--endpoint",
    metavar="URL",
    help="What answers for AWS, instead of AWS itself, such as an emulator.",
)

profile = click.option(
    "--profile",
    metavar="NAME",
    help="The profile of the AWS config to reach accounts with; else as boto3 finds credentials"
    " here.",
)

policy = click.option(
    "--policy",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A policy besides those that are found: chaos.toml and [tool.chaos] in pyproject.toml from"
    " here upwards, /etc/chaos/chaos.toml, and what CHAOS_POLICY names. All of them hold.",
)

undo_log = click.option(
    "--undo-log",
    metavar="URL",
    envvar="CHAOS_UNDO_LOG",
    show_envvar=True,
    help="Where in an account it is kept how to put things back, and who has the account to"
    " themselves: s3://bucket/prefix, ssm:/path?region=REGION or dynamodb:table?region=REGION."
    " Else as the policy says.",
)


def _finite(_ctx: click.Context, _param: click.Parameter, value: float) -> float:
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is no speed; give a number such as 5")
    return value


speed = click.option(
    "--speed",
    type=click.FloatRange(0.1, 100),
    callback=_finite,
    default=1.0,
    show_default=True,
    help="How many times faster than the wall the lab's clock runs.",
)

runs = click.option(
    "--runs",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("chaos-runs"),
    show_default=True,
    envvar="CHAOS_RUNS",
    show_envvar=True,
    help="The directory that keeps the runs.",
    callback=lambda _ctx, _param, value: Runs(value),
)


def _history(_ctx: click.Context, _param: click.Parameter, given: str | None) -> str | None:
    if given is not None:
        from chaos.results import located

        located(given)
    return given


history = click.option(
    "--history",
    metavar="URL",
    callback=_history,
    envvar="CHAOS_HISTORY",
    show_envvar=True,
    help="Where the results of runs are kept: a file of SQLite's, postgresql://USER@HOST/DATABASE,"
    " or none. Else history.sqlite beside the runs.",
)

run = click.argument("run", metavar="RUN", shell_complete=completions.runs)

as_json = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON document on stdout, for scripts, and nothing else there.",
)


def seconds(_ctx: click.Context, _param: click.Parameter, text: str | None) -> float | None:
    """A duration as an option has it, such as `30m`."""
    if text is None:
        return None
    from probes.durations import parse

    try:
        found = parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    if not found:
        raise click.BadParameter("must be more than 0s")
    return found


def _by_name(
    _ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    values: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{text!r} gives no value; write region=eu-west-1")
        if name in values:
            raise click.BadParameter(f"{name!r} is given a second time")
        values[name] = value
    return values


variables = click.option(
    "--var",
    "variables",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_by_name,
    help="A value for a variable of the experiment; may be given several times. For one that is"
    " secret also NAME=@FILE or NAME=env:VARIABLE.",
)


allow_commands = click.option(
    "--allow-commands",
    is_flag=True,
    help="Allow probes that run programs of this machine (kind command).",
)


def _textfile(_ctx: click.Context, _param: click.Parameter, path: Path | None) -> Path | None:
    if path is None:
        return None
    if path.suffix != ".prom":
        raise click.BadParameter(f"{path} must end in .prom, or node_exporter leaves it out")
    if not path.parent.is_dir():
        raise click.BadParameter(f"{path.parent} is no directory; make it first")
    return path


metrics_file = click.option(
    "--metrics-file",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_textfile,
    metavar="FILE.prom",
    help="Write metrics of the finished run, for node_exporter's textfile collector.",
)


def _checked_by(module: str) -> Callable[..., str | None]:
    """What looks at a URL with the `checked` of that module, which is loaded only for one."""

    def check(_ctx: click.Context, _param: click.Parameter, url: str | None) -> str | None:
        return None if url is None else str(importlib.import_module(module).checked(url))

    return check


push_metrics = click.option(
    "--push-metrics",
    metavar="URL",
    callback=_checked_by("chaos.metrics.pushing"),
    help="Push metrics of the finished run to a Pushgateway, such as http://host:9091;"
    " USER:PASSWORD@ goes before the host.",
)


otlp = click.option(
    "--otlp",
    metavar="URL",
    callback=_checked_by("chaos.telemetry"),
    help="Send a trace and metrics of the finished run to a collector of OpenTelemetry by OTLP over"
    " HTTP, such as http://host:4318. Needs chaos-drill[otlp].",
)
