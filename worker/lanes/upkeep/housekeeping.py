"""What every worker process does beside its tasks: heartbeat, dispatch, rescue, finishing runs.

Safe in any number of copies, with no leader and no scheduler: dispatch and rescue hold locks that
let one at a time through or skip what another holds. A worker whose housekeeping stops is seen by
its `seen_at`, and the others go on.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from sqlalchemy.exc import DBAPIError

from models.vocabulary import ROUTING
from worker.failpoints import failpoint
from worker.lanes.realtime.runtime import Runtime
from worker.lanes.routine import Routine, guarded
from worker.lanes.upkeep.couriers import couriers_of
from worker.lanes.upkeep.deliverer import Deliverer
from worker.lanes.upkeep.notifier import Notifier
from worker.lanes.upkeep.watchdog import Watchdog
from worker.store.engine import is_outage, was_stopped
from worker.store.queue import presence
from worker.store.queue.breakers import half_open
from worker.store.queue.budget_warnings import tell_of_stops
from worker.store.queue.deadlines import watch_deadlines
from worker.store.queue.dispatch import Chunk, dispatch, undo
from worker.store.queue.expire import expire
from worker.store.queue.rate_holds import carry_out_lifts
from worker.store.queue.rescue import rescue
from worker.store.queue.run_ends import finish_runs
from worker.store.runs import close_abandoned_intakes

log = logging.getLogger(__name__)
MIN_DISPATCH_GAP_S = 0.2
"""News may come hundreds of times a second; dispatching for each would cost more than waiting. What
is outstanding lasts for about the length of a call, so nobody runs out of work meanwhile."""

Publish = Callable[[Chunk], None]


class Housekeeping:
    """The housekeeping thread of a worker process."""

    def __init__(self, runtime: Runtime, queues: Sequence[str], publish: Publish) -> None:
        self._runtime = runtime
        self._publish = publish
        tiers = runtime.settings.tiers
        capacities = {name: tier.max_in_flight for name, tier in tiers.items()}
        capacities[ROUTING] = capacities[runtime.settings.routing_tier]
        self._me = presence.Presence(
            runtime.worker_id, {queue: capacities[queue] for queue in queues if queue in capacities}
        )
        self._watchdog = Watchdog(
            runtime.engine,
            runtime.worker_id,
            list(self._me.capacity),
            runtime.deliveries,
            runtime.settings.timing.watchdog_s,
        )
        self._deliverer = Deliverer(runtime.engine, runtime.settings.deliver)
        self._notifier = Notifier(runtime.engine, couriers_of(runtime.settings.notify))
        self._routine = Routine("housekeeping", self._go_on, lambda _: self._round())
        self._begun = False
        self._next_beat = self._next_rescue = 0.0

    def start(self) -> None:
        """Starts the thread."""
        self._routine.start()
        self._notifier.start()
        self._deliverer.start()

    def stop(self) -> None:
        """Ends the thread and takes the worker off the list."""
        self._runtime.stopping.set()
        self._runtime.news.set()
        self._routine.join(10)
        self._notifier.stop()
        self._deliverer.stop()
        guarded("housekeeping", lambda: presence.leave(self._runtime.engine, self._me))

    def _go_on(self) -> bool:
        """The first round at once; then when there is news, or time has passed."""
        if self._begun:
            self._runtime.news.wait(self._runtime.settings.timing.housekeeping_s)
            self._runtime.news.clear()
            self._runtime.stopping.wait(MIN_DISPATCH_GAP_S)
        self._begun = True
        return not self._runtime.stopping.is_set()

    def _round(self) -> None:
        """What is due. A step that fails, or that took too long for Postgres, keeps no other from
        its work; an outage ends the round."""
        for step in self._due():
            try:
                step()
            except Exception as error:
                if isinstance(error, DBAPIError) and is_outage(error) and not was_stopped(error):
                    raise
                log.exception("housekeeping failed")

    def _due(self) -> Iterator[Callable[[], object]]:
        engine, timing, now = self._runtime.engine, self._runtime.settings.timing, time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + timing.housekeeping_s
            yield from (self._beat, self._watchdog.look)
            for step in (finish_runs, half_open, tell_of_stops):
                yield partial(step, engine)
            yield partial(carry_out_lifts, engine, self._runtime.pacer.lift)
        if now >= self._next_rescue:
            self._next_rescue = now + timing.rescue_s
            yield self._rescue
            yield partial(close_abandoned_intakes, engine)
            yield partial(watch_deadlines, engine)
            yield self._expire
        yield partial(dispatch_and_publish, self._runtime, self._publish)

    def _beat(self) -> None:
        runtime = self._runtime
        presence.beat(
            runtime.engine, self._me, runtime.slots.in_flight(), runtime.deliveries.in_hand()
        )

    def _rescue(self) -> None:
        if rescued := rescue(self._runtime.engine, self._runtime.settings.timing.lease_s):
            log.warning("rescued", extra={"attempts": rescued})

    def _expire(self) -> None:
        if expired := expire(self._runtime.engine, self._runtime.settings.worker.max_age):
            log.warning("expired", extra={"jobs": expired})


def dispatch_and_publish(runtime: Runtime, publish: Publish) -> None:
    """Dispatches what is ready; takes the mark back where Redis refuses."""
    chunks = dispatch(
        runtime.engine,
        chunk=runtime.settings.worker.chunk,
        redispatch_s=runtime.settings.timing.redispatch_s,
    )
    if not chunks:
        return
    failpoint("after dispatch mark")
    for place, chunk in enumerate(chunks):
        try:
            publish(chunk)
        except Exception as error:
            log.warning("redis away, nothing published", extra={"error": type(error).__name__})
            undo(runtime.engine, chunks[place:])
            return
    failpoint("after publish")
