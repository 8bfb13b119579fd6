"""The run that a handover goes into: found by its key, or made on its terms."""

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from worker.errors import UsageError
from worker.intake.terms import RunTerms
from worker.store.new_runs import NewRun, create_run
from worker.store.queue.run_intake import reopen_intake
from worker.store.runs import RunRef, run_with_key


class IntakeBusy(UsageError):
    """Another intake into this run is under way."""


def run_of_terms(connection: Connection, terms: RunTerms) -> tuple[RunRef, bool]:
    """The run, and whether it was made just now. Raises IntakeBusy, and UsageError when its name is
    taken, or when it is cancelled."""
    if terms.key is not None and (known := run_with_key(connection, terms.key)):
        if not reopen_intake(connection, known):
            raise UsageError(
                f"The key {terms.key!r} is that of run {known.name}, which is cancelled: nothing"
                " more goes into it.",
                mend="use another --key",
            )
        return known, False
    new = NewRun(
        name=terms.name or terms.usual_name,
        policy=terms.policy,
        lane=terms.lane,
        priority=terms.priority,
        budget_cap=terms.budget,
        deadline=terms.deadline,
        key=terms.key,
        named=terms.name is not None,
        audit_share=terms.audit_share,
        shadow_share=terms.shadow_share,
        notify=terms.notify,
        prompts=terms.prompts,
    )
    try:
        return create_run(connection, new), True
    except IntegrityError:
        raise IntakeBusy(
            "The same key is being used just now.", mend="try again: nothing is added twice"
        ) from None
