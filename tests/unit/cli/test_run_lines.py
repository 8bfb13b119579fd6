"""A run's lines on terminals of any width."""

import pytest

from worker.cli.views.run_lines import field_lines

WORDS = "on time: done in about 52 s, at 07:47, 11 min before its deadline of today"


@pytest.mark.parametrize("width", [40, 80])
def test_a_long_line_is_broken_between_its_words_below_where_it_began(width: int) -> None:
    first, *rest = field_lines("outlook", WORDS, width)
    assert first.startswith("  outlook     on time")
    assert rest
    assert all(line.startswith(" " * 14) and line[14] != " " for line in rest)
    assert max(map(len, (first, *rest))) <= width
    assert " ".join(line.strip() for line in (first, *rest)).split()[1:] == WORDS.split()


def test_a_program_reads_one_line() -> None:
    assert field_lines("outlook", WORDS, None) == [f"  outlook     {WORDS}"]
