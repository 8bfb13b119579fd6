"""Why queues do not go on: pauses, holds, breakers, canaries; from a handful of rows."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote

from sqlalchemy import Connection, text

from worker.domain.hold_words import breaker_words, held_words, is_canary, pause_words
from worker.domain.wording import listed
from worker.store.rows import values_of

SHORT_HOLD_S = 1.0
"""What is over before anybody has read of it is not told."""
SHOWN = 5
"""Answers of a canary that are named."""


@dataclass(frozen=True, slots=True)
class FailedCanary:
    """A combination that is not proven and has failed; jobs whose answers spoke against it."""

    tier: str
    bad: int
    failed_jobs: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueHold:
    """A queue that stands still or is slow. Seconds in `held_s`."""

    name: str
    paused: bool
    paused_reason: str | None
    paused_by: str | None
    paused_at: dt.datetime | None
    breaker: str
    breaker_reason: str | None
    held_reason: str | None
    held_s: float | None
    held_at: dt.datetime | None
    breaker_at: dt.datetime | None
    breaker_s: float | None
    now: dt.datetime
    failed_jobs: Sequence[int]
    failed_run: str | None

    @property
    def lasts(self) -> bool:
        """Whether it is still there when somebody has read of it."""
        held_s = self.held_s or 0.0
        return self.paused or self.breaker != "closed" or held_s >= SHORT_HOLD_S

    @property
    def passes(self) -> bool:
        """Whether it is a hold alone, which ends by itself."""
        return not self.paused and self.breaker == "closed"

    @property
    def words(self) -> str:
        """Why, and what helps: the same words for as long as it lasts."""
        return self._told(self.why(0, None))

    @property
    def brief(self) -> str:
        """The same with one command, where several may help."""
        if not (self.paused and is_canary(self.paused_reason)):
            return self.words
        anyway = f"rung resume {self.name} --anyway"
        return f"{self.why(0, None)} (if its answers are in order: {anyway})"

    def words_with(self, waiting: int) -> str:
        """With how many wait just now, and when it tries again."""
        return self._told(self.why(waiting, self.breaker_s))

    def why(self, waiting: int, again_s: float | None) -> str:
        """What keeps it; `again_s` is the seconds until an open breaker tries again."""
        if self.paused:
            return pause_words(
                self.name,
                by=self.paused_by,
                since=self.paused_at,
                reason=self.paused_reason,
                now=self.now,
                waiting=waiting,
            )
        if self.held_s and self.held_s > 0:
            return held_words(
                self.name,
                since=self.held_at,
                until=self.now + dt.timedelta(seconds=self.held_s),
                reason=self.held_reason,
                now=self.now,
                waiting=waiting,
            )
        return breaker_words(
            self.name,
            state=self.breaker,
            since=self.breaker_at,
            reason=self.breaker_reason,
            now=self.now,
            waiting=waiting,
            again_s=again_s,
        )

    @property
    def help(self) -> str:
        """What to do about it, in commands."""
        if self.paused and is_canary(self.paused_reason):
            return canary_help(self.name, self.failed_jobs, self.failed_run)
        return f"rung resume {self.name}"

    def _told(self, why: str) -> str:
        """With what helps: a command, or more words than one."""
        one = self.help.startswith("rung ")
        return f"{why} ({'go on with: ' if one else ''}{self.help})"


def canary_help(name: str, failed_jobs: Sequence[int], run: str | None) -> str:
    """What to do about a canary that has paused a queue, in commands. A run keeps the prompts that
    it began with, so that a fixed one takes over what waits in a run of its own."""
    jobs = list(dict.fromkeys(failed_jobs))  # One may have failed twice.
    look = f"look at what failed: {looks(jobs[-SHOWN:])}; " if jobs else ""
    named = quote(run) if run else "RUN"
    anew = f"rung reprocess --run {named} --where 'state = cancelled'"
    return (
        f"{look}if the answers are in order: rung resume {name} --anyway; if the prompt is at"
        f" fault, fix it, then: rung cancel {named}, {anew}, rung resume {name}; to try the same"
        f" once more: rung resume {name}"
    )


def looks(jobs: Sequence[int]) -> str:
    """The command that shows the first of these, one at least, and which the others are."""
    job, *others = jobs
    return f"rung show {job} --text" + (f" (and {listed([*map(str, others)])})" if others else "")


def queue_holds(connection: Connection) -> list[QueueHold]:
    """Of every queue that does not go on as it should."""
    return values_of(QueueHold, connection.execute(HELD))


def failed_canaries(connection: Connection) -> list[FailedCanary]:
    """Canaries that have failed so far, and are neither proven nor overruled."""
    return values_of(FailedCanary, connection.execute(FAILED))


PLACE = """LEFT JOIN LATERAL (
  SELECT p.place FROM jsonb_array_elements_text(
    (SELECT policy -> 'ladder' FROM runs ORDER BY id DESC LIMIT 1)
  ) WITH ORDINALITY AS p(tier, place) WHERE p.tier = t.name LIMIT 1) AS l ON true"""
"""Where a tier stands on the ladder of the newest run."""
HELD = text(f"""
SELECT t.name, t.paused, t.paused_reason, t.paused_by, t.paused_at, t.breaker, t.breaker_reason,
  t.held_reason, CASE WHEN t.held_until > now() THEN t.held_at END AS held_at,
  extract(epoch FROM t.held_until - now())::float8 AS held_s, now() AS now,
  CASE WHEN t.breaker <> 'closed' THEN (
    SELECT max(at) FROM notices WHERE kind = 'breaker_open' AND target = t.name) END AS breaker_at,
  CASE WHEN t.breaker_until > now() THEN extract(epoch FROM t.breaker_until - now())::float8 END
    AS breaker_s,
  coalesce((
    SELECT array_agg(job ORDER BY job) FROM canaries AS n CROSS JOIN unnest(n.failed_jobs) AS job
    WHERE n.tier = t.name AND n.proven_at IS NULL), '{{}}') AS failed_jobs,
  (SELECT r.name FROM (
     SELECT failed_jobs[cardinality(failed_jobs)] AS id FROM canaries
     WHERE tier = t.name AND proven_at IS NULL AND bad > 0 LIMIT 1) AS n
   CROSS JOIN LATERAL (SELECT run_id FROM jobs WHERE id = n.id OFFSET 0) AS j
   JOIN runs AS r ON r.id = j.run_id) AS failed_run
FROM tiers AS t {PLACE} WHERE t.paused OR t.breaker <> 'closed' OR t.held_until > now()
ORDER BY l.place NULLS FIRST, t.name
""")  # noqa: S608 - constants only
FAILED = text(f"""
SELECT t.name AS tier, t.bad, t.failed_jobs FROM (
  SELECT tier AS name, bad, failed_jobs FROM canaries WHERE proven_at IS NULL AND bad > 0) AS t
{PLACE} ORDER BY l.place NULLS FIRST, t.name, t.bad
""")  # noqa: S608 - constants only
