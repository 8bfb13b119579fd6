"""Shadows that `[audit] shadow` draws: when their run has finished, every tier that was not needed
is asked about them, once.

Any number of copies may look at any time: the run's row is locked while its shadows are asked
about, and the mark that this was done is set in the same transaction.
"""

import logging

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from worker.config.settings import Settings
from worker.runs.inquiries import ask_unasked
from worker.store.actions.standing_shadows import asked, owing
from worker.store.audit import Actor
from worker.store.engine import is_outage
from worker.store.runs import StoredRun

log = logging.getLogger(__name__)
ASKER = Actor("shadows")
A_TICK = 10
"""Runs that one tick asks about at most."""


def ask_standing_shadows(engine: Engine, settings: Settings) -> list[str]:
    """Asks about the shadows of runs that have finished and were not asked about since. Returns the
    names of the runs that ask. None while `[audit] shadow` is 0."""
    made: list[str] = []
    for _ in range(A_TICK if settings.audit.shadow else 0):
        try:
            found = _next(engine, settings)
        except DBAPIError as error:
            if not is_outage(error):
                raise
            log.warning("postgres away, the shadows wait")
            break
        if found is None:
            break
        made += found
    return made


def _next(engine: Engine, settings: Settings) -> list[str] | None:
    """One run's; None where none owes any."""
    with engine.begin() as connection:
        run = owing(connection)
        if run is None:
            return None
        found = _ask(connection, settings, run)
        asked(connection, run)
    log.info("shadows asked about", extra={"run": run.name, "asking": found})
    return found


def _ask(connection: Connection, settings: Settings, run: StoredRun) -> list[str]:
    """One run that cannot be asked about keeps no other waiting."""
    try:
        with connection.begin_nested():
            cap = settings.audit.shadow_budget_usd
            return [one.name for one, _ in ask_unasked(connection, settings, ASKER, run, cap)]
    except Exception as error:
        if isinstance(error, DBAPIError) and is_outage(error):
            raise
        log.exception("shadows not asked about", extra={"run": run.name})
        return []
