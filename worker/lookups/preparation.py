"""Preparation: what is found out about the messages of a chunk before any of them is claimed, for
nothing is asked of anybody while rows are locked."""

from collections.abc import Sequence
from itertools import groupby

from worker.domain.claimed import Prepared, Unready
from worker.domain.context import LookedUp, of_row
from worker.lookups.desk import RETRIEVER, LookupDesk
from worker.lookups.kinds import VECTOR
from worker.store.queue.candidates import LOOKUP
from worker.store.queue.claim import Claims
from worker.store.queue.wanting import Wanting
from worker.store.vectors import Near

NO_PGVECTOR = "found nothing, for pgvector is not in this database (rung knowledge sync says why)"


def prepare(claims: Claims, desk: LookupDesk, ids: Sequence[int]) -> dict[int, Prepared]:
    """By job; those of which nothing has to be found out are left out."""
    found = dict[int, Prepared]()
    wanting, pages = claims.wanting(ids)
    for names, group in groupby(sorted(wanting, key=_asked), key=_asked):
        jobs = list(group)
        brought = desk.ask(names, [one.asked for one in jobs]) if names else [()] * len(jobs)
        retrieved = _retrieved(claims, desk, jobs, brought)
        for job, its in zip(jobs, brought, strict=True):
            lookups = its if job.use.retriever is None else its[:-1]
            found[job.job_id] = Prepared(
                context=of_row(job.use, job.asked.message, lookups),
                unready=_unready(desk, lookups),
                retrieved=retrieved.get(job.job_id, ()),
                message=job.asked.message,
                pages=pages.get(job.job_id),
            )
    return found


def _asked(job: Wanting) -> tuple[str, ...]:
    """Look-ups, and last a retriever."""
    retriever = job.use.retriever
    return (*job.use.lookups, *([RETRIEVER + retriever] if retriever is not None else []))


def _retrieved(
    claims: Claims,
    desk: LookupDesk,
    jobs: Sequence[Wanting],
    brought: Sequence[tuple[LookedUp, ...]],
) -> dict[int, tuple[str, ...]]:
    """Ids of passages: those that a retriever named, or the nearest to what an embedder brought."""
    name = jobs[0].use.retriever
    if name is None:
        return {}
    last = {job.job_id: (job, its[-1].records) for job, its in zip(jobs, brought, strict=True)}
    near = [
        Near(key=key, folders=job.folders, vector=records[0][VECTOR])
        for key, (job, records) in last.items()
        if records and VECTOR in records[0]
    ]
    if not near:
        return {key: tuple(one["id"] for one in records) for key, (_, records) in last.items()}
    found = claims.nearest(name, near)
    if found is None:
        called = RETRIEVER + name
        desk.note(called, [LookedUp(name=called, failed=NO_PGVECTOR)] * len(near))
        return {}
    return {key: tuple(names) for key, names in found.items()}


def _unready(desk: LookupDesk, brought: Sequence[LookedUp]) -> Unready | None:
    """Why a message is not asked about without what a look-up did not bring."""
    missing = [
        ("person" if one.for_good else desk.on_failure(one.name), one)
        for one in brought
        if one.failed is not None and desk.on_failure(one.name) != "without"
    ]
    if not missing:
        return None
    then, one = max(missing, key=lambda found: found[0] == "person")
    return Unready(f"{LOOKUP}:{one.name}", f"look-up {one.name} {one.failed}", then == "person")
