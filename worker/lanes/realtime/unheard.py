"""Claims that nobody answered: what they may have taken is given back."""

import logging
import threading

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from worker.store.engine import is_outage
from worker.store.queue.unheard_claims import give_back_unheard

log = logging.getLogger(__name__)
OUTAGE_WAIT_S = 1.0


def give_back(engine: Engine, worker: str, ids: list[int], stopping: threading.Event) -> None:
    """Gives back what a claim of these jobs took, once Postgres is there again; nothing when the
    process stops before."""
    while not stopping.wait(OUTAGE_WAIT_S):
        try:
            given_back = give_back_unheard(engine, worker, ids)
        except DBAPIError as error:
            if not is_outage(error):
                raise
            continue
        if given_back:
            log.warning("claim not heard of, given back", extra={"attempts": given_back})
        return
