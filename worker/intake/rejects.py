"""The file in which rejected rows are listed: never one of the inputs, never through a link, never
over what is there, and readable by its owner alone."""

import csv
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from shlex import quote
from typing import IO, Any

from worker.domain.backlog import Reject
from worker.domain.text import neutralise_formula, terminal_safe
from worker.errors import UsageError

HEADER = ("file", "line", "external_id", "reason")
OWNER_ONLY = 0o600
MOST_NAMES = 1_000


class RejectsFile:
    """Opened when the first row is rejected. Whatever is wrong with the place is told by `say`, and
    the rows that are good go in all the same.

    Raises UsageError when the file would be one of the inputs.
    """

    def __init__(
        self, wanted: Path | None, stem: str, inputs: Sequence[str], say: Callable[[str], None]
    ) -> None:
        self._wanted, self._stem, self._say = wanted, stem, say
        self._out: IO[str] | None = None
        self._writer: Any = None
        self._given_up = False
        self.path: Path | None = None
        if wanted is not None:
            _refuse_input(wanted, inputs)

    def add(self, name: str, rejects: Iterable[Reject]) -> None:
        """Lists rows of the file called `name`."""
        if self._out is None and not self._given_up:
            self._open()
        if self._out is None:
            return
        try:
            for reject in rejects:
                # `-` is standard input, and no formula.
                file = name if name == "-" else _cell(Path(name).name)
                external_id = _cell(reject.external_id or "")
                self._writer.writerow([file, reject.line, external_id, _cell(reject.reason)])
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Writes what is left."""
        try:
            if self._out is not None:
                self._out.close()
        except OSError as error:
            self._give_up(error)

    def _open(self) -> None:
        for path in self._places():
            try:
                self._out, self.path = _opened(path)
            except OSError as error:
                self._say(f"Rejected rows cannot be listed in {path}: {_why(error)}.")
                continue
            self._writer = csv.writer(self._out)
            self._writer.writerow(HEADER)
            return
        self._given_up = True

    def _places(self) -> Iterator[Path]:
        """Where it is tried: as wanted, or in the working directory; then where any process may
        write."""
        name = f"{self._stem}.rejects.csv"
        first = self._wanted or Path(name)
        yield first
        yield Path(tempfile.gettempdir()) / (self._wanted.name if self._wanted else name)

    def _give_up(self, error: OSError) -> None:
        self._say(f"The list of rejected rows in {self.path} is not whole: {_why(error)}.")
        self._given_up, self.path = True, None
        out, self._out = self._out, None
        try:
            if out is not None:
                out.close()
        except OSError:
            pass  # What could not be written is still in its buffer.


def _cell(words: str) -> str:
    """Neither a formula nor anything that a terminal obeys."""
    return neutralise_formula(terminal_safe(words))


def _refuse_input(wanted: Path, inputs: Sequence[str]) -> None:
    for name in inputs:
        try:
            same = name != "-" and wanted.samefile(name)
        except OSError:
            continue
        if same:
            raise UsageError(
                f"--rejects {wanted} is one of the files that are submitted.",
                mend=f"--rejects {quote(f'{wanted.stem}.rejects.csv')}",
            )


def _opened(path: Path) -> tuple[IO[str], Path]:
    """A fresh file, under the next free name where this one is taken. A device or a pipe, which
    holds nothing that could be lost, is written to as it is. Raises OSError."""
    try:
        there: os.stat_result | None = path.stat()
    except FileNotFoundError:
        there = None
    if there is not None and stat.S_ISDIR(there.st_mode):
        raise IsADirectoryError(None, "it is a directory")
    if there is not None and not stat.S_ISREG(there.st_mode):
        return path.open("w", encoding="utf-8", newline=""), path
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    for number in count(1):
        name = path if number == 1 else path.with_name(_numbered(path.name, number))
        try:
            descriptor = os.open(name, flags, OWNER_ONLY)
        except FileExistsError:
            if number >= MOST_NAMES:
                raise
            continue
        return os.fdopen(descriptor, "w", encoding="utf-8", newline=""), name
    raise AssertionError("count does not end")


def _numbered(name: str, number: int) -> str:
    """`day-2.rejects.csv` of `day.rejects.csv`."""
    stem, dot, ending = name.partition(".")
    return f"{stem}-{number}{dot}{ending}" if stem else f"{name}-{number}"


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
