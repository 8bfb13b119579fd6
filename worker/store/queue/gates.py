"""Gates: what ready jobs pass before they are claimed, in either lane.

The first is their queue's, which pauses and breakers shut: a claim looks at it only when it found
nothing to lock, so an open one costs nothing. Promise: while a breaker is half-open, one job of its
queue is in flight at a time, whoever claims. The others are a list; each says which jobs stop at
it, and the last one is the budgets'.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, StrEnum, auto

from sqlalchemy import Connection, text

from worker.domain.claimed import Claimed


class Stop(StrEnum):
    """Why a ready job is not claimed now."""

    HELD = "held"
    """Its like go one at a time: it is asked for again in a moment."""
    UNASKED = "unasked"
    """It would ask Claude, and no more may for now."""
    LATER = "later"
    """It does not fit into this slice, and is ready for the next."""
    RUN_BUDGET = "run budget"
    DAY_BUDGET = "day budget"


Stops = Mapping[int, Stop]
"""By job."""
ClaimGate = Callable[[Connection, Sequence[Claimed]], Stops]


class QueueGate(Enum):
    """How far a queue's gate is open. `SINGLE` lets one job through and holds its row's lock until
    the claim is committed."""

    OPEN = auto()
    SINGLE = auto()
    HELD = auto()
    SHUT = auto()


def gate_of(connection: Connection, queue: str) -> QueueGate:
    """How the gate of `queue` stands for this transaction."""
    row = connection.execute(LOOK, {"queue": queue}).one()
    if row.shut:
        return QueueGate.SHUT
    if not row.probing:
        return QueueGate.OPEN
    mine = connection.execute(TRY_PROBE, {"queue": queue}).one_or_none()
    if mine is None or connection.execute(IN_FLIGHT, {"queue": queue}).scalar_one():
        return QueueGate.HELD
    return QueueGate.SINGLE


def unmark(connection: Connection, queue: str, ids: Sequence[int]) -> None:
    """Takes the dispatch mark from jobs that met a shut gate, so that they are dispatched as soon
    as it opens."""
    connection.execute(UNMARK, {"queue": queue, "ids": list(ids)})


LOOK = text("""
SELECT coalesce(bool_or(paused OR (breaker = 'open' AND breaker_until > now())), false) AS shut,
  coalesce(bool_or(name = :queue AND breaker <> 'closed'), false) AS probing
FROM tiers WHERE name IN (:queue, 'everything')
""")

TRY_PROBE = text("""
SELECT name FROM tiers WHERE name = :queue FOR UPDATE SKIP LOCKED
""")

# Its own statement, so that it sees what was committed until the row's lock was ours.
IN_FLIGHT = text("""
SELECT EXISTS (SELECT FROM jobs WHERE queue = :queue AND lease_until IS NOT NULL)
""")

UNMARK = text("""
DELETE FROM dispatches WHERE job_id = ANY(ARRAY(
  SELECT job_id FROM dispatches
  WHERE job_id = ANY(:ids) AND queue = :queue FOR UPDATE SKIP LOCKED))
""")
