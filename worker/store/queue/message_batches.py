"""The rows of Message Batches: intents, states, and whose an attempt is.

Promises: one process at a time tends the batches; a batch's state only moves on, but for one that
was adopted by mistake.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from models.vocabulary import BatchState, Stage
from worker.store.locks import holding

ENDINGS = ("succeeded", "errored", "canceled", "expired")
"""How an item can end, as Claude counts them."""
LEADER_LOCK = 7_210_433
"""Key of the advisory lock of the one who tends the batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One row of `message_batches`."""

    id: int
    state: BatchState
    external_id: str | None
    stage: Stage
    tier: str
    requests: int
    counts: Mapping[str, Any]
    created_at: dt.datetime
    submitted_at: dt.datetime | None
    age_s: float
    """Seconds since it was submitted, or last sent, or else since it was intended, by the
    database's clock."""

    @property
    def refused(self) -> bool:
        """Whether Claude certainly did not take it when it was last sent."""
        return bool(self.counts.get("refused"))

    @property
    def results(self) -> int:
        """How many lines its results have, by Claude's own count."""
        told = sum(int(self.counts.get(name, 0)) for name in ENDINGS)
        return told or self.requests


@contextmanager
def leading(engine: Engine) -> Iterator[bool]:
    """Whether this process tends the batches until the end of the block."""
    with holding(engine, TRY_LEAD, {"key": LEADER_LOCK}) as mine:
        yield mine


def open_batches(connection: Connection, state: BatchState) -> list[Batch]:
    """Batches in a state, oldest first; `submitted` ones only when their next look is due."""
    return [_batch(row) for row in connection.execute(OPEN, {"state": state})]


def known_ids(connection: Connection, external_ids: Sequence[str]) -> set[str]:
    """Those of Claude's ids that are ours already, or known to be somebody else's."""
    return set(connection.execute(KNOWN, {"ids": list(external_ids)}).scalars())


def note_submitted(
    connection: Connection, batch_id: int, external_id: str, simulated: bool
) -> None:
    """Claude has it."""
    values = {"id": batch_id, "external_id": external_id, "simulated": simulated}
    connection.execute(SUBMITTED, values)


def note_look(
    connection: Connection, batch_id: int, counts: Mapping[str, Any], ended: bool, poll_s: float
) -> None:
    """What a look brought; the next one is due in `poll_s` seconds."""
    values = {"id": batch_id, "counts": json.dumps(dict(counts)), "ended": ended, "poll": poll_s}
    connection.execute(LOOKED, values)


def close_batch(
    connection: Connection,
    batch_id: int,
    state: BatchState,
    counts: Mapping[str, Any],
    error: str | None = None,
) -> None:
    """Everything that came of it is recorded, or nothing can come of it."""
    values = {"id": batch_id, "state": state, "counts": json.dumps(dict(counts)), "error": error}
    connection.execute(CLOSE, values)


def note_error(
    connection: Connection,
    batch_id: int,
    error: str,
    wait_s: float,
    counts: Mapping[str, Any] | None = None,
) -> None:
    """Shown beside the batch; looked at again after `wait_s` seconds."""
    values = {"id": batch_id, "error": error, "wait": wait_s, "counts": json.dumps(counts or {})}
    connection.execute(NOTE_ERROR, values)


def disown(connection: Connection, batch_id: int, external_id: str) -> None:
    """It was adopted by mistake: none of its results is ours. The intent stands again."""
    connection.execute(DISOWN, {"id": batch_id, "external_id": external_id})


def exchange(connection: Connection, one: Batch, other_id: int) -> None:
    """Two intents of one size were adopted crosswise: their ids at Claude change places."""
    connection.execute(LOCK_TWO, {"ids": sorted((one.id, other_id))})
    other = connection.execute(EXTERNAL_ID, {"id": other_id}).scalar_one()
    connection.execute(SET_EXTERNAL_ID, {"id": other_id, "external_id": None})
    connection.execute(SET_EXTERNAL_ID, {"id": one.id, "external_id": other})
    connection.execute(SET_EXTERNAL_ID, {"id": other_id, "external_id": one.external_id})


def unwanted_batches(connection: Connection) -> list[Batch]:
    """Submitted batches for which no job of the batch lane waits any more, not yet cancelled."""
    return [_batch(row) for row in connection.execute(UNWANTED)]


