"""Certificates as people read them, and the evidence since."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from worker.domain.proof.certificate_page import Issued
from worker.domain.proof.drift import Vigil
from worker.domain.text import whole_number
from worker.errors import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day's evidence on a certificate, running totals."""

    day: dt.date
    audits: int
    errors: int
    log_evidence: float
    alarm: float


def certificates(connection: Connection, limit: int = 50) -> list[Issued]:
    """The newest first."""
    return [_stored(row) for row in connection.execute(LIST, {"limit": limit, "id": None})]


def certificate(connection: Connection, number: str) -> Issued:
    """One by its number. Raises Missing when there is none."""
    wanted = whole_number(number.lstrip("#"))
    rows: Sequence[Row[Any]] = []
    if wanted is not None:
        rows = connection.execute(LIST, {"limit": 1, "id": wanted}).all()
    if not rows:
        raise Missing(f"There is no certificate {number!r}.", mend="rung certificates")
    return _stored(rows[0])


def _stored(row: Row[Any]) -> Issued:
    return Issued(**row._mapping)


def days(connection: Connection, number: int) -> list[Day]:
    """The evidence by day, oldest first."""
    found = []
    for row in connection.execute(DAYS, {"id": number}):
        seen = Vigil(
            alpha=0.05,
            wealth=tuple(row.wealth),
            detector=tuple(row.detector),
            audits=row.audits,
            errors=row.errors,
            most=row.most,
        )
        found.append(
            Day(
                day=row.day,
                audits=row.audits,
                errors=row.errors,
                log_evidence=seen.log_evidence,
                alarm=seen.alarm,
            )
        )
    return found


LIST = text("""
SELECT c.*, coalesce(e.audits, 0) AS audits, coalesce(e.errors, 0) AS wrong
FROM certificates AS c LEFT JOIN LATERAL (
  SELECT audits, errors FROM evidence WHERE certificate_id = c.id ORDER BY day DESC LIMIT 1
) AS e ON true
WHERE CAST(:id AS bigint) IS NULL OR c.id = :id
ORDER BY c.id DESC LIMIT :limit
""")
DAYS = text("SELECT * FROM evidence WHERE certificate_id = :id ORDER BY day")
