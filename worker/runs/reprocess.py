"""Old messages answered anew: a new run beside the old ones, never over them.

Promises: nothing recorded changes; a preview and the run that follows it use one selection; the
same key makes one run, however often and however many at once; what may be spent is the run's
budget, so `max_cost` holds even where the expectation was wrong.
"""

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from models.vocabulary import Lane, RunKind, RunLane
from worker.claude.prompts import prompts_of
from worker.config.policies import policy_named, policy_names
from worker.config.settings import Settings
from worker.domain.expected_cost import Expected, assumed, better_known, from_costs
from worker.domain.filter_parsing import parse
from worker.domain.filters import show
from worker.domain.policy import Policy
from worker.domain.policy_documents import version_of
from worker.domain.pricing import BATCH_FACTOR
from worker.domain.spans import read_time
from worker.domain.wording import dollars
from worker.errors import RungError, TooExpensive, UsageError
from worker.runs.counterfactual import PaidDifference, take_over
from worker.runs.estimate import estimate
from worker.store.actions.choosing import Choice, Chosen, copy_jobs, look_at
from worker.store.actions.recent_costs import recent_costs
from worker.store.audit import Actor, audit
from worker.store.new_runs import NewRun, create_run, lock_key
from worker.store.queue.run_intake import close_intake, inherit_columns
from worker.store.runs import RunRef, find_run, origin_of, run_with_key


