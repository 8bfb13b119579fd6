"""Preparation: what is found out about the messages of a chunk before any of them is claimed, for
nothing is asked of anybody while rows are locked."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from worker.domain.claimed import Prepared, Unready
from worker.domain.context import LookedUp, of_row
from worker.lookups.desk import RETRIEVER, LookupDesk
from worker.store.queue.candidates import LOOKUP
from worker.store.queue.claim import Claims
from worker.store.queue.wanting import Wanting


def prepare(claims: Claims, desk: LookupDesk, ids: Sequence[int]) -> dict[int, Prepared]:
    """By job; those whose policies ask nobody are left out."""
    found = dict[int, Prepared]()
    wanting = sorted(claims.wanting(ids), key=_asked)
    for names, group in groupby(wanting, key=_asked):
        jobs = list(group)
        for job, brought in zip(jobs, desk.ask(names, [one.asked for one in jobs]), strict=True):
            found[job.job_id] = _prepared(desk, job, brought)
    return found


def _asked(job: Wanting) -> tuple[str, ...]:
    """Look-ups, and last a retriever."""
    retriever = job.use.retriever
    return (*job.use.lookups, *([RETRIEVER + retriever] if retriever is not None else []))


def _prepared(desk: LookupDesk, job: Wanting, brought: tuple[LookedUp, ...]) -> Prepared:
    retrieved: tuple[str, ...] = ()
    if job.use.retriever is not None:
        *others, found = brought
        brought, retrieved = tuple(others), tuple(one["id"] for one in found.records)
    context = replace(of_row(job.use, job.asked.message), lookups=brought)
    missing = [
        (desk.on_failure(one.name), one)
        for one in brought
        if one.failed is not None and desk.on_failure(one.name) != "without"
    ]
    if not missing:
        return Prepared(context, retrieved=retrieved)
    then, one = max(missing, key=lambda found: found[0] == "person")
    why = f"look-up {one.name} {one.failed}"
    return Prepared(context, Unready(f"{LOOKUP}:{one.name}", why, then == "person"))
