"""What each statement of the product takes in Postgres for a message: time, log and how often.

The house of the other benchmarks, with a Postgres that has `pg_stat_statements`: the wheel's has
not, so Debian's is used. Statements are named by the constants that hold them. What constraints and
triggers run is counted with the statement that set them off, and once more by itself. The time is
that of the clock: where a statement waited for another's lock, that is in it.
"""

import itertools
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.figures import Figure, Finding
from benchmarks.house import house
from tests.support.parts import PLACES, postgres
from tests.support.statements import statements

IN_FLIGHT = {"haiku": 64, "sonnet": 32, "opus": 16}
LATENCY_SCALE = 0.2
WARM_UP = 150
MS, LOG_BYTES = 0.7, 6_000
"""Of Postgres, for a message: what was set as the goal."""
SHOWN = 24
ALIKE = 60
"""Characters that begin a statement which is put together from pieces."""
COUNTING = (
    "shared_preload_libraries=pg_stat_statements",
    "pg_stat_statements.track=all",
    "pg_stat_statements.track_planning=on",
)
CONSTRAINT = re.compile(r"select \? from only .* for key share of x")
KINDS = (
    (CONSTRAINT, "foreign keys ask"),
    (re.compile(r"^(begin|commit|rollback|savepoint|release)"), "transactions begin and end"),
)
VARIABLES = re.compile(r"\$\d+|(?<!:):[a-z_][a-z0-9_]*|'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")

CAST = re.compile(r"\?::(?:[a-z_]+(?: precision| with(?:out)? time zone)?)(?:\[\])?")
"""As SQLAlchemy writes the type of a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One statement, or one kind of them: milliseconds, bytes of log."""

    name: str
    top: bool
    calls: int
    planning: float
    ms: float
    """With planning."""
    log: int

    def said(self, messages: int) -> str:
        """For a message."""
        return (
            f"{self.ms / messages:.3f} ms, planning {self.planning / messages:.3f},"
            f" {self.log / messages:.0f} B of log, {self.calls / messages:.2f} times"
        )


def run(*, quick: bool = False) -> Finding:
    """Milliseconds of Postgres's own clock and bytes of its log for a message, of all statements
    together and of each. Raises RuntimeError where Debian's Postgres is not installed."""
    if shutil.which("initdb", path=":".join(PLACES)) is None:
        raise RuntimeError("PostgreSQL is not installed: tests/support/get_servers.sh installs it")
    size = 600 if quick else 3_000
    with (
        _counting() as url,
        house(latency_scale=LATENCY_SCALE, in_flight=IN_FLIGHT, postgres_url=url) as home,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        home.wait_for(home.hand_in("warm-up", WARM_UP), within_s=120)
        connection.execute("SELECT pg_stat_statements_reset()")
        log = home.wal_bytes()
        home.wait_for(home.hand_in("counted", size, first=WARM_UP), within_s=600)
        log = home.wal_bytes() - log
        lines = sorted(_lines(connection), key=lambda line: -line.ms)
    total = sum(line.ms for line in lines if line.top)
    return Finding(
        "statements",
        (
            Figure("ms of statements a message", total / size, MS, True, " ms"),
            Figure("bytes of log a message", log / size, LOG_BYTES, True, " B"),
        ),
        {
            "messages": size,
            **{_heading(line): line.said(size) for line in lines[:SHOWN]},
            "simulated": True,
        },
    )


def _heading(line: Line) -> str:
    return line.name if line.top else f"(within others) {line.name}"


@contextmanager
def _counting() -> Iterator[str]:
    """A Postgres that counts its statements: its address."""
    with tempfile.TemporaryDirectory() as root, postgres(Path(root), *COUNTING) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pg_stat_statements")
        yield url


def _lines(connection: psycopg.Connection) -> Iterator[Line]:
    whole = {shape(text.text): name for name, text in statements()}
    named = {form[:ALIKE]: name for form, name in whole.items()} | whole
    rows = [(_name(query, named), *rest) for query, *rest in connection.execute(COUNTED).fetchall()]
    for (name, top), group in itertools.groupby(sorted(rows), key=lambda row: row[:2]):
        calls, planning, spent, log = map(sum, zip(*(row[2:] for row in group), strict=True))
        yield Line(name=name, top=top, calls=calls, planning=planning, ms=spent, log=int(log))


def _name(query: str, named: dict[str, str]) -> str:
    form = shape(query)
    for pattern, kind in KINDS:
        if pattern.match(form):
            return kind
    return named.get(form) or named.get(form[:ALIKE]) or f"{form[:ALIKE]}…"


def shape(query: str) -> str:
    """A statement without what differs from call to call, and without its line ends."""
    return CAST.sub("?", " ".join(VARIABLES.sub("?", query.lower()).split()))


COUNTED = """
SELECT query, toplevel, calls, total_plan_time, total_exec_time + total_plan_time, wal_bytes
FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
