"""Keeps a worker process within the rate limits: asks before, tells the truth after.

`take` is for threads that claim; `ended` may be called from the event loop, for it only notes what
happened. A thread of its own tells Redis, so that no call ever waits for it. A tier with no limits
asks nobody.
"""

import logging
import queue
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from models.vocabulary import Purpose
from worker.claude.client import Answer, Troubled
from worker.domain.limits import Estimator, Grant, Limits, Tokens, counted_input
from worker.domain.trouble import Meaning
from worker.limiter import Limiter, connect
from worker.settings import Settings

log = logging.getLogger(__name__)
PRIOR = Tokens(600, 250)
PRIORS = {Purpose.CLASSIFY: Tokens(400, 20), Purpose.CHECK: Tokens(700, 60)}
"""Tokens of a call before any was seen: a support message, with the prompt read from the cache."""
OVERLOADED_HOLD_S = 1.0
"""After a 529 or 503 without `retry-after`."""
RAMP_TOO_SHARP = "ramp_limit_exceeded"
GRANTED = frozenset({Purpose.CLASSIFY, Purpose.ANSWER})
"""Calls that `take` asked for; a check follows its answer without asking, and is settled whole."""


@dataclass(frozen=True, slots=True)
class Ended:
    """One call that has ended."""

    tier: str
    purpose: Purpose
    expected: Tokens
    got: Answer | Troubled


class Pacer:
    """The rate limits as one worker process sees them."""

    def __init__(self, settings: Settings, redis_url: str) -> None:
        limits = {
            name: Limits(tier.rpm, tier.itpm, tier.otpm) for name, tier in settings.tiers.items()
        }
        self._limited = {name for name, limit in limits.items() if any(limit.by_kind)}
        self._estimator = Estimator(PRIOR, PRIORS)
        self._client = connect(redis_url, settings.timing.connect_s)
        self._limiter = Limiter(self._client, limits)
        self._inbox: queue.SimpleQueue[Ended | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="pacer", daemon=True)

    def start(self) -> None:
        """Starts the thread that tells Redis."""
        self._thread.start()

    def stop(self) -> None:
        """Tells what is left to tell, then ends."""
        self._inbox.put(None)
        self._thread.join(10)
        self._client.close()

    def take(self, tier: str, purpose: Purpose, calls: int) -> Grant:
        """How many of `calls` may be sent now."""
        if tier not in self._limited:
            return Grant(calls, 0, None)
        tokens = self._estimator.expect(tier, purpose)
        return self._limiter.take(
            tier, calls=calls, input_tokens=tokens.input, output_tokens=tokens.output
        )

    def give_back(self, tier: str, purpose: Purpose, calls: int) -> None:
        """Calls that were granted and are not sent."""
        if calls and tier in self._limited:
            tokens = self._estimator.expect(tier, purpose)
            self._limiter.give_back(
                tier, calls=calls, input_tokens=tokens.input, output_tokens=tokens.output
            )

    def ended(self, tier: str, purpose: Purpose, got: Answer | Troubled) -> None:
        """Notes what a call brought; returns at once."""
        if tier in self._limited:
            self._inbox.put(Ended(tier, purpose, self._estimator.expect(tier, purpose), got))
        if isinstance(got, Answer):
            self._estimator.learn(tier, purpose, got.usage)

    def _run(self) -> None:
        while True:
            ended = self._gather()
            try:
                self._tell([item for item in ended if item is not None])
            except Exception:
                log.exception("rate limits could not be settled")
            if None in ended:
                return

    def _gather(self) -> list[Ended | None]:
        items = [self._inbox.get()]
        while True:
            try:
                items.append(self._inbox.get_nowait())
            except queue.Empty:
                return items

    def _tell(self, ended: list[Ended]) -> None:
        corrections: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
        headers: dict[str, Mapping[str, str]] = {}
        for item in ended:
            calls, read, written = _correction(item)
            correction = corrections[item.tier]
            correction[0] += calls
            correction[1] += read
            correction[2] += written
            if isinstance(item.got, Answer):
                headers[item.tier] = item.got.headers
            else:
                self._hold(item.tier, item.got)
        for tier, (sent, read, written) in corrections.items():
            self._limiter.settle(tier, calls=int(sent), input_tokens=read, output_tokens=written)
        for tier, seen in headers.items():
            self._limiter.observe(tier, seen)

    def _hold(self, tier: str, got: Troubled) -> None:
        trouble = got.trouble
        if trouble.meaning is not Meaning.REFUSED_FOR_NOW:
            return
        seconds = trouble.retry_after_s
        if seconds is None and trouble.status != 429:
            seconds = OVERLOADED_HOLD_S
        self._limiter.hold(tier, seconds, slowly=trouble.kind == RAMP_TOO_SHARP)


def _correction(ended: Ended) -> tuple[int, float, float]:
    """Used minus granted: calls, input tokens, output tokens."""
    granted = ended.purpose in GRANTED
    expected = ended.expected if granted else Tokens(0, 0)
    if isinstance(ended.got, Troubled):
        # A timeout or a reset may have been counted by Claude; only what was refused was not.
        refused = ended.got.trouble.meaning in (Meaning.NOT_SENT, Meaning.REFUSED_FOR_NOW)
        return (0, -expected.input, -expected.output) if refused else (0, 0, 0)
    usage = ended.got.usage
    return (
        0 if granted else 1,
        counted_input(usage) - expected.input,
        usage.output_tokens - expected.output,
    )
