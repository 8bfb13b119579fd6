"""Tables on terminals of any width: nothing is cut, and no word is parted without need."""

import io

import pytest
from rich.console import Console

from worker.cli.speech.tables import FittingTable

ROWS = [["monday", "finished", "claude-sonnet-5-5", "$0.0210"], ["tuesday", "under way", "–", ""]]


def printed(width: int) -> list[str]:
    out = io.StringIO()
    table = FittingTable("run", "state", "model", "spent", box=None, title="A bill")
    for row in ROWS:
        table.add_row(*row)
    Console(file=out, width=width).print(table)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [30, 80, 200])
def test_all_that_stands_in_it_is_there_at_every_width(width: int) -> None:
    lines = printed(width)
    said = " ".join(" ".join(lines).split())
    assert "…" not in said
    assert max(map(len, lines)) <= width
    for value in (value for row in ROWS for value in row if " " not in value):
        assert value in said, value


@pytest.mark.parametrize("width", [38, 40, 44, 48])
def test_a_name_that_does_not_fit_goes_on_in_the_next_line(width: int) -> None:
    lines = printed(width)
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)
    letters = sorted("".join("".join(lines).split()))
    said = "".join(value for row in ROWS for value in row)
    assert letters == sorted("Abillrunstatemodelspent" + "".join(said.split()))


def test_where_it_fits_it_is_a_table_and_elsewhere_a_row_stands_by_itself() -> None:
    assert printed(80)[1].split() == ["run", "state", "model", "spent"]
    narrow = [line.split() for line in printed(30)]
    assert narrow[:3] == [["A", "bill"], ["run", "monday"], ["state", "finished"]]
    assert narrow.index([]) == 5
    assert ["spent"] not in narrow, "a cell that says nothing needs no line"


@pytest.mark.parametrize("width", [74, 76, 80])
def test_a_table_that_just_fits_parts_no_word(width: int) -> None:
    heads = ("run", "drawn", "with a tier", "passed by it", "open", "right", "wrong", "unsure",
             "judged twice", "differing")  # fmt: skip
    table = FittingTable(*heads, box=None)
    table.add_row("day", *"7007000000"[1:])
    out = io.StringIO()
    Console(file=out, width=width).print(table)
    assert {word for head in heads for word in head.split()} <= set(out.getvalue().split())


def test_columns_move_together_before_rows_stand_by_themselves() -> None:
    """How queues stand, at 40 columns: four lines of two, instead of four records of five."""
    table = FittingTable("queue", "waiting", "in flight", "workers", "state", box=None, title="Now")
    table.add_row("routing", "1,018", "0", "1", "ok")
    table.add_row("haiku", "18", "2", "1", "waits for budget")
    out = io.StringIO()
    Console(file=out, width=40).print(table)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 40
    assert [line.split() for line in lines[1:]] == [
        ["in"],
        ["queue", "waiting", "flight", "workers", "state"],
        ["routing", "1,018", "0", "1", "ok"],
        ["haiku", "18", "2", "1", "waits"],
        ["for"],
        ["budget"],
    ]
