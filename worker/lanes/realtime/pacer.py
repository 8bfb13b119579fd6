"""Keeps a worker process within the rate limits: asks before, tells the truth after.

`take` is for threads that claim; `ended` may be called from the event loop, for it only notes what
happened. A thread of its own tells Redis, so that no call ever waits for it. A tier with no limits
asks nobody; tiers on one model share what Claude allows that model, under the tightest of their
limits.

Calls are granted before it is known which messages they will be for. Once these are claimed, each
is set down for what its own words take, before it is sent: a long message weighs on the limit from
then on, and not only when it is answered. What it was set down for is remembered until it ends:
estimates move meanwhile, and what is settled must be what was taken.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from models.vocabulary import ROUTING, Purpose
from worker.claude.rate_limits import Limiter, buckets_of, connect, limits_of
from worker.config.settings import Settings
from worker.domain.answers import Answer, Troubled
from worker.domain.claimed import Claimed, Question
from worker.domain.limits import NO_TOKENS, Estimator, Grant, Tokens, counted_input
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
Attempt = tuple[int, int]
"""Job and fence."""


class Outgoing(NamedTuple):
    """A call that is about to be sent: the attempt that it is of (the first, of several that share
    it), and bytes of what is said in it."""

    attempt: Attempt
    said: int


class SetDown(NamedTuple):
    """What was taken for a call under way."""

    tokens: Tokens
    said: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """What Redis is to hear: calls, input and output tokens that were used beyond what was taken,
    and the call that has ended, if one has."""

    bucket: str
    more: tuple[int, float, float]
    got: Answer | Troubled | None = None


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
        self._set_down: dict[Attempt, SetDown] = {}
        self._estimator = Estimator(PRIOR, PRIORS)
        self._client = connect(redis_url, settings.timing.connect_s)
        self._limiter = Limiter(self._client, limits)
        self._inbox = Inbox[Settling](GATHER_S, MAX_GROUP)
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
            return Grant(calls=calls, retry_in_s=0, reason=None)
        tokens = self._estimator.expect(tier, purpose)
        grant = self._limiter.take(
            self._bucket[tier], calls=calls, input_tokens=tokens.input, output_tokens=tokens.output
        )
        return replace(grant, each=tokens)

    def sending(self, tier: str, purpose: Purpose, grant: Grant, calls: Sequence[Outgoing]) -> None:
        """Of what was granted these are sent now. The rest comes back."""
        if tier not in self._limited or not grant.calls:
            return
        read = -grant.calls * grant.each.input
        for attempt, said in calls:
            expected = self._estimator.expect(tier, purpose, said).input
            self._set_down[attempt] = SetDown(Tokens(expected, grant.each.output), said)
            read += expected
        unsent = grant.calls - len(calls)
        if unsent:
            written = unsent * grant.each.output
            self._limiter.settle(
                self._bucket[tier], calls=-unsent, input_tokens=read, output_tokens=-written
            )
        else:
            self._inbox.put(Settling(bucket=self._bucket[tier], more=(0, read, 0)))

    def ended(self, claimed: Claimed, question: Question, got: Answer | Troubled) -> None:
        """Notes what a call brought; returns at once."""
        tier = question.tier
        if tier not in self._limited:
            return
        taken = self._set_down.pop(claimed.attempt, None)
        if taken and isinstance(got, Answer):
            self._estimator.learn(tier, question.purpose, taken.said, got.usage)
        # After a refusal nobody should send, so Redis hears of it at once.
        told = Settling(bucket=self._bucket[tier], more=_correction(taken, got), got=got)
        self._inbox.put(told, urgent=isinstance(got, Troubled))

    def forget(self, attempt: Attempt) -> None:
        """Of an attempt that is over: whether its call was counted is not known if it has not
        ended, so what was taken for it stays taken."""
        self._set_down.pop(attempt, None)

    def _tell(self, told: list[Settling]) -> None:
        corrections: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
        headers: dict[str, Mapping[str, str]] = {}
        for item in told:
            correction = corrections[item.bucket]
            for kind, more in enumerate(item.more):
                correction[kind] += more
            match item.got:
                case Answer():
                    headers[item.bucket] = item.got.headers
                case Troubled():
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
            self._held(self._queues_of(bucket), held_s, seconds)
        except Exception as error:
            # What people see of a hold may be late; what it keeps from being sent must not be.
            log.warning("a hold was not noted", extra={"error": type(error).__name__})

    def lift(self, queue: str) -> None:
        """Ends the hold of a queue, and of those that share its limits."""
        tier = self._routing_tier if queue == ROUTING else queue
        if tier in self._limited:
            self._limiter.lift(self._bucket[tier])

    def _queues_of(self, bucket: str) -> list[str]:
        """The queues that share a bucket: tiers on one model, and routing with its tier."""
        tiers = [tier for tier, name in self._bucket.items() if name == bucket]
        return [ROUTING, *tiers] if self._routing_tier in tiers else tiers


def _correction(taken: SetDown | None, got: Answer | Troubled) -> tuple[int, float, float]:
    """Used minus taken: calls, input tokens, output tokens. A check follows its answer without
    asking, so nothing was taken for it, not even a call."""
    expected = taken.tokens if taken else NO_TOKENS
    if isinstance(got, Troubled):
        # A timeout or a reset may have been counted by Claude; only what was refused was not.
        refused = got.trouble.meaning in UNCOUNTED
        return (0, -expected.input, -expected.output) if refused else (0, 0, 0)
    usage = got.usage
    return (
        0 if taken else 1,
        counted_input(usage) - expected.input,
        usage.output_tokens - expected.output,
    )
