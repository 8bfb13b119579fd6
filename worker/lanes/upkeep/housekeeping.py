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
from worker.lanes.upkeep.budget_stops import tell_of_stops
from worker.lanes.upkeep.couriers import couriers_of
from worker.lanes.upkeep.deadlines import watch_deadlines
from worker.lanes.upkeep.deliverer import Deliverer
from worker.lanes.upkeep.notifier import Notifier
from worker.lanes.upkeep.watchdog import Watchdog
from worker.store.engine import STOPPED, is_outage, was_stopped
from worker.store.queue import presence
from worker.store.queue.breakers import half_open
from worker.store.queue.dispatch import Chunk, dispatch, undo
from worker.store.queue.expire import expire
from worker.store.queue.lookup_recovery import probe_lookups
from worker.store.queue.minutes import note_minute
from worker.store.queue.paces import note_paces
from worker.store.queue.rate_holds import carry_out_lifts
from worker.store.queue.rescue import rescue
from worker.store.queue.review_clusters import cluster_reviews
from worker.store.queue.rounds import report
from worker.store.queue.run_ends import finish_runs
from worker.store.queue.run_intake import close_abandoned_intakes

log = logging.getLogger(__name__)
MIN_DISPATCH_GAP_S = 0.2
"""News may come hundreds of times a second; dispatching for each would cost more than waiting. What
is outstanding lasts for about the length of a call, so nobody runs out of work meanwhile."""

Publish = Callable[[Chunk], None]
REPORT_EVERY_S = 10.0
"""How often it is written down which steps came round."""


class Housekeeping:
    """The housekeeping thread of a worker process."""

    def __init__(self, runtime: Runtime, queues: Sequence[str], publish: Publish) -> None:
        self._runtime = runtime
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
            runtime.in_hand,
            runtime.settings.timing.watchdog_s,
            hanging=runtime.rounds.hanging,
        )
        self._deliverer = Deliverer(runtime.engine, runtime.settings.deliver)
        self._notifier = Notifier(runtime.engine, couriers_of(runtime.settings.notify))
        self._routine = Routine("housekeeping", self._go_on, lambda _: self._round())
        self._begun = False
        self._next_beat = self._next_often = self._next_rescue = self._next_report = 0.0
        engine, timing = runtime.engine, runtime.settings.timing
        self._dispatch = partial(dispatch_and_publish, runtime, publish)
        self._often: dict[str, Callable[[], object]] = {
            "beat": self._beat,
            "watchdog": self._watchdog.look,
            "finish runs": partial(finish_runs, engine),
            "probe breakers": partial(half_open, engine),
            "tell of budget stops": partial(tell_of_stops, engine),
            "keep what was counted": runtime.keep_counted,
            "note paces": partial(note_paces, engine),
            "lift holds": partial(carry_out_lifts, engine, runtime.pacer.lift),
            "mind look-ups": runtime.mind_lookups,
            "compare reviews": partial(cluster_reviews, engine),
        }
        self._seldom: dict[str, Callable[[], object]] = {
            "rescue": self._rescue,
            "close intakes": partial(close_abandoned_intakes, engine),
            "watch deadlines": partial(watch_deadlines, engine, runtime.settings),
            "expire": self._expire,
            "note the minute": partial(note_minute, engine),
            "probe look-ups": partial(probe_lookups, engine, tuple(tiers)),
        }
        for name in (*self._often, "dispatch"):
            runtime.rounds.expect(name, timing.housekeeping_s)
        for name in self._seldom:
            runtime.rounds.expect(name, timing.rescue_s)

    def start(self) -> None:
        """Starts the thread."""
        self._routine.start()
        self._notifier.start()
        self._deliverer.start()

    def stop(self) -> None:
        """Ends the thread and takes the worker off the list."""
        self._runtime.stopping.set()
        self._runtime.maybe_ready.set()
        self._routine.join(10)
        self._notifier.stop()
        self._deliverer.stop()
        guarded("housekeeping", lambda: presence.leave(self._runtime.engine, self._me))

    def _go_on(self) -> bool:
        """The first round at once; then when there is news, or time has passed."""
        if self._begun:
            self._runtime.maybe_ready.wait(self._runtime.settings.timing.housekeeping_s)
            self._runtime.maybe_ready.clear()
            self._runtime.stopping.wait(MIN_DISPATCH_GAP_S)
        self._begun = True
        return not self._runtime.stopping.is_set()

    def _round(self) -> None:
        """What is due. A step that fails, or that took too long for Postgres, keeps no other from
        its work; an outage ends the round."""
        for name, step in self._due():
            try:
                with self._runtime.rounds.step(name):
                    step()
            except Exception as error:
                if isinstance(error, DBAPIError) and is_outage(error) and not was_stopped(error):
                    raise
                log.exception("housekeeping failed")

    def _due(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Over a long line the steps of a round may take longer together than a worker counts as
        alive for those who dispatch: heartbeat and dispatch come between them again."""
        for one in self._in_turn():
            yield one
            if time.monotonic() >= self._next_beat:
                yield "beat", self._beat
                yield "dispatch", self._dispatch
        yield "dispatch", self._dispatch

    def _in_turn(self) -> Iterator[tuple[str, Callable[[], object]]]:
        now = time.monotonic()
        if now >= self._next_often:
            self._next_often = now + self._runtime.settings.timing.housekeeping_s
            yield from self._often.items()
        if now >= self._next_rescue:
            self._next_rescue = now + self._runtime.settings.timing.rescue_s
            yield from self._seldom.items()
        if now >= self._next_report:
            self._next_report = now + REPORT_EVERY_S
            yield "report", self._report

    def _report(self) -> None:
        report(self._runtime.engine, self._runtime.rounds.news(), STOPPED.take())

    def _beat(self) -> None:
        runtime = self._runtime
        self._next_beat = time.monotonic() + runtime.settings.timing.housekeeping_s
        presence.beat(runtime.engine, self._me, runtime.slots.in_flight(), runtime.in_hand.jobs())

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
