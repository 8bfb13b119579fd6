"""Reads any backlog: finds out what it is and which column is what, then reads it in blocks."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import IO, Any

from worker.domain.backlog import BacklogError, Block, Caps
from worker.intake.blocks import in_blocks
from worker.intake.cell_text import as_text
from worker.intake.cell_words import WHOLE_FLOAT
from worker.intake.dates import order_of
from worker.intake.formats import Found, items_of
from worker.intake.guess import Guess, guess, refusal
from worker.intake.layouts import getter_of, layout_of
from worker.intake.numbered_dates import DateOrder
from worker.intake.other_sheets import titles_of, with_sheets
from worker.intake.paths import normal, parse_place
from worker.intake.product_rows import FileWords, product_of
from worker.intake.rows import Item, Rows
from worker.intake.sources import open_backlog
from worker.intake.threads import has_threads, threaded
from worker.intake.writers import teams_words_of

TABLES = ("csv", "tsv", "xlsx", "ods", "html")
SAMPLE_ROWS, SAMPLE_CHARS = 200, 2_000_000
DATES_ROWS = 300_000
"""As far as a file is read ahead to find out whether its days or its months come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """How a person wants files read; what is None is found out.

    `columns` says where our fields stand; `sheet`, `member` and `records` which part of a workbook,
    an archive or a JSON document is meant (`records` as a dotted path); `dates` whether the day or
    the month comes first; `strip_quotes` cuts what a mail quotes, and its signature.
    """

    kind: str | None = None
    member: str | None = None
    sheet: str | None = None
    records: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    dates: DateOrder | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    usual: Mapping[str, str] = field(default_factory=dict)
    """Columns of a map that was named: those count of which the file has something."""
    strip_quotes: bool = False
    thread: str | None = None
    """Where a policy shows the thread: the column that rows of one `thread_id` are gathered in."""
    packed: bool = True
    """Whether a compressed file is unpacked; if not, it is refused. A workbook is not meant."""


