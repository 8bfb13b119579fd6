"""Reads what every decision of a run rested on, in constant memory."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Engine, Row, text

FETCH = 1_000


def decided_jobs(engine: Engine, run_id: int) -> Iterator[tuple[Row[Any], Sequence[Row[Any]]]]:
    """Each job of the run with its attempts in order; an attempt brings its calls' outputs."""
    with engine.connect().execution_options(yield_per=FETCH) as connection:
        rows = connection.execute(ATTEMPTS, {"run": run_id})
        for _, group in groupby(rows, key=lambda row: row.job_id):
            attempts = list(group)
            yield attempts[0], attempts


ATTEMPTS = text("""
SELECT a.job_id, m.external_id, m.body, m.subject, m.channel, m.language, m.customer_id,
  m.metadata, m.erased_at, a.fence, a.stage, a.tier, a.outcome, a.reasons, a.decision, a.rule,
  a.findings, a.available_at, a.difficulty, a.confidence, a.standard, a.certificate_id,
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
