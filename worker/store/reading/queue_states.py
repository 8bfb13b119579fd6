"""How a queue stands, in one word: the same on pages, in commands and in JSON."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.vocabulary import ROUTING
from worker.domain.wording import reason
from worker.store.reading.outlook import Level
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.status import QueueStanding

SHORT_HOLD_S = 1.0
"""What is over before anybody has read of it is not told."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """The word, and how good it is."""

    word: str
    level: Level


WELL = QueueState("ok", "good")


def queue_state(
    line: QueueStanding, *, halted: bool = False, out_of_money: bool = False
) -> QueueState:
    """Of a queue; `halted` says that everything is paused, `out_of_money` what `starved` found."""
    if line.paused or halted:
        return QueueState("draining" if line.in_flight else "paused", "warn")
    if line.breaker != "closed":
        return QueueState(f"breaker {reason(line.breaker)}", "bad")
    if line.held_s >= SHORT_HOLD_S:
        return QueueState("held", "warn")
    if not line.workers:
        return QueueState("no worker", "bad" if line.waiting else "calm")
    if out_of_money:
        return QueueState("waits for budget", "warn")
    return WELL


def starved(line: QueueStanding, runs: Sequence[RunStanding]) -> bool:
    """Whether all that waits in this queue waits for a budget, whatever other runs do elsewhere."""
    key = "" if line.queue == ROUTING else line.queue
    stopped = sum(
        ((run.rest or {}).get("open") or {}).get(key, 0) for run in runs if run.out_of_money
    )
    return 0 < line.waiting <= stopped and not line.in_flight
