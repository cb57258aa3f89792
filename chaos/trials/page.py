"""report.html of a set: one file without a script, which opens from disk and asks nobody."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterator
from importlib import resources

from chaos.report import words
from chaos.trials import charts, told
from chaos.trials.judging import Judged, SetVerdict
from chaos.trials.promises import TrialResult
from chaos.trials.sets import TrialSet
from probes.durations import show


def render(made: TrialSet, verdict: SetVerdict) -> str:
    """The whole page."""
    style = _file("chaos.report", "theme.css") + _file("chaos.trials", "trials.css")
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{hashed}'"
    title = made.title or made.experiment
    page = "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            f"<title>{_text(f'{told.title(verdict)}: {title}')}</title>",
            f"<style>{style}</style>\n</head>\n<body>\n<header>",
            f'<p class="eyebrow">{_text(_eyebrow(made, verdict))}</p>',
            f"<h1>{_text(title)}</h1>",
            *_verdict(verdict),
            "</header>\n<main>",
            *_statements(verdict),
            *(line for one in told.distributed(verdict) for line in _times(one)),
            *_trials(verdict),
            "</main>\n</body>\n</html>\n",
        ]
    )
    return page.encode("utf-8", "replace").decode()


def _eyebrow(made: TrialSet, verdict: SetVerdict) -> str:
    count = words.count(len(verdict.trials), "trial")
    began = made.wall[:16].replace("T", " ")
    return f"{count} of {made.of} planned · {made.place} · seed {made.seed} · {began} UTC"


def _verdict(verdict: SetVerdict) -> Iterator[str]:
    first, *rest = told.worth_saying(verdict)
    yield f'<div class="verdict {verdict.value}"><strong>{_text(told.title(verdict))}</strong>'
    yield _text(first)
    if rest:
        yield "<ul>" + "".join(f"<li>{_text(reason)}</li>" for reason in rest) + "</ul>"
    yield "</div>"


def _statements(verdict: SetVerdict) -> Iterator[str]:
    yield "<h2>What the trials show</h2>"
    head = ("", "promise", "kept", "broken", "cannot tell", "of all such outages")
    rows = (
        (
            told.SIGNS[one.value],
            told.promise(one.promise),
            str(one.passed),
            str(one.failed),
            str(one.of - one.passed - one.failed),
            told.statement(one),
        )
        for one in verdict.judged
    )
    yield _table(head, (f"<tr>{''.join(f'<td>{_text(c)}</td>' for c in row)}</tr>" for row in rows))
    yield '<p class="soft">Exact, and whatever the times are distributed like; it takes trials that'
    yield "are alike and do not know of each other. A trial that cannot tell, or was planned and"
    yield "not made, counts as neither.</p>"


def _times(one: Judged) -> Iterator[str]:
    yield f"<h2>{_text(told.promise(one.promise))}</h2>"
    yield charts.strips(one)
    yield '<p class="soft">The share of the trials that took no more than that: a band, since each'
    yield "figure is an interval.</p>"
    yield charts.shares(one)
    head = ("percentile", "in these trials", f"of all such, each with {told.share(one.confidence)}")
    rows = ((p.name, words.span(p.seen), told.bounds(p.shown)) for p in one.percentiles)
    yield _table(head, (f"<tr>{''.join(f'<td>{_text(c)}</td>' for c in row)}</tr>" for row in rows))


def _trials(verdict: SetVerdict) -> Iterator[str]:
    yield "<h2>The trials</h2>"
    times = told.distributed(verdict)
    head = ("trial", "", *(told.figure(one.promise) for one in times))
    rows = (_trial(trial, times) for trial in verdict.trials)
    yield _table((*head, "ran", "the decisive reason"), rows)


def _trial(trial: TrialResult, times: list[Judged]) -> str:
    found = [one.told.get(trial.n) for one in times]
    link = f'<a href="../{html.escape(trial.run, quote=True)}/report.html">{trial.n}</a>'
    cells = [f"<td>{words.span(f.measured) if f else '–'}</td>" for f in found]
    mark = f'<td class="{trial.outcome}">{told.MARKS[trial.outcome]} {trial.outcome}</td>'
    why = next((f.reason for f in trial.found.values() if f.outcome == trial.outcome), "")
    why = why or next(iter(trial.verdict.reasons), "")
    ran = f"<td>{show(trial.ended)}</td>"
    return f"<tr><td>{link}</td>{mark}{''.join(cells)}{ran}<td>{_text(why)}</td></tr>"


def _table(head: tuple[str, ...], rows: Iterator[str]) -> str:
    titles = "".join(f"<th>{_text(cell)}</th>" for cell in head)
    return f'<div class="wide"><table><tr>{titles}</tr>{"".join(rows)}</table></div>'


def _text(text: str) -> str:
    return html.escape(words.printable(text))


def _file(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")
