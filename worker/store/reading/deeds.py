"""What people, schedules and Rung itself did, as the audit has it, at a bounded cost."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, text

from worker.domain.named_in_filters import masked
from worker.store.rows import values_of

AUDITED = 2_500


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One deed: when, by whom, what, to what, to how many, and more by name; `now` is the
    database's time."""

    id: int
    at: dt.datetime
    actor: str
    action: str
    target: str
    affected: int
    detail: Mapping[str, Any]
    now: dt.datetime

    @property
    def day(self) -> str:
        """Of its time in UTC."""
        return f"{self.at.astimezone(dt.UTC):%Y-%m-%d}"

    def masked(self) -> "AuditEntry":
        """For who may not read what customers wrote: jobs may have been chosen by it."""
        where = self.detail.get("where")
        detail = {**self.detail, "where": masked(where)} if where else self.detail
        return replace(self, target=masked(self.target), detail=detail)


def audit_page(
    connection: Connection,
    before: int | None,
    limit: int,
    *,
    who: str | None = None,
    what: str | None = None,
    target: str | None = None,
    reads: bool,
) -> list[AuditEntry]:
    """What people and schedules did, newest first: by whom, what, and a part of what it was done
    to. A filter looks at the newest `AUDITED` events. `reads`: whether who asks may read what
    customers wrote, which is masked for others, and not found by them."""
    values = {"before": before, "limit": limit, "who": who, "what": what, "target": target}
    window = AUDITED if who or what or target else limit
    found = values_of(AuditEntry, connection.execute(AUDIT, values | {"window": window}))
    if reads:
        return found
    sought = (target or "").lower()
    return [one for entry in found if sought in (one := entry.masked()).target.lower()]


def audit_words(connection: Connection) -> tuple[list[str], list[str]]:
    """Who did something, and what was done, among the newest `AUDITED` events."""
    rows = connection.execute(AUDIT_WORDS, {"window": AUDITED}).all()
    return sorted({row.actor for row in rows}), sorted({row.action for row in rows})


def audit_event(connection: Connection, event_id: int) -> AuditEntry | None:
    """One action."""
    found = values_of(AuditEntry, connection.execute(AUDIT_EVENT, {"id": event_id}))
    return found[0] if found else None


AUDIT = text("""
SELECT id, at, actor, action, target, affected, detail, now() AS now FROM (
  SELECT * FROM audit_events WHERE CAST(:before AS bigint) IS NULL OR id < :before
  ORDER BY id DESC LIMIT :window) AS e
WHERE (CAST(:who AS text) IS NULL OR actor = :who)
  AND (CAST(:what AS text) IS NULL OR action = :what)
  AND (CAST(:target AS text) IS NULL OR strpos(lower(target), lower(:target)) > 0)
ORDER BY id DESC LIMIT :limit
""")
AUDIT_WORDS = text("""
SELECT DISTINCT actor, action FROM (
  SELECT actor, action FROM audit_events ORDER BY id DESC LIMIT :window) AS e
""")
AUDIT_EVENT = text("""
SELECT id, at, actor, action, target, affected, detail, now() AS now FROM audit_events
WHERE id = :id
""")
