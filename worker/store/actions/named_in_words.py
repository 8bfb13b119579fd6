"""Who is forgotten, named in what people wrote of something else: why a tier was paused, why an
answer was rejected, what a night that failed was about.

Only the ids are looked for, as words of their own: whoever writes a reason calls a customer by
that. Nothing that holds them is older than their first message, so no look goes over years of
audits.
"""

import datetime as dt
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from worker.domain.named_in_filters import fingerprint

LEAST_CHARS, LEAST_DIGITS = 3, 5
"""Shorter ids, and shorter numbers, are a part of much that has nothing to do with anybody."""
GONE = "…"
"""In place of what is written otherwise in small letters than the id is."""


@dataclass(frozen=True, slots=True)
class Named:
    """What somebody is called, and since when anybody could write of them."""

    ids: Collection[str]
    since: dt.datetime


def named_by(connection: Connection, message_ids: Sequence[int], *, with_ids: bool) -> Named:
    """Whoever wrote these messages, which are about to be erased; `with_ids`: these too."""
    row = connection.execute(IDS, {"ids": list(message_ids)}).one()
    found = {*row.customers, *(row.externals if with_ids else ())}
    return Named({one for one in found if _tells(one)}, row.since)


def take_out_of_words(connection: Connection, named: Named) -> None:
    """Fingerprints take their place, as in filters."""
    if not named.ids:
        return
    instead = {one.lower(): fingerprint(one) for one in named.ids}
    longest_first = sorted(instead, key=len, reverse=True)
    words = re.compile(
        rf"(?<![^\W_])(?:{'|'.join(map(re.escape, longest_first))})(?![^\W_])", re.IGNORECASE
    )
    escaped = {re.sub(r"(\W)", r"\\\1", form) for one in named.ids for form in (one, _quoted(one))}
    pattern = rf"(^|[^[:alnum:]])({'|'.join(sorted(escaped))})([^[:alnum:]]|$)"
    for find, change in zip(FIND, CHANGE, strict=True):
        for row in connection.execute(find, {"pattern": pattern, "since": named.since}).mappings():
            values = {name: _without(value, words, instead) for name, value in row.items()}
            documents = {n: json.dumps(v) for n, v in values.items() if isinstance(v, dict)}
            connection.execute(change, {**values, **documents, "place": row["place"]})


def _tells(name: str) -> bool:
    return len(name) >= (LEAST_DIGITS if name.isdigit() else LEAST_CHARS)


def _quoted(words: str) -> str:
    """As they stand within a text of JSON."""
    return json.dumps(words, ensure_ascii=False)[1:-1]


def _without(value: Any, words: re.Pattern[str], instead: Mapping[str, str]) -> Any:
    match value:
        case str():
            return words.sub(lambda found: instead.get(found[0].lower(), GONE), value)
        case dict():
            return {key: _without(one, words, instead) for key, one in value.items()}
        case list():
            return [_without(one, words, instead) for one in value]
    return value


IDS = text("""
SELECT min(created_at) AS since,
  coalesce(array_agg(DISTINCT customer_id) FILTER (WHERE customer_id IS NOT NULL), '{}')
    AS customers,
  array_agg(DISTINCT external_id) AS externals
FROM messages WHERE id = ANY(:ids)
""")
PLACES: tuple[tuple[str, tuple[str, ...], tuple[str, ...], str], ...] = (
    ("runs", ("state_reason",), (), "true"),
    ("tiers", ("paused_reason", "breaker_reason", "held_reason"), (), "true"),
    ("delivery_targets", ("paused_reason",), (), "true"),
    ("certificates", ("voided_by",), (), "true"),
    ("firings", ("words",), (), "fired_at >= :since"),
    ("notices", ("words",), ("detail",), "at >= :since"),
    ("audit_events", (), ("detail",), "at >= :since"),
)
"""Tables, their words, their documents, and which rows may name anybody."""
# Names of tables and columns are of this file; what is looked for is bound.
FIND = [
    text(f"""
SELECT CAST(ctid AS text) AS place, {", ".join((*columns, *documents))} FROM {table}
WHERE {of} AND ({" OR ".join(f"CAST({c} AS text) ~* :pattern" for c in (*columns, *documents))})
FOR UPDATE""")  # noqa: S608
    for table, columns, documents, of in PLACES
]
CHANGE = [
    text(f"""
UPDATE {table} SET {
        ", ".join(
            (
                *(f"{c} = :{c}" for c in columns),
                *(f"{c} = CAST(:{c} AS jsonb)" for c in documents),
            )
        )
    } WHERE ctid = CAST(:place AS tid)""")  # noqa: S608
    for table, columns, documents, _ in PLACES
]
