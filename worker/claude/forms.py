"""The SDK's own request as a form to fill in: written once, then used for every message.

The requests of one prompt version differ in the conversation and in the name of the call, and in
nothing else. So the SDK writes the first one, into a transport that sends nothing; what stands
before and after the conversation is kept as bytes, and its headers as they are. Whatever a new
version of the SDK puts into a request is in every request therefore, ours too.
"""

import secrets
from dataclasses import dataclass, replace
from typing import Any, cast

import anthropic
import httpx2
import orjson
from anthropic import AsyncAPIResponse
from anthropic.types import Message
from multidict import CIMultiDict
from yarl import URL

from worker.claude.requests import CALL_HEADER, Ask

MAX_FORMS = 256
"""Forms kept at once, of about the size of their prompts: one for each prompt, schema, model and
answer length in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A request with a gap where the conversation goes."""

    url: URL
    headers: CIMultiDict[str]
    head: bytes
    tail: bytes

    def body(self, ask: Ask) -> bytes:
        """The request's body. Raises TypeError for text that is no UTF-8."""
        return b"".join((self.head, orjson.dumps(ask.messages), self.tail))

    def headers_for(self, ask: Ask, body: bytes) -> CIMultiDict[str]:
        """The request's headers; what differs is put where the SDK had it."""
        headers = self.headers.copy()
        headers[CALL_HEADER] = ask.key
        headers["content-length"] = str(len(body))
        return headers


class Forms:
    """The forms of one client. `for_ask` is for the loop that the client belongs to."""

    def __init__(self, client: anthropic.AsyncAnthropic) -> None:
        self._client = client
        self._by_objects: dict[tuple[Any, ...], tuple[Ask, Form]] = {}
        self._by_value: dict[tuple[Any, ...], Form] = {}

    async def for_ask(self, ask: Ask) -> Form:
        """The form of this request. Raises what the SDK raises for one that it does not write."""
        key = (id(ask.system), id(ask.schema), ask.model, ask.max_tokens, ask.effort)
        if known := self._by_objects.get(key):
            return known[1]
        form = await self._written_before(ask)
        if len(self._by_objects) >= MAX_FORMS:
            self._by_objects.clear()
        # With the objects, for as long as it counts that no other gets the id of one of them.
        self._by_objects[key] = (ask, form)
        return form

    async def _written_before(self, ask: Ask) -> Form:
        """Prompts and schemas that are equal and not the same have one form."""
        frame = orjson.dumps((ask.system, ask.schema))
        key = (frame, ask.model, ask.max_tokens, ask.effort)
        if key not in self._by_value:
            if len(self._by_value) >= MAX_FORMS:
                self._by_value.clear()
            self._by_value[key] = await self._write(ask)
        return self._by_value[key]

    async def _write(self, ask: Ask) -> Form:
        """Has the SDK write the request, around a conversation that occurs nowhere else."""
        gap = [{"role": "user", "content": secrets.token_hex()}]
        request = await written(self._client, replace(ask, messages=gap))
        head, found, tail = request.content.partition(orjson.dumps(gap))
        if not found:
            raise ValueError("the SDK writes conversations in a form that is not known here")
        url = URL(str(request.url), encoded=True)
        headers = CIMultiDict(request.headers.multi_items())
        return Form(url=url, headers=headers, head=head, tail=tail)


class _Overheard(httpx2.AsyncBaseTransport):
    """Keeps the request and answers it with nothing."""

    request: httpx2.Request

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.request = request
        return httpx2.Response(200, json={})


async def written(client: anthropic.AsyncAnthropic, ask: Ask) -> httpx2.Request:
    """The request as the SDK would send it. Nothing is sent."""
    transport = _Overheard()
    async with httpx2.AsyncClient(transport=transport) as http:
        await send(client.with_options(http_client=http), ask)
    return transport.request


async def send(client: anthropic.AsyncAnthropic, ask: Ask) -> AsyncAPIResponse[Message]:
    """Sends a request by the SDK. Raises what it raises."""
    create: Any = client.messages.with_raw_response.create
    response = await create(**ask.parameters(), extra_headers={CALL_HEADER: ask.key})
    return cast(AsyncAPIResponse[Message], response)
