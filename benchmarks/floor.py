"""What Postgres needs at the least for what a message writes, beside what it needs of Rung.

A worker answers a run. The rows say afterwards in which groups they were written: a claim's by its
moment, a record's by its transaction. While the worker answers the next run, one session writes the
same rows once more on the same server, group by group and commit by commit, as slowly as the worker
did, with the plainest statements there are: marks of dispatch, leases, attempts, calls, results,
labels and the two budgets. First into tables that have nothing but their primary keys, which is the
floor; then, each beside a run of its own, with Rung's other indexes, with its foreign keys, and
with its triggers as well. What Rung needs beyond the last is what it reads: looking for what is
ready, locking and judging it, and a plan of each statement for each connection.

Both go on at the same time, so that every moment of the machine meets both: a statement that runs
alone, again and again, takes half of what the same one takes between others. Pages are not written
to the log as a whole meanwhile, for how many are depends on checkpoints, and nothing is vacuumed,
for when that happens depends on a clock.
"""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import psycopg

from benchmarks.figures import Figure, Finding
from benchmarks.floor_rows import Group, copy_seed, groups_of
from benchmarks.house import House, house
from benchmarks.processes import cpu_s
from worker.sandbox.postgres import url_for
from worker.store.actions import holds
from worker.store.audit import Actor
from worker.store.engine import make_engine
from worker.store.schema import upgrade

TARGET, LOG_TARGET = 2.0, 1.5
"""Of Rung's CPU over the floor's, and of its log."""
WARM_UP = 300
IN_FLIGHT = {"haiku": 64, "sonnet": 32, "opus": 16}
LATENCY_SCALE = 0.2
WITHIN_S = 600
BENCH = Actor("benchmark")
APART = (
    "ALTER SYSTEM SET full_page_writes = off",
    "ALTER SYSTEM SET autovacuum = off",
    "SELECT pg_reload_conf()",
)
OURS = "(SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)"
CONSTRAINTS = f"""
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)
FROM pg_constraint WHERE conrelid IN {OURS} AND contype =
"""
TRIGGERS = f"""
SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass)
FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN {OURS}
"""
INDEXES = f"""
SELECT format('DROP INDEX %s', indexrelid::regclass)
FROM pg_index WHERE NOT indisprimary AND indrelid IN {OURS}
"""
KEYS, UNIQUE = f"{CONSTRAINTS} 'f'", f"{CONSTRAINTS} 'u'"
FLOOR = "primary keys alone, the floor"
LEVELS = {
    FLOOR: (TRIGGERS, KEYS, UNIQUE, INDEXES),
    "with the other indexes": (TRIGGERS, KEYS),
    "with foreign keys": (TRIGGERS,),
    "with triggers": (),
}
"""What each lacks of Rung's tables, as statements that give statements."""


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU milliseconds of Postgres, and bytes of its log."""

    ms: float
    log: float

    def less(self, other: "Spent") -> "Spent":
        """Without the other's."""
        return Spent(self.ms - other.ms, self.log - other.log)

    def said(self, messages: int) -> str:
        """For a message."""
        return f"{self.ms / messages:.3f} ms, {self.log / messages:.0f} B of log"


def run(*, quick: bool = False) -> Finding:
    """Rung's CPU and log over those of the floor, for as many messages at the same time."""
    size = 400 if quick else 1_500
    rung, plain = dict[str, Spent](), dict[str, Spent]()
    with house(latency_scale=LATENCY_SCALE, in_flight=IN_FLIGHT) as home, ExitStack() as stack:
        connection = stack.enter_context(psycopg.connect(home.environ["DATABASE_URL"]))
        connection.autocommit = True
        for statement in APART:
            connection.execute(statement)
        places = _places(home, connection)
        groups = _answered(home, connection, size, places)
        for number, level in enumerate(LEVELS):
            first = WARM_UP + (number + 1) * size
            rung[level], plain[level] = _beside(home, places[number], level, groups, (first, size))
    return Finding(
        "floor",
        (
            Figure("Postgres's CPU ÷ the floor's", rung[FLOOR].ms / plain[FLOOR].ms, TARGET, True),
            Figure("its log ÷ the floor's", rung[FLOOR].log / plain[FLOOR].log, LOG_TARGET, True),
        ),
        {
            "messages": size,
            "transactions that write, a message": len(groups) / size,
            **{level: spent.said(size) for level, spent in plain.items()},
            **{f"Rung beside it ({level})": spent.said(size) for level, spent in rung.items()},
            "simulated": True,
        },
    )


def _places(home: House, connection: psycopg.Connection) -> list[str]:
    """A database for each level, migrated."""
    url, levels = home.environ["DATABASE_URL"], range(len(LEVELS))
    connection.execute("CREATE DATABASE level_0")
    engine = make_engine(url_for(url, "level_0"), pool_size=1)
    upgrade(engine)
    engine.dispose()
    for number in levels[1:]:
        connection.execute(f"CREATE DATABASE level_{number} TEMPLATE level_0")
    return [url_for(url, f"level_{number}") for number in levels]


def _answered(
    home: House, connection: psycopg.Connection, size: int, places: Iterable[str]
) -> list[Group]:
    """The rows that a run wrote, in their groups. What it began with is copied to `places`."""
    home.wait_for(home.hand_in("warm-up", WARM_UP), within_s=WITHIN_S)
    holds.pause_queue(home.engine, BENCH, "everything", "its rows are written again")
    again = home.hand_in("again", size, first=WARM_UP)
    for place in places:
        with psycopg.connect(place) as target:
            copy_seed(connection, target)
    holds.resume_queue(home.engine, BENCH, "everything")
    home.wait_for(again, within_s=WITHIN_S)
    return groups_of(connection, again.id)


def _beside(
    home: House, place: str, level: str, groups: Sequence[Group], which: tuple[int, int]
) -> tuple[Spent, Spent]:
    """What a run takes, and what the rows of another take, plainly written meanwhile. `which` is
    where in the backlog it begins, and how many messages it has."""
    holds.pause_queue(home.engine, BENCH, "everything", "measured in a moment")
    counted = home.hand_in(level, which[1], first=which[0])
    with psycopg.connect(place) as connection, ThreadPoolExecutor(1) as pool:
        for dropping in LEVELS[level]:
            for (statement,) in connection.execute(dropping).fetchall():
                connection.execute(statement)
        connection.execute("ANALYZE jobs, messages")
        connection.commit()
        before, own = _spent(home), _own(connection)
        holds.resume_queue(home.engine, BENCH, "everything")
        writing = pool.submit(_write, connection, groups)
        home.wait_for(counted, within_s=WITHIN_S)
        writing.result()
        plain, both = _own(connection).less(own), _spent(home).less(before)
    return both.less(plain), plain


def _write(connection: psycopg.Connection, groups: Sequence[Group]) -> None:
    """Each group when it is as long after the first as it was."""
    began = time.monotonic() - groups[0].at
    for group in groups:
        time.sleep(max(0.0, began + group.at - time.monotonic()))
        for statement, values in group.writes:
            connection.execute(statement, values)
        connection.commit()


def _spent(home: House) -> Spent:
    return Spent(1000 * home.services_cpu_s()["postgres"], home.wal_bytes())


def _own(connection: psycopg.Connection) -> Spent:
    """Of this session alone."""
    (log,) = connection.execute(OWN_LOG).fetchone() or (0,)
    connection.commit()
    return Spent(1000 * cpu_s(connection.info.backend_pid), float(log))


OWN_LOG = "SELECT wal_bytes FROM pg_stat_get_backend_wal(pg_backend_pid())"
