"""Reads what every decision of a run rested on, in constant memory."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import Engine, Row, text

from worker.domain.messages import MessageText
from worker.domain.policy import Difficulty
from worker.store.rows import message_of

FETCH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAttempt:
    """An attempt with its job and message, and with what its calls brought: the first one, which
    asked for a label or an answer, and the check of an answer."""

    job_id: int
    external_id: str
    message: MessageText
    erased: bool
    fence: int
    stage: str
    tier: str | None
    outcome: str
    reasons: Sequence[str]
    decision: str | None
    rule: str | None
    findings: Sequence[Mapping[str, str]] | None
    available_at: dt.datetime
    difficulty: Difficulty | None
    """The label that this attempt gave."""
    standard: Decimal | None
    certificate_id: int | None
    job_difficulty: str | None
    prompt: str | None
    context: Mapping[str, Any] | None
    output: str | None
    stop_reason: str | None
    stop_category: str | None
    call_state: str | None
    shared: int | None
    check_output: str | None
    check_stop: str | None
    check_state: str | None


OF_THE_MESSAGE = frozenset(
    {"body", "subject", "channel", "language", "customer_id", "metadata", "erased_at"}
)


def decided_jobs(engine: Engine, run_id: int) -> Iterator[Sequence[RecordedAttempt]]:
    """The attempts of each job of the run, in order."""
    with engine.connect().execution_options(yield_per=FETCH) as connection:
        rows = connection.execute(ATTEMPTS, {"run": run_id})
        for _, group in groupby(rows, key=lambda row: row.job_id):
            yield [_recorded(row) for row in group]


def _recorded(row: Row[Any]) -> RecordedAttempt:
    columns = {name: value for name, value in row._mapping.items() if name not in OF_THE_MESSAGE}
    erased = row.erased_at is not None
    return RecordedAttempt(message=message_of(row), erased=erased, **columns)


ATTEMPTS = text("""
SELECT a.job_id, m.external_id, m.body, m.subject, m.channel, m.language, m.customer_id,
  m.metadata, m.erased_at, a.fence, a.stage, a.tier, a.outcome, a.reasons, a.decision, a.rule,
  a.findings, a.available_at, a.difficulty, a.standard, a.certificate_id,
  j.difficulty AS job_difficulty, p.text AS prompt, s.document AS context,
  first.output, first.stop_reason, first.stop_category, first.state AS call_state,
  first.shared,
  second.output AS check_output, second.stop_reason AS check_stop, second.state AS check_state
FROM jobs AS j JOIN messages AS m ON m.id = j.message_id
JOIN attempts AS a ON a.job_id = j.id
LEFT JOIN prompts AS p ON p.version = a.prompt_version
LEFT JOIN contexts AS s ON s.message_id = j.message_id AND s.digest = a.context_digest
LEFT JOIN calls AS first ON first.job_id = a.job_id
  AND first.fence = coalesce(a.answer_fence, a.fence) AND first.purpose <> 'check'
LEFT JOIN calls AS second ON second.job_id = a.job_id AND second.fence = a.fence
  AND second.purpose = 'check'
WHERE j.run_id = :run ORDER BY a.job_id, a.fence
""")
