"""What the simulator remembers: its settings, moods, caches, limits and what it was asked."""

import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from worker.sandbox.simulator.batches import SimulatedBatch
from worker.sandbox.simulator.cache import PromptCache
from worker.sandbox.simulator.limits import SimulatedLimits
from worker.sandbox.simulator.moods import Moods


@dataclass(slots=True, kw_only=True)
class RequestCounts:
    """Every request, counted once it was read and before it was answered."""

    total: int = 0
    by_path: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    by_model: Counter[str] = field(default_factory=Counter)
    by_call: Counter[str] = field(default_factory=Counter)
    batch_items: Counter[str] = field(default_factory=Counter)

    def as_document(self, *, calls: bool) -> dict[str, Any]:
        """For `/_sim/stats`; the counts of single calls only when asked for."""
        found: dict[str, Any] = {
            "total": self.total,
            "messages": self.by_path["/v1/messages"],
            "batch_items": self.batch_items.total(),
            "by_path": dict(self.by_path),
            "by_status": dict(self.by_status),
            "by_model": dict(self.by_model),
        }
        if calls:
            found["by_call"] = dict(self.by_call)
            found["by_batch_item"] = dict(self.batch_items)
        return found


@dataclass(slots=True, kw_only=True)
class State:
    """One simulator. `latency_scale` multiplies every wait; 0 answers at once."""

    seed: int = 7
    latency_scale: float = 1.0
    limits: SimulatedLimits = field(default_factory=lambda: SimulatedLimits(None))
    moods: Moods = field(default_factory=Moods)
    cache: PromptCache = field(default_factory=PromptCache)
    counts: RequestCounts = field(default_factory=RequestCounts)
    batches: dict[str, SimulatedBatch] = field(default_factory=dict)
    requests: int = 0
    started: float = field(default_factory=time.monotonic)
    birth: str = field(default_factory=lambda: secrets.token_hex(4))
    """In the ids of this life's batches."""

    def next_request_id(self) -> str:
        """`req_sim…`, unique in this process."""
        self.requests += 1
        return f"req_sim{self.requests:012d}"
