"""What a sample of rows says of its columns: where places lead, and which columns fit a field by
their names or by what is in them."""

from worker.intake.cell_text import as_text
from worker.intake.columns import (
    MOST_COLUMNS,
    Column,
    Sample,
    columns_of,
    fits,
    mean_of,
    worded,
)
from worker.intake.layouts import FIELDS, REQUIRED, getter_of
from worker.intake.names import is_of_the_team, rank_of, speaks_of
from worker.intake.paths import Place, column_of, normal, parse_place

LONG_ENOUGH = 20
"""Characters, on average, from which a column without a telling name may be what people wrote."""


def has_own_column(sample: Sample, name: str) -> bool:
    """Whether a column is called as the field is, and holds something somewhere."""
    return any(
        (column := column_of(name, row)) is not None and row[column] not in (None, "", [])
        for row in sample
    )


def has_columns_of(names: tuple[str, ...], place: str) -> bool:
    """Whether the file has the columns of a place, or of one of its alternatives."""
    return getter_of(parse_place(place), names, set()) is not None


def leads_somewhere(sample: Sample, place: str) -> bool:
    """Whether a place leads to something in any of the rows, if only what is not meant."""
    return share_of_rows(sample, parse_place(place).unconditional()) > 0


def share_of_rows(sample: Sample, place: str | Place) -> float:
    """Share of the rows, 0 to 1, in which a place leads to a value."""
    parsed, held = parse_place(place) if isinstance(place, str) else place, 0
    for row in sample:
        getter = getter_of(parsed, tuple(row), set())
        value = as_text(getter(row)) if getter is not None else None
        held += isinstance(value, str | int | float) and value != ""
    return held / max(len(sample), 1)


def top_names(sample: Sample) -> tuple[str, ...]:
    """Names at the top of the rows, in their order; no more than anybody has columns."""
    return tuple(dict.fromkeys(name for row in sample for name in row))[:MOST_COLUMNS]


def by_columns(
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
        texts = [one for one in fitting if mean_of(one) >= LONG_ENOUGH or speaks_of(name, one.name)]
        texts = [one for one in texts if not fits("received_at", one, rows)]
        likely = max(texts, key=lambda one: (speaks_of(name, one.name), mean_of(one)), default=None)
        return (likely.name, False) if likely is not None else None
    ids = [one for one in fitting if one.depth == 1 and not any(" " in text for text in one.texts)]
    return (ids[0].name, False) if ids and rows > 1 else None
