"""Runs as graded outcomes: what each tier said of every message, and what is known of its truth."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from worker.domain.proof.graded import GradedAnswer, GradedMessage
from worker.errors import UsageError
from worker.store.queue.audits import draw_sql

PARTS = ("difficulty", "channel", "language")
"""What messages can be parted by, beside any key of their metadata."""


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """What an answer was given under: a certificate holds for no other."""

    model: str
    prompt_version: str
    schema_version: str
    effort: str
    policy_version: str


@dataclass(slots=True)
class Population:
    """The finished messages of runs. `sampled` are those that chance chose; `keys` are, by tier,
    what accepted answers were given under; `verdicts` counts those in force by who gave them."""

    messages: list[GradedMessage] = field(default_factory=list)
    sampled: list[GradedMessage] = field(default_factory=list)
    keys: dict[str, set[AnswerKey]] = field(default_factory=dict)
    verdicts: dict[str, int] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    """Every verdict in force as text, to know whether anything is new."""
    simulated: bool = False
    drawn: int = 0
    ungraded: int = 0
    begun: dt.datetime | None = None
    ended: dt.datetime | None = None


def population(
    connection: Connection,
    runs: Sequence[int],
    segment_by: str = "difficulty",
    most: int | None = None,
) -> Population:
    """All finished messages of the runs. Identical texts of one customer are one message: the
    second tells nothing new. Time and memory grow with the runs; raises UsageError where they have
    more than `most` jobs."""
    if most is not None and connection.execute(SIZE, {"runs": list(runs)}).scalar_one() > most:
        raise UsageError(
            f"That is more than {most:,} jobs, which a page does not read.",
            mend="rung evaluate RUN reads them all",
        )
    found = Population()
    said = _answers(connection, runs)
    seen: set[tuple[str | None, str]] = set()
    for row in connection.execute(MESSAGES, {"runs": list(runs)}):
        twin = (row.customer_id, row.digest)
        if row.digest and twin in seen:
            continue
        seen.add(twin)
        answers = {one.tier: _graded(found, row, one) for one in said.pop(row.id, ())}
        message = GradedMessage(
            f"{row.run}/{row.external_id}", _segment(row, segment_by), row.chars, answers
        )
        found.messages.append(message)
        if row.sampled:
            found.sampled.append(message)
        found.begun = min(filter(None, (found.begun, row.created_at)))
        found.ended = max(filter(None, (found.ended, row.finished_at)))
    return found


def _answers(connection: Connection, runs: Sequence[int]) -> dict[int, list[Row[Any]]]:
    """The last judged answer of each tier, by job."""
    found: dict[int, list[Row[Any]]] = {}
    for row in connection.execute(ANSWERS, {"runs": list(runs)}):
        found.setdefault(row.job_id, []).append(row)
    return found


def _graded(found: Population, message: Row[Any], row: Row[Any]) -> GradedAnswer:
    accepted = row.outcome == "accepted"
    found.simulated = found.simulated or bool(row.simulated)
    if accepted:
        key = AnswerKey(
            row.model or "", row.prompt_version or "", row.schema_version or "",
            row.effort or "", row.policy_version,
        )  # fmt: skip
        found.keys.setdefault(row.tier, set()).add(key)
        found.drawn += row.probability is not None
        found.ungraded += row.people is None and row.audit not in (None, "passed")
    if row.people is not None:
        who = row.graders or "import"
        found.verdicts[who] = found.verdicts.get(who, 0) + 1
        found.labels.append(f"{row.job_id}:{row.fence}:{row.people}")
    looked = float(row.people_share) if row.passed else 1.0
    return GradedAnswer(
        valid=accepted,
        right=row.people if row.probability is not None else None,
        confidence=float(row.confidence) if row.confidence is not None else None,
        length=row.length or None,
        cost=Decimal(row.cost),
        probability=float(row.audit_share) * looked if accepted else 0.0,
        passed=bool(row.passed),
        looked=looked,
        waits=bool(row.said) and row.people is None and row.audit in ("open", "second"),
    )


def _segment(row: Row[Any], by: str) -> str:
    if by in PARTS:
        return str(getattr(row, by) or "")
    metadata: Mapping[str, Any] = row.metadata or {}
    return str(metadata.get(by, ""))


MESSAGES = text(f"""
SELECT j.id, r.name AS run, m.external_id, m.customer_id, m.digest, j.difficulty, m.channel,
  m.language, m.metadata, char_length(m.body) AS chars, j.created_at, j.finished_at,
  {draw_sql("j.id")} < r.audit_share AS sampled
FROM jobs AS j JOIN runs AS r ON r.id = j.run_id JOIN messages AS m ON m.id = j.message_id
CROSS JOIN audit_salt AS z
WHERE j.run_id = ANY(:runs) AND j.state IN ('answered', 'review')
ORDER BY j.id
""")
# The last answer of a tier counts. Of people, all must say right: one who is unsure is not enough.
ANSWERS = text("""
SELECT DISTINCT ON (a.job_id, a.tier) a.job_id, a.fence, a.tier, a.model, a.outcome, a.confidence,
  a.cost, a.prompt_version, a.schema_version, a.effort, a.policy_version, d.probability,
  r.audit_share,
  d.state AS audit, d.people_share, coalesce(t.said AND t.passed, false) AS passed, t.said,
  char_length(s.reply) AS length, s.simulated, t.people, t.graders
FROM jobs AS j JOIN runs AS r ON r.id = j.run_id JOIN attempts AS a ON a.job_id = j.id
LEFT JOIN results AS s ON s.job_id = a.job_id AND s.fence = a.fence
LEFT JOIN audits AS d ON d.job_id = a.job_id AND d.fence = a.fence
LEFT JOIN LATERAL (
  SELECT bool_and(coalesce(u.is_right, false)) FILTER (WHERE u.grader <> 'tier') AS people,
    max(u.grader) FILTER (WHERE u.grader <> 'tier') AS graders,
    coalesce(bool_or(u.grader = 'tier'), false) AS said,
    bool_and(coalesce(u.is_right, false)) FILTER (WHERE u.grader = 'tier') AS passed
  FROM truths AS u WHERE u.job_id = a.job_id AND u.fence = a.fence AND u.undone_at IS NULL
  ) AS t ON true
WHERE j.run_id = ANY(:runs) AND j.state IN ('answered', 'review') AND a.stage = 'answer'
  AND a.outcome IN ('accepted', 'rejected', 'refused', 'truncated', 'empty', 'malformed')
ORDER BY a.job_id, a.tier, a.fence DESC
""")
SIZE = text("SELECT coalesce(sum(jobs), 0) FROM run_counts WHERE run_id = ANY(:runs)")
