"""The ladder: an ordered list of tier names, cheapest first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.vocabulary import EVERYTHING, PERSON, ROUTING

RESERVED_NAMES = frozenset({PERSON, ROUTING, EVERYTHING})
MIN_RUNGS, MAX_RUNGS = 1, 5


def in_order(names: Iterable[str], ladder: Sequence[str]) -> list[str]:
    """Names of tiers as every screen lists them: as the ladder has them, and then what is not in
    it."""
    place = {name: n for n, name in enumerate(ladder)}
    return sorted(names, key=lambda name: (place.get(name, len(place)), name))


@dataclass(frozen=True, slots=True)
class Ladder:
    """`names[0]` is the cheapest tier; a tier's rung is its place, counted from 0."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if not MIN_RUNGS <= len(self.names) <= MAX_RUNGS:
            raise ValueError(
                f"a ladder has {MIN_RUNGS} to {MAX_RUNGS} tiers, not {len(self.names)}"
            )
        if len(set(self.names)) != len(self.names):
            raise ValueError("a tier stands in the ladder twice")
        if reserved := RESERVED_NAMES & set(self.names):
            raise ValueError(
                f"a tier cannot be called {sorted(reserved)[0]!r}: the name is reserved"
            )

    @property
    def bottom(self) -> str:
        """The cheapest tier."""
        return self.names[0]

    @property
    def middle(self) -> str:
        """Where a message of unknown difficulty starts: the rung above the cheapest half."""
        return self.names[len(self.names) // 2]

    @property
    def top(self) -> str:
        """The most capable tier."""
        return self.names[-1]

    def rung(self, tier: str) -> int:
        """Place of `tier`, 0 the cheapest. Raises ValueError for a tier that is not here."""
        return self.names.index(tier)

    def above(self, tier: str) -> str | None:
        """The next rung, or None at the top."""
        rung = self.rung(tier) + 1
        return self.names[rung] if rung < len(self.names) else None
