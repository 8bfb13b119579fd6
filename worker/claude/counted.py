"""How many tokens the fixed part of requests takes, as Claude has counted it.

Requests of one kind (purpose, prompt, schema, model) differ in what is said to them and in nothing
else. So the least input that any of them was billed for is a bound on the part that all share, and
a much closer one than its bytes. Safe in any number of threads.
"""

import threading
from collections.abc import Mapping

from worker.domain.prompts import RequestKind


class CountedInputs:
    """Tokens by kind of request. What a simulator counts is kept apart from what Claude does: when
    answers come from the other one, all is forgotten."""

    def __init__(self, *, simulated: bool = False) -> None:
        self.simulated = simulated
        self._lock = threading.Lock()
        self._tokens = dict[RequestKind, int]()
        self._unsaved = set[RequestKind]()

    def remember(self, known: Mapping[RequestKind, int]) -> None:
        """What earlier calls came to, where nothing is known yet."""
        with self._lock:
            self._tokens = {**known, **self._tokens}

    def tokens(self, kind: RequestKind) -> int | None:
        """The most that the fixed part takes; None before any request of this kind was counted."""
        return self._tokens.get(kind)

    def note(
        self, kind: RequestKind, counted: int, *, simulated: bool, expected: int | None = None
    ) -> None:
        """A request was billed for `counted` tokens of input, `expected` at most (None: unknown).

        More than expected means that Claude adds more to such requests than it did: then what was
        known before is wrong, and this call is the first to learn from.
        """
        if counted <= 0:
            return
        with self._lock:
            if simulated is not self.simulated:
                self.simulated, self._tokens, self._unsaved = simulated, {}, set()
            known = self._tokens.get(kind)
            grown = expected is not None and counted > expected
            if known is None or counted < known or grown:
                self._tokens[kind] = counted
                self._unsaved.add(kind)

    def unsaved(self) -> tuple[dict[RequestKind, int], bool]:
        """What has become known since this was last asked, to be kept for other processes, and
        whether a simulator has counted it."""
        with self._lock:
            kinds, self._unsaved = self._unsaved, set[RequestKind]()
            return {kind: self._tokens[kind] for kind in sorted(kinds)}, self.simulated
