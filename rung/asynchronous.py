"""The same client for programs with an event loop."""

from collections.abc import AsyncIterator
from typing import Any, Unpack

import httpx2

from rung import requests
from rung.client import OK, TIMEOUT_S, options_of, retry_after, unreachable
from rung.lifetimes import AwaitedClient
from rung.requests import HEADERS, Options, Rows, Sending, Turn, VerdictDetails
from rung.values import Answered, Handed, ReviewTurn, RunState


class AsyncClient(AwaitedClient):
    """As `Client`, each verb to be awaited."""

    def __init__(self, url: str, token: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx2.AsyncClient(
            base_url=url.rstrip("/"), headers=HEADERS | bearer, timeout=timeout_s
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def enqueue(self, rows: Rows, **options: Unpack[Options]) -> Handed:
        """As `Client.enqueue`."""
        return Handed.of(await self._document(requests.enqueue(rows, options)))

    async def status(self, run: str) -> RunState:
        """As `Client.status`."""
        return RunState.of(await self._document(requests.status(run)))

    async def results(self, run: str) -> AsyncIterator[Answered]:
        """As `Client.results`, for `async for`."""
        sending = requests.results(run)
        try:
            async with self._http.stream(**options_of(sending)) as answer:
                if answer.status_code != OK:
                    requests.document_of(
                        answer.status_code, await answer.aread(), retry_after(answer)
                    )
                async for line in answer.aiter_lines():
                    yield requests.answered(line)
        except httpx2.TransportError as error:
            raise unreachable(error) from None

    async def verdict(
        self, job: int | str, verdict: str, **details: Unpack[VerdictDetails]
    ) -> None:
        """As `Client.verdict`."""
        await self._document(requests.verdict(job, verdict, details))

    async def next_review(self, **turn: Unpack[Turn]) -> ReviewTurn | None:
        """As `Client.next_review`."""
        return ReviewTurn.of(await self._document(requests.next_review(turn)))

    async def leave_review(self, *, reader: str | None = None) -> int:
        """As `Client.leave_review`."""
        return int((await self._document(requests.leave_review(reader)))["freed"])

    async def cancel(self, run: str) -> int:
        """As `Client.cancel`."""
        return int((await self._document(requests.cancel(run)))["affected"] or 0)

    async def _document(self, sending: Sending) -> Any:
        try:
            answer = await self._http.request(**options_of(sending))
        except httpx2.TransportError as error:
            raise unreachable(error) from None
        return requests.document_of(answer.status_code, answer.content, retry_after(answer))
