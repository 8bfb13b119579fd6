"""A file before it is submitted: which column is what on its first rows, what cannot be taken,
what it will cost and how long it takes. Nothing is stored."""

import datetime as dt
from dataclasses import dataclass
from typing import IO

from models.vocabulary import Lane, RunLane
from worker.dashboard.context import Dashboard
from worker.domain.backlog import Caps, Record
from worker.domain.wording import count, dollars, second, span
from worker.intake.guess import Guess
from worker.intake.handover import Handover
from worker.intake.layouts import FIELDS
from worker.intake.outcome import HandoverOutcome
from worker.intake.reader import Backlog, ReadingOptions
from worker.intake.terms import RunTerms
from worker.runs.estimate import by_length, counted_tokens, way_of_pages
from worker.runs.forecasts import RunForecast, foresee
from worker.store.passages import stored_folders

FIRST_ROWS = 5
MOST_CHARS = 160
File = tuple[str, IO[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedFigures:
    """What it comes to: what is measured in three figures, or one that is assumed; and on what
    they rest."""

    lines: tuple[tuple[str, tuple[str, ...]], ...]
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLook:
    """`heads` are our fields that the first rows have, each with where it stands in the file;
    `rows` their values, or the reason why a row is none. `outcome` is that of a dry run; without
    it a required column is missing."""

    guess: Guess
    names: tuple[str, ...]
    heads: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...] | str, ...]
    kept: tuple[str, ...]
    outcome: HandoverOutcome | None = None
    expected: ExpectedFigures | None = None


def look(
    dashboard: Dashboard, file: File, terms: RunTerms, options: ReadingOptions, caps: Caps
) -> FirstLook:
    """Raises BacklogError where the file cannot be read, UsageError, and the database's errors."""
    name, content = file
    backlog = Backlog(name, content, options, caps)
    first = _first_rows(backlog, options)
    if backlog.guess.missing:
        return first_look(backlog, first)
    content.seek(0)
    handover = Handover(
        terms, options, dashboard.engine, dry=True, caps=caps, accept=lambda _, __: True
    )
    outcome = handover.take([file])
    return first_look(backlog, first, outcome, _expected(dashboard, terms, outcome))


def first_look(
    backlog: Backlog,
    rows: list[Record | str],
    outcome: HandoverOutcome | None = None,
    expected: ExpectedFigures | None = None,
) -> FirstLook:
    """As it is shown."""
    guess, records = backlog.guess, [row for row in rows if isinstance(row, Record)]
    fields = [name for name in FIELDS if any(getattr(one, name) is not None for one in records)]
    return FirstLook(
        guess=guess,
        names=tuple(dict.fromkeys(name for row in backlog.sample for name in row)),
        heads=tuple((f, guess.shown_place(f) if f in guess.columns else f) for f in fields),
        rows=tuple(row if isinstance(row, str) else _shown(row, fields) for row in rows),
        kept=tuple(dict.fromkeys(name for one in records for name in one.metadata or ())),
        outcome=outcome,
        expected=expected,
    )


def _first_rows(backlog: Backlog, options: ReadingOptions) -> list[Record | str]:
    rows = backlog.rows(backlog.guess, options.dates)
    judged = (rows.judge(number, row) for number, row in enumerate(backlog.sample[:FIRST_ROWS], 1))
    return [one if isinstance(one, Record) else one.reason for one in judged]


def _shown(record: Record, fields: list[str]) -> tuple[str, ...]:
    values = (getattr(record, name) for name in fields)
    return tuple("" if value is None else _short(_words(value)) for value in values)


def _words(value: object) -> str:
    return second(value) if isinstance(value, dt.datetime) else str(value)


def _short(value: str) -> str:
    line = " ".join(value[: MOST_CHARS * 2].split())
    return line if len(line) <= MOST_CHARS else f"{line[:MOST_CHARS].rstrip()} …"


def _expected(
    dashboard: Dashboard, terms: RunTerms, outcome: HandoverOutcome
) -> ExpectedFigures | None:
    counts = outcome.counts
    if not counts.accepted:
        return None
    with dashboard.engine.connect() as connection:
        found = foresee(connection, terms.policy, counts.coming, terms.lane)
        counted = counted_tokens(connection, dashboard.settings)
        folders = stored_folders(connection) if terms.policy.knowledge else {}
    sizes = {name: one.size for name, one in folders.items()}
    lane = Lane.BATCH if terms.lane == RunLane.BATCH else Lane.REALTIME
    pages = way_of_pages(dashboard.settings, terms.policy, sizes, lane, counts.accepted)
    if found is not None:
        return _measured(found, f" Pages {pages.words}." if pages else "")
    assumed, _ = by_length(dashboard.settings, terms.policy, counts.lengths, pages, counted)
    return ExpectedFigures(
        lines=(("dollars", (dollars(assumed.total),)),), basis=assumed.assumption
    )


def _measured(found: RunForecast, more: str) -> ExpectedFigures:
    spans = [("dollars", found.dollars, dollars), ("messages for people", found.people, count)]
    lines = [(name, tuple(shown(v) for v in (s.p10, s.p50, s.p90))) for name, s, shown in spans]
    if found.seconds is not None:
        figures = (found.seconds.p10, found.seconds.p50, found.seconds.p90)
        lines.append(("time", tuple(map(span, figures))))
    return ExpectedFigures(lines=tuple(lines), basis=f"Measured {found.basis}.{more}")
