"""Preparation: what is found out about the messages of a chunk before any of them is claimed, for
nothing is asked of anybody while rows are locked."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from worker.domain.claimed import Prepared, Unready
from worker.domain.context import LookedUp, of_row
from worker.lookups.desk import LookupDesk
from worker.store.queue.claim import LOOKUP, Claims
from worker.store.queue.wanting import Wanting


def prepare(claims: Claims, desk: LookupDesk, ids: Sequence[int]) -> dict[int, Prepared]:
    """By job; those whose policies ask nobody are left out."""
    found = dict[int, Prepared]()
    wanting = sorted(claims.wanting(ids), key=lambda one: one.use.lookups)
    for names, group in groupby(wanting, key=lambda one: one.use.lookups):
        jobs = list(group)
        for job, brought in zip(jobs, desk.ask(names, [one.asked for one in jobs]), strict=True):
            found[job.job_id] = _prepared(desk, job, brought)
    return found


def _prepared(desk: LookupDesk, job: Wanting, brought: tuple[LookedUp, ...]) -> Prepared:
    context = replace(of_row(job.use, job.asked.message), lookups=brought)
    missing = [
        (desk.on_failure(one.name), one)
        for one in brought
        if one.failed is not None and desk.on_failure(one.name) != "without"
    ]
    if not missing:
        return Prepared(context)
    then, one = max(missing, key=lambda found: found[0] == "person")
    why = f"look-up {one.name} {one.failed}"
    return Prepared(context, Unready(f"{LOOKUP}:{one.name}", why, then == "person"))