@dataclass(frozen=True, slots=True, kw_only=True)
class ReprocessRequest:
    """What somebody asks for. `where` is a filter; `since` a span (`7d`) or an ISO time; `name` a
    wish for the new run's name."""

    where: str | None = None
    since: str | None = None
    run: str | None = None
    policy: str | None = None
    lane: Lane | RunLane = RunLane.REALTIME
    max_cost: Decimal | None = None
    budget: Decimal | None = None
    key: str | None = None
    deadline: dt.datetime | None = None
    priority: int = 0
    name: str | None = None
    changed: bool = False
    """Only where a decision changes is anything asked; the rest is taken over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReprocessPreview:
    """What a request comes to, before anything is done."""

    request: ReprocessRequest
    choice: Choice
    policy: Policy
    selection: dict[str, Any]
    chosen: Chosen
    expected: Expected

    def refusal(self) -> RungError | None:
        """Why it cannot be carried out as it is; None when it can."""
        chosen, most = self.chosen, self.request.max_cost
        if chosen.unfinished:
            return RungError(
                f"{chosen.unfinished} of the {chosen.jobs} chosen jobs are not finished yet, so"
                " there is nothing to answer anew.",
                mend="add: and state in (answered, review, dead, cancelled)",
            )
        if most is not None and self.expected.usd > most:
            found = self.expected
            return TooExpensive(
                f"{chosen.jobs} jobs would cost about {dollars(found.usd)} ({dollars(found.low)} to"
                f" {dollars(found.high)}), more than the {dollars(most)} allowed ({found.basis}).",
                mend="choose fewer jobs, use --lane batch, or raise --max-cost",
            )
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reprocessed:
    """The new run, how many jobs it has, and whether it was there already under its key. `run` is
    None when nothing was chosen. `preview` is None when it was there already."""

    run: RunRef | None
    jobs: int
    repeated: bool
    preview: ReprocessPreview | None
    difference: PaidDifference | None = None


def preview(
    connection: Connection, settings: Settings, request: ReprocessRequest
) -> ReprocessPreview:
    """Counts, expects, and changes nothing. Raises UsageError (FilterError among them) and
    ConfigurationError."""
    policy = policy_named(settings, request.policy)
    choice, selection = _choice(connection, request, policy)
    chosen = look_at(connection, choice, policy.name)
    if request.policy is None and (theirs := _theirs(settings, chosen, policy.name)):
        return preview(connection, settings, replace(request, policy=theirs))
    expected = _expect(connection, settings, policy, chosen, request.lane)
    return ReprocessPreview(
        request=request,
        choice=choice,
        policy=policy,
        selection=selection,
        chosen=chosen,
        expected=expected,
    )


def _theirs(settings: Settings, chosen: Chosen, default: str) -> str | None:
    """The policy that the chosen jobs were answered under, where it is another than the default:
    who serves two companies must not answer for one by the prompts of the other. Raises
    UsageError where there are several such policies, and nobody said which."""
    theirs = sorted(chosen.policies)
    if not theirs or default in theirs:
        return None
    if len(theirs) > 1:
        raise UsageError(
            f"The chosen jobs were answered under {' and '.join(theirs)}, and a run has one"
            " policy.",
            mend=f"add --policy {theirs[0]}, or choose apart: --where '… and policy = {theirs[0]}'",
        )
    return theirs[0] if theirs[0] in policy_names(settings) else None


def reprocess(
    connection: Connection, settings: Settings, actor: Actor, request: ReprocessRequest
) -> Reprocessed:
    """Makes the run in the caller's transaction. Raises what `preview` raises, and RungError or
    TooExpensive where it cannot be carried out; then nothing is changed."""
    if request.key is not None:
        lock_key(connection, request.key)
        if known := run_with_key(connection, request.key):
            return _repeated(connection, settings, request, known)
    found = preview(connection, settings, request)
    refusal = found.refusal()
    # What everything would cost is no reason to refuse where only the difference is paid for.
    if refusal is not None and not (request.changed and isinstance(refusal, TooExpensive)):
        raise refusal
    if not found.chosen.jobs:
        return Reprocessed(run=None, jobs=0, repeated=False, preview=found)
    run = create_run(connection, _new_run(settings, found))
    jobs = copy_jobs(connection, found.choice, run)
    difference = take_over(connection, run, found.policy) if request.changed else None
    close_intake(connection, run, 0, 0)
    inherit_columns(connection, run, found.chosen.runs)
    audit(connection, actor, "reprocess", f"run {run.name}", jobs, **found.selection)
    return Reprocessed(run=run, jobs=jobs, repeated=False, preview=found, difference=difference)


def _choice(
    connection: Connection, request: ReprocessRequest, policy: Policy
) -> tuple[Choice, dict[str, Any]]:
    if request.where is None and request.run is None and request.since is None:
        raise UsageError(
            "Say which messages: --where FILTER, --run RUN or --since 7d.",
            mend="rung reprocess --where 'state = review' --dry-run",
        )
    node = parse(request.where) if request.where is not None else None
    run = find_run(connection, request.run) if request.run is not None else None
    selection = {
        "where": show(node) if node is not None else None,
        "run": run.name if run is not None else None,
        "since": request.since,
        "policy": policy.name,
        "policy_version": version_of(policy),
        "lane": str(request.lane),
    }
    since = read_time(request.since, "--since", "--since 7d") if request.since else None
    choice = Choice(node, run.id if run is not None else None, since)
    return choice, selection


def _expect(
    connection: Connection, settings: Settings, policy: Policy, chosen: Chosen, lane: str
) -> Expected:
    factor = BATCH_FACTOR if lane == RunLane.BATCH else Decimal(1)
    prices = {
        RunLane.BATCH: " at batch prices",
        RunLane.MIXED: ", and what climbs costs half",
    }
    price = prices.get(RunLane(lane), "")
    known = better_known(chosen.jobs, chosen.costs, recent_costs(connection, policy.name))
    if known is not None:
        costs, own = known
        whose = "what these jobs" if own else f"what {costs.jobs} other jobs"
        basis = f"from {whose} cost before under policy {policy.name}{price}"
        return from_costs(chosen.jobs, costs, factor, basis)
    guess = estimate(settings, policy, chosen.jobs, chosen.body_bytes)
    basis = f"assumed, for no job has run under policy {policy.name} yet{price}"
    return assumed(guess.total * factor, basis)


def _new_run(settings: Settings, found: ReprocessPreview) -> NewRun:
    request = found.request
    caps = [cap for cap in (request.budget, request.max_cost) if cap is not None]
    runs = found.chosen.runs
    return NewRun(
        name=request.name or f"reprocess-{dt.datetime.now(dt.UTC).date()}",
        policy=found.policy,
        prompts=prompts_of(settings, found.policy),
        lane=request.lane,
        priority=request.priority,
        budget_cap=min(caps) if caps else settings.budget.per_run_usd,
        deadline=request.deadline,
        key=request.key,
        kind=RunKind.REPROCESS,
        parent_id=runs[0] if len(runs) == 1 else None,
        selection=found.selection,
        audit_share=settings.audit.share,
        shadow_share=settings.audit.shadow,
    )


def _repeated(
    connection: Connection, settings: Settings, request: ReprocessRequest, known: RunRef
) -> Reprocessed:
    """The run that this key made before. Raises UsageError where it stood for something else."""
    row = origin_of(connection, known)
    asked = _choice(connection, request, policy_named(settings, request.policy))[1]
    same = ("where", "run", "since")
    before = {name: (row.selection or {}).get(name) for name in same}
    if row.kind != RunKind.REPROCESS or before != {name: asked[name] for name in same}:
        raise UsageError(
            f"The key {request.key!r} belongs to run {known.name}, which was made from something"
            " else.",
            mend="use another --key",
        )
    return Reprocessed(run=known, jobs=row.jobs, repeated=True, preview=None)
