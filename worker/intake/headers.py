"""Headers that take more than one line: groups above the names, the names in words below them, and
rules that are drawn under a header.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice, zip_longest

from worker.intake.layouts import FIELDS
from worker.intake.names import rank_of
from worker.intake.records import Fields

AGAIN = "a second line of the header"
LOOKED_AT = 3
"""Records behind a header that may belong to it."""
WORDY = 5
"""Blanks in what is no name any more."""
NAMED = frozenset(FIELDS) - {"source"}
_RULE = frozenset("-+=:|_ ")
_SURVEYS = ('{"ImportId"', "{'ImportId'")
"""How each cell of the third line of a header begins in what surveys export (Qualtrics)."""


def whole_header(
    names: list[str], found: Iterator[Fields]
) -> tuple[list[str], Iterator[Fields], bool]:
    """The names, the records below them, and whether the names are those of a second line, which
    stand below groups of columns. What else belongs to the header becomes a reject, or is dropped
    where it is drawn or blank."""
    below, grouped = list(islice(found, LOOKED_AT)), False
    kept = list[Fields]()
    for record in below:
        cells = [cell.strip() for cell in record.fields]
        if record.wrong or (kept and not kept[-1].wrong):
            kept.append(record)
        elif _RULE.issuperset("".join(cells)):
            continue
        elif not kept and cells != names and _is_header(cells) and _is_in_groups(names):
            names, grouped = _below_groups(names, cells), True
        elif (_says_again(names, cells) and cells != names) or _is_of_a_survey(cells):
            kept.append(Fields(record.line, [], AGAIN))
        else:
            kept.append(record)
    return names, chain(kept, found), grouped


def _is_header(cells: list[str]) -> bool:
    """Whether a row holds names, an id's among them: no customer writes only such words."""
    said = [cell for cell in cells if cell]
    if any(cell.isdecimal() or cell.count(" ") >= WORDY or cell[-1] in ".?!" for cell in said):
        return False
    known = sum(any(rank_of(field, cell) is not None for field in NAMED) for cell in said)
    return known >= max(2, len(said) / 2) and any(_is_an_ids(cell) for cell in said)


def _is_an_ids(cell: str, *, surely: bool = False) -> bool:
    rank = rank_of("external_id", cell)
    return rank is not None and not (surely and rank[0])


def _says_again(names: list[str], cells: list[str]) -> bool:
    """Whether in place of an id stands what an id is called."""
    pairs = zip(names, cells, strict=False)
    return any(_is_an_ids(name) and _is_an_ids(cell, surely=True) for name, cell in pairs)


def _is_in_groups(names: list[str]) -> bool:
    """Whether some names stand for several columns: the others are blank, or the same again."""
    last = max((place for place, name in enumerate(names) if name), default=0)
    return not all(names[:last]) or len(set(names)) < len(names)


def _below_groups(groups: list[str], cells: list[str]) -> list[str]:
    """The names of the second line; with its group where a name stands there more than once."""
    times, group, names = Counter(cells), "", list[str]()
    for above, cell in zip_longest(groups, cells, fillvalue=""):
        group = above or group
        names.append(f"{group} {cell}".strip() if cell and times[cell] > 1 else cell or above)
    return names


def _is_of_a_survey(cells: list[str]) -> bool:
    return all(cell.startswith(_SURVEYS) for cell in cells if cell)
