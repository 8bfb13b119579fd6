"""Filters by which people chose jobs (`customer = c-77`), where they outlive what they were about:
in the audit, in the runs that were made with them, and in the nights of schedules.

A customer who is forgotten goes out of every filter that named them, with the subjects and other
columns of their messages. What a purge empties goes out of the filters of its time, whomever they
named: it looks no further back than its oldest message, as each before it did.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from worker.domain.filters import METADATA, Comparison
from worker.domain.named_in_filters import ID, PERSONAL, Hides, without_names

Said = tuple[str, str | None, str]
"""A field, metadata's key, and what a message says there, in small letters."""


def take_out_names(connection: Connection, message_ids: Sequence[int], *, with_ids: bool) -> None:
    """What these messages, which are about to be erased, say of whoever wrote them: out of the
    filters that were used since they came in. `with_ids`: what they are called too."""
    rows = connection.execute(NAMES, {"ids": list(message_ids)}).all()
    said = {one for row in rows for one in _said(row, with_ids=with_ids)}

    def hides(comparison: Comparison, value: str) -> bool:
        named, small = (comparison.field, comparison.key), value.lower()
        return any(one[:2] == named and small in one[2] for one in said)

    _take_out(connection, hides, since=min(row.created_at for row in rows), until=None)


def take_out_of_old(
    connection: Connection, first_ids: Sequence[int], age: dt.timedelta, *, with_ids: bool
) -> None:
    """All names, out of every filter that was used longer ago than `age`, and since the first of
    what is being purged came in."""
    hidden = (*PERSONAL, ID) if with_ids else PERSONAL
    row = connection.execute(SPAN, {"ids": list(first_ids), "age": age}).one()
    _take_out(connection, lambda one, _: one.field in hidden, since=row.since, until=row.until)


def runs_named(connection: Connection, identity: str) -> list[str]:
    """Runs that are called, or whose key is, after somebody: people named them, and find them by
    that, so it stays."""
    return list(connection.execute(NAMED, {"identity": identity}).scalars())


def _said(row: Row[Any], *, with_ids: bool) -> Iterator[Said]:
    named = {"customer": row.customer_id, "subject": row.subject}
    for field, words in (named | ({ID: row.external_id} if with_ids else {})).items():
        if words:
            yield field, None, words.lower()
    for key, value in row.metadata.items():
        yield METADATA, key, str(value).lower()


def _take_out(
    connection: Connection, hides: Hides, *, since: dt.datetime, until: dt.datetime | None
) -> None:
    for find, change in ((FILTERS, CHANGE), (OF_RUNS, CHANGE_RUN), (OF_NIGHTS, CHANGE_NIGHT)):
        for row in connection.execute(find, {"since": since, "until": until}).all():
            found: dict[str, Any] = {
                name: words and without_names(words, hides)
                for name, words in (("target", row.target), ("where", row.where))
            }
            if (found["target"], found["where"]) != (row.target, row.where):
                connection.execute(change, {"id": row.id, **found})


NAMES = text("""
SELECT external_id, customer_id, subject, metadata, created_at FROM messages WHERE id = ANY(:ids)
""")
SPAN = text("""
SELECT min(created_at) AS since, now() - CAST(:age AS interval) AS until
FROM messages WHERE id = ANY(:ids)
""")
NAMING = r"\m(customer|subject|external_id|metadata)\M"
FILTERS = text(f"""
SELECT id, target, detail ->> 'where' AS where FROM audit_events
WHERE at >= :since AND at < coalesce(CAST(:until AS timestamptz), 'infinity')
  AND (target ~ '{NAMING}' OR detail ->> 'where' ~ '{NAMING}')
""")  # noqa: S608 - constants
CHANGE = text("""
UPDATE audit_events SET target = :target, detail = CASE WHEN CAST(:where AS text) IS NULL
  THEN detail ELSE detail || jsonb_build_object('where', CAST(:where AS text)) END
WHERE id = :id
""")
OF_RUNS = text(f"""
SELECT id, NULL AS target, selection ->> 'where' AS where FROM runs
WHERE created_at >= :since AND created_at < coalesce(CAST(:until AS timestamptz), 'infinity')
  AND selection ->> 'where' ~ '{NAMING}'
""")  # noqa: S608 - constants
CHANGE_RUN = text("""
UPDATE runs SET selection = selection || jsonb_build_object('where', CAST(:where AS text))
WHERE id = :id
""")
OF_NIGHTS = text(f"""
SELECT run_id AS id, NULL AS target, selection ->> 'where' AS where FROM firings
WHERE fired_at >= :since AND fired_at < coalesce(CAST(:until AS timestamptz), 'infinity')
  AND run_id IS NOT NULL AND selection ->> 'where' ~ '{NAMING}'
""")  # noqa: S608 - constants
CHANGE_NIGHT = text("""
UPDATE firings SET selection = selection || jsonb_build_object('where', CAST(:where AS text))
WHERE run_id = :id
""")
# As a word of its own: a short id is a part of much.
NAMED = text(r"""
SELECT r.name FROM runs AS r CROSS JOIN (
  SELECT '(^|[^[:alnum:]])' || regexp_replace(:identity, '([^[:alnum:]])', '\\\1', 'g')
    || '([^[:alnum:]]|$)' AS word) AS w
WHERE r.name ~* w.word OR r.key ~* w.word ORDER BY r.id
""")
