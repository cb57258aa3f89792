"""Route 53 in the lab: what the API was told is what the DNS server answers."""

from __future__ import annotations

import dns.flags
import dns.rcode
import dns.rdatatype
from route53_api import Api, alias, answering, ask, record, run, values

SOA_TTL = 900


def test_answers_are_authoritative_with_the_record_s_values_and_ttl() -> None:
    async def main(api: Api) -> None:
        zone = await api.zone()
        await api.put(
            zone,
            record("api.stream.example", "A", "127.1.0.10", "127.1.0.11", ttl=17),
            record("stream.example", "MX", "10 mail.stream.example"),
            record("text.stream.example", "TXT", r'"a;b\042c" "\344"'),
        )
        async with answering(api) as (_, port):
            answer = await ask(port, "API.Stream.EXAMPLE.")
            assert answer.rcode() == dns.rcode.NOERROR
            assert answer.flags & dns.flags.AA
            assert {rrset.ttl for rrset in answer.answer} == {17}
            assert str(answer.answer[0].name) == "API.Stream.EXAMPLE."
            assert await values(port, "api.stream.example") == ["127.1.0.10", "127.1.0.11"]
            assert await values(port, "stream.example", "MX") == ["10 mail.stream.example."]
            assert await values(port, "text.stream.example", "TXT") == [r'"a;b\"c" "\228"']
            assert (await values(port, "stream.example", "NS"))[0] == "ns-2048.awsdns-64.com."
            assert len(await values(port, "stream.example", "SOA")) == 1
            assert len(await values(port, "stream.example", "ANY")) == 6

    run(main)


def test_what_does_not_exist_is_told_apart_with_the_soa() -> None:
    async def main(api: Api) -> None:
        await api.put(await api.zone(), record("a.b.stream.example", "A", "127.1.0.10"))
        async with answering(api) as (_, port):
            for name, kind, code in (
                ("a.b.stream.example", "AAAA", dns.rcode.NOERROR),
                ("b.stream.example", "A", dns.rcode.NOERROR),  # there is a name below it
                ("c.stream.example", "A", dns.rcode.NXDOMAIN),
                ("x.a.b.stream.example", "A", dns.rcode.NXDOMAIN),
            ):
                answer = await ask(port, name, kind)
                assert (answer.rcode(), answer.answer) == (code, [])
                assert answer.flags & dns.flags.AA
                assert [str(rrset.name) for rrset in answer.authority] == ["stream.example."]
                assert answer.authority[0].rdtype == dns.rdatatype.SOA
                assert answer.authority[0].ttl == SOA_TTL

    run(main)


def test_names_outside_our_zones_are_refused() -> None:
    async def main(api: Api) -> None:
        zone = await api.zone()
        await api.put(zone, record("away.stream.example", "NS", "ns.elsewhere.test"))
        async with answering(api) as (_, port):
            for name, kind, rdclass in (
                ("example.com", "A", "IN"),
                ("notstream.example", "A", "IN"),
                ("example", "A", "IN"),
                (".", "NS", "IN"),
                ("www.away.stream.example", "A", "IN"),  # given to other name servers
                ("stream.example", "AXFR", "IN"),
                ("version.bind", "TXT", "CH"),
                ("stream.example", "SOA", "CH"),
            ):
                answer = await ask(port, name, kind, rdclass)
                assert (answer.rcode(), answer.answer) == (dns.rcode.REFUSED, [])
                assert not answer.flags & dns.flags.AA

    run(main)


def test_wildcards_stand_for_what_no_other_name_does() -> None:
    async def main(api: Api) -> None:
        zone = await api.zone()
        await api.put(
            zone,
            record("*.stream.example", "A", "127.1.0.99"),
            record("api.stream.example", "A", "127.1.0.10"),
            record(r"\052.test.stream.example", "A", "127.1.0.98"),
        )
        async with answering(api) as (_, port):
            assert await values(port, "any.stream.example") == ["127.1.0.99"]
            assert await values(port, "a.b.stream.example") == ["127.1.0.99"]
            assert await values(port, "*.stream.example") == ["127.1.0.99"]
            assert await values(port, "api.stream.example") == ["127.1.0.10"]
            assert await values(port, "x.test.stream.example") == ["127.1.0.98"]
            assert str((await ask(port, "x.stream.example")).answer[0].name) == "x.stream.example."
            assert (await ask(port, "x.api.stream.example")).rcode() == dns.rcode.NXDOMAIN
            assert (await ask(port, "any.stream.example", "AAAA")).rcode() == dns.rcode.NOERROR

    run(main)


