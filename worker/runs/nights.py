"""Schedules: reprocessings that happen at night by themselves, once each.

Any number of schedulers may look at any time. A night is claimed by its primary key (name, local
date) in the very transaction that makes its run, so it happens entirely or not at all: a scheduler
that dies in between leaves nothing behind, and the next look finds the night still owed. What a
person must mend (a filter without sense, a cost above the limit) is recorded as failed, and not
tried again by itself; an outage is not recorded, and is.
"""

import datetime as dt
import logging
from dataclasses import dataclass
from shlex import quote

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from models.vocabulary import FiringState
from worker.config.addresses import night_lane
from worker.config.settings import NightlySettings, Settings
from worker.domain.spans import read_span
from worker.domain.timetable import Due, Timetable, lateness, night_of, owed
from worker.errors import RungError, UsageError
from worker.failpoints import failpoint
from worker.runs.reprocess import Reprocessed, ReprocessRequest, reprocess
from worker.store.actions import schedules
from worker.store.actions.schedules import Night, NightEnded
from worker.store.audit import Actor, audit
from worker.store.engine import is_outage
from worker.store.queue.notices import note

log = logging.getLogger(__name__)
SCHEDULER = Actor("schedule")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """A night and what came of it. `repeated`: somebody had done it before. `error` is what
    failed, for whoever asked by hand."""

    name: str
    night: Night
    repeated: bool = False
    error: RungError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NightToFire:
    """A claimed night of a schedule. `late` says that it comes late, or that others before it were
    missed; `again` makes another run beside the night's first."""

    name: str
    schedule: NightlySettings
    due: Due
    actor: Actor
    late: str | None = None
    again: bool = False


def table_of(schedule: NightlySettings) -> Timetable:
    """When it is due."""
    return Timetable(schedule.cron, schedule.timezone)


def schedule_named(settings: Settings, name: str) -> NightlySettings:
    """Raises UsageError with the names that there are."""
    if name not in settings.schedule:
        names = ", ".join(settings.schedule) or "none"
        raise UsageError(
            f"There is no schedule {name!r}; there are: {names}.",
            mend=f"[schedule.{name}] in rung.toml",
        )
    return settings.schedule[name]


def fire_due(engine: Engine, settings: Settings) -> list[Fired]:
    """Fires every schedule that owes a night; what goes wrong with one leaves the others alone."""
    fired = []
    for name, schedule in settings.schedule.items():
        try:
            with engine.begin() as connection:
                if done := _fire_if_owed(connection, settings, name, schedule):
                    fired.append(done)
        except DBAPIError as error:
            if not is_outage(error):
                raise
            log.warning("postgres away, the schedule waits", extra={"schedule": name})
    for done in fired:
        _tell(done)
    return fired


def fire_now(
    engine: Engine, settings: Settings, name: str, actor: Actor, *, again: bool = False
) -> Fired:
    """Does today's night now, whether or not it is due. One that made a run already is left as it
    is, unless `again` asks for another run."""
    schedule = schedule_named(settings, name)
    table = table_of(schedule)
    with engine.begin() as connection:
        seen = schedules.see(connection, name, table)
        due = Due(seen.now, night_of(table, seen.now))
        before = schedules.claim(connection, name, due, 0, actor.name)
        if before is not None:
            if before.state == FiringState.MADE and not again:
                return Fired(name=name, night=before, repeated=True)
            schedules.claim(connection, name, due, 0, actor.name, again=True)
        wanted = NightToFire(name=name, schedule=schedule, due=due, actor=actor, again=again)
        return _carry_out(connection, settings, wanted)


def _fire_if_owed(
    connection: Connection, settings: Settings, name: str, schedule: NightlySettings
) -> Fired | None:
    table = table_of(schedule)
    seen = schedules.see(connection, name, table)
    dues = owed(table, seen.since, seen.now)
    done = schedules.nights_from(connection, name, dues[0].night) if dues else set()
    dues = [due for due in dues if due.night not in done]
    if not dues:
        return None
    if schedules.claim(connection, name, dues[-1], len(dues) - 1, SCHEDULER.name) is not None:
        return None
    late = lateness(dues, seen.now)
    wanted = NightToFire(name=name, schedule=schedule, due=dues[-1], actor=SCHEDULER, late=late)
    return _carry_out(connection, settings, wanted)


def _carry_out(connection: Connection, settings: Settings, wanted: NightToFire) -> Fired:
    """Makes the run of a claimed night, or records why it could not be made."""
    failpoint("in a night")
    error, run, name, night = None, None, wanted.name, wanted.due.night
    try:
        with connection.begin_nested():
            made = reprocess(connection, settings, wanted.actor, _request(settings, wanted))
        ended, run = _ended(made, wanted.late), made.run
    except Exception as failure:
        if isinstance(failure, DBAPIError) and is_outage(failure):
            raise
        error = failure if isinstance(failure, RungError) else _bug(failure)
        ended = NightEnded(state=FiringState.FAILED, words=_joined(str(error), wanted.late))
        then = f"When that is fixed: rung schedule run {quote(name)}"
        words = f"Schedule {name} failed for {night}: {str(error).rstrip('.')}. {then}"
        key, target = f"{name}:{night}", f"schedule {name}"
        note(connection, "night_run_failed", key=key, target=target, words=words)
    failpoint("after a night's run")
    schedules.close(connection, name, night, ended)
    audit(
        connection, wanted.actor, "schedule", f"schedule {name}", ended.jobs,
        night=night, outcome=str(ended.state), words=ended.words,
    )  # fmt: skip
    done = Night(
        night=night,
        state=ended.state,
        run=run.name if run is not None else None,
        jobs=ended.jobs,
        words=ended.words,
    )
    return Fired(name=name, night=done, error=error)


def _ended(made: Reprocessed, late: str | None) -> NightEnded:
    """How a night ended in which nothing went wrong."""
    if made.run is None:
        return NightEnded(state=FiringState.NOTHING, words=_joined("no job is like that", late))
    return NightEnded(
        state=FiringState.MADE,
        words=late,
        run_id=made.run.id,
        jobs=made.jobs,
        selection=made.preview.selection if made.preview is not None else None,
    )


def _request(settings: Settings, wanted: NightToFire) -> ReprocessRequest:
    name, schedule, night = wanted.name, wanted.schedule, wanted.due.night
    return ReprocessRequest(
        where=schedule.where,
        since=schedule.since,
        policy=schedule.policy,
        lane=night_lane(settings, schedule.lane),
        max_cost=schedule.max_cost,
        key=None if wanted.again else f"schedule {name} {night}",
        deadline=_deadline(schedule.deadline),
        priority=schedule.priority,
        name=f"{name}-{night}",
    )


def _deadline(words: str | None) -> dt.datetime | None:
    return None if words is None else dt.datetime.now(dt.UTC) + read_span(words, "deadline")


def _bug(failure: Exception) -> RungError:
    log.exception("a schedule failed")
    return RungError(f"a bug of Rung's own ({type(failure).__name__})", mend="see the log")


def _joined(words: str, late: str | None) -> str:
    return words if late is None else f"{words} ({late})"


def _tell(fired: Fired) -> None:
    night = fired.night
    level = logging.ERROR if night.state == FiringState.FAILED else logging.INFO
    told = {"schedule": fired.name, "night": str(night.night), "run": night.run, "jobs": night.jobs}
    log.log(level, "schedule fired", extra={**told, "outcome": night.state, "words": night.words})
