"""Forecasts kept with their runs, and compared with what they came to."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, text

from worker.store.rows import as_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """One measure of a finished run: as forecast, and as it came."""

    run: str
    measure: str
    p10: float
    p50: float
    p90: float
    fact: float
    finished_at: dt.datetime

    @property
    def held(self) -> bool:
        """Whether it fell between the tenth and the ninetieth percentile."""
        return self.p10 <= self.fact <= self.p90


def keep(
    connection: Connection,
    run_id: int,
    recorded: int,
    rows: Iterable[tuple[str, float, float, float]],
) -> None:
    """Keeps a run's forecast: measure, p10, p50, p90. A second one changes nothing: it was made
    knowing more."""
    given = as_json(
        {"measure": measure, "p10": p10, "p50": p50, "p90": p90} for measure, p10, p50, p90 in rows
    )
    connection.execute(KEEP, {"run": run_id, "recorded": recorded, "rows": given})


def settled(connection: Connection, limit: int = 60) -> list[Settled]:
    """Finished runs that had a forecast, the newest first."""
    return [Settled(**row._mapping) for row in connection.execute(SETTLED, {"limit": limit})]


KEEP = text("""
INSERT INTO forecasts (run_id, measure, p10, p50, p90, recorded)
SELECT :run, measure, p10, p50, p90, :recorded
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
  measure text, p10 float8, p50 float8, p90 float8)
ON CONFLICT (run_id, measure) DO NOTHING
""")
SETTLED = text("""
SELECT r.name AS run, f.measure, f.p10, f.p50, f.p90, r.finished_at,
  CASE f.measure WHEN 'usd' THEN (
      SELECT coalesce(sum(cost), 0)::float8 FROM run_spend WHERE run_id = r.id)
    WHEN 'people' THEN (
      SELECT coalesce(sum(jobs), 0)::float8 FROM run_counts
      WHERE run_id = r.id AND state = 'review')
    ELSE extract(epoch FROM r.finished_at - r.created_at)::float8 END AS fact
FROM forecasts AS f JOIN runs AS r ON r.id = f.run_id
WHERE r.state = 'finished' AND r.finished_at IS NOT NULL
ORDER BY r.id DESC, f.measure LIMIT :limit
""")
