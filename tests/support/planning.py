"""Every statement that touches a table which grows, tried under the statistics of other times."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event, text

from tests.support.backlog_rows import DAY, OLD, Statistics, fill, put_back
from tests.support.plan_values import BEFORE, Values
from tests.support.plan_work import Work, work_of
from tests.support.statements import TABLES, of_big_tables
from worker.domain.filter_parsing import parse
from worker.store.actions import changes, choosing, foresight, glances, recent_costs
from worker.store.actions.choosing import Choice
from worker.store.actions.selection import Selection
from worker.store.audit import Actor
from worker.store.queue import intake, trial
from worker.store.reading import listing
from worker.store.reading.listed_jobs import Sort
from worker.store.runs import RunRef

ROWS_A_ROW = 100
TIMES = 20
LIMIT_MS, LONGEST_MS = 3_000, 60_000
FEW, BRIEF_MS = 2_000, 200.0
"""Less than this is no trouble, whatever it is compared with."""

ONE_PASS = (
    *(
        "audits.DRAW_LATER",
        "audits.SHADOWS_LATER",
        "audits.LOOKS_LATER",
        "audits.SHADOWS",
        "blind_pairs.NEXT",
        "blind_pairs.VERDICTS",
        "results.FOUND",
        "results.RESULTS[answered]",
        "results.RESULTS[ready]",
        "sources.CITED",
    ),
    *(
        "policies.ORIGIN_POLICIES",
        "bill.REJECTED",
        "reservations.RECONCILE",
        "job_samples.ALL",
        "job_samples.DRAWN",
        "graded.ANSWERS",
        "graded.MESSAGES",
        "replay.ATTEMPTS",
        "screens.DIFFERENCE",
    ),
)
"""Statements that are meant to look at each job of a run once: to draw a few of them by chance, to
learn from all of them, to find what nobody has written down, to add up what all of them cost. A
page of what was answered passes what was not, for the state of a job is in no index of all jobs."""
A_JOB = 3.5
"""Rows of one job that such a pass may read: itself, its attempts, a call and a result."""
ACTOR = Actor("a test")
Builder = Callable[[Connection], object]
SOME = parse("tier = haiku and reason = low_confidence")
OF_DAY = Selection(run_id=DAY, run_name="day")
SOME_OF_DAY = Selection(run_id=DAY, run_name="day", node=SOME)
LATER = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
BUILT: dict[str, Builder] = {
    "choosing.look_at": lambda c: choosing.look_at(c, Choice(SOME, DAY), "ladder"),
    "choosing.copy_jobs": lambda c: choosing.copy_jobs(
        c, Choice(SOME, DAY), RunRef(id=1, name="run1", lane="batch", priority=0)
    ),
    "recent_costs.recent_costs": lambda c: recent_costs.recent_costs(c, "ladder"),
    "foresight.foresee": lambda c: foresight.foresee(c, changes.RETRY, SOME_OF_DAY),
    "glances.glance": lambda c: glances.glance(c, changes.CANCEL, Selection(node=SOME)),
    "glances.runs": lambda c: glances.glance_runs(c, Selection(node=SOME)),
    "glances.of a run": lambda c: glances.glance(c, changes.CANCEL, SOME_OF_DAY),
    "changes.runs_of": lambda c: changes.runs_of(c, SOME_OF_DAY),
    "changes.cancel": lambda c: changes._change_jobs(c, ACTOR, changes.CANCEL, OF_DAY, 5_000),
    "changes.retry": lambda c: changes._change_jobs(c, ACTOR, changes.RETRY, OF_DAY, 5_000),
    "changes.dead": lambda c: foresight.foresee(
        c, changes.RETRY, Selection(run_id=DAY, run_name="day", until=LATER)
    ),
    "listing.list_jobs": lambda c: listing.list_jobs(
        c, run_id=DAY, node=SOME, before=None, limit=50
    ),
    "listing.of all runs": lambda c: listing.list_jobs(
        c, run_id=None, node=None, before=None, limit=50
    ),
    "listing.of an old run": lambda c: listing.list_jobs(
        c, run_id=OLD, node=None, before=None, limit=50
    ),
    "listing.sorted": lambda c: listing.list_jobs(
        c, run_id=DAY, node=None, before=None, limit=50, sort=Sort.COST
    ),
    "listing.by confidence": lambda c: listing.list_jobs(
        c, run_id=None, node=None, before=None, limit=50, sort=Sort.CONFIDENCE
    ),
    "listing.jobs_with_id": lambda c: listing.jobs_with_id(c, "m77", 20),
}
"""What puts its statements together itself."""
BOUNDED = ("listing.of all runs", "listing.of an old run", "listing.jobs_with_id")
"""What of it is a page, and no more, whatever was asked for."""


@dataclass(frozen=True, slots=True)
class Filled:
    engine: Engine
    jobs: int
    moments: dict[str, Statistics]
    tried: dict[str, tuple[str, dict[str, Any]]]
    """Statements with their values, by name."""


def filled_with(engine: Engine, jobs: int) -> Filled:
    """Fills an empty database, and finds a value for each parameter of each statement."""
    moments = fill(engine, jobs)
    with engine.connect() as connection:
        values = Values(connection)
        tried = {
            name: (statement.text, values.of(name, statement._bindparams))
            for name, statement in of_big_tables().items()
            if not statement.text.lstrip().startswith(("CREATE", "ANALYZE"))
            and values.knows(name, statement)
        }
        for name, build in BUILT.items():
            for number, (statement, bound) in enumerate(captured(connection, build)):
                tried[f"{name} {number}"] = (statement, bound)
            connection.rollback()
    return Filled(engine, jobs, moments, tried)


def captured(connection: Connection, build: Builder) -> list[tuple[str, dict[str, Any]]]:
    """The statements that a builder sends, as texts to be bound again."""
    sent: list[tuple[str, dict[str, Any]]] = []

    def note(_c: Any, _cursor: Any, statement: str, bound: Any, _context: Any, _m: bool) -> None:
        if TABLES.search(statement):
            sent.append((statement, bound))

    event.listen(connection, "before_cursor_execute", note)
    build(connection)
    event.remove(connection, "before_cursor_execute", note)
    return sent


def work_under(
    filled: Filled, moment: str, names: Iterable[str], fresh: Mapping[str, Work] | None = None
) -> dict[str, Work]:
    """What each statement does under the statistics of a moment: within `TIMES` the time of
    `fresh`, where that is known."""
    found: dict[str, Work] = {}
    with filled.engine.connect() as connection:
        put_back(connection, filled.moments[moment])
        connection.commit()
        for name in names:
            statement, values = filled.tried[name]
            limit_ms = _patience_ms(fresh[name]) if fresh is not None else LONGEST_MS
            if before := BEFORE.get(name):
                for table in (intake.STAGE, trial.TRIED, trial.TRYING):
                    connection.execute(table)
                connection.execute(text(before))
            connection.execute(text(f"SET LOCAL statement_timeout = {limit_ms}"))
            found[name] = work_of(connection, statement, values)
            connection.rollback()
    return found


def _patience_ms(fresh: Work) -> int:
    """What runs into this takes too long, whatever it reads."""
    return round(min(max(LIMIT_MS, TIMES * fresh.ms), LONGEST_MS))


def worse(fresh: Work, stale: Work, *, pass_rows: float, built: bool) -> str | None:
    """What is wrong with a statement under other statistics. What people put together themselves
    may look at much and find little: it may go once through the jobs (`pass_rows`)."""
    if built and stale.read <= pass_rows:
        return None
    if not built and stale.read > FEW and stale.a_row > ROWS_A_ROW:
        return f"reads {stale.read:,.0f} rows for {stale.used:,.0f}"
    if stale.read > FEW and stale.read > TIMES * fresh.read:
        return f"reads {stale.read:,.0f} rows instead of {fresh.read:,.0f}"
    if stale.ms > BRIEF_MS and stale.ms > TIMES * fresh.ms:
        return f"takes {stale.ms:,.0f} ms instead of {fresh.ms:,.0f}"
    return None


def faults_of(
    filled: Filled, moment: str, names: Iterable[str], known: Mapping[str, Work] | None = None
) -> dict[str, str]:
    """What is wrong under the statistics of a moment, with the plans. `known` is what each does
    under fresh ones, where that was measured before."""
    fresh = known or work_under(filled, "fresh", names)
    stale = work_under(filled, moment, names, fresh)
    found: dict[str, str] = {}
    for name in names:
        built = name in ONE_PASS or name.rpartition(" ")[0] in BUILT.keys() - {*BOUNDED}
        if said := worse(fresh[name], stale[name], pass_rows=A_JOB * filled.jobs, built=built):
            found[name] = f"{name} under statistics of {moment!r}: {said}\n{stale[name].plan}"
    return found
