"""Charts of a set's times, as SVG: a strip for each trial, and how many were back by when.

Times are intervals. So is the share that was back by a moment: at least those that are known to
have been, at most those that are not known to have been down.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence

from chaos.trials import told
from chaos.trials.judging import Judged
from chaos.trials.promises import Found
from probes.durations import show

WIDTH, LEFT, RIGHT = 900, 60, 45
ROW, TOP, BOTTOM = 16, 22, 26
HEIGHT = 170  # of the shares
STEPS = 5  # about so many from one end of an axis to the other
ROUND_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200)
LEAST = 3  # no strip is narrower, in pixels


def strips(one: Judged) -> str:
    """Each trial on one axis, in the order of the trials."""
    top, trials = told.axis(one), sorted(one.told.items())
    height = TOP + ROW * len(trials) + BOTTOM
    rows = (_row(TOP + ROW * i, n, found, top) for i, (n, found) in enumerate(trials))
    return _svg(height, [*_axis(one, top, height), *rows], f"{told.promise(one.promise)} by trial")


def shares(one: Judged) -> str:
    """The share of these trials that was back by each moment, as a band."""
    top, height = told.axis(one), TOP + HEIGHT + BOTTOM
    known = _steps(sorted(found.time.high for found in one.told.values()), top)
    possible = _steps(sorted(found.time.low for found in one.told.values()), top)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*known, *reversed(possible)])
    labels = [
        f'<text x="{LEFT - 8}" y="{_y(part) + 4:.1f}" text-anchor="end">{part * 100:g} %</text>'
        for part in (0.0, 0.5, 1.0)
    ]
    band = f'<polygon class="band" points="{points}"/>'
    title = f"share of the trials: {told.promise(one.promise)}"
    return _svg(height, [*_axis(one, top, height), *labels, band], title)


def _steps(times: Sequence[float], top: float) -> list[tuple[float, float]]:
    points, n = [(_x(0.0, top), _y(0.0))], len(times)
    for back, time in enumerate(times, start=1):
        if math.isfinite(time):
            points += [(_x(time, top), _y((back - 1) / n)), (_x(time, top), _y(back / n))]
    return [*points, (_x(top, top), points[-1][1])]


def _row(y: int, n: int, found: Found, top: float) -> str:
    low, high = _x(found.time.low, top), _x(min(found.time.high, top), top)
    ends = "" if math.isfinite(found.time.high) else " open"
    bar = f'<rect class="{found.outcome}{ends}" x="{low:.1f}" y="{y + 3}" rx="2" height="{ROW - 6}"'
    title = html.escape(f"trial {n}: {found.reason}")
    label = f'<text x="{LEFT - 8}" y="{y + ROW - 4}" text-anchor="end">{n}</text>'
    return f'{label}{bar} width="{max(LEAST, high - low):.1f}"><title>{title}</title></rect>'


def _axis(one: Judged, top: float, height: int) -> Iterator[str]:
    step = round_step(top)
    for n in range(int(top / step) + 1):
        time = n * step
        x = f"{_x(time, top):.1f}"
        yield f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{height - BOTTOM}"/>'
        yield f'<text x="{x}" y="{height - 8}" text-anchor="middle">{show(time)}</text>'
    limit = f"{_x(float(one.promise.limit), top):.1f}"
    yield f'<line class="limit" x1="{limit}" x2="{limit}" y1="{TOP - 4}" y2="{height - BOTTOM}"/>'
    named = html.escape(told.limit(one.promise))
    yield f'<text class="limit" x="{limit}" y="{TOP - 8}" text-anchor="middle">{named}</text>'


def round_step(top: float) -> float:
    """A round time, several of which make up the axis."""
    least = top / STEPS * 0.8
    if least <= ROUND_S[0]:
        power = 10.0 ** math.floor(math.log10(least))
        return next(power * n for n in (1, 2, 5, 10) if power * n >= least)
    days = math.ceil(least / 86400) * 86400
    return next((round_ for round_ in ROUND_S if round_ >= least), days)


def _svg(height: int, parts: Sequence[str], title: str) -> str:
    name = html.escape(title, quote=True)
    inside = "".join(parts)
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{name}">{inside}</svg>'


def _x(seconds: float, top: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * seconds / top


def _y(part: float) -> float:
    return TOP + HEIGHT * (1 - part)
