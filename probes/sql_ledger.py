"""The probe `sql_ledger`: numbered rows committed in one database, and which of them another has.

An attempt is one transaction on a connection of its own. COMMIT has returned: that is the
acknowledgement, and what the server promises by it is what is tested.
"""

from __future__ import annotations

import asyncio
import importlib
import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from probes.durations import Duration
from probes.hosts import checked_host, fits
from probes.ledger import same_time
from probes.probe import CONFLICTING, Attempt, Probe, ProbeFailed
from probes.sql_servers import MySQL, PostgreSQL, Statement, Target

if TYPE_CHECKING:
    from probes.net import Net

Server = type[PostgreSQL] | type[MySQL]
SERVERS: dict[str, tuple[Server, str]] = {
    "postgresql": (PostgreSQL, "postgresql"),
    "postgres": (PostgreSQL, "postgresql"),
    "mysql": (MySQL, "mysql"),
    "mariadb": (MySQL, "mysql"),
}
# Else nobody knows where a password ends, which is masked in all that is written.
ENCODED = re.compile(r"[^:]*://([^\s:/?#@\[\]]*(:[^\s:/?#@\[\]]*)?@)?[^\s@#]*")
# Of one ledger: more than a month of one every second.
MOST_ROWS = 3_000_000


def _checked_url(url: str) -> str:
    told = re.match(r"[A-Za-z0-9+.-]*(?=://)", url)
    scheme = told[0].lower() if told else ""
    if scheme not in SERVERS:
        kinds = "postgresql:// or mysql:// (mariadb:// is the same)"
        raise ValueError(f"begins with {kinds}, not with {scheme[:20] or 'nothing'}://")
    if not ENCODED.fullmatch(url):
        raise ValueError("has spaces, or one of @ : / ? # [ ] in a name: percent-encode them")
    parts = urlsplit(url)
    if not parts.hostname or not parts.username:
        raise ValueError("is like postgresql://USER@HOST:PORT/DATABASE, with :PASSWORD after USER")
    checked_host(parts.hostname)
    if not re.fullmatch(r"/[^/]+", parts.path):
        raise ValueError("names no database after the host")
    _check_port(parts)
    _check_options(parts.query, SERVERS[scheme][0])
    return url


def _check_port(parts: SplitResult) -> None:
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError("has no number for a port, from 1 to 65535") from error
    if port == 0:
        raise ValueError("port 0 cannot be connected to")


def _check_options(query: str, server: Server) -> None:
    given = [name for name, _ in parse_qsl(query, keep_blank_values=True)]
    for name in given:
        if name not in server.options:
            known = ", ".join(sorted(server.options))
            raise ValueError(f"has the option {name[:40]!r}; there may be {known}")
        if given.count(name) > 1:
            raise ValueError(f"has the option {name} twice")


def _checked_table(name: str) -> str:
    if not re.fullmatch(r"([A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,62}", name):
        raise ValueError(f"{name[:60]!r} is no name of a table; write table or schema.table")
    return name


Url = Annotated[str, AfterValidator(_checked_url)]


