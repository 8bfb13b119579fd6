"""What people say of best efforts: stored beside the result, never over it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, Engine, text

from models.vocabulary import JobState, ReadingKind, Verdict
from worker.errors import Missing, RungError, UsageError
from worker.store.audit import Actor, Done, audit
from worker.store.queue.reading_leases import end as end_reading
from worker.store.queue.review_clusters import leave_erased

FETCH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingReview:
    """A job in review as a row of a person's spreadsheet, whose headings are these names. `known`
    is the number of the verdict that it holds, 0 for none."""

    job: int
    run: str
    external_id: str
    message: str
    reply: str | None
    tier: str | None
    confidence: Decimal | None
    reason: str | None
    verdict: str | None
    verdict_reply: str | None
    verdict_reason: str | None
    known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A person's verdict on a job in review. `reply` is the text to send instead, for `edit`;
    `reason` says why not, for `reject`. `known` is the number of the latest verdict that they saw,
    0 for none; where it is None, they mean theirs whatever others have said."""

    job_id: int
    verdict: Verdict
    reply: str | None = None
    reason: str | None = None
    known: int | None = None


class AlreadyJudged(RungError):
    """Somebody else has given a verdict that this person had not seen."""


def give_verdict(engine: Engine, actor: Actor, judged: Judged) -> Done:
    """Stores a verdict. A later one stands beside an earlier one, and the latest counts. Raises
    UsageError when the job is not in review or the verdict lacks what it needs, and AlreadyJudged
    when somebody else was faster."""
    with engine.begin() as connection:
        return store(connection, actor, judged)


def reply_of(judged: Judged) -> str | None:
    """The text to send instead, where it is one."""
    return judged.reply if judged.verdict is Verdict.EDIT else None


