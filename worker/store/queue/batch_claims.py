"""Attempts of batches, read back as they were claimed: another process may have asked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, text

from models.vocabulary import Purpose
from worker.domain.claimed import Claimed, Prepared, Question
from worker.domain.context import context_from
from worker.domain.prompts import Prompt
from worker.store.policies import PolicyCache
from worker.store.prompts import read_prompts
from worker.store.queue.candidates import candidate_of
from worker.store.queue.history import NO_PAST, past_of
from worker.store.rows import as_json

MAX_REMEMBERED = 50
"""Prompts with pages that a process keeps in mind."""


class BatchClaims:
    """Claims whose answers come in batches, for whatever process reads these."""

    def __init__(self) -> None:
        self._policies = PolicyCache()
        self._with_pages: dict[str, Prompt] = {}

    def of(
        self, connection: Connection, keys: Sequence[tuple[int, int]]
    ) -> dict[tuple[int, int], Claimed]:
        """Open attempts of any batch among `(job, fence)` keys."""
        asked = as_json({"job_id": job_id, "fence": fence} for job_id, fence in keys)
        rows = connection.execute(READ_BACK, {"rows": asked}).all()
        policies = self._policies.of(connection, {row.run_id for row in rows})
        past = past_of(connection, [row.id for row in rows]) if rows else {}
        claimed = [
            Claimed(
                candidate_of(
                    row,
                    policies[row.run_id],
                    past.get(row.id, NO_PAST),
                    Prepared(context=context_from(row.context or {})),
                ),
                _question(row),
            )
            for row in rows
        ]
        found = self._asked_of(connection, claimed)
        return {one.attempt: one for one in found}

    def _asked_of(self, connection: Connection, claimed: Sequence[Claimed]) -> list[Claimed]:
        """Each with the prompt that it was asked of: pages may have stood behind its run's."""
        wanted = {
            version
            for one in claimed
            if (version := _other_version(one)) and version not in self._with_pages
        }
        if wanted:
            if len(self._with_pages) > MAX_REMEMBERED:
                self._with_pages.clear()
            self._with_pages |= read_prompts(connection, wanted)
        return [_under(one, self._with_pages) for one in claimed]


def _other_version(claimed: Claimed) -> str | None:
    """The version of an answer's prompt, where it is not the one that its run keeps."""
    own, asked = claimed.candidate.prompts, claimed.question
    if own is None or asked is None or asked.purpose is not Purpose.ANSWER:
        return None
    if claimed.candidate.judged is not None or asked.prompt_version == own[Purpose.ANSWER].version:
        return None
    return asked.prompt_version


def _under(claimed: Claimed, known: Mapping[str, Prompt]) -> Claimed:
    version = _other_version(claimed)
    if version is None or version not in known or claimed.candidate.prompts is None:
        return claimed
    prompts = {**claimed.candidate.prompts, Purpose.ANSWER: known[version]}
    return replace(claimed, candidate=replace(claimed.candidate, prompts=prompts))


def _question(row: Row[Any]) -> Question:
    return Question(
        purpose=Purpose(row.purpose),
        tier=row.attempt_tier,
        model=row.model,
        worst_cost=row.call_worst_cost,
        reserved=row.reserved,
        prompt_version=row.prompt_version,
        schema_version=row.schema_version,
        effort=row.effort,
        max_tokens=row.max_tokens,
        answer_fence=row.answer_fence,
    )


READ_BACK = text("""
SELECT j.id, j.run_id, j.message_id, a.lane, j.tier, j.difficulty, j.failures, j.deferrals,
  a.available_at, j.cost AS spent,
  CASE a.stage WHEN 'route' THEN 'queued' ELSE 'routed' END AS state, a.fence - 1 AS fence,
  NULL AS remembered, m.body, m.subject, m.channel, m.language, m.customer_id, m.metadata,
  a.tier AS attempt_tier, a.model, a.reserved, a.prompt_version, a.schema_version, a.effort,
  a.max_tokens, a.answer_fence, c.purpose, c.worst_cost AS call_worst_cost,
  s.document AS context,
  CASE r.kind WHEN 'judge' THEN (SELECT reply FROM results WHERE job_id = j.origin_id) END AS judged
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(job_id bigint, fence int)
CROSS JOIN LATERAL (
  SELECT * FROM attempts WHERE job_id = t.job_id AND fence = t.fence OFFSET 0) AS a
CROSS JOIN LATERAL (SELECT * FROM jobs WHERE id = a.job_id OFFSET 0) AS j
CROSS JOIN LATERAL (SELECT kind FROM runs WHERE id = j.run_id OFFSET 0) AS r
CROSS JOIN LATERAL (SELECT * FROM messages WHERE id = j.message_id OFFSET 0) AS m
CROSS JOIN LATERAL (
  SELECT purpose, worst_cost FROM calls WHERE job_id = a.job_id AND fence = a.fence OFFSET 0) AS c
LEFT JOIN LATERAL (
  SELECT document FROM contexts
  WHERE message_id = j.message_id AND digest = a.context_digest OFFSET 0) AS s ON true
WHERE a.batch_id IS NOT NULL AND a.outcome = 'started'
ORDER BY j.id
""")
