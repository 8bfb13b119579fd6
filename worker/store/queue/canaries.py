"""Canaries: combinations of queue, prompt, schema and model that are new.

Promises: until a combination is proven, one of its jobs is in flight at a time, whoever claims
(but for one whose worker has been silent for `SILENT_S`); a decided call counts once, in the
transaction that records it; a combination that is given up pauses its queue.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from models.vocabulary import ROUTING, Stage
from worker.domain.canary import CanaryVerdict, speaks_well, verdict, words
from worker.domain.claimed import Claimed
from worker.domain.reports import AttemptReport
from worker.domain.trials import SILENT_S, SLICE
from worker.store.queue.gates import Stop, Stops
from worker.store.queue.halts import halt
from worker.store.rows import as_json


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Combination:
    """One combination."""

    tier: str
    prompt_version: str
    schema_version: str
    model: str


class Canaries:
    """The claims' side, for one worker process; remembers what is proven."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        self._proven: set[Combination] = set()

    def singly(self, connection: Connection, planned: Sequence[Claimed]) -> Stops:
        """The gate of the realtime lane: one of a new combination passes, when none is in
        flight."""
        room = dict[Combination, int]()
        for new in self._new(planned):
            room[new] = int(self._may_go(connection, new))
            self._note_tried(connection, new, room[new])
        return self._beyond(room, planned, Stop.HELD)

    def in_slices(self, connection: Connection, planned: Sequence[Claimed]) -> Stops:
        """The gate of the batch lane. A batch brings its answers all at once, so the canary of a
        new combination is a small slice, and one such slice at a time."""
        room = {new: self._room_in_slice(connection, new) for new in self._new(planned)}
        return self._beyond(room, planned, Stop.LATER)

    def _room_in_slice(self, connection: Connection, trial: Combination) -> int:
        free = self._may_go(connection, trial)
        waiting = connection.execute(IN_A_BATCH, asdict(trial)).scalar_one()
        room = SLICE if free and not waiting else 0
        self._note_tried(connection, trial, room)
        return room

    def _note_tried(self, connection: Connection, trial: Combination, room: int) -> None:
        """That some of it are let through just now, which whoever looks at its queue is told."""
        if room and trial not in self._proven:
            connection.execute(TRIED, asdict(trial))

    def _new(self, planned: Sequence[Claimed]) -> list[Combination]:
        """Combinations that are not known to be proven, in the order in which rows are locked."""
        if not self._enabled:
            return []
        trials = {trial_of(claimed) for claimed in planned} - self._proven
        return sorted(trial for trial in trials if trial is not None)

    def _beyond(
        self, room: dict[Combination, int], planned: Sequence[Claimed], stop: Stop
    ) -> Stops:
        stops = dict[int, Stop]()
        for claimed in planned if room else ():
            trial = trial_of(claimed)
            if trial in room and trial not in self._proven:
                room[trial] -= 1
                if room[trial] < 0:
                    stops[claimed.candidate.job_id] = stop
        return stops

    def _may_go(self, connection: Connection, trial: Combination) -> bool:
        """Whether the trial's next call may go, its row locked until the claim is committed."""
        values = asdict(trial)
        row = connection.execute(LOCK, values).one_or_none()
        if row is None and connection.execute(INSERT, values).rowcount == 0:
            return False  # Somebody else is claiming for it at this moment.
        if row is not None and row.proven:
            self._proven.add(trial)
            return True
        if row is not None and verdict(row.good, row.bad) is CanaryVerdict.GIVEN_UP:
            return False  # Its queue was paused after this claim looked at the gate.
        stage = Stage.ROUTE if trial.tier == ROUTING else Stage.ANSWER
        looking = values | {"stage": stage, "silent": SILENT_S}
        return not connection.execute(IN_FLIGHT, looking).scalar_one()


def trial_of(claimed: Claimed) -> Combination | None:
    """The combination that an attempt tries; None when it asks nothing."""
    asked = claimed.question
    if asked is None:
        return None
    return Combination(
        tier=asked.queue,
        prompt_version=asked.prompt_version,
        schema_version=asked.schema_version,
        model=asked.model,
    )