def test_cnames_are_followed_as_far_as_our_zones_go() -> None:
    async def main(api: Api) -> None:
        await api.put(await api.zone("other.example"), record("a.other.example", "A", "127.1.0.7"))
        await api.put(
            await api.zone(),
            record("one.stream.example", "CNAME", "two.stream.example"),
            record("two.stream.example", "CNAME", "a.other.example."),
            record("out.stream.example", "CNAME", "www.example.com"),
            record("gone.stream.example", "CNAME", "no.stream.example"),
            record("loop.stream.example", "CNAME", "pool.stream.example"),
            record("pool.stream.example", "CNAME", "loop.stream.example"),
        )
        async with answering(api) as (_, port):
            chain = await ask(port, "one.stream.example")
            assert [str(rrset.name) for rrset in chain.answer] == [
                "one.stream.example.",
                "two.stream.example.",
                "a.other.example.",
            ]
            assert await values(port, "one.stream.example", "CNAME") == ["two.stream.example."]
            assert await values(port, "out.stream.example") == ["www.example.com."]
            gone = await ask(port, "gone.stream.example")
            assert (gone.rcode(), len(gone.answer)) == (dns.rcode.NXDOMAIN, 1)
            assert len((await ask(port, "loop.stream.example")).answer) == 2

    run(main)


def test_aliases_answer_under_their_own_name_with_the_target_s_ttl() -> None:
    async def main(api: Api) -> None:
        zone = await api.zone()
        await api.put(
            zone,
            record("east.stream.example", "A", "127.1.0.10", ttl=5),
            alias("stream.example", "A", "east.stream.example", zone),
            alias("nothing.stream.example", "AAAA", "east.stream.example", zone),
        )
        async with answering(api) as (_, port):
            answer = await ask(port, "stream.example")
            assert [str(rrset) for rrset in answer.answer] == ["stream.example. 5 IN A 127.1.0.10"]
            nothing = await ask(port, "nothing.stream.example", "AAAA")
            assert (nothing.rcode(), nothing.answer) == (dns.rcode.NOERROR, [])

    run(main)


def test_every_policy_is_read_from_the_api() -> None:
    async def main(api: Api) -> None:
        down = await api.check(Disabled=True, Inverted=True)
        zone = await api.zone()
        await api.put(
            zone,
            *(
                record("weighted.stream.example", "A", address, SetIdentifier=address, **fields)
                for address, fields in (
                    ("127.1.0.1", {"Weight": 200, "HealthCheckId": down}),
                    ("127.1.0.2", {"Weight": 0}),
                )
            ),
            *(
                record("near.stream.example", "CNAME", region, SetIdentifier=region, Region=region)
                for region in ("us-east-1", "eu-central-1")
            ),
            *(
                record("many.stream.example", "A", ip, SetIdentifier=ip, MultiValueAnswer=True)
                for ip in (f"127.1.0.{n}" for n in range(12))
            ),
            record(
                "api.stream.example",
                "CNAME",
                "p.stream.example",
                SetIdentifier="p",
                Failover="PRIMARY",
                HealthCheckId=down,
            ),
            record(
                "api.stream.example",
                "CNAME",
                "s.stream.example",
                SetIdentifier="s",
                Failover="SECONDARY",
            ),
        )
        async with answering(api) as (_, port):
            assert await values(port, "weighted.stream.example") == ["127.1.0.2"]
            assert await values(port, "near.stream.example") == ["eu-central-1."]
            assert len(await values(port, "many.stream.example")) == 8
            assert await values(port, "api.stream.example", "CNAME") == ["s.stream.example."]
            assert await values(port, "api.stream.example") == ["s.stream.example."]

    run(main)
