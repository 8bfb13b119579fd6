"""Leases on what people read: whoever was given an item of a queue has it for some minutes, and
nobody else is given it meanwhile. A lease keeps nobody from a verdict: who must not say twice is
told by the verdicts themselves."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from models.vocabulary import ReadingKind

LEASE_S = 600.0
"""So long an item is nobody else's. Whoever reads longer may find that another has answered."""


@dataclass(frozen=True, slots=True)
class ReadBy:
    """Somebody at one screen. `holder` tells two apart who go by the same name."""

    holder: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingHeld:
    """Who else has an item before them, and since when."""

    reader: str
    since: dt.datetime
    now: dt.datetime


def take(
    connection: Connection, kind: ReadingKind, item: tuple[int, int], by: ReadBy
) -> dt.datetime | None:
    """Gives them the item (a job and an answer's fence, 0 for a review), and back what they had
    before. Returns until when; None when somebody else has it."""
    values = _values(kind, item, by) | {"name": by.name, "lease": LEASE_S}
    until: dt.datetime | None = connection.execute(TAKE, values).scalar()
    if until is not None:
        connection.execute(LEAVE_OTHERS, values)
    return until


def leave(engine: Engine, kind: ReadingKind, by: ReadBy, until: dt.datetime | None = None) -> int:
    """They read nothing of this kind any more; with `until`, the lease that ends then and no later
    one of theirs. Returns how many items are free again."""
    with engine.begin() as connection:
        return give_back(connection, kind, by, until)


def give_back(
    connection: Connection, kind: ReadingKind, by: ReadBy, until: dt.datetime | None = None
) -> int:
    """As `leave`, inside the caller's transaction."""
    values = {"kind": kind, "holder": by.holder, "until": until}
    return connection.execute(LEAVE, values).rowcount


def end(connection: Connection, kind: ReadingKind, job_id: int) -> None:
    """The job has its verdict: whoever had it before them is done with it."""
    connection.execute(END, {"kind": kind, "job": job_id})


def held_by_another(connection: Connection, job_id: int, by: ReadBy) -> ReadingHeld | None:
    """Who else reads this review just now."""
    values = _values(ReadingKind.REVIEW, (job_id, 0), by)
    row = connection.execute(HELD, values).one_or_none()
    return ReadingHeld(reader=row.reader, since=row.since, now=row.now) if row else None


def _values(kind: ReadingKind, item: tuple[int, int], by: ReadBy) -> dict[str, object]:
    return {"kind": kind, "job": item[0], "fence": item[1], "holder": by.holder}


# Of two who are given the same at once, the key lets the second wait, and find it taken.
TAKE = text("""
INSERT INTO reading_leases (kind, job_id, fence, holder, reader, since, until)
VALUES (:kind, :job, :fence, :holder, :name, now(), now() + make_interval(secs => :lease))
ON CONFLICT (kind, job_id, fence) DO UPDATE SET holder = excluded.holder,
  reader = excluded.reader, until = excluded.until,
  since = CASE WHEN reading_leases.until > excluded.since
    THEN reading_leases.since ELSE excluded.since END
WHERE reading_leases.holder = excluded.holder OR reading_leases.until <= excluded.since
RETURNING until
""")
# Those that another is about to take over are theirs.
LEAVE_OTHERS = text("""
DELETE FROM reading_leases WHERE ctid = ANY(ARRAY(
  SELECT ctid FROM reading_leases WHERE kind = :kind AND holder = :holder
    AND (job_id, fence) <> (:job, :fence) FOR UPDATE SKIP LOCKED))
""")
LEAVE = text("""
DELETE FROM reading_leases WHERE kind = :kind AND holder = :holder
  AND (CAST(:until AS timestamptz) IS NULL OR until = :until)
""")
END = text("DELETE FROM reading_leases WHERE kind = :kind AND job_id = :job")
HELD = text("""
SELECT reader, since, now() AS now FROM reading_leases
WHERE kind = :kind AND job_id = :job AND fence = :fence AND until > now() AND holder <> :holder
""")
