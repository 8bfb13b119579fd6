"""Many rows of one shape at once: what is plain of them (`worker.intake.plain_rows`) is seen by
looking at each column as a whole."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from worker.domain.backlog import PlainRows, Reject
from worker.intake.plain_rows import (
    BODY,
    FIELD,
    LONGEST_WORD,
    NO_WORDS,
    NUL,
    SIGNS_IN_BODY,
    PlainColumns,
    is_plain_id,
)

_TEXT = {str}
_TEXT_OR_NOTHING = {str, type(None)}


def plain_rows(
    items: Sequence[tuple[int, Mapping[str, Any]] | Reject],
    names: tuple[str, ...],
    columns: PlainColumns,
    *,
    floats: bool | None,
) -> tuple[PlainRows, Sequence[int]] | None:
    """The rows, and the places of those that are not plain, in order; None where they are not all
    of this shape, or something in them is no text. `columns` names no time."""
    if set(map(type, items)) != {tuple}:
        return None
    lines, rows = zip(*items, strict=True)
    if set(map(type, rows)) != {dict} or set(map(tuple, rows)) != {names}:
        return None
    found = dict(zip(names, zip(*map(dict.values, rows), strict=True), strict=True))
    ids, bodies = found[columns.external_id], found[columns.body]
    if set(map(type, ids)) != _TEXT or set(map(type, bodies)) != _TEXT:
        return None
    odd = {*_odd_ids(ids, floats), *_odd_bodies(bodies)}
    kept = dict[str, Sequence[str | None]]()
    for field, column in columns.others:
        values = found[column]
        if not set(map(type, values)) <= _TEXT_OR_NOTHING:
            return None
        different = set(values)
        if odd_words := _odd_words(field, different, floats):
            odd.update(place for place, value in enumerate(values) if value in odd_words)
        if different != {None}:
            kept[field] = [value or None for value in values] if "" in different else values
    plain = PlainRows(lines=lines, external_ids=ids, bodies=bodies, others=kept)
    return plain, sorted(odd)


def _odd_ids(ids: Sequence[str], floats: bool | None) -> Iterator[int]:
    if floats is None and all(map(is_plain_id, ids)):
        return
    for place, value in enumerate(ids):
        if not is_plain_id(value) or (floats is not None and value.endswith(".0")):
            yield place


def _odd_bodies(bodies: Sequence[str]) -> Iterator[int]:
    """One text of all bodies is searched in less time than each of them, and so are their first
    characters. Places may come more than once."""
    firsts = "".join([body[:1] for body in bodies])
    if len(firsts) < len(bodies) or not firsts.isalnum():
        yield from (place for place, body in enumerate(bodies) if not body[:1].isalnum())
    lengths = list(map(len, bodies))
    if min(lengths) <= LONGEST_WORD or max(lengths) > BODY:
        yield from (n for n, length in enumerate(lengths) if not LONGEST_WORD < length <= BODY)
    together = "\n".join(bodies)
    for sign in SIGNS_IN_BODY:
        if sign in together:
            yield from (place for place, body in enumerate(bodies) if sign in body)


def _odd_words(field: str, values: Collection[str | None], floats: bool | None) -> Collection[str]:
    """What is not plain among the different values of a field."""
    texts = list(filter(None, values))
    dressed = floats is not None and field == "customer_id"
    together = "\n".join(texts)
    if (
        not dressed
        and "<" not in together
        and NUL not in together
        and max(map(len, texts), default=0) <= FIELD
        and NO_WORDS.isdisjoint(texts)
    ):
        return ()
    return {
        text
        for text in texts
        if len(text) > FIELD
        or "<" in text
        or NUL in text
        or text in NO_WORDS
        or (dressed and (not is_plain_id(text) or text.endswith(".0")))
    }
