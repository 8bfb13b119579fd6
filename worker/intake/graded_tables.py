"""Tables of graded outcomes: one row a message and tier, as CSV, perhaps gzipped.

`table, message, label, chars, tier, model, confidence, valid, correct, cost_usd, input_tokens,
output_tokens`; other columns are passed over, but for `simulated`. A table holds no texts.
Semicolons, tabs and bars part columns too, and with them a decimal comma is one.
"""

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from shlex import quote
from typing import IO, TypeVar

from worker.domain.proof.graded import GradedAnswer, GradedMessage, in_order
from worker.errors import UsageError
from worker.intake.dialects import DELIMITERS
from worker.intake.named_files import no_such_file, unreadable

REQUIRED = ("message", "tier", "valid", "correct")
OPTIONAL = ("table", "label", "chars", "model", "confidence", "cost_usd", "output_tokens")
FORMAT = "message, tier, valid, correct, and if known table, label, chars, confidence, cost_usd"
Number = TypeVar("Number", int, float, Decimal)
_TRUE, _FALSE = frozenset({"1", "1.0", "true", "yes"}), frozenset({"0", "0.0", "false", "no"})


@dataclass(frozen=True, slots=True)
class GradedTable:
    """A table's messages, by name; `simulated` when any row says so."""

    name: str
    messages: list[GradedMessage]
    simulated: bool


def is_table(name: str) -> bool:
    """Whether a command's argument names a table rather than a run."""
    return name.lower().endswith((".csv", ".csv.gz"))


def read_table(path: Path, table: str | None = None, segment: str = "label") -> GradedTable:
    """The messages of one table of the file; `segment` names the column that parts them. Raises
    UsageError with the file, the line and what is wrong there."""
    with _opened(path) as stream:
        return _Reading(path, table, segment).read(stream)


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """The file as text. What is no gzip or no UTF-8 is a sentence, not a traceback."""
    opener: Callable[..., IO[str]] = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as stream:
            yield stream
    except FileNotFoundError:
        raise no_such_file(path) from None
    except PermissionError as error:
        raise unreadable(path, error) from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder.", mend="name a file in it") from None
    except gzip.BadGzipFile:
        mend = f"mv {quote(str(path))} {quote(str(path.with_suffix('')))}"
        raise UsageError(f"{path} is no gzip file, for all its name.", mend=mend) from None
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not UTF-8: byte {error.start + 1:,} of what was read is none of it.",
            mend=f"iconv -f WINDOWS-1252 -t UTF-8 {quote(str(path))} > utf8.csv, or UTF-16 for what"
            " it is",
        ) from error
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as a table: {error}.") from error


class _Reading:
    """One pass over a file."""

    def __init__(self, path: Path, table: str | None, segment: str) -> None:
        self.path, self.table, self.segment = path, table, segment
        self.line = 1
        self.simulated = False
        self.seen: dict[str, None] = {}
        self.messages: dict[tuple[str, str], GradedMessage] = {}
        self.answers: dict[tuple[str, str], dict[str, GradedAnswer]] = {}

    def read(self, stream: IO[str]) -> GradedTable:
        first = stream.readline()
        self.delimiter = max(DELIMITERS, key=first.count)
        columns = self._columns(next(csv.reader([first], delimiter=self.delimiter), []))
        rows = csv.reader(stream, delimiter=self.delimiter)
        for row in rows:
            self.line = rows.line_num + 1
            if row:
                self._take({n: row[i].strip() for n, i in columns.items() if i < len(row)})
        name = self._name()
        return GradedTable(name, in_order(self.messages.values()), self.simulated)

    def _columns(self, head: list[str]) -> Mapping[str, int]:
        names = [name.strip().lower() for name in head]
        found = {name: i for i, name in enumerate(names)}
        wanted = [*REQUIRED, *([self.segment] if self.segment != "label" else [])]
        missing = [name for name in wanted if name not in found]
        if missing:
            raise UsageError(
                f"{self.path} has no column {missing[0]!r}; its first line says"
                f" {', '.join(head)[:200] or 'nothing'}.",
                mend=f"name the columns {FORMAT}",
            )
        read = {n: found[n] for n in (*wanted, *OPTIONAL, "simulated") if n in found}
        if doubled := next((name for name in read if names.count(name) > 1), None):
            raise UsageError(
                f"{self.path} has {names.count(doubled)} columns {doubled!r}: which one counts?",
                mend="leave the others out, or call them something else",
            )
        return read

    def _take(self, row: Mapping[str, str]) -> None:
        table = row.get("table", "")
        self.seen.setdefault(table)
        if self.table is not None and table != self.table:
            return
        name, tier = row.get("message", ""), row.get("tier", "")
        if not name or not tier:
            raise self._wrong("a row needs a message and a tier")
        key = table, name
        if key not in self.messages:
            chars = self._number(row, "chars", int) or 0
            answers = self.answers[key] = {}
            self.messages[key] = GradedMessage(
                name=name, segment=row.get(self.segment, ""), chars=chars, answers=answers
            )
        if tier in self.answers[key]:
            raise self._wrong(f"message {name!r} has a second row for {tier}")
        self.answers[key][tier] = self._answer(row)
        self.simulated = self.simulated or row.get("simulated", "").lower() in _TRUE

    def _answer(self, row: Mapping[str, str]) -> GradedAnswer:
        confidence = self._number(row, "confidence", float)
        if confidence is not None and not 0 <= confidence <= 1:
            raise self._wrong(f"a confidence of {confidence}: it must be from 0 to 1")
        right = self._truth(row, "correct")
        return GradedAnswer(
            valid=self._truth(row, "valid") is True,
            right=right,
            confidence=confidence,
            length=self._number(row, "output_tokens", int),
            cost=self._number(row, "cost_usd", Decimal) or Decimal(0),
            probability=0.0 if right is None else 1.0,
        )

    def _truth(self, row: Mapping[str, str], column: str) -> bool | None:
        word = row.get(column, "").lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        if word:
            raise self._wrong(f"{column} is {word!r}: it must be 1, 0 or nothing")
        return None

    def _number(
        self, row: Mapping[str, str], column: str, kind: Callable[[str], Number]
    ) -> Number | None:
        text = row.get(column, "")
        if not text:
            return None
        plain = text.replace(",", ".") if self.delimiter != "," else text
        if kind is int:
            plain = plain.removesuffix(".0")
        try:
            value = kind(plain)
        except (ValueError, InvalidOperation):
            raise self._wrong(f"{column} is {text!r}: it must be a number, or nothing") from None
        if not 0 <= float(value) < float("inf"):
            raise self._wrong(f"{column} is {text}: it must be a number from 0 on, or nothing")
        return value

    def _name(self) -> str:
        """The table that was asked for, or the file's only one."""
        if self.table is not None and not self.messages:
            known = ", ".join(sorted(filter(None, self.seen))) or "none"
            raise UsageError(f"{self.path} has no table {self.table!r}; it has {known}.")
        if self.table is None and len(self.seen) > 1:
            raise UsageError(
                f"{self.path} holds {len(self.seen)} tables: {', '.join(sorted(self.seen))}.",
                mend="say which one with --table NAME",
            )
        if not self.messages:
            raise UsageError(f"{self.path} has no rows.")
        return self.table or next(iter(self.seen), "") or self.path.name

    def _wrong(self, words: str) -> UsageError:
        return UsageError(f"{self.path}, line {self.line}: {words}.")
