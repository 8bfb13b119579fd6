"""Erasure: takes text out of every table and leaves the figures.

What a customer wrote, what was answered, and what was found in an answer is emptied; counts, costs,
tiers, reasons by name and times stay, so every sum stays what it was. A message's row stays too,
with its external id, so that the same row submitted again is not taken for a new one; where the id
itself says who somebody is, a fingerprint can take its place.

Claude's words on a call that went wrong are looked for wherever they may have been copied to
(`quoted_words`), a customer's names in the filters of people (`named_in_filters`), and their ids in
the reasons that people gave (`named_in_words`).

Promises: a group is erased in one transaction, all tables or none; an answer that was still in
flight is recorded with its money and without its text (`silenced`); repeated it goes on behind what
is erased. The audit holds counts, of what was interrupted too, and of a customer a fingerprint.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.exc import DBAPIError

from models.messages import HAS_ITS_ID
from worker.domain.named_in_filters import fingerprint
from worker.store.actions.named_in_filters import take_out_names, take_out_of_old
from worker.store.actions.named_in_words import named_by, take_out_of_words
from worker.store.actions.quoted_words import take_out
from worker.store.actions.reviews import end_of_erased
from worker.store.audit import Actor, audit
from worker.store.queue.dispatch import unmark_ended

GROUP = 500
TABLES = (
    *("messages", "contexts", "results", "calls", "attempts", "reviews", "escalations"),
    *("classifications", "audits"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Which messages: each of `statements` gives ids behind `:after`, at most `:limit`, in its
    order, and none that another gives."""

    action: str
    target: str
    statements: Sequence[TextClause]
    values: Mapping[str, Any]
    ids: bool = False
    """Whether external ids become fingerprints too."""
    identity: str = ""
    """Who or what is forgotten, as people call it."""


def older_than(age: dt.timedelta, *, ids: bool = False) -> Erasure:
    """Messages that came in longer ago and have no open job."""
    return Erasure(
        action="purge",
        target=f"messages older than {age.total_seconds() / 86_400:g} days",
        statements=(OLDER, OLDER_IDS) if ids else (OLDER,),
        values={"age": age},
        ids=ids,
    )


def of_customer(customer_id: str, *, ids: bool = False) -> Erasure:
    """A customer's messages, whatever their jobs are doing."""
    return _forget("customer", customer_id, OF_CUSTOMER, {"customer": customer_id}, ids=ids)


def of_external_id(external_id: str, source: str | None, *, ids: bool = False) -> Erasure:
    """One message; of every source that has this id when none is named."""
    values = {"external": external_id, "source": source, "with_ids": ids}
    return _forget("message", external_id, OF_EXTERNAL_ID, values, ids=ids)


def _forget(
    what: str, name: str, statement: TextClause, values: Mapping[str, Any], *, ids: bool
) -> Erasure:
    return Erasure(
        action="forget",
        target=f"{what} {fingerprint(name)}",
        statements=(statement,),
        values=values,
        ids=ids,
        identity=name,
    )


def count(connection: Connection, chosen: Erasure) -> dict[str, int]:
    """How many messages and jobs would be erased, and how many open jobs would be cancelled."""
    found = Counter[str](messages=0, jobs=0, open_jobs=0)
    for statement in chosen.statements:
        after = 0
        while ids := _next(connection, statement, chosen, after):
            after = ids[-1]
            row = connection.execute(COUNT, {"ids": ids}).one()
            found.update(messages=len(ids), jobs=row.jobs, open_jobs=row.open_jobs)
    return dict(found)


def erase(engine: Engine, actor: Actor, chosen: Erasure) -> dict[str, int]:
    """Erases in groups; returns how many rows were emptied, by table, and jobs cancelled."""
    total = Counter[str](dict.fromkeys((*TABLES, "cancelled"), 0))
    try:
        for statement in chosen.statements:
            after: int | None = 0
            while after is not None:
                erased = Counter[str]()
                with engine.begin() as connection:
                    after = _erase_group(connection, actor, chosen, statement, after, erased)
                total.update(erased)
    except BaseException:
        with suppress(DBAPIError):
            _record(engine, actor, chosen, total, interrupted=True)
        raise
    _record(engine, actor, chosen, total)
    return dict(total)


def _record(
    engine: Engine, actor: Actor, chosen: Erasure, total: Mapping[str, int], **more: Any
) -> None:
    with engine.begin() as connection:
        detail = {"rows": dict(total), **more}
        audit(connection, actor, chosen.action, chosen.target, total["messages"], **detail)


def _erase_group(
    connection: Connection,
    actor: Actor,
    chosen: Erasure,
    statement: TextClause,
    after: int,
    total: Counter[str],
) -> int | None:
    """The last id of what was erased; None where nothing is left."""
    ids = _next(connection, statement, chosen, after)
    if not ids:
        return None
    if age := chosen.values.get("age"):
        if not after:
            take_out_of_old(connection, ids, age, with_ids=chosen.ids)
        total.update(_erase(connection, actor, ids))
    else:
        take_out_names(connection, ids, with_ids=chosen.ids)
        named = named_by(connection, ids, with_ids=chosen.ids)
        total.update(_erase(connection, actor, ids))
        take_out_of_words(connection, named)
    if chosen.ids:
        connection.execute(FINGERPRINT_IDS, {"ids": ids})
    return ids[-1]