class SqlLedger(Probe):
    """Commits numbered rows in one database, and asks another, or the same, which of them it has.

    Each attempt opens a connection, inserts one row and commits: it is good when COMMIT has
    returned. While the fault is on, and at the end, `read_from` is asked for all rows of the run;
    acknowledged ones that are missing give the RPO, and those whose `written` is another were
    changed. A transaction that failed or was given up may have been committed all the same: it
    counts neither as kept nor as lost. So does one that PostgreSQL commits with a warning, as when
    it no longer waits for its synchronous standby.

    The table has the columns `series` (text), `number` (bigint) and `written` (double precision),
    the first two its primary key. With `create` the first attempts make it, if it is not there.
    Rows stay in it; nothing is ever deleted. In MySQL it must be of an engine with transactions.

    URLs are postgresql://USER:PASSWORD@HOST:PORT/DATABASE or mysql://…, with what is special in a
    name percent-encoded (%40 for @); take the password from a secret variable. Further options
    behind a `?`: for PostgreSQL those of libpq that say how the server is verified (`sslmode`,
    `sslrootcert`, …), for MySQL `ssl_ca`, a file of CA certificates that the server must be
    verified by; without it the connection is not encrypted. Names are resolved by the probe.

    It needs the extra `postgresql` or `mysql`; in the clone: `pip install '.[postgresql]'`.

    Measured phases: `name`, `connect`, `write`, `commit` and `read`; for MySQL `write` includes the
    login and the commit.
    """

    summary: ClassVar[str] = "numbered rows in PostgreSQL or MySQL, and which a standby has (RPO)"
    example: ClassVar[str] = """
orders:
  kind: sql_ledger
  url: postgresql://drill@db.us-east-1.stream.example:5432/orders
  read_from: postgresql://drill@db.us-west-2.stream.example:5432/orders
  create: true
"""
    ledger: ClassVar[bool] = True

    kind: Literal["sql_ledger"]
    every: Duration = Field(default=0.5, ge=0.001, description="period of the grid")
    timeout: Duration = Field(
        default=5.0, gt=0, description="when an attempt, or one read of the table, is given up"
    )
    url: Url = Field(description="the database that is written to")
    read_from: Url | None = Field(
        default=None, description="the database that is asked what survived; default: url"
    )
    table: Annotated[str, AfterValidator(_checked_table)] = Field(
        default="chaos_ledger", description="the table, or schema.table"
    )
    create: bool = Field(default=False, description="whether to create it where it is not there")

    _made: bool = PrivateAttr(default=False)
    _written: dict[str, dict[int, float]] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _can_connect(self) -> Self:
        for url in filter(None, (self.url, self.read_from)):
            fits(urlsplit(url).hostname or "", self.family)
            server, extra = SERVERS[urlsplit(url).scheme]
            try:
                for module in server.modules:
                    importlib.import_module(module)
            except ImportError as error:
                raise ValueError(
                    f"sql_ledger needs the extra {extra}; in the clone: pip install '.[{extra}]'"
                ) from error
        return self

    async def check(self, net: Net, attempt: Attempt) -> None:
        """Insert the row with this attempt's number and commit, once."""
        attempt.detail["write"] = "unknown"
        series, table = _series(attempt), self._table(self.url)
        written = round(asyncio.get_running_loop().time(), 6)
        self._written.setdefault(series, {})[attempt.n] = written
        insert = f"INSERT INTO {table} (series, number, written) VALUES (%s, %s, %s)"  # noqa: S608  # a checked name
        statements = [Statement(insert, (series, attempt.n, written))]
        if self.create and not self._made:
            statements.insert(0, Statement(_created(table)))
        await self._server(self.url, net, attempt).write(statements)
        attempt.detail["write"] = "acknowledged"
        self._made = True

    async def read(self, net: Net, attempt: Attempt) -> list[int]:
        """The numbers that `read_from` has of this run, in rising order.

        Raises ProbeFailed when it cannot read all of them: half a list would call the rest lost.
        """
        url, series = self.read_from or self.url, _series(attempt)
        select = (
            f"SELECT number, written FROM {self._table(url)}"  # noqa: S608  # a checked name
            f" WHERE series = %s ORDER BY number LIMIT {MOST_ROWS + 1}"
        )
        rows = await self._server(url, net, attempt).read(Statement(select, (series,)))
        if len(rows) > MOST_ROWS:
            raise ProbeFailed(f"the table has more than {MOST_ROWS} rows of this run")
        sent = self._written.get(series, {})
        changed = {n for n, written in rows if n in sent and not same_time(written, sent[n])}
        attempt.detail[CONFLICTING] = sorted(changed)
        return [int(n) for n, _ in rows if n not in changed]

    def _server(self, url: str, net: Net, attempt: Attempt) -> PostgreSQL | MySQL:
        parts = urlsplit(url)
        server, _ = SERVERS[parts.scheme]
        target = Target(
            host=parts.hostname or "",
            port=parts.port or server.port,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=unquote(parts.path[1:]),
            options=dict(parse_qsl(parts.query)),
        )
        return server(net, target, attempt)

    def _table(self, url: str) -> str:
        server, _ = SERVERS[urlsplit(url).scheme]
        return ".".join(server.quoted(part) for part in self.table.split("."))


def _created(table: str) -> str:
    return (
        f"CREATE TABLE IF NOT EXISTS {table} (series varchar(190) NOT NULL, number bigint NOT NULL,"
        " written double precision NOT NULL, PRIMARY KEY (series, number))"
    )


def _series(attempt: Attempt) -> str:
    return f"{attempt.run}/{attempt.probe}"
