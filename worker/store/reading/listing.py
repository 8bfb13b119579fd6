"""Lists of jobs at a bounded cost, whatever is asked for and in whatever order.

A filter that few jobs meet could look through the whole table, and so could an order that no index
has. So a page looks at no more than `WINDOW` jobs, says how far it came, and goes on from there
when asked. What has no more than `SORTED` jobs is put in order whole.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    ScalarSelect,
    Select,
    UnaryExpression,
    any_,
    func,
    literal,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute

from models.jobs import Job
from models.messages import Message
from models.results import Result
from models.runs import Run
from models.vocabulary import OPEN_STATES, JobState
from worker.domain.filters import Node
from worker.store.filter_sql import JOINED, condition
from worker.store.reading.job_counts import counted_jobs
from worker.store.reading.listed_jobs import ListedJob, Page, Sort
from worker.store.rows import HIGHEST_ID

Chosen = Select[*tuple[Any, ...]]
WINDOW = 1_500
SORTED = 10_000


def list_jobs(
    connection: Connection,
    *,
    run_id: int | None,
    node: Node | None,
    before: int | None,
    limit: int,
    sort: Sort = Sort.NEWEST,
    skip: int = 0,
) -> Page:
    """A page of the jobs that meet a filter, of one run or of all. `before` is the `next` of the
    page before; it is a message's id within a run, and a job's id otherwise. `skip` passes over so
    many of an order other than the newest first, and `next` is where those that were not sorted
    begin."""
    if node is None:
        if sort:
            return _in_order(connection, run_id, before, limit, sort=sort, skip=skip)
        return _newest(connection, run_id, before, limit)
    size, place = _size(connection, run_id, sort), _place(run_id)
    newest = select(place.label("place")).limit(size)
    found = _newest_first(newest, run_id, before).subquery("seen").c.place
    ends = select(func.count(), func.min(found), func.max(found))
    seen, lowest, highest = connection.execute(ends).one()
    if not seen:
        return Page(jobs=[], next=None, matched=0)
    # A range of the same index: its rows lie together, and none is looked up one by one.
    columns = (*COLUMNS, place.label("place"))
    wanted = select(*columns).select_from(JOINED).where(place.between(lowest, highest))
    wanted = wanted if run_id is None else wanted.where(Job.run_id == run_id)
    wanted = wanted.order_by(*_order(sort), place.desc())
    wanted = wanted.add_columns(*(one.over().label(name) for name, one in _counted(Job.state)))
    # Left to itself, the planner hashes whole tables for a filter on reasons or findings, and for
    # an old run merges with all messages that came since.
    connection.execute(JOB_BY_JOB)
    rows = connection.execute(wanted.where(condition(node)).offset(skip).limit(limit + 1)).all()
    connection.execute(AS_BEFORE)
    jobs = _jobs(rows[:limit])
    if len(rows) > limit and not sort:
        more = rows[limit - 1].place
        return Page(jobs=jobs, next=more, whole=seen < size, **_counts(rows))
    return _page(jobs, _counts(rows), lowest=lowest, seen=seen, size=size)


def _newest(connection: Connection, run_id: int | None, before: int | None, limit: int) -> Page:
    """A page of all that there are."""
    place = _place(run_id)
    newest = select(Job.id, place.label("place")).limit(limit + 1)
    rows = connection.execute(_newest_first(newest, run_id, before)).all()
    more = rows[limit - 1].place if len(rows) > limit else None
    return Page(jobs=_filled(connection, [row.id for row in rows[:limit]]), next=more)


def _in_order(
    connection: Connection,
    run_id: int | None,
    before: int | None,
    limit: int,
    *,
    sort: Sort,
    skip: int,
) -> Page:
    """A page of an order without a filter. The newest are read once, with what the order is made
    of; only what is shown is looked up."""
    size, place = _size(connection, run_id, sort), _place(run_id)
    newest = select(Job.id.label("job"), place.label("place"), Job.state, KEYS[sort].label("key"))
    seen = _newest_first(newest.limit(size), run_id, before).cte("seen")
    # Once for the statement, whatever the planner expects: joined, it was made for each row.
    counted = (("lowest", func.min(seen.c.place)), *_counted(seen.c.state))
    pairs = (part for pair in counted for part in pair)
    total = select(func.jsonb_build_object(*pairs)).select_from(seen).scalar_subquery()
    wanted = select(seen.c.job, total.label("total"))
    wanted = wanted.order_by(*_order(sort, seen.c.key), seen.c.place.desc())
    rows = connection.execute(wanted.offset(skip).limit(limit)).all()
    if not rows:
        return Page(jobs=[], next=None, matched=0)
    counts: dict[str, int] = rows[0].total
    lowest, jobs = counts.pop("lowest"), _filled(connection, [row.job for row in rows])
    return _page(jobs, counts, lowest=lowest, seen=counts["matched"], size=size)


def _size(connection: Connection, run_id: int | None, sort: Sort) -> int:
    """How many jobs are looked at. An order of a part says little, so what is small is sorted
    whole."""
    whole = sort and counted_jobs(connection, run_id) <= SORTED
    return SORTED if whole else WINDOW


def _page(
    jobs: Sequence[ListedJob], counts: dict[str, int], *, lowest: int, seen: int, size: int
) -> Page:
    """One that says how far it looked where that is not all."""
    whole = seen < size
    further, looked_at = (None, None) if whole else (lowest, seen)
    return Page(jobs=jobs, next=further, looked_at=looked_at, whole=whole, **counts)


def _counts(rows: Sequence[Any]) -> dict[str, int]:
    """What every row says of all that were looked at."""
    names = ("matched", "unfinished", "dead")
    return {name: getattr(rows[0], name) if rows else 0 for name in names}


def _filled(connection: Connection, ids: list[int]) -> list[ListedJob]:
    """The jobs of a page, in its order."""
    chosen = Job.id == any_(literal(ids, ARRAY(BigInteger)))
    rows = connection.execute(select(*COLUMNS).select_from(JOINED).where(chosen)).all()
    found = {job.job: job for job in _jobs(rows)}
    return [found[job_id] for job_id in ids]


def _jobs(rows: Iterable[Any]) -> list[ListedJob]:
    return [
        ListedJob(**{column.name: getattr(row, column.name) for column in COLUMNS}) for row in rows
    ]


def jobs_with_id(connection: Connection, external_id: str, limit: int) -> list[ListedJob]:
    """Jobs of the message that is known by this id, newest first."""
    found = connection.execute(WITH_ID, {"external_id": external_id, "limit": limit})
    return _filled(connection, list(found.scalars()))


def exists(connection: Connection, job_id: int) -> bool:
    """Whether there is a job with this id."""
    return connection.execute(select(Job.id).where(Job.id == job_id)).scalar() is not None


def _order(sort: Sort, key: Any = None) -> tuple[UnaryExpression[Any], ...]:
    if not sort:
        return ()
    by = KEYS[sort] if key is None else key
    return ((by.asc() if sort is Sort.CONFIDENCE else by.desc()).nulls_last(),)


def _place(run_id: int | None) -> InstrumentedAttribute[int]:
    """What the newest are told by, from an index alone: ids, or within a run its messages'."""
    return Job.id if run_id is None else Job.message_id


