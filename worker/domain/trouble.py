"""What went wrong with a call, by meaning, and what follows.

```
Meaning
├── NOT_SENT          certainly not sent: try again, nothing was used up
├── RATE_LIMITED      429: we send too fast; wait, nothing was used up
├── OVERLOADED        529, 503: Claude is not well; wait, nothing was used up
├── UNKNOWN           timeouts, resets, 5xx, cut bodies: may have been billed; an attempt is used up
├── TOO_LONG          the message does not fit into this tier's context: climb
├── PERMANENT         400, 413, 422: the request itself is wrong; a dead letter
├── CONFIGURATION     401, 403, 404 of a model: pause the tier, tell people
└── MONEY             402 and spend limits: pause everything, tell people
```
"""

from dataclasses import dataclass
from enum import StrEnum

from models.vocabulary import EVERYTHING
from worker.domain.endings import Dead, Deferred, Failed
from worker.domain.limit_headers import MAX_HOLD_S

MAX_FAILURES = 3
"""Failed or lost attempts after which a job is dead."""
FIRST_DELAY_S, MAX_DELAY_S = 2.0, 60.0
"""Seconds. A tier in trouble is slowed as a whole; a single job need not wait longer than this."""
HALT_DELAY_S = 30.0
"""A job met by a pause waits this long; the pause itself is what keeps it from being sent."""
FIRST_LOOKUP_DELAY_S, MAX_LOOKUP_DELAY_S = 15.0, 600.0


class Meaning(StrEnum):
    """What an error means for the job, the tier and the purse."""

    NOT_SENT = "not_sent"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    UNKNOWN = "unknown"
    TOO_LONG = "too_long"
    PERMANENT = "permanent"
    CONFIGURATION = "configuration"
    MONEY = "money"


UNCOUNTED = frozenset({Meaning.NOT_SENT, Meaning.RATE_LIMITED, Meaning.OVERLOADED})
"""Claude did no work for it: nothing is used up, neither of a limit nor of a job's attempts."""
NOT_NOW = UNCOUNTED | {Meaning.CONFIGURATION, Meaning.MONEY}
"""What keeps a call from being made, and says nothing about what it was to ask."""
UNWELL = frozenset({Meaning.NOT_SENT, Meaning.OVERLOADED, Meaning.UNKNOWN})
"""Claude, or the way there, is in trouble: others would meet it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One troubled call. `kind` is one of a known few; `words` are the API's, cut short. A gateway
    may quote the message in them: they go into the ledger's row of the call, and nowhere else."""

    meaning: Meaning
    kind: str
    words: str = ""
    status: int | None = None
    retry_after_s: float | None = None
    request_id: str | None = None
    free: bool = False
    """Known not to be billed, whatever it means."""

    @property
    def may_be_billed(self) -> bool:
        """Whether Claude may charge for it: then it is charged at worst case until known."""
        return self.meaning is Meaning.UNKNOWN and not self.free

    @property
    def label(self) -> str:
        """`429 rate_limit_error`: what pauses, reasons, notices, screens and logs say of it."""
        return f"{self.status} {self.kind}" if self.status is not None else self.kind

    @property
    def summary(self) -> str:
        """`429 rate_limit_error: …`, for the call's own row."""
        return f"{self.label}: {self.words}" if self.words else self.label


def follow_up(
    trouble: Trouble, *, queue: str, failures: int, deferrals: int, jitter: float
) -> Deferred | Failed | Dead:
    """What follows for a job of `queue`. `failures` and `deferrals` are those before this one;
    `jitter` is 0 to 1.

    Raises ValueError for TOO_LONG, which is a judgement and not trouble.
    """
    reason = trouble.label
    match trouble.meaning:
        case Meaning.NOT_SENT:
            return Deferred(backoff(deferrals, jitter), reason)
        case Meaning.RATE_LIMITED | Meaning.OVERLOADED:
            asked = min(trouble.retry_after_s or 0.0, MAX_HOLD_S)
            return Deferred(max(asked, backoff(deferrals, jitter)), reason)
        case Meaning.UNKNOWN if failures + 1 < MAX_FAILURES:
            return Failed(backoff(failures, jitter), reason)
        case Meaning.UNKNOWN:
            return Dead(f"failed {MAX_FAILURES} times, last with {reason}")
        case Meaning.PERMANENT:
            return Dead(reason)
        case Meaning.CONFIGURATION:
            return Deferred(HALT_DELAY_S, reason, queue)
        case Meaning.MONEY:
            return Deferred(HALT_DELAY_S, reason, EVERYTHING)
        case Meaning.TOO_LONG:
            raise ValueError("too long is judged, not followed up")


def label_of(summary: str) -> str:
    """The label alone, where the words are not to be shown."""
    return summary.partition(":")[0]


def backoff(tries: int, jitter: float) -> float:
    """Seconds: exponential from 2 to 60, with half of it jittered so that retries spread out."""
    full = min(FIRST_DELAY_S * 2.0 ** min(tries, 16), MAX_DELAY_S)
    return full / 2 + full / 2 * jitter


def lookup_delay_s(deferrals: int) -> float:
    """Seconds that a message waits for a look-up that brought nothing: twice as long after each
    time, however often. One that asks for all whether it is back is put off a thousand times in six
    hours, and no float holds two to the power of that."""
    return min(FIRST_LOOKUP_DELAY_S * 2.0 ** min(deferrals, 16), MAX_LOOKUP_DELAY_S)
