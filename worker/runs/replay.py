"""Recomputes every decision of a run from what Postgres holds, and reports what differs.

A difference means that the record does not explain itself: a validator or a rule whose code has
changed, or a bug. Attempts that decided nothing (deferred, failed, lost, superseded) are counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from models.vocabulary import JUDGED, AttemptOutcome, CallState, Lane, Purpose, Stage
from worker.domain.answers import Answer, ModelAnswer, Troubled
from worker.domain.attempt import Attempt, Standards
from worker.domain.claimed import Candidate, Claimed, PastAnswer, Question
from worker.domain.context import context_from
from worker.domain.first_tier import REMEMBERED, Decided, decide_start
from worker.domain.judgement import TOO_LONG
from worker.domain.policy import Policy
from worker.domain.pricing import NO_TOKENS
from worker.domain.prompts import instructions_of, shown_in
from worker.domain.trouble import Meaning, Trouble
from worker.domain.validation import OVERRAN, Validator
from worker.store.reading.replay import RecordedAttempt

LABELLED = frozenset({AttemptOutcome.ROUTED, AttemptOutcome.MALFORMED})
TOO_LONG_THEN = Troubled(Trouble(meaning=Meaning.TOO_LONG, kind="as recorded"), None)
MOST_KEPT = 1_000
NOTHING_CAME = Troubled(Trouble(meaning=Meaning.UNKNOWN, kind="as recorded"), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One decision that comes out otherwise now."""

    job: int
    external_id: str
    fence: int
    recorded: str
    recomputed: str


@dataclass(slots=True, kw_only=True)
class Replay:
    """What a replay found: all is counted, and the first `MOST_KEPT` differences are kept. A
    validator that was changed may differ on every job of a large run."""

    jobs: int = 0
    decisions: int = 0
    undecided: int = 0
    erased: int = 0
    different: int = 0
    differences: list[Difference] = field(default_factory=list)


def replay(
    jobs: Iterable[Sequence[RecordedAttempt]],
    policy: Policy,
    validators: Mapping[str, Validator],
) -> Replay:
    """Replays jobs as `worker.store.reading.replay.decided_jobs` gives them."""
    found = Replay()
    for attempts in jobs:
        found.jobs += 1
        if attempts[0].erased:
            found.erased += 1
            continue
        _replay_job(found, _candidate(attempts[0], policy), attempts, validators)
    return found


def _candidate(job: RecordedAttempt, policy: Policy) -> Candidate:
    return Candidate(
        job_id=job.job_id,
        run_id=0,
        fence=0,
        stage=Stage.ROUTE,
        lane=Lane.REALTIME,
        tier=None,
        remembered=None,
        failures=0,
        deferrals=0,
        message=job.message,
        policy=policy,
        policy_version="",
        history=(),
        available_at=job.available_at,
    )


def _replay_job(
    found: Replay,
    candidate: Candidate,
    attempts: Sequence[RecordedAttempt],
    validators: Mapping[str, Validator],
) -> None:
    for row in attempts:
        if not _decided(row):
            found.undecided += 1
            continue
        found.decisions += 1
        recorded = _words(row.outcome, row.decision, row.reasons)
        recomputed = _again(row, candidate, validators)
        found.different += recorded != recomputed
        if recorded != recomputed and len(found.differences) < MOST_KEPT:
            found.differences.append(
                Difference(
                    job=candidate.job_id,
                    external_id=row.external_id,
                    fence=row.fence,
                    recorded=recorded,
                    recomputed=recomputed,
                )
            )
        if row.stage == Stage.ANSWER:
            candidate = replace(candidate, history=(*candidate.history, _past(row)))


def _decided(row: RecordedAttempt) -> bool:
    if row.stage == Stage.ROUTE:
        return row.outcome in LABELLED
    too_long = TOO_LONG in row.reasons
    return row.outcome in JUDGED and (row.call_state == CallState.DONE or too_long)


def _again(row: RecordedAttempt, candidate: Candidate, validators: Mapping[str, Validator]) -> str:
    """Drives the same machine as the lanes, with what was heard then."""
    standards = Standards(
        price=lambda _: None,
        instructions=instructions_of(row.prompt or ""),
        validators={**validators, **_overran(row.findings)},
        jitter=lambda: 0.0,
        knowledge=shown_in(row.prompt or ""),
    )
    then = replace(
        candidate,
        policy=_then(candidate.policy, row),
        difficulty=row.job_difficulty,
        context=context_from(row.context or {}),
    )
    attempt = Attempt(Claimed(then, _plan(row, then)), standards)
    step = attempt.begin()
    for got in (_first(row), _check(row)):
        if isinstance(step, Question):
            step = attempt.heard(got)
    assert not isinstance(step, Question), "an attempt asks twice at most"
    return _words(step.outcome, step.ending.word, step.reasons)


def _plan(row: RecordedAttempt, candidate: Candidate) -> Decided | Question:
    if row.stage == Stage.ROUTE:
        remembered = row.difficulty if row.rule == REMEMBERED else None
        start = decide_start(candidate.policy, candidate.message, remembered)
        if isinstance(start, Decided):
            return start
    return Question(
        purpose=Purpose.CLASSIFY if row.stage == Stage.ROUTE else Purpose.ANSWER,
        tier=row.tier or "",
        model="",
        worst_cost=Decimal(0),
        reserved=Decimal(0),
        prompt_version="",
        schema_version="",
        effort=None,
        max_tokens=0,
    )


def _first(row: RecordedAttempt) -> Answer | Troubled:
    if row.call_state != CallState.DONE:
        return TOO_LONG_THEN
    said = ModelAnswer(row.output or "", row.stop_reason, row.stop_category)
    return _said(said, row.shared or 1)


def _check(row: RecordedAttempt) -> Answer | Troubled:
    """A check that failed left nothing to read, and so did one that was never asked for."""
    if row.check_state != CallState.DONE:
        return NOTHING_CAME
    return _said(ModelAnswer(row.check_output or "", row.check_stop), 1)


def _said(said: ModelAnswer, shared: int) -> Answer:
    return Answer(
        answer=said,
        usage=NO_TOKENS,
        latency_ms=None,
        request_id=None,
        service_tier=None,
        simulated=False,
        headers={},
        shared=shared,
    )


def _past(row: RecordedAttempt) -> PastAnswer:
    return PastAnswer(
        fence=row.fence,
        tier=row.tier or "",
        model="",
        reasons=tuple(row.reasons),
        decision=None,
        hint=None,
        output=None,
        simulated=False,
    )


def _then(policy: Policy, row: RecordedAttempt) -> Policy:
    """The policy with its certificate as it stood at the attempt: valid, in doubt or void."""
    held = policy.accept.certified_at(row.tier or "")
    if held is None or row.certificate_id is None:
        return policy
    if row.standard is None:
        then = replace(held, state="void")
    else:
        then = replace(held, threshold=row.standard, state="valid")
    return replace(policy, accept=replace(policy.accept, in_force=then))


def _overran(findings: Sequence[Mapping[str, str]] | None) -> dict[str, Validator]:
    """What a clock said then is taken as it was: time is not in the record, and another machine
    may be faster."""

    def again(said: str) -> Validator:
        return lambda _draft, _options: said

    return {f["validator"]: again(f["finding"]) for f in findings or () if OVERRAN in f["finding"]}


def _words(outcome: str, decision: str | None, reasons: Sequence[str]) -> str:
    because = f" because {', '.join(reasons)}" if reasons else ""
    return f"{outcome} → {decision}{because}"
