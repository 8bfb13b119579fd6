"""Which jobs of runs are looked at, where looking at all would take as long as the runs are large.

A sample goes by places that are evenly spaced among a run's messages: it takes the same time
whatever the run's size.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

NEIGHBOURS = 5
"""Of a sample's messages so many follow one another. Were neighbours as alike as a twentieth of all
differences, intervals would be a tenth too narrow."""


def some_jobs(connection: Connection, runs: Sequence[int], most: int) -> list[int]:
    """Jobs of these runs: all where there are no more than `most`, otherwise about so many, of each
    run in proportion to its size."""
    sizes = {row.run_id: row.jobs for row in connection.execute(SIZES, {"runs": list(runs)})}
    total = sum(sizes.values())
    if total <= most:
        return list(connection.execute(ALL, {"runs": list(runs)}).scalars())
    return [
        job
        for run, jobs in sizes.items()
        for job in evenly_spaced(connection, run, round(most * jobs / total))
    ]


def evenly_spaced(connection: Connection, run: int, most: int) -> list[int]:
    """About so many jobs of a run, a few in a row at evenly spaced places."""
    values = {"run": run, "places": max(most // NEIGHBOURS, 1), "neighbours": NEIGHBOURS}
    return list(connection.execute(EVENLY, values).scalars())


SIZES = text("""
SELECT run_id, sum(jobs)::bigint AS jobs FROM run_counts
WHERE run_id = ANY(:runs) GROUP BY 1 ORDER BY 1
""")
ALL = text("SELECT id FROM jobs WHERE run_id = ANY(:runs)")
# A few neighbours at each place, whose rows lie together: one by one, every job would be pages of
# its own, which cost more than all else.
EVENLY = text("""
SELECT DISTINCT j.id FROM (
  SELECT (SELECT message_id FROM jobs WHERE run_id = :run ORDER BY message_id LIMIT 1) AS low,
    (SELECT message_id FROM jobs WHERE run_id = :run ORDER BY message_id DESC LIMIT 1) AS high
  OFFSET 0) AS ends
CROSS JOIN generate_series(0, CAST(:places AS bigint) - 1) AS p(n)
CROSS JOIN LATERAL (
  SELECT id FROM jobs WHERE run_id = :run
    AND message_id >= ends.low + (ends.high - ends.low) * p.n / CAST(:places AS bigint)
  ORDER BY message_id LIMIT :neighbours) AS j
""")
