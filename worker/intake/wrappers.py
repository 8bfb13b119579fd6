"""Where the rows are in a JSON document that is no row itself: `{"tickets": [{…}, …]}`."""

from contextlib import suppress
from dataclasses import dataclass, field

from worker.domain.backlog import BacklogError
from worker.intake.documents import EACH, JsonText
from worker.intake.names import rank_of
from worker.intake.paths import normal

SURVEYED = 300_000
"""Bytes in which it must show where the rows of a JSON document are."""
ROW_LISTS = (
    *("tickets", "conversations", "cases", "issues", "records", "results", "_results", "messages"),
    *("items", "data", "payload", "values", "requests", "rows", "entries", "threads", "enquiries"),
)
PAGED = frozenset(ROW_LISTS) - {"messages", "threads", "values", "items", "entries", "rows"}
"""Lists by which it shows that an object is a page of rows, and no row itself."""
NO_ROW_LISTS = frozenset(
    {"users", "organizations", "groups", "brands", "links", "_links", "included", "fields"}
    | {"customfields", "contacts", "agents", "tags", "errors", "_expands", "comments", "events"}
)


DEEPEST = 3


@dataclass(slots=True)
class Outline:
    """What can be read of a document's beginning: keys of the outermost object that hold text or a
    number, and lists at any depth with the keys of their first object."""

    scalars: set[str] = field(default_factory=set)
    lists: dict[str, set[str]] = field(default_factory=dict)


def rows_within(first: bytes) -> tuple[str, ...]:
    """The way to the list of rows; empty where there is none, or the document is a row."""
    start = first[: len(first) - len(first.lstrip()) + 1]
    if start[-1:] == b"[" and first[len(start) :].lstrip()[:1] == b"{":
        # A list of pages, as they were fetched: `[{"tickets": […]}, {"tickets": […]}]`.
        inner = rows_within(first[len(start) :])
        return inner if len(inner) == 1 and inner[0] in PAGED else ()
    if start[-1:] != b"{":
        return ()
    outline = Outline()
    whole = first[:SURVEYED].decode(errors="ignore").encode()
    # The beginning ends somewhere; what was seen before that counts.
    with suppress(BacklogError):
        _walk(JsonText("", iter([whole]), SURVEYED), "", 1, outline)
    if keyed := _keyed(whole):
        return keyed
    if any(
        rank_of(name, key) is not None
        for key in outline.scalars
        for name in ("external_id", "body")
    ):
        return ()
    return _likeliest(outline.lists)


COLUMNS = ("", "")
"""In place of a way to rows: there are none, but columns."""
LOOKED_AT = 5
"""Values of an object that is looked at for whether they are rows."""


def _keyed(whole: bytes) -> tuple[str, ...]:
    """The way to rows that stand under their ids, `{"101": {…}, "102": {…}}`; or COLUMNS."""
    try:
        text = JsonText("", iter([whole]), SURVEYED)
        for key in text.keys():  # noqa: SIM118
            if text.peek() == "{" and key in ROW_LISTS:
                return (key, EACH) if _are_rows(*_values(text)) else ()
            break
    except BacklogError:
        return ()
    names, inner = _values(JsonText("", iter([whole]), SURVEYED))
    if _are_columns(names, inner):
        return COLUMNS
    return (EACH,) if _are_rows(names, inner) else ()


def _values(text: JsonText) -> tuple[list[str], list[set[str]]]:
    """The first keys of the object that starts here, and those of each value's; of a list they are
    its places. Nothing where any value is neither."""
    names, inner = list[str](), list[set[str]]()
    # The beginning ends somewhere; what was seen before that counts.
    with suppress(BacklogError):
        for name in text.keys():  # noqa: SIM118
            if text.peek() not in "{[" or len(names) == LOOKED_AT:
                return (names, inner) if len(names) == LOOKED_AT else ([], [])
            names.append(name)
            inner.append(set())
            if text.peek() == "[":
                inner[-1].add("0")
                text.pass_over()
                continue
            for key in text.keys():  # noqa: SIM118
                inner[-1].add(key)
                text.pass_over()
    return names, inner


def _are_columns(names: list[str], inner: list[set[str]]) -> bool:
    ours = [any(rank_of(field, name) for name in names) for field in ("external_id", "body")]
    return all(ours) and all("0" in keys for keys in inner)


def _are_rows(names: list[str], inner: list[set[str]]) -> bool:
    """Whether all have a body, and none is called as if it was a column."""
    if len(names) < 2 or any(rank_of("body", name) or rank_of("subject", name) for name in names):
        return False
    return any(rank_of("body", key) for key in set.intersection(*inner))


def _walk(text: JsonText, prefix: str, depth: int, outline: Outline) -> None:
    for key in text.keys():  # noqa: SIM118 - it steps over what it yields
        path, start = f"{prefix}{key}", text.peek()
        if start == "{" and depth < DEEPEST:
            _walk(text, f"{path}.", depth + 1, outline)
        elif start == "[":
            _look_into(text, path, outline)
        else:
            if depth == 1 and start in '"-0123456789':
                outline.scalars.add(key)
            text.pass_over()


def _look_into(text: JsonText, path: str, outline: Outline) -> None:
    """The keys of the first object in a list; the others are like it."""
    text.skip("[")
    if text.peek() == "{":
        keys = outline.lists.setdefault(path, set())
        for key in text.keys():  # noqa: SIM118
            keys.add(key)
            text.pass_over()
    elif path.rpartition(".")[2] in ROW_LISTS:
        outline.lists.setdefault(path, set())
        if text.peek() != "]":
            text.pass_over()
    elif text.peek() != "]":
        text.pass_over()
    while text.peek() == ",":
        text.skip(",")
        text.pass_over()
    text.skip("]")


def _likeliest(lists: dict[str, set[str]]) -> tuple[str, ...]:
    ranked = []
    for place, (path, keys) in enumerate(lists.items()):
        steps = path.split(".")
        last = normal(steps[-1])
        if steps[-1] in NO_ROW_LISTS or last in NO_ROW_LISTS:
            continue
        known = ROW_LISTS.index(steps[-1]) if steps[-1] in ROW_LISTS else len(ROW_LISTS)
        ours = any(rank_of("body", key) or rank_of("external_id", key) for key in keys)
        ranked.append((not ours, len(steps), known, place, steps))
    return tuple(min(ranked)[-1]) if ranked else ()
