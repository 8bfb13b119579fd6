"""Which jobs of runs are looked at, where looking at all would take as long as the runs are large.

A sample by places that are evenly spaced among a run's messages takes the same time whatever the
run's size. What people have judged is not among it: that is found by the draw that chose it.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from worker.store.queue.audits import draw_sql

NEIGHBOURS = 5
"""Of a sample's messages so many follow one another. Were neighbours as alike as a twentieth of all
differences, intervals would be a tenth too narrow."""
BEYOND = 1.25
"""A sample by draw is larger by this than what was drawn before: it is of the other messages too,
and what was asked of some alone is never taken for what was asked of all."""


def some_jobs(
    connection: Connection, runs: Sequence[int], most: int, in_a_row: int = NEIGHBOURS
) -> list[int]:
    """Jobs of these runs: all where there are no more than `most`, otherwise about so many, of each
    run in proportion to its size."""
    sizes = {row.run_id: row.jobs for row in connection.execute(SIZES, {"runs": list(runs)})}
    total = sum(sizes.values())
    if total <= most:
        return list(connection.execute(ALL, {"runs": list(runs)}).scalars())
    return [
        job
        for run, jobs in sizes.items()
        for job in evenly_spaced(connection, run, round(most * jobs / total), in_a_row)
    ]


def evenly_spaced(
    connection: Connection, run: int, most: int, in_a_row: int = NEIGHBOURS
) -> list[int]:
    """About so many jobs of a run, a few in a row at evenly spaced places: each place costs."""
    values = {"run": run, "places": max(most // in_a_row, 1), "neighbours": in_a_row}
    return list(connection.execute(EVENLY, values).scalars())


def share_to_draw(connection: Connection, runs: Sequence[int], wanted: float) -> float:
    """The share of messages that is wanted, or as much as holds all that audits and shadows of
    these runs have drawn, from 0 to 1."""
    drawn = float(connection.execute(SHARES, {"runs": list(runs)}).scalar_one())
    return min(max(wanted, BEYOND * drawn), 1.0)


def drawn_jobs(connection: Connection, runs: Sequence[int], share: float) -> list[int]:
    """Answered jobs that the draw of audits and shadows chooses for this share: one number draws
    everything of a job, so what it chose for a smaller share is among them. Each job of the runs is
    looked at once."""
    values = {"runs": list(runs), "share": share}
    return list(connection.execute(DRAWN, values).scalars())


SIZES = text("""
SELECT run_id, sum(jobs)::bigint AS jobs FROM run_counts
WHERE run_id = ANY(:runs) GROUP BY 1 ORDER BY 1
""")
ALL = text("SELECT id FROM jobs WHERE run_id = ANY(:runs)")
SHARES = text("""
SELECT coalesce(max(greatest(audit_share, shadow_share)), 0) FROM runs WHERE id = ANY(:runs)
""")
DRAWN = text(f"""
SELECT j.id FROM jobs AS j CROSS JOIN audit_salt AS z
WHERE j.run_id = ANY(:runs) AND j.state IN ('answered', 'review') AND {draw_sql("j.id")} < :share
""")  # noqa: S608 - constants only
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
