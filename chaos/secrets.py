"""Values that must never be seen, and texts without them.

Whatever this process learns that is secret is added to `SECRETS`; whatever leaves it (a line of the
journal, and so every report; what a terminal shows) is masked with it. Besides the known values
some shapes are secret whoever they belong to: see SHAPES.
"""

from __future__ import annotations

import io
import json
import re
import sys
import threading
from collections.abc import Iterator
from typing import Any

MASK = "***"
# Shorter values stand in half of all words: what would mask them makes a report unreadable.
SHORTEST = 8
STEM = 32  # characters of a value's beginning by which it is known, at most; see `_stem`
ESCAPED = re.compile(r"[\"'\\]|[^ -~]")  # the characters that change when text is quoted
CUT = "…"  # where a message was cut short; of a value its beginning may stand before it

GAP = r"""["'\\]*\s*[:=>]\s*["'\\]*"""  # between a name and its value: YAML, JSON, XML, a query
VALUE = r"""[^\s&"'\\<>,}]+"""
# What is secret by its shape, and what is left of it. Access key ids are names, not secrets.
SHAPES = (
    (r"(?s)(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----).*?(?=-----END |$)", rf"\1{MASK}"),
    (r"(://[^\s/?#:@]{0,256}):[^\s/?#@]{1,1024}@", rf"\1:{MASK}@"),
    (rf"""(?i)(authorization{GAP})[^\r\n"'\\]+""", rf"\1{MASK}"),
    (r"(?i)\b(bearer )[\w.~+/=-]{8,}", rf"\1{MASK}"),
    (rf"(?i)(x-amz-(?:security-token|signature){GAP}){VALUE}", rf"\1{MASK}"),
    (rf"(?i)((?:secret_?access_?key|session_?token){GAP}){VALUE}", rf"\1{MASK}"),
    # Session tokens of AWS STS begin so.
    (r"(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz)[\w+/=%]{20,}", MASK),
)


class Secrets:
    """Secret values of one process; they are never forgotten. Safe to ask from any thread."""

    def __init__(self) -> None:
        self._values: frozenset[str] = frozenset()
        self._codes: tuple[re.Pattern[str], ...] = ()
        self._forms: tuple[str, ...] = ()  # longest first: one may be a part of another
        self._in_json: tuple[str, ...] = ()  # what of them stands in a line of JSON
        # Of values that are escaped when they are quoted: a part that never is, and all of it.
        self._escaped: tuple[tuple[str, re.Pattern[str]], ...] = ()
        self._adding = threading.Lock()

    def add(self, *values: str | None) -> None:
        """Mask these values from now on, however encoded; those below SHORTEST are let be."""
        new = {value for value in values if value and len(value) >= SHORTEST} - self._values
        # Of a key in PEM, which may be shown line by line.
        lines = {line for value in new if "\n" in value for line in value.splitlines()}
        new |= {line for line in lines if len(line) > 2 * SHORTEST and line[0] != "-"}
        with self._adding:
            self._values |= new
            forms = {*self._forms, *(form for value in new for form in _forms(value))}
            self._forms = tuple(sorted(forms, key=len, reverse=True))
            self._escaped += tuple(_escaped(value) for value in new if ESCAPED.search(value))
            self._in_json = tuple({_plain(_stem(form)) for form in forms})

    def add_code(self, code: str) -> None:
        """Mask a short code, such as that of an MFA device, where it is a word of its own."""
        with self._adding:
            self._codes += (re.compile(rf"(?<!\w){re.escape(code)}(?!\w)"),)

    def mask(self, text: str) -> str:
        """The text without what is secret."""
        for part, whole in self._escaped:
            if part in text:
                text = whole.sub(MASK, text)
        for form in self._forms:
            if _stem(form) in text:
                text = _without(form, text)
        for code in self._codes:
            text = code.sub(MASK, text)
        if CUT in text:
            text = CUT.join(self._without_beginnings(text.split(CUT)))
        if _may_have_a_shape(text):
            for shape, left in SHAPES:
                text = re.sub(shape, left, text)  # compiled at its first use, and kept
        return text

    def mask_all(self, value: Any) -> Any:
        """The same value, of what JSON has, with every text in it masked, keys too."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {self.mask_all(key): self.mask_all(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask_all(inner) for inner in value]
        return value

    def are_in(self, value: Any) -> bool:
        """Whether masking would change the value, of what JSON has."""
        return json.dumps(self.mask_all(value)) != json.dumps(value)

    def may_be_in(self, line: str) -> bool:
        """Whether a line of JSON (ASCII) may hold what is secret; rarely true for nothing."""
        for form in self._in_json:
            if form in line:
                return True
        return bool(self._codes) or "\\u2026" in line or _may_have_a_shape(line)

    def _without_beginnings(self, pieces: list[str]) -> Iterator[str]:
        """The pieces; where all but the last end with the beginning of a value, without it."""
        for piece in pieces[:-1]:
            longest = max((_overlap(piece, form) for form in self._forms), default=0)
            yield f"{piece[:-longest]}{MASK}" if longest else piece
        yield pieces[-1]


SECRETS = Secrets()


class Masked(io.TextIOWrapper):
    """A stream of text, such as a terminal's, that shows nothing secret."""

    def write(self, text: str) -> int:
        """Write the text, masked; returns how long it was."""
        super().write(SECRETS.mask(text))
        return len(text)

    @classmethod
    def instead_of(cls, stream: io.TextIOWrapper) -> Masked:
        """The same stream, masked; the one given cannot be used any more."""
        encoding, by_line = stream.encoding, stream.line_buffering
        # A terminal that knows no ✓ shows a ?
        return cls(stream.detach(), encoding, errors="replace", line_buffering=by_line)


