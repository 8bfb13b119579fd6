"""What follows from an attempt. One vocabulary: decisions are made, reported and recorded in it,
and `word` is what receipts say."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class RoutedTo:
    """The routing stage decided where to start."""

    tier: str
    rung: int
    difficulty: str | None

    @property
    def word(self) -> str:
        """With the tier."""
        return f"start:{self.tier}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The result: first paid answer wins."""

    word: ClassVar[str] = "accept"
    reply: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClimbTo:
    """On to a higher tier, because of `reason`."""

    tier: str
    rung: int
    reason: str
    detail: str | None = None

    @property
    def word(self) -> str:
        """With the tier."""
        return f"climb:{self.tier}"


@dataclass(frozen=True, slots=True)
class Again:
    """The same tier once more, told something: findings to mend, or room for more tokens."""

    word: ClassVar[str] = "again"
    hint: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestEffort:
    """The last reply that a person could use, and the attempt that it came from."""

    fence: int
    reply: str
    fields: Mapping[str, Any]
    tier: str
    model: str
    confidence: Decimal | None
    reasons: tuple[str, ...]
    simulated: bool


@dataclass(frozen=True, slots=True)
class ToReview:
    """No rung does better, or the policy says so: a person must look."""

    word: ClassVar[str] = "review"
    reason: str
    best: BestEffort | None = None


@dataclass(frozen=True, slots=True)
class Deferred:
    """Ready again after `delay_s`; nothing used up. `halts` names the tier to pause until a person
    resumes it, or `everything`."""

    word: ClassVar[str] = "defer"
    delay_s: float
    reason: str
    halts: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt is used up; ready again after `delay_s`."""

    word: ClassVar[str] = "retry"
    delay_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Written by rescue for a worker that can no longer report."""

    word: ClassVar[str] = "retry"


@dataclass(frozen=True, slots=True)
class Dead:
    """A dead letter: it cannot succeed without somebody changing something."""

    word: ClassVar[str] = "dead"
    reason: str


Ending = RoutedTo | Accepted | ClimbTo | Again | ToReview | Deferred | Failed | Lost | Dead
