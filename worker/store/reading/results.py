"""The answers of a run, a part at a time: one row a job, in constant memory."""

from collections.abc import Iterator
from enum import Enum, StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, TextClause, text


class Holds(Enum):
    """What a column of the results holds; a format knows how to write each."""

    TEXT = "text"
    TEXTS = "texts"
    COUNT = "count"
    FLAG = "flag"
    SHARE = "share"
    DOLLARS = "dollars"
    TIME = "time"
    ANY = "any"


class Only(StrEnum):
    """Which jobs: those in a state, or those whose answer may go out."""

    ANSWERED = "answered"
    REVIEW = "review"
    DEAD = "dead"
    READY = "ready"


COLUMNS = {
    "external_id": Holds.TEXT,
    "subject": Holds.TEXT,
    "customer_id": Holds.TEXT,
    "message": Holds.TEXT,
    "send": Holds.TEXT,
    "state": Holds.TEXT,
    "verdict": Holds.TEXT,
    "verdict_reason": Holds.TEXT,
    "tier": Holds.TEXT,
    "model": Holds.TEXT,
    "confidence": Holds.SHARE,
    "accepted": Holds.FLAG,
    "difficulty": Holds.TEXT,
    "escalations": Holds.COUNT,
    "attempts": Holds.COUNT,
    "cost_usd": Holds.DOLLARS,
    "reasons": Holds.TEXTS,
    "sources": Holds.TEXTS,
    "answered_at": Holds.TIME,
    "simulated": Holds.FLAG,
}
"""In the order of a file, before the row's own columns: a column more is a line here and a line in
`RESULTS`."""
BY_NAME_ONLY = {
    "reply": Holds.TEXT,
    "source": Holds.TEXT,
    "channel": Holds.TEXT,
    "language": Holds.TEXT,
    "received_at": Holds.TIME,
    "job": Holds.COUNT,
}
"""Columns that come when they are asked for. `reply` is the model's text, whatever became of it;
what may go out is `send`."""
TEXT_OF_CUSTOMERS = ("subject", "message", "send", "verdict_reason", "reply")
"""What only those see who may read text; the row's own columns beside them."""
ALWAYS = ("external_id", "state", "accepted", "escalations", "attempts", "cost_usd", "reasons",
          "simulated")  # fmt: skip
"""Columns that are never null."""
OWN = "own"
"""Where a row holds its own columns, by name."""
FETCH = 2_000