def mask_output() -> None:
    """From now on, standard output and standard error of this process show nothing secret."""
    for name in ("stdout", "stderr"):
        if isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            setattr(sys, name, Masked.instead_of(stream))


def _may_have_a_shape(text: str) -> bool:
    """Whether it has a part of one of SHAPES; written out, as each line of a journal comes here."""
    small = text.lower()
    return (
        "@" in small
        or "secret" in small
        or "session" in small
        or "x-amz-s" in small
        or "authorization" in small
        or "bearer " in small
        or "private key" in small
        or "iqojb3jpz2lu" in small
        or "ogzxivyxdz" in small
    )


def _stem(form: str) -> str:
    """Where so much of its beginning stands, it is the value, wherever the message was cut."""
    return form[: max(SHORTEST, min(STEM, len(form) * 3 // 4))]


def _without(form: str, text: str) -> str:
    """The text without the value, and without its beginnings that are long enough."""
    kept, rest = [], text
    while (at := rest.find(_stem(form))) >= 0:
        end = len(form)
        while not rest.startswith(form[:end], at):
            end -= 1
        kept += [rest[:at], MASK]
        rest = rest[at + end :]
    return "".join([*kept, rest])


def _forms(value: str) -> Iterator[str]:
    """The value and how others may repeat it: quoted, percent-encoded, in base64."""
    import base64
    import html
    from urllib.parse import quote, quote_plus

    yield from (value, html.escape(value))
    for encoded in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield from (encoded, re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), encoded))
    data = value.encode()
    for before in range(3):  # what stands before it shifts its bits
        whole = base64.b64encode(bytes(before) + data).decode()
        inner = whole[(before * 8 + 5) // 6 : (before + len(data)) * 8 // 6]
        yield from (inner, inner.translate(str.maketrans("+/", "-_")))


def _escaped(value: str) -> tuple[str, re.Pattern[str]]:
    """The value as JSON and Python quote it, and quote what was quoted already, and so on."""
    runs = re.sub(r"\\+", r"\\", value)  # a pattern that repeats repetitions would take for ever
    return _plain(value), re.compile("".join(_character(each) for each in runs))


def _plain(value: str) -> str:
    """The longest part of it that stands in any quotes as it is."""
    return max(ESCAPED.split(value), key=len)


def _character(each: str) -> str:
    if each in "\"'":
        return rf"\\*{each}"
    if each == "\\":
        return r"\\+"
    if ESCAPED.match(each):
        inside = each.encode("unicode_escape").decode(), json.dumps(each)[1:-1]
        return "|".join(["(?:" + re.escape(each), *(r"\\+" + i[1:] for i in inside)]) + ")"
    return re.escape(each)


def _overlap(text: str, value: str) -> int:
    """How many characters of the value's beginning the text ends with; 0 for less than a few."""
    longest = min(len(text), len(value) - 1)
    return next((n for n in range(longest, SHORTEST // 2 - 1, -1) if text.endswith(value[:n])), 0)
