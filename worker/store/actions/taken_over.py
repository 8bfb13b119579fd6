"""Recorded answers taken over into a new run: nothing is asked, nothing is paid, and the receipt
says where each comes from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, text

from models.vocabulary import JUDGED
from worker.domain.answers import parse_object
from worker.store.rows import as_json

GROUP = 1_000


@dataclass(frozen=True, slots=True)
class Copied:
    """A new job with the judged answers of the job that it is made from, oldest first."""

    job_id: int
    origin_id: int
    answers: Sequence[Row[Any]]


@dataclass(slots=True)
class TakenOver:
    """What becomes of a group of new jobs: results taken over, accepted or as a best effort, and
    tiers to begin at."""

    results: list[dict[str, Any]] = field(default_factory=list)
    begins: list[dict[str, Any]] = field(default_factory=list)


def copied(connection: Connection, run_id: int) -> Iterator[list[Copied]]:
    """The run's new jobs in groups."""
    after = 0
    while True:
        values = {"run": run_id, "after": after, "limit": GROUP}
        rows = connection.execute(JOBS, values).all()
        if not rows:
            return
        after = rows[-1].id
        origins = [row.origin_id for row in rows]
        said: dict[int, list[Row[Any]]] = {}
        for row in connection.execute(ANSWERS, {"jobs": origins}):
            said.setdefault(row.job_id, []).append(row)
        yield [Copied(row.id, row.origin_id, said.get(row.origin_id, [])) for row in rows]


def write(connection: Connection, run_id: int, group: TakenOver) -> None:
    """Ends jobs with what was taken over, and lets the others begin where they should."""
    if group.results:
        replies = {(row["origin"], row["fence"]) for row in group.results}
        known = _replies(connection, replies)
        rows = [
            row | known[row["origin"], row["fence"]]
            for row in group.results
            if (row["origin"], row["fence"]) in known
        ]
        values = {"rows": as_json(rows), "run": run_id}
        for statement in (ATTEMPT, PAGES, RESULT, END):
            connection.execute(statement, values)
    if group.begins:
        connection.execute(BEGIN, {"rows": as_json(group.begins), "run": run_id})


def _replies(
    connection: Connection, wanted: set[tuple[int, int]]
) -> dict[tuple[int, int], dict[str, Any]]:
    """Texts by job and fence: of the result where it is that one, else of what the model said."""
    asked = as_json({"job_id": job, "fence": fence} for job, fence in sorted(wanted))
    found = {}
    for row in connection.execute(REPLIES, {"rows": asked}):
        if row.reply is not None:
            found[row.job_id, row.fence] = {"reply": row.reply, "fields": row.fields}
        elif document := parse_object(row.output or ""):
            rest = {k: v for k, v in document.items() if k not in ("reply", "confidence")}
            if isinstance(document.get("reply"), str):
                found[row.job_id, row.fence] = {"reply": document["reply"], "fields": rest}
    return found


JOBS = text("""
SELECT id, origin_id FROM jobs
WHERE run_id = :run AND id > :after AND origin_id IS NOT NULL AND state = 'queued'
ORDER BY id LIMIT :limit
""")
ANSWERS = text("""
SELECT a.job_id, a.fence, a.tier, a.outcome, a.reasons, a.confidence, j.difficulty
FROM unnest(CAST(:jobs AS bigint[])) AS i(id)
CROSS JOIN LATERAL (SELECT difficulty FROM jobs WHERE id = i.id OFFSET 0) AS j
CROSS JOIN LATERAL (SELECT * FROM attempts WHERE job_id = i.id OFFSET 0) AS a
WHERE a.stage = 'answer' AND a.outcome = ANY(:judged)
ORDER BY a.job_id, a.fence
""").bindparams(judged=list(JUDGED))
REPLIES = text("""
SELECT t.job_id, t.fence, s.reply, s.fields, c.output
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(job_id bigint, fence int)
LEFT JOIN LATERAL (
  SELECT reply, fields FROM results
  WHERE job_id = t.job_id AND fence = t.fence AND reply <> '' OFFSET 0) AS s ON true
LEFT JOIN LATERAL (
  SELECT coalesce(answer_fence, fence) AS fence FROM attempts
  WHERE job_id = t.job_id AND fence = t.fence OFFSET 0) AS a ON true
LEFT JOIN LATERAL (
  SELECT output FROM calls
  WHERE job_id = t.job_id AND fence = a.fence AND purpose = 'answer' OFFSET 0) AS c ON true
""")
ROWS = """jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(job bigint, origin bigint, fence int,
  accepted boolean, threshold numeric, rung smallint, reason text, reply text, fields jsonb)"""
