"""Recomputes every decision of a run from what Postgres holds, and reports what differs.

A difference means that the record does not explain itself: a validator or a rule whose code has
changed, or a bug. Attempts that decided nothing (deferred, failed, lost, superseded) are counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.vocabulary import JUDGED, AttemptOutcome, CallState, Stage
from worker.claude.prompts import instructions_of
from worker.domain.answers import ModelAnswer, read_difficulty
from worker.domain.deciding import REMEMBERED
from worker.domain.first_tier import Begin, decide_start, is_critical
from worker.domain.judgement import Judgement, judge
from worker.domain.messages import MessageText
from worker.domain.next_step import (
    Accepted,
    AskAgain,
    Climbed,
    Decision,
    HandOver,
    PastAttempt,
    decide,
)
from worker.domain.policy import AGAIN, Policy
from worker.domain.shared_labels import NO_LABEL
from worker.domain.validation import OVERRAN, Validator

LABELLED = frozenset({AttemptOutcome.ROUTED, AttemptOutcome.MALFORMED})


@dataclass(frozen=True, slots=True)
class Difference:
    """One decision that comes out otherwise now."""

    job: int
    external_id: str
    fence: int
    recorded: str
    recomputed: str


@dataclass(slots=True)
class Replay:
    """What a replay found."""

    jobs: int = 0
    decisions: int = 0
    undecided: int = 0
    erased: int = 0
    differences: list[Difference] = field(default_factory=list)


def replay(
    jobs: Iterable[tuple[Any, Sequence[Any]]],
    policy: Policy,
    validators: Mapping[str, Validator],
) -> Replay:
    """Replays jobs as `worker.store.reading.replay.decided_jobs` gives them."""
    found = Replay()
    for job, attempts in jobs:
        found.jobs += 1
        if job.erased_at is not None:
            found.erased += 1
            continue
        _replay_job(found, job, attempts, policy, validators)
    return found


def _replay_job(
    found: Replay,
    job: Any,
    attempts: Sequence[Any],
    policy: Policy,
    validators: Mapping[str, Validator],
) -> None:
    message = MessageText(
        job.body, job.subject, job.channel, job.language, job.customer_id, job.metadata
    )
    history: list[PastAttempt] = []
    for attempt in attempts:
        if attempt.stage == Stage.ROUTE and attempt.outcome in LABELLED:
            recomputed = _route(attempt, policy, message)
        elif attempt.outcome in JUDGED and attempt.call_state == CallState.DONE:
            recomputed = _answer(attempt, policy, message, history, validators)
            history.append(PastAttempt(attempt.tier, tuple(attempt.reasons)))
        else:
            found.undecided += 1
            continue
        found.decisions += 1
        recorded = _words(attempt.outcome, attempt.decision, attempt.reasons)
        if recorded != recomputed:
            found.differences.append(
                Difference(job.job_id, job.external_id, attempt.fence, recorded, recomputed)
            )


def _route(attempt: Any, policy: Policy, message: MessageText) -> str:
    start = decide_start(policy, message)
    reasons: Sequence[str] = attempt.reasons
    if isinstance(start, Begin):
        tier = start.tier
    elif attempt.rule == REMEMBERED:
        tier = policy.tier_for(attempt.difficulty)
    elif attempt.call_state != CallState.DONE:
        tier = policy.tier_for(None)
    else:
        said = ModelAnswer(attempt.output or "", attempt.stop_reason, attempt.stop_category)
        difficulty = read_difficulty(said)
        if difficulty is None and attempt.shared > 1:
            return _words(AttemptOutcome.MALFORMED, AGAIN, (NO_LABEL,))
        tier = policy.tier_for(difficulty)
        reasons = () if difficulty is not None else ("unknown label",)
    return _words(AttemptOutcome.ROUTED, f"start:{tier}", reasons)


def _answer(
    attempt: Any,
    policy: Policy,
    message: MessageText,
    history: Sequence[PastAttempt],
    validators: Mapping[str, Validator],
) -> str:
    answer = ModelAnswer(attempt.output or "", attempt.stop_reason, attempt.stop_category)
    # A check that failed left nothing to read, and so did one that was never asked for.
    check = (
        ModelAnswer(attempt.check_output or "", attempt.check_stop)
        if attempt.check_state == CallState.DONE
        else ModelAnswer("", "check failed")
    )
    judged = judge(
        policy,
        attempt.tier,
        message,
        answer,
        check,
        {**validators, **_overran(attempt.findings)},
        instructions_of(attempt.prompt or ""),
    )
    assert isinstance(judged, Judgement), "with a check at hand everything is judged"
    decision = decide(
        policy, attempt.tier, judged, tuple(history), critical=is_critical(policy, message)
    )
    return _words(judged.outcome, _decision_word(decision), judged.reasons)


def _overran(findings: Sequence[Mapping[str, str]] | None) -> dict[str, Validator]:
    """What a clock said then is taken as it was: time is not in the record, and another machine
    may be faster."""

    def again(said: str) -> Validator:
        return lambda _draft, _options: said

    return {f["validator"]: again(f["finding"]) for f in findings or () if OVERRAN in f["finding"]}


def _decision_word(decision: Decision) -> str:
    match decision:
        case Accepted():
            word = "accept"
        case Climbed(tier):
            word = f"climb:{tier}"
        case AskAgain():
            word = "again"
        case HandOver():
            word = "review"
    return word


def _words(outcome: str, decision: str | None, reasons: Sequence[str]) -> str:
    because = f" because {', '.join(reasons)}" if reasons else ""
    return f"{outcome} → {decision}{because}"