def note_cancelling(connection: Connection, batch_id: int) -> None:
    """Claude was asked to stop."""
    connection.execute(CANCELLING, {"id": batch_id})


def note_create(connection: Connection, batch_id: int, requests: int) -> None:
    """A create is about to leave. There may be fewer requests than were intended: by their number
    an orphan is recognised. What was refused before says nothing of this one."""
    connection.execute(SENDING, {"id": batch_id, "requests": requests})


def _batch(row: Row[Any]) -> Batch:
    return Batch(
        id=row.id,
        state=BatchState(row.state),
        external_id=row.external_id,
        stage=Stage(row.stage),
        tier=row.tier,
        requests=row.requests,
        counts=row.counts,
        created_at=row.created_at,
        submitted_at=row.submitted_at,
        age_s=float(row.age_s),
    )


TRY_LEAD = text("SELECT pg_try_advisory_xact_lock(:key)")

LOOK = """
SELECT id, state, external_id, stage, tier, requests, counts, created_at, submitted_at,
  extract(epoch FROM now() - coalesce(submitted_at, created_at)) AS age_s
FROM message_batches AS b
"""

OPEN = text(
    LOOK
    + """
WHERE state = :state AND next_poll_at <= now() ORDER BY id
"""
)

KNOWN = text("""
SELECT external_id FROM message_batches WHERE external_id = ANY(:ids)
UNION SELECT jsonb_array_elements_text(counts -> 'foreign') FROM message_batches
  WHERE state IN ('intended', 'submitted', 'ended') AND counts ? 'foreign'
""")

SUBMITTED = text("""
UPDATE message_batches SET state = 'submitted', external_id = :external_id, error = NULL,
  simulated = :simulated, submitted_at = now(), next_poll_at = now()
WHERE id = :id AND state = 'intended'
""")

LOOKED = text("""
UPDATE message_batches SET counts = counts || CAST(:counts AS jsonb), error = NULL,
  state = CASE WHEN :ended THEN 'ended' ELSE state END,
  ended_at = CASE WHEN :ended THEN now() ELSE ended_at END,
  next_poll_at = CASE WHEN :ended THEN now() ELSE now() + make_interval(secs => :poll) END
WHERE id = :id AND state = 'submitted'
""")

CLOSE = text("""
UPDATE message_batches SET state = :state, counts = counts || CAST(:counts AS jsonb),
  error = :error, recorded_at = now() WHERE id = :id
""")

NOTE_ERROR = text("""
UPDATE message_batches SET error = :error, counts = counts || CAST(:counts AS jsonb),
  next_poll_at = now() + make_interval(secs => :wait)
WHERE id = :id
""")

DISOWN = text("""
UPDATE message_batches SET state = 'intended', external_id = NULL, submitted_at = NULL,
  counts = jsonb_build_object('foreign',
    coalesce(counts -> 'foreign', '[]'::jsonb) || to_jsonb(CAST(:external_id AS text)))
WHERE id = :id
""")

LOCK_TWO = text("SELECT id FROM message_batches WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")
EXTERNAL_ID = text("SELECT external_id FROM message_batches WHERE id = :id")
SET_EXTERNAL_ID = text("""
UPDATE message_batches SET external_id = :external_id, next_poll_at = now(),
  state = CASE WHEN state = 'ended' THEN 'submitted' ELSE state END WHERE id = :id
""")

# In these three, `OFFSET 0` keeps each step what it is written as, a look by a key: among many
# batches, statistics of an hour ago say nothing of one.
NOBODY_WAITS = """
WHERE state = 'submitted' AND cancelled_at IS NULL AND NOT EXISTS (
  SELECT FROM (SELECT job_id, fence FROM attempts WHERE batch_id = b.id OFFSET 0) AS a
  CROSS JOIN LATERAL (
    SELECT FROM jobs AS j WHERE j.id = a.job_id AND j.fence = a.fence AND j.state = 'submitted'
      AND j.lane = 'batch' OFFSET 0) AS j
  OFFSET 0)
ORDER BY id
"""
UNWANTED = text(LOOK + NOBODY_WAITS)

CANCELLING = text("""
UPDATE message_batches SET cancelled_at = now(), next_poll_at = now() WHERE id = :id
""")


SENDING = text("""
UPDATE message_batches SET requests = :requests, counts = counts - 'refused', submitted_at = now()
WHERE id = :id AND state = 'intended'
""")