ATTEMPT = text(f"""
INSERT INTO attempts (job_id, fence, stage, tier, model, lane, outcome, reasons, findings,
  difficulty, rule, confidence, threshold, decision, policy_version, prompt_version,
  schema_version, effort, budget_day, available_at, finished_at, knowledge_version, context_digest)
SELECT t.job, 1, 'answer', a.tier, a.model, a.lane,
  CASE WHEN t.accepted THEN 'accepted' ELSE 'rejected' END,
  CASE WHEN t.accepted THEN '{{}}' ELSE a.reasons END, a.findings, a.difficulty,
  'taken over from job ' || t.origin || ', attempt ' || t.fence, a.confidence, t.threshold,
  CASE WHEN t.accepted THEN 'accept' ELSE 'review' END, r.policy_version, a.prompt_version,
  a.schema_version, a.effort, (now() AT TIME ZONE 'UTC')::date, now(), now(),
  a.knowledge_version, a.context_digest
FROM {ROWS} JOIN attempts AS a ON a.job_id = t.origin AND a.fence = t.fence
JOIN runs AS r ON r.id = :run
""")
# How the pages were shown that the answers stand on, for whoever looks for those that changed.
PAGES = text(f"""
INSERT INTO run_knowledge (run_id, version, whole, by, shown, model, lane, messages, tokens_whole,
  tokens_searched, usd_whole, usd_searched)
SELECT DISTINCT ON (k.version) CAST(:run AS bigint), k.version, k.whole, k.by, k.shown, k.model,
  k.lane, k.messages, k.tokens_whole, k.tokens_searched, k.usd_whole, k.usd_searched
FROM {ROWS} JOIN attempts AS a ON a.job_id = t.origin AND a.fence = t.fence
JOIN jobs AS o ON o.id = t.origin
JOIN run_knowledge AS k ON k.run_id = o.run_id AND k.version = a.knowledge_version
ORDER BY k.version, k.run_id DESC
ON CONFLICT DO NOTHING
""")
RESULT = text(f"""
INSERT INTO results (job_id, fence, reply, fields, tier, model, accepted, confidence, reasons,
  simulated)
SELECT t.job, 1, t.reply, coalesce(t.fields, '{{}}'), a.tier, a.model, t.accepted, a.confidence,
  CASE WHEN t.accepted THEN '{{}}' ELSE a.reasons END,
  coalesce((SELECT bool_or(simulated) FROM calls WHERE job_id = t.origin), false)
FROM {ROWS} JOIN attempts AS a ON a.job_id = t.origin AND a.fence = t.fence
""")
END = text(f"""
UPDATE jobs AS j SET state = CASE WHEN t.accepted THEN 'answered' ELSE 'review' END,
  tier = a.tier, rung = t.rung, fence = 1, attempts = 1, reason = t.reason,
  difficulty = o.difficulty, finished_at = now()
FROM {ROWS} JOIN attempts AS a ON a.job_id = t.origin AND a.fence = t.fence
JOIN jobs AS o ON o.id = t.origin
WHERE j.id = t.job
""")
BEGIN = text("""
UPDATE jobs AS j SET state = 'routed', tier = t.tier, rung = t.rung, difficulty = t.difficulty,
  lane = CASE WHEN r.lane = 'mixed' AND t.rung > 0 THEN 'batch' ELSE j.lane END
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
  job bigint, tier text, rung smallint, difficulty text)
CROSS JOIN (SELECT lane FROM runs WHERE id = :run) AS r
WHERE j.id = t.job
""")
