"""A night of batches as arithmetic: made-up times, the ladder's shares, no lane and no database.

How long a batch takes is made up, for nobody outside Anthropic knows: `START_S`, a share of
`SPREAD_MEDIAN_S` drawn from a log-normal distribution, and the time for its requests at `RATE_S` a
second. Theirs say that most batches end within an hour. Three guesses bound it:

- *own luck*: each batch draws its own share, and runs beside the others at that rate;
- *one luck*: a night draws once, for all of its batches: Claude is busy, or it is not;
- *in turn*: one luck, and all of an account's batches share the rate, one after another.

Read the ratios, not the minutes.
"""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

START_S, SPREAD_MEDIAN_S, SPREAD_SIGMA, RATE_S = 120.0, 480.0, 0.8, 25.0
NIGHT = 10_000
NEXT = {
    "routing": {"haiku": 0.80, "sonnet": 0.16, "opus": 0.04},
    "haiku": {"sonnet": 0.03},
    "sonnet": {"opus": 0.06},
    "opus": {},
}
"""Which share of a queue's jobs goes on to which; about what `ladder` does with the simulator."""
Guess = Literal["own luck", "one luck", "in turn"]
GUESSES: tuple[Guess, ...] = ("own luck", "one luck", "in turn")


@dataclass(frozen=True, slots=True)
class Night:
    """One night; seconds of made-up time."""

    batches: int
    makespan_s: float
    half_s: float
    """Until half of the messages had ended."""
    at_once: int
    """Most batches that were at Claude at the same time."""


@dataclass(slots=True)
class Claude:
    """When batches end."""

    guess: Guess
    chance: random.Random
    stands_for: float = 1.0
    """Requests that one stands for."""
    free_s: float = 0.0
    """In turn: when the requests taken so far are done."""
    luck_s: float | None = None
    """The night's draw, once it was made."""

    def ends_at(self, requests: int, clock: float) -> float:
        """When a batch that comes in now ends."""
        work_s = requests * self.stands_for / RATE_S
        self.free_s = max(self.free_s, clock) + work_s
        done_s = self.free_s if self.guess == "in turn" else clock + work_s
        if self.luck_s is None or self.guess == "own luck":
            self.luck_s = SPREAD_MEDIAN_S * self.chance.lognormvariate(0.0, SPREAD_SIGMA)
        return done_s + START_S + self.luck_s


@dataclass(slots=True)
class _Shares:
    """Splits counts by shares, carrying what is less than one over to the next."""

    carried: dict[tuple[str, str], float] = field(default_factory=dict)

    def split(self, queue: str, count: int) -> Iterator[tuple[str, int]]:
        for onward, share in NEXT[queue].items():
            exact = count * share + self.carried.get((queue, onward), 0.0)
            whole = int(exact)
            self.carried[queue, onward] = exact - whole
            yield onward, whole


def imagine(size: int, guess: Guess, seed: int) -> Night:
    """A night of `NIGHT` messages in slices of `size`; what is ready never waits for more."""
    claude, shares = Claude(guess, random.Random(seed)), _Shares()
    running: list[tuple[float, int, str, int]] = []
    batches, ended, clock, half_s, at_once = 0, 0, 0.0, 0.0, 0
    ready = [("routing", NIGHT)]
    while ready or running:
        for queue, count in ready:
            for first in range(0, count, size):
                requests = min(size, count - first)
                batches += 1
                heapq.heappush(running, (claude.ends_at(requests, clock), batches, queue, requests))
        at_once = max(at_once, len(running))
        clock, _, queue, requests = heapq.heappop(running)
        ready = [(onward, count) for onward, count in shares.split(queue, requests) if count]
        ended += requests - sum(count for _, count in ready) if queue != "routing" else 0
        if not half_s and ended >= NIGHT / 2:
            half_s = clock
    return Night(batches, clock, half_s, at_once)
