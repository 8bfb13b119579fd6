"""Keeps a worker process within the rate limits: asks before, tells the truth after.

`take` is for threads that claim; `ended` may be called from the event loop, for it only notes what
happened. A thread of its own tells Redis, so that no call ever waits for it. A tier with no limits
asks nobody; tiers on one model share what Claude allows that model, under the tightest of their
limits.

What a call was granted by estimate is remembered until it ends or is given back: estimates move
meanwhile, and what is settled must be what was taken.
"""

import logging
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from models.vocabulary import ROUTING, Purpose
from worker.claude.rate_limits import Limiter, buckets_of, connect, limits_of
from worker.config.settings import Settings
from worker.domain.answers import Answer, Troubled
from worker.domain.limits import Estimator, Grant, Tokens, counted_input
from worker.domain.trouble import UNCOUNTED, Meaning
from worker.lanes.realtime.inbox import Inbox
from worker.lanes.routine import Routine

log = logging.getLogger(__name__)
PRIOR = Tokens(600, 250)
PRIORS = {Purpose.CLASSIFY: Tokens(400, 20), Purpose.CHECK: Tokens(700, 60)}
"""Tokens of a call before any was seen: a support message, with the prompt read from the cache."""
GATHER_S = 0.1
"""How long the first call that ended waits for others, to be told together."""
MAX_GROUP = 1_000
OVERLOADED_HOLD_S = 1.0
"""After a 529 or 503 without `retry-after`."""
RAMP_TOO_SHARP = "ramp_limit_exceeded"
GRANTED = frozenset({Purpose.CLASSIFY, Purpose.ANSWER})
"""Calls that `take` asked for; a check follows its answer without asking, and is settled whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """One call that has ended."""

    bucket: str
    purpose: Purpose
    expected: Tokens
    """What it, or one like it, was granted."""
    got: Answer | Troubled


class Pacer:
    """The rate limits as one worker process sees them."""

    def __init__(
        self,
        settings: Settings,
        redis_url: str,
        held: Callable[[Sequence[str], float, float | None], None] = lambda *_: None,
    ) -> None:
        """`held` hears of each hold: its queues, its seconds, and the seconds asked for."""
        self._held = held
        self._routing_tier = settings.routing_tier
        self._bucket = buckets_of(settings)
        limits = limits_of(settings)
        self._limited = {tier for tier, name in self._bucket.items() if any(limits[name].by_kind)}
        self._granted: dict[tuple[str, Purpose], deque[Tokens]] = defaultdict(deque)
        self._estimator = Estimator(PRIOR, PRIORS)
        self._client = connect(redis_url, settings.timing.connect_s)
        self._limiter = Limiter(self._client, limits)
        self._inbox = Inbox[Ended](GATHER_S, MAX_GROUP)
        self._routine = Routine("pacer", self._inbox.take, self._tell)

    def start(self) -> None:
        """Starts the thread that tells Redis."""
        self._routine.start()

    def stop(self) -> None:
        """Tells what is left to tell, then ends."""
        self._inbox.close()
        self._routine.join(10)
        self._client.close()

    def take(self, tier: str, purpose: Purpose, calls: int) -> Grant:
        """How many of `calls` may be sent now."""
        if tier not in self._limited:
            return Grant(calls, 0, None)
        tokens = self._estimator.expect(tier, purpose)
        grant = self._limiter.take(
            self._bucket[tier], calls=calls, input_tokens=tokens.input, output_tokens=tokens.output
        )
        self._granted[tier, purpose].extend([tokens] * grant.calls)
        return grant

    def give_back(self, tier: str, purpose: Purpose, calls: int) -> None:
        """Calls that were granted and are not sent."""
        if calls and tier in self._limited:
            # The newest grants, and so the caller's own: it is the only one to take for its tier.
            granted = self._granted[tier, purpose]
            returned = [granted.pop() for _ in range(min(calls, len(granted)))]
            self._limiter.settle(
                self._bucket[tier],
                calls=-calls,
                input_tokens=-sum(tokens.input for tokens in returned),
                output_tokens=-sum(tokens.output for tokens in returned),
            )

    def ended(self, tier: str, purpose: Purpose, got: Answer | Troubled) -> None:
        """Notes what a call brought; returns at once."""
        if tier in self._limited:
            granted = self._granted[tier, purpose] if purpose in GRANTED else None
            expected = granted.popleft() if granted else Tokens(0, 0)
            told = Ended(bucket=self._bucket[tier], purpose=purpose, expected=expected, got=got)
            # After a refusal nobody should send, so Redis hears of it at once.
            self._inbox.put(told, urgent=isinstance(got, Troubled))
        if isinstance(got, Answer):
            self._estimator.learn(tier, purpose, got.usage)

    def _tell(self, ended: list[Ended]) -> None:
        corrections: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
        headers: dict[str, Mapping[str, str]] = {}
        for item in ended:
            calls, read, written = _correction(item)
            correction = corrections[item.bucket]
            correction[0] += calls
            correction[1] += read
            correction[2] += written
            if isinstance(item.got, Answer):
                headers[item.bucket] = item.got.headers
            else:
                self._hold(item.bucket, item.got)
        for bucket, (sent, read, written) in corrections.items():
            self._limiter.settle(bucket, calls=int(sent), input_tokens=read, output_tokens=written)
        for bucket, seen in headers.items():
            self._limiter.observe(bucket, seen)

    def _hold(self, bucket: str, got: Troubled) -> None:
        trouble = got.trouble
        seconds = trouble.retry_after_s
        match trouble.meaning:
            case Meaning.RATE_LIMITED:
                pass
            case Meaning.OVERLOADED:
                seconds = OVERLOADED_HOLD_S if seconds is None else seconds
            case _:
                return
        held_s = self._limiter.hold(bucket, seconds, slowly=trouble.kind == RAMP_TOO_SHARP)
        try:
            self._held(self.queues_of(bucket), held_s, seconds)
        except Exception as error:
            # What people see of a hold may be late; what it keeps from being sent must not be.
            log.warning("a hold was not noted", extra={"error": type(error).__name__})

    def lift(self, queue: str) -> None:
        """Ends the hold of a queue, and of those that share its limits."""
        tier = self._routing_tier if queue == ROUTING else queue
        if tier in self._limited:
            self._limiter.lift(self._bucket[tier])

    def queues_of(self, bucket: str) -> list[str]:
        """The queues that share a bucket: tiers on one model, and routing with its tier."""
        tiers = [tier for tier, name in self._bucket.items() if name == bucket]
        return [ROUTING, *tiers] if self._routing_tier in tiers else tiers


def _correction(ended: Ended) -> tuple[int, float, float]:
    """Used minus granted: calls, input tokens, output tokens."""
    granted = ended.purpose in GRANTED
    expected = ended.expected if granted else Tokens(0, 0)
    if isinstance(ended.got, Troubled):
        # A timeout or a reset may have been counted by Claude; only what was refused was not.
        refused = ended.got.trouble.meaning in UNCOUNTED
        return (0, -expected.input, -expected.output) if refused else (0, 0, 0)
    usage = ended.got.usage
    return (
        0 if granted else 1,
        counted_input(usage) - expected.input,
        usage.output_tokens - expected.output,
    )
