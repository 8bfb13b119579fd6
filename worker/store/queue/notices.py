"""Notices: what people should be told, noted once each, in the transaction of its cause."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, text

from worker.store.rows import values_of

FRESH_S = 3_600.0
"""Older notices are not sent any more: a new webhook hears nothing of last week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenNotice:
    """A notice to be sent now, for the `tries`-th time by the way that it was taken for."""

    id: int
    kind: str
    target: str
    words: str
    detail: Mapping[str, Any]
    at: dt.datetime
    tries: int


def note(
    connection: Connection, kind: str, *, key: str, target: str, words: str, **detail: Any
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


class Way(StrEnum):
    """How people hear of a notice; each way has its own tries."""

    WEBHOOK = "webhook"
    MAIL = "mail"


def take(engine: Engine, way: Way, mark: dt.datetime) -> TakenNotice | None:
    """The next notice to send this way, counted as sent from now on: a process that dies with it
    does not make anybody hear it twice. `mark` is the moment of asking, for `give_back`."""
    with engine.begin() as connection:
        if way is Way.MAIL:
            connection.execute(TO_MAIL, {"fresh": FRESH_S})
        values = {"fresh": FRESH_S, "mark": mark}
        taken = values_of(TakenNotice, connection.execute(TAKE[way], values))
        return taken[0] if taken else None


def give_back(engine: Engine, way: Way, mark: dt.datetime) -> None:
    """What may have been taken under this mark was not sent: whoever asked never heard of it."""
    with engine.begin() as connection:
        connection.execute(GIVE_BACK[way], {"mark": mark})


def failed(engine: Engine, way: Way, notice_id: int, error: str, again_in_s: float | None) -> None:
    """It certainly did not arrive: to be tried again then, or given up (None)."""
    values = {"id": notice_id, "error": error, "again": again_in_s}
    with engine.begin() as connection:
        connection.execute(FAILED[way], values)


NOTE = text("""
INSERT INTO notices (key, kind, target, words, detail)
VALUES (:key, :kind, :target, :words, CAST(:detail AS jsonb))
ON CONFLICT (key) DO NOTHING
""")
TO_MAIL = text("""
INSERT INTO notice_mails (notice_id)
SELECT id FROM notices AS n WHERE at > now() - make_interval(secs => :fresh)
  AND NOT EXISTS (SELECT FROM notice_mails AS m WHERE m.notice_id = n.id)
ON CONFLICT (notice_id) DO NOTHING
""")
TAKE = {
    Way.WEBHOOK: text("""
UPDATE notices SET tries = tries + 1, ended_at = now(), next_try_at = :mark WHERE id = (
  SELECT id FROM notices
  WHERE ended_at IS NULL AND next_try_at <= now() AND at > now() - make_interval(secs => :fresh)
  ORDER BY next_try_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, kind, target, words, detail, at, tries
"""),
    Way.MAIL: text("""
UPDATE notice_mails AS m SET tries = m.tries + 1, ended_at = now(), next_try_at = :mark
FROM notices AS n
WHERE n.id = m.notice_id AND m.notice_id = (
  SELECT o.notice_id FROM notice_mails AS o JOIN notices AS f ON f.id = o.notice_id
  WHERE o.ended_at IS NULL AND o.next_try_at <= now()
    AND f.at > now() - make_interval(secs => :fresh)
  ORDER BY o.next_try_at, o.notice_id LIMIT 1 FOR UPDATE OF o SKIP LOCKED)
RETURNING n.id, n.kind, n.target, n.words, n.detail, n.at, m.tries
"""),
}
_GIVE_BACK = """
SET tries = tries - 1, ended_at = NULL WHERE next_try_at = :mark AND ended_at IS NOT NULL
"""
GIVE_BACK = {
    Way.WEBHOOK: text(f"UPDATE notices {_GIVE_BACK}"),
    Way.MAIL: text(f"UPDATE notice_mails {_GIVE_BACK}"),
}
_FAILED = """
SET error = :error, ended_at = CASE WHEN CAST(:again AS float8) IS NULL THEN now() END,
  next_try_at = now() + make_interval(secs => coalesce(CAST(:again AS float8), 0))
"""
FAILED = {
    Way.WEBHOOK: text(f"UPDATE notices {_FAILED} WHERE id = :id"),
    Way.MAIL: text(f"UPDATE notice_mails {_FAILED} WHERE notice_id = :id"),
}
