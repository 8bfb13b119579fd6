"""When one who watches a run has seen its end."""

import time

from worker.store.reading.run_standing import RunStanding

LASTS_S = 2.0


class Patience:
    """Whether a run has come to its end. A budget stop has to last: between two claims a run may
    look like one that has no money left."""

    def __init__(self) -> None:
        self._since: float | None = None

    def is_over(self, status: RunStanding) -> bool:
        """Over, or out of money for `LASTS_S` seconds."""
        if status.over:
            return True
        if not status.out_of_money:
            self._since = None
            return False
        self._since = self._since if self._since is not None else time.monotonic()
        return time.monotonic() - self._since >= LASTS_S
