"""Message Batches: create, find again, poll, cancel, and read results as values.

Facts (platform.claude.com/docs/en/build-with-claude/batch-processing, November 2026): half the
price of every token kind; at most 100,000 requests and 256 MB; a batch ends within 24 hours; its
results come in any order, as JSON lines, kept for 29 days; only `succeeded` items are billed; there
is no idempotency key, so a create whose reply was lost must be found again, never repeated blindly.

A client of its own in the thread of the batch lane: a night's results must not keep the event loop
from the calls of the day.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import anthropic
import orjson
from anthropic.types.messages import MessageBatch

from worker.claude.client import SIMULATED_HEADER, read_message
from worker.claude.errors import trouble_of, trouble_of_item
from worker.claude.requests import Ask
from worker.config.addresses import ClaudeAddress
from worker.domain.answers import Answer, Troubled
from worker.domain.trouble import Meaning, Trouble

MAX_REQUESTS = 100_000
MAX_BYTES = 200_000_000
"""Claude takes 256 MB; a fifth is left for what the estimate does not see."""
READ_S = 120.0
PAGE = 100
ABSENT = frozenset({404, 405, 501})
"""How a server answers that has no batches; Anthropic's own never does to a create or a list."""
NO_BATCHES = "no batches"


NOT_OFFERED = Trouble(meaning=Meaning.CONFIGURATION, kind=NO_BATCHES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A batch as Claude describes it. `requests` counts all of its items."""

    external_id: str
    ended: bool
    requests: int
    counts: Mapping[str, int]
    created_at: dt.datetime
    gone: bool
    """It has ended, and its results are no longer kept."""
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the results. `got` is what that call came to."""

    key: str
    got: Answer | Troubled


class Batches:
    """The batch side of one worker process."""

    def __init__(self, address: ClaudeAddress, connect_s: float) -> None:
        self.offered = address.via == "api"
        """Whether there are any at this door: False only where that is known without asking."""
        self._client = anthropic.Anthropic(
            api_key=address.api_key,
            base_url=address.base_url,
            max_retries=0,
            timeout=anthropic.Timeout(READ_S, connect=connect_s),
        )

    def create(self, asks: Sequence[Ask]) -> Seen | Trouble:
        """Submits a slice. UNKNOWN trouble means that it may have been taken."""
        if not self.offered:
            return NOT_OFFERED
        requests: Any = [{"custom_id": ask.key, "params": ask.parameters()} for ask in asks]
        try:
            response = self._client.messages.batches.with_raw_response.create(requests=requests)
            return _seen(response.parse(), response.headers)
        except Exception as error:
            return _absent(trouble_of(error))

    def recent(self, since: dt.datetime, skew_s: float) -> list[Seen] | Trouble:
        """Batches created since, oldest first; clocks may differ by `skew_s`."""
        if not self.offered:
            return NOT_OFFERED
        found, earliest = list[Seen](), since - dt.timedelta(seconds=skew_s)
        try:
            response = self._client.messages.batches.with_raw_response.list(limit=PAGE)
            for batch in response.parse():
                if batch.created_at < earliest:
                    break
                found.append(_seen(batch, response.headers))
        except Exception as error:
            return _absent(trouble_of(error))
        return sorted(found, key=lambda batch: (batch.created_at, batch.external_id))

    def look(self, external_id: str) -> Seen | Trouble:
        """How a batch stands. 404 is trouble with that status."""
        try:
            response = self._client.messages.batches.with_raw_response.retrieve(external_id)
            return _seen(response.parse(), response.headers)
        except Exception as error:
            return trouble_of(error)

    def cancel(self, external_id: str) -> Trouble | None:
        """Asks Claude to stop; items that are done already are kept, and billed."""
        try:
            self._client.messages.batches.cancel(external_id)
        except Exception as error:
            return trouble_of(error)
        return None

    @contextmanager
    def results(self, external_id: str) -> Iterator[Iterator[Item | None]]:
        """The items as they are read; None stands for a line that cannot be understood. Raises
        what the SDK raises."""
        batches = self._client.messages.batches.with_streaming_response
        with batches.results(external_id) as response:
            simulated = response.headers.get(SIMULATED_HEADER) == "true"
            yield (_item(line, simulated) for line in response.iter_lines() if line.strip())

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()


def _absent(trouble: Trouble) -> Trouble:
    """A create or a list that is not there is not about a model."""
    return replace(trouble, kind=NO_BATCHES) if trouble.status in ABSENT else trouble


def _seen(batch: MessageBatch, headers: Mapping[str, str]) -> Seen:
    counts, ended = batch.request_counts.model_dump(), batch.processing_status == "ended"
    return Seen(
        external_id=batch.id,
        ended=ended,
        requests=sum(counts.values()),
        counts=counts,
        created_at=batch.created_at,
        gone=ended and (batch.archived_at is not None or not batch.results_url),
        simulated=headers.get(SIMULATED_HEADER) == "true",
    )


def _item(line: str, simulated: bool) -> Item | None:
    """Only what is needed is asked of a line, so that fields of tomorrow do no harm."""
    try:
        document = orjson.loads(line)
        key = document["custom_id"]
        if not isinstance(key, str):
            return None
        return Item(key, _got(document["result"], simulated))
    except Exception:
        return None


def _got(result: Mapping[str, Any], simulated: bool) -> Answer | Troubled:
    match result["type"]:
        case "succeeded":
            message = result["message"]
            return read_message(
                message, latency_ms=None, request_id=message["id"], simulated=simulated, headers={}
            )
        case "errored":
            return Troubled(trouble_of_item(result["error"]), None)
        case "expired" | "canceled" as ended:
            return Troubled(Trouble(meaning=Meaning.NOT_SENT, kind=f"batch item {ended}"), None)
    raise ValueError(f"an item ended as {result['type']!r}")
