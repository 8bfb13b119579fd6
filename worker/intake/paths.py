"""Where a field stands in a row: `Ticket ID`, `source.body`, `description|comments.0.body`,
`subject+description`.

A whole name that is a column of the file is that column, whatever signs are in it. Otherwise `|`
separates alternatives (the first that holds something counts), `+` joins with a blank line, and
dots lead into objects: a number picks from a list (`-1` is the last), `messages[from_agent=false]`
picks by what an element says, and a name behind a list is taken of each element.

Names are alike when they differ only in case, spaces, underscores and hyphens.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

JOINT = "\n\n"
_STEP = re.compile(r"([^.\[\]]+)(?:\[([^=\[\]]+)=([^\[\]]*)\])?")
_SEPARATORS = re.compile(r"[\s_\-\u00a0\ufeff]+")


@lru_cache(maxsize=65_536)
def normal(name: str) -> str:
    """The name without case, spaces, underscores and hyphens: what decides whether two are alike.
    A name of nothing else is itself."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return _SEPARATORS.sub("", folded) or folded.strip()


@dataclass(frozen=True, slots=True)
class PathStep:
    """One name or number of a path, and which elements of the list behind it are meant."""

    name: str
    key: str | None = None
    value: str | None = None


Path = tuple[PathStep, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """What stands behind `FIELD=` in `--map`."""

    text: str
    alternatives: tuple[tuple[Path, ...], ...]

    def names(self) -> tuple[str, ...]:
        """The first name of each path: the columns that it needs."""
        return tuple(path[0].name for parts in self.alternatives for path in parts)


def parse_place(text: str) -> Place:
    """What cannot be a path can be the name of a column all the same."""
    try:
        return Place(text, tuple(map(_parse_parts, text.split("|"))))
    except ValueError:
        return Place(text, ())


def _parse_parts(text: str) -> tuple[Path, ...]:
    return tuple(_parse_path(part) for part in text.split("+"))


def _parse_path(text: str) -> Path:
    text = text.strip()
    steps, at = [], 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or (found.end() < len(text) and text[found.end()] != "."):
            raise ValueError(f"{text!r} is not a path of names with dots between them")
        steps.append(PathStep(found[1].strip(), found[2], found[3]))
        at = found.end() + 1
    if not steps or text.endswith("."):
        raise ValueError("a name is missing")
    return tuple(steps)


def column_of(name: str, columns: Iterable[str]) -> str | None:
    """The column that is meant: the same name, or else the first that is alike."""
    columns = tuple(columns)
    if name in columns:
        return name
    wanted = normal(name)
    return next((column for column in columns if normal(column) == wanted), None)


def follow(value: Any, path: Path) -> Any:
    """What stands at the path's end; None where it leads nowhere."""
    for at, step in enumerate(path):
        if isinstance(value, Mapping):
            column = column_of(step.name, value)
            value = value[column] if column is not None else None
        elif isinstance(value, list):
            if not _is_index(step.name):
                found = [follow(inner, path[at:]) for inner in value]
                return [inner for inner in found if inner not in (None, "", [])]
            place = int(step.name)
            value = value[place] if -len(value) <= place < len(value) else None
        else:
            return None
        if step.key is not None and isinstance(value, list):
            value = [inner for inner in value if _says(inner, step.key, step.value or "")]
    return value


def _is_index(name: str) -> bool:
    return name.removeprefix("-").isdecimal() and len(name) < 8


def _says(element: Any, key: str, value: str) -> bool:
    if not isinstance(element, Mapping):
        return False
    column = column_of(key, element)
    if column is None:
        return False
    said = element[column]
    word = str(said).lower() if isinstance(said, bool) or said is None else str(said)
    return word == value


def joined(values: Iterable[Any]) -> Any:
    """One value as it is; several as text with a blank line between."""
    there = [value for value in values if value not in (None, "", [])]
    if len(there) <= 1:
        return there[0] if there else None
    return JOINT.join(str(as_text(value) or "") for value in there)


def as_text(value: Any) -> Any:
    """Text out of what holds text: elements of a list one below the other, and the documents in
    which Atlassian's products keep what was typed. Anything else as it is."""
    if isinstance(value, list) and value:
        texts = [as_text(inner) for inner in value]
        if all(isinstance(inner, str) for inner in texts):
            return JOINT.join(inner for inner in texts if inner)
    if isinstance(value, Mapping) and value.get("type") == "doc":
        content = value.get("content")
        if isinstance(content, list):
            return _typed(content).strip()
    return value


_ENDS_A_LINE = frozenset({"paragraph", "heading", "hardBreak", "listItem", "codeBlock", "tableRow"})
_DEEPEST = 50


def _typed(nodes: list[Any], depth: int = 0) -> str:
    """The text of such a document's nodes, a paragraph a line."""
    pieces = []
    for node in nodes if depth < _DEEPEST else []:
        if not isinstance(node, Mapping):
            continue
        text, content = node.get("text"), node.get("content")
        attributes = node.get("attrs")
        if isinstance(text, str):
            pieces.append(text)
        elif isinstance(attributes, Mapping) and isinstance(attributes.get("text"), str):
            pieces.append(attributes["text"])
        if isinstance(content, list):
            pieces.append(_typed(content, depth + 1).rstrip("\n"))
        if node.get("type") in _ENDS_A_LINE:
            pieces.append("\n")
    return "".join(pieces)
