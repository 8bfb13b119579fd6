"""Which column is what, before anything is paid: by what people said, by the file's own names, by a
product's marks, by usual names, and at last by what stands in the columns.

A guess is certain when names say it and contents agree. What is not certain is asked, or refused
with the option that says it, filled in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from shlex import quote
from typing import Any

from worker.domain.backlog import BacklogError
from worker.intake.columns import ENOUGH, Sample
from worker.intake.dialects import DELIMITERS
from worker.intake.layouts import FIELDS, REQUIRED
from worker.intake.likely_columns import (
    by_columns,
    has_columns_of,
    has_own_column,
    leads_somewhere,
    share_of_rows,
    top_names,
)
from worker.intake.names import rank_of
from worker.intake.paths import column_of, normal, parse_place, without_conditions
from worker.intake.presets import PRESETS
from worker.intake.writers import are_untold

SHOWN_COLUMNS = 12
WORDY = 6
"""Spaces in what is no column's name but somebody's sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """Where the fields stand. `columns` holds what was said and what was found out; `found` names
    the fields of the latter; `preset` the product whose marks the file shows; `used` the places
    that the first rows use where a field has several."""

    columns: Mapping[str, str]
    found: frozenset[str] = frozenset()
    certain: bool = True
    preset: str | None = None
    missing: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    used: Mapping[str, str] = field(default_factory=dict)

    def as_words(self) -> str:
        """`external_id ← Ticket ID, body ← Description`."""
        there = [name for name in FIELDS if name in self.columns]
        return ", ".join(f"{name} ← {self.shown_place(name)}" for name in there)

    def shown_place(self, field: str) -> str:
        """Where a field stands, for people: of alternatives those that the first rows use, without
        what says which of several is meant."""
        return without_conditions(self.used.get(field, self.columns[field]))

    def as_options(self) -> str:
        """The same as options of a command, ready to copy."""
        there = [field for field in FIELDS if field in self.columns and field not in self.missing]
        pairs = (f"{field}={self.columns[field]}" for field in there)
        missing = (f"{field}=COLUMN" for field in self.missing)
        return " ".join(f"--map {quote(pair)}" for pair in (*pairs, *missing))


class UncertainColumns(BacklogError):
    """Nobody knows which columns are meant; `guess` is the best that can be said."""

    def __init__(self, message: str, *, mend: str, guess: Guess) -> None:
        super().__init__(message, mend=mend)
        self.guess = guess


def guess(
    sample: Sample, columns: Mapping[str, str], usual: Mapping[str, str] | None = None
) -> Guess:
    """Completes `columns`, what people said, for these rows; of `usual`, a map that they named,
    what leads somewhere. Rows without a word, as reports end with, say nothing of their columns."""
    sample = [row for row in sample if any(map(_said, row.values()))] or sample
    guessed = _guess(sample, columns, usual or {})
    several = {name: place for name, place in guessed.columns.items() if "|" in place}
    used = {name: _used(sample, place) for name, place in several.items()}
    return replace(guessed, used=used)


