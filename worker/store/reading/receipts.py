"""The receipt of a job: every attempt in order, with what was asked, said, decided and paid."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, text

from worker.domain.context import context_from
from worker.domain.first_tier import critical_by
from worker.domain.messages import MessageText
from worker.domain.policy_documents import from_document
from worker.domain.receipt import (
    Receipt,
    ReceiptAttempt,
    ReceiptCall,
    ReceiptResult,
    ReceiptReview,
    ReceiptStep,
    ShownPiece,
)
from worker.domain.text import whole_number
from worker.errors import Missing, UsageError
from worker.store.queue.knowledge_ways import ways_of
from worker.store.rows import columns, values_of


def find_job(connection: Connection, wanted: str) -> int:
    """The id of a job as people name it: its number, `RUN/EXTERNAL_ID`, or an external id that only
    one job has. Raises UsageError where it is none's, or more than one's: many helpdesks' ids are
    numbers too, and a verdict must not go to the job beside the one that is meant."""
    rows = _in_its_run(connection, wanted)
    if not rows:
        rows = connection.execute(BY_EXTERNAL_ID, {"id": wanted}).all()
        rows = [*(row for row in _by_number(connection, wanted) if row not in rows), *rows]
    if not rows:
        raise Missing(f"There is no job {wanted!r}.", mend="for external ids: rung results RUN")
    if len(rows) > 1:
        names = ", ".join(f"{row.run}/{row.external_id}" for row in rows[:5])
        raise UsageError(f"{wanted!r} names {len(rows)} jobs.", mend=f"name one: {names}")
    return int(rows[0].id)


def find_job_for_a_program(connection: Connection, wanted: str) -> int:
    """As `find_job`; but a job's number, which programs are given and give back, names that job,
    whatever external ids there are."""
    numbered = _by_number(connection, wanted)
    return int(numbered[0].id) if numbered else find_job(connection, wanted)


def _in_its_run(connection: Connection, wanted: str) -> Sequence[Row[Any]]:
    parts = wanted.split("/")
    for place in range(1, len(parts)):  # either name may hold a slash
        run, external_id = "/".join(parts[:place]), "/".join(parts[place:])
        if rows := connection.execute(BY_RUN, {"run": run, "id": external_id}).all():
            return rows
    return []


def _by_number(connection: Connection, wanted: str) -> Sequence[Row[Any]]:
    number = whole_number(wanted)
    return connection.execute(BY_NUMBER, {"id": number}).all() if number is not None else []


def receipt(connection: Connection, job_id: int) -> Receipt:
    """Everything that is known of a job, its text included."""
    (job,) = values_of(Receipt, connection.execute(JOB, {"job": job_id}))
    calls = values_of(ReceiptCall, connection.execute(CALLS, {"job": job_id}))
    rows = [dict(row) for row in connection.execute(ATTEMPTS, {"job": job_id}).mappings()]
    steps = values_of(ReceiptStep, connection.execute(STEPS, {"job": job_id}))
    climbed = {step.fence: step for step in steps}
    asked = any(row["knowledge_version"] for row in rows)
    ways = ways_of(connection, job.run_id) if asked else {}
    attempts = []
    for row in rows:
        fence, way = row["fence"], row["knowledge_version"] or ""
        attempts.append(
            ReceiptAttempt(
                pages=ways[way].words if way in ways else None,
                calls=[call for call in calls if call.fence == fence],
                escalation=climbed.get(fence),
                context=_pieces(row.pop("shown")),
                **row,
            )
        )
    result = values_of(ReceiptResult, connection.execute(RESULT, {"job": job_id}))
    return replace(
        job,
        critical_by=_critical_by(job),
        attempts=attempts,
        result=result[0] if result else None,
        reviews=values_of(ReceiptReview, connection.execute(REVIEWS, {"job": job_id})),
        total_usd=sum((call.cost or 0 for call in calls), 0),
        simulated=any(call.simulated for call in calls),
    )


def _pieces(document: Mapping[str, Any] | None) -> list[ShownPiece]:
    """What the model was shown beside the message, in pieces as it saw them."""
    shown = context_from(document or {})
    versions = {passage.id: passage.version for passage in shown.passages}
    empty = {
        found.name: f"{found.failed}; it went on without" if found.failed else found.nothing
        for found in shown.lookups
    }
    return [
        ShownPiece(
            id=piece.id,
            text=piece.text,
            version=versions.get(piece.id),
            why_empty=empty.get(piece.id),
        )
        for piece in shown.pieces
    ]


def _critical_by(job: Receipt) -> str | None:
    """The rule of the frozen policy that marks the stored message as critical."""
    message = MessageText(
        body=job.body or "",
        subject=job.subject,
        channel=job.channel,
        language=job.language,
        customer_id=job.customer_id,
        attributes=job.metadata or {},
    )
    return critical_by(from_document(job.policy), message)


def escalated_example(connection: Connection, run_id: int) -> str:
    """The external id of a job among the run's first thousand that climbed, or else of the
    first."""
    return str(connection.execute(EXAMPLE, {"run": run_id}).scalar_one())


BY_NUMBER = text("""
SELECT j.id, r.name AS run, m.external_id FROM jobs AS j JOIN runs AS r ON r.id = j.run_id
JOIN messages AS m ON m.id = j.message_id WHERE j.id = :id
""")
# From the message to its jobs, never the other way round: `OFFSET 0` leaves no other plan.
BY_RUN = text("""
SELECT j.id, r.name AS run, m.external_id
FROM (SELECT id, external_id FROM messages WHERE external_id = :id OFFSET 0) AS m
CROSS JOIN LATERAL (SELECT id, run_id FROM jobs WHERE message_id = m.id OFFSET 0) AS j
JOIN runs AS r ON r.id = j.run_id WHERE r.name = :run
""")
BY_EXTERNAL_ID = text("""
SELECT j.id, r.name AS run, m.external_id
FROM (SELECT id, external_id FROM messages WHERE external_id = :id OFFSET 0) AS m
CROSS JOIN LATERAL (SELECT id, run_id FROM jobs WHERE message_id = m.id OFFSET 0) AS j
JOIN runs AS r ON r.id = j.run_id ORDER BY j.id DESC LIMIT 20
""")

JOB = text("""
SELECT j.id AS job, j.run_id, r.name AS run, m.source, m.external_id, j.state, j.tier, j.lane,
  r.lane AS run_lane, j.difficulty, j.escalations, j.failures, j.deferrals, j.cost AS cost_usd,
  j.reason, j.created_at, j.finished_at, r.policy_name, r.policy_version, r.policy, m.channel,
  m.customer_id, m.language, m.received_at, m.subject, m.body, m.metadata, m.erased_at