def _newest_first(chosen: Chosen, run_id: int | None, before: int | None) -> Chosen:
    """From the place where the last page ended. A run is not said by `=`: its jobs are to be read
    by the run's own index, from behind, and not looked for among all that came later."""
    below = HIGHEST_ID if before is None else before
    if run_id is None:
        return chosen.where(Job.id < below).order_by(Job.id.desc())
    upto = tuple_(literal(run_id, BigInteger), literal(below, BigInteger))
    chosen = chosen.where(Job.run_id >= run_id, tuple_(Job.run_id, Job.message_id) < upto)
    return chosen.order_by(Job.run_id.desc(), Job.message_id.desc())


COLUMNS = (
    Job.id.label("job"),
    Job.run_id,
    Run.name.label("run"),
    Message.source,
    Message.external_id,
    Message.channel,
    Message.language,
    Job.state,
    func.coalesce(Result.tier, Job.tier).label("tier"),
    Job.difficulty,
    Result.confidence,
    Job.escalations,
    Job.attempts,
    Job.cost.label("cost_usd"),
    Job.reason,
    Job.created_at,
    Job.finished_at,
    Result.simulated,
)
KEYS: dict[Sort, InstrumentedAttribute[Any] | ScalarSelect[Any]] = {
    Sort.ENDED: Job.finished_at,
    Sort.COST: Job.cost,
    # Job by job: joined, the planner reads every result for some orders.
    Sort.CONFIDENCE: select(Result.confidence)
    .where(Result.job_id == Job.id)
    .correlate(Job)
    .scalar_subquery(),
}
"""What an order is made of."""


def _counted(state: Any) -> tuple[tuple[str, Any], ...]:
    """Of all that is looked at, whatever page of it is read; by name."""
    return (
        ("matched", func.count()),
        ("unfinished", func.count().filter(state.in_(OPEN_STATES))),
        ("dead", func.count().filter(state == JobState.DEAD)),
    )


WAYS = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
JOB_BY_JOB = text("; ".join(f"SET LOCAL {way} = off" for way in WAYS))
AS_BEFORE = text("; ".join(f"RESET {way}" for way in WAYS))
WITH_ID = text("""
SELECT j.id FROM (SELECT id FROM messages WHERE external_id = :external_id OFFSET 0) AS m
CROSS JOIN LATERAL (SELECT id FROM jobs WHERE message_id = m.id OFFSET 0) AS j
ORDER BY j.id DESC LIMIT :limit
""")