class Backlog:
    """One file that was opened: what it is (`found`), its first rows, and what was guessed of its
    columns. Raises BacklogError when it cannot be read as a whole."""

    def __init__(
        self,
        path: str,
        stream: IO[bytes],
        options: ReadingOptions | None = None,
        caps: Caps | None = None,
        on_bytes: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.path, self._stream, self._caps = path, stream, caps or Caps()
        self._options = options or ReadingOptions()
        self._on_bytes, self._counting = on_bytes, False
        self._uncounted = 0
        self._open()
        self.guess = guess(self.sample, self._options.columns, self._options.usual)
        self._refuse_repeated()

    def _open(self) -> None:
        options = self._options
        opened = open_backlog(
            self.path, self._stream, self._caps, options.member, options.encoding, self._count
        )
        if opened.unpacked and not options.packed:
            raise BacklogError(f"{self.path} is compressed.", mend="send it as it was before that")
        self.found = Found(
            kind=options.kind,
            records=options.records,
            sheet=options.sheet,
            delimiter=options.delimiter,
        )
        items, self._repeated = items_of(self.path, opened, self._stream, self._caps, self.found)
        self._first: list[Item] = list(_some(items))
        self._items = items

    def _count(self, size: int) -> None:
        if self._counting:
            self._on_bytes(size)
        else:
            self._uncounted += size

    @property
    def sample(self) -> list[Mapping[str, Any]]:
        """The first rows, as they stand in the file."""
        return [item[1] for item in self._first if isinstance(item, tuple)]

    def blocks(self, accepted: Guess | None = None) -> Iterator[Block]:
        """Blocks of up to 5,000 rows, in order and in constant memory. Raises BacklogError when the
        guess is not certain, and nobody accepted it; and where the file breaks off."""
        guessed = accepted or self.guess
        if not (guessed.certain or accepted) or guessed.missing:
            raise self.refusal(guessed)
        order = self._options.dates or self._order(guessed.columns)
        rows = self.rows(guessed, order)
        self._counting, total = True, 0
        self._on_bytes(self._uncounted)
        items: Iterable[Item] = chain(self._first, self._items)
        thread = self._options.thread
        if thread is not None and has_threads(self.sample, thread):
            items = threaded(items, thread, guessed.columns)
        for block in in_blocks(rows, items):
            total += block.rows + len(block.rejects)
            if total > self._caps.records:
                raise BacklogError(f"{self.path} has more than {self._caps.records:,} rows.")
            yield block
        if total == 0:
            raise self._beside(BacklogError(f"{self.path} holds no rows."))

    def refusal(self, guessed: Guess) -> BacklogError:
        """Why the file is not read by this guess."""
        return self._beside(refusal(self.path, guessed))

    def _beside(self, error: BacklogError) -> BacklogError:
        if self._options.sheet is not None or (read := self.found.sheet) is None:
            return error
        titles = titles_of(self.path, self._stream, self.found.kind, self._caps)
        others = [title for title in titles if title != read]
        return with_sheets(error, self.path, read, others, self._is_backlog)

    def _is_backlog(self, sheet: str) -> bool:
        """Whether another sheet of the workbook could be read without a word more."""
        self._stream.seek(0)
        options = replace(self._options, sheet=sheet)
        try:
            found = Backlog(self.path, self._stream, options, self._caps).guess
        except BacklogError:
            return False
        return found.certain and not found.missing and bool(found.names)

    def _told(self, guessed: Guess) -> FileWords | None:
        """What is heard of rows as a whole, unless people said themselves what the message is."""
        if "body" in self._options.columns:
            return None
        product = guessed.preset or product_of(self._options.usual)
        if product is not None:
            return FileWords(product)
        if "body" in self._options.usual:
            return None
        return FileWords.of_teams(teams_words_of(self.sample, guessed.columns))

    def rows(self, guessed: Guess, order: DateOrder | None) -> Rows:
        """What judges rows of this file."""
        return Rows(
            self._caps,
            guessed.columns,
            order=order,
            strip_quotes=self._options.strip_quotes,
            mails=self.found.kind in ("mbox", "eml"),
            floats=self._floats(guessed.columns),
            told=self._told(guessed),
        )

    def _floats(self, columns: Mapping[str, str]) -> bool | None:
        """Whether a table's ids with a point in them, if there are any, are whole numbers that a
        program took for others: `123.0`, and not `1.2` beside `1.3`. None for what is no table."""
        if self.found.kind not in TABLES:
            return None
        place = parse_place(columns.get("external_id", "external_id"))
        found = (getter_of(place, tuple(row), set()) for row in self.sample)
        ids = (get(row) for get, row in zip(found, self.sample, strict=True) if get is not None)
        return all(WHOLE_FLOAT.fullmatch(one) for one in ids if isinstance(one, str) and "." in one)

    def _order(self, columns: Mapping[str, str]) -> DateOrder | None:
        """Which of day and month comes first: by the first rows, or else by the whole file where it
        can be read twice."""
        place = parse_place(columns.get("received_at", "received_at"))

        def times(items: Iterator[Item] | list[Item]) -> Iterator[Any]:
            for item in items:
                if isinstance(item, tuple):
                    getter = getter_of(place, tuple(item[1]), set())
                    yield as_text(getter(item[1])) if getter is not None else None

        order, needed = order_of(times(self._first))
        if order is not None or not needed or not self._stream.seekable():
            return order
        rest = (item for item, _ in zip(self._items, range(DATES_ROWS), strict=False))
        order, _ = order_of(chain(times(self._first), times(rest)))
        self._stream.seek(0)
        self._uncounted = 0
        self._open()
        return order

    def _refuse_repeated(self) -> None:
        """A column that is read as ours must be there once; of others, all are kept."""
        for row in self.sample[:1]:
            layout = layout_of(
                tuple(row), {n: parse_place(p) for n, p in self.guess.columns.items()}
            )
            for name in row:
                if normal(name) in self._repeated and name not in layout.rest:
                    raise BacklogError(
                        f"{self.path}: the column {name!r} appears twice in the header.",
                        mend="rename one of the two, or say with --map which other column is meant",
                    )


def _some(items: Iterator[Item]) -> Iterator[Item]:
    """The first rows, few enough to be held."""
    chars = 0
    for number, item in enumerate(items, 1):
        yield item
        if isinstance(item, tuple):
            chars += sum(len(v) if isinstance(v, str) else 1_000 for v in item[1].values())
        if number >= SAMPLE_ROWS or chars >= SAMPLE_CHARS:
            return


def read_blocks(
    path: str,
    stream: IO[bytes],
    *,
    kind: str | None = None,
    member: str | None = None,
    columns: Mapping[str, str] | None = None,
    caps: Caps | None = None,
    on_bytes: Callable[[int], None] = lambda _: None,
    packed: bool = True,
) -> Iterator[Block]:
    """The blocks of a file whose columns are certain.

    `path` names the file in errors and tells its format by its ending where its content does not;
    `columns` maps our field names to the file's (`{"body": "Message"}`); `on_bytes` hears how many
    bytes of the file were read. Raises BacklogError when the file as a whole cannot be read.
    """
    options = ReadingOptions(kind=kind, member=member, columns=columns or {}, packed=packed)
    yield from Backlog(path, stream, options, caps, on_bytes).blocks()