FROM jobs AS j JOIN runs AS r ON r.id = j.run_id JOIN messages AS m ON m.id = j.message_id
WHERE j.id = :job
""")
ATTEMPTS = text("""
SELECT fence, stage, tier, model, lane, outcome, decision, reasons, findings, difficulty, rule,
  confidence, threshold, score, standard, certificate_id,
  policy_version, prompt_version, schema_version, knowledge_version, effort, max_tokens, hint,
  answer_fence, reserved, cost, worker, available_at, claimed_at, finished_at,
  extract(epoch FROM claimed_at - available_at)::float8 AS waited_s,
  extract(epoch FROM finished_at - claimed_at)::float8 AS took_s,
  context_digest, (
    SELECT document FROM contexts
    WHERE message_id = (SELECT message_id FROM jobs WHERE id = :job) AND digest = context_digest
  ) AS shown
FROM attempts WHERE job_id = :job ORDER BY fence
""")
# A call of long ago has its rates itself.
RATES = " coalesce(price, (SELECT rates FROM prices WHERE version = price_version)) AS price,"
CALLS = text(
    f"SELECT {columns(ReceiptCall).replace(' price,', RATES)} FROM calls"  # noqa: S608 - names of ours
    " WHERE job_id = :job ORDER BY fence, sent_at, purpose DESC"
)
STEPS = text("""
SELECT fence, from_tier, to_tier, reason, detail, at FROM escalations WHERE job_id = :job
""")
RESULT = text(
    f"SELECT {columns(ReceiptResult)} FROM results WHERE job_id = :job"  # noqa: S608 - as above
)
REVIEWS = text(
    "SELECT verdict, reply, reason, reviewer, at FROM reviews WHERE job_id = :job ORDER BY id"
)
EXAMPLE = text("""
SELECT (SELECT external_id FROM messages WHERE id = j.message_id) FROM (
  SELECT id, message_id, escalations FROM jobs
  WHERE run_id >= :run AND (run_id, message_id) < (:run + 1, 0)
  ORDER BY run_id, message_id LIMIT 1000) AS j
ORDER BY j.escalations DESC, j.id LIMIT 1
""")
