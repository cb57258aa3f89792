"""The probe `http_ledger`: numbered records through any HTTP API, and which of them it shows again.

It measures what a user would lose: the records go in at the application's own door, and come out
at it. What stands behind it need not be known.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Literal, Self
from urllib.parse import quote

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from probes.durations import Duration
from probes.http import Http
from probes.http_doors import Found, Page, Reading, Writing, beside, filled
from probes.http_expect import Expect, judge
from probes.ledger import same_time
from probes.probe import CONFLICTING, Attempt, Probe, ProbeFailed
from probes.tls_context import Tls

if TYPE_CHECKING:
    from probes.http_exchange import Response
    from probes.net import Net

MAX_PAGES = 1000


class HttpLedger(Probe):
    """Writes numbered records through an HTTP API, and reads through it which of them are there.

    Each attempt sends one record and is good when the answer is as `write.expect` says: that is the
    acknowledgement. While the fault is on, and at the end, all pages of `read` are read;
    acknowledged numbers that are missing give the RPO. A write that was refused or timed out may
    have been done all the same: it counts neither as kept nor as lost. So does one whose
    acknowledgement came later than `max_latency`.

    In url, headers and body stand placeholders: {number} counts the attempts from 0, {series} is
    the run and the probe (letters, digits, . - _), {written} the clock of the process that
    measures, in seconds. In the URLs of `read` there may be {page}, which counts from 1 until a
    page has nothing, or {next}. Writes go on while it is read: where that moves records from page
    to page, use {next}. Each request is one of the probe `http`: one attempt, no redirect, no
    compression, a connection of its own.

    A read that is not whole and of now proves nothing: an answer other than 200 or out of a cache
    (header Age), too many pages, a page that leads to itself or to another host, a value that is
    no number. With `read.written` a record
    whose time of writing is another than was sent counts as changed, and not as there.

    The order in which records come out is taken for that of the store (objective `in_order`).

    Measured phases: `name`, `connect`, `tls`, `first_byte`, `body`.
    """

    summary: ClassVar[str] = "numbered records through any HTTP API, and which it shows again (RPO)"
    example: ClassVar[str] = """
history:
  kind: http_ledger
  write:
    url: http://api.stream.example/history
    headers: {Content-Type: application/json}
    body: '{"profile": "{series}", "title": "{number}", "position": "{written}"}'
  read:
    url: http://api.stream.example/history?profile={series}
    numbers: titles
"""
    ledger: ClassVar[bool] = True
    ordered: ClassVar[bool] = True
    repeats: ClassVar[bool] = True
    tells_region: ClassVar[bool] = True

    kind: Literal["http_ledger"]
    every: Duration = Field(default=0.5, ge=0.001, description="period of the grid")
    timeout: Duration = Field(
        default=5.0, gt=0, description="when an attempt, or one read of all pages, is given up"
    )
    # Not `write` and `read`: the latter is the verb of a ledger.
    writing: Writing = Field(alias="write", description="how a record is written")
    reading: Reading = Field(alias="read", description="how the records are read")
    tls: Tls = Field(default_factory=Tls, description="for https: how to check the certificate")

    _written: dict[str, dict[int, str]] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        told = dict.fromkeys(("series", "number", "written", "page", "next"), "0")
        https = False
        for door in (self.writing, self.reading):
            try:
                https |= self._request(door, filled(door.url, told), told).url.startswith("https")
            except ValidationError as error:
                why = error.errors()[0]["msg"].removeprefix("Value error, ")
                raise ValueError(why) from error
        if self.tls != Tls() and not https:
            raise ValueError("tls is for https, and no url begins with https://")
        if self.reading.written is not None and not self.writing.says("{written}"):
            raise ValueError("read.written looks for {written}, which stands nowhere in write")
        return self

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Send the record with this attempt's number, once; good when it is acknowledged."""
        attempt.detail["write"] = "unknown"
        written = f"{asyncio.get_running_loop().time():.6f}"
        series = _series(attempt)
        self._written.setdefault(series, {})[attempt.n] = written
        values = {"series": series, "number": str(attempt.n), "written": written}
        url = filled(self.writing.url, values)
        answer = await self._request(self.writing, url, values).answer(net, attempt)
        judge(answer, self.writing.expect)
        attempt.detail["write"] = "acknowledged"

    async def read(self, net: Net, attempt: Attempt) -> list[int]:
        """The numbers that the API shows, in its order.

        Raises ProbeFailed when it cannot read all of them: half a list would call the rest lost.
        """
        series = _series(attempt)
        values = {"series": series, "page": "1"}
        url: str | None = filled(self.reading.url, values)
        seen, records = set[str](), list[Found]()
        while url is not None:
            if url in seen:
                raise ProbeFailed("a page leads to one that was read before; it has no end")
            if len(seen) == MAX_PAGES:
                raise ProbeFailed(f"there are more than {MAX_PAGES} pages; not all of it was read")
            seen.add(url)
            response = await self._request(self.reading, url, values).answer(net, attempt)
            judge(response, Expect(body=""))  # 200, whole, and as it was sent
            _of_now(response)
            page = self.reading.page(response, series)
            records += page.records
            values["page"] = str(len(seen) + 1)
            url = self._following(url, page, values)
        return self._sound(records, series, attempt)

    def _following(self, url: str, page: Page, values: dict[str, str]) -> str | None:
        if self.reading.by_number:
            return None if page.empty else filled(self.reading.url, values)
        if page.next is None:
            return None
        if self.reading.next_url is None:
            return beside(url, page.next)
        token = {"next": quote(page.next, safe="")}
        return beside(url, filled(self.reading.next_url, values | token))

    def _sound(self, records: list[Found], series: str, attempt: Attempt) -> list[int]:
        """The numbers, without those whose time of writing is another than was sent."""
        sent = self._written.get(series, {})
        changed = {
            r.number
            for r in records
            if self.reading.written is not None
            and r.number in sent
            and not same_time(r.written, float(sent[r.number]))
        }
        attempt.detail[CONFLICTING] = sorted(changed)
        return [r.number for r in records if r.number not in changed]

    def _request(self, door: Writing | Reading, url: str, values: dict[str, str]) -> Http:
        return Http(
            kind="http",
            url=url,
            method=door.method,
            headers={name: filled(value, values) for name, value in door.headers.items()},
            body=filled(door.body, values),
            expect=Expect(max_bytes=door.limit),
            tls=self.tls if url.startswith("https") else Tls(),
            family=self.family,
        )


def _of_now(response: Response) -> None:
    """A cache shows what there was when it was filled, perhaps by a region that is dead by now."""
    age = response.headers.get("age", "0")  # RFC 9111, 5.1: seconds
    if age.strip() != "0":
        told = f"the answer is {age[:20]} s old, out of a cache, and shows what was there"
        raise ProbeFailed(f"{told} then; read past it")


def _series(attempt: Attempt) -> str:
    return f"{attempt.run}.{attempt.probe}"
