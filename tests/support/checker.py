"""One checker after every scenario: each promise of the design, held against what is stored, what
the simulator was asked, and where the customers' text went.

It looks and never changes. `found` lists what is broken in words; `require` raises with the list.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import Connection, Engine, TextClause, text

from models.vocabulary import TERMINAL_STATES
from tests.support.checks import ALWAYS, AT_REST, LADDER, Check
from tests.support.counter_checks import COUNTED

TERMINAL = tuple(str(state) for state in TERMINAL_STATES)
SHOWN = 5
"""Violations of one check that are listed; the rest is counted."""

RESULTS = text("SELECT job_id, md5(r::text) FROM results AS r")
CALLS = text("""
SELECT job_id || '-' || fence || '-' || purpose AS key, state, http_status, lane FROM calls
""")


@dataclass(slots=True)
class Checker:
    """Holds the promises against one database. Remembers every result that it has seen, so that
    a later look finds one that changed or went."""

    ladder: Sequence[str] = LADDER
    allowed: Sequence[str] = TERMINAL
    """States in which a job may rest."""
    seen: dict[int, str] = field(default_factory=dict)

    def always(self, connection: Connection) -> list[str]:
        """What must not be found between any two transactions."""
        return self._look(connection, (*ALWAYS, *COUNTED)) + self.changed_results(connection)

    def at_rest(self, connection: Connection) -> list[str]:
        """What must not be found once everything has settled."""
        return self.always(connection) + self._look(connection, AT_REST)

    def _look(self, connection: Connection, checks: Iterable[Check]) -> list[str]:
        """One statement for all checks: they see one snapshot, and cost one round trip."""
        values = {"ladder": list(self.ladder), "allowed": list(self.allowed)}
        rows = connection.execute(_statement(tuple(checks)), values).all()
        return _shortened([(row.name, row.what) for row in rows])

    def changed_results(self, connection: Connection) -> list[str]:
        """Results that were recorded and are different now, or gone."""
        now = {row[0]: row[1] for row in connection.execute(RESULTS)}
        broken = [
            ("a recorded result never changes", f"the result of job {job} changed or went")
            for job, digest in self.seen.items()
            if now.get(job) != digest
        ]
        self.seen.update(now)
        return _shortened(broken)

    def require(self, engine: Engine, *, rest: bool = True) -> None:
        """Raises AssertionError with everything that is broken."""
        with engine.connect() as connection:
            found = self.at_rest(connection) if rest else self.always(connection)
        assert found == [], "\n".join(found)


@cache
def _statement(checks: tuple[Check, ...]) -> TextClause:
    """Made once: the state machine looks after every step."""
    parts = [
        f"SELECT '{check.name.replace(chr(39), chr(39) * 2)}' AS name, what"
        f" FROM ({check.sql}) AS broken(what)"
        for check in checks
    ]
    return text(" UNION ALL ".join(parts))


def _shortened(broken: Sequence[tuple[str, str]]) -> list[str]:
    by_name: dict[str, list[str]] = {}
    for name, what in broken:
        by_name.setdefault(name, []).append(what)
    return [
        f"{name}: {'; '.join(what[:SHOWN])}"
        + (f" and {len(what) - SHOWN} more" if len(what) > SHOWN else "")
        for name, what in sorted(by_name.items())
    ]


def ledger_against(connection: Connection, by_call: Mapping[str, int]) -> list[str]:
    """Compares the ledger with what the simulator was asked, call by call.

    Every request is in the ledger, and was sent once; every call that the ledger calls done, or
    failed with an HTTP status, was asked; so ledger - lost ≤ simulator ≤ ledger wherever failures
    came from Claude and not from the wire.
    """
    rows = {row.key: row for row in connection.execute(CALLS) if row.lane == "realtime"}
    broken = [
        ("every request is in the ledger", f"call {key} was asked and is not in the ledger")
        for key in by_call
        if key not in rows
    ]
    broken += [
        ("a call is asked once", f"call {key} was asked {count} times")
        for key, count in by_call.items()
        if count > 1
    ]
    broken += [
        ("the ledger holds no invented call", f"call {key} is {row.state} and was never asked")
        for key, row in rows.items()
        if key not in by_call and (row.state == "done" or row.http_status is not None)
    ]
    return _shortened(broken)


def text_outside(
    planted: Sequence[str], *, files: Path, redis_url: str | None, pids: Iterable[int] = ()
) -> list[str]:
    """Where planted text is found though it must not be: files (logs and temporary ones), every
    key and value in Redis, titles of processes."""
    needles = [word.encode() for word in planted]
    broken = [
        ("text is in Postgres only", f"planted text in file {path.name}")
        for path in sorted(files.rglob("*"))
        if path.is_file() and _holds(path.read_bytes(), needles)
    ]
    if redis_url is not None:
        broken += [
            ("text is in Postgres only", f"planted text in Redis key {name!r}")
            for name, value in redis_dump(redis_url).items()
            if _holds(value + name, needles)
        ]
    for pid in pids:
        title = Path(f"/proc/{pid}/cmdline")
        if title.exists() and _holds(title.read_bytes(), needles):
            broken.append(("text is in Postgres only", f"planted text in the title of {pid}"))
    return _shortened(broken)


def _holds(data: bytes, needles: Iterable[bytes]) -> bool:
    return any(needle in data for needle in needles)


READERS: Mapping[bytes, Any] = {
    b"string": lambda client, key: [client.get(key) or b""],
    b"list": lambda client, key: client.lrange(key, 0, -1),
    b"set": lambda client, key: list(client.smembers(key)),
    b"zset": lambda client, key: client.zrange(key, 0, -1),
    b"hash": lambda client, key: [part for pair in client.hgetall(key).items() for part in pair],
}


def redis_dump(url: str) -> dict[bytes, bytes]:
    """Every key of the server's databases with everything in it."""
    found: dict[bytes, bytes] = {}
    client = redis.Redis.from_url(url)
    try:
        for key in client.scan_iter(count=1000):
            kind: Any = client.type(key)
            found[key] = b"\n".join(READERS[kind](client, key)) if kind in READERS else b""
    finally:
        client.close()
    return found
