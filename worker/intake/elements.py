"""Elements of an XML file, one after the other, in little memory whatever the file holds.

Tables are made by programs, and may be made by people who mean harm: entities are not resolved,
nothing is fetched, a file that declares its own entities is no table, and no more is held at a time
than a record may be long.
"""

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, Any

from lxml.etree import iterparse

from worker.domain.backlog import BacklogError, Caps
from worker.intake.archives import RATIO_FROM

MOST_HELD = 8_000_000
"""Bytes of XML from one wanted element to the end of the next: as much as a record may be long."""
MOST_ABOUT = 20_000_000
"""Bytes of XML about a table (its sheets, its styles), which is not looked through without end."""


FAR, MOST_FAR = 100, 20_000_000
"""Cells that a file may leave out in one place, or repeat there, before they are counted; and how
many of those it may come to: a few bytes of it are sixteen thousand cells for whoever reads it."""


class Oversized(ValueError):
    """An element, or what stands before it, is longer than is held; or a file makes its reader go
    through far more than stands in it."""


class Reach:
    """Counts the cells of a file that do not stand in it: those between two that are far apart, and
    those that are only counted."""

    def __init__(self) -> None:
        self._left = MOST_FAR

    def over(self, cells: int, weight: int = 1) -> None:
        """So many in one place, each as dear as so many that are empty. Raises Oversized."""
        if cells > FAR:
            self._left -= cells * weight
            if self._left < 0:
                raise Oversized("cells too far apart")


class _Metered:
    """A file that gives no more than so many bytes until it is told to go on."""

    def __init__(self, source: IO[bytes], most: int) -> None:
        self._source, self._most, self._left = source, most, most

    def read(self, size: int = -1) -> bytes:
        """Raises Oversized."""
        if self._left <= 0:
            raise Oversized(f"more than {self._most:,} bytes in one piece")
        data = self._source.read(size)
        self._left -= len(data)
        return data

    def go_on(self) -> None:
        """Another piece begins."""
        self._left = self._most


def elements(
    source: IO[bytes], *tags: str, until: str | None = None, html: bool = False
) -> Iterator[Any]:
    """Each element of these names, complete; it is gone when the next is asked for. Ends with the
    end of an element called `until`. Raises Oversized, and lxml's errors."""
    wanted = tags if until is None else (*tags, until)
    metered = _Metered(source, MOST_HELD)
    for _, element in _parsed(metered, wanted, html=html):
        if element.tag == until:
            return
        metered.go_on()
        yield element
        _drop(element)


def attributes(source: IO[bytes], *tags: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The name and attributes of each element of these names; of a file about a table, which may
    hold very many others. Raises Oversized, and lxml's errors."""
    for _, element in _parsed(_Metered(source, MOST_ABOUT), None):
        if element.tag in tags:
            yield element.tag, dict(element.attrib)
        _drop(element)


def _drop(element: Any) -> None:
    """Lets it go, and what stands before it."""
    element.clear(keep_tail=False)
    while (before := element.getprevious()) is not None:
        before.getparent().remove(before)


def _parsed(
    source: _Metered, tags: tuple[str, ...] | None, *, html: bool = False
) -> Iterator[tuple[str, Any]]:
    declared = "of HTML" if html else None
    for event, element in iterparse(
        source,
        events=("end",),
        tag=tags,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        html=html,
        encoding="utf-8" if html else None,
    ):
        if declared is None and (declared := element.getroottree().docinfo.doctype):
            raise ValueError("a table declares no entities")
        yield event, element


def refuse_bomb(path: str, info: zipfile.ZipInfo, caps: Caps) -> None:
    """Raises BacklogError for a member that expands too far. What zipfile reads of one is never
    more than it declares."""
    dense = info.file_size > RATIO_FROM and info.file_size > caps.ratio * max(info.compress_size, 1)
    if info.file_size > caps.expanded or dense:
        raise BacklogError(f"{path} expands to more than is allowed; it looks like a bomb.")


def what_broke(error: BaseException | None) -> str:
    """Why a table cannot be read, for those who did not write the library that raised this. None
    where nothing was raised: it holds no sheet."""
    match error:
        case None:
            return "it has no sheet"
        case Oversized():
            return "a part of it is far too large"
        case KeyError():
            return "a part of it is missing"
        case zipfile.BadZipFile() | zlib.error() | EOFError():
            return "what it is packed in is damaged"
        case _:
            return "a part of it is damaged"
