"""Messages that say almost the same: what broke today, and one verdict for all of them."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine

from models.vocabulary import JobState
from worker.domain.near_duplicates import clusters
from worker.store.actions.reviews import Judged
from worker.store.queue.review_clusters import cluster_reviews
from worker.store.reading.clusters import (
    MOST,
    SOME,
    ComparedText,
    WaitingCluster,
    cluster_of,
    jobs_of,
    of_waiting,
    to_compare,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeMessages:
    """A cluster: `message` stands for all of it, `states` count its jobs, `first` and
    `last` are when the earliest and the latest came in."""

    cluster: int
    message: ComparedText
    messages: int
    states: Mapping[str, int]
    first: dt.datetime
    last: dt.datetime
    jobs: Sequence[int] = ()
    """Not of those that wait, who may be very many: `jobs_of` tells."""


def alike(
    connection: Connection, run_id: int | None, *, least: int, most: int, newest: int = MOST
) -> list[AlikeMessages]:
    """The biggest clusters of at least `least` messages, among so many of the newest, or of a run's
    newest."""
    rows = {row.id: row for row in to_compare(connection, run_id, newest)}
    return [
        _group([rows[job] for job in one.members])
        for one in clusters(((row.id, row.text) for row in rows.values()), least)[:most]
    ]


def alike_and_waiting(
    connection: Connection, run_id: int | None, *, least: int, most: int
) -> list[AlikeMessages]:
    """The biggest clusters of all that wait for a verdict, or of a run's."""
    found = of_waiting(connection, run_id, least=least, most=most)
    return [_waiting(one) for one in found]


def catch_up(engine: Engine) -> None:
    """Compares all that no worker has compared yet."""
    while cluster_reviews(engine, SOME):
        pass


def verdicts_on(
    connection: Connection, run_id: int | None, like: Judged
) -> list[tuple[int, Judged]]:
    """A person's word on one that waits, as a numbered sheet for all that wait and are like it; not
    for those that somebody judges meanwhile. Empty where it does not wait."""
    cluster = cluster_of(connection, like.job_id)
    jobs = [] if cluster is None else jobs_of(connection, run_id, cluster)
    return [(n, replace(like, job_id=job, known=0)) for n, job in enumerate(jobs, 1)]


def _group(members: Sequence[ComparedText]) -> AlikeMessages:
    return AlikeMessages(
        cluster=members[0].id,
        message=members[0],
        messages=len(members),
        jobs=[row.id for row in members],
        states=dict(Counter(row.state for row in members).most_common()),
        first=min(row.received for row in members),
        last=max(row.received for row in members),
    )


def _waiting(one: WaitingCluster) -> AlikeMessages:
    return AlikeMessages(
        cluster=one.id,
        message=one.message,
        messages=one.waiting,
        states={JobState.REVIEW: one.waiting},
        first=one.message.received,
        last=one.last,
    )
