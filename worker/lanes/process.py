"""The one runtime of this worker process: started, kept and stopped by Celery's signals."""

import gc
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress

from redis import RedisError

from worker.claude.rate_limits import connect
from worker.config.addresses import database_url, redis_url
from worker.config.redis_fitness import require_fit
from worker.config.settings import Settings
from worker.errors import Unreachable
from worker.lanes.batch.lane import BatchLane
from worker.lanes.realtime.runtime import Runtime
from worker.lanes.upkeep.housekeeping import Housekeeping
from worker.store.engine import reaching_postgres, wait_until_away
from worker.store.queue.dispatch import Chunk
from worker.store.queue.reservations import reconcile
from worker.store.schema_check import require_current

log = logging.getLogger(__name__)
YOUNG_OBJECTS = 10_000
"""A call in flight holds some hundreds of objects: by default the collector would look at all the
calls in flight again for each new one, and find nothing to collect."""
GRACE_S = 4.0
"""What is in flight at a cold shutdown may come back for so long: it is paid for."""
AWAY_S = 4.0
"""A process that is to stop waits no longer than this for a Postgres that does not answer."""
IDLE_S, LOOK_S = 4.0, 0.5
"""With nothing in flight Celery ends at once; so long it may say its goodbyes to Redis."""
END_WITHIN_S = 8.5
"""Then nothing keeps the process: not Celery, which may still wait for its threads."""


class _Process:
    runtime: Runtime | None = None
    housekeeping: Housekeeping | None = None
    batches: BatchLane | None = None
    hurried = False
    gave_up = threading.Event()
    stop_begun = threading.Event()


def start(settings: Settings) -> None:
    """Starts the runtime. Raises RungError when the schema is behind or Postgres away, or Redis is
    one that can never do; one that is away is waited for."""
    client = connect(redis_url(settings))
    with closing(client), suppress(RedisError):
        require_fit(client)
    made = Runtime(settings)
    with reaching_postgres(made.engine):
        require_current(made.engine)
        reconcile(made.engine)
    made.start()
    made.remember_prompts()
    _Process.runtime = made


def settle_memory() -> None:
    """Takes everything that start-up made out of the collector's sight: libraries, schemas and
    settings stay as long as the process does, and looking at them again and again costs a worker a
    sixth of its CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)


def runtime() -> Runtime:
    """This process's runtime."""
    assert _Process.runtime is not None, "worker_init starts the runtime before any task runs"
    return _Process.runtime


def keep_house(queues: Sequence[str], publish: Callable[[Chunk], None]) -> None:
    """Starts housekeeping for the queues that this worker consumes; `publish` sends a chunk."""
    settle_memory()
    _Process.housekeeping = Housekeeping(runtime(), queues, publish)
    _Process.housekeeping.start()
    _Process.batches = BatchLane(runtime())
    _Process.batches.start()
    log.info("at work", extra={"queues": list(queues), "worker": runtime().worker_id})


def wind_down() -> None:
    """Claims nothing more; what is in flight goes on. For a signal's handler, so it returns at
    once."""
    if _Process.runtime is not None and not _Process.runtime.stopping.is_set():
        _Process.runtime.stopping.set()
        for name, what in (("last look", _end_without_postgres), ("last call", _end_once_idle)):
            threading.Thread(target=what, name=name, daemon=True).start()


def _end_without_postgres() -> None:
    """Ends a process that is to stop and cannot: nothing can be recorded."""
    wait_until_away(database_url(runtime().settings), AWAY_S)
    log.critical(
        "ended although calls may be in flight: Postgres does not answer, so nothing can be"
        " recorded; their leases are rescued when it does"
    )
    logging.shutdown()
    os._exit(Unreachable.exit_code)


def _end_once_idle() -> None:
    """Ends a process whose work is done, and which Celery keeps: it waits for a Redis that hangs
    before it lets anybody know of the end."""
    idle_since = time.monotonic()
    while not _Process.stop_begun.wait(LOOK_S):
        if not runtime().idle:
            idle_since = time.monotonic()
        elif time.monotonic() - idle_since >= IDLE_S:
            log.warning("everything is recorded, and Redis does not answer: ended")
            stop()
            logging.shutdown()
            os._exit(0)


def stop() -> None:
    """Ends housekeeping and the runtime, after the last task has returned."""
    _Process.stop_begun.set()
    if _Process.hurried:
        # Celery's main thread may come by while what came back is still being recorded.
        _Process.gave_up.wait(END_WITHIN_S)
    if _Process.batches is not None:
        _Process.batches.stop()
    if _Process.housekeeping is not None:
        _Process.housekeeping.stop()
    if _Process.runtime is not None:
        _Process.runtime.stop()


def hurry() -> None:
    """A cold shutdown has begun: whatever Celery waits for, this process ends within 10 seconds.
    For a signal's handler, so it returns at once."""
    if not _Process.hurried and _Process.runtime is not None:
        _Process.hurried = True
        threading.Thread(target=_hurry, name="cold shutdown", daemon=True).start()


def _hurry() -> None:
    # In a thread of its own: where Postgres hangs, giving back does too.
    threading.Thread(target=_give_up, name="giving back", daemon=True).start()
    time.sleep(END_WITHIN_S)
    os._exit(1)


def _give_up() -> None:
    try:
        runtime().give_up(GRACE_S)
    except Exception:
        log.exception("cold shutdown could not give everything back")
    _Process.gave_up.set()
