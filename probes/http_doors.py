"""The two doors of an API that an `http_ledger` uses: what is sent to write, and how it is read.

Both are templates. A placeholder is a name in braces that is known; all other braces stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import urljoin, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from probes.http import checked_headers, checked_url
from probes.http_expect import Expect
from probes.jmespaths import Query, checked_query, search
from probes.json_values import shown
from probes.probe import ProbeFailed

if TYPE_CHECKING:
    from probes.http_exchange import Response

PLACEHOLDER = re.compile(r"\{(number|series|written|page|next)\}")
# RFC 8288, 3: one link, with what is told of it, each value as a token or in quotes.
WORD = r"[^\s\"(),/:;<=>?@\[\]{}]+"
LINK = re.compile(rf'<([^>]*)>((?:\s*;\s*{WORD}\s*(?:=\s*(?:{WORD}|"[^"]*"))?)*)')
RELATION = re.compile(r';\s*rel\s*=\s*("[^"]*"|[^\s;,]+)', re.IGNORECASE)
SERIES = "{series}"


def filled(template: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders replaced; what has no value stays as it is."""
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)


def _checked_url(url: str) -> str:
    for name in re.findall(r"\{([^{}]*)\}", url):
        if not PLACEHOLDER.fullmatch(f"{{{name}}}"):
            raise ValueError(f"there is no placeholder {{{name[:40]}}}; it may be {{series}} or so")
    return checked_url(url)


def _checked_numbers(query: str) -> str:
    checked_query(filled(query, {"series": "x"}))
    return query


Url = Annotated[str, AfterValidator(_checked_url)]
Headers = Annotated[dict[str, str], AfterValidator(checked_headers)]


class Door(BaseModel):
    """One request, as a template."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Url = Field(description="http:// or https://, without credentials")
    headers: Headers = Field(default_factory=dict, description="headers to send")
    body: str = Field(default="", description="text to send with POST or PUT, as UTF-8")

    def says(self, placeholder: str) -> bool:
        """Whether the placeholder stands in the request."""
        return any(placeholder in text for text in (self.url, self.body, *self.headers.values()))


class Writing(Door):
    """How one numbered record is written."""

    method: Literal["POST", "PUT"] = Field(default="POST", description="how it is sent")
    expect: Expect = Field(
        default_factory=lambda: Expect(status=("2xx",)),
        description="the answer that acknowledges the record; default: a status 2xx",
    )

    @property
    def limit(self) -> int:
        """Of an answer's body, in bytes."""
        return self.expect.max_bytes

    @model_validator(mode="after")
    def _tells_records_apart(self) -> Self:
        for other in ("{page}", "{next}"):
            if self.says(other):
                raise ValueError(f"has {other}, which is for read alone")
        if not self.says("{number}"):
            raise ValueError("has no {number}, so nobody could tell one record from another")
        if not self.says(SERIES):
            raise ValueError("has no {series}, so records of another run would be taken for ours")
        return self


