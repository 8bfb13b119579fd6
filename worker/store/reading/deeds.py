"""What people, schedules and Rung itself did, as the audit has it, at a bounded cost."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, text

from worker.domain.named_in_filters import masked
from worker.store.rows import values_of

AUDITED = 2_500
MOST_WORDS = 500
"""Names of people, and of deeds, that are offered at the most."""


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
    to. A filter looks at the newest `AUDITED` events: of one person, or of one kind, where it says
    so. `reads`: whether who asks may read what customers wrote, which is masked for others, and not
    found by them."""
    values = {"before": before, "limit": limit, "who": who, "what": what, "target": target}
    window = AUDITED if who or what or target else limit
    statement = AUDIT_OF[bool(who), bool(what)]
    found = values_of(AuditEntry, connection.execute(statement, values | {"window": window}))
    if reads:
        return found
    sought = (target or "").lower()
    return [one for entry in found if sought in (one := entry.masked()).target.lower()]


def audit_words(connection: Connection) -> tuple[list[str], list[str]]:
    """Who ever did something, and what was ever done."""
    row = connection.execute(AUDIT_WORDS, {"most": MOST_WORDS}).one()
    return sorted(row.actors), sorted(row.actions)


def audit_event(connection: Connection, event_id: int) -> AuditEntry | None:
    """One action."""
    found = values_of(AuditEntry, connection.execute(AUDIT_EVENT, {"id": event_id}))
    return found[0] if found else None


# Neither is said by `=`: theirs are to be read by an index of their own, from behind, and not
# looked for among all that others did since.
BEFORE = "coalesce(CAST(:before AS bigint), 9223372036854775807)"
OF_ALL = f"id < {BEFORE} ORDER BY id DESC"
OF_ONE = f"actor >= :who AND (actor, id) < (:who, {BEFORE}) ORDER BY actor DESC, id DESC"
OF_KIND = f"action >= :what AND (action, id) < (:what, {BEFORE}) ORDER BY action DESC, id DESC"
AUDIT = """
SELECT id, at, actor, action, target, affected, detail, now() AS now FROM (
  SELECT * FROM audit_events WHERE {which} LIMIT :window) AS e
WHERE (CAST(:who AS text) IS NULL OR actor = :who)
  AND (CAST(:what AS text) IS NULL OR action = :what)
  AND (CAST(:target AS text) IS NULL OR strpos(lower(target), lower(:target)) > 0)
ORDER BY id DESC LIMIT :limit
"""
BY_BOTH = {(False, False): OF_ALL, (True, False): OF_ONE, (False, True): OF_KIND,
           (True, True): OF_ONE}  # fmt: skip
AUDIT_OF = {said: text(AUDIT.format(which=which)) for said, which in BY_BOTH.items()}
"""By whether a person, and a deed, are named."""
# From one name to the next by the index, however many deeds are of each.
EACH_NAME = """
  (SELECT {name} AS word FROM audit_events ORDER BY {name} LIMIT 1)
  UNION ALL
  SELECT (SELECT {name} FROM audit_events WHERE {name} > one.word ORDER BY {name} LIMIT 1)
  FROM {each} AS one WHERE one.word IS NOT NULL"""
AUDIT_WORDS = text(f"""
WITH RECURSIVE actors AS ({EACH_NAME.format(name="actor", each="actors")}),
actions AS ({EACH_NAME.format(name="action", each="actions")})
SELECT ARRAY(SELECT word FROM actors WHERE word IS NOT NULL LIMIT :most) AS actors,
  ARRAY(SELECT word FROM actions WHERE word IS NOT NULL LIMIT :most) AS actions
""")  # noqa: S608 - constants of this module only
AUDIT_EVENT = text("""
SELECT id, at, actor, action, target, affected, detail, now() AS now FROM audit_events
WHERE id = :id
""")
