"""The passages that a message would be shown, for whoever only tries it: by words, and by what its
policy's retriever or embedder finds just now."""

from sqlalchemy import Connection

from worker.config.settings import Settings
from worker.domain.context import LookedUp
from worker.domain.fused import fused
from worker.domain.looked_up import LookupMessage
from worker.domain.messages import MessageText
from worker.domain.policy import Policy
from worker.lookups.desk import RETRIEVER, LookupDesk
from worker.lookups.kinds import VECTOR
from worker.lookups.preparation import NO_PGVECTOR
from worker.store.passages import FoundPassage, Query, find_passages, passages_named
from worker.store.vectors import Near, has_pgvector, nearest


def passages_for(
    settings: Settings, connection: Connection, policy: Policy, message: MessageText, limit: int
) -> tuple[list[FoundPassage], list[str]]:
    """The best, best first, and what a person should know of them, in sentences."""
    query = Query(
        key=0,
        text=message.text,
        folders=policy.knowledge,
        language=(message.language or "")[:2].lower() or None,
    )
    words = find_passages(connection, [query], limit)[0]
    name = policy.context.retriever
    if name is None:
        return words, []
    found = _asked(settings, name, message)
    if found.failed is not None:
        return words, [f"retriever {name} {found.failed}; words alone decide"]
    ids = _ids(connection, name, policy, found, limit)
    if ids is None:
        return words, [f"embedder {name} {NO_PGVECTOR}; words alone decide"]
    known = passages_named(connection, policy.knowledge, ids) | {one.name: one for one in words}
    orders = [[one for one in ids if one in known], [one.name for one in words]]
    return [known[one] for one in fused(orders, limit)], []


def _asked(settings: Settings, name: str, message: MessageText) -> LookedUp:
    desk = LookupDesk(settings)
    try:
        ((found,),) = desk.ask([RETRIEVER + name], [LookupMessage(0, "tried", message)])
    finally:
        desk.stop()
    return found


def _ids(
    connection: Connection, name: str, policy: Policy, found: LookedUp, limit: int
) -> list[str] | None:
    """None where there is a vector, and nothing to compare it with."""
    records = found.records
    if not records or VECTOR not in records[0]:
        return [one["id"] for one in records]
    if not has_pgvector(connection):
        return None
    near = Near(key=0, folders=policy.knowledge, vector=records[0][VECTOR])
    return nearest(connection, name, [near], limit)[0]
