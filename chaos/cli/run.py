"""`chaos run`: carry an experiment out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chaos.cli import layout, options, token
from chaos.cli import trials as trials_of
from chaos.runs import Runs

if TYPE_CHECKING:
    from chaos.journal import Event


SECTIONS = {
    "Where": ("environment", "endpoint", "profile"),
    "In real accounts": ("undo_log", "policy", "yes", "break_lock"),
    "What is run": ("variables", "speed", "allow_commands"),
    "What is stated": ("who", "why", "authorised_by"),
    "Again and again": trials_of.SECTION,
    "When it ends": ("stop_file", "max_duration"),
    "What is told and kept": (
        "plain",
        "as_json",
        "runs",
        "history",
        "metrics_file",
        "metrics_port",
        "metrics_address",
        "token_file",
        "push_metrics",
        "otlp",
    ),
}


@click.command("run", cls=layout.Sections, sections=SECTIONS)
@options.experiment
@options.environment
@options.endpoint
@options.profile
@options.undo_log
@options.policy
@click.option("--yes", is_flag=True, help="Agree to touch a real account; guards hold anyway.")
@click.option(
    "--break-lock",
    metavar="RUN",
    help="Take an account all the same from the run with that id, which has it to itself.",
)
@options.speed
@options.variables
@options.allow_commands
@trials_of.options
@options.runs
@options.history
@click.option(
    "--stop-file",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Put everything back and end as soon as that file exists.",
)
@click.option(
    "--max-duration",
    callback=options.seconds,
    metavar="DURATION",
    help="Put everything back and end so long after the first injection, such as 30m.",
)
@click.option(
    "--who",
    metavar="NAME",
    help="Who carries it out; else the user and host here, and in accounts whom STS says we are.",
)
@click.option("--why", metavar="TEXT", help="What it is for; else the experiment's about.purpose.")
@click.option(
    "--authorised-by",
    metavar="NAME",
    help="Who allowed it; else the experiment's about.authorised_by. It is recorded, not checked.",
)
@click.option("--plain", is_flag=True, help="Plain lines, on a terminal too.")
@options.as_json
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Serve metrics for Prometheus during the run; 0 is any free port.",
)
@click.option(
    "--metrics-address",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Where to serve them. Where others can reach it, they have to show a token.",
)
@token.option
@options.metrics_file
@options.push_metrics
@options.otlp
def command(
    experiment: str,
    environment: str,
    endpoint: str | None,
    profile: str | None,
    undo_log: str | None,
    policy: Path | None,
    yes: bool,
    break_lock: str | None,
    speed: float,
    variables: dict[str, str],
    allow_commands: bool,
    trials: int | None,
    seed: int | None,
    stop_when_decided: bool,
    runs: Runs,
    history: str | None,
    stop_file: Path | None,
    max_duration: float | None,
    who: str | None,
    why: str | None,
    authorised_by: str | None,
    plain: bool,
    as_json: bool,
    metrics_port: int | None,
    metrics_address: str,
    token_file: Path | None,
    metrics_file: Path | None,
    push_metrics: str | None,
    otlp: str | None,
) -> None:
    """Carry EXPERIMENT out: break, measure, put back, judge.

    EXPERIMENT is a path, a file in ./experiments, or one of those that `chaos list` shows. The
    run is kept with its journal and reports. Ctrl-C and `chaos stop` put everything back and end
    it.

    \b
    Example:
      chaos run region-outage.yaml --speed 8
      chaos run slow-dns.yaml --environment localstack --speed 5
      chaos run slow-dns.yaml --speed 8 --trials 29
      chaos run drill.yaml --environment aws --undo-log s3://my-drills/undo
    """
    from chaos import library
    from chaos.cli.consent import consent
    from chaos.cli.ending import conclude
    from chaos.cli.say import say
    from chaos.cli.sending import Elsewhere
    from chaos.cli.view import follow
    from chaos.drill import Drill
    from chaos.errors import ChaosError
    from chaos.report.words import count as counted
    from chaos.rollback import incomplete
    from chaos.stated import Stated

    tell = partial(say, to_stderr=as_json)
    asked = trials_of.Asked(trials=trials, seed=seed, stop_when_decided=stop_when_decided)
    drill = Drill(
        library.find(experiment),
        environment=environment,
        endpoint=endpoint,
        profile=profile,
        undo_log=undo_log,
        policy=policy,
        agree=asked.agreed(consent(tell, yes=yes), tell),
        break_lock=break_lock,
        speed=speed,
        variables=variables,
        allow_commands=allow_commands,
        stop_file=stop_file,
        max_duration=max_duration,
        stated=Stated(who=who, why=why, authorised_by=authorised_by),
    )
    elsewhere = Elsewhere(push_metrics=push_metrics, otlp=otlp)
    title = drill.experiment.title or drill.experiment.name
    with ExitStack() as views:
        count = views.enter_context(_metrics(metrics_port, metrics_address, token_file, tell))
        tell(f"{title}\nstarting the {environment} environment …")
        if trials:
            keep = history or str(runs.history)
            shown = trials_of.Shown(plain, as_json, metrics_file, keep, elsewhere, count)
            sys.exit(trials_of.carry_out(drill, runs, asked, shown))
        show = views.enter_context(follow(plain=plain, to_stderr=as_json))

        def watch(event: Event) -> None:
            show(event)
            count(event)

        journal, pulls = drill.run(runs, watch)
    code = 3
    try:
        code = conclude(
            journal,
            as_json=as_json,
            metrics_file=metrics_file,
            keep=history or str(runs.history),
            elsewhere=elsewhere,
            shown=show.join,
        )
    except ChaosError as error:
        show.join()
        click.echo(str(error), err=True)
    finally:
        # The journal may have missed something, or be gone; what is known here counts.
        left = incomplete(pulls)
        if left and code != 4:
            tell(f"not back: {counted(len(left), 'lever')}; run: chaos rollback {journal}")
        if left:
            sys.exit(4)
    sys.exit(code)


@contextmanager
def _metrics(
    port: int | None, address: str, token_file: Path | None, tell: Callable[[str], None]
) -> Iterator[Callable[[Event], None]]:
    """While it is entered, metrics of the events that the view takes are served, if wanted."""
    if port is None:
        yield lambda _: None
        return
    from chaos.cli.dns_places import place, shown
    from chaos.cli.view import safely
    from chaos.metrics import Metrics
    from chaos.metrics.serving import served

    at = place(address, port, "--metrics-address")
    wanted, is_new = token.token_of(token_file, at[0])
    metrics = Metrics()
    with served(metrics.registry, port, at[0], wanted) as port:
        tell(f"metrics at http://{shown((at[0], port))}/metrics")
        if wanted and is_new:
            tell(token.told(wanted))
        yield safely(metrics)
