"""Jobs that a choice takes, as they are shown before anything is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import BigInteger, Connection, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from models.jobs import Job
from models.messages import Message
from models.results import Result
from models.runs import Run
from worker.store.filter_sql import JOINED


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenJob:
    """One of the jobs that are chosen."""

    job: int
    run: str
    source: str
    external_id: str
    state: str
    tier: str | None
    confidence: Decimal | None
    reason: str | None


def shown_jobs(connection: Connection, jobs: Sequence[int]) -> list[ChosenJob]:
    """These jobs, the newest first."""
    rows = connection.execute(
        select(
            Job.id.label("job"),
            Run.name.label("run"),
            Message.source,
            Message.external_id,
            Job.state,
            func.coalesce(Result.tier, Job.tier).label("tier"),
            Result.confidence,
            Job.reason,
        )
        .select_from(JOINED)
        .where(Job.id == any_(literal(list(jobs), ARRAY(BigInteger))))
        .order_by(Job.id.desc())
    )
    return [ChosenJob(**row) for row in rows.mappings()]
