"""Rung for other programs: submit messages, wait, take the answers back.

    import rung

    with rung.Client("http://127.0.0.1:8420", token="…") as client:
        handed = client.enqueue([{"external_id": "T-1", "body": "Where is my card?"}], run="today")
        client.wait(handed.run)
        for answer in client.results(handed.run):
            print(answer.external_id, answer.send)

`Client` and `AsyncClient` speak HTTP with a dashboard, and import nothing of the server;
`connect(database_url)` and `connect_async` give the same verbs where there is only the database.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rung.asynchronous import AsyncClient
    from rung.client import Client
    from rung.database import AsyncDatabaseClient, DatabaseClient, connect, connect_async
    from rung.errors import (
        CannotReach,
        ClientError,
        Conflicting,
        NotAllowed,
        NotKnown,
        Refused,
        StillRunning,
    )
    from rung.values import Answered, Handed, ReviewTurn, RunState

__all__ = [
    "Answered",
    "AsyncClient",
    "AsyncDatabaseClient",
    "CannotReach",
    "Client",
    "ClientError",
    "Conflicting",
    "DatabaseClient",
    "Handed",
    "NotAllowed",
    "NotKnown",
    "Refused",
    "ReviewTurn",
    "RunState",
    "StillRunning",
    "connect",
    "connect_async",
]

_HOMES = {
    **dict.fromkeys(("Answered", "Handed", "ReviewTurn", "RunState"), "rung.values"),
    **dict.fromkeys(
        ("AsyncDatabaseClient", "DatabaseClient", "connect", "connect_async"), "rung.database"
    ),
    "AsyncClient": "rung.asynchronous",
    "Client": "rung.client",
}


def __getattr__(name: str) -> Any:
    """What is exported, imported when it is asked for: the command `rung` comes through here too,
    and needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module 'rung' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "rung.errors")), name)
