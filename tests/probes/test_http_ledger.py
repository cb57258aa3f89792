"""Records through an HTTP API: every page is read, and nothing counts that was not read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from http_servers import answer_of, run, saying, serving
from pydantic import ValidationError

from chaos.testing import Aim, check_probe, one_sample
from probes import http_ledger
from probes.http_doors import filled, linked
from probes.http_ledger import HttpLedger
from probes.net import Net
from probes.probe import Attempt, ProbeFailed

SENT = '{"profile": "{series}", "title": "{number}", "position": "{written}", "more": {"x": [{}]}}'


class Api:
    """An API that keeps what is posted, and shows it as `shows` says."""

    def __init__(self, shows: Callable[[list[dict[str, Any]], dict[str, str]], bytes]) -> None:
        self.kept: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self._shows = shows

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, target, _ = head.split(maxsplit=2)
            self.asked.append(target)
            url = urlsplit(target)
            if method == "POST":
                length = int(head.lower().split("content-length: ")[1].split()[0])
                self.kept.append(json.loads(await reader.readexactly(length)))
                writer.write(answer_of("{}", status=201))
            else:
                asked = {name: values[0] for name, values in parse_qs(url.query).items()}
                writer.write(self._shows(self.kept, asked))
            await writer.drain()
        writer.close()


def shown(body: Any, head: str = "", status: int = 200) -> bytes:
    return answer_of(json.dumps(body), status=status, head=head)


def all_at_once(kept: list[dict[str, Any]], asked: dict[str, str]) -> bytes:
    mine = [k for k in kept if k["profile"] == asked["profile"]]
    return shown({"titles": [k["title"] for k in mine], "times": [k["position"] for k in mine]})


def ledger(port: int, write: dict[str, Any] | None = None, **read: Any) -> HttpLedger:
    at = f"http://127.0.0.1:{port}/history"
    given = {"url": at + "?profile={series}", "numbers": "titles"} | read
    return HttpLedger.model_validate(
        {
            "kind": "http_ledger",
            "write": {"url": at, "body": SENT} | (write or {}),
            "read": {k: v for k, v in given.items() if v is not None},
        }
    )


def attempt(n: int = 0, run: str = "run1", probe: str = "history") -> Attempt:
    return Attempt(run=run, probe=probe, n=n)


def written_and_read(
    api: Api, *numbers: int, of: dict[str, Any] | None = None, **read: Any
) -> tuple[list[int], list[int]]:
    """What a read finds of these, and what it says was changed."""

    async def main() -> tuple[list[int], list[int]]:
        async with serving(api) as port:
            probe = ledger(port, of, **read)
            for n in numbers:
                await probe.check(Net(), attempt(n))
            asked = attempt()
            return await probe.read(Net(), asked), asked.detail["conflicting"]

    found: tuple[list[int], list[int]] = run(main())
    return found


def unread(answer: bytes, **read: Any) -> str:
    async def main() -> str:
        async with serving(saying(answer)) as port:
            with pytest.raises(ProbeFailed) as failed:
                await ledger(port, **read).read(Net(), attempt())
            return str(failed.value)

    return str(run(main()))


def test_what_was_written_is_shown_again_in_the_order_of_the_api() -> None:
    api = Api(all_at_once)
    assert written_and_read(api, 3, 0, 11) == ([3, 0, 11], [])
    assert api.kept[0]["profile"] == "run1.history"
    assert api.kept[0]["more"] == {"x": [{}]}  # other braces stay


def test_records_of_others_are_not_asked_for() -> None:
    async def main() -> list[int]:
        async with serving(Api(all_at_once)) as port:
            probe = ledger(port)
            for who in (attempt(1), attempt(2, run="run2"), attempt(3, probe="other")):
                await probe.check(Net(), who)
            return await probe.read(Net(), attempt())

    assert run(main()) == [1]


def test_several_may_share_a_record_when_a_pattern_tells_them_apart() -> None:
    api = Api(lambda kept, _: shown([k["title"] for k in kept] + ["run1.historyx5", "run2.y/6"]))
    of = {"body": '{"title": "{series}/{number}"}'}
    assert written_and_read(api, 4, 7, of=of, numbers="[]", pattern=r"{series}/(\d+)") == (
        [4, 7],
        [],
    )


def test_numbers_may_be_looked_for_in_any_text() -> None:
    api = Api(lambda kept, _: answer_of(" ".join(f"run1.history={k['title']};" for k in kept)))
    assert written_and_read(api, 4, 7, numbers=None, pattern=r"{series}=(\d+);") == ([4, 7], [])


def test_one_whose_time_of_writing_is_another_was_changed() -> None:
    def one_changed(kept: list[dict[str, Any]], asked: dict[str, str]) -> bytes:
        kept[1]["position"] = "0.25"
        return all_at_once(kept, asked)

    assert written_and_read(Api(one_changed), 1, 2, 3, written="times") == ([1, 3], [2])
    as_numbers = Api(
        lambda kept, _: shown({"titles": [1, 2], "times": [float(k["position"]) for k in kept]})
    )
    assert written_and_read(as_numbers, 1, 2, written="times") == ([1, 2], [])


# --- pages ----------------------------------------------------------------------------------

TWO = {"0": ([0, 1], "2"), "2": ([2, 3], "4"), "4": ([4], None)}


def test_pages_are_followed_by_a_token() -> None:
    def page(_: Any, asked: dict[str, str]) -> bytes:
        numbers, following = TWO[asked.get("from", "0")]
        return shown({"titles": numbers, "next": following and f"{following} &"})

    def token(_: Any, asked: dict[str, str]) -> bytes:
        return page(_, {k: v.removesuffix(" &") for k, v in asked.items()})

    url = "http://127.0.0.1:{port}/history?profile={series}"

    async def main() -> list[int]:
        async with serving(Api(token)) as port:
            start = url.replace("{port}", str(port))
            probe = ledger(port, url=start, next="next", next_url=f"{start}&from={{next}}")
            return await probe.read(Net(), attempt())

    assert run(main()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("how", ["json", "header", "absolute"])
def test_pages_are_followed_by_a_link(how: str) -> None:
    async def main() -> list[int]:
        def page(_: Any, asked: dict[str, str]) -> bytes:
            numbers, following = TWO[asked.get("from", "0")]
            to = following and f"/history?profile=x&from={following}"
            if how == "absolute" and to:
                to = f"http://127.0.0.1:{port}{to}"
            if how != "header":
                return shown({"titles": numbers, "next": to})
            head = f'Link: </first>; rel="first", <{to}>; rel="next"\r\n' if to else ""
            return shown({"titles": numbers}, head)

        async with serving(Api(page)) as port:
            probe = ledger(port, next=None if how == "header" else "next")
            return await probe.read(Net(), attempt())

    assert run(main()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "link",
    [
        '</2>; rel="prev next"',
        "</2>; rel=next",
        '</1>; rel=first; title="a, <b>; rel=next", </2>; title="c, d"; rel="next"',
        '</9>; rel="next-archive", </2> ; REL = "Next"',
    ],
)
def test_a_link_is_read_as_it_is_defined(link: str) -> None:
    assert linked(link) == "/2"


def test_a_link_to_something_else_leads_nowhere() -> None:
    assert linked('</9>; rel="next-archive", </8>; title=next; rel=prev, </7>') is None


def test_pages_are_counted_until_one_has_nothing_at_all() -> None:
    """One with records of others alone is not the last."""
    pages = {"1": ["a/0"], "2": ["b/5"], "3": ["a/2"], "4": []}
    api = Api(lambda _, asked: shown(pages[asked["page"]]))

    async def main() -> list[int]:
        async with serving(api) as port:
            url = f"http://127.0.0.1:{port}/x?page={{page}}&of={{series}}"
            probe = ledger(port, url=url, numbers="[]", pattern=r"a/(\d+)")
            return await probe.read(Net(), attempt())

    assert run(main()) == [0, 2]
    assert len(api.asked) == 4


# --- what proves nothing ----------------------------------------------------------------------

ELSEWHERE = "http://127.0.0.1:9/history"


@pytest.mark.parametrize(
    ("answer", "read", "said"),
    [
        (shown([1], status=206), {}, "status 206, not 200"),
        (answer_of("<html>"), {}, "the answer is not JSON; it begins '<html>'"),
        (shown({"more": 1}), {}, "titles finds null in the answer, and no list"),
        (shown({"titles": 5}), {}, "titles finds 5 in the answer, and no list"),
        (shown({"titles": ["x"]}), {}, "the ledger holds 'x', which it did not write"),
        (shown({"titles": [True]}), {}, "the ledger holds true, which it did not write"),
        (shown({"titles": [-1]}), {}, "the ledger holds -1, which it did not write"),
        (shown({"titles": [1.5]}), {}, "the ledger holds 1.5, which it did not write"),
        (
            shown({"titles": [1, 2], "times": [0.1]}),
            {"written": "times"},
            "the answer has 2 numbers and 1 times of writing; which belong together is not known",
        ),
        (
            shown({"titles": [1], "next": ELSEWHERE}),
            {"next": "next"},
            f"the next page is at another host: '{ELSEWHERE}'",
        ),
        (
            shown({"titles": [1], "next": "/history"}),
            {"next": "next"},
            "a page leads to one that was read before; it has no end",
        ),
        (
            shown({"titles": [1], "next": {}}),
            {"next": "next"},
            "next is {}, which leads to no page",
        ),
        (
            answer_of("[1]", head="Content-Encoding: gzip\r\n"),
            {"numbers": "[]"},
            "the body came as 'gzip', which was not asked for",
        ),
        (
            shown({"titles": [1]}, head="Age: 30\r\n"),
            {},
            "the answer is 30 s old, out of a cache, and shows what was there then; read past it",
        ),
        (
            shown([*range(900)]),
            {"numbers": "[]", "max_bytes": 99},
            "the body is longer than 99 bytes",
        ),
    ],
)
def test_what_is_not_whole_or_not_understood_fails(
    answer: bytes, read: dict[str, Any], said: str
) -> None:
    assert unread(answer, **read).startswith(said)


def test_pages_without_an_end_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_ledger, "MAX_PAGES", 3)
    api = Api(lambda *_: shown([1]))

    async def main() -> None:
        async with serving(api) as port:
            url = f"http://127.0.0.1:{port}/{{series}}?page={{page}}"
            await ledger(port, url=url, numbers="[]").read(Net(), attempt())

    with pytest.raises(ProbeFailed, match="more than 3 pages; not all of it was read"):
        run(main())
    assert len(api.asked) == 3


# --- attempts ---------------------------------------------------------------------------------


def test_it_is_a_probe_as_all_others() -> None:
    async def main() -> None:
        good, asked = Api(all_at_once), list[bytes]()
        async with (
            serving(good) as well,
            serving(saying(answer_of("no", status=503), asked=asked)) as badly,
            serving(saying(b"", hang=True)) as never,
        ):
            await check_probe(
                good=Aim(probe=ledger(well)),
                bad=Aim(probe=ledger(badly), asked=lambda: len(asked)),
                hanging=Aim(probe=ledger(never).model_copy(update={"timeout": 0.2})),
            )

    run(main())


def test_only_what_is_expected_acknowledges() -> None:
    async def main() -> None:
        async with serving(
            saying(answer_of('{"stored": false}', head="X-Region: west\r\n"))
        ) as port:
            probe = ledger(port, {"expect": {"json": {"stored": True}}})
            sample = await one_sample(probe, Net())
            assert (sample.ok, sample.detail["write"]) == (False, "unknown")
            probe = ledger(port, {"expect": {"json": {"stored": False}}})
            sample = await one_sample(probe, Net())
            assert (sample.ok, sample.detail["write"]) == (True, "acknowledged")
            assert sample.detail["region"] == "west"

    run(main())


def test_a_name_that_is_no_placeholder_stays() -> None:
    assert filled("{number} {numbers} {series}", {"number": "1"}) == "1 {numbers} {series}"


@pytest.mark.parametrize(
    ("write", "read", "said"),
    [
        ({"body": "{series}"}, {}, "has no {number}, so nobody could tell one record from another"),
        ({"body": "{number}"}, {}, "records of another run would be taken for ours"),
        ({"url": "http://a.test/{nummer}"}, {}, "there is no placeholder {nummer}"),
        ({"url": "http://{series}.test/"}, {}, "is no host name"),
        ({"headers": {"Content-Length": "5"}}, {}, "is set by the probe itself"),
        ({}, {"url": "http://a.test/"}, "records of another run would be taken for ours"),
        ({}, {"numbers": None}, "wants numbers (JMESPath), pattern (regular expression), or both"),
        ({}, {"numbers": "items[?of=='{series}'].n["}, "is no JMESPath expression"),
        ({}, {"pattern": "(a)(b)"}, "pattern has 2 groups, not one"),
        ({}, {"pattern": "("}, "pattern is no regular expression"),
        ({}, {"body": "x"}, "a GET request carries no body"),
        ({}, {"next_url": "http://a.test/{series}"}, "next_url wants {next} in it, and next"),
        ({}, {"url": "http://a.test/{series}?{page}", "next": "n"}, "are two ways to page"),
        ({}, {"numbers": None, "pattern": "(.)", "written": "t"}, "written is read beside numbers"),
        ({"body": "{series}{number}"}, {"written": "t"}, "which stands nowhere in write"),
        ({"url": "http://a.test/{page}"}, {}, "has {page}, which is for read alone"),
        ({}, {"url": "http://a.test/{series}?{next}"}, "has {next}, which is for next_url"),
        ({}, {"url": "http://a.test/{series}/{number}"}, "has {number}, which is for write"),
        ({}, {"headers": {"X-At": "{written}"}}, "has {written}, which is for write"),
        (
            {},
            {"next": "n", "next_url": "http://b.test/{series}?{next}"},
            "next_url is at another host than url",
        ),
        ({}, {"method": "POST", "body": "{page}"}, "has {page} in body or headers, not in the url"),
        (
            {},
            {"next": "n", "next_url": "http://a.test/{series}?{next}&{page}"},
            "next_url has {page}, which is for url",
        ),
        (
            {},
            {"url": "http://a.test/?{page}", "numbers": "a[?of=='{series}'].n"},
            "a page of others alone would be taken for the last",
        ),
        (
            {},
            {"url": "http://a.test/?{page}", "numbers": None, "pattern": r"{series}/(\d+)"},
            "a page of others alone would be taken for the last",
        ),
    ],
)
def test_what_cannot_be_is_refused(write: dict[str, Any], read: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        ledger(80, write, **read)
    assert said in str(error.value)


def test_an_address_must_be_of_the_family() -> None:
    family = {"family": "ipv6"}
    made = ledger(80).model_dump(by_alias=True, mode="json", exclude_unset=True)
    with pytest.raises(ValidationError, match="is an IPv4 address, and family is ipv6"):
        HttpLedger.model_validate(made | family)
