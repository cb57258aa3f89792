"""What the faults of DNS have in common: which questions they mean, and the rule they put."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from chaos.errors import InvalidInput
from chaos.faults import dns_on_aws
from chaos.faults.chosen import Chosen
from chaos.faults.fault import Coverage, Fault, Fidelity, Look, Pull
from chaos.levers.lab import DnsRule
from chaos.levers.powers import Grants
from chaos.proxies import dns_names, dns_rules
from chaos.schema import problem, problems

MOST_TOLD = 8

Pattern = Annotated[str, AfterValidator(dns_rules.known_pattern)]
RecordType = Annotated[str, AfterValidator(dns_rules.known_type)]


class DnsFault(Fault):
    """A fault of DNS for names and types; a kind adds what is wrong with the answers."""

    account_levers: ClassVar[tuple[str, ...]] = ("dns_firewall", "instance_dns")
    fidelity: ClassVar[dict[str, Fidelity]] = {
        "embedded": "lab",
        "localstack": "lab",
        "aws": "real",
    }
    # A rule's keys by the parameters that they come from, where they are named otherwise.
    called: ClassVar[dict[str, str]] = {}

    names: tuple[Pattern, ...] = Field(
        default=("*",),
        description="api.example.com is that name, *.example.com any name below it, * all names",
    )
    types: tuple[RecordType, ...] = Field(
        default=(), description="only questions for records of these types, such as A; none: all"
    )

    via: dns_on_aws.Via | None = Field(
        default=None,
        description="on aws, where it must be given: vpc (DNS Firewall) or instances (through SSM)",
    )
    region: str | None = Field(default=None, description="on aws: where they are")
    vpcs: Chosen | None = Field(default=None, description="on aws, via vpc: which")
    instances: Chosen | None = Field(default=None, description="on aws, via instances: which")
    zone: str | None = Field(
        default=None, description="on aws, via instances: only those of this availability zone"
    )

    def rule(self) -> dict[str, Any]:
        """The rule of the DNS server, without its names and types."""
        raise NotImplementedError

    def grants(self) -> Grants:
        return dns_on_aws.grants(self)

    def coverage(self) -> Coverage | None:
        return dns_on_aws.coverage(self)

    async def inject(self, look: Look, pull: Pull) -> None:
        if look.kind == "aws":
            await dns_on_aws.inject(self, look, pull)
        else:
            await self._in_a_lab(look, pull)

    async def _in_a_lab(self, look: Look, pull: Pull) -> None:
        self._lab_rule()
        known = (await look("lab", "", "describe_lab"))["names"]
        if wrong := [self._unknown(name, known) for name in self.names if not meets(name, known)]:
            raise InvalidInput(*wrong)
        about = "+".join(self.names)
        kinds = f"-{'+'.join(self.types)}" if self.types else ""
        await pull(DnsRule(id=f"{self.kind}-{about}{kinds}"), self._whole_rule())

    def _whole_rule(self) -> dict[str, Any]:
        types = {"types": [*self.types]} if self.types else {}
        return {**self.rule(), "names": [*self.names], **types}

    def _unknown(self, name: str, known: Collection[str]) -> str:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there is {_listed(known)}"
        return f"{self.kind}: {name!r} is no name of this lab{hint}"

    def _lab_rule(self) -> None:
        """Raises InvalidInput for what only AWS can do."""
        try:
            dns_rules.DnsRule.from_json(self._whole_rule())
        except ValueError as error:
            raise InvalidInput(f"{self.kind}: not in a lab: {error}") from error

    @model_validator(mode="after")
    def _makes_a_rule(self) -> Self:
        rule = self._whole_rule()
        if wrong := list(dns_on_aws.problems(self, rule["action"])):
            raise problems(self.kind, [problem(name, what=what) for name, what in wrong])
        if self.via == "vpc":
            return self
        try:
            dns_rules.DnsRule.from_json(rule)
        except ValueError as error:
            key, _, what = str(error).partition(": ")
            where = self.called.get(key, key)
            raise problems(self.kind, [problem(where, what=what)]) from error
        return self


def meets(pattern: str, known: Collection[str]) -> bool:
    """Whether the pattern means a name that is known, or one that a wildcard record stands for."""
    return any(
        dns_names.means(pattern, dns_names.labels_of(name))
        or (name.startswith("*.") and _overlap(pattern, name))
        for name in known
    )


def _overlap(pattern: str, wildcard: str) -> bool:
    """Whether some name is meant by both."""
    (below, labels), (_, suffix) = dns_names.parsed(pattern), dns_names.parsed(wildcard)
    under = labels[-len(suffix) :] == suffix and len(labels) > len(suffix)
    return under or (below and suffix[len(suffix) - len(labels) :] == labels)


def _listed(names: Collection[str]) -> str:
    more = f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else ""
    return ", ".join(sorted(names)[:MOST_TOLD]) + more
