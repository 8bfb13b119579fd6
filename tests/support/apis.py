"""A client of the HTTP API with operator rights, and what is behind it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from sqlalchemy import Engine

from tests.support.web import calling, dashboard
from worker.config.settings import Settings

JSONL = {"Content-Type": "application/x-ndjson"}
CSV = {"Content-Type": "text/csv"}


def rows(*ids: str, body: str = "Where is my card?") -> bytes:
    """A backlog as JSON Lines."""
    lines = [json.dumps({"external_id": name, "body": f"{body} {name}"}) for name in ids]
    return "\n".join(lines).encode()


@dataclass(frozen=True, slots=True)
class Api:
    """A client with operator rights, and what is behind it."""

    client: httpx2.Client
    engine: Engine
    settings: Settings

    def get(self, path: str, **query: Any) -> Any:
        """The document at a path."""
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def act(self, status: int = 200, **body: Any) -> Any:
        """Asks for an action; the answer's document."""
        answer = self.client.post("/api/actions", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post_run(self, content: bytes, headers: dict[str, str], **query: Any) -> httpx2.Response:
        """Hands messages over."""
        return self.client.post("/api/runs", content=content, headers=headers, params=query)


@contextmanager
def api_over(engine: Engine, settings: Settings) -> Iterator[Api]:
    """Serves it."""
    with dashboard(settings) as url, calling(url) as client:
        yield Api(client, engine, settings)
