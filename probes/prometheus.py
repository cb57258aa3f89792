"""The probe `prometheus`: what the user's own Prometheus has measured, wherever it measures."""

from __future__ import annotations

import asyncio
import base64
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self
from urllib.parse import urlencode, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from probes import promql
from probes.durations import Duration, show
from probes.hosts import fits
from probes.http import Http, checked_url
from probes.probe import Attempt, Probe, ProbeFailed
from probes.thresholds import Threshold
from probes.tls_context import Tls

if TYPE_CHECKING:
    from probes.net import Net

PATH = "/api/v1/query"
PLAIN = r"^[!-~]+$"  # a token that fits into a header
LONGEST_QUERY = 4000  # characters; it goes into a URL


class BasicAuth(BaseModel):
    """A name and a password, as HTTP has them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    username: str = Field(min_length=1, pattern=r"^[^:]+$", description="the name, without a colon")
    password: str = Field(description="the password; take it from a secret variable")


def _base_url(url: str) -> str:
    if urlsplit(url).query or urlsplit(url).fragment:
        raise ValueError(f"{url!r} has more than a path; {PATH} is added to it")
    return checked_url(url).rstrip("/")


def _checked_query(query: str) -> str:
    if not promql.without_texts(query):
        raise ValueError("asks for nothing")
    if "@" in promql.without_texts(query):
        raise ValueError("a query with @ looks at a fixed time, whatever happens now")
    promql.reach(query)
    return query.strip()


Query = Annotated[str, Field(max_length=LONGEST_QUERY), AfterValidator(_checked_query)]


class Prometheus(Probe):
    """Asks a Prometheus, or what speaks its API, one instant query.

    An attempt is good when `every` series of the answer (or `any`, or the `one` there is) is as
    expected. With `alert: true` the query is one of alerts, such as `ALERTS{alertstate="firing"}`:
    an attempt is bad while it gives any series and good while it gives none, and the objective
    `detects_within` measures how soon after the fault it gave one.

    A value says what was at the *scrape*. So each sample tells the `age` of what it saw, by the
    clock of Prometheus: that of the oldest series, and what the query looks back itself (`[5m]`,
    `offset`). Intervals of recovery reach that much further back: a time measured by this probe is
    only as sharp as the scrape interval. Ask about once in each; more often tells no more, and
    `confirm` would count one scrape several times.

    Series that have vanished are not judged, as those of an exporter that is gone with its region:
    ask for their number too, such as `count(probe_success == 1)`.

    Prometheus goes on answering with the last value for five minutes when no newer one comes. What
    is older than `stale_after` proves nothing: the attempt is bad and no detection. So is one that
    got no answer, an error, or an answer with warnings, which may not be whole.

    Measured phases: `name`, `connect`, `tls`, `first_byte`, `body`.
    """

    summary: ClassVar[str] = "a PromQL query to your Prometheus: values of any exporter, or alerts"
    example: ClassVar[str] = """
edge:
  kind: prometheus
  url: https://prometheus.stream.example
  query: min by (region) (probe_success{job="playback"})
  series: probe_success{job="playback"}
  expect: {equals: 1}
  stale_after: 20s
  every: 5s
