"""DNS does not answer, or says what is not so."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from chaos.faults.dns_fault import DnsFault
from probes.durations import Duration


class DnsFailure(DnsFault):
    """The DNS server fails for the names, in one of the ways in which real ones do.

    - `servfail`: the server has failed. Most clients ask their next server, and fail without one.
    - `refused`: the server does not serve this name or client, as after a lame delegation.
    - `nxdomain`: there is no such name, as when a record or a whole domain is lost. The answer
      carries an SOA, so caches believe it for `ttl`, also after the fault was lifted.
    - `silence`: no answer. Clients wait: glibc for 5 s, then once more, then they fail.
    - `truncated`: an answer by UDP is empty and says "ask again by TCP"; by TCP all is well.
      Clients that cannot do TCP, and firewalls that let only UDP through, show here. Nothing
      happens to questions asked by TCP, and they count as no hit.
    - `wrong`: `answers` instead of the true ones, believed for `ttl`. Addresses answer the types A
      and AAAA (a type without one has an empty answer), and others are answered as ever; to falsify
      another type, name it alone in `types` and give its records as a zone file has them.

    With `wrong`, clients and probes go to the address given, in the real network when it is not one
    of the lab's: take one of the lab's, or one of 192.0.2.0/24, where nobody lives.

    With `silence` and `servfail` a client's cache may go on serving; with `nxdomain` and `wrong`
    caches take the lie over, as they would in earnest. A client that validates DNSSEC refuses both.

    Lifting it makes the next question right again. What clients have believed they keep for `ttl`:
    with a short one the recovery shows their behaviour, with a long one that of their caches. A
    fault that no question meets makes the verdict `unknown`, and a pattern that means no name of
    the lab is refused before anything is touched. Of several faults of DNS that mean a question,
    the one that was injected first decides.

    In a real account, `via: vpc` has Route 53 Resolver DNS Firewall answer for the VPCs chosen by
    `vpcs`: `nxdomain`, `nodata` (the name is there, and no such record), or `wrong` with one other
    name that it leads to, a CNAME. A list, a rule group and its association are created for the
    run, looked at before all others, and deleted after it; AWS does not end them by itself. A VPC
    may have five groups, so one with five is refused. `via: instances` knows `silence` alone, for
    all names: answers do not arrive at the instances chosen by `instances` and `zone` (nftables,
    through SSM), and a timer on each ends it a minute after `lasts`, whatever becomes of the run.
    Neither can do `servfail`, `refused` or `truncated`.
    """

    summary: ClassVar[str] = "DNS fails: SERVFAIL, REFUSED, NXDOMAIN, silence, truncated, wrong"
    example: ClassVar[str] = """\
- kind: dns_failure
  names: [api.stream.example]
  how: servfail
  lasts: 60s
"""
    called: ClassVar[dict[str, str]] = {"action": "how"}

    kind: Literal["dns_failure"]
    how: Literal["servfail", "refused", "nxdomain", "nodata", "silence", "truncated", "wrong"] = (
        Field(description="what the server does; nodata (no such record) only on aws, via vpc")
    )
    answers: tuple[str, ...] = Field(
        default=(),
        description="what `wrong` says, such as 192.0.2.1; for no other `how`; via vpc one other"
        " name, such as sorry.example.com",
    )
    ttl: Duration | None = Field(
        default=None,
        description="how long `wrong` and `nxdomain` may be believed, in whole seconds; without"
        " it 30s",
    )

    def rule(self) -> dict[str, Any]:
        answers = {"answers": [*self.answers]} if self.answers else {}
        return {"action": self.how, **answers, **self._ttl()}

    def _ttl(self) -> dict[str, Any]:
        if self.ttl is None:
            return {}
        return {"ttl": int(self.ttl) if self.ttl.is_integer() else self.ttl}
