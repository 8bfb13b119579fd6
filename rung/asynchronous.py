"""The same client for programs with an event loop."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self, Unpack

import httpx2

from rung import requests
from rung.client import POLL_S, TIMEOUT_S, options_of, unreachable
from rung.errors import StillRunning
from rung.requests import HEADERS, Options, Rows, Sending
from rung.values import Answered, Handed, RunState


class AsyncClient:
    """As `Client`, each verb to be awaited."""

    def __init__(self, url: str, token: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx2.AsyncClient(
            base_url=url.rstrip("/"), headers=HEADERS | bearer, timeout=timeout_s
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def enqueue(self, rows: Rows, **options: Unpack[Options]) -> Handed:
        """As `Client.enqueue`."""
        return Handed.of(await self._document(requests.enqueue(rows, options)))

    async def status(self, run: str) -> RunState:
        """As `Client.status`."""
        return RunState.of(await self._document(requests.status(run)))

    async def wait(
        self, run: str, *, timeout_s: float | None = None, poll_s: float = POLL_S
    ) -> RunState:
        """As `Client.wait`."""
        deadline = time.monotonic() + timeout_s if timeout_s is not None else None
        while not (state := await self.status(run)).over:
            if deadline is not None and time.monotonic() + poll_s > deadline:
                raise StillRunning(f"{run}: {state.ended} of {state.total} done")
            await asyncio.sleep(poll_s)
        return state

    async def results(self, run: str) -> AsyncIterator[Answered]:
        """As `Client.results`, for `async for`."""
        sending = requests.results(run)
        try:
            async with self._http.stream(**options_of(sending)) as answer:
                if answer.status_code >= 400:
                    raise requests.trouble(answer.status_code, await answer.aread())
                async for line in answer.aiter_lines():
                    yield Answered.of(json.loads(line))
        except httpx2.TransportError as error:
            raise unreachable(error) from None

    async def verdict(
        self, job: int | str, verdict: str, *, reply: str | None = None, reason: str | None = None
    ) -> None:
        """As `Client.verdict`."""
        await self._document(requests.verdict(job, verdict, reply, reason))

    async def cancel(self, run: str) -> int:
        """As `Client.cancel`."""
        return int((await self._document(requests.cancel(run)))["affected"] or 0)

    async def _document(self, sending: Sending) -> Any:
        try:
            answer = await self._http.request(**options_of(sending))
        except httpx2.TransportError as error:
            raise unreachable(error) from None
        if answer.status_code >= 400:
            raise requests.trouble(answer.status_code, answer.content)
        return answer.json()
