"""The receipt of a job: every attempt in order, with what was asked, said, decided and paid."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from worker.domain.context import context_from
from worker.domain.first_tier import critical_by
from worker.domain.messages import MessageText
from worker.domain.policy import from_document
from worker.domain.trouble import label_of
from worker.errors import Missing, UsageError
from worker.store.queue.knowledge import ways_of


def find_job(connection: Connection, wanted: str) -> int:
    """The id of a job named by its number, `RUN/EXTERNAL_ID`, or an external id that only one job
    has. Raises UsageError when there is none, or more than one."""
    rows: Sequence[Row[Any]] = []
    parts = wanted.split("/")
    for place in range(1, len(parts)):  # either name may hold a slash
        run, external_id = "/".join(parts[:place]), "/".join(parts[place:])
        rows = rows or connection.execute(BY_RUN, {"run": run, "id": external_id}).all()
    if not rows:
        rows = connection.execute(BY_EXTERNAL_ID, {"id": wanted}).all()
    if not rows and wanted.isdecimal():
        rows = connection.execute(BY_NUMBER, {"id": int(wanted)}).all()
    if not rows:
        raise Missing(f"There is no job {wanted!r}.", mend="rung results RUN lists external ids")
    if len(rows) > 1:
        names = ", ".join(f"{row.run}/{row.external_id}" for row in rows[:5])
        raise UsageError(f"{wanted!r} is in {len(rows)} runs.", mend=f"name one: {names}")
    return int(rows[0].id)


def receipt(connection: Connection, job_id: int) -> dict[str, Any]:
    """Everything that is known of a job, without the message's text unless it is asked for."""
    job = dict(connection.execute(JOB, {"job": job_id}).mappings().one())
    attempts = [dict(row) for row in connection.execute(ATTEMPTS, {"job": job_id}).mappings()]
    calls = [dict(row) for row in connection.execute(CALLS, {"job": job_id}).mappings()]
    steps = {
        row["fence"]: dict(row) for row in connection.execute(STEPS, {"job": job_id}).mappings()
    }
    ways = ways_of(connection, job["run_id"]) if any(_pages_of(one) for one in attempts) else {}
    for attempt in attempts:
        attempt["pages"] = ways[way].words if (way := _pages_of(attempt)) in ways else None
        attempt["calls"] = [call for call in calls if call["fence"] == attempt["fence"]]
        attempt["escalation"] = steps.get(attempt["fence"])
        attempt["context"] = _pieces(attempt.pop("shown"))
    result = connection.execute(RESULT, {"job": job_id}).mappings().one_or_none()
    reviews = connection.execute(REVIEWS, {"job": job_id}).mappings()
    return {
        **job,
        "critical_by": _critical_by(job),
        "attempts": attempts,
        "result": dict(result) if result is not None else None,
        "reviews": [dict(row) for row in reviews],
        "total_usd": sum((call["cost"] or 0 for call in calls), 0),
        "simulated": any(call["simulated"] for call in calls),
    }


def _pages_of(attempt: dict[str, Any]) -> str:
    """The version of the pages that it was shown; empty without any."""
    return str(attempt["knowledge_version"] or "")


def hide_text(found: dict[str, Any], mask: str | None = None) -> None:
    """Takes out of a receipt what the customer wrote, what was written back, and hints and words of
    errors, which may quote either; a finding holds no text of a customer's. `mask` stands where
    something was."""

    def hide(place: dict[str, Any], *names: str) -> None:
        place.update({name: mask for name in names if place[name] is not None})

    hide(found, "subject", "body")
    found["metadata"] = {}
    for attempt in found["attempts"]:
        hide(attempt, "hint")
        for piece in attempt["context"]:
            hide(piece, "text")
        for call in attempt["calls"]:
            hide(call, "output")
            call["error"] = label_of(call["error"]) if call["error"] else None
    if found["result"] is not None:
        hide(found["result"], "reply")
        found["result"]["fields"] = {}
    for review in found["reviews"]:
        hide(review, "reply")


def _pieces(document: dict[str, Any] | None) -> list[dict[str, str]]:
    """What the model was shown beside the message, in pieces as it saw them."""
    shown = context_from(document or {})
    versions = {passage.id: {"version": passage.version} for passage in shown.passages}
    return [
        {"id": piece.id, "text": piece.text, **versions.get(piece.id, {})} for piece in shown.pieces
    ]


def _critical_by(job: dict[str, Any]) -> str | None:
    """The rule of the frozen policy that marks the stored message as critical."""
    message = MessageText(
        body=job["body"] or "",
        subject=job["subject"],
        channel=job["channel"],
        language=job["language"],
        customer_id=job["customer_id"],
        attributes=job["metadata"] or {},
    )
    return critical_by(from_document(job["policy"]), message)


def escalated_example(connection: Connection, run_id: int) -> str:
    """The external id of a job of the run that climbed, or else of its first job."""
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
  m.customer_id, m.language, m.received_at, m.subject, m.body, m.metadata
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
CALLS = text("SELECT * FROM calls WHERE job_id = :job ORDER BY fence, sent_at, purpose DESC")
STEPS = text("""
SELECT fence, from_tier, to_tier, reason, detail, at FROM escalations WHERE job_id = :job
""")
RESULT = text("SELECT * FROM results WHERE job_id = :job")
REVIEWS = text(
    "SELECT verdict, reply, reason, reviewer, at FROM reviews WHERE job_id = :job ORDER BY id"
)
EXAMPLE = text("""
SELECT m.external_id FROM jobs AS j JOIN messages AS m ON m.id = j.message_id
WHERE j.run_id = :run ORDER BY j.escalations DESC, j.id LIMIT 1
""")