def store(connection: Connection, actor: Actor, judged: Judged) -> Done:
    """As `give_verdict`, in the caller's transaction."""
    if judged.verdict is Verdict.EDIT and not (judged.reply or "").strip():
        raise UsageError("An edit needs the reply to send instead.", mend="--reply FILE, or -")
    if judged.verdict is Verdict.REJECT and not (judged.reason or "").strip():
        raise UsageError("A rejection needs a reason.", mend='--reason "why it cannot go out"')
    state = connection.execute(STATE, {"job": judged.job_id}).scalar()
    if state is None:
        raise Missing(f"There is no job {judged.job_id}.", mend="rung review")
    if state != JobState.REVIEW:
        raise RungError(f"Job {judged.job_id} is {state}; only jobs in review take a verdict.")
    _must_know(connection, actor, judged)
    if judged.verdict is Verdict.ACCEPT and not _has_result(connection, judged.job_id):
        raise UsageError(
            f"Job {judged.job_id} has no best effort that could be accepted.",
            mend=f"rung review --edit {judged.job_id} --reply FILE",
        )
    values = {
        "job": judged.job_id,
        "verdict": judged.verdict,
        "reply": reply_of(judged),
        "reason": judged.reason,
        "reviewer": actor.name,
    }
    connection.execute(INSERT, values)
    end_reading(connection, ReadingKind.REVIEW, judged.job_id)
    return audit(connection, actor, f"review:{judged.verdict}", f"job {judged.job_id}", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestVerdict:
    """The one that counts. `id` is 0 where there is none."""

    id: int = 0
    verdict: str = ""
    reviewer: str = ""


def latest_verdict(connection: Connection, job_id: int) -> LatestVerdict:
    """What counts on a job, for whoever is to say whether they have seen it."""
    found = connection.execute(LATEST_OF, {"job": job_id}).one_or_none()
    if found is None:
        return LatestVerdict()
    return LatestVerdict(id=found.id, verdict=found.verdict, reviewer=found.reviewer)


def _must_know(connection: Connection, actor: Actor, judged: Judged) -> None:
    """Two people who read the same: the second learns of the first before theirs counts."""
    if judged.known is None:
        return
    found = latest_verdict(connection, judged.job_id)
    mine = (actor.name, judged.verdict.value)
    if found.id > judged.known and (found.reviewer, found.verdict) != mine:
        raise AlreadyJudged(
            f"{found.reviewer} has given a verdict on job {judged.job_id} meanwhile:"
            f" {found.verdict}. Yours was not taken.",
            mend="look at it again; a later verdict takes the place of an earlier one",
        )


def take_back(engine: Engine, actor: Actor, job_id: int) -> Done:
    """Takes the latest verdict on a job back, if it is this person's own: the job waits again, or
    the verdict before it counts, and what that one sends. What has gone out cannot come back.
    Raises UsageError or RungError, and then changes nothing."""
    with engine.begin() as connection:
        connection.execute(STATE, {"job": job_id})
        found = connection.execute(LATEST_OF, {"job": job_id}).one_or_none()
        if found is None or found.reviewer != actor.name:
            raise UsageError(f"The latest verdict on job {job_id} is not yours to take back.")
        values = {"job": job_id, "since": found.at}
        if connection.execute(GONE_OUT, values).scalar():
            raise RungError(
                f"The answer of job {job_id} is being delivered or has been: it cannot be taken"
                " back. Another verdict stands beside this one.",
                mend=f"rung review --reject {job_id} --reason WHY",
            )
        connection.execute(RESTORE if found.verdict == Verdict.REJECT else WITHDRAW, values)
        connection.execute(FORGET, {"id": found.id})
        connection.execute(UNCOUNT, {"job": job_id, "verdict": found.verdict})
        connection.execute(WAITS_AGAIN, {"job": job_id})
        said = f"review:{found.verdict}"
        return audit(connection, actor, "review:undo", f"job {job_id}", 1, verdict=said)


def end_of_erased(connection: Connection, actor: Actor, jobs: Sequence[int]) -> None:
    """Of these jobs nothing is left that could go out: nobody is given them to look at."""
    values = {"jobs": list(jobs), "by": actor.name}
    connection.execute(REJECT_ERASED, values)
    leave_erased(connection, jobs)


def waiting(engine: Engine, run_id: int | None, *, decided: bool = True) -> Iterator[WaitingReview]:
    """Jobs in review with message, best effort and latest verdict, for a person's spreadsheet;
    without those that have a verdict, if `decided` is false."""
    values = {"run": run_id, "decided": decided}
    with engine.connect().execution_options(yield_per=FETCH) as connection:
        for row in connection.execute(WAITING, values).mappings():
            yield WaitingReview(**row)


def _has_result(connection: Connection, job_id: int) -> bool:
    return connection.execute(HAS_RESULT, {"job": job_id}).scalar() is not None


STATE = text("SELECT state FROM jobs WHERE id = :job FOR UPDATE")
HAS_RESULT = text("SELECT 1 FROM results WHERE job_id = :job")
LATEST_OF = text("""
SELECT id, verdict, reviewer, at FROM reviews WHERE job_id = :job ORDER BY id DESC LIMIT 1
""")
ITS_DELIVERIES = "target = ANY(ARRAY(SELECT name FROM delivery_targets)) AND job_id = :job"
"""In words that the index of targets and jobs serves, whatever the planner believes."""
# Locked, so that nobody takes one to send it meanwhile.
GONE_OUT = text(f"""
SELECT coalesce(bool_or(state = 'waiting' AND tries > 0
  OR state = 'delivered' AND ended_at >= :since), false)
FROM (SELECT state, tries, ended_at FROM deliveries
  WHERE {ITS_DELIVERIES} FOR UPDATE) AS d
""")  # noqa: S608 - a constant of this module
# What an earlier verdict let go is still to be sent.
WITHDRAW = text(f"""
UPDATE deliveries SET state = 'withdrawn', ended_at = now()
WHERE {ITS_DELIVERIES}
  AND state = 'waiting' AND created_at >= :since
""")  # noqa: S608 - a constant of this module
RESTORE = text(f"""
UPDATE deliveries SET state = 'waiting', ended_at = NULL, next_try_at = now()
WHERE {ITS_DELIVERIES}
  AND state = 'withdrawn' AND ended_at >= :since
""")  # noqa: S608 - a constant of this module
FORGET = text("DELETE FROM reviews WHERE id = :id")
# It left its cluster with its first verdict.
WAITS_AGAIN = text("""
INSERT INTO clustered_reviews (job_id, run_id)
SELECT j.id, j.run_id FROM jobs AS j JOIN runs AS r ON r.id = j.run_id
WHERE j.id = :job AND r.kind NOT IN ('judge', 'shadow')
  AND NOT EXISTS (SELECT FROM reviews WHERE job_id = j.id)
ON CONFLICT DO NOTHING
""")
# The counter of verdicts follows new ones by itself; an earlier one counts again.
UNCOUNT = text("""
UPDATE run_verdicts AS c SET jobs = c.jobs
  + (CASE WHEN c.verdict = (
      SELECT verdict FROM reviews WHERE job_id = :job ORDER BY id DESC LIMIT 1) THEN 1 ELSE 0 END)
  - (CASE WHEN c.verdict = :verdict THEN 1 ELSE 0 END)
WHERE c.run_id = (SELECT run_id FROM jobs WHERE id = :job)
""")
INSERT = text("""
INSERT INTO reviews (job_id, verdict, reply, reason, reviewer)
VALUES (:job, :verdict, :reply, :reason, :reviewer)
""")
REJECT_ERASED = text("""
INSERT INTO reviews (job_id, verdict, reason, reviewer)
SELECT id, 'reject', 'its message was erased', :by FROM jobs AS j
WHERE id = ANY(:jobs) AND state = 'review'
  AND NOT EXISTS (SELECT FROM reviews WHERE job_id = j.id)
ORDER BY id
""")
WAITING = text("""
SELECT j.id AS job, r.name AS run, m.external_id, m.body AS message, s.reply, j.tier, s.confidence,
  j.reason, v.verdict, v.reply AS verdict_reply, v.reason AS verdict_reason,
  coalesce(v.id, 0) AS known
FROM jobs AS j JOIN runs AS r ON r.id = j.run_id JOIN messages AS m ON m.id = j.message_id
LEFT JOIN results AS s ON s.job_id = j.id
LEFT JOIN LATERAL (
  SELECT id, verdict, reply, reason FROM reviews WHERE job_id = j.id ORDER BY id DESC LIMIT 1
) AS v ON true
WHERE j.state = 'review' AND m.erased_at IS NULL
  AND (CAST(:run AS bigint) IS NULL OR j.run_id = :run)
  AND (:decided OR v.verdict IS NULL)
ORDER BY j.run_id, j.id
""")
