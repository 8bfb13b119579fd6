"""All that reading a file comes to, for tests to look at."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from worker.domain.backlog import Notes
from worker.intake import Backlog, BacklogError, Caps, ReadingOptions, Record, Reject


@dataclass
class Taken:
    """Records, rejects and notes; `refused` where the file as a whole is."""

    records: list[Record] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    refused: str | None = None
    mend: str | None = None
    notes: Notes = field(default_factory=Notes)
    document: dict[str, Any] = field(default_factory=dict)

    preset: str | None = None
    guessed: list[str] = field(default_factory=list)

    @property
    def noted(self) -> list[dict[str, Any]]:
        return self.notes.as_document()

    @property
    def bodies(self) -> list[str]:
        return [record.body for record in self.records]

    @property
    def ids(self) -> list[str]:
        return [record.external_id for record in self.records]


class Trickle(io.RawIOBase):
    """A stream that gives its bytes in pieces of the given sizes, over and over."""

    def __init__(self, data: bytes, sizes: Sequence[int]) -> None:
        self._data, self._sizes, self._turn = data, sizes, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        most = self._sizes[self._turn % len(self._sizes)]
        self._turn += 1
        taken_ = most if size < 0 else min(size, most)
        given, self._data = self._data[:taken_], self._data[taken_:]
        return given


def packed(parts: Mapping[str, str | bytes]) -> bytes:
    """A zip archive of these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


def taken(
    file: Path | str,
    data: bytes | None = None,
    caps: Caps | None = None,
    sizes: Sequence[int] | None = None,
    options: ReadingOptions | None = None,
) -> Taken:
    """What comes of a file, or of `data` under a file's name, in pieces of `sizes`."""
    content = Path(file).read_bytes() if data is None else data
    stream: Any = io.BytesIO(content) if sizes is None else Trickle(content, sizes)
    found = Taken()
    try:
        backlog = Backlog(str(file), stream, options, caps)
        for block in backlog.blocks():
            found.records += block.records
            found.rejects += block.rejects
            found.notes.merge(block.notes)
        found.preset, found.guessed = backlog.guess.preset, sorted(backlog.guess.found)
        found.document = {**backlog.found.as_document(), "columns": dict(backlog.guess.columns)}
    except BacklogError as error:
        found.refused, found.mend = str(error), error.mend
    return found