def _next(connection: Connection, statement: TextClause, chosen: Erasure, after: int) -> list[int]:
    values = {**chosen.values, "after": after, "limit": GROUP}
    return list(connection.execute(statement, values).scalars())


def _erase(connection: Connection, actor: Actor, message_ids: Sequence[int]) -> dict[str, int]:
    # Jobs first, as every transaction locks them: what is being recorded now is waited for.
    jobs = list(connection.execute(LOCK_JOBS, {"ids": list(message_ids)}).scalars())
    changed = {"cancelled": connection.execute(CANCEL, {"jobs": jobs}).rowcount}
    unmark_ended(connection)
    take_out(connection, jobs)
    for table, statement in STATEMENTS.items():
        values = {"jobs": jobs} if ":jobs" in statement.text else {"ids": list(message_ids)}
        changed[table] = connection.execute(statement, values).rowcount
    end_of_erased(connection, actor, jobs)
    return changed


FINGERPRINT_IDS = text(f"""
UPDATE messages SET external_id =
  'sha256:' || left(encode(sha256(convert_to(external_id, 'UTF8')), 'hex'), 32)
WHERE id = ANY(:ids) AND {HAS_ITS_ID}
""")  # noqa: S608 - a constant
# By the index of what still has its text: what was erased in earlier years is not passed over.
OLDER = text("""
SELECT m.id FROM messages AS m
WHERE m.erased_at IS NULL AND m.created_at < now() - CAST(:age AS interval)
  AND (m.created_at, m.id) > (
    coalesce((SELECT created_at FROM messages WHERE id = :after), '-infinity'), :after)
  AND NOT EXISTS (
    SELECT FROM jobs AS j WHERE j.message_id = m.id AND j.finished_at IS NULL OFFSET 0)
ORDER BY m.created_at, m.id LIMIT :limit
""")
OLDER_IDS = text(f"""
SELECT id FROM messages
WHERE erased_at IS NOT NULL AND {HAS_ITS_ID} AND id > :after
  AND created_at < now() - CAST(:age AS interval)
ORDER BY id LIMIT :limit
""")  # noqa: S608 - a constant
OF_CUSTOMER = text("""
SELECT id FROM (SELECT id FROM messages WHERE customer_id = :customer OFFSET 0) AS m
WHERE id > :after ORDER BY id LIMIT :limit
""")
OF_EXTERNAL_ID = text("""
SELECT id FROM messages WHERE external_id = :external AND id > :after
  AND (erased_at IS NULL OR CAST(:with_ids AS boolean))
  AND (CAST(:source AS text) IS NULL OR source = :source)
ORDER BY id LIMIT :limit
""")
COUNT = text("""
SELECT count(*) AS jobs, count(*) FILTER (WHERE finished_at IS NULL) AS open_jobs
FROM jobs WHERE message_id = ANY(:ids)
""")
LOCK_JOBS = text("SELECT id FROM jobs WHERE message_id = ANY(:ids) ORDER BY id FOR UPDATE")
CANCEL = text("""
UPDATE jobs SET state = 'cancelled', finished_at = now(), lease_until = NULL,
  reason = 'its message was erased'
WHERE id = ANY(:jobs) AND finished_at IS NULL
""")
STATEMENTS = {
    "results": text("UPDATE results SET reply = '', fields = '{}' WHERE job_id = ANY(:jobs)"),
    "calls": text("""
UPDATE calls SET output = NULL, error = split_part(error, ':', 1)
WHERE job_id = ANY(:jobs) AND (output IS NOT NULL OR error IS NOT NULL)
"""),
    "attempts": text("""
UPDATE attempts SET hint = NULL, context_digest = NULL, findings = (
  SELECT coalesce(jsonb_agg(f || '{"finding": ""}'), '[]') FROM jsonb_array_elements(findings) AS f)
WHERE job_id = ANY(:jobs) AND (
  hint IS NOT NULL OR context_digest IS NOT NULL OR jsonb_array_length(findings) > 0)
"""),
    "reviews": text("""
UPDATE reviews SET reply = CASE WHEN reply IS NOT NULL THEN '' END,
  reason = CASE WHEN reason IS NOT NULL THEN '' END
WHERE job_id = ANY(:jobs)
"""),
    "escalations": text("""
UPDATE escalations SET detail = NULL WHERE job_id = ANY(:jobs) AND detail IS NOT NULL
"""),
    # Nobody can judge what is gone, nor need it be waited for.
    "audits": text("DELETE FROM audits WHERE job_id = ANY(:jobs) AND state IN ('open', 'judging')"),
    "contexts": text("DELETE FROM contexts WHERE message_id = ANY(:ids)"),
    # Before the messages, whose digests it needs. A label costs little to ask for again.
    "classifications": text("""
DELETE FROM classifications WHERE digest IN (SELECT digest FROM messages WHERE id = ANY(:ids))
"""),
    "messages": text("""
UPDATE messages SET body = '', subject = NULL, metadata = '{}', customer_id = NULL, digest = '',
  erased_at = now()
WHERE id = ANY(:ids)
"""),
}
