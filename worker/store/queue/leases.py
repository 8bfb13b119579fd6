"""Leases: what a claim writes, in one statement: leases, reservations, attempts and first calls."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, text

from worker.domain.claimed import Claimed, Unready, Withheld
from worker.store.queue.budgets import reservations
from worker.store.rows import as_json


def write_leases(
    connection: Connection,
    granted: Sequence[Claimed],
    *,
    day: dt.date,
    worker: str,
    lease_s: float,
    batch: int | None,
) -> None:
    """For jobs that are locked, within budgets that are. With `batch` there is no lease: whoever
    reads that batch's results will record."""
    worst = ((claimed.candidate.run_id, claimed.reserved) for claimed in granted)
    values = {
        "rows": as_json(_row(claimed) for claimed in granted),
        "purses": as_json(reservations(day, worst)),
        "lease": lease_s,
        "worker": worker,
        "day": day,
        "batch": batch,
    }
    connection.execute(WRITE_CLAIM, values)


def _row(claimed: Claimed) -> dict[str, Any]:
    candidate, question = claimed.candidate, claimed.question
    row: dict[str, Any] = {
        "job_id": candidate.job_id,
        "fence": candidate.fence,
        "stage": candidate.stage,
        "lane": candidate.lane,
        "policy_version": candidate.policy_version,
        "reserved": claimed.reserved,
        "available_at": candidate.available_at.isoformat(),
    }
    if isinstance(claimed.plan, Withheld):
        row["tier"] = claimed.plan.tier
    if question is not None:
        row |= {
            "tier": question.tier,
            "model": question.model,
            "prompt_version": question.prompt_version,
            "schema_version": question.schema_version,
            "effort": question.effort,
            "knowledge_version": question.knowledge_version or None,
            "max_tokens": question.max_tokens,
            "answer_fence": question.answer_fence,
            "purpose": question.purpose,
            "worst_cost": question.worst_cost,
        }
    elif isinstance(claimed.plan, Unready):
        row["tier"] = candidate.tier
    if question is not None and candidate.context:
        row |= {
            "message_id": candidate.message_id,
            "context_digest": candidate.context.digest,
            "context": orjson.Fragment(candidate.context.packed),
        }
    return row


# The budgets' rows are locked by now.
WRITE_CLAIM = text("""
WITH reserved AS (
  UPDATE budgets AS b SET reserved = b.reserved + t.reserved, updated_at = now()
  FROM jsonb_to_recordset(CAST(:purses AS jsonb)) AS t(scope text, reserved numeric)
  WHERE b.scope = t.scope
), given AS (
  SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
    job_id bigint, fence int, stage text, tier text, model text, lane text, policy_version text,
    prompt_version text, schema_version text, effort text, max_tokens int, answer_fence int,
    reserved numeric, available_at timestamptz, purpose text, worst_cost numeric,
    message_id bigint, context_digest text, context jsonb, knowledge_version text)
), shown AS (
  INSERT INTO contexts (message_id, digest, document)
  SELECT message_id, context_digest, context FROM given WHERE context_digest IS NOT NULL
  ORDER BY 1, 2 ON CONFLICT DO NOTHING
), unmarked AS (
  DELETE FROM dispatches WHERE job_id = ANY(ARRAY(SELECT job_id FROM given))
), leased AS (
  UPDATE jobs SET fence = g.fence,
    state = CASE WHEN CAST(:batch AS bigint) IS NULL THEN jobs.state ELSE 'submitted' END,
    lease_until = CASE WHEN CAST(:batch AS bigint) IS NULL
      THEN clock_timestamp() + make_interval(secs => :lease) END
  FROM given AS g WHERE jobs.id = g.job_id
), attempted AS (
  INSERT INTO attempts (job_id, fence, stage, tier, model, lane, policy_version, prompt_version,
    schema_version, effort, max_tokens, answer_fence, reserved, budget_day, worker, batch_id,
    available_at, context_digest, knowledge_version)
  SELECT job_id, fence, stage, tier, model, lane, policy_version, prompt_version,
    schema_version, effort, max_tokens, answer_fence, reserved, :day, :worker, :batch, available_at,
    context_digest, knowledge_version
  FROM given
)
INSERT INTO calls (job_id, fence, purpose, tier, model, lane, worst_cost)
SELECT job_id, fence, purpose, tier, model, lane, worst_cost FROM given WHERE purpose IS NOT NULL
""")
