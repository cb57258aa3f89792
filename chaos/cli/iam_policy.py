"""`chaos iam-policy`: what an experiment may do in an account, and no more. Nobody is asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from chaos.cli import options
from chaos.cli.say import say, say_json

if TYPE_CHECKING:
    from chaos.experiment import Experiment
    from chaos.permissions.policy import Statement

PARTS = ("look", "inject", "rollback", "probe", "base")


@click.command("iam-policy")
@options.experiment
@options.variables
@click.option(
    "--account",
    metavar="NAME",
    help="Which of the experiment's accounts; needed when it has several.",
)
@click.option(
    "--only",
    "parts",
    type=click.Choice(PARTS),
    multiple=True,
    help="Only what is needed to look, to inject, to put back, for the probes, or by the"
    " credentials that the tool starts with (base); may be given several times.",
)
@click.option(
    "--undo-log",
    metavar="URL",
    help="Where the undo log is to be, as for a run: the policy lets it be written and read.",
)
@click.option("--terraform", is_flag=True, help="As HCL: documents and managed policies.")
@click.option("--cloudformation", is_flag=True, help="As a template in YAML: managed policies.")
def command(
    experiment: str,
    variables: dict[str, str],
    account: str | None,
    parts: tuple[str, ...],
    undo_log: str | None,
    terraform: bool,
    cloudformation: bool,
) -> None:
    """Print the least that EXPERIMENT must be allowed in an account, as a policy for IAM.

    It is worked out from the file alone: no account is asked, and no credentials are needed. Each
    part has statements of its own: ChaosLook, ChaosInject, ChaosRollback and ChaosProbe, and
    ChaosBase for what the credentials need that the tool starts with: the undo log, and the role
    to assume. Where that role is another's, ChaosBase is no part of its policy; print it by
    --only base.

    \b
    Example:
      chaos iam-policy region-outage.yaml > policy.json
      chaos iam-policy region-outage.yaml --only look --only rollback --terraform
    """
    from chaos import experiment as experiments
    from chaos import library
    from chaos.permissions.policy import document, documents
    from chaos.permissions.written import cloudformation as as_template
    from chaos.permissions.written import terraform as as_hcl

    if terraform and cloudformation:
        raise click.UsageError("give either --terraform or --cloudformation")
    loaded = experiments.load(library.find(experiment), variables).on("aws")
    statements = _statements(loaded, account, parts, undo_log)
    if terraform or cloudformation:
        name = "-".join([loaded.name, *([account] if account else []), *parts])
        form = as_hcl if terraform else as_template
        say(form(re.sub(r"[^a-z0-9]+", "-", name), documents(statements)))
    else:
        say_json(document(statements))
        _too_long(statements)


def _statements(
    experiment: Experiment, named: str | None, parts: tuple[str, ...], undo_log: str | None
) -> list[Statement]:
    from chaos import safety
    from chaos.environments.regions import partition
    from chaos.errors import InvalidInput
    from chaos.permissions.needs import account_of, needs
    from chaos.permissions.policy import statements

    safety.fidelities(experiment, "aws")
    if named is None and len(experiment.accounts) > 1:
        raise InvalidInput(f"say which, with --account: {' or '.join(experiment.accounts)}")
    name, account = account_of(experiment, named)
    needed = needs(experiment, name, undo_log=undo_log)
    whole = [part for part in PARTS if part != "base" or not (account and account.role)]
    found = statements(
        needed,
        parts or whole,
        partition=partition(account.regions[0]) if account else "aws",
        account=account.id if account else None,
    )
    if not found:
        raise InvalidInput(f"nothing needs to be allowed for {' and '.join(parts)}")
    return found


def _too_long(statements: list[Statement]) -> None:
    from chaos.permissions.policy import LIMIT, document, documents, size

    if (length := size(document(statements))) > LIMIT:
        many = len(documents(statements))
        say(
            f"this policy has {length:,} characters, and a managed policy holds {LIMIT:,}:"
            f" --terraform and --cloudformation make {many} of it; or print its parts with --only",
            to_stderr=True,
        )
