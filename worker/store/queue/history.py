"""What a job's earlier answer attempts brought: judged answers, and one kept for its check."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, text

from models.vocabulary import NOT_GOOD_ENOUGH, AttemptOutcome, Stage
from worker.domain.answers import ModelAnswer
from worker.domain.claimed import KeptAnswer, PastAnswer


@dataclass(frozen=True, slots=True)
class Past:
    """Judged answers, oldest first; the answer that the last attempt could not have checked; and
    whether an earlier routing attempt failed, or brought no label."""

    answers: tuple[PastAnswer, ...] = ()
    kept: KeptAnswer | None = None
    alone: bool = False


NO_PAST = Past()


def past_of(connection: Connection, job_ids: Sequence[int]) -> dict[int, Past]:
    """The past of every job that has one."""
    rows = connection.execute(PAST, {"ids": list(job_ids)})
    return {
        job_id: _past(list(attempts)) for job_id, attempts in groupby(rows, lambda row: row.job_id)
    }


def _past(rows: Sequence[Row[Any]]) -> Past:
    last = rows[-1]
    if last.stage == Stage.ROUTE:
        return Past(alone=True)
    rows = [row for row in rows if row.stage == Stage.ANSWER]
    kept = None
    if last.outcome == AttemptOutcome.DEFERRED:
        answer = ModelAnswer(last.output or "", last.stop_reason)
        kept = KeptAnswer(fence=last.answered_in, tier=last.tier, model=last.model, answer=answer)
    judged = (row for row in rows if row.outcome != AttemptOutcome.DEFERRED)
    return Past(tuple(_answer(row) for row in judged), kept)


def _answer(row: Row[Any]) -> PastAnswer:
    return PastAnswer(
        fence=row.fence,
        tier=row.tier,
        model=row.model,
        reasons=tuple(row.reasons),
        decision=row.decision,
        hint=row.hint,
        output=row.output,
        simulated=row.simulated,
    )


PAST = text("""
SELECT a.job_id, a.fence, a.stage, a.outcome, a.tier, a.model, a.reasons, a.decision, a.hint,
  c.fence AS answered_in, c.output, c.stop_reason, c.simulated
FROM unnest(CAST(:ids AS bigint[])) AS one(id)
CROSS JOIN LATERAL (SELECT * FROM attempts WHERE job_id = one.id OFFSET 0) AS a
LEFT JOIN LATERAL (
  SELECT * FROM calls
  WHERE job_id = a.job_id AND fence = coalesce(a.answer_fence, a.fence) AND purpose = 'answer'
  OFFSET 0) AS c ON true
WHERE CASE a.stage
  WHEN 'route' THEN a.decision IN ('again', 'retry')
  ELSE c.job_id IS NOT NULL
    AND (a.outcome = ANY(:judged)
      OR (a.outcome = 'deferred' AND c.state = 'done')) END
ORDER BY a.job_id, a.fence
""").bindparams(judged=list(NOT_GOOD_ENOUGH))
