"""Where the answers came from: elsewhere under a fault, and home again. Pure arithmetic.

Only an answer that names its region says where it came from. A bad attempt came from nowhere: at
some instant between its start and its end nobody was served.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from probes.detection import Detection, first_seen
from probes.outages import Interval, heals
from probes.probe import Sample

_UNTOLD = Detection(kind="no_data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failover:
    """Which region answered before the injection, which one after it, and from when to when.

    home  the regions that answered before; where it is more than one, nothing tells a failover
    to    the other region that was the first to give a good answer; None: no other one has
    away  when it did: counted from the injection, as a detection is
    back  how long after the lifting home alone answered; as `probes.outages.heals` has it
    """

    home: tuple[str, ...]
    to: str | None = None
    away: Detection = _UNTOLD
    back: Interval | None = None


def region(sample: Sample) -> str | None:
    """The region that a good answer came from, where it says so."""
    told = sample.detail.get("region")
    return told if sample.ok and isinstance(told, str) else None


def failover(
    samples: Iterable[Sample],
    *,
    injected: float,
    until: float,
    lifted: float | None,
    confirm: int,
) -> Failover | None:
    """The move that answers show of a fault on from `injected` to `until`, gone at `lifted`.

    None when no answer names a region.
    """
    told = [s for s in samples if not s.crashed and (not s.ok or region(s))]
    if not any(map(region, told)):
        return None
    before = {name for s in told if s.end <= injected and (name := region(s))}
    if len(before) != 1:
        return Failover(home=tuple(sorted(before)))
    home = next(iter(before))
    away = [s for s in told if s.end > injected and region(s) not in (None, home)]
    first = min(away, key=lambda s: s.end, default=None)
    # Begun before and answered from elsewhere: it may have waited for what came after.
    sure = [s for s in told if not (s.start < injected < s.end and region(s) not in (None, home))]
    looks = [s.judged(region(s) in (None, home)) for s in sure]
    at_home = [s.judged(region(s) == home) for s in told]
    return Failover(
        home=(home,),
        to=region(first) if first else None,
        away=first_seen(looks, injected=injected, until=until),
        back=None if lifted is None else heals(at_home, lifted=lifted, confirm=confirm),
    )