"""
    own_clock: ClassVar[bool] = True

    kind: Literal["prometheus"]
    url: Annotated[str, AfterValidator(_base_url)] = Field(
        description=f"where it is: http:// or https://, with a path where it has one; {PATH} is"
        " added"
    )
    query: Query = Field(description="PromQL that gives a vector")
    series: Query | None = Field(
        default=None,
        description="selector of the series that `query` is made of, whose age counts; default: the"
        " query, where it is a selector itself. For an alert: a recording rule of the same group",
    )
    stale_after: Duration = Field(
        default=30.0, gt=0, description="age from which a series' newest sample proves nothing"
    )
    alert: bool = Field(
        default=False, description="whether any series that comes is an alert that rings"
    )
    expect: Threshold | None = Field(
        default=None, description="what the values must be; not for an alert"
    )
    of: Literal["every", "any", "one"] = Field(
        default="every",
        description="which series must be so: every one, any one of them, or the only one",
    )
    empty: Literal["bad", "good"] = Field(
        default="bad", description="what an answer without any series is; not for an alert"
    )
    bearer_token: str | None = Field(
        default=None, pattern=PLAIN, description="token to show; take it from a secret variable"
    )
    basic_auth: BasicAuth | None = Field(default=None, description="name and password to show")
    tls: Tls = Field(default_factory=Tls, description="for https: how to check the certificate")

    @field_validator("series")
    @classmethod
    def _selects(cls, series: str | None) -> str | None:
        if series is not None and not promql.is_selector(series):
            raise ValueError('is no selector, such as up{job="api"}: a metric, and its labels')
        return series

    @field_validator("expect")
    @classmethod
    def _or_alert(cls, expect: Threshold | None, info: ValidationInfo) -> Threshold | None:
        if expect is not None and info.data.get("alert"):
            raise ValueError("has no meaning with alert: true, where any series is the alert")
        return expect

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.alert and self.expect is None:
            raise ValueError("expects nothing; write expect: {equals: 1}, or alert: true")
        if self.bearer_token and self.basic_auth:
            raise ValueError("bearer_token and basic_auth are two ways to say who asks; take one")
        may_be_empty = self.alert or self.empty == "good"
        if self.series is None and (may_be_empty or not promql.is_selector(self.query)):
            why = "an empty answer has no age" if may_be_empty else "this query has no age itself"
            raise ValueError(
                f'{why}: name in `series` what it is made of, such as series: up{{job="api"}}, so'
                " that a Prometheus that scrapes no more does not look good"
            )
        return self

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        url = urlsplit(self.url)
        fits(url.hostname or "", self.family)
        if url.scheme == "http" and self.tls != Tls():
            raise ValueError("tls is for https, and the url begins with http://")
        if url.scheme == "https":
            self.tls.prepared()  # no attempt should wait for it
        return self

    @property
    def detects(self) -> bool:  # type: ignore[override]  # of some kinds it is a setting
        """Whether it is to tell of faults."""
        return self.alert

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Ask once; good when fresh values are as expected, or no alert rings."""
        response = await self._http.answer(net, attempt)
        answer = promql.answer(response.status, bytes(response.body))
        age = self._fresh(answer.age)
        # The loop's seconds, which are more than the wall's where a lab runs faster.
        speed = getattr(asyncio.get_running_loop(), "speed", 1.0)
        attempt.detail.update(
            series=len(answer.series), age=round((age + promql.reach(self.query)) * speed, 6)
        )
        if self.alert:
            attempt.detail["detected"] = bool(answer.series)
            if answer.series:
                raise ProbeFailed(f"{answer.series[0].name} is there{_more(answer.series)}")
        else:
            self._judge(answer.series)

    def _fresh(self, age: float | None) -> float:
        made_of = self.series or self.query
        if age is None:
            raise ProbeFailed(f"there is no sample of {made_of}")
        if age > self.stale_after:
            limit = show(self.stale_after)
            raise ProbeFailed(f"the sample of {made_of} is {show(age)} old, more than {limit}")
        return age

    def _judge(self, series: tuple[promql.Series, ...]) -> None:
        assert self.expect is not None  # noqa: S101  # seen to above
        if not series:
            if self.empty == "bad":
                raise ProbeFailed("the answer has no series")
            return
        if self.of == "one" and len(series) > 1:
            raise ProbeFailed(f"the answer has {len(series)} series, not one")
        unmet = [(one, why) for one in series if (why := self.expect.unmet(one.value))]
        if unmet and (self.of != "any" or len(unmet) == len(series)):
            first, why = unmet[0]
            among = f"; {len(unmet)} of {len(series)} series" if len(series) > 1 else ""
            raise ProbeFailed(f"{first.name} is {first.value:g}, not {why}{among}")

    @cached_property
    def _http(self) -> Http:
        """What asks: one request as the probe `http` makes it."""
        asked = urlencode({"query": promql.question(self.query, self.series or self.query)})
        return Http(
            kind="http",
            url=f"{self.url}{PATH}?{asked}",
            headers={"Accept": "application/json"} | self._authorization(),
            tls=self.tls,
            family=self.family,
            region_header="none",
        )

    def _authorization(self) -> dict[str, str]:
        if self.bearer_token:
            return {"Authorization": f"Bearer {self.bearer_token}"}
        if self.basic_auth is None:
            return {}
        pair = f"{self.basic_auth.username}:{self.basic_auth.password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _more(series: tuple[promql.Series, ...]) -> str:
    return f", and {len(series) - 1} more" if len(series) > 1 else ""
