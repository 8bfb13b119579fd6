"""Graded outcomes: what each tier said of a message, and whether it was right.

They come from a table or from the record; what is not known is None, and never counts as right.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from worker.domain.pricing import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedAnswer:
    """One tier's answer to one message.

    `confidence` is what was stated, from 0 to 1, None where nothing was; `valid` says that all
    validators passed; `right` is the truth, None where nobody looked; `agreement` is the share of
    other answers that say the same; `length` is in output tokens. `probability` is the chance with
    which this answer's truth would be in the record: 1 in a table, the share of an audit or a
    shadow otherwise.

    Where a stronger tier judged first, `passed` says that it found nothing wrong; people look at
    what it passed with the probability `looked`, and at everything else for certain; `waits` says
    that they have not yet. `asked` is the probability with which the tier would have been asked:
    1 where it was needed, a shadow's share where it was not.
    """

    valid: bool
    right: bool | None
    confidence: float | None = None
    agreement: float | None = None
    length: int | None = None
    cost: Decimal = Decimal(0)
    probability: float = 1.0
    passed: bool = False
    looked: float = 1.0
    waits: bool = False
    asked: float = 1.0

    @property
    def judged(self) -> bool:
        """Whether all is known of it that the way of judging asks for."""
        return self.right is not None or (self.passed and self.looked < 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedMessage:
    """A message with the answers of the tiers that were asked, by tier. `shadow` is the probability
    with which the others would have been asked too, `routing` what was paid before any was, and
    `usage` the tokens of the first answer, where they are recorded."""

    name: str
    segment: str
    chars: int
    answers: Mapping[str, GradedAnswer] = field(default_factory=dict)
    shadow: float = 0.0
    routing: Decimal = Decimal(0)
    usage: Usage | None = None

    def answered(self, tier: str) -> GradedAnswer | None:
        """What `tier` said; None where it was not asked."""
        return self.answers.get(tier)


def in_order(messages: Iterable[GradedMessage]) -> list[GradedMessage]:
    """By name, which nobody chose with the outcome in mind."""
    return sorted(messages, key=lambda message: message.name)


def draw(name: str, salt: str) -> float:
    """A number from 0 to 1 (1 excluded) that the name and the salt decide, and nobody can pick."""
    digest = hashlib.sha256(f"{salt}\x00{name}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def split(
    messages: Sequence[GradedMessage], share: float, salt: str
) -> tuple[list[GradedMessage], list[GradedMessage]]:
    """Those below `share` by hash, and the rest: a message is on the same side for ever, however
    many others come along, and never on both."""
    drawn = [(draw(message.name, salt) < share, message) for message in messages]
    return [m for low, m in drawn if low], [m for low, m in drawn if not low]


def ladder_of(messages: Iterable[GradedMessage]) -> tuple[str, ...]:
    """The tiers that were asked, in the order of their mean cost."""
    sums: dict[str, Decimal] = {}
    counts: dict[str, int] = {}
    for message in messages:
        for tier, answer in message.answers.items():
            sums[tier] = sums.get(tier, Decimal(0)) + answer.cost
            counts[tier] = counts.get(tier, 0) + 1
    return tuple(sorted(sums, key=lambda tier: sums[tier] / counts[tier]))
