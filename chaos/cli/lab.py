"""`chaos lab`: a lab that stays, to play with."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import click

from chaos.cli import options
from chaos.cli.layout import WholeSentences
from chaos.cli.say import say, say_json
from probes import durations

if TYPE_CHECKING:
    from chaos.environments.standing import Standing
    from chaos.lab.declaration import Lab

NAME = r"[a-z][a-z0-9-]{0,40}"  # a file is called by it


def _ttl(_ctx: click.Context, _param: click.Parameter, text: str) -> float:
    try:
        seconds = durations.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    if not seconds:
        raise click.BadParameter("a lab that ends at once is of no use; write 8h")
    return seconds


def _name(_ctx: click.Context, _param: click.Parameter, name: str | None) -> str | None:
    if name is not None and not re.fullmatch(NAME, name):
        raise click.BadParameter(f"{name!r} is no name; write small letters, digits and -")
    return name


@click.group("lab", cls=WholeSentences)
def command() -> None:
    """Keep a lab to play with: real addresses, a DNS server, an AWS endpoint.

    It stays when the command returns, until `chaos lab down`, or until its time is over. It is
    the same as the lab of a run, but no run uses it, so nothing breaks in it but what you break.

    \b
    Example:
      chaos lab up --speed 5
      chaos lab status
      chaos lab down
    """


@command.command("up")
@click.option(
    "--lab",
    "declared",
    default="streaming",
    show_default=True,
    metavar="NAME|FILE.yaml",
    help="A shipped lab, or a file that declares one.",
)
@click.option(
    "--name", callback=_name, help="What it is called here; the lab's own name by default."
)
@options.of_lab
@options.endpoint
@options.speed
@click.option(
    "--ttl",
    callback=_ttl,
    default="8h",
    show_default=True,
    metavar="DURATION",
    help="It ends by itself after this time of the wall, so that none is forgotten.",
)
@options.as_json
def up(
    declared: str,
    name: str | None,
    environment: str,
    endpoint: str | None,
    speed: float,
    ttl: float,
    as_json: bool,
) -> None:
    """Stand a lab up that stays, and tell where everything in it is.

    Several may stand at once, under different names. Ctrl-C while it starts leaves nothing. In a
    LocalStack that is there, what the lab has made is removed when it ends.

    \b
    Example:
      chaos lab up --lab homepage --speed 5 --ttl 2h
      chaos lab up --lab homepage --environment localstack
    """
    from chaos.cli import lab_sheet
    from chaos.environments.keeping import stand_up
    from chaos.environments.standing import StandingLabs

    lab = _declaration(declared)
    where = _control_plane(environment, endpoint, lab)
    say(f"starting the lab {lab.name} …", to_stderr=True)
    standing = stand_up(
        {
            "directory": str(StandingLabs.of_user().directory),
            "name": name or lab.name,
            "about": lab_sheet.about(lab, where),
            "lab": lab.model_dump(mode="json"),
            "speed": speed,
            "ttl": ttl,
            **({"control_plane": where} if where else {}),
        }
    )
    if as_json:
        say_json(lab_sheet.document(standing, standing.described))
    else:
        say("\n".join(lab_sheet.sheet(standing, standing.described)))


@command.command("status")
@options.as_json
def status(as_json: bool) -> None:
    """Tell which labs are up, how the parts of each are, and where everything is.

    One that has ended by itself, or whose keeper was killed, is told of once and cleared away.

    \b
    Example:
      chaos lab status
    """
    from chaos.cli import lab_sheet
    from chaos.environments.keeping import end, look
    from chaos.environments.standing import StandingLabs

    labs = StandingLabs.of_user()
    entries = labs.all()
    told = list(zip(entries, look(entries), strict=True))
    if as_json:
        say_json({"labs": [lab_sheet.document(standing, now) for standing, now in told]})
    else:
        sheets = ["\n".join(lab_sheet.sheet(standing, now)) for standing, now in told]
        say("\n\n".join(sheets) or "no lab is up; to have one: chaos lab up")
    for standing in entries:
        if not standing.alive:
            end(standing, labs)


@command.command("down")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="All labs that are up.")
@options.as_json
def down(names: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """End labs, and see to it that nothing is left: no process, no socket, no file.

    A NAME is not needed while one lab is up. Where something is left, it is told, with exit code 2.

    \b
    Example:
      chaos lab down --all
    """
    from chaos.environments.keeping import end
    from chaos.environments.standing import StandingLabs
    from chaos.errors import EnvironmentFailed

    labs = StandingLabs.of_user()
    chosen = _chosen(names, everything, labs.all())
    problems: list[str] = []
    for standing in chosen:
        try:
            end(standing, labs)
            _refuse_left(standing)
        except EnvironmentFailed as error:
            problems.append(str(error))
        else:
            say(f"the lab {standing.name} is down; nothing is left of it", to_stderr=as_json)
    if as_json:
        say_json({"ended": [standing.name for standing in chosen], "problems": problems})
    elif not chosen:
        say("no lab is up")
    for problem in problems:
        say(problem, to_stderr=True)
    sys.exit(2 if problems else 0)


def _refuse_left(standing: Standing) -> None:
    """Raises EnvironmentFailed when the emulator has kept what the lab made, as one that hangs."""
    import asyncio

    from chaos.errors import EnvironmentFailed
    from chaos.lab import last_light

    made_in = standing.about.get("made_in")
    if made_in and (count := asyncio.run(last_light.clear(made_in["lab"], made_in["told"]))):
        raise EnvironmentFailed(
            f"the lab {standing.name} is down, but {made_in['told']['name']} does not answer:"
            f" what the lab made ({count}) is still in it, and the next lab of that name removes it"
        )


def _declaration(declared: str) -> Lab:
    from pathlib import Path

    from chaos import schema
    from chaos.errors import InvalidInput
    from chaos.experiment import lab_file
    from chaos.lab.declaration import Lab

    if declared.endswith(".yaml"):
        return schema.load(Path(declared), Lab)
    try:
        return schema.load(lab_file(declared, Path()), Lab)
    except ValueError as error:
        raise InvalidInput(f"--lab: {error}") from error


def _control_plane(environment: str, endpoint: str | None, lab: Lab) -> dict[str, Any] | None:
    """What the lab has to know of an emulator that is there; None when it brings its own."""
    import asyncio

    from chaos.environments import on_localstack
    from chaos.environments.opening import Place

    Place(kind=environment, endpoint=endpoint)  # refuses what does not go together
    if environment == "embedded":
        return None
    return asyncio.run(on_localstack.for_lab(endpoint, lab.aws_services()))


def _chosen(names: tuple[str, ...], everything: bool, labs: list[Standing]) -> list[Standing]:
    """Those to end; raises InvalidInput for a name that there is not, or when it is not clear."""
    from chaos.errors import InvalidInput

    known = {standing.name: standing for standing in labs}
    if unknown := [name for name in names if name not in known]:
        there = f"; there is {', '.join(known)}" if known else "; none is"
        raise InvalidInput(f"no lab {', '.join(map(repr, unknown))} is up{there}")
    if not names and not everything and len(labs) > 1:
        raise InvalidInput(f"{len(labs)} labs are up: name one ({', '.join(known)}), or --all")
    return [known[name] for name in dict.fromkeys(names)] or labs
