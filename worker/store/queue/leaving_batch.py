"""Runs of the batch lane that have a deadline: what is left of each, and the way out of the lane.

Promise: a job changes its lane in one statement, with one audit event for each group; an attempt
that is at Claude keeps the lane, and the price, that it was sent with.
"""

from collections.abc import Collection
from dataclasses import dataclass
from shlex import quote
from typing import Any

from sqlalchemy import Connection, Engine, Row, TextClause, text

from models.vocabulary import ROUTING
from worker.config.settings import Settings
from worker.domain.hold_words import NO_BATCHES, paused_words
from worker.domain.lane_choice import LanePace, Move, Rest
from worker.store.audit import RUNG, Actor, audit
from worker.store.queue import notices
from worker.store.rows import OPEN_JOBS

GROUP = 5_000
FEW_BATCHES = 3
"""So many batches must have ended before their own time is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineRun:
    """A live run of the batch lane with a deadline, `left_s` seconds away (negative: past)."""

    run_id: int
    name: str
    left_s: float
    rest: Rest


def runs_with_deadline(connection: Connection, settings: Settings) -> list[DeadlineRun]:
    """Those that still have jobs in the batch lane, or may get some."""
    return [_deadline_run(row, settings) for row in connection.execute(WITH_DEADLINE)]


def lane_paces(connection: Connection, settings: Settings) -> dict[str, LanePace]:
    """What the live workers can do in the realtime lane, by tier and `routing`."""
    held: dict[str, int] = {row.queue: row.capacity for row in connection.execute(CAPACITY)}
    tiers = {**settings.tiers, ROUTING: settings.tiers[settings.routing_tier]}
    return {name: LanePace(held.get(name, 0), tier.rpm) for name, tier in tiers.items()}


def turnaround_s(connection: Connection, assumed_s: float) -> float:
    """What nine of ten of the latest batches took, or `assumed_s` while too few have ended."""
    row = connection.execute(TURNAROUND).one()
    return float(row.p90) if row.batches >= FEW_BATCHES else assumed_s


def leave_lane(engine: Engine, run: DeadlineRun, which: Move, why: str) -> int:
    """Moves the run's jobs to the realtime lane, in groups. Returns how many.

    A batch that holds no job of the lane any more is cancelled by whoever tends the batches."""
    statements = (LEAVE_UNSENT,) if which is Move.UNSENT else (LEAVE_UNSENT, LEAVE_SENT)
    return sum(_move(engine, one, run.run_id, (RUNG, run.name, why)) for one in statements)


def end_lane(engine: Engine, actor: Actor, run_id: int, name: str) -> int:
    """The run is one of the realtime lane from now on, by a person's word: all that is open, and
    what will still come into it or climb. Returns how many jobs were moved."""
    with engine.begin() as connection:
        connection.execute(END_LANE, {"run": run_id})
    told = (actor, name, "by hand")
    return sum(_move(engine, one, run_id, told) for one in (LEAVE_UNSENT, LEAVE_SENT))


def pause_lane(engine: Engine, run_ids: Collection[int]) -> None:
    """Pauses runs that want batches where Claude has none. Other runs go on."""
    with engine.begin() as connection:
        values = {"runs": sorted(run_ids), "why": NO_BATCHES, "by": RUNG.name}
        for row in connection.execute(PAUSE_LANE, values):
            target, mend = f"run {row.name}", f"rung resume {quote(row.name)} --lane realtime"
            audit(connection, RUNG, "pause", target, 1, reason=NO_BATCHES)
            pause = paused_words(by=RUNG.name, since=row.at, reason=NO_BATCHES, now=row.at)
            words = f"Run {row.name} is {pause}. At full price: {mend}"
            notices.note(
                connection,
                "paused",
                key=f"lane:{row.id}:{row.at}",
                target=target,
                words=words,
                reason=NO_BATCHES,
            )


def _move(engine: Engine, statement: TextClause, run_id: int, told: tuple[Actor, str, str]) -> int:
    """`told` is for the audit: who, the run's name, and why."""
    total, (actor, name, why) = 0, told
    while True:
        with engine.begin() as connection:
            moved = connection.execute(statement, {"run": run_id, "limit": GROUP}).rowcount
            if moved:
                target = f"run {name}"
                audit(connection, actor, "move to the realtime lane", target, moved, reason=why)
        total += moved
        if moved < GROUP:
            return total


