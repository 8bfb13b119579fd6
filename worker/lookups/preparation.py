"""Preparation: what is found out about the messages of a chunk before any of them is claimed, for
nothing is asked of anybody while rows are locked."""

from collections.abc import Sequence
from dataclasses import replace
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
    """By job; those whose policies ask nobody are left out."""
    found = dict[int, Prepared]()
    wanting = sorted(claims.wanting(ids), key=_asked)
    for names, group in groupby(wanting, key=_asked):
        jobs = list(group)
        brought = desk.ask(names, [one.asked for one in jobs])
        retrieved = _retrieved(claims, desk, jobs, brought)
        for job, its in zip(jobs, brought, strict=True):
            lookups = its if job.use.retriever is None else its[:-1]
            found[job.job_id] = _prepared(desk, job, lookups, retrieved.get(job.job_id, ()))
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
        desk.note(called, [LookedUp(called, failed=NO_PGVECTOR)] * len(near))
        return {}
    return {key: tuple(names) for key, names in found.items()}


def _prepared(
    desk: LookupDesk, job: Wanting, brought: tuple[LookedUp, ...], retrieved: tuple[str, ...]
) -> Prepared:
    message = job.asked.message
    context = replace(of_row(job.use, message), lookups=brought)
    missing = [
        (desk.on_failure(one.name), one)
        for one in brought
        if one.failed is not None and desk.on_failure(one.name) != "without"
    ]
    if not missing:
        return Prepared(context=context, retrieved=retrieved, message=message)
    then, one = max(missing, key=lambda found: found[0] == "person")
    why = f"look-up {one.name} {one.failed}"
    unready = Unready(f"{LOOKUP}:{one.name}", why, then == "person")
    return Prepared(context=context, unready=unready, message=message)