def results_of(
    engine: Engine,
    run_id: int,
    only: Only | None = None,
    *,
    after: int | None = None,
    limit: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Rows with every column above, and the row's own ones under `OWN`, in the order of messages
    (dead letters and reviews: of jobs); of a page, those behind the job `after`. They are read a
    part at a time, each in a transaction of its own: whoever takes them may take as long as they
    like, and Postgres ends a transaction in which nothing happens."""
    left = limit
    while left is None or left > 0:
        most = FETCH if left is None else min(FETCH, left)
        values = {"run": run_id, "after": after, "limit": most}
        with engine.connect() as connection:
            rows = connection.execute(RESULTS[only], values).mappings().all()
        yield from map(dict, rows)
        if len(rows) < most:
            return
        after, left = rows[-1]["job"], left if left is None else left - most


def own_columns(connection: Connection, run_id: int) -> list[str]:
    """The columns of the run's file that are not ours, in its order; by name where the order was
    never known: then all the run's messages are read."""
    of_run = connection.execute(KNOWN, {"run": run_id}).one()
    if of_run.columns_known or of_run.own_columns:
        return list(of_run.own_columns)
    return list(connection.execute(FOUND, {"run": run_id}).scalars())


def is_of_run(connection: Connection, run_id: int, job_id: int) -> bool:
    """Whether a page can begin behind this job: behind another run's it would be anywhere."""
    return connection.execute(IS_OF_RUN, {"run": run_id, "job": job_id}).scalar() is not None


IS_OF_RUN = text("""
SELECT 1 FROM (SELECT run_id FROM jobs WHERE id = :job OFFSET 0) AS j WHERE run_id = :run
""")
KNOWN = text("SELECT own_columns, columns_known FROM runs WHERE id = :run")
FOUND = text("""
SELECT DISTINCT key FROM (SELECT message_id FROM jobs WHERE run_id = :run OFFSET 0) AS j
JOIN messages AS m ON m.id = j.message_id CROSS JOIN LATERAL jsonb_object_keys(m.metadata) AS key
ORDER BY key LIMIT 500
""")
# Of what was erased nothing is left that could go out.
RESULTS_OF = """
SELECT m.external_id, m.subject, m.customer_id, m.body AS message,
  CASE WHEN m.erased_at IS NOT NULL THEN NULL WHEN v.verdict = 'edit' THEN v.reply
    WHEN v.verdict = 'accept' OR (v.verdict IS NULL AND r.accepted
      AND r.fields ->> 'action' IS DISTINCT FROM 'none') THEN r.reply END AS send,
  j.state, v.verdict, v.reason AS verdict_reason, coalesce(r.tier, j.tier) AS tier, r.model,
  r.confidence, coalesce(r.accepted, false) AS accepted, j.difficulty, j.escalations, j.attempts,
  j.cost AS cost_usd,
  CASE WHEN j.state IN ('dead', 'review', 'cancelled') AND j.reason IS NOT NULL
    THEN ARRAY[j.reason] ELSE coalesce(r.reasons, '{{}}') END AS reasons,
  CASE WHEN jsonb_typeof(r.fields -> 'sources') = 'array'
    THEN ARRAY(SELECT jsonb_array_elements_text(r.fields -> 'sources')) END AS sources,
  r.created_at AS answered_at, coalesce(r.simulated, false) AS simulated,
  r.reply, m.source, m.channel, m.language, m.received_at, j.id AS job, m.metadata AS own
FROM jobs AS j
CROSS JOIN LATERAL (SELECT * FROM messages WHERE id = j.message_id OFFSET 0) AS m
LEFT JOIN LATERAL (SELECT * FROM results WHERE job_id = j.id OFFSET 0) AS r ON true
LEFT JOIN LATERAL (
  SELECT verdict, reply, reason FROM reviews WHERE job_id = j.id ORDER BY id DESC LIMIT 1
) AS v ON true
WHERE {which} ORDER BY j.run_id, {order} LIMIT :limit
"""
AFTER = "coalesce((SELECT message_id FROM jobs WHERE id = :after), 0)"
# The run is not said by `=`: its jobs are to be read by the index, in order, and not looked for
# among all that came later.
IN_ORDER = f"(j.run_id, j.message_id) > (CAST(:run AS bigint), {AFTER}) AND j.run_id <= :run"
READY = """j.finished_at IS NOT NULL AND m.erased_at IS NULL
  AND coalesce(v.verdict IN ('accept', 'edit'),
    r.accepted AND r.fields ->> 'action' IS DISTINCT FROM 'none', false)"""
# What is rare is read by the index of it alone, in the order of jobs: a walk would pass a thousand
# others for each.
RARE = """j.state = '{state}' AND j.run_id <= :run
  AND (j.run_id, j.id) > (CAST(:run AS bigint), coalesce(CAST(:after AS bigint), 0))"""
BY_MESSAGE = {
    None: IN_ORDER,
    Only.READY: f"{IN_ORDER} AND {READY}",
    Only.ANSWERED: f"{IN_ORDER} AND j.state = 'answered'",
}
BY_JOB = {state: RARE.format(state=state) for state in (Only.REVIEW, Only.DEAD)}
RESULTS: dict[Only | None, TextClause] = {
    only: text(RESULTS_OF.format(which=which, order=order))
    for order, choices in (("j.message_id", BY_MESSAGE), ("j.id", BY_JOB))
    for only, which in choices.items()
}