def heard(report: AttemptReport, row: Row[Any]) -> dict[str, Any] | None:
    """What a decided attempt on trial says, for `count`; `row` is its attempt."""
    well = speaks_well(report) if row.on_trial else None
    if well is None:
        return None
    key = {"job_id": report.job_id, "fence": report.fence, "reasons": list(report.reasons)}
    return key | {"good": int(well), "bad": int(not well)}


def count(connection: Connection, said: Sequence[dict[str, Any]]) -> None:
    """Counts decided canaries; proves or gives up their combinations."""
    for row in connection.execute(COUNT, {"rows": as_json(said)}).all():
        match verdict(row.good, row.bad):
            case CanaryVerdict.PROVEN:
                connection.execute(PROVE, dict(row._mapping))
            case CanaryVerdict.GIVEN_UP:
                halt(connection, row.tier, words(row.tier, row.good, row.bad, row.reasons))
            case CanaryVerdict.UNDECIDED:
                pass


# A row that another claim holds is not waited for.
LOCK = text("""
SELECT proven_at IS NOT NULL AS proven, good, bad FROM canaries
WHERE tier = :tier AND prompt_version = :prompt_version AND schema_version = :schema_version
  AND model = :model FOR UPDATE SKIP LOCKED
""")

INSERT = text("""
INSERT INTO canaries (tier, prompt_version, schema_version, model)
VALUES (:tier, :prompt_version, :schema_version, :model) ON CONFLICT DO NOTHING
""")

TRIED = text("""
UPDATE canaries SET tried_at = now()
WHERE tier = :tier AND prompt_version = :prompt_version AND schema_version = :schema_version
  AND model = :model AND proven_at IS NULL
""")

# Open attempts are those in flight, so this stays small however many jobs there are.
IN_FLIGHT = text("""
SELECT EXISTS (
  SELECT FROM attempts WHERE outcome = 'started' AND batch_id IS NULL AND stage = :stage
    AND (tier = :tier OR :stage = 'route') AND prompt_version = :prompt_version
    AND schema_version = :schema_version AND model = :model
    AND claimed_at > now() - make_interval(secs => :silent))
""")

IN_A_BATCH = text("""
SELECT EXISTS (
  SELECT FROM message_batches AS b JOIN attempts AS a ON a.batch_id = b.id
  WHERE b.state IN ('intended', 'submitted', 'ended') AND a.outcome = 'started'
    AND CASE a.stage WHEN 'route' THEN 'routing' ELSE a.tier END = :tier
    AND a.prompt_version = :prompt_version AND a.schema_version = :schema_version
    AND a.model = :model)
""")

COUNT = text("""
UPDATE canaries AS c SET good = c.good + t.good, bad = c.bad + t.bad,
  failed_jobs = c.failed_jobs || t.failed
FROM (
  SELECT CASE a.stage WHEN 'route' THEN 'routing' ELSE a.tier END AS tier, a.prompt_version,
    a.schema_version, a.model, sum(s.good) AS good, sum(s.bad) AS bad,
    coalesce(array_agg(s.job_id ORDER BY s.job_id) FILTER (WHERE s.bad > 0), '{}') AS failed,
    (array_agg(s.reasons ORDER BY s.job_id DESC) FILTER (WHERE s.bad > 0))[1] AS reasons
  FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s(
    job_id bigint, fence int, reasons jsonb, good int, bad int)
  JOIN attempts AS a USING (job_id, fence) GROUP BY 1, 2, 3, 4
) AS t
WHERE (c.tier, c.prompt_version, c.schema_version, c.model)
  = (t.tier, t.prompt_version, t.schema_version, t.model) AND c.proven_at IS NULL
RETURNING c.tier, c.prompt_version, c.schema_version, c.model, c.good, c.bad,
  coalesce(t.reasons, '[]'::jsonb) AS reasons
""")

PROVE = text("""
UPDATE canaries SET proven_at = now()
WHERE tier = :tier AND prompt_version = :prompt_version AND schema_version = :schema_version
  AND model = :model
""")
