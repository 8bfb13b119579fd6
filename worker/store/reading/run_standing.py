"""How a run stands, as a value: what its jobs came to, and the words for it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from models.vocabulary import OPEN_STATES, JobState, Lane
from worker.domain.hold_words import NO_BATCHES, paused_words
from worker.domain.ladder import in_order
from worker.domain.wording import jobs_words, plural, run_state_word
from worker.store.reading.run_money import HELD_BACK, RunMoney


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStanding(RunMoney):
    """A run with what its jobs came to; `now` is the database's time."""

    id: int
    kind: str
    parent_id: int | None
    state_reason: str | None
    accepting: bool
    policy: str
    policy_version: str
    lane: str
    priority: int
    deadline: dt.datetime | None
    rejected: int
    duplicates: int
    created_at: dt.datetime
    finished_at: dt.datetime | None
    now: dt.datetime
    warned_percent: int
    by_state: Mapping[str, int]
    by_tier: Mapping[str, int]
    by_verdict: Mapping[str, int]
    escalations: int
    calls: int
    simulated: bool
    prompts: Mapping[str, str] | None = None
    """Versions of the prompts that it began with."""
    paused_by: str | None = None
    paused_at: dt.datetime | None = None

    @property
    def total(self) -> int:
        """All of its jobs."""
        return sum(self.by_state.values())

    @property
    def open(self) -> int:
        """Jobs that have not ended."""
        return sum(jobs for state, jobs in self.by_state.items() if state in OPEN_STATES)

    @property
    def ended(self) -> int:
        """Jobs in a terminal state."""
        return self.total - self.open

    @property
    def decided(self) -> int:
        """Jobs for a person that somebody has given a verdict on."""
        return sum(self.by_verdict.values())

    @property
    def for_people(self) -> int:
        """Jobs that wait for a person's verdict."""
        return self.jobs(JobState.REVIEW) - self.decided

    @property
    def state_word(self) -> str:
        """Its state, and what an active run waits for."""
        if self.out_of_money:
            return self.stop_word
        state = run_state_word(self.state)
        return f"{state} ({HELD_BACK})" if self.short else state

    @property
    def state_words(self) -> list[str]:
        """How many jobs are where, in the words of every screen."""
        return jobs_words(self.by_state, self.decided)

    @property
    def tiers(self) -> dict[str, int]:
        """Jobs by the tier where they are, as the ladder has them."""
        return {tier: self.by_tier[tier] for tier in in_order(self.by_tier, self.ladder)}

    @property
    def pause_words(self) -> str:
        """Who has paused it, since when, why, and what is left of it."""
        verb = "is" if self.open == 1 else "are"
        left = f"{plural(self.open, 'message')} {verb} open" if self.open else ""
        by, why = self.paused_by, self.state_reason
        return paused_words(by=by, since=self.paused_at, reason=why, now=self.now, left=left)

    @property
    def resume_with(self) -> str:
        """The command that ends its pause: without batches there is one lane."""
        return self.realtime_with if self.without_batches else self._resume

    @property
    def without_batches(self) -> bool:
        """Whether it is paused because it wants batches, and Claude's door has none."""
        return self.state == "paused" and self.state_reason == NO_BATCHES

    @property
    def realtime_with(self) -> str:
        """The command that takes it out of the batch lane."""
        return f"{self._resume} --lane {Lane.REALTIME}"

    @property
    def _resume(self) -> str:
        return f"rung resume {quote(self.name)}"

    @property
    def retry_words(self) -> str:
        """Why its dead letters should not be tried again, and what helps; empty where they may."""
        if self.deadline is None or self.deadline > self.now:
            return ""
        anew = f"rung reprocess --run {quote(self.name)} --where 'state = dead'"
        return (
            f"The deadline of {self.name} has passed, so most of them would die of that again."
            f" Answer them in a run of its own: {anew}"
        )

    @property
    def troubled(self) -> bool:
        """Whether it ended with something that somebody should look at."""
        return bool(self.jobs(JobState.DEAD) or self.rejected)

    def jobs(self, state: str) -> int:
        """Jobs in this state."""
        return self.by_state.get(state, 0)

    def as_document(self) -> dict[str, Any]:
        """As `rung status RUN --json` and the API give it."""
        same = (
            "id", "kind", "state", "state_reason", "paused_by", "paused_at", "waiting_for",
            "accepting", "policy", "policy_version", "lane", "priority", "total", "ended",
            "by_state", "by_verdict", "for_people", "escalations", "calls", "rejected",
            "duplicates", "simulated", "created_at", "deadline", "finished_at", "prompts",
        )  # fmt: skip
        return {
            "run": self.name,
            **{name: getattr(self, name) for name in same},
            "by_tier": self.tiers,
            "spent_usd": self.spent,
            "reserved_usd": self.reserved,
            "budget_usd": self.cap,
            "budget_left_usd": self.left,
            "enough_usd": self.enough if self.waiting_for or self.short else None,
            "likely_usd": self.likely if self.waiting_for or self.short else None,
            "budget_warned_percent": self.warned_percent,
        }