def _deadline_run(row: Row[Any], settings: Settings) -> DeadlineRun:
    rest = Rest(
        ladder=row.ladder or list(settings.tiers),
        routing_tier=settings.routing_tier,
        unrouted=row.by_tier.get("", 0),
        at_tier={tier: jobs for tier, jobs in row.by_tier.items() if tier},
        answered=row.answered,
        climbed=row.climbed,
    )
    return DeadlineRun(run_id=row.id, name=row.name, left_s=float(row.left_s), rest=rest)


PAUSE_LANE = text("""
UPDATE runs SET state = 'paused', state_reason = :why, paused_by = :by, paused_at = now()
WHERE id = ANY(:runs) AND state = 'active' RETURNING id, name, now() AS at
""")

END_LANE = text("""
UPDATE runs SET lane = 'realtime' WHERE id = :run AND finished_at IS NULL
""")

WITH_DEADLINE = text(f"""
SELECT r.id, r.name, extract(epoch FROM r.deadline - now()) AS left_s,
  r.policy -> 'ladder' AS ladder,
  coalesce((SELECT jsonb_object_agg(tier, jobs) FROM (
    SELECT tier, sum(jobs) AS jobs FROM run_counts
    WHERE run_id = r.id AND state IN ({OPEN_JOBS}) GROUP BY tier) AS c),
    '{{}}') AS by_tier,
  coalesce((SELECT jsonb_object_agg(tier, calls) FROM (
    SELECT tier, sum(calls) AS calls FROM run_spend
    WHERE run_id = r.id AND purpose = 'answer' AND state = 'done' GROUP BY tier) AS s),
    '{{}}') AS answered,
  coalesce((SELECT jsonb_object_agg(from_tier, jobs) FROM (
    SELECT from_tier, sum(escalations) AS jobs FROM run_escalations
    WHERE run_id = r.id AND to_tier <> 'person' GROUP BY from_tier) AS e),
    '{{}}') AS climbed
FROM runs AS r
WHERE r.finished_at IS NULL AND r.lane IN ('batch', 'mixed') AND r.deadline IS NOT NULL
ORDER BY r.id
""")  # noqa: S608 - constants only

CAPACITY = text("""
SELECT key AS queue, sum(value::int)::int AS capacity
FROM workers, jsonb_each_text(capacity)
WHERE seen_at > now() - interval '1 minute' AND NOT stopping GROUP BY key
""")

TURNAROUND = text("""
SELECT count(*) AS batches,
  percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM took)) AS p90
FROM (SELECT ended_at - submitted_at AS took FROM message_batches
  WHERE ended_at IS NOT NULL AND submitted_at IS NOT NULL AND cancelled_at IS NULL
  ORDER BY id DESC LIMIT 20) AS latest
""")

# Both are written so that there is one plan, whatever the planner believes. The run is a row here
# and not a value, of which statistics from before the intake would say that it has no jobs; so the
# index of what is ready is used, by its order.
LEAVE_UNSENT = text("""
UPDATE jobs SET lane = 'realtime' WHERE id = ANY(ARRAY(
  SELECT j.id FROM (SELECT CAST(:run AS bigint) AS id OFFSET 0) AS r CROSS JOIN LATERAL (
    SELECT id FROM jobs WHERE run_id = r.id AND queue LIKE 'batch.%'
      AND lease_until IS NULL
    ORDER BY queue, priority DESC, available_at, id LIMIT :limit FOR UPDATE SKIP LOCKED) AS j))
""")

# `OFFSET 0` keeps a step from being joined any other way: the run's jobs one by one, each attempt
# and batch by its key.
LEAVE_SENT = text("""
UPDATE jobs SET lane = 'realtime' WHERE id = ANY(ARRAY(
  SELECT j.id FROM jobs AS j CROSS JOIN LATERAL (
    SELECT a.batch_id FROM attempts AS a
    WHERE a.job_id = j.id AND a.fence = j.fence AND a.outcome = 'started' OFFSET 0) AS a
  WHERE j.run_id = :run AND j.state = 'submitted' AND j.lane = 'batch' AND EXISTS (
    SELECT FROM message_batches AS b
    WHERE b.id = a.batch_id AND b.state IN ('intended', 'submitted') OFFSET 0)
  LIMIT :limit FOR UPDATE OF j SKIP LOCKED))
""")
