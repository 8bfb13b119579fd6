"""Messages that wait for a look-up go on when it works again, and one of them finds that out.

Each waits longer from time to time, so that a look-up that is away is not asked about ten thousand
messages every few seconds; one message a while asks whether it is back.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, text

PROBE_S = 20.0
"""A look-up that nobody has asked for so long is asked about one message."""
GO_ON = 5_000
"""Messages of one run, queue and look-up that go on at once; the others when their time comes."""


def probe_lookups(engine: Engine, tiers: Sequence[str]) -> int:
    """Lets one message ask every look-up that fails and that nobody has asked lately. Returns how
    many messages ask."""
    with engine.begin() as connection:
        names = list(connection.execute(SILENT, {"silent": PROBE_S}).scalars())
        return _go(connection, tiers, names, 1) if names else 0


def resume_waiting(engine: Engine, tiers: Sequence[str], names: Sequence[str]) -> int:
    """What waits for these look-ups, which work again, waits no longer. Returns how many."""
    if not names:
        return 0
    with engine.begin() as connection:
        return _go(connection, tiers, names, GO_ON)


def _go(connection: Connection, tiers: Sequence[str], names: Sequence[str], most: int) -> int:
    """Of each run, look-up and queue, in either lane."""
    queues = [lane + tier for tier in tiers for lane in ("", "batch.")]
    values = {"names": list(names), "queues": queues, "most": most}
    return connection.execute(GO, values).rowcount


SILENT = text("""
SELECT name FROM lookup_failures
WHERE on_failure = 'wait' AND last_at < now() - make_interval(secs => :silent) ORDER BY name
""")
# By the index of what is ready: jobs of one run and queue in the order of their times. Those whose
# priority somebody changed wait for their own time.
GO = text("""
UPDATE jobs AS j SET available_at = now() FROM (
  SELECT w.id FROM unnest(CAST(:names AS text[])) AS l(name)
  CROSS JOIN LATERAL (
    SELECT id, priority FROM runs WHERE finished_at IS NULL AND state = 'active'
      AND policy #> '{context,lookups}' @> to_jsonb(l.name) OFFSET 0) AS r
  CROSS JOIN unnest(CAST(:queues AS text[])) AS q(name)
  CROSS JOIN LATERAL (
    SELECT id FROM jobs WHERE run_id = r.id AND queue = q.name AND priority = r.priority
      AND available_at > now() AND lease_until IS NULL
      AND (SELECT 'lookup:' || l.name = ANY(reasons) FROM attempts WHERE job_id = jobs.id
        ORDER BY fence DESC LIMIT 1)
    ORDER BY available_at LIMIT :most FOR UPDATE SKIP LOCKED) AS w) AS waiting
WHERE j.id = waiting.id
""")