@dataclass(frozen=True, slots=True)
class Found:
    """One record that came: its number, and when it was written, if that is asked for."""

    number: int
    written: object = None


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: our records in it, whether there was anything at all, and what comes next."""

    records: tuple[Found, ...]
    empty: bool
    next: str | None


class Reading(Door):
    """How the records are read: one answer, or page after page."""

    method: Literal["GET", "POST"] = Field(default="GET", description="how it is asked for")
    numbers: Annotated[str, AfterValidator(_checked_numbers)] | None = Field(
        default=None,
        description="JMESPath expression for the list of numbers in the JSON that comes, such as"
        " items[].number; null is no list",
    )
    pattern: str | None = Field(
        default=None,
        description="regular expression with one group, a number: of `numbers`, each value must"
        " match all of it to be ours; without `numbers` it is looked for in the body",
    )
    written: Query | None = Field(
        default=None,
        description="JMESPath expression for what {written} was in the same records, in the same"
        " order; a record where it is another was changed, and has not survived",
    )
    next: Query | None = Field(
        default=None,
        description="JMESPath expression for where the next page is: a URL of the same host, or"
        " what goes into `next_url`; default: the header Link, with rel=next",
    )
    next_url: Url | None = Field(
        default=None, description="URL of each further page, with {next} in it"
    )
    max_bytes: int = Field(
        default=16 * 1024 * 1024, ge=1, le=64 * 1024 * 1024, description="of one answer's body"
    )

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.numbers is None and self.pattern is None:
            raise ValueError("wants numbers (JMESPath), pattern (regular expression), or both")
        if not self.says(SERIES) and SERIES not in f"{self.numbers}{self.pattern}":
            raise ValueError("has no {series}, so records of another run would be taken for ours")
        if self.written is not None and self.numbers is None:
            raise ValueError("written is read beside numbers, which are not given")
        if self.next_url is not None and (self.next is None or "{next}" not in self.next_url):
            raise ValueError("next_url wants {next} in it, and next, which finds that")
        self._check_placeholders()
        if self.next_url is not None and urlsplit(self.next_url)[:2] != urlsplit(self.url)[:2]:
            raise ValueError("next_url is at another host than url")
        if self.by_number and not self._sees_all:
            raise ValueError(
                "{page} counts until a page has nothing, and of a page only records with {series}"
                " are looked at: a page of others alone would be taken for the last one; ask for"
                " {series} in the url, or give numbers without it, and pattern"
            )
        if self.next is not None and self.by_number:
            raise ValueError("{page} in the url and next are two ways to page; take one")
        if (expression := self.compiled("x")) and expression.groups != 1:
            raise ValueError(f"pattern has {expression.groups} groups, not one")
        return self

    def _check_placeholders(self) -> None:
        """What nothing is filled into would be sent as it is, and another list be read."""
        for other in ("{number}", "{written}"):
            if self.says(other) or other in (self.next_url or ""):
                raise ValueError(f"has {other}, which is for write alone")
        if self.says("{next}"):
            raise ValueError("has {next}, which is for next_url alone")
        if self.says("{page}") and not self.by_number:
            raise ValueError("has {page} in body or headers, not in the url: it would not count")
        if "{page}" in (self.next_url or ""):
            raise ValueError("next_url has {page}, which is for url alone")

    @property
    def _sees_all(self) -> bool:
        """Whether a page with records of others alone is seen to have something."""
        return self.says(SERIES) or (self.numbers is not None and SERIES not in self.numbers)

    @property
    def limit(self) -> int:
        """Of an answer's body, in bytes."""
        return self.max_bytes

    @property
    def by_number(self) -> bool:
        """Whether pages are counted: 1, 2 and so on, until one has nothing."""
        return "{page}" in self.url

    def compiled(self, series: str) -> re.Pattern[str] | None:
        """The pattern for that series; raises ValueError when it is none."""
        if self.pattern is None:
            return None
        try:
            return re.compile(filled(self.pattern, {"series": re.escape(series)}))
        except re.error as error:
            raise ValueError(f"pattern is no regular expression: {error}") from error

    def page(self, response: Response, series: str) -> Page:
        """What of it is ours; raises ProbeFailed when that cannot be told for sure."""
        text = response.body.decode("utf-8", "replace")
        parsed = _json(text) if self.numbers or self.next else None
        expression = self.compiled(series)
        if self.numbers is None:
            assert expression is not None  # noqa: S101  # validated: one of the two is there
            values: list[Any] = [found[1] for found in expression.finditer(text)]
            records = [Found(_number(value)) for value in values]
        else:
            values = _listed(filled(self.numbers, {"series": series}), parsed)
            records = [*self._ours(values, self._times(parsed, values), expression)]
        return Page(tuple(records), not values, self._next(response, parsed))

    def _times(self, parsed: Any, values: list[Any]) -> list[Any]:
        if self.written is None:
            return [None] * len(values)
        times = _listed(self.written, parsed)
        if len(times) != len(values):
            told = f"{len(values)} numbers and {len(times)} times of writing"
            raise ProbeFailed(f"the answer has {told}; which belong together is not known")
        return times

    def _ours(
        self, values: list[Any], times: list[Any], expression: re.Pattern[str] | None
    ) -> Iterator[Found]:
        for value, written in zip(values, times, strict=True):
            if expression is None:
                yield Found(_number(value), written)
            elif found := expression.fullmatch(str(value)):
                yield Found(_number(found[1]), written)

    def _next(self, response: Response, parsed: Any) -> str | None:
        if self.next is None:
            return None if self.by_number else linked(response.headers.get("link", ""))
        found = search(self.next, parsed)
        if found in (None, "", False):
            return None
        if isinstance(found, (dict, list, bool)):
            raise ProbeFailed(f"{self.next} is {shown(found)}, which leads to no page")
        return str(found)


def linked(header: str) -> str | None:
    """Where the next page is, by a header Link."""
    for target, told in LINK.findall(header):
        relation = RELATION.search(told)
        if relation and "next" in relation[1].strip('"').lower().split():
            return str(target)
    return None


def beside(current: str, following: str) -> str:
    """The URL of the next page; raises ProbeFailed for one of another host.

    Headers may be credentials, and a host that the experiment does not name gets none.
    """
    url = urljoin(current, following)
    if urlsplit(url)[:2] != urlsplit(current)[:2]:
        raise ProbeFailed(f"the next page is at another host: {shown(url)}")
    return url


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProbeFailed(f"the answer is not JSON; it begins {shown(text[:80])}") from error


def _listed(query: str, parsed: Any) -> list[Any]:
    found = search(query, parsed)
    if not isinstance(found, list):
        raise ProbeFailed(f"{query} finds {shown(found)} in the answer, and no list")
    return found


def _number(value: object) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit():
        raise ProbeFailed(f"the ledger holds {shown(value)}, which it did not write")
    return int(text)
