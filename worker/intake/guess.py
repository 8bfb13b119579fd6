"""Which column is what, before anything is paid: by what people said, by the file's own names, by a
product's marks, by usual names, and at last by what stands in the columns.

A guess is certain when names say it and contents agree. What is not certain is asked, or refused
with the option that says it, filled in.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from worker.domain.backlog import BacklogError
from worker.intake.columns import (
    ENOUGH,
    MOST_COLUMNS,
    Column,
    Sample,
    columns_of,
    fits,
    mean_of,
    worded,
)
from worker.intake.layouts import FIELDS, REQUIRED, getter_of
from worker.intake.names import is_of_the_team, rank_of
from worker.intake.paths import Place, as_text, column_of, normal, parse_place, without_conditions
from worker.intake.presets import PRESETS

SHOWN_COLUMNS = 12
LONG_ENOUGH = 20
"""Characters, on average, from which a column without a telling name may be what people wrote."""


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
        return " ".join(f"--map {shlex.quote(pair)}" for pair in (*pairs, *missing))


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
        share = _share(sample, one)
        if share > 0:
            used.append(one)
        if share == 1:
            break
    return "|".join(used) or place


def _guess(sample: Sample, columns: Mapping[str, str], usual: Mapping[str, str]) -> Guess:
    there = {name: place for name, place in usual.items() if _holds(sample, place)}
    names = _top_names(sample)
    if astray := [name for name, place in columns.items() if not _is_there(names, place)]:
        return Guess(
            columns=columns, certain=not names, missing=tuple(astray) if names else (), names=names
        )
    columns = {**there, **columns}
    own = {name for name in FIELDS if name not in columns and _has_own(sample, name)}
    if not own >= set(REQUIRED):
        # In a helpdesk's export, `Source` is how a message came, and not where ids are unique.
        own.discard("source")
    if not names or all(name in own or name in columns for name in REQUIRED):
        return Guess(columns=columns, names=names)
    if fitting := _by_preset(sample, columns, names):
        return fitting
    found = _by_columns(sample, dict(columns), own)
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
    certain = sure and not missing
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


def refusal(path: str, guessed: Guess) -> BacklogError:
    """Why a file whose columns are not certain is not read."""
    shown = ", ".join(repr(name[:40]) for name in guessed.names[:SHOWN_COLUMNS])
    missing = [guessed.columns.get(name, name) for name in guessed.missing]
    words = (
        f"no column called {' or '.join(missing)}"
        if missing
        else "which columns are meant is not certain"
    )
    if guessed.missing == ("body",) and "body" not in guessed.columns:
        words += ", nor another that surely holds what customers wrote (lists of tickets often"
        words += " leave it out: export them with their descriptions)"
    return UncertainColumns(
        f"{path}: {words}; there are: {shown}.",
        mend=f"rung enqueue {guessed.as_options()} {path}",
        guess=guessed,
    )


def _has_own(sample: Sample, name: str) -> bool:
    """Whether a column is called as the field is, and holds something somewhere."""
    return any(
        (column := column_of(name, row)) is not None and row[column] not in (None, "", [])
        for row in sample
    )


def _is_there(names: tuple[str, ...], place: str) -> bool:
    """Whether the file has the columns of a place, or of one of its alternatives."""
    return getter_of(parse_place(place), names, set()) is not None


def _holds(sample: Sample, place: str) -> bool:
    """Whether a place leads to something in any of the rows, if only what is not meant."""
    return _share(sample, parse_place(place).unconditional()) > 0


def _has_body(sample: Sample, text: str) -> bool:
    """Whether a product's place for the body is right for these rows. Of a place with conditions it
    is enough that something is there, though no customer wrote it: otherwise a file of agents'
    notes would be read by the names of its columns."""
    place = parse_place(text)
    return _share(sample, place.unconditional() if place.picks else place) >= ENOUGH


def _share(sample: Sample, place: str | Place) -> float:
    parsed, held = parse_place(place) if isinstance(place, str) else place, 0
    for row in sample:
        getter = getter_of(parsed, tuple(row), set())
        value = as_text(getter(row)) if getter is not None else None
        held += isinstance(value, str | int | float) and value != ""
    return held / max(len(sample), 1)


def _top_names(sample: Sample) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for row in sample for name in row))[:MOST_COLUMNS]


def _by_preset(sample: Sample, columns: Mapping[str, str], names: tuple[str, ...]) -> Guess | None:
    """The first product whose marks the file shows, and whose places hold what is needed."""
    there = {normal(name) for name in names}
    for product, preset in PRESETS.items():
        if not any({normal(mark) for mark in marks} <= there for marks in preset.marks):
            continue
        whole = {**preset.columns, **columns}
        if _share(sample, whole["external_id"]) >= ENOUGH and _has_body(sample, whole["body"]):
            used = {name: place for name, place in whole.items() if _holds(sample, place)}
            return Guess(
                columns=used,
                found=frozenset(used) - set(columns),
                certain=True,
                preset=product,
                missing=(),
                names=names,
            )
    return None


def _by_columns(
    sample: Sample, columns: dict[str, str], own: set[str]
) -> dict[str, tuple[str, bool]]:
    """For each field that is not said, the column that fits it best, and whether that is sure: by
    names first, and for what is required then by contents."""
    flat = columns_of(sample)
    taken = {normal(place) for place in columns.values()} | {normal(name) for name in own}
    found: dict[str, tuple[str, bool]] = {}
    wanted = [name for name in FIELDS if name not in columns and name not in own]
    for name, choose in (
        *((name, _by_name) for name in wanted if name != "source"),
        *((name, _by_contents) for name in reversed(REQUIRED) if name in wanted),
    ):
        free = [one for one in flat if normal(one.name) not in taken]
        best = choose(name, free, len(sample)) if name not in found else None
        if best is not None:
            found[name] = best
            taken.add(normal(best[0]))
    return found


def _by_name(name: str, columns: list[Column], rows: int) -> tuple[str, bool] | None:
    """Where a name fits and the contents agree."""
    named = [
        ((column.depth, *rank, column.name), column)
        for column in columns
        if (rank := rank_of(name, column.leaf)) is not None
    ]
    ranked = [rank for rank, column in named if fits(name, column, rows)]
    if not ranked and name == "body":
        # A column that is surely called so is meant, though most who wrote left it empty.
        ranked = [rank for rank, column in named if rank[1] == 0 and worded(column)]
    if not ranked:
        return None
    depth, unsure, _, best = min(ranked)
    rivals = [one for one in ranked if one[:2] == (depth, 0)] if name == "body" else []
    return best, depth == 1 and unsure == 0 and len(rivals) <= 1


def _by_contents(name: str, columns: list[Column], rows: int) -> tuple[str, bool] | None:
    """What is long and worded, or what is short and different in every row."""
    fitting = [one for one in columns if fits(name, one, rows)]
    if name == "body":
        fitting = [one for one in fitting if not is_of_the_team(one.name)]
        texts = [one for one in fitting if mean_of(one) >= LONG_ENOUGH]
        return (max(texts, key=mean_of).name, False) if texts else None
    ids = [one for one in fitting if one.depth == 1 and not any(" " in text for text in one.texts)]
    return (ids[0].name, False) if ids and rows > 1 else None
