"""Tables in Markdown whose last column is written by hand and kept when the rest is made anew."""

import inspect
import re
from dataclasses import dataclass
from typing import Any

UNWRITTEN = "?"
BLOCK = re.compile(r"(<!-- table: (\S+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_CELL = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its name, what the code says of it, and the code's docstring."""

    name: str
    facts: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A generated table: headings, and rows without their last column."""

    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    intro: str = ""

    def render(self, meanings: dict[str, str]) -> str:
        """Markdown; `meanings` are the hand-written last cells by row name."""
        intro = f"{' '.join(self.intro.split())}\n\n" if self.intro else ""
        if not self.rows:
            return intro
        lines: list[tuple[str, ...]] = [self.headings, ("---",) * len(self.headings)]
        for row in self.rows:
            meaning = meanings.get(row.name) or cell(row.words) or UNWRITTEN
            facts = tuple(cell(fact) for fact in row.facts)
            lines.append((f"`{cell(row.name)}`", *facts, meaning))
        return intro + "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def meanings_of(block: str) -> dict[str, str]:
    """The hand-written last column by row name."""
    found = {}
    for line in [line for line in block.splitlines() if line.startswith("|")][2:]:
        cells = [part.strip() for part in _CELL.split(line.strip())[1:-1]]
        if len(cells) >= 2 and cells[-1] != UNWRITTEN:
            found[cells[0].strip("`").replace("\\|", "|")] = cells[-1]
    return found


def blocks(text: str) -> dict[str, str]:
    """The generated tables of a document, by name."""
    return {match[2]: match[3] for match in BLOCK.finditer(text)}


def cell(words: str) -> str:
    """One line that cannot break out of its cell."""
    return _CELL.sub(r"\\|", " ".join(words.split()))


def first_paragraph(thing: Any) -> str:
    """The first paragraph of a docstring, or nothing."""
    return (inspect.getdoc(thing) or "").partition("\n\n")[0]
