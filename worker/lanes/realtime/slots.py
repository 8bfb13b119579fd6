"""In-flight slots of one worker process: how many calls a tier may hold at once."""

import threading
from collections.abc import Mapping

GATHER_S, GATHER_CLAIMS = 0.05, 6
"""A free slot waits for others no longer than this, and than this many claims take. A claim is a
transaction whatever its size, so slots that come free one by one are worth waiting for: with two
claims' wait on a quiet machine three messages shared one, and a message cost a twentieth more CPU.
Where claims are quick a slot does not stay empty for as long: a hundredth of the throughput."""
GATHER_SHARE = 2
"""One in so many of a tier's slots is enough to go at once."""


def gather_s(claim_s: float) -> float:
    """How long a free slot waits for others where the claim before took `claim_s`, in seconds."""
    return min(GATHER_CLAIMS * claim_s, GATHER_S)


class Slots:
    """Counts of free slots by tier. Threads wait for some (few at a time, or they wake one another
    for nothing); the event loop gives them back."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._sizes = dict(sizes)
        self._free = dict(sizes)
        self._wanted: dict[str, list[int]] = {tier: [] for tier in sizes}
        self._changed = {tier: threading.Condition() for tier in sizes}

    def take(self, tier: str, at_most: int, timeout_s: float, gather_s: float = GATHER_S) -> int:
        """Takes between one and `at_most` slots, or none after `timeout_s` seconds. The first that
        is free waits `gather_s` for others."""
        with self._changed[tier]:
            if self._wait_for(tier, 1, timeout_s):
                gathered = min(at_most, max(self._sizes[tier] // GATHER_SHARE, 1))
                self._wait_for(tier, gathered, gather_s)
            taken = min(self._free[tier], at_most)
            self._free[tier] -= taken
            return taken

    def _wait_for(self, tier: str, slots: int, timeout_s: float) -> bool:
        self._wanted[tier].append(slots)
        try:
            return self._changed[tier].wait_for(lambda: self._free[tier] >= slots, timeout_s)
        finally:
            self._wanted[tier].remove(slots)

    def give_back(self, tier: str, slots: int = 1) -> None:
        """Frees slots."""
        if slots:
            with self._changed[tier]:
                self._free[tier] += slots
                if any(self._free[tier] >= wanted for wanted in self._wanted[tier]):
                    self._changed[tier].notify_all()

    def in_flight(self) -> dict[str, int]:
        """Slots taken, by tier."""
        return {tier: size - self._free[tier] for tier, size in self._sizes.items()}
