"""The words of the record: every value that a `CHECK` in the schema allows.

Everybody may import this module; it imports nothing of ours. `docs/glossary.md` explains the words.
"""

from enum import StrEnum


class JobState(StrEnum):
    """Where a job stands. A lease (somebody is working on it) is not a state."""

    QUEUED = "queued"
    ROUTED = "routed"
    SUBMITTED = "submitted"
    ANSWERED = "answered"
    REVIEW = "review"
    DEAD = "dead"
    CANCELLED = "cancelled"


TERMINAL_STATES = (JobState.ANSWERED, JobState.REVIEW, JobState.DEAD, JobState.CANCELLED)
OPEN_STATES = (JobState.QUEUED, JobState.ROUTED, JobState.SUBMITTED)


class RunState(StrEnum):
    """`active` runs are dispatched; `finished` means that every job is in a terminal state."""

    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class RunKind(StrEnum):
    """A backlog submitted, or old messages run again; and what is asked only to know more of the
    answers of another run: `judge` asks a stronger tier whether they are right, `shadow` asks
    another policy, or tiers that were not needed. Nothing of those two goes out."""

    BACKLOG = "backlog"
    REPROCESS = "reprocess"
    JUDGE = "judge"
    SHADOW = "shadow"


INQUIRIES = (RunKind.JUDGE, RunKind.SHADOW)
"""Runs whose answers are for nobody but us."""


class Lane(StrEnum):
    """Messages API, or Message Batches API at half price."""

    REALTIME = "realtime"
    BATCH = "batch"


class RunLane(StrEnum):
    """A run's lane. `mixed`: what is easy goes by the Messages API, what climbs in batches."""

    REALTIME = "realtime"
    BATCH = "batch"
    MIXED = "mixed"


class Stage(StrEnum):
    """What an attempt is for: how hard is it, or answer it."""

    ROUTE = "route"
    ANSWER = "answer"


class Purpose(StrEnum):
    """What one call asks. At most one call of each purpose belongs to an attempt."""

    CLASSIFY = "classify"
    ANSWER = "answer"
    CHECK = "check"


class AttemptOutcome(StrEnum):
    """How an attempt ended. `started` is the only one that may still change, except that a
    `lost` attempt whose answer arrives after all is closed again with what it really was."""

    STARTED = "started"
    ROUTED = "routed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    MALFORMED = "malformed"
    DEFERRED = "deferred"
    FAILED = "failed"
    LOST = "lost"
    SUPERSEDED = "superseded"
    WITHHELD = "withheld"
    """Nobody was asked: it could have cost more than a message may."""


NOT_GOOD_ENOUGH = (
    AttemptOutcome.REJECTED,
    AttemptOutcome.REFUSED,
    AttemptOutcome.TRUNCATED,
    AttemptOutcome.EMPTY,
    AttemptOutcome.MALFORMED,
)
"""What a judgement calls an answer that may not go out."""
JUDGED = (AttemptOutcome.ACCEPTED, *NOT_GOOD_ENOUGH)
"""What a judgement can call an answer. Whoever asks for judged attempts takes them from here."""


class CallState(StrEnum):
    """A call's row is written as `sent` before the request leaves: the ledger is write-ahead."""

    SENT = "sent"
    DONE = "done"
    FAILED = "failed"
    LOST = "lost"


class Breaker(StrEnum):
    """Circuit breaker of a tier."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BatchState(StrEnum):
    """Life of one Message Batch; `intended` is written before the create request."""

    INTENDED = "intended"
    SUBMITTED = "submitted"
    ENDED = "ended"
    RECORDED = "recorded"
    FAILED = "failed"


class FiringState(StrEnum):
    """What came of one night of a schedule: a run, nothing to do, or a failure that is shown."""

    MADE = "made"
    NOTHING = "nothing"
    FAILED = "failed"


class Grader(StrEnum):
    """Who says whether an answer was right."""

    PERSON = "person"
    TIER = "tier"
    IMPORT = "import"


class AuditPurpose(StrEnum):
    """A random look at an accepted answer, or a higher tier asked though it was not needed."""

    AUDIT = "audit"
    SHADOW = "shadow"


class AuditState(StrEnum):
    """`open` waits for a verdict; `second` waits for another one, of somebody else; `judging`
    waits for a stronger tier's, and `passed` had nothing wrong found by it and is not among those
    that people look at all the same."""

    OPEN = "open"
    SECOND = "second"
    GRADED = "graded"
    JUDGING = "judging"
    PASSED = "passed"


class CertificateClaim(StrEnum):
    """What a certificate says: see `worker.domain.proof.claims`."""

    PARITY = "parity"
    ACCURACY = "accuracy"


class CertificateState(StrEnum):
    """`amber` holds at its stricter threshold; `void` holds no more, for good."""

    VALID = "valid"
    AMBER = "amber"
    VOID = "void"


class Measure(StrEnum):
    """What a forecast is of."""

    DOLLARS = "usd"
    SECONDS = "seconds"
    PEOPLE = "people"


class DeliveryState(StrEnum):
    """How a delivery stands: under way, arrived, given up, or with nothing to send any more."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    WITHDRAWN = "withdrawn"


class Verdict(StrEnum):
    """What a person said of a best-effort answer."""

    ACCEPT = "accept"
    EDIT = "edit"
    REJECT = "reject"


PERSON = "person"
"""`escalations.to_tier` when no rung is left: reserved, so no tier may have this name."""

ROUTING = "routing"
"""The queue of jobs whose difficulty is not known yet: reserved, so no tier may have this name."""

EVERYTHING = "everything"
"""The row of `tiers` that pauses every queue at once: reserved, so no tier may have this name."""


class ReadingKind(StrEnum):
    """What one person at a time reads: a best effort that waits for a verdict, or an answer that
    chance chose to be judged."""

    REVIEW = "review"
    AUDIT = "audit"
