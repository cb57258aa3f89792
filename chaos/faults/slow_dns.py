"""DNS answers, but late."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from chaos.faults.dns_fault import DnsFault
from probes.durations import Duration


class SlowDns(DnsFault):
    """Every DNS answer for the names comes late, by `delay`, give or take up to `jitter`.

    The answer itself is right: it is the one that holds when it is sent. UDP and TCP are slow,
    other names are not, and a question that is repeated is late once more. Each delay is drawn
    anew and evenly between `delay` − `jitter` and `delay` + `jitter`, so answers may overtake
    each other.

    Resolvers give up sooner than people think: glibc asks again after 5 s and fails after 10 s, a
    client with one timeout for everything spends it before it has an address. What has the
    answer in a cache notices nothing until the TTL is over: let the fault last longer than that.

    Lifting it makes the next question fast; answers that were held back already still come late.
    A fault that no question meets makes the verdict `unknown`, and a pattern that means no name of
    the lab is refused before anything is touched. Of several faults of DNS that mean a question,
    the one that was injected first decides.

    In a real account it is `via: instances`: on Linux instances that SSM reaches, chosen by
    `instances` and `zone`, queries leave late (tc with prio and netem, on the device of the default
    route). Packets are not told apart by names, so all names are slow: `names` must be `["*"]`. By
    TCP each packet of a question is late, so a question is late several times over. A timer on each
    instance ends it a minute after `lasts`, whatever becomes of the run. An instance whose queueing
    is customised is refused, and so is one without tc or netem (`iproute-tc`, and on Amazon Linux
    2023 and the like `kernel-modules-extra`). DNS Firewall cannot be slow, so there is no `via:
    vpc`.
    """

    account_levers: ClassVar[tuple[str, ...]] = ("instance_dns",)
    summary: ClassVar[str] = "DNS answers late, with jitter, for names by pattern"
    example: ClassVar[str] = """\
- kind: slow_dns
  names: ["*.stream.example"]
  delay: 2s
  jitter: 500ms
  lasts: 60s
"""
    called: ClassVar[dict[str, str]] = {"seconds": "delay"}

    kind: Literal["slow_dns"]
    delay: Duration = Field(gt=0, description="how much later each answer comes")
    jitter: Duration = Field(
        default=0.0, ge=0, description="how much more or less than that, at most the delay"
    )

    def rule(self) -> dict[str, Any]:
        return {"action": "delay", "seconds": self.delay, "jitter": self.jitter}
