"""The client for programs without an event loop."""

from collections.abc import Iterator
from typing import Any, Unpack

import httpx2

from rung import requests
from rung.errors import CannotReach
from rung.lifetimes import BlockingClient
from rung.requests import HEADERS, Options, Rows, Sending, Turn, VerdictDetails
from rung.values import Answered, Handed, ReviewTurn, RunState

TIMEOUT_S = 60.0
OK = 200


class Client(BlockingClient):
    """Speaks with a dashboard at `url`. `token` is what `rung dashboard token` printed, or, for a
    `rung up` on this machine, the one in its address. Threads may share one."""

    def __init__(self, url: str, token: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx2.Client(
            base_url=url.rstrip("/"), headers=HEADERS | bearer, timeout=timeout_s
        )

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def enqueue(self, rows: Rows, **options: Unpack[Options]) -> Handed:
        """Hands rows (or a file of them) over; what is accepted is committed when this returns.
        With the same `key` again it adds to the same run, and nothing twice, so it may be repeated
        after CannotReach."""
        return Handed.of(self._document(requests.enqueue(rows, options)))

    def status(self, run: str) -> RunState:
        """How a run stands now."""
        return RunState.of(self._document(requests.status(run)))

    def results(self, run: str) -> Iterator[Answered]:
        """A row a job, in constant memory. A token that may only look raises NotAllowed: replies
        are for operators."""
        sending = requests.results(run)
        try:
            with self._http.stream(**options_of(sending)) as answer:
                if answer.status_code != OK:
                    requests.document_of(answer.status_code, answer.read(), retry_after(answer))
                for line in answer.iter_lines():
                    yield requests.answered(line)
        except httpx2.TransportError as error:
            raise unreachable(error) from None

    def verdict(self, job: int | str, verdict: str, **details: Unpack[VerdictDetails]) -> None:
        """What a person says of a job in review: `accept`, `edit` (with the reply that goes out) or
        `reject`. `job` is its number, or RUN/external_id."""
        self._document(requests.verdict(job, verdict, details))

    def next_review(self, **turn: Unpack[Turn]) -> ReviewTurn | None:
        """The next best effort that waits for a person, with its texts; for ten minutes nobody else
        is given it, until a verdict, the next one, or `leave_review`. None where nothing waits that
        others do not read. A token that may only look raises NotAllowed."""
        return ReviewTurn.of(self._document(requests.next_review(turn)))

    def leave_review(self, *, reader: str | None = None) -> int:
        """What this reader has before them is for others again; returns how many that were."""
        return int(self._document(requests.leave_review(reader))["freed"])

    def cancel(self, run: str) -> int:
        """Ends the run's open jobs; returns how many. What is in flight is paid for."""
        return int(self._document(requests.cancel(run))["affected"] or 0)

    def _document(self, sending: Sending) -> Any:
        try:
            answer = self._http.request(**options_of(sending))
        except httpx2.TransportError as error:
            raise unreachable(error) from None
        return requests.document_of(answer.status_code, answer.content, retry_after(answer))


def options_of(sending: Sending) -> dict[str, Any]:
    """As the HTTP client takes them."""
    return {
        "method": sending.method,
        "url": sending.path,
        "params": sending.query,
        "headers": sending.headers,
        "content": sending.content,
    }


def unreachable(error: httpx2.TransportError) -> CannotReach:
    """The HTTP client's trouble in our words."""
    if isinstance(error, httpx2.UnsupportedProtocol):
        return CannotReach("Rung's address begins with http:// or https://, and this one does not.")
    return CannotReach(f"Rung does not answer ({type(error).__name__}): is `rung up` running?")


def retry_after(answer: httpx2.Response) -> str | None:
    """What the server asks for before the next try."""
    return answer.headers.get("Retry-After")
