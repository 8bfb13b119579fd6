"""Claims that nobody answered: what they may have taken is given back."""

import logging
import threading
from collections.abc import Container

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from worker.store.engine import is_outage
from worker.store.queue.unheard_claims import give_back_unheard

log = logging.getLogger(__name__)
OUTAGE_WAIT_S = 1.0


def give_back(
    engine: Engine,
    worker: str,
    ids: list[int],
    under_way: Container[tuple[int, int]],
    stopping: threading.Event,
) -> None:
    """Gives back what a claim of these jobs took, once Postgres is there again, and nothing of what
    is `under_way` here, by job and fence; nothing when the process stops before."""
    while not stopping.wait(OUTAGE_WAIT_S):
        try:
            given_back = give_back_unheard(engine, worker, ids, under_way)
        except DBAPIError as error:
            if not is_outage(error):
                raise
            continue
        if given_back:
            log.warning("claim not heard of, given back", extra={"attempts": given_back})
        return
