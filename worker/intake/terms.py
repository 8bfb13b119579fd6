"""What is asked of a handover: the run that is wanted."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from models.vocabulary import Lane, RunLane
from worker.claude.prompts import prompts_of
from worker.config.addresses import lane_for
from worker.config.doors import NotifySettings, mail_address
from worker.config.lookups import columns_asked
from worker.config.settings import Settings
from worker.domain.backlog import LONGEST
from worker.domain.policy import Policy
from worker.domain.prompts import Prompts
from worker.domain.run_names import complaint
from worker.domain.spans import read_time
from worker.errors import UsageError

MOST_KEY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTerms:
    """The run that is wanted. `name` is what a person called it, `usual_name` what it is called
    otherwise; `budget` in dollars; `again` answers messages anew that are in another run."""

    policy: Policy
    lane: Lane | RunLane
    usual_name: str
    name: str | None = None
    source: str | None = None
    priority: int = 0
    budget: Decimal | None = None
    deadline: dt.datetime | None = None
    key: str | None = None
    again: bool = False
    audit_share: Decimal = Decimal(0)
    shadow_share: Decimal = Decimal(0)
    notify: tuple[str, ...] = ()
    """Mail addresses that are told of its end."""
    prompts: Prompts | None = None
    """Those that the run keeps to."""
    asked_by: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Columns of a row that each of the policy's look-ups goes by."""


def parse_deadline(words: str | None, called: str = "--deadline") -> dt.datetime | None:
    """`6h` from now, or an ISO time (UTC where it names no zone). Raises UsageError, in which it is
    called as whoever gave it knows it."""
    if words is None:
        return None
    now = dt.datetime.now(dt.UTC)
    read = read_time(words, called, f"{called} 6h, or {called} 2026-12-01T06:00+01:00")
    moment = now + read if isinstance(read, dt.timedelta) else read
    if moment <= now:
        raise UsageError(f"{called} {words} has passed.", mend=f"{called} 6h")
    return moment


def mail_addresses(settings: NotifySettings, addresses: Iterable[str]) -> tuple[str, ...]:
    """The mail addresses that a person asked to be told at. Raises UsageError where no mail can be
    sent, or what was given is none."""
    found = tuple(addresses)
    if found and settings.smtp_host is None:
        raise UsageError(
            "Nobody can be told by mail: no mail server is set.",
            mend="set smtp_host under [notify] in rung.toml, or leave --notify out",
        )
    try:
        return tuple(mail_address(address) for address in found)
    except ValueError as error:
        raise UsageError(f"{error}.", mend="--notify lead@example.com") from None


def terms_for(
    settings: Settings,
    policy: Policy,
    *,
    lane: str | None,
    budget: Decimal | None,
    notify: Iterable[str] = (),
    **asked: Any,
) -> RunTerms:
    """What was asked for, by whichever door, and the configuration where it was not: a lane by the
    deadline, a budget, a share of audits. Raises UsageError for a lane that there is not, and where
    nobody can be told."""
    return RunTerms(
        policy=policy,
        lane=lane_for(settings, lane, asked.get("deadline")),
        budget=budget if budget is not None else settings.budget.per_run_usd,
        audit_share=settings.audit.share,
        shadow_share=settings.audit.shadow,
        notify=mail_addresses(settings.notify, notify),
        prompts=prompts_of(settings, policy),
        asked_by=columns_asked(settings.lookups, policy.context.lookups),
        **asked,
    )


def check_terms(terms: RunTerms) -> None:
    """What is given once for all rows must fit as what stands in a row. Raises UsageError."""
    for what, value, most in (
        ("--source", terms.source, LONGEST["source"]),
        ("--key", terms.key, MOST_KEY),
    ):
        if value is not None and not (0 < len(value) <= most and value.isprintable()):
            raise UsageError(
                f"{what} must be 1 to {most} characters that can be printed.", mend=f"{what} NAME"
            )
    if terms.name is not None and (problem := complaint(terms.name)):
        raise UsageError(problem, mend="--run NAME")
