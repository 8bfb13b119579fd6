"""In-flight slots of one worker process: how many calls a tier may hold at once."""

import threading
from collections.abc import Mapping


class Slots:
    """Counts of free slots by tier. Threads wait for some; the event loop gives them back."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._sizes = dict(sizes)
        self._free = dict(sizes)
        self._changed = threading.Condition()

    def take(self, tier: str, at_most: int, timeout_s: float) -> int:
        """Takes between one and `at_most` slots, or none after `timeout_s` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._free[tier] > 0, timeout_s)
            taken = min(self._free[tier], at_most)
            self._free[tier] -= taken
            return taken

    def give_back(self, tier: str, slots: int = 1) -> None:
        """Frees slots."""
        if slots:
            with self._changed:
                self._free[tier] += slots
                self._changed.notify_all()

    def in_flight(self) -> dict[str, int]:
        """Slots taken, by tier."""
        with self._changed:
            return {tier: size - self._free[tier] for tier, size in self._sizes.items()}
