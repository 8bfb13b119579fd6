"""Two policies on the same messages: two runs beside one another, whose answers go to nobody."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from shlex import quote
from typing import Any

from sqlalchemy import Connection, Engine

from models.vocabulary import Lane, RunKind
from worker.claude.prompts import prompts_of
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.backlog import Record
from worker.domain.side_by_side import SideBySide, side_by_side
from worker.errors import UsageError
from worker.store.actions.samples import copy_sample, set_beside
from worker.store.audit import Actor, audit
from worker.store.new_runs import NewRun, create_run
from worker.store.queue.chunks import add_all
from worker.store.queue.intake import highest_job
from worker.store.queue.run_intake import close_intake, inherit_columns
from worker.store.reading.blind_pairs import pair_verdicts
from worker.store.reading.comparing import pairs_of
from worker.store.reading.job_counts import counted_jobs
from worker.store.reading.standings import standing_of
from worker.store.runs import RunRef, StoredRun, find_run

SEED = 20_261_126
"""The same file gives the same sample."""
USUAL_SAMPLE, MOST_SAMPLED = 200, 10_000
"""Messages that are answered under each policy."""
READ_ON_A_SCREEN = 20_000
"""Messages of a run that are read one by one while somebody waits for a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRequest:
    """Two policies, how many messages, in which lane, and what both together may cost."""

    policies: tuple[str, str]
    sample: int
    lane: Lane = Lane.REALTIME
    max_cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """The two runs and how many messages each has."""

    runs: tuple[RunRef, RunRef]
    messages: int


def sampled(records: Iterable[Record], most: int) -> list[Record]:
    """As many records by chance, each as likely as any other, in their order; all of a stream that
    has no more. Holds no more than `most` of them."""
    chance, kept = random.Random(SEED), list[Record]()
    for seen, record in enumerate(records):
        if seen < most:
            kept.append(record)
        elif (place := chance.randrange(seen + 1)) < most:
            kept[place] = record
    return sorted(kept, key=lambda record: record.line)


def compare_records(
    engine: Engine, settings: Settings, actor: Actor, request: CompareRequest, given: list[Record]
) -> Compared:
    """Both policies on these records, which may be in other runs too. Raises UsageError without
    any, and ConfigurationError."""
    if not given:
        raise UsageError("There is no message to compare on.", mend="give another file")
    with engine.begin() as connection:
        a, b = _runs(connection, settings, request)
        first_job = highest_job(connection)
    own = add_all(engine, a, [given], first_job)
    with engine.begin() as connection:
        close_intake(connection, a, 0, 0, own)
        return _filled(connection, actor, request, (a, b), a.id)


def compare_run(
    connection: Connection, settings: Settings, actor: Actor, request: CompareRequest, run: int
) -> Compared:
    """Both policies on a sample of a run's messages, in the caller's transaction. Raises UsageError
    where it has none, and ConfigurationError."""
    a, b = _runs(connection, settings, request)
    if not copy_sample(connection, run, a, request.sample):
        raise UsageError("That run has no message to compare on.", mend="rung runs")
    close_intake(connection, a, 0, 0)
    inherit_columns(connection, a, [run])
    return _filled(connection, actor, request, (a, b), a.id)


def _filled(
    connection: Connection,
    actor: Actor,
    request: CompareRequest,
    runs: tuple[RunRef, RunRef],
    first: int,
) -> Compared:
    messages = copy_sample(connection, first, runs[1], request.sample)
    close_intake(connection, runs[1], 0, 0)
    inherit_columns(connection, runs[1], [first])
    told: dict[str, Any] = {"policies": list(request.policies)}
    audit(connection, actor, "compare", f"run {runs[0].name}, {runs[1].name}", messages, **told)
    return Compared(runs, messages)


def _runs(
    connection: Connection, settings: Settings, request: CompareRequest
) -> tuple[RunRef, RunRef]:
    cap = request.max_cost / 2 if request.max_cost is not None else settings.budget.per_run_usd
    made = list[RunRef]()
    for name in request.policies:
        policy = policy_named(settings, name)
        new = NewRun(
            name=f"compare-{name}",
            policy=policy,
            prompts=prompts_of(settings, policy),
            lane=request.lane,
            budget_cap=cap,
            kind=RunKind.SHADOW,
        )
        made.append(create_run(connection, new))
    set_beside(connection, made[0], made[1])
    return made[0], made[1]


def two_runs(connection: Connection, a: str, b: str) -> tuple[StoredRun, StoredRun]:
    """Both by name or number. Raises UsageError for one and the same."""
    found = find_run(connection, a), find_run(connection, b)
    if found[0].id == found[1].id:
        raise UsageError(f"{found[0].name} and {found[1].name} are the same run.", mend="rung runs")
    return found


def read_comparison(engine: Engine, a: StoredRun, b: StoredRun) -> SideBySide:
    """What came of two runs on the same messages, with people's verdicts."""
    with engine.connect() as connection:
        verdicts = pair_verdicts(connection, a.id, b.id)
        simulated = any(standing_of(connection, run.id).simulated for run in (a, b))
    return side_by_side(pairs_of(engine, a, b), verdicts, (a.name, b.name), simulated=simulated)


def refuse_long(connection: Connection, *runs: StoredRun) -> None:
    """Raises UsageError for runs that take too long to be read while somebody waits."""
    for run in runs:
        if (jobs := counted_jobs(connection, run.id)) > READ_ON_A_SCREEN:
            raise UsageError(
                f"Run {run.name} has {jobs:,} messages, and a page compares {READ_ON_A_SCREEN:,}"
                " at the most.",
                mend="rung compare " + " ".join(quote(one.name) for one in runs),
            )
