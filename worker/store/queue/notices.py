"""Notices: what people should be told, noted once each, in the transaction of its cause."""

import json
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

FRESH_S = 3_600.0
"""Older notices are not sent any more: a new webhook hears nothing of last week."""


def note(
    connection: Connection, kind: str, key: str, target: str, words: str, **detail: Any
) -> bool:
    """Notes an event; False when the same one (by `key`) is noted already. No message text."""
    values = {
        "kind": kind,
        "key": f"{kind}:{key}",
        "target": target,
        "words": words,
        "detail": json.dumps(detail, default=str),
    }
    return bool(connection.execute(NOTE, values).rowcount)


def take(engine: Engine) -> Row[Any] | None:
    """The next notice to send, counted as sent from now on: a process that dies with it does not
    make anybody hear it twice."""
    with engine.begin() as connection:
        return connection.execute(TAKE, {"fresh": FRESH_S}).one_or_none()


def failed(engine: Engine, notice_id: int, error: str, again_in_s: float | None) -> None:
    """It certainly did not arrive: to be tried again then, or given up (None)."""
    values = {"id": notice_id, "error": error, "again": again_in_s}
    with engine.begin() as connection:
        connection.execute(FAILED, values)


NOTE = text("""
INSERT INTO notices (key, kind, target, words, detail)
VALUES (:key, :kind, :target, :words, CAST(:detail AS jsonb))
ON CONFLICT (key) DO NOTHING
""")
TAKE = text("""
UPDATE notices SET tries = tries + 1, ended_at = now() WHERE id = (
  SELECT id FROM notices
  WHERE ended_at IS NULL AND next_try_at <= now() AND at > now() - make_interval(secs => :fresh)
  ORDER BY next_try_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, kind, target, words, detail, at, tries
""")
FAILED = text("""
UPDATE notices SET error = :error,
  ended_at = CASE WHEN CAST(:again AS float8) IS NULL THEN now() END,
  next_try_at = now() + make_interval(secs => coalesce(CAST(:again AS float8), 0))
WHERE id = :id
""")
