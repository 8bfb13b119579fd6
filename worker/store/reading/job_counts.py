"""How many jobs there are, from the counters."""

from sqlalchemy import Connection, text


def counted_jobs(connection: Connection, run_id: int | None) -> int:
    """Jobs of a run, or of all."""
    chosen = OF_RUN if run_id is not None else OF_ALL
    values = {"run": run_id} if run_id is not None else {}
    return int(connection.execute(chosen, values).scalar_one())


OF_RUN = text("SELECT coalesce(sum(jobs), 0) FROM run_counts WHERE run_id = :run")
OF_ALL = text("SELECT coalesce(sum(jobs), 0) FROM job_totals")
