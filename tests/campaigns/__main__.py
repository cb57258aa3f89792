"""`python -m campaigns NAME`: the same thing many times over, by chance, and what came of it."""

from __future__ import annotations

import importlib
import inspect
import random
import sys

import click
from campaigns.reliability_page import page_of, put

# What goes on in each is told by its module.
CAMPAIGNS = {
    "failing": "campaigns.failing",
    "fuzz": "campaigns.fuzz",
    "ground_truth": "campaigns.ground_truth",
    "kill": "campaigns.kill",
    "planted": "campaigns.planted",
    "peers": "campaigns.peers",
    "long": "campaigns.long",
    "soak": "campaigns.soak",
}


@click.command()
@click.argument("name", type=click.Choice(list(CAMPAIGNS)))
@click.option("--count", type=click.IntRange(1), required=True, help="How many times.")
@click.option("--seed", type=int, help="What chance begins with; another one each time without it.")
@click.option("--jobs", type=click.IntRange(1), default=1, help="Processes side by side.")
@click.option("--write", is_flag=True, help="Put the figures into the docs as well.")
def command(name: str, count: int, seed: int | None, jobs: int, write: bool) -> None:
    """Carry the campaign NAME out; ends with 1 when anything went wrong in it."""
    seed = random.randrange(2**32) if seed is None else seed
    campaign = importlib.import_module(CAMPAIGNS[name]).campaign
    parallel = {"jobs": jobs} if "jobs" in inspect.signature(campaign).parameters else {}
    tally = campaign(count, seed, **parallel)
    for row, *values in tally.shown():
        click.echo(f"{row:<32} {'  '.join(values)}")
    for wrong in tally.wrong:
        click.echo(f"wrong: {wrong}", err=True)
    if write:
        arguments = f"{name} --count {count} --seed {seed}"
        arguments += f" --jobs {jobs}" if parallel else ""
        page = page_of(name)
        page.write_text(put(page.read_text(), name, arguments, tally.shown()))
    sys.exit(1 if tally.wrong else 0)


if __name__ == "__main__":
    command(prog_name="campaigns")
