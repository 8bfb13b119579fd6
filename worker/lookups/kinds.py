"""Look-ups that wait on a loop: functions and addresses. Each is asked about several messages at
once, and brings for each of them what it found, or why it has nothing: an exception in its place.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

import httpx2
import orjson
import psycopg

from worker.config.embedders import OwnEmbedder
from worker.config.lookups import PLACE, LookupSettings, OwnLookup
from worker.config.retrievers import OwnRetriever
from worker.domain.looked_up import LookupMessage, LookupRefused, RowRefused
from worker.domain.places import PlaceRefused
from worker.domain.vectors import VectorsRefused, read_vectors
from worker.outbound.requests import outbound_client
from worker.store.passages import SAID_CHARS

MAX_ADDRESS = 8_000
"""Letters, which is what servers take."""
MAX_BODY = 1_000_000
"""Bytes that are read of an answer over HTTP."""
NOT_FOUND, NO_CONTENT = 404, 204
OF_A_VALUE = (ValueError, TypeError, LookupError, ArithmeticError, psycopg.DataError)
"""What code raises that one row's odd value goes through."""
VECTOR = "vector"
"""What an embedder's record holds."""
_BETWEEN = re.compile(r"[/\\]")


class Kind(Protocol):
    """One way of looking up."""

    def key(self, message: LookupMessage) -> Any:
        """Messages of one key are found the same. May raise RowRefused."""

    async def ask(self, messages: Mapping[Any, LookupMessage]) -> Sequence[Any]:
        """For each message, by its key, records, None, or an exception. Raises when nothing came at
        all."""

    async def close(self) -> None:
        """Lets connections go."""


class FunctionKind:
    """A function of one's own."""

    def __init__(self, function: OwnLookup, options: Mapping[str, Any]) -> None:
        self._function, self._options = function, options

    def key(self, message: LookupMessage) -> Any:
        """Nobody knows what the function goes by."""
        return message.message_id

    async def ask(self, messages: Mapping[Any, LookupMessage]) -> Sequence[Any]:
        """All at once, in one call; where it raises over a value, the others are asked again
        without it."""
        return await self._halved([*messages.values()])

    async def _halved(self, messages: Sequence[LookupMessage]) -> Sequence[Any]:
        try:
            return await self._all(messages)
        except OF_A_VALUE as error:
            if len(messages) == 1:
                return [error]
            half = len(messages) // 2
            return [*await self._halved(messages[:half]), *await self._halved(messages[half:])]

    async def _all(self, messages: Sequence[LookupMessage]) -> Sequence[Any]:
        try:
            found = await self._function(messages, self._options)
        except (Exception, asyncio.CancelledError):
            raise
        except BaseException as error:
            # An exit, or a panic of what is written in Rust: it would end the thread, and nobody
            # would be asked any more.
            raise LookupRefused(f"failed with {type(error).__name__}") from None
        if not isinstance(found, list | tuple):
            raise LookupRefused("brought no list")
        if len(found) != len(messages):
            raise LookupRefused(
                f"brought {len(found)} results for {len(messages)} messages; it must bring one"
                " for each, in their order"
            )
        return found

    async def close(self) -> None:
        """Nothing is held."""


def as_lookup(retrieve: OwnRetriever) -> OwnLookup:
    """A retriever as a look-up: what it finds are ids of passages."""

    async def found(messages: Sequence[Any], options: Mapping[str, Any]) -> Sequence[Any]:
        brought = await retrieve(messages, options)
        if not all(
            isinstance(ids, list | tuple) and all(isinstance(one, str) for one in ids)
            for ids in brought
        ):
            raise LookupRefused("brought something that is no list of ids of passages")
        return [[{"id": one} for one in ids] for ids in brought]

    return found


def as_vectors(embed: OwnEmbedder) -> OwnLookup:
    """An embedder as a look-up: what it finds is the vector of the message."""

    async def found(messages: Sequence[Any], _options: Mapping[str, Any]) -> Sequence[Any]:
        brought = await embed([one.message.text[:SAID_CHARS] for one in messages])
        try:
            return [[{VECTOR: one}] for one in read_vectors(brought, len(messages))]
        except VectorsRefused as error:
            raise LookupRefused(str(error)) from None

    return found


class AddressKind:
    """An address that answers in JSON; redirects are not followed, and its host's name leads only
    where it may."""

    def __init__(self, settings: LookupSettings) -> None:
        assert settings.url is not None, "an address is given"
        self._url, self._columns = settings.url, settings.columns
        self._timeout_s, self._allow_private = settings.timeout_s, settings.allow_private
        self._slots = asyncio.Semaphore(settings.max_in_flight)
        secret = settings.secret.get_secret_value() if settings.secret is not None else None
        # Unpacked, a few bytes could become gigabytes before anything counts them.
        head = {"accept": "application/json", "accept-encoding": "identity"}
        self._headers = head | ({"authorization": f"Bearer {secret}"} if secret else {})
        self._client: httpx2.AsyncClient | None = None

    def key(self, message: LookupMessage) -> str | None:
        """The whole address; None where the row lacks a column of it. Raises RowRefused."""
        values = {column: message.scalar(column) for column in self._columns}
        if any(value in (None, "") for value in values.values()):
            return None
        if any({".", ".."} & {*_BETWEEN.split(str(value))} for value in values.values()):
            # `..` is written into a path as it is, and would lead to another address.
            raise RowRefused("was not asked, for the row holds dots that would lead elsewhere")
        address = PLACE.sub(lambda place: quote(str(values[place[1]]), safe=""), self._url)
        if len(address) > MAX_ADDRESS:
            raise RowRefused(f"was not asked, for the address would have {len(address):,} letters")
        return address

    async def ask(self, messages: Mapping[Any, LookupMessage]) -> Sequence[Any]:
        """One request for each, a few at a time. After one that hung the rest are not asked."""
        hung = asyncio.Event()
        return await asyncio.gather(*(self._one(address, hung) for address in messages))

    async def close(self) -> None:
        """Ends the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _one(self, address: str | None, hung: asyncio.Event) -> Any:
        if address is None:
            return None
        try:
            async with self._slots:
                if hung.is_set():
                    return LookupRefused("was not asked, for it had just hung")
                async with asyncio.timeout(self._timeout_s):
                    return await self._get(address)
        except TimeoutError:
            hung.set()
            return TimeoutError()
        except httpx2.InvalidURL:
            # One customer's odd value is not everybody's failure.
            return RowRefused("was not asked, for the row's values make no address")
        except (httpx2.HTTPError, LookupRefused, PlaceRefused) as error:
            return error

    async def _get(self, address: str) -> Any:
        if self._client is None:
            self._client = outbound_client(
                self._url,
                allow_private=self._allow_private,
                headers=self._headers,
                timeout=self._timeout_s,
            )
        async with self._client.stream("GET", address) as response:
            if response.status_code in (NOT_FOUND, NO_CONTENT):
                return None
            if response.has_redirect_location:
                status = response.status_code
                raise LookupRefused(f"leads elsewhere (HTTP {status}), which is not followed")
            if not response.is_success:
                raise LookupRefused(f"answered with HTTP {response.status_code}")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise LookupRefused("answered in a packed form, which it was not asked for")
            body = b""
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > MAX_BODY:
                    raise LookupRefused(f"brought more than {MAX_BODY:,} bytes")
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            raise LookupRefused("answered with something that is no JSON") from None
