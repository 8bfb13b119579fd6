"""What Claude, or a gateway, said of a call that went wrong, taken out of whatever people read.

These words are in the call's row alone. What somebody may have copied into a pause or an audit is
looked for by them. Nothing that holds them is older than the call, so no look goes over years of
audits; and all words of a group are looked for at once.
"""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, TextClause, text

LEAST_CHARS = 8
"""Shorter words of an error quote nobody."""


def take_out(connection: Connection, jobs: Sequence[int]) -> None:
    """Of the calls of these jobs, whose own words still stand in the ledger."""
    said = connection.execute(SAID, {"jobs": list(jobs), "least": LEAST_CHARS}).all()
    if not said:
        return
    words = sorted((row.words for row in said), key=len, reverse=True)
    quoted, since = [_quoted(one) for one in words], min(row.since for row in said)
    for one in words:
        connection.execute(OF_JOBS, {"said": one, "jobs": list(jobs)})
    for find, take in zip(FIND, TAKE_OUT, strict=True):
        found = connection.execute(find, {"said": words, "quoted": quoted, "since": since})
        for one in sorted(found.scalars(), key=len, reverse=True):
            connection.execute(take, {"said": one, "quoted": _quoted(one), "since": since})


def _quoted(words: str) -> str:
    """As they stand within a text of JSON."""
    return json.dumps(words, ensure_ascii=False)[1:-1]


def _holding(said: str, quoted: str, columns: Sequence[str], documents: Sequence[str]) -> str:
    found = [f"strpos({column}, {said}) > 0" for column in columns]
    found += [f"strpos(CAST({column} AS text), {quoted}) > 0" for column in documents]
    return f"({' OR '.join(found)})"


def _find(table: str, *columns: str, documents: Sequence[str] = (), of: str = "true") -> TextClause:
    """Which of `:said` stand in it; in JSON as they are written there."""
    holding = _holding("s.said", "s.quoted", columns, documents)
    # Names of tables and columns are of this file; what is looked for is bound.
    return text(f"""
SELECT DISTINCT s.said FROM {table}
CROSS JOIN unnest(CAST(:said AS text[]), CAST(:quoted AS text[])) AS s (said, quoted)
WHERE {of} AND {holding}""")  # noqa: S608


def _take(table: str, *columns: str, documents: Sequence[str] = (), of: str = "true") -> TextClause:
    """Replaces `:said` in it."""
    changes = [f"{column} = replace({column}, :said, '…')" for column in columns]
    changes += [
        f"{column} = CAST(replace(CAST({column} AS text), :quoted, '…') AS jsonb)"
        for column in documents
    ]
    where = f"{of} AND {_holding(':said', ':quoted', columns, documents)}"
    return text(f"UPDATE {table} SET {', '.join(changes)} WHERE {where}")  # noqa: S608


OF_JOBS = _take("jobs", "reason", of="id = ANY(:jobs)")
FIND, TAKE_OUT = (
    (
        made("runs", "state_reason", "waiting_for"),
        made("tiers", "paused_reason", "breaker_reason", "held_reason"),
        made("message_batches", "error"),
        made("notices", "words", documents=("detail",), of="at >= :since"),
        made("audit_events", documents=("detail",), of="at >= :since"),
    )
    for made in (_find, _take)
)
SAID = text("""
SELECT substring(error FROM ': (.*)$') AS words, min(sent_at) AS since FROM calls
WHERE job_id = ANY(:jobs) AND length(substring(error FROM ': (.*)$')) >= :least
GROUP BY 1
""")
