"""Message Batches under way: as rows, and all of them in one sentence. Reads counters and the few
rows of what is open."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from models.vocabulary import BatchState, JobState, RunLane
from worker.domain.wording import ago, clock, count, plural, span
from worker.store.reading.run_standing import RunStanding
from worker.store.rows import values_of

UNCONFIRMED_S = 30.0
"""A batch whose sending nobody has answered for so long is no batch that is being sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBatch:
    """A Message Batch under way; `batch` is its number here."""

    batch: int
    state: str
    stage: str
    tier: str | None
    requests: int
    error: str | None
    submitted_at: dt.datetime | None
    age_s: float
    external_id: str | None
    look_s: float
    """Until its next look."""

    @property
    def word(self) -> str:
        """Where it is, as every screen says it."""
        if self.state == BatchState.INTENDED:
            return "being sent" if self.age_s < UNCONFIRMED_S else "not confirmed by Claude"
        return {"submitted": "at Claude", "ended": "being read"}.get(self.state, self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchesUnderWay:
    """Messages in batches, of whatever runs, as the ladder counts them, and their batches by what
    becomes of them; `since` when Claude has the oldest, and in how many seconds one is looked at
    next."""

    messages: int
    sending: int
    claude: int
    reading: int
    since: dt.datetime | None
    look_s: float | None
    now: dt.datetime

    @property
    def batches(self) -> int:
        """All of them."""
        return self.sending + self.claude + self.reading

    @property
    def words(self) -> str:
        """`5 messages in 2 batches (1 being sent, 1 at Claude); the oldest was sent at 16:48, 7 min
        ago; next look in 20 s`, without a full stop; empty where there is none."""
        if not self.batches:
            return ""
        all_ = f"{plural(self.messages, 'message')} in {plural(self.batches, 'batch', 'batches')}"
        parts = {"being sent": self.sending, "at Claude": self.claude, "being read": self.reading}
        said = [f"{all_} ({', '.join(f'{count(n)} {word}' for word, n in parts.items() if n)})"]
        if self.since is not None:
            when = f"{clock(self.since, self.now)}, {ago(self.since, self.now)}"
            said.append(f"the oldest was sent at {when}")
        if self.look_s:
            said.append(f"next look in {span(self.look_s)}")
        return "; ".join(said)

    def as_document(self) -> dict[str, Any]:
        """As commands and the API give it."""
        return {
            "batches": self.batches,
            "messages": self.messages,
            "oldest_since": self.since,
            "next_look_s": self.look_s,
            "words": self.words,
        }


def together(batches: Sequence[OpenBatch], run: RunStanding) -> BatchesUnderWay:
    """Those of one run, and how many of its messages are in them."""
    states = Counter(one.state for one in batches)
    claude = [one for one in batches if one.state == BatchState.SUBMITTED]
    return BatchesUnderWay(
        messages=run.jobs(JobState.SUBMITTED),
        sending=states[BatchState.INTENDED],
        claude=len(claude),
        reading=states[BatchState.ENDED],
        since=min((one.submitted_at for one in claude if one.submitted_at), default=None),
        look_s=max(min(one.look_s for one in claude), 0.0) if claude else None,
        now=run.now,
    )


def batches_under_way(connection: Connection) -> BatchesUnderWay:
    """From the moment that jobs are taken for a batch until its last answer is recorded."""
    (found,) = values_of(BatchesUnderWay, connection.execute(UNDER_WAY))
    return found


def batches_of(connection: Connection, run: RunStanding) -> list[OpenBatch]:
    """Message Batches under way that hold jobs of a run, oldest first. Claude says nothing of a
    batch before it has ended, so its age is all the progress there is."""
    if run.lane == RunLane.REALTIME and not run.jobs(JobState.SUBMITTED):
        return []
    return values_of(OpenBatch, connection.execute(BATCHES, {"run": run.id}))


def unconfirmed(connection: Connection) -> list[str]:
    """Batches that were sent, and of which Claude has not said that it has them: in sentences."""
    row = connection.execute(UNCONFIRMED, {"after": UNCONFIRMED_S}).one()
    if not row.batches:
        return []
    held = f"{plural(row.batches, 'batch', 'batches')} with {plural(row.requests, 'request')}"
    why = f": {row.error}" if row.error else ""
    return [
        f"Claude has not confirmed {held}, for {span(row.age_s)} now{why}. Rung looks for"
        " them, and sends again what Claude does not list"
    ]


UNCONFIRMED = text("""
SELECT count(*) AS batches, coalesce(sum(requests), 0)::bigint AS requests, max(error) AS error,
  extract(epoch FROM now() - min(coalesce(submitted_at, created_at)))::float8 AS age_s
FROM message_batches WHERE state = 'intended'
  AND coalesce(submitted_at, created_at) < now() - make_interval(secs => :after)
""")
UNDER_WAY = text("""
SELECT count(*) FILTER (WHERE state = 'intended') AS sending,
  count(*) FILTER (WHERE state = 'submitted') AS claude,
  count(*) FILTER (WHERE state = 'ended') AS reading,
  min(submitted_at) FILTER (WHERE state = 'submitted') AS since,
  extract(epoch FROM greatest(min(next_poll_at) FILTER (WHERE state = 'submitted') - now(),
    interval '0'))::float8 AS look_s,
  (SELECT coalesce(sum(c.jobs), 0)::bigint FROM run_counts AS c JOIN runs AS r ON r.id = c.run_id
   WHERE r.finished_at IS NULL AND c.state = 'submitted') AS messages, now() AS now
FROM message_batches WHERE state IN ('intended', 'submitted', 'ended')
""")
BATCHES = text("""
SELECT id AS batch, state, stage, tier, requests, error, submitted_at, external_id,
  extract(epoch FROM now() - coalesce(submitted_at, created_at))::float8 AS age_s,
  extract(epoch FROM next_poll_at - now())::float8 AS look_s
FROM message_batches AS b
WHERE state IN ('intended', 'submitted', 'ended') AND EXISTS (
  SELECT FROM (SELECT job_id FROM attempts WHERE batch_id = b.id OFFSET 0) AS a
  CROSS JOIN LATERAL (SELECT run_id FROM jobs WHERE id = a.job_id OFFSET 0) AS j
  WHERE j.run_id = :run OFFSET 0)
ORDER BY id LIMIT 200
""")
