"""Messages that say almost the same: what broke today, and one verdict for all of them."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from worker.domain.near_duplicates import clusters
from worker.store.actions.reviews import Judged
from worker.store.reading.clusters import MOST, ComparedText, to_compare


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeMessages:
    """A cluster: `message` stands for all of it, `states` count its jobs, `first` and
    `last` are when the earliest and the latest came in."""

    message: ComparedText
    jobs: Sequence[int]
    states: Mapping[str, int]
    first: dt.datetime
    last: dt.datetime


def alike(
    connection: Connection,
    run_id: int | None,
    *,
    review: bool,
    newest: int,
    least: int,
    most: int,
) -> list[AlikeMessages]:
    """The biggest clusters of at least `least` messages, among so many of the newest, or of a run's
    newest."""
    found = to_compare(connection, run_id, review=review, newest=newest)
    rows = {row.id: row for row in found}
    return [
        _group([rows[job] for job in one.members])
        for one in clusters(((row.id, row.text) for row in rows.values()), least)[:most]
    ]


def all_like(
    connection: Connection, run_id: int | None, job: int, newest: int = MOST
) -> Sequence[int]:
    """What waits for a verdict and is like the job, itself included, among so many of the newest;
    nothing where it does not wait."""
    rows = to_compare(connection, run_id, review=True, newest=newest)
    for one in clusters(((row.id, row.text) for row in rows), 1):
        if job in one.members:
            return one.members
    return ()


def verdicts_on(
    connection: Connection, run_id: int | None, like: Judged, newest: int = MOST
) -> list[tuple[int, Judged]]:
    """A person's word on one that waits, as a numbered sheet for all that wait and are like it,
    among so many of the newest; not for those that somebody judges meanwhile."""
    jobs = all_like(connection, run_id, like.job_id, newest)
    return [(n, replace(like, job_id=job, known=0)) for n, job in enumerate(jobs, 1)]


def _group(members: Sequence[ComparedText]) -> AlikeMessages:
    return AlikeMessages(
        message=members[0],
        jobs=[row.id for row in members],
        states=dict(Counter(row.state for row in members).most_common()),
        first=min(row.received for row in members),
        last=max(row.received for row in members),
    )
