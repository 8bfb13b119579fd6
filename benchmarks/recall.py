"""How many labelled messages find a page that answers them."""

from sqlalchemy import Engine

from worker.store.passages import PASSAGES_SHOWN, FoundPassage, Query, find_passages

CHUNK = 32
"""Messages of one statement, as a worker has them."""
Labelled = tuple[str, tuple[str, ...]]
"""A message, and the pages that answer it."""


def recall(engine: Engine, folder: str, messages: list[Labelled]) -> float:
    """The share of messages whose page is found."""
    found = search(engine, folder, [body for body, _ in messages])
    hits = sum(
        any(passage.page in pages for passage in found[key])
        for key, (_, pages) in enumerate(messages)
    )
    return hits / len(messages)


def search(engine: Engine, folder: str, bodies: list[str]) -> dict[int, list[FoundPassage]]:
    """In chunks, as a worker does."""
    found: dict[int, list[FoundPassage]] = {}
    queries = [
        Query(key=key, text=body, folders=(folder,), language="en")
        for key, body in enumerate(bodies)
    ]
    with engine.connect() as connection:
        for at in range(0, len(queries), CHUNK):
            found |= find_passages(connection, queries[at : at + CHUNK], PASSAGES_SHOWN)
    return found
