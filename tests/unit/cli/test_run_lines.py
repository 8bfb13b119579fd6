"""A run's lines on terminals of any width."""

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.dashboard.test_outlook import run
from worker.cli.views.run_lines import field_lines, print_run

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


@pytest.mark.parametrize(("waits_for", "said"), [("run budget", True), ("day budget", False)])
def test_a_run_that_its_budget_stops_says_what_lets_it_go_on(
    waits_for: str, said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = run(
        waiting_for=waits_for, waiting_usd=Decimal("0.1"), cap=Decimal(1), day_left=Decimal(0)
    )
    print_run(stopped, "stopped")
    out = capsys.readouterr().out
    assert (f"rung resume day --budget {stopped.enough.normalize():f}\n" in out) is said


def test_a_run_that_goes_on_needs_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    print_run(run(), "on time")
    assert "go on with" not in capsys.readouterr().out


def test_tiers_stand_as_the_ladder_has_them(capsys: pytest.CaptureFixture[str]) -> None:
    """A mapping from Postgres comes by the length of its words."""
    counted = {"opus": 3, "alpha": 1, "haiku": 2, "sonnet": 4}
    found = run(by_tier=counted, ladder=("haiku", "sonnet", "opus"))
    print_run(found, "on time")
    assert "2 haiku, 4 sonnet, 3 opus, 1 alpha\n" in capsys.readouterr().out
    assert list(found.as_document()["by_tier"]) == ["haiku", "sonnet", "opus", "alpha"]


@pytest.mark.parametrize(
    ("changes", "simulated", "said"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"simulated": True}, False, True),
        ({"state": "finished"}, True, False),
    ],
)
def test_what_is_simulated_says_so_before_the_first_answer_too(
    changes: dict[str, Any], simulated: bool, said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    print_run(run(**changes), "on time", simulated=simulated)
    assert ("SIMULATED" in capsys.readouterr().out) is said
