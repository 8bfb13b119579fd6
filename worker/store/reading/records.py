"""Recorded jobs for forecasts: the newest, with what each answer cost and said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, text

from models.vocabulary import INQUIRIES, JUDGED
from worker.domain.in_force import UNCERTIFIED, InForce, score_of
from worker.domain.judgement import LOW_CONFIDENCE
from worker.domain.proof.changed_decisions import RecordedAnswer
from worker.domain.proof.replayed_cost import RecordedJob
from worker.domain.proof.strata import stratum_of

MOST = 20_000
"""The newest jobs that a forecast looks at: more would say little more, and take longer."""
BY_SCORE = frozenset({LOW_CONFIDENCE, UNCERTIFIED})


@dataclass(frozen=True, slots=True)
class RunPace:
    """A finished run of a lane: how many jobs, and how many seconds from first to last."""

    jobs: int
    seconds: float


def recorded_jobs(
    connection: Connection,
    policy_name: str | None,
    before_run: int | None = None,
    held: InForce | None = None,
) -> list[RecordedJob]:
    """The newest finished jobs, of one policy or of all; of runs made before `before_run`; with the
    scores that the certificate `held` would have given."""
    segment = held.segment_by if held is not None else None
    values = {"policy": policy_name, "before": before_run, "most": MOST, "segment": segment}
    found: dict[int, list[Row[Any]]] = {}
    for row in connection.execute(JOBS, values):
        found.setdefault(row.job_id, []).append(row)
    return [job for rows in found.values() if (job := _job(rows, held)) is not None]


def _job(rows: Sequence[Row[Any]], held: InForce | None) -> RecordedJob | None:
    answers = [row for row in rows if row.stage == "answer" and row.judged]
    if not answers:
        return None
    first = answers[0]
    routing = sum(float(row.cost) for row in rows if row.fence < first.fence)
    return RecordedJob(
        stratum=stratum_of(first.chars),
        day=str(first.day),
        start=first.tier,
        routing=routing,
        answers=[
            replace(recorded_answer(row), score=None if held is None else _score(held, row))
            for row in answers
        ],
        costs={row.fence: float(row.cost) for row in answers},
    )


def _score(held: InForce, row: Row[Any]) -> float:
    """As it was given under this very certificate, or as it would have been."""
    if row.certificate_id == held.number and row.score is not None:
        return float(row.score)
    segment = "" if row.segment is None else str(row.segment)
    confidence = float(row.confidence) if row.confidence is not None else None
    return float(score_of(held, segment, row.chars, row.length or None, confidence))


def recorded_answer(row: Row[Any]) -> RecordedAnswer:
    """An attempt with tier, fence, outcome, reasons and confidence, as decisions read it."""
    blocking = tuple(reason for reason in row.reasons if reason not in BY_SCORE)
    if row.outcome not in ("accepted", "rejected") and not blocking:
        blocking = (row.outcome,)
    return RecordedAnswer(
        tier=row.tier,
        fence=row.fence,
        blocking=blocking,
        confidence=float(row.confidence) if row.confidence is not None else None,
    )


def paces(connection: Connection, lane: str, before_run: int | None = None) -> list[RunPace]:
    """Finished runs of the lane, the newest twenty."""
    values = {"lane": lane, "before": before_run}
    return [RunPace(row.jobs, row.seconds) for row in connection.execute(PACES, values)]


# At realtime prices: half-price answers are doubled.
JOBS = text("""
WITH newest AS (
  SELECT j.id, j.created_at, char_length(m.body) AS chars,
    CASE CAST(:segment AS text) WHEN 'difficulty' THEN to_jsonb(j.difficulty)
      WHEN 'channel' THEN to_jsonb(m.channel) WHEN 'language' THEN to_jsonb(m.language)
      ELSE m.metadata -> CAST(:segment AS text) END AS segment
  FROM jobs AS j JOIN runs AS r ON r.id = j.run_id JOIN messages AS m ON m.id = j.message_id
  WHERE j.state IN ('answered', 'review') AND r.kind <> ALL(:asking)
    AND (CAST(:policy AS text) IS NULL OR r.policy_name = :policy)
    AND (CAST(:before AS bigint) IS NULL OR r.id < :before)
  ORDER BY j.id DESC LIMIT :most)
SELECT a.job_id, a.fence, a.stage, a.tier, a.outcome, a.reasons, a.confidence,
  a.cost * CASE a.lane WHEN 'batch' THEN 2 ELSE 1 END AS cost,
  a.outcome = ANY(:judged) AS judged, n.chars, n.created_at::date AS day,
  a.score, a.certificate_id, n.segment, char_length(s.reply) AS length
FROM newest AS n JOIN attempts AS a ON a.job_id = n.id
LEFT JOIN results AS s ON CAST(:segment AS text) IS NOT NULL AND s.job_id = a.job_id
  AND s.fence = a.fence
WHERE a.outcome <> 'started' ORDER BY a.job_id, a.fence
""").bindparams(judged=list(JUDGED), asking=list(INQUIRIES))
PACES = text("""
SELECT c.jobs, extract(epoch FROM r.finished_at - r.created_at)::float8 AS seconds
FROM runs AS r CROSS JOIN LATERAL (
  SELECT coalesce(sum(jobs), 0)::int AS jobs FROM run_counts WHERE run_id = r.id) AS c
WHERE r.state = 'finished' AND r.kind <> ALL(:asking) AND r.lane = :lane
  AND r.finished_at > r.created_at AND c.jobs > 0
  AND (CAST(:before AS bigint) IS NULL OR r.id < :before)
ORDER BY r.id DESC LIMIT 20
""").bindparams(asking=list(INQUIRIES))
