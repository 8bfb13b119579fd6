"""How a queue stands, in one word and with its oldest wait: the same on pages, in commands, in JSON
and in metrics."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from models.vocabulary import ROUTING
from worker.domain.wording import reason
from worker.store.reading.outlook import Level
from worker.store.reading.queue_holds import SHORT_HOLD_S
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.screens import OldestWait, budget_stops, oldest_waits
from worker.store.reading.status import QueueStanding
from worker.store.rows import as_document


@dataclass(frozen=True, slots=True)
class QueueState:
    """The word, and how good it is."""

    word: str
    level: Level


WELL = QueueState("ok", "good")
WITHOUT_REDIS = QueueState("no Redis", "bad")
"""What waits is not sent before Redis answers."""
ON_TRIAL = QueueState("on trial", "calm")
"""A new prompt, schema or model goes one call at a time there, and all others wait for it."""
NOTHING_WAITS = OldestWait("", None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueNow(QueueStanding):
    """A queue with its state. `ready_s` is for how long the first of those that wait could have
    gone; `waited_s` counts a wait for a budget or another try too. Seconds, None where nothing
    waits."""

    state: QueueState
    ready_s: float | None
    waited_s: float | None

    def as_document(self) -> dict[str, Any]:
        """As commands and the API give it; a pause of everything pauses it too."""
        same = (
            "queue", "waiting", "in_flight", "in_batches", "workers", "paused_reason",
            "paused_by", "paused_at", "breaker", "breaker_until", "breaker_reason",
            "held_s", "held_at", "held_reason", "trial_good", "trial_bad",
        )  # fmt: skip
        return {
            **{name: getattr(self, name) for name in same},
            "paused": self.stands,
            "state": self.state.word,
            "oldest_wait_s": self.waited_s,
        }


def queue_states(
    connection: Connection,
    lines: Sequence[QueueStanding],
    runs: Sequence[RunStanding],
    stops: Mapping[int, dt.datetime] | None = None,
    *,
    redis_away: bool = False,
) -> list[QueueNow]:
    """These queues with their states; `runs` are those that are under way, and `stops` is what
    `stops_of` says of them, where the caller has asked already. A Redis that is away for who asks
    is not so for the workers while they have something in flight."""
    away = redis_away and not any(line.in_flight for line in lines)
    stops = stops_of(connection, runs) if stops is None else stops
    waits = oldest_waits(connection, [line.queue for line in lines])
    found = []
    for line in lines:
        ages = [
            (run.now - stops[run.id]).total_seconds()
            for run in runs
            if run.id in stops and _open_at(line, run)
        ]
        oldest = waits.get(line.queue, NOTHING_WAITS)
        waited = [age for age in (oldest.waited_s, *ages) if age is not None]
        found.append(
            QueueNow(
                **as_document(line),
                state=queue_state(line, out_of_money=starved(line, runs), without_redis=away),
                ready_s=oldest.ready_s,
                waited_s=max(waited, default=None),
            )
        )
    return found


def stops_of(connection: Connection, runs: Sequence[RunStanding]) -> Mapping[int, dt.datetime]:
    """Since when budgets have stopped runs, of those that have been told of."""
    stopped = [run.id for run in runs if run.out_of_money]
    return budget_stops(connection, stopped) if stopped else {}


def queue_state(
    line: QueueStanding, *, out_of_money: bool = False, without_redis: bool = False
) -> QueueState:
    """Of a queue; `out_of_money` is what `starved` found, `without_redis` that Redis is away."""
    if line.stands:
        return QueueState("draining" if line.in_flight else "paused", "warn")
    if line.breaker != "closed":
        return QueueState(f"breaker {reason(line.breaker)}", "bad")
    if line.held_s >= SHORT_HOLD_S:
        return QueueState("held", "warn")
    if not line.workers:
        return QueueState("no worker", "bad" if line.waiting else "calm")
    if out_of_money:
        return QueueState("waits for budget", "warn")
    if without_redis and line.waiting:
        return WITHOUT_REDIS
    if line.trial_good is not None:
        return ON_TRIAL
    return WELL


def starved(line: QueueStanding, runs: Sequence[RunStanding]) -> bool:
    """Whether all that waits in this queue waits for a budget, whatever other runs do elsewhere."""
    stopped = sum(_open_at(line, run) for run in runs if run.out_of_money)
    return 0 < line.waiting <= stopped and not line.in_flight


def _open_at(line: QueueStanding, run: RunStanding) -> int:
    """Open jobs of a run in this queue, as its budget counts what is left to do."""
    key = "" if line.queue == ROUTING else line.queue
    return int(((run.rest or {}).get("open") or {}).get(key, 0))
