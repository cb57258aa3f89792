"""What is in a bundle: made of the journal's bytes and of what people said of the findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from chaos import __version__, report, schema, versions
from chaos.errors import InvalidInput, JournalFailed
from chaos.evidence import archive, manifest, record
from chaos.evidence.manifest import Manifest
from chaos.evidence.readme import readme
from chaos.history import History, fold
from chaos.journal import parse
from chaos.report import answers, html, markdown
from chaos.report.findings import found
from chaos.verdict import Verdict, judge_safely

JOURNAL, VERDICT, EXPERIMENT = "journal.jsonl", "verdict.json", "experiment.yaml"
LARGEST = archive.LARGEST - 2**20  # bytes of all files together: headers need some room
Sign = Callable[[bytes], bytes]  # a manifest to its signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The files but for manifest and signature, and what they were made of."""

    history: History
    verdict: Verdict
    files: dict[str, bytes]


def contents(journal: bytes, given: bytes | None, *, signed: bool, name: str = JOURNAL) -> Contents:
    """All that follows from a journal, and from the file of the findings if there is one.

    Raises JournalFailed or InvalidInput; `name` is what those call the file of the findings.
    """
    history = fold(parse(journal, Path(JOURNAL)))
    verdict = judge_safely(history)
    said = answers.NOBODY
    if given is not None:
        said = answers.loads(given, name, history.run, found(history, verdict))
    more = {
        "evidence.json": partial(record.render, answers=said),
        "report.html": partial(html.render, answers=said),
        "report.md": partial(markdown.render, answers=said),
    }
    texts = {n: make(history, verdict) for n, make in (report.FORMATS | more).items()}
    texts[EXPERIMENT] = history.experiment["text"]
    files = {n: text.encode("utf-8", "replace") for n, text in texts.items()}
    files[JOURNAL] = journal
    if given is not None:
        files[answers.FILE] = given
    files["README.md"] = readme(history, verdict, {*files}, signed=signed).encode()
    return Contents(history=history, verdict=verdict, files=dict(sorted(files.items())))


def sealed(made: Contents, sign: Sign | None = None) -> dict[str, bytes]:
    """All files of the archive in their order: manifest, signature, and then what they seal.

    Raises InvalidInput when it would be larger than a bundle may be.
    """
    of = Manifest(
        run=made.history.run,
        tool=__version__,
        code=versions.code(),
        signed=sign is not None,
        files=manifest.of(made.files),
    ).to_bytes()
    files = {manifest.NAME: of}
    if sign is not None:
        files[manifest.SIGNATURE] = sign(of)
    files |= made.files
    if sum(map(len, files.values())) > LARGEST:
        raise InvalidInput(f"the run is too long for one bundle: over {LARGEST // 2**20} MiB")
    return files


def of_run(journal: Path, findings: Path | None, *, signed: bool) -> Contents:
    """The contents for the run with that journal; `findings` instead of the file beside it.

    Raises JournalFailed or InvalidInput.
    """
    beside = journal.with_name(answers.FILE)
    file = findings or (beside if beside.is_file() else None)
    given = schema.read(file) if file else None
    try:
        data = journal.read_bytes()
    except OSError as error:
        raise JournalFailed(f"{journal}: cannot read the journal: {error.strerror}") from error
    return contents(data, given, signed=signed, name=str(file))
