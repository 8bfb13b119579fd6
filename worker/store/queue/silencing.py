"""Silencing: what was in flight when its message was erased keeps its money, not its text."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, text

from models.vocabulary import TERMINAL_STATES
from worker.domain.endings import Again
from worker.domain.reports import AttemptReport
from worker.domain.trouble import label_of


def silenced(
    connection: Connection,
    reports: Sequence[AttemptReport],
    rows: Mapping[tuple[int, int], Row[Any]],
) -> Sequence[AttemptReport]:
    """The reports to record, those of erased messages without their text. Asks only when a job has
    ended already: erasure ends every job that it touches."""
    ended = {row.job_id for row in rows.values() if row.state in TERMINAL_STATES}
    if not ended:
        return reports
    erased: Collection[int] = set(connection.execute(ERASED, {"jobs": list(ended)}).scalars())
    return [_silent(report) if report.job_id in erased else report for report in reports]


def _silent(report: AttemptReport) -> AttemptReport:
    ending = Again({}) if isinstance(report.ending, Again) else report.ending
    calls = tuple(
        replace(call, output=None, error=label_of(call.error) if call.error else None)
        for call in report.calls
    )
    # Without its label too: that would be remembered under the digest of a text that is gone.
    return replace(report, ending=ending, calls=calls, findings=(), difficulty=None)


ERASED = text("""
SELECT j.id FROM jobs AS j JOIN messages AS m ON m.id = j.message_id
WHERE j.id = ANY(:jobs) AND m.erased_at IS NOT NULL
""")
