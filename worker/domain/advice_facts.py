"""The facts that advice rests on: what rungs did, and what people found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from worker.domain.proof.tier_skip import Hop
from worker.domain.shadow_advice import Quality, ShadowFacts

NO_SHADOWS = ShadowFacts()


@dataclass(frozen=True, slots=True, kw_only=True)
class RungFacts:
    """What one rung did: answers tried, accepted ones, dollars and mean seconds of its attempts.

    `next_cost` is the mean cost of one answer attempt on the rung above, None at the top. `hops`
    judge the rung by those who climbed to it: for all of them first, then by segment.
    """

    tier: str
    tried: int
    accepted: int
    cost: Decimal
    seconds: Decimal
    next_cost: Decimal | None
    hops: Sequence[Hop] = ()

    @property
    def resolves(self) -> Decimal:
        """Share of what reached the rung that was accepted there, right or not."""
        return Decimal(self.accepted) / self.tried if self.tried else Decimal(0)

    @property
    def mean_cost(self) -> Decimal:
        """Dollars an attempt."""
        return self.cost / self.tried if self.tried else Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What recorded runs say. `days` is the number of days on which messages came in; `on_top` is
    how many messages ended on the top rung, however they came there. Of the ended `messages` no
    more than `looked_at` were, chosen without regard to what became of them: `rungs`, `climbed` and
    `days` are of these, all else of all."""

    messages: int
    days: int
    total: Decimal
    all_on_top: Decimal | None
    rungs: Sequence[RungFacts]
    climbed: int
    simulated: bool
    looked_at: int | None = None
    """None where all were."""
    on_top: int = 0
    quality: Mapping[str, Quality] = field(default_factory=dict)
    shadows: ShadowFacts = NO_SHADOWS
    open: int = 0
    """Messages of these runs that have not ended: nothing here speaks of them."""

    @property
    def basis(self) -> str:
        """`854 messages`, or of runs under way `854 messages that have ended (2,146 are open)`."""
        said = f"{self.messages:,} messages"
        return f"{said} that have ended ({self.open:,} are open)" if self.open else said

    @property
    def evidence(self) -> str:
        """The same, and how many of them were looked at, where not all were."""
        if self.looked_at is None:
            return self.basis
        return f"{self.basis}, of which {self.looked_at:,} were looked at"

    @property
    def seen(self) -> int:
        """How many messages `climbed` is of."""
        return self.messages if self.looked_at is None else self.looked_at
