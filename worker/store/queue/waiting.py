"""What runs wait for: a budget that refused their next attempt, said wherever people look."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Connection, Row, text

from models.vocabulary import Stage
from worker.domain.budget_waits import (
    ClaimedCall,
    Foreseen,
    after_claim,
    foreseeing,
    read_waits,
    waiting_of,
)
from worker.domain.budget_words import UNROUTED
from worker.domain.claimed import Candidate, Claimed, Plan, Question
from worker.store.queue.gates import Stop, Stops
from worker.store.rows import OPEN_JOBS
from worker.store.scopes import day_scope, run_scope

BUDGET_WAIT_S = 15.0
SETTLING_WAIT_S = 2.0
"""While calls are in flight: what they leave of their reservations may be enough in a moment, so
that a run goes on until less than one worst case is left, if need be one call at a time."""
BUDGETS = (Stop.RUN_BUDGET, Stop.DAY_BUDGET)


def note_waiting(
    connection: Connection,
    rows: Sequence[Row[Any]],
    planned: Sequence[Claimed],
    granted: Sequence[Claimed],
    stops: Stops,
    planner: Callable[[Candidate], Plan],
) -> None:
    """Keeps `runs.waiting_for` and `waiting_usd` true; `rows` are those that were ready, `planned`
    what they would ask by `planner`, and `stops` says why some of them were not granted."""
    refused = [job_id for job_id, stop in stops.items() if stop in BUDGETS]
    claimed_runs = {claimed.candidate.run_id for claimed in granted}
    if refused:
        _postpone(connection, rows[0].today, refused, stops, claimed_runs)
    waited = {row.run_id for row in rows if row.waiting_for is not None}
    if refused or waited:
        calls = _calls(planned, granted, stops)
        short = {run_id for run_id, made in calls.items() if any(call.stop for call in made)}
        for run_id in sorted(waited | short):
            foreseen = _foreseen(planned, run_id, planner) if run_id in short else {}
            _note(connection, run_id, calls.get(run_id, []), foreseen)


def _foreseen(
    planned: Sequence[Claimed], run_id: int, planner: Callable[[Candidate], Plan]
) -> dict[str, Foreseen]:
    """What the longest of these messages of a run may cost at each tier of its ladder (nothing at
    one where it is not asked): the sum that is enough, and what is likely, know what is to come
    long before anything gets there."""
    mine = [one.candidate for one in planned if one.candidate.run_id == run_id]
    longest = max(mine, key=lambda one: len(one.message.body))
    plans = {
        tier: planner(replace(longest, stage=Stage.ANSWER, tier=tier))
        for tier in longest.policy.ladder
    }
    return {
        tier: Foreseen(plan.reserved, plan.rate)
        if isinstance(plan, Question)
        else Foreseen(Decimal(0))
        for tier, plan in plans.items()
    }


def _note(
    connection: Connection,
    run_id: int,
    calls: Sequence[ClaimedCall],
    foreseen: Mapping[str, Foreseen],
) -> None:
    """Adds to a run's waits what this claim came to. Its budget's row is locked by then, so that no
    other claim of the run writes between."""
    row = connection.execute(WAITS, {"run": run_id}).one()
    waits = foreseeing(after_claim(read_waits(row.tier_waits), calls), foreseen)
    left = row.left
    if left is not None:
        left -= sum((call.worst for call in calls if call.stop is None), Decimal(0))
    waiting = waiting_of(waits, row.open_jobs or {}, Stop.RUN_BUDGET, left)
    values = {"run": run_id, "words": waiting.words, "usd": waiting.usd}
    stored = orjson.dumps({tier: wait.as_json() for tier, wait in waits.items()}).decode()
    connection.execute(SET_WAITING, values | {"waits": stored})


def _postpone(
    connection: Connection,
    today: dt.date,
    refused: Sequence[int],
    stops: Stops,
    going: Collection[int],
) -> None:
    """`going` are the runs of which something was granted just now."""
    day = day_scope(today)
    values = {
        "ids": refused,
        "by_day": [job_id for job_id in refused if stops[job_id] is Stop.DAY_BUDGET],
        "day": day,
        "drawn_on": [*map(run_scope, going), *([day] if going else [])],
        "wait": BUDGET_WAIT_S,
        "soon": SETTLING_WAIT_S,
    }
    connection.execute(POSTPONE, values)


def _calls(
    planned: Sequence[Claimed], granted: Sequence[Claimed], stops: Stops
) -> dict[int, list[ClaimedCall]]:
    """Calls that were granted or that a budget refused, by run; what asks nothing is left out."""
    going = {one.candidate.job_id for one in granted}
    calls = dict[int, list[ClaimedCall]]()
    for one in planned:
        stop = stops.get(one.candidate.job_id)
        refused = stop if stop in BUDGETS else None
        if one.reserved and (refused is not None or one.candidate.job_id in going):
            call = ClaimedCall(one.candidate.tier or UNROUTED, one.reserved, refused)
            calls.setdefault(one.candidate.run_id, []).append(call)
    return calls


POSTPONE = text("""
WITH unmarked AS (DELETE FROM dispatches WHERE job_id = ANY(:ids))
UPDATE jobs AS j SET
  available_at = now() + make_interval(secs => CASE WHEN b.settling THEN :soon ELSE :wait END)
FROM unnest(CAST(:ids AS bigint[])) AS refused(id) JOIN jobs AS one USING (id)
CROSS JOIN LATERAL (
  SELECT CASE WHEN refused.id = ANY(:by_day) THEN :day ELSE 'run:' || one.run_id END AS scope
) AS s
CROSS JOIN LATERAL (
  SELECT s.scope = ANY(:drawn_on) OR EXISTS (
    SELECT FROM budgets WHERE scope = s.scope AND reserved > 0) AS settling) AS b
WHERE j.id = refused.id
""")

WAITS = text(f"""
SELECT tier_waits, (
  SELECT cap + overrun - spent - reserved FROM budgets WHERE run_id = r.id) AS left, (
  SELECT jsonb_object_agg(tier, jobs) FROM (
    SELECT tier, sum(jobs)::bigint AS jobs FROM run_counts
    WHERE run_id = r.id AND state IN ({OPEN_JOBS}) GROUP BY 1 HAVING sum(jobs) > 0) AS n
) AS open_jobs
FROM runs AS r WHERE id = :run
""")  # noqa: S608 - constants only

SET_WAITING = text("""
UPDATE runs SET waiting_for = :words, waiting_usd = :usd, tier_waits = CAST(:waits AS jsonb)
WHERE id = :run AND (waiting_for, waiting_usd, tier_waits)
  IS DISTINCT FROM (:words, CAST(:usd AS numeric), CAST(:waits AS jsonb))
""")