def _said(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value not in (None, [], {})


def _used(sample: Sample, place: str) -> str:
    """The alternatives that hold something, to the first that does in every row."""
    used = []
    for one in place.split("|"):
        share = share_of_rows(sample, one)
        if share > 0:
            used.append(one)
        if share == 1:
            break
    return "|".join(used) or place


def _guess(sample: Sample, columns: Mapping[str, str], usual: Mapping[str, str]) -> Guess:
    there = {name: place for name, place in usual.items() if leads_somewhere(sample, place)}
    names = top_names(sample)
    if astray := [name for name, place in columns.items() if not has_columns_of(names, place)]:
        return Guess(
            columns=columns, certain=not names, missing=tuple(astray) if names else (), names=names
        )
    columns = {**there, **columns}
    own = {name for name in FIELDS if name not in columns and has_own_column(sample, name)}
    if not own >= set(REQUIRED):
        # In a helpdesk's export, `Source` is how a message came, and not where ids are unique.
        own.discard("source")
    if not names or all(name in own or name in columns for name in REQUIRED):
        return Guess(columns=columns, names=names, certain=not _untold(names, columns))
    if fitting := _by_preset(sample, columns, names):
        return fitting
    found = by_columns(sample, dict(columns), own)
    return _judged(sample, found, columns, own, names)


def _judged(
    sample: Sample,
    found: dict[str, tuple[str, bool]],
    columns: Mapping[str, str],
    own: set[str],
    names: tuple[str, ...],
) -> Guess:
    whole = {**{name: place for name, (place, _) in found.items()}, **columns}
    # A column of the field's own name that is empty so far makes rejects, which is not nothing.
    empty = {name for name in REQUIRED if column_of(name, names) is not None}
    missing = tuple(name for name in REQUIRED if name not in {*whole, *own, *empty})
    sure = all(certain for name, (_, certain) in found.items() if name in REQUIRED)
    certain = sure and not missing and not _untold(names, columns)
    if not certain:
        # What stands under a required field's own name belongs to the options that are shown.
        whole = {**{name: name for name in REQUIRED if name in own}, **whole}
    whole = {name: whole[name] for name in FIELDS if name in whole}
    return Guess(
        columns=whole,
        found=frozenset(found),
        certain=certain,
        preset=None,
        missing=missing,
        names=names,
    )


def _untold(names: tuple[str, ...], columns: Mapping[str, str]) -> bool:
    """Whether nobody can say whose these messages are; who says which column is meant takes all."""
    return "body" not in columns and are_untold(names)


def refusal(path: str, guessed: Guess) -> BacklogError:
    """Why a file whose columns are not certain is not read."""
    if _is_a_row(guessed.names):
        return UncertainColumns(
            f"{path} has no header: its first line looks like a row.",
            mend="put a line before it that names the columns: external_id,body,…",
            guess=guessed,
        )
    if between := _undivided(guessed.names):
        return UncertainColumns(
            f"{path}: its header is one column, {guessed.names[0][:40]!r}: the delimiter that was"
            " taken does not divide it.",
            mend=f"rung enqueue --delimiter {quote(between)} {quote(path)}",
            guess=guessed,
        )
    shown = ", ".join(repr(name[:40]) for name in guessed.names[:SHOWN_COLUMNS])
    missing = [guessed.columns.get(name, name) for name in guessed.missing]
    words = (
        f"no column called {' or '.join(missing)}"
        if missing
        else "which columns are meant is not certain"
    )
    if are_untold(guessed.names):
        words += " (comments without their tickets do not tell customers from agents: export the"
        words += " tickets with their comments)"
    if "external_id" in guessed.missing and (like := _like_an_id(guessed.names)):
        words += f" ({like!r} is empty or says the same in too many rows)"
    if guessed.missing == ("body",) and "body" not in guessed.columns:
        words += ", nor another that surely holds what customers wrote (lists of tickets often"
        words += " leave it out: export them with their descriptions)"
    return UncertainColumns(
        f"{path}: {words}; there are: {shown}.",
        mend=f"rung enqueue {guessed.as_options()} {quote(path)}",
        guess=guessed,
    )


def _undivided(names: tuple[str, ...]) -> str | None:
    """What divides a header that was taken for one column, and the most often; None where nothing
    does. In doubt no comma, which a name of a column may have."""
    if len(names) != 1:
        return None
    best = max(reversed(DELIMITERS), key=names[0].count)
    return best if best in names[0] else None


def _like_an_id(names: tuple[str, ...]) -> str | None:
    """A column that is called as ids are, though its contents are none."""
    return next((name for name in names if (rank_of("external_id", name) or (1,))[0] == 0), None)


def _is_a_row(names: tuple[str, ...]) -> bool:
    """Whether what should name the columns are the cells of a row, which may be anybody's words."""
    known = (name for name in FIELDS if name != "source")
    if any(rank_of(field, name) is not None for field in known for name in names):
        return False
    return any(name.isdecimal() or "@" in name or name.count(" ") >= WORDY for name in names)


def _has_body(sample: Sample, text: str) -> bool:
    """Whether a product's place for the body is right for these rows. Of a place with conditions it
    is enough that something is there, though no customer wrote it: otherwise a file of agents'
    notes would be read by the names of its columns."""
    place = parse_place(text)
    return share_of_rows(sample, place.unconditional() if place.picks else place) >= ENOUGH


def _by_preset(sample: Sample, columns: Mapping[str, str], names: tuple[str, ...]) -> Guess | None:
    """The first product whose marks the file shows, and whose places hold what is needed."""
    there = {normal(name) for name in names}
    for product, preset in PRESETS.items():
        if not any({normal(mark) for mark in marks} <= there for marks in preset.marks):
            continue
        whole = {**preset.columns, **columns}
        if share_of_rows(sample, whole["external_id"]) >= ENOUGH and _has_body(
            sample, whole["body"]
        ):
            used = {name: place for name, place in whole.items() if leads_somewhere(sample, place)}
            return Guess(
                columns=used,
                found=frozenset(used) - set(columns),
                certain=True,
                preset=product,
                missing=(),
                names=names,
            )
    return None
