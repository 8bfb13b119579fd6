"""Where a field stands in a row: `Ticket ID`, `source.body`, `description|comments.0.body`,
`subject+description`.

A whole name that is a column of the file is that column, whatever signs are in it. Otherwise `|`
separates alternatives (the first that holds something counts), `+` joins with a blank line, and
dots lead into objects: a number picks from a list (`-1` is the last), and a name behind a list is
taken of each element. `text/html` is the first of two names that holds something.

Brackets pick by what an element says: `messages[from_agent=false]`, `[type=user,lead]` for any of
several words, `[private!=true]` for none, `[author.id=$requester.id]` for what stands elsewhere in
the row, `[parts=null]` for what is missing or empty. Behind a number they mean an object as a
whole, at the beginning the row: `[is_public!=false].description`. A number behind brackets counts
only those of the picked in which the rest of the path leads to something.

Names are alike when they differ only in case, spaces, underscores and hyphens.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from worker.intake.cell_text import as_text

_STEP = re.compile(r"([^.\[\]]*)((?:\[[^=!\[\]]+!?=[^\[\]]*\])*)")
_CONDITION = re.compile(r"\[([^=!\[\]]+)(!?)=([^\[\]]*)\]")
_EMPTY: tuple[Any, ...] = (None, "", [], {})
NOTHING = "null"
_SEPARATORS = re.compile(r"[\s_\-\u00a0\u00ad\u200b-\u200f\u2060\ufeff]+")


@lru_cache(maxsize=65_536)
def normal(name: str) -> str:
    """The name without case, spaces, underscores and hyphens: what decides whether two are alike.
    A name of nothing else is itself."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return _SEPARATORS.sub("", folded) or folded.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What an element must say to be meant: under `path`, one of `words`; or none of them. Of
    `elsewhere`, what stands there in the row."""

    path: "Path"
    words: frozenset[str]
    wanted: bool
    elsewhere: "Path | None" = None


@dataclass(frozen=True, slots=True)
class PathStep:
    """One name or number of a path, its alternatives, and which of what is there are meant."""

    name: str
    names: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()


Path = tuple[PathStep, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """What stands behind `FIELD=` in `--map`."""

    text: str
    alternatives: tuple[tuple[Path, ...], ...]

    @property
    def picks(self) -> bool:
        """Whether it means only what meets conditions."""
        return self.unconditional() != self

    def unconditional(self) -> "Place":
        """The same without any condition."""
        bare = tuple(tuple(map(_unconditional, parts)) for parts in self.alternatives)
        return Place(self.text, bare)


def parse_place(text: str) -> Place:
    """What cannot be a path can be the name of a column all the same."""
    try:
        return Place(text, tuple(map(_parse_parts, text.split("|"))))
    except ValueError:
        return Place(text, ())


def without_conditions(text: str) -> str:
    """A place as people read it: where to look, and not which of what is there is meant."""
    return "|".join(
        dict.fromkeys(_CONDITION.sub("", text).replace("|.", "|").strip(".").split("|"))
    )


def _unconditional(path: Path) -> Path:
    return tuple(PathStep(step.name, step.names) for step in path if step.name)


def _parse_parts(text: str) -> tuple[Path, ...]:
    return tuple(_parse_path(part) for part in text.split("+"))


def _parse_path(text: str) -> Path:
    text = text.strip()
    steps: list[PathStep] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or (found.end() < len(text) and text[found.end()] != "."):
            raise ValueError(f"{text!r} is not a path of names with dots between them")
        name = found[1].strip()
        if not (name or (found[2] and not steps)):
            raise ValueError("a name is missing")
        conditions = tuple(_condition(*one) for one in _CONDITION.findall(found[2]))
        steps.append(PathStep(name, _alternatives(name), conditions))
        at = found.end() + 1
    if not steps or text.endswith("."):
        raise ValueError("a name is missing")
    return tuple(steps)


def _alternatives(name: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in name.split("/"))
    return parts if len(parts) > 1 and all(parts) else ()


def _condition(name: str, sign: str, value: str) -> Condition:
    if value.startswith("$"):
        there = _parse_path(value[1:])
        return Condition(
            path=_parse_path(name), words=frozenset(), wanted=not sign, elsewhere=there
        )
    words = frozenset({value, *value.split(",")})
    return Condition(path=_parse_path(name), words=words, wanted=not sign)


def column_of(name: str, columns: Iterable[str]) -> str | None:
    """The column that is meant: the same name, or else the first that is alike."""
    columns = tuple(columns)
    if name in columns:
        return name
    wanted = normal(name)
    return next((column for column in columns if normal(column) == wanted), None)


def follow(value: Any, path: Path, row: Any = None) -> Any:
    """What stands at the path's end; None where it leads nowhere. `row` is what conditions speak
    of, where that is not `value`."""
    row = value if row is None else row
    picked = False
    for at, step in enumerate(path):
        if isinstance(value, list) and step.name:
            if not _is_index(step.name):
                found = [follow(inner, path[at:], row) for inner in value]
                return [inner for inner in found if inner not in _EMPTY]
            if picked:
                held = [inner for inner in value if _says_something(inner, path[at + 1 :], row)]
                value = held
            place = int(step.name)
            value = value[place] if -len(value) <= place < len(value) else None
        elif step.names and isinstance(value, Mapping) and column_of(step.name, value) is None:
            ways = ((PathStep(name, (), step.conditions), *path[at + 1 :]) for name in step.names)
            there = (follow(value, way, row) for way in ways)
            return next((inner for inner in there if _holds_something(inner)), None)
        elif step.name:
            if not isinstance(value, Mapping):
                return None
            column = column_of(step.name, value)
            value = value[column] if column is not None else None
        if step.conditions:
            value, picked = _picked(value, step.conditions, row), True
    return value


def _picked(value: Any, conditions: tuple[Condition, ...], row: Any) -> Any:
    """Of a list those elements that meet all conditions; anything else if it does."""
    if isinstance(value, list):
        return [inner for inner in value if all(_meets(inner, one, row) for one in conditions)]
    return value if all(_meets(value, one, row) for one in conditions) else None


def _is_index(name: str) -> bool:
    return name.removeprefix("-").isdecimal() and len(name) < 8


def _meets(element: Any, condition: Condition, row: Any) -> bool:
    if not isinstance(element, Mapping):
        return False
    said = _words(follow(element, condition.path))
    wanted = condition.words
    if condition.elsewhere is not None:
        # What is not there is nobody: two unknown persons are not the same one.
        wanted = frozenset(_words(follow(row, condition.elsewhere, row))) - {NOTHING}
    return (not wanted.isdisjoint(said)) is condition.wanted


def _words(value: Any) -> list[str]:
    """What a value says: of a list, all that stands in it."""
    if isinstance(value, list):
        return [word for inner in value for word in _words(inner)] or [NOTHING]
    if value in _EMPTY:
        return [NOTHING]
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def _says_something(element: Any, path: Path, row: Any) -> bool:
    return _holds_something(follow(element, path, row))


def _holds_something(value: Any) -> bool:
    value = as_text(value)
    return value not in _EMPTY and not (isinstance(value, str) and value.isspace())
